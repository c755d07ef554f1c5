//! Plans as data: what will be done, in which order, and why. Nothing here can do anything.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::condition::Wait;
use crate::container::{ContainerSpec, FileSpec, JoinSpec, NetworkSpec, VolumeSpec};
use crate::observed::Applied;
use crate::project::{Build, Hooks, Limits, RestartPolicy};
use crate::systemd::UnitName;
use crate::systemd::unit_call::UnitCall;

pub use crate::refusal::Refusal;
pub use way::Way;

mod action;
pub mod order;
pub mod buildable;
mod draft;
mod fate;
pub mod way;
pub mod up;
pub mod down;
pub mod change;
pub mod hooks;
pub mod check;
pub mod text;
pub mod json;

#[cfg(test)]
mod tests;

/// Place of a step in [`Plan::steps`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub usize);

/// Everything that one command will do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The steps, each behind all that it waits for.
    pub steps: Vec<Step>,
    /// What the user should know beside the steps.
    pub notes: Vec<Note>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Steps that must have succeeded before.
    pub after: BTreeSet<StepId>,
    /// What is lost for good by it.
    pub destroys: Option<Loss>,
    /// What is kept in mind of its container once it is done: the last of the steps that change one in place.
    pub settles: Option<Box<Settled>>,
}

/// What a container is once it was changed in place.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// What this host remembers.
    pub applied: Applied,
    /// The record that is written into a machine.
    pub record: Option<FileSpec>,
}

/// What a step does. Everything is named by its name in the engine, never by an id.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Pulls an image.
    Pull {
        /// The reference.
        reference: String,
        /// The platform, such as `linux/arm64`; `None` is the engine's own.
        platform: Option<String>,
    },
    /// Builds an image.
    Build {
        /// The service that asks for it.
        service: String,
        /// The reference given to the result.
        tag: String,
        /// How it is built.
        build: Box<Build>,
    },
    /// Looks into an image for its systemd.
    Look {
        /// The reference.
        reference: String,
    },
    /// Makes a network.
    CreateNetwork(Box<NetworkSpec>),
    /// Makes a volume.
    CreateVolume(Box<VolumeSpec>),
    /// Makes a container, puts its files into it and joins its networks.
    Create(Box<ContainerSpec>),
    /// Starts a container.
    Start {
        /// Name.
        container: String,
    },
    /// Runs a hook inside a running container.
    Hook(Box<hooks::HookRun>),
    /// Waits until a condition holds.
    Await {
        /// Name.
        container: String,
        /// What is waited for, and how long.
        wait: Wait,
    },
    /// Puts a new container in the place of an old one, by the rename-aside protocol: the old one is kept
    /// until the new one meets its condition, and comes back if it does not.
    Replace {
        /// What is made.
        spec: Box<ContainerSpec>,
        /// What the new one must meet before the old one goes.
        wait: Wait,
        /// Grace period of the old one.
        grace: Duration,
        /// Whether anonymous volumes of the old one are handed on.
        keep_anonymous: bool,
        /// What is run in the old one before it is stopped, and in the new one before the old one goes.
        hooks: Hooks,
    },
    /// Finishes or undoes a replacement that was cut off: `<name>.old-…` exists.
    Recover {
        /// The name it should have.
        container: String,
        /// The name it was set aside under.
        aside: String,
        /// What is done with the two.
        outcome: Recovery,
        /// Grace period for stopping.
        grace: Duration,
        /// The restart policy that the container keeps. A replacement takes it away from both containers, so
        /// that an engine that restarts in between cannot run the two side by side on the same volumes.
        restart: RestartPolicy,
    },
    /// Lets the engine change what it can of a container that exists.
    Update {
        /// Name.
        container: String,
        /// Limits; `None` leaves all of them.
        limits: Option<Box<Limits>>,
        /// Restart policy; `None` leaves it.
        restart: Option<RestartPolicy>,
    },
    /// Joins a network.
    Connect {
        /// Name.
        container: String,
        /// How.
        join: Box<JoinSpec>,
    },
    /// Leaves a network.
    Disconnect {
        /// Name.
        container: String,
        /// Name of the network.
        network: String,
    },
    /// Writes files into a machine and takes files away. Where it runs, systemd reads its files anew.
    Write {
        /// Name.
        container: String,
        /// What is written.
        files: Vec<FileSpec>,
        /// Paths of what is taken away; only where the machine runs.
        remove: Vec<String>,
        /// Whether the machine runs.
        runs: bool,
        /// Whether systemd-tmpfiles copies anew what it keeps in memory.
        copies: bool,
    },
    /// Starts, stops or restarts units in a machine.
    Units {
        /// Name.
        container: String,
        /// What is done.
        call: UnitCall,
        /// With which units.
        units: Vec<UnitName>,
    },
    /// Stops a container.
    Stop {
        /// Name.
        container: String,
        /// Time between its stop signal and the kill.
        grace: Duration,
    },
    /// Kills a container.
    Kill {
        /// Name.
        container: String,
        /// Signal; `None` is SIGKILL.
        signal: Option<String>,
    },
    /// Thaws a paused container.
    Unpause {
        /// Name.
        container: String,
    },
    /// Gives a container its right name back.
    Rename {
        /// Name that it has.
        from: String,
        /// Name that it gets.
        to: String,
    },
    /// Removes a stopped container.
    Remove {
        /// Name.
        container: String,
        /// Whether its anonymous volumes go as well.
        volumes: bool,
    },
    /// Removes a network.
    RemoveNetwork {
        /// Name.
        network: String,
    },
    /// Removes a volume.
    RemoveVolume {
        /// Name.
        volume: String,
    },
}

/// How a cut-off replacement is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Only the old one exists: it gets its name back.
    RenameBack,
    /// The new one is good: the old one is removed.
    RemoveOld,
    /// The new one is not good: it is removed and the old one gets its name back.
    RollBack,
}

/// Why a step is in a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It is not there.
    Absent,
    /// The user asked for it by the command.
    Requested,
    /// `--force-recreate`.
    Forced,
    /// The manifest differs from what the container is.
    Changed {
        /// The fields.
        changes: Vec<FieldChange>,
    },
    /// Somebody else changed the container.
    Drifted {
        /// What differs from the manifest.
        changes: Vec<FieldChange>,
    },
    /// The container exists and does not run.
    NotRunning {
        /// The engine's word for its state.
        state: String,
    },
    /// A container that it depends on was replaced or restarted.
    DependencyRestarted {
        /// The other service.
        service: String,
    },
    /// Another service depends on it.
    NeededBy {
        /// The other services.
        services: Vec<String>,
    },
    /// `up --wait`, or the machine's boot has not been seen to end.
    BootUnseen,
    /// Its service is not in the manifest any more.
    Orphan,
    /// There are more replicas than the manifest wants.
    ScaledDown,
    /// An earlier run was cut off.
    CutOff,
    /// It was made, and never started.
    NeverStarted,
    /// Its container was started by this plan.
    Started,
    /// The container is half removed and only debris.
    Debris,
    /// Its name is not what its labels say.
    Misnamed,
    /// Nobody has looked into this image yet.
    Unseen,
    /// `pull_policy: always` or `--pull`.
    PullPolicy,
    /// `--build` or `pull_policy: build`.
    BuildRequested,
    /// It is to be started or stopped with its project.
    WithProject,
}

/// A field of the manifest in which a container differs from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The field, in the manifest's words.
    pub field: String,
    /// How it reaches the container.
    pub way: Way,
    /// What it was; `None` where that may be secret, is long, or was the default.
    pub old: Option<String>,
    /// What it is to be.
    pub new: Option<String>,
    /// Whether it is gone from the manifest.
    pub gone: bool,
    /// Whether it is new in the manifest.
    pub fresh: bool,
}

/// What a step loses for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// Everything that was written into the container's root since it was made.
    Root {
        /// Number of changed files, where it was counted.
        files: Option<u64>,
    },
    /// A volume and all that is in it.
    Volume,
}

/// A remark about a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The image was never looked into, so that its systemd's version is not known before `up`.
    ImageUnseen {
        /// The reference.
        reference: String,
    },
    /// Containers of services that are not in the manifest any more.
    Orphans {
        /// Their names.
        containers: Vec<String>,
    },
    /// A limit that root inside the machine can raise with this profile.
    AdvisoryLimits {
        /// The service.
        service: String,
        /// Which profile.
        profile: String,
    },
    /// Something else worth a line, with the service it is about.
    Warning {
        /// The service.
        service: String,
        /// The text.
        text: String,
    },
}
