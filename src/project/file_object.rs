//! Secrets and configs: files that are declared at the top and that only the services see which name them.
//! compose-go calls them file objects, and what a service says of one a file reference.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::{ImageSource, Mount, MountSource, Project, Service, mount};

/// Which of the two a file object is. They differ in where they are found inside, and in that Compose never
/// prints what a secret holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// Of `secrets:`.
    Secret,
    /// Of `configs:`.
    Config,
}

impl FileKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Secret, Self::Config];

    /// Returns the key at the top and of a service.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Secret => "secrets",
            Self::Config => "configs",
        }
    }

    /// Returns the word for one.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Config => "config",
        }
    }

    /// Returns where a relative target starts from inside, with a slash at the end.
    #[must_use]
    pub const fn directory(self) -> &'static str {
        match self {
            Self::Secret => "/run/secrets/",
            Self::Config => "/",
        }
    }
}

/// A secret or a config of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileObject {
    /// Manifest key.
    pub key: String,
    /// Its name, for engines that keep such objects; here it is only shown.
    pub name: String,
    /// Whether it belongs to somebody else, which needs an engine that keeps such objects (Swarm).
    pub external: bool,
    /// Where what it holds comes from; `None` where nothing is said.
    pub source: Option<FileSource>,
    /// What it holds.
    pub held: Held,
    /// Labels of the user, which are only shown.
    pub labels: BTreeMap<String, String>,
    /// Driver that would keep it, of secrets only.
    pub driver: Option<String>,
    /// Options of the driver, of secrets only.
    pub driver_opts: BTreeMap<String, String>,
    /// Driver that would fill a template in.
    pub template_driver: Option<String>,
}

/// Where what a secret, a config or a credential holds comes from; `config` shows this and not what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSource {
    /// A file of this host, absolute.
    File(PathBuf),
    /// A variable of the host's environment.
    Environment(String),
    /// The manifest itself.
    Content,
}

/// What a file object holds, as far as it is known here.
#[derive(Clone, PartialEq, Eq)]
pub enum Held {
    /// The bytes; may be secret, so `Debug` does not show them.
    Bytes(Arc<[u8]>),
    /// They are not known, in a few words why.
    Unread(String),
}

impl Held {
    /// Returns the bytes where they are known.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Unread(_) => None,
        }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Unread(why) => write!(f, "Unread({why})"),
        }
    }
}

/// What a service says of a secret or a config that it is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileReference {
    /// Manifest key of the object.
    pub source: String,
    /// Where it is inside, as written; of a secret that says nothing the whole path, as Compose shows it.
    pub target: Option<String>,
    /// Owner, as written.
    pub uid: Option<String>,
    /// Group, as written.
    pub gid: Option<String>,
    /// Permission bits.
    pub mode: Option<u32>,
}

impl FileReference {
    /// Permission bits where nothing is said, as in Compose (measured on Docker Compose 2.40).
    pub const MODE: u32 = 0o444;

    /// Returns the path inside, absolute.
    #[must_use]
    pub fn path(&self, kind: FileKind) -> String {
        match self.target.as_deref().filter(|target| !target.is_empty()) {
            Some(target) if target.starts_with('/') => mount::clean(target),
            Some(target) => mount::clean(&format!("{}{target}", kind.directory())),
            None => format!("{}{}", kind.directory(), self.source),
        }
    }

    /// Returns owner and group; root where nothing is said, and where it is no number, which stops the run before.
    #[must_use]
    pub fn owner(&self) -> (u32, u32) {
        let number = |text: &Option<String>| text.as_deref().and_then(id).unwrap_or(0);
        (number(&self.uid), number(&self.gid))
    }

    /// Whether it says who may read the file.
    #[must_use]
    pub fn says_owner(&self) -> bool {
        self.uid.is_some() || self.gid.is_some() || self.mode.is_some()
    }
}

/// What lies over a path of a container's root once the container runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover<'a> {
    /// Memory at this path: empty at each start.
    Memory(&'a str),
    /// Something else.
    Mount(&'a Mount),
}

/// Memory that every machine has: systemd needs it (`systemd::defaults::boot`).
const MEMORY_OF_MACHINES: [&str; 2] = ["/run", "/tmp"];

/// Reads the number of a user or a group; the last one means "no change" to chown(2), and is none.
#[must_use]
pub fn id(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&id: &u32| digits && id != u32::MAX)
}

impl Service {
    /// Returns what the service says of objects of one kind.
    #[must_use]
    pub fn references(&self, kind: FileKind) -> &[FileReference] {
        match kind {
            FileKind::Secret => &self.secrets,
            FileKind::Config => &self.configs,
        }
    }

    /// Whether an object is bound into the service's containers as it is on the host, as Docker Compose does with
    /// files. What else there is, and all that a machine is given, is put into the container's own root.
    #[must_use]
    pub const fn binds(&self, object: &FileObject) -> bool {
        self.machine.is_none() && matches!(object.source, Some(FileSource::File(_)))
    }

    /// Returns what lies over a path inside: the deepest mount that is at it or above it.
    #[must_use]
    pub fn cover(&self, path: &str) -> Option<Cover<'_>> {
        let memory: &[&str] = if self.machine.is_some() { &MEMORY_OF_MACHINES } else { &[] };
        let own = self.mounts.iter().map(|entry| match &entry.source {
            MountSource::Tmpfs { .. } => (entry.target.as_str(), Cover::Memory(&entry.target)),
            MountSource::Volume { .. }
            | MountSource::Anonymous(_)
            | MountSource::Bind { .. }
            | MountSource::Image { .. }
            | MountSource::NamedPipe(_)
            | MountSource::Cluster(_) => (entry.target.as_str(), Cover::Mount(entry)),
        });
        let all = memory.iter().map(|&target| (target, Cover::Memory(target))).chain(own);
        let above = all.filter(|(target, _)| mount::is_within(path, target));
        above.max_by_key(|(target, _)| mount::depth(target)).map(|(_, cover)| cover)
    }

    /// Whether memory lies over a path inside, so that what is put there before the container starts is lost.
    #[must_use]
    pub fn is_in_memory(&self, path: &str) -> bool {
        matches!(self.cover(path), Some(Cover::Memory(_)))
    }

    /// Names the objects of one kind that the service is given, or its build.
    pub fn named_files(&self, kind: FileKind) -> impl Iterator<Item = &str> {
        let of_build = match (&self.image, kind) {
            (ImageSource::Build { tag: _, build }, FileKind::Secret) => build.secrets.as_slice(),
            (ImageSource::Build { .. }, FileKind::Config) | (ImageSource::Reference(_), _) => &[],
        };
        let given = self.references(kind).iter().map(|reference| reference.source.as_str());
        given.chain(of_build.iter().map(|secret| secret.source.as_str()))
    }
}

impl Project {
    /// Returns the objects of one kind.
    #[must_use]
    pub const fn file_objects(&self, kind: FileKind) -> &indexmap::IndexMap<String, FileObject> {
        match kind {
            FileKind::Secret => &self.secrets,
            FileKind::Config => &self.configs,
        }
    }

    /// Lists what a service is given, secrets first, each with the object.
    pub fn given_to<'a>(
        &'a self,
        service: &'a Service,
    ) -> impl Iterator<Item = (FileKind, &'a FileReference, &'a FileObject)> {
        FileKind::ALL.into_iter().flat_map(move |kind| {
            let objects = self.file_objects(kind);
            let with_object = move |reference: &'a FileReference| {
                objects.get(&reference.source).map(|object| (kind, reference, object))
            };
            service.references(kind).iter().filter_map(with_object)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(kind: FileKind, target: Option<&str>) -> String {
        let target = target.map(str::to_owned);
        FileReference { source: "s".into(), target, ..FileReference::default() }.path(kind)
    }

    #[test]
    fn a_file_is_where_compose_has_it() {
        assert_eq!(path(FileKind::Secret, None), "/run/secrets/s");
        assert_eq!(path(FileKind::Secret, Some("")), "/run/secrets/s");
        assert_eq!(path(FileKind::Secret, Some("a/b")), "/run/secrets/a/b");
        assert_eq!(path(FileKind::Secret, Some("a/../../x/")), "/run/x");
        assert_eq!(path(FileKind::Secret, Some("/etc//k")), "/etc/k");
        assert_eq!(path(FileKind::Config, None), "/s");
        assert_eq!(path(FileKind::Config, Some("etc/c.conf")), "/etc/c.conf");
    }

    #[test]
    fn an_owner_is_a_number() {
        let all = ["0", "1000", "4294967294", "4294967295", "-1", "+1", "", "root"];
        let ids: Vec<Option<u32>> = all.into_iter().map(id).collect();
        assert_eq!(ids, [Some(0), Some(1000), Some(4_294_967_294), None, None, None, None, None]);
    }

    #[test]
    fn what_is_held_is_never_shown() {
        let held = Held::Bytes(Arc::from(b"canary".as_slice()));
        assert_eq!(format!("{held:?}"), "Bytes(6 bytes)");
    }
}
