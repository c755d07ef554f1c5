//! The part of a fingerprint that secrets and configs make: one field for each, so that a plan can name the one that
//! has changed. What they hold is a part of the hash, and so is whose it is: equal secrets have different hashes.

use std::collections::BTreeMap;

use crate::project::{FileKind, FileObject, FileReference, FileSource, Project, Service};

use super::{Fingerprint, lines};

/// Adds what a service is given.
pub(super) fn put(print: &mut Fingerprint, project: &Project, service: &Service) {
    let mut fields: BTreeMap<(FileKind, &str), Vec<u8>> = BTreeMap::new();
    for (kind, reference, object) in project.given_to(service) {
        let field = fields.entry((kind, reference.source.as_str())).or_insert_with(|| {
            [lines([&project.name, &service.name, &object.key]).into_bytes(), held(service, object)].concat()
        });
        let mut place = vec![reference.path(kind)];
        // A file that is bound has the owner and the mode that it has on the host.
        if !service.binds(object) {
            let ((uid, gid), mode) = (reference.owner(), reference.mode.unwrap_or(FileReference::MODE));
            place.extend([uid.to_string(), gid.to_string(), mode.to_string()]);
        }
        field.extend(lines(place).into_bytes());
    }
    for ((kind, key), bytes) in fields {
        print.put(format!("{}.{key}", kind.key()), bytes);
    }
}

/// What the object holds, and where that is on the host where it is bound.
fn held(service: &Service, object: &FileObject) -> Vec<u8> {
    let source = match &object.source {
        Some(FileSource::File(path)) if service.binds(object) => path.to_string_lossy().into_owned(),
        Some(FileSource::File(_) | FileSource::Environment(_) | FileSource::Content) | None => String::new(),
    };
    let bytes = object.held.bytes().unwrap_or_default();
    [lines([source, bytes.len().to_string()]).as_bytes(), bytes].concat()
}
