//! `develop:`: which files of the host a service follows, and what a change of them does.

use std::path::PathBuf;

use super::hook::Hook;
use crate::systemd::UnitName;

/// What a service does while it is developed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Develop {
    /// The rules, in the manifest's order. Of one change, every rule that it meets counts.
    pub watch: Vec<WatchRule>,
}

/// One rule of `develop.watch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchRule {
    /// The file or directory of the host, absolute.
    pub path: PathBuf,
    /// Patterns of what below it is left alone, as written.
    pub ignore: Vec<String>,
    /// Patterns of what alone below it counts, as written; empty is all.
    pub include: Vec<String>,
    /// Whether all of it is put into the container once, before the first change.
    pub initial_sync: bool,
    /// What a change does.
    pub action: WatchAction,
    /// What the rule says that its action does not use.
    pub unused: Unused,
}

/// What a change of a watched file does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchAction {
    /// `sync`: the files are put into the container.
    Sync {
        /// Path inside.
        target: String,
    },
    /// `rebuild`: the image is built, and the container replaced.
    Rebuild,
    /// `restart`: the container is restarted.
    Restart,
    /// `sync+restart`: the files are put into the container, then it is restarted.
    SyncRestart {
        /// Path inside.
        target: String,
    },
    /// `sync+exec`: the files are put into the container, then a command is run in it.
    SyncExec {
        /// Path inside.
        target: String,
        /// The command.
        exec: Hook,
    },
    /// `sync+unit`: the files are put into the machine, then units of it are reloaded, or restarted where they
    /// cannot reload. A plain container has none.
    SyncUnit {
        /// Path inside.
        target: String,
        /// The units, at least one.
        units: Vec<UnitName>,
    },
}

impl WatchAction {
    /// Returns its word in the manifest.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sync { target: _ } => "sync",
            Self::Rebuild => "rebuild",
            Self::Restart => "restart",
            Self::SyncRestart { target: _ } => "sync+restart",
            Self::SyncExec { target: _, exec: _ } => "sync+exec",
            Self::SyncUnit { target: _, units: _ } => "sync+unit",
        }
    }

    /// Returns the path inside that files are put to; `None` where none are.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        match self {
            Self::Sync { target }
            | Self::SyncRestart { target }
            | Self::SyncExec { target, exec: _ }
            | Self::SyncUnit { target, units: _ } => Some(target),
            Self::Rebuild | Self::Restart => None,
        }
    }
}

/// Fields of a rule that mean nothing to its action. `config` shows them, as Docker Compose does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unused {
    /// A path inside.
    pub target: Option<String>,
    /// A command.
    pub exec: Option<Hook>,
}
