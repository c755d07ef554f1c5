//! What a machine's console tells of its boot. Pure.
//!
//! systemd prints a status line for each unit that is up (`src/core/job.c`, `job_print_done_status_message`),
//! with colours where its console is a terminal; `[  OK  ]` means success.

/// Words of lines that say that a unit is down, not up (`src/core/job.c`, formats of stop jobs).
const DOWN: [&str; 7] =
    ["Stopped ", "Closed ", "Removed ", "Unmounted ", "Deactivated ", "Unset ", "Reloaded "];

/// The console of one boot, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Console {
    done: u32,
}

/// How far a boot is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Progress {
    /// Units that are up.
    pub(super) done: u32,
    /// The line.
    pub(super) line: String,
}

impl Console {
    /// Takes in a line. The first unit that is up shows that PID 1 has moved to its own cgroup, so that a
    /// command that is run inside cannot take its place there; lines before tell nothing.
    pub(super) fn take(&mut self, line: &[u8]) -> Option<Progress> {
        let line = plain(line);
        if line.is_empty() {
            return None;
        }
        if is_up(&line) {
            self.done += 1;
        }
        (self.done > 0).then_some(Progress { done: self.done, line })
    }
}

fn is_up(line: &str) -> bool {
    line.strip_prefix("[  OK  ] ").is_some_and(|text| !DOWN.iter().any(|word| text.starts_with(word)))
}

/// Takes colours and cursor movements out of a line, and what is no text. A line that was overwritten by a
/// carriage return shows what came last.
pub(super) fn plain(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut shown = String::new();
    let mut rest = text.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            '\x1b' => skip_escape(&mut rest),
            '\r' => {
                if rest.peek().is_some() {
                    shown.clear();
                }
            }
            '\t' => shown.push(' '),
            char if char.is_control() => {}
            char => shown.push(char),
        }
    }
    shown.trim_end().to_owned()
}

/// Skips the rest of a control sequence (ECMA-48): `[` up to a letter, `]` up to its end, else one or two characters.
fn skip_escape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.next() {
        Some('[') => {
            rest.by_ref().find(|char| ('@'..='~').contains(char));
        }
        // An operating system command ends with BEL or ESC \.
        Some(']') => {
            if rest.by_ref().find(|char| matches!(char, '\x07' | '\x1b')) == Some('\x1b') {
                rest.next();
            }
        }
        // A character set: one more character names it.
        Some('(' | ')') => {
            rest.next();
        }
        Some(_) | None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_that_are_up_are_counted_and_those_that_are_down_are_not() {
        let mut console = Console::default();
        assert_eq!(console.take(b"Welcome to \x1b[1mDebian\x1b[0m!"), None);
        assert_eq!(
            console.take(b"[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mJournal Service\x1b[0m."),
            Some(Progress { done: 1, line: "[  OK  ] Started Journal Service.".into() })
        );
        assert_eq!(console.take(b"         Starting \x1b[0;1;39mnginx\x1b[0m...").map(|it| it.done), Some(1));
        assert_eq!(console.take(b"[  OK  ] Reached target Basic System.").map(|it| it.done), Some(2));
        assert_eq!(console.take(b"[  OK  ] Stopped target Basic System.").map(|it| it.done), Some(2));
        assert_eq!(console.take(b"[FAILED] Failed to start x.").map(|it| it.done), Some(2));
        assert_eq!(console.take(b"\r"), None);
    }

    #[test]
    fn nothing_that_moves_a_terminal_is_left_in_a_line() {
        assert_eq!(plain(b"\x1b]0;title\x07a\x1b[2Kb\x1b]8;;x\x1b\\c\x1b(Bd\0"), "abcd");
        assert_eq!(plain(b"spinner 1\rdone\r"), "done");
        assert_eq!(plain(b"\x1b[?7l\x1b["), "");
        assert_eq!(plain(b"\xff\xfe"), "\u{fffd}\u{fffd}");
    }
}
