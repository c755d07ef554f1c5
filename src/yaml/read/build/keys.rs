//! Keys of mappings: what can be one, which are given twice, and what `<<` brings in.

use std::collections::HashMap;

use super::{Key, messages};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::yaml::{Entry, Node, Value};

/// Above this many entries a hash table finds a key faster than a walk.
const WALK: usize = 16;

/// Makes a key of a node that stands where a key must.
pub(super) fn key(node: Node) -> (Key, Option<Diagnostic>) {
    let span = node.span;
    match node.value {
        Value::Scalar { text, plain } => (Key { text: Some(text), plain, span }, None),
        Value::Null => {
            let problem = Diagnostic::error("a key is missing", span)
                .coded(Code::Syntax)
                .help("write a name before the colon, in quotes if it is `null` or `~`");
            (Key { text: None, plain: true, span }, Some(problem))
        }
        Value::Sequence(_) | Value::Mapping(_) => {
            let problem = Diagnostic::error("a key must be text", span)
                .coded(Code::Syntax)
                .help("`{{ name }}` of a template language needs quotes around it");
            (Key { text: None, plain: false, span }, Some(problem))
        }
    }
}

/// Checks a finished mapping's keys and puts in what its merge key brings.
pub(super) fn settle(entries: Vec<Entry>) -> (Vec<Entry>, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let entries = without_repeats(entries, &mut problems);
    if entries.iter().any(is_merge_key) {
        (merged(entries, &mut problems), problems)
    } else {
        (entries, problems)
    }
}

fn is_merge_key(entry: &Entry) -> bool {
    entry.key_plain && &*entry.key == "<<"
}

/// Drops every later entry of a key, with an error that shows both places.
fn without_repeats(entries: Vec<Entry>, problems: &mut Vec<Diagnostic>) -> Vec<Entry> {
    let repeats = repeats(&entries);
    if repeats.is_empty() {
        return entries;
    }
    for &(first, later) in &repeats {
        problems.push(messages::repeated(&entries[later], entries[first].key_span));
    }
    let mut later = repeats.iter().map(|&(_, later)| later).peekable();
    let keep = |(index, entry)| if later.next_if_eq(&index).is_some() { None } else { Some(entry) };
    entries.into_iter().enumerate().filter_map(keep).collect()
}

/// Returns pairs of indices of equal keys: the first one and each later one, by the later one.
fn repeats(entries: &[Entry]) -> Vec<(usize, usize)> {
    if entries.len() <= WALK {
        let first = |later: usize| entries[..later].iter().position(|entry| entry.key == entries[later].key);
        return (1..entries.len()).filter_map(|later| Some((first(later)?, later))).collect();
    }
    let mut seen: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
    let mut found = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        match seen.get(&*entry.key) {
            Some(&first) => found.push((first, index)),
            None => {
                seen.insert(&entry.key, index);
            }
        }
    }
    found
}

/// Replaces `<<` by the entries it names: keys written out win, then the earlier of several mappings
/// (<https://yaml.org/type/merge.html>).
fn merged(entries: Vec<Entry>, problems: &mut Vec<Diagnostic>) -> Vec<Entry> {
    let mut result = Vec::with_capacity(entries.len());
    let mut brought = Vec::new();
    let mut place = 0;
    for entry in entries {
        if is_merge_key(&entry) {
            place = result.len();
            brought = sources(entry.value, entry.key_span, problems);
        } else {
            result.push(entry);
        }
    }
    let mut seen: std::collections::HashSet<Box<str>> =
        result.iter().map(|entry| entry.key.clone()).collect();
    let new =
        brought.into_iter().flatten().filter(|entry| seen.insert(entry.key.clone())).collect::<Vec<_>>();
    result.splice(place..place, new);
    result
}

/// Returns the mappings that the value of `<<` stands for.
fn sources(node: Node, key: Span, problems: &mut Vec<Diagnostic>) -> Vec<Vec<Entry>> {
    match node.value {
        Value::Mapping(entries) => vec![entries],
        Value::Sequence(items) => {
            let mut found = Vec::with_capacity(items.len());
            for item in items {
                match item.value {
                    Value::Mapping(entries) => found.push(entries),
                    Value::Null | Value::Scalar { .. } | Value::Sequence(_) => {
                        problems.push(refused(&item, key));
                    }
                }
            }
            found
        }
        Value::Null | Value::Scalar { .. } => {
            problems.push(refused(&node, key));
            Vec::new()
        }
    }
}

fn refused(node: &Node, key: Span) -> Diagnostic {
    Diagnostic::error(format!("`<<` needs a mapping or a list of mappings, found {}", node.kind()), key)
        .coded(Code::Type)
        .also(node.span, "this")
        .help("name an anchor of a mapping: `<<: *defaults`")
}
