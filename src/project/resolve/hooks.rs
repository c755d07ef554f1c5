//! `post_start`, `pre_stop`, and the command of a watch rule: what is run inside a running container.

use indexmap::IndexMap;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::project::{Hook, Hooks, Stage};
use crate::yaml::{Node, Value};

use super::options::chosen;
use super::process;
use super::reader::{Pair, Reader};
use super::service::{flag, place};

/// Reads both lists of hooks.
pub(super) fn read(r: &mut Reader<'_>, node: &Node) -> Hooks {
    Hooks { post_start: stage(r, node, Stage::PostStart), pre_stop: stage(r, node, Stage::PreStop) }
}

fn stage(r: &mut Reader<'_>, node: &Node, stage: Stage) -> Vec<Hook> {
    let key = stage.as_str();
    let mut hooks = Vec::new();
    for item in node.get(key).map(|list| r.items(list, key)).unwrap_or_default() {
        let Some(hook) = one(r, item, key) else { continue };
        // Docker Compose takes it, and the engine refuses to run it.
        if hook.command.is_empty() {
            r.push(
                Diagnostic::obstacle(format!("`{key}` has a hook without a command"), place(item, "command"))
                    .help("write [\"program\", \"argument\"], or take the hook away"),
            );
        }
        hooks.push(hook);
    }
    hooks
}

/// Reads one command; `None` where it is no mapping or has no `command` that can be read, which is said.
pub(super) fn one(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<Hook> {
    if !matches!(node.value, Value::Mapping(_)) {
        r.wrong(node, key, "a mapping with `command`");
        return None;
    }
    let Some(command) = node.get("command") else {
        r.push(
            Diagnostic::error(format!("`{key}` needs a `command`"), node.span)
                .help("command: [\"program\", \"argument\"]"),
        );
        return None;
    };
    let words = process::words(r, command, &format!("{key}.command"));
    let hook = Hook {
        command: words.clone().unwrap_or_default(),
        user: chosen(r, node, "user"),
        privileged: flag(r, node, "privileged"),
        working_dir: chosen(r, node, "working_dir"),
        environment: environment(r, node, key),
    };
    (words.is_some() || command.value == Value::Null).then_some(hook)
}

/// A name alone is handed to the engine as it is, as Docker Compose does (measured on 2.40): unlike that of a
/// service, it does not take the host's value, and the command does not even get the container's.
fn environment(r: &mut Reader<'_>, node: &Node, key: &str) -> IndexMap<String, Option<String>> {
    let Some(node) = node.get("environment") else { return IndexMap::new() };
    let key = format!("{key}.environment");
    let mut values = IndexMap::new();
    for Pair { name, value, literal: _, span } in r.pairs(node, &key) {
        check(r, &key, &name, value.as_deref(), span);
        values.insert(name, value);
    }
    values
}

fn check(r: &mut Reader<'_>, key: &str, name: &str, value: Option<&str>, span: Span) {
    if name.is_empty() {
        r.error(format!("`{key}`: a variable needs a name before `=`"), span);
    } else if name.contains(char::is_control) || value.is_some_and(|value| value.contains('\0')) {
        r.error(format!("`{key}`: the variable {name:?} has a control character in it"), span);
    } else if value.is_none() {
        r.push(
            Diagnostic::warning(format!("`{key}`: `{name}` alone takes {name} away from the command"), span)
                .coded(Code::NoEffect)
                .help(format!("write `{name}=${{{name}}}` to hand on the value that it has here")),
        );
    }
}
