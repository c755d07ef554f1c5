//! What is wrong with a manifest, as plain data: labelled spans, help, nothing rendered.
//!
//! Resolving collects every diagnostic of a project before it gives up; `report::diagnostics` turns them
//! into text. Nothing here reads a file or prints.

mod code;

pub use code::Code;

use std::sync::Arc;

/// A file (or standard input) that text came from, kept so that a diagnostic can quote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name a user would type: the path as given, `-` for standard input.
    pub name: String,
    /// The whole text, as UTF-8 without a byte order mark.
    pub text: Arc<str>,
}

/// Index of a [`Source`] in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// Every text that took part in a project, in the order in which it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Adds a text and returns the id that its spans carry.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> SourceId {
        let id = SourceId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(Source { name: name.into(), text: text.into() });
        id
    }

    /// Returns the text of an id that this collection handed out.
    #[must_use]
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.files.get(id.0 as usize)
    }

    /// Iterates over the texts in reading order.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.files.iter()
    }

    /// Returns line and column of a span's start, both counted from 1, the column in characters.
    #[must_use]
    pub fn position(&self, span: Span) -> Option<Position> {
        let source = self.get(span.source)?;
        let before = source.text.get(..(span.start as usize).min(source.text.len()))?;
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Some(Position { line, column })
    }
}

/// A place in a text, both numbers counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line number.
    pub line: usize,
    /// Column in characters.
    pub column: usize,
}

/// A byte range of a [`Source`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Which text.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A value together with the place where the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

/// Whether a diagnostic stops the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The project cannot be used.
    Error,
    /// The manifest has a meaning, and `config` shows it, but it cannot be run: what starts containers stops
    /// here.
    Obstacle,
    /// The project can be used; the user probably meant something else.
    Warning,
}

/// A marked place with a word on why it is marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What to say at the place; may be empty for the primary label.
    pub text: String,
}

/// One finding about a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the run stops.
    pub severity: Severity,
    /// Which kind of finding it is.
    pub code: Code,
    /// What is wrong, in one line without a final period.
    pub what: String,
    /// Marked places; the first is the primary one.
    pub labels: Vec<Label>,
    /// What to do about it, a sentence each, shown after `help:`.
    pub help: Vec<String>,
    /// A text that would put it right, offered as a patch: replace `span` by the text.
    pub suggestion: Option<Spanned<String>>,
}

impl Diagnostic {
    /// Makes an error at one place.
    #[must_use]
    pub fn error(what: impl Into<String>, span: Span) -> Self {
        Self {
            severity: Severity::Error,
            code: Code::Value,
            what: what.into(),
            labels: vec![Label { span, text: String::new() }],
            help: Vec::new(),
            suggestion: None,
        }
    }

    /// Makes an obstacle at one place.
    #[must_use]
    pub fn obstacle(what: impl Into<String>, span: Span) -> Self {
        Self { severity: Severity::Obstacle, ..Self::error(what, span) }
    }

    /// Makes a warning at one place.
    #[must_use]
    pub fn warning(what: impl Into<String>, span: Span) -> Self {
        Self { severity: Severity::Warning, ..Self::error(what, span) }
    }

    /// Makes an error that belongs to no place in a text (a missing file, say).
    #[must_use]
    pub fn placeless(what: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: Code::Value,
            what: what.into(),
            labels: Vec::new(),
            help: Vec::new(),
            suggestion: None,
        }
    }

    /// Says which kind of finding it is, where it is no wrong value.
    #[must_use]
    pub const fn coded(mut self, code: Code) -> Self {
        self.code = code;
        self
    }

    /// Says something at the primary place.
    #[must_use]
    pub fn marked(mut self, text: impl Into<String>) -> Self {
        if let Some(label) = self.labels.first_mut() {
            label.text = text.into();
        }
        self
    }

    /// Marks a further place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds a way out.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Offers a replacement of a place's text.
    #[must_use]
    pub fn suggest(mut self, span: Span, text: impl Into<String>) -> Self {
        self.suggestion = Some(Spanned { value: text.into(), span });
        self
    }
}
