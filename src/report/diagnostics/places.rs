//! Lines and columns of spans, for programs.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::diagnostic::{SourceId, Sources, Span};

/// Where lines start, found once for each text: a thousand findings in a large file would else read it a
/// thousand times.
pub(super) struct Places<'a> {
    sources: &'a Sources,
    starts: HashMap<SourceId, Vec<usize>>,
}

/// A stretch of text; lines and columns counted from 1, columns in characters, the end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// The name of the text.
    pub(super) file: &'a str,
    /// Line and column of its first character.
    pub(super) start: (usize, usize),
    /// Line and column behind its last character.
    pub(super) end: (usize, usize),
    /// The same in bytes, counted from 0.
    pub(super) bytes: (u32, u32),
}

impl<'a> Places<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self { sources, starts: HashMap::new() }
    }

    /// Returns the place of a span; `None` where no such text is known.
    pub(super) fn place(&mut self, span: Span) -> Option<Place<'a>> {
        let file = &self.sources.get(span.source)?.name;
        let bytes = (span.start, span.end.max(span.start));
        let start = self.position(span.source, bytes.0)?;
        let end = self.position(span.source, bytes.1)?;
        Some(Place { file, start, end, bytes })
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

impl Place<'_> {
    /// Returns `file`, `line`, `column`, `end` and `bytes`.
    pub(super) fn to_json(self) -> Value {
        json!({
            "file": self.file,
            "line": self.start.0,
            "column": self.start.1,
            "end": { "line": self.end.0, "column": self.end.1 },
            "bytes": [self.bytes.0, self.bytes.1],
        })
    }
}
