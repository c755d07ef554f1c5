//! The command that ran systemd, and what it asked of it: now fields of `systemd:`.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use crate::project::Feature;
use crate::yaml::Node;

use super::signs::{init_in, is_init, words};
use super::{Finding, Kind};

/// What `systemd:` of an imported machine says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    /// Features that were asked for by other means.
    pub(super) features: BTreeSet<Feature>,
    target: Option<String>,
    log_level: Option<String>,
    log_target: Option<String>,
    enable: Vec<String>,
    mask: Vec<String>,
    args: Vec<String>,
}

impl Wishes {
    /// Returns the value of `systemd:`.
    pub(super) fn value(&self) -> Json {
        let Self { features, target, log_level, log_target, enable, mask, args } = self;
        let mut fields = Map::new();
        for (key, word) in [("target", target), ("log_level", log_level), ("log_target", log_target)] {
            fields.extend(word.iter().map(|word| (key.to_owned(), json!(word))));
        }
        let features: Vec<String> = features.iter().map(ToString::to_string).collect();
        for (key, list) in [("features", &features), ("enable", enable), ("mask", mask), ("args", args)] {
            if !list.is_empty() {
                fields.insert(key.to_owned(), json!(list));
            }
        }
        if fields.is_empty() { Json::Bool(true) } else { Json::Object(fields) }
    }
}

/// Reads entrypoint and command of a machine.
pub(super) fn read(name: &str, service: &Node, wishes: &mut Wishes, findings: &mut Vec<Finding>) {
    let [entrypoint, command] = ["entrypoint", "command"].map(|key| words(service, key));
    let mut rest = Vec::new();
    for (key, words) in [("entrypoint", &entrypoint), ("command", &command)] {
        let Some(first) = words.first() else { continue };
        if is_init(first) {
            rest.extend(words.iter().skip(1).cloned());
        } else if key == "command" && entrypoint.last().is_some_and(|word| is_init(word)) {
            rest.extend(words.iter().cloned());
        } else if init_in(words).is_none() || !only_runs_init(words) {
            findings.push(Finding::new(
                name,
                Kind::Care,
                format!(
                    "`{key}: {}` is not run: sdcompose starts systemd itself; what the program prepares belongs \
                     into a oneshot unit under `systemd.units`",
                    words.join(" ")
                ),
            ));
        }
    }
    for word in rest {
        argument(name, word, wishes, findings);
    }
}

/// Whether a shell does nothing but to become systemd.
fn only_runs_init(words: &[String]) -> bool {
    let script = words.iter().skip(1).find(|word| !word.starts_with('-')).map_or("", |script| script.trim());
    let script = script.strip_prefix("exec ").unwrap_or(script).trim();
    is_init(script)
}

/// One argument of systemd.
fn argument(name: &str, word: String, wishes: &mut Wishes, findings: &mut Vec<Finding>) {
    let (key, value) = word.split_once('=').unwrap_or((&word, ""));
    let value = value.to_owned();
    match key {
        "--unit" | "systemd.unit" => wishes.target = Some(value),
        "--log-level" | "systemd.log_level" => wishes.log_level = Some(value),
        "--log-target" | "systemd.log_target" => wishes.log_target = Some(value),
        "systemd.wants" => wishes.enable.push(value),
        "systemd.mask" => wishes.mask.push(value),
        "--system" | "--show-status" | "systemd.show_status" | "--log-color" => {}
        "systemd.setenv" | "systemd.set_credential" | "systemd.set_credential_binary" => {
            let text = format!(
                "the argument `{key}=…` is taken away: every user inside can read it; use `environment` or \
                 `systemd.credentials`"
            );
            findings.push(Finding::new(name, Kind::Care, text));
        }
        key if key.starts_with("systemd.") => wishes.args.push(word),
        _ => {
            let text =
                format!("the argument `{key}` is taken away: sdcompose knows no such argument of systemd");
            findings.push(Finding::new(name, Kind::Care, text));
        }
    }
}
