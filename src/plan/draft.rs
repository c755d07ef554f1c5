//! A plan while it is made. A step can only wait for steps that are there already, so that no plan has a cycle.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::observed::{ContainerState, ObservedContainer};
use crate::project::Project;

use super::{Action, Loss, Note, Plan, Reason, Settled, Step, StepId};

/// Time between stop signal and kill for a machine whose service is not known any more: systemd's
/// `DefaultTimeoutStopSec=`.
const MACHINE_GRACE: Duration = Duration::from_secs(90);
/// The same for a plain container: the engines' own default.
const PLAIN_GRACE: Duration = Duration::from_secs(10);

/// A growing plan.
#[derive(Debug, Default)]
pub(super) struct Draft {
    plan: Plan,
}

impl Draft {
    /// Adds a step that loses nothing.
    pub(super) fn step(
        &mut self,
        action: Action,
        reason: Reason,
        after: impl IntoIterator<Item = StepId>,
    ) -> StepId {
        self.losing(action, reason, after, None)
    }

    /// Adds a step that may lose something.
    pub(super) fn losing(
        &mut self,
        action: Action,
        reason: Reason,
        after: impl IntoIterator<Item = StepId>,
        destroys: Option<Loss>,
    ) -> StepId {
        let id = StepId(self.plan.steps.len());
        let after: BTreeSet<StepId> = after.into_iter().filter(|step| *step < id).collect();
        self.plan.steps.push(Step { action, reason, after, destroys, settles: None });
        id
    }

    /// Says what is kept in mind of a container once a step is done.
    pub(super) fn settles(&mut self, step: StepId, settled: Settled) {
        if let Some(step) = self.plan.steps.get_mut(step.0) {
            step.settles = Some(Box::new(settled));
        }
    }

    /// Adds a remark, once.
    pub(super) fn note(&mut self, note: Note) {
        if !self.plan.notes.contains(&note) {
            self.plan.notes.push(note);
        }
    }

    /// Ends the draft.
    pub(super) fn finish(self) -> Plan {
        self.plan
    }
}

/// Says what is lost when a container goes: a machine that ever ran has state in its root. A plain
/// container's root is expendable, as in Compose.
pub(super) fn loss(container: &ObservedContainer) -> Option<Loss> {
    let ran = container.state != ContainerState::Created;
    (ran && container.labels.machine.is_some()).then_some(Loss::Root { files: None })
}

/// Tells whether a container has processes that must be stopped before it can go.
pub(super) fn lives(state: &ContainerState) -> bool {
    match state {
        ContainerState::Running
        | ContainerState::Paused
        | ContainerState::Restarting
        | ContainerState::Other(_) => true,
        ContainerState::Created
        | ContainerState::Removing
        | ContainerState::Exited
        | ContainerState::Dead => false,
    }
}

/// Returns the time between stop signal and kill: the command's, the manifest's, or what such a container
/// usually needs.
pub(super) fn grace(
    container: &ObservedContainer,
    project: Option<&Project>,
    asked: Option<Duration>,
) -> Duration {
    let of_manifest =
        || project?.services.get(&container.labels.service).map(|service| service.stop_grace_period);
    let usual = if container.labels.machine.is_some() { MACHINE_GRACE } else { PLAIN_GRACE };
    asked.or_else(of_manifest).unwrap_or(usual)
}
