//! Readiness as a health check: what dependents wait for in a machine, asked of its systemd.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::facts::{ApiVersion, Facts};
use crate::project::{DependencyCondition, HealthTest, Healthcheck, Machine, Project, Ready, Service};
use crate::systemd::UnitName;

/// The first API with `StartInterval` (moby `docs/api/version-history.md`, 1.44).
const START_INTERVAL_SINCE: ApiVersion = ApiVersion { major: 1, minor: 44 };
/// Between two checks while the machine boots; a check costs one `systemctl`.
const SOON: Duration = Duration::from_secs(1);
/// Between two checks where the engine knows one interval only.
const STEADY: Duration = Duration::from_secs(2);
/// Between two checks of a machine that is up, where the engine knows both.
const SELDOM: Duration = Duration::from_secs(30);
/// What one `systemctl` may take on a loaded host.
const PATIENCE: Duration = Duration::from_secs(10);

/// What all services of a project wait for in its machines.
#[derive(Debug, Default)]
pub(super) struct Wishes<'a> {
    by_machine: BTreeMap<&'a str, Wish<'a>>,
    start_interval: bool,
}

/// What is waited for in one machine.
#[derive(Debug, Default)]
struct Wish<'a> {
    ready: bool,
    units: BTreeSet<&'a UnitName>,
    healthy: bool,
}

impl<'a> Wishes<'a> {
    /// Collects what services wait for.
    pub(super) fn of(project: &'a Project, facts: &Facts) -> Self {
        let mut wishes = Self { start_interval: facts.api >= START_INTERVAL_SINCE, ..Self::default() };
        for (name, dependency) in project.services.values().flat_map(|service| &service.depends_on) {
            let wish = wishes.by_machine.entry(name).or_default();
            match &dependency.condition {
                DependencyCondition::Ready => wish.ready = true,
                DependencyCondition::UnitActive(unit) => {
                    wish.units.insert(unit);
                }
                DependencyCondition::Healthy => wish.healthy = true,
                DependencyCondition::Started | DependencyCondition::CompletedSuccessfully => {}
            }
        }
        wishes
    }

    /// Tells whether a health check stands for a machine's readiness.
    pub(super) fn is_gated(&self, name: &str) -> bool {
        self.by_machine.get(name).is_some_and(|wish| wish.ready || !wish.units.is_empty())
    }

    /// Tells whether one check stands for more than one condition.
    pub(super) fn is_joined(&self, service: &Service) -> bool {
        let Some(wish) = self.by_machine.get(service.name.as_str()) else { return false };
        let own = service.healthcheck.as_ref().is_some_and(|check| line(&check.test).is_some());
        let asked = usize::from(wish.ready) + wish.units.len();
        asked > 1 || asked == 1 && own
    }

    /// Returns the health check of a machine in the file: its own where nothing waits for its systemd.
    pub(super) fn healthcheck(&self, service: &Service, machine: &Machine) -> Option<Healthcheck> {
        let Some(wish) = self.by_machine.get(service.name.as_str()).filter(|_| self.is_gated(&service.name))
        else {
            return service.healthcheck.clone();
        };
        let mut lines = Vec::new();
        if wish.ready {
            lines.push(ready(&machine.ready));
        }
        let own_units: &[UnitName] = match &machine.ready {
            Ready::Units(units) if wish.ready => units,
            Ready::Units(_) | Ready::Running | Ready::Degraded => &[],
        };
        let units = wish.units.iter().filter(|unit| !own_units.contains(unit));
        lines.extend(units.map(|unit| active(unit)));
        lines.extend(service.healthcheck.as_ref().and_then(|check| line(&check.test)));
        let boot = Healthcheck {
            test: HealthTest::Shell(lines.join(" && ")),
            interval: Some(if self.start_interval { SELDOM } else { STEADY }),
            timeout: Some(PATIENCE),
            retries: Some(3),
            start_period: Some(machine.boot_timeout),
            start_interval: self.start_interval.then_some(SOON),
        };
        Some(match &service.healthcheck {
            None => boot,
            Some(own) => Healthcheck {
                test: boot.test,
                interval: own.interval.or(boot.interval),
                timeout: own.timeout.or(boot.timeout),
                retries: own.retries.or(boot.retries),
                // The boot counts as well as what the check itself was given.
                start_period: own.start_period.max(boot.start_period),
                start_interval: own.start_interval.or(boot.start_interval),
            },
        })
    }
}

/// Asks whether a machine is ready. `is-system-running` ends with 0 for `running` only (systemctl(1)).
fn ready(ready: &Ready) -> String {
    match ready {
        Ready::Running => "systemctl is-system-running --quiet".to_owned(),
        Ready::Degraded => "systemctl is-system-running | grep -qE '^(running|degraded)$'".to_owned(),
        Ready::Units(units) => units.iter().map(active).collect::<Vec<_>>().join(" && "),
    }
}

/// Asks for one unit: with several, `is-active` ends with 0 where any of them is active (systemctl(1)).
fn active(unit: &UnitName) -> String {
    format!("systemctl is-active --quiet {}", quoted(unit.as_str()))
}

/// A health check as a line for the shell; `None` where there is no command.
fn line(test: &HealthTest) -> Option<String> {
    match test {
        HealthTest::Disabled | HealthTest::Inherit => None,
        HealthTest::Command(words) => {
            Some(words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
        }
        // The line may hold operators of its own.
        HealthTest::Shell(line) => Some(format!("{{ {line}\n}}")),
    }
}

/// A word for the shell, quoted where it needs to be.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%_-+=:,./".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
