//! Variables from files: `--env-file`, `COMPOSE_ENV_FILES`, `.env`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::LoadOptions;
use super::disk::is_file;
use crate::diagnostic::Span;
use crate::manifest::absolute;

/// Returns which files count for a directory: as the user would name them, absolute, and named by no manifest. A
/// later one wins over an earlier one.
pub(super) fn files(
    options: &LoadOptions,
    directory: &Path,
    variables: &BTreeMap<String, String>,
) -> Vec<(PathBuf, PathBuf, Option<Span>)> {
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
            .map(|path| (path.clone(), absolute(&options.current_dir, &path), None))
            .collect();
    }
    let path = directory.join(".env");
    if disabled || !is_file(&path) {
        return Vec::new();
    }
    let shown = path.strip_prefix(&options.current_dir).map_or_else(|_| path.clone(), Path::to_owned);
    vec![(shown, path, None)]
}

/// Reads a switch as Go's `strconv.ParseBool` does.
fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True")
}
