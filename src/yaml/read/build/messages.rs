//! What reading says to a person. One function per finding.

use crate::diagnostic::{Code, Diagnostic, SourceId, Span};
use crate::yaml::events::{Rule, SyntaxError};
use crate::yaml::{Entry, Limits};

pub(super) fn too_deep(span: Span, limits: &Limits) -> Diagnostic {
    Diagnostic::error(format!("nested deeper than {} levels", limits.depth), span).coded(Code::Limit)
}

pub(super) fn expansion(span: Span, limits: &Limits) -> Diagnostic {
    Diagnostic::error(format!("aliases expand to more than {} nodes", limits.expansion), span)
        .coded(Code::Limit)
        .help("an alias repeats everything below its anchor; aliases of aliases multiply")
}

pub(super) fn contains_itself(span: Span, start: Span, name: &str) -> Diagnostic {
    Diagnostic::error(format!("anchor `{name}` contains itself"), span)
        .coded(Code::Alias)
        .marked("the alias stands inside of what it names")
        .also(start, "which starts here")
}

pub(super) fn unknown_alias(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error(format!("no anchor `{name}` before this place"), span)
        .coded(Code::Alias)
        .help(format!("an anchor is written before its first alias: `key: &{name} value`"))
        .help(format!("if this is no alias but a text that starts with an asterisk, quote it: \"*{name}\""))
}

pub(super) fn unknown_tag(span: Span, written: &str) -> Diagnostic {
    Diagnostic::error(format!("unknown tag `{written}`"), span)
        .coded(Code::UnknownTag)
        .help("known tags are `!reset`, `!override` and YAML's own, such as `!!str`")
        .help("if this is no tag but a text that starts with an exclamation mark, quote it")
}

pub(super) fn repeated(entry: &Entry, first: Span) -> Diagnostic {
    if &*entry.key == "<<" && entry.key_plain {
        return Diagnostic::error("`<<` given twice in one mapping", entry.key_span)
            .coded(Code::DuplicateKey)
            .also(first, "first given here")
            .help("name several anchors in one list: `<<: [*one, *two]`");
    }
    Diagnostic::error(format!("`{}` given twice in one mapping", entry.key), entry.key_span)
        .coded(Code::DuplicateKey)
        .marked("given again")
        .also(first, "first given here")
}

/// Says which rule of YAML a text broke.
pub(super) fn syntax(source: SourceId, text: &str, error: &SyntaxError, limits: &Limits) -> Diagnostic {
    let at = floor(text, error.at);
    let here = span(source, at, next(text, at));
    if let Some(tab) = leading_tab(text, at) {
        return Diagnostic::error("tab used for indentation", span(source, tab, tab + 1))
            .coded(Code::Syntax)
            .help("use spaces");
    }
    let problem = match &error.rule {
        Rule::Nesting => return too_deep(here, limits),
        Rule::Tab => Diagnostic::error("a tab stands where YAML wants spaces", here).help("use spaces"),
        Rule::OpenQuote => Diagnostic::error("a quoted text does not end", here)
            .help("close it with the quote that opened it"),
        Rule::OpenBracket(open) => {
            let close = if *open == '[' { ']' } else { '}' };
            Diagnostic::error(format!("`{open}` is not closed by `{close}`"), here)
        }
        Rule::UnexpectedValue => Diagnostic::error("a mapping cannot start here", here)
            .help("quote a text that contains `: `, and check the indentation of this line"),
        Rule::OtherBracket(open, close) => {
            Diagnostic::error(format!("`{open}` is closed by `{close}`"), here)
        }
        Rule::Indentation => Diagnostic::error("this line is indented as none before it", here)
            .help("keys of one mapping start in the same column"),
        Rule::NoItem => Diagnostic::error("this line does not go on with the list above", here)
            .help("items of one list start with `- ` in the same column"),
        Rule::ReservedCharacter(character) => {
            Diagnostic::error(format!("a text cannot start with `{character}`"), here).help("quote it")
        }
        Rule::Other(words) => Diagnostic::error(format!("this is not YAML: {words}"), here),
    };
    problem.coded(Code::Syntax)
}

/// Finds a tab in the indentation of the line of `at` or of the line before it, which is where parsers stop
/// after having met one.
fn leading_tab(text: &str, at: usize) -> Option<usize> {
    let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let before = text[..line.saturating_sub(1)].rfind('\n').map_or(0, |newline| newline + 1);
    [line, before].into_iter().find_map(|start| {
        let rest = &text[start..];
        let indentation = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        rest[..indentation].find('\t').map(|tab| start + tab)
    })
}

/// Moves a byte offset back to the start of its character.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Returns the end of the character at `at`; at a line's end, `at` itself.
fn next(text: &str, at: usize) -> usize {
    text[at..].chars().next().filter(|c| *c != '\n').map_or(at, |c| at + c.len_utf8())
}

fn span(source: SourceId, start: usize, end: usize) -> Span {
    let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { source, start: narrow(start), end: narrow(end) }
}
