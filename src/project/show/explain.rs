//! Where every value of a service comes from: the place in a file, or the reason of a default.

use serde_json::Value as Json;

use crate::diagnostic::Span;
use crate::manifest::Manifest;
use crate::project::{Project, name};
use crate::yaml::{Node, Value};

mod env_files;
mod json;
mod story;

pub use json::to_json;
pub use story::{Layer, Story, known, stories};

/// All values of one service.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The service's name.
    pub service: String,
    /// Its values, by path.
    pub fields: Vec<Field>,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Where it stands in the service, such as `systemd.journal.max` or `ports[0].target`.
    pub path: String,
    /// The value as JSON on one line; of what is to be kept secret, only that it is there.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It was written.
    Written(Span),
    /// It was not written; the reason of the default, with its source.
    Default(&'static str),
}

/// Explains every service of a project that was made from the manifest, in manifest order.
#[must_use]
pub fn explain(project: &Project, manifest: &Manifest) -> Vec<Explanation> {
    let services = manifest.root.get("services");
    let Some(Value::Mapping(entries)) = services.map(|node| &node.value) else { return Vec::new() };
    let defaults = manifest.root.get("systemd").or_else(|| manifest.root.get("x-systemd"));
    entries
        .iter()
        .filter_map(|entry| {
            let service = project.services.get(&*entry.key)?;
            let shown = super::service::show(service, Some(&entry.value), &project.name, manifest.dialect);
            let mut fields = Vec::new();
            leaves(&shown, &mut Vec::new(), &mut |path, value| {
                fields.push(Field {
                    path: joined(path),
                    value: shown_value(path, value),
                    origin: origin(path, &entry.value, defaults),
                });
            });
            Some(Explanation { service: entry.key.to_string(), fields })
        })
        .collect()
}

/// One step of a path.
#[derive(Clone, Copy)]
enum Step<'v> {
    Key(&'v str),
    /// Item of a list, and how many the list has.
    Item(usize, usize),
}

/// Calls for every value that is no mapping; of lists only those of mappings are entered.
fn leaves<'v>(value: &'v Json, path: &mut Vec<Step<'v>>, call: &mut impl FnMut(&[Step<'v>], &'v Json)) {
    match value {
        Json::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                path.push(Step::Key(key));
                leaves(value, path, call);
                path.pop();
            }
        }
        Json::Array(items) if items.iter().any(Json::is_object) => {
            for (at, item) in items.iter().enumerate() {
                path.push(Step::Item(at, items.len()));
                leaves(item, path, call);
                path.pop();
            }
        }
        Json::Object(_) | Json::Array(_) | Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
            call(path, value);
        }
    }
}

/// An explanation is often shown to others, which what `config` prints to be read again is not made for.
fn shown_value(path: &[Step<'_>], value: &Json) -> String {
    match (path, value) {
        (
            [
                Step::Key("systemd" | "x-systemd"),
                Step::Key("credentials"),
                Step::Key(_),
                Step::Key("content"),
            ],
            Json::String(content),
        ) => format!("({} bytes)", content.len()),
        (
            [.., Step::Key("environment"), Step::Key(name)]
            | [Step::Key("build"), Step::Key("args"), Step::Key(name)],
            Json::String(_),
        ) if name::is_secret(name) || name.to_ascii_uppercase().contains("KEY") => "(hidden)".to_owned(),
        _ => value.to_string(),
    }
}

fn joined(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Step::Item(at, _) => {
                text.push('[');
                text.push_str(&at.to_string());
                text.push(']');
            }
        }
    }
    text
}

fn origin(path: &[Step<'_>], service: &Node, defaults: Option<&Node>) -> Origin {
    let mut keys = path.iter().filter_map(|step| match step {
        Step::Key(key) => Some(*key),
        Step::Item(..) => None,
    });
    let first = keys.next().unwrap_or_default();
    let rest = path.get(1..).unwrap_or_default();
    if matches!(first, "systemd" | "x-systemd") {
        return of_systemd(path, service, defaults, keys.next().unwrap_or_default());
    }
    if let Some(entry) = service.entry(first) {
        return Origin::Written(deepest(&entry.value, rest, entry.key_span));
    }
    let elsewhere: &[&str] = match first {
        "environment" => &["env_file"],
        "depends_on" => &["network_mode"],
        _ => &[],
    };
    let found = elsewhere.iter().try_fold(service, |node, key| node.get(key));
    match found.filter(|_| !elsewhere.is_empty()) {
        Some(node) => Origin::Written(node.span),
        None => Origin::Default(reason(first)),
    }
}

/// `systemd` comes from the service, or from the top level, or is a default.
fn of_systemd(path: &[Step<'_>], service: &Node, defaults: Option<&Node>, field: &str) -> Origin {
    let own = service.get("systemd").or_else(|| service.get("x-systemd"));
    if field.is_empty() {
        return own.map_or(Origin::Default("the file says nothing else"), |node| Origin::Written(node.span));
    }
    let layers = [own, defaults];
    // A field that both have, such as a mapping of units, is searched in the service first, to its full depth.
    let mut shallow = None;
    for layer in layers.into_iter().flatten() {
        let Some(entry) = layer.entry(field) else { continue };
        let rest = path.get(2..).unwrap_or_default();
        if let Some(span) = exactly(&entry.value, rest) {
            return Origin::Written(span);
        }
        shallow.get_or_insert(entry.key_span);
    }
    match shallow {
        // A nested field that no layer writes out is a default even where its parent is written.
        Some(span) if field != "journal" => Origin::Written(span),
        Some(_) | None => Origin::Default(systemd_reason(field)),
    }
}

/// The place of a path below a node, where the whole path is written.
fn exactly(node: &Node, path: &[Step<'_>]) -> Option<Span> {
    let found = path.iter().try_fold(node, |node, step| below(node, *step))?;
    Some(found.span)
}

/// The place of as much of a path below a node as is written.
fn deepest(node: &Node, path: &[Step<'_>], key: Span) -> Span {
    let mut found = node;
    for step in path {
        let Some(next) = below(found, *step) else { break };
        found = next;
    }
    if found.value == Value::Null { key } else { found.span }
}

fn below<'n>(node: &'n Node, step: Step<'_>) -> Option<&'n Node> {
    match (&node.value, step) {
        (Value::Mapping(_), Step::Key(key)) => node.get(key),
        // Ranges and repeated entries change the length of a list, and then the place of an item is unknown.
        (Value::Sequence(items), Step::Item(at, length)) if items.len() == length => items.get(at),
        (Value::Sequence(items), Step::Key(key)) => items.iter().find(|item| match &item.value {
            Value::Scalar { text, .. } => text.split_once('=').map_or(&**text, |(name, _)| name) == key,
            Value::Null | Value::Sequence(_) | Value::Mapping(_) => false,
        }),
        (Value::Null | Value::Scalar { .. } | Value::Sequence(_) | Value::Mapping(_), _) => None,
    }
}

/// Why a field of a service that was not written has its value.
fn reason(key: &str) -> &'static str {
    match key {
        "command" | "entrypoint" => "the image's own; a machine starts its systemd",
        "networks" => "a service that names no network joins `default` (Compose specification)",
        "stop_signal" => "asks systemd to halt (systemd(1), SIGNALS)",
        "stop_grace_period" => {
            "a unit may use its own 90s to stop (DefaultTimeoutStopSec=, systemd-system.conf(5))"
        }
        "image" => "project and service",
        _ => "default of the Compose specification",
    }
}

/// Why a field of `systemd` that was not written has its value.
fn systemd_reason(field: &str) -> &'static str {
    match field {
        "target" => "enabled services are started, and /run/nologin is taken away (systemd.special(7))",
        "log_level" => "systemd's own default (systemd(1), --log-level=)",
        "privilege" => "the least that boots on the engine at hand",
        "boot_timeout" => {
            "as long as systemd gives one unit (DefaultTimeoutStartSec=, systemd-system.conf(5))"
        }
        "journal" => "in memory, as small as is useful; journald would take 10 % of /run (journald.conf(5))",
        "identity" => "distinct machine ids that survive a replacement (machine-id(5))",
        "ready" => "the boot finished and no unit failed (systemctl(1), is-system-running)",
        "environment_to_units" => {
            "what `environment` sets is seen by the services inside, not by PID 1 alone"
        }
        "mask_defaults" => "units that cannot work in a container would only fail",
        "args" | "features" | "enable" | "mask" | "units" => "none unless asked for",
        "credentials" => "none unless asked for, besides the service's `secrets`",
        _ => "default",
    }
}
