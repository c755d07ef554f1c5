//! A manifest against the table: unknown keys with what was probably meant, refused keys, ignored keys, and keys
//! that are no text.

use super::tree::{Place, root};
use super::{Form, State};
use crate::diagnostic::{Code, Diagnostic, Label, Span};
use crate::yaml::{Entry, Node, Value};

/// Places shown for a key that is ignored.
const SHOWN: usize = 8;

/// Findings after which the rest is left for later.
const FINDINGS: usize = 1000;

/// Checks all keys of a merged manifest. Wrong types of values are for resolving to say.
#[must_use]
pub fn check_keys(manifest: &Node) -> Vec<Diagnostic> {
    let mut check = Check { path: Vec::new(), ignored: Vec::new(), problems: Vec::new() };
    check.node(manifest, Some(root()));
    check.finish()
}

/// Checks the keys below one place, which is named by its keys; what the manifest calls it counts as `*`.
#[must_use]
pub(in crate::manifest) fn check_keys_at(node: &Node, at: &[&'static str]) -> Vec<Diagnostic> {
    let mut place = Some(root());
    for name in at {
        place = place.and_then(|place| place.field(name).or(place.any.as_deref()));
    }
    let mut check = Check { path: at.to_vec(), ignored: Vec::new(), problems: Vec::new() };
    check.node(node, place);
    check.finish()
}

struct Check<'a> {
    path: Vec<&'a str>,
    /// Ignored keys by their path in the table, with their places.
    ignored: Vec<(&'static str, &'static str, Vec<Span>)>,
    problems: Vec<Diagnostic>,
}

impl<'a> Check<'a> {
    fn node(&mut self, node: &'a Node, place: Option<&'static Place>) {
        if self.problems.len() >= FINDINGS {
            return;
        }
        match &node.value {
            Value::Null | Value::Scalar { .. } => {}
            Value::Sequence(items) => {
                let place = place.and_then(|place| place.item.as_deref());
                for item in items {
                    self.node(item, place);
                }
            }
            Value::Mapping(entries) => self.mapping(entries, place),
        }
    }

    fn mapping(&mut self, entries: &'a [Entry], place: Option<&'static Place>) {
        for entry in entries {
            self.path.push(&entry.key);
            let below = place.and_then(|place| self.entry(entry, place));
            // The name of a service is checked where services are read, together with its characters.
            if !matches!(self.path.as_slice(), ["services", _]) {
                self.problems.extend(untexted(entry));
            }
            self.node(&entry.value, below);
            self.path.pop();
        }
    }

    /// Says what there is to say about one key, and returns the place of its value.
    fn entry(&mut self, entry: &'a Entry, place: &'static Place) -> Option<&'static Place> {
        if let Some(below) = place.field(&entry.key) {
            match below.key.map(|key| (key.path, key.state)) {
                Some((path, State::Ignored(why))) => self.ignore(path, why, entry.key_span),
                Some((_, State::Refused(way_out))) => {
                    self.problems.push(refused(entry, way_out));
                    return None;
                }
                Some((_, State::Implemented)) | None => {}
            }
            return Some(below);
        }
        if let Some(any) = &place.any {
            return Some(any);
        }
        let free = place.key.is_some_and(|key| !key.forms.contains(&Form::Fields) || place.fields.is_empty());
        if !entry.key.starts_with("x-") && !free {
            let problem = unknown(entry, place, &self.path);
            self.problems.push(problem);
        }
        None
    }

    fn ignore(&mut self, path: &'static str, why: &'static str, span: Span) {
        match self.ignored.iter_mut().find(|(other, _, _)| *other == path) {
            Some((_, _, places)) => places.push(span),
            None => self.ignored.push((path, why, vec![span])),
        }
    }

    fn finish(mut self) -> Vec<Diagnostic> {
        for (path, why, places) in self.ignored {
            let Some((&first, rest)) = places.split_first() else { continue };
            let times = if rest.is_empty() { String::new() } else { format!(", {} times", places.len()) };
            let mut warning = Diagnostic::warning(format!("`{path}` changes nothing{times}: {why}"), first)
                .coded(Code::NoEffect);
            let labels = rest.iter().take(SHOWN - 1).map(|&span| Label { span, text: String::new() });
            warning.labels.extend(labels);
            self.problems.push(warning);
        }
        self.problems
    }
}

fn refused(entry: &Entry, way_out: &str) -> Diagnostic {
    Diagnostic::error(format!("`{}` is not supported", entry.key), entry.key_span)
        .coded(Code::UnsupportedKey)
        .help(way_out)
}

fn unknown(entry: &Entry, place: &'static Place, path: &[&str]) -> Diagnostic {
    let of = owner(path);
    let problem = Diagnostic::error(format!("unknown key `{}`", entry.key), entry.key_span)
        .coded(Code::UnknownKey)
        .marked(format!("not a key of {of}"));
    if let Some(near) = nearest(&entry.key, place) {
        return problem.help(format!("did you mean `{near}`?")).suggest(entry.key_span, near);
    }
    if path.len() == 1 && entry.value.get("image").or(entry.value.get("build")).is_some() {
        return problem.help(format!("services stand below `services:`; move `{}` there", entry.key));
    }
    match elsewhere(&entry.key, path) {
        Some(better) => problem.help(format!("`{}` belongs {better}", entry.key)),
        None => problem.help(format!("a key of your own starts with `x-`: `x-{}`", entry.key)),
    }
}

/// Names what a key's path says it is a key of.
fn owner(path: &[&str]) -> String {
    match path {
        [] | [_] => "a manifest".to_owned(),
        ["services", name, _] => format!("a service (`{name}`)"),
        ["networks", name, _] => format!("a network (`{name}`)"),
        ["volumes", name, _] => format!("a volume (`{name}`)"),
        ["secrets", name, _] => format!("a secret (`{name}`)"),
        ["configs", name, _] => format!("a config (`{name}`)"),
        [.., parent, _] => format!("`{parent}`"),
    }
}

/// Finds the key of a place that was probably meant: within a third of its letters, keys that do something first.
fn nearest(written: &str, place: &'static Place) -> Option<&'static str> {
    let lower = written.to_lowercase().replace('-', "_");
    let works = |place: &Place| place.key.is_some_and(|key| key.state == State::Implemented);
    let near = |(name, place): &'static (&'static str, Place)| {
        let distance = strsim::damerau_levenshtein(&lower, name);
        let bound = 1.max(lower.chars().count().min(name.len()) / 3);
        (distance <= bound).then_some((distance, !works(place), *name))
    };
    place.fields.iter().filter_map(near).min().map(|(_, _, name)| name)
}

/// Finds where a key that is unknown here is known.
fn elsewhere(key: &str, path: &[&str]) -> Option<String> {
    let service = root().field("services")?.any.as_deref()?;
    match path {
        ["services", _, _] => {
            let below = ["systemd", "deploy", "build", "healthcheck"];
            let parent =
                below.into_iter().find(|name| service.field(name).is_some_and(|it| it.field(key).is_some()));
            match parent {
                Some(parent) => Some(format!("below `{parent}:`")),
                None => root().field(key).map(|_| "at the top of the manifest".to_owned()),
            }
        }
        [_] => service.field(key).map(|_| "to a service, below `services:`".to_owned()),
        ["services", _, .., _] => service.field(key).map(|_| "to the service itself".to_owned()),
        _ => None,
    }
}

/// Says that a key is not text: YAML 1.1, which Docker Compose reads keys by, types keys like values.
fn untexted(entry: &Entry) -> Option<Diagnostic> {
    let kind = if entry.key_plain { typed(&entry.key)? } else { return None };
    let quoted = format!("\"{}\"", entry.key);
    let problem = Diagnostic::error(format!("the key {} is {kind}, not text", entry.key), entry.key_span)
        .coded(Code::KeyType);
    Some(problem.help("quote it").suggest(entry.key_span, quoted))
}

fn typed(text: &str) -> Option<&'static str> {
    if matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE") {
        return Some("a truth value");
    }
    let digits = text.trim_start_matches(['+', '-']);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') || digits.len() + 1 < text.len() {
        return None;
    }
    if is_date(text) {
        return Some("a date");
    }
    let plain = digits.replace('_', "").to_ascii_lowercase();
    let radix = |prefix: &str, radix| {
        plain.strip_prefix(prefix).is_some_and(|rest| u64::from_str_radix(rest, radix).is_ok())
    };
    let float = plain.bytes().any(|byte| byte.is_ascii_digit()) && plain.parse::<f64>().is_ok();
    let special = matches!(plain.as_str(), ".inf" | ".nan");
    (float || special || radix("0x", 16) || radix("0o", 8) || radix("0b", 2)).then_some("a number")
}

/// Whether a text starts as a timestamp of YAML 1.1 does: `2020-01-01`.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let digits = |part: Option<&str>, length: std::ops::RangeInclusive<usize>| {
        part.is_some_and(|part| {
            length.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let (year, month, rest) = (parts.next(), parts.next(), parts.next());
    let day = rest.map(|rest| rest.split(['T', 't', ' ']).next().unwrap_or(rest));
    digits(year, 4..=4) && digits(month, 1..=2) && digits(day, 1..=2)
}
