//! The engine's events. They only wake up: whoever hears one looks for itself.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::stream::{BoxStream, StreamExt};
use hyper::Method;
use serde::Deserialize;

use crate::engine::{EngineError, Happening};
use crate::labels;

use super::Docker;
use super::errors::{Purpose, Trouble};
use super::path::Path;
use super::wire::bare;

const DEADLINE: Duration = Duration::from_secs(30);
/// A longer event is none.
const LONGEST: usize = 1 << 20;

/// One event, with open words.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Event {
    pub(super) action: String,
    pub(super) actor: Actor,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Actor {
    #[serde(rename = "Attributes")]
    pub(super) attributes: BTreeMap<String, String>,
}

impl Docker {
    /// Follows a project's containers. The stream ends with an error when the engine ends it: the engine
    /// keeps only some hundred events, so that whoever follows has to look anew.
    pub(super) fn happenings(&self, project: &str) -> BoxStream<'static, Result<Happening, EngineError>> {
        let filters = serde_json::json!({
            "type": ["container"],
            "label": [format!("{}={project}", labels::KEY_PROJECT)],
        });
        let told = {
            let endpoint = self.endpoint.clone();
            move |trouble: Trouble| trouble.of(&endpoint, Purpose::Other, "follow the engine's events")
        };
        let docker = self.clone();
        futures_util::stream::once(async move { docker.events(&filters).await })
            .flat_map(|events| match events {
                Ok(events) => events.chain(ended()).boxed(),
                Err(trouble) => futures_util::stream::iter([Err(trouble)]).boxed(),
            })
            .map(move |event| {
                let Event { action, mut actor } = event.map_err(&told)?;
                let name = actor.attributes.remove("name").unwrap_or_default();
                Ok(Happening { name, action })
            })
            .boxed()
    }

    /// Opens a stream of events.
    pub(super) async fn events(
        &self,
        filters: &serde_json::Value,
    ) -> Result<BoxStream<'static, Result<Event, Trouble>>, Trouble> {
        let path = Path::of(&["events"]).with("filters", &filters.to_string());
        let chunks = self.wire.stream(bare(Method::GET, &path), DEADLINE).await?;
        let start = (chunks, BytesMut::new());
        Ok(futures_util::stream::try_unfold(start, |(mut chunks, mut held)| async move {
            loop {
                if let Some(event) = first(&mut held)? {
                    return Ok(Some((event, (chunks, held))));
                }
                match chunks.next().await {
                    Some(bytes) => held.extend_from_slice(&bytes?),
                    None => return Ok(None),
                }
            }
        })
        .boxed())
    }
}

fn ended() -> BoxStream<'static, Result<Event, Trouble>> {
    let lost = Trouble::Lost("the engine ended its stream of events".to_owned());
    futures_util::stream::iter([Err(lost)]).boxed()
}

/// Takes the first whole event from the front.
fn first(held: &mut BytesMut) -> Result<Option<Event>, Trouble> {
    let mut values = serde_json::Deserializer::from_slice(held).into_iter::<Event>();
    let found = match values.next() {
        None => None,
        Some(Ok(event)) => Some(event),
        Some(Err(error)) if error.is_eof() && held.len() < LONGEST => None,
        Some(Err(error)) => return Err(Trouble::Garbled(error.to_string())),
    };
    if found.is_some() {
        let taken = values.byte_offset();
        let _ = held.split_to(taken);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_whole_with_words_that_nobody_knows() {
        let mut held = BytesMut::from(
            concat!(
                r#"{"status":"die","id":"4f","Type":"container","Action":"die","Actor":{"ID":"4f","Attributes":{"name":"a","exitCode":"3"}},"time":1}"#,
                "\n",
                r#"{"Type":"plasma","Action":"hover","Actor":{"ID":"x"}}"#,
                r#"{"Type":"contai"#,
            )
            .as_bytes(),
        );
        let event = first(&mut held).unwrap().unwrap();
        assert_eq!((event.action.as_str(), event.actor.attributes["exitCode"].as_str()), ("die", "3"));
        assert_eq!(first(&mut held).unwrap().unwrap().action, "hover");
        assert!(first(&mut held).unwrap().is_none());
        assert!(first(&mut BytesMut::from(&b"<html>"[..])).is_err());
    }
}
