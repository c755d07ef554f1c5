//! Secrets and configs that the top level declares, and what they hold.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::project::{FileKind, FileObject, FileSource, Held, name};
use crate::yaml::{Entry, Node, Value};

use super::declared::{identity, options};
use super::file_references::undeclared;
use super::reader::Reader;
use super::service::{field, labels};
use super::{Scope, Written};

/// Reads the top-level objects of one kind, and keeps those that a service or its build names. Says which are named
/// and missing.
pub(super) fn read(
    r: &mut Reader<'_>,
    root: &Node,
    kind: FileKind,
    scope: &Scope<'_>,
    services: &[Written<'_>],
) -> IndexMap<String, FileObject> {
    let mut declared: IndexMap<String, (FileObject, &Entry)> = IndexMap::new();
    for entry in root.get(kind.key()).map(|node| r.entries(node, kind.key())).unwrap_or_default() {
        if let Some(object) = one(r, entry, kind, scope.project) {
            declared.insert(object.key.clone(), (object, entry));
        }
    }
    undeclared(r, root, kind, services);
    let named: BTreeSet<&str> =
        services.iter().flat_map(|written| written.service.named_files(kind)).collect();
    declared.retain(|key, _| named.contains(key.as_str()));
    let users = Users::of(kind, services);
    let mut objects = IndexMap::with_capacity(declared.len());
    for (key, (mut object, entry)) in declared {
        if let Some(user) = users.of_object(&key) {
            object.held = held(r, entry, kind, &object, user);
        }
        objects.insert(key, object);
    }
    objects
}

fn one(r: &mut Reader<'_>, entry: &Entry, kind: FileKind, project: &str) -> Option<FileObject> {
    let (key, node) = (kind.key(), &entry.value);
    if !matches!(node.value, Value::Mapping(_)) {
        r.wrong(node, &format!("{key}.{}", entry.key), "a mapping");
        return None;
    }
    if let Some(bad) = name::service_fault(&entry.key) {
        r.push(
            Diagnostic::error(format!("the key of a {} cannot have {bad}", kind.word()), entry.key_span)
                .help("allowed are a-z A-Z 0-9 . _ -"),
        );
    } else if matches!(&*entry.key, "" | "." | "..") {
        // It is the name of a file inside.
        r.error(format!("{:?} cannot be the key of a {}", entry.key, kind.word()), entry.key_span);
    }
    let (external, name) = identity(r, entry, project);
    let (source, held) = source(r, entry, kind, external);
    Some(FileObject {
        key: entry.key.to_string(),
        name,
        external,
        source,
        held,
        labels: labels(r, node, "labels").into_iter().collect(),
        driver: field(r, node, "driver", Reader::filled),
        driver_opts: options(r, node, "driver_opts"),
        template_driver: field(r, node, "template_driver", Reader::filled),
    })
}

/// Reads where the object comes from; what it holds is looked at only where a service is given it.
fn source(r: &mut Reader<'_>, entry: &Entry, kind: FileKind, external: bool) -> (Option<FileSource>, Held) {
    let unread = |why: &str| Held::Unread(why.to_owned());
    let sources: &[&str] = match kind {
        FileKind::Secret => &["file", "environment"],
        FileKind::Config => &["file", "environment", "content"],
    };
    let given: Vec<&Entry> = sources.iter().filter_map(|key| entry.value.entry(key)).collect();
    if let [first, second, ..] = given.as_slice() {
        r.push(
            Diagnostic::error(
                format!("`{}.{}` comes from one place, not from two", kind.key(), entry.key),
                second.key_span,
            )
            .coded(Code::Conflict)
            .also(first.key_span, "the other one")
            .help(format!("take one away; a later file takes it away by `{}: !reset null`", first.key)),
        );
    }
    let Some(given) = given.first() else {
        // A mistake in `content` of a secret is said already.
        if !external && entry.value.entry("content").is_none() {
            says_nothing(r, entry.key_span, entry, kind, sources);
        }
        return (None, unread("nothing is said of it"));
    };
    let (node, path) = (&given.value, format!("{}.{}.{}", kind.key(), entry.key, given.key));
    match &*given.key {
        "file" => {
            let text = r.text(node, &path).unwrap_or_default();
            (Some(FileSource::File(r.path(&text, node.span))), unread("no service is given it"))
        }
        "environment" => {
            let Some(variable) = r.text(node, &path) else { return (None, unread("it is no name")) };
            if variable.is_empty() {
                says_nothing(r, node.span, entry, kind, sources);
                return (None, unread("it is empty"));
            }
            (Some(FileSource::Environment(variable)), unread("no service is given it"))
        }
        _ => {
            let text = r.text(node, &path).unwrap_or_default();
            (Some(FileSource::Content), Held::Bytes(Arc::from(text.into_bytes())))
        }
    }
}

fn says_nothing(r: &mut Reader<'_>, span: Span, entry: &Entry, kind: FileKind, sources: &[&str]) {
    let what = format!("nothing says what the {} `{}` holds", kind.word(), entry.key);
    r.push(Diagnostic::error(what, span).help(format!("give it one of: {}", sources.join(", "))));
}

/// Who is given the objects of one kind.
struct Users<'s> {
    /// Those that are put into a container, and so must be read here.
    copied: BTreeSet<&'s str>,
    /// Those that are only bound into one.
    bound: BTreeSet<&'s str>,
}

/// What becomes of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum User {
    Copies,
    Binds,
}

impl<'s> Users<'s> {
    fn of(kind: FileKind, services: &'s [Written<'_>]) -> Self {
        let given = |copied: bool| {
            let is = move |written: &&Written<'_>| written.service.machine.is_some() == copied;
            let references = services.iter().filter(is).flat_map(move |it| it.service.references(kind));
            references.map(|reference| reference.source.as_str()).collect()
        };
        Self { copied: given(true), bound: given(false) }
    }

    fn of_object(&self, key: &str) -> Option<User> {
        let binds = self.bound.contains(key).then_some(User::Binds);
        if self.copied.contains(key) { Some(User::Copies) } else { binds }
    }
}

/// Finds out what an object holds, and says what keeps a service from being given it.
fn held(r: &mut Reader<'_>, entry: &Entry, kind: FileKind, object: &FileObject, user: User) -> Held {
    needs_swarm(r, entry, kind, object);
    if object.external {
        return object.held.clone();
    }
    let node = |key: &str| entry.value.get(key).unwrap_or(&entry.value);
    match &object.source {
        Some(FileSource::File(_)) => file(r, node("file"), kind, object, user),
        Some(FileSource::Environment(variable)) => {
            variable_of(r, node("environment"), kind, object, variable)
        }
        Some(FileSource::Content) | None => object.held.clone(),
    }
}

/// Docker Compose refuses these at `up` as well (measured on Docker Compose 2.40).
fn needs_swarm(r: &mut Reader<'_>, entry: &Entry, kind: FileKind, object: &FileObject) {
    let at = |key: &str| entry.value.entry(key).map_or(entry.key_span, |found| found.key_span);
    let word = kind.word();
    if object.external {
        let what =
            format!("the {word} `{}` is external, and an engine without Swarm keeps no {word}s", entry.key);
        r.push(
            Diagnostic::obstacle(what, at("external"))
                .help("give it by `file` or `environment` instead of `external`"),
        );
    }
    for (key, set) in
        [("driver", object.driver.is_some()), ("template_driver", object.template_driver.is_some())]
    {
        if set {
            let what = format!("`{}.{}.{key}` needs Swarm, which is not used", kind.key(), entry.key);
            r.push(
                Diagnostic::obstacle(what, at(key)).help("take it away, and give what it makes as a file"),
            );
        }
    }
}

fn file(r: &mut Reader<'_>, node: &Node, kind: FileKind, object: &FileObject, user: User) -> Held {
    let text = match &node.value {
        Value::Scalar { text, plain: _ } => &**text,
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => "",
    };
    let key = format!("{}.{}.file", kind.key(), object.key);
    if text.is_empty() {
        r.push(Diagnostic::obstacle(format!("`{key}` is empty"), node.span).coded(Code::File));
        return Held::Unread("it names no file".to_owned());
    }
    let path: PathBuf = r.absolute(text, node.span);
    let why = match r.contents(&path) {
        Ok(bytes) => return Held::Bytes(Arc::from(bytes)),
        Err(why) => why,
    };
    let what = format!("`{key}`: cannot read {}: {why}", path.display());
    // The engine can bind what this user cannot read, and directories.
    r.push(if user == User::Copies || why == "not found" {
        Diagnostic::obstacle(what, node.span).coded(Code::File)
    } else {
        Diagnostic::warning(what, node.span)
            .coded(Code::File)
            .help("the engine binds it; that it has changed is not seen here")
    });
    Held::Unread(why)
}

fn variable_of(r: &mut Reader<'_>, node: &Node, kind: FileKind, object: &FileObject, variable: &str) -> Held {
    let Some(value) = r.variable(variable, node.span) else {
        let what =
            format!("the variable {variable} is not set, which holds the {} `{}`", kind.word(), object.key);
        r.push(
            Diagnostic::obstacle(what, node.span)
                .coded(Code::RequiredVariable)
                .help("set it in the environment or in `.env`"),
        );
        return Held::Unread("its variable is not set".to_owned());
    };
    if value.is_empty() {
        let what =
            format!("the variable {variable} is empty, and so is the {} `{}`", kind.word(), object.key);
        r.push(Diagnostic::warning(what, node.span));
    }
    Held::Bytes(Arc::from(value.clone().into_bytes()))
}
