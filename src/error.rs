//! What ends a command, and the exit codes, documented here and nowhere else:
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | a step failed, the engine refused, or the user was asked and said no |
//! | 2 | the manifest or the command line is wrong; nothing was done |
//! | 3 | `plan --exit-code`: there is something to do |
//! | 4 | a condition was not met in time |
//! | 130, 143 | interrupted by SIGINT, SIGTERM |
//!
//! `exec` and `systemctl` pass on the exit code of what they ran.

use std::error::Error as _;
use std::io;

use crate::engine::EngineError;
use crate::plan::Refusal;
use crate::report::human::{self, BAD};
use crate::report::sanitize;

/// Why a command did not end with 0.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manifest is wrong; the text is the rendered diagnostics.
    #[error("the manifest is wrong")]
    Manifest(String),
    /// The command line asks for something that cannot be.
    #[error("{what}")]
    Usage {
        /// What cannot be, one line.
        what: String,
        /// The way out, a sentence each.
        help: Vec<String>,
    },
    /// The user was asked, and said no.
    #[error("nothing was done")]
    Declined,
    /// Something cannot be planned; nothing was touched.
    #[error("nothing was done")]
    Refused(Vec<Refusal>),
    /// The engine did not do what was asked.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Something on this side failed.
    #[error("{what}")]
    Local {
        /// What was done, one line.
        what: String,
        /// What the system said.
        #[source]
        cause: io::Error,
        /// The way out, a sentence each.
        help: Vec<String>,
    },
    /// Another process changes the same project.
    #[error("{what}")]
    Busy {
        /// Who.
        what: String,
    },
    /// Steps failed; they were told while they ran.
    #[error("steps failed")]
    Steps {
        /// Whether it was the time that ran out.
        timed_out: bool,
    },
    /// All steps were done, and a new look asks for more.
    #[error("somebody else changes the project at the same time")]
    NotConverged,
    /// `plan --exit-code`: there is something to do.
    #[error("there is something to do")]
    Drift,
    /// The run was interrupted; that was told.
    #[error("interrupted")]
    Interrupted(Interrupt),
    /// A command inside a machine ended with this code.
    #[error("the command ended with {0}")]
    Passed(u8),
    /// Standard output cannot be written.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

/// What interrupted a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Ctrl-C.
    Int,
    /// A polite kill.
    Term,
}

impl Error {
    /// Makes an error of the command line.
    #[must_use]
    pub fn usage(what: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), help: Vec::new() }
    }

    /// Makes an error of this side.
    #[must_use]
    pub fn local(what: impl Into<String>, cause: io::Error) -> Self {
        Self::Local { what: what.into(), cause, help: Vec::new() }
    }

    /// Adds a way out, where this kind of error shows one.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        if let Self::Usage { what: _, help } | Self::Local { what: _, cause: _, help } = &mut self {
            help.push(text.into());
        }
        self
    }

    /// Returns the exit code.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Manifest(_) | Self::Usage { .. } => 2,
            Self::Steps { timed_out } => 1 + 3 * u8::from(*timed_out),
            Self::Drift => 3,
            Self::Busy { .. } => 4,
            Self::Interrupted(Interrupt::Int) => 130,
            Self::Interrupted(Interrupt::Term) => 143,
            Self::Passed(code) => *code,
            // Whoever reads has read enough (`| head`): that is no failure.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::NotConverged
            | Self::Declined
            | Self::Refused(_)
            | Self::Engine(_)
            | Self::Local { .. }
            | Self::Output(_) => 1,
        }
    }

    /// Returns what is said of it: one block, the causes once each; `None` where all was said before.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            // What programs read has been told on standard output.
            Self::Manifest(text) if text.is_empty() => None,
            Self::Manifest(text) => Some(text.trim_end().to_owned()),
            Self::Usage { what, help } => Some(block(what, &[], help)),
            Self::Declined => Some("nothing was done; `--yes` goes on without a question".to_owned()),
            Self::Refused(refusals) => Some(refusals.iter().map(refusal).collect::<Vec<_>>().join("\n")),
            Self::Engine(error) => Some(engine(error)),
            Self::Local { what, cause, help } => Some(block(what, &[cause.to_string()], help)),
            Self::Busy { what } => Some(block(what, &[], &["wait for it, or end it".to_owned()])),
            Self::NotConverged => Some(block(
                "all steps were done, and yet the project is not as the manifest says",
                &["somebody else, or an earlier command that was cut off, changes it at the same time"
                    .to_owned()],
                &["`sdcompose plan` shows what is left; run `sdcompose up` again".to_owned()],
            )),
            Self::Steps { .. } | Self::Drift | Self::Interrupted(_) | Self::Passed(_) => None,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            Self::Output(error) => Some(block("cannot write the output", &[error.to_string()], &[])),
        }
    }
}

fn refusal(refusal: &Refusal) -> String {
    let Refusal { service, what, help } = refusal;
    match service {
        Some(service) => block(&format!("{service}: {what}"), &[], help),
        None => block(what, &[], help),
    }
}

fn engine(error: &EngineError) -> String {
    let what = error.to_string();
    match error {
        EngineError::Unreachable { endpoint: _, cause, help } => {
            block(&what, std::slice::from_ref(cause), help)
        }
        EngineError::Unknown { .. } | EngineError::TimedOut { .. } => {
            block(&what, &chain(error), &["run the command again: it goes on from what is there".to_owned()])
        }
        EngineError::Refused { .. } | EngineError::Garbled { .. } | EngineError::Local { .. } => {
            block(&what, &chain(error), &[])
        }
    }
}

/// Returns the sources of an error, outermost first, without those that only repeat the one above.
fn chain(error: &EngineError) -> Vec<String> {
    let mut causes = Vec::new();
    let mut above = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !above.contains(&text) {
            causes.push(text.clone());
        }
        (above, next) = (text, cause.source());
    }
    causes
}

fn block(what: &str, causes: &[String], help: &[String]) -> String {
    let mut out = vec![format!("{} {}", human::styled(BAD, "error:"), sanitize::lines(what))];
    out.extend(causes.iter().map(|cause| format!("  caused by: {}", sanitize::line(cause))));
    out.extend(help.iter().map(|help| human::way_out(help)));
    out.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(error: &Error) -> String {
        anstream::adapter::strip_str(&error.text().unwrap_or_default()).to_string()
    }

    #[test]
    fn an_unreachable_engine_is_told_with_its_cause_and_the_way_out() {
        let error = Error::from(EngineError::Unreachable {
            endpoint: "unix:///var/run/docker.sock".to_owned(),
            cause: "permission denied".to_owned(),
            help: vec!["add yourself to the group `docker`".to_owned()],
        });
        insta::assert_snapshot!(text(&error), @r"
        error: no container engine answers at unix:///var/run/docker.sock
          caused by: permission denied
          help: add yourself to the group `docker`
        ");
        assert_eq!(error.exit_code(), 1);
    }

    #[test]
    fn all_refusals_are_told_at_once() {
        let error = Error::Refused(vec![
            Refusal::of("web", "cannot boot here").help("use another image"),
            Refusal::project("the name is taken"),
        ]);
        insta::assert_snapshot!(text(&error), @r"
        error: web: cannot boot here
          help: use another image
        error: the name is taken
        ");
    }

    #[test]
    fn a_reader_that_has_read_enough_is_no_failure() {
        let error = Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((error.exit_code(), error.text()), (0, None));
        assert_eq!(Error::from(io::Error::other("disk full")).exit_code(), 1);
    }

    #[test]
    fn time_that_ran_out_has_its_own_code() {
        assert_eq!(Error::Steps { timed_out: false }.exit_code(), 1);
        assert_eq!(Error::Steps { timed_out: true }.exit_code(), 4);
    }
}
