//! What happens inside a simulated container, as data: units with durations and ends, an end of PID 1, a
//! health check. Everything that is so at an instant follows from the script and the time since the start.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::observed::{Health, UnitStatus};
use crate::systemd::{ActiveState, LoadState, SystemState, UnitName};

/// What happens in the containers of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// Units of the boot; none for what is no machine.
    pub units: Vec<ScriptUnit>,
    /// How PID 1 ends by itself, where it does.
    pub end: Option<End>,
    /// Time that it takes to stop after its stop signal.
    pub stop_takes: Duration,
    /// Results of the health check, by the time since the start, in order.
    pub health: Vec<(Duration, Health)>,
    /// What commands that are run inside do, by their words with a blank between them.
    pub commands: BTreeMap<String, Reply>,
}

/// What a command does that is run inside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// Its exit code.
    pub code: i64,
    /// The lines that it prints.
    pub lines: Vec<String>,
    /// Time that it takes.
    pub takes: Duration,
}

/// How PID 1 ends by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// Time since the start.
    pub after: Duration,
    /// Its exit code.
    pub code: i64,
    /// What the console shows last.
    pub console: Vec<String>,
}

/// One unit of a boot.
#[derive(Debug, Clone, PartialEq)]
pub struct ScriptUnit {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Units that must have ended their start before this one begins.
    pub after: Vec<String>,
    /// Time that its start takes.
    pub takes: Duration,
    /// How its start ends.
    pub end: UnitEnd,
    /// Lines of its log.
    pub log: Vec<String>,
}

/// How the start of a unit ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitEnd {
    /// It is active.
    Active,
    /// It was a oneshot and is inactive again.
    Done,
    /// It failed with this exit status.
    Fails(i32),
    /// It does not end.
    Hangs,
}

impl Script {
    /// A container that runs until it is stopped, without systemd.
    #[must_use]
    pub fn plain() -> Self {
        Self {
            units: Vec::new(),
            end: None,
            stop_takes: Duration::from_millis(300),
            health: Vec::new(),
            commands: BTreeMap::new(),
        }
    }

    /// A machine with one unit `basic.target` that is up after 300 ms.
    #[must_use]
    pub fn machine() -> Self {
        Self { stop_takes: Duration::from_millis(500), ..Self::plain() }
            .unit(ScriptUnit::named("basic.target", 300))
    }

    /// Adds a unit.
    #[must_use]
    pub fn unit(mut self, unit: ScriptUnit) -> Self {
        self.units.push(unit);
        self
    }

    /// Lets PID 1 end by itself, with the lines that its console shows.
    #[must_use]
    pub fn ends(mut self, after_ms: u64, code: i64, console: &[&str]) -> Self {
        let console = console.iter().map(|&line| line.to_owned()).collect();
        self.end = Some(End { after: Duration::from_millis(after_ms), code, console });
        self
    }

    /// Says what a command does that is run inside.
    #[must_use]
    pub fn command(mut self, command: &str, takes_ms: u64, code: i64, lines: &[&str]) -> Self {
        let lines = lines.iter().map(|&line| line.to_owned()).collect();
        let reply = Reply { code, lines, takes: Duration::from_millis(takes_ms) };
        self.commands.insert(command.to_owned(), reply);
        self
    }

    /// Adds a result of the health check.
    #[must_use]
    pub fn health(mut self, after_ms: u64, health: Health) -> Self {
        self.health.push((Duration::from_millis(after_ms), health));
        self
    }

    /// Says when each unit begins and ends its start; a time is missing where it never does.
    pub(super) fn schedule(&self) -> Schedule<'_> {
        let mut times: BTreeMap<&str, Times> = BTreeMap::new();
        // Each turn settles at least one unit; what is left after as many turns waits in a circle.
        for _ in 0..=self.units.len() {
            for unit in &self.units {
                let befores = || unit.after.iter().filter(|name| self.units.iter().any(|u| u.name == **name));
                if times.contains_key(unit.name.as_str())
                    || !befores().all(|name| times.contains_key(name.as_str()))
                {
                    continue;
                }
                let ends: Option<Vec<Duration>> = befores().map(|name| times[name.as_str()].end).collect();
                let begin = ends.map(|ends| ends.into_iter().max().unwrap_or_default());
                let end = begin.filter(|_| unit.end != UnitEnd::Hangs).map(|begin| begin + unit.takes);
                times.insert(&unit.name, Times { begin, end });
            }
        }
        Schedule { script: self, times }
    }
}

impl ScriptUnit {
    /// A unit that becomes active after so many milliseconds.
    #[must_use]
    pub fn named(name: &str, takes_ms: u64) -> Self {
        Self {
            name: name.to_owned(),
            description: format!("The unit {name}"),
            after: Vec::new(),
            takes: Duration::from_millis(takes_ms),
            end: UnitEnd::Active,
            log: Vec::new(),
        }
    }

    /// Lets it begin after another unit.
    #[must_use]
    pub fn after(mut self, name: &str) -> Self {
        self.after.push(name.to_owned());
        self
    }

    /// Lets its start end so.
    #[must_use]
    pub fn ending(mut self, end: UnitEnd) -> Self {
        self.end = end;
        self
    }

    /// Adds a line to its log.
    #[must_use]
    pub fn logging(mut self, line: &str) -> Self {
        self.log.push(line.to_owned());
        self
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Times {
    begin: Option<Duration>,
    end: Option<Duration>,
}

/// A script with the times of its units.
pub(super) struct Schedule<'a> {
    script: &'a Script,
    times: BTreeMap<&'a str, Times>,
}

impl Schedule<'_> {
    fn times(&self, unit: &ScriptUnit) -> Times {
        self.times.get(unit.name.as_str()).copied().unwrap_or_default()
    }

    /// When the initial job queue is done; `None` where it never is, or where there is none.
    pub(super) fn ready(&self) -> Option<Duration> {
        if self.script.units.is_empty() {
            return None;
        }
        let ends: Option<Vec<Duration>> = self.script.units.iter().map(|unit| self.times(unit).end).collect();
        ends?.into_iter().max()
    }

    /// When commands may be run inside: the first unit is up, or a unit has begun to be started by then.
    pub(super) fn first_progress(&self) -> Option<Duration> {
        self.ups().first().map(|(at, _)| *at)
    }

    /// Console lines of units whose start ended, with their times, in order.
    pub(super) fn ups(&self) -> Vec<(Duration, String)> {
        let line = |unit: &ScriptUnit| match unit.end {
            UnitEnd::Active => Some(format!("Started {} - {}.", unit.name, unit.description)),
            UnitEnd::Done => Some(format!("Finished {} - {}.", unit.name, unit.description)),
            UnitEnd::Fails(_) => Some(format!("Failed to start {} - {}.", unit.name, unit.description)),
            UnitEnd::Hangs => None,
        };
        let mut ups: Vec<(Duration, String)> =
            self.script.units.iter().filter_map(|unit| Some((self.times(unit).end?, line(unit)?))).collect();
        ups.sort_by_key(|(at, _)| *at);
        ups
    }

    /// State of a unit at a time since the start.
    pub(super) fn status(&self, name: &str, at: Duration) -> Option<UnitStatus> {
        let unit = self.script.units.iter().find(|unit| unit.name == name)?;
        let times = self.times(unit);
        let reached = |time: Option<Duration>| time.is_some_and(|time| time <= at);
        let (active, sub, result, status) = if !reached(times.begin) {
            (ActiveState::Inactive, "dead", "success", None)
        } else if !reached(times.end) {
            (ActiveState::Activating, "start", "success", None)
        } else {
            match unit.end {
                UnitEnd::Active => (ActiveState::Active, "running", "success", None),
                UnitEnd::Done | UnitEnd::Hangs => (ActiveState::Inactive, "dead", "success", Some(0)),
                UnitEnd::Fails(status) => (ActiveState::Failed, "failed", "exit-code", Some(status)),
            }
        };
        Some(UnitStatus {
            name: UnitName::parse(name).ok()?,
            description: unit.description.clone(),
            load: LoadState::Loaded,
            active,
            sub: sub.to_owned(),
            result: result.to_owned(),
            exec_status: status,
            kind: if unit.end == UnitEnd::Done { "oneshot" } else { "simple" }.to_owned(),
        })
    }

    /// State of the whole system at a time since the start.
    pub(super) fn system(&self, at: Duration) -> SystemState {
        if self.ready().is_none_or(|ready| ready > at) {
            SystemState::Starting
        } else if self.failed(at).is_empty() {
            SystemState::Running
        } else {
            SystemState::Degraded
        }
    }

    /// Units that have failed at a time since the start.
    pub(super) fn failed(&self, at: Duration) -> Vec<UnitStatus> {
        let all = self.script.units.iter().filter_map(|unit| self.status(&unit.name, at));
        all.filter(|unit| unit.active == ActiveState::Failed).collect()
    }

    /// Jobs that wait or run at a time since the start, as `systemctl list-jobs` says it.
    pub(super) fn jobs(&self, at: Duration) -> Vec<(String, &'static str)> {
        let open = |unit: &&ScriptUnit| self.times(unit).end.is_none_or(|end| end > at);
        let state = |unit: &ScriptUnit| match self.times(unit).begin {
            Some(begin) if begin <= at => "running",
            Some(_) | None => "waiting",
        };
        self.script.units.iter().filter(open).map(|unit| (unit.name.clone(), state(unit))).collect()
    }
}
