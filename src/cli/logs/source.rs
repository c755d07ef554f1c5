//! Where lines come from: the console of a container by the engine's log, the journal of a machine by
//! `journalctl` inside it.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use crate::engine::{Chunk, Engine, EngineError, ExecSpec, LogQuery, RefusalKind, Session};
use crate::observed::{ContainerState, ObservedContainer};
use crate::report::human::{self, CARE};
use crate::report::logs::{Line, Source};
use crate::report::sanitize;
use crate::systemd::journal::{self, Query};

/// Longest entry of a journal that is read, in bytes; a longer one is left out.
const ENTRY_LIMIT: usize = 8 << 20;

/// A container whose lines are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) name: String,
    pub(super) service: String,
    pub(super) index: u32,
    pub(super) machine: bool,
    pub(super) running: bool,
    pub(super) ready_seen: bool,
}

impl Origin {
    /// Takes what matters from an observation.
    pub(super) fn of(container: &ObservedContainer) -> Self {
        Self {
            name: container.name.clone(),
            service: container.labels.service.clone(),
            index: container.labels.index,
            machine: container.labels.machine.is_some(),
            running: container.state == ContainerState::Running,
            ready_seen: container.ready_seen,
        }
    }

    fn line(&self, at: i128, source: Source, text: String) -> Line {
        Line {
            container: self.name.clone(),
            service: self.service.clone(),
            index: self.index,
            at,
            source,
            text,
        }
    }
}

/// How far a container's two sources were read, so that following goes on exactly there.
#[derive(Debug, Default)]
pub(super) struct Mark {
    /// Time of the console's last line.
    console: Option<i128>,
    /// Cursor of the journal's last entry.
    cursor: Option<String>,
}

impl Mark {
    /// Whether an entry of the journal was read.
    pub(super) fn has_entries(&self) -> bool {
        self.cursor.is_some()
    }
}

/// A mark that a stream moves while it is read.
pub(super) type SharedMark = Arc<Mutex<Mark>>;

/// Makes a mark as if the console had been read up to a time.
pub(super) fn console_read_until(at: i128) -> SharedMark {
    Arc::new(Mutex::new(Mark { console: Some(at), cursor: None }))
}

/// Which lines are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) units: Vec<String>,
    pub(super) priority: Option<String>,
    pub(super) console_only: bool,
    pub(super) tail: Option<u64>,
    pub(super) since: Option<i128>,
    pub(super) until: Option<i128>,
}

impl Wish {
    /// Whether the journal of a machine is read.
    pub(super) fn journal(&self, origin: &Origin) -> bool {
        origin.machine && origin.running && !self.console_only
    }

    /// Whether the console is read: not where only units or priorities are asked for, which it does not know.
    pub(super) fn console(&self) -> bool {
        self.console_only || (self.units.is_empty() && self.priority.is_none())
    }
}

/// Reads the console. Where the journal is read as well, the status lines of systemd are left out: the
/// journal has each of them as an entry of PID 1.
pub(super) fn console<'a>(
    engine: &'a dyn Engine,
    origin: &'a Origin,
    wish: &Wish,
    mark: &SharedMark,
    follow: bool,
) -> BoxStream<'a, Line> {
    let seen = lock(mark).console;
    let query = LogQuery {
        follow,
        tail: if seen.is_some() { None } else { wish.tail },
        since: seen.map(|at| at + 1).or(wish.since),
        until: if follow { None } else { wish.until },
    };
    let (journal, mark) = (wish.journal(origin), Arc::clone(mark));
    // The query lives as long as its stream, so the stream owns both.
    let lines = async_stream_of(engine, origin, query);
    lines
        .filter_map(move |line| {
            let line = line.ok().filter(|line| !(journal && is_status(&line.text)));
            let line = line.map(|line| {
                lock(&mark).console = Some(line.at);
                origin.line(line.at, Source::Console, String::from_utf8_lossy(&line.text).into_owned())
            });
            std::future::ready(line)
        })
        .boxed()
}

/// Opens the engine's log with a query that is kept beside it.
fn async_stream_of<'a>(
    engine: &'a dyn Engine,
    origin: &'a Origin,
    query: LogQuery,
) -> BoxStream<'a, Result<crate::engine::LogLine, EngineError>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(64);
    let reading = async move {
        let mut lines = engine.logs(&origin.name, &query);
        while let Some(line) = lines.next().await {
            if sender.send(line).await.is_err() {
                return;
            }
        }
    };
    // The reader runs only while somebody takes lines: both are one stream.
    let taking =
        stream::unfold(
            receiver,
            |mut receiver| async move { receiver.recv().await.map(|line| (line, receiver)) },
        );
    stream::select(stream::once(reading).filter_map(|()| std::future::ready(None)), taking).boxed()
}

/// Whether a line of a console is a status line of systemd (`[  OK  ] Started …`, `         Starting …`).
fn is_status(raw: &[u8]) -> bool {
    let text = sanitize::bytes(raw);
    let text = text.trim_end();
    if let Some(rest) = text.strip_prefix("         ") {
        return !rest.starts_with(' ') && rest.ends_with("...") || rest.ends_with('…');
    }
    ["[  OK  ]", "[FAILED]", "[DEPEND]", "[ TIME ]", "[ INFO ]", "[SKIP  ]", "[UNSUPP]", "[***   ]"]
        .iter()
        .any(|mark| text.starts_with(mark))
        || (text.starts_with('[')
            && text.get(..8).is_some_and(|mark| mark.contains('*') && mark.ends_with(']')))
}

/// Reads the journal; `Err` says in a sentence why it cannot be read, and nothing where the machine went
/// down meanwhile.
pub(super) async fn journal<'a>(
    engine: &'a dyn Engine,
    origin: &'a Origin,
    wish: &Wish,
    mark: &SharedMark,
    follow: bool,
) -> Result<BoxStream<'a, Line>, Option<String>> {
    let after = lock(mark).cursor.clone();
    let query = Query {
        units: wish.units.clone(),
        priority: wish.priority.clone(),
        tail: wish.tail,
        since: wish.since,
        until: if follow { None } else { wish.until },
        follow,
        after,
    };
    let command = ExecSpec { command: query.command(), stdin: follow, ..ExecSpec::default() };
    let session = engine.session(&origin.name, &command).await.map_err(|error| why(&error))?;
    let Session { input, output, resize: _, exit } = session;
    let state = Reading {
        // Its end would end a command that follows.
        _input: follow.then_some(input),
        output,
        exit: Some(exit),
        buffer: Vec::new(),
        ready: VecDeque::new(),
        complaint: Vec::new(),
        too_long: false,
        entries: 0,
    };
    let mark = Arc::clone(mark);
    let lines = stream::unfold(state, |mut state| async move {
        let entry = state.next().await?;
        Some((entry, state))
    });
    let line = move |entry| match entry {
        Ok(entry) => {
            let journal::Entry { at, unit, identifier, pid, priority, message, cursor } = entry;
            lock(&mark).cursor = cursor;
            Some(origin.line(at, Source::Journal { unit, identifier, pid, priority }, message))
        }
        Err(complaint) => {
            warn(&format!("{}: {complaint}", origin.name));
            None
        }
    };
    Ok(lines.filter_map(move |entry| std::future::ready(line(entry))).boxed())
}

/// Says why a command could not be run inside; nothing where the container does not run any more.
fn why(error: &EngineError) -> Option<String> {
    match error {
        EngineError::Refused { kind: RefusalKind::Conflict | RefusalKind::NotFound, .. } => None,
        EngineError::Refused { message, .. } => Some(message.clone()),
        EngineError::Unreachable { .. }
        | EngineError::Unknown { .. }
        | EngineError::TimedOut { .. }
        | EngineError::Garbled { .. }
        | EngineError::Local { .. } => Some(error.to_string()),
    }
}

/// Says something beside the lines.
pub(super) fn warn(text: &str) {
    // Nobody is left to tell where standard error is closed.
    let _ = writeln!(anstream::stderr(), "{} {text}", human::styled(CARE, "warning:"));
}

/// A journal that is being read.
struct Reading {
    _input: Option<std::pin::Pin<Box<dyn tokio::io::AsyncWrite + Send>>>,
    output: BoxStream<'static, Result<Chunk, EngineError>>,
    exit: Option<futures_util::future::BoxFuture<'static, Result<i64, EngineError>>>,
    buffer: Vec<u8>,
    ready: VecDeque<journal::Entry>,
    complaint: Vec<u8>,
    too_long: bool,
    entries: u64,
}

impl Reading {
    /// Returns the next entry; at the end, where nothing came, why.
    async fn next(&mut self) -> Option<Result<journal::Entry, String>> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                self.entries += 1;
                return Some(Ok(entry));
            }
            match self.output.next().await {
                Some(Ok(Chunk::Out(bytes))) => self.take(&bytes),
                Some(Ok(Chunk::Err(bytes))) if self.complaint.len() < 4_096 => {
                    self.complaint.extend_from_slice(&bytes);
                }
                Some(Ok(Chunk::Err(_))) => {}
                Some(Err(_)) | None => return self.end().await,
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (head, tail) = rest.split_at(end);
            rest = tail.get(1..).unwrap_or_default();
            self.buffer.extend_from_slice(head);
            if !self.too_long {
                self.ready.extend(journal::parse(&self.buffer));
            }
            self.buffer.clear();
            self.too_long = false;
        }
        self.buffer.extend_from_slice(rest);
        if self.buffer.len() > ENTRY_LIMIT {
            self.buffer.clear();
            self.too_long = true;
        }
    }

    /// Says why nothing came, where that has a reason.
    async fn end(&mut self) -> Option<Result<journal::Entry, String>> {
        let code = self.exit.take()?.await.ok()?;
        if code == 0 || self.entries > 0 {
            return None;
        }
        let complaint = sanitize::lines(String::from_utf8_lossy(&self.complaint).trim());
        Some(Err(match code {
            // Killed: the machine goes down.
            129.. => return None,
            126 | 127 => "there is no journalctl in this image: only the console is shown".to_owned(),
            _ if complaint.is_empty() => format!("journalctl ended with {code}"),
            _ => format!("journalctl: {complaint}"),
        }))
    }
}

fn lock(mark: &SharedMark) -> std::sync::MutexGuard<'_, Mark> {
    mark.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines_of_systemd_are_known() {
        for text in [
            "[\u{1b}[0;32m  OK  \u{1b}[0m] Reached target Basic System.\r",
            "[FAILED] Failed to start nginx.service.",
            "         Starting cron.service - Regular jobs...",
            "[   ***] A start job is running for slow.service (5s / no limit)",
        ] {
            assert!(is_status(text.as_bytes()), "{text}");
        }
        for text in ["Welcome to Debian!", "[notice] nginx", "hello", ""] {
            assert!(!is_status(text.as_bytes()), "{text}");
        }
    }
}
