//! Whether a call took effect, judged from an observation: what is asked when its reply is lost. Pure.
//!
//! Measured on Docker 20.10 and Podman 4.3: of requests whose client was gone before the reply, create,
//! rename, start, stop, remove and network-create all took effect. So neither may be assumed.

use std::collections::BTreeMap;

use crate::container::ContainerSpec;
use crate::engine::{Call, Done};
use crate::labels::{ContainerLabels, ObjectLabels};
use crate::observed::{ContainerState, Observed, ObservedContainer, Scope};

/// What an observation says about a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    /// The world is as the call would leave it.
    Took(Done),
    /// It is not; the call may be made again.
    Not,
    /// It cannot be seen from outside, and making the call twice does no harm.
    Unseen,
    /// It cannot be seen from outside, and making the call twice may do harm.
    Untold,
}

/// Returns what must be observed to judge a call.
pub(super) fn scope(project: &str, call: &Call) -> Scope {
    let mut scope = Scope { project: project.to_owned(), ..Scope::default() };
    match call {
        Call::CreateNetwork(spec) => drop(scope.networks.insert(spec.name.clone())),
        Call::RemoveNetwork { network } => drop(scope.networks.insert(network.clone())),
        Call::CreateVolume(spec) => drop(scope.volumes.insert(spec.name.clone())),
        Call::RemoveVolume { volume } => drop(scope.volumes.insert(volume.clone())),
        Call::Pull { reference, platform: _ } | Call::Look { reference } => {
            scope.images.insert(reference.clone());
        }
        Call::Build { tag, build: _ } => drop(scope.images.insert(tag.clone())),
        Call::CreateContainer(spec) => drop(scope.containers.insert(spec.name.clone())),
        Call::Put { container, files: _ }
        | Call::Connect { container, join: _ }
        | Call::Start { container }
        | Call::Stop { container, grace: _ }
        | Call::Kill { container, signal: _ }
        | Call::Unpause { container }
        | Call::Rename { container, to: _ }
        | Call::SetRestart { container, policy: _ }
        | Call::SetLimits { container, limits: _ }
        | Call::Disconnect { container, network: _ }
        | Call::Run { container, command: _, timeout: _ }
        | Call::Remember { container, applied: _ }
        | Call::Remove { container, volumes: _, force: _ } => {
            scope.containers.insert(container.clone());
        }
    }
    scope
}

/// Finds a container by name or id.
pub(super) fn find<'a>(observed: &'a Observed, name: &str) -> Option<&'a ObservedContainer> {
    let by_name = observed.containers.iter().find(|container| container.name == name);
    by_name.or_else(|| observed.containers.iter().find(|container| container.id == name))
}

/// Says whether a container was made from this specification, by the fingerprint in its labels.
pub(super) fn made_from(container: &ObservedContainer, spec: &ContainerSpec) -> bool {
    let key = |labels: &ContainerLabels| {
        let ContainerLabels { project, service, index, fingerprint, .. } = labels.clone();
        (project, service, index, fingerprint)
    };
    ContainerLabels::decode(&spec.labels).is_some_and(|wanted| key(&wanted) == key(&container.labels))
}

/// Judges whether a call took effect. `fresh` says that the container was made by this very plan: if it has
/// ended, it must have been started.
pub(super) fn of(call: &Call, observed: &Observed, fresh: bool) -> Effect {
    let state = |name: &str| find(observed, name).map(|container| &container.state);
    match call {
        Call::CreateNetwork(spec) => {
            let found = observed.networks.get(&spec.name);
            let labels = found.and_then(|network| network.labels.as_ref());
            made(ours(labels, &spec.labels), found.map(|network| network.id.clone()))
        }
        Call::CreateVolume(spec) => {
            let labels = observed.volumes.get(&spec.name).and_then(|volume| volume.labels.as_ref());
            made(ours(labels, &spec.labels), Some(spec.name.clone()))
        }
        Call::CreateContainer(spec) => {
            let found = find(observed, &spec.name);
            let same = found.is_some_and(|container| made_from(container, spec));
            made(same, found.map(|container| container.id.clone()))
        }
        Call::Connect { container, join } => {
            let found = find(observed, container);
            took(found.is_some_and(|container| container.networks.contains_key(&join.network)))
        }
        Call::Disconnect { container, network } => {
            let found = find(observed, container);
            took(found.is_none_or(|container| !container.networks.contains_key(network)))
        }
        Call::Start { container } => took(state(container).is_some_and(|state| was_started(state, fresh))),
        Call::Stop { container, grace: _ } => took(state(container).is_none_or(is_down)),
        Call::Kill { container, signal } => match state(container).is_none_or(is_down) {
            true => Effect::Took(Done::Nothing),
            // Whether a signal was delivered to a process that goes on cannot be seen.
            false if signal.is_some() => Effect::Untold,
            false => Effect::Not,
        },
        Call::Unpause { container } => took(state(container) != Some(&ContainerState::Paused)),
        Call::Rename { container, to } => {
            let there = find(observed, to);
            let moved = there.is_some_and(|found| found.name == *to);
            took(moved && find(observed, container).is_none_or(|found| found.name == *to))
        }
        Call::Remove { container, volumes: _, force: _ } => took(state(container).is_none()),
        Call::RemoveNetwork { network } => took(!observed.networks.contains_key(network)),
        Call::RemoveVolume { volume } => took(!observed.volumes.contains_key(volume)),
        // Each of these leaves the same behind however often it is made.
        Call::Put { .. }
        | Call::SetRestart { .. }
        | Call::SetLimits { .. }
        | Call::Run { .. }
        | Call::Remember { .. }
        | Call::Pull { .. }
        | Call::Build { .. }
        | Call::Look { .. } => Effect::Unseen,
    }
}

fn took(so: bool) -> Effect {
    if so { Effect::Took(Done::Nothing) } else { Effect::Not }
}

fn made(so: bool, id: Option<String>) -> Effect {
    match id {
        Some(id) if so => Effect::Took(Done::Created { id }),
        Some(_) | None => Effect::Not,
    }
}

fn ours(found: Option<&ObjectLabels>, wanted: &BTreeMap<String, String>) -> bool {
    found.is_some() && found == ObjectLabels::decode(wanted).as_ref()
}

fn was_started(state: &ContainerState, fresh: bool) -> bool {
    match state {
        ContainerState::Running | ContainerState::Restarting | ContainerState::Paused => true,
        ContainerState::Exited => fresh,
        ContainerState::Created
        | ContainerState::Removing
        | ContainerState::Dead
        | ContainerState::Other(_) => false,
    }
}

/// Says whether nothing runs in a container of this state.
pub(super) fn is_down(state: &ContainerState) -> bool {
    match state {
        ContainerState::Created | ContainerState::Exited | ContainerState::Dead => true,
        ContainerState::Running
        | ContainerState::Paused
        | ContainerState::Restarting
        | ContainerState::Removing
        | ContainerState::Other(_) => false,
    }
}
