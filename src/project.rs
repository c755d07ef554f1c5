//! What the user means: one complete, validated project. No short forms, no positions, and no `Option`
//! that stands for "the default": an `Option` here means that the engine or the image decides.
//!
//! `project::resolve` makes it from a manifest; the planner and `config` read it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use indexmap::IndexMap;

pub mod blkio;
pub mod build;
pub mod capability;
pub mod command_line;
pub mod develop;
pub mod device;
pub mod exposed;
pub mod file_object;
pub mod foreign;
pub mod hook;
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
pub mod signal;
pub mod volume;

pub use crate::systemd::privilege::{CgroupNs, Feature, Privilege, ProfileName};
pub use blkio::{Blkio, DeviceRate, DeviceWeight};
pub use build::{Build, BuildContext, BuildSecret, Dockerfile, SshKey};
pub use develop::{Develop, WatchAction, WatchRule};
pub use device::{Device, DeviceRequest, Hardware};
pub use file_object::{Cover, FileKind, FileObject, FileReference, FileSource, Held};
pub use foreign::{CredentialSpec, Foreign, ModelVariables, Provider};
pub use hook::{Hook, Hooks, Stage};
pub use image::{ImageSource, PullPolicy};
pub use limits::{Limits, Processor, Ulimit};
pub use link::{Link, Links, VolumesFrom, VolumesSource};
pub use logging::Logging;
pub use machine::{Credential, Identity, Journal, JournalStorage, Machine, Ready, UnitFile};
pub use mount::{CreateHostPath, Mount, MountSource, Recursive, VolumeOptions};
pub use namespaces::{Namespaces, Sharing};
pub use network::{Attachment, Ipam, IpamPool, Network, NetworkChoice};
pub use port::{Port, PortMode, Protocol, PublishedPort, Spelling};
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
    /// Secrets by their manifest key; only those that a service or its build names.
    pub secrets: IndexMap<String, FileObject>,
    /// Configs by their manifest key; only those that a service names.
    pub configs: IndexMap<String, FileObject>,
}

impl Project {
    /// Returns the project with nothing but some services, what they depend on, and what those use; the whole one
    /// where none is named.
    #[must_use]
    pub fn narrowed(&self, names: &[String]) -> Self {
        let mut narrowed = self.clone();
        if names.is_empty() {
            return narrowed;
        }
        let mut wanted: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = names.iter().map(String::as_str).collect();
        while let Some(name) = open.pop() {
            if let Some(service) = self.services.get(name)
                && wanted.insert(name)
            {
                open.extend(service.depends_on.keys().map(String::as_str));
            }
        }
        narrowed.services.retain(|name, _| wanted.contains(name.as_str()));
        let services = narrowed.services.values();
        let networks: BTreeSet<&String> = services
            .clone()
            .filter_map(|service| {
                if let NetworkChoice::Join(joined) = &service.network { Some(joined.keys()) } else { None }
            })
            .flatten()
            .collect();
        let volumes: BTreeSet<&String> =
            services
                .flat_map(|service| &service.mounts)
                .filter_map(|mount| {
                    if let MountSource::Volume { key, .. } = &mount.source { Some(key) } else { None }
                })
                .collect();
        let files = |kind| -> BTreeSet<&str> {
            narrowed.services.values().flat_map(|service| service.named_files(kind)).collect()
        };
        let (secrets, configs) = (files(FileKind::Secret), files(FileKind::Config));
        narrowed.secrets.retain(|key, _| secrets.contains(key.as_str()));
        narrowed.configs.retain(|key, _| configs.contains(key.as_str()));
        narrowed.networks.retain(|key, _| networks.contains(key));
        narrowed.volumes.retain(|key, _| volumes.contains(key));
        narrowed
    }
}
