//! Whether bytes are text, and text that YAML allows, said with the place of the first byte that is not.

use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, SourceId, Sources, Span};
use crate::yaml::Limits;

/// Adds a file's text to `sources`, without its byte order mark; an empty one where the bytes are no text.
///
/// # Errors
/// Says that the file is too large, in another encoding, or not UTF-8, with the place of the first such byte.
pub fn decode(
    sources: &mut Sources,
    name: &str,
    bytes: &[u8],
    limits: &Limits,
) -> (SourceId, Result<Arc<str>, Box<Diagnostic>>) {
    if bytes.len() > limits.file {
        let what = format!("`{name}` is larger than {} MiB", limits.file >> 20);
        return (sources.add(name, ""), Err(Diagnostic::placeless(what).coded(Code::Limit).into()));
    }
    if let Some(encoding) = foreign_encoding(bytes) {
        let problem =
            Diagnostic::placeless(format!("`{name}` is {encoding}, not UTF-8")).coded(Code::Encoding);
        return (sources.add(name, ""), Err(problem.help("save the file as UTF-8").into()));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let text: Arc<str> = text.into();
            (sources.add(name, Arc::clone(&text)), Ok(text))
        }
        Err(error) => {
            let (source, problem) = not_utf8(sources, name, bytes, error.valid_up_to());
            (source, Err(problem.into()))
        }
    }
}

/// Says which is the first character of a text that YAML does not allow, and returns the text with a question mark
/// for each byte of such characters: the rest is then read at its own places.
pub(super) fn unprintable(source: SourceId, text: &str) -> Option<(Diagnostic, Arc<str>)> {
    let (at, character) = control_character(text)?;
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unprintable(character) {
            printable.extend(std::iter::repeat_n('?', character.len_utf8()));
        } else {
            printable.push(character);
        }
    }
    Some((control(source, at, character), printable.into()))
}

/// Whether YAML 1.2.2 §5.1 does not count a character as printable.
const fn is_unprintable(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}')
        || matches!(c, '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
}

/// Names the encodings that editors of other systems write, by their first bytes (YAML 1.2.2, §5.2).
fn foreign_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x00, 0x00, 0xfe, 0xff, ..] | [0xff, 0xfe, 0x00, 0x00, ..] | [0, 0, 0, 1..=255, ..] => {
            Some("UTF-32")
        }
        [1..=255, 0, 0, 0, ..] => Some("UTF-32"),
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, 1..=255, 0, 1..=255, ..] | [1..=255, 0, 1..=255, 0, ..] => {
            Some("UTF-16")
        }
        _ => None,
    }
}

fn not_utf8(sources: &mut Sources, name: &str, bytes: &[u8], at: usize) -> (SourceId, Diagnostic) {
    // Up to `at` the lossy text equals the bytes, so that the place is right.
    let source = sources.add(name, String::from_utf8_lossy(bytes));
    let byte = bytes.get(at).copied().unwrap_or(0);
    let span = span(source, at, at + '\u{fffd}'.len_utf8());
    let problem = Diagnostic::error(format!("invalid UTF-8 at byte {at}: 0x{byte:02X}"), span)
        .coded(Code::Encoding)
        .help("save the file as UTF-8; the byte looks like Latin-1 or Windows-1252");
    (source, problem)
}

/// Finds the first character that YAML 1.2.2 §5.1 does not count as printable.
fn control_character(text: &str) -> Option<(usize, char)> {
    let suspicious = |byte: &u8| (*byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || *byte == 0x7f;
    let ascii = text.as_bytes().iter().position(suspicious).map(|at| (at, char::from(text.as_bytes()[at])));
    // C1 controls, U+FFFE and U+FFFF are rare: two lead bytes tell whether a closer look is needed.
    let closer = text.as_bytes().windows(2).any(|pair| matches!(pair, [0xc2, 0x80..=0x9f] | [0xef, 0xbf]));
    let wide =
        if closer { text.char_indices().find(|(_, c)| !c.is_ascii() && is_unprintable(*c)) } else { None };
    match (ascii, wide) {
        (Some(ascii), Some(wide)) => Some(if ascii.0 < wide.0 { ascii } else { wide }),
        (found, None) | (None, found) => found,
    }
}

fn control(source: SourceId, at: usize, character: char) -> Diagnostic {
    let what = format!("control character U+{:04X}", u32::from(character));
    let marked = Diagnostic::error(what, span(source, at, at + character.len_utf8())).coded(Code::Encoding);
    match character {
        '\0' => marked.help("a text file holds no NUL; is this a binary file?"),
        _ => marked
            .help(format!("remove it, or write it as \"\\x{:02x}\" in double quotes", u32::from(character))),
    }
}

fn span(source: SourceId, start: usize, end: usize) -> Span {
    let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { source, start: narrow(start), end: narrow(end) }
}
