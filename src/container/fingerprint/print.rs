//! A fingerprint as a value: what is kept of each field, how it is written into a label, and what differs
//! between two of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::container::names;

use super::lines;

/// Longest value that is kept as it is; of what is longer a hash is enough to tell a change.
const LONGEST: usize = 120;

/// What is kept of each field, in the manifest's words. A field at its default has no entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprint {
    fields: BTreeMap<String, Print>,
}

/// What is kept of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Print {
    /// The value itself: it is short, and can be no secret.
    Value(String),
    /// A hash of the value.
    Hash(String),
}

/// A field in which two fingerprints differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The field, in the manifest's words.
    pub field: String,
    /// What it was, and what it is to be; `None` where that may be secret, is long, or is the default.
    pub old: Option<String>,
    /// The same of what it is to be.
    pub new: Option<String>,
    /// Whether it is gone from the manifest.
    pub gone: bool,
    /// Whether it is new in the manifest.
    pub fresh: bool,
}

impl Fingerprint {
    /// Writes the value of a label: `field=hash` or `field=~value`, by spaces.
    #[must_use]
    pub fn to_label(&self) -> String {
        let word = |(field, print): (&String, &Print)| match print {
            Print::Hash(hash) => format!("{}={hash}", escaped(field)),
            Print::Value(value) => format!("{}=~{}", escaped(field), escaped(value)),
        };
        self.fields.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    /// Reads the value of a label; what it cannot read counts as not there.
    #[must_use]
    pub fn from_label(label: &str) -> Self {
        let pair = |word: &str| {
            let (field, print) = word.split_once('=')?;
            let print = match print.strip_prefix('~') {
                Some(value) => Print::Value(plain(value)),
                None => Print::Hash(print.to_owned()),
            };
            Some((plain(field), print))
        };
        Self { fields: label.split_whitespace().filter_map(pair).collect() }
    }

    /// Takes over one field of another fingerprint.
    #[must_use]
    pub fn with_field_of(mut self, other: &Self, field: &str) -> Self {
        match other.fields.get(field) {
            Some(print) => self.fields.insert(field.to_owned(), print.clone()),
            None => self.fields.remove(field),
        };
        self
    }

    /// Names all fields that are not at their defaults.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// Adds a field of which only a hash is kept; an empty text stands for the default and leaves no trace.
    pub(super) fn put(&mut self, field: impl Into<String>, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        if !text.is_empty() {
            self.fields.insert(field.into(), Print::Hash(hash(text)));
        }
    }

    /// Adds a field whose value can be no secret; an empty text stands for the default and leaves no trace.
    pub(super) fn plain(&mut self, field: impl Into<String>, text: &str) {
        if text.is_empty() {
            return;
        }
        let print = if text.len() <= LONGEST && text.chars().all(|c| !c.is_control()) {
            Print::Value(text.to_owned())
        } else {
            Print::Hash(hash(text.as_bytes()))
        };
        self.fields.insert(field.into(), print);
    }

    /// Adds a switch that is off by default.
    pub(super) fn plain_if(&mut self, field: &str, set: bool) {
        self.plain(field, if set { "true" } else { "" });
    }

    /// Adds a value that can be no secret, where it is given.
    pub(super) fn plain_some<T: ToString>(&mut self, field: impl Into<String>, value: Option<&T>) {
        if let Some(value) = value.map(ToString::to_string) {
            // An empty text is not the same as none.
            self.plain(field, if value.is_empty() { "\"\"" } else { &value });
        }
    }

    /// Adds a list of values that can be no secrets.
    pub(super) fn plain_list<T: AsRef<str>>(
        &mut self,
        field: impl Into<String>,
        values: impl IntoIterator<Item = T>,
    ) {
        let values: Vec<T> = values.into_iter().collect();
        if values.iter().any(|value| value.as_ref().contains(',') || value.as_ref().is_empty()) {
            self.put(field, lines(&values));
        } else {
            let words: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
            self.plain(field, &words.join(","));
        }
    }

    /// Adds a value of which only a hash is kept, where it is given.
    pub(super) fn put_some<T: ToString>(&mut self, field: &str, value: Option<&T>) {
        // The mark tells an empty text from none.
        self.put(field, value.map(|value| format!("={}", value.to_string())).unwrap_or_default());
    }

    /// Adds a list of which only a hash is kept.
    pub(super) fn put_list<T: AsRef<str>>(&mut self, field: &str, values: impl IntoIterator<Item = T>) {
        self.put(field, lines(values));
    }
}

/// Lists the fields in which two fingerprints differ, by name.
#[must_use]
pub fn differences(old: &Fingerprint, new: &Fingerprint) -> Vec<Difference> {
    let fields: BTreeSet<&String> = old.fields.keys().chain(new.fields.keys()).collect();
    fields
        .into_iter()
        .map(|field| (field, old.fields.get(field), new.fields.get(field)))
        .filter(|(_, old, new)| old != new)
        .map(|(field, old, new)| Difference {
            field: field.clone(),
            old: old.and_then(Print::value),
            new: new.and_then(Print::value),
            gone: new.is_none(),
            fresh: old.is_none(),
        })
        .collect()
}

/// Names the fields that differ, in the manifest's words.
#[must_use]
pub fn changed(old: &Fingerprint, new: &Fingerprint) -> Vec<String> {
    differences(old, new).into_iter().map(|difference| difference.field).collect()
}

impl Print {
    fn value(&self) -> Option<String> {
        match self {
            Self::Value(value) => Some(value.clone()),
            Self::Hash(_) => None,
        }
    }
}

fn hash(bytes: &[u8]) -> String {
    names::hex(bytes).chars().take(12).collect()
}

/// Writes a text without what takes a label's value apart.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() || matches!(character, '%' | '=') {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                out.push('%');
                out.extend(
                    [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
                );
            }
        } else {
            out.push(character);
        }
    }
    out
}

/// Reads what [`escaped`] wrote; what it did not write stays as it is.
fn plain(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_keeps_every_field_and_value() {
        let mut print = Fingerprint::default();
        print.plain("volumes./a b", "bind /x=y %20 ü");
        print.put("command", "secret");
        print.plain_list("ports", ["80", "81"]);
        print.plain_some("hostname", Some(&String::new()));
        let label = print.to_label();
        assert_eq!(Fingerprint::from_label(&label), print, "{label}");
        assert!(!label.contains("secret"), "{label}");
    }

    #[test]
    fn a_difference_shows_values_that_can_be_no_secrets() {
        let (mut old, mut new) = (Fingerprint::default(), Fingerprint::default());
        old.plain("mem_limit", "1");
        new.plain("mem_limit", "2");
        old.put("command", "a");
        new.put("command", "b");
        let shown: Vec<_> = differences(&old, &new).into_iter().map(|d| (d.field, d.old, d.new)).collect();
        let value = |text: &str| Some(text.to_owned());
        assert_eq!(
            shown,
            [("command".to_owned(), None, None), ("mem_limit".to_owned(), value("1"), value("2"))]
        );
    }
}
