//! From the texts of a project to one tree: variables are put in, bases of `extends` and included files are read
//! and brought in, and all documents are merged.
//!
//! The order is that of compose-go (`loader.loadYamlFile`): each document by itself is interpolated, then extended
//! within its own file, then given what it includes, and only then merged over the documents before it.

mod extends;
mod import;
mod include;
mod read;

pub use read::{FileTree, Text};

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use extends::Bases;

use crate::diagnostic::{Code, Diagnostic, Severity, Sources, Span};
use crate::manifest::{Dialect, Origins, interpolate, merge};
use crate::yaml::{Entry, Node, Value};

/// Reads and joins the texts of one project.
pub struct Assembly<'f> {
    files: &'f dyn FileTree,
    /// The directory that names of files are shown from.
    current_dir: PathBuf,
    /// Whether variables keep their names.
    as_written: bool,
    /// Every text that was read.
    pub sources: Sources,
    /// Which of them are not the project's own.
    pub origins: Origins,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether a text is missing from the tree: what depends on it cannot be judged.
    pub unreadable: bool,
    spent: read::Spent,
}

/// Files that become one model: those of the project, or those of one entry of `include:`.
#[derive(Debug, Clone, Copy)]
pub struct Unit<'u> {
    /// Absolute directory that relative paths start from.
    pub directory: &'u Path,
    /// Variables for interpolation.
    pub variables: &'u BTreeMap<String, String>,
    /// Whether services are machines unless they say otherwise.
    pub dialect: Dialect,
    /// Which inclusion it is; `None` is the project itself.
    inclusion: Option<usize>,
}

impl<'u> Unit<'u> {
    /// Makes the unit of the project itself.
    #[must_use]
    pub const fn project(
        directory: &'u Path,
        variables: &'u BTreeMap<String, String>,
        dialect: Dialect,
    ) -> Self {
        Self { directory, variables, dialect, inclusion: None }
    }
}

/// The files that are being included, from the first of the project to the one at hand.
type Chain = Vec<PathBuf>;

impl<'f> Assembly<'f> {
    /// Starts without any text. `current_dir` is absolute; `as_written` leaves variables as they are.
    #[must_use]
    pub fn new(files: &'f dyn FileTree, current_dir: &Path, as_written: bool) -> Self {
        Self {
            files,
            current_dir: current_dir.to_owned(),
            as_written,
            sources: Sources::default(),
            origins: Origins::default(),
            diagnostics: Vec::new(),
            unreadable: false,
            spent: read::Spent::default(),
        }
    }

    /// Tells whether anything that was found is an error.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.diagnostics.iter().any(|found| found.severity == Severity::Error)
    }

    /// Joins the project's texts, whose documents are taken out, to one tree; `None` where there is no document.
    pub fn project(&mut self, unit: &Unit<'_>, texts: &mut [Text]) -> Option<Node> {
        self.model(unit, texts, &mut Chain::new())
    }

    fn model(&mut self, unit: &Unit<'_>, texts: &mut [Text], chain: &mut Chain) -> Option<Node> {
        let (mut bases, mut documents) = (Bases::default(), Vec::new());
        let depth = chain.len();
        for text in texts {
            chain.truncate(depth);
            chain.extend(text.path.clone());
            for mut document in std::mem::take(&mut text.documents) {
                self.interpolate(unit, &mut document);
                self.extend(unit, &mut document, &text.shown, &mut bases);
                self.include(unit, &mut document, chain);
                documents.push(document);
            }
        }
        chain.truncate(depth);
        let first = (!documents.is_empty()).then(|| documents.remove(0))?;
        let (root, problems) = merge(first, documents);
        self.diagnostics.extend(problems);
        Some(root)
    }

    fn interpolate(&mut self, unit: &Unit<'_>, document: &mut Node) {
        if !self.as_written {
            let found = interpolate(document, &self.sources, &|name| unit.variables.get(name).cloned());
            self.diagnostics.extend(found);
        }
    }

    fn push(&mut self, found: Diagnostic) {
        self.diagnostics.push(found);
    }

    /// Names a file as the user would.
    fn shown(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.current_dir).map_or_else(|_| path.to_owned(), Path::to_owned)
    }

    /// Returns a text that a key wants, and says where it is none.
    fn text_of<'n>(&mut self, node: &'n Node, key: &str) -> Option<(&'n str, Span)> {
        match &node.value {
            Value::Scalar { text, plain } if !plain || node.is_interpolated() || node.kind() == "text" => {
                Some((text, node.span))
            }
            Value::Null | Value::Scalar { .. } | Value::Sequence(_) | Value::Mapping(_) => {
                let what = format!("`{key}` must be text, found {}", node.kind());
                self.push(Diagnostic::error(what, node.span).coded(Code::Type));
                None
            }
        }
    }

    /// Refuses what is on another host; returns whether it was.
    fn is_remote(&mut self, (text, span): (&str, Span)) -> bool {
        let remote = text.contains("://") || text.starts_with("git@") || text.starts_with("github.com/");
        if remote {
            self.push(
                Diagnostic::error(format!("`{text}` is on another host, and is not fetched"), span)
                    .coded(Code::File)
                    .help("fetch it, look at it, and name the local file"),
            );
        }
        remote
    }
}

/// Decides by a file's name whether it is in sdcompose's own dialect; `None` where the name does not say.
#[must_use]
pub fn family(path: &Path) -> Option<Dialect> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with("sdcompose") {
        return Some(Dialect::Sdcompose);
    }
    (name.starts_with("compose.") || name.starts_with("docker-compose")).then_some(Dialect::Compose)
}

/// Makes a path absolute and takes `.` and `..` out by their words alone, as Compose does.
#[must_use]
pub fn absolute(from: &Path, path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in from.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(component),
        }
    }
    out
}

/// Returns the entries of a mapping; none of anything else.
fn entries_mut(node: &mut Node) -> Option<&mut Vec<Entry>> {
    match &mut node.value {
        Value::Mapping(entries) => Some(entries),
        Value::Null | Value::Scalar { .. } | Value::Sequence(_) => None,
    }
}

/// Takes an entry out of a mapping.
fn take(node: &mut Node, key: &str) -> Option<Entry> {
    let entries = entries_mut(node)?;
    let at = entries.iter().position(|entry| &*entry.key == key)?;
    Some(entries.remove(at))
}

#[cfg(test)]
mod tests;
