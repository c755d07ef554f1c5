//! How `config` prints secrets and configs: where they come from and where they go. What a secret holds is never
//! printed.

use serde_json::{Map, Value as Json, json};

use crate::project::{FileKind, FileObject, FileReference, FileSource, Service};

use super::{put, put_filled, put_set};

/// Shows a secret or a config of the project.
pub(super) fn object(object: &FileObject) -> Json {
    let FileObject { key: _, name, external, source, held, labels, driver, driver_opts, template_driver } =
        object;
    let mut shown = Map::new();
    shown.insert("name".to_owned(), json!(name));
    put_set(&mut shown, "external", *external);
    match source {
        Some(FileSource::File(path)) => put(&mut shown, "file", Some(path.to_string_lossy())),
        Some(FileSource::Environment(variable)) => put(&mut shown, "environment", Some(variable)),
        // Only a config can have it, and it is a part of the manifest.
        Some(FileSource::Content) => {
            put(&mut shown, "content", held.bytes().map(|bytes| String::from_utf8_lossy(bytes)));
        }
        None => {}
    }
    put(&mut shown, "driver", driver.as_ref());
    put_filled(&mut shown, "driver_opts", driver_opts, driver_opts.is_empty());
    put(&mut shown, "template_driver", template_driver.as_ref());
    put_filled(&mut shown, "labels", labels, labels.is_empty());
    Json::Object(shown)
}

/// Puts what a service is given.
pub(super) fn put_references(shown: &mut Map<String, Json>, service: &Service) {
    for kind in FileKind::ALL {
        let references: Vec<Json> = service.references(kind).iter().map(reference).collect();
        put_filled(shown, kind.key(), &references, references.is_empty());
    }
}

fn reference(reference: &FileReference) -> Json {
    let FileReference { source, target, uid, gid, mode } = reference;
    let mut shown = Map::new();
    shown.insert("source".to_owned(), json!(source));
    put(&mut shown, "target", target.as_ref());
    put(&mut shown, "uid", uid.as_ref());
    put(&mut shown, "gid", gid.as_ref());
    put(&mut shown, "mode", mode.map(bits));
    Json::Object(shown)
}

/// Permission bits as Compose prints them.
pub(super) fn bits(mode: u32) -> String {
    format!("0{mode:o}")
}
