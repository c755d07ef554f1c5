//! The signals of a simulated container, and its console.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::Shared;
use super::world::{Container, Life, World};
use crate::engine::{EngineError, LogLine, RefusalKind, Signal};

/// A follower of one container.
struct Follower {
    shared: Arc<Shared>,
    changed: watch::Receiver<u64>,
    id: String,
    /// Which life is followed; a container that is started again lives anew.
    since: Option<Instant>,
    delivered: usize,
    told_not_started: bool,
    ended: bool,
}

enum Next {
    Signal(Signal),
    /// Nothing until then, or until something changes.
    Wait(Option<Instant>),
}

/// Follows a container.
pub(super) fn signals(shared: &Arc<Shared>, name: &str) -> BoxStream<'static, Result<Signal, EngineError>> {
    let Some(id) = shared.world().find(name).map(|found| found.id.clone()) else {
        let what = format!("follow {name}");
        let message = "no such container".to_owned();
        let error = EngineError::Refused { what, kind: RefusalKind::NotFound, message };
        return stream::once(async { Err(error) }).boxed();
    };
    let follower = Follower {
        shared: Arc::clone(shared),
        changed: shared.changed.subscribe(),
        id,
        since: None,
        delivered: 0,
        told_not_started: false,
        ended: false,
    };
    stream::unfold(follower, |mut follower| async move {
        let signal = follower.next().await?;
        Some((Ok(signal), follower))
    })
    .boxed()
}

impl Follower {
    async fn next(&mut self) -> Option<Signal> {
        while !self.ended {
            // What changes from here on wakes the wait below.
            self.changed.mark_unchanged();
            match self.look() {
                Next::Signal(signal) => return Some(signal),
                Next::Wait(until) => {
                    let changed = self.changed.changed();
                    match until {
                        Some(until) => tokio::select! {
                            _ = changed => {}
                            () = sleep_until(until) => {}
                        },
                        None => drop(changed.await),
                    }
                }
            }
        }
        None
    }

    fn look(&mut self) -> Next {
        let shared = Arc::clone(&self.shared);
        let mut world = shared.world();
        world.settle();
        let Some(container) = world.containers.get(&self.id) else {
            self.ended = true;
            return Next::Signal(Signal::Exited { code: 137, oom: false, console: Vec::new() });
        };
        match container.life {
            Life::Created if self.told_not_started => Next::Wait(None),
            Life::Created => {
                self.told_not_started = true;
                Next::Signal(Signal::NotStarted)
            }
            Life::Paused { .. } => Next::Wait(None),
            Life::Running { since, ends } => {
                if self.since != Some(since) {
                    self.since = Some(since);
                    self.delivered = 0;
                }
                let due = life(container);
                let now = Instant::now();
                match due.get(self.delivered) {
                    Some((at, signal)) if since + *at <= now => {
                        self.delivered += 1;
                        self.note(&mut world, signal, since);
                        Next::Signal(signal.clone())
                    }
                    later => {
                        let own = container.script.end.as_ref().map(|end| since + end.after);
                        let instants = [later.map(|(at, _)| since + *at), own, ends.map(|(at, _)| at)];
                        Next::Wait(instants.into_iter().flatten().min())
                    }
                }
            }
            Life::Exited { code } | Life::Restarting { until: _, code } => {
                self.ended = true;
                Next::Signal(Signal::Exited { code, oom: false, console: console(container) })
            }
            Life::Dead | Life::Removing { .. } => {
                self.ended = true;
                Next::Signal(Signal::Exited { code: 137, oom: false, console: Vec::new() })
            }
        }
    }

    /// A listener that hears READY leaves a mark.
    fn note(&self, world: &mut World, signal: &Signal, since: Instant) {
        if *signal == Signal::Ready
            && let Some(container) = world.containers.get_mut(&self.id)
        {
            container.ready_seen = Some(since);
            let name = container.name.clone();
            world.tell(&name, "ready");
        }
    }
}

/// All signals of a container's life, with their times since its start, in order.
fn life(container: &Container) -> Vec<(Duration, Signal)> {
    let schedule = container.script.schedule();
    let mut signals = vec![(Duration::ZERO, Signal::Running)];
    for ((at, line), done) in schedule.ups().into_iter().zip(1..) {
        signals.push((at, Signal::Booting { done, line }));
    }
    if let Some(ready) = schedule.ready() {
        signals.push((ready, Signal::Ready));
    }
    let health = container.script.health.iter().map(|(at, health)| (*at, Signal::Health(*health)));
    signals.extend(health);
    // Stable, so that READY follows the last unit.
    signals.sort_by_key(|(at, _)| *at);
    signals
}

fn console(container: &Container) -> Vec<String> {
    container.script.end.as_ref().map(|end| end.console.clone()).unwrap_or_default()
}

/// The lines that a container's console shows by now.
pub(super) fn log(container: &Container) -> Vec<LogLine> {
    let ups = container.script.schedule().ups();
    let up = container.elapsed(Instant::now());
    let ended = matches!(container.life, Life::Exited { .. });
    let shown = ups.into_iter().filter(|(at, _)| ended || up.is_some_and(|up| *at <= up));
    let last = if ended { console(container) } else { Vec::new() };
    let line = |at: Duration, text: String| LogLine {
        at: i128::try_from(at.as_nanos()).unwrap_or_default(),
        stderr: false,
        text: Bytes::from(text),
    };
    let mut lines: Vec<LogLine> = shown.map(|(at, text)| line(at, text)).collect();
    let end = container.script.end.as_ref().map(|end| end.after).unwrap_or_default();
    lines.extend(last.into_iter().map(|text| line(end, text)));
    lines
}
