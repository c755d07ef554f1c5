//! Bytes → documents: checks the bytes, builds the tree, and bounds what a hostile text can cost.
//!
//! Merging of documents, interpolation and typing happen elsewhere.

mod build;
mod text;

use crate::diagnostic::{Diagnostic, SourceId, Sources};
use crate::yaml::Node;

pub use text::decode;

use build::Builder;

/// How much a text may cost. The defaults are far above real manifests (the largest of 364 public ones has
/// 2,000 nodes) and far below what hurts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file.
    pub file: usize,
    /// Collections within collections.
    pub depth: usize,
    /// Nodes of all documents of a file.
    pub nodes: usize,
    /// Nodes that aliases may add to those written.
    pub expansion: usize,
    /// Bytes of one scalar.
    pub scalar: usize,
    /// Findings after which reading gives up.
    pub findings: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file: 8 << 20,
            depth: 64,
            nodes: 5_000_000,
            expansion: 250_000,
            scalar: 1 << 20,
            findings: 100,
        }
    }
}

/// What became of a file's bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The text, as it was added to the sources; empty where the bytes are no text.
    pub source: SourceId,
    /// The documents, at least one (an empty file is one document that holds nothing); `None` where nothing
    /// sensible can be made of the text. With findings they are still there for further checks, where each finding
    /// spoils only its own place: of a key that is given twice the first entry stays, an unknown tag is left out,
    /// an alias without an anchor holds nothing.
    pub documents: Option<Vec<Node>>,
    /// What was found, all of it errors.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads one file's bytes as YAML 1.2 with merge keys, and adds its text to `sources` under `name`.
pub fn read(sources: &mut Sources, name: &str, bytes: &[u8], limits: &Limits) -> Reading {
    let (source, text) = match text::decode(sources, name, bytes, limits) {
        (source, Ok(text)) => (source, text),
        (source, Err(problem)) => return Reading { source, documents: None, diagnostics: vec![*problem] },
    };
    let (text, unprintable) = match text::unprintable(source, &text) {
        Some((problem, printable)) => (printable, Some(problem)),
        None => (text, None),
    };
    let mut builder = Builder::new(source, &text, limits);
    builder.run();
    let (documents, mut diagnostics) = builder.finish();
    diagnostics.splice(0..0, unprintable);
    Reading { source, documents, diagnostics }
}

#[cfg(test)]
mod tests;
