//! Makes text from machines harmless for a terminal. Log lines, unit names and engine messages come from
//! inside containers, and a terminal obeys what it is sent: titles, colours, answers typed back as input.
//!
//! Escape sequences are removed whole (ECMA-48), other control characters are shown in caret notation, and
//! the characters that reorder text (Unicode "bidi" controls) are shown by their number.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Longest line that is shown, in characters; the rest is cut off and counted.
pub const LINE_LIMIT: usize = 16 * 1024;

/// Where a reader of escape sequences is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Ordinary text.
    Text,
    /// Behind ESC.
    Escape,
    /// Behind ESC and an intermediate byte (`ESC ( B`).
    Intermediate,
    /// In a control sequence (`ESC [ … final`).
    Control,
    /// In a string (`ESC ] … BEL` or `ESC ] … ESC \`).
    String,
    /// Behind an ESC inside a string.
    StringEscape,
}

/// Returns a line that does nothing to a terminal but appear, without a line end. Text that is harmless
/// already is not copied.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    let text = text.trim_end_matches(['\n', '\r']);
    if text.len() <= LINE_LIMIT && text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(cut(&rewrite(text)))
}

/// Returns a line of bytes that does nothing to a terminal but appear; what is not UTF-8 becomes `�`.
#[must_use]
pub fn bytes(raw: &[u8]) -> String {
    line(&String::from_utf8_lossy(raw)).into_owned()
}

/// Returns text of several lines with each line made harmless.
#[must_use]
pub fn lines(text: &str) -> String {
    let clean: Vec<_> = text.lines().map(line).collect();
    clean.join("\n")
}

fn harmless(c: char) -> bool {
    c == '\t' || !(c.is_control() || reorders(c))
}

/// Characters that change the order in which a terminal shows its neighbours (UAX #9).
fn reorders(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn rewrite(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut state = State::Text;
    for c in text.chars() {
        state = step(state, c, &mut out);
    }
    out
}

/// Takes one character; only `State::Text` writes.
fn step(state: State, c: char, out: &mut String) -> State {
    match state {
        State::Text => plain(c, out),
        State::Escape => match c {
            '[' => State::Control,
            ']' | 'P' | 'X' | '^' | '_' => State::String,
            '\u{20}'..='\u{2f}' => State::Intermediate,
            '\u{1b}' => State::Escape,
            '\u{30}'..='\u{7e}' => State::Text,
            other => plain(other, out),
        },
        State::Intermediate => match c {
            '\u{20}'..='\u{2f}' => State::Intermediate,
            '\u{30}'..='\u{7e}' => State::Text,
            other => plain(other, out),
        },
        State::Control => match c {
            '\u{20}'..='\u{3f}' => State::Control,
            '\u{40}'..='\u{7e}' => State::Text,
            other => plain(other, out),
        },
        State::String => match c {
            '\u{07}' | '\u{9c}' => State::Text,
            '\u{1b}' => State::StringEscape,
            _ => State::String,
        },
        State::StringEscape => match c {
            '\\' => State::Text,
            '[' => State::Control,
            '\u{1b}' => State::StringEscape,
            _ => State::String,
        },
    }
}

fn plain(c: char, out: &mut String) -> State {
    match c {
        '\u{1b}' => return State::Escape,
        '\u{9b}' => return State::Control,
        '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => return State::String,
        // A carriage return inside a line is a progress display that overwrites itself.
        '\r' => out.push(' '),
        c if harmless(c) => out.push(c),
        '\u{7f}' => out.push_str("^?"),
        c if (c as u32) < 0x20 => {
            out.push('^');
            out.push(char::from_u32(c as u32 + 0x40).unwrap_or('?'));
        }
        c => drop(write!(out, "\\u{{{:x}}}", c as u32)),
    }
    State::Text
}

fn cut(text: &str) -> String {
    let mut places = text.char_indices().skip(LINE_LIMIT);
    match places.next() {
        None => text.to_owned(),
        Some((at, _)) => {
            let rest = 1 + places.count();
            format!("{} … {rest} more characters", text.get(..at).unwrap_or(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(line("Grüße\tan 世界 ✔\r\n"), Cow::Borrowed("Grüße\tan 世界 ✔")));
    }

    #[test]
    fn colours_titles_and_strings_are_removed_whole() {
        assert_eq!(line("[\u{1b}[0;32m  OK  \u{1b}[0m] Started"), "[  OK  ] Started");
        assert_eq!(line("a\u{1b}]0;title\u{7}b\u{1b}]52;c;aGk=\u{1b}\\c"), "abc");
        assert_eq!(line("\u{1b}(B\u{1b}7x\u{9b}31my"), "xy");
        assert_eq!(line("\u{1b}P1$qm\u{1b}\\z"), "z");
    }

    #[test]
    fn other_controls_are_shown() {
        assert_eq!(line("a\u{7}b\0c\u{7f}"), "a^Gb^@c^?");
        assert_eq!(line("10%\r20%"), "10% 20%");
        assert_eq!(line("user\u{202e}txt.exe"), "user\\u{202e}txt.exe");
    }

    #[test]
    fn a_sequence_that_never_ends_swallows_nothing_but_its_line() {
        assert_eq!(lines("a\u{1b}]0;never\nb\u{1b}[31\nc"), "a\nb\nc");
    }

    #[test]
    fn a_long_line_is_cut_and_counted() {
        let long = "x".repeat(LINE_LIMIT + 5);
        let shown = line(&long).into_owned();
        assert!(shown.ends_with("x … 5 more characters"), "{}", &shown[LINE_LIMIT - 3..]);
    }

    #[test]
    fn bytes_that_are_no_text_become_a_mark() {
        assert_eq!(bytes(b"a\xffb"), "a\u{fffd}b");
    }

    proptest! {
        #[test]
        fn whatever_comes_no_control_character_leaves(raw in proptest::collection::vec(any::<u8>(), 0..400)) {
            let shown = bytes(&raw);
            prop_assert!(shown.chars().all(harmless), "{shown:?}");
        }

        #[test]
        fn what_is_clean_stays_as_it_is(text in ".*") {
            let once = line(&text).into_owned();
            prop_assert_eq!(line(&once).into_owned(), once);
        }
    }
}
