//! Runs of the built binary: with a deadline, with both streams kept, and with signals.

use std::fmt;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// No run of the tests takes longer, except where it builds an example's images.
const DEADLINE: Duration = Duration::from_secs(300);

/// A run that goes on.
pub(crate) struct Running {
    child: Child,
    words: String,
    since: Instant,
    out: PathBuf,
    err: PathBuf,
}

/// A run that ended.
pub(crate) struct Ran {
    /// What was run.
    pub(crate) words: String,
    /// Its process id.
    pub(crate) pid: u32,
    /// Its exit code; 128 and the signal's number where a signal ended it.
    pub(crate) status: i32,
    /// Its answers.
    pub(crate) stdout: String,
    /// Its progress and errors.
    pub(crate) stderr: String,
    /// How long it ran.
    pub(crate) took: Duration,
}

impl Running {
    /// Starts a command whose streams go to files in `dir`, so that no full pipe ever stops it.
    pub(crate) fn start(mut command: Command, dir: &Path, arguments: &[&str]) -> Self {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let [out, err] = ["out", "err"].map(|stream| dir.join(format!("{run}.{stream}")));
        let file = |path: &Path| File::create(path).expect("a file for a stream");
        let child = command
            .stdin(Stdio::piped())
            .stdout(file(&out))
            .stderr(file(&err))
            .spawn()
            .expect("the built binary starts");
        let words = format!("{} {}", command.get_program().display(), arguments.join(" "));
        Self { child, words, since: Instant::now(), out, err }
    }

    /// Writes to its standard input.
    pub(crate) fn type_in(&mut self, input: &str) {
        if let Some(pipe) = &mut self.child.stdin {
            // A command that does not read its input may be gone already.
            let _ = pipe.write_all(input.as_bytes());
        }
    }

    /// Writes to its standard input and closes it.
    pub(crate) fn give(&mut self, input: &str) {
        self.type_in(input);
        drop(self.child.stdin.take());
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal)
            .expect("a signal for a child that was not waited for");
    }

    /// What it has written to both streams so far.
    pub(crate) fn text(&self) -> String {
        let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        read(&self.out) + &read(&self.err)
    }

    /// Waits until it has written something; fails where it ends before.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.text().contains(text) {
            let ended = self.child.try_wait().expect("a child's state");
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "no `{text}` in {}: {}",
                self.words,
                self.text()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child's state").is_some()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ran {
        drop(self.child.stdin.take());
        let deadline = self.since + DEADLINE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child's state") {
                break status;
            }
            if Instant::now() > deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                panic!("`{}` did not end within {} s:\n{}", self.words, DEADLINE.as_secs(), self.text());
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let took = self.since.elapsed();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        Ran {
            words: std::mem::take(&mut self.words),
            pid: self.child.id(),
            status: status.code().unwrap_or(128 + signal.unwrap_or_default()),
            stdout: read(&self.out),
            stderr: read(&self.err),
            took,
        }
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(self) -> Ran {
        // It may have ended by itself a moment before; then there is nothing left to kill.
        let _ = kill_process(Pid::from_child(&self.child), Signal::KILL);
        self.end()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A scenario that failed leaves no process behind. One that was waited for answers with an error.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ran {
    /// Asserts its exit code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.status, code, "{self}");
        self
    }

    /// Both streams.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Asserts that each of these texts is somewhere in what it wrote.
    #[track_caller]
    pub(crate) fn says(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.text().contains(text), "no `{text}` in\n{self}");
        }
    }

    /// Asserts that none of these texts is anywhere in what it wrote.
    #[track_caller]
    pub(crate) fn hides(&self, texts: &[&str]) {
        for text in texts {
            assert!(!self.text().contains(text), "`{text}` in\n{self}");
        }
    }

    /// Its answers as JSON: one array, or a value a line.
    pub(crate) fn json(&self) -> Vec<Value> {
        let stream = serde_json::Deserializer::from_str(&self.stdout).into_iter::<Value>();
        let values =
            stream.collect::<Result<Vec<_>, _>>().unwrap_or_else(|error| panic!("{error} in\n{self}"));
        let flat = |value: Value| match value {
            Value::Array(values) => values,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                vec![value]
            }
        };
        values.into_iter().flat_map(flat).collect()
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { words, pid: _, status, stdout, stderr, took } = self;
        writeln!(f, "`{words}`: code {status} after {:.1} s", took.as_secs_f32())?;
        write!(f, "--- stdout\n{stdout}\n--- stderr\n{stderr}\n---")
    }
}

/// The entries of a JSON list; none where it is null.
pub(crate) fn entries(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// Waits until something holds, and says what it was where it never does.
#[track_caller]
pub(crate) fn eventually(what: &str, seconds: u64, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !holds() {
        assert!(Instant::now() < deadline, "not within {seconds} s: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
