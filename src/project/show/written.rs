//! A manifest as it is written: merged, with its variables in place, and in Compose's long forms where they need no
//! typing. A text that still has variables cannot be a port, a duration or a size.

use serde_json::{Map, Value as Json, json};

use super::plain;
use crate::manifest::Manifest;
use crate::project::FileKind;
use crate::yaml::{Node, Value};

/// Returns the merged manifest with everything as it is written. Its name is added, and without `bare` also the
/// network that a service joins which names none.
#[must_use]
pub fn written(manifest: &Manifest, bare: bool) -> Json {
    let Json::Object(mut root) = plain(&manifest.root) else { return Json::Null };
    if let Some(name) = &manifest.name {
        root.insert("name".to_owned(), json!(name));
    } else if !bare && let Some(name) = manifest.variables.get("COMPOSE_PROJECT_NAME") {
        root.entry("name").or_insert_with(|| json!(name));
    }
    let mut joins_default = false;
    if let Some(Json::Object(services)) = root.get_mut("services") {
        for service in services.values_mut().filter_map(Json::as_object_mut) {
            long_forms(service);
            if !bare && !service.contains_key("networks") && !service.contains_key("network_mode") {
                service.insert("networks".to_owned(), json!({ "default": null }));
                joins_default = true;
            }
        }
    }
    if joins_default {
        let networks = root.entry("networks").or_insert_with(|| json!({}));
        if let Json::Object(networks) = networks {
            networks.entry("default").or_insert(Json::Null);
        }
    }
    Json::Object(root)
}

/// Brings a service's short forms into the long ones.
fn long_forms(service: &mut Map<String, Json>) {
    for (key, value) in service.iter_mut() {
        match key.as_str() {
            "environment" | "labels" | "annotations" | "sysctls" => pairs(value),
            "networks" => names(value, &Json::Null),
            "depends_on" => names(value, &json!({ "condition": "service_started", "required": true })),
            "env_file" => env_files(value),
            "build" => build(value),
            "secrets" => references(value, |source| json!({ "source": source, "target": secret(source) })),
            "configs" => references(value, |source| json!({ "source": source })),
            _ => {}
        }
    }
}

fn pairs(value: &mut Json) {
    let Json::Array(items) = &*value else { return };
    let mut entries = Map::new();
    for item in items {
        let Json::String(text) = item else { return };
        match text.split_once('=') {
            Some((name, value)) => entries.insert(name.to_owned(), json!(value)),
            None => entries.insert(text.clone(), Json::Null),
        };
    }
    *value = Json::Object(entries);
}

fn names(value: &mut Json, each: &Json) {
    let Json::Array(items) = &*value else { return };
    let names: Option<Vec<&str>> = items.iter().map(Json::as_str).collect();
    if let Some(names) = names {
        *value = Json::Object(names.into_iter().map(|name| (name.to_owned(), each.clone())).collect());
    }
}

/// Brings entries that are only a name into the long form, and says where a secret is that says nothing of it.
fn references(value: &mut Json, long: impl Fn(&str) -> Json) {
    for item in value.as_array_mut().into_iter().flatten() {
        match item {
            Json::String(source) => *item = long(source),
            Json::Object(fields) => {
                let source = fields.get("source").and_then(Json::as_str).unwrap_or_default();
                if let Json::Object(defaults) = long(source) {
                    for (key, value) in defaults {
                        fields.entry(key).or_insert(value);
                    }
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) => {}
        }
    }
}

fn secret(source: &str) -> String {
    format!("{}{source}", FileKind::Secret.directory())
}

fn env_files(value: &mut Json) {
    if value.is_string() {
        *value = Json::Array(vec![value.take()]);
    }
    for item in value.as_array_mut().into_iter().flatten().filter(|item| item.is_string()) {
        *item = json!({ "path": item.take(), "required": true });
    }
}

fn build(value: &mut Json) {
    if value.is_string() {
        *value = json!({ "context": value.take() });
    }
    if let Some(build) = value.as_object_mut() {
        for key in ["args", "labels"] {
            build.get_mut(key).into_iter().for_each(pairs);
        }
    }
}

/// Takes from a shown project what the manifest does not say and Compose adds: the default network, and names that
/// are made of project and key.
pub fn without_additions(tree: &mut Json, manifest: &Manifest) {
    let root = &manifest.root;
    for kind in ["networks", "volumes", "secrets", "configs"] {
        let Some(Json::Object(shown)) = tree.get_mut(kind) else { continue };
        let declared = root.get(kind);
        shown.retain(|key, _| declared.is_some_and(|node| node.entry(key).is_some()));
        for (key, resource) in shown.iter_mut() {
            let named = declared.and_then(|node| node.get(key)?.get("name"));
            if let (None, Json::Object(fields)) = (named, resource) {
                fields.remove("name");
                fields.retain(|key, value| !(key == "ipam" && value == &json!({})));
            }
        }
    }
    if let Some(top) = tree.as_object_mut() {
        top.retain(|key, value| !(is_kind(key) && value == &json!({})));
    }
    let Some(Json::Object(services)) = tree.get_mut("services") else { return };
    for (name, service) in services {
        let written = root.get("services").and_then(|services| services.get(name));
        if let (Some(written), Json::Object(shown)) = (written, service) {
            of_service(shown, written);
        }
    }
}

fn is_kind(key: &str) -> bool {
    matches!(key, "networks" | "volumes" | "secrets" | "configs")
}

fn of_service(shown: &mut Map<String, Json>, written: &Node) {
    for key in ["networks", "command", "entrypoint"] {
        if written.entry(key).is_none() {
            shown.remove(key);
        }
    }
    let says = |name: &str| match written.get("depends_on").map(|node| &node.value) {
        Some(Value::Mapping(entries)) => entries.iter().any(|entry| &*entry.key == name),
        Some(Value::Sequence(items)) => {
            items.iter().any(|item| matches!(&item.value, Value::Scalar { text, .. } if &**text == name))
        }
        Some(Value::Null | Value::Scalar { .. }) | None => false,
    };
    if let Some(Json::Object(dependencies)) = shown.get_mut("depends_on") {
        dependencies.retain(|name, _| says(name));
    }
    shown.retain(|key, value| !(key == "depends_on" && value == &json!({})));
    let dockerfile = written.get("build").and_then(|build| build.get("dockerfile"));
    if let (None, Some(Json::Object(build))) = (dockerfile, shown.get_mut("build")) {
        build.remove("dockerfile");
    }
}

#[cfg(test)]
mod tests {
    use super::super::{show, tree_as_yaml};
    use super::*;
    use crate::project::resolve::resolve;
    use crate::project::resolve::tests::tree::{Given, manifest};

    #[test]
    fn what_is_written_keeps_its_variables_in_long_forms() {
        let manifest = manifest(
            "services:\n  a:\n    image: x:${TAG:-1}\n    secrets: [s, {source: t, mode: 0400}]\n    configs: [c]\n    environment: [A=$B, C]\n    ports: ['${PORT}:80']\n    \
             depends_on: [b]\n    env_file: ${E}\n    build: ./$D\n  b: {image: y, network_mode: host}\n",
        );
        insta::assert_snapshot!(tree_as_yaml(&written(&manifest, false)), @r#"
        networks:
          default: null
        services:
          a:
            build:
              context: "./$D"
            configs:
              - source: c
            depends_on:
              b:
                condition: service_started
                required: true
            env_file:
              - path: "${E}"
                required: true
            environment:
              A: "$B"
              C: null
            image: "x:${TAG:-1}"
            networks:
              default: null
            ports:
              - "${PORT}:80"
            secrets:
              - source: s
                target: /run/secrets/s
              - mode: 256
                source: t
                target: /run/secrets/t
          b:
            image: "y"
            network_mode: host
        "#);
    }

    #[test]
    fn what_compose_adds_can_be_left_out() {
        let mut manifest =
            manifest("services: {a: {image: x, systemd: false, volumes: ['vol:/v']}}\nvolumes: {vol: {}}\n");
        let (project, _) = resolve(&mut manifest, &Given::default());
        let project = project.unwrap();
        let mut tree = serde_json::to_value(show(&project, &manifest, &[])).unwrap();
        without_additions(&mut tree, &manifest);
        insta::assert_snapshot!(tree_as_yaml(&tree), @r"
        name: p
        services:
          a:
            image: x
            systemd: false
            volumes:
              - source: vol
                target: /v
                type: volume
                volume: {}
        volumes:
          vol: {}
        ");
    }
}
