//! Values as YAML text, in block style, each text quoted where any reader might take it for something else.
//!
//! A serializer of its own because a project of ten thousand services is twelve megabytes of YAML, and a
//! general emitter needs longer for them than all reading and resolving.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use crate::project::scalar::{self, Scalar};

/// Columns of one level.
const STEP: usize = 2;

/// Writes one entry of a mapping, with all that is below it.
pub fn entry(out: &mut String, indent: usize, key: &str, value: &Json) {
    spaces(out, indent);
    entry_here(out, indent, key, value);
}

/// Writes the key of a mapping whose entries follow one level deeper.
pub fn heading(out: &mut String, indent: usize, key: &str) {
    spaces(out, indent);
    text(out, key);
    out.push_str(":\n");
}

/// Writes an entry where the line already has its indentation.
fn entry_here(out: &mut String, indent: usize, key: &str, value: &Json) {
    text(out, key);
    out.push(':');
    match value {
        Json::Object(entries) if !entries.is_empty() => {
            out.push('\n');
            for (key, value) in entries {
                entry(out, indent + STEP, key, value);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            out.push('\n');
            for value in items {
                item(out, indent + STEP, value);
            }
        }
        Json::Object(_) | Json::Array(_) | Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
            out.push(' ');
            leaf(out, indent, value);
        }
    }
}

fn item(out: &mut String, indent: usize, value: &Json) {
    spaces(out, indent);
    out.push_str("- ");
    match value {
        Json::Object(entries) if !entries.is_empty() => compact_entries(out, indent + STEP, entries),
        Json::Array(items) if !items.is_empty() => {
            // A list in a list is rare, and flow style needs no rule for its first item.
            let _ = writeln!(out, "{}", flow(items));
        }
        Json::Object(_) | Json::Array(_) | Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
            leaf(out, indent, value);
        }
    }
}

/// Entries of which the first stands behind the dash.
fn compact_entries(out: &mut String, indent: usize, entries: &Map<String, Json>) {
    for (at, (key, value)) in entries.iter().enumerate() {
        if at > 0 {
            spaces(out, indent);
        }
        entry_here(out, indent, key, value);
    }
}

fn leaf(out: &mut String, indent: usize, value: &Json) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Json::String(value) if is_literal(value) => {
            literal(out, indent + STEP, value);
            return;
        }
        Json::String(value) => text(out, value),
        Json::Array(_) => out.push_str("[]"),
        Json::Object(_) => out.push_str("{}"),
    }
    out.push('\n');
}

/// A list on one line.
fn flow(items: &[Json]) -> String {
    let mut out = String::from("[");
    for (at, value) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        match value {
            Json::Array(items) => out.push_str(&flow(items)),
            Json::String(value) => quoted(&mut out, value),
            Json::Object(entries) => {
                out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    if at > 0 {
                        out.push_str(", ");
                    }
                    quoted(&mut out, key);
                    out.push_str(": ");
                    let inner = flow(std::slice::from_ref(value));
                    out.push_str(inner.get(1..inner.len() - 1).unwrap_or_default());
                }
                out.push('}');
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {
                let _ = write!(out, "{value}");
            }
        }
    }
    out.push(']');
    out
}

/// Whether a text is best read as a block of lines: several, none of which YAML would change.
fn is_literal(value: &str) -> bool {
    let body = value.strip_suffix('\n').unwrap_or(value);
    body.contains('\n')
        && !body.starts_with(['\n', ' '])
        && !body.ends_with('\n')
        && value.chars().all(|c| c == '\n' || is_printable(c))
        && body.split('\n').all(|line| line.is_empty() || !line.trim_start_matches(' ').is_empty())
}

fn literal(out: &mut String, indent: usize, value: &str) {
    let (body, mark) = value.strip_suffix('\n').map_or((value, "|-"), |body| (body, "|"));
    out.push_str(mark);
    out.push('\n');
    for line in body.split('\n') {
        if !line.is_empty() {
            spaces(out, indent);
            out.push_str(line);
        }
        out.push('\n');
    }
}

fn text(out: &mut String, value: &str) {
    if is_plain(value) { out.push_str(value) } else { quoted(out, value) }
}

/// Whether a text needs no quotes for any reader of YAML 1.1 or 1.2.
fn is_plain(value: &str) -> bool {
    let starts = value.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '_'));
    let inside = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,$()^ ".contains(c);
    starts
        && value.chars().all(inside)
        && !value.ends_with([' ', ':'])
        && !value.contains(": ")
        && scalar::classify(value) == Scalar::Text
        && !matches!(value.to_ascii_lowercase().as_str(), "null" | "yes" | "no" | "on" | "off" | "y" | "n")
}

fn quoted(out: &mut String, value: &str) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_printable(c) => out.push(c),
            c => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
        }
    }
    out.push('"');
}

/// Whether YAML lets a character stand as it is, and no reader takes it for the end of a line.
fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn spaces(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::diagnostic::Sources;
    use crate::yaml::{Limits, read};

    fn written(value: &Json) -> String {
        let mut out = String::new();
        entry(&mut out, 0, "top", value);
        out
    }

    fn again(text: &str) -> Json {
        let reading = read(&mut Sources::default(), "test", text.as_bytes(), &Limits::default());
        let documents = reading.documents.unwrap_or_else(|| panic!("{text}\n{:?}", reading.diagnostics));
        super::super::plain(documents[0].get("top").unwrap())
    }

    #[test]
    fn values_are_written_in_block_style() {
        let value = json!({
            "a": [{"x": "1m30s", "y": null}, "two words", [1, "b", {"c": []}]],
            "empty": {},
            "lines": "[Unit]\nA=b\n\n  c\n",
            "loose": "a\nb",
            "port": "8080",
            "yes": "no",
        });
        insta::assert_snapshot!(written(&value), @r#"
        top:
          a:
            - x: "1m30s"
              "y": null
            - two words
            - [1, "b", {"c": []}]
          empty: {}
          lines: |
            [Unit]
            A=b

              c
          loose: |-
            a
            b
          port: "8080"
          "yes": "no"
        "#);
    }

    fn values() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i32>().prop_map(Json::from),
            "\\PC{0,12}".prop_map(Json::from),
            "[a-z:# \\n\\t'\"-]{0,12}".prop_map(Json::from),
            any::<String>().prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::btree_map("[a-z0-9:# -]{1,6}", inner, 0..4)
                    .prop_map(|entries| Json::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in values()) {
            let text = written(&value);
            prop_assert_eq!(again(&text), value, "{}", text);
        }
    }
}
