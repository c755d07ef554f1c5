//! Keys for Windows, for tools that stand for a service, and for language models.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::diagnostic::Diagnostic;
use crate::project::{CredentialSpec, Foreign, ModelVariables, Provider};
use crate::yaml::{Node, Value};

use super::Scope;
use super::options::chosen;
use super::reader::Reader;
use super::service::{field, place};

/// Reads what only other systems do.
pub(super) fn read(r: &mut Reader<'_>, node: &Node, scope: &Scope<'_>) -> Foreign {
    Foreign {
        cpu_count: field(r, node, "cpu_count", |r, node, key| r.integer(node, key, 0..=i64::MAX))
            .filter(|count| *count != 0),
        cpu_percent: field(r, node, "cpu_percent", |r, node, key| r.integer(node, key, 0..=100))
            .filter(|share| *share != 0),
        isolation: isolation(r, node),
        credential_spec: field(r, node, "credential_spec", |r, node, key| {
            Some(credential_spec(r, node, key))
        }),
        provider: field(r, node, "provider", provider),
        models: models(r, node, scope),
    }
}

/// Engines on Linux know `default` only (moby `daemon/daemon_unix.go`).
fn isolation(r: &mut Reader<'_>, node: &Node) -> Option<String> {
    let word = chosen(r, node, "isolation")?;
    if word != "default" {
        r.push(
            Diagnostic::obstacle(format!("`isolation: {word}` is for Windows"), place(node, "isolation"))
                .help("take it away"),
        );
    }
    Some(word)
}

fn credential_spec(r: &mut Reader<'_>, node: &Node, key: &str) -> CredentialSpec {
    r.entries(node, key);
    CredentialSpec {
        config: field(r, node, "config", Reader::text),
        file: field(r, node, "file", Reader::text),
        registry: field(r, node, "registry", Reader::text),
    }
}

fn provider(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<Provider> {
    r.entries(node, key);
    let Some(kind) = node.get("type") else {
        r.push(Diagnostic::error("`provider` needs a `type`", node.span).help("the name of the tool"));
        return None;
    };
    let mut options = BTreeMap::new();
    for entry in node.get("options").map(|node| r.entries(node, "provider.options")).unwrap_or_default() {
        let key = format!("provider.options.{}", entry.key);
        let items = match &entry.value.value {
            Value::Sequence(items) => items.as_slice(),
            Value::Null | Value::Scalar { .. } | Value::Mapping(_) => std::slice::from_ref(&entry.value),
        };
        let values = items.iter().filter_map(|item| r.printed(item, &key)).collect();
        options.insert(entry.key.to_string(), values);
    }
    let kind = r.some_text(kind, "provider.type")?;
    r.push(
        Diagnostic::obstacle(format!("no provider such as `{kind}` is called"), node.span)
            .marked("stands for the service")
            .help("call the tool by hand, and give the service an `image:`, or a profile that is not active"),
    );
    Some(Provider { kind, options })
}

/// Models are declared at the top, like networks.
fn models(r: &mut Reader<'_>, node: &Node, scope: &Scope<'_>) -> IndexMap<String, ModelVariables> {
    let Some(node) = node.get("models") else { return IndexMap::new() };
    r.push(
        Diagnostic::obstacle("`models` need Docker's model runner, which is not called", node.span)
            .help("run the model in a service of its own, and give its address by `environment`"),
    );
    let mut models = IndexMap::new();
    match &node.value {
        Value::Sequence(items) => {
            for item in items {
                let Some(key) = r.some_text(item, "models") else { continue };
                check_model(r, &key, item, scope);
                models.insert(key, ModelVariables::default());
            }
        }
        Value::Mapping(entries) => {
            for entry in entries {
                check_model(r, &entry.key, &entry.value, scope);
                r.entries_or_none(&entry.value, &format!("models.{}", entry.key));
                let variables = ModelVariables {
                    endpoint: field(r, &entry.value, "endpoint_var", Reader::text),
                    model: field(r, &entry.value, "model_var", Reader::text),
                };
                models.insert(entry.key.to_string(), variables);
            }
        }
        Value::Null | Value::Scalar { .. } => r.wrong(node, "models", "a list or a mapping of models"),
    }
    models
}

fn check_model(r: &mut Reader<'_>, key: &str, node: &Node, scope: &Scope<'_>) {
    if !scope.models.contains(&key) {
        r.push(
            Diagnostic::error(format!("the model `{key}` is not declared"), node.span)
                .help(format!("declare it at the top: models: {{ {key}: {{ model: NAME }} }}")),
        );
    }
}

/// Reads the keys of the models at the top, and checks what they say.
pub(super) fn declared<'m>(r: &mut Reader<'_>, root: &'m Node) -> Vec<&'m str> {
    let Some(node) = root.get("models").filter(|node| node.value != Value::Null) else { return Vec::new() };
    let entries = r.entries(node, "models");
    for entry in entries {
        let key = format!("models.{}", entry.key);
        r.entries(&entry.value, &key);
        if entry.value.get("model").is_none() {
            r.push(
                Diagnostic::error(format!("`{key}` needs a `model`"), entry.key_span)
                    .help("the name of the language model"),
            );
        }
        field(r, &entry.value, "model", Reader::text);
        field(r, &entry.value, "name", Reader::text);
        field(r, &entry.value, "context_size", |r, node, key| r.integer(node, key, 0..=i64::MAX));
        field(r, &entry.value, "runtime_flags", |r, node, key| Some(r.texts(node, key)));
    }
    entries.iter().map(|entry| &*entry.key).collect()
}
