//! Connects the user's terminal or pipes with a command inside a machine.

use std::io::{self, IsTerminal, Write};

use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::terminal::{self, RawMode};
use crate::engine::{Chunk, Session};
use crate::error::{Error, Interrupt};

/// Runs a session to its end and returns the exit code of its command.
///
/// With `tty` the terminal is in raw mode meanwhile and its changes of size are passed on; without it the
/// two output streams stay apart. With `input` standard input is passed on, and its end too.
pub(super) async fn attach(session: Session, tty: bool, input: bool) -> Result<i64, Error> {
    let Session { input: sink, mut output, resize, exit } = session;
    let raw = if tty && input && io::stdin().is_terminal() {
        Some(RawMode::enter().map_err(|error| Error::local("cannot set up the terminal", error))?)
    } else {
        None
    };
    let listen = |kind| signal(kind).map_err(|error| Error::local("cannot listen to signals", error));
    let mut resized = listen(SignalKind::window_change())?;
    let mut ended = listen(SignalKind::terminate())?;
    let mut hung_up = listen(SignalKind::hangup())?;
    // Dropping the sink is what tells the command that its input has ended.
    let feeding = if input { Some(tokio::spawn(feed(sink))) } else { None };
    if tty && let Some((columns, rows)) = terminal::size() {
        // A terminal of the wrong size is no reason to give up.
        let _ = resize(columns, rows).await;
    }
    let result = loop {
        tokio::select! {
            chunk = output.next() => match chunk {
                Some(Ok(chunk)) => if let Err(error) = print(&chunk) { break Err(error.into()) },
                Some(Err(error)) => break Err(error.into()),
                None => break exit.await.map_err(Error::from),
            },
            Some(()) = resized.recv(), if tty => if let Some((columns, rows)) = terminal::size() {
                let _ = resize(columns, rows).await;
            },
            Some(()) = ended.recv() => break Err(Error::Interrupted(Interrupt::Term)),
            Some(()) = hung_up.recv() => break Err(Error::Interrupted(Interrupt::Term)),
        }
    };
    if let Some(feeding) = feeding {
        feeding.abort();
    }
    drop(raw);
    result
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

/// Turns the exit code of a command inside into our own.
pub(super) fn passed(code: i64) -> Result<(), Error> {
    match u8::try_from(code) {
        Ok(0) => Ok(()),
        Ok(code) => Err(Error::Passed(code)),
        Err(_) => Err(Error::Passed(1)),
    }
}
