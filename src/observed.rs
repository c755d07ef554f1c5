//! A snapshot of what an engine holds of one project, at one instant. Read by `engine`, used by the planner.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::ImageFacts;
use crate::labels::{ContainerLabels, ObjectLabels};
pub use crate::systemd::show::UnitStatus;
use crate::systemd::{SystemState, UnitName};
pub use closer::{Applied, Closeness, Closer, Enforced};

mod closer;

/// What is asked of an engine: one project and the names it uses beyond its own labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Name of the project.
    pub project: String,
    /// Images whose presence matters.
    pub images: BTreeSet<String>,
    /// Those of them whose age matters as well.
    pub aging: BTreeSet<String>,
    /// Volumes by their name in the engine, also external ones.
    pub volumes: BTreeSet<String>,
    /// Networks by their name in the engine, also external ones.
    pub networks: BTreeSet<String>,
    /// Container names that the project wants, so that a foreign holder of one is seen.
    pub containers: BTreeSet<String>,
}

/// Everything that an engine holds of a project.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// Containers with the project's labels, by name.
    pub containers: Vec<ObservedContainer>,
    /// Foreign containers that hold a wanted name: name → what they say of themselves (image, owner).
    pub foreign_names: BTreeMap<String, String>,
    /// Networks of the project or of the scope, by name.
    pub networks: BTreeMap<String, ObservedNetwork>,
    /// Volumes of the project or of the scope, by name.
    pub volumes: BTreeMap<String, ObservedVolume>,
    /// Images of the scope, by reference; absent where the engine does not have it.
    pub images: BTreeMap<String, ObservedImage>,
    /// Containers that were looked at closely, by name.
    pub closer: BTreeMap<String, Closer>,
}

/// One container.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedContainer {
    /// The engine's id.
    pub id: String,
    /// Its name, without a slash.
    pub name: String,
    /// What its labels say.
    pub labels: ContainerLabels,
    /// Its state.
    pub state: ContainerState,
    /// The engine's words for its state (`Up 3 minutes (healthy)`).
    pub status: String,
    /// The image's id.
    pub image_id: String,
    /// The reference that it was created from.
    pub image: String,
    /// When it was created, seconds since 1970.
    pub created: i64,
    /// Health check's result; `None` without a check.
    pub health: Option<Health>,
    /// Code that it exited with; `None` where it is not known (a list does not always tell) or it runs.
    pub exit_code: Option<i64>,
    /// Whether PID 1 of this container was seen to say READY=1 (marker beside its notify socket).
    pub ready_seen: bool,
    /// What was changed of it since it was made.
    pub applied: Applied,
    /// Networks that it is on, by name, each with the id that it had when the container joined it; empty where
    /// the engine does not say it.
    pub networks: BTreeMap<String, String>,
    /// Ports as the engine prints them, for `ps`.
    pub ports: Vec<ObservedPort>,
    /// Volumes in use, by mount target; an anonymous one has the 64 hexadecimal digits that the engine named
    /// it by.
    pub volumes: BTreeMap<String, String>,
}

/// A port as the engine reports it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObservedPort {
    /// Host address.
    pub ip: Option<String>,
    /// Port inside.
    pub private: u16,
    /// Host port.
    pub public: Option<u16>,
    /// `tcp`, `udp`, `sctp`.
    pub protocol: String,
}

/// State of a container in the engine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContainerState {
    /// Never started.
    Created,
    /// Running.
    Running,
    /// All its processes are frozen.
    Paused,
    /// Between two tries of its restart policy.
    Restarting,
    /// Being removed.
    Removing,
    /// Ended.
    Exited,
    /// Half removed; only removal helps.
    Dead,
    /// A word that this version does not know (Podman's `stopped`, `stopping`, …).
    Other(String),
}

impl ContainerState {
    /// Reads an engine's word.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "created" | "configured" | "initialized" => Self::Created,
            "running" => Self::Running,
            "paused" => Self::Paused,
            "restarting" => Self::Restarting,
            "removing" => Self::Removing,
            "exited" | "stopped" => Self::Exited,
            "dead" => Self::Dead,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Returns the word that Docker uses.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
            Self::Other(word) => word,
        }
    }
}

/// Result of a health check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// Not decided yet.
    Starting,
    /// Passed.
    Healthy,
    /// Failed too often.
    Unhealthy,
}

/// One network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedNetwork {
    /// The engine's id.
    pub id: String,
    /// What its labels say; `None` where it is not ours.
    pub labels: Option<ObjectLabels>,
    /// Whether further networks with this name exist (Docker allows that).
    pub ambiguous: bool,
}

/// One volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedVolume {
    /// What its labels say; `None` where it is not ours.
    pub labels: Option<ObjectLabels>,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedImage {
    /// The image's id.
    pub id: String,
    /// What is known of its inside; `None` where nobody has looked yet.
    pub facts: Option<ImageFacts>,
    /// When it was given its name here (pulled, built or tagged), seconds since 1970; `None` where it was not
    /// asked for, or the engine does not say.
    pub tagged: Option<i64>,
}

/// What is known of one container while something is awaited of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Now {
    /// State in the engine; `None` before the first look.
    pub state: Option<ContainerState>,
    /// Code that it exited with.
    pub exit_code: Option<i64>,
    /// Health check's result.
    pub health: Option<Health>,
    /// Whether the boot's job queue is done (READY=1, or asked of systemd).
    pub booted: bool,
    /// What `systemctl is-system-running` says.
    pub system: Option<SystemState>,
    /// Units that failed.
    pub failed: Vec<UnitStatus>,
    /// Units that were asked for, by name.
    pub units: BTreeMap<UnitName, UnitStatus>,
}
