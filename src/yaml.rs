//! YAML as written: a tree of nodes that know where every key and value stands.
//!
//! Reading keeps what typed readers lose: byte spans of keys, values and tags, the source text of scalars
//! (`1.10` stays `1.10`), duplicate keys as errors with both places, shared anchors without their cost.

mod events;
mod read;

pub use read::{Limits, Reading, decode, read};

use crate::diagnostic::Span;

/// Tag of a scalar whose text variables took part in: it may be typed as a number or a boolean where one is
/// wanted, and is text where text is wanted, whether it was quoted or not.
pub const INTERPOLATED: &str = "interpolated";

/// Tag of an empty value whose key came from the short form of a list (`depends_on: [db]`) that was merged
/// with a mapping: what the short form means is still to be said.
pub const LISTED: &str = "listed";

/// One node of a tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where the value was written; for an interpolated or merged value, where its text was written.
    pub span: Span,
    /// A local tag such as `!reset`, without the exclamation mark; [`INTERPOLATED`] or [`LISTED`] once the
    /// manifest is merged.
    pub tag: Option<Box<str>>,
    /// What it holds.
    pub value: Value,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: an empty place, `~` or `null`.
    Null,
    /// A scalar with its text after quoting is undone, before any typing.
    Scalar {
        /// The text.
        text: Box<str>,
        /// Whether it was written without quotes, so that `5`, `true` and `1.5` are not text.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping in source order; keys are unique.
    Mapping(Vec<Entry>),
}

/// One key of a mapping with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key's text.
    pub key: Box<str>,
    /// Whether the key was written without quotes.
    pub key_plain: bool,
    /// Where the key was written.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// Makes a node that holds nothing.
    #[must_use]
    pub fn null(span: Span) -> Self {
        Self { span, tag: None, value: Value::Null }
    }

    /// Returns the value of a key, where this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Returns a key with its value, where this is a mapping that has it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Mapping(entries) => entries.iter().find(|entry| &*entry.key == key),
            Value::Null | Value::Scalar { .. } | Value::Sequence(_) => None,
        }
    }

    /// Tells whether variables took part in the text of this scalar.
    #[must_use]
    pub fn is_interpolated(&self) -> bool {
        self.tag.as_deref() == Some(INTERPOLATED)
    }

    /// Tells whether this empty value stands for an entry of a list in short form.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.tag.as_deref() == Some(LISTED)
    }

    /// Names the kind of the node as a user would (`a list`, `a number`, …).
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar { plain: false, .. } => "text",
            Value::Scalar { text, plain: true } => match &**text {
                "true" | "false" | "True" | "False" | "TRUE" | "FALSE" => "true or false",
                text if text.parse::<f64>().is_ok() => "a number",
                _ => "text",
            },
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

/// Shows a tree in one line for tests: plain scalars bare, others quoted, tags before their node.
#[cfg(test)]
pub(crate) fn shown(node: &Node) -> String {
    let tag = node.tag.as_ref().map_or(String::new(), |tag| format!("!{tag} "));
    tag + &match &node.value {
        Value::Null => "~".to_owned(),
        Value::Scalar { text, plain: true } => text.to_string(),
        Value::Scalar { text, plain: false } => format!("{text:?}"),
        Value::Sequence(nodes) => format!("[{}]", nodes.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Mapping(entries) => {
            let entry = |entry: &Entry| format!("{}: {}", entry.key, shown(&entry.value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}
