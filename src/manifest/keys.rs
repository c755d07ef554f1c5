//! Every key of the manifest language: what it does, what it looks like, and whether it is implemented.
//!
//! One table serves the check of unknown keys, the JSON schema for editors, and the list in the documentation.

mod check;
mod compose;
mod lifecycle;
mod markdown;
mod schema;
mod service;
mod settings;
mod systemd;
mod tree;

pub use check::check_keys;
pub(in crate::manifest) use check::check_keys_at;
pub use markdown::markdown;
pub use schema::schema;

/// One key of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Where it stands: names joined by dots, `*` for any name, `[]` for the items of a list; for the tables of
    /// `systemd:` and of a service, below those.
    pub path: &'static str,
    /// Whether it does anything.
    pub state: State,
    /// The forms that its value can have.
    pub forms: &'static [Form],
    /// What it does, in one line.
    pub doc: &'static str,
}

/// What becomes of a key that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It means what it says.
    Implemented,
    /// It is accepted with one warning, since it changes nothing here; with the reason.
    Ignored(&'static str),
    /// It is an error, since leaving it out silently would change what the manifest means; with a way out.
    Refused(&'static str),
}

/// One form that a value can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Any text.
    Text,
    /// A whole number, also as text.
    Integer,
    /// A number, also as text.
    Number,
    /// A truth value, also as text.
    Boolean,
    /// Nothing.
    Null,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A time span such as `1m30s`.
    Duration,
    /// A number of bytes such as `512m`.
    Size,
    /// A list of texts.
    Texts,
    /// A mapping of names to scalars, or a list of `NAME=VALUE`.
    Pairs,
    /// A mapping of names to scalars.
    Scalars,
    /// A mapping whose keys are in the table, and `x-` keys.
    Fields,
    /// A mapping of names that the user chooses.
    Names,
    /// A list whose items are in the table.
    Items,
}

const fn key(path: &'static str, forms: &'static [Form], doc: &'static str) -> Key {
    Key { path, state: State::Implemented, forms, doc }
}

const fn ignored(path: &'static str, forms: &'static [Form], why: &'static str, doc: &'static str) -> Key {
    Key { path, state: State::Ignored(why), forms, doc }
}

const fn refused(path: &'static str, way_out: &'static str, doc: &'static str) -> Key {
    Key { path, state: State::Refused(way_out), forms: &[], doc }
}

/// Returns every key with its whole path, in the order of the documentation; keys of `systemd:` are listed below
/// `services.*.systemd` only.
#[must_use]
pub fn keys() -> Vec<(String, Key)> {
    let below = |prefix: &'static str, table: &'static [Key]| {
        table.iter().map(move |key| (format!("{prefix}.{}", key.path), *key))
    };
    let top = compose::TOP.iter().map(|key| (key.path.to_owned(), *key));
    let models = settings::MODELS.iter().map(|key| (key.path.to_owned(), *key));
    top.chain(models)
        .chain(below("services.*", service::SERVICE))
        .chain(below("services.*", settings::SETTINGS))
        .chain(below("services.*", lifecycle::LIFECYCLE))
        .chain(below("services.*.networks.*", compose::ATTACHMENT))
        .chain(below("services.*.systemd", systemd::SYSTEMD))
        .chain(compose::RESOURCES.iter().map(|key| (key.path.to_owned(), *key)))
        .collect()
}

#[cfg(test)]
mod tests;
