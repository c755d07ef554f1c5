//! Pulling an image, with progress, and reading the engine's stream of news, which a build has as well.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{BoxStream, StreamExt};
use hyper::Method;
use serde::Deserialize;
use tokio::time::timeout;

use crate::engine::{EngineError, Show};
use crate::event::Progress;

use super::Docker;
use super::errors::{Purpose, Trouble};
use super::path::Path;
use super::wire::bare;
use crate::project::image_ref;

/// Time without a word after which a pull or build counts as stuck: a layer that is unpacked, or a step
/// that compiles, is silent for minutes.
pub(super) const SILENCE: Duration = Duration::from_secs(600);
/// A longer piece of news is none.
const LONGEST: usize = 16 << 20;

/// One piece of news.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct News {
    pub(super) stream: Option<String>,
    status: Option<String>,
    id: Option<String>,
    #[serde(rename = "progressDetail")]
    detail: Option<Detail>,
    error: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detail {
    current: Option<u64>,
    total: Option<u64>,
}

impl Docker {
    /// Pulls an image.
    pub(super) async fn pull(
        &self,
        reference: &str,
        platform: Option<&str>,
        show: &Show,
    ) -> Result<(), EngineError> {
        // Without a tag the engine would pull every tag there is.
        let mut path = Path::of(&["images", "create"]).with("fromImage", &image_ref::normal(reference));
        if let Some(platform) = platform {
            path = path.with("platform", platform);
        }
        let pulled = async {
            let news = self.wire.stream(bare(Method::POST, &path), SILENCE).await?;
            follow(news, |news| news.show(show)).await
        };
        pulled.await.map_err(|trouble| trouble.of(&self.endpoint, Purpose::Pull, format!("pull {reference}")))
    }
}

/// Reads news to their end; an error among them is the end. Podman reports in the stream what Docker
/// reports by status.
pub(super) async fn follow(
    mut chunks: BoxStream<'_, Result<Bytes, Trouble>>,
    mut take: impl FnMut(News),
) -> Result<(), Trouble> {
    let mut held = BytesMut::new();
    loop {
        let chunk = timeout(SILENCE, chunks.next()).await.map_err(|_| Trouble::TimedOut(SILENCE))?;
        let ended = chunk.is_none();
        if let Some(chunk) = chunk {
            held.extend_from_slice(&chunk?);
        }
        for news in split(&mut held, ended)? {
            match news.error {
                Some(error) => return Err(Trouble::Status(500, error.trim().to_owned())),
                None => take(news),
            }
        }
        if ended {
            return Ok(());
        }
    }
}

/// Takes whole pieces of news from the front, which stand one after another, with or without ends of line.
fn split(held: &mut BytesMut, ended: bool) -> Result<Vec<News>, Trouble> {
    let mut found = Vec::new();
    let mut values = serde_json::Deserializer::from_slice(held).into_iter::<News>();
    let mut taken = 0;
    let broken = loop {
        match values.next() {
            Some(Ok(news)) => {
                found.push(news);
                taken = values.byte_offset();
            }
            Some(Err(error)) if error.is_eof() && !ended && held.len() < LONGEST => break None,
            Some(Err(error)) => break Some(error.to_string()),
            None => break None,
        }
    };
    match broken {
        // What came whole is worth more than what broke behind it.
        Some(cause) if found.iter().all(|news| news.error.is_none()) => Err(Trouble::Garbled(cause)),
        _ => {
            let _ = held.split_to(taken);
            Ok(found)
        }
    }
}

impl News {
    /// Shows what a person would want to see.
    pub(super) fn show(self, show: &Show) {
        let Self { stream, status, id, detail, error: _ } = self;
        if let Some(text) = stream {
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                show(Progress::Line(line.to_owned()));
            }
        }
        match (status, id) {
            (Some(status), Some(id)) => {
                let Detail { current, total } = detail.unwrap_or_default();
                show(Progress::Layer { id, status, current, total });
            }
            (Some(status), None) => show(Progress::Line(status)),
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    async fn read(chunks: &[&str]) -> (Result<(), Trouble>, Vec<Progress>) {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let show: Show = {
            let shown = shown.clone();
            Arc::new(move |progress| shown.lock().unwrap().push(progress))
        };
        let chunks: Vec<Result<Bytes, Trouble>> =
            chunks.iter().map(|chunk| Ok(Bytes::copy_from_slice(chunk.as_bytes()))).collect();
        let ended = follow(futures_util::stream::iter(chunks).boxed(), |news| news.show(&show)).await;
        let shown = shown.lock().unwrap().clone();
        (ended, shown)
    }

    #[tokio::test]
    async fn news_come_out_whole_however_they_are_cut() {
        let text = concat!(
            r#"{"status":"Pulling from library/debian","id":"13"}"#,
            "\r\n",
            r#"{"status":"Downloading","progressDetail":{"current":5,"total":10},"progress":"[=>]","id":"ab"}"#,
            r#"{"stream":"Step 1/2 : FROM x\nsecond é\n"}"#,
            r#"{"status":"Status: Downloaded"}"#,
            "\n"
        );
        let (head, tail) = text.split_at(70);
        let layer = |id: &str, status: &str, current, total| Progress::Layer {
            id: id.into(),
            status: status.into(),
            current,
            total,
        };
        let (ended, shown) = read(&[head, tail]).await;
        assert_eq!(ended, Ok(()));
        assert_eq!(
            shown,
            [
                layer("13", "Pulling from library/debian", None, None),
                layer("ab", "Downloading", Some(5), Some(10)),
                Progress::Line("Step 1/2 : FROM x".into()),
                Progress::Line("second é".into()),
                Progress::Line("Status: Downloaded".into()),
            ]
        );
    }

    #[tokio::test]
    async fn an_error_in_the_stream_is_an_error() {
        let (ended, _) = read(&[r#"{"stream":"x"}{"errorDetail":{"message":"no"},"error":"no"}"#]).await;
        assert_eq!(ended, Err(Trouble::Status(500, "no".into())));
    }

    #[tokio::test]
    async fn a_stream_that_breaks_off_is_not_taken_for_a_success() {
        let (ended, _) = read(&[r#"{"status":"Downloading","#]).await;
        assert!(matches!(ended, Err(Trouble::Garbled(_))), "{ended:?}");
    }
}
