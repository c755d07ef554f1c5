//! What a container may use of the host.

use super::blkio::Blkio;

/// Soft and hard resource limit; -1 is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ulimit {
    /// Soft limit.
    pub soft: i64,
    /// Hard limit.
    pub hard: i64,
}

impl Ulimit {
    /// Whether the soft limit is above the hard one.
    #[must_use]
    pub const fn is_reversed(self) -> bool {
        self.hard != -1 && (self.soft > self.hard || self.soft == -1)
    }
}

/// Limits of a container's cgroup, and where it hangs. What is `None` is left to the engine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Bytes of memory that are reserved (soft).
    pub memory_reservation: Option<u64>,
    /// Bytes of memory and swap together; negative is unlimited.
    pub memory_swap: Option<i64>,
    /// Percentage by which memory is swapped out, of cgroup v1.
    pub swappiness: Option<i64>,
    /// Whether nothing is killed where memory is short, of cgroup v1.
    pub oom_kill_disable: bool,
    /// How soon its processes are killed where memory is short, -1000 (never) to 1000 (proc(5)).
    pub oom_score_adj: Option<i64>,
    /// Billionths of a processor.
    pub nano_cpus: Option<u64>,
    /// Shares of processors in the kernel's own terms.
    pub cpu: Processor,
    /// Number of processes; -1 is unlimited.
    pub pids: Option<i64>,
    /// Shares of block devices.
    pub blkio: Option<Blkio>,
    /// Parent of the container's cgroup.
    pub parent: Option<String>,
}

impl Limits {
    /// Whether anything bounds what the container may use.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        let Self {
            memory,
            memory_reservation,
            memory_swap,
            // How memory is taken, not how much of it.
            swappiness: _,
            oom_kill_disable: _,
            oom_score_adj: _,
            nano_cpus,
            cpu,
            pids,
            blkio,
            parent: _,
        } = self;
        memory.is_some()
            || memory_reservation.is_some()
            || memory_swap.is_some_and(|bytes| bytes > 0)
            || nano_cpus.is_some()
            || *cpu != Processor::default()
            || pids.is_some_and(|pids| pids > 0)
            || blkio.is_some()
    }
}

/// Shares of processors as the kernel's cgroups count them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Processor {
    /// Length of a period of the completely fair scheduler, in microseconds.
    pub period: Option<i64>,
    /// Time within a period, in microseconds.
    pub quota: Option<i64>,
    /// Length of a period of the real-time scheduler, in microseconds, of cgroup v1.
    pub rt_period: Option<i64>,
    /// Time within it, in microseconds.
    pub rt_runtime: Option<i64>,
    /// Weight among containers; the kernel's default is 1024.
    pub shares: Option<i64>,
    /// Processors by number, such as `0-3,7`.
    pub set: Option<String>,
}
