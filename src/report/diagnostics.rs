//! Diagnostics as text with the lines they speak of, as JSON, and as SARIF.

use std::collections::HashSet;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Patch, Renderer, Snippet};

mod json;
mod places;
mod sarif;
mod veil;

pub use json::to_json;
pub use sarif::to_sarif;

use veil::Veils;

use crate::diagnostic::{Diagnostic, Label, Severity, SourceId, Sources, Span};

/// How diagnostics are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences for colour are written.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
}

/// Findings that are shown in full; further ones are only counted.
const SHOWN: usize = 100;

/// Labels that are further apart than this many lines are shown in pieces of their own.
const APART: usize = 40;

/// Renders diagnostics in the order of their places, then a line that counts them; nothing for none.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let sorted = sorted(diagnostics);
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(style.width.max(40));
    let mut veils = Veils::new(sources);
    let mut out = String::new();
    for diagnostic in sorted.iter().take(SHOWN) {
        let groups = report(diagnostic, sources, &mut veils);
        // Without a place there is no frame to draw, so that each line stands for itself.
        let at_once = if diagnostic.labels.is_empty() { 1 } else { groups.len() };
        for groups in groups.chunks(at_once) {
            out.push_str(&renderer.render(groups));
            out.push('\n');
        }
        out.push('\n');
    }
    if let Some(hidden) = sorted.len().checked_sub(SHOWN).filter(|hidden| *hidden > 0) {
        out.push_str("… and ");
        out.push_str(&hidden.to_string());
        out.push_str(" more\n");
    }
    if !sorted.is_empty() {
        out.push_str(&count(&sorted));
        out.push('\n');
    }
    out
}

/// Sorts by place, and drops what is said twice of one place, as two layers may see the same mistake.
fn sorted(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let place = |diagnostic: &Diagnostic| diagnostic.labels.first().map(|label| label.span);
    let mut said = HashSet::new();
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.retain(|diagnostic| said.insert((place(diagnostic), diagnostic.what.as_str())));
    sorted.sort_by_key(|diagnostic| place(diagnostic));
    sorted
}

fn count(diagnostics: &[&Diagnostic]) -> String {
    let number =
        |level: Level<'_>| diagnostics.iter().filter(|found| self::level(found.severity) == level).count();
    let counted = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        many => Some(format!("{many} {word}s")),
    };
    let parts = [counted(number(Level::ERROR), "error"), counted(number(Level::WARNING), "warning")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// An obstacle is a warning to who only looks; for who wants to run the project it has become an error before.
const fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Obstacle | Severity::Warning => Level::WARNING,
    }
}

/// Makes the groups that the renderer draws: the finding itself, then what would put it right.
fn report<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources, veils: &mut Veils<'a>) -> Vec<Group<'a>> {
    let level = level(diagnostic.severity);
    let title = level.primary_title(diagnostic.what.as_str());
    if diagnostic.labels.is_empty() {
        let ways = diagnostic.help.iter().map(|help| Level::HELP.secondary_title(help.as_str()));
        return std::iter::once(title).chain(ways).map(Group::with_title).collect();
    }
    let patch = diagnostic.suggestion.as_ref().and_then(|suggestion| {
        let piece = Piece::around(sources, suggestion.span)?;
        Some(
            piece
                .snippet(&[suggestion.span], veils)
                .patch(Patch::new(piece.within(suggestion.span), suggestion.value.as_str())),
        )
    });
    let (over_patch, help) = match (&patch, diagnostic.help.as_slice()) {
        (Some(_), [first, rest @ ..]) => (first.as_str(), rest),
        (_, help) => ("write", help),
    };
    let finding = title
        .elements(pieces(&diagnostic.labels, sources, veils))
        .elements(help.iter().map(|help| Level::HELP.message(help.as_str())));
    let patch = patch.map(|patch| Level::HELP.secondary_title(over_patch).element(patch));
    std::iter::once(finding).chain(patch).collect()
}

/// Makes the pieces of text that labels speak of: labels that stand close share one.
fn pieces<'a>(
    labels: &'a [Label],
    sources: &'a Sources,
    veils: &mut Veils<'a>,
) -> Vec<Snippet<'a, Annotation<'a>>> {
    let Some(primary) = labels.first() else { return Vec::new() };
    let mut groups: Vec<(Piece<'a>, Vec<&'a Label>)> = Vec::new();
    for label in labels {
        let near = groups.iter_mut().find(|(piece, _)| piece.is_near(label.span));
        if let Some((piece, members)) = near {
            piece.extend(label.span);
            members.push(label);
        } else if let Some(piece) = Piece::around(sources, label.span) {
            groups.push((piece, vec![label]));
        }
    }
    let mut drawn = |(piece, members): (Piece<'a>, Vec<&'a Label>)| {
        let annotation = |label: &'a Label| {
            let first = std::ptr::eq(label, primary);
            let kind = if first { AnnotationKind::Primary } else { AnnotationKind::Context };
            let text = (!label.text.is_empty()).then_some(label.text.as_str());
            kind.span(piece.within(label.span)).label(text)
        };
        let about: Vec<Span> = members.iter().map(|label| label.span).collect();
        let annotations: Vec<_> = members.into_iter().map(annotation).collect();
        piece.snippet(&about, veils).annotations(annotations)
    };
    groups.into_iter().map(&mut drawn).collect()
}

/// Whole lines of one text.
struct Piece<'a> {
    id: SourceId,
    name: &'a str,
    text: &'a str,
    lines: Range<usize>,
}

impl<'a> Piece<'a> {
    /// Takes the line on which a span starts.
    fn around(sources: &'a Sources, span: Span) -> Option<Self> {
        let source = sources.get(span.source)?;
        let text: &str = &source.text;
        let start = text.get(..span.start as usize)?.rfind('\n').map_or(0, |newline| newline + 1);
        let end = line_end(text, span.start as usize)?;
        Some(Self { id: span.source, name: &source.name, text, lines: start..end })
    }

    fn is_near(&self, span: Span) -> bool {
        let at = span.start as usize;
        let between =
            if at < self.lines.start { at..self.lines.start } else { self.lines.end..at.max(self.lines.end) };
        let lines = |text: &str| text.bytes().filter(|byte| *byte == b'\n').count();
        self.id == span.source
            && between.len() < 64 * 1024
            && self.text.get(between).is_some_and(|between| lines(between) < APART)
    }

    fn extend(&mut self, span: Span) {
        let at = span.start as usize;
        if at < self.lines.start {
            self.lines.start =
                self.text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
        } else if let Some(end) = line_end(self.text, at) {
            self.lines.end = self.lines.end.max(end);
        }
    }

    /// Returns a span's bytes within the piece, up to the end of its first line: a drawn bracket around a
    /// whole service tells less than its first line.
    fn within(&self, span: Span) -> Range<usize> {
        let Range { start, end } = self.absolute(span);
        start - self.lines.start..end - self.lines.start
    }

    /// The same in bytes of the whole text.
    fn absolute(&self, span: Span) -> Range<usize> {
        let start = (span.start as usize).clamp(self.lines.start, self.lines.end);
        let line = line_end(self.text, start).unwrap_or(self.lines.end);
        start..(span.end as usize).clamp(start, line.max(start))
    }

    /// Quotes the lines, without the values that may be secret and that the finding is not about.
    fn snippet<T: Clone>(&self, about: &[Span], veils: &mut Veils<'a>) -> Snippet<'a, T> {
        let before = self.text.get(..self.lines.start).unwrap_or("");
        let number = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let about: Vec<Range<usize>> = about.iter().map(|span| self.absolute(*span)).collect();
        Snippet::source(veils.text(self.id, self.lines.clone(), &about)).line_start(number).path(self.name)
    }
}

/// Returns where the line of a place ends, without its newline.
fn line_end(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    Some(at + rest.find('\n').unwrap_or(rest.len()))
}

#[cfg(test)]
mod tests;
