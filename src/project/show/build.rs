//! How `config` prints `build:` of a service.

use serde_json::{Map, Value as Json, json};

use crate::project::{Build, Dockerfile};

use super::{put, put_filled, put_set};

/// Shows how an image is built.
pub(super) fn show(build: &Build) -> Json {
    let Build { context, dockerfile, args, target, labels, network, no_cache, pull } = build;
    let mut shown = Map::new();
    shown.insert("context".to_owned(), json!(context.to_string_lossy()));
    match dockerfile {
        Dockerfile::Path(path) => shown.insert("dockerfile".to_owned(), json!(path.to_string_lossy())),
        Dockerfile::Inline(text) => shown.insert("dockerfile_inline".to_owned(), json!(text)),
    };
    put_filled(&mut shown, "args", args, args.is_empty());
    put(&mut shown, "target", target.as_ref());
    put_filled(&mut shown, "labels", labels, labels.is_empty());
    put(&mut shown, "network", network.as_ref());
    put_set(&mut shown, "no_cache", *no_cache);
    put_set(&mut shown, "pull", *pull);
    Json::Object(shown)
}
