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
use super::step::{Ended, gone_is_fine};
use crate::condition::Wait;
use crate::container::{ContainerSpec, MountSpec, MountSpecSource};
use crate::engine::{Call, EngineError, RefusalKind};
use crate::event::{Failure, Progress};
use crate::observed::{ContainerState, ObservedContainer};
use crate::plan::{Action, Recovery};
use crate::project::RestartPolicy;

/// A new container that does not become good is given this long to stop, so that what it has written to a
/// shared volume is whole; the old one is waiting to come back.
const UNDO_GRACE: Duration = Duration::from_secs(10);

/// Replaces a container, or brings the old one back.
pub(super) async fn replace(
    hands: &Hands<'_>,
    action: &Action,
    spec: &ContainerSpec,
    wait: &Wait,
    grace: Duration,
    keep_anonymous: bool,
) -> Ended {
    let old = match hands.observe_containers(&[&spec.name]).await {
        Ok(observed) => effect::find(&observed, &spec.name).cloned(),
        Err(error) => return Ended::Failed(Box::new(failure::of_error(hands, action, &error).await)),
    };
    let mut change = Replacement::new(hands, spec, grace, keep_anonymous, old);
    let Err(setback) = change.forward(wait).await else { return Ended::Done };
    let undone = if change.ready { Ok(()) } else { change.back().await };
    let mut failure = match setback {
        Setback::Interrupted if undone.is_ok() => return Ended::Cut,
        Setback::Interrupted => failure::plain(format!("replacing {} was interrupted", spec.name)),
        Setback::Error(error) => failure::of_error(hands, action, &error).await,
        Setback::Condition(failure) => *failure,
    };
    change.tell(&mut failure, undone);
    Ended::Failed(Box::new(failure))
}

/// Why a replacement does not go forward.
enum Setback {
    /// A call failed.
    Error(EngineError),
    /// The new container did not meet its condition.
    Condition(Box<Failure>),
    /// The run was interrupted.
    Interrupted,
}

impl From<EngineError> for Setback {
    fn from(error: EngineError) -> Self {
        Self::Error(error)
    }
}

struct Replacement<'a> {
    hands: &'a Hands<'a>,
    spec: &'a ContainerSpec,
    grace: Duration,
    keep_anonymous: bool,
    old: Option<ObservedContainer>,
    aside: String,
    /// Whether restart policies were taken away, so that they must be given back.
    disarmed: bool,
    /// Whether the new one has met its condition: from there on there is no way back.
    ready: bool,
}

impl<'a> Replacement<'a> {
    fn new(
        hands: &'a Hands<'a>,
        spec: &'a ContainerSpec,
        grace: Duration,
        keep_anonymous: bool,
        old: Option<ObservedContainer>,
    ) -> Self {
        let aside = aside_name(&spec.name, old.as_ref().map_or("", |old| &old.id));
        Self { hands, spec, grace, keep_anonymous, old, aside, disarmed: false, ready: false }
    }

    async fn forward(&mut self, wait: &Wait) -> Result<(), Setback> {
        if self.old.is_some() {
            self.set_aside().await?;
        }
        self.shows("creating the new container");
        create::create(self.hands, &self.new_spec()).await?;
        // The last moment at which turning back costs nothing.
        if self.hands.interrupt.is_cancelled() {
            return Err(Setback::Interrupted);
        }
        self.stop_old().await?;
        self.shows("starting the new container");
        self.hands.call(&Call::Start { container: self.spec.name.clone() }).await?;
        self.shows("waiting for the new container");
        tokio::select! {
            biased;
            met = await_step::until(self.hands, &self.spec.name, wait) => met.map_err(Setback::Condition)?,
            () = self.hands.interrupt.cancelled() => return Err(Setback::Interrupted),
        }
        self.ready = true;
        self.finish().await
    }

    async fn set_aside(&mut self) -> Result<(), Setback> {
        self.shows("setting the old container aside");
        let from = self.spec.name.clone();
        self.hands.call(&Call::Rename { container: from, to: self.aside.clone() }).await?;
        self.disarmed = set_restart(self.hands, &self.aside, &RestartPolicy::No).await?;
        Ok(())
    }

    async fn stop_old(&self) -> Result<(), Setback> {
        let Some(old) = self.old.as_ref().filter(|old| ran(old)) else { return Ok(()) };
        self.shows("stopping the old container");
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
    async fn back(&self) -> Result<(), EngineError> {
        self.shows("bringing the old container back");
        let name = &self.spec.name;
        let observed = self.hands.observe_containers(&[name, &self.aside]).await?;
        let old_id = self.old.as_ref().map(|old| &old.id);
        if let Some(new) = effect::find(&observed, name)
            && Some(&new.id) != old_id
            && effect::made_from(new, self.spec)
        {
            if !effect::is_down(&new.state) {
                // It is removed by force below if it does not stop.
                drop(stop(self.hands, name, &new.state, UNDO_GRACE.min(self.grace)).await);
            }
            gone_is_fine(self.hands.call(&create::removal(name)).await)?;
        }
        let Some(old) = &self.old else { return Ok(()) };
        if effect::find(&observed, &self.aside).is_some() {
            let container = self.aside.clone();
            self.hands.call(&Call::Rename { container, to: name.clone() }).await?;
        }
        if self.disarmed && self.spec.restart != RestartPolicy::No {
            set_restart(self.hands, name, &self.spec.restart).await?;
        }
        if ran(old) {
            self.hands.call(&Call::Start { container: name.clone() }).await?;
        }
        Ok(())
    }

    /// Tells what is left of the two.
    fn tell(&self, failure: &mut Failure, undone: Result<(), EngineError>) {
        let (name, aside) = (&self.spec.name, &self.aside);
        match (undone, &self.old) {
            (Err(error), _) => {
                failure.causes.push(format!("The old container could not be brought back: {error}."));
                failure.help.push(format!(
                    "It is kept as {aside}; the next `sdcompose up` brings it back or ends the replacement."
                ));
            }
            (Ok(()), None) => {}
            (Ok(()), Some(_)) if self.ready => failure.help.push(format!(
                "The new {name} is ready; the next `sdcompose up` removes what is left of the old one."
            )),
            (Ok(()), Some(old)) if ran(old) => {
                failure.help.push(format!("The old {name} runs again, unchanged."));
            }
            (Ok(()), Some(_)) => failure.help.push(format!("The old {name} is back, stopped as before.")),
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
                set_restart(hands, self.container, self.restart).await?;
                // The anonymous volumes may be the new one's by now.
                self.discard(hands, self.aside, false).await
            }
        }
    }

    async fn rename_back(&self, hands: &Hands<'_>) -> Result<(), EngineError> {
        let (container, to) = (self.aside.to_owned(), self.container.to_owned());
        hands.call(&Call::Rename { container, to }).await?;
        set_restart(hands, self.container, self.restart).await.map(drop)
    }

    async fn discard(&self, hands: &Hands<'_>, name: &str, volumes: bool) -> Result<(), EngineError> {
        let observed = hands.observe_containers(&[name]).await?;
        let Some(found) = effect::find(&observed, name) else { return Ok(()) };
        if ran(found) {
            stop(hands, name, &found.state, self.grace).await?;
        }
        let call = Call::Remove { container: name.to_owned(), volumes, force: true };
        gone_is_fine(hands.call(&call).await)
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
    gone_is_fine(hands.call(&Call::Stop { container: name.to_owned(), grace }).await)
}

/// Sets a restart policy; says whether the engine can do that at all (Podman before 5 cannot).
async fn set_restart(hands: &Hands<'_>, name: &str, policy: &RestartPolicy) -> Result<bool, EngineError> {
    let call = Call::SetRestart { container: name.to_owned(), policy: policy.clone() };
    match hands.call(&call).await {
        Ok(_) => Ok(true),
        Err(EngineError::Refused { kind: RefusalKind::NotFound, what, message }) => {
            Err(EngineError::Refused { kind: RefusalKind::NotFound, what, message })
        }
        Err(EngineError::Refused { .. }) => Ok(false),
        Err(error) => Err(error),
    }
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
        let source = MountSpecSource::Volume { name: volume.clone(), nocopy: false };
        match spec.mounts.iter_mut().find(|mount| mount.target == *target) {
            Some(mount) if mount.source == MountSpecSource::Anonymous => mount.source = source,
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
