//! Conditions that are awaited, and the pure judgement whether one holds.

use std::fmt;
use std::time::Duration;

use crate::observed::{ContainerState, Health, Now, UnitStatus};
use crate::systemd::{ActiveState, LoadState, SystemState, UnitName};

#[cfg(test)]
mod tests;

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

impl fmt::Display for Condition {
    /// Writes what is waited for, as a plan shows it behind the container's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("started"),
            Self::Healthy => f.write_str("healthy"),
            Self::CompletedSuccessfully => f.write_str("exited with 0"),
            Self::Running => f.write_str("running"),
            Self::Booted => f.write_str("booted"),
            Self::UnitsActive(units) => {
                let names: Vec<&str> = units.iter().map(UnitName::as_str).collect();
                write!(f, "{} active", names.join(", "))
            }
        }
    }
}

/// A condition with the time it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// What must hold.
    pub condition: Condition,
    /// After this time it counts as failed; `None` waits without bound (`service_healthy` in Compose).
    pub timeout: Option<Duration>,
    /// Units that the manifest lets the machine start. systemd boots as if nothing had been asked of it where it
    /// cannot load one, so that [`Condition::Running`] alone says nothing of them.
    pub enabled: Vec<UnitName>,
}

/// Says which of the units that a machine was to start it cannot even load; `None` where it can load them all.
/// To be asked after the boot.
#[must_use]
pub fn not_loaded(units: &[(UnitName, UnitStatus)]) -> Option<String> {
    let booted = Now { booted: true, ..Now::default() };
    let reasons: Vec<String> = units
        .iter()
        .filter_map(|(name, unit)| {
            match unloadable(&UnitStatus { name: name.clone(), ..unit.clone() }, &booted) {
                Some(Verdict::Never(why)) => Some(why),
                Some(Verdict::NotYet(_) | Verdict::Holds) | None => None,
            }
        })
        .collect();
    (!reasons.is_empty()).then(|| format!("the boot is done, but {}", reasons.join(", ")))
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
        match self {
            Self::Started => started(now),
            Self::Healthy => healthy(now),
            Self::CompletedSuccessfully => completed(now),
            Self::Running => alive(now).unwrap_or_else(|| running(now)),
            Self::Booted => alive(now).unwrap_or_else(|| booted(now)),
            Self::UnitsActive(units) => alive(now).unwrap_or_else(|| units_active(units, now)),
        }
    }
}

fn not_yet(text: impl Into<String>) -> Verdict {
    Verdict::NotYet(text.into())
}

fn never(text: impl Into<String>) -> Verdict {
    Verdict::Never(text.into())
}

fn started(now: &Now) -> Verdict {
    match &now.state {
        None => not_yet("not looked at yet"),
        Some(ContainerState::Created) => not_yet("not started yet"),
        Some(
            ContainerState::Running
            | ContainerState::Paused
            | ContainerState::Restarting
            | ContainerState::Exited
            | ContainerState::Other(_),
        ) => Verdict::Holds,
        Some(ContainerState::Removing | ContainerState::Dead) => never("it is being removed"),
    }
}

/// Says what stands in the way of any condition that needs a living container; `None` where it lives.
fn alive(now: &Now) -> Option<Verdict> {
    match &now.state {
        None => Some(not_yet("not looked at yet")),
        Some(ContainerState::Created) => Some(not_yet("not started yet")),
        Some(ContainerState::Running) => None,
        Some(ContainerState::Paused) => Some(not_yet("it is paused")),
        Some(ContainerState::Restarting) => Some(not_yet(format!("it restarts{}", code(now)))),
        Some(ContainerState::Exited) => Some(never(format!("it exited{}", code(now)))),
        Some(ContainerState::Removing | ContainerState::Dead) => Some(never("it is being removed")),
        Some(ContainerState::Other(word)) => Some(not_yet(format!("it is {word}"))),
    }
}

fn code(now: &Now) -> String {
    now.exit_code.map(|code| format!(" with {code}")).unwrap_or_default()
}

fn healthy(now: &Now) -> Verdict {
    if let Some(verdict) = alive(now) {
        return verdict;
    }
    match now.health {
        Some(Health::Healthy) => Verdict::Holds,
        Some(Health::Starting) => not_yet("its health check has not passed yet"),
        Some(Health::Unhealthy) => never("its health check failed too often"),
        // The first report may come after the state, so that its absence is no proof of having no check.
        None => not_yet("its health check has not reported (an image without one never will)"),
    }
}

fn completed(now: &Now) -> Verdict {
    match (&now.state, now.exit_code) {
        (None, _) => not_yet("not looked at yet"),
        (Some(ContainerState::Exited), Some(0)) => Verdict::Holds,
        (Some(ContainerState::Exited), Some(code)) => never(format!("it exited with {code}")),
        (Some(ContainerState::Exited), None) => not_yet("it exited, its code is not known yet"),
        (Some(ContainerState::Removing | ContainerState::Dead), _) => never("it is being removed"),
        (Some(state), _) => not_yet(format!("it is {}", state.as_str())),
    }
}

fn running(now: &Now) -> Verdict {
    match &now.system {
        Some(SystemState::Running) => Verdict::Holds,
        Some(SystemState::Degraded) => never(failed_units(&now.failed)),
        Some(SystemState::Maintenance) => never("systemd is in rescue or emergency mode"),
        Some(SystemState::Stopping) => never("systemd is shutting down"),
        Some(state) if !now.booted => not_yet(format!("systemd is {state}")),
        // READY=1 says that the first queue of jobs is done, not how; and a queue that fills again later
        // shows as `starting`.
        Some(state) => not_yet(format!("the boot is done, systemd is {state}")),
        None if now.booted && !now.failed.is_empty() => never(failed_units(&now.failed)),
        None if now.booted => not_yet("the boot is done, systemd was not asked yet"),
        None => not_yet("booting"),
    }
}

fn booted(now: &Now) -> Verdict {
    match &now.system {
        Some(SystemState::Running | SystemState::Degraded) => Verdict::Holds,
        // Rescue and emergency mode empty the queue of jobs as well, and READY=1 is said there too.
        Some(SystemState::Maintenance) => never("systemd is in rescue or emergency mode"),
        Some(SystemState::Stopping) => never("systemd is shutting down"),
        Some(_) | None if now.booted => Verdict::Holds,
        Some(state) => not_yet(format!("systemd is {state}")),
        None => not_yet("booting"),
    }
}

fn failed_units(failed: &[UnitStatus]) -> String {
    if failed.is_empty() {
        return "the boot is done, and units failed".to_owned();
    }
    let units: Vec<String> = failed.iter().map(failure).collect();
    format!("the boot is done, and {}", units.join(", "))
}

/// Names a failed unit with systemd's result.
fn failure(unit: &UnitStatus) -> String {
    match unit.exec_status {
        Some(status) if status != 0 => format!("{} failed ({}, status {status})", unit.name, unit.result),
        Some(_) | None => format!("{} failed ({})", unit.name, unit.result),
    }
}

/// All units must be active; the first that never will be decides, else all that are missing are named.
fn units_active(units: &[UnitName], now: &Now) -> Verdict {
    let mut missing = Vec::new();
    for name in units {
        match unit_active(name, now) {
            Verdict::Holds => {}
            Verdict::NotYet(why) => missing.push(why),
            Verdict::Never(why) => return Verdict::Never(why),
        }
    }
    if missing.is_empty() { Verdict::Holds } else { Verdict::NotYet(missing.join(", ")) }
}

fn unit_active(name: &UnitName, now: &Now) -> Verdict {
    let Some(unit) = now.units.get(name) else { return not_yet(format!("{name} was not asked for yet")) };
    if let Some(verdict) = unloadable(unit, now) {
        return verdict;
    }
    match &unit.active {
        ActiveState::Active | ActiveState::Reloading | ActiveState::Refreshing => Verdict::Holds,
        ActiveState::Failed => never(failure(unit)),
        ActiveState::Inactive if finished(unit) => Verdict::Holds,
        ActiveState::Inactive if now.booted => {
            not_yet(format!("{name} is inactive though the boot is done (is it enabled?)"))
        }
        // A failed start that systemd repeats (`Restart=`) shows as activating (auto-restart).
        state @ (ActiveState::Inactive
        | ActiveState::Activating
        | ActiveState::Deactivating
        | ActiveState::Maintenance
        | ActiveState::Other(_)) => not_yet(format!("{name} is {state} ({})", unit.sub)),
    }
}

/// Tells whether a oneshot service without `RemainAfterExit=` did its work: it never stays active, its start
/// job ends when the process does, and what is ordered after it starts then (systemd.service(5), Type=). Its
/// process must have run, so that a unit that was skipped or never started does not count.
fn finished(unit: &UnitStatus) -> bool {
    unit.kind == "oneshot" && unit.result == "success" && unit.exec_status == Some(0)
}

/// Says why a unit cannot be started at all; `None` where it can.
fn unloadable(unit: &UnitStatus, now: &Now) -> Option<Verdict> {
    let name = &unit.name;
    match &unit.load {
        // A generator or an installation during the boot may still bring it.
        LoadState::NotFound if !now.booted => Some(not_yet(format!("{name} does not exist yet"))),
        LoadState::NotFound => Some(never(format!("{name} does not exist in the machine"))),
        LoadState::Masked => Some(never(format!("{name} is masked"))),
        LoadState::BadSetting => Some(never(format!("{name} has a setting that systemd refuses"))),
        LoadState::Error => Some(never(format!("{name} could not be loaded"))),
        LoadState::Stub | LoadState::Loaded | LoadState::Merged | LoadState::Other(_) => None,
    }
}
