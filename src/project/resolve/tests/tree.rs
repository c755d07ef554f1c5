//! A manifest for tests, from YAML text, and what is said about it as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Severity, SourceId, Sources, Span};
use crate::manifest::{AsWritten, Dialect, Files, Manifest, Origins};
use crate::project::Project;
use crate::yaml::{self, Node};

/// Files of a test, by path.
#[derive(Default)]
pub(crate) struct Given(pub(crate) BTreeMap<PathBuf, Vec<u8>>);

impl Files for Given {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        self.0.get(path).cloned().ok_or_else(|| "not found".to_owned())
    }
}

/// Reads YAML into a manifest of the project `p` in `/srv/p`, without variables.
pub(crate) fn manifest(text: &str) -> Manifest {
    let mut sources = Sources::default();
    let reading = yaml::read(&mut sources, "sdcompose.yaml", text.as_bytes(), &yaml::Limits::default());
    let root = reading.documents.and_then(|mut documents| documents.pop());
    let empty = Span { source: SourceId(0), start: 0, end: 0 };
    Manifest {
        sources,
        root: root.unwrap_or_else(|| Node::null(empty)),
        files: vec![(PathBuf::from("sdcompose.yaml"), SourceId(0))],
        directory: PathBuf::from("/srv/p"),
        origins: Origins::default(),
        name: None,
        dialect: Dialect::Sdcompose,
        profiles: Vec::new(),
        as_written: AsWritten::default(),
        variables: BTreeMap::from([("HOME".to_owned(), "/home/user".to_owned())]),
    }
}

/// Resolves a manifest with files.
pub(crate) fn resolved(mut manifest: Manifest, files: &Given) -> (Option<Project>, String) {
    let (project, diagnostics) = super::super::resolve(&mut manifest, files);
    (project, shown(&manifest.sources, &diagnostics))
}

/// Resolves a text that has no errors.
pub(crate) fn project(text: &str) -> Project {
    let (project, said) = resolved(manifest(text), &Given::default());
    project.unwrap_or_else(|| panic!("{said}"))
}

/// What is said about a text, one finding a line: `line:column what · marks · help`.
pub(crate) fn said(text: &str) -> String {
    resolved(manifest(text), &Given::default()).1
}

fn shown(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let place =
        |span| sources.position(span).map_or(String::new(), |at| format!("{}:{}", at.line, at.column));
    let mut lines = Vec::new();
    for Diagnostic { severity, code: _, what, labels, help, suggestion } in diagnostics {
        let mut line = String::new();
        if let Some(first) = labels.first() {
            line = format!("{} ", place(first.span));
        }
        line.push_str(match severity {
            Severity::Error => "",
            Severity::Obstacle => "obstacle: ",
            Severity::Warning => "warning: ",
        });
        line.push_str(what);
        for (at, label) in labels.iter().enumerate() {
            match at {
                0 if label.text.is_empty() => {}
                0 => write!(line, " [{}]", label.text).unwrap(),
                _ => write!(line, " [{} {}]", place(label.span), label.text).unwrap(),
            }
        }
        for help in help {
            write!(line, "; {help}").unwrap();
        }
        if let Some(suggestion) = suggestion {
            let Span { start, end, .. } = suggestion.span;
            assert!(start < end, "a suggestion replaces something: {what}");
        }
        lines.push(line);
    }
    lines.join("\n")
}
