//! Where the answer of `config` goes.

#![expect(clippy::disallowed_methods, reason = "`--output` names the file")]

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Args;
use crate::error::Error;

/// Gives a text to standard output, or to the file that `--output` names.
pub(super) fn give(args: &Args, text: &str) -> Result<(), Error> {
    match &args.output {
        Some(path) => {
            let plain = anstream::adapter::strip_str(text).to_string();
            written(path, &plain)
                .map_err(|error| Error::local(format!("cannot write {}", path.display()), error))
        }
        None => Ok(anstream::stdout().write_all(text.as_bytes())?),
    }
}

/// Writes a file whole or not at all: beside it first, then over it. What is no regular file (a pipe, a
/// terminal) has nothing to keep and is written to.
fn written(path: &Path, text: &str) -> io::Result<()> {
    // A link stays a link: what it leads to is replaced.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if std::fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
        return std::fs::write(&path, text);
    }
    let beside = beside(&path);
    let result = std::fs::write(&beside, text)
        .and_then(|()| match std::fs::metadata(&path) {
            Ok(before) => std::fs::set_permissions(&beside, before.permissions()),
            Err(_) => Ok(()),
        })
        .and_then(|()| std::fs::rename(&beside, &path));
    if result.is_err() {
        // The error that counts is the one above.
        let _ = std::fs::remove_file(&beside);
    }
    result
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.new", std::process::id()))
}
