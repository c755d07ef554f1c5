//! Files of a map, and what becomes of them, as text.

mod bounds;
mod extends;
mod include;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::*;
use crate::manifest::Files;
use crate::yaml::shown;

/// Files by their path below `/p`; a path that ends in a slash is a directory.
struct Given(BTreeMap<PathBuf, String>);

impl Files for Given {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        self.0.get(path).map(|text| text.clone().into_bytes()).ok_or_else(|| "not found".to_owned())
    }
}

impl FileTree for Given {
    fn is_file(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }

    fn is_directory(&self, path: &Path) -> bool {
        self.0.keys().any(|file| file != path && file.starts_with(path))
    }
}

/// What became of files.
struct Joined {
    root: Option<Node>,
    origins: Origins,
    sources: Sources,
    diagnostics: Vec<Diagnostic>,
}

impl Joined {
    /// One finding a line: `file:line:column what [file:line:column mark] ; help`.
    fn said(&self) -> String {
        let place = |span: Span| {
            let at = self.sources.position(span).unwrap();
            format!("{}:{}:{}", self.sources.get(span.source).unwrap().name, at.line, at.column)
        };
        let mut out = String::new();
        for Diagnostic { severity, what, labels, help, .. } in &self.diagnostics {
            if let Some(label) = labels.first() {
                write!(out, "{} ", place(label.span)).unwrap();
            }
            if *severity == Severity::Warning {
                out.push_str("warning: ");
            }
            out.push_str(what);
            for label in labels.iter().skip(1) {
                write!(out, " [{} {}]", place(label.span), label.text).unwrap();
            }
            for help in help {
                write!(out, "; {help}").unwrap();
            }
            out.push('\n');
        }
        out.trim_end().to_owned()
    }

    /// The tree where nothing is wrong, or what is.
    fn told(&self) -> String {
        match &self.root {
            Some(root) if self.diagnostics.is_empty() => shown(root),
            Some(_) | None => self.said(),
        }
    }

    /// The node below names.
    fn at(&self, path: &[&str]) -> &Node {
        path.iter().fold(self.root.as_ref().unwrap(), |node, name| node.get(name).unwrap())
    }

    /// The directory that paths at a node start from.
    fn directory(&self, path: &[&str]) -> String {
        let directory = self.origins.directory(self.at(path).span);
        directory.map_or_else(|| "/p".to_owned(), |path| path.display().to_string())
    }
}

/// Joins files of `/p`, the first as the project's own.
fn join(files: &[(&str, &str)]) -> Joined {
    join_first(1, files)
}

/// Joins files of `/p`, so many of them as the project's own.
fn join_first(own: usize, files: &[(&str, &str)]) -> Joined {
    let given = Given(
        files
            .iter()
            .map(|(name, text)| (absolute(Path::new("/p"), Path::new(name)), (*text).to_owned()))
            .collect(),
    );
    let variables = BTreeMap::from([("V".to_owned(), "v".to_owned())]);
    let mut assembly = Assembly::new(&given, Path::new("/p"), false);
    let mut texts: Vec<Text> = files
        .iter()
        .take(own)
        .filter_map(|(name, _)| {
            assembly.read(Path::new(name), &absolute(Path::new("/p"), Path::new(name)), None)
        })
        .collect();
    let unit = Unit::project(Path::new("/p"), &variables, Dialect::Compose);
    let root = assembly.project(&unit, &mut texts);
    let Assembly { origins, sources, diagnostics, .. } = assembly;
    Joined { root, origins, sources, diagnostics }
}

/// Joins files and tells.
fn told(files: &[(&str, &str)]) -> String {
    join(files).told()
}

#[test]
fn a_file_without_extends_and_include_stays_as_it_is() {
    assert_eq!(
        told(&[("a.yaml", "services: {a: {image: x}}\nx-a: 1")]),
        "{services: {a: {image: x}}, x-a: 1}"
    );
    assert_eq!(told(&[("a.yaml", "- 1")]), "[1]");
    assert_eq!(told(&[("a.yaml", "services: [a]")]), "{services: [a]}");
}
