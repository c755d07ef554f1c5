//! The files that machines are given, as `configs` and `secrets` of a compose file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use crate::container::files::CREDENTIALS_DIR;
use crate::container::{ContainerSpec, Content, FileSpec, file_objects};
use crate::project::{Credential, FileKind, FileReference, FileSource, Project, Service};
use crate::refusal::Refusal;

/// What is declared at the top of the file beside what the project declares, filled by one machine after the other.
#[derive(Debug)]
pub(super) struct Given<'p> {
    project: &'p Project,
    configs: Map<String, Json>,
    secrets: Map<String, Json>,
}

impl<'p> Given<'p> {
    /// Declares nothing yet.
    pub(super) fn of(project: &'p Project) -> Self {
        Self { project, configs: Map::new(), secrets: Map::new() }
    }

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
        let of_project = of_project(self.project, service);
        let (mut configs, mut secrets) = (Vec::new(), Vec::new());
        for file in &spec.files {
            match of_project.get(&file.path) {
                Some((FileKind::Secret, key)) => secrets.push(used(key, file)),
                Some((FileKind::Config, key)) => configs.push(used(key, file)),
                None => match credential(service, &file.path).map(|credential| &credential.source) {
                    Some(FileSource::File(path)) => {
                        let source = json!({ "file": path.to_string_lossy() });
                        secrets.push(used(&self.secret(name, &file.path, &source), file));
                    }
                    Some(FileSource::Environment(variable)) => {
                        let source = json!({ "environment": variable });
                        secrets.push(used(&self.secret(name, &file.path, &source), file));
                    }
                    Some(FileSource::Content) | None => {
                        if let Some(text) = text(service, file)? {
                            let source = json!({ "content": text });
                            configs.push(used(&self.config(name, &file.path, &source), file));
                        }
                    }
                },
            }
        }
        Ok((configs, secrets))
    }

    fn secret(&mut self, service: &str, path: &str, source: &Json) -> String {
        let taken = self.project.secrets.keys().map(String::as_str).collect();
        declare(&mut self.secrets, &taken, service, path, source)
    }

    fn config(&mut self, service: &str, path: &str, source: &Json) -> String {
        let taken = self.project.configs.keys().map(String::as_str).collect();
        declare(&mut self.configs, &taken, service, path, source)
    }
}

/// The files of a machine that are objects of the project, by their paths: as the service names them, kept beside for
/// systemd-tmpfiles, and as credentials.
fn of_project<'p>(project: &'p Project, service: &'p Service) -> BTreeMap<String, (FileKind, &'p str)> {
    let mut files = BTreeMap::new();
    for (kind, reference, object) in project.given_to(service) {
        let own = (kind, object.key.as_str());
        files.insert(reference.path(kind), own);
        files.insert(format!("{}/{}", file_objects::kept_in(kind), object.key), own);
        let credential = format!("{CREDENTIALS_DIR}/{}", object.key);
        if kind == FileKind::Secret && self::credential(service, &credential).is_none() {
            files.insert(credential, own);
        }
    }
    files
}

/// Refuses what a service is given and a compose file cannot say.
pub(super) fn refuse_empty(project: &Project, service: &Service) -> Result<(), Refusal> {
    let is_empty = |source: &Option<FileSource>, bytes: Option<&[u8]>| {
        *source == Some(FileSource::Content) && bytes.is_some_and(<[u8]>::is_empty)
    };
    let mut given = project.given_to(service);
    match given.find(|(_, _, object)| is_empty(&object.source, object.held.bytes())) {
        None => Ok(()),
        Some((_, _, object)) => {
            let what = format!("Docker Compose gives no service the config `{}`, which is empty", object.key);
            Err(Refusal::of(&service.name, what).help("give it by an empty `file`"))
        }
    }
}

/// Says which files of a machine Docker Compose binds as they are, although their owner or mode is said.
pub(super) fn bound_files(project: &Project, service: &Service) -> Vec<String> {
    let is_bound = |(_, reference, source): &(FileKind, &FileReference, &Option<FileSource>)| {
        reference.says_owner() && matches!(source, Some(FileSource::File(_)))
    };
    let all = project.given_to(service).map(|(kind, reference, object)| (kind, reference, &object.source));
    let in_root = all.filter(|(kind, reference, _)| !service.is_in_memory(&reference.path(*kind)));
    in_root
        .filter(is_bound)
        .map(|(kind, reference, _)| {
            format!(
                "the file of the {} `{}` is bound as it is: its owner and mode are the host's",
                kind.word(),
                reference.source
            )
        })
        .collect()
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

/// Declares a source once: machines that are given the same file share it. Returns its key, which is none of those
/// that are taken.
fn declare(
    all: &mut Map<String, Json>,
    taken: &BTreeSet<&str>,
    service: &str,
    path: &str,
    source: &Json,
) -> String {
    let plain = key(path);
    let mut key = plain.clone();
    let mut tries = 1;
    while taken.contains(key.as_str()) || all.get(&key).is_some_and(|there| there != source) {
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
    let mut used = json!({ "source": key, "target": file.path, "mode": format!("{:04o}", file.mode) });
    if let (true, Some(fields)) = ((file.uid, file.gid) != (0, 0), used.as_object_mut()) {
        fields.insert("uid".to_owned(), json!(file.uid.to_string()));
        fields.insert("gid".to_owned(), json!(file.gid.to_string()));
    }
    used
}
