//! The steps of one replica: what is put right first, then what makes it run.

use crate::container::spec::{assemble, decision};
use crate::container::{ContainerSpec, remarks};
use crate::observed::{ContainerState, ObservedContainer};
use crate::project::{MountSource, NetworkChoice, Service};
use crate::refusal::Refusal;
use crate::systemd::defaults::Decision;

use super::super::draft::{grace, lives, loss};
use super::super::fate::{Fate, Group, Mend, Replica, image_id};
use super::super::{Action, Note, Reason, Recovery, StepId, hooks};
use super::in_place::{Changed, Moment};
use super::run::Run;
use super::settled_name;
use super::waits::own_wait;

/// Where a replica's steps end.
#[derive(Debug, Clone)]
pub(super) struct End<'a> {
    pub(super) name: String,
    /// The container that is kept; `None` where a new one was made.
    pub(super) kept: Option<&'a ObservedContainer>,
    /// The step after which it has its name; `None` where it has it already.
    pub(super) mended: Option<StepId>,
    /// The step after which it runs; `None` where it does already (or is only made).
    pub(super) started: Option<StepId>,
    /// The step that replaced it, which has waited for its readiness.
    pub(super) replaced: Option<StepId>,
    /// The step after which its own readiness was seen; `None` where nothing waits for that.
    pub(super) ready: Option<StepId>,
    /// How it is changed in place.
    pub(super) changed: Option<Changed>,
}

impl End<'_> {
    /// Tells whether it is thawed in this run, which is no start.
    pub(super) fn thaws(&self) -> bool {
        self.kept.is_some_and(|container| container.state == ContainerState::Paused)
    }

    /// The step after which it has to show that it is ready: where it is started, or units of it are. `None` where
    /// it is left alone.
    pub(super) fn begun(&self) -> Option<StepId> {
        self.changed.filter(|changed| changed.touches_units).map(|changed| changed.last).or(self.started)
    }
}

impl<'a> Run<'a> {
    /// Plans one replica. `before` are the steps that it may not start before, `rolling` the replacement of the
    /// replica before it: replicas are replaced one by one, so that a bad image stops at the first.
    pub(super) fn replica(
        &mut self,
        group: &Group<'a>,
        replica: &Replica<'a>,
        before: &[StepId],
        rolling: Option<StepId>,
    ) -> Result<End<'a>, Refusal> {
        let mended = self.mend(group.service, replica);
        let mut after: Vec<StepId> = mended.into_iter().collect();
        let mut end = End {
            name: replica.name.clone(),
            kept: replica.existing,
            mended,
            started: None,
            replaced: None,
            ready: None,
            changed: None,
        };
        match &replica.fate {
            Fate::Keep => {
                let runs = replica.existing.is_some_and(|found| found.state == ContainerState::Running);
                let moment = if runs { Moment::Running } else { Moment::Stopped };
                after.extend(before);
                let changed = self.change_in_place(group.service, replica, &after, moment)?;
                end.changed = changed;
            }
            Fate::Create { reason } => {
                let spec = self.spec(group.service, replica.index)?;
                // What was made under its right name and never started is completed by the same step.
                let completes = |found: &&ObservedContainer| {
                    found.state == ContainerState::Created && found.name == replica.name
                };
                if let Some(debris) = replica.existing.filter(|found| !completes(found)) {
                    after = vec![self.discard(debris, &replica.name, reason, &after)];
                }
                after.extend(self.needs_made(group.service));
                let created = self.draft.step(Action::Create(Box::new(spec)), reason.clone(), after);
                end.kept = None;
                if self.options.start {
                    end.started =
                        Some(self.start(group.service, replica, before, [created], Reason::WithProject));
                }
            }
            Fate::Start { state } => {
                let reason = Reason::NotRunning { state: state.clone() };
                let changed = self.change_in_place(group.service, replica, &after, Moment::Stopped)?;
                after.extend(changed.map(|changed| changed.last));
                end.started = Some(self.start(group.service, replica, before, after, reason));
            }
            Fate::Unpause => {
                let action = Action::Unpause { container: replica.name.clone() };
                let reason = Reason::NotRunning { state: "paused".to_owned() };
                let thawed = self.draft.step(action, reason, after.into_iter().chain(before.iter().copied()));
                end.started = Some(thawed);
                let changed = self.change_in_place(group.service, replica, &[thawed], Moment::Running)?;
                end.changed = changed;
            }
            Fate::Restart { service } => {
                let reason = Reason::DependencyRestarted { service: service.clone() };
                after.extend(before);
                let mut stopped = self.stop(replica, &reason, after);
                if let Some(changed) =
                    self.change_in_place(group.service, replica, &[stopped], Moment::Stopped)?
                {
                    stopped = changed.last;
                }
                end.started = Some(self.start(group.service, replica, before, [stopped], reason));
            }
            Fate::Replace { reason } => {
                after.extend(before.iter().copied().chain(rolling));
                let step = self.replace(group.service, replica, reason, after)?;
                (end.kept, end.started, end.replaced) = (None, Some(step), Some(step));
            }
        }
        Ok(end)
    }

    /// Puts right what was left, and returns the last step of it.
    fn mend(&mut self, service: &Service, replica: &Replica<'a>) -> Option<StepId> {
        let mut last = None;
        for mend in &replica.mends {
            let step = match mend {
                Mend::Recover { aside, outcome } => self.recover(service, replica, aside, *outcome),
                Mend::Rename { from } => {
                    let action = Action::Rename { from: from.name.clone(), to: replica.name.clone() };
                    self.draft.step(action, Reason::Misnamed, last)
                }
                Mend::Discard { container, reason } => {
                    self.discard(container, &container.name, reason, last.as_slice())
                }
            };
            last = Some(step);
        }
        last
    }

    fn recover(
        &mut self,
        service: &Service,
        replica: &Replica<'_>,
        aside: &ObservedContainer,
        outcome: Recovery,
    ) -> StepId {
        let action = Action::Recover {
            container: settled_name(&replica.name).to_owned(),
            aside: aside.name.clone(),
            outcome,
            grace: grace(aside, Some(self.project), self.options.stop_timeout),
            restart: service.restart.clone(),
        };
        let lost = match outcome {
            Recovery::RemoveOld => loss(aside),
            Recovery::RenameBack | Recovery::RollBack => None,
        };
        self.draft.losing(action, Reason::CutOff, None, lost)
    }

    /// Stops a container where it lives, and removes it under the name that it has by then; its anonymous
    /// volumes stay.
    fn discard(
        &mut self,
        container: &ObservedContainer,
        name: &str,
        reason: &Reason,
        after: &[StepId],
    ) -> StepId {
        let mut after: Vec<StepId> = after.to_vec();
        let worthless = matches!(container.state, ContainerState::Dead | ContainerState::Created);
        let lost = if worthless { None } else { loss(container) };
        if lives(&container.state) {
            let grace = grace(container, Some(self.project), self.options.stop_timeout);
            after = self.before_stop(container, name, reason, after);
            let action = Action::Stop { container: name.to_owned(), grace };
            after = vec![self.draft.step(action, reason.clone(), after)];
        }
        let action = Action::Remove { container: name.to_owned(), volumes: false };
        let removed = self.draft.losing(action, reason.clone(), after, lost);
        self.frees(container, removed);
        removed
    }

    fn start(
        &mut self,
        service: &Service,
        replica: &Replica<'_>,
        before: &[StepId],
        after: impl IntoIterator<Item = StepId>,
        reason: Reason,
    ) -> StepId {
        let held = self.ports_held(&service.ports);
        let after = after.into_iter().chain(before.iter().copied()).chain(held);
        self.draft.step(Action::Start { container: replica.name.clone() }, reason, after)
    }

    fn before_stop(
        &mut self,
        container: &ObservedContainer,
        name: &str,
        reason: &Reason,
        after: Vec<StepId>,
    ) -> Vec<StepId> {
        hooks::before_stop(&mut self.draft, Some(self.project), container, name, reason, after)
    }

    fn stop(&mut self, replica: &Replica<'_>, reason: &Reason, mut after: Vec<StepId>) -> StepId {
        if let Some(container) = replica.existing {
            after = self.before_stop(container, &replica.name, reason, after);
        }
        let grace = replica.existing.map_or_else(Default::default, |container| {
            grace(container, Some(self.project), self.options.stop_timeout)
        });
        let action = Action::Stop { container: replica.name.clone(), grace };
        self.draft.step(action, reason.clone(), after)
    }

    fn replace(
        &mut self,
        service: &Service,
        replica: &Replica<'_>,
        reason: &Reason,
        mut after: Vec<StepId>,
    ) -> Result<StepId, Refusal> {
        let spec = self.spec(service, replica.index)?;
        after.extend(self.needs_made(service));
        after.extend(self.ports_held(&service.ports));
        let (grace, lost) = replica.existing.map_or((service.stop_grace_period, None), |old| {
            (grace(old, Some(self.project), self.options.stop_timeout), loss(old))
        });
        let action = Action::Replace {
            spec: Box::new(spec),
            wait: own_wait(service),
            grace,
            keep_anonymous: !self.options.renew_anonymous,
            hooks: service.hooks.clone(),
        };
        let step = self.draft.losing(action, reason.clone(), after, lost);
        if let Some(old) = replica.existing {
            self.frees(old, step);
        }
        Ok(step)
    }

    /// Makes a replica's specification, with the remarks that belong to it.
    fn spec(&mut self, service: &Service, index: u32) -> Result<ContainerSpec, Refusal> {
        let reference = service.image.reference();
        let image = self.observed.images.get(reference);
        let seen = image.and_then(|image| image.facts.as_ref());
        let decision = decision(self.project, service, index, self.facts, seen)?;
        for text in remarks::of_service(service, self.facts) {
            self.draft.note(Note::Warning { service: service.name.clone(), text });
        }
        if service.machine.is_some() && seen.is_none() {
            self.draft.note(Note::ImageUnseen { reference: reference.to_owned() });
        }
        if let Some(decision) = &decision {
            self.remark(service, decision, seen.is_some());
        }
        let id = image_id(self.observed, service);
        Ok(assemble(self.project, service, index, self.facts, decision.as_ref(), id))
    }

    fn remark(&mut self, service: &Service, decision: &Decision, seen: bool) {
        if decision.advisory_limits {
            let profile = decision.profile.as_str().to_owned();
            self.draft.note(Note::AdvisoryLimits { service: service.name.clone(), profile });
        }
        // That the image was not looked into has a note of its own.
        for text in decision.remarks.iter().filter(|_| seen) {
            self.draft.note(Note::Warning { service: service.name.clone(), text: text.clone() });
        }
    }

    /// Returns the steps that make what a container is made with: networks, volumes, and the containers whose
    /// namespaces or mounts it takes.
    fn needs_made(&self, service: &Service) -> Vec<StepId> {
        let volumes = service.mounts.iter().filter_map(|mount| match &mount.source {
            MountSource::Volume { key, options: _ } => self.volumes.get(key.as_str()),
            MountSource::Anonymous(_)
            | MountSource::Bind { .. }
            | MountSource::Tmpfs { .. }
            | MountSource::Image { .. }
            | MountSource::NamedPipe(_)
            | MountSource::Cluster(_) => None,
        });
        let mut steps: Vec<StepId> = volumes.copied().collect();
        match &service.network {
            NetworkChoice::Join(keys) => {
                steps.extend(keys.keys().filter_map(|key| self.networks.get(key.as_str())).copied());
            }
            NetworkChoice::Service(_) | NetworkChoice::Mode(_) | NetworkChoice::Container(_) => {}
        }
        let partners = service.made_with().filter_map(|other| self.reached.get(other));
        steps.extend(partners.flat_map(|reached| &reached.started));
        steps
    }
}

/// Tells whether a kept container ran before this run.
pub(super) fn ran(container: &ObservedContainer) -> bool {
    matches!(container.state, ContainerState::Running | ContainerState::Restarting)
}
