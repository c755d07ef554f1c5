//! The terminal that the user sits at: its size, and its raw mode, which is undone on every way out.

use std::io::{self, IsTerminal};

use rustix::termios::{self, OptionalActions, Termios};

/// Returns columns and rows of the terminal at standard output, or at standard error; `None` without one, or
/// where it does not know its size.
pub(super) fn size() -> Option<(u16, u16)> {
    let of = |size: rustix::io::Result<termios::Winsize>| {
        size.ok().filter(|size| size.ws_col > 0 && size.ws_row > 0).map(|size| (size.ws_col, size.ws_row))
    };
    of(termios::tcgetwinsize(io::stdout())).or_else(|| of(termios::tcgetwinsize(io::stderr())))
}

/// Returns the width that tables on standard output should fit into; `None` where they go to a file.
pub(super) fn width() -> Option<u16> {
    if io::stdout().is_terminal() { size().map(|(columns, _)| columns) } else { None }
}

/// Returns the number of rows for live progress.
pub(super) fn rows() -> u16 {
    size().map_or(24, |(_, rows)| rows)
}

/// Standard input in raw mode; dropping it puts the terminal back as it was, also when a panic unwinds.
pub(super) struct RawMode {
    before: Termios,
}

impl RawMode {
    /// Switches standard input to raw mode: every key goes to the machine, also Ctrl-C.
    ///
    /// # Errors
    /// Standard input is no terminal.
    pub(super) fn enter() -> io::Result<Self> {
        let before = termios::tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(io::stdin(), OptionalActions::Drain, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // Where the terminal is gone there is nothing to put back.
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
