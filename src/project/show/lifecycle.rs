//! Hooks and watch rules as `config` prints them.

use serde_json::{Map, Value as Json, json};

use crate::project::develop::Unused;
use crate::project::{Develop, Hook, Service, Stage, WatchAction, WatchRule};
use crate::yaml::{Node, Value};

use super::service::Written;
use super::{put, put_filled, put_set};

/// Shows the hooks and the watch rules of a service.
pub(super) fn show(shown: &mut Map<String, Json>, service: &Service, written: Written<'_>) {
    for stage in [Stage::PostStart, Stage::PreStop] {
        let key = stage.as_str();
        let hooks: Vec<Json> = service
            .hooks
            .at(stage)
            .iter()
            .enumerate()
            .map(|(at, it)| hook(it, item(written.at(&[key]), at)))
            .collect();
        put_filled(shown, key, &hooks, hooks.is_empty());
    }
    let Develop { watch } = &service.develop;
    let rules: Vec<Json> = watch
        .iter()
        .enumerate()
        .map(|(at, it)| rule(it, item(written.at(&["develop", "watch"]), at)))
        .collect();
    put_filled(shown, "develop", json!({ "watch": rules }), rules.is_empty());
}

/// One item of a list as it was written, where it is known.
fn item(list: Option<&Node>, at: usize) -> Option<&Node> {
    match list.map(|list| &list.value) {
        Some(Value::Sequence(items)) => items.get(at),
        Some(Value::Null | Value::Scalar { .. } | Value::Mapping(_)) | None => None,
    }
}

/// Shows a command. One that is nothing is told from one without words, as Compose tells them apart.
fn hook(hook: &Hook, written: Option<&Node>) -> Json {
    let Hook { command, user, privileged, working_dir, environment } = hook;
    let mut shown = Map::new();
    let is_null = written.and_then(|node| node.get("command")).is_some_and(|node| node.value == Value::Null);
    shown.insert("command".to_owned(), if is_null { Json::Null } else { json!(command) });
    put(&mut shown, "user", user.as_ref());
    put_set(&mut shown, "privileged", *privileged);
    put(&mut shown, "working_dir", working_dir.as_ref());
    put_filled(&mut shown, "environment", environment, environment.is_empty());
    Json::Object(shown)
}

fn rule(rule: &WatchRule, written: Option<&Node>) -> Json {
    let WatchRule { path, ignore, include, initial_sync, action, unused } = rule;
    let Unused { target, exec } = unused;
    let mut shown = Map::new();
    shown.insert("path".to_owned(), json!(path.to_string_lossy()));
    shown.insert("action".to_owned(), json!(action.as_str()));
    put(&mut shown, "target", action.target().or(target.as_deref()));
    put_filled(&mut shown, "ignore", ignore, ignore.is_empty());
    put_filled(&mut shown, "include", include, include.is_empty());
    put_set(&mut shown, "initial_sync", *initial_sync);
    let written = written.and_then(|node| node.get("exec"));
    let exec = match action {
        // A command that is not written is not there, and Compose would not read it without one.
        WatchAction::SyncExec { target: _, exec } if written.is_some() || !exec.command.is_empty() => {
            Some(exec)
        }
        WatchAction::SyncUnit { target: _, units } => {
            put(&mut shown, "units", Some(units));
            exec.as_ref()
        }
        WatchAction::SyncExec { .. }
        | WatchAction::Sync { .. }
        | WatchAction::SyncRestart { .. }
        | WatchAction::Rebuild
        | WatchAction::Restart => exec.as_ref(),
    };
    put(&mut shown, "exec", exec.map(|exec| hook(exec, written)));
    Json::Object(shown)
}

#[cfg(test)]
mod tests;
