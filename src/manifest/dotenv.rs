//! Files of environment variables: `.env`, `--env-file` and `env_file:`, as compose-go's `dotenv` package and
//! (in the raw format) Docker's `--env-file` read them.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::diagnostic::{Diagnostic, SourceId, Sources, Span};
use crate::manifest::interpolate::{FaultKind, expand, told, unset};
use crate::yaml::{Limits, decode};

/// How a file of variables is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Quotes, comments, `export`, variables in values.
    Compose,
    /// `NAME=VALUE`, the value to the end of the line as it stands (`format: raw`).
    Raw,
}

/// One variable of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Its name.
    pub name: String,
    /// Its value; of a name alone, what the lookup has.
    pub value: String,
    /// Where the name stands.
    pub span: Span,
}

/// Reads a file's bytes; its text is added to `sources` under `name`. `lookup` is asked for variables in values
/// before the file's own earlier lines, and for names that stand alone; those that it does not know are left
/// out. A name may come several times: the last counts.
pub fn read(
    sources: &mut Sources,
    name: &str,
    bytes: &[u8],
    format: Format,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> (Vec<Assignment>, Vec<Diagnostic>) {
    read_after(sources, name, bytes, format, lookup, &BTreeMap::new())
}

/// Reads a file as [`read`] does; what the files `before` it gave is asked last.
pub fn read_after(
    sources: &mut Sources,
    name: &str,
    bytes: &[u8],
    format: Format,
    lookup: &dyn Fn(&str) -> Option<String>,
    before: &BTreeMap<String, String>,
) -> (Vec<Assignment>, Vec<Diagnostic>) {
    match decode(sources, name, bytes, &Limits::default()) {
        (_, Err(problem)) => (Vec::new(), vec![*problem]),
        (source, Ok(text)) => parse_after(source, &text, format, lookup, before),
    }
}

/// Reads a text that no other goes before; see [`read`].
pub fn parse(
    source: SourceId,
    text: &str,
    format: Format,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> (Vec<Assignment>, Vec<Diagnostic>) {
    parse_after(source, text, format, lookup, &BTreeMap::new())
}

fn parse_after(
    source: SourceId,
    text: &str,
    format: Format,
    lookup: &dyn Fn(&str) -> Option<String>,
    before: &BTreeMap<String, String>,
) -> (Vec<Assignment>, Vec<Diagnostic>) {
    let mut parser = Parser {
        before,
        source,
        text,
        at: 0,
        lookup,
        earlier: HashMap::new(),
        found: Vec::new(),
        unset: Vec::new(),
        problems: Vec::new(),
    };
    match format {
        Format::Compose => while parser.statement() {},
        Format::Raw => parser.raw(),
    }
    parser.problems.extend(unset(&parser.unset));
    (parser.found, parser.problems)
}

/// Reads a text that is in `sources` already, as resolving wants it: names with their values.
pub fn env_file(
    sources: &Sources,
    source: SourceId,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> (Vec<(String, Option<String>)>, Vec<Diagnostic>) {
    let text = sources.get(source).map_or("", |source| &source.text);
    let (found, problems) = parse(source, text, Format::Compose, lookup);
    (found.into_iter().map(|one| (one.name, Some(one.value))).collect(), problems)
}

struct Parser<'a> {
    source: SourceId,
    text: &'a str,
    at: usize,
    lookup: &'a dyn Fn(&str) -> Option<String>,
    before: &'a BTreeMap<String, String>,
    earlier: HashMap<String, String>,
    found: Vec<Assignment>,
    unset: Vec<(String, Span)>,
    problems: Vec<Diagnostic>,
}

impl<'a> Parser<'a> {
    /// Reads one statement; false at the end of the text or after what cannot be read on.
    fn statement(&mut self) -> bool {
        self.at += self.rest().len() - self.rest().trim_start().len();
        if self.rest().is_empty() {
            return false;
        }
        if self.rest().starts_with('#') {
            self.skip_line();
            return true;
        }
        let Some((name, alone)) = self.name() else {
            self.skip_line();
            return true;
        };
        if alone {
            if let Some(value) = (self.lookup)(&self.text[name.clone()]) {
                self.assign(name, value);
            }
            return true;
        }
        match self.value() {
            Some(value) => self.assign(name, value),
            None => self.skip_line(),
        }
        true
    }

    /// Reads a name and what ends it; the flag says that nothing is assigned.
    fn name(&mut self) -> Option<(Range<usize>, bool)> {
        if let Some(after) = self.rest().strip_prefix("export")
            && after.starts_with(is_blank)
        {
            self.at += "export".len() + after.len() - after.trim_start_matches(is_blank).len();
        }
        let start = self.at;
        let rest = self.rest();
        let end = rest.find(['=', ':', '\n']).unwrap_or(rest.len());
        let written = rest[..end].trim_end();
        let name = start..start + written.len();
        let stray = written.char_indices().find(|(_, c)| !c.is_alphanumeric() && !"_.-[]".contains(*c));
        if let Some((offset, stray)) = stray {
            let at = start + offset;
            let span = self.span(at..at + stray.len_utf8());
            self.problems.push(stray_in_name(stray, span));
            return None;
        }
        if written.is_empty() {
            let span = self.span(start..start + 1);
            self.problems.push(Diagnostic::error("a variable's name is missing", span));
            return None;
        }
        let alone = !matches!(rest.as_bytes().get(end), Some(b'=' | b':'));
        self.at = start + end + usize::from(end < rest.len());
        Some((name, alone))
    }

    fn value(&mut self) -> Option<String> {
        self.at += self.rest().len() - self.rest().trim_start_matches(is_blank).len();
        match self.rest().as_bytes().first() {
            Some(quote @ (b'"' | b'\'')) => self.quoted(*quote),
            Some(_) | None => self.bare(),
        }
    }

    /// Reads to the end of the line or to a comment, which a space sets off.
    fn bare(&mut self) -> Option<String> {
        let start = self.at;
        let line = self.rest().split('\n').next().unwrap_or("");
        let value = line.split(" #").next().unwrap_or("").trim_end();
        // `A= # comment`: the blank in front of the comment was skipped already.
        let value = if value.starts_with('#') && self.text[..start].ends_with(is_blank) { "" } else { value };
        let expanded = self.expanded(value, Some(start));
        self.skip_line();
        expanded
    }

    fn quoted(&mut self, quote: u8) -> Option<String> {
        let start = self.at;
        let Some(length) = closing(self.rest(), quote) else {
            // The value may be a secret, and is not pointed at.
            let span = self.span(start..start + 1);
            self.problems.push(
                Diagnostic::error("a quoted value does not end", span)
                    .help("close it with the quote that opened it"),
            );
            self.at = self.text.len();
            return None;
        };
        let inner = &self.rest()[1..length];
        self.at = start + length + 1;
        if quote == b'\'' {
            return Some(inner.replace("\\'", "'"));
        }
        let unescaped = unescaped(inner);
        let place = (unescaped == inner).then_some(start + 1);
        self.expanded(&unescaped, place)
    }

    /// Puts variables into a value; `place` is where it stands, if it is written as it reads.
    fn expanded(&mut self, value: &str, place: Option<usize>) -> Option<String> {
        let whole = self.span(place.map_or(self.at..self.at, |at| at..at + value.len()));
        let earlier = |name: &str| {
            (self.lookup)(name).or_else(|| self.earlier.get(name).or_else(|| self.before.get(name)).cloned())
        };
        match expand(value, &earlier) {
            Ok(expansion) => {
                for (name, at) in expansion.unset {
                    let span = place.map_or(whole, |place| self.span(place + at.start..place + at.end));
                    self.unset.push((name, span));
                }
                Some(expansion.text)
            }
            Err(fault) => {
                let span =
                    place.map_or(whole, |place| self.span(place + fault.at.start..place + fault.at.end));
                self.problems.push(told(&fault.kind, span));
                // The variable itself was read; only a broken template makes the rest of the line unreadable.
                matches!(fault.kind, FaultKind::Required { .. }).then(String::new)
            }
        }
    }

    /// Reads lines of `NAME=VALUE` as they stand.
    fn raw(&mut self) {
        while !self.rest().is_empty() {
            let start = self.at;
            let line = self.rest().split('\n').next().unwrap_or("").trim_end_matches('\r');
            let indentation = line.len() - line.trim_start().len();
            let (name, value) = match line[indentation..].split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (line[indentation..].trim_end(), None),
            };
            let at = start + indentation..start + indentation + name.len();
            let comment = name.starts_with('#') || (name.is_empty() && value.is_none());
            if comment {
            } else if name.is_empty() {
                self.problems.push(Diagnostic::error(
                    "a variable's name is missing",
                    self.span(at.start..at.start + 1),
                ));
            } else if let Some(blank) = name.find(char::is_whitespace) {
                let span = self.span(at.start + blank..at.start + blank + 1);
                self.problems.push(
                    Diagnostic::error(format!("`{name}` has a blank in the variable's name"), span)
                        .help("the raw format knows neither `export` nor quotes"),
                );
            } else if let Some(value) = value.or_else(|| (self.lookup)(name)) {
                self.assign(at, value);
            }
            self.skip_line();
        }
    }

    fn assign(&mut self, name: Range<usize>, value: String) {
        let span = self.span(name.clone());
        let name = self.text[name].to_owned();
        self.earlier.insert(name.clone(), value.clone());
        self.found.push(Assignment { name, value, span });
    }

    fn skip_line(&mut self) {
        self.at += self.rest().find('\n').map_or(self.rest().len(), |newline| newline + 1);
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn span(&self, bytes: Range<usize>) -> Span {
        let narrow = |at: usize| u32::try_from(at.min(self.text.len())).unwrap_or(u32::MAX);
        Span { source: self.source, start: narrow(bytes.start), end: narrow(bytes.end) }
    }
}

fn stray_in_name(stray: char, span: Span) -> Diagnostic {
    let problem = Diagnostic::error(format!("`{stray}` cannot be in a variable's name"), span);
    match stray {
        '\'' | '"' => problem.help("a quote inside of a quoted value is written with a backslash"),
        _ if stray.is_whitespace() => problem.help("write `NAME=value`, one a line"),
        _ => problem.help("a name has letters, digits, `_`, `.` and `-`"),
    }
}

/// A blank within a line.
fn is_blank(character: char) -> bool {
    character != '\n' && character.is_whitespace()
}

/// Returns the offset of the quote that closes a value.
fn closing(text: &str, quote: u8) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            byte if byte == quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// Undoes the escapes of a shell's double quotes and of C. `\$` becomes `$$`, which stands for a dollar.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        let mut after = characters.clone();
        let replaced = match after.next() {
            Some('n') => "\n",
            Some('r') => "\r",
            Some('t') => "\t",
            Some('a') => "\u{7}",
            Some('b') => "\u{8}",
            Some('f') => "\u{c}",
            Some('v') => "\u{b}",
            Some('"') => "\"",
            Some('\\') => "\\",
            Some('$') => "$$",
            Some(_) | None => {
                out.push('\\');
                continue;
            }
        };
        out.push_str(replaced);
        characters = after;
    }
    out
}

#[cfg(test)]
mod tests;
