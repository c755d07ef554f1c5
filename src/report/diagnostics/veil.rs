//! What of a quoted line is not shown: values that may be secret stand beside what is wrong, and reports end up in
//! logs of build servers and in issues.
//!
//! Hidden are the values of `environment`, of build `args`, of contents of secrets, configs and credentials, of env
//! files, and wherever a name says that its value is a secret.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crate::diagnostic::{SourceId, Sources};
use crate::project::name;
use crate::yaml::{self, Limits, Node, Value};

/// Longest text that is read once more to find out what of it is secret; of longer ones each line is judged by
/// itself.
const READ: usize = 1 << 20;

/// The places of what may be secret, found once for each text that is quoted.
pub(super) struct Veils<'a> {
    sources: &'a Sources,
    secrets: HashMap<SourceId, Option<Vec<Range<usize>>>>,
}

impl<'a> Veils<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self { sources, secrets: HashMap::new() }
    }

    /// Returns a stretch of whole lines as it may be shown: what may be secret is dotted out, byte for byte, but for
    /// the places that the finding itself is about.
    pub(super) fn text(&mut self, id: SourceId, lines: Range<usize>, about: &[Range<usize>]) -> Cow<'a, str> {
        let Some(source) = self.sources.get(id) else { return Cow::Borrowed("") };
        let text: &'a str = &source.text;
        let shown = text.get(lines.clone()).unwrap_or("");
        let known = self.secrets.entry(id).or_insert_with(|| secrets(text));
        let hidden: Vec<Range<usize>> = match known {
            Some(known) => known.iter().filter(|it| overlap(it, &lines)).cloned().collect(),
            None => {
                by_line(shown).into_iter().map(|it| it.start + lines.start..it.end + lines.start).collect()
            }
        };
        if hidden.is_empty() {
            return Cow::Borrowed(shown);
        }
        let within = |ranges: &[Range<usize>], at: usize| ranges.iter().any(|range| range.contains(&at));
        let mut out = String::with_capacity(shown.len());
        for (at, c) in shown.char_indices() {
            let at = at + lines.start;
            let is_hidden = !c.is_whitespace() && within(&hidden, at) && !within(about, at);
            out.push(if is_hidden { dot(c) } else { c });
        }
        Cow::Owned(out)
    }
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// A dot of as many bytes as a character has, so that all places stay.
const fn dot(c: char) -> char {
    match c.len_utf8() {
        1 => '*',
        2 => '\u{b7}',
        3 => '\u{2022}',
        _ => '\u{10100}',
    }
}

/// Finds what may be secret in a text; `None` where it cannot be read as a manifest.
fn secrets(text: &str) -> Option<Vec<Range<usize>>> {
    if text.len() > READ {
        return None;
    }
    let reading = yaml::read(&mut Sources::default(), "", text.as_bytes(), &Limits::default());
    let documents = reading.documents?;
    if !documents.iter().any(|document| matches!(document.value, Value::Mapping(_))) {
        return None;
    }
    let mut search = Search { text, path: Vec::new(), found: Vec::new() };
    documents.iter().for_each(|document| search.node(document));
    Some(search.found)
}

struct Search<'t> {
    text: &'t str,
    path: Vec<Box<str>>,
    found: Vec<Range<usize>>,
}

impl Search<'_> {
    fn node(&mut self, node: &Node) {
        match &node.value {
            Value::Null => {}
            Value::Scalar { text, plain: _ } => self.scalar(node, text),
            Value::Sequence(items) => items.iter().for_each(|item| self.node(item)),
            Value::Mapping(entries) => {
                for entry in entries {
                    self.path.push(entry.key.clone());
                    self.node(&entry.value);
                    self.path.pop();
                }
            }
        }
    }

    fn scalar(&mut self, node: &Node, text: &str) {
        let span = node.span.start as usize..node.span.end as usize;
        let last = self.path.last().map_or("", |key| &**key);
        let above = self.path.iter().rev().nth(1).map_or("", |key| &**key);
        if is_of_secrets(above) || says_secret(last) || is_content(&self.path) {
            self.found.push(span);
        } else if let Some((name, _)) = text.split_once('=')
            && (is_of_secrets(last) || says_secret(name))
            && let Some(at) = self.text.get(span.clone()).and_then(|written| written.find('='))
        {
            self.found.push(span.start + at + 1..span.end);
        }
    }
}

/// Whether the values of a mapping may be secret, whatever they are named.
fn is_of_secrets(key: &str) -> bool {
    matches!(key, "environment" | "args" | "build_args")
}

fn says_secret(key: &str) -> bool {
    name::is_secret(key) || key.to_ascii_uppercase().ends_with("_KEY")
}

fn is_content(path: &[Box<str>]) -> bool {
    let [.., kind, _, last] = path else { return false };
    &**last == "content" && matches!(&**kind, "secrets" | "configs" | "credentials")
}

/// Finds what may be secret line by line: in a text that is no manifest, behind `NAME=` of an env file; in one that
/// cannot be read, also behind the names that say so.
fn by_line(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let sign = line.find(['=', ':']);
        if let Some(at) = sign {
            let name = line.get(..at).unwrap_or("").trim().trim_start_matches(['-', '"', '\'', ' ']);
            let name = name.strip_prefix("export ").unwrap_or(name).trim_end_matches(['"', '\'']);
            let name = name.rsplit(['{', ',', ' ']).next().unwrap_or(name);
            let is_variable = line.as_bytes().get(at) == Some(&b'=') && is_name(name);
            if is_variable || says_secret(name) {
                found.push(start + at + 1..start + line.len());
            }
        }
        start += line.len();
    }
    found
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, about: &str) -> String {
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", text);
        let about: Vec<Range<usize>> = text.match_indices(about).map(|(at, it)| at..at + it.len()).collect();
        Veils::new(&sources).text(id, 0..text.len(), &about).into_owned()
    }

    #[test]
    fn values_that_may_be_secret_are_dotted_out() {
        assert_eq!(
            shown(
                "services:\n  a:\n    environment: {A: one, B: \"zwö\"}\n    build: {args: [C=three]}\n    labels: {x: y, API_TOKEN: t}\n    image: i\n",
                "#"
            ),
            "services:\n  a:\n    environment: {A: ***, B: ***·*}\n    build: {args: [C=*****]}\n    labels: {x: y, API_TOKEN: *}\n    image: i\n"
        );
        assert_eq!(
            shown("secrets: {s: {content: abc, file: ./x}}\n", "#"),
            "secrets: {s: {content: ***, file: ./x}}\n"
        );
    }

    #[test]
    fn what_the_finding_is_about_is_shown() {
        assert_eq!(
            shown("services: {a: {environment: {A: one, B: two}}}\n", "two"),
            "services: {a: {environment: {A: ***, B: two}}}\n"
        );
    }

    #[test]
    fn env_files_and_broken_texts_are_judged_line_by_line() {
        assert_eq!(shown("A=b c\nexport B='x'\n", "#"), "A=* *\nexport B=***\n");
        assert_eq!(
            shown("a: [\n  DB_PASSWORD: hunter2\n  - MYSQL_PASSWORD=x\n  image: y\n", "#"),
            "a: [\n  DB_PASSWORD: *******\n  - MYSQL_PASSWORD=*\n  image: y\n"
        );
    }

    #[test]
    fn every_dot_is_as_long_as_what_it_hides() {
        for c in ['a', 'é', '€', '🔑'] {
            assert_eq!(dot(c).len_utf8(), c.len_utf8());
        }
    }
}
