//! Where the image of a service comes from.

use std::time::Duration;

use super::Build;

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
