//! A simulated engine in virtual time: the bench on which the executor and the planner are tested. It keeps
//! containers, networks, volumes and images with the semantics of a real engine, boots machines by scripts,
//! answers commands by a toy systemd, logs every call, and goes wrong where it is told to.
//!
//! Time is tokio's, so that under `#[tokio::test(start_paused = true)]` a boot of minutes takes no time and
//! every run of a test is the same. Nothing of the command line reaches this module.

mod calls;
mod changes;
mod fault;
mod inside;
mod life;
mod root;
pub mod sample;
mod script;
#[cfg(test)]
mod tests;
mod toy_systemd;
mod world;

pub use fault::Fault;
pub use script::{End, Reply, Script, ScriptUnit, UnitEnd};
pub use world::LoggedCall;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    Call, Chunk, Done, Engine, EngineError, ExecOutput, ExecSpec, Happening, LogLine, LogQuery, Session,
    Show, Signal,
};
use crate::container::ContainerSpec;
use crate::event::Progress;
use crate::facts::{
    ApiVersion, CgroupDriver, CgroupVersion, EngineKind, Facts, ImageFacts, ImageSystemd, Locality,
};
use crate::observed::{Applied, Closeness, Closer, Observed, Scope};
use world::{Container, Image, Life, Network, Volume, World};

/// A simulated engine. Clones share one world: each stands for a client.
#[derive(Clone)]
pub struct Sim {
    shared: Arc<Shared>,
}

struct Shared {
    world: Mutex<World>,
    /// Counts changes, so that followers wake up.
    changed: watch::Sender<u64>,
    crashed: watch::Sender<bool>,
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

/// Counts a call as running until it is dropped, also by a caller that dies.
struct Flight {
    shared: Arc<Shared>,
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.shared.world().in_flight -= 1;
    }
}

impl Default for Sim {
    fn default() -> Self {
        Self::new(docker_on_v2())
    }
}

/// The facts of a local Docker 28 on cgroup v2.
#[must_use]
pub fn docker_on_v2() -> Facts {
    Facts {
        engine: EngineKind::Docker,
        version: "28.5.2".to_owned(),
        api: ApiVersion { major: 1, minor: 51 },
        cgroup: CgroupVersion::V2,
        driver: CgroupDriver::Systemd,
        rootless: None,
        userns_remap: false,
        apparmor: false,
        selinux: false,
        locality: Locality::Local,
        notify_root: Some("/var/lib/sdcompose/notify".to_owned()),
        socket: None,
        memory_limit: true,
        cpu_limit: true,
        pids_limit: true,
    }
}

impl Sim {
    /// Makes an empty engine with these facts.
    #[must_use]
    pub fn new(facts: Facts) -> Self {
        let shared = Shared {
            world: Mutex::new(World::new(facts)),
            changed: watch::Sender::new(0),
            crashed: watch::Sender::new(false),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Adds an image that the engine has and that nobody has looked into.
    pub fn image(&self, reference: &str, script: Script) {
        self.add_image(reference, script, true, false);
    }

    /// Adds an image that the engine has and that was looked into.
    pub fn known_image(&self, reference: &str, script: Script) {
        self.add_image(reference, script, true, true);
    }

    /// Adds an image that can be pulled.
    pub fn registry_image(&self, reference: &str, script: Script) {
        self.add_image(reference, script, false, false);
    }

    fn add_image(&self, reference: &str, script: Script, present: bool, looked: bool) {
        let mut world = self.shared.world();
        let id = format!("sha256:{:064x}", world.next_serial());
        let machine = !script.units.is_empty();
        let systemd =
            machine.then(|| ImageSystemd { init: "/lib/systemd/systemd".to_owned(), version: Some(257) });
        let facts = ImageFacts { id, systemd };
        world.images.insert(reference.to_owned(), Image { facts, script, present, looked });
    }

    /// Adds a container that runs and belongs to nobody's project.
    pub fn foreign_container(&self, name: &str, spec: ContainerSpec) {
        let mut world = self.shared.world();
        let serial = world.next_serial();
        let id = format!("{serial:064x}");
        let container = Container {
            id: id.clone(),
            name: name.to_owned(),
            script: Script::plain(),
            image_id: "sha256:foreign".to_owned(),
            life: Life::Running { since: Instant::now(), ends: None },
            restart: spec.restart.clone(),
            networks: BTreeMap::new(),
            limits: spec.limits.clone(),
            root: root::Root::default(),
            applied: Applied::AsMade,
            volumes: BTreeMap::new(),
            ready_seen: None,
            serial,
            spec,
        };
        world.containers.insert(id, container);
    }

    /// Adds a network that belongs to nobody's project.
    pub fn foreign_network(&self, name: &str) {
        let mut world = self.shared.world();
        let id = format!("{:064x}", world.next_serial());
        world.networks.insert(id, Network { name: name.to_owned(), labels: BTreeMap::new() });
    }

    /// Adds a volume that belongs to nobody's project.
    pub fn foreign_volume(&self, name: &str) {
        let mut world = self.shared.world();
        let serial = world.next_serial();
        let volume = Volume { labels: BTreeMap::new(), anonymous: false, serial };
        world.volumes.insert(name.to_owned(), volume);
    }

    /// Lets a process outside of the engine listen on a port.
    pub fn hold_port(&self, port: u16) {
        self.shared.world().held_ports.insert(port);
    }

    /// Changes the script of a container that exists.
    pub fn script_of(&self, container: &str, script: Script) {
        if let Some(found) = self.shared.world().find_mut(container) {
            found.script = script;
        }
        self.shared.wake();
    }

    /// Makes something go wrong at a call, counted from 0 over all calls that were and will be made.
    pub fn fault_at(&self, call: usize, fault: Fault) {
        self.shared.world().faults.insert(call, fault);
    }

    /// Returns how many faults have not happened yet.
    #[must_use]
    pub fn faults_left(&self) -> usize {
        self.shared.world().faults.len()
    }

    /// Forgets the faults that have not happened, and that a caller has died.
    pub fn mend(&self) {
        self.shared.world().faults.clear();
        self.shared.crashed.send_replace(false);
    }

    /// Returns when a caller has died by [`Fault::Crash`]; whoever waits then drops what it ran.
    pub async fn crashed(&self) {
        let mut crashed = self.shared.crashed.subscribe();
        // The sender lives as long as self.
        drop(crashed.wait_for(|&crashed| crashed).await);
    }

    /// Does what somebody else might do beside sdcompose; neither logged nor judged.
    ///
    /// # Errors
    /// As the engine would refuse it.
    pub fn tamper(&self, call: &Call) -> Result<Done, EngineError> {
        let mut world = self.shared.world();
        let violations = world.violations.clone();
        let done = calls::apply(&mut world, call);
        world.violations = violations;
        drop(world);
        self.shared.wake();
        done
    }

    /// Freezes a running container.
    pub fn pause(&self, container: &str) {
        self.set_life(container, |life| match life {
            Life::Running { since, ends: _ } => Life::Paused { since },
            other @ (Life::Created
            | Life::Paused { .. }
            | Life::Exited { .. }
            | Life::Restarting { .. }
            | Life::Dead
            | Life::Removing { .. }) => other,
        });
    }

    /// Leaves a container as an engine does that was killed while it removed it.
    pub fn half_remove(&self, container: &str) {
        self.set_life(container, |_| Life::Dead);
    }

    /// Lets somebody else remove a container, which takes its time.
    pub fn remove_slowly(&self, container: &str, time: Duration) {
        let until = Instant::now() + time;
        self.set_life(container, |_| Life::Removing { until });
    }

    fn set_life(&self, container: &str, change: impl Fn(Life) -> Life) {
        if let Some(found) = self.shared.world().find_mut(container) {
            found.life = change(found.life);
        }
        self.shared.wake();
    }

    /// Returns every call so far.
    #[must_use]
    pub fn calls(&self) -> Vec<LoggedCall> {
        self.shared.world().calls.clone()
    }

    /// Returns the mutating calls from one on, in words.
    #[must_use]
    pub fn mutations_since(&self, call: usize) -> Vec<String> {
        let world = self.shared.world();
        let calls = world.calls.iter().skip(call);
        calls.filter(|call| call.mutating).map(|call| call.what.clone()).collect()
    }

    /// Returns what was done that may never be done, in words.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.shared.world().violations.clone()
    }

    /// Returns the world as text, without ids and times: what two runs must agree on.
    #[must_use]
    pub fn text(&self) -> String {
        let mut world = self.shared.world();
        world.settle();
        world.text()
    }

    /// Returns what happened to containers, each with its time: `create`, `start`, `ready`, `die 0`, ….
    #[must_use]
    pub fn history(&self) -> Vec<(Duration, Happening)> {
        let mut world = self.shared.world();
        world.settle();
        world.history.clone()
    }

    /// Returns a number that tells a volume from a later one of the same name: its data.
    #[must_use]
    pub fn volume_serial(&self, name: &str) -> Option<u64> {
        self.shared.world().volumes.get(name).map(|volume| volume.serial)
    }

    /// Takes a call in: logs it, and says what goes wrong with it.
    fn enter(&self, what: &str, mutating: bool) -> Result<(Flight, Option<Fault>), EngineError> {
        let mut world = self.shared.world();
        let now = Instant::now();
        let (index, at) = (world.calls.len(), now - world.epoch);
        world.calls.push(LoggedCall { at, what: what.to_owned(), mutating });
        let fault = world.faults.remove(&index);
        if let Some(Fault::Away(time) | Fault::Dies(time)) = fault {
            world.away_until = Some(now + time);
        }
        if let Some(Fault::Dies(time)) = fault {
            world.settle();
            world.die(now + time);
            self.shared.wake();
        }
        if world.away_until.is_some_and(|until| now < until) {
            return Err(fault::unreachable());
        }
        world.in_flight += 1;
        world.check();
        Ok((Flight { shared: Arc::clone(&self.shared) }, fault))
    }

    /// Does something with its faults around it: what takes effect takes it after the engine's time for it.
    async fn with_faults<T>(
        &self,
        what: &str,
        mutating: bool,
        time: Duration,
        effect: impl FnOnce(&mut World) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let (_flight, fault) = self.enter(what, mutating)?;
        sleep(time).await;
        let result = match fault {
            Some(fault) if !fault.takes_effect() => None,
            Some(_) | None => Some(effect(&mut self.shared.world())),
        };
        self.shared.wake();
        let Some(fault) = fault else {
            // Without a fault there is always an effect.
            return result.unwrap_or_else(|| Err(fault::unreachable()));
        };
        if let Fault::Hangs { took: _ } = fault {
            sleep(fault::HANG).await;
        }
        if let Some(error) = fault.error(what) {
            return Err(error);
        }
        self.shared.crashed.send_replace(true);
        std::future::pending().await
    }

    /// Waits until a stop that was begun has come to its end.
    async fn await_stop(&self, container: &str) {
        loop {
            let mut changed = self.shared.changed.subscribe();
            let until = {
                let mut world = self.shared.world();
                world.settle();
                match world.find(container).map(|found| found.life) {
                    Some(Life::Running { since: _, ends: Some((at, _)) }) => at,
                    Some(_) | None => break,
                }
            };
            tokio::select! {
                () = sleep_until(until) => {}
                _ = changed.changed() => {}
            }
        }
        self.shared.wake();
    }
}

/// The time that an engine takes for a call, from measurements on Docker 20.10 with two processors.
fn time_of(call: &Call) -> Duration {
    Duration::from_millis(match call {
        Call::CreateContainer(_) => 30,
        Call::Start { .. } => 80,
        Call::CreateNetwork(_) | Call::Look { .. } | Call::RemoveNetwork { .. } => 50,
        Call::Pull { .. } | Call::Build { .. } => 2000,
        Call::Remove { .. } => 20,
        Call::CreateVolume(_)
        | Call::Put { .. }
        | Call::Connect { .. }
        | Call::Stop { .. }
        | Call::Kill { .. }
        | Call::Unpause { .. }
        | Call::Rename { .. }
        | Call::SetRestart { .. }
        | Call::SetLimits { .. }
        | Call::Disconnect { .. }
        | Call::RemoveVolume { .. } => 5,
        Call::Run { .. } => 60,
        Call::Remember { .. } => 1,
    })
}

impl Engine for Sim {
    fn facts(&self) -> BoxFuture<'_, Result<Facts, EngineError>> {
        let time = Duration::from_millis(2);
        Box::pin(self.with_faults("facts", false, time, |world| Ok(world.facts.clone())))
    }

    fn observe<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Observed, EngineError>> {
        Box::pin(self.with_faults("observe", false, Duration::from_millis(5), |world| {
            world.settle();
            Ok(world.observe(scope))
        }))
    }

    fn closer<'a>(
        &'a self,
        wanted: &'a BTreeMap<String, Closeness>,
    ) -> BoxFuture<'a, Result<BTreeMap<String, Closer>, EngineError>> {
        let names: Vec<&str> = wanted.keys().map(String::as_str).collect();
        let what = format!("look closely at {}", names.join(", "));
        Box::pin(async move {
            self.with_faults(&what, false, Duration::from_millis(5), |world| {
                world.settle();
                let look = |(name, closeness): (&String, &Closeness)| {
                    Some((name.clone(), world.closer(name, *closeness)?))
                };
                Ok(wanted.iter().filter_map(look).collect())
            })
            .await
        })
    }

    fn perform<'a>(&'a self, call: &'a Call, show: Show) -> BoxFuture<'a, Result<Done, EngineError>> {
        Box::pin(async move {
            if let Call::Pull { .. } | Call::Build { .. } = call {
                show(Progress::Line(calls::words(call)));
            }
            // A stop holds on to its container, also when that is renamed meanwhile.
            let stopping = if let Call::Stop { container, grace: _ } = call {
                self.shared.world().find(container).map(|found| found.id.clone())
            } else {
                None
            };
            let done = self
                .with_faults(&calls::words(call), true, time_of(call), |world| calls::apply(world, call))
                .await?;
            if let Some(id) = stopping {
                self.await_stop(&id).await;
            }
            Ok(done)
        })
    }

    fn signals<'a>(&'a self, container: &'a str) -> BoxStream<'a, Result<Signal, EngineError>> {
        let what = format!("follow {container}");
        let error = match self.enter(&what, false) {
            Err(error) => error,
            Ok((_, None)) => return life::signals(&self.shared, container),
            Ok((_, Some(fault))) => {
                let Some(error) = fault.error(&what) else {
                    self.shared.crashed.send_replace(true);
                    return stream::pending().boxed();
                };
                error
            }
        };
        stream::once(async { Err(error) }).boxed()
    }

    fn watch<'a>(&'a self, project: &'a str) -> BoxStream<'a, Result<Happening, EngineError>> {
        let from = self.shared.world().history.len();
        let changed = self.shared.changed.subscribe();
        stream::unfold((from, changed), move |(from, mut changed)| async move {
            loop {
                let (fresh, now_at) = {
                    let world = self.shared.world();
                    (world.events_from(from, project), world.history.len())
                };
                if !fresh.is_empty() {
                    return Some((stream::iter(fresh.into_iter().map(Ok)), (now_at, changed)));
                }
                changed.changed().await.ok()?;
            }
        })
        .flatten()
        .boxed()
    }

    fn exec<'a>(
        &'a self,
        container: &'a str,
        command: &'a ExecSpec,
    ) -> BoxFuture<'a, Result<ExecOutput, EngineError>> {
        Box::pin(async move {
            let what = format!("run {} in {container}", command.command.join(" "));
            let time =
                Duration::from_millis(60) + inside::takes(&self.shared.world(), container, &command.command);
            self.with_faults(&what, false, time, |world| inside::run(world, container, &command.command))
                .await
        })
    }

    fn session<'a>(
        &'a self,
        container: &'a str,
        command: &'a ExecSpec,
    ) -> BoxFuture<'a, Result<Session, EngineError>> {
        Box::pin(async move {
            let output = self.exec(container, command).await?;
            let chunks = [Chunk::Out(Bytes::from(output.stdout)), Chunk::Err(Bytes::from(output.stderr))];
            Ok(Session {
                input: Box::pin(tokio::io::sink()),
                output: stream::iter(chunks.map(Ok)).boxed(),
                resize: Box::new(|_, _| Box::pin(async { Ok(()) })),
                exit: Box::pin(async move { Ok(output.code) }),
            })
        })
    }

    fn logs<'a>(
        &'a self,
        container: &'a str,
        query: &'a LogQuery,
    ) -> BoxStream<'a, Result<LogLine, EngineError>> {
        let changed = self.shared.changed.subscribe();
        stream::unfold((0, changed), move |(shown, mut changed)| async move {
            loop {
                let (lines, ended) = {
                    let mut world = self.shared.world();
                    world.settle();
                    let found = world.find(container)?;
                    (life::log(found), !found.is_active())
                };
                let tail = query.tail.and_then(|tail| usize::try_from(tail).ok()).unwrap_or(usize::MAX);
                let from = if shown == 0 { lines.len().saturating_sub(tail) } else { shown };
                if from < lines.len() {
                    let fresh: Vec<_> = lines[from..].iter().cloned().map(Ok).collect();
                    return Some((stream::iter(fresh), (lines.len(), changed)));
                }
                if ended || !query.follow {
                    return None;
                }
                tokio::select! {
                    _ = changed.changed() => {}
                    () = sleep(Duration::from_millis(100)) => {}
                }
            }
        })
        .flatten()
        .boxed()
    }
}
