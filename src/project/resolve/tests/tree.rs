//! A manifest for tests, from YAML text, with real places: no limits, no anchors, no interpolation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use granit_parser::{Event, Parser, ScalarStyle};

use crate::diagnostic::{Diagnostic, Severity, SourceId, Sources, Span};
use crate::manifest::{Dialect, Files, Manifest};
use crate::project::Project;
use crate::yaml::{Entry, Node, Value};

/// Files of a test, by path.
#[derive(Default)]
pub(crate) struct Given(pub(crate) BTreeMap<PathBuf, Vec<u8>>);

impl Files for Given {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        self.0.get(path).cloned().ok_or_else(|| "not found".to_owned())
    }
}

/// Reads YAML into a manifest of the project `p` in `/srv/p`.
pub(crate) fn manifest(text: &str) -> Manifest {
    let mut sources = Sources::default();
    let source = sources.add("sdcompose.yaml", text);
    let mut parser = Parser::new_from_str(text);
    let mut events = Vec::new();
    while let Some(event) = parser.next_event() {
        let (event, span) = event.unwrap();
        let bytes = span.byte_range().unwrap_or(0..0);
        let span = Span {
            source,
            start: u32::try_from(bytes.start).unwrap(),
            end: u32::try_from(bytes.end).unwrap(),
        };
        events.push((event, span));
    }
    let mut events = events.into_iter().filter(|(event, _)| {
        matches!(
            event,
            Event::Scalar(..)
                | Event::SequenceStart(..)
                | Event::SequenceEnd
                | Event::MappingStart(..)
                | Event::MappingEnd
        )
    });
    let empty = Node { span: Span { source, start: 0, end: 0 }, tag: None, value: Value::Null };
    Manifest {
        sources,
        root: node(&mut events).unwrap_or(empty),
        files: vec![(PathBuf::from("sdcompose.yaml"), SourceId(0))],
        directory: PathBuf::from("/srv/p"),
        name: None,
        dialect: Dialect::Sdcompose,
        profiles: Vec::new(),
        variables: BTreeMap::from([("HOME".to_owned(), "/home/user".to_owned())]),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the parser's open list of events; filtered before")]
fn node<'t>(events: &mut impl Iterator<Item = (Event<'t>, Span)>) -> Option<Node> {
    let (event, mut span) = events.next()?;
    let value = match event {
        Event::Scalar(text, style, ..) => {
            let plain = style == ScalarStyle::Plain;
            if plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL") {
                Value::Null
            } else {
                Value::Scalar { text: text.into_owned().into_boxed_str(), plain }
            }
        }
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            while let Some(item) = node(events) {
                span.end = span.end.max(item.span.end);
                items.push(item);
            }
            Value::Sequence(items)
        }
        Event::MappingStart(..) => {
            let mut entries = Vec::new();
            while let Some(key) = node(events) {
                let value = node(events).unwrap();
                span.end = span.end.max(value.span.end);
                let (text, key_plain) = match key.value {
                    Value::Scalar { text, plain } => (text, plain),
                    Value::Null => ("null".into(), true),
                    Value::Sequence(_) | Value::Mapping(_) => panic!("a key is a scalar"),
                };
                entries.push(Entry { key: text, key_plain, key_span: key.span, value });
            }
            Value::Mapping(entries)
        }
        _ => return None,
    };
    Some(Node { span, tag: None, value })
}

/// `NAME=value` lines, enough for tests.
pub(crate) fn env_files(
    sources: &Sources,
    id: SourceId,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> super::super::EnvFile {
    let text = sources.get(id).unwrap().text.clone();
    let pairs = text.lines().map(|line| match line.split_once('=') {
        Some((name, value)) => {
            let value = value.strip_prefix('$').map_or(Some(value.to_owned()), lookup);
            (name.to_owned(), Some(value.unwrap_or_default()))
        }
        None => (line.to_owned(), None),
    });
    (pairs.collect(), Vec::new())
}

/// Resolves a manifest with files.
pub(crate) fn resolved(mut manifest: Manifest, files: &Given) -> (Option<Project>, String) {
    let (project, diagnostics) = super::super::resolve(&mut manifest, files, &env_files);
    (project, shown(&manifest.sources, &diagnostics))
}

/// Resolves a text that has no errors.
pub(crate) fn project(text: &str) -> Project {
    let (project, said) = resolved(manifest(text), &Given::default());
    project.unwrap_or_else(|| panic!("{said}"))
}

/// What is said about a text, one finding a line: `line:column what · marks · help`.
pub(crate) fn said(text: &str) -> String {
    resolved(manifest(text), &Given::default()).1
}

fn shown(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let place =
        |span| sources.position(span).map_or(String::new(), |at| format!("{}:{}", at.line, at.column));
    let mut lines = Vec::new();
    for Diagnostic { severity, what, labels, help, suggestion } in diagnostics {
        let mut line = String::new();
        if let Some(first) = labels.first() {
            line.push_str(&format!("{} ", place(first.span)));
        }
        if *severity == Severity::Warning {
            line.push_str("warning: ");
        }
        line.push_str(what);
        for (at, label) in labels.iter().enumerate() {
            match at {
                0 if label.text.is_empty() => {}
                0 => line.push_str(&format!(" [{}]", label.text)),
                _ => line.push_str(&format!(" [{} {}]", place(label.span), label.text)),
            }
        }
        for help in help {
            line.push_str(&format!("; {help}"));
        }
        if let Some(suggestion) = suggestion {
            let Span { start, end, .. } = suggestion.span;
            assert!(start < end, "a suggestion replaces something: {what}");
        }
        lines.push(line);
    }
    lines.join("\n")
}
