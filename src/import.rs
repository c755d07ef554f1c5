//! What exists already as a manifest: a compose file whose containers were made to boot systemd by hand, a
//! `docker run` line, a container.
//!
//! One reader recognises systemd and the privilege that was given to it: a `docker run` line and a container are
//! first written as a compose file. The file's comments, order and spelling stay wherever nothing changes.

pub mod compose;
pub mod container;
pub mod run_line;

mod fate;
mod first_process;
mod grants;
mod patch;
mod signs;
mod written;

/// A manifest that was made of something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The manifest's text.
    pub text: String,
    /// What was recognised, dropped and moved, service by service in the file's order.
    pub findings: Vec<Finding>,
    /// How many services are machines.
    pub machines: usize,
}

/// One thing that whoever imports should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The service; empty where it is the whole.
    pub service: String,
    /// What kind of thing.
    pub kind: Kind,
    /// What it is, and why.
    pub text: String,
}

/// Kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A service runs systemd, and by which signs.
    Machine,
    /// A privilege that was taken away.
    Dropped,
    /// A setting that is a default now, or has a field of its own.
    Moved,
    /// Something that only its author can decide.
    Care,
}

impl Kind {
    /// Returns the word that stands before a finding.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Dropped => "dropped",
            Self::Moved => "moved",
            Self::Care => "check",
        }
    }
}

impl Finding {
    fn new(service: &str, kind: Kind, text: impl Into<String>) -> Self {
        Self { service: service.to_owned(), kind, text: text.into() }
    }
}
