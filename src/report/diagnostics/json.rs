//! Diagnostics as JSON, for editors and scripts.

use serde_json::{Map, Value, json};

use super::places::{Place, Places};
use super::sorted;
use crate::diagnostic::{Diagnostic, Severity, Sources};

/// Returns diagnostics as a JSON list, in the order of their places.
///
/// Each has `severity` (`error`; `obstacle`, which stops who would run the project; `warning`), `code` (the name of a [`crate::diagnostic::Code`]), `message`, `help`
/// (a list of sentences), the primary place, `labels` (every marked place with its `text`, the primary one
/// first), and `suggestions` (a place and the `replacement` of its text). A place is `file`, `line`, `column`,
/// `end` (`line`, `column`) and `bytes`: lines and columns are counted from 1, columns in characters, ends are
/// exclusive, and bytes are counted from 0, behind a byte order mark. The primary place is null in all its
/// fields where a finding belongs to no text.
#[must_use]
pub fn to_json(diagnostics: &[Diagnostic], sources: &Sources) -> Value {
    let mut places = Places::new(sources);
    Value::Array(sorted(diagnostics).iter().map(|diagnostic| one(diagnostic, &mut places)).collect())
}

fn one(diagnostic: &Diagnostic, places: &mut Places<'_>) -> Value {
    let mut shown = Map::new();
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Obstacle => "obstacle",
        Severity::Warning => "warning",
    };
    shown.insert("severity".to_owned(), json!(severity));
    shown.insert("code".to_owned(), json!(diagnostic.code.name()));
    shown.insert("message".to_owned(), json!(diagnostic.what));
    let primary = diagnostic.labels.first().and_then(|label| places.place(label.span));
    for field in ["file", "line", "column", "end", "bytes"] {
        let value = primary.map_or(Value::Null, |place| place.to_json()[field].take());
        shown.insert(field.to_owned(), value);
    }
    let label = |(place, text): (Place<'_>, &str)| with(place.to_json(), "text", text);
    let labels = diagnostic.labels.iter().filter_map(|it| Some((places.place(it.span)?, it.text.as_str())));
    shown.insert("labels".to_owned(), labels.map(label).collect());
    shown.insert("help".to_owned(), json!(diagnostic.help));
    let suggestions = diagnostic.suggestion.iter().filter_map(|suggestion| {
        Some(with(places.place(suggestion.span)?.to_json(), "replacement", &suggestion.value))
    });
    shown.insert("suggestions".to_owned(), suggestions.collect());
    Value::Object(shown)
}

fn with(mut place: Value, field: &str, text: &str) -> Value {
    place[field] = json!(text);
    place
}
