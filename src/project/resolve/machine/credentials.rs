//! `systemd.credentials`: names with what they hold, from a file, a variable or the manifest itself.

use indexmap::IndexMap;

use crate::diagnostic::Diagnostic;
use crate::project::{Credential, FileSource};
use crate::yaml::{Entry, Value};

use super::super::reader::Reader;
use super::Layers;

/// Reads the credentials of all layers; the last layer that has a name decides it.
pub(super) fn read(r: &mut Reader<'_>, layers: &Layers<'_>) -> IndexMap<String, Credential> {
    let mut all = IndexMap::new();
    for node in layers.all("credentials") {
        for entry in r.entries_or_none(node, "systemd.credentials") {
            check_name(r, entry);
            let Some(credential) = one(r, entry) else { continue };
            if credential.bytes.len() > Credential::MOST_BYTES {
                r.error(format!("the credential `{}` is larger than 1 MiB", entry.key), entry.key_span);
            }
            all.insert(entry.key.to_string(), credential);
        }
    }
    all
}

/// systemd wants a file name of printable ASCII (`credential_name_valid`).
fn check_name(r: &mut Reader<'_>, entry: &Entry) {
    let name = &*entry.key;
    let good = !name.is_empty()
        && name.len() <= 255
        && !matches!(name, "." | "..")
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b'/' && b != b':');
    if !good {
        r.push(
            Diagnostic::error(format!("{name:?} cannot be the name of a credential"), entry.key_span)
                .help("it is a file name: printable ASCII without `/`, `:` and blanks"),
        );
    }
}

fn one(r: &mut Reader<'_>, entry: &Entry) -> Option<Credential> {
    let node = &entry.value;
    let key = format!("systemd.credentials.{}", entry.key);
    let Value::Mapping(sources) = &node.value else {
        r.wrong(node, &key, "a mapping with `file`, `environment` or `content`");
        return None;
    };
    let [source] = sources.as_slice() else {
        r.push(
            Diagnostic::error(format!("`{key}` needs one source"), entry.key_span)
                .help("give one of `file`, `environment` and `content`"),
        );
        return None;
    };
    let path = format!("{key}.{}", source.key);
    match &*source.key {
        "file" => {
            let (path, bytes) = r.file(&source.value, &path)?;
            Some(Credential { source: FileSource::File(path), bytes })
        }
        "content" => {
            let bytes = r.text(&source.value, &path)?.into_bytes();
            Some(Credential { source: FileSource::Content, bytes })
        }
        "environment" => {
            let name = r.some_text(&source.value, &path)?;
            let Some(value) = r.variable(&name, source.value.span) else {
                r.push(
                    Diagnostic::error(format!("the variable {name} is not set"), source.value.span)
                        .help("set it in the environment or in `.env`"),
                );
                return None;
            };
            let bytes = value.clone().into_bytes();
            Some(Credential { source: FileSource::Environment(name), bytes })
        }
        // The table of keys has named it.
        _ => None,
    }
}
