//! The only place that knows the YAML parser: its events with byte spans, in our own words.
//!
//! Nothing here builds nodes or judges what was written, except the syntax itself.

use std::borrow::Cow;
use std::ops::Range;

use granit_parser::{
    ErrorKind, Event as Raw, Parser, ScalarStyle, ScanError, Span as RawSpan, StrInput, Tag,
};

use super::Limits;

/// One event of a stream, with the bytes it was made of.
#[derive(Debug)]
pub(super) struct Event<'text> {
    /// What it is.
    pub(super) kind: Kind<'text>,
    /// Where it stands; empty for the start of a block collection and for the end of any.
    pub(super) bytes: Range<usize>,
}

/// What an event is.
#[derive(Debug)]
pub(super) enum Kind<'text> {
    /// A document ends.
    DocumentEnd,
    /// A name for a node that was written before.
    Alias(usize),
    /// An alias whose anchor was not written before it.
    UnknownAlias(Cow<'text, str>),
    /// A scalar.
    Scalar {
        /// Its text after quotes and escapes are undone.
        text: Cow<'text, str>,
        /// Whether it stands without quotes and is no block scalar.
        plain: bool,
        /// Tag and anchor.
        marks: Marks<'text>,
    },
    /// A list starts.
    SequenceStart(Marks<'text>),
    /// A mapping starts.
    MappingStart(Marks<'text>),
    /// The innermost list or mapping ends.
    CollectionEnd,
}

/// What can stand before a node.
#[derive(Debug, Default)]
pub(super) struct Marks<'text> {
    /// The anchor, where there is one.
    pub(super) anchor: Option<Anchor<'text>>,
    /// The tag with the bytes it was made of, where there is one.
    pub(super) tag: Option<(TagName, Range<usize>)>,
}

/// A name given to a node.
#[derive(Debug)]
pub(super) struct Anchor<'text> {
    /// Its number: aliases carry it, and a name that is given again has a new one.
    pub(super) id: usize,
    /// The name, without the ampersand.
    pub(super) name: Cow<'text, str>,
}

/// A tag, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TagName {
    /// The lone `!`, which says "not to be typed".
    NonSpecific,
    /// One of YAML's own types: `str`, `int`, `float`, `bool`, `null`, `seq`, `map`.
    Own(String),
    /// Any other, as written, with its exclamation mark.
    Local(String),
}

/// Why a text is not YAML.
#[derive(Debug)]
pub(super) struct SyntaxError {
    /// Where reading stopped.
    pub(super) at: usize,
    /// Which rule was broken.
    pub(super) rule: Rule,
}

/// The rules that deserve words of their own; the rest is told by the parser.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Collections are nested too deeply.
    Nesting,
    /// A tab stands where only spaces may.
    Tab,
    /// A quoted text does not end.
    OpenQuote,
    /// `[` or `{` is not closed.
    OpenBracket(char),
    /// A second `:` on a line, or a value where none can be.
    UnexpectedValue,
    /// A bracket is closed by one of the other kind.
    OtherBracket(char, char),
    /// A line does not fit the indentation of the mapping that it stands in.
    Indentation,
    /// A line does not fit the list that it stands in.
    NoItem,
    /// `@`, `` ` `` or `%` starts a text without quotes.
    ReservedCharacter(char),
    /// Anything else, in the parser's words.
    Other(String),
}

/// The events of one text.
pub(super) struct Events<'text> {
    parser: Parser<'text, StrInput<'text>>,
}

impl<'text> Events<'text> {
    /// Starts reading a text that holds no control characters.
    pub(super) fn new(text: &'text str, limits: &Limits) -> Self {
        // One level more than allowed, so that the level itself can be named at its place.
        let depth = limits.depth + 1;
        let options = granit_parser::options! {
            emit_unresolved_aliases: true,
            emit_anchor_events: true,
            emit_comments: false,
            flow_nesting_limit: depth,
            block_nesting_limit: depth,
            simple_key_max_lookahead: 16 * 1024,
        };
        Self { parser: Parser::new_from_str_with_options(text, options) }
    }

    /// Returns the next event that matters for the tree.
    pub(super) fn next(&mut self) -> Option<Result<Event<'text>, SyntaxError>> {
        loop {
            let (event, span) = match self.parser.next_event()? {
                Ok(next) => next,
                Err(error) => return Some(Err(syntax_error(&error))),
            };
            let anchor = match self.anchor(&event) {
                Ok(anchor) => anchor,
                Err(error) => return Some(Err(error)),
            };
            if let Some(kind) = kind(event, span, anchor) {
                let bytes = span.byte_range().unwrap_or(0..0);
                return Some(Ok(Event { kind, bytes }));
            }
        }
    }

    /// Takes the event that names a node's anchor; the parser emits it right behind the node's own.
    fn anchor(&mut self, event: &Raw<'text>) -> Result<Option<Anchor<'text>>, SyntaxError> {
        let Some(id) = event.anchor_id() else { return Ok(None) };
        match self.parser.next_event() {
            Some(Ok((Raw::Anchor(_, name), _))) => Ok(Some(Anchor { id, name })),
            Some(Err(error)) => Err(syntax_error(&error)),
            Some(Ok(_)) | None => Ok(None),
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the parser's open list of events")]
fn kind<'text>(event: Raw<'text>, span: RawSpan, anchor: Option<Anchor<'text>>) -> Option<Kind<'text>> {
    Some(match event {
        Raw::DocumentEnd => Kind::DocumentEnd,
        Raw::Alias(id) => Kind::Alias(id),
        Raw::UnresolvedAlias(name) => Kind::UnknownAlias(name),
        Raw::Scalar(text, style, _, tag) => Kind::Scalar {
            text,
            plain: style == ScalarStyle::Plain,
            marks: marks(anchor, tag.as_deref(), span),
        },
        Raw::SequenceStart(_, _, tag) => Kind::SequenceStart(marks(anchor, tag.as_deref(), span)),
        Raw::MappingStart(_, _, tag) => Kind::MappingStart(marks(anchor, tag.as_deref(), span)),
        Raw::SequenceEnd | Raw::MappingEnd => Kind::CollectionEnd,
        // Starts of stream and documents carry no node, nor does any event that the parser learns later.
        _ => return None,
    })
}

fn marks<'text>(anchor: Option<Anchor<'text>>, tag: Option<&Tag>, span: RawSpan) -> Marks<'text> {
    let tag = tag.map(|tag| {
        let bytes = span.tag_span().and_then(|span| span.byte_range()).unwrap_or(0..0);
        (tag_name(tag), bytes)
    });
    Marks { anchor, tag }
}

fn tag_name(tag: &Tag) -> TagName {
    if let Some(own) = tag.core_suffix() {
        return TagName::Own(own.to_owned());
    }
    match tag.original().as_str() {
        "!" => TagName::NonSpecific,
        // YAML 1.1's name for what `<<` is, which some tools write in front of it.
        "!!merge" => TagName::Own("merge".to_owned()),
        written => TagName::Local(written.to_owned()),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the parser's open list of 70 rules; few need our words")]
fn syntax_error(error: &ScanError) -> SyntaxError {
    let rule = match error.kind() {
        ErrorKind::RecursionLimitExceeded => Rule::Nesting,
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => Rule::Tab,
        ErrorKind::UnclosedQuotedScalar => Rule::OpenQuote,
        ErrorKind::UnclosedFlowCollection { open } => Rule::OpenBracket(*open),
        ErrorKind::UnexpectedEofFlowSequence => Rule::OpenBracket('['),
        ErrorKind::UnexpectedEofFlowMapping => Rule::OpenBracket('{'),
        ErrorKind::MappingValueNotAllowed => Rule::UnexpectedValue,
        ErrorKind::InvalidIndentation | ErrorKind::ExpectedBlockMappingKey => Rule::Indentation,
        ErrorKind::ExpectedBlockSequenceEntry => Rule::NoItem,
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => Rule::OtherBracket(*open, *close),
        ErrorKind::UnexpectedCharacter { character } => Rule::ReservedCharacter(*character),
        _ => Rule::Other(error.info()),
    };
    SyntaxError { at: error.marker().byte_offset().unwrap_or(0), rule }
}
