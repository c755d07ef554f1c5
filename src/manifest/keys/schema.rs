//! The table as a JSON schema, which editors complete and check by.

use serde_json::{Map, Value, json};

use super::tree::{Place, root};
use super::{Form, State};

/// Returns the schema of a manifest (JSON Schema, draft 2020-12). Refused keys are left out, so that an editor
/// marks them.
#[must_use]
pub fn schema() -> Value {
    let mut schema = object(root());
    let systemd = root().field("systemd").map(object).unwrap_or_default();
    if let Value::Object(fields) = &mut schema {
        fields.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        fields.insert("title".into(), json!("sdcompose manifest"));
        fields.insert(
            "description".into(),
            json!("The Compose Specification plus `systemd:`, for systemd machines in containers."),
        );
        fields.insert("$defs".into(), json!({ "systemd": systemd }));
    }
    schema
}

/// Returns the schema of a mapping with the keys of a place.
fn object(place: &'static Place) -> Value {
    let mut properties = Map::new();
    for (name, below) in &place.fields {
        if below.key.is_some_and(|key| matches!(key.state, State::Refused(_))) {
            continue;
        }
        properties.insert((*name).to_owned(), value(name, below));
    }
    if properties.contains_key("systemd") {
        properties.entry("x-systemd").or_insert_with(|| json!({ "$ref": "#/$defs/systemd" }));
    }
    json!({
        "type": "object",
        "properties": properties,
        "patternProperties": { "^x-": {} },
        "additionalProperties": false,
    })
}

/// Returns the schema of one key's value.
fn value(name: &str, place: &'static Place) -> Value {
    let Some(key) = place.key else {
        return if name == "x-systemd" { systemd() } else { object(place) };
    };
    let forms: Vec<Value> = if name == "systemd" {
        vec![json!({ "type": ["boolean", "null"] }), json!({ "$ref": "#/$defs/systemd" })]
    } else {
        key.forms.iter().map(|form| one(*form, place)).collect()
    };
    let mut schema = match <[Value; 1]>::try_from(forms) {
        Ok([only]) => only,
        Err(several) => json!({ "anyOf": several }),
    };
    if let Value::Object(fields) = &mut schema {
        let description = match key.state {
            State::Ignored(why) => format!("{}; changes nothing here: {why}", key.doc),
            State::Implemented | State::Refused(_) => key.doc.trim_end_matches(", or").to_owned(),
        };
        fields.insert("description".into(), json!(description));
        if matches!(key.state, State::Ignored(_)) {
            fields.insert("deprecated".into(), json!(true));
        }
    }
    schema
}

fn systemd() -> Value {
    json!({ "anyOf": [{ "type": ["boolean", "null"] }, { "$ref": "#/$defs/systemd" }] })
}

fn one(form: Form, place: &'static Place) -> Value {
    let scalar = || json!(["string", "number", "boolean", "null"]);
    match form {
        Form::Text | Form::Duration => json!({ "type": "string" }),
        Form::Integer => json!({ "type": ["integer", "string"] }),
        Form::Number | Form::Size => json!({ "type": ["number", "string"] }),
        Form::Boolean => json!({ "type": ["boolean", "string"] }),
        Form::Null => json!({ "type": "null" }),
        // A word may also come from a variable.
        Form::Words(words) => json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": "\\$" }] }),
        Form::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Form::Scalars => json!({ "type": "object", "additionalProperties": { "type": scalar() } }),
        Form::Pairs => json!({
            "anyOf": [
                { "type": "object", "additionalProperties": { "type": ["string", "number", "boolean", "null", "array"] } },
                { "type": "array", "items": { "type": "string" } },
            ]
        }),
        Form::Fields if place.fields.is_empty() => json!({ "type": "object" }),
        Form::Fields => object(place),
        Form::Names => {
            let values = place.any.as_deref().map_or_else(|| json!({}), |any| value("*", any));
            json!({ "type": "object", "additionalProperties": values })
        }
        Form::Items => {
            let items = place.item.as_deref().map_or_else(|| json!({}), |item| value("[]", item));
            json!({ "type": "array", "items": items })
        }
    }
}
