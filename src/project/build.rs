//! How an image is built.

use std::collections::BTreeMap;
use std::path::PathBuf;

use indexmap::IndexMap;

use super::Ulimit;

/// `build:` of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Where the files of the build are.
    pub context: BuildContext,
    /// The Dockerfile.
    pub dockerfile: Dockerfile,
    /// Build arguments.
    pub args: IndexMap<String, String>,
    /// Stage to build.
    pub target: Option<String>,
    /// Labels of the image.
    pub labels: IndexMap<String, String>,
    /// Network of the build's steps.
    pub network: Option<String>,
    /// Whether the cache is not used.
    pub no_cache: bool,
    /// Whether base images are pulled anew.
    pub pull: bool,
    /// Further tags of the image.
    pub tags: Vec<String>,
    /// Images whose layers serve as cache, as written.
    pub cache_from: Vec<String>,
    /// Where the cache goes, as written.
    pub cache_to: Vec<String>,
    /// Further contexts by name; paths are absolute.
    pub additional_contexts: BTreeMap<String, String>,
    /// Privileges of the build's steps.
    pub entitlements: Vec<String>,
    /// Entries for `/etc/hosts` of the build's steps: name and address.
    pub extra_hosts: Vec<(String, String)>,
    /// Isolation of the build's steps, on Windows.
    pub isolation: Option<String>,
    /// Platforms to build for.
    pub platforms: Vec<String>,
    /// Whether the build's steps have all privileges.
    pub privileged: bool,
    /// An attestation of where the image comes from, as written.
    pub provenance: Option<String>,
    /// An attestation of what is in the image, as written.
    pub sbom: Option<String>,
    /// Secrets of the build's steps.
    pub secrets: Vec<BuildSecret>,
    /// Size of /dev/shm of the build's steps, in bytes.
    pub shm_size: Option<u64>,
    /// Keys of the build's steps.
    pub ssh: Vec<SshKey>,
    /// Resource limits of the build's steps.
    pub ulimits: BTreeMap<String, Ulimit>,
}

impl Build {
    /// Returns what `build: CONTEXT` means.
    #[must_use]
    pub fn of(context: BuildContext) -> Self {
        Self {
            context,
            dockerfile: Dockerfile::Path(PathBuf::from("Dockerfile")),
            args: IndexMap::new(),
            target: None,
            labels: IndexMap::new(),
            network: None,
            no_cache: false,
            pull: false,
            tags: Vec::new(),
            cache_from: Vec::new(),
            cache_to: Vec::new(),
            additional_contexts: BTreeMap::new(),
            entitlements: Vec::new(),
            extra_hosts: Vec::new(),
            isolation: None,
            platforms: Vec::new(),
            privileged: false,
            provenance: None,
            sbom: None,
            secrets: Vec::new(),
            shm_size: None,
            ssh: Vec::new(),
            ulimits: BTreeMap::new(),
        }
    }
}

/// Where the files of a build are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildContext {
    /// A directory of this host, absolute.
    Directory(PathBuf),
    /// A repository or an archive that the engine fetches, as written (`https://host/repository.git#ref:dir`).
    Remote(String),
}

impl BuildContext {
    /// Returns whether a text names something on another host, and no path. The prefixes are those of `BuildKit`
    /// (`frontend/dockerui/context.go`), which Compose goes by, any URL, and another service's image.
    #[must_use]
    pub fn is_remote(text: &str) -> bool {
        text.contains("://")
            || text.starts_with("service:")
            || text.starts_with("github.com/")
            || text.starts_with("git@")
    }
}

/// Where the text of a Dockerfile is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dockerfile {
    /// A file, relative to the context or absolute.
    Path(PathBuf),
    /// The text itself (`dockerfile_inline`).
    Inline(String),
}

/// A secret of the project that the steps of a build can read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuildSecret {
    /// Key of the secret at the top of the manifest.
    pub source: String,
    /// The name by which a step asks for it; the key by default.
    pub target: Option<String>,
    /// Owner of the file, as written.
    pub uid: Option<String>,
    /// Group of the file, as written.
    pub gid: Option<String>,
    /// Permission bits of the file.
    pub mode: Option<u32>,
}

/// A key that the steps of a build can use by SSH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshKey {
    /// Its name; `default` is the agent.
    pub id: String,
    /// The agent's socket or the key's file, absolute; `None` is `SSH_AUTH_SOCK`.
    pub path: Option<String>,
}

/// Returns the image that an entry of `cache_from` names: an image's reference, or `BuildKit`'s words for one
/// in a registry (`type=registry,ref=IMAGE`). `None` where it is a cache of another kind.
#[must_use]
pub fn cache_image(entry: &str) -> Option<&str> {
    if !entry.contains('=') {
        return Some(entry);
    }
    let fields = || entry.split(',').filter_map(|field| field.split_once('='));
    let value = |wanted: &str| fields().find(|(name, _)| *name == wanted).map(|(_, value)| value);
    value("ref").filter(|_| value("type") == Some("registry"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_another_host_is_no_path() {
        for remote in [
            "https://x/y.git#main:sub",
            "git@x:y.git",
            "github.com/x/y",
            "ssh://x/y",
            "docker-image://x",
            "service:x",
        ] {
            assert!(BuildContext::is_remote(remote), "{remote}");
        }
        for path in [".", "../x", "/x", "gitlab.com/x", "c:/x"] {
            assert!(!BuildContext::is_remote(path), "{path}");
        }
    }

    #[test]
    fn a_cache_in_a_registry_is_an_image() {
        assert_eq!(cache_image("x/y:1"), Some("x/y:1"));
        assert_eq!(cache_image("type=registry,ref=x/y:1"), Some("x/y:1"));
        assert_eq!(cache_image("type=gha"), None);
        assert_eq!(cache_image("type=local,src=/x"), None);
    }
}
