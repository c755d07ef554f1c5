//! The kinds of findings, by names that stay the same while messages become better.

/// Which kind of finding a diagnostic is. Programs tell findings apart by it, never by their words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A value that cannot be what it should be.
    Value,
    /// A value of another type than is wanted.
    Type,
    /// A file that is missing or cannot be read.
    File,
    /// Bytes that are no text, or characters that no YAML may hold.
    Encoding,
    /// A text that is not YAML.
    Syntax,
    /// A key that one mapping has twice.
    DuplicateKey,
    /// A tag that means nothing here.
    UnknownTag,
    /// An alias without an anchor, or within its own.
    Alias,
    /// More, larger or deeper than any manifest needs to be.
    Limit,
    /// A key that is none of the language.
    UnknownKey,
    /// A key of the language that is refused.
    UnsupportedKey,
    /// A key or a value that changes nothing.
    NoEffect,
    /// A key that YAML 1.1 would take for a number, a truth value or a date.
    KeyType,
    /// A variable that has no value and is taken as empty.
    UnsetVariable,
    /// A variable without which the manifest says it cannot be used.
    RequiredVariable,
    /// A text whose variables cannot be read.
    Interpolation,
    /// Files that cannot be merged, or whose merging is probably not meant.
    Merge,
    /// A name that nothing stands for.
    UnknownName,
    /// Services that wait for each other, files that include or extend each other.
    Cycle,
    /// Two things that cannot be at once.
    Conflict,
    /// What a machine's systemd would ignore or never start.
    Unit,
    /// A secret that stands where everybody reads it.
    PlainSecret,
    /// What gives a container more of the host than it probably should have.
    HostAccess,
}

impl Code {
    /// Every code, in the order of this list.
    pub const ALL: [Self; 23] = [
        Self::Value,
        Self::Type,
        Self::File,
        Self::Encoding,
        Self::Syntax,
        Self::DuplicateKey,
        Self::UnknownTag,
        Self::Alias,
        Self::Limit,
        Self::UnknownKey,
        Self::UnsupportedKey,
        Self::NoEffect,
        Self::KeyType,
        Self::UnsetVariable,
        Self::RequiredVariable,
        Self::Interpolation,
        Self::Merge,
        Self::UnknownName,
        Self::Cycle,
        Self::Conflict,
        Self::Unit,
        Self::PlainSecret,
        Self::HostAccess,
    ];

    /// Returns the name that programs see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Type => "type",
            Self::File => "file",
            Self::Encoding => "encoding",
            Self::Syntax => "syntax",
            Self::DuplicateKey => "duplicate-key",
            Self::UnknownTag => "unknown-tag",
            Self::Alias => "alias",
            Self::Limit => "limit",
            Self::UnknownKey => "unknown-key",
            Self::UnsupportedKey => "unsupported-key",
            Self::NoEffect => "no-effect",
            Self::KeyType => "key-type",
            Self::UnsetVariable => "unset-variable",
            Self::RequiredVariable => "required-variable",
            Self::Interpolation => "interpolation",
            Self::Merge => "merge",
            Self::UnknownName => "unknown-name",
            Self::Cycle => "cycle",
            Self::Conflict => "conflict",
            Self::Unit => "unit",
            Self::PlainSecret => "plain-secret",
            Self::HostAccess => "host-access",
        }
    }

    /// Says in a sentence what findings of this kind have in common.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Value => "A value cannot be what it should be.",
            Self::Type => "A value has another type than is wanted.",
            Self::File => "A file is missing or cannot be read.",
            Self::Encoding => "The file is no text, or has characters that YAML does not allow.",
            Self::Syntax => "The text is not YAML.",
            Self::DuplicateKey => "One mapping has a key twice.",
            Self::UnknownTag => "A YAML tag means nothing here.",
            Self::Alias => "An alias has no anchor, or stands within its own.",
            Self::Limit => "Something is more, larger or deeper than any manifest needs to be.",
            Self::UnknownKey => "A key is none of the Compose Specification, nor of `systemd:`.",
            Self::UnsupportedKey => "A key of the Compose Specification is refused.",
            Self::NoEffect => "A key or a value changes nothing.",
            Self::KeyType => "A key is read as a number, a truth value or a date by YAML 1.1.",
            Self::UnsetVariable => "A variable has no value and is taken as empty.",
            Self::RequiredVariable => "A variable that the manifest requires has no value.",
            Self::Interpolation => "The variables of a text cannot be read.",
            Self::Merge => "Files cannot be merged, or their merging is probably not meant.",
            Self::UnknownName => "A name stands for nothing that is declared.",
            Self::Cycle => "Services wait for each other, or files refer to each other.",
            Self::Conflict => "Two things cannot be at once.",
            Self::Unit => "systemd would ignore a line, or never start a unit.",
            Self::PlainSecret => "A secret stands where everybody reads it.",
            Self::HostAccess => "A container gets more of the host than it probably should have.",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_that_needs_no_quotes() {
        let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')));
        assert!(Code::ALL.iter().all(|code| code.meaning().ends_with('.')));
        assert!(Code::ALL.is_sorted());
    }
}
