//! Typed reading of nodes. Every method says what was wanted and what was found, and goes on: a wrong value
//! costs one diagnostic, never the rest of the manifest.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::diagnostic::{Code, Diagnostic, Severity, Sources, Span};
use crate::manifest::{AsWritten, Files, Origins};
use crate::project::mount;
use crate::project::name;
use crate::project::quantity;
use crate::project::scalar::{self, Scalar};
use crate::yaml::{Entry, Node, Value};

/// What all parts of resolving share: where texts come from, and where diagnostics go.
pub(super) struct Reader<'a> {
    /// Every text, for quoting; env files are added.
    pub(super) sources: &'a mut Sources,
    /// Files that the manifest refers to.
    pub(super) files: &'a dyn Files,
    /// Absolute directory of the project.
    pub(super) directory: &'a Path,
    /// The host's environment over `.env`.
    pub(super) variables: &'a BTreeMap<String, String>,
    /// The texts that are not the project's own.
    pub(super) origins: &'a Origins,
    /// What is left as it is written.
    pub(super) as_written: AsWritten,
    /// Files read so far: top-level defaults name the same ones for every service.
    known: HashMap<PathBuf, Result<Vec<u8>, String>>,
    diagnostics: Vec<Diagnostic>,
}

/// One `NAME=value` of a list or `NAME: value` of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pair {
    /// The name.
    pub(super) name: String,
    /// The value; `None` where only the name is given.
    pub(super) value: Option<String>,
    /// Whether the value stands in the manifest as it is, without variables.
    pub(super) literal: bool,
    /// Where the name stands.
    pub(super) span: Span,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        sources: &'a mut Sources,
        files: &'a dyn Files,
        directory: &'a Path,
        variables: &'a BTreeMap<String, String>,
        origins: &'a Origins,
        as_written: AsWritten,
    ) -> Self {
        Self {
            sources,
            files,
            directory,
            variables,
            origins,
            as_written,
            known: HashMap::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Keeps a finding.
    pub(super) fn push(&mut self, mut diagnostic: Diagnostic) {
        if self.as_written.names && diagnostic.code == Code::UnknownName {
            diagnostic.severity = Severity::Warning;
        }
        self.diagnostics.push(diagnostic);
    }

    /// Keeps an error that needs no further words.
    pub(super) fn error(&mut self, what: impl Into<String>, span: Span) {
        self.push(Diagnostic::error(what, span));
    }

    /// The one of `names` that was probably meant. Not looked for any more after a hundred findings: a manifest
    /// of thousands of wrong names would take minutes, and nobody reads that far.
    pub(super) fn nearest<'n>(
        &self,
        written: &str,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Option<&'n str> {
        if self.diagnostics.len() < 100 { name::nearest(written, names) } else { None }
    }

    /// Whether anything so far stops the run.
    pub(super) fn failed(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Ends the reading. A mistake in the top-level defaults is said once, not for every service.
    pub(super) fn finish(self) -> Vec<Diagnostic> {
        let mut said = HashSet::new();
        let mut diagnostics = self.diagnostics;
        diagnostics.retain(|found| {
            said.insert((found.what.clone(), found.labels.iter().map(|label| label.span).collect::<Vec<_>>()))
        });
        diagnostics
    }

    /// Says that a value has the wrong type.
    pub(super) fn wrong(&mut self, node: &Node, key: &str, wanted: &str) {
        let found = match &node.value {
            Value::Scalar { text, plain: true } if scalar::classify(text) == Scalar::Date => "a date",
            Value::Null | Value::Scalar { .. } | Value::Sequence(_) | Value::Mapping(_) => node.kind(),
        };
        let mut diagnostic = Diagnostic::error(format!("`{key}` must be {wanted}, found {found}"), node.span)
            .coded(Code::Type);
        if wanted.starts_with("text")
            && let Value::Scalar { text, plain: true } = &node.value
        {
            diagnostic = diagnostic
                .help(format!("put it in quotes: \"{text}\""))
                .suggest(node.span, format!("\"{text}\""));
        }
        self.push(diagnostic);
    }

    /// The entries of a mapping.
    pub(super) fn entries<'n>(&mut self, node: &'n Node, key: &str) -> &'n [Entry] {
        if let Value::Mapping(entries) = &node.value {
            entries
        } else {
            self.wrong(node, key, "a mapping");
            &[]
        }
    }

    /// The entries of a mapping that may be left empty.
    pub(super) fn entries_or_none<'n>(&mut self, node: &'n Node, key: &str) -> &'n [Entry] {
        if node.value == Value::Null { &[] } else { self.entries(node, key) }
    }

    /// The items of a list.
    pub(super) fn items<'n>(&mut self, node: &'n Node, key: &str) -> &'n [Node] {
        if let Value::Sequence(items) = &node.value {
            items
        } else {
            self.wrong(node, key, "a list");
            &[]
        }
    }

    /// Text; a number, a truth value and a date are none unless quoted.
    pub(super) fn text(&mut self, node: &Node, key: &str) -> Option<String> {
        self.borrowed_text(node, key).map(str::to_owned)
    }

    /// Text that is not empty. One that variables leave empty counts as left out, as in Compose.
    pub(super) fn some_text(&mut self, node: &Node, key: &str) -> Option<String> {
        let blank = matches!(&node.value, Value::Scalar { text, plain: _ } if text.is_empty());
        if blank && node.is_interpolated() { None } else { self.needed_text(node, key) }
    }

    /// Text that is not empty, whatever variables make of it.
    pub(super) fn needed_text(&mut self, node: &Node, key: &str) -> Option<String> {
        let text = self.text(node, key)?;
        if text.is_empty() {
            self.error(format!("`{key}` is empty"), node.span);
            return None;
        }
        Some(text)
    }

    /// Text; an empty one, which an unset variable leaves behind, counts as none, as it does to Compose.
    pub(super) fn filled(&mut self, node: &Node, key: &str) -> Option<String> {
        self.text(node, key).filter(|text| !text.is_empty())
    }

    /// Text, as it stands in the tree.
    pub(super) fn borrowed_text<'n>(&mut self, node: &'n Node, key: &str) -> Option<&'n str> {
        match &node.value {
            Value::Scalar { text, plain } if !plain || Self::is_text(node, text) => Some(text),
            Value::Null | Value::Scalar { .. } | Value::Sequence(_) | Value::Mapping(_) => {
                self.wrong(node, key, "text");
                None
            }
        }
    }

    /// Text or a number, as written.
    pub(super) fn word<'n>(&mut self, node: &'n Node, key: &str) -> Option<&'n str> {
        match &node.value {
            Value::Scalar { text, plain }
                if !(*plain && matches!(scalar::classify(text), Scalar::Bool(_))) =>
            {
                Some(text)
            }
            Value::Null | Value::Scalar { .. } | Value::Sequence(_) | Value::Mapping(_) => {
                self.wrong(node, key, "text or a number");
                None
            }
        }
    }

    /// `true` or `false`, and the words of YAML 1.1 for them with a warning.
    pub(super) fn boolean(&mut self, node: &Node, key: &str) -> Option<bool> {
        let Value::Scalar { text, .. } = &node.value else {
            self.wrong(node, key, "true or false");
            return None;
        };
        let (value, strict) = match text.to_ascii_lowercase().as_str() {
            "true" => (true, true),
            "false" => (false, true),
            "yes" | "y" | "on" => (true, false),
            "no" | "n" | "off" => (false, false),
            _ => {
                self.wrong(node, key, "true or false");
                return None;
            }
        };
        if !strict {
            self.push(
                Diagnostic::warning(format!("`{text}` is taken for {value}"), node.span)
                    .coded(Code::Type)
                    .help(format!("write {value}"))
                    .suggest(node.span, value.to_string()),
            );
        }
        Some(value)
    }

    /// A whole number within bounds.
    pub(super) fn integer(
        &mut self,
        node: &Node,
        key: &str,
        bounds: std::ops::RangeInclusive<i64>,
    ) -> Option<i64> {
        let Value::Scalar { text, .. } = &node.value else {
            self.wrong(node, key, "a whole number");
            return None;
        };
        match scalar::classify(text) {
            Scalar::Integer(value) => {
                let within = i64::try_from(value).ok().filter(|value| bounds.contains(value));
                if within.is_none() {
                    let (first, last) = (bounds.start(), bounds.end());
                    self.error(
                        format!("`{key}` must be between {first} and {last}, found {text}"),
                        node.span,
                    );
                }
                within
            }
            // More digits than an integer has are a float to YAML, and a number to the user.
            Scalar::Float(_) if text.bytes().all(|b| b.is_ascii_digit()) => {
                self.error(format!("`{key}` is out of range: {text}"), node.span);
                None
            }
            Scalar::Float(_) => {
                self.error(format!("`{key}` must be a whole number, found {text}"), node.span);
                None
            }
            Scalar::Bool(_) | Scalar::Date | Scalar::Text => {
                self.wrong(node, key, "a whole number");
                None
            }
        }
    }

    /// A duration. A number without a unit is none, quoted or not.
    pub(super) fn duration(&mut self, node: &Node, key: &str) -> Option<Duration> {
        if let Value::Scalar { text, plain: true } = &node.value
            && !node.is_interpolated()
            && matches!(scalar::classify(text), Scalar::Integer(_) | Scalar::Float(_))
        {
            let better = format!("{text}s");
            let mut diagnostic = Diagnostic::error(format!("`{key}: {text}` needs a unit"), node.span);
            diagnostic = if quantity::duration(&better).is_ok() {
                diagnostic.help(format!("write {better} for seconds")).suggest(node.span, better)
            } else {
                diagnostic.help("a duration is written 90s, 1m30s or 500ms")
            };
            self.push(diagnostic);
            return None;
        }
        let text = self.text(node, key)?;
        match quantity::duration(&text) {
            Ok(duration) => Some(duration),
            Err(why) => {
                self.error(format!("`{key}` is not a duration: {why}"), node.span);
                None
            }
        }
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, node: &Node, key: &str) -> Vec<String> {
        self.items(node, key).iter().filter_map(|item| self.text(item, key)).collect()
    }

    /// One text, or a list of texts.
    pub(super) fn text_or_texts(&mut self, node: &Node, key: &str) -> Vec<String> {
        match &node.value {
            Value::Sequence(_) => self.texts(node, key),
            Value::Scalar { .. } => self.text(node, key).into_iter().collect(),
            Value::Null | Value::Mapping(_) => {
                self.wrong(node, key, "text or a list of texts");
                Vec::new()
            }
        }
    }

    /// A list of `NAME=value` or a mapping `NAME: value`. Plain numbers and truth values in a mapping become
    /// the text that Compose makes of them.
    pub(super) fn pairs(&mut self, node: &Node, key: &str) -> Vec<Pair> {
        match &node.value {
            Value::Sequence(items) => items
                .iter()
                .filter_map(|item| {
                    let text = self.borrowed_text(item, key)?;
                    let (name, value) = match text.split_once('=') {
                        Some((name, value)) => (name, Some(value.to_owned())),
                        None => (text, None),
                    };
                    let literal = value.is_some() && !item.is_interpolated();
                    Some(Pair { name: name.to_owned(), value, literal, span: item.span })
                })
                .collect(),
            Value::Mapping(entries) => entries
                .iter()
                .filter_map(|entry| {
                    let value = if entry.value.value == Value::Null {
                        None
                    } else {
                        Some(self.printed(&entry.value, &format!("{key}.{}", entry.key))?)
                    };
                    let literal = value.is_some() && !entry.value.is_interpolated();
                    Some(Pair { name: entry.key.to_string(), value, literal, span: entry.key_span })
                })
                .collect(),
            Value::Null | Value::Scalar { .. } => {
                self.wrong(node, key, "a mapping or a list of `NAME=value`");
                Vec::new()
            }
        }
    }

    /// A path on this host as it is shown and used: absolute, unless paths are left as they are written.
    pub(super) fn path(&self, text: &str, span: Span) -> PathBuf {
        if self.as_written.paths { PathBuf::from(text) } else { self.absolute(text, span) }
    }

    /// A path on this host, made absolute; a relative one starts from the directory of the file it is written in.
    pub(super) fn absolute(&self, text: &str, span: Span) -> PathBuf {
        let directory = self.origins.directory(span).unwrap_or(self.directory);
        mount::host_path(text, directory, self.variables.get("HOME").map(String::as_str))
    }

    /// The directory that stands for a path that is not written: the project's, or the inclusion's.
    pub(super) fn whole_directory(&self, span: Span) -> &Path {
        self.origins.inclusion(span).map_or(self.directory, |inclusion| &inclusion.directory)
    }

    /// The value of a variable, as the file sees it that asks for it.
    pub(super) fn variable(&self, name: &str, span: Span) -> Option<&'a String> {
        let variables = self.origins.inclusion(span).map_or(self.variables, |inclusion| &inclusion.variables);
        variables.get(name)
    }

    /// Reads a file that the manifest refers to, and its path made absolute.
    pub(super) fn file(&mut self, node: &Node, key: &str) -> Option<(PathBuf, Vec<u8>)> {
        let text = self.some_text(node, key)?;
        Some((self.path(&text, node.span), self.read(node, &text, key)?))
    }

    /// Reads a file by its path as written.
    pub(super) fn read(&mut self, node: &Node, text: &str, key: &str) -> Option<Vec<u8>> {
        let path = self.absolute(text, node.span);
        match self.contents(&path) {
            Ok(bytes) => Some(bytes),
            Err(why) => {
                let shown = path.display();
                let what = format!("`{key}`: cannot read {shown}: {why}");
                self.push(Diagnostic::error(what, node.span).coded(Code::File));
                None
            }
        }
    }

    /// Reads a file by its absolute path; where it cannot be read, says in a few words why.
    pub(super) fn contents(&mut self, path: &Path) -> Result<Vec<u8>, String> {
        let files = self.files;
        self.known.entry(path.to_owned()).or_insert_with(|| files.read(path)).clone()
    }

    /// Text or a number, printed as Compose prints it.
    pub(super) fn option(&mut self, node: &Node, key: &str) -> Option<String> {
        self.word(node, key)?;
        self.printed(node, key)
    }

    /// A number that is written as one, neither as text nor by a variable: so Compose's own schema has it.
    pub(super) fn bare_integer(&mut self, node: &Node, key: &str) -> Option<i64> {
        if matches!(node.value, Value::Scalar { plain: false, .. }) || node.is_interpolated() {
            self.wrong(node, key, "a number without quotes and variables");
            return None;
        }
        self.integer(node, key, i64::MIN..=i64::MAX)
    }

    /// The text of any scalar; `None` where it is none, which is said.
    pub(super) fn printed(&mut self, node: &Node, key: &str) -> Option<String> {
        match &node.value {
            Value::Scalar { text, plain } if !plain || node.is_interpolated() => Some(text.to_string()),
            Value::Scalar { text, .. } if scalar::classify(text) != Scalar::Date => Some(scalar::print(text)),
            Value::Scalar { .. } => {
                self.wrong(node, key, "text");
                None
            }
            Value::Null | Value::Sequence(_) | Value::Mapping(_) => {
                self.wrong(node, key, "text, a number, true or false");
                None
            }
        }
    }

    /// What variables took part in is text, whatever it looks like.
    fn is_text(node: &Node, text: &str) -> bool {
        node.is_interpolated() || scalar::classify(text) == Scalar::Text
    }
}
