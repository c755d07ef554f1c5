//! `environment:` over `env_file:`, with names alone taken from the host's environment.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::diagnostic::{Code, Diagnostic, Severity, Span};
use crate::manifest::dotenv::{self, Assignment, Format};
use crate::project::{Machine, name};
use crate::systemd::assignment::{is_assignable_name, is_assignable_value};
use crate::yaml::{Node, Value};

use super::reader::{Pair, Reader};
use super::service::{flag, place};

/// Most bytes of all of an environment: execve(2) gives arguments and environment 128 KiB on the smallest
/// stacks, and one string never more.
const MOST_BYTES: usize = 128 * 1024;

/// Names with their values, and names that have none anywhere.
type Environment = (IndexMap<String, String>, Vec<String>);

/// Reads the environment of a service. The env files of a service that does not run are not looked at.
pub(super) fn read(r: &mut Reader<'_>, node: &Node, machine: Option<&Machine>, active: bool) -> Environment {
    let written = node.get("environment").map(|node| r.pairs(node, "environment")).unwrap_or_default();
    for pair in &written {
        check_name(r, pair);
    }
    if machine.is_some() {
        warn_of_secrets(r, node, &written);
    }
    let to_units = machine.is_some_and(|machine| machine.environment_to_units);
    // The files' own `$NAME` see the project's variables first, then the service's environment, as in Compose.
    let own: BTreeMap<String, String> =
        written.iter().filter_map(|pair| Some((pair.name.clone(), pair.value.clone()?))).collect();
    let mut values = IndexMap::new();
    if let Some(node) = node.get("env_file").filter(|_| active) {
        for (name, (value, span)) in files(r, node, &own) {
            if to_units {
                check_assignable(r, &name, &value, span);
            }
            values.insert(name, value);
        }
    }
    let mut unset = Vec::new();
    for Pair { name, value, literal: _, span } in written {
        if let Some(value) = value.or_else(|| r.variable(&name, span).cloned()) {
            if to_units {
                check_assignable(r, &name, &value, span);
            }
            values.insert(name, value);
        } else {
            // A name alone takes even what an env file gives (measured on Docker Compose 2.40).
            values.shift_remove(&name);
            if !unset.contains(&name) {
                unset.push(name);
            }
        }
    }
    check_size(r, node, &values);
    (values, unset)
}

fn check_name(r: &mut Reader<'_>, pair: &Pair) {
    let Pair { name, value, literal: _, span } = pair;
    if name.is_empty() {
        r.error("`environment`: a variable needs a name before `=`", *span);
    } else if let Some(bad) = name.chars().find(|c| matches!(c, '=' | '\0') || c.is_control()) {
        r.error(format!("`environment`: the name {name:?} has {bad:?} in it"), *span);
    } else if name.contains(char::is_whitespace) {
        r.push(Diagnostic::warning(format!("`environment`: the name {name:?} has a blank in it"), *span));
    }
    if value.as_ref().is_some_and(|value| value.contains('\0')) {
        r.error(format!("`environment`: the value of {name} contains NUL"), *span);
    }
}

/// Says which variables systemd would not hand on to the units of a machine.
fn check_assignable(r: &mut Reader<'_>, name: &str, value: &str, span: Span) {
    let why = if !is_assignable_name(name) {
        "systemd takes only names of letters, digits and `_`"
    } else if !is_assignable_value(value) {
        "systemd takes no value with control characters"
    } else {
        return;
    };
    r.push(
        Diagnostic::warning(format!("`environment`: {name:?} does not reach the machine's units"), span)
            .help(format!("{why}; PID 1 alone gets it")),
    );
}

/// The environment of a machine can be read by every user inside, by `systemctl show-environment`. Said once,
/// at the key, so that the report does not quote the lines with the values.
fn warn_of_secrets(r: &mut Reader<'_>, node: &Node, written: &[Pair]) {
    let names: Vec<&str> = written
        .iter()
        .filter(|pair| pair.literal && pair.value.as_ref().is_some_and(|value| !value.is_empty()))
        .map(|pair| pair.name.as_str())
        .filter(|name| name::is_secret(name))
        .collect();
    if !names.is_empty() {
        r.push(
            Diagnostic::warning(
                format!("every user in the machine can read {}", names.join(", ")),
                place(node, "environment"),
            )
            .coded(Code::PlainSecret)
            .help("`secrets` gives it as a credential to the units that ask for it, and as a file"),
        );
    }
}

fn check_size(r: &mut Reader<'_>, node: &Node, values: &IndexMap<String, String>) {
    let total: usize = values.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    if total > MOST_BYTES {
        let span =
            node.entry("environment").or_else(|| node.entry("env_file")).map_or(node.span, |e| e.key_span);
        r.push(
            Diagnostic::error(
                format!("the environment is {total} bytes long, too large for a process"),
                span,
            )
            .help(format!("at most {MOST_BYTES} bytes; give large values as files")),
        );
    }
}

/// What env files give: later ones over earlier ones, each name with where it stands.
type FromFiles = IndexMap<String, (String, Span)>;

/// All env files in order.
fn files(r: &mut Reader<'_>, node: &Node, own: &BTreeMap<String, String>) -> FromFiles {
    let items = match &node.value {
        Value::Sequence(items) => items.as_slice(),
        Value::Scalar { .. } => std::slice::from_ref(node),
        Value::Null | Value::Mapping(_) => {
            r.wrong(node, "env_file", "a path or a list of paths");
            return FromFiles::new();
        }
    };
    let (mut found, mut before) = (FromFiles::new(), BTreeMap::new());
    for item in items {
        for Assignment { name, value, span } in one_file(r, item, own, &before) {
            before.insert(name.clone(), value.clone());
            found.insert(name, (value, span));
        }
    }
    found
}

fn one_file(
    r: &mut Reader<'_>,
    node: &Node,
    own: &BTreeMap<String, String>,
    before: &BTreeMap<String, String>,
) -> Vec<Assignment> {
    let (path, required, format) = match &node.value {
        Value::Mapping(_) => {
            let Some(path) = node.get("path") else {
                r.error("`env_file` needs a `path`", node.span);
                return Vec::new();
            };
            let format = match node.get("format").and_then(|node| r.text(node, "env_file.format")) {
                None => Format::Compose,
                Some(format) if format == "raw" => Format::Raw,
                Some(format) => {
                    r.push(
                        Diagnostic::error(format!("`{format}` is no format of an env file"), node.span)
                            .help("there is `raw`; without `format` the file is read as Compose reads it"),
                    );
                    return Vec::new();
                }
            };
            (path, node.get("required").is_none() || flag(r, node, "required"), format)
        }
        Value::Null | Value::Scalar { .. } | Value::Sequence(_) => (node, true, Format::Compose),
    };
    let Some(written) = r.needed_text(path, "env_file") else { return Vec::new() };
    let absolute = r.absolute(&written, path.span);
    let bytes = match r.files.read(&absolute) {
        Ok(bytes) => bytes,
        Err(why) if required || why != "not found" => {
            r.push(
                Diagnostic::error(format!("env file {}: {why}", absolute.display()), path.span)
                    .coded(Code::File)
                    .help("if the file may be missing, write {path: …, required: false}"),
            );
            return Vec::new();
        }
        Err(_) => return Vec::new(),
    };
    let variables = r.variables;
    let lookup = |name: &str| variables.get(name).or_else(|| own.get(name)).cloned();
    let (assignments, findings) = dotenv::read_after(r.sources, &written, &bytes, format, &lookup, before);
    let failed = findings.iter().any(|finding| finding.severity == Severity::Error);
    for finding in findings {
        r.push(if finding.severity == Severity::Error {
            finding.also(path.span, "named here")
        } else {
            finding
        });
    }
    if failed { Vec::new() } else { assignments }
}
