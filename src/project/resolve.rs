//! From the merged tree to the typed [`Project`]: short forms become long, defaults are filled in, and every
//! mistake is collected with its place before giving up.
//!
//! Pure: the files that a manifest refers to come through [`Files`].

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use indexmap::IndexMap;

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::{Dialect, Files, Manifest};
use crate::project::{FileKind, Project, Service, name};
use crate::yaml::{Entry, Node, Value};

mod build;
mod check;
mod conflicts;
mod declared;
mod dependency;
mod develop;
mod environment;
mod file_objects;
mod file_references;
mod foreign;
mod hardware;
mod health;
mod hooks;
mod image;
mod label_file;
mod limits;
mod lint;
mod links;
mod machine;
mod namespaces;
mod network;
mod options;
mod ports;
mod profile;
mod process;
mod pull_policy;
mod reader;
mod security;
mod service;
mod storage;

pub(in crate::project) use image::default_tag;
pub(in crate::project) use machine::STORAGES;
use reader::Reader;

/// Most services that a project may have.
const MOST_SERVICES: usize = 20_000;

const NAME_RULE: &str = "a project name has a-z 0-9 _ - only, and begins with a letter or a digit";

/// What a service's parts need to know of the whole.
#[derive(Clone, Copy)]
struct Scope<'m> {
    /// The project's name.
    project: &'m str,
    dialect: Dialect,
    /// Every service's name, and whether it is a machine.
    services: &'m HashMap<&'m str, bool>,
    /// The names in manifest order.
    names: &'m [&'m str],
    /// Top-level `systemd:`, where it is a mapping.
    defaults: Option<&'m Node>,
    /// Keys of the language models at the top.
    models: &'m [&'m str],
}

/// A service with the place where it was written.
struct Written<'m> {
    entry: &'m Entry,
    service: Service,
}

/// Makes a project of a manifest. The project is `None` where any diagnostic is an error.
pub fn resolve(manifest: &mut Manifest, files: &dyn Files) -> (Option<Project>, Vec<Diagnostic>) {
    let Manifest {
        sources,
        root,
        files: written,
        directory,
        origins,
        name,
        dialect,
        profiles,
        named,
        as_written,
        variables,
    } = manifest;
    let mut reader = Reader::new(sources, files, directory, variables, origins, *as_written);
    let r = &mut reader;
    let whole = whole(root);
    if !matches!(root.value, Value::Mapping(_)) {
        r.wrong(root, "the manifest", "a mapping with `services:`");
    }
    let project_name = project_name(r, name.as_deref(), root, whole);
    let defaults = root.get("systemd").or_else(|| root.get("x-systemd"));
    let entries = service_entries(r, root, whole);
    // What an included file says of all machines, it says of its own.
    let family = |entry: &Entry| match origins.inclusion(entry.key_span) {
        Some(inclusion) => (inclusion.dialect, inclusion.defaults.as_ref()),
        None => (*dialect, defaults),
    };
    let kinds: HashMap<&str, bool> = entries
        .iter()
        .map(|entry| {
            let (dialect, defaults) = family(entry);
            (&*entry.key, machine::is_wanted(&entry.value, defaults, dialect))
        })
        .collect();
    machine::check_defaults(r, defaults);
    for inclusion in origins.inclusions() {
        machine::check_defaults(r, inclusion.defaults.as_ref());
    }
    let names: Vec<&str> = entries.iter().map(|entry| &*entry.key).collect();
    let models = foreign::declared(r, root);
    let scope = Scope {
        project: &project_name,
        dialect: *dialect,
        services: &kinds,
        names: &names,
        defaults: defaults.filter(|node| matches!(node.value, Value::Mapping(_))),
        models: &models,
    };
    let switched_on = profile::switched_on(&entries, profiles, named);
    let (mut active, mut disabled) = (Vec::with_capacity(entries.len()), BTreeSet::new());
    for &entry in &entries {
        let is_active = profile::is_active(&entry.value, &switched_on);
        let (dialect, defaults) = family(entry);
        let defaults = defaults.filter(|node| matches!(node.value, Value::Mapping(_)));
        if let Some(service) = service::read(r, entry, &Scope { dialect, defaults, ..scope }, is_active) {
            if is_active {
                active.push(Written { entry, service });
            } else {
                disabled.insert(service.name);
            }
        }
    }
    let networks = declared::networks(r, root, &project_name, &active);
    let volumes = declared::volumes(r, root, &project_name, &active);
    let [secrets, configs] = FileKind::ALL.map(|kind| file_objects::read(r, root, kind, &scope, &active));
    file_references::check(r, &active, &secrets, &configs);
    declared::of_builds(r, root, &active, &scope);
    check::all(r, &mut active, &scope, &disabled);
    check::profiles(r, &entries, profiles);
    lint::all(r, root, &active, &volumes);
    let project = Project {
        name: project_name.clone(),
        directory: directory.clone(),
        files: written.iter().map(|(path, _)| path.clone()).collect::<Vec<PathBuf>>(),
        services: active
            .into_iter()
            .map(|written| (written.service.name.clone(), written.service))
            .collect::<IndexMap<_, _>>(),
        disabled,
        networks,
        volumes,
        secrets,
        configs,
    };
    let project = (!reader.failed()).then_some(project);
    (project, reader.finish())
}

/// The place to point at where something is missing from the whole.
const fn whole(root: &Node) -> Span {
    Span { source: root.span.source, start: root.span.start, end: root.span.start }
}

/// The services with usable names, in the order in which they stand.
fn service_entries<'m>(r: &mut Reader<'_>, root: &'m Node, whole: Span) -> Vec<&'m Entry> {
    let Some(node) = root.get("services") else {
        if matches!(root.value, Value::Mapping(_)) {
            let legacy = match &root.value {
                Value::Mapping(entries) => entries
                    .iter()
                    .find(|entry| entry.value.get("image").is_some() || entry.value.get("build").is_some()),
                Value::Null | Value::Scalar { .. } | Value::Sequence(_) => None,
            };
            r.push(match legacy {
                Some(entry) => Diagnostic::error(
                    format!("`{}` stands outside of `services:`", entry.key),
                    entry.key_span,
                )
                .help("put the services under a key `services:`"),
                None => Diagnostic::error("the manifest has no `services:`", whole)
                    .help("add `services:` with one entry for each machine"),
            });
        }
        return Vec::new();
    };
    if node.value == Value::Null {
        r.push(
            Diagnostic::error("`services` is empty", node.span).help("write `services: {}` if that is meant"),
        );
        return Vec::new();
    }
    let entries = r.entries(node, "services");
    if entries.len() > MOST_SERVICES {
        r.error(format!("{} services; a project has at most {MOST_SERVICES}", entries.len()), node.span);
        return Vec::new();
    }
    entries.iter().filter(|entry| has_good_name(r, entry)).collect()
}

fn has_good_name(r: &mut Reader<'_>, entry: &Entry) -> bool {
    use crate::project::scalar::{Scalar, classify};
    let key = &*entry.key;
    let kind = match classify(key) {
        _ if !entry.key_plain => None,
        Scalar::Bool(_) => Some("true or false"),
        Scalar::Integer(_) | Scalar::Float(_) => Some("a number"),
        Scalar::Date => Some("a date"),
        Scalar::Text => None,
    };
    if let Some(kind) = kind {
        r.push(
            Diagnostic::error(format!("the service name {key} is read as {kind}"), entry.key_span)
                .help(format!("put it in quotes: \"{key}\""))
                .suggest(entry.key_span, format!("\"{key}\"")),
        );
        return false;
    }
    let fault =
        name::service_fault(key).map(|bad| format!("a service name cannot have {bad}")).or_else(|| {
            if key.is_empty() {
                Some("a service name cannot be empty".to_owned())
            } else if key.len() > 200 {
                Some("the service name is longer than 200 characters".to_owned())
            } else {
                (!key.starts_with(|c: char| c.is_ascii_alphanumeric()))
                    .then(|| "a service name begins with a letter or a digit".to_owned())
            }
        });
    match fault {
        Some(what) => {
            r.push(Diagnostic::error(what, entry.key_span).help("allowed are a-z A-Z 0-9 . _ -"));
            false
        }
        None => true,
    }
}

/// A name of the manifest; Compose takes out of it what no name can have.
fn name_as_written(r: &mut Reader<'_>, node: &Node, written: String) -> String {
    if name::is_project(&written) {
        return written;
    }
    let better = name::normal_project(&written);
    let what = format!("{written:?} cannot be a project name");
    r.push(if better.is_empty() {
        Diagnostic::error(what, node.span).help(NAME_RULE)
    } else {
        Diagnostic::warning(format!("{what}; `{better}` is taken"), node.span)
            .help(NAME_RULE)
            .suggest(node.span, better.clone())
    });
    better
}

/// The project's name: by the command, by `name:`, or made of the directory's name.
fn project_name(r: &mut Reader<'_>, given: Option<&str>, root: &Node, whole: Span) -> String {
    if let Some(given) = given.filter(|given| !given.is_empty()) {
        if !name::is_project(given) {
            let mut diagnostic =
                Diagnostic::placeless(format!("`{given}` cannot be a project name")).help(NAME_RULE);
            let better = name::normal_project(given);
            if !better.is_empty() {
                diagnostic = diagnostic.help(format!("did you mean `{better}`?"));
            }
            r.push(diagnostic);
        }
        return given.to_owned();
    }
    if let Some(node) = root.get("name").filter(|node| node.value != Value::Null) {
        let Some(written) = r.text(node, "name") else { return String::new() };
        if !written.is_empty() {
            return name_as_written(r, node, written);
        }
    }
    let directory =
        r.directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let made = name::normal_project(&directory);
    if made.is_empty() {
        r.push(
            Diagnostic::error(format!("the directory's name {directory:?} gives no project name"), whole)
                .help("set one with `-p NAME`, or with `name:` in the manifest"),
        );
    }
    made
}

#[cfg(test)]
pub(crate) mod tests;
