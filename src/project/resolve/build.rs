//! `build:` of a service.

use std::collections::BTreeMap;
use std::path::PathBuf;

use indexmap::IndexMap;

use crate::diagnostic::Diagnostic;
use crate::project::{Build, BuildContext, BuildSecret, Dockerfile, SshKey};
use crate::yaml::{Node, Value};

use super::reader::Reader;
use super::service::{field, flag, labels, list};
use super::{file_references, limits, network};

/// Reads how an image is built: a context alone, or a mapping.
pub(super) fn read(r: &mut Reader<'_>, node: &Node, _key: &str) -> Option<Build> {
    match &node.value {
        Value::Scalar { .. } => context(r, node, "build").map(Build::of),
        Value::Mapping(_) => mapping(r, node),
        Value::Null | Value::Sequence(_) => {
            r.wrong(node, "build", "a directory or a mapping");
            None
        }
    }
}

fn mapping(r: &mut Reader<'_>, node: &Node) -> Option<Build> {
    let context = match node.get("context") {
        Some(node) => context(r, node, "build.context")?,
        None => BuildContext::Directory(r.whole_directory(node.span).to_path_buf()),
    };
    Some(Build {
        dockerfile: dockerfile(r, node),
        args: args(r, node),
        target: field(r, node, "target", Reader::filled),
        labels: labels(r, node, "labels").into_iter().collect(),
        network: field(r, node, "network", Reader::filled),
        no_cache: flag(r, node, "no_cache"),
        pull: flag(r, node, "pull"),
        tags: list(r, node, "tags", Reader::texts),
        cache_from: list(r, node, "cache_from", Reader::texts),
        cache_to: list(r, node, "cache_to", Reader::texts),
        additional_contexts: additional_contexts(r, node),
        entitlements: list(r, node, "entitlements", Reader::texts),
        extra_hosts: network::extra_hosts(r, node),
        isolation: field(r, node, "isolation", Reader::filled),
        platforms: list(r, node, "platforms", Reader::texts),
        privileged: flag(r, node, "privileged"),
        provenance: field(r, node, "provenance", attestation),
        sbom: field(r, node, "sbom", attestation),
        secrets: list(r, node, "secrets", secrets),
        shm_size: field(r, node, "shm_size", limits::size),
        ssh: list(r, node, "ssh", ssh),
        ulimits: limits::ulimits(r, node),
        ..Build::of(context)
    })
}

fn context(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<BuildContext> {
    let text = r.text(node, key)?;
    if BuildContext::is_remote(&text) {
        return Some(BuildContext::Remote(text));
    }
    let path = r.path(&text, node.span);
    if path.parent().is_none() {
        r.push(
            Diagnostic::obstacle(format!("`{key}` is the root of the file system"), node.span)
                .help("give the directory that holds the Dockerfile"),
        );
    }
    Some(BuildContext::Directory(path))
}

fn dockerfile(r: &mut Reader<'_>, node: &Node) -> Dockerfile {
    let path = field(r, node, "dockerfile", Reader::filled);
    let inline = field(r, node, "dockerfile_inline", Reader::filled);
    if let (Some(one), Some(other)) = (node.entry("dockerfile"), node.entry("dockerfile_inline"))
        && path.is_some()
        && inline.is_some()
    {
        r.push(
            Diagnostic::error("`dockerfile` and `dockerfile_inline` cannot both be given", one.key_span)
                .also(other.key_span, "the other one"),
        );
    }
    match (inline, path) {
        (Some(text), _) => Dockerfile::Inline(text),
        (None, path) => Dockerfile::Path(PathBuf::from(path.as_deref().unwrap_or("Dockerfile"))),
    }
}

/// Build arguments without a value come from the host's environment, or are left out.
fn args(r: &mut Reader<'_>, node: &Node) -> IndexMap<String, String> {
    let pairs = node.get("args").map(|node| r.pairs(node, "build.args")).unwrap_or_default();
    pairs
        .into_iter()
        .filter_map(|pair| {
            let value = pair.value.or_else(|| r.variables.get(&pair.name).cloned())?;
            Some((pair.name, value))
        })
        .collect()
}

/// Contexts by name: a path is made absolute, what another service or another host has stays as it is.
fn additional_contexts(r: &mut Reader<'_>, node: &Node) -> BTreeMap<String, String> {
    list(r, node, "additional_contexts", Reader::pairs)
        .into_iter()
        .map(|pair| {
            let Some(text) = pair.value else {
                r.error(
                    format!("the context `{}` has no value; the form is `NAME=CONTEXT`", pair.name),
                    pair.span,
                );
                return (pair.name, String::new());
            };
            let text = if BuildContext::is_remote(&text) {
                text
            } else {
                r.path(&text, pair.span).to_string_lossy().into_owned()
            };
            (pair.name, text)
        })
        .collect()
}

/// Text, or a truth value, which Compose keeps as text.
fn attestation(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<String> {
    match &node.value {
        Value::Scalar { text, plain: true } if matches!(&**text, "true" | "True" | "TRUE") => {
            Some("true".to_owned())
        }
        Value::Scalar { text, plain: true } if matches!(&**text, "false" | "False" | "FALSE") => {
            Some("false".to_owned())
        }
        Value::Null | Value::Scalar { .. } | Value::Sequence(_) | Value::Mapping(_) => r.filled(node, key),
    }
}

fn secrets(r: &mut Reader<'_>, node: &Node, key: &str) -> Vec<BuildSecret> {
    r.items(node, key).iter().filter_map(|item| secret(r, item)).collect()
}

fn secret(r: &mut Reader<'_>, node: &Node) -> Option<BuildSecret> {
    if !matches!(node.value, Value::Mapping(_)) {
        let source = r.some_text(node, "build.secrets")?;
        return Some(BuildSecret { source, ..BuildSecret::default() });
    }
    let Some(source) = node.get("source") else {
        r.error("a secret of a build needs a `source`", node.span);
        return None;
    };
    Some(BuildSecret {
        source: r.some_text(source, "source")?,
        target: field(r, node, "target", Reader::filled),
        uid: field(r, node, "uid", Reader::filled),
        gid: field(r, node, "gid", Reader::filled),
        mode: field(r, node, "mode", file_references::mode),
    })
}

/// Keys by `ID[=PATH]` or `ID: PATH`; only the agent, `default`, is found without a path.
fn ssh(r: &mut Reader<'_>, node: &Node, key: &str) -> Vec<SshKey> {
    let pairs = r.pairs(node, key);
    for pair in &pairs {
        if pair.value.is_none() && pair.name != "default" {
            r.push(
                Diagnostic::error(format!("`ssh`: the key `{}` has no path", pair.name), pair.span)
                    .help("write `ID=PATH`; `default` alone is the agent"),
            );
        }
    }
    pairs
        .into_iter()
        .map(|pair| {
            let path = pair.value.map(|text| r.path(&text, pair.span).to_string_lossy().into_owned());
            SshKey { id: pair.name, path }
        })
        .collect()
}
