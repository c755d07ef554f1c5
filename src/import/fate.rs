//! What becomes of the keys of a service that turns out to be a machine.

use crate::yaml::{Entry, Node, Value};

use super::first_process::{self, Wishes};
use super::{Finding, Kind, grants, signs};

/// What becomes of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes.
    Gone,
    /// Some of its items or entries go, by their numbers.
    Without(Vec<usize>),
}

/// A key that does not stay as it is.
#[derive(Debug)]
pub(super) struct Change<'n> {
    /// The key with its value.
    pub(super) entry: &'n Entry,
    /// What becomes of it.
    pub(super) fate: Fate,
}

/// What is made of one machine.
#[derive(Debug, Default)]
pub(super) struct Verdict<'n> {
    /// Keys that change.
    pub(super) changes: Vec<Change<'n>>,
    /// What `systemd:` says.
    pub(super) wishes: Wishes,
    /// What to tell.
    pub(super) findings: Vec<Finding>,
}

impl<'n> Verdict<'n> {
    /// Judges the keys of a machine one by one.
    pub(super) fn of(name: &str, service: &'n Node) -> Self {
        let mut verdict = Self::default();
        let Value::Mapping(entries) = &service.value else { return verdict };
        first_process::read(name, service, &mut verdict.wishes, &mut verdict.findings);
        for entry in entries {
            verdict.judge(name, service, entry);
        }
        verdict
    }

    fn judge(&mut self, name: &str, service: &Node, entry: &'n Entry) {
        let value = signs::scalar(&entry.value).unwrap_or_default();
        let is_true = value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("yes");
        match &*entry.key {
            "entrypoint" | "command" | "tty" => self.gone(entry),
            "privileged" => {
                if is_true {
                    self.tell(name, Kind::Dropped, grants::PRIVILEGED);
                }
                self.gone(entry);
            }
            "cgroup" | "cgroup_parent" => {
                let text = format!("`{}: {value}`: {}", entry.key, grants::CGROUP_NAMESPACE);
                self.tell(name, Kind::Dropped, &text);
                self.gone(entry);
            }
            "pid" if value == "host" => {
                self.tell(
                    name,
                    Kind::Dropped,
                    "`pid: host`: systemd must be process 1 of its own PID namespace",
                );
                self.gone(entry);
            }
            "init" => {
                if is_true {
                    self.tell(
                        name,
                        Kind::Moved,
                        "`init: true`: systemd itself is process 1, and reaps processes",
                    );
                }
                self.gone(entry);
            }
            "user" => self.user(name, entry, &value),
            "read_only" if is_true => {
                self.tell(
                    name,
                    Kind::Care,
                    "`read_only: true` is taken away: the machine's unit files are put into its root",
                );
                self.gone(entry);
            }
            "stop_signal" => self.stop_signal(name, entry, &value),
            "cap_add" => self.items(name, service, entry, grants::capability),
            "security_opt" => self.items(name, service, entry, grants::security_option),
            "devices" => self.items(name, service, entry, grants::device),
            "volumes" => self.items(name, service, entry, grants::volume),
            "tmpfs" => self.items(name, service, entry, grants::tmpfs),
            "environment" => self.environment(entry),
            _ => {}
        }
    }

    fn gone(&mut self, entry: &'n Entry) {
        self.changes.push(Change { entry, fate: Fate::Gone });
    }

    fn tell(&mut self, name: &str, kind: Kind, text: &str) {
        self.findings.push(Finding::new(name, kind, text));
    }

    fn user(&mut self, name: &str, entry: &'n Entry, user: &str) {
        if !matches!(user, "" | "root" | "0" | "0:0" | "root:root") {
            let text = format!(
                "`user: {user}` is taken away: systemd runs as root; set `User={user}` in the units that need it"
            );
            self.tell(name, Kind::Care, &text);
        }
        self.gone(entry);
    }

    fn stop_signal(&mut self, name: &str, entry: &'n Entry, signal: &str) {
        if signs::is_halt(signal) {
            self.tell(name, Kind::Moved, "`stop_signal: SIGRTMIN+3` is a machine's default");
        } else if matches!(signal.to_ascii_uppercase().as_str(), "SIGTERM" | "TERM" | "15" | "SIGKILL" | "9")
        {
            let text = format!(
                "`stop_signal: {signal}` does not stop systemd in order; the default SIGRTMIN+3 does"
            );
            self.tell(name, Kind::Moved, &text);
        } else {
            return;
        }
        self.gone(entry);
    }

    /// Judges the items of a list one by one, or the one scalar that stands for it.
    fn items(
        &mut self,
        name: &str,
        service: &Node,
        entry: &'n Entry,
        judge: fn(&Node, &Node, &mut Wishes) -> Option<grants::Loss>,
    ) {
        let items = signs::items(service, &entry.key);
        let mut gone = Vec::new();
        for (at, item) in items.iter().enumerate() {
            if let Some(loss) = judge(service, item, &mut self.wishes) {
                gone.push(at);
                self.findings.extend(loss.map(|(kind, text)| Finding::new(name, kind, text)));
            }
        }
        self.without(entry, gone, items.len());
    }

    fn environment(&mut self, entry: &'n Entry) {
        const OURS: [&str; 2] = ["container", "NOTIFY_SOCKET"];
        let names: Vec<String> = match &entry.value.value {
            Value::Mapping(entries) => entries.iter().map(|entry| entry.key.to_string()).collect(),
            Value::Sequence(items) => items
                .iter()
                .map(|item| {
                    signs::scalar(item).unwrap_or_default().split('=').next().unwrap_or_default().to_owned()
                })
                .collect(),
            Value::Null | Value::Scalar { .. } => Vec::new(),
        };
        let gone = names.iter().enumerate().filter(|(_, name)| OURS.contains(&name.as_str()));
        let gone = gone.map(|(at, _)| at).collect();
        self.without(entry, gone, names.len());
    }

    fn without(&mut self, entry: &'n Entry, gone: Vec<usize>, all: usize) {
        if gone.is_empty() {
            return;
        }
        let fate = if gone.len() == all { Fate::Gone } else { Fate::Without(gone) };
        self.changes.push(Change { entry, fate });
    }
}
