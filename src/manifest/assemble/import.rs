//! What an included model brings into the document that includes it: services and all that they can name.
//!
//! A resource of one name may come from several files where it is the same; otherwise it is a conflict, which
//! Compose up to 2.40 refuses (compose-go, `loader.importResource`).

use std::collections::HashMap;

use super::{Assembly, entries_mut};
use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::Origins;
use crate::yaml::{Entry, Node, Value};

/// What is taken over. Names, extensions and everything else stay with the included file.
const RESOURCES: [&str; 6] = ["services", "volumes", "networks", "secrets", "configs", "models"];

/// Keys of which a relative path may be the value, or below which one may stand.
const PATHS: [&str; 11] = [
    "build",
    "context",
    "develop",
    "device",
    "env_file",
    "file",
    "label_file",
    "path",
    "source",
    "systemd",
    "x-systemd",
];

/// Takes the resources out of a model.
pub(super) fn take_resources(model: &mut Node) -> Vec<Entry> {
    let Some(entries) = entries_mut(model) else { return Vec::new() };
    let (resources, rest) =
        std::mem::take(entries).into_iter().partition(|entry| RESOURCES.contains(&&*entry.key));
    *entries = rest;
    resources
}

impl Assembly<'_> {
    /// Takes the resources of an included model into a document.
    pub(super) fn import(&mut self, document: &mut Node, model: Node) {
        let Value::Mapping(resources) = model.value else { return };
        let Some(entries) = entries_mut(document) else { return };
        for from in resources {
            match entries.iter_mut().find(|entry| entry.key == from.key) {
                None => entries.push(from),
                Some(to) if to.value.value == Value::Null => to.value = from.value,
                Some(to) => self.join(to, from),
            }
        }
    }

    fn join(&mut self, to: &mut Entry, from: Entry) {
        let Value::Mapping(new) = from.value.value else {
            if from.value.value != Value::Null {
                let what = format!("`{}` must be a mapping, found {}", from.key, from.value.kind());
                self.push(Diagnostic::error(what, from.value.span).coded(Code::Type));
            }
            return;
        };
        // Anything but a mapping is refused where resources are read.
        let Some(own) = entries_mut(&mut to.value) else { return };
        let places: HashMap<Box<str>, usize> =
            own.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
        for entry in new {
            match places.get(&entry.key).and_then(|at| own.get(*at)) {
                None => own.push(entry),
                Some(other) if same(&other.value, &entry.value, &self.origins) => {}
                Some(other) => self.push(conflict(&to.key, other, &entry)),
            }
        }
    }
}

fn conflict(kind: &str, own: &Entry, included: &Entry) -> Diagnostic {
    let what = format!("`{kind}.{}` is declared twice, and not alike", own.key);
    Diagnostic::error(what, own.key_span)
        .coded(Code::Conflict)
        .also(included.key_span, "in an included file")
        .help("take one away, or give the changes as a second file of the inclusion: `path: [FILE, CHANGES]`")
}

/// Whether two resources are the same, the order of keys aside. Relative paths of different directories are not.
fn same(one: &Node, other: &Node, origins: &Origins) -> bool {
    equal(one, other) && (origins.directory(one.span) == origins.directory(other.span) || !has_paths(one))
}

fn equal(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::Mapping(entries), Value::Mapping(others)) => {
            entries.len() == others.len()
                && entries
                    .iter()
                    .all(|entry| other.get(&entry.key).is_some_and(|value| equal(&entry.value, value)))
        }
        (Value::Sequence(items), Value::Sequence(others)) => {
            items.len() == others.len() && items.iter().zip(others).all(|(one, other)| equal(one, other))
        }
        (Value::Scalar { text, .. }, Value::Scalar { text: also, .. }) => {
            text == also && (one.kind() == other.kind() || one.is_interpolated() || other.is_interpolated())
        }
        (Value::Null, Value::Null) => true,
        (Value::Null | Value::Scalar { .. } | Value::Sequence(_) | Value::Mapping(_), _) => false,
    }
}

fn has_paths(node: &Node) -> bool {
    match &node.value {
        Value::Null => false,
        Value::Scalar { text, .. } => text.starts_with("./") || text.starts_with("../") || &**text == ".",
        Value::Sequence(items) => items.iter().any(has_paths),
        Value::Mapping(entries) => {
            entries.iter().any(|entry| PATHS.contains(&&*entry.key) || has_paths(&entry.value))
        }
    }
}
