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

use crate::diagnostic::{Code, Diagnostic, Severity, SourceId, Sources, Span};
use crate::manifest::{
    AsWritten, Dialect, Files as _, Manifest, Origins, check_keys, interpolate, merge, project_name,
};
use crate::yaml::{self, Limits, Node, Value};

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
    let mut loading = Loading::default();
    match loading.run(options) {
        Some(manifest) => Ok(Loaded { manifest, diagnostics: loading.diagnostics }),
        None => Err(Box::new(Failure { sources: loading.sources, diagnostics: loading.diagnostics })),
    }
}

#[derive(Default)]
struct Loading {
    sources: Sources,
    diagnostics: Vec<Diagnostic>,
}

/// One file, read.
struct Text {
    path: PathBuf,
    source: SourceId,
    documents: Vec<Node>,
}

impl Loading {
    fn run(&mut self, options: &LoadOptions) -> Option<Manifest> {
        let start = options.start();
        let mut variables = options.variables.clone();
        variables.entry("PWD".into()).or_insert_with(|| options.current_dir.display().to_string());
        self.env_files(options, &start, &mut variables);
        let found = self.find(options, &start, &variables)?;
        if options.project_directory.is_none() && found.directory != start {
            self.env_files(options, &found.directory, &mut variables);
        }
        let mut texts = self.read(&found);
        if self.failed() {
            return None;
        }
        let name = explicit_name(options, &variables);
        let directory = found.directory.clone();
        let root = self.one(&mut texts, &mut variables, name.as_deref(), &directory, options.as_written)?;
        let profiles = profiles(options, &variables);
        Some(Manifest {
            dialect: dialect(&texts, &root),
            files: texts.into_iter().map(|text| (text.path, text.source)).collect(),
            sources: std::mem::take(&mut self.sources),
            root,
            directory,
            origins: Origins::default(),
            name,
            profiles,
            as_written: options.as_written,
            variables,
        })
    }

    fn find(
        &mut self,
        options: &LoadOptions,
        start: &Path,
        variables: &BTreeMap<String, String>,
    ) -> Option<Found> {
        match find::files(options, start, variables) {
            Ok(found) => {
                self.diagnostics.extend(found.warning.clone());
                Some(found)
            }
            Err(problem) => {
                self.diagnostics.push(*problem);
                None
            }
        }
    }

    fn env_files(
        &mut self,
        options: &LoadOptions,
        directory: &Path,
        variables: &mut BTreeMap<String, String>,
    ) {
        let problems = variables::add(options, directory, &mut self.sources, variables);
        self.diagnostics.extend(problems);
    }

    fn read(&mut self, found: &Found) -> Vec<Text> {
        let limits = Limits::default();
        let mut texts = Vec::with_capacity(found.files.len());
        for file in &found.files {
            let name = file.shown.display().to_string();
            let bytes = match file.path.as_deref() {
                Some(path) => Disk.read(path),
                None => standard_input(limits.file),
            };
            match bytes {
                Err(why) => {
                    self.diagnostics.push(
                        Diagnostic::placeless(format!("cannot read `{name}`: {why}")).coded(Code::File),
                    );
                }
                Ok(bytes) => {
                    let reading = yaml::read(&mut self.sources, &name, &bytes, &limits);
                    self.diagnostics.extend(reading.diagnostics);
                    let documents = reading.documents.unwrap_or_default();
                    self.diagnostics.extend(several(&self.sources, &documents));
                    texts.push(Text { path: file.shown.clone(), source: reading.source, documents });
                }
            }
        }
        texts
    }

    /// Interpolates and merges all documents into one mapping.
    fn one(
        &mut self,
        texts: &mut [Text],
        variables: &mut BTreeMap<String, String>,
        name: Option<&str>,
        directory: &Path,
        as_written: AsWritten,
    ) -> Option<Node> {
        let mut documents: Vec<Node> =
            texts.iter_mut().flat_map(|text| std::mem::take(&mut text.documents)).collect();
        let project = name.map_or_else(|| name_in(&documents, variables, directory), str::to_owned);
        variables.insert("COMPOSE_PROJECT_NAME".into(), project);
        for document in documents.iter_mut().filter(|_| !as_written.variables) {
            let found = interpolate(document, &self.sources, &|name| variables.get(name).cloned());
            self.diagnostics.extend(found);
        }
        let first = (!documents.is_empty()).then(|| documents.remove(0))?;
        let (root, problems) = merge(first, documents);
        self.diagnostics.extend(problems);
        let stop = self.failed();
        self.diagnostics.extend(not_a_mapping(&root, texts));
        self.diagnostics.extend(check_keys(&root));
        (!stop && matches!(root.value, Value::Mapping(_))).then_some(root)
    }

    fn failed(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

impl LoadOptions {
    /// Returns the directory in which `.env` and manifests are looked for.
    fn start(&self) -> PathBuf {
        match &self.project_directory {
            Some(directory) => find::absolute(&self.current_dir, directory),
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
fn name_in(documents: &[Node], variables: &BTreeMap<String, String>, directory: &Path) -> String {
    let written = documents.iter().rev().find_map(|document| match &document.get("name")?.value {
        Value::Scalar { text, plain: _ } => {
            let lookup = |name: &str| variables.get(name).cloned();
            crate::manifest::expand(text, &lookup).ok().map(|expansion| expansion.text)
        }
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
    });
    written.unwrap_or_else(|| project_name(directory))
}

fn profiles(options: &LoadOptions, variables: &BTreeMap<String, String>) -> Vec<String> {
    if !options.profiles.is_empty() {
        return options.profiles.clone();
    }
    let listed = variables.get("COMPOSE_PROFILES").map_or("", String::as_str);
    listed.split(',').map(str::trim).filter(|profile| !profile.is_empty()).map(str::to_owned).collect()
}

fn not_a_mapping(root: &Node, texts: &[Text]) -> Option<Diagnostic> {
    let name = texts.first().map_or_else(String::new, |text| text.path.display().to_string());
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

/// Decides by the first file's name; a file of any other name is sdcompose's where it has a `systemd:` key.
fn dialect(texts: &[Text], root: &Node) -> Dialect {
    let name = texts.first().and_then(|text| text.path.file_name()).unwrap_or_default().to_string_lossy();
    if name.starts_with("sdcompose") {
        return Dialect::Sdcompose;
    }
    if name.starts_with("compose.") || name.starts_with("docker-compose") {
        return Dialect::Compose;
    }
    let services = match root.get("services").map(|services| &services.value) {
        Some(Value::Mapping(entries)) => entries.as_slice(),
        Some(Value::Null | Value::Scalar { .. } | Value::Sequence(_)) | None => &[],
    };
    let systemd =
        root.get("systemd").is_some() || services.iter().any(|entry| entry.value.get("systemd").is_some());
    if systemd { Dialect::Sdcompose } else { Dialect::Compose }
}

#[cfg(test)]
mod tests;
