//! The story of one value: every place that writes it, the variables in it, and what became of it.

use serde_json::Value as Json;

use super::env_files;
use super::{Explanation, Field, Origin, Step, deepest, joined, origin, shown_value};
use crate::diagnostic::{SourceId, Sources, Span};
use crate::manifest::{Manifest, variables_of};
use crate::project::{Project, name};
use crate::yaml::{self, Limits, Node, Value};

/// What is shown in the place of what may be secret.
const HIDDEN: &str = "(hidden)";

/// Bases of bases that are followed.
const BASES: usize = 16;

/// What is known of one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// The value's path in the manifest, `services.db.stop_signal`.
    pub path: String,
    /// The value as JSON on one line; of what is to be kept secret, only that it is there.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Every place that writes it, in the order in which they are merged.
    pub layers: Vec<Layer>,
}

/// One place that writes a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// The place.
    pub span: Span,
    /// What is written there, on one line, before interpolation; hidden as the value is.
    pub written: String,
    /// The service that it is written for, where that is another one: a base of `extends`.
    pub base: Option<String>,
    /// Its variables and what they are; `None` is not set.
    pub variables: Vec<(String, Option<String>)>,
    /// Whether this is what counts.
    pub counts: bool,
}

/// Tells the story of every value at or below a path such as `services.db.stop_signal`, `db.ports[0]` or
/// `volumes.data`; nothing where the path leads to no value.
#[must_use]
pub fn stories(project: &Project, manifest: &Manifest, key: &str) -> Vec<Story> {
    let shown = super::super::show(project, manifest, &[]);
    let Ok(whole) = serde_json::to_value(shown) else { return Vec::new() };
    let Json::Object(top) = &whole else { return Vec::new() };
    let found = walked(&whole, key, Vec::new()).or_else(|| {
        let services = top.get("services")?;
        walked(services, key, vec![Step::Key("services")])
    });
    let Some((path, value)) = found else { return Vec::new() };
    let texts = texts(manifest);
    let mut stories = Vec::new();
    let mut path = path;
    super::leaves(value, &mut path, &mut |path, value| {
        stories.push(story(manifest, &texts, path, value));
    });
    stories
}

/// The paths that `key` could have meant: those of the deepest place that it leads to.
#[must_use]
pub fn known(explanations: &[Explanation]) -> Vec<String> {
    explanations
        .iter()
        .flat_map(|Explanation { service, fields }| {
            fields.iter().map(move |Field { path, .. }| format!("services.{service}.{path}"))
        })
        .collect()
}

/// Follows a written path. A key may have dots in it, so that at every place the longest key counts.
fn walked<'v>(value: &'v Json, rest: &str, mut path: Vec<Step<'v>>) -> Option<(Vec<Step<'v>>, &'v Json)> {
    if rest.is_empty() {
        return Some((path, value));
    }
    match value {
        Json::Object(entries) => {
            let rest = rest.strip_prefix('.').unwrap_or(rest);
            let mut keys: Vec<&'v String> = entries.keys().filter(|key| is_first(rest, key)).collect();
            keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
            keys.into_iter().find_map(|key| {
                let mut path = path.clone();
                path.push(Step::Key(key));
                walked(entries.get(key)?, rest.get(key.len()..)?, path)
            })
        }
        Json::Array(items) => {
            let (number, rest) = rest.strip_prefix('[')?.split_once(']')?;
            let at: usize = number.parse().ok()?;
            path.push(Step::Item(at, items.len()));
            walked(items.get(at)?, rest, path)
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
    }
}

/// Whether a path begins with a whole key.
fn is_first(path: &str, key: &str) -> bool {
    path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The documents of one text, with the text's id.
struct Text {
    source: SourceId,
    documents: Vec<Node>,
}

/// Reads the texts of a manifest once more, as they were before merging. What is no mapping is an env file.
fn texts(manifest: &Manifest) -> Vec<Text> {
    let mut texts = Vec::new();
    for (number, source) in (0..).zip(manifest.sources.iter()) {
        let reading =
            yaml::read(&mut Sources::default(), &source.name, source.text.as_bytes(), &Limits::default());
        let documents: Vec<Node> = reading
            .documents
            .into_iter()
            .flatten()
            .filter(|document| matches!(document.value, Value::Mapping(_)))
            .collect();
        if !documents.is_empty() {
            texts.push(Text { source: SourceId(number), documents });
        }
    }
    texts
}

fn story(manifest: &Manifest, texts: &[Text], path: &[Step<'_>], value: &Json) -> Story {
    let origin = of(manifest, path);
    let hidden = is_hidden(path);
    let mut layers = Vec::new();
    for (base, path) in bases(texts, path) {
        for text in texts {
            for document in &text.documents {
                let Some(node) = at(document, &path) else { continue };
                let span = Span { source: text.source, ..node.span };
                layers.push(layer(manifest, node, span, base, hidden));
            }
        }
    }
    let from_files = of_env_files(manifest, path, hidden, layers.is_empty());
    layers.splice(0..0, from_files);
    if let Origin::Written(span) = origin {
        let counting = layers.iter().rposition(|layer| covers(span, layer.span));
        if let Some(layer) = counting.and_then(|at| layers.get_mut(at)) {
            layer.counts = true;
        }
    }
    let value = match path {
        [Step::Key("services"), _, rest @ ..] => shown_value(rest, value),
        _ if hidden => HIDDEN.to_owned(),
        _ => value.to_string(),
    };
    Story { path: joined(path), value: value.replace("$$", "$"), origin, layers }
}

/// The lines of env files that set a variable of a service. The last one counts where `environment` says nothing.
fn of_env_files(manifest: &Manifest, path: &[Step<'_>], hidden: bool, alone: bool) -> Vec<Layer> {
    let [Step::Key("services"), Step::Key(service), Step::Key("environment"), Step::Key(name)] = path else {
        return Vec::new();
    };
    let Some(service) = manifest.root.get("services").and_then(|services| services.get(service)) else {
        return Vec::new();
    };
    let mut layers: Vec<Layer> = env_files::lines(manifest, service, name)
        .into_iter()
        .map(|env_files::Line { span, written }| {
            let written = if hidden { HIDDEN.to_owned() } else { written };
            Layer { span, written, base: None, variables: Vec::new(), counts: false }
        })
        .collect();
    if let Some(last) = layers.last_mut() {
        last.counts = alone;
    }
    layers
}

/// Whether the place of what counts and that of a layer are one.
const fn covers(counts: Span, layer: Span) -> bool {
    counts.source.0 == layer.source.0
        && counts.start < layer.end.saturating_add(1)
        && layer.start <= counts.end
}

fn layer(manifest: &Manifest, node: &Node, span: Span, base: Option<&str>, hidden: bool) -> Layer {
    let mut variables = Vec::new();
    if let Value::Scalar { text, plain: _ } = &node.value {
        for name in variables_of(text).into_keys() {
            let value = manifest.variables.get(&name).cloned();
            let value =
                value.map(|value| if hidden || name::is_secret(&name) { HIDDEN.to_owned() } else { value });
            variables.push((name, value));
        }
    }
    let written = if hidden { HIDDEN.to_owned() } else { written(node) };
    Layer { span, written, base: base.map(str::to_owned), variables, counts: false }
}

/// What a node says, on one line.
fn written(node: &Node) -> String {
    match &node.value {
        Value::Scalar { text, plain: _ } => text.to_string(),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => super::super::plain(node).to_string(),
    }
}

/// The value's own path, after those of the services that its service extends, the farthest first.
fn bases<'t, 'p>(texts: &'t [Text], path: &[Step<'p>]) -> Vec<(Option<&'t str>, Vec<Step<'p>>)>
where
    't: 'p,
{
    let mut all = vec![(None, path.to_vec())];
    let [Step::Key("services"), Step::Key(service), rest @ ..] = path else { return all };
    let mut service: &str = service;
    while all.len() <= BASES {
        let Some(base) = texts.iter().flat_map(|text| &text.documents).find_map(|document| {
            let extends = document.get("services")?.get(service)?.get("extends")?;
            text_of(extends.get("service").unwrap_or(extends))
        }) else {
            break;
        };
        let mut path = vec![Step::Key("services"), Step::Key(base)];
        path.extend_from_slice(rest);
        let known = all.iter().any(|(other, _)| *other == Some(base));
        if known {
            break;
        }
        all.push((Some(base), path));
        service = base;
    }
    all.reverse();
    all
}

fn text_of(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar { text, plain: _ } => Some(text),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
    }
}

/// The node of a path, or the short form that it stands in: a text, or a list whose items have no fixed places.
fn at<'n>(document: &'n Node, path: &[Step<'_>]) -> Option<&'n Node> {
    let mut found = document;
    for step in path {
        match super::below(found, *step) {
            Some(below) => found = below,
            None if matches!(found.value, Value::Scalar { .. } | Value::Sequence(_)) => break,
            None => return None,
        }
    }
    Some(found)
}

/// Where a value of the whole manifest comes from.
fn of(manifest: &Manifest, path: &[Step<'_>]) -> Origin {
    let root = &manifest.root;
    let defaults = root.get("systemd").or_else(|| root.get("x-systemd"));
    match path {
        [Step::Key("services"), Step::Key(service), rest @ ..] => {
            match root.get("services").and_then(|services| services.get(service)) {
                Some(node) => origin(rest, node, defaults),
                None => Origin::Default("default of the Compose specification"),
            }
        }
        [Step::Key(first), rest @ ..] => match root.entry(first) {
            Some(entry) => match at(&entry.value, rest) {
                Some(node) => Origin::Written(node.span),
                None if matches!(rest.last(), Some(Step::Key("name"))) => {
                    Origin::Default("project and key (Compose specification)")
                }
                None => Origin::Written(deepest(&entry.value, rest, entry.key_span)),
            },
            None if *first == "name" => {
                Origin::Default("`-p`, COMPOSE_PROJECT_NAME, or the directory's name")
            }
            None => {
                Origin::Default("a service that names no network joins `default` (Compose specification)")
            }
        },
        [] | [Step::Item(..), ..] => Origin::Default("default of the Compose specification"),
    }
}

/// Whether what is written at a path may be secret.
fn is_hidden(path: &[Step<'_>]) -> bool {
    match path {
        [Step::Key("services"), _, rest @ ..] => {
            // An empty text is shown as two quotes, unless it is hidden.
            shown_value(rest, &Json::String(String::new())) != "\"\""
        }
        [Step::Key("configs" | "secrets"), _, Step::Key("content")] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
