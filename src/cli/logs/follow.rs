//! Goes on showing what comes, across restarts and replacements of containers.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{BoxStream, FuturesUnordered};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep, sleep_until};

use crate::cli::enter::enterable;
use crate::cli::logs::merge::{WINDOW, Window};
use crate::cli::logs::source::{self, Origin, SharedMark, Wish};
use crate::cli::logs::{Marks, Printer};
use crate::cli::open::Ground;
use crate::engine::{Engine, Signal};
use crate::error::Error;
use crate::report::logs::Line;

/// Time before the engine's events are asked for again, where they ended.
const RETRY: Duration = Duration::from_millis(500);

/// One of a container's two sources of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Console,
    Journal,
}

/// A container and one side of it.
type Reader = (String, Side);

/// Follows containers until none of them runs any more. A container that starts again, or a new one that
/// `chosen` takes, is followed as well, from where its lines ended.
///
/// A reader that ends is begun anew by the engine's word of a start alone: while a container stops, the
/// engine still lists it as running, and a log that is opened then never ends (Docker 20.10).
pub(super) async fn follow(
    ground: &Ground,
    origins: Vec<Origin>,
    wish: &Wish,
    mut marks: Marks,
    printer: &mut Printer,
    chosen: &(dyn Fn(&Origin) -> bool + Sync),
) -> Result<(), Error> {
    let (sender, mut lines) = channel(256);
    let engine = ground.engine();
    let mut followed: FuturesUnordered<BoxFuture<'_, Reader>> = FuturesUnordered::new();
    let mut reading: BTreeSet<Reader> = BTreeSet::new();
    // Readers of a run before, of containers that run again: they still have its last lines to read.
    let mut ending: BTreeSet<Reader> = BTreeSet::new();
    let mut begin = |origin: &Origin, reading: &mut BTreeSet<Reader>| {
        let mut begun = Vec::new();
        for side in wish.sides(origin) {
            if reading.insert((origin.name.clone(), side)) {
                let mark = SharedMark::clone(marks.entry(origin.name.clone()).or_default());
                begun.push(one(engine, origin.clone(), side, wish, mark, sender.clone()).boxed());
            }
        }
        begun
    };
    for origin in origins {
        followed.extend(begin(&origin, &mut reading));
    }
    let mut happenings = engine.watch(ground.name());
    let mut show = Shown { window: Window::default(), printer };
    while !followed.is_empty() {
        tokio::select! {
            Some(reader) = followed.next() => {
                reading.remove(&reader);
                if ending.remove(&reader) {
                    for origin in now_running(ground, chosen).await? {
                        followed.extend(begin(&origin, &mut reading));
                    }
                }
                if reading.iter().all(|(name, _)| *name != reader.0) {
                    show.ended(engine, &reader.0, &mut lines).await?;
                }
            }
            happening = happenings.next() => {
                let started = match happening {
                    Some(Ok(happening)) if happening.action == "start" => Some(happening.name),
                    Some(Ok(_)) => continue,
                    // Something may have started unheard.
                    Some(Err(_)) | None => {
                        sleep(RETRY).await;
                        happenings = engine.watch(ground.name());
                        None
                    }
                };
                let before = reading.clone();
                for origin in now_running(ground, chosen).await? {
                    followed.extend(begin(&origin, &mut reading));
                }
                ending.extend(before.into_iter().filter(|(name, _)| Some(name) == started.as_ref()));
            }
            result = show.some(&mut lines) => result?,
        }
    }
    show.all(&mut lines)
}

impl Wish {
    /// The sides of a container that are read while it runs.
    fn sides(&self, origin: &Origin) -> impl Iterator<Item = Side> {
        let console = (origin.running && self.console()).then_some(Side::Console);
        console.into_iter().chain(self.journal(origin).then_some(Side::Journal))
    }
}

/// Returns the chosen containers that run now.
async fn now_running(
    ground: &Ground,
    chosen: &(dyn Fn(&Origin) -> bool + Sync),
) -> Result<Vec<Origin>, Error> {
    let observed = ground.observe().await?;
    let origins = observed.containers.iter().map(Origin::of);
    Ok(origins.filter(|origin| origin.running && chosen(origin)).collect())
}

/// Follows one side of a container to its end, and returns which.
async fn one(
    engine: &dyn Engine,
    origin: Origin,
    side: Side,
    wish: &Wish,
    mark: SharedMark,
    lines: Sender<Line>,
) -> Reader {
    match side {
        Side::Console => pass_on(source::console(engine, &origin, wish, &mark, true), &lines).await,
        Side::Journal if enterable(engine, &origin.name, origin.ready_seen).await => {
            match source::journal(engine, &origin, wish, &mark, true).await {
                Ok(stream) => pass_on(stream, &lines).await,
                // One that has stopped meanwhile has no journal to read, which is nothing to warn about.
                Err(Some(why)) if runs(engine, &origin).await => {
                    source::warn(&format!("{}: {why}", origin.name));
                }
                Err(_) => {}
            }
        }
        Side::Journal => {}
    }
    (origin.name, side)
}

/// Passes lines on until there are none, or nobody takes them.
async fn pass_on(mut stream: BoxStream<'_, Line>, lines: &Sender<Line>) {
    while let Some(line) = stream.next().await {
        if lines.send(line).await.is_err() {
            return;
        }
    }
}

/// Whether a container runs at this moment.
async fn runs(engine: &dyn Engine, origin: &Origin) -> bool {
    matches!(engine.signals(&origin.name).next().await, Some(Ok(Signal::Running)))
}

/// Lines on their way to the user.
struct Shown<'a> {
    window: Window,
    printer: &'a mut Printer,
}

impl Shown<'_> {
    /// Takes a line, or prints those that waited long enough.
    async fn some(&mut self, lines: &mut Receiver<Line>) -> Result<(), Error> {
        let wake = Instant::now() + WINDOW / 2;
        tokio::select! {
            Some(line) = lines.recv() => self.window.push(line, Instant::now()),
            () = sleep_until(wake) => {}
        }
        for line in self.window.due(Instant::now()) {
            self.printer.print(&line)?;
        }
        Ok(())
    }

    /// Prints all that was read.
    fn all(&mut self, lines: &mut Receiver<Line>) -> Result<(), Error> {
        while let Ok(line) = lines.try_recv() {
            self.window.push(line, Instant::now());
        }
        for line in self.window.drain() {
            self.printer.print(&line)?;
        }
        Ok(())
    }

    /// Says how a container ended, after its last line; nothing where it runs again, or is gone.
    async fn ended(
        &mut self,
        engine: &dyn Engine,
        container: &str,
        lines: &mut Receiver<Line>,
    ) -> Result<(), Error> {
        self.all(lines)?;
        if let Some(Ok(Signal::Exited { code, oom: _, console: _ })) = engine.signals(container).next().await
        {
            self.printer.ended(container, code)?;
        }
        Ok(())
    }
}
