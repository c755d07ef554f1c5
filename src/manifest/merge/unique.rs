//! Lists whose entries are unique: of entries with one key the last counts, at the place of the first.

use std::borrow::Cow;
use std::collections::HashMap;

use super::forms::text;
use super::rules::{Key, Place};
use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::{Node, Value};

/// Drops earlier entries of unique lists everywhere below a node, and says where a list has one twice that must
/// not.
pub(super) fn enforce(node: &mut Node, place: &'static Place, problems: &mut Vec<Diagnostic>) {
    match &mut node.value {
        Value::Null | Value::Scalar { .. } => {}
        Value::Mapping(entries) => {
            for entry in entries {
                if let Some(below) = place.below(&entry.key) {
                    enforce(&mut entry.value, below, problems);
                }
            }
        }
        Value::Sequence(items) => {
            if place.unique == Some(Key::Distinct) {
                problems.extend(twice(items));
            } else if let Some(by) = place.unique
                && items.len() > 1
            {
                let all = std::mem::take(items);
                *items = last_of_each(all, by);
            }
        }
    }
}

/// Finds an item that is there twice.
fn twice(items: &[Node]) -> Option<Diagnostic> {
    let mut seen: HashMap<&str, &Node> = HashMap::with_capacity(items.len());
    items.iter().find_map(|item| {
        let text = text(item)?;
        let first = seen.insert(text, item)?;
        let problem = Diagnostic::error(format!("{text:?} is in this list twice"), item.span);
        Some(problem.coded(Code::Conflict).also(first.span, "first given here").help("take one of them away"))
    })
}

fn last_of_each(all: Vec<Node>, by: Key) -> Vec<Node> {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(all.len());
    let mut kept: Vec<Node> = Vec::with_capacity(all.len());
    for item in all {
        let Some(key) = key(&item, by).map(Cow::into_owned) else {
            // An entry that has no key is for typing to refuse.
            kept.push(item);
            continue;
        };
        if let Some(&place) = places.get(&key) {
            kept[place] = item;
        } else {
            places.insert(key, kept.len());
            kept.push(item);
        }
    }
    kept
}

fn key(item: &Node, by: Key) -> Option<Cow<'_, str>> {
    match by {
        Key::Distinct => text(item).map(Into::into),
        Key::Name => text(item).map(|text| text.split_once('=').map_or(text, |(name, _)| name).into()),
        Key::Path => field_or_text(item, "path").map(Into::into),
        Key::Target => match text(item) {
            Some(short) => volume_target(short).map(Into::into),
            // Compose cleans the target of the long form only when entries have been told apart.
            None => field(item, "target").map(Into::into),
        },
        Key::Device => match text(item) {
            Some(short) => short.split(':').nth(1).or(Some(short)).map(Into::into),
            None => field(item, "target").or_else(|| field(item, "source")).map(Into::into),
        },
        Key::Port => match text(item) {
            Some(short) => Some(short.into()),
            None => long_port(item).map(Into::into),
        },
        Key::Mounted(directory) => match field(item, "target") {
            Some(target) => Some(target.into()),
            None => field_or_text(item, "source").map(|source| format!("{directory}/{source}").into()),
        },
    }
}

fn field<'a>(item: &'a Node, name: &str) -> Option<&'a str> {
    text(item.get(name)?)
}

fn field_or_text<'a>(item: &'a Node, name: &str) -> Option<&'a str> {
    text(item).or_else(|| field(item, name))
}

fn long_port(item: &Node) -> Option<String> {
    let target = field(item, "target")?;
    let or = |name, default| field(item, name).unwrap_or(default);
    Some(format!("{}:{}:{target}/{}", or("host_ip", ""), or("published", ""), or("protocol", "tcp")))
}

/// Returns the path inside of a volume in short form. One letter before a colon is a Windows drive, as in
/// compose-go's `format.ParseVolume`.
fn volume_target(short: &str) -> Option<&str> {
    let mut start = 0;
    let mut sections = Vec::new();
    for (at, _) in short.match_indices(':') {
        let section = &short[start..at];
        if section.chars().count() == 1 && section.chars().all(char::is_alphabetic) {
            continue;
        }
        sections.push(section);
        start = at + 1;
    }
    sections.push(&short[start..]);
    sections.get(1).or(sections.first()).map(|target| trimmed(target)).filter(|target| !target.is_empty())
}

fn trimmed(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => path,
        trimmed => trimmed,
    }
}
