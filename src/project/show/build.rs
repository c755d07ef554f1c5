//! How `config` prints `build:` of a service.

use serde_json::{Map, Value as Json, json};

use crate::project::{Build, BuildContext, BuildSecret, Dockerfile, SshKey, Ulimit};
use crate::yaml::{Node, Value};

use super::{files, put, put_filled, put_set};

/// Shows how an image is built; where a limit can be a number or a pair, the form that was written is kept.
pub(super) fn show(build: &Build, written: Option<&Node>) -> Json {
    let mut shown = Map::new();
    sources(&mut shown, build);
    steps(&mut shown, build, written);
    results(&mut shown, build);
    Json::Object(shown)
}

/// What goes into the build.
fn sources(shown: &mut Map<String, Json>, build: &Build) {
    match &build.context {
        BuildContext::Directory(path) => put(shown, "context", Some(path.to_string_lossy())),
        BuildContext::Remote(text) => put(shown, "context", Some(text)),
    }
    match &build.dockerfile {
        Dockerfile::Path(path) => put(shown, "dockerfile", Some(path.to_string_lossy())),
        Dockerfile::Inline(text) => put(shown, "dockerfile_inline", Some(text)),
    }
    put_filled(
        shown,
        "additional_contexts",
        &build.additional_contexts,
        build.additional_contexts.is_empty(),
    );
    put_filled(shown, "args", &build.args, build.args.is_empty());
    put(shown, "target", build.target.as_ref());
    put_filled(shown, "cache_from", &build.cache_from, build.cache_from.is_empty());
    put_set(shown, "no_cache", build.no_cache);
    put_set(shown, "pull", build.pull);
}

/// What the steps of the build have.
fn steps(shown: &mut Map<String, Json>, build: &Build, written: Option<&Node>) {
    put(shown, "network", build.network.as_ref());
    let hosts: Vec<String> =
        build.extra_hosts.iter().map(|(name, address)| format!("{name}={address}")).collect();
    put_filled(shown, "extra_hosts", &hosts, hosts.is_empty());
    put(shown, "isolation", build.isolation.as_ref());
    put_set(shown, "privileged", build.privileged);
    put_filled(shown, "entitlements", &build.entitlements, build.entitlements.is_empty());
    let secrets: Vec<Json> = build.secrets.iter().map(secret).collect();
    put_filled(shown, "secrets", &secrets, secrets.is_empty());
    let keys: Vec<String> = build.ssh.iter().map(key).collect();
    put_filled(shown, "ssh", &keys, keys.is_empty());
    put(shown, "shm_size", build.shm_size.map(|bytes| bytes.to_string()));
    let limits = written.and_then(|node| node.get("ulimits"));
    let ulimits: Map<String, Json> = build
        .ulimits
        .iter()
        .map(|(name, limit)| (name.clone(), ulimit(*limit, limits.and_then(|node| node.get(name)))))
        .collect();
    put_filled(shown, "ulimits", &ulimits, ulimits.is_empty());
}

/// What comes out of the build.
fn results(shown: &mut Map<String, Json>, build: &Build) {
    put_filled(shown, "labels", &build.labels, build.labels.is_empty());
    put_filled(shown, "tags", &build.tags, build.tags.is_empty());
    put_filled(shown, "platforms", &build.platforms, build.platforms.is_empty());
    put_filled(shown, "cache_to", &build.cache_to, build.cache_to.is_empty());
    put(shown, "provenance", build.provenance.as_ref());
    put(shown, "sbom", build.sbom.as_ref());
}

fn ulimit(Ulimit { soft, hard }: Ulimit, written: Option<&Node>) -> Json {
    let pair = written.is_some_and(|node| matches!(node.value, Value::Mapping(_)));
    if soft == hard && !pair { json!(soft) } else { json!({ "soft": soft, "hard": hard }) }
}

fn secret(secret: &BuildSecret) -> Json {
    let BuildSecret { source, target, uid, gid, mode } = secret;
    let mut shown = Map::new();
    shown.insert("source".to_owned(), json!(source));
    put(&mut shown, "target", target.as_ref());
    put(&mut shown, "uid", uid.as_ref());
    put(&mut shown, "gid", gid.as_ref());
    put(&mut shown, "mode", mode.map(files::bits));
    Json::Object(shown)
}

/// A key as the list form has it: what Compose prints for a key with a path cannot be read again.
fn key(key: &SshKey) -> String {
    let SshKey { id, path } = key;
    path.as_ref().map_or_else(|| id.clone(), |path| format!("{id}={path}"))
}
