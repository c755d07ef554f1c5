//! What the user means: one complete, validated project. No short forms, no positions, and no `Option`
//! that stands for "the default": an `Option` here means that the engine or the image decides.
//!
//! `project::resolve` makes it from a manifest; the planner and `config` read it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use indexmap::IndexMap;

pub mod blkio;
pub mod capability;
pub mod command_line;
pub mod device;
pub mod foreign;
pub mod hosts;
pub mod image;
pub mod image_ref;
pub mod limits;
pub mod link;
pub mod logging;
pub mod machine;
pub mod mount;
pub mod name;
pub mod namespaces;
pub mod network;
pub mod port;
pub mod quantity;
pub mod resolve;
pub mod scalar;
pub mod service;
pub mod show;
pub mod volume;

pub use crate::systemd::privilege::{CgroupNs, Feature, Privilege, ProfileName};
pub use blkio::{Blkio, DeviceRate, DeviceWeight};
pub use device::{Device, DeviceRequest, Hardware};
pub use foreign::{CredentialSpec, Foreign, ModelVariables, Provider};
pub use image::{Build, Dockerfile, ImageSource, PullPolicy};
pub use limits::{Limits, Processor, Ulimit};
pub use link::{Link, Links, VolumesFrom, VolumesSource};
pub use logging::Logging;
pub use machine::{
    Credential, CredentialSource, Identity, Journal, JournalStorage, Machine, Ready, UnitFile,
};
pub use mount::{Mount, MountSource};
pub use namespaces::{Namespaces, Sharing};
pub use network::{Attachment, IpamPool, Network, NetworkChoice};
pub use port::{Port, Protocol, PublishedPort};
pub use service::{Dependency, DependencyCondition, HealthTest, Healthcheck, RestartPolicy, Service};
pub use volume::Volume;

/// A whole project, ready to be planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// The project's name, `[a-z0-9][a-z0-9_-]*`.
    pub name: String,
    /// The directory that relative paths start from, absolute.
    pub directory: PathBuf,
    /// The manifest files, in merge order, as the user named them.
    pub files: Vec<PathBuf>,
    /// All active services (those of inactive profiles are in `disabled`), in manifest order.
    pub services: IndexMap<String, Service>,
    /// Names of services whose profile is not active.
    pub disabled: BTreeSet<String>,
    /// Networks by their manifest key; only those that a service uses.
    pub networks: IndexMap<String, Network>,
    /// Named volumes by their manifest key; only those that a service uses.
    pub volumes: IndexMap<String, Volume>,
}
