//! Variables from files: `--env-file`, `COMPOSE_ENV_FILES`, `.env`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::LoadOptions;
use super::disk::{Disk, is_file};
use super::find::absolute;
use crate::diagnostic::{Code, Diagnostic, Sources};
use crate::manifest::{Files as _, dotenv};

/// Adds the variables of the files that count for a directory, below those that are there already.
///
/// A later file wins over an earlier one; the process environment wins over all.
pub(super) fn add(
    options: &LoadOptions,
    directory: &Path,
    sources: &mut Sources,
    variables: &mut BTreeMap<String, String>,
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut new: BTreeMap<String, String> = BTreeMap::new();
    for (shown, path) in files(options, directory, variables) {
        let name = shown.display().to_string();
        if sources.iter().any(|source| source.name == name) {
            continue;
        }
        let bytes = match Disk.read(&path) {
            Ok(bytes) => bytes,
            Err(why) => {
                problems.push(
                    Diagnostic::placeless(format!("cannot read env file `{name}`: {why}")).coded(Code::File),
                );
                continue;
            }
        };
        let lookup = |name: &str| variables.get(name).or_else(|| new.get(name)).cloned();
        let (found, told) = dotenv::read(sources, &name, &bytes, dotenv::Format::Compose, &lookup);
        problems.extend(told);
        new.extend(found.into_iter().map(|one| (one.name, one.value)));
    }
    for (name, value) in new {
        variables.entry(name).or_insert(value);
    }
    problems
}

/// Returns which files count: as the user would name them, and absolute.
fn files(
    options: &LoadOptions,
    directory: &Path,
    variables: &BTreeMap<String, String>,
) -> Vec<(PathBuf, PathBuf)> {
    let disabled = variables.get("COMPOSE_DISABLE_ENV_FILE").is_some_and(|value| is_true(value));
    let listed: Vec<PathBuf> = if options.env_files.is_empty() && !disabled {
        let variable = variables.get("COMPOSE_ENV_FILES").map_or("", String::as_str);
        variable.split(',').filter(|path| !path.is_empty()).map(PathBuf::from).collect()
    } else {
        options.env_files.clone()
    };
    if !listed.is_empty() {
        return listed
            .into_iter()
            .map(|path| (path.clone(), absolute(&options.current_dir, &path)))
            .collect();
    }
    let path = directory.join(".env");
    if disabled || !is_file(&path) {
        return Vec::new();
    }
    let shown = path.strip_prefix(&options.current_dir).map_or_else(|_| path.clone(), Path::to_owned);
    vec![(shown, path)]
}

/// Reads a switch as Go's `strconv.ParseBool` does.
fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True")
}
