//! Putting a new container in the place of an old one, so that at any moment at least one of the two exists
//! complete, and mending a replacement that was cut off.
//!
//! A name is the only thing that an engine changes atomically and keeps over a crash, so the role is in the
//! name: the old one is set aside as `NAME.old-<8 hex digits>` until the new one has met its condition.
//! In between neither has a restart policy: `always` restarts even stopped containers when the engine
//! restarts, and two machines would work on the same volumes.

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::await_step;
use super::call::Hands;
use super::create;
use super::effect;
use super::failure;
use super::hook;
use super::step::{Ended, gone_is_fine};
use crate::condition::{Condition, Wait};
use crate::container::names;
use crate::container::{ContainerSpec, MountSpec, MountSpecSource};
use crate::engine::{Call, EngineError, RefusalKind};
use crate::event::{Failure, Progress};
use crate::observed::{ContainerState, ObservedContainer};
use crate::plan::{Action, Recovery};
use crate::project::{Hooks, RestartPolicy, VolumeOptions};

mod hooks;

/// A new container that does not become good is given this long to stop, so that what it has written to a
/// shared volume is whole; the old one is waiting to come back.
const UNDO_GRACE: Duration = Duration::from_secs(10);

/// What a replacement does.
#[derive(Clone, Copy)]
pub(super) struct Change<'a> {
    /// What is made.
    pub(super) spec: &'a ContainerSpec,
    /// What the new one must meet.
    pub(super) wait: &'a Wait,
    /// Grace period of the old one.
    pub(super) grace: Duration,
    /// Whether anonymous volumes are handed on.
    pub(super) keep_anonymous: bool,
    /// What is run in the old one before its stop, and in the new one after its start.
    pub(super) hooks: &'a Hooks,
}

/// Replaces a container, or brings the old one back.
pub(super) async fn replace(hands: &Hands<'_>, action: &Action, change: Change<'_>) -> Ended {
    let Change { spec, wait, .. } = change;
    let observed = match hands.observe_containers(&[&spec.name]).await {
        Ok(observed) => observed,
        Err(error) => return Ended::Failed(Box::new(failure::of_error(hands, action, &error).await)),
    };
    if let Some(aside) = observed.containers.iter().find(|c| names::set_aside(&c.name) == Some(&spec.name)) {
        return Ended::Failed(Box::new(under_way(&spec.name, &aside.name)));
    }
    let old = effect::find(&observed, &spec.name).cloned();
    let mut change = Replacement::new(hands, change, old);
    let Err(setback) = change.forward(wait).await else { return Ended::Done };
    let undone = if change.ready { Ok(Back::Done) } else { change.back(wait).await };
    let mut failure = match setback {
        Setback::Interrupted if undone.is_ok() => return Ended::Cut,
        Setback::Interrupted => failure::plain(format!("replacing {} was interrupted", spec.name)),
        Setback::Error(error) => failure::of_error(hands, action, &error).await,
        Setback::Condition(failure) => *failure,
        Setback::Hook(mut failure) => {
            if !change.stopped {
                failure.help.push(format!(
                    "`sdcompose kill {}` ends the old one without its hooks, so that `sdcompose up` can replace it.",
                    spec.service
                ));
            }
            *failure
        }
    };
    change.tell(&mut failure, undone);
    Ended::Failed(Box::new(failure))
}

/// A plan mends what was cut off before it replaces. What is set aside now belongs to another run, whose
/// containers are left alone.
fn under_way(name: &str, aside: &str) -> Failure {
    let mut failure = failure::plain(format!("replace {name}: another run replaces it right now"));
    failure.causes.push(format!("The old container is set aside as {aside}."));
    failure.help.push("Run the command again when the other one has ended.".to_owned());
    failure
}

/// Why a replacement does not go forward.
enum Setback {
    /// A call failed.
    Error(EngineError),
    /// The new container did not meet its condition.
    Condition(Box<Failure>),
    /// A hook failed, of the old one or of the new one.
    Hook(Box<Failure>),
    /// The run was interrupted.
    Interrupted,
}

/// Where the old container is after an undone replacement.
enum Back {
    /// As it was before.
    Done,
    /// Another run has removed or moved it.
    Elsewhere,
}

impl From<hook::Setback> for Setback {
    fn from(setback: hook::Setback) -> Self {
        match setback {
            hook::Setback::Failed(failure) | hook::Setback::Ended(failure) => Self::Hook(failure),
            hook::Setback::Cut => Self::Interrupted,
        }
    }
}

impl From<EngineError> for Setback {
    fn from(error: EngineError) -> Self {
        Self::Error(error)
    }
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that was done and may have to be undone"
)]
struct Replacement<'a> {
    hands: &'a Hands<'a>,
    spec: &'a ContainerSpec,
    grace: Duration,
    keep_anonymous: bool,
    hooks: &'a Hooks,
    old: Option<ObservedContainer>,
    aside: String,
    /// Whether this run has (or may have) set the old one aside. What another run did is not undone.
    renamed: bool,
    /// Whether this run has (or may have) made the new one.
    made: bool,
    /// Whether this run has begun to stop the old one.
    stopped: bool,
    /// Whether restart policies were taken away, so that they must be given back.
    disarmed: bool,
    /// Whether the new one has met its condition: from there on there is no way back.
    ready: bool,
}

impl<'a> Replacement<'a> {
    fn new(hands: &'a Hands<'a>, change: Change<'a>, old: Option<ObservedContainer>) -> Self {
        let Change { spec, wait: _, grace, keep_anonymous, hooks } = change;
        let aside = aside_name(&spec.name, old.as_ref().map_or("", |old| &old.id));
        Self {
            hands,
            spec,
            grace,
            keep_anonymous,
            hooks,
            old,
            aside,
            renamed: false,
            made: false,
            stopped: false,
            disarmed: false,
            ready: false,
        }
    }

    async fn forward(&mut self, wait: &Wait) -> Result<(), Setback> {
        if self.old.is_some() {
            self.set_aside().await?;
        }
        self.shows("creating the new container");
        let created = create::create_own(self.hands, &self.new_spec()).await;
        self.made = may_have_taken(&created);
        created?;
        // The last moment at which turning back costs nothing.
        if self.hands.interrupt.is_cancelled() {
            return Err(Setback::Interrupted);
        }
        self.ready_old().await?;
        self.stop_old().await?;
        self.shows("starting the new container");
        self.hands.call(&Call::Start { container: self.spec.name.clone() }).await?;
        // As a first start does it: a plain container's condition may be what its hooks bring about.
        if !self.spec.machine {
            self.post_start().await?;
        }
        self.shows("waiting for the new container");
        tokio::select! {
            biased;
            met = await_step::until(self.hands, &self.spec.name, wait) => met.map_err(Setback::Condition)?,
            () = self.hands.interrupt.cancelled() => return Err(Setback::Interrupted),
        }
        if self.spec.machine {
            self.post_start().await?;
        }
        self.ready = true;
        self.finish().await
    }

    async fn set_aside(&mut self) -> Result<(), Setback> {
        self.shows("setting the old container aside");
        let from = self.spec.name.clone();
        let renamed = self.hands.call(&Call::Rename { container: from, to: self.aside.clone() }).await;
        self.renamed = may_have_taken(&renamed);
        renamed?;
        self.disarmed = match set_restart(self.hands, &self.aside, &RestartPolicy::No).await {
            Ok(()) => true,
            // Podman before 5 cannot. Then each keeps its own policy, which is no worse than a plain restart.
            Err(EngineError::Refused { kind, .. }) if kind != RefusalKind::NotFound => false,
            Err(error) => return Err(error.into()),
        };
        Ok(())
    }

    async fn stop_old(&mut self) -> Result<(), Setback> {
        let Some(old) = self.old.as_ref().filter(|old| ran(old)) else { return Ok(()) };
        self.shows("stopping the old container");
        self.stopped = true;
        // Where it has gone, another run has it in its hands: this one must not start a second machine.
        stop(self.hands, &self.aside, &old.state, self.grace).await?;
        Ok(())
    }

    /// Gives the new one its policy and lets go of the old one. In this order: as long as the old one is
    /// there, the next run knows that the policy may be missing.
    async fn finish(&self) -> Result<(), Setback> {
        if self.disarmed && self.spec.restart != RestartPolicy::No {
            set_restart(self.hands, &self.spec.name, &self.spec.restart).await?;
        }
        if self.old.is_some() {
            self.shows("removing the old container");
            let volumes = !self.keep_anonymous;
            let call = Call::Remove { container: self.aside.clone(), volumes, force: true };
            gone_is_fine(self.hands.call(&call).await)?;
        }
        Ok(())
    }

    /// Brings the old one back. Looks at what there is instead of remembering what was done, since the
    /// setback may have been a call whose outcome nobody knows.
    async fn back(&self, wait: &Wait) -> Result<Back, EngineError> {
        if !self.renamed && self.old.is_some() {
            return Ok(Back::Done);
        }
        self.shows("bringing the old container back");
        let name = &self.spec.name;
        let observed = self.hands.observe_containers(&[name, &self.aside]).await?;
        let old_id = self.old.as_ref().map(|old| &old.id);
        if let Some(new) = effect::find(&observed, name)
            && self.made
            && Some(&new.id) != old_id
            && effect::made_from(new, self.spec)
        {
            if !effect::is_down(&new.state) {
                // It is removed by force below if it does not stop.
                drop(stop(self.hands, name, &new.state, UNDO_GRACE.min(self.grace)).await);
            }
            gone_is_fine(self.hands.call(&create::removal(name)).await)?;
        }
        let Some(old) = &self.old else { return Ok(Back::Done) };
        let is_old = |name: &str| effect::find(&observed, name).is_some_and(|found| found.id == old.id);
        let is_aside = is_old(&self.aside);
        if !is_aside && !is_old(name) {
            return Ok(Back::Elsewhere);
        }
        // The policy first: as long as the name tells of a replacement, the next run knows that the policy may
        // be missing.
        if self.disarmed && self.spec.restart != RestartPolicy::No {
            let found = if is_aside { &self.aside } else { name };
            set_restart(self.hands, found, &self.spec.restart).await?;
        }
        if is_aside {
            let container = self.aside.clone();
            self.hands.call(&Call::Rename { container, to: name.clone() }).await?;
        }
        if self.stopped {
            self.hands.call(&Call::Start { container: name.clone() }).await?;
            self.see_boot(old, wait).await;
            self.welcome_back(old).await;
        }
        Ok(Back::Done)
    }

    /// Waits for the boot of the old machine, so that the next command finds it ready: READY=1 is lost once
    /// nobody listens. Not where the user wants to get away; and whatever comes of it is no news, since the
    /// failure is that of the new one.
    async fn see_boot(&self, old: &ObservedContainer, wait: &Wait) {
        if old.labels.machine.is_none() {
            return;
        }
        let boot = Wait { condition: Condition::Booted, timeout: wait.timeout, enabled: Vec::new() };
        tokio::select! {
            biased;
            () = self.hands.interrupt.cancelled() => {}
            _ = await_step::until(self.hands, &self.spec.name, &boot) => {}
        }
    }

    /// Tells what is left of the two.
    fn tell(&self, failure: &mut Failure, undone: Result<Back, EngineError>) {
        let (name, aside) = (&self.spec.name, &self.aside);
        match (undone, &self.old) {
            (Err(error), _) => {
                failure.causes.push(format!("The old container could not be brought back: {error}."));
                failure.help.push(format!(
                    "It is kept as {aside}; the next `sdcompose up` brings it back or ends the replacement."
                ));
            }
            (Ok(Back::Elsewhere), _) => {
                failure.help.push(format!("Another run has {name} in its hands; wait for its end."));
            }
            (Ok(Back::Done), None) => {}
            (Ok(Back::Done), Some(_)) if self.ready => failure.help.push(format!(
                "The new {name} is ready; the next `sdcompose up` removes what is left of the old one."
            )),
            (Ok(Back::Done), Some(old)) if ran(old) && !self.stopped => {
                failure.next.clear();
                failure.help.push(format!("The old {name} goes on running, unchanged."));
            }
            (Ok(Back::Done), Some(old)) if ran(old) => {
                // They would look at the old one, which has none of this.
                failure.next.clear();
                failure.help.push(format!("The old {name} runs again, unchanged."));
            }
            (Ok(Back::Done), Some(_)) => {
                failure.next.clear();
                failure.help.push(format!("The old {name} is back, stopped as before."));
            }
        }
    }

    /// The new container as it is made: with the old one's anonymous volumes, and without its restart policy
    /// until it is ready.
    fn new_spec(&self) -> ContainerSpec {
        let mut spec = self.spec.clone();
        if self.disarmed {
            spec.restart = RestartPolicy::No;
        }
        if let Some(old) = self.old.as_ref().filter(|_| self.keep_anonymous) {
            hand_on_volumes(&mut spec, old);
        }
        spec
    }

    fn shows(&self, what: &'static str) {
        self.hands.show(Progress::Replacing(what));
    }
}

/// A replacement that was cut off, and what it takes to mend it.
pub(super) struct Recovering<'a> {
    /// The name that the container should have.
    pub(super) container: &'a str,
    /// The name that the old one was set aside under.
    pub(super) aside: &'a str,
    /// Grace period for stopping.
    pub(super) grace: Duration,
    /// The policy that the one which stays gets back.
    pub(super) restart: &'a RestartPolicy,
}

impl Recovering<'_> {
    /// Mends it.
    pub(super) async fn run(&self, hands: &Hands<'_>, outcome: Recovery) -> Result<(), EngineError> {
        match outcome {
            Recovery::RenameBack => self.rename_back(hands).await,
            Recovery::RollBack => {
                self.discard(hands, self.container, true).await?;
                self.rename_back(hands).await
            }
            Recovery::RemoveOld => {
                self.rearm(hands, self.container).await?;
                // The anonymous volumes may be the new one's by now.
                self.discard(hands, self.aside, false).await
            }
        }
    }

    /// Gives the old one its policy and then its name: as long as it has the name of one that was set aside, the
    /// next run knows that the policy may be missing.
    async fn rename_back(&self, hands: &Hands<'_>) -> Result<(), EngineError> {
        self.rearm(hands, self.aside).await?;
        let (container, to) = (self.aside.to_owned(), self.container.to_owned());
        hands.call(&Call::Rename { container, to }).await.map(drop)
    }

    /// Gives the policy back, also where it is not known whether it was taken away.
    async fn rearm(&self, hands: &Hands<'_>, container: &str) -> Result<(), EngineError> {
        match set_restart(hands, container, self.restart).await {
            // An engine that cannot has not taken it away either.
            Ok(()) | Err(EngineError::Refused { kind: RefusalKind::Invalid, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn discard(&self, hands: &Hands<'_>, name: &str, volumes: bool) -> Result<(), EngineError> {
        let observed = hands.observe_containers(&[name]).await?;
        let Some(found) = effect::find(&observed, name) else { return Ok(()) };
        if ran(found) {
            gone_is_fine(stop(hands, name, &found.state, self.grace).await)?;
        }
        let call = Call::Remove { container: name.to_owned(), volumes, force: true };
        gone_is_fine(hands.call(&call).await)
    }
}

/// Says whether a call has, or may have, taken effect.
fn may_have_taken<T>(result: &Result<T, EngineError>) -> bool {
    match result {
        Ok(_)
        | Err(
            EngineError::Unknown { .. }
            | EngineError::TimedOut { .. }
            | EngineError::Garbled { .. }
            | EngineError::Unreachable { .. }
            | EngineError::Refused { kind: RefusalKind::Internal, .. },
        ) => true,
        Err(EngineError::Refused { .. } | EngineError::Local { .. }) => false,
    }
}

/// Stops a container that may be paused, which Podman refuses to stop.
async fn stop(
    hands: &Hands<'_>,
    name: &str,
    state: &ContainerState,
    grace: Duration,
) -> Result<(), EngineError> {
    if *state == ContainerState::Paused {
        hands.call(&Call::Unpause { container: name.to_owned() }).await?;
    }
    hands.call(&Call::Stop { container: name.to_owned(), grace }).await.map(drop)
}

async fn set_restart(hands: &Hands<'_>, name: &str, policy: &RestartPolicy) -> Result<(), EngineError> {
    let call = Call::SetRestart { container: name.to_owned(), policy: policy.clone() };
    hands.call(&call).await.map(drop)
}

fn ran(container: &ObservedContainer) -> bool {
    match container.state {
        ContainerState::Running | ContainerState::Paused | ContainerState::Restarting => true,
        ContainerState::Created
        | ContainerState::Removing
        | ContainerState::Exited
        | ContainerState::Dead
        | ContainerState::Other(_) => false,
    }
}

/// The name for an old container: the same each time, so that a rename whose reply was lost can be repeated.
fn aside_name(name: &str, id: &str) -> String {
    let digest = Sha256::digest(id.as_bytes());
    let [a, b, c, d, ..]: [u8; 32] = digest.into();
    format!("{name}.old-{:08x}", u32::from_be_bytes([a, b, c, d]))
}

/// Mounts the old container's anonymous volumes where the new one would get empty ones.
fn hand_on_volumes(spec: &mut ContainerSpec, old: &ObservedContainer) {
    for (target, volume) in old.volumes.iter().filter(|(_, volume)| is_anonymous(volume)) {
        let source = MountSpecSource::Volume { name: volume.clone(), options: VolumeOptions::default() };
        match spec.mounts.iter_mut().find(|mount| mount.target == *target) {
            Some(mount) if matches!(mount.source, MountSpecSource::Anonymous(_)) => mount.source = source,
            Some(_) => {}
            None if spec.tmpfs.contains_key(target) => {}
            // Declared by the image (`VOLUME`).
            None => spec.mounts.push(MountSpec { target: target.clone(), source, read_only: false }),
        }
    }
}

/// Docker and Podman name volumes without a name by 64 hex digits.
fn is_anonymous(volume: &str) -> bool {
    volume.len() == 64 && volume.bytes().all(|byte| byte.is_ascii_hexdigit())
}
