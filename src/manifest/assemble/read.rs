//! Reading files within bounds that hold for a whole project, however its files name each other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Assembly;
use crate::diagnostic::{Code, Diagnostic, SourceId, Span};
use crate::manifest::{Files, dotenv};
use crate::yaml::{self, Limits, Node};

/// Files of a project that are read to make its tree; the same one counts each time.
const MOST_FILES: usize = 256;

/// Bytes of all of them.
const MOST_BYTES: usize = 32 << 20;

/// Files and directories, as far as finding the parts of a project needs them.
pub trait FileTree: Files {
    /// Tells whether a path names a regular file, through symbolic links.
    fn is_file(&self, path: &Path) -> bool;

    /// Tells whether a path names a directory, through symbolic links.
    fn is_directory(&self, path: &Path) -> bool;
}

/// One file, read.
#[derive(Debug, Clone)]
pub struct Text {
    /// As the user would name it.
    pub shown: PathBuf,
    /// Absolute; `None` is standard input.
    pub path: Option<PathBuf>,
    /// The text in the sources.
    pub source: SourceId,
    /// Its documents; none where it cannot be read as YAML.
    pub documents: Vec<Node>,
}

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Spent {
    files: usize,
    bytes: usize,
    /// Whether it was said that this is too much.
    said: bool,
    /// Nodes that `extends` added.
    pub(super) nodes: usize,
}

impl Assembly<'_> {
    /// Reads a file as YAML. What is wrong is said at the place that names it, if there is one.
    pub fn read(&mut self, shown: &Path, path: &Path, named: Option<Span>) -> Option<Text> {
        let bytes = self.bytes(shown, path, named, "")?;
        Some(self.parse(shown, Some(path), &bytes))
    }

    /// Reads bytes as YAML.
    pub fn parse(&mut self, shown: &Path, path: Option<&Path>, bytes: &[u8]) -> Text {
        let name = shown.display().to_string();
        let reading = yaml::read(&mut self.sources, &name, bytes, &Limits::default());
        self.diagnostics.extend(reading.diagnostics);
        self.unreadable |= reading.documents.is_none();
        let documents = reading.documents.unwrap_or_default();
        Text { shown: shown.to_owned(), path: path.map(Path::to_owned), source: reading.source, documents }
    }

    /// Adds the variables of env files below those that are there; of the files, a later one wins.
    pub fn env_files(
        &mut self,
        files: &[(PathBuf, PathBuf, Option<Span>)],
        variables: &mut BTreeMap<String, String>,
    ) {
        let mut new: BTreeMap<String, String> = BTreeMap::new();
        for (shown, path, named) in files {
            let Some(bytes) = self.bytes(shown, path, *named, "env file ") else { continue };
            let lookup = |name: &str| variables.get(name).or_else(|| new.get(name)).cloned();
            let name = shown.display().to_string();
            let (found, told) =
                dotenv::read(&mut self.sources, &name, &bytes, dotenv::Format::Compose, &lookup);
            self.diagnostics.extend(told);
            new.extend(found.into_iter().map(|one| (one.name, one.value)));
        }
        for (name, value) in new {
            variables.entry(name).or_insert(value);
        }
    }

    fn bytes(&mut self, shown: &Path, path: &Path, named: Option<Span>, kind: &str) -> Option<Vec<u8>> {
        if self.spent.files >= MOST_FILES {
            self.too_much(&format!("more than {MOST_FILES} files"), named);
            return None;
        }
        let problem = match self.files.read(path) {
            Err(why) => {
                self.unreadable = true;
                Diagnostic::placeless(format!("cannot read {kind}`{}`: {why}", shown.display()))
                    .coded(Code::File)
            }
            Ok(bytes) => {
                self.spent.files += 1;
                self.spent.bytes += bytes.len();
                if self.spent.bytes <= MOST_BYTES {
                    return Some(bytes);
                }
                self.too_much(&format!("files of more than {} MiB", MOST_BYTES >> 20), named);
                return None;
            }
        };
        self.push(match named {
            Some(span) => problem.also(span, ""),
            None => problem,
        });
        None
    }

    /// Says once that there is too much to read.
    fn too_much(&mut self, what: &str, named: Option<Span>) {
        if std::mem::replace(&mut self.spent.said, true) {
            return;
        }
        let problem = Diagnostic::placeless(format!("the project reads {what}"))
            .coded(Code::Limit)
            .help("the files probably name each other by `include` or `extends`");
        self.push(match named {
            Some(span) => problem.also(span, "at this one"),
            None => problem,
        });
    }
}
