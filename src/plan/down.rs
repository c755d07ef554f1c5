//! `down`: the plan that removes what a project has in the engine. It works by labels alone, so that it does
//! not need the manifest; with the manifest it leaves orphans alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::observed::{ContainerState, Observed, ObservedContainer};
use crate::project::Project;

use super::draft::{Draft, grace, lives, loss};
use super::{Action, Loss, Plan, Reason, StepId, hooks, order, up};

/// What the command asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DownOptions {
    /// Whether named volumes of the project and anonymous ones of its containers go as well.
    pub volumes: bool,
    /// Whether containers of services that are not in the manifest go as well.
    pub remove_orphans: bool,
    /// Time between stop signal and kill, in place of the manifest's.
    pub stop_timeout: Option<Duration>,
}

/// Plans what removes a project: containers in reverse order of dependency, then networks, then volumes where
/// that was asked for. External networks and volumes, and those of others, are never touched.
#[must_use]
pub fn down(name: &str, project: Option<&Project>, observed: &Observed, options: &DownOptions) -> Plan {
    let mut draft = Draft::default();
    let orphans: BTreeSet<&str> = match project {
        Some(project) if !options.remove_orphans => {
            up::orphans(project, observed).into_iter().map(|container| container.name.as_str()).collect()
        }
        Some(_) | None => BTreeSet::new(),
    };
    let (left, going): (Vec<&ObservedContainer>, Vec<&ObservedContainer>) =
        observed.containers.iter().partition(|container| orphans.contains(container.name.as_str()));
    up::note_orphans(&mut draft, &left);
    let reason = Reason::Requested;
    let gone = remove(&mut draft, &going, project, options.stop_timeout, &reason, options.volumes);
    let in_use: BTreeSet<&str> =
        left.iter().flat_map(|container| container.networks.keys()).map(String::as_str).collect();
    for (network, found) in &observed.networks {
        let ours = found.labels.as_ref().is_some_and(|labels| labels.project == name);
        if ours && !in_use.contains(network.as_str()) {
            let action = Action::RemoveNetwork { network: network.clone() };
            draft.step(action, reason.clone(), gone.iter().copied());
        }
    }
    if options.volumes {
        let mounted: BTreeSet<&str> =
            left.iter().flat_map(|container| container.volumes.values()).map(String::as_str).collect();
        let external: BTreeSet<&str> = project
            .into_iter()
            .flat_map(|project| project.volumes.values())
            .filter(|volume| volume.external)
            .map(|volume| volume.name.as_str())
            .collect();
        for (volume, found) in &observed.volumes {
            let ours = found.labels.as_ref().is_some_and(|labels| labels.project == name);
            if ours && !mounted.contains(volume.as_str()) && !external.contains(volume.as_str()) {
                let action = Action::RemoveVolume { volume: volume.clone() };
                draft.losing(action, reason.clone(), gone.iter().copied(), Some(Loss::Volume));
            }
        }
    }
    draft.finish()
}

/// Stops and removes containers, dependents before what they depend on. Returns for each container, in the
/// order given, the step after which it is gone.
pub(super) fn remove(
    draft: &mut Draft,
    containers: &[&ObservedContainer],
    project: Option<&Project>,
    stop_timeout: Option<Duration>,
    reason: &Reason,
    volumes: bool,
) -> Vec<StepId> {
    let mut gone = vec![StepId(0); containers.len()];
    let mut stops = Stops::new(containers, project);
    for at in reversed(containers) {
        let container = containers[at];
        let stopped = stops.stop(draft, container, grace(container, project, stop_timeout), reason);
        let action = Action::Remove { container: container.name.clone(), volumes };
        gone[at] = draft.losing(action, reason.clone(), stopped, loss(container));
    }
    gone
}

/// Stops containers, dependents before what they depend on.
pub(super) fn stop_all(
    draft: &mut Draft,
    containers: &[&ObservedContainer],
    project: Option<&Project>,
    stop_timeout: Option<Duration>,
    reason: &Reason,
) -> BTreeMap<String, Vec<StepId>> {
    let mut order = Stops::new(containers, project);
    let mut stopped: BTreeMap<String, Vec<StepId>> = BTreeMap::new();
    for at in reversed(containers) {
        let container = containers[at];
        let steps = order.stop(draft, container, grace(container, project, stop_timeout), reason);
        stopped.entry(container.labels.service.clone()).or_default().extend(steps);
    }
    stopped
}

/// The stops that are planned, so that each comes behind those of its dependents.
struct Stops<'a> {
    /// Whose hooks come before the stops; without a manifest no hook is known.
    project: Option<&'a Project>,
    /// Services that depend on a service.
    dependents: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// Last stops of a service; where there was nothing to stop, those that it would have waited for.
    planned: BTreeMap<&'a str, Vec<StepId>>,
}

impl<'a> Stops<'a> {
    fn new(containers: &[&'a ObservedContainer], project: Option<&'a Project>) -> Self {
        let mut dependents: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for container in containers {
            for need in &container.labels.depends_on {
                dependents.entry(need).or_default().insert(&container.labels.service);
            }
        }
        Self { project, dependents, planned: BTreeMap::new() }
    }

    fn stop(
        &mut self,
        draft: &mut Draft,
        container: &'a ObservedContainer,
        grace: Duration,
        reason: &Reason,
    ) -> Vec<StepId> {
        let service = container.labels.service.as_str();
        let after: Vec<StepId> = self
            .dependents
            .get(service)
            .into_iter()
            .flatten()
            .filter(|dependent| **dependent != service)
            .filter_map(|dependent| self.planned.get(dependent))
            .flatten()
            .copied()
            .collect();
        let last = if lives(&container.state) {
            let after = thaw(draft, container, reason, after);
            let name = &container.name;
            let after = hooks::before_stop(draft, self.project, container, name, reason, after);
            let action = Action::Stop { container: container.name.clone(), grace };
            vec![draft.step(action, reason.clone(), after)]
        } else {
            after
        };
        self.planned.entry(service).or_default().extend(&last);
        last
    }
}

/// Thaws a paused container, since its processes cannot see a stop signal while they are frozen.
fn thaw(
    draft: &mut Draft,
    container: &ObservedContainer,
    reason: &Reason,
    after: Vec<StepId>,
) -> Vec<StepId> {
    if container.state == ContainerState::Paused {
        let action = Action::Unpause { container: container.name.clone() };
        return vec![draft.step(action, reason.clone(), after)];
    }
    after
}

/// Puts containers into the order of stopping: dependents first, then by service and the highest index first.
/// A cycle in the labels (two versions of a manifest) leaves their order open.
fn reversed(containers: &[&ObservedContainer]) -> Vec<usize> {
    let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for container in containers {
        let own = needs.entry(container.labels.service.clone()).or_default();
        own.extend(container.labels.depends_on.iter().cloned());
    }
    let rank = order::ranks(&needs);
    let mut places: Vec<usize> = (0..containers.len()).collect();
    places.sort_by_key(|at| {
        let labels = &containers[*at].labels;
        let rank = rank.get(&labels.service).copied().unwrap_or_default();
        std::cmp::Reverse((rank, labels.index, &containers[*at].name))
    });
    places
}
