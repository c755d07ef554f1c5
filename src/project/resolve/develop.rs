//! `develop.watch`: which files are followed, and what a change of them does.

use std::path::PathBuf;

use crate::diagnostic::{Code, Diagnostic};
use crate::project::develop::Unused;
use crate::project::{Develop, Hook, WatchAction, WatchRule, name};
use crate::systemd::UnitName;
use crate::yaml::{Node, Value};

use super::hooks;
use super::machine::startable;
use super::reader::Reader;
use super::service::{field, place};

/// The words of `action`.
const ACTIONS: [&str; 6] = ["sync", "rebuild", "restart", "sync+restart", "sync+exec", "sync+unit"];

/// What a rule's fields need to know of its service.
#[derive(Clone, Copy)]
struct Of {
    is_machine: bool,
    is_built: bool,
}

/// Reads `develop` of a service.
pub(super) fn read(r: &mut Reader<'_>, node: &Node, is_machine: bool) -> Develop {
    let Some(develop) = node.get("develop") else { return Develop::default() };
    r.entries_or_none(develop, "develop");
    let Some(watch) = develop.get("watch") else { return Develop::default() };
    let of = Of { is_machine, is_built: node.get("build").is_some() };
    Develop { watch: r.items(watch, "develop.watch").iter().filter_map(|item| rule(r, item, of)).collect() }
}

fn rule(r: &mut Reader<'_>, node: &Node, of: Of) -> Option<WatchRule> {
    if !matches!(node.value, Value::Mapping(_)) {
        r.wrong(node, "develop.watch", "a mapping with `path` and `action`");
        return None;
    }
    let path = path(r, node);
    let ignore = patterns(r, node, "ignore");
    let include = patterns(r, node, "include");
    let initial_sync = field(r, node, "initial_sync", switch).unwrap_or(false);
    let action = action(r, node, of);
    let (action, unused) = action?;
    Some(WatchRule { path: path?, ignore, include, initial_sync, action, unused })
}

fn path(r: &mut Reader<'_>, node: &Node) -> Option<PathBuf> {
    let Some(path) = node.get("path") else {
        r.push(
            Diagnostic::error("`develop.watch` needs a `path`", node.span)
                .help("the file or directory of this host that is followed"),
        );
        return None;
    };
    let text = r.needed_text(path, "develop.watch.path")?;
    Some(r.path(&text, path.span))
}

/// Only `true` and `false` themselves, as Compose's own schema has it.
fn switch(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<bool> {
    if matches!(node.value, Value::Scalar { plain: false, .. }) || node.is_interpolated() {
        r.wrong(node, key, "true or false without quotes and variables");
        return None;
    }
    r.boolean(node, key)
}

/// One pattern or several, none twice.
fn patterns(r: &mut Reader<'_>, node: &Node, key: &str) -> Vec<String> {
    let Some(list) = node.get(key) else { return Vec::new() };
    let items = match &list.value {
        Value::Scalar { .. } => std::slice::from_ref(list),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => r.items(list, key),
    };
    let mut patterns: Vec<String> = Vec::new();
    for item in items {
        let Some(pattern) = r.text(item, key) else { continue };
        if patterns.contains(&pattern) {
            r.push(
                Diagnostic::error(format!("`{key}` has {pattern:?} twice"), item.span)
                    .coded(Code::Conflict)
                    .help("take one of them away"),
            );
        }
        patterns.push(pattern);
    }
    patterns
}

fn action(r: &mut Reader<'_>, node: &Node, of: Of) -> Option<(WatchAction, Unused)> {
    let target = field(r, node, "target", Reader::filled);
    let exec = node.get("exec").map(|exec| hooks::one(r, exec, "develop.watch.exec"));
    let Some(written) = node.get("action") else {
        r.push(
            Diagnostic::error("`develop.watch` needs an `action`", node.span)
                .help(format!("there are {}", ACTIONS.map(|word| format!("`{word}`")).join(", "))),
        );
        return None;
    };
    let word = r.text(written, "develop.watch.action")?;
    let units = units(r, node, &word);
    let needs_target = |r: &mut Reader<'_>| {
        if target.is_none() {
            r.push(
                Diagnostic::error(format!("`{word}` needs a `target`"), place(node, "target"))
                    .help("the path inside the container that the files are put to"),
            );
        }
        target.clone()
    };
    let action = match word.as_str() {
        "sync" => WatchAction::Sync { target: needs_target(r)? },
        "sync+restart" => WatchAction::SyncRestart { target: needs_target(r)? },
        "sync+exec" => {
            let target = needs_target(r)?;
            let exec = exec.clone().unwrap_or_else(|| Some(Hook::default()))?;
            check_exec(r, node, &exec);
            WatchAction::SyncExec { target, exec }
        }
        "sync+unit" => {
            check_machine(r, node, of);
            WatchAction::SyncUnit { target: needs_target(r)?, units: units? }
        }
        "rebuild" => {
            check_build(r, node, of);
            WatchAction::Rebuild
        }
        "restart" => WatchAction::Restart,
        other => {
            let found = Diagnostic::error(format!("{other:?} is no action of `develop.watch`"), written.span);
            r.push(match name::nearest(other, ACTIONS) {
                Some(near) => found.help(format!("did you mean `{near}`?")).suggest(written.span, near),
                None => {
                    found.help(format!("there are {}", ACTIONS.map(|word| format!("`{word}`")).join(", ")))
                }
            });
            return None;
        }
    };
    let exec = exec.flatten();
    let unused = Unused {
        target: target.filter(|_| action.target().is_none()),
        exec: exec.filter(|_| !matches!(action, WatchAction::SyncExec { .. })),
    };
    warn_unused(r, node, &action, &unused);
    Some((action, unused))
}

/// Reads the units of `sync+unit`; no other action has any.
fn units(r: &mut Reader<'_>, node: &Node, word: &str) -> Option<Vec<UnitName>> {
    let given = node.get("units");
    if word != "sync+unit" {
        if given.is_some() {
            r.push(
                Diagnostic::error(format!("`{word}` has no `units`"), place(node, "units"))
                    .help("`action: sync+unit` reloads or restarts them"),
            );
        }
        return None;
    }
    let Some(list) = given else {
        r.push(
            Diagnostic::error("`sync+unit` needs `units`", place(node, "action"))
                .help("units: [nginx.service], the units inside that are reloaded or restarted"),
        );
        return None;
    };
    let items = r.items(list, "units");
    if items.is_empty() && matches!(list.value, Value::Sequence(_)) {
        r.error("`units` is empty", list.span);
    }
    let mut units: Vec<UnitName> = Vec::new();
    for item in items {
        if let Some(unit) = startable(r, item, "units")
            && !units.contains(&unit)
        {
            units.push(unit);
        }
    }
    (!units.is_empty()).then_some(units)
}

fn check_machine(r: &mut Reader<'_>, node: &Node, of: Of) {
    if !of.is_machine {
        r.push(
            Diagnostic::error(
                "`sync+unit` is for machines: a plain container has no units",
                place(node, "action"),
            )
            .help("`sync+restart` restarts the container, `sync+exec` runs a command in it"),
        );
    }
}

/// Docker Compose refuses it as well, but not before it watches.
fn check_build(r: &mut Reader<'_>, node: &Node, of: Of) {
    if !of.is_built {
        r.push(
            Diagnostic::warning(
                "`rebuild` has nothing to build: the service has no `build`",
                place(node, "action"),
            )
            .coded(Code::NoEffect)
            .help("give the service a `build`, or take another action"),
        );
    }
}

/// Docker Compose refuses it as well, but not before it watches.
fn check_exec(r: &mut Reader<'_>, node: &Node, exec: &Hook) {
    if exec.command.is_empty() {
        r.push(
            Diagnostic::warning("`sync+exec` has no command to run", place(node, "action"))
                .coded(Code::NoEffect)
                .help("exec: { command: [\"program\", \"argument\"] }"),
        );
    }
}

fn warn_unused(r: &mut Reader<'_>, node: &Node, action: &WatchAction, unused: &Unused) {
    let Unused { target, exec } = unused;
    let fields = [("target", target.is_some()), ("exec", exec.is_some())];
    for (key, _) in fields.into_iter().filter(|(_, is_there)| *is_there) {
        r.push(
            Diagnostic::warning(format!("`{key}` means nothing to `{}`", action.as_str()), place(node, key))
                .coded(Code::NoEffect),
        );
    }
}
