//! Waiting until a condition holds of one container. The engine's signals wake it; systemd is asked only
//! when a signal says that it can answer, and polled only where no signal tells of a single unit.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{BoxStream, StreamExt};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::call::{Hands, Patience};
use super::failure;
use crate::condition::{Condition, Verdict, Wait, not_loaded};
use crate::engine::{EngineError, Signal};
use crate::event::{Failure, Progress};
use crate::observed::{ContainerState, Now};
use crate::systemd::{LoadState, SystemState, UnitName, show};

/// Pause between two questions for units, while signals are silent about them.
const POLL: Duration = Duration::from_millis(250);
/// After this time of polling, the pause is longer: what has not come by then takes its time.
const POLL_EAGERLY: Duration = Duration::from_secs(10);
const POLL_LATER: Duration = Duration::from_secs(1);
/// Lines of the console that are kept for a failure.
const CONSOLE_LINES: usize = 20;

/// All that was learned of a container while waiting.
#[derive(Default)]
pub(super) struct Seen {
    /// What the condition is judged by.
    pub(super) now: Now,
    /// Whether commands may be run inside. Before PID 1 has moved to its own cgroup, a command can take
    /// that place and the boot fails.
    pub(super) may_ask: bool,
    /// The last lines of the console.
    pub(super) console: Vec<String>,
    /// Whether the kernel ended it for want of memory.
    pub(super) oom: bool,
    /// What is still missing, in the condition's words.
    pub(super) missing: String,
    total: Total,
    /// Whether something happened that an answer of systemd may depend on.
    stale: bool,
    /// Since when questions go wrong although the boot is done.
    troubled: Option<Instant>,
    /// When systemd was asked first and last.
    asked: Option<(Instant, Instant)>,
}

/// Waits until the condition holds of the container.
///
/// # Errors
/// A failure, when it cannot hold any more, when its time runs out, or when the engine cannot be asked.
pub(super) async fn until(hands: &Hands<'_>, container: &str, wait: &Wait) -> Result<(), Box<Failure>> {
    let mut seen = Seen::default();
    let follow = follow(hands, container, &wait.condition, &mut seen);
    let ended = match wait.timeout {
        None => follow.await,
        Some(time) => timeout_at(Instant::now() + time, follow).await.unwrap_or(Err(Stop::Late(time))),
    };
    let ended = match ended {
        Ok(()) => enabled_are_loaded(hands, container, &wait.enabled, &mut seen).await,
        Err(stop) => Err(stop),
    };
    match ended {
        Ok(()) => Ok(()),
        Err(stop) => Err(Box::new(failure::of_wait(hands, container, &wait.condition, &seen, stop).await)),
    }
}

/// Asks once, after the boot, for the units that the machine was to start.
async fn enabled_are_loaded(
    hands: &Hands<'_>,
    container: &str,
    units: &[UnitName],
    seen: &mut Seen,
) -> Result<(), Stop> {
    if units.is_empty() {
        return Ok(());
    }
    // Who cannot answer this has answered that it runs; there is nothing to hold against it.
    let Some(text) = answer(hands, container, show::units_command(units), seen).await? else { return Ok(()) };
    let found = show::asked_units(units, &text);
    let why = not_loaded(&found);
    seen.now.units = found.into_iter().filter(|(_, unit)| unit.load != LoadState::Loaded).collect();
    why.map_or(Ok(()), |why| Err(Stop::Never(why)))
}

/// Why waiting ended without success.
pub(super) enum Stop {
    /// The condition cannot hold any more.
    Never(String),
    /// The time ran out.
    Late(Duration),
    /// The engine, or systemd, cannot be asked.
    Blind(EngineError),
    /// `systemctl` cannot be run in the image.
    NoSystemctl(i64),
}

async fn follow(
    hands: &Hands<'_>,
    container: &str,
    condition: &Condition,
    seen: &mut Seen,
) -> Result<(), Stop> {
    let mut signals = hands.engine.signals(container);
    let mut patience = Patience::new(hands.options.patience);
    let mut total: Option<BoxFuture<'_, Option<u32>>> = None;
    let mut ahead = None;
    loop {
        let turn = if let Some(turn) = ahead.take() {
            turn
        } else {
            tokio::select! {
                biased;
                signal = signals.next() => Turn::Signal(signal),
                found = pending_unless(&mut total) => Turn::Total(found),
                () = at(seen.next_poll(condition)) => Turn::Poll,
            }
        };
        match turn {
            Turn::Signal(Some(Ok(signal))) => {
                patience = Patience::new(hands.options.patience);
                seen.take(hands, condition, signal);
                ahead = seen.drain(hands, condition, &mut signals);
            }
            // The end of a stream without an end of the container is the engine's trouble (it restarts).
            Turn::Signal(lost) => {
                if !patience.pause(hands.interrupt).await {
                    return Err(Stop::Blind(lost_stream(container, lost)));
                }
                signals = hands.engine.signals(container);
                continue;
            }
            Turn::Total(found) => {
                total = None;
                seen.total = found.map_or(Total::Asked, Total::Known);
            }
            Turn::Poll => seen.stale = true,
        }
        if hands.options.want_totals && seen.wants_total() {
            seen.total = Total::Asked;
            total = Some(installed_jobs(hands, container).boxed());
        }
        if judged(hands, container, condition, seen).await? {
            return Ok(());
        }
        if seen.ended() {
            return Err(Stop::Never(format!("{container} ended: {}", seen.missing)));
        }
    }
}

/// Number of the boot's jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Total {
    #[default]
    Unknown,
    Asked,
    Known(u32),
}

impl Total {
    fn known(self) -> Option<u32> {
        match self {
            Self::Unknown | Self::Asked => None,
            Self::Known(total) => Some(total),
        }
    }
}

enum Turn {
    Signal(Option<Result<Signal, EngineError>>),
    Total(Option<u32>),
    Poll,
}

/// Judges what is known, and asks systemd where that leaves it open.
async fn judged(
    hands: &Hands<'_>,
    container: &str,
    condition: &Condition,
    seen: &mut Seen,
) -> Result<bool, Stop> {
    for asked in [false, true] {
        match condition.judge(&seen.now) {
            Verdict::Holds => return Ok(true),
            Verdict::Never(why) => return Err(Stop::Never(why)),
            Verdict::NotYet(why) => {
                if seen.missing != why {
                    seen.missing.clone_from(&why);
                    hands.show(Progress::Waiting(why));
                }
            }
        }
        if asked || !seen.wants_answer(condition) {
            break;
        }
        seen.stale = false;
        let began = Instant::now();
        seen.asked = Some((seen.asked.map_or(began, |(first, _)| first), began));
        ask(hands, container, condition, seen).await?;
    }
    Ok(false)
}

/// Asks systemd what the condition depends on.
async fn ask(hands: &Hands<'_>, container: &str, condition: &Condition, seen: &mut Seen) -> Result<(), Stop> {
    match condition {
        Condition::UnitsActive(units) => {
            if let Some(text) = answer(hands, container, show::units_command(units), seen).await? {
                seen.now.units = show::asked_units(units, &text).into_iter().collect();
            }
        }
        Condition::Running | Condition::Booted => {
            if let Some(text) = answer(hands, container, show::system_command(), seen).await? {
                seen.now.system = show::system(&text);
            }
            if seen.now.system == Some(SystemState::Degraded)
                && let Some(text) = answer(hands, container, show::failed_command(), seen).await?
            {
                seen.now.failed = show::units(&text);
            }
        }
        Condition::Started | Condition::Healthy | Condition::CompletedSuccessfully => {}
    }
    Ok(())
}

/// Asks one question; `None` where the answer is empty or lost, which is tried again at the next turn.
async fn answer(
    hands: &Hands<'_>,
    container: &str,
    command: Vec<String>,
    seen: &mut Seen,
) -> Result<Option<String>, Stop> {
    let error = match hands.ask(container, command).await {
        // 126 and 127 come from the engine's runtime: there is no such program.
        Ok(output) if matches!(output.code, 126 | 127) => return Err(Stop::NoSystemctl(output.code)),
        Ok(output) if !output.stdout.is_empty() => {
            seen.troubled = None;
            return Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned()));
        }
        Ok(output) => EngineError::Garbled {
            what: format!("systemctl in {container}"),
            cause: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        },
        Err(error) => error,
    };
    // A container that has just ended refuses commands; its end is told by the signals. An engine that is
    // gone for a moment comes back.
    let now = Instant::now();
    let since = *seen.troubled.get_or_insert(now);
    if seen.now.booted && now - since > hands.options.patience { Err(Stop::Blind(error)) } else { Ok(None) }
}

/// Asks how many jobs the boot has.
async fn installed_jobs(hands: &Hands<'_>, container: &str) -> Option<u32> {
    let output = hands.ask(container, show::jobs_command()).await.ok()?;
    show::jobs(&String::from_utf8_lossy(&output.stdout)).map(|jobs| jobs.installed)
}

impl Seen {
    /// Takes in everything that has arrived, so that one question answers for all of it; returns what is
    /// no signal.
    fn drain(
        &mut self,
        hands: &Hands<'_>,
        condition: &Condition,
        signals: &mut BoxStream<'_, Result<Signal, EngineError>>,
    ) -> Option<Turn> {
        while !self.ended() {
            match signals.next().now_or_never()? {
                Some(Ok(signal)) => self.take(hands, condition, signal),
                lost => return Some(Turn::Signal(lost)),
            }
        }
        None
    }

    fn take(&mut self, hands: &Hands<'_>, condition: &Condition, signal: Signal) {
        match signal {
            Signal::Running => self.now.state = Some(ContainerState::Running),
            Signal::NotStarted => self.now.state = Some(ContainerState::Created),
            Signal::Booting { done, line } => {
                self.stale |= !self.may_ask || mentions(condition, &self.now, &line);
                self.may_ask = true;
                self.remember(&line);
                hands.show(Progress::Booting { done, total: self.total.known(), line });
            }
            Signal::Ready => {
                self.now.booted = true;
                self.may_ask = true;
                self.stale = true;
            }
            Signal::Health(health) => self.now.health = Some(health),
            Signal::Exited { code, oom, console } => {
                self.now.state = Some(ContainerState::Exited);
                self.now.exit_code = Some(code);
                self.oom = oom;
                self.may_ask = false;
                if !console.is_empty() {
                    self.console = console;
                }
            }
        }
    }

    fn remember(&mut self, line: &str) {
        if self.console.len() >= CONSOLE_LINES {
            self.console.remove(0);
        }
        self.console.push(line.to_owned());
    }

    fn ended(&self) -> bool {
        self.now.state == Some(ContainerState::Exited)
    }

    /// Says whether the boot has begun and nobody has asked how long it is.
    fn wants_total(&self) -> bool {
        self.may_ask && !self.now.booted && self.total == Total::Unknown
    }

    /// Says whether systemd can be asked and its answer would help.
    fn wants_answer(&self, condition: &Condition) -> bool {
        let asks = match condition {
            Condition::UnitsActive(_) => true,
            Condition::Running | Condition::Booted => self.now.booted,
            Condition::Started | Condition::Healthy | Condition::CompletedSuccessfully => false,
        };
        asks && self.may_ask && self.stale
    }

    /// Returns when systemd is asked again without a signal: while a unit is on its way, and while systemd
    /// is not at rest although its boot is done.
    fn next_poll(&self, condition: &Condition) -> Option<Instant> {
        let polls = match condition {
            Condition::UnitsActive(_) => self.may_ask,
            Condition::Running | Condition::Booted => self.now.booted,
            Condition::Started | Condition::Healthy | Condition::CompletedSuccessfully => false,
        };
        let (first, last) = self.asked.filter(|_| polls)?;
        Some(last + if last - first < POLL_EAGERLY { POLL } else { POLL_LATER })
    }
}

/// Says whether a line of the console tells of a unit that is waited for. systemd before 249 prints only
/// descriptions, later ones print the name as well.
fn mentions(condition: &Condition, now: &Now, line: &str) -> bool {
    let tells_of = |unit: &UnitName| {
        line.contains(unit.as_str())
            || now.units.get(unit).is_some_and(|status| {
                !status.description.is_empty() && line.contains(status.description.as_str())
            })
    };
    match condition {
        Condition::UnitsActive(units) => units.iter().any(tells_of),
        Condition::Started
        | Condition::Healthy
        | Condition::CompletedSuccessfully
        | Condition::Running
        | Condition::Booted => false,
    }
}

fn lost_stream(container: &str, lost: Option<Result<Signal, EngineError>>) -> EngineError {
    match lost {
        Some(Err(error)) => error,
        Some(Ok(_)) | None => EngineError::Garbled {
            what: format!("follow {container}"),
            cause: "the stream ended while the container runs".to_owned(),
        },
    }
}

/// Waits for a future that may not be there.
async fn pending_unless<T>(future: &mut Option<BoxFuture<'_, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

/// Waits for an instant that may not be there.
async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
