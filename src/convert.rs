//! A project in the words of other tools, so that the way out is open: nothing that sdcompose decides is lost on
//! it, and what the other tool cannot say is told.

pub mod compose;

/// A file for another tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The file's text. What the other tool cannot say stands in it as a comment.
    pub text: String,
    /// The same, a sentence each, for whoever converts.
    pub remarks: Vec<String>,
}
