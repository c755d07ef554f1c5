//! `extends`: a service takes over what another one says, of the same file or of a further one.
//!
//! The base is looked up in the document as it is written, before other files merge over it (compose-go,
//! `loader.ApplyExtends`). Every service is extended once, from the end of its chain upwards, so that neither a
//! long chain nor a base of many services costs more than it is long.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::{Assembly, Unit, absolute, entries_mut, take};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::manifest::keys::check_keys_at;
use crate::manifest::merge::{extend, merge_keeping};
use crate::yaml::{Entry, Node, Value};

/// Nodes that bases may add to all services together.
const MOST_NODES: usize = 5_000_000;

/// The services of one document or of one base file.
#[derive(Debug, Default)]
struct Pool {
    services: Vec<Entry>,
    places: HashMap<Box<str>, usize>,
    /// Services with their bases in them.
    done: HashMap<usize, Node>,
    /// What `file:` starts from here.
    directory: PathBuf,
    /// The file, as the user would name it.
    shown: PathBuf,
}

/// The services that can be a base: first those of the document at hand, then those of base files.
#[derive(Debug, Default)]
pub(super) struct Bases {
    pools: Vec<Pool>,
    /// Base files by their path; `None` where one cannot be used, which was said.
    files: HashMap<PathBuf, Option<usize>>,
}

/// A service: its pool, and its place there.
type At = (usize, usize);

/// What `extends` says.
struct Reference {
    service: String,
    service_span: Span,
    file: Option<(String, Span)>,
}

impl Pool {
    fn new(services: Vec<Entry>, directory: &Path, shown: &Path) -> Self {
        let places = services.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
        Self {
            services,
            places,
            done: HashMap::new(),
            directory: directory.to_owned(),
            shown: shown.to_owned(),
        }
    }
}

impl Bases {
    fn put(&mut self, pool: Pool) {
        match self.pools.first_mut() {
            Some(first) => *first = pool,
            None => self.pools.push(pool),
        }
    }

    fn entry(&self, (pool, at): At) -> Option<&Entry> {
        self.pools.get(pool)?.services.get(at)
    }

    fn done(&self, (pool, at): At) -> Option<&Node> {
        self.pools.get(pool)?.done.get(&at)
    }
}

impl Assembly<'_> {
    /// Extends every service of a document that asks for it.
    pub(super) fn extend(&mut self, unit: &Unit<'_>, document: &mut Node, shown: &Path, bases: &mut Bases) {
        let services = entries_mut(document)
            .and_then(|entries| entries.iter_mut().find(|entry| &*entry.key == "services"))
            .and_then(|entry| entries_mut(&mut entry.value));
        let Some(services) = services else { return };
        if services.iter().all(|service| service.value.get("extends").is_none()) {
            return;
        }
        bases.put(Pool::new(std::mem::take(services), unit.directory, shown));
        let count = bases.pools.first().map_or(0, |pool| pool.services.len());
        for at in 0..count {
            self.extend_one(unit, bases, (0, at));
        }
        if let Some(pool) = bases.pools.first_mut() {
            *services = std::mem::take(&mut pool.services);
            for (at, node) in pool.done.drain() {
                if let Some(entry) = services.get_mut(at) {
                    entry.value = node;
                }
            }
        }
    }

    fn extend_one(&mut self, unit: &Unit<'_>, bases: &mut Bases, service: At) {
        let (mut chain, mut seen) = (Vec::new(), HashSet::new());
        let mut at = service;
        let mut base = loop {
            if let Some(done) = bases.done(at) {
                break Some(done.clone());
            }
            if !seen.insert(at) {
                self.cycle(bases, &chain, at);
                break None;
            }
            let Some(reference) = self.reference(bases, at) else {
                let node = bases.entry(at).map(|entry| without_extends(&entry.value));
                break node.filter(|_| !chain.is_empty());
            };
            let span = reference.service_span;
            chain.push((at, span));
            match self.target(unit, bases, at, reference) {
                Some(next) => at = next,
                None => break None,
            }
        };
        while let Some((at, _)) = chain.pop() {
            let Some(entry) = bases.entry(at) else { return };
            let own = without_extends(&entry.value);
            let name = entry.key.clone();
            let joined = match base {
                Some(base) if matches!(base.value, Value::Mapping(_)) && self.can_take(&base, own.span) => {
                    let (joined, problems) = extend(&name, base, own);
                    self.diagnostics.extend(problems);
                    joined
                }
                Some(_) | None => own,
            };
            base = Some(joined.clone());
            if let Some(pool) = bases.pools.get_mut(at.0) {
                pool.done.insert(at.1, joined);
            }
        }
    }

    /// Counts what a base adds, and says once that it is too much.
    fn can_take(&mut self, base: &Node, span: Span) -> bool {
        let before = self.spent.nodes;
        self.spent.nodes = before.saturating_add(count(base));
        let fits = self.spent.nodes <= MOST_NODES;
        if !fits && before <= MOST_NODES {
            self.push(
                Diagnostic::error(format!("`extends` expands to more than {MOST_NODES} nodes"), span)
                    .coded(Code::Limit),
            );
        }
        fits
    }

    /// Reads what a service says of its base; `None` where it has none, or none that can be read.
    fn reference(&mut self, bases: &Bases, at: At) -> Option<Reference> {
        let node = &bases.entry(at)?.value.entry("extends")?.value;
        if !matches!(node.value, Value::Mapping(_)) {
            let (service, service_span) = self.text_of(node, "extends")?;
            return Some(Reference { service: service.to_owned(), service_span, file: None });
        }
        self.diagnostics.extend(check_keys_at(node, &["services", "*", "extends"]));
        let Some(service) = node.get("service") else {
            self.push(Diagnostic::error("`extends` needs the name of a `service`", node.span));
            return None;
        };
        let file = match node.get("file") {
            Some(node) => Some(self.text_of(node, "extends.file")?),
            None => None,
        };
        let (service, service_span) = self.text_of(service, "extends.service")?;
        let file = file.map(|(text, span)| (text.to_owned(), span));
        Some(Reference { service: service.to_owned(), service_span, file })
    }

    /// Finds the service that is meant.
    fn target(&mut self, unit: &Unit<'_>, bases: &mut Bases, at: At, reference: Reference) -> Option<At> {
        let number = match &reference.file {
            None => at.0,
            Some((file, span)) => {
                if self.is_remote((file, *span)) {
                    return None;
                }
                let path = absolute(&bases.pools.get(at.0)?.directory, Path::new(file));
                self.base_file(unit, bases, path, *span)?
            }
        };
        let pool = bases.pools.get(number)?;
        if let Some(&place) = pool.places.get(&*reference.service) {
            return Some((number, place));
        }
        let problem = unknown(&reference, pool);
        self.push(problem);
        None
    }

    /// Returns the number of a base file's services, which are read once.
    fn base_file(&mut self, unit: &Unit<'_>, bases: &mut Bases, path: PathBuf, span: Span) -> Option<usize> {
        if let Some(known) = bases.files.get(&path) {
            return *known;
        }
        let services = self.base_services(unit, &path, span);
        let number = services.map(|services| {
            let directory = path.parent().unwrap_or(&path);
            if bases.pools.is_empty() {
                bases.pools.push(Pool::default());
            }
            bases.pools.push(Pool::new(services, directory, &self.shown(&path)));
            bases.pools.len() - 1
        });
        bases.files.insert(path, number);
        number
    }

    fn base_services(&mut self, unit: &Unit<'_>, path: &Path, span: Span) -> Option<Vec<Entry>> {
        let shown = self.shown(path);
        let mut text = self.read(&shown, path, Some(span))?;
        if let Some(number) = unit.inclusion {
            self.origins.include(text.source, number);
        }
        self.origins.start_from(text.source, path.parent().unwrap_or(path).to_owned());
        for document in &mut text.documents {
            self.interpolate(unit, document);
        }
        let first = (!text.documents.is_empty()).then(|| text.documents.remove(0))?;
        let (mut root, problems) = merge_keeping(first, text.documents);
        self.diagnostics.extend(problems);
        match take(&mut root, "services") {
            Some(Entry { value: Node { value: Value::Mapping(services), .. }, .. }) => Some(services),
            Some(Entry { value, .. }) => {
                let what = format!("`services` must be a mapping, found {}", value.kind());
                self.push(Diagnostic::error(what, value.span).coded(Code::Type));
                None
            }
            None => {
                self.push(
                    Diagnostic::error(format!("`{}` has no `services:`", shown.display()), span)
                        .coded(Code::UnknownName)
                        .help("a base is a service below `services:` of that file"),
                );
                None
            }
        }
    }

    /// Shows a cycle as a path, with the place of every step.
    fn cycle(&mut self, bases: &Bases, chain: &[(At, Span)], at: At) {
        let Some(start) = chain.iter().position(|(other, _)| *other == at) else { return };
        let steps = chain.get(start..).unwrap_or(chain);
        let several = steps.iter().any(|((pool, _), _)| *pool != at.0);
        let named = |at: At| {
            let name = bases.entry(at).map_or("", |entry| &entry.key);
            match bases.pools.get(at.0) {
                Some(pool) if several => format!("{name} ({})", pool.shown.display()),
                Some(_) | None => name.to_owned(),
            }
        };
        let names: Vec<String> = steps.iter().map(|(at, _)| named(*at)).chain([named(at)]).collect();
        let path = super::include::path_of(&names);
        let mut labels =
            steps.iter().zip(names.windows(2)).map(|((_, span), pair)| (*span, pair.join(" extends ")));
        let Some((span, text)) = labels.next() else { return };
        let what = format!("services extend each other: {path}");
        let mut problem = Diagnostic::error(what, span).coded(Code::Cycle).marked(text);
        for (span, text) in labels.take(super::include::MOST_LABELS) {
            problem = problem.also(span, text);
        }
        self.push(problem.help("put what they share into a service that extends nothing"));
    }
}

fn unknown(reference: &Reference, pool: &Pool) -> Diagnostic {
    let Reference { service, service_span, file } = reference;
    let shown = pool.shown.display();
    let problem = Diagnostic::error(format!("there is no service `{service}` in `{shown}`"), *service_span)
        .coded(Code::UnknownName);
    let near = nearest(service, pool.services.iter().map(|entry| &*entry.key));
    match near {
        Some(near) => problem.help(format!("did you mean `{near}`?")).suggest(*service_span, near),
        None if file.is_none() => problem
            .help("a base stands in the same file; for another file write `extends: {file: …, service: …}`"),
        None => problem,
    }
}

/// Finds the name that was probably meant, within a third of its letters.
fn nearest<'n>(written: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let letters = written.chars().count();
    let bound = (letters / 3).max(1).min(letters.saturating_sub(1));
    names
        .take(1000)
        .map(|name| (strsim::damerau_levenshtein(written, name), name))
        .filter(|(distance, _)| *distance <= bound)
        .min()
        .map(|(_, name)| name)
}

fn without_extends(service: &Node) -> Node {
    let mut own = service.clone();
    take(&mut own, "extends");
    own
}

fn count(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Scalar { .. } => 1,
        Value::Sequence(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Mapping(entries) => 1 + entries.iter().map(|entry| count(&entry.value)).sum::<usize>(),
    }
}
