//! The `systemd:` key, merged over the top-level defaults.
//!
//! A field of the service wins over the same field of the defaults; lists (`args`, `features`, `enable`,
//! `mask`) and mappings by name (`units`, `credentials`, `journal`) are joined.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::Dialect;
use crate::project::{Feature, Machine, Privilege, ProfileName, name};
use crate::yaml::{Entry, Node, Value};

use super::Scope;
use super::process::Process;
use super::reader::Reader;

mod args;
mod boot;
mod credentials;
mod journal;
mod safety;
mod unit_names;
mod unit_text;
mod units;

pub(in crate::project) use journal::STORAGES;
pub(super) use unit_names::startable;

/// The levels of `--log-level=` (systemd(1)).
const LOG_LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
/// The targets of `--log-target=` (systemd(1)).
const LOG_TARGETS: [&str; 7] =
    ["console", "console-prefixed", "kmsg", "journal", "journal-or-kmsg", "auto", "null"];

/// Whether a service is a machine: in `sdcompose.yaml` unless it, or the top level, says `systemd: false`;
/// in a compose file only where it has the key.
pub(super) fn is_wanted(service: &Node, defaults: Option<&Node>, dialect: Dialect) -> bool {
    let word = |node: &Node| match &node.value {
        Value::Scalar { text, .. } => {
            !matches!(text.to_ascii_lowercase().as_str(), "false" | "no" | "off" | "n")
        }
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => true,
    };
    match service.get("systemd").or_else(|| service.get("x-systemd")) {
        Some(node) => word(node),
        None => match dialect {
            Dialect::Sdcompose => defaults.is_none_or(word),
            Dialect::Compose => false,
        },
    }
}

/// Checks the type of the top-level `systemd:`; its fields are read with each machine.
pub(super) fn check_defaults(r: &mut Reader<'_>, defaults: Option<&Node>) {
    if let Some(node) = defaults {
        check_type(r, node);
    }
}

fn check_type(r: &mut Reader<'_>, node: &Node) {
    match &node.value {
        Value::Mapping(_) | Value::Null => {}
        Value::Scalar { .. } => {
            r.boolean(node, "systemd");
        }
        Value::Sequence(_) => r.wrong(node, "systemd", "true, false or a mapping"),
    }
}

/// The mappings that speak about one machine, the defaults first.
struct Layers<'m> {
    nodes: Vec<&'m Node>,
    /// Where to point at when no layer has a field.
    place: Span,
}

impl<'m> Layers<'m> {
    /// The field of the last layer that has it.
    fn last(&self, key: &str) -> Option<&'m Node> {
        self.nodes.iter().rev().find_map(|node| node.get(key))
    }

    /// The fields of all layers that have it.
    fn all(&self, key: &str) -> impl Iterator<Item = &'m Node> {
        self.nodes.iter().filter_map(move |node| node.get(key))
    }

    /// Where the key of a field stands.
    fn place(&self, key: &str) -> Span {
        self.nodes.iter().rev().find_map(|node| node.entry(key)).map_or(self.place, |entry| entry.key_span)
    }
}

/// Reads what makes a service a machine.
pub(super) fn read(r: &mut Reader<'_>, entry: &Entry, scope: &Scope<'_>, process: &Process) -> Machine {
    let service = &entry.value;
    if let (Some(one), Some(other)) = (service.entry("systemd"), service.entry("x-systemd")) {
        r.push(
            Diagnostic::error("`systemd` and `x-systemd` are the same key", one.key_span)
                .also(other.key_span, "given again"),
        );
    }
    let own = service.get("systemd").or_else(|| service.get("x-systemd"));
    if let Some(node) = own {
        check_type(r, node);
    }
    let own_mapping = own.filter(|node| matches!(node.value, Value::Mapping(_)));
    let layers =
        Layers { nodes: scope.defaults.into_iter().chain(own_mapping).collect(), place: entry.key_span };
    let features = features(r, &layers);
    let privilege = privilege(r, &layers);
    safety::refuse_unsafe(r, service, privilege, &features, &layers);
    let enable = units::names(r, &layers, "enable");
    let mask = units::names(r, &layers, "mask");
    units::refuse_both(r, &layers, &enable, &mask);
    Machine {
        target: boot::target(r, &layers),
        init: boot::init(r, &layers, process),
        args: args::read(r, &layers, process),
        log_level: word(r, &layers, "log_level", &LOG_LEVELS).unwrap_or_else(|| "info".to_owned()),
        log_target: word(r, &layers, "log_target", &LOG_TARGETS),
        privilege,
        features,
        enable,
        mask,
        mask_defaults: boolean(r, &layers, "mask_defaults").unwrap_or(true),
        units: units::read(r, &layers),
        environment_to_units: boolean(r, &layers, "environment_to_units").unwrap_or(true),
        credentials: credentials::read(r, &layers),
        ready: boot::ready(r, &layers),
        boot_timeout: boot::boot_timeout(r, &layers),
        journal: journal::read(r, &layers),
        identity: boot::identity(r, &layers),
    }
}

fn boolean(r: &mut Reader<'_>, layers: &Layers<'_>, key: &str) -> Option<bool> {
    layers.last(key).and_then(|node| r.boolean(node, &format!("systemd.{key}")))
}

/// One word of a closed list.
fn word(r: &mut Reader<'_>, layers: &Layers<'_>, key: &str, words: &[&str]) -> Option<String> {
    let node = layers.last(key)?;
    let text = r.some_text(node, &format!("systemd.{key}"))?;
    if words.contains(&text.as_str()) {
        return Some(text);
    }
    unknown_word(r, node, &format!("systemd.{key}"), &text, words);
    None
}

/// Says that a word is none of a closed list.
fn unknown_word(r: &mut Reader<'_>, node: &Node, key: &str, text: &str, words: &[&str]) {
    let mut diagnostic = Diagnostic::error(format!("`{key}` cannot be `{text}`"), node.span);
    if let Some(near) = name::nearest(text, words.iter().copied()) {
        diagnostic = diagnostic.help(format!("did you mean `{near}`?")).suggest(node.span, near);
    }
    r.push(diagnostic.help(format!("there are: {}", words.join(", "))));
}

fn privilege(r: &mut Reader<'_>, layers: &Layers<'_>) -> Privilege {
    let Some(node) = layers.last("privilege") else { return Privilege::Auto };
    let Some(text) = r.some_text(node, "systemd.privilege") else { return Privilege::Auto };
    if text == "auto" {
        return Privilege::Auto;
    }
    if let Some(profile) = ProfileName::parse(&text) {
        return Privilege::Fixed(profile);
    }
    let words: Vec<&str> = std::iter::once("auto").chain(ProfileName::ALL.map(ProfileName::as_str)).collect();
    unknown_word(r, node, "systemd.privilege", &text, &words);
    Privilege::Auto
}

fn features(r: &mut Reader<'_>, layers: &Layers<'_>) -> BTreeSet<Feature> {
    let mut all = BTreeSet::new();
    for node in layers.all("features") {
        let items = match &node.value {
            Value::Sequence(items) => items.as_slice(),
            Value::Null | Value::Scalar { .. } | Value::Mapping(_) => std::slice::from_ref(node),
        };
        for item in items {
            let Some(text) = r.some_text(item, "systemd.features") else { continue };
            match Feature::parse(&text) {
                Some(feature) => {
                    all.insert(feature);
                }
                None => unknown_word(r, item, "systemd.features", &text, &Feature::ALL.map(Feature::as_str)),
            }
        }
    }
    all
}
