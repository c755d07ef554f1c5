//! Finds and reads the files of a project, and makes one manifest of them.
//!
//! What is read is bounded and must be a regular file; the environment comes in as an argument.

mod disk;
mod find;
mod variables;

pub use disk::Disk;

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Severity, Sources, Span};
use crate::manifest::{
    AsWritten, Assembly, Dialect, Manifest, Text, Unit, absolute, check_keys, family, project_name,
};
use crate::yaml::{Limits, Node, Value};

use find::Found;

/// What came with the command. Paths are as the user gave them, relative ones to `current_dir`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// `-f`, in order; `-` is standard input. Empty lets `COMPOSE_FILE` or a search decide.
    pub files: Vec<PathBuf>,
    /// `--project-directory`.
    pub project_directory: Option<PathBuf>,
    /// `--env-file`, in order. Empty lets `COMPOSE_ENV_FILES` decide, or `.env`.
    pub env_files: Vec<PathBuf>,
    /// `-p`.
    pub project_name: Option<String>,
    /// `--profile`. Empty lets `COMPOSE_PROFILES` decide.
    pub profiles: Vec<String>,
    /// What is left as it is written.
    pub as_written: AsWritten,
    /// The environment of the process.
    pub variables: BTreeMap<String, String>,
    /// The directory in which the command was given, absolute.
    pub current_dir: PathBuf,
}

/// A manifest, and what was found in it so far.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The manifest.
    pub manifest: Manifest,
    /// Warnings, and errors that do not keep the project from being resolved (unknown keys), so that all errors
    /// can be shown at once. With an error among them the project must not be used.
    pub diagnostics: Vec<Diagnostic>,
}

/// Why there is no manifest.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The texts that the diagnostics speak of.
    pub sources: Sources,
    /// What was found, at least one error.
    pub diagnostics: Vec<Diagnostic>,
}

/// Finds the files, reads, interpolates and merges them, and checks their keys.
///
/// # Errors
/// Returns a [`Failure`] where a file cannot be found or read, is not YAML, or cannot be interpolated or merged.
pub fn load(options: &LoadOptions) -> Result<Loaded, Box<Failure>> {
    let mut loading = Loading::new(options);
    let manifest = loading.run();
    let Assembly { sources, diagnostics, .. } = loading.assembly;
    match manifest {
        Some(manifest) => Ok(Loaded { manifest, diagnostics }),
        None => Err(Box::new(Failure { sources, diagnostics })),
    }
}

struct Loading<'o> {
    options: &'o LoadOptions,
    assembly: Assembly<'static>,
}

impl<'o> Loading<'o> {
    fn new(options: &'o LoadOptions) -> Self {
        let as_written = options.as_written.variables;
        Self { options, assembly: Assembly::new(&Disk, &options.current_dir, as_written) }
    }

    fn run(&mut self) -> Option<Manifest> {
        let options = self.options;
        let start = options.start();
        let mut variables = options.variables.clone();
        variables.entry("PWD".into()).or_insert_with(|| options.current_dir.display().to_string());
        let env_files = variables::files(options, &start, &variables);
        self.assembly.env_files(&env_files, &mut variables);
        let found = self.find(&start, &variables)?;
        if options.project_directory.is_none() && found.directory != start {
            let mut more = variables::files(options, &found.directory, &variables);
            more.retain(|file| !env_files.contains(file));
            self.assembly.env_files(&more, &mut variables);
        }
        let mut texts = self.read(&found);
        let name = explicit_name(options, &variables);
        let directory = found.directory;
        let project = match &name {
            Some(name) => name.clone(),
            None => name_in(&texts, &variables, &directory),
        };
        variables.insert("COMPOSE_PROJECT_NAME".into(), project);
        let dialect = dialect(&texts);
        let unit = Unit::project(&directory, &variables, dialect);
        let root = self.assembly.project(&unit, &mut texts)?;
        let root = self.checked(root, &texts)?;
        let profiles = profiles(options, &variables);
        Some(Manifest {
            dialect,
            files: texts.into_iter().map(|text| (text.shown, text.source)).collect(),
            sources: std::mem::take(&mut self.assembly.sources),
            origins: std::mem::take(&mut self.assembly.origins),
            root,
            directory,
            name,
            profiles,
            as_written: options.as_written,
            variables,
        })
    }

    fn find(&mut self, start: &Path, variables: &BTreeMap<String, String>) -> Option<Found> {
        match find::files(self.options, start, variables) {
            Ok(found) => {
                self.assembly.diagnostics.extend(found.warning.clone());
                Some(found)
            }
            Err(problem) => {
                self.assembly.diagnostics.push(*problem);
                None
            }
        }
    }

    fn read(&mut self, found: &Found) -> Vec<Text> {
        let mut texts = Vec::with_capacity(found.files.len());
        for file in &found.files {
            let text = match file.path.as_deref() {
                Some(path) => self.assembly.read(&file.shown, path, None),
                None => self.standard_input(&file.shown),
            };
            if let Some(text) = text {
                self.assembly.diagnostics.extend(several(&self.assembly.sources, &text.documents));
                texts.push(text);
            }
        }
        texts
    }

    fn standard_input(&mut self, shown: &Path) -> Option<Text> {
        match standard_input(Limits::default().file) {
            Ok(bytes) => Some(self.assembly.parse(shown, None, &bytes)),
            Err(why) => {
                let what = format!("cannot read `{}`: {why}", shown.display());
                self.assembly.diagnostics.push(Diagnostic::placeless(what).coded(Code::File));
                None
            }
        }
    }

    /// Returns the tree where nothing keeps it from being resolved.
    fn checked(&mut self, root: Node, texts: &[Text]) -> Option<Node> {
        let spoilt = |found: &Diagnostic| found.severity == Severity::Error && spoils_more(found.code);
        let stop = self.assembly.unreadable || self.assembly.diagnostics.iter().any(spoilt);
        self.assembly.diagnostics.extend(not_a_mapping(&root, texts));
        self.assembly.diagnostics.extend(check_keys(&root));
        (!stop && matches!(root.value, Value::Mapping(_))).then_some(root)
    }
}

/// Whether an error that was found before the tree was whole makes more than its own place unfit to be judged.
const fn spoils_more(code: Code) -> bool {
    match code {
        Code::Interpolation
        | Code::RequiredVariable
        | Code::DuplicateKey
        | Code::UnknownTag
        | Code::Alias
        | Code::Encoding
        | Code::Syntax
        | Code::UnknownKey
        | Code::UnsupportedKey
        | Code::NoEffect
        | Code::KeyType
        | Code::UnsetVariable => false,
        Code::Value
        | Code::Type
        | Code::File
        | Code::Limit
        | Code::Merge
        | Code::UnknownName
        | Code::Cycle
        | Code::Conflict
        | Code::Unit
        | Code::PlainSecret
        | Code::HostAccess => true,
    }
}

impl LoadOptions {
    /// Returns the directory in which `.env` and manifests are looked for.
    fn start(&self) -> PathBuf {
        match &self.project_directory {
            Some(directory) => absolute(&self.current_dir, directory),
            None => self.current_dir.clone(),
        }
    }
}

/// Several documents in one file are merged, as in Compose; who did not mean that sees settings overwritten.
fn several(sources: &Sources, documents: &[Node]) -> Option<Diagnostic> {
    let mut filled = documents.iter().filter(|document| document.value != Value::Null);
    let second = filled.nth(1)?;
    let text = &sources.get(second.span.source)?.text;
    let before = text.get(..second.span.start as usize)?;
    let at = before.rfind("\n---").map_or(0, |newline| newline + 1);
    let start = u32::try_from(at).ok()?;
    let span = Span { source: second.span.source, start, end: start + 3 };
    Some(
        Diagnostic::warning("the documents of this file are merged into one, later ones over earlier", span)
            .coded(Code::Merge)
            .help("take `---` away, or give the second part as a file of its own"),
    )
}

/// Reads standard input up to one byte more than allowed, which is refused later.
fn standard_input(limit: usize) -> Result<Vec<u8>, String> {
    if std::io::stdin().is_terminal() {
        return Err("standard input is a terminal; pipe a manifest into it".to_owned());
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    match std::io::stdin().lock().take(limit).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(error.to_string()),
    }
}

fn explicit_name(options: &LoadOptions, variables: &BTreeMap<String, String>) -> Option<String> {
    let variable = || variables.get("COMPOSE_PROJECT_NAME").filter(|name| !name.is_empty()).cloned();
    options.project_name.clone().or_else(variable)
}

/// Returns the project's name as the files give it, the last one first, or the directory.
fn name_in(texts: &[Text], variables: &BTreeMap<String, String>, directory: &Path) -> String {
    let documents = texts.iter().rev().flat_map(|text| text.documents.iter().rev());
    let written = documents.filter_map(|document| match &document.get("name")?.value {
        Value::Scalar { text, plain: _ } => {
            let lookup = |name: &str| variables.get(name).cloned();
            crate::manifest::expand(text, &lookup).ok().map(|expansion| expansion.text)
        }
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
    });
    written.into_iter().next().unwrap_or_else(|| project_name(directory))
}

fn profiles(options: &LoadOptions, variables: &BTreeMap<String, String>) -> Vec<String> {
    if !options.profiles.is_empty() {
        return options.profiles.clone();
    }
    let listed = variables.get("COMPOSE_PROFILES").map_or("", String::as_str);
    listed.split(',').map(str::trim).filter(|profile| !profile.is_empty()).map(str::to_owned).collect()
}

fn not_a_mapping(root: &Node, texts: &[Text]) -> Option<Diagnostic> {
    let name = texts.first().map_or_else(String::new, |text| text.shown.display().to_string());
    match &root.value {
        Value::Mapping(_) => None,
        Value::Null => Some(
            Diagnostic::placeless(format!("nothing to do: `{name}` is empty"))
                .help("a manifest has at least `services:` with one service that has an `image:`"),
        ),
        Value::Scalar { .. } | Value::Sequence(_) => Some(
            Diagnostic::error(format!("a manifest must be a mapping, found {}", root.kind()), root.span)
                .help("start with `services:`"),
        ),
    }
}

/// Decides by the first file's name; files of any other name are sdcompose's where one has a `systemd:` key.
fn dialect(texts: &[Text]) -> Dialect {
    if let Some(dialect) = texts.first().and_then(|text| family(&text.shown)) {
        return dialect;
    }
    let has_key = |document: &Node| {
        let services = match document.get("services").map(|services| &services.value) {
            Some(Value::Mapping(entries)) => entries.as_slice(),
            Some(Value::Null | Value::Scalar { .. } | Value::Sequence(_)) | None => &[],
        };
        document.get("systemd").is_some() || services.iter().any(|entry| entry.value.get("systemd").is_some())
    };
    let systemd = texts.iter().flat_map(|text| &text.documents).any(has_key);
    if systemd { Dialect::Sdcompose } else { Dialect::Compose }
}

#[cfg(test)]
mod tests;
