//! What a list of containers does not tell: what was changed of a container since it was made, and what the
//! engine enforces. It takes a call or two for each container, so that it is asked for only where it matters.

use crate::container::record::Record;
use crate::project::RestartPolicy;
use crate::systemd::show::UnitUse;

/// What was changed of a container in place since it was made, as far as this host remembers it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Applied {
    /// Nothing: it is what its labels say.
    #[default]
    AsMade,
    /// It is what this fingerprint says.
    Is(String),
    /// A change was begun and its end was not seen, or another host may have made one.
    Unknown,
}

/// What is asked of one container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Closeness {
    /// Whether its systemd is asked for all services, which takes a command inside.
    pub units: bool,
}

/// One container, looked at closely.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Closer {
    /// What the engine enforces.
    pub enforced: Enforced,
    /// What was written into the machine; `None` in a plain container, and in a machine that has no record.
    pub record: Option<Record>,
    /// Its services; empty where they were not asked for.
    pub units: Vec<UnitUse>,
}

/// Limits and restart policy as the engine has them. 0 and an empty text are no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enforced {
    /// Bytes of memory.
    pub memory: i64,
    /// Bytes of memory that are reserved.
    pub memory_reservation: i64,
    /// Bytes of memory and swap together; negative is unlimited.
    pub memory_swap: i64,
    /// Billionths of a processor.
    pub nano_cpus: i64,
    /// Weight among containers.
    pub cpu_shares: i64,
    /// Length of a scheduler's period, in microseconds.
    pub cpu_period: i64,
    /// Time within a period, in microseconds.
    pub cpu_quota: i64,
    /// Length of a real-time period, in microseconds.
    pub cpu_rt_period: i64,
    /// Time within it, in microseconds.
    pub cpu_rt_runtime: i64,
    /// Processors by number.
    pub cpuset: String,
    /// Number of processes; negative is unlimited.
    pub pids: i64,
    /// When the engine starts it again by itself.
    pub restart: RestartPolicy,
}

impl Default for Enforced {
    fn default() -> Self {
        Self {
            memory: 0,
            memory_reservation: 0,
            memory_swap: 0,
            nano_cpus: 0,
            cpu_shares: 0,
            cpu_period: 0,
            cpu_quota: 0,
            cpu_rt_period: 0,
            cpu_rt_runtime: 0,
            cpuset: String::new(),
            pids: 0,
            restart: RestartPolicy::No,
        }
    }
}
