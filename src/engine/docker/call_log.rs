//! The log of calls that tests read: which calls a run made, and that it changed nothing.

#![expect(clippy::disallowed_methods, reason = "the log is a file that the environment names")]

use std::fs::{File, OpenOptions};
use std::io::Write;

/// Name of the variable that switches the log on.
const VARIABLE: &str = "SDCOMPOSE_CALL_LOG";

/// An open log. One line a call: `METHOD path -> status`.
pub(super) struct CallLog(File);

impl CallLog {
    /// Opens the file that `SDCOMPOSE_CALL_LOG` names, to append; `None` where it is not set or cannot be
    /// opened (a test then finds no log and fails).
    pub(super) fn from_environment() -> Option<Self> {
        let path = std::env::var_os(VARIABLE)?;
        OpenOptions::new().create(true).append(true).open(path).ok().map(Self)
    }

    /// Writes one line in one write, so that lines of several calls do not mix.
    pub(super) fn note(&self, call: &str, status: Option<u16>) {
        let status = status.map_or_else(|| "lost".to_owned(), |status| status.to_string());
        // A full disk must not fail the call that is logged.
        let _ = (&self.0).write_all(format!("{call} -> {status}\n").as_bytes());
    }
}
