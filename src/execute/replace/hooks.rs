//! The hooks within a replacement: of the old container before its stop, of the new one before the old one goes,
//! and of the old one again where it comes back.

use super::super::hook;
use super::{Replacement, Setback, ran};
use crate::engine::Call;
use crate::event::Progress;
use crate::observed::{ContainerState, ObservedContainer};
use crate::plan::hooks::HookRun;
use crate::project::Stage;

impl Replacement<'_> {
    /// Runs the hooks that make the old one ready for its stop. Up to the stop, turning back costs nothing.
    pub(super) async fn ready_old(&mut self) -> Result<(), Setback> {
        let Some(old) = self.old.as_mut().filter(|old| ran(old)) else { return Ok(()) };
        if self.hooks.pre_stop.is_empty() {
            return Ok(());
        }
        if old.state == ContainerState::Paused {
            self.hands.call(&Call::Unpause { container: self.aside.clone() }).await?;
            old.state = ContainerState::Running;
        }
        let machine = old.labels.machine.is_some();
        self.shows("running the pre_stop hooks of the old container");
        for run in self.runs(machine, Stage::PreStop) {
            hook::once(self.hands, &run, &self.aside).await?;
        }
        if self.hands.interrupt.is_cancelled() {
            return Err(Setback::Interrupted);
        }
        Ok(())
    }

    /// Runs the hooks that follow the new one's start.
    pub(super) async fn post_start(&self) -> Result<(), Setback> {
        if !self.hooks.post_start.is_empty() {
            self.shows("running the post_start hooks of the new container");
        }
        for run in self.runs(self.spec.machine, Stage::PostStart) {
            hook::once(self.hands, &run, &self.spec.name).await?;
        }
        Ok(())
    }

    fn runs(&self, machine: bool, stage: Stage) -> Vec<HookRun> {
        let (service, name) = (&self.spec.service, &self.spec.name);
        HookRun::all(service, name, machine, stage, self.hooks.at(stage)).collect()
    }

    /// Runs the hooks of the old one that follow its start: the way forward has told it to stop. What comes of them
    /// is only told, since the failure is that of the new one.
    pub(super) async fn welcome_back(&self, old: &ObservedContainer) {
        let (name, machine) = (&self.spec.name, old.labels.machine.is_some());
        for run in self.runs(machine, Stage::PostStart) {
            let interrupted = self.hands.interrupt.is_cancelled();
            let ended = if interrupted || (machine && !hook::may_enter(self.hands, name).await) {
                Err(hook::Setback::Cut)
            } else {
                hook::once(self.hands, &run, name).await
            };
            let why = match ended {
                Ok(()) => continue,
                Err(hook::Setback::Failed(failure) | hook::Setback::Ended(failure)) => failure.what,
                Err(hook::Setback::Cut) => format!("{run} was not run"),
            };
            self.hands.show(Progress::Warning(format!(
                "the old container is back, but {why}; `sdcompose restart {}` starts it anew, with its hooks",
                self.spec.service
            )));
            return;
        }
    }
}
