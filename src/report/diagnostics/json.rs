//! Diagnostics as JSON, for editors and scripts.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::sorted;
use crate::diagnostic::{Diagnostic, Severity, SourceId, Sources, Span};

/// Returns diagnostics as a JSON list, in the order of their places.
///
/// Each has `severity`, `message`, `labels` (`file`, `line`, `column`, `end_line`, `end_column`, `text`; counted
/// from 1, columns in characters, the end exclusive), `help`, and `suggestion` (a place and `replacement`) or null.
#[must_use]
pub fn to_json(diagnostics: &[Diagnostic], sources: &Sources) -> Value {
    let mut lines = Lines { sources, starts: HashMap::new() };
    Value::Array(sorted(diagnostics).iter().map(|diagnostic| one(diagnostic, &mut lines)).collect())
}

fn one(diagnostic: &Diagnostic, lines: &mut Lines<'_>) -> Value {
    let labels = diagnostic.labels.iter().map(|label| {
        let mut place = lines.place(label.span);
        place["text"] = json!(label.text);
        place
    });
    let labels: Vec<Value> = labels.collect();
    let suggestion = diagnostic.suggestion.as_ref().map(|suggestion| {
        let mut place = lines.place(suggestion.span);
        place["replacement"] = json!(suggestion.value);
        place
    });
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Obstacle => "obstacle",
        Severity::Warning => "warning",
    };
    json!({
        "severity": severity,
        "message": diagnostic.what,
        "labels": labels,
        "help": diagnostic.help,
        "suggestion": suggestion,
    })
}

/// Where lines start, found once for each text: a thousand findings in a large file would else read it a
/// thousand times.
struct Lines<'a> {
    sources: &'a Sources,
    starts: HashMap<SourceId, Vec<usize>>,
}

impl Lines<'_> {
    fn place(&mut self, span: Span) -> Value {
        let start = self.position(span.source, span.start);
        let end = self.position(span.source, span.end.max(span.start));
        json!({
            "file": self.sources.get(span.source).map(|source| source.name.as_str()),
            "line": start.map(|(line, _)| line),
            "column": start.map(|(_, column)| column),
            "end_line": end.map(|(line, _)| line),
            "end_column": end.map(|(_, column)| column),
        })
    }

    fn position(&mut self, id: SourceId, at: u32) -> Option<(usize, usize)> {
        let text = &self.sources.get(id)?.text;
        let at = (at as usize).min(text.len());
        let starts = self.starts.entry(id).or_insert_with(|| {
            std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect()
        });
        let line = starts.partition_point(|start| *start <= at);
        let before = text.get(*starts.get(line.checked_sub(1)?)?..at)?;
        Some((line, before.chars().count() + 1))
    }
}
