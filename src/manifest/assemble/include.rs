//! `include`: other files become a model of their own, with their own directory and variables, which is then
//! taken into the document that names them (compose-go, `loader.ApplyInclude`).

use std::path::{Path, PathBuf};

use super::{Assembly, Chain, Unit, absolute, family, take};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::manifest::keys::{check_keys, check_keys_at};
use crate::manifest::{Dialect, Inclusion};
use crate::yaml::{Node, Value};

/// Files that include each other in turn.
const DEEPEST: usize = 16;

/// Places shown of a cycle, behind the first.
pub(super) const MOST_LABELS: usize = 7;

/// One entry of `include:`.
struct Wanted<'n> {
    paths: Vec<(&'n str, Span)>,
    project_directory: Option<&'n str>,
    env_files: Vec<(&'n str, Span)>,
    span: Span,
}

/// The texts of one entry, found and not yet read.
struct Located {
    paths: Vec<(PathBuf, Span)>,
    directory: PathBuf,
    env_files: Vec<(PathBuf, PathBuf, Option<Span>)>,
}

impl Assembly<'_> {
    /// Takes what a document includes into it.
    pub(super) fn include(&mut self, unit: &Unit<'_>, document: &mut Node, chain: &mut Chain) {
        let Some(entry) = take(document, "include") else { return };
        let items = match &entry.value.value {
            Value::Null => return,
            Value::Sequence(items) => items,
            Value::Scalar { .. } | Value::Mapping(_) => {
                let what = format!("`include` must be a list, found {}", entry.value.kind());
                self.push(Diagnostic::error(what, entry.value.span).coded(Code::Type));
                return;
            }
        };
        self.diagnostics.extend(check_keys_at(&entry.value, &["include"]));
        for item in items {
            if let Some(wanted) = self.wanted(item)
                && let Some(model) = self.included(unit, &wanted, chain)
            {
                self.import(document, model);
            }
        }
    }

    /// Reads an entry of the list.
    fn wanted<'n>(&mut self, item: &'n Node) -> Option<Wanted<'n>> {
        let span = item.span;
        if !matches!(item.value, Value::Mapping(_)) {
            let paths = vec![self.text_of(item, "include")?];
            return Some(Wanted { paths, project_directory: None, env_files: Vec::new(), span });
        }
        let paths = match item.get("path") {
            Some(node) => self.one_or_more(node, "include.path")?,
            None => Vec::new(),
        };
        if paths.is_empty() {
            self.push(Diagnostic::error("`include` needs the `path` of a file", span));
            return None;
        }
        let project_directory = match item.get("project_directory") {
            Some(node) => Some(self.text_of(node, "include.project_directory")?.0),
            None => None,
        };
        let env_files = match item.get("env_file") {
            Some(node) => self.one_or_more(node, "include.env_file")?,
            None => Vec::new(),
        };
        Some(Wanted { paths, project_directory, env_files, span })
    }

    fn one_or_more<'n>(&mut self, node: &'n Node, key: &str) -> Option<Vec<(&'n str, Span)>> {
        match &node.value {
            Value::Sequence(items) => items.iter().map(|item| self.text_of(item, key)).collect(),
            Value::Null => Some(Vec::new()),
            Value::Scalar { .. } | Value::Mapping(_) => Some(vec![self.text_of(node, key)?]),
        }
    }

    /// Makes the model of one entry.
    fn included(&mut self, unit: &Unit<'_>, wanted: &Wanted<'_>, chain: &mut Chain) -> Option<Node> {
        let located = self.located(unit, wanted)?;
        if self.is_cycle(&located, chain) || self.is_too_deep(chain, wanted.span) {
            return None;
        }
        let mut variables = unit.variables.clone();
        self.env_files(&located.env_files, &mut variables);
        let number = self.origins.add(Inclusion {
            directory: located.directory.clone(),
            variables: variables.clone(),
            dialect: unit.dialect,
            defaults: None,
        });
        let mut texts = Vec::with_capacity(located.paths.len());
        for (path, span) in &located.paths {
            let shown = self.shown(path);
            if let Some(text) = self.read(&shown, path, Some(*span)) {
                self.origins.include(text.source, number);
                texts.push(text);
            }
        }
        let own = texts.first().and_then(|text| family(&text.shown));
        let dialect = own.unwrap_or(unit.dialect);
        let inner =
            Unit { directory: &located.directory, variables: &variables, dialect, inclusion: Some(number) };
        let model = self.model(&inner, &mut texts, chain)?;
        self.model_of(model, number, dialect)
    }

    /// Keeps of an included model what is not taken into the document, and checks its keys.
    fn model_of(&mut self, mut model: Node, number: usize, dialect: Dialect) -> Option<Node> {
        match &model.value {
            Value::Mapping(_) => {}
            Value::Null => return None,
            Value::Scalar { .. } | Value::Sequence(_) => {
                let what = format!("an included file must be a mapping, found {}", model.kind());
                self.push(Diagnostic::error(what, model.span).coded(Code::Type));
                return None;
            }
        }
        let resources = super::import::take_resources(&mut model);
        self.diagnostics.extend(check_keys(&model));
        let defaults = take(&mut model, "systemd").or_else(|| take(&mut model, "x-systemd"));
        if let Some(inclusion) = self.origins.inclusion_mut(number) {
            inclusion.dialect = dialect;
            inclusion.defaults = defaults.map(|entry| entry.value);
        }
        Some(Node { value: Value::Mapping(resources), ..model })
    }

    /// Finds the files of an entry; relative ones start from the directory of the files that include it.
    fn located(&mut self, unit: &Unit<'_>, wanted: &Wanted<'_>) -> Option<Located> {
        let mut remote = false;
        for path in &wanted.paths {
            remote |= self.is_remote(*path);
        }
        if remote {
            return None;
        }
        let from = |text: &str| absolute(unit.directory, Path::new(text));
        let paths: Vec<(PathBuf, Span)> =
            wanted.paths.iter().map(|(text, span)| (from(text), *span)).collect();
        let beside = paths.first().and_then(|(path, _)| path.parent()).unwrap_or(unit.directory);
        let written = wanted.project_directory.filter(|written| !written.is_empty());
        let named = written.map_or_else(|| beside.to_owned(), from);
        // Compose takes a directory that is not there for a file in it (compose-go, `localResourceLoader.Dir`).
        let keep =
            written.is_none_or(|written| Path::new(written).is_absolute()) || self.files.is_directory(&named);
        let directory = if keep { named.clone() } else { named.parent().unwrap_or(&named).to_owned() };
        let dotenv = named.join(".env");
        let mut env_files: Vec<(PathBuf, PathBuf, Option<Span>)> = Vec::new();
        for (text, span) in &wanted.env_files {
            let path = from(text);
            env_files.push((self.shown(&path), path, Some(*span)));
        }
        if env_files.is_empty() && self.files.is_file(&dotenv) {
            env_files.push((self.shown(&dotenv), dotenv, None));
        }
        Some(Located { paths, directory, env_files })
    }

    fn is_cycle(&mut self, located: &Located, chain: &Chain) -> bool {
        let again = located
            .paths
            .iter()
            .find_map(|(path, span)| Some((chain.iter().position(|open| open == path)?, path, *span)));
        let Some((start, path, span)) = again else { return false };
        let steps = chain.get(start..).unwrap_or(chain).iter().chain([path]);
        let names: Vec<String> = steps.map(|path| self.shown(path).display().to_string()).collect();
        self.push(
            Diagnostic::error(format!("files include each other: {}", path_of(&names)), span)
                .coded(Code::Cycle)
                .marked("which is being included")
                .help("put what both need into a third file"),
        );
        true
    }

    fn is_too_deep(&mut self, chain: &Chain, span: Span) -> bool {
        let deep = chain.len() > DEEPEST;
        if deep {
            let what = format!("files include each other more than {DEEPEST} deep");
            self.push(Diagnostic::error(what, span).coded(Code::Limit));
        }
        deep
    }
}

/// Joins the names of a path, shortened in the middle where it is long.
pub(super) fn path_of(names: &[String]) -> String {
    const ENDS: usize = 6;
    if names.len() <= 2 * ENDS {
        return names.join(" → ");
    }
    let first = names.get(..ENDS).unwrap_or(names);
    let last = names.get(names.len() - ENDS..).unwrap_or(names);
    format!("{} → ({} more) → {}", first.join(" → "), names.len() - 2 * ENDS, last.join(" → "))
}
