//! A story as data.

use serde_json::{Map, Value as Json};

use super::{Origin, Story};
use crate::diagnostic::{Sources, Span};

/// A story as an object: `path`, `value`, `origin` (`written` or the reason of the default), and `layers`.
#[must_use]
pub fn to_json(story: &Story, sources: &Sources) -> Json {
    let Story { path, value, origin, layers } = story;
    let place = |span: Span| -> Map<String, Json> {
        let file = sources.get(span.source).map(|source| source.name.clone());
        let line = sources.position(span).map(|at| at.line);
        [("file".to_owned(), Json::from(file)), ("line".to_owned(), Json::from(line))].into_iter().collect()
    };
    let layers: Vec<Json> = layers
        .iter()
        .map(|layer| {
            let mut shown = place(layer.span);
            let variables =
                layer.variables.iter().map(|(name, value)| (name.clone(), Json::from(value.clone())));
            shown.insert("written".to_owned(), Json::from(layer.written.clone()));
            shown.insert("base".to_owned(), Json::from(layer.base.clone()));
            shown.insert("variables".to_owned(), Json::Object(variables.collect()));
            shown.insert("counts".to_owned(), Json::from(layer.counts));
            Json::Object(shown)
        })
        .collect();
    let mut shown = match origin {
        Origin::Written(span) => place(*span),
        Origin::Default(reason) => [("default".to_owned(), Json::from(*reason))].into_iter().collect(),
    };
    shown.insert("path".to_owned(), Json::from(path.clone()));
    shown.insert(
        "value".to_owned(),
        serde_json::from_str(value).unwrap_or_else(|_| Json::from(value.clone())),
    );
    shown.insert("layers".to_owned(), Json::Array(layers));
    Json::Object(shown)
}
