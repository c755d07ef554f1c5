//! Volumes that the top level declares.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::project::{MountSource, Volume, name};
use crate::yaml::{Entry, Node, Value};

use super::super::Written;
use super::super::reader::Reader;
use super::super::service::{field, labels};
use super::{identity, options};

/// Reads the top-level volumes, and keeps those that a service mounts. Says which are mounted and missing.
pub(in crate::project::resolve) fn volumes(
    r: &mut Reader<'_>,
    root: &Node,
    project: &str,
    services: &[Written<'_>],
) -> IndexMap<String, Volume> {
    let mut declared: IndexMap<String, Volume> = IndexMap::new();
    for entry in root.get("volumes").map(|node| r.entries_or_none(node, "volumes")).unwrap_or_default() {
        if let Some(volume) = one(r, entry, project) {
            declared.insert(volume.key.clone(), volume);
        }
    }
    let mut used = BTreeSet::new();
    for written in services {
        for mount in &written.service.mounts {
            let MountSource::Volume { key, options: _ } = &mount.source else { continue };
            if declared.contains_key(key) {
                used.insert(key.clone());
            } else {
                undeclared(r, written, key, declared.keys().map(String::as_str));
            }
        }
    }
    declared.retain(|key, _| used.contains(key));
    declared
}

fn undeclared<'a>(
    r: &mut Reader<'_>,
    written: &Written<'_>,
    key: &str,
    names: impl Iterator<Item = &'a str>,
) {
    let node = &written.entry.value;
    let span = node.get("volumes").map_or(node.span, |node| place_of_source(node, key));
    let mut diagnostic = Diagnostic::error(
        format!("`{}` mounts the volume `{key}`, which is not declared", written.entry.key),
        span,
    )
    .coded(Code::UnknownName);
    if let Some(near) = r.nearest(key, names) {
        diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
    }
    diagnostic = if key.contains('/') {
        diagnostic.help(format!("for a directory beside the manifest, write ./{key}"))
    } else {
        diagnostic.help(format!("declare it: volumes: {{ {key}: {{}} }} at the top level"))
    };
    r.push(diagnostic);
}

fn place_of_source(node: &Node, key: &str) -> Span {
    let Value::Sequence(items) = &node.value else { return node.span };
    items
        .iter()
        .find(|item| match &item.value {
            Value::Scalar { text, .. } => text.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')),
            Value::Mapping(_) => {
                matches!(item.get("source").map(|node| &node.value), Some(Value::Scalar { text, .. }) if &**text == key)
            }
            Value::Null | Value::Sequence(_) => false,
        })
        .map_or(node.span, |item| item.span)
}

fn one(r: &mut Reader<'_>, entry: &Entry, project: &str) -> Option<Volume> {
    let node = &entry.value;
    if !matches!(node.value, Value::Null | Value::Mapping(_)) {
        r.wrong(node, &format!("volumes.{}", entry.key), "a mapping");
        return None;
    }
    if let Some(bad) = name::service_fault(&entry.key) {
        r.push(
            Diagnostic::error(format!("the key of a volume cannot have {bad}"), entry.key_span)
                .help("allowed are a-z A-Z 0-9 . _ -"),
        );
    }
    let (external, name) = identity(r, entry, project);
    if !name::is_object(&name) {
        r.push(
            Diagnostic::obstacle(
                format!("{name:?} cannot be a name in the engine (volumes.{})", entry.key),
                entry.key_span,
            )
            .help("a letter or a digit, then letters, digits, `_`, `.` and `-`"),
        );
    }
    if external {
        nothing_else(r, node);
    }
    let driver = field(r, node, "driver", Reader::filled);
    let mut driver_opts = options(r, node, "driver_opts");
    absolute_device(r, node, driver.as_deref(), &mut driver_opts);
    Some(Volume {
        key: entry.key.to_string(),
        name,
        external,
        driver,
        driver_opts,
        labels: labels(r, node, "labels").into_iter().collect(),
    })
}

/// Compose refuses to define what belongs to somebody else (compose-go `validation/external.go`); of networks it
/// does not.
fn nothing_else(r: &mut Reader<'_>, node: &Node) {
    let Value::Mapping(entries) = &node.value else { return };
    let defines =
        |entry: &&Entry| !matches!(&*entry.key, "name" | "external") && !entry.key.starts_with("x-");
    if let Some(entry) = entries.iter().find(defines) {
        r.push(
            Diagnostic::error(
                format!("an external volume belongs to somebody else: `{}` cannot be said of it", entry.key),
                entry.key_span,
            )
            .help("take it away, or take `external` away"),
        );
    }
}

/// Compose resolves `device` as a path only with `driver: local` written out and exactly `o: bind` (compose-go
/// `paths/resolve.go`).
fn absolute_device(
    r: &Reader<'_>,
    node: &Node,
    driver: Option<&str>,
    options: &mut BTreeMap<String, String>,
) {
    if driver == Some("local")
        && options.get("o").is_some_and(|o| o == "bind")
        && let Some(device) = options.get_mut("device")
    {
        let written = node.get("driver_opts").and_then(|options| options.get("device"));
        *device = r.path(device, written.unwrap_or(node).span).to_string_lossy().into_owned();
    }
}
