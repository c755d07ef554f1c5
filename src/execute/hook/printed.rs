//! What a command prints, line by line. What its own variables keep secret is starred out.

use crate::engine::Chunk;
use crate::project::{Hook, name};

/// Lines that are kept for a failure.
const LINES: usize = 20;
/// Bytes after which a line that does not end is shown as it is.
const LONGEST: usize = 16 * 1024;

/// What a command has printed.
pub(super) struct Printed {
    secrets: Vec<String>,
    /// The open lines of standard output and of standard error.
    open: [Vec<u8>; 2],
    last: Vec<String>,
}

impl Printed {
    /// Begins with the secrets that the command is given.
    pub(super) fn new(hook: &Hook) -> Self {
        let secrets = hook.environment.iter().filter(|(name, _)| name::is_secret(name));
        let lines = secrets.filter_map(|(_, value)| value.as_deref()).flat_map(str::lines);
        let mut secrets: Vec<String> = lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
        // A secret that is a part of another one would leave the rest of it.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets, open: [Vec::new(), Vec::new()], last: Vec::new() }
    }

    /// Takes a piece in, and returns the lines that it ends.
    pub(super) fn take(&mut self, chunk: &Chunk) -> Vec<String> {
        let (stream, bytes) = match chunk {
            Chunk::Out(bytes) => (0, bytes),
            Chunk::Err(bytes) => (1, bytes),
        };
        let mut lines = Vec::new();
        for byte in bytes {
            let open = &mut self.open[stream];
            if *byte != b'\n' {
                open.push(*byte);
            }
            if *byte == b'\n' || open.len() >= LONGEST {
                let line = std::mem::take(open);
                lines.push(self.keep(&line));
            }
        }
        lines
    }

    /// Returns the lines that have no end.
    pub(super) fn finish(&mut self) -> Vec<String> {
        let open = std::mem::take(&mut self.open);
        open.iter().filter(|line| !line.is_empty()).map(|line| self.keep(line)).collect()
    }

    fn keep(&mut self, line: &[u8]) -> String {
        let mut line = String::from_utf8_lossy(line).trim_end_matches('\r').to_owned();
        for secret in &self.secrets {
            line = line.replace(secret.as_str(), "***");
        }
        if self.last.len() >= LINES {
            self.last.remove(0);
        }
        self.last.push(line.clone());
        line
    }

    /// Returns the last lines.
    pub(super) fn into_last(self) -> Vec<String> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(environment: &[(&str, &str)]) -> Printed {
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect();
        Printed::new(&Hook { environment, ..Hook::default() })
    }

    #[test]
    fn lines_of_both_streams_stay_whole() {
        let mut printed = printed(&[]);
        let mut lines = Vec::new();
        for chunk in [Chunk::Out("a".into()), Chunk::Err("x\r\ny".into()), Chunk::Out("b\n\nc".into())] {
            lines.extend(printed.take(&chunk));
        }
        lines.extend(printed.finish());
        assert_eq!(lines, ["x", "ab", "", "c", "y"]);
        assert_eq!(printed.into_last(), ["x", "ab", "", "c", "y"]);
    }

    #[test]
    fn a_line_without_an_end_is_cut_and_only_the_last_lines_are_kept() {
        let mut printed = printed(&[]);
        let lines = printed.take(&Chunk::Out(vec![b'a'; LONGEST + 1].into()));
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [LONGEST]);
        for number in 0..100 {
            printed.take(&Chunk::Out(format!("{number}\n").into()));
        }
        assert_eq!(printed.into_last().len(), LINES);
    }

    #[test]
    fn what_the_commands_own_variables_keep_secret_is_not_shown() {
        let mut printed = printed(&[("DB_PASSWORD", "canary\nsong"), ("TOKEN", "can"), ("NAME", "open")]);
        let lines = printed.take(&Chunk::Out("canary open song can\n".into()));
        assert_eq!(lines, ["*** open *** ***"]);
    }
}
