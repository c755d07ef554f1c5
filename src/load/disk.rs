//! Files of the file system, opened so that nothing hangs and nothing is larger than it may be.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::manifest::{FileTree, Files};

/// The file system of this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disk;

/// Bytes of one file.
const LIMIT: u64 = 8 << 20;

impl Files for Disk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        // Without O_NONBLOCK, opening a named pipe waits for a writer.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let descriptor = rustix::fs::open(path, flags, Mode::empty()).map_err(why)?;
        let stat = rustix::fs::fstat(&descriptor).map_err(why)?;
        if let Some(kind) = irregular(FileType::from_raw_mode(stat.st_mode)) {
            return Err(kind.to_owned());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(stat.st_size).unwrap_or(0).min(LIMIT_HINT));
        // The size may change while the file is read, so that the bound is on what is read.
        File::from(descriptor).take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() as u64 > LIMIT {
            return Err(format!("larger than {} MiB", LIMIT >> 20));
        }
        Ok(bytes)
    }
}

impl FileTree for Disk {
    fn is_file(&self, path: &Path) -> bool {
        is_file(path)
    }

    fn is_directory(&self, path: &Path) -> bool {
        rustix::fs::stat(path).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
    }
}

/// Bytes that are set aside before reading, at most.
const LIMIT_HINT: usize = 8 << 20;

/// Tells whether a path names a regular file, through symbolic links.
pub(super) fn is_file(path: &Path) -> bool {
    rustix::fs::stat(path).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
}

/// Tells whether anything is at a path, a dangling symbolic link included: what is there and cannot be read is
/// an error, not an absence.
pub(super) fn is_there(path: &Path) -> bool {
    rustix::fs::lstat(path).is_ok()
}

fn irregular(kind: FileType) -> Option<&'static str> {
    match kind {
        FileType::RegularFile => None,
        FileType::Directory => Some("is a directory"),
        FileType::Fifo => Some("is a named pipe, not a regular file"),
        FileType::Socket => Some("is a socket, not a regular file"),
        FileType::CharacterDevice | FileType::BlockDevice => Some("is a device, not a regular file"),
        FileType::Symlink | FileType::Unknown => Some("is not a regular file"),
    }
}

fn why(errno: Errno) -> String {
    match errno {
        Errno::NOENT | Errno::NOTDIR => "not found".to_owned(),
        Errno::ACCESS | Errno::PERM => "permission denied".to_owned(),
        Errno::LOOP => "too many symbolic links".to_owned(),
        Errno::NAMETOOLONG => "the path is too long".to_owned(),
        // A socket cannot be opened by its path.
        Errno::NXIO => "is a socket, not a regular file".to_owned(),
        other => std::io::Error::from(other).to_string(),
    }
}
