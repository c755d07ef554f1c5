//! What runs as PID 1 and how it stops: `command`, `entrypoint`, `user`, `working_dir`, `init`, `stop_*`. On
//! a machine PID 1 is systemd, so most of these mean something else there, or nothing.

use std::time::Duration;

use crate::diagnostic::{Diagnostic, Span};
use crate::project::{Service, command_line};
use crate::yaml::{Node, Value};

use super::options::chosen;
use super::reader::Reader;
use super::service::{field, place};

/// Asks systemd to halt (systemd(1), "SIGNALS").
const MACHINE_SIGNAL: &str = "SIGRTMIN+3";
/// Signals that do not end systemd in a container: measured on 257, SIGTERM re-executes PID 1 and SIGPWR
/// does nothing; the container then dies by SIGKILL.
const USELESS_SIGNALS: [&str; 6] = ["SIGTERM", "TERM", "15", "SIGPWR", "PWR", "SIGHUP"];

/// The fields of a service that decide its first process.
pub(super) struct Process {
    pub(super) command: Option<Vec<String>>,
    pub(super) entrypoint: Option<Vec<String>>,
    pub(super) user: Option<String>,
    pub(super) working_dir: Option<String>,
    pub(super) init: Option<bool>,
    pub(super) stop_signal: Option<String>,
    pub(super) stop_grace_period: Duration,
    /// Of a machine: systemd's path, where the command line names it.
    pub(super) systemd: Option<String>,
    /// Of a machine: arguments for systemd from the command line, still to be checked, with their places.
    pub(super) systemd_args: Vec<(String, Span)>,
}

/// Reads the fields that decide the first process.
pub(super) fn read(r: &mut Reader<'_>, node: &Node, is_machine: bool) -> Process {
    let command = field(r, node, "command", words);
    let entrypoint = field(r, node, "entrypoint", words);
    let (mut systemd, mut systemd_args) = (None, Vec::new());
    if is_machine {
        for (key, words) in [("entrypoint", &entrypoint), ("command", &command)] {
            machine_words(
                r,
                node,
                key,
                words.as_deref().unwrap_or_default(),
                &mut systemd,
                &mut systemd_args,
            );
        }
    }
    let stop_signal = field(r, node, "stop_signal", Reader::some_text);
    Process {
        command,
        entrypoint,
        user: user(r, node, is_machine),
        working_dir: working_dir(r, node, is_machine),
        init: init(r, node, is_machine),
        stop_signal: if is_machine { Some(machine_signal(r, node, stop_signal)) } else { stop_signal },
        stop_grace_period: field(r, node, "stop_grace_period", Reader::duration).unwrap_or(if is_machine {
            Service::MACHINE_GRACE
        } else {
            Service::GRACE
        }),
        systemd,
        systemd_args,
    }
}

/// Reads a command as a list, or as text that is taken apart.
pub(super) fn words(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<Vec<String>> {
    match &node.value {
        Value::Null => None,
        Value::Sequence(_) => Some(r.texts(node, key)),
        Value::Scalar { .. } => {
            let text = r.text(node, key)?;
            match command_line::split(&text) {
                Ok(line) => {
                    if !line.left_out.is_empty() {
                        r.push(
                            Diagnostic::warning(
                                format!("`{key}` ends before `{}`, as in Compose", line.left_out.trim_end()),
                                node.span,
                            )
                            .help("no shell reads it; write [\"sh\", \"-c\", \"…\"] for one, or use quotes"),
                        );
                    }
                    Some(line.words)
                }
                Err(why) => {
                    r.error(format!("`{key}` cannot be taken apart into words: {why}"), node.span);
                    None
                }
            }
        }
        Value::Mapping(_) => {
            r.wrong(node, key, "text or a list of texts");
            None
        }
    }
}

/// On a machine a command may only name systemd and give it arguments: that is what files do which also
/// serve Docker Compose.
fn machine_words(
    r: &mut Reader<'_>,
    node: &Node,
    key: &str,
    words: &[String],
    systemd: &mut Option<String>,
    args: &mut Vec<(String, Span)>,
) {
    for (at, word) in words.iter().enumerate() {
        let span = match node.get(key).map(|node| (node.span, &node.value)) {
            Some((span, Value::Sequence(items))) => items.get(at).map_or(span, |item| item.span),
            Some((span, Value::Null | Value::Scalar { .. } | Value::Mapping(_))) => span,
            None => node.span,
        };
        let is_init = word.starts_with('/') && (word.ends_with("/systemd") || word.ends_with("/init"));
        if at == 0 && systemd.is_none() && is_init {
            *systemd = Some(word.clone());
        } else if word.starts_with("systemd.") || word.starts_with("rd.") || word.starts_with("--") {
            args.push((word.clone(), span));
        } else {
            // The word may be an assignment of something secret.
            let shown = word.split('=').next().unwrap_or_default();
            r.push(
                Diagnostic::error(
                    format!("`{key}` cannot be given to a machine: its PID 1 is systemd"),
                    span,
                )
                .marked(format!("`{shown}` is no argument for systemd"))
                .help("to run a program in the machine, give it a unit under `systemd.units`")
                .help("to pass arguments to systemd, use `systemd.args`")
                .help("if no systemd is wanted, write `systemd: false`"),
            );
            return;
        }
    }
}

fn user(r: &mut Reader<'_>, node: &Node, is_machine: bool) -> Option<String> {
    let user = chosen(r, node, "user")?;
    if !is_machine {
        return Some(user);
    }
    if !matches!(user.as_str(), "" | "root" | "0" | "0:0" | "root:root") {
        r.push(
            Diagnostic::error(
                "`user` cannot be given to a machine: its systemd runs as root",
                place(node, "user"),
            )
            .help(format!(
                "set `User={user}` in the unit: systemd.units: {{ NAME.service: {{ drop_in: … }} }}"
            )),
        );
    }
    None
}

fn working_dir(r: &mut Reader<'_>, node: &Node, is_machine: bool) -> Option<String> {
    let directory = field(r, node, "working_dir", Reader::some_text)?;
    if is_machine {
        r.push(
            Diagnostic::warning(
                "`working_dir` means nothing to a machine's units",
                place(node, "working_dir"),
            )
            .help(format!(
                "set `WorkingDirectory={directory}` in the unit by a drop-in under `systemd.units`"
            )),
        );
    }
    Some(directory)
}

/// Measured: systemd behind the engine's init ends at once with "Explicit --user argument required".
fn init(r: &mut Reader<'_>, node: &Node, is_machine: bool) -> Option<bool> {
    let init = field(r, node, "init", Reader::boolean);
    if is_machine && init == Some(true) {
        r.push(
            Diagnostic::error(
                "`init: true` puts the engine's own init at PID 1, where a machine needs systemd",
                place(node, "init"),
            )
            .help("take it away: systemd reaps processes itself"),
        );
    }
    init.filter(|_| !is_machine)
}

fn machine_signal(r: &mut Reader<'_>, node: &Node, given: Option<String>) -> String {
    let Some(signal) = given else { return MACHINE_SIGNAL.to_owned() };
    if USELESS_SIGNALS.contains(&signal.to_ascii_uppercase().as_str()) {
        r.push(
            Diagnostic::warning(format!("{signal} does not stop systemd"), place(node, "stop_signal"))
                .help(format!("leave `stop_signal` out: the default is {MACHINE_SIGNAL}")),
        );
    }
    signal
}
