//! A command written as one text, taken apart as Compose takes it apart.
//!
//! Compose uses mattn/go-shellwords with its shell features off (the source of the rules below, checked
//! against Docker Compose 2.40): the text ends, silently, at the first unquoted `|`, `&`, `;`, `<` or `>`,
//! even inside a word; `` `…` `` and `$(…)` are kept as they are, blanks included; any other `(` or `)` is an
//! error; `#` means nothing special.

/// What came of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The words.
    pub words: Vec<String>,
    /// The part that was left out, from an unquoted operator on; empty where the whole text was taken.
    pub left_out: String,
}

/// What the reader is inside of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    SingleQuotes,
    DoubleQuotes,
    Backticks,
    Substitution,
}

/// Splits a text into words.
///
/// # Errors
/// Says in a few words what is wrong (`the quote is not closed`).
pub fn split(text: &str) -> Result<CommandLine, String> {
    let mut words = Vec::new();
    // `None` between words: an empty word needs quotes.
    let mut word: Option<String> = None;
    let mut inside = Inside::Nothing;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (inside, c) {
            (Inside::SingleQuotes, '\'') | (Inside::DoubleQuotes, '"') => inside = Inside::Nothing,
            (_, '\\') if inside != Inside::SingleQuotes => {
                let Some((_, next)) = chars.next() else {
                    return Err("nothing stands behind the last backslash".to_owned());
                };
                let word = word.get_or_insert_default();
                if matches!(inside, Inside::Backticks | Inside::Substitution) {
                    word.extend(['\\', next]);
                } else {
                    word.push(match next {
                        't' => '\t',
                        'n' => '\n',
                        other => other,
                    });
                }
            }
            (Inside::Backticks, c) => {
                if c == '`' {
                    inside = Inside::Nothing;
                }
                word.get_or_insert_default().push(c);
            }
            (Inside::Substitution, '(') => return Err("`(` inside `$(…)` needs quotes".to_owned()),
            (Inside::Substitution, c) => {
                if c == ')' {
                    inside = Inside::Nothing;
                }
                word.get_or_insert_default().push(c);
            }
            (Inside::Nothing, '\'' | '"') => {
                inside = if c == '"' { Inside::DoubleQuotes } else { Inside::SingleQuotes };
                word.get_or_insert_default();
            }
            (Inside::Nothing, ' ' | '\t' | '\r' | '\n') => words.extend(word.take()),
            (Inside::Nothing, '`') => {
                inside = Inside::Backticks;
                word.get_or_insert_default().push(c);
            }
            (Inside::Nothing, '(') if word.as_deref().is_some_and(|word| word.ends_with('$')) => {
                inside = Inside::Substitution;
                word.get_or_insert_default().push(c);
            }
            (Inside::Nothing, '(' | ')') => return Err(format!("`{c}` needs quotes")),
            (Inside::Nothing, '|' | '&' | ';' | '<' | '>') => {
                // A number before `>` names a stream and goes with it.
                if c == '>' && word.as_deref().is_some_and(is_number) {
                    word = None;
                }
                words.extend(word);
                return Ok(CommandLine { words, left_out: text.get(at..).unwrap_or_default().to_owned() });
            }
            (Inside::Nothing | Inside::SingleQuotes | Inside::DoubleQuotes, c) => {
                word.get_or_insert_default().push(c);
            }
        }
    }
    match inside {
        Inside::Nothing => {
            words.extend(word);
            Ok(CommandLine { words, left_out: String::new() })
        }
        Inside::SingleQuotes | Inside::DoubleQuotes => Err("the quote is not closed".to_owned()),
        Inside::Backticks => Err("the backtick is not closed".to_owned()),
        Inside::Substitution => Err("`$(` is not closed".to_owned()),
    }
}

/// Joins words to a line that a shell takes apart into the same words.
#[must_use]
pub fn join(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// Quotes a word where a shell would take it for something else.
fn quoted(word: &str) -> String {
    let harmless = |letter: char| letter.is_ascii_alphanumeric() || "_-./:=@%+,".contains(letter);
    if !word.is_empty() && word.chars().all(harmless) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        split(text).unwrap().words
    }

    #[test]
    fn words_and_quotes_follow_compose() {
        assert_eq!(words("sh -c \"echo $HOME 'a b'\" # c"), ["sh", "-c", "echo $HOME 'a b'", "#", "c"]);
        assert_eq!(words("a\\b \\$x \"q\\\"z\" 'w'"), ["ab", "$x", "q\"z", "w"]);
        assert_eq!(words("a \\ b c"), ["a", " b", "c"]);
        assert_eq!(words("a `b c` $(d e)"), ["a", "`b c`", "$(d e)"]);
        assert_eq!(words("a\\tb ''"), ["a\tb", ""]);
    }

    #[test]
    fn the_text_ends_at_an_operator_and_says_so() {
        let taken = split("a --url=http://h/?x=1&y=2 z").unwrap();
        assert_eq!(taken.words, ["a", "--url=http://h/?x=1"]);
        assert_eq!(taken.left_out, "&y=2 z");
        assert_eq!(words("a 2>&1 b"), ["a"]);
        assert_eq!(words("a 'x && y' && z"), ["a", "x && y"]);
    }

    #[test]
    fn joined_words_can_be_pasted_into_a_shell() {
        let joined = |words: &[&str]| join(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        assert_eq!(joined(&["cat", "/etc/a.conf", "", "it's $HOME"]), r"cat /etc/a.conf '' 'it'\''s $HOME'");
    }

    #[test]
    fn unbalanced_texts_are_refused() {
        assert_eq!(split("echo 'a"), Err("the quote is not closed".to_owned()));
        assert_eq!(split("a (b)"), Err("`(` needs quotes".to_owned()));
        assert_eq!(split("a `b"), Err("the backtick is not closed".to_owned()));
        assert_eq!(split("a\\"), Err("nothing stands behind the last backslash".to_owned()));
    }

    proptest! {
        #[test]
        fn quoted_words_come_back(list in prop::collection::vec("[^\\\\\"]{0,8}", 0..5)) {
            let text = list.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(words(&text), list);
        }

        #[test]
        fn any_text_is_split_without_panic(text in "\\PC*") {
            let _ = split(&text);
        }
    }
}
