//! What sdcompose wrote into a machine, kept inside the machine itself: a file that is made with the machine and
//! written anew with each change in place. It lives and dies with the machine's root, so that it is true
//! whoever looks, from whichever host; labels cannot say it, since an engine fixes them when a container is made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::systemd::UnitName;

use super::fingerprint::Fingerprint;
use super::{Content, FileSpec, names};

/// Where the record is.
pub const PATH: &str = "/etc/sdcompose/record.json";

/// Version of the record that this code writes.
const FORMAT: u32 = 1;

/// What was written into a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this record's form.
    format: u32,
    /// The fingerprint of what the machine is now, as a label has it.
    pub fingerprint: String,
    /// The files, by path, each with a hash of what it holds.
    pub files: BTreeMap<String, String>,
    /// Units that PID 1's arguments start. They stay its arguments as long as the machine exists.
    pub wants: Vec<UnitName>,
    /// Units that PID 1's arguments mask.
    pub masks: Vec<UnitName>,
    /// Paths that systemd-tmpfiles copies something to, by the field that wants it there.
    #[serde(default)]
    pub copies: BTreeMap<String, Vec<String>>,
}

impl Record {
    /// Makes the record of a machine that was given these files and arguments.
    #[must_use]
    pub fn new(fingerprint: String, files: &[FileSpec], wants: Vec<UnitName>, masks: Vec<UnitName>) -> Self {
        let files = files.iter().filter(|file| file.path != PATH);
        let files = files.map(|file| (file.path.clone(), digest(file))).collect();
        Self { format: FORMAT, fingerprint, files, wants, masks, copies: BTreeMap::new() }
    }

    /// Adds what systemd-tmpfiles copies, and for which field.
    #[must_use]
    pub fn with_copies(mut self, copies: BTreeMap<String, Vec<String>>) -> Self {
        self.copies = copies;
        self
    }

    /// Returns the record of a machine while some fields are changed by these files: what it says of them is open.
    #[must_use]
    pub fn open<'a>(&self, fields: impl Iterator<Item = &'a str>, files: &[FileSpec]) -> Self {
        let none = Fingerprint::default();
        let fingerprint = fields.fold(Fingerprint::from_label(&self.fingerprint), |known, field| {
            known.with_field_of(&none, field)
        });
        let mut open = Self { fingerprint: fingerprint.to_label(), ..self.clone() };
        open.files.extend(files.iter().map(|file| (file.path.clone(), OPEN.to_owned())));
        open
    }

    /// Reads a record; `None` where it is none, or one of a later version.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|record: &Self| record.format == FORMAT)
    }

    /// Returns the file that holds it, for root alone: a fingerprint has hashes of what may be secret.
    #[must_use]
    pub fn file(&self) -> FileSpec {
        // Nothing in a record fails to be written as JSON: its keys are texts.
        let bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        FileSpec::of_root(PATH, 0o600, Content::Bytes(bytes))
    }

    /// Returns those of the files that the machine does not have as they are to be.
    #[must_use]
    pub fn missing<'a>(&self, wanted: &'a [FileSpec]) -> Vec<&'a FileSpec> {
        let differs = |file: &&FileSpec| self.files.get(&file.path) != Some(&digest(file));
        wanted.iter().filter(|file| file.path != PATH).filter(differs).collect()
    }

    /// Returns the paths of files that the machine has and is not to have any more; directories stay.
    #[must_use]
    pub fn superfluous(&self, wanted: &[FileSpec]) -> Vec<String> {
        let gone = |path: &&String| wanted.iter().all(|file| file.path != **path);
        let is_file = |path: &&String| self.files.get(*path).is_some_and(|digest| digest != DIRECTORY);
        self.files.keys().filter(gone).filter(is_file).cloned().collect()
    }
}

/// What stands in the place of a hash while it is not known what a file holds.
const OPEN: &str = "?";
/// What stands for a directory in the place of a hash.
const DIRECTORY: &str = "directory";

fn digest(file: &FileSpec) -> String {
    let FileSpec { path: _, mode, uid, gid, content } = file;
    let bytes = match content {
        Content::Bytes(bytes) => [b"file ", bytes.as_slice()].concat(),
        Content::Symlink(target) => [b"link ", target.as_bytes()].concat(),
        Content::Directory => return DIRECTORY.to_owned(),
    };
    let hash: String = names::hex(&bytes).chars().take(16).collect();
    format!("{mode:o}:{uid}:{gid}-{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> FileSpec {
        FileSpec::of_root(path, 0o644, Content::Bytes(text.as_bytes().to_vec()))
    }

    #[test]
    fn a_record_is_read_back_and_one_of_a_later_version_is_none() {
        let record = Record::new("a=b".to_owned(), &[file("/etc/x", "1")], Vec::new(), Vec::new());
        let Content::Bytes(bytes) = record.file().content else { panic!("bytes") };
        assert_eq!(Record::parse(&bytes), Some(record.clone()));
        let later = Record { format: FORMAT + 1, ..record };
        assert_eq!(Record::parse(&serde_json::to_vec(&later).unwrap()), None);
        assert_eq!(Record::parse(b"garbage"), None);
    }

    #[test]
    fn a_record_tells_what_is_missing_and_what_is_too_much() {
        let directory = FileSpec::of_root("/etc/d", 0o700, Content::Directory);
        let had = [directory, file("/etc/a", "1"), file("/etc/b", "1"), file("/etc/c", "1")];
        let record = Record::new(String::new(), &had, Vec::new(), Vec::new());
        let wanted = [file("/etc/a", "1"), file("/etc/b", "2"), file("/etc/n", "1"), record.file()];
        let missing: Vec<&str> = record.missing(&wanted).into_iter().map(|file| file.path.as_str()).collect();
        assert_eq!(missing, ["/etc/b", "/etc/n"]);
        assert_eq!(record.superfluous(&wanted), ["/etc/c"]);
    }
}
