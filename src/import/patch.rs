//! Changes of a text by the places of its tree, so that comments, order and spelling stay.

use std::ops::Range;

use crate::yaml::{Entry, Node, Value};

/// Changes to a text, collected before any is made.
#[derive(Debug)]
pub(super) struct Patch<'t> {
    text: &'t str,
    edits: Vec<(Range<usize>, String)>,
}

impl<'t> Patch<'t> {
    /// Starts with a text whose last line is ended.
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, edits: Vec::new() }
    }

    /// Puts something in the place of a range.
    pub(super) fn replace(&mut self, range: Range<usize>, by: impl Into<String>) {
        self.edits.push((range, by.into()));
    }

    /// Returns the changed text. Of two changes to one place the larger counts; what is only put in stays.
    pub(super) fn applied(mut self) -> String {
        self.edits.sort_by_key(|(range, _)| (range.start, !range.is_empty(), std::cmp::Reverse(range.end)));
        let mut out = String::with_capacity(self.text.len());
        let mut at = 0;
        for (range, by) in self.edits {
            if range.start < at {
                continue;
            }
            out.push_str(self.text.get(at..range.start).unwrap_or_default());
            out.push_str(&by);
            at = range.end;
        }
        out.push_str(self.text.get(at..).unwrap_or_default());
        out
    }

    /// Returns the lines of an entry: from its key's line to the end of its value's last.
    pub(super) fn region(&self, entry: &Entry) -> Range<usize> {
        let start = self.line_start(entry.key_span.start as usize);
        start..self.line_end(self.end(entry))
    }

    /// Whether nothing but blanks stands before a key on its line, so that its lines are its own.
    pub(super) fn has_lines(&self, entry: &Entry) -> bool {
        let key = entry.key_span.start as usize;
        let before = self.text.get(self.line_start(key)..key).unwrap_or("x");
        before.bytes().all(|byte| byte == b' ')
    }

    /// Whether a value stands behind its key in block style, and not as a name for another.
    pub(super) fn is_block(&self, entry: &Entry) -> bool {
        !self.is_alias(entry) && !matches!(self.first(&entry.value), Some('{' | '['))
    }

    /// Column of a key, in bytes.
    pub(super) fn column(&self, entry: &Entry) -> usize {
        let key = entry.key_span.start as usize;
        key - self.line_start(key)
    }

    /// What stands between a key and its value on the key's line: the colon, an anchor.
    pub(super) fn marks(&self, entry: &Entry) -> &'t str {
        let rest = self.text.get(entry.key_span.end as usize..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        match line.split_once('&') {
            Some((colon, anchor)) if colon.trim_end() == ":" => {
                let name =
                    anchor.find(|c: char| c.is_whitespace() || ",[]{}".contains(c)).unwrap_or(anchor.len());
                line.get(..colon.len() + 1 + name).unwrap_or(":")
            }
            Some(_) | None => ":",
        }
    }

    /// Takes an entry's lines out, with the comment right above it where that speaks of what systemd is said to
    /// need: nothing would be left that it explains.
    pub(super) fn remove(&mut self, entry: &Entry) {
        let mut region = self.region(entry);
        let indent = self.column(entry);
        while let Some(line) = self.line_before(region.start) {
            let text = self.text.get(line.clone()).unwrap_or_default();
            let comment = text.trim_start_matches(' ');
            if text.len() - comment.len() != indent
                || !comment.starts_with('#')
                || !speaks_of_systemd(comment)
            {
                break;
            }
            region.start = line.start;
        }
        self.replace(region, "");
    }

    /// The line before the one that starts at a place.
    fn line_before(&self, start: usize) -> Option<Range<usize>> {
        let last = start.checked_sub(1)?;
        Some(self.line_start(last)..start)
    }

    /// Where a key can be put in behind a mapping that has none of its own (it may only name others to merge):
    /// the place and the column.
    pub(super) fn behind(&self, entry: &Entry) -> Option<(usize, usize)> {
        let region = self.region(entry);
        let first = self.text.get(region.start..region.end)?.lines().skip(1).find(|line| {
            let line = line.trim_start();
            !line.is_empty() && !line.starts_with('#')
        })?;
        Some((region.end, first.len() - first.trim_start().len()))
    }

    /// Takes items or entries out of a value; `false` where its text does not allow it.
    pub(super) fn without(&mut self, entry: &Entry, gone: &[usize]) -> bool {
        if self.is_alias(entry) {
            return false;
        }
        let within = self.region(entry);
        let parts: Vec<Range<usize>> = match &entry.value.value {
            Value::Sequence(items) => {
                items.iter().map(|item| span(item).start..self.trimmed(span(item).end)).collect()
            }
            Value::Mapping(entries) => {
                entries.iter().map(|part| part.key_span.start as usize..self.end(part)).collect()
            }
            Value::Null | Value::Scalar { .. } => return false,
        };
        if parts.iter().any(|part| part.start < within.start || part.end > within.end) {
            return false;
        }
        match self.first(&entry.value) {
            Some(open @ ('[' | '{')) => {
                let close = if open == '[' { ']' } else { '}' };
                let kept = parts.iter().enumerate().filter(|(at, _)| !gone.contains(at));
                let kept: Vec<&str> =
                    kept.filter_map(|(_, part)| self.text.get(part.clone())).map(str::trim).collect();
                self.replace(span(&entry.value), format!("{open}{}{close}", kept.join(", ")));
            }
            Some(_) | None => {
                for part in gone.iter().filter_map(|at| parts.get(*at)) {
                    self.replace(self.line_start(part.start)..self.line_end(part.end), "");
                }
            }
        }
        true
    }

    /// Whether a value is a name for one that stands elsewhere.
    fn is_alias(&self, entry: &Entry) -> bool {
        let rest = self.text.get(entry.key_span.end as usize..).unwrap_or_default();
        rest.trim_start().strip_prefix(':').is_some_and(|rest| rest.trim_start().starts_with('*'))
    }

    fn first(&self, node: &Node) -> Option<char> {
        self.text.get(node.span.start as usize..)?.chars().next()
    }

    /// One past an entry's last byte.
    fn end(&self, entry: &Entry) -> usize {
        let key = entry.key_span.end as usize;
        let value = span(&entry.value);
        if self.is_alias(entry) || value.start < key {
            self.line_end(key).saturating_sub(1)
        } else {
            self.trimmed(value.end).max(key)
        }
    }

    /// A block scalar ends where the next word begins: the blanks before that are not its own.
    fn trimmed(&self, end: usize) -> usize {
        self.text.get(..end).map_or(end, |text| text.trim_end().len())
    }

    fn line_start(&self, at: usize) -> usize {
        self.text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
    }

    /// One past the end of a line, its newline included.
    fn line_end(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        rest.find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }
}

fn speaks_of_systemd(comment: &str) -> bool {
    const WORDS: [&str; 6] = ["systemd", "cgroup", "privilege", "init", "capabilit", "seccomp"];
    let comment = comment.to_ascii_lowercase();
    WORDS.iter().any(|word| comment.contains(word))
}

fn span(node: &Node) -> Range<usize> {
    node.span.start as usize..node.span.end as usize
}
