//! A tree written as YAML, where a text in flow style has no lines of its own to edit.

use serde_json::{Map, Value as Json, json};

use crate::project::show::yaml;
use crate::yaml::{Node, Value};

/// A value to be written: as it stands in the file, or a new one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Written {
    /// Scalars without quotes keep their spelling, since what `1.10` means depends on its place.
    Tree(Node),
    /// A value of ours.
    Value(Json),
}

/// Writes entries in their order.
pub(super) fn entries(out: &mut String, indent: usize, entries: &[(String, Written)]) {
    for (key, value) in entries {
        match value {
            Written::Tree(node) => entry(out, indent, key, node),
            Written::Value(value) => yaml::entry(out, indent, key, value),
        }
    }
}

/// Writes one entry as it stands in its tree.
pub(super) fn entry(out: &mut String, indent: usize, name: &str, node: &Node) {
    out.extend(std::iter::repeat_n(' ', indent));
    out.push_str(&key(name));
    out.push(':');
    if let Some(tag) = &node.tag {
        out.extend([" !", tag]);
    }
    match &node.value {
        Value::Mapping(all) if !all.is_empty() => {
            out.push('\n');
            for below in all {
                entry(out, indent + 2, &below.key, &below.value);
            }
        }
        Value::Sequence(items) if !items.is_empty() => {
            out.push('\n');
            for below in items {
                item(out, indent + 2, below);
            }
        }
        Value::Mapping(_) | Value::Sequence(_) | Value::Null | Value::Scalar { .. } => {
            out.push(' ');
            leaf(out, node);
        }
    }
}

/// Writes one item of a list; a mapping in it starts on the dash's line.
fn item(out: &mut String, indent: usize, node: &Node) {
    let mut below = String::new();
    match &node.value {
        Value::Mapping(all) if !all.is_empty() => {
            for entry in all {
                self::entry(&mut below, indent + 2, &entry.key, &entry.value);
            }
        }
        Value::Sequence(items) if !items.is_empty() => {
            for inner in items {
                item(&mut below, indent + 2, inner);
            }
        }
        Value::Mapping(_) | Value::Sequence(_) | Value::Null | Value::Scalar { .. } => leaf(&mut below, node),
    }
    out.extend(std::iter::repeat_n(' ', indent));
    out.push_str("- ");
    out.push_str(below.trim_start_matches(' '));
}

fn leaf(out: &mut String, node: &Node) {
    match &node.value {
        Value::Null => out.push_str("null\n"),
        Value::Mapping(_) => out.push_str("{}\n"),
        Value::Sequence(_) => out.push_str("[]\n"),
        Value::Scalar { text, plain: true } if !text.contains('\n') => out.extend([text, "\n"]),
        // In JSON's quotes, which are YAML's double quotes, every text fits on a line.
        Value::Scalar { text, plain: _ } => out.extend([json!(text).to_string().as_str(), "\n"]),
    }
}

/// Writes a key of a mapping as text.
pub(super) fn key(key: &str) -> String {
    let mut out = String::new();
    yaml::heading(&mut out, 0, key);
    out.trim_end().trim_end_matches(':').to_owned()
}

/// One service: its name and its keys in their order.
pub(super) type Service = (String, Vec<(String, Json)>);

/// Writes a compose file of services, with what they name: by its key at the top, networks, volumes, secrets.
pub(super) fn compose_file(services: &[Service], declared: &[(&str, &Map<String, Json>)]) -> String {
    let mut out = String::new();
    yaml::heading(&mut out, 0, "services");
    for (name, keys) in services {
        yaml::heading(&mut out, 2, name);
        for (key, value) in keys {
            yaml::entry(&mut out, 4, key, value);
        }
    }
    for (key, all) in declared {
        if !all.is_empty() {
            yaml::entry(&mut out, 0, key, &Json::Object((*all).clone()));
        }
    }
    out
}

/// Makes a service's name of a container's or an image's: the part behind the last slash, without tag and
/// digest, in the letters that Compose allows.
pub(super) fn service_name(text: &str) -> String {
    let last = text.trim_end_matches('/').rsplit('/').next().unwrap_or(text);
    let last = last.split(['@', ':']).next().unwrap_or(last);
    let name: String =
        last.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
    if name.is_empty() { "machine".to_owned() } else { name }
}
