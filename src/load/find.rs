//! Which files a project is made of.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::LoadOptions;
use super::disk::{is_file, is_there};
use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::absolute;

/// A family of names: the manifest itself, the overrides beside it, and whether sdcompose's own override of a
/// compose file counts.
struct Family {
    names: &'static [&'static str],
    overrides: &'static [&'static str],
    ours: &'static [&'static str],
}

/// In order of preference; within compose files, compose-go's (`cli/options.go`).
const FAMILIES: &[Family] = &[
    Family {
        names: &["sdcompose.yaml", "sdcompose.yml"],
        overrides: &["sdcompose.override.yaml", "sdcompose.override.yml"],
        ours: &[],
    },
    Family {
        names: &["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"],
        overrides: &[
            "compose.override.yml",
            "compose.override.yaml",
            "docker-compose.override.yml",
            "docker-compose.override.yaml",
        ],
        ours: &["compose.sdcompose.yaml", "compose.sdcompose.yml"],
    },
];

/// The files of a project, in the order in which they merge.
pub(super) struct Found {
    pub(super) files: Vec<FoundFile>,
    /// Absolute directory that relative paths start from.
    pub(super) directory: PathBuf,
    pub(super) warning: Option<Diagnostic>,
}

/// One file.
pub(super) struct FoundFile {
    /// As the user would name it.
    pub(super) shown: PathBuf,
    /// Absolute; `None` is standard input.
    pub(super) path: Option<PathBuf>,
}

/// Decides by `-f`, then `COMPOSE_FILE`, then by a search from `start` upwards.
pub(super) fn files(
    options: &LoadOptions,
    start: &Path,
    variables: &BTreeMap<String, String>,
) -> Result<Found, Box<Diagnostic>> {
    let named = if options.files.is_empty() { from_variable(variables) } else { options.files.clone() };
    if named.is_empty() { search(options, start) } else { Ok(given(options, start, &named)) }
}

/// Splits `COMPOSE_FILE` at `COMPOSE_PATH_SEPARATOR`, or at colons.
fn from_variable(variables: &BTreeMap<String, String>) -> Vec<PathBuf> {
    let separator = variables.get("COMPOSE_PATH_SEPARATOR").map_or(":", String::as_str);
    let listed = variables.get("COMPOSE_FILE").map_or("", String::as_str);
    let separator = if separator.is_empty() { ":" } else { separator };
    listed.split(separator).filter(|path| !path.is_empty()).map(PathBuf::from).collect()
}

fn given(options: &LoadOptions, start: &Path, named: &[PathBuf]) -> Found {
    let file = |path: &PathBuf| FoundFile {
        shown: path.clone(),
        path: (path.as_os_str() != "-").then(|| absolute(&options.current_dir, path)),
    };
    let files: Vec<FoundFile> = named.iter().map(file).collect();
    let beside = || Some(files.first()?.path.as_deref()?.parent()?.to_owned());
    let directory = match options.project_directory {
        Some(_) => start.to_owned(),
        None => beside().unwrap_or_else(|| start.to_owned()),
    };
    Found { warning: named_twice(&files), files, directory }
}

/// A file that is named twice merges with itself: its lists are there twice.
fn named_twice(files: &[FoundFile]) -> Option<Diagnostic> {
    let twice =
        files.iter().enumerate().find(|(at, file)| files[..*at].iter().any(|other| other.path == file.path));
    twice.map(|(_, file)| {
        let mut warning = Diagnostic::placeless(format!("`{}` is named twice", file.shown.display()));
        warning.severity = crate::diagnostic::Severity::Warning;
        warning
    })
}

fn search(options: &LoadOptions, start: &Path) -> Result<Found, Box<Diagnostic>> {
    for directory in start.ancestors() {
        for family in FAMILIES {
            let there: Vec<&str> = present(directory, family.names);
            if let Some(first) = there.first() {
                return Ok(family.found(options, start, directory, first, &there));
            }
        }
    }
    let problem = Diagnostic::placeless("no manifest here or in any directory above")
        .coded(Code::File)
        .help("write `sdcompose.yaml`, or name a file with `-f`");
    Err(Box::new(problem))
}

impl Family {
    fn found(
        &self,
        options: &LoadOptions,
        start: &Path,
        directory: &Path,
        first: &str,
        there: &[&str],
    ) -> Found {
        let over = present(directory, self.overrides).into_iter().take(1);
        let ours = present(directory, self.ours).into_iter().take(1);
        let files = std::iter::once(first).chain(over).chain(ours).map(|name| {
            let path = directory.join(name);
            let shown = path.strip_prefix(&options.current_dir).map_or_else(|_| path.clone(), Path::to_owned);
            FoundFile { shown, path: Some(path) }
        });
        let warning = (there.len() > 1).then(|| {
            let what = format!("several manifests in one directory: {}; using `{first}`", listed(there));
            let mut warning = Diagnostic::placeless(what).help("name the one you mean with `-f`");
            warning.severity = crate::diagnostic::Severity::Warning;
            warning
        });
        let directory = if options.project_directory.is_some() { start } else { directory };
        Found { files: files.collect(), directory: directory.to_owned(), warning }
    }
}

/// Returns the names that are files in a directory. A name that is there but no file is taken as well, so that
/// reading it says what it is.
fn present(directory: &Path, names: &[&'static str]) -> Vec<&'static str> {
    let usable = |name: &&&'static str| {
        let path = directory.join(name);
        is_file(&path) || is_there(&path)
    };
    names.iter().filter(usable).copied().collect()
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
