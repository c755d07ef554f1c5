//! What makes a service a systemd machine: the `systemd:` key, resolved. Types only; `project::resolve`
//! makes them, the planner and `config` read them.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use indexmap::IndexMap;

use super::FileSource;
use crate::systemd::UnitName;
use crate::systemd::privilege::{Feature, Privilege};

/// What makes a service a systemd machine: the `systemd:` key, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The unit that PID 1 boots.
    pub target: UnitName,
    /// Path of systemd; `None` lets it be found in the image.
    pub init: Option<String>,
    /// Further arguments for PID 1.
    pub args: Vec<String>,
    /// `--log-level=` of PID 1.
    pub log_level: String,
    /// `--log-target=` of PID 1; `None` leaves systemd's own choice.
    pub log_target: Option<String>,
    /// How PID 1 gets its cgroup and capabilities.
    pub privilege: Privilege,
    /// What the machine needs beyond booting.
    pub features: BTreeSet<Feature>,
    /// Units started in addition.
    pub enable: Vec<UnitName>,
    /// Units that cannot be started.
    pub mask: Vec<UnitName>,
    /// Whether the list of units that cannot work in a container is masked as well.
    pub mask_defaults: bool,
    /// Unit files and drop-ins given to the machine.
    pub units: IndexMap<UnitName, UnitFile>,
    /// Whether `environment` reaches the units and not only PID 1.
    pub environment_to_units: bool,
    /// Credentials by name.
    pub credentials: IndexMap<String, Credential>,
    /// What "ready" means.
    pub ready: Ready,
    /// Time after which the boot has failed.
    pub boot_timeout: Duration,
    /// How the journal is kept.
    pub journal: Journal,
    /// Where `container_uuid` comes from.
    pub identity: Identity,
}

impl Machine {
    /// How long a boot may take: the same time that systemd gives a unit (`DefaultTimeoutStartSec=`).
    pub const BOOT_TIMEOUT: Duration = Duration::from_secs(90);
}

impl Default for Machine {
    /// What `systemd: true` means.
    fn default() -> Self {
        Self {
            target: UnitName::multi_user_target(),
            init: None,
            args: Vec::new(),
            log_level: "info".to_owned(),
            log_target: None,
            privilege: Privilege::Auto,
            features: BTreeSet::new(),
            enable: Vec::new(),
            mask: Vec::new(),
            mask_defaults: true,
            units: IndexMap::new(),
            environment_to_units: true,
            credentials: IndexMap::new(),
            ready: Ready::Running,
            boot_timeout: Self::BOOT_TIMEOUT,
            journal: Journal::default(),
            identity: Identity::Derived,
        }
    }
}

/// One entry of `systemd.credentials`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Where it comes from.
    pub source: FileSource,
    /// What it holds; may be secret, so `Debug` does not show it.
    pub bytes: Vec<u8>,
}

impl Credential {
    /// Most bytes of one (`CREDENTIAL_SIZE_MAX` of systemd, `src/shared/creds-util.h`).
    pub const MOST_BYTES: usize = 1024 * 1024;
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({} bytes)", self.bytes.len())
    }
}

/// One entry of `systemd.units`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnitFile {
    /// The whole unit file, where one is given.
    pub content: Option<Vec<u8>>,
    /// Text of a drop-in, where one is given.
    pub drop_in: Option<Vec<u8>>,
    /// Whether the unit is started at boot.
    pub enable: bool,
    /// Whether the unit cannot be started.
    pub mask: bool,
}

/// `systemd.ready`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// The boot finished and no unit failed.
    Running,
    /// The boot finished; failed units are reported and accepted.
    Degraded,
    /// These units are active.
    Units(Vec<UnitName>),
}

/// `systemd.journal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// Where it is kept.
    pub storage: JournalStorage,
    /// Upper bound in bytes.
    pub max: u64,
    /// Whether entries also go to the console, and so to the engine's logs.
    pub forward_console: bool,
}

impl Default for Journal {
    /// In memory, which /run is, and so with a bound.
    fn default() -> Self {
        Self { storage: JournalStorage::Volatile, max: 64 * 1024 * 1024, forward_console: false }
    }
}

/// `Storage=` of journald.conf(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalStorage {
    /// In /run.
    Volatile,
    /// In /var/log/journal.
    Persistent,
    /// In /var/log/journal where that directory exists.
    Auto,
    /// Nowhere.
    None,
}

/// `systemd.identity`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Derived from project, service and replica.
    Derived,
    /// The image's own /etc/machine-id, or a random one.
    Image,
    /// A fixed id of 32 hexadecimal digits; only with one replica.
    Fixed(String),
}
