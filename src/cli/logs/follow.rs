//! Goes on showing what comes, across restarts and replacements of containers.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep, sleep_until};

use crate::cli::enter::enterable;
use crate::cli::logs::merge::{WINDOW, Window};
use crate::cli::logs::source::{self, Origin, SharedMark, Wish};
use crate::cli::logs::{Marks, Printer};
use crate::cli::open::Ground;
use crate::engine::Engine;
use crate::error::Error;
use crate::report::logs::Line;

/// Time between the end of a container's lines and the look whether it runs again.
const SETTLING: Duration = Duration::from_millis(300);

/// Follows containers until none of them runs any more. A container that starts again, or a new one that
/// `chosen` takes, is followed as well, from where its lines ended.
pub(super) async fn follow(
    ground: &Ground,
    origins: Vec<Origin>,
    wish: &Wish,
    mut marks: Marks,
    printer: &mut Printer,
    chosen: &(dyn Fn(&Origin) -> bool + Sync),
) -> Result<(), Error> {
    let (sender, mut lines) = channel(256);
    let mut followed: FuturesUnordered<BoxFuture<'_, String>> = FuturesUnordered::new();
    let mut running: BTreeSet<String> = BTreeSet::new();
    let engine = ground.engine();
    let mut begin = |origin: Origin, running: &mut BTreeSet<String>| {
        if !origin.running || !running.insert(origin.name.clone()) {
            return None;
        }
        let mark = marks.entry(origin.name.clone()).or_default();
        Some(one(engine, origin, wish, SharedMark::clone(mark), sender.clone()).boxed())
    };
    for origin in origins {
        followed.extend(begin(origin, &mut running));
    }
    let mut happenings = engine.watch(ground.name());
    let mut show = Shown { window: Window::default(), printer };
    while !followed.is_empty() {
        tokio::select! {
            Some(name) = followed.next() => {
                running.remove(&name);
                // Where it was restarted, the event came before its last line did.
                for origin in now_running(ground, chosen).await? {
                    followed.extend(begin(origin, &mut running));
                }
            }
            Some(happening) = happenings.next() => {
                if happening.is_ok_and(|happening| happening.action == "start") {
                    for origin in now_running(ground, chosen).await? {
                        followed.extend(begin(origin, &mut running));
                    }
                }
            }
            result = show.some(&mut lines) => result?,
        }
    }
    while let Ok(line) = lines.try_recv() {
        show.window.push(line, Instant::now());
    }
    show.all()
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

/// Follows one container to its end, and returns its name.
async fn one(
    engine: &dyn Engine,
    origin: Origin,
    wish: &Wish,
    mark: SharedMark,
    lines: Sender<Line>,
) -> String {
    let console = async {
        if wish.console() {
            let mut stream = source::console(engine, &origin, wish, &mark, true);
            while let Some(line) = stream.next().await {
                if lines.send(line).await.is_err() {
                    return;
                }
            }
        }
    };
    let journal = async {
        if !wish.journal(&origin) || !enterable(engine, &origin.name, origin.ready_seen).await {
            return;
        }
        match source::journal(engine, &origin, wish, &mark, true).await {
            Ok(mut stream) => {
                while let Some(line) = stream.next().await {
                    if lines.send(line).await.is_err() {
                        return;
                    }
                }
            }
            Err(None) => {}
            Err(Some(why)) => source::warn(&format!("{}: {why}", origin.name)),
        }
    };
    tokio::join!(console, journal);
    // The engine still lists a container as running for a moment after its streams ended.
    sleep(SETTLING).await;
    origin.name
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

    fn all(&mut self) -> Result<(), Error> {
        for line in self.window.drain() {
            self.printer.print(&line)?;
        }
        Ok(())
    }
}
