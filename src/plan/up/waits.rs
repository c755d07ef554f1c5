//! What is awaited: only what something waits for, and the readiness of each machine that was started or
//! never seen to be ready.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::condition::{Condition, Wait};
use crate::container::spec::needs;
use crate::observed::{Health, ObservedContainer};
use crate::project::{DependencyCondition, HealthTest, Ready, Service};
use crate::systemd::UnitName;

use super::super::fate::{Group, exit_code};
use super::super::{Action, Reason, StepId, hooks};
use super::UpOptions;
use super::replica::{End, ran};
use super::run::Run;

/// How long an image's own health check may keep silent: an image without one never reports.
const SILENT_HEALTH: Duration = Duration::from_secs(600);

/// That a service waits for a condition.
#[derive(Debug, Clone)]
pub(super) struct Needed<'a> {
    /// The service that waits.
    pub(super) by: &'a str,
    /// For what.
    pub(super) condition: &'a DependencyCondition,
}

/// After which steps conditions of a service hold.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// After which its containers run.
    pub(super) started: Vec<StepId>,
    /// After which a condition holds.
    pub(super) awaited: Vec<(Condition, Vec<StepId>)>,
    /// After which its `post_start` hooks were run.
    pub(super) hooked: Vec<StepId>,
}

/// Lists what the services that are started wait for, by the service that they wait for.
pub(super) fn needed<'a>(groups: &'a [Group<'a>], options: &UpOptions) -> BTreeMap<&'a str, Vec<Needed<'a>>> {
    let mut needed: BTreeMap<&str, Vec<Needed<'a>>> = BTreeMap::new();
    for group in groups.iter().filter(|group| options.start && group.moves()) {
        for (name, dependency) in &group.service.depends_on {
            let by = group.service.name.as_str();
            needed.entry(name).or_default().push(Needed { by, condition: &dependency.condition });
        }
    }
    needed
}

/// Returns the condition of a service that says it is ready.
fn readiness(service: &Service) -> Condition {
    match &service.machine {
        Some(machine) => match &machine.ready {
            Ready::Running => Condition::Running,
            Ready::Degraded => Condition::Booted,
            Ready::Units(units) => Condition::UnitsActive(units.clone()),
        },
        None if checks_health(service) => Condition::Healthy,
        None => Condition::Started,
    }
}

fn checks_health(service: &Service) -> bool {
    service.healthcheck.as_ref().is_some_and(|check| match check.test {
        HealthTest::Command(_) | HealthTest::Shell(_) => true,
        HealthTest::Disabled | HealthTest::Inherit => false,
    })
}

/// Returns what a new container of a service must meet to be good, and how long it may take.
pub(super) fn own_wait(service: &Service) -> Wait {
    wait(service, readiness(service))
}

/// Returns what a started machine is awaited by; `None` for a plain container.
pub(in crate::plan) fn machine_wait(service: &Service) -> Option<Wait> {
    service.machine.as_ref().map(|_| own_wait(service))
}

/// Gives a condition its time: a machine's `boot_timeout`; without bound where the engine's own health check
/// ends in one of two ways, or a command runs to its end.
fn wait(service: &Service, condition: Condition) -> Wait {
    let boot = service.machine.as_ref().map(|machine| machine.boot_timeout);
    let timeout = match &condition {
        Condition::Running | Condition::Booted | Condition::UnitsActive(_) => boot,
        Condition::Healthy if checks_health(service) => None,
        Condition::Healthy => Some(SILENT_HEALTH),
        Condition::Started => Some(Duration::from_secs(30)),
        Condition::CompletedSuccessfully => None,
    };
    Wait {
        enabled: if condition == Condition::Running { enabled(service) } else { Vec::new() },
        condition,
        timeout,
    }
}

/// The units that a machine is to start beyond those of its image.
fn enabled(service: &Service) -> Vec<UnitName> {
    let Some(machine) = &service.machine else { return Vec::new() };
    let files = machine.units.iter().filter(|(_, file)| file.enable && !file.mask).map(|(name, _)| name);
    machine.enable.iter().chain(files).cloned().collect()
}

/// Translates what a dependent asks for into what is awaited.
fn condition(service: &Service, asked: &DependencyCondition) -> Condition {
    match asked {
        DependencyCondition::Started => Condition::Started,
        DependencyCondition::Healthy => Condition::Healthy,
        DependencyCondition::CompletedSuccessfully => Condition::CompletedSuccessfully,
        DependencyCondition::Ready if service.machine.is_none() => Condition::Started,
        DependencyCondition::Ready => readiness(service),
        DependencyCondition::UnitActive(unit) => Condition::UnitsActive(vec![unit.clone()]),
    }
}

/// Tells whether the snapshot shows already that a condition holds of a container that is kept.
///
/// READY=1 that was seen says that the boot is over, not that no unit failed: for the machine's own sake that is
/// enough, the run that saw it told of failed units. For a dependent (`needed`) systemd is asked anew.
fn holds(condition: &Condition, ready: &Condition, container: &ObservedContainer, needed: bool) -> bool {
    match condition {
        Condition::Started => true,
        Condition::Healthy => container.health == Some(Health::Healthy),
        Condition::CompletedSuccessfully => exit_code(container) == Some(0),
        Condition::Booted => condition == ready && container.ready_seen && ran(container),
        Condition::Running | Condition::UnitsActive(_) => {
            !needed && condition == ready && container.ready_seen && ran(container)
        }
    }
}

fn was_ready_when_paused(end: &End<'_>) -> bool {
    end.thaws() && end.kept.is_some_and(|container| container.ready_seen)
}

impl<'a> Run<'a> {
    /// Returns the steps that must be done before a service may start.
    pub(super) fn before(&self, group: &Group<'a>) -> Vec<StepId> {
        let mut steps = Vec::new();
        for name in needs(group.service) {
            let (Some(reached), Some(other)) = (self.reached.get(name), self.project.services.get(name))
            else {
                continue;
            };
            let wanted = group.service.depends_on.get(name).map(|dependency| &dependency.condition);
            let asked = wanted.map(|wanted| condition(other, wanted));
            let found = asked.and_then(|asked| {
                reached.awaited.iter().find(|(known, _)| *known == asked).map(|(_, steps)| steps)
            });
            // What is awaited comes behind the start; what holds already leaves only the start.
            steps.extend(found.unwrap_or(&reached.started));
            if wanted.is_some_and(|wanted| *wanted != DependencyCondition::Started) {
                steps.extend(&reached.hooked);
            }
        }
        steps
    }

    /// Plans the awaits of one service, and the hooks that follow its start.
    pub(super) fn await_group(&mut self, group: &Group<'a>, ends: &mut [End<'a>]) {
        let last = |end: &End<'_>| end.changed.map(|changed| changed.last).or(end.started);
        let mut reached = Reached { started: ends.iter().filter_map(last).collect(), ..Reached::default() };
        if self.options.start {
            for (condition, reason) in self.wanted(group) {
                let steps = self.await_all(group, ends, &condition, &reason);
                if !steps.is_empty() {
                    reached.awaited.push((condition, steps));
                }
            }
            reached.hooked = self.post_start(group, ends);
        }
        self.reached.insert(&group.service.name, reached);
    }

    /// Plans the hooks of the containers that are started: of a machine behind its readiness, since nothing may be
    /// run inside before its systemd has set itself up; of a plain container right behind its start, as Docker
    /// Compose does. What is replaced runs its own within the replacement, and what is thawed was started before.
    fn post_start(&mut self, group: &Group<'_>, ends: &[End<'a>]) -> Vec<StepId> {
        let is_machine = group.service.machine.is_some();
        let started = ends.iter().filter(|end| end.replaced.is_none() && !end.thaws());
        started
            .filter_map(|end| {
                let after = if is_machine { end.ready } else { end.started }?;
                end.started?;
                hooks::after_start(&mut self.draft, group.service, &end.name, after)
            })
            .collect()
    }

    /// Lists what is awaited of a service: what others ask for, then its own readiness.
    fn wanted(&self, group: &Group<'_>) -> Vec<(Condition, Reason)> {
        let mut wanted: Vec<(Condition, Vec<String>)> = Vec::new();
        for needed in self.needed.get(group.service.name.as_str()).into_iter().flatten() {
            let condition = condition(group.service, needed.condition);
            if condition == Condition::Started {
                continue;
            }
            match wanted.iter_mut().find(|(known, _)| *known == condition) {
                Some((_, by)) => by.push(needed.by.to_owned()),
                None => wanted.push((condition, vec![needed.by.to_owned()])),
            }
        }
        let ready = readiness(group.service);
        let own = group.service.machine.is_some() || self.options.wait;
        let mut list: Vec<(Condition, Reason)> = wanted
            .into_iter()
            .map(|(condition, services)| (condition, Reason::NeededBy { services }))
            .collect();
        // A command that others wait for to end is not awaited to run; hooks need a machine that has booted.
        let hooks = group.service.machine.is_some() && !group.service.hooks.post_start.is_empty();
        let ends = list.iter().any(|(known, _)| *known == Condition::CompletedSuccessfully);
        if own && (hooks || !ends) && list.iter().all(|(known, _)| *known != ready) {
            list.push((ready, Reason::BootUnseen));
        }
        list
    }

    fn await_all(
        &mut self,
        group: &Group<'_>,
        ends: &mut [End<'a>],
        condition: &Condition,
        reason: &Reason,
    ) -> Vec<StepId> {
        let ready = readiness(group.service);
        let mut steps = Vec::new();
        for end in ends {
            if let Some(replaced) = end.replaced.filter(|_| *condition == ready) {
                steps.push(replaced);
                continue;
            }
            // A machine that was ready before it was paused is ready when it is thawed.
            if let Some(thawed) = end.started.filter(|_| *condition == ready && was_ready_when_paused(end)) {
                steps.push(thawed);
                continue;
            }
            if end.begun().is_none() && !self.still_open(end, condition, &ready, reason) {
                continue;
            }
            let wait = wait(group.service, condition.clone());
            let action = Action::Await { container: end.name.clone(), wait };
            let step = self.draft.step(action, reason.clone(), end.begun().or(end.mended));
            if *condition == ready {
                end.ready = Some(step);
            }
            steps.push(step);
        }
        steps
    }

    /// Tells whether a container that is not started in this run has to be awaited. On a remote engine its
    /// readiness cannot be seen in a snapshot: there it is only asked for when something waits for it.
    fn still_open(&self, end: &End<'_>, condition: &Condition, ready: &Condition, reason: &Reason) -> bool {
        let Some(container) = end.kept else { return false };
        let needed = *reason != Reason::BootUnseen;
        if holds(condition, ready, container, needed) {
            return false;
        }
        needed || (ran(container) && (self.facts.notify_root.is_some() || self.options.wait))
    }
}
