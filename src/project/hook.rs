//! `post_start:` and `pre_stop:`: commands that are run inside a container at two points of its life.

use std::fmt;

use indexmap::IndexMap;

/// A command that is run inside a running container.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hook {
    /// Executable and arguments; empty where the manifest gives none, which nothing can run.
    pub command: Vec<String>,
    /// The user; `None` is the container's own.
    pub user: Option<String>,
    /// Whether it gets all privileges.
    pub privileged: bool,
    /// The directory; `None` is the container's own.
    pub working_dir: Option<String>,
    /// Variables over the container's own. A name without a value is taken away from the command, as Docker
    /// Compose does. Values may be secret and are never shown in a plan.
    pub environment: IndexMap<String, Option<String>>,
}

/// The hooks of a service, each list in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hooks {
    /// Run after a container was started; in a machine after its boot.
    pub post_start: Vec<Hook>,
    /// Run before a container is stopped.
    pub pre_stop: Vec<Hook>,
}

impl Hooks {
    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.post_start.is_empty() && self.pre_stop.is_empty()
    }

    /// Returns the hooks of one stage.
    #[must_use]
    pub fn at(&self, stage: Stage) -> &[Hook] {
        match stage {
            Stage::PostStart => &self.post_start,
            Stage::PreStop => &self.pre_stop,
        }
    }
}

/// The point of a container's life at which a hook is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// After its start.
    PostStart,
    /// Before its stop.
    PreStop,
}

impl Stage {
    /// Returns its key in the manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PostStart => "post_start",
            Self::PreStop => "pre_stop",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
