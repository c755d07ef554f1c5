//! One process at a time changes a project: a lock file, whose lock the kernel drops with its process.

#![expect(clippy::disallowed_methods, reason = "the lock is a file")]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use crate::cli::open::{Ground, endpoint, state_dir};
use crate::cli::{Global, interrupt::Interrupts};
use crate::container::names;
use crate::error::Error;

/// How long another process is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The right to change a project, until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    /// The kernel gives the lock back when the file is closed.
    _file: Option<File>,
}

/// Takes the lock of a project; waits a while for another process, and says so.
///
/// # Errors
/// The other process goes on for too long, or the wait was interrupted.
pub(super) async fn take(
    global: &Global,
    ground: &Ground,
    verb: &str,
    interrupts: &Interrupts,
) -> Result<Lock, Error> {
    let Some(mut file) = opened(global, ground.name())? else { return Ok(Lock { _file: None }) };
    let began = Instant::now();
    let before = interrupts.count();
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Busy {
                    what: format!("{} is changed by {}", ground.name(), holder(&mut file)),
                });
            }
            // A file system without locks (some network mounts) has to do without.
            Err(TryLockError::Error(_)) => return Ok(Lock { _file: None }),
        }
        if !told && began.elapsed() > Duration::from_millis(300) {
            told = true;
            // Nobody is left to tell where standard error is closed.
            let _ = writeln!(anstream::stderr(), "waiting for {}", holder(&mut file));
        }
        tokio::select! {
            () = sleep(Duration::from_millis(100)) => {}
            () = interrupts.reach(before + 1) => return Err(Error::Interrupted(interrupts.kind())),
        }
    }
    // What the file says is only for the eyes of whoever waits.
    let _ = file.set_len(0);
    let _ = writeln!(file, "`sdcompose {verb}` (pid {})", std::process::id());
    Ok(Lock { _file: Some(file) })
}

/// Opens the lock's file; `None` where the state directory cannot be written, which must not keep anybody
/// from a remote engine.
fn opened(global: &Global, project: &str) -> Result<Option<File>, Error> {
    let dir = state_dir()?.join("locks");
    let digest = Sha256::digest(endpoint(global)?.address.to_string().as_bytes());
    let name = format!("{project}-{}.lock", names::hex(digest.get(..4).unwrap_or_default()));
    let open = || -> io::Result<File> {
        fs::create_dir_all(&dir)?;
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(dir.join(name))
    };
    match open() {
        Ok(file) => Ok(Some(file)),
        Err(error) => {
            tracing::debug!(%error, dir = %dir.display(), "no lock");
            Ok(None)
        }
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(200).read_to_string(&mut text));
    let text = text.trim();
    if read.is_err() || text.is_empty() { "another process".to_owned() } else { text.to_owned() }
}
