//! Connects the user's terminal or pipes with a command inside a machine.

use std::io::{self, IsTerminal, Write};

use futures_util::StreamExt;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Global;
use crate::cli::terminal::{self, RawMode};
use crate::engine::{Chunk, Session};
use crate::error::{Error, Interrupt};
use crate::project::command_line;
use crate::report::{json, sanitize};

/// How a command inside a machine ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    /// Its exit code, as a shell would have it.
    pub(super) code: i64,
    /// Why it was never run, in the runtime's words.
    pub(super) refused: Option<String>,
}

/// What runtimes write into the command's own output when it cannot be run (moby `daemon/exec.go`).
const REFUSED: &[u8] = b"OCI runtime exec failed: ";

/// So many bytes are held back until it is known whether they are the runtime's words; those are a line.
const HELD: usize = 4_096;

fn size(held: &[Chunk]) -> usize {
    held.iter().map(|(Chunk::Out(bytes) | Chunk::Err(bytes))| bytes.len()).sum()
}

/// Returns what was held back as one text; `None` where nothing was.
fn text(held: &[Chunk]) -> Option<Vec<u8>> {
    let bytes = || held.iter().flat_map(|(Chunk::Out(bytes) | Chunk::Err(bytes))| bytes.iter().copied());
    (!held.is_empty()).then(|| bytes().collect())
}

/// Runs a session to its end and returns how its command ended.
///
/// With `tty` the terminal is in raw mode meanwhile and its changes of size are passed on; without it the
/// two output streams stay apart. With `input` standard input is passed on, and its end too.
pub(super) async fn attach(session: Session, tty: bool, input: bool) -> Result<Ended, Error> {
    let Session { input: sink, mut output, resize, exit } = session;
    let raw = if tty && input && io::stdin().is_terminal() {
        Some(RawMode::enter().map_err(|error| Error::local("cannot set up the terminal", error))?)
    } else {
        None
    };
    let listen = |kind| signal(kind).map_err(|error| Error::local("cannot listen to signals", error));
    let mut resized = listen(SignalKind::window_change())?;
    let mut terminated = listen(SignalKind::terminate())?;
    let mut hung_up = listen(SignalKind::hangup())?;
    // Dropping the sink is what tells the command that its input has ended.
    let feeding = if input { Some(tokio::spawn(feed(sink))) } else { None };
    if tty && let Some((columns, rows)) = terminal::size() {
        // A terminal of the wrong size is no reason to give up.
        let _ = resize(columns, rows).await;
    }
    let mut held: Vec<Chunk> = Vec::new();
    let mut first = true;
    let result = loop {
        tokio::select! {
            chunk = output.next() => match chunk {
                Some(Ok(chunk)) => {
                    let (Chunk::Out(bytes) | Chunk::Err(bytes)) = &chunk;
                    let holds = !held.is_empty() || (first && bytes.starts_with(REFUSED));
                    first = false;
                    held.push(chunk);
                    if holds && size(&held) <= HELD {
                        continue;
                    }
                    if let Err(error) = held.drain(..).try_for_each(|chunk| print(&chunk)) {
                        break Err(error.into());
                    }
                }
                Some(Err(error)) => break Err(error.into()),
                None => break exit.await.map(|code| ended(code, text(&held).as_deref())).map_err(Error::from),
            },
            Some(()) = resized.recv(), if tty => if let Some((columns, rows)) = terminal::size() {
                let _ = resize(columns, rows).await;
            },
            Some(()) = terminated.recv() => break Err(Error::Interrupted(Interrupt::Term)),
            Some(()) = hung_up.recv() => break Err(Error::Interrupted(Interrupt::Term)),
        }
    };
    if let Some(feeding) = feeding {
        feeding.abort();
    }
    drop(raw);
    // A command that was run may print such words as well.
    if let Ok(Ended { code: _, refused: None }) = &result {
        held.iter().try_for_each(print)?;
    }
    result
}

/// Tells a command that was not found (127, as in a shell) from one that cannot be executed (126): engines
/// before Docker 25 answer 126 to both.
fn ended(code: i64, refused: Option<&[u8]>) -> Ended {
    let Some(text) = refused.filter(|_| matches!(code, 126 | 127)) else {
        return Ended { code, refused: None };
    };
    let text = String::from_utf8_lossy(text).trim().to_owned();
    let missing = ["executable file not found", "no such file or directory"];
    let code = if missing.iter().any(|words| text.contains(words)) { 127 } else { 126 };
    Ended { code, refused: Some(text) }
}

/// Passes standard input on until it ends or the command takes no more.
async fn feed(mut sink: std::pin::Pin<Box<dyn tokio::io::AsyncWrite + Send>>) {
    let mut stdin = tokio::io::stdin();
    // A command that ended closes its side; whatever was not read by then has no reader.
    let _ = tokio::io::copy(&mut stdin, &mut sink).await;
    let _ = sink.shutdown().await;
}

fn print(chunk: &Chunk) -> io::Result<()> {
    match chunk {
        Chunk::Out(bytes) => {
            let mut out = io::stdout().lock();
            out.write_all(bytes)?;
            out.flush()
        }
        Chunk::Err(bytes) => {
            let mut err = io::stderr().lock();
            err.write_all(bytes)?;
            err.flush()
        }
    }
}

/// Turns the exit code of a command inside into our own; says why it was not run, where it was not.
pub(super) fn passed(ended: &Ended, container: &str, command: &str) -> Result<(), Error> {
    if let Some(why) = &ended.refused {
        let what = match ended.code {
            127 => format!("{container}: `{command}` is not there"),
            _ => format!("{container}: `{command}` cannot be run: {why}"),
        };
        let text = Error::usage(what).text().unwrap_or_default();
        writeln!(anstream::stderr(), "{text}")?;
    }
    match u8::try_from(ended.code) {
        Ok(0) => Ok(()),
        Ok(code) => Err(Error::Passed(code)),
        Err(_) => Err(Error::Passed(1)),
    }
}

/// Shows a command instead of running it: the container, and the words, quoted as a shell would read them.
pub(super) fn would_run(global: &Global, container: &str, command: &[String]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    if global.json {
        writeln!(out, "{}", json::line("would_run", json!({ "container": container, "command": command })))?;
    } else {
        writeln!(out, "{container}: would run {}", sanitize::line(&command_line::join(command)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_is_not_there_is_told_from_one_that_cannot_run() {
        let refused =
            |text: &str| ended(126, Some(format!("OCI runtime exec failed: {text}\r\n").as_bytes()));
        assert_eq!(refused("exec: \"x\": executable file not found in $PATH").code, 127);
        assert_eq!(refused("exec: \"/etc/passwd\": permission denied").code, 126);
        // A command may end with these codes and print whatever it likes.
        assert_eq!(ended(126, None), Ended { code: 126, refused: None });
        assert_eq!(ended(0, Some(b"OCI runtime exec failed: quoted")).refused, None);
    }
}
