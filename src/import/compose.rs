//! A compose file with systemd settings written by hand → a manifest.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Severity, Sources, Span};
use crate::project::show::yaml as print;
use crate::yaml::{self, Entry, Limits, Node, Value};

use super::fate::{Change, Fate, Verdict};
use super::patch::Patch;
use super::signs::{self, Signs};
use super::written::Written;
use super::{Finding, Imported, Kind, written};

#[cfg(test)]
mod tests;

/// Why a text cannot be imported.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The text that the findings speak of.
    pub sources: Sources,
    /// What is wrong, at least one error.
    pub diagnostics: Vec<Diagnostic>,
}

/// Makes a manifest of a compose file. `name` is what the user calls it; the services in `machines` run systemd
/// although nothing in the file shows it.
///
/// # Errors
/// Returns a [`Failure`] where the text is not YAML or has no services.
pub fn import(name: &str, bytes: &[u8], machines: &[String]) -> Result<Imported, Box<Failure>> {
    let mut sources = Sources::default();
    let mut ended = bytes.to_vec();
    if !ended.ends_with(b"\n") {
        ended.push(b'\n');
    }
    let reading = yaml::read(&mut sources, name, &ended, &Limits::default());
    let mut diagnostics = reading.diagnostics;
    let text = sources.get(reading.source).map(|source| source.text.clone()).unwrap_or_default();
    let documents = reading.documents.unwrap_or_default();
    let failed = diagnostics.iter().any(|found| found.severity == Severity::Error);
    let has_services = documents.iter().any(|document| !services(document).is_empty());
    if !failed && !has_services {
        diagnostics.push(
            Diagnostic::placeless(format!("`{name}` has no services"))
                .help("give a compose file, `--container NAME`, or `-- docker run …`"),
        );
    }
    if failed || !has_services {
        return Err(Box::new(Failure { sources, diagnostics }));
    }
    Ok(Importing::of(&documents, machines).run(&text, &documents))
}

/// The services of a document.
fn services(document: &Node) -> &[Entry] {
    match document.get("services").map(|node| &node.value) {
        Some(Value::Mapping(entries)) => entries,
        Some(Value::Null | Value::Scalar { .. } | Value::Sequence(_)) | None => &[],
    }
}

/// What is decided about one service.
enum Decided<'n> {
    /// It says by itself what it is.
    Said,
    /// A plain container.
    Plain,
    /// A machine.
    Machine { verdict: Box<Verdict<'n>>, inherited: bool },
}

struct Importing<'n> {
    decided: BTreeMap<&'n str, Decided<'n>>,
    /// How many machines change the key at a place, and how many services have it.
    shared: BTreeMap<Span, (usize, usize)>,
    findings: Vec<Finding>,
    machines: usize,
}

impl<'n> Importing<'n> {
    fn of(documents: &'n [Node], forced: &[String]) -> Self {
        let all: Vec<&Entry> = documents.iter().flat_map(services).collect();
        let recognised = recognised(&all, forced);
        let mut importing =
            Self { decided: BTreeMap::new(), shared: BTreeMap::new(), findings: Vec::new(), machines: 0 };
        for entry in all {
            importing.decide(entry, &recognised);
        }
        importing
    }

    fn decide(&mut self, entry: &'n Entry, recognised: &BTreeSet<&str>) {
        let signs = Signs::of(&entry.value);
        let name = &*entry.key;
        if let Value::Mapping(keys) = &entry.value.value {
            for key in keys {
                self.shared.entry(key.key_span).or_default().1 += 1;
            }
        }
        if signs.says() {
            self.decided.insert(name, Decided::Said);
            return;
        }
        if !recognised.contains(name) {
            self.decided.insert(name, Decided::Plain);
            return;
        }
        let mut verdict = Verdict::of(name, &entry.value);
        for change in &verdict.changes {
            self.shared.entry(change.entry.key_span).or_default().0 += 1;
        }
        let inherited = base(&entry.value).is_some_and(|base| recognised.contains(base.as_str()));
        let how = match signs.words() {
            words if !words.is_empty() => words,
            _ if inherited => "extends one".to_owned(),
            _ => "you say so".to_owned(),
        };
        self.machines += 1;
        self.findings.push(Finding::new(name, Kind::Machine, how));
        self.findings.append(&mut verdict.findings);
        self.decided.insert(name, Decided::Machine { verdict: Box::new(verdict), inherited });
    }

    fn run(self, text: &str, documents: &[Node]) -> Imported {
        let mut patch = Patch::of(text);
        let all: Vec<&Entry> = documents.iter().flat_map(services).collect();
        let has_lines = all.iter().all(|entry| patch.has_lines(entry));
        if has_lines {
            for entry in all {
                self.service(&mut patch, entry);
            }
            return Imported { text: patch.applied(), findings: self.findings, machines: self.machines };
        }
        let mut out = String::new();
        for (at, document) in documents.iter().enumerate() {
            if at > 0 {
                out.push_str("---\n");
            }
            self.document(&mut out, document);
        }
        Imported { text: out, findings: self.findings, machines: self.machines }
    }

    /// Changes the text of one service.
    fn service(&self, patch: &mut Patch<'_>, entry: &Entry) {
        let (changes, systemd): (&[Change<'_>], Option<Json>) = match self.decided.get(&*entry.key) {
            Some(Decided::Said) | None => return,
            Some(Decided::Plain) => (&[], Some(json!(false))),
            Some(Decided::Machine { verdict, inherited }) => {
                let value = verdict.wishes.value();
                (&verdict.changes, (!inherited || value != json!(true)).then_some(value))
            }
        };
        let region = patch.region(entry);
        let is_own = |key: &Entry| region.contains(&(key.key_span.start as usize));
        let own: Vec<&Entry> = match &entry.value.value {
            Value::Mapping(keys) if patch.is_block(entry) => keys.iter().filter(|key| is_own(key)).collect(),
            Value::Mapping(_) | Value::Null | Value::Scalar { .. } | Value::Sequence(_) => Vec::new(),
        };
        let place = match own.first() {
            Some(first) => Some((patch.region(first).start, patch.column(first))),
            None if patch.is_block(entry) => patch.behind(entry),
            None => None,
        };
        let Some((place, indent)) = place.filter(|_| own.iter().all(|key| patch.has_lines(key))) else {
            patch.replace(region, whole(patch, entry, changes, systemd.as_ref()));
            return;
        };
        let mut added = String::new();
        if let Some(systemd) = &systemd {
            print::entry(&mut added, indent, "systemd", systemd);
        }
        for change in changes {
            if is_own(change.entry) {
                Self::own(patch, change, indent);
            } else {
                self.elsewhere(patch, change, indent, &mut added);
            }
        }
        let anchor = own.iter().find(|key| matches!(&*key.key, "image" | "build" | "extends"));
        let at = anchor.map_or(place, |key| patch.region(key).end);
        patch.replace(at..at, added);
    }

    /// Changes a key that stands in its service.
    fn own(patch: &mut Patch<'_>, change: &Change<'_>, indent: usize) {
        let region = patch.region(change.entry);
        match &change.fate {
            Fate::Gone => patch.remove(change.entry),
            Fate::Without(gone) => {
                if !patch.without(change.entry, gone) {
                    let mut text = String::new();
                    written::entries(&mut text, indent, &[(change.entry.key.to_string(), kept(change))]);
                    patch.replace(region, text);
                }
            }
        }
    }

    /// Changes a key that stands behind an anchor: there, where all that share it change it, else by a key of the
    /// service's own, which counts before it.
    fn elsewhere(&self, patch: &mut Patch<'_>, change: &Change<'_>, indent: usize, added: &mut String) {
        let (changing, having) = self.shared.get(&change.entry.key_span).copied().unwrap_or_default();
        if changing == having && patch.has_lines(change.entry) {
            let column = patch.column(change.entry);
            Self::own(patch, change, column);
        } else {
            written::entries(added, indent, &[(change.entry.key.to_string(), kept(change))]);
        }
    }

    /// Writes a document that has no lines to change.
    fn document(&self, out: &mut String, document: &Node) {
        let Value::Mapping(entries) = &document.value else { return };
        for entry in entries {
            if &*entry.key != "services" {
                written::entry(out, 0, &entry.key, &entry.value);
                continue;
            }
            print::heading(out, 0, "services");
            for service in services(document) {
                let (changes, systemd) = match self.decided.get(&*service.key) {
                    Some(Decided::Said) | None => (&[][..], None),
                    Some(Decided::Plain) => (&[][..], Some(json!(false))),
                    Some(Decided::Machine { verdict, .. }) => {
                        (&verdict.changes[..], Some(verdict.wishes.value()))
                    }
                };
                print::heading(out, 2, &service.key);
                written::entries(out, 4, &remaining(service, changes, systemd.as_ref()));
            }
        }
    }
}

/// Names the services that run systemd: by their signs, by the user's word, or since they extend one.
fn recognised<'n>(all: &[&'n Entry], forced: &[String]) -> BTreeSet<&'n str> {
    let mut names: BTreeSet<&str> = all
        .iter()
        .filter(|entry| forced.contains(&entry.key.to_string()) || Signs::of(&entry.value).enough())
        .map(|entry| &*entry.key)
        .collect();
    // Chains are as long as they are; each round finds one more link.
    loop {
        let derived = all.iter().filter(|entry| {
            base(&entry.value).is_some_and(|base| names.contains(base.as_str()))
                && !names.contains(&*entry.key)
        });
        let derived: Vec<&str> = derived.map(|entry| &*entry.key).collect();
        if derived.is_empty() {
            return names;
        }
        names.extend(derived);
    }
}

/// The service of the same file that a service extends.
fn base(service: &Node) -> Option<String> {
    let extends = service.get("extends")?;
    match extends.get("file") {
        Some(_) => None,
        None => signs::scalar(extends).or_else(|| signs::text(extends, "service")),
    }
}

/// What of a changed key stays. Where nothing does, a value that says nothing.
fn kept(change: &Change<'_>) -> Written {
    let node = &change.entry.value;
    match &change.fate {
        Fate::Gone => Written::Value(match &node.value {
            Value::Sequence(_) => json!([]),
            Value::Mapping(_) => json!({}),
            Value::Scalar { text, .. } if text.eq_ignore_ascii_case("true") => json!(false),
            Value::Null | Value::Scalar { .. } => Json::Null,
        }),
        Fate::Without(gone) => {
            let stays = |at: usize| !gone.contains(&at);
            let value = match &node.value {
                Value::Sequence(items) => Value::Sequence(numbered(items, stays)),
                Value::Mapping(entries) => Value::Mapping(numbered(entries, stays)),
                Value::Null | Value::Scalar { .. } => node.value.clone(),
            };
            Written::Tree(Node { value, ..node.clone() })
        }
    }
}

/// Keeps the items whose number stays.
fn numbered<T: Clone>(items: &[T], stays: impl Fn(usize) -> bool) -> Vec<T> {
    items.iter().enumerate().filter(|(at, _)| stays(*at)).map(|(_, item)| item.clone()).collect()
}

/// The keys of a service after its changes.
fn remaining(service: &Entry, changes: &[Change<'_>], systemd: Option<&Json>) -> Vec<(String, Written)> {
    let keys: &[Entry] = match &service.value.value {
        Value::Mapping(keys) => keys,
        Value::Null | Value::Scalar { .. } | Value::Sequence(_) => &[],
    };
    let mut all = Vec::new();
    for key in keys {
        match changes.iter().find(|change| change.entry.key == key.key) {
            None => all.push((key.key.to_string(), Written::Tree(key.value.clone()))),
            Some(change @ Change { fate: Fate::Without(_), .. }) => {
                all.push((key.key.to_string(), kept(change)));
            }
            Some(Change { fate: Fate::Gone, .. }) => {}
        }
    }
    if let Some(systemd) = systemd {
        let at = all.iter().position(|(key, _)| matches!(key.as_str(), "image" | "build" | "extends"));
        all.insert(at.map_or(0, |at| at + 1), ("systemd".to_owned(), Written::Value(systemd.clone())));
    }
    all
}

/// Writes a service anew that stands in flow style or behind a name.
fn whole(patch: &Patch<'_>, service: &Entry, changes: &[Change<'_>], systemd: Option<&Json>) -> String {
    let indent = patch.column(service);
    let mut out = format!("{}{}{}\n", " ".repeat(indent), written::key(&service.key), patch.marks(service));
    written::entries(&mut out, indent + 2, &remaining(service, changes, systemd));
    out
}
