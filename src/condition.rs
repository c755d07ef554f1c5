//! Conditions that are awaited, and the pure judgement whether one holds.

use std::time::Duration;

use crate::observed::Now;
use crate::systemd::UnitName;

/// What must hold of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// It runs (or ran).
    Started,
    /// Its health check passed.
    Healthy,
    /// It exited with 0.
    CompletedSuccessfully,
    /// Its boot finished and no unit failed.
    Running,
    /// Its boot finished; failed units are accepted.
    Booted,
    /// These units are active.
    UnitsActive(Vec<UnitName>),
}

/// A condition with the time it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// What must hold.
    pub condition: Condition,
    /// After this time it counts as failed; `None` waits without bound (`service_healthy` in Compose).
    pub timeout: Option<Duration>,
}

/// What a look at a container says about a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It may still come to hold; says what is missing.
    NotYet(String),
    /// It cannot hold any more without somebody's doing; says why.
    Never(String),
}

impl Condition {
    /// Judges what is known of a container.
    #[must_use]
    pub fn judge(&self, now: &Now) -> Verdict {
        let _ = now;
        Verdict::NotYet(String::new())
    }
}
