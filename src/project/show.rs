//! A project as `config` prints it: Compose's canonical long form, plus `systemd:` whole.
//!
//! The values are of the shape that `docker compose config --format json` prints (sizes and published ports
//! are text, `command` and `entrypoint` are always there), and reading the output again gives the same
//! project. `$` is doubled, since the output is interpolated when it is read.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value as Json, json};

use crate::manifest::{Dialect, Manifest};
use crate::project::{FileObject, Project, Service, scalar};
use crate::yaml::{Node, Value};

pub mod explain;
mod build;
mod files;
mod lifecycle;
mod machine;
mod network;
mod service;
mod settings;
mod storage;
mod written;
pub mod yaml;

pub use written::{without_additions, written};

/// A project to be serialized, as JSON or as YAML. One service at a time is turned into values, so that a
/// project of thousands needs no more memory than its text.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    project: &'a Project,
    manifest: &'a Manifest,
    only: &'a [String],
}

/// Shows a project. The manifest that it was made from gives the name of the `systemd` key (`x-systemd` in a
/// compose file), the top-level extensions, and spellings. Where `only` is not empty, other services than these
/// are left out.
#[must_use]
pub fn show<'a>(project: &'a Project, manifest: &'a Manifest, only: &'a [String]) -> Shown<'a> {
    Shown { project, manifest, only }
}

impl Shown<'_> {
    /// Writes the project as YAML.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut out = String::new();
        // Compose prints the language models of the whole in YAML only.
        let models = self.manifest.root.get("models").map(plain).filter(|models| !models.is_null());
        let models = models.map(|models| Part::Value("models", doubled(models)));
        for part in self.parts().chain(models) {
            match part {
                Part::Value(key, value) => yaml::entry(&mut out, 0, key, &value),
                Part::Services if self.services().next().is_none() => {
                    yaml::entry(&mut out, 0, "services", &json!({}));
                }
                Part::Services => {
                    yaml::heading(&mut out, 0, "services");
                    for (name, service) in self.services() {
                        yaml::entry(&mut out, 2, name, &service);
                    }
                }
            }
        }
        out
    }

    /// The top level in order.
    fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let Project {
            name,
            directory: _,
            files: _,
            services: _,
            disabled: _,
            networks,
            volumes,
            secrets,
            configs,
        } = self.project;
        let networks: Map<String, Json> =
            networks.iter().map(|(key, it)| (key.clone(), network::show(it))).collect();
        let volumes: Map<String, Json> =
            volumes.iter().map(|(key, it)| (key.clone(), storage::volume(it))).collect();
        let objects = |objects: &IndexMap<String, FileObject>| -> Map<String, Json> {
            objects.iter().map(|(key, it)| (key.clone(), files::object(it))).collect()
        };
        let filled = |key, map: Map<String, Json>| {
            (!map.is_empty()).then(|| Part::Value(key, doubled(Json::Object(map))))
        };
        let extensions: Vec<Part<'_>> = match &self.manifest.root.value {
            Value::Mapping(entries) => entries
                .iter()
                .filter(|entry| entry.key.starts_with("x-") && &*entry.key != "x-systemd")
                .map(|entry| Part::Value(&entry.key, doubled(plain(&entry.value))))
                .collect(),
            Value::Null | Value::Scalar { .. } | Value::Sequence(_) => Vec::new(),
        };
        std::iter::once(Part::Value("name", json!(name)))
            .chain(filled("networks", networks))
            .chain(std::iter::once(Part::Services))
            .chain(filled("volumes", volumes))
            .chain(filled("secrets", objects(secrets)))
            .chain(filled("configs", objects(configs)))
            .chain(extensions)
    }

    /// The services by name.
    fn services(&self) -> impl Iterator<Item = (&String, Json)> {
        let Self { project, manifest, only } = *self;
        let written = written_services(manifest);
        let mut services: Vec<(&String, &Service)> =
            project.services.iter().filter(|(name, _)| only.is_empty() || only.contains(name)).collect();
        services.sort_by_key(|(name, _)| *name);
        services.into_iter().map(move |(name, service)| {
            let node = written.get(name.as_str()).copied();
            (name, doubled(service::show(service, node, &project.name, manifest.dialect)))
        })
    }
}

/// Writes a tree that was made of a project as YAML.
#[must_use]
pub fn tree_as_yaml(tree: &Json) -> String {
    let mut out = String::new();
    for (key, value) in tree.as_object().into_iter().flatten() {
        yaml::entry(&mut out, 0, key, value);
    }
    out
}

/// One entry of the top level.
enum Part<'a> {
    Value(&'a str, Json),
    Services,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shown = serializer.serialize_map(None)?;
        for part in self.parts() {
            match part {
                Part::Value(key, value) => shown.serialize_entry(key, &value)?,
                Part::Services => shown.serialize_entry("services", &Services(self))?,
            }
        }
        shown.end()
    }
}

/// The services of a project to be serialized, by name.
struct Services<'a>(&'a Shown<'a>);

impl Serialize for Services<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.services())
    }
}

/// The services as they were written.
fn written_services(manifest: &Manifest) -> HashMap<&str, &Node> {
    match manifest.root.get("services").map(|node| &node.value) {
        Some(Value::Mapping(entries)) => entries.iter().map(|entry| (&*entry.key, &entry.value)).collect(),
        Some(Value::Null | Value::Scalar { .. } | Value::Sequence(_)) | None => HashMap::new(),
    }
}

/// The key that makes a machine.
const fn systemd_key(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sdcompose => "systemd",
        Dialect::Compose => "x-systemd",
    }
}

/// Puts a value where there is one.
fn put(shown: &mut Map<String, Json>, key: &str, value: Option<impl serde::Serialize>) {
    if let Some(value) = value {
        shown.insert(key.to_owned(), json!(value));
    }
}

/// Puts a list or a mapping that is not empty.
fn put_filled(shown: &mut Map<String, Json>, key: &str, value: impl serde::Serialize, empty: bool) {
    if !empty {
        shown.insert(key.to_owned(), json!(value));
    }
}

/// Puts a switch that is on.
fn put_set(shown: &mut Map<String, Json>, key: &str, set: bool) {
    if set {
        shown.insert(key.to_owned(), json!(true));
    }
}

/// An extension as it was written.
fn plain(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Scalar { text, plain: false } => json!(text),
        Value::Scalar { text, plain: true } => match scalar::classify(text) {
            scalar::Scalar::Bool(value) => json!(value),
            scalar::Scalar::Integer(value) => i64::try_from(value)
                .map(Json::from)
                .or_else(|_| u64::try_from(value).map(Json::from))
                .unwrap_or_else(|_| json!(text)),
            scalar::Scalar::Float(value) => json!(value),
            scalar::Scalar::Date | scalar::Scalar::Text => json!(text),
        },
        Value::Sequence(items) => Json::Array(items.iter().map(plain).collect()),
        Value::Mapping(entries) => {
            Json::Object(entries.iter().map(|entry| (entry.key.to_string(), plain(&entry.value))).collect())
        }
    }
}

/// Doubles every `$`, since what is printed is interpolated when it is read. Compose doubles it in keys as well,
/// although it does not interpolate keys (measured on Docker Compose 2.40).
fn doubled(mut value: Json) -> Json {
    double_dollars(&mut value);
    value
}

fn double_dollars(value: &mut Json) {
    match value {
        Json::String(text) if text.contains('$') => *text = text.replace('$', "$$"),
        Json::Array(items) => items.iter_mut().for_each(double_dollars),
        Json::Object(entries) => {
            entries.values_mut().for_each(double_dollars);
            if entries.keys().any(|key| key.contains('$')) {
                let doubled = std::mem::take(entries).into_iter();
                *entries = doubled.map(|(key, value)| (key.replace('$', "$$"), value)).collect();
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

#[cfg(test)]
mod tests;
