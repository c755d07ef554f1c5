//! Following one container's life: its state by events and looks, a machine's boot by its console, its
//! readiness by its notify socket or, where there is none to listen on, by asking systemd once.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, pending};
use futures_util::stream::{BoxStream, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use crate::engine::{EngineError, ExecSpec, LogQuery, Signal, notify_socket};
use crate::observed::{ContainerState, Health};

use super::Docker;
use super::boot::{Console, plain};
use super::errors::{Purpose, Trouble};
use super::events::Event;
use super::frames::Line;
use super::inspect::Inspected;

/// After this time in a container, PID 1 has its own cgroup for certain, even if nothing was seen of it.
const SETTLED: Duration = Duration::from_secs(3);
/// A listener that has heard nothing for so long may never: the engine may run elsewhere, or a security
/// layer forbids the socket. systemd is asked as well then.
const SILENT: Duration = Duration::from_secs(10);
/// Pause between two questions to a systemd that cannot answer yet.
const AGAIN: Duration = Duration::from_millis(500);
/// Pauses before looks without an event: Podman may begin to read its events a moment after it answered,
/// and a stream of events can fall silent without an end. The last one repeats.
const RESYNC: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30)];
/// Lines of the console that go with an exit.
const CONSOLE_LINES: u64 = 20;
/// Signals that wait for their reader.
const AHEAD: usize = 256;

impl Docker {
    /// Follows a container until it ends or the stream is dropped.
    pub(super) fn follow_signals(&self, container: &str) -> BoxStream<'static, Result<Signal, EngineError>> {
        let (tell, mut told) = mpsc::channel(AHEAD);
        let (docker, container) = (self.clone(), container.to_owned());
        let task = tokio::spawn(async move {
            let failed = Life { docker: docker.clone(), container: container.clone(), tell: tell.clone() }
                .follow()
                .await;
            if let Err(trouble) = failed {
                let error = trouble.of(&docker.endpoint, Purpose::Other, format!("follow {container}"));
                // Nobody reads any more: nothing to tell.
                let _ = tell.send(Err(error)).await;
            }
        });
        let guard = AbortOnDrop(task);
        futures_util::stream::poll_fn(move |cx| {
            let _ = &guard;
            told.poll_recv(cx)
        })
        .boxed()
    }
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Life {
    docker: Docker,
    container: String,
    tell: mpsc::Sender<Result<Signal, EngineError>>,
}

/// What is known between two looks.
#[derive(Default)]
struct Known {
    running: Option<bool>,
    started: String,
    health: Option<Health>,
    ready: bool,
    /// The code of its last end, as an event told it: believed only when it can not be looked at any more.
    ended_with: Option<i64>,
}

/// Whether to go on.
enum Next {
    Follow(Option<Box<Boot>>),
    Unchanged,
    Ended,
}

impl Life {
    async fn follow(self) -> Result<(), Trouble> {
        // Listened to before the first look, so that nothing between them is missed.
        let filters = serde_json::json!({ "type": ["container"], "container": [self.container] });
        let mut events = self.docker.events(&filters).await?;
        let mut known = Known::default();
        let mut boot: Option<Box<Boot>> = None;
        let mut look = true;
        let mut pauses = RESYNC.into_iter();
        let mut resync = Box::pin(sleep(Duration::ZERO));
        loop {
            if look {
                resync = Box::pin(sleep(pauses.next().unwrap_or(RESYNC[RESYNC.len() - 1])));
                match self.look(&mut known).await? {
                    Next::Ended => return Ok(()),
                    Next::Unchanged => {}
                    Next::Follow(next) => boot = next,
                }
            }
            look = tokio::select! {
                event = events.next() => match event {
                    Some(Ok(event)) => {
                        known.ended_with = exit_code(&event).or(known.ended_with);
                        matters(&event)
                    }
                    Some(Err(trouble)) => return Err(trouble),
                    None => return Err(Trouble::Lost("the engine ended its stream of events".to_owned())),
                },
                () = &mut resync => true,
                news = of_boot(boot.as_mut()) => {
                    if self.booted(&mut known, news).await {
                        boot = None;
                    }
                    false
                }
            };
        }
    }

    /// Looks at the container and tells what changed.
    async fn look(&self, known: &mut Known) -> Result<Next, Trouble> {
        let found = match self.docker.inspect(&self.container).await {
            Ok(found) => found,
            Err(trouble) => {
                // Removed while it was followed; without a code nobody knows how it ended.
                let Some(code) = known.ended_with.filter(|_| trouble.is_status(404)) else {
                    return Err(trouble);
                };
                self.say(Signal::Exited { code, oom: false, console: Vec::new() }).await;
                return Ok(Next::Ended);
            }
        };
        match found.state() {
            ContainerState::Running | ContainerState::Paused => Ok(self.runs(&found, known).await),
            ContainerState::Created => {
                if known.running != Some(false) {
                    known.running = Some(false);
                    self.say(Signal::NotStarted).await;
                }
                Ok(Next::Unchanged)
            }
            // The engine will start it again. A machine that did not get through its boot will not do so
            // by more tries; everything else is given them.
            ContainerState::Restarting if known.ready || !found.is_machine() => {
                known.running = Some(false);
                Ok(Next::Follow(None))
            }
            ContainerState::Restarting | ContainerState::Exited | ContainerState::Dead => {
                self.ended(&found).await;
                Ok(Next::Ended)
            }
            // On its way out; the event of its end is still to come.
            ContainerState::Removing | ContainerState::Other(_) => Ok(Next::Unchanged),
        }
    }

    async fn runs(&self, found: &Inspected, known: &mut Known) -> Next {
        let again = known.running != Some(true) || known.started != found.state.started_at;
        // It ended and was started again between two looks.
        if again && known.running == Some(true) && found.is_machine() && !known.ready {
            self.ended(found).await;
            return Next::Ended;
        }
        if again {
            known.running = Some(true);
            known.started.clone_from(&found.state.started_at);
            known.ready = false;
            self.say(Signal::Running).await;
        }
        if known.health != found.health() {
            known.health = found.health();
            if let Some(health) = known.health {
                self.say(Signal::Health(health)).await;
            }
        }
        if !(again && found.is_machine()) {
            return Next::Unchanged;
        }
        Next::Follow(Some(Box::new(Boot::new(&self.docker, &self.container, found))))
    }

    async fn ended(&self, found: &Inspected) {
        let lines = self.docker.last_lines(&found.id, found.tty(), CONSOLE_LINES).await;
        let console = lines.iter().map(|line| plain(&line.text)).filter(|line| !line.is_empty()).collect();
        let (code, oom) = (found.state.exit_code, found.state.oom_killed);
        self.say(Signal::Exited { code, oom, console }).await;
    }

    /// Tells what a boot brought; returns whether it is over.
    async fn booted(&self, known: &mut Known, news: News) -> bool {
        match news {
            News::Progress { done, line } => {
                self.say(Signal::Booting { done, line }).await;
                false
            }
            News::Ready => {
                known.ready = true;
                self.say(Signal::Ready).await;
                true
            }
        }
    }

    async fn say(&self, signal: Signal) {
        // Nobody reads any more: the task is about to be stopped.
        let _ = self.tell.send(Ok(signal)).await;
    }
}

/// Events of commands that are run inside come with every look of ours at systemd, and change nothing.
fn matters(event: &Event) -> bool {
    !event.action.starts_with("exec_") && event.action != "top" && event.action != "resize"
}

/// Reads the exit code that goes with an end.
fn exit_code(event: &Event) -> Option<i64> {
    (event.action == "die").then(|| event.actor.attributes.get("exitCode")?.parse().ok()).flatten()
}

async fn of_boot(boot: Option<&mut Box<Boot>>) -> News {
    match boot {
        Some(boot) => boot.next().await,
        None => pending().await,
    }
}

/// What a boot brings.
enum News {
    Progress { done: u32, line: String },
    Ready,
}

/// A boot that is followed.
struct Boot {
    console: BoxStream<'static, Result<Line, Trouble>>,
    seen: Console,
    /// Turns true by the notify socket.
    heard: Option<watch::Receiver<bool>>,
    /// Asks systemd, once its time has come.
    asked: BoxFuture<'static, ()>,
    /// Whether the question still waits for its time.
    waiting: Option<BoxFuture<'static, ()>>,
    docker: Docker,
    container: String,
    run: (String, String),
    directory: Option<PathBuf>,
    known_ready: bool,
}

impl Boot {
    fn new(docker: &Docker, container: &str, found: &Inspected) -> Self {
        let run = (found.id.clone(), found.state.started_at.clone());
        let directory = docker.notify_root().and_then(|root| found.notify_dir(root));
        let heard = docker.heard(&run.0, &run.1);
        let known_ready = directory
            .as_ref()
            .is_some_and(|directory| notify_socket::run_was_ready(directory, &run.0, &run.1));
        let console = if found.tty() && !known_ready {
            console(docker, &run)
        } else {
            futures_util::stream::pending().boxed()
        };
        let patience = if heard.is_some() { SILENT } else { SETTLED.saturating_sub(age(&run.1)) };
        Self {
            console,
            seen: Console::default(),
            heard,
            asked: pending().boxed(),
            waiting: Some(sleep(patience).boxed()),
            docker: docker.clone(),
            container: container.to_owned(),
            run,
            directory,
            known_ready,
        }
    }

    /// Waits for the next news.
    async fn next(&mut self) -> News {
        if self.known_ready {
            return News::Ready;
        }
        loop {
            tokio::select! {
                biased;
                () = becomes_true(self.heard.as_mut()) => return News::Ready,
                line = self.console.next() => match line {
                    Some(Ok(line)) => {
                        if let Some(progress) = self.seen.take(&line.text) {
                            if self.heard.is_none() {
                                self.ask();
                            }
                            return News::Progress { done: progress.done, line: progress.line };
                        }
                    }
                    // Without a console there still are the socket and the question.
                    Some(Err(_)) | None => self.console = futures_util::stream::pending().boxed(),
                },
                () = until(self.waiting.as_mut()) => self.ask(),
                () = &mut self.asked => {
                    self.remember();
                    return News::Ready;
                }
            }
        }
    }

    /// Begins to ask systemd whether its boot is done; once.
    fn ask(&mut self) {
        if self.waiting.take().is_some() {
            let (docker, container) = (self.docker.clone(), self.container.clone());
            self.asked = async move {
                if !boot_is_done(&docker, &container).await {
                    pending::<()>().await;
                }
            }
            .boxed();
        }
    }

    /// What systemd answered is as good as what it would have said.
    fn remember(&self) {
        if let Some(directory) = &self.directory {
            // Without the marker the next run asks again.
            let _ = notify_socket::mark_ready(directory, &self.run.0, &self.run.1);
        }
    }
}

/// Follows the console from the container's start on.
fn console(docker: &Docker, run: &(String, String)) -> BoxStream<'static, Result<Line, Trouble>> {
    let since = run.1.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_nanosecond);
    let query = LogQuery { follow: true, since, ..LogQuery::default() };
    let (docker, id) = (docker.clone(), run.0.clone());
    futures_util::stream::once(async move { docker.lines(&id, &query, true, false).await })
        .flat_map(|lines| match lines {
            Ok(lines) => lines,
            Err(trouble) => futures_util::stream::iter([Err(trouble)]).boxed(),
        })
        .boxed()
}

/// How long a container has run, by this host's clock; zero where the engine's is ahead.
fn age(started: &str) -> Duration {
    let Ok(started) = started.parse::<jiff::Timestamp>() else { return Duration::ZERO };
    Duration::try_from(jiff::Timestamp::now().duration_since(started)).unwrap_or_default()
}

/// Asks systemd until it knows; `false` where it cannot be asked at all.
///
/// `--wait` (systemd 240 and newer) answers when the boot is done; before D-Bus is there it fails at once.
async fn boot_is_done(docker: &Docker, container: &str) -> bool {
    let command = ExecSpec { timeout: None, ..ExecSpec::of(&["systemctl", "is-system-running", "--wait"]) };
    loop {
        match docker.run(container, &command).await {
            // There is no such program (the runtime's exit codes).
            Ok(output) if matches!(output.code, 126 | 127) => return false,
            Ok(output) => {
                let word = String::from_utf8_lossy(&output.stdout);
                if matches!(word.trim(), "running" | "degraded" | "maintenance" | "stopping") {
                    return true;
                }
            }
            // It has ended, or the engine is away: both are told by the events.
            Err(_) => {}
        }
        sleep(AGAIN).await;
    }
}

async fn becomes_true(heard: Option<&mut watch::Receiver<bool>>) {
    if let Some(heard) = heard
        && heard.wait_for(|ready| *ready).await.is_ok()
    {
        return;
    }
    pending::<()>().await;
}

async fn until(time: Option<&mut BoxFuture<'static, ()>>) {
    match time {
        Some(time) => time.await,
        None => pending().await,
    }
}
