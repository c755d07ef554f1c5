//! One manifest entry, its dependencies, its health check and its restart policy.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use indexmap::IndexMap;

use super::{
    Attachment, Develop, Device, FileReference, Foreign, Hardware, Hooks, ImageSource, Limits, Links,
    Logging, Machine, Mount, Namespaces, NetworkChoice, Port, PullPolicy, Ulimit, VolumesFrom,
};
use crate::systemd::UnitName;

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
    /// Secrets that it is given, by path inside, last one wins.
    pub secrets: Vec<FileReference>,
    /// Configs that it is given, likewise.
    pub configs: Vec<FileReference>,
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
    /// Devices that a driver chooses, and rules for devices.
    pub hardware: Hardware,
    /// Namespaces other than the network's.
    pub namespaces: Namespaces,
    /// Ties to other containers.
    pub links: Links,
    /// What the engine does with the output; `None` leaves it to the engine.
    pub logging: Option<Logging>,
    /// Whether an attached `up` shows its output.
    pub attach: bool,
    /// Annotations for the OCI runtime.
    pub annotations: BTreeMap<String, String>,
    /// Further groups of the command, by name or number.
    pub group_add: Vec<String>,
    /// Options of the engine's storage driver for the root file system.
    pub storage_opt: BTreeMap<String, String>,
    /// Platform of the image, such as `linux/arm64`; `None` is the engine's own.
    pub platform: Option<String>,
    /// MAC address on the first network.
    pub mac_address: Option<String>,
    /// Whether the engine's own socket is mounted inside.
    pub use_api_socket: bool,
    /// What only other systems do.
    pub foreign: Foreign,
    /// Commands that are run inside when a container was started, and before it is stopped.
    pub hooks: Hooks,
    /// Files of the host that are followed while the service is developed.
    pub develop: Develop,
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

impl Service {
    /// Time between the stop signal and the kill of a plain container (Compose's default).
    pub const GRACE: Duration = Duration::from_secs(10);
    /// The same for a machine: `DefaultTimeoutStopSec=` of systemd-system.conf(5), so that a unit which uses all
    /// of its own time still ends cleanly.
    pub const MACHINE_GRACE: Duration = Duration::from_secs(90);

    /// Returns the plain service that `NAME: { image: IMAGE }` means, on the default network.
    #[must_use]
    pub fn plain(name: &str, image: &str) -> Self {
        Self {
            name: name.to_owned(),
            image: ImageSource::Reference(image.to_owned()),
            pull_policy: PullPolicy::Missing,
            replicas: 1,
            container_name: None,
            command: None,
            entrypoint: None,
            hostname: None,
            domainname: None,
            environment: IndexMap::new(),
            environment_unset: Vec::new(),
            ports: Vec::new(),
            expose: Vec::new(),
            mounts: Vec::new(),
            secrets: Vec::new(),
            configs: Vec::new(),
            network: NetworkChoice::Join([("default".to_owned(), Attachment::default())].into()),
            depends_on: IndexMap::new(),
            healthcheck: None,
            restart: RestartPolicy::No,
            labels: IndexMap::new(),
            cap_add: Vec::new(),
            cap_drop: Vec::new(),
            devices: Vec::new(),
            sysctls: BTreeMap::new(),
            ulimits: BTreeMap::new(),
            limits: Limits::default(),
            hardware: Hardware::default(),
            namespaces: Namespaces::default(),
            links: Links::default(),
            logging: None,
            attach: true,
            annotations: BTreeMap::new(),
            group_add: Vec::new(),
            storage_opt: BTreeMap::new(),
            platform: None,
            mac_address: None,
            use_api_socket: false,
            foreign: Foreign::default(),
            hooks: Hooks::default(),
            develop: Develop::default(),
            security_opt: Vec::new(),
            privileged: false,
            read_only: false,
            extra_hosts: Vec::new(),
            dns: Vec::new(),
            dns_search: Vec::new(),
            dns_opt: Vec::new(),
            user: None,
            working_dir: None,
            stop_grace_period: Self::GRACE,
            stop_signal: None,
            shm_size: None,
            init: None,
            tty: false,
            stdin_open: false,
            runtime: None,
            userns_mode: None,
            profiles: Vec::new(),
            machine: None,
        }
    }

    /// Names the services whose containers this one is made with: it joins their namespaces, or takes over
    /// their mounts.
    pub fn made_with(&self) -> impl Iterator<Item = &str> {
        let volumes = self.links.volumes_from.iter().filter_map(VolumesFrom::service);
        self.shares().chain(volumes)
    }

    /// Names the services whose namespaces this one shares. An engine resolves `container:` to an id when it
    /// makes a container, so that it has to be replaced with the other one.
    pub fn shares(&self) -> impl Iterator<Item = &str> {
        let network = match &self.network {
            NetworkChoice::Service(other) => Some(other.as_str()),
            NetworkChoice::Join(_) | NetworkChoice::Mode(_) | NetworkChoice::Container(_) => None,
        };
        network.into_iter().chain(self.namespaces.services().map(|(_, other)| other))
    }

    /// Returns the machine that `NAME: { image: IMAGE }` means in `sdcompose.yaml`.
    #[must_use]
    pub fn machine(name: &str, image: &str) -> Self {
        Self {
            stop_grace_period: Self::MACHINE_GRACE,
            machine: Some(Machine::default()),
            ..Self::plain(name, image)
        }
    }
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
    /// A word that is none; planning refuses it.
    Unknown(String),
}
