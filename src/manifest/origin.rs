//! Where each text of a project belongs: what its relative paths start from, and which variables it sees.
//!
//! A base file of `extends` has its paths start from its own directory, an included file from the directory of
//! its inclusion, which also has variables of its own (compose-spec, `14-include.md`; compose-go,
//! `loader/extends.go` and `loader/include.go`). All other texts belong to the project itself.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::diagnostic::{SourceId, Span};
use crate::manifest::Dialect;
use crate::yaml::Node;

/// One entry of `include:`: files that are a model of their own before they become part of a project.
#[derive(Debug, Clone)]
pub struct Inclusion {
    /// Absolute directory that relative paths and a build without a context start from.
    pub directory: PathBuf,
    /// The variables of whoever includes, over those of the inclusion's own env files.
    pub variables: BTreeMap<String, String>,
    /// Whether its services are machines unless they say otherwise.
    pub dialect: Dialect,
    /// Its top-level `systemd:`, for its own services.
    pub defaults: Option<Node>,
}

/// Which texts do not belong to the project itself, and to what they belong.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    inclusions: Vec<Inclusion>,
    included: HashMap<SourceId, usize>,
    directories: HashMap<SourceId, PathBuf>,
}

impl Origins {
    /// Adds an inclusion, and returns the number by which texts are said to belong to it.
    pub(super) fn add(&mut self, inclusion: Inclusion) -> usize {
        self.inclusions.push(inclusion);
        self.inclusions.len() - 1
    }

    /// Returns an inclusion by its number.
    pub(super) fn inclusion_mut(&mut self, number: usize) -> Option<&mut Inclusion> {
        self.inclusions.get_mut(number)
    }

    /// Says that a text belongs to an inclusion.
    pub(super) fn include(&mut self, source: SourceId, number: usize) {
        self.included.insert(source, number);
    }

    /// Says that the relative paths of a text start from a directory.
    pub(super) fn start_from(&mut self, source: SourceId, directory: PathBuf) {
        self.directories.insert(source, directory);
    }

    /// Iterates over all inclusions.
    pub fn inclusions(&self) -> impl Iterator<Item = &Inclusion> {
        self.inclusions.iter()
    }

    /// Returns the inclusion that a place belongs to; `None` is the project itself.
    #[must_use]
    pub fn inclusion(&self, span: Span) -> Option<&Inclusion> {
        self.inclusions.get(*self.included.get(&span.source)?)
    }

    /// Returns the directory that relative paths at a place start from; `None` is the project's.
    #[must_use]
    pub fn directory(&self, span: Span) -> Option<&Path> {
        let own = self.directories.get(&span.source).map(PathBuf::as_path);
        own.or_else(|| Some(self.inclusion(span)?.directory.as_path()))
    }
}
