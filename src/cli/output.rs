//! Answers that go to standard output or to a file, and notes beside them.

use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::error::Error;
use crate::report::human::{self, CARE};
use crate::report::sanitize;

/// Prints notes to standard error.
pub(super) fn notes(notes: &[String]) {
    let mut out = anstream::stderr();
    for note in notes {
        // Nobody is left to tell where standard error is closed.
        let _ = writeln!(out, "{} {}", human::styled(CARE, "note:"), sanitize::lines(note));
    }
}

/// Prints an answer, or writes it to a file that must be new unless `force` says otherwise.
pub(super) fn answer(path: Option<&Path>, force: bool, text: &str) -> Result<(), Error> {
    match path {
        None => Ok(std::io::stdout().write_all(text.as_bytes())?),
        Some(path) => file(path, force, text),
    }
}

#[expect(clippy::disallowed_methods, reason = "`--output` names the file")]
fn file(path: &Path, force: bool, text: &str) -> Result<(), Error> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).truncate(true).create(force).create_new(!force);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let exists = error.kind() == ErrorKind::AlreadyExists;
        let error = Error::local(format!("cannot write {}", path.display()), error);
        if exists { error.help("name another file, or write over it with `--force`") } else { error }
    })
}
