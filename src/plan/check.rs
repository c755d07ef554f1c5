//! A linter for any plan, whoever made it: nothing waits for what comes later, nothing is used before it
//! exists, nothing is removed twice, nothing destroys data without saying so.

use std::collections::{BTreeMap, BTreeSet};

use crate::container::{ContainerSpec, MountSpecSource, NetworkSpecChoice};

use super::hooks::HookRun;
use super::{Action, Loss, Plan, Recovery, Step, StepId};
use crate::project::Stage;

/// Something wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("step {}: {what}", step.0 + 1)]
pub struct Fault {
    /// The step.
    pub step: StepId,
    /// What is wrong with it.
    pub what: String,
}

/// Returns all faults of a plan; none where it is sound.
#[must_use]
pub fn check(plan: &Plan) -> Vec<Fault> {
    let mut checker = Checker {
        plan,
        made: BTreeMap::new(),
        gone: BTreeMap::new(),
        started: BTreeMap::new(),
        hooked: BTreeMap::new(),
        faults: Vec::new(),
    };
    for (at, step) in plan.steps.iter().enumerate() {
        checker.step(StepId(at), step);
    }
    checker.faults
}

/// A thing in the engine, by kind and name.
type Thing<'a> = (&'static str, &'a str);

struct Checker<'a> {
    plan: &'a Plan,
    /// Things that the plan makes, and the step that does.
    made: BTreeMap<Thing<'a>, StepId>,
    /// Things that the plan removes, and the step that does.
    gone: BTreeMap<Thing<'a>, StepId>,
    /// Containers that the plan starts, and the step that does.
    started: BTreeMap<&'a str, StepId>,
    /// The last hook that the plan runs before a container's stop.
    hooked: BTreeMap<&'a str, StepId>,
    faults: Vec<Fault>,
}

impl<'a> Checker<'a> {
    fn step(&mut self, id: StepId, step: &'a Step) {
        for after in &step.after {
            if *after >= id {
                self.fault(id, format!("it waits for step {}, which comes later", after.0 + 1));
            }
        }
        self.action(id, &step.action);
        if let Some(what) = unmarked(step) {
            self.fault(id, what.to_owned());
        }
    }

    fn action(&mut self, id: StepId, action: &'a Action) {
        match action {
            Action::Pull { reference, .. } | Action::Build { tag: reference, .. } => {
                self.make(id, ("image", reference));
            }
            Action::Look { reference } => self.uses(id, ("image", reference)),
            Action::CreateNetwork(spec) => self.make(id, ("network", &spec.name)),
            Action::CreateVolume(spec) => self.make(id, ("volume", &spec.name)),
            Action::Create(spec) => {
                self.ingredients(id, spec);
                self.make(id, ("container", &spec.name));
            }
            Action::Replace { spec, .. } => {
                self.ingredients(id, spec);
                self.uses(id, ("container", &spec.name));
            }
            Action::Start { container } => {
                self.uses(id, ("container", container));
                self.started.insert(container, id);
            }
            Action::Hook(run) => self.hook(id, run),
            Action::Stop { container, grace: _ } => {
                self.uses(id, ("container", container));
                self.stop(id, container);
            }
            Action::Await { container, wait: _ }
            | Action::Update { container, limits: _, restart: _ }
            | Action::Disconnect { container, network: _ }
            | Action::Write { container, files: _, remove: _, runs: _, copies: _ }
            | Action::Units { container, call: _, units: _ }
            | Action::Kill { container, signal: _ }
            | Action::Unpause { container } => self.uses(id, ("container", container)),
            Action::Connect { container, join } => {
                self.uses(id, ("container", container));
                self.uses(id, ("network", &join.network));
            }
            Action::Recover { container, aside, outcome, grace: _, restart: _ } => {
                self.uses(id, ("container", aside));
                match outcome {
                    Recovery::RenameBack => self.make(id, ("container", container)),
                    Recovery::RemoveOld | Recovery::RollBack => self.uses(id, ("container", container)),
                }
            }
            Action::Rename { from, to } => {
                self.remove(id, ("container", from));
                self.make(id, ("container", to));
            }
            Action::Remove { container, volumes: _ } => self.remove(id, ("container", container)),
            Action::RemoveNetwork { network } => self.remove(id, ("network", network)),
            Action::RemoveVolume { volume } => self.remove(id, ("volume", volume)),
        }
    }

    /// A hook is run in a container that this plan starts, behind its start; or before its stop.
    fn hook(&mut self, id: StepId, run: &'a HookRun) {
        let container = run.container.as_str();
        self.uses(id, ("container", container));
        match run.stage {
            Stage::PreStop => {
                self.hooked.insert(container, id);
            }
            Stage::PostStart => {
                let behind = self.started.get(container).is_some_and(|start| self.waits_for(id, *start));
                if !behind {
                    self.fault(id, format!("it runs {run} and does not wait for the start of {container}"));
                }
            }
        }
    }

    fn stop(&mut self, id: StepId, container: &str) {
        if let Some(hook) = self.hooked.remove(container)
            && !self.waits_for(id, hook)
        {
            self.fault(id, format!("it stops {container} and does not wait for its pre_stop hooks"));
        }
    }

    /// Checks what a container is made from.
    fn ingredients(&mut self, id: StepId, spec: &'a ContainerSpec) {
        for mount in &spec.mounts {
            match &mount.source {
                MountSpecSource::Volume { name, options: _ } => self.uses(id, ("volume", name)),
                MountSpecSource::Anonymous(_)
                | MountSpecSource::Bind { .. }
                | MountSpecSource::Image { .. } => {}
            }
        }
        match &spec.network {
            NetworkSpecChoice::Join(joins) => {
                for join in joins {
                    self.uses(id, ("network", &join.network));
                }
            }
            NetworkSpecChoice::Mode(mode) => {
                if let Some(container) = mode.strip_prefix("container:") {
                    self.uses(id, ("container", container));
                }
            }
        }
    }

    fn make(&mut self, id: StepId, thing: Thing<'a>) {
        if let Some(gone) = self.gone.remove(&thing) {
            if !self.waits_for(id, gone) {
                self.fault(
                    id,
                    format!("it makes the {} {} and does not wait for its removal", thing.0, thing.1),
                );
            }
        } else if self.made.contains_key(&thing) {
            self.fault(id, format!("the {} {} is made twice", thing.0, thing.1));
        }
        self.made.insert(thing, id);
    }

    fn uses(&mut self, id: StepId, thing: Thing<'a>) {
        if self.gone.contains_key(&thing) {
            self.fault(id, format!("it uses the {} {}, which is gone", thing.0, thing.1));
        }
        if let Some(made) = self.made.get(&thing).copied()
            && !self.waits_for(id, made)
        {
            self.fault(id, format!("it uses the {} {} and does not wait for its making", thing.0, thing.1));
        }
    }

    fn remove(&mut self, id: StepId, thing: Thing<'a>) {
        if self.gone.contains_key(&thing) {
            self.fault(id, format!("the {} {} is removed twice", thing.0, thing.1));
        }
        self.uses_before_removal(id, thing);
        self.made.remove(&thing);
        self.gone.insert(thing, id);
    }

    /// A thing that the plan makes and removes must be made before.
    fn uses_before_removal(&mut self, id: StepId, thing: Thing<'a>) {
        if let Some(made) = self.made.get(&thing).copied()
            && !self.waits_for(id, made)
        {
            self.fault(
                id,
                format!("it removes the {} {} and does not wait for its making", thing.0, thing.1),
            );
        }
    }

    /// Tells whether a step waits for another one, directly or through others.
    fn waits_for(&self, id: StepId, other: StepId) -> bool {
        let mut open = vec![id];
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            let Some(step) = self.plan.steps.get(id.0) else { continue };
            if step.after.contains(&other) {
                return true;
            }
            // Steps before the one that is looked for cannot wait for it.
            open.extend(step.after.iter().copied().filter(|after| *after > other && seen.insert(*after)));
        }
        false
    }

    fn fault(&mut self, step: StepId, what: String) {
        self.faults.push(Fault { step, what });
    }
}

/// Says what a step destroys without its mark.
fn unmarked(step: &Step) -> Option<&'static str> {
    match &step.action {
        Action::RemoveVolume { .. } if step.destroys != Some(Loss::Volume) => {
            Some("it removes a volume without saying that its data are lost")
        }
        Action::RemoveVolume { .. }
        | Action::Pull { .. }
        | Action::Build { .. }
        | Action::Look { .. }
        | Action::CreateNetwork(_)
        | Action::CreateVolume(_)
        | Action::Create(_)
        | Action::Start { .. }
        | Action::Hook(_)
        | Action::Await { .. }
        | Action::Replace { .. }
        | Action::Recover { .. }
        | Action::Update { .. }
        | Action::Connect { .. }
        | Action::Disconnect { .. }
        | Action::Write { .. }
        | Action::Units { .. }
        | Action::Stop { .. }
        | Action::Kill { .. }
        | Action::Unpause { .. }
        | Action::Rename { .. }
        | Action::Remove { .. }
        | Action::RemoveNetwork { .. } => None,
    }
}
