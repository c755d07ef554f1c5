//! What the user means: one complete, validated project. No short forms, no positions, and no `Option`
//! that stands for "the default": an `Option` here means that the engine or the image decides.
//!
//! `project::resolve` makes it from a manifest; the planner and `config` read it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;

use crate::systemd::UnitName;

pub mod capability;
pub mod command_line;
pub mod device;
pub mod hosts;
pub mod image_ref;
pub mod machine;
pub mod mount;
pub mod name;
pub mod port;
pub mod quantity;
pub mod resolve;
pub mod scalar;
pub mod show;

pub use crate::systemd::privilege::{Feature, Privilege, ProfileName};
pub use machine::{
    Credential, CredentialSource, Identity, Journal, JournalStorage, Machine, Ready, UnitFile,
};

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

#[expect(clippy::struct_excessive_bools, reason = "each is one switch of the manifest language")]
/// One manifest entry: one container, or `replicas` alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// The manifest key.
    pub name: String,
    /// Where the image comes from.
    pub image: ImageSource,
    /// Whether and when the image is pulled.
    pub pull_policy: PullPolicy,
    /// How many containers.
    pub replicas: u32,
    /// A fixed container name; only with one replica.
    pub container_name: Option<String>,
    /// Arguments; `None` leaves the image's. Always `None` for a machine.
    pub command: Option<Vec<String>>,
    /// Executable and first arguments; `None` leaves the image's. Always `None` for a machine.
    pub entrypoint: Option<Vec<String>>,
    /// Host name; `None` lets sdcompose choose (`<service>` for machines, the engine's for plain ones).
    pub hostname: Option<String>,
    /// Domain name.
    pub domainname: Option<String>,
    /// Environment, fully resolved; values may be secret and are never shown in a plan.
    pub environment: IndexMap<String, String>,
    /// Names that the manifest wants from the host's environment and that are not set there; the container
    /// does not get them.
    pub environment_unset: Vec<String>,
    /// Published ports, ranges taken apart.
    pub ports: Vec<Port>,
    /// Ports that are only documented.
    pub expose: Vec<String>,
    /// Volumes and binds, by target, last one wins.
    pub mounts: Vec<Mount>,
    /// Networks that the service joins, or a mode without networks.
    pub network: NetworkChoice,
    /// What must hold of other services before this one starts, by their names.
    pub depends_on: IndexMap<String, Dependency>,
    /// Health check for the engine; `None` leaves the image's.
    pub healthcheck: Option<Healthcheck>,
    /// When the engine restarts the container by itself.
    pub restart: RestartPolicy,
    /// Labels of the user.
    pub labels: IndexMap<String, String>,
    /// Capabilities added, without `CAP_`, in upper case.
    pub cap_add: Vec<String>,
    /// Capabilities dropped, without `CAP_`, in upper case.
    pub cap_drop: Vec<String>,
    /// Host devices.
    pub devices: Vec<Device>,
    /// Kernel parameters of the container's namespaces.
    pub sysctls: BTreeMap<String, String>,
    /// Resource limits of processes.
    pub ulimits: BTreeMap<String, Ulimit>,
    /// Limits of the whole container.
    pub limits: Limits,
    /// Further options for the engine's security layers, as written.
    pub security_opt: Vec<String>,
    /// The user asked for all privileges by name (`privileged: true`).
    pub privileged: bool,
    /// Whether the root file system is read-only.
    pub read_only: bool,
    /// Entries for `/etc/hosts`: name and address.
    pub extra_hosts: Vec<(String, String)>,
    /// Name servers.
    pub dns: Vec<IpAddr>,
    /// Search domains of the resolver.
    pub dns_search: Vec<String>,
    /// Options of the resolver.
    pub dns_opt: Vec<String>,
    /// User that the command runs as; never for a machine, whose PID 1 is root.
    pub user: Option<String>,
    /// Working directory of the command.
    pub working_dir: Option<String>,
    /// Time between the stop signal and the kill.
    pub stop_grace_period: Duration,
    /// Stop signal; `None` leaves the image's. A machine always has one.
    pub stop_signal: Option<String>,
    /// Size of /dev/shm in bytes.
    pub shm_size: Option<u64>,
    /// Whether the engine puts a small init in front of the command; never for a machine.
    pub init: Option<bool>,
    /// Whether the command gets a terminal. A machine always has a console.
    pub tty: bool,
    /// Whether standard input stays open.
    pub stdin_open: bool,
    /// The OCI runtime by name.
    pub runtime: Option<String>,
    /// User namespace mode (`host`).
    pub userns_mode: Option<String>,
    /// Profiles that switch the service on; empty means always on.
    pub profiles: Vec<String>,
    /// What makes this container a systemd machine; `None` for a plain application container.
    pub machine: Option<Machine>,
}

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
}

/// One published port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    /// Port inside.
    pub target: u16,
    /// Host port, a range to pick from (`3000-3002`), or none for one that the engine picks.
    pub published: Option<PublishedPort>,
    /// Host address; `None` is every address, as in Compose.
    pub host_ip: Option<IpAddr>,
    /// Transport.
    pub protocol: Protocol,
}

/// A host port or range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublishedPort {
    /// First port.
    pub first: u16,
    /// Last port; the same as `first` for a single one.
    pub last: u16,
}

/// Transport of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}

/// One mount of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Path inside, absolute.
    pub target: String,
    /// What is mounted.
    pub source: MountSource,
    /// Whether writing is refused.
    pub read_only: bool,
}

/// What a mount shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountSource {
    /// A volume of the project, by its manifest key.
    Volume {
        /// Key in [`Project::volumes`].
        key: String,
        /// Whether the image's files are not copied into a new volume.
        nocopy: bool,
    },
    /// A volume without a name, made with the container.
    Anonymous,
    /// A path of the engine's host.
    Bind {
        /// Absolute path.
        path: PathBuf,
        /// Whether a missing source is made as a directory (short form) or refused (long form).
        create: bool,
        /// Mount propagation, as written.
        propagation: Option<String>,
        /// `z` or `Z`.
        selinux: Option<char>,
    },
    /// Memory.
    Tmpfs {
        /// Upper bound in bytes.
        size: Option<u64>,
        /// Permission bits of the mount point.
        mode: Option<u32>,
        /// Further mount options as written in `tmpfs:` (`noexec,uid=1000`).
        options: Option<String>,
    },
}

/// How a service is networked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkChoice {
    /// It joins networks of the project, by manifest key; the first is joined at creation.
    Join(IndexMap<String, Attachment>),
    /// A mode of the engine instead: `none`, `host`, `bridge`.
    Mode(String),
    /// The network namespace of another service's container.
    Service(String),
    /// The network namespace of a container by name.
    Container(String),
}

/// How a service joins one network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attachment {
    /// Further names on that network; the service's own name and the container's come on top.
    pub aliases: Vec<String>,
    /// Fixed IPv4 address.
    pub ipv4_address: Option<String>,
    /// Fixed IPv6 address.
    pub ipv6_address: Option<String>,
    /// Fixed MAC address.
    pub mac_address: Option<String>,
    /// Order of joining, highest first.
    pub priority: i64,
}

/// `depends_on:` one other service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// What must hold.
    pub condition: DependencyCondition,
    /// Whether this service is restarted when the other one is replaced or restarted by sdcompose.
    pub restart: bool,
    /// Whether the dependency's absence is an error.
    pub required: bool,
}

/// What must hold of another service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DependencyCondition {
    /// Its containers were started.
    Started,
    /// Its health check passed.
    Healthy,
    /// Its containers exited with 0.
    CompletedSuccessfully,
    /// Its machines finished booting.
    Ready,
    /// A unit inside its machines is active.
    UnitActive(UnitName),
}

/// `healthcheck:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healthcheck {
    /// The command.
    pub test: HealthTest,
    /// Time between two runs.
    pub interval: Option<Duration>,
    /// Time a run may take.
    pub timeout: Option<Duration>,
    /// Failures in a row before unhealthy.
    pub retries: Option<u32>,
    /// Time in which failures do not count.
    pub start_period: Option<Duration>,
    /// Interval within the start period.
    pub start_interval: Option<Duration>,
}

/// The command of a health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthTest {
    /// Switches the image's check off.
    Disabled,
    /// Leaves the image's command.
    Inherit,
    /// Executes an argument vector.
    Command(Vec<String>),
    /// Runs a line in the container's shell.
    Shell(String),
}

/// `restart:`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RestartPolicy {
    /// Never.
    #[default]
    No,
    /// Always, also after a reboot.
    Always,
    /// After failures, at most so many times; 0 is without bound.
    OnFailure {
        /// Upper bound.
        max: u32,
    },
    /// Always, but not after it was stopped by hand.
    UnlessStopped,
}

/// A host device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Path on the host, or a CDI name.
    pub source: String,
    /// Path inside.
    pub target: String,
    /// `rwm` or a part of it.
    pub permissions: String,
}

/// Soft and hard resource limit; -1 is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ulimit {
    /// Soft limit.
    pub soft: i64,
    /// Hard limit.
    pub hard: i64,
}

/// Limits of a container's cgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Bytes of memory that are reserved (soft).
    pub memory_reservation: Option<u64>,
    /// Billionths of a processor.
    pub nano_cpus: Option<u64>,
    /// Number of processes; -1 is unlimited.
    pub pids: Option<i64>,
}

#[expect(clippy::struct_excessive_bools, reason = "each is one switch of the manifest language")]
/// A network of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Manifest key.
    pub key: String,
    /// Name in the engine.
    pub name: String,
    /// Whether it belongs to somebody else and is never made or removed.
    pub external: bool,
    /// Driver; `None` leaves the engine's default.
    pub driver: Option<String>,
    /// Options of the driver.
    pub driver_opts: BTreeMap<String, String>,
    /// Whether the outside is not reachable.
    pub internal: bool,
    /// Whether containers that are not of this project may join.
    pub attachable: bool,
    /// Whether IPv6 is on.
    pub enable_ipv6: bool,
    /// Address pools.
    pub ipam: Vec<IpamPool>,
    /// Labels of the user.
    pub labels: BTreeMap<String, String>,
}

/// An address pool of a network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IpamPool {
    /// Subnet in CIDR form.
    pub subnet: Option<String>,
    /// Part of the subnet to give out.
    pub ip_range: Option<String>,
    /// The gateway's address.
    pub gateway: Option<String>,
}

/// A named volume of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Manifest key.
    pub key: String,
    /// Name in the engine.
    pub name: String,
    /// Whether it belongs to somebody else and is never made or removed.
    pub external: bool,
    /// Driver; `None` leaves the engine's default.
    pub driver: Option<String>,
    /// Options of the driver.
    pub driver_opts: BTreeMap<String, String>,
    /// Labels of the user.
    pub labels: BTreeMap<String, String>,
}
