//! `start`, `stop`, `restart` and `kill`: plans that change whether existing containers run, and nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::condition::Wait;
use crate::observed::{ContainerState, Observed, ObservedContainer};
use crate::project::{DependencyCondition, Project};
use crate::refusal::Refusal;

use super::draft::{Draft, lives};
use super::up::{cycle_refusal, unknown_services, waits};
use super::{Action, Plan, Reason, StepId, down, hooks, order};

/// What the commands ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeOptions {
    /// The services; none means all.
    pub services: Vec<String>,
    /// Whether services that asked to follow (`depends_on` with `restart: true`) stay out of a restart.
    pub no_deps: bool,
    /// Time between stop signal and kill, in place of the manifest's.
    pub stop_timeout: Option<Duration>,
}

/// Plans the start of containers that exist and do not run, each behind what it depends on, and awaits
/// machines.
///
/// # Errors
/// Names of services that the project does not have, or that have no container.
pub fn start(project: &Project, observed: &Observed, options: &ChangeOptions) -> Result<Plan, Vec<Refusal>> {
    let order = chosen(project, &options.services)?;
    refuse_absent(observed, options)?;
    let mut draft = Draft::default();
    start_in_order(&mut draft, project, observed, &order, &BTreeMap::new());
    Ok(draft.finish())
}

/// Plans a stop, dependents first. Works by labels alone where there is no manifest.
#[must_use]
pub fn stop(project: Option<&Project>, observed: &Observed, options: &ChangeOptions) -> Plan {
    let mut draft = Draft::default();
    let containers = of_services(observed, &options.services);
    down::stop_all(&mut draft, &containers, project, options.stop_timeout, &Reason::Requested);
    draft.finish()
}

/// Plans a stop, dependents first, and a start in order. Services that asked to follow a chosen one come along.
///
/// # Errors
/// Names of services that the project does not have, or that have no container.
pub fn restart(
    project: &Project,
    observed: &Observed,
    options: &ChangeOptions,
) -> Result<Plan, Vec<Refusal>> {
    chosen(project, &options.services)?;
    refuse_absent(observed, options)?;
    let services = if options.no_deps { options.services.clone() } else { with_followers(project, options) };
    let order = chosen(project, &services)?;
    let mut draft = Draft::default();
    let containers = of_services(observed, &order);
    let stopped =
        down::stop_all(&mut draft, &containers, Some(project), options.stop_timeout, &Reason::Requested);
    start_in_order(&mut draft, project, observed, &order, &stopped);
    Ok(draft.finish())
}

/// Plans the kill of running containers, all at once. Without a signal it is SIGKILL.
#[must_use]
pub fn kill(observed: &Observed, options: &ChangeOptions, signal: Option<&str>) -> Plan {
    let mut draft = Draft::default();
    for container in of_services(observed, &options.services) {
        if lives(&container.state) {
            let action =
                Action::Kill { container: container.name.clone(), signal: signal.map(str::to_owned) };
            draft.step(action, Reason::Requested, None);
        }
    }
    draft.finish()
}

/// Returns the chosen services in order of dependency, without adding any.
fn chosen(project: &Project, services: &[String]) -> Result<Vec<String>, Vec<Refusal>> {
    let unknown = unknown_services(project, services);
    if !unknown.is_empty() {
        return Err(unknown);
    }
    order::services(project, services, true).map_err(|cycle| vec![cycle_refusal(&cycle)])
}

/// Refuses chosen services that have no container to change.
fn refuse_absent(observed: &Observed, options: &ChangeOptions) -> Result<(), Vec<Refusal>> {
    let absent: Vec<Refusal> = options
        .services
        .iter()
        .filter(|name| observed.containers.iter().all(|container| container.labels.service != **name))
        .map(|name| {
            Refusal::of(name, format!("the service `{name}` has no container")).help("make it by `up`")
        })
        .collect();
    if absent.is_empty() { Ok(()) } else { Err(absent) }
}

/// Adds the services that asked to be restarted with a chosen one, and those that asked to follow them.
fn with_followers(project: &Project, options: &ChangeOptions) -> Vec<String> {
    let mut services = options.services.clone();
    let mut at = 0;
    while let Some(name) = services.get(at).cloned() {
        let followers = project
            .services
            .values()
            .filter(|service| service.depends_on.get(&name).is_some_and(|dependency| dependency.restart));
        for follower in followers {
            if !services.contains(&follower.name) {
                services.push(follower.name.clone());
            }
        }
        at += 1;
    }
    services
}

/// Returns the containers of some services, or all, by service and index.
fn of_services<'a>(observed: &'a Observed, services: &[String]) -> Vec<&'a ObservedContainer> {
    let mut containers: Vec<&ObservedContainer> = observed
        .containers
        .iter()
        .filter(|container| services.is_empty() || services.contains(&container.labels.service))
        .collect();
    containers.sort_by_key(|container| (&container.labels.service, container.labels.index, &container.name));
    containers
}

/// After which steps a service is as its dependents want it.
#[derive(Debug, Default)]
struct Reached {
    /// Its containers run, and its machines have booted.
    ready: Vec<StepId>,
    /// Their hooks were run.
    hooked: Vec<StepId>,
}

/// Starts what does not run (or was stopped by this plan), each behind the readiness of what it depends on, and
/// behind its hooks where it waits for more than a start.
fn start_in_order(
    draft: &mut Draft,
    project: &Project,
    observed: &Observed,
    order: &[String],
    stopped: &BTreeMap<String, Vec<StepId>>,
) {
    let all_stopped: Vec<StepId> = stopped.values().flatten().copied().collect();
    let mut reached: BTreeMap<&str, Reached> = BTreeMap::new();
    for service in order.iter().filter_map(|name| project.services.get(name)) {
        let mut before = all_stopped.clone();
        for name in crate::container::spec::needs(service) {
            let Some(other) = reached.get(name) else { continue };
            before.extend(&other.ready);
            let asked = service.depends_on.get(name).map(|dependency| &dependency.condition);
            if asked.is_some_and(|asked| *asked != DependencyCondition::Started) {
                before.extend(&other.hooked);
            }
        }
        let mut ends = Reached::default();
        for container in of_services(observed, std::slice::from_ref(&service.name)) {
            let restarted = stopped.contains_key(&service.name);
            let Some(action) = starting(container, restarted) else { continue };
            let thaws = matches!(action, Action::Unpause { .. });
            let started = draft.step(action, Reason::Requested, before.iter().copied());
            let end = waits::machine_wait(service).map_or(started, |wait: Wait| {
                let action = Action::Await { container: container.name.clone(), wait };
                draft.step(action, Reason::BootUnseen, [started])
            });
            ends.ready.push(end);
            if !thaws {
                ends.hooked.extend(hooks::after_start(draft, service, &container.name, end));
            }
        }
        reached.insert(&service.name, ends);
    }
}

/// Says how a container is made to run; `None` where it runs already.
fn starting(container: &ObservedContainer, restarted: bool) -> Option<Action> {
    let start = Action::Start { container: container.name.clone() };
    match container.state {
        ContainerState::Running | ContainerState::Restarting => restarted.then_some(start),
        ContainerState::Paused if restarted => Some(start),
        ContainerState::Paused => Some(Action::Unpause { container: container.name.clone() }),
        ContainerState::Created | ContainerState::Exited | ContainerState::Other(_) => Some(start),
        ContainerState::Removing | ContainerState::Dead => None,
    }
}
