//! `config --resolve-image-digests` and `--lock-image-digests`: images by digest, which never change.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::cli::{Global, open};
use crate::error::Error;
use crate::project::{ImageSource, Project};

/// Finds the images of services by digest. What is built here has none, and what has one keeps it.
pub(super) async fn find(global: &Global, project: &Project) -> Result<BTreeMap<String, String>, Error> {
    let engine = open::engine(global)?;
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for service in project.services.values() {
        let reference = match &service.image {
            ImageSource::Reference(reference) if !reference.contains('@') => reference.as_str(),
            ImageSource::Reference(_) | ImageSource::Build { .. } => continue,
        };
        if !known.contains_key(reference) {
            known.insert(reference, engine.digest(reference).await?);
        }
        if let Some(digest) = known.get(reference) {
            found.insert(service.name.clone(), format!("{reference}@{digest}"));
        }
    }
    Ok(found)
}

/// Puts images by digest into a project that is to be printed.
pub(super) fn put(tree: &mut Value, images: &BTreeMap<String, String>) {
    for (service, image) in images {
        if let Some(shown) = tree.pointer_mut(&format!("/services/{}/image", escaped(service))) {
            *shown = json!(image);
        }
    }
}

/// The override file that locks the images of services.
pub(super) fn lock(images: &BTreeMap<String, String>) -> Value {
    let services: Map<String, Value> =
        images.iter().map(|(service, image)| (service.clone(), json!({ "image": image }))).collect();
    json!({ "services": services })
}

/// A key as a JSON pointer has it (RFC 6901).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
