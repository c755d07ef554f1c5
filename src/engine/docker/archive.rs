//! Uncompressed archives with nothing in them that differs from run to run: no times, everything root's.
//! Pure.

use std::io;

use crate::container::{Content, FileSpec};

/// Makes the header of an entry, root's and without a time.
pub(super) fn header(mode: u32, kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mode(mode & 0o7777);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_entry_type(kind);
    header.set_size(size);
    header
}

/// Writes files. Directories above a file are made by the engine where they are missing.
pub(super) fn of(files: &[FileSpec]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for FileSpec { path, mode, content } in files {
        let path = path.trim_start_matches('/');
        match content {
            Content::Bytes(bytes) => {
                let mut header = header(*mode, tar::EntryType::Regular, bytes.len() as u64);
                archive.append_data(&mut header, path, bytes.as_slice())?;
            }
            Content::Symlink(target) => {
                archive.append_link(&mut header(*mode, tar::EntryType::Symlink, 0), path, target)?;
            }
            Content::Directory => {
                let mut header = header(*mode, tar::EntryType::Directory, 0);
                archive.append_data(&mut header, format!("{path}/"), io::empty())?;
            }
        }
    }
    archive.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_become_one_archive_that_is_the_same_each_time() {
        let files = [
            FileSpec { path: "/etc/x".into(), mode: 0o755, content: Content::Directory },
            FileSpec { path: "/etc/x/a".into(), mode: 0o600, content: Content::Bytes(b"hello".to_vec()) },
            FileSpec { path: "/etc/x/b".into(), mode: 0o777, content: Content::Symlink("a".into()) },
        ];
        let written = of(&files).unwrap();
        assert_eq!(written, of(&files).unwrap());
        let mut read = tar::Archive::new(written.as_slice());
        let entries: Vec<String> = read
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                format!(
                    "{} {:o} {}:{} {} {} {:?}",
                    entry.path().unwrap().display(),
                    header.mode().unwrap(),
                    header.uid().unwrap(),
                    header.gid().unwrap(),
                    header.mtime().unwrap(),
                    header.size().unwrap(),
                    entry.link_name().unwrap()
                )
            })
            .collect();
        assert_eq!(
            entries,
            ["etc/x/ 755 0:0 0 0 None", "etc/x/a 600 0:0 0 5 None", "etc/x/b 777 0:0 0 0 Some(\"a\")"]
        );
    }
}
