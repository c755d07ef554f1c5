//! What this host remembers of containers that were changed in place: one small file for each, beside its notify
//! socket. It spares a look into each container; where it is missing, that look tells.

#![expect(clippy::disallowed_methods, reason = "keeps files on this host")]

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::observed::Applied;

use super::notify_socket;

/// Holds the id of a container, and what it is now.
const FILE: &str = "applied";
/// Stands for a change whose end was not seen.
const OPEN: &str = "?";
/// Stands for a container that is as it was made.
const MADE: &str = "-";

/// Remembers what a container is.
///
/// # Errors
/// The system's.
pub(super) fn remember(directory: &Path, id: &str, applied: &Applied) -> io::Result<()> {
    let text = match applied {
        Applied::AsMade => MADE,
        Applied::Is(fingerprint) => fingerprint,
        Applied::Unknown => OPEN,
    };
    notify_socket::make(directory)?;
    let new = directory.join(format!("{FILE}.new"));
    // It has hashes of what may be secret, and the directory is bound into the machine.
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(format!("{id} {text}\n").as_bytes())?;
    file.sync_all()?;
    std::fs::rename(new, directory.join(FILE))
}

/// Returns what is remembered of a container. Of a machine that was started there is always something beside its
/// notify socket: where there is nothing, somebody else started it, or has tidied up.
pub(super) fn recall(directory: &Path, id: &str, started_machine: bool) -> Applied {
    let Ok(text) = std::fs::read_to_string(directory.join(FILE)) else {
        let known = !started_machine || notify_socket::owner(directory).is_some();
        return if known { Applied::AsMade } else { Applied::Unknown };
    };
    match text.trim_end().split_once(' ') {
        Some((of, OPEN)) if of == id => Applied::Unknown,
        Some((of, MADE)) if of == id => Applied::AsMade,
        Some((of, fingerprint)) if of == id => Applied::Is(fingerprint.to_owned()),
        // Of the container before.
        Some(_) => Applied::AsMade,
        None => Applied::Unknown,
    }
}

/// Forgets a container that is gone, unless another one has taken its place.
///
/// # Errors
/// The system's.
pub(super) fn forget(directory: &Path, id: &str) -> io::Result<()> {
    let file = directory.join(FILE);
    match std::fs::read_to_string(&file) {
        Ok(text) if text.split(' ').next() == Some(id) => std::fs::remove_file(file)?,
        Ok(_) | Err(_) => return Ok(()),
    }
    // A plain container has nothing else there.
    let _ = std::fs::remove_dir(directory);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_container_is_now_is_recalled_until_another_one_takes_its_place() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("state/0123");
        assert_eq!(recall(&directory, "4f", false), Applied::AsMade);
        assert_eq!(recall(&directory, "4f", true), Applied::Unknown, "its directory is gone");
        remember(&directory, "4f", &Applied::Unknown).unwrap();
        assert_eq!(recall(&directory, "4f", true), Applied::Unknown);
        let is = Applied::Is("a=~1 b=2".to_owned());
        remember(&directory, "4f", &is).unwrap();
        assert_eq!(recall(&directory, "4f", true), is);
        assert_eq!(recall(&directory, "5a", true), Applied::AsMade);
        forget(&directory, "5a").unwrap();
        assert_eq!(recall(&directory, "4f", true), is);
        remember(&directory, "4f", &Applied::AsMade).unwrap();
        assert_eq!(recall(&directory, "4f", true), Applied::AsMade);
        std::fs::write(directory.join("sock"), "").unwrap();
        forget(&directory, "4f").unwrap();
        assert!(directory.exists(), "a machine's directory has its socket");
        std::fs::remove_file(directory.join("sock")).unwrap();
        remember(&directory, "4f", &is).unwrap();
        forget(&directory, "4f").unwrap();
        assert!(!directory.exists());
    }
}
