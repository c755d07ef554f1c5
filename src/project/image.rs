//! Where the image of a service comes from, and how it is built.

use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum ImageSource {
    /// A reference that the engine has or pulls.
    Reference(String),
    /// Built; the image is tagged with `tag`.
    Build {
        /// The reference given to the result (`image:`, or `<project>-<service>`).
        tag: String,
        /// How it is built.
        build: Box<Build>,
    },
}

impl ImageSource {
    /// Returns the reference by which the engine knows the image.
    #[must_use]
    pub fn reference(&self) -> &str {
        match self {
            Self::Reference(reference) => reference,
            Self::Build { tag, build: _ } => tag,
        }
    }
}

/// `build:` of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The context directory, absolute.
    pub context: PathBuf,
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
}

/// Where the text of a Dockerfile is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dockerfile {
    /// A file, relative to the context or absolute.
    Path(PathBuf),
    /// The text itself (`dockerfile_inline`).
    Inline(String),
}

/// `pull_policy:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PullPolicy {
    /// Pull where the engine does not have it.
    #[default]
    Missing,
    /// Pull each time.
    Always,
    /// Never pull.
    Never,
    /// Build each time.
    Build,
    /// Pull where it was pulled so long ago, or never.
    Every(Duration),
}
