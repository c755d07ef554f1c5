//! Uncompressed archives with nothing in them that differs from run to run: no times, and owners by number.
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
    for FileSpec { path, mode, uid, gid, content } in files {
        let path = path.trim_start_matches('/');
        let header = |kind, size| {
            let mut header = header(*mode, kind, size);
            header.set_uid(u64::from(*uid));
            header.set_gid(u64::from(*gid));
            header
        };
        match content {
            Content::Bytes(bytes) => {
                let mut header = header(tar::EntryType::Regular, bytes.len() as u64);
                archive.append_data(&mut header, path, bytes.as_slice())?;
            }
            Content::Symlink(target) => {
                archive.append_link(&mut header(tar::EntryType::Symlink, 0), path, target)?;
            }
            Content::Directory => {
                let mut header = header(tar::EntryType::Directory, 0);
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
            FileSpec::of_root("/etc/x", 0o755, Content::Directory),
            FileSpec {
                uid: 1000,
                gid: 7,
                ..FileSpec::of_root("/etc/x/a", 0o600, Content::Bytes(b"hello".to_vec()))
            },
            FileSpec::of_root("/etc/x/b", 0o777, Content::Symlink("a".into())),
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
            ["etc/x/ 755 0:0 0 0 None", "etc/x/a 600 1000:7 0 5 None", "etc/x/b 777 0:0 0 0 Some(\"a\")"]
        );
    }
}
