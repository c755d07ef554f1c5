//! The files that machines are given, as `configs` and `secrets` of a compose file.

use serde_json::{Map, Value as Json, json};

use crate::container::files::CREDENTIALS_DIR;
use crate::container::record;
use crate::container::{ContainerSpec, Content, FileSpec};
use crate::project::{Credential, CredentialSource, Service};
use crate::refusal::Refusal;

/// What is declared at the top of the file, filled by one machine after the other.
#[derive(Debug, Default)]
pub(super) struct Given {
    configs: Map<String, Json>,
    secrets: Map<String, Json>,
}

impl Given {
    /// Returns the `configs` and `secrets` at the top of the file.
    pub(super) fn declared(self) -> (Map<String, Json>, Map<String, Json>) {
        (self.configs, self.secrets)
    }

    /// Declares the files of one machine, and returns its `configs` and `secrets`.
    pub(super) fn of_machine(
        &mut self,
        service: &Service,
        name: &str,
        spec: &ContainerSpec,
    ) -> Result<(Vec<Json>, Vec<Json>), Refusal> {
        let (mut configs, mut secrets) = (Vec::new(), Vec::new());
        // Nothing changes it in place any more.
        for file in spec.files.iter().filter(|file| file.path != record::PATH) {
            match credential(service, &file.path) {
                Some(Credential { source: CredentialSource::File(path), bytes: _ }) => {
                    let source = json!({ "file": path.to_string_lossy() });
                    secrets.push(used(&declare(&mut self.secrets, name, &file.path, &source), file));
                }
                Some(Credential { source: CredentialSource::Environment(variable), bytes: _ }) => {
                    let source = json!({ "environment": variable });
                    secrets.push(used(&declare(&mut self.secrets, name, &file.path, &source), file));
                }
                Some(Credential { source: CredentialSource::Content, bytes: _ }) | None => {
                    if let Some(text) = text(service, file)? {
                        let source = json!({ "content": text });
                        configs.push(used(&declare(&mut self.configs, name, &file.path, &source), file));
                    }
                }
            }
        }
        Ok((configs, secrets))
    }
}

/// The credential that a file holds, where it is one.
fn credential<'a>(service: &'a Service, path: &str) -> Option<&'a Credential> {
    let name = path.strip_prefix(CREDENTIALS_DIR)?.strip_prefix('/')?;
    service.machine.as_ref()?.credentials.get(name)
}

/// The text of a file; `None` for a directory, which the engine makes on the way to its files.
fn text<'a>(service: &Service, file: &'a FileSpec) -> Result<Option<&'a str>, Refusal> {
    let unsayable = |why: &str| {
        Refusal::of(&service.name, format!("`{}` cannot be said in a compose file: {why}", file.path))
            .help("put it into the image, or bind it by `volumes`")
    };
    match &file.content {
        Content::Directory => Ok(None),
        Content::Symlink(_) => Err(unsayable("it is a link")),
        Content::Bytes(bytes) if bytes.is_empty() => Err(unsayable("it is empty")),
        Content::Bytes(bytes) => {
            std::str::from_utf8(bytes).map(Some).map_err(|_| unsayable("it is not UTF-8"))
        }
    }
}

/// Declares a source once: machines that are given the same file share it. Returns its key.
fn declare(all: &mut Map<String, Json>, service: &str, path: &str, source: &Json) -> String {
    let plain = key(path);
    let mut key = plain.clone();
    let mut tries = 1;
    while all.get(&key).is_some_and(|there| there != source) {
        key = if tries == 1 { format!("{service}_{plain}") } else { format!("{service}_{plain}_{tries}") };
        tries += 1;
    }
    all.insert(key.clone(), source.clone());
    key
}

/// A name made of the end of a path, in the letters that Compose allows.
fn key(path: &str) -> String {
    let path =
        path.trim_start_matches("/etc/").trim_start_matches("systemd/").trim_start_matches("sdcompose/");
    path.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect()
}

/// How a service uses what is declared. Compose reads a mode as text with octal digits.
fn used(key: &str, file: &FileSpec) -> Json {
    json!({ "source": key, "target": file.path, "mode": format!("{:04o}", file.mode) })
}
