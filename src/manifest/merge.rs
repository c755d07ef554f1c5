//! Several documents → one, by the rules of Docker Compose (compose-go's `override` package): mappings merge,
//! lists append, scalars replace, and a table of paths says what differs.
//!
//! Interpolation comes before, so that `- ${NAME}=x` has its name; typing comes after.

mod forms;
mod rules;
mod unique;

use std::collections::{HashMap, HashSet};

use rules::{Place, Rule};

use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::{Entry, Node, Value};

/// Merges documents in their order, takes `!reset` and `!override` out, and drops earlier entries of lists
/// whose entries are unique by a key (ports, volumes, environment, …), also within one document.
#[must_use]
pub fn merge(first: Node, rest: Vec<Node>) -> (Node, Vec<Diagnostic>) {
    let mut merger = Merger { path: Vec::new(), keeps: false, problems: Vec::new() };
    let mut root = without_tags(first);
    for document in rest {
        root = merger.node(root, document, Some(rules::root()));
    }
    unique::enforce(&mut root, rules::root(), &mut merger.problems);
    (root, merger.problems)
}

/// Merges documents in their order, and keeps `!reset` and `!override` for whoever is merged with the result.
#[must_use]
pub(super) fn merge_keeping(first: Node, rest: Vec<Node>) -> (Node, Vec<Diagnostic>) {
    let mut merger = Merger { path: Vec::new(), keeps: true, problems: Vec::new() };
    let mut root = first;
    for document in rest {
        root = merger.node(root, document, Some(rules::root()));
    }
    (root, merger.problems)
}

/// Merges a service over its base. The service's own `!reset` and `!override` are kept, since they speak of what
/// earlier files say of the service as well; those of the base have had their effect.
#[must_use]
pub(super) fn extend(name: &str, base: Node, service: Node) -> (Node, Vec<Diagnostic>) {
    let mut merger = Merger { path: vec!["services".into(), name.into()], keeps: true, problems: Vec::new() };
    let place = rules::root().below("services").and_then(|services| services.below(name));
    let joined = merger.node(without_tags(base), service, place);
    (joined, merger.problems)
}

struct Merger {
    path: Vec<Box<str>>,
    /// Whether the marks of the later document stay for the next merging.
    keeps: bool,
    problems: Vec<Diagnostic>,
}

impl Merger {
    /// Merges `over` into `under`, both at one place of the tree.
    fn node(&mut self, under: Node, over: Node, place: Option<&'static Place>) -> Node {
        let rule = place.and_then(|place| place.rule);
        if over.tag.as_deref() == Some("override") || rule == Some(Rule::Replace) {
            return self.taken(over);
        }
        if over.value == Value::Null && !over.is_listed() {
            return under;
        }
        if under.value == Value::Null && !under.is_listed() {
            return self.taken(over);
        }
        let Some(rule) = rule else { return self.by_kind(under, over, place) };
        match rule {
            Rule::Replace | Rule::Switch => self.taken(over),
            Rule::Pairs => self.pairs(under, over),
            Rule::Texts => self.by_kind(forms::list(under), forms::list(over), place),
            Rule::Hosts => self.hosts(under, over),
            Rule::Names => self.by_kind(forms::names(under), forms::names(over), place),
            Rule::Dependencies => self.by_kind(forms::dependencies(under), forms::dependencies(over), place),
            Rule::Build => self.by_kind(forms::build(under), forms::build(over), place),
            Rule::Logging if forms::other_driver(&under, &over) => self.taken(over),
            Rule::Logging => self.by_kind(under, over, place),
            Rule::Pools => self.pools(under, over),
            Rule::Requests => self.by_kind(forms::requests(under), over, place),
            Rule::SwitchOrFields => match (&under.value, &over.value) {
                (Value::Mapping(_), Value::Mapping(_)) => self.by_kind(under, over, place),
                (_, Value::Null | Value::Scalar { .. } | Value::Sequence(_) | Value::Mapping(_)) => {
                    self.taken(over)
                }
            },
        }
    }

    /// Merges by the kinds of both sides.
    fn by_kind(&mut self, mut under: Node, mut over: Node, place: Option<&'static Place>) -> Node {
        match (&mut under.value, &mut over.value) {
            (Value::Mapping(entries), Value::Mapping(new)) => {
                let new = std::mem::take(new);
                self.mapping(entries, new, place);
                under
            }
            (Value::Sequence(items), Value::Sequence(new)) => {
                let new = std::mem::take(new).into_iter().filter(|item| !is_reset(item));
                items.extend(new.map(without_tags));
                under
            }
            (Value::Null | Value::Scalar { .. }, _) => self.taken(over),
            // The short form says its condition, too: it stands over an earlier long form.
            (Value::Mapping(_) | Value::Sequence(_), Value::Null) => over,
            (Value::Mapping(_) | Value::Sequence(_), _) => {
                self.mismatch(&under, &over);
                under
            }
        }
    }

    fn mapping(&mut self, under: &mut Vec<Entry>, over: Vec<Entry>, place: Option<&'static Place>) {
        let index: HashMap<Box<str>, usize> =
            under.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
        let mut dropped = HashSet::new();
        for entry in over {
            match (index.get(&entry.key), is_reset(&entry.value)) {
                (Some(&at), true) if self.keeps => under[at] = entry,
                (Some(&at), true) => {
                    dropped.insert(at);
                }
                (None, true) if self.keeps => under.push(entry),
                (None, true) => {}
                (Some(&at), false) => {
                    let below = place.and_then(|place| place.below(&entry.key));
                    let span = under[at].value.span;
                    let before = std::mem::replace(&mut under[at].value, Node::null(span));
                    self.path.push(entry.key);
                    under[at].value = self.node(before, entry.value, below);
                    self.path.pop();
                }
                (None, false) => under.push(Entry { value: self.taken(entry.value), ..entry }),
            }
        }
        if !dropped.is_empty() {
            let mut at = 0..;
            under.retain(|_| !at.next().is_some_and(|at| dropped.contains(&at)));
        }
    }

    /// Merges what is a mapping or a list of `KEY=VALUE`. A null is a value here.
    fn pairs(&mut self, under: Node, over: Node) -> Node {
        let lists = matches!((&under.value, &over.value), (Value::Sequence(_), Value::Sequence(_)));
        if lists {
            return self.by_kind(under, over, None);
        }
        self.by_kind(forms::pairs(under), forms::pairs(over), Some(rules::replaced_entries()))
    }

    /// Appends hosts that are not there yet; one name may have several addresses.
    fn hosts(&mut self, under: Node, over: Node) -> Node {
        let (under, mut over) = (forms::hosts(under), forms::hosts(over));
        if let (Value::Sequence(before), Value::Sequence(new)) = (&under.value, &mut over.value) {
            new.retain(|host| !before.iter().any(|other| other.value == host.value));
        }
        self.by_kind(under, over, None)
    }

    /// Merges address pools by their subnets.
    fn pools(&mut self, mut under: Node, mut over: Node) -> Node {
        let (Value::Sequence(pools), Value::Sequence(new)) = (&mut under.value, &mut over.value) else {
            return self.by_kind(under, over, None);
        };
        for pool in std::mem::take(new) {
            let same =
                |other: &&mut Node| forms::subnet(other).is_some_and(|it| Some(it) == forms::subnet(&pool));
            if let Some(before) = pools.iter_mut().find(same) {
                let span = before.span;
                let kept = std::mem::replace(before, Node::null(span));
                *before = self.by_kind(kept, pool, None);
            } else {
                pools.push(self.taken(pool));
            }
        }
        under
    }

    /// Takes the later side over as it is.
    fn taken(&self, over: Node) -> Node {
        if self.keeps { over } else { without_tags(over) }
    }

    fn mismatch(&mut self, under: &Node, over: &Node) {
        let name =
            if self.path.is_empty() { "the manifest".into() } else { format!("`{}`", self.path.join(".")) };
        let what = format!("{name} is {} here and {} before", over.kind(), under.kind());
        self.problems.push(
            Diagnostic::error(what, over.span)
                .coded(Code::Merge)
                .marked("cannot be merged")
                .also(under.span, "with this")
                .help("`!override` in front of the value replaces what was there"),
        );
    }
}

fn is_reset(node: &Node) -> bool {
    node.tag.as_deref() == Some("reset")
}

/// Takes out what `!reset` marks, and the mark of `!override`, everywhere below a node.
fn without_tags(mut node: Node) -> Node {
    strip(&mut node);
    node
}

fn strip(node: &mut Node) {
    if matches!(node.tag.as_deref(), Some("override" | "reset")) {
        node.tag = None;
    }
    match &mut node.value {
        Value::Null | Value::Scalar { .. } => {}
        Value::Sequence(items) => {
            items.retain(|item| !is_reset(item));
            items.iter_mut().for_each(strip);
        }
        Value::Mapping(entries) => {
            entries.retain(|entry| !is_reset(&entry.value));
            for entry in entries {
                strip(&mut entry.value);
            }
        }
    }
}

#[cfg(test)]
mod tests;
