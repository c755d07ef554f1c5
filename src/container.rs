//! What the engine is asked to create: a service's replica, the systemd defaults and the engine's facts
//! put together. Also its fingerprint, which is the test for drift.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::project::{
    Device, DeviceRequest, Healthcheck, Ipam, Limits, Logging, Port, Recursive, RestartPolicy, Ulimit,
    VolumeOptions,
};

pub use crate::systemd::privilege::CgroupNs;

pub mod names;
mod devices;
pub mod file_objects;
pub mod files;
pub mod fingerprint;
pub mod remarks;
pub mod requirements;
pub mod spec;
pub mod ties;

pub use names::notify_dir;
pub use ties::NamespaceSpec;

#[cfg(test)]
pub(crate) mod sketch;
#[cfg(test)]
mod tests;

#[expect(clippy::struct_excessive_bools, reason = "each is one switch of the engine's create call")]
/// Everything that decides one container, in the engine's terms but free of any engine's types.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerSpec {
    /// Container name, `<project>-<service>-<index>` unless fixed.
    pub name: String,
    /// Service that it belongs to.
    pub service: String,
    /// Image reference or id.
    pub image: String,
    /// Executable and first arguments; `None` leaves the image's.
    pub entrypoint: Option<Vec<String>>,
    /// Arguments; `None` leaves the image's.
    pub command: Option<Vec<String>>,
    /// Environment; values may be secret.
    pub environment: BTreeMap<String, String>,
    /// Host name.
    pub hostname: Option<String>,
    /// Domain name.
    pub domainname: Option<String>,
    /// User of the command.
    pub user: Option<String>,
    /// Working directory of the command.
    pub working_dir: Option<String>,
    /// Whether the command has a terminal (a machine's console).
    pub tty: bool,
    /// Whether standard input stays open.
    pub stdin_open: bool,
    /// Signal that asks it to stop.
    pub stop_signal: Option<String>,
    /// Time between that signal and the kill.
    pub stop_grace_period: Duration,
    /// All labels, ours and the user's.
    pub labels: BTreeMap<String, String>,
    /// Published ports.
    pub ports: Vec<Port>,
    /// Documented ports (`80/tcp`).
    pub expose: Vec<String>,
    /// Mounts other than tmpfs.
    pub mounts: Vec<MountSpec>,
    /// Tmpfs mounts: target and options.
    pub tmpfs: BTreeMap<String, String>,
    /// Cgroup namespace: `private` or `host`; `None` leaves the daemon's default (plain containers).
    pub cgroupns: Option<CgroupNs>,
    /// Parent cgroup, in the form that the engine's driver wants.
    pub cgroup_parent: Option<String>,
    /// Options of security layers.
    pub security_opt: Vec<String>,
    /// Capabilities added.
    pub cap_add: Vec<String>,
    /// Capabilities dropped.
    pub cap_drop: Vec<String>,
    /// Everything allowed; only ever by the user's explicit word.
    pub privileged: bool,
    /// Host devices.
    pub devices: Vec<Device>,
    /// Kernel parameters.
    pub sysctls: BTreeMap<String, String>,
    /// Resource limits of processes.
    pub ulimits: BTreeMap<String, Ulimit>,
    /// Limits of the cgroup.
    pub limits: Limits,
    /// Devices that drivers of the engine choose.
    pub device_requests: Vec<DeviceRequest>,
    /// Rules for devices, such as `c 1:3 rwm`.
    pub device_cgroup_rules: Vec<String>,
    /// Namespaces other than the network's and the cgroup's.
    pub namespaces: NamespaceSpec,
    /// Names of other containers, as `CONTAINER:NAME`, where it joins no network of the project.
    pub links: Vec<String>,
    /// Containers whose mounts it takes over, as `CONTAINER[:MODE]`.
    pub volumes_from: Vec<String>,
    /// What the engine does with the output.
    pub logging: Option<Logging>,
    /// Annotations for the OCI runtime.
    pub annotations: BTreeMap<String, String>,
    /// Further groups of the command.
    pub group_add: Vec<String>,
    /// Options of the storage driver for the root file system.
    pub storage_opt: BTreeMap<String, String>,
    /// Platform of the image.
    pub platform: Option<String>,
    /// MAC address on the first network.
    pub mac_address: Option<String>,
    /// Restart policy.
    pub restart: RestartPolicy,
    /// Health check.
    pub healthcheck: Option<Healthcheck>,
    /// Lines for /etc/hosts.
    pub extra_hosts: Vec<(String, String)>,
    /// Name servers.
    pub dns: Vec<String>,
    /// Search domains.
    pub dns_search: Vec<String>,
    /// Resolver options.
    pub dns_opt: Vec<String>,
    /// Read-only root.
    pub read_only: bool,
    /// Size of /dev/shm in bytes.
    pub shm_size: Option<u64>,
    /// The engine's small init as PID 1; always `Some(false)` for machines.
    pub init: Option<bool>,
    /// OCI runtime.
    pub runtime: Option<String>,
    /// User namespace mode.
    pub userns_mode: Option<String>,
    /// How it is networked.
    pub network: NetworkSpecChoice,
    /// Files put into its root between create and start.
    pub files: Vec<FileSpec>,
    /// Directory on this host that holds the notify socket, bound at /run/host/sd; only on a local engine.
    pub notify_dir: Option<String>,
    /// Whether systemd is its PID 1.
    pub machine: bool,
}

impl ContainerSpec {
    /// Returns a specification that decides nothing beyond its name and image, without a network.
    #[must_use]
    pub fn bare(name: &str, service: &str, image: &str) -> Self {
        Self {
            name: name.to_owned(),
            service: service.to_owned(),
            image: image.to_owned(),
            entrypoint: None,
            command: None,
            environment: BTreeMap::new(),
            hostname: None,
            domainname: None,
            user: None,
            working_dir: None,
            tty: false,
            stdin_open: false,
            stop_signal: None,
            stop_grace_period: Duration::from_secs(10),
            labels: BTreeMap::new(),
            ports: Vec::new(),
            expose: Vec::new(),
            mounts: Vec::new(),
            tmpfs: BTreeMap::new(),
            cgroupns: None,
            cgroup_parent: None,
            security_opt: Vec::new(),
            cap_add: Vec::new(),
            cap_drop: Vec::new(),
            privileged: false,
            devices: Vec::new(),
            sysctls: BTreeMap::new(),
            ulimits: BTreeMap::new(),
            limits: Limits::default(),
            device_requests: Vec::new(),
            device_cgroup_rules: Vec::new(),
            namespaces: NamespaceSpec::default(),
            links: Vec::new(),
            volumes_from: Vec::new(),
            logging: None,
            annotations: BTreeMap::new(),
            group_add: Vec::new(),
            storage_opt: BTreeMap::new(),
            platform: None,
            mac_address: None,
            restart: RestartPolicy::No,
            healthcheck: None,
            extra_hosts: Vec::new(),
            dns: Vec::new(),
            dns_search: Vec::new(),
            dns_opt: Vec::new(),
            read_only: false,
            shm_size: None,
            init: None,
            runtime: None,
            userns_mode: None,
            network: NetworkSpecChoice::Mode("none".to_owned()),
            files: Vec::new(),
            notify_dir: None,
            machine: false,
        }
    }
}

/// One mount, by the names of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountSpec {
    /// Path inside.
    pub target: String,
    /// What is mounted.
    pub source: MountSpecSource,
    /// Whether writing is refused.
    pub read_only: bool,
}

/// What a mount shows, by the names of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountSpecSource {
    /// A named volume.
    Volume {
        /// Name in the engine.
        name: String,
        /// How it is mounted.
        options: VolumeOptions,
    },
    /// A new volume without a name.
    Anonymous(VolumeOptions),
    /// A path of the engine's host.
    Bind {
        /// Absolute path.
        path: String,
        /// Whether a missing source is made.
        create: bool,
        /// Mount propagation.
        propagation: Option<String>,
        /// `z` or `Z`.
        selinux: Option<char>,
        /// What becomes of mounts below it; `None` leaves the engine's default.
        recursive: Option<Recursive>,
    },
    /// The files of an image.
    Image {
        /// Reference to the image.
        reference: String,
        /// A directory of it instead of its root.
        subpath: Option<String>,
    },
}

/// How a container is networked, by the names of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkSpecChoice {
    /// Networks to join; the first at creation, the rest before start.
    Join(Vec<JoinSpec>),
    /// `none`, `host`, `bridge`, `container:<name>`.
    Mode(String),
}

/// One network to join.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JoinSpec {
    /// Name in the engine.
    pub network: String,
    /// Further names on that network.
    pub aliases: Vec<String>,
    /// Fixed IPv4 address.
    pub ipv4_address: Option<String>,
    /// Fixed IPv6 address.
    pub ipv6_address: Option<String>,
    /// Fixed MAC address.
    pub mac_address: Option<String>,
    /// Link-local addresses.
    pub link_local_ips: Vec<String>,
    /// Options for the network's driver.
    pub driver_opts: BTreeMap<String, String>,
    /// The network with the highest has the default route.
    pub gw_priority: i64,
    /// Names of other containers, as `CONTAINER:NAME`.
    pub links: Vec<String>,
}

/// One file (or, with `Content::Symlink`, a link) that is put into a container's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSpec {
    /// Absolute path inside.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Owner, by the container's own numbers.
    pub uid: u32,
    /// Group, likewise.
    pub gid: u32,
    /// What the file holds.
    pub content: Content,
}

impl FileSpec {
    /// Makes a file that belongs to root.
    #[must_use]
    pub fn of_root(path: &str, mode: u32, content: Content) -> Self {
        Self { path: path.to_owned(), mode, uid: 0, gid: 0, content }
    }
}

/// What a file holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Bytes; may be secret, so `Debug` does not show them.
    Bytes(Vec<u8>),
    /// A symbolic link's target.
    Symlink(String),
    /// A directory; made where it is missing, with the mode.
    Directory,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Symlink(target) => write!(f, "Symlink({target})"),
            Self::Directory => f.write_str("Directory"),
        }
    }
}

/// A network to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Name in the engine.
    pub name: String,
    /// Driver.
    pub driver: Option<String>,
    /// Options of the driver.
    pub driver_opts: BTreeMap<String, String>,
    /// Whether the outside is not reachable.
    pub internal: bool,
    /// Whether others may join.
    pub attachable: bool,
    /// Whether IPv4 is on; `None` leaves the engine's default.
    pub enable_ipv4: Option<bool>,
    /// Whether IPv6 is on; `None` leaves the engine's default.
    pub enable_ipv6: Option<bool>,
    /// Where its addresses come from.
    pub ipam: Ipam,
    /// All labels.
    pub labels: BTreeMap<String, String>,
}

/// A volume to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeSpec {
    /// Name in the engine.
    pub name: String,
    /// Driver.
    pub driver: Option<String>,
    /// Options of the driver.
    pub driver_opts: BTreeMap<String, String>,
    /// All labels.
    pub labels: BTreeMap<String, String>,
}
