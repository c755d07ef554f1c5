//! What the root of a simulated machine holds and what changes it: files, links that enable and mask units, units
//! that were stopped, and the few commands that sdcompose runs to change something.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::container::record::{self, Record};
use crate::container::{ContainerSpec, Content, FileSpec};
use crate::engine::ExecOutput;
use crate::systemd::ActiveState;
use crate::systemd::UnitName;
use crate::systemd::show::UnitUse;

use super::script::Script;

/// Where sdcompose puts unit files.
const UNITS: &str = "/etc/systemd/system/";

/// The root of one container, and what of its systemd follows from it.
#[derive(Debug, Clone, Default)]
pub(super) struct Root {
    /// What was put into it, by path.
    pub(super) files: BTreeMap<String, FileSpec>,
    /// Units that were stopped since its start.
    pub(super) stopped: BTreeSet<String>,
    /// Commands that changed something since its creation, in order.
    pub(super) deeds: Vec<String>,
}

impl Root {
    /// Runs a command that changes something.
    pub(super) fn run(&mut self, script: &Script, command: &[String]) -> ExecOutput {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        self.deeds.push(command.join(" "));
        match words.as_slice() {
            ["rm", "-f", "--", paths @ ..] => {
                for path in paths {
                    self.files.remove(*path);
                }
                ended(0, "")
            }
            ["systemctl", "daemon-reload"] | ["systemd-tmpfiles", "--create", _] => ended(0, ""),
            ["systemctl", verb, "--", units @ ..] => self.units(script, verb, units),
            _ => ended(127, "the toy systemd does not know this command"),
        }
    }

    fn units(&mut self, script: &Script, verb: &str, units: &[&str]) -> ExecOutput {
        let mut complaints = String::new();
        for unit in units {
            if !unit.contains('*') && !self.knows(script, unit) {
                let _ = writeln!(complaints, "Unit {unit} not found.");
                continue;
            }
            match verb {
                "stop" => drop(self.stopped.insert((*unit).to_owned())),
                // A target starts all that it wants and that does not run.
                "start" if unit.ends_with(".target") => self.stopped.clear(),
                "start" | "restart" | "reload-or-restart" => drop(self.stopped.remove(*unit)),
                // Only what is active is restarted.
                "try-restart" | "try-reload-or-restart" => {}
                _ => return ended(1, "Unknown command verb"),
            }
        }
        ended(if complaints.is_empty() { 0 } else { 5 }, &complaints)
    }

    fn knows(&self, script: &Script, unit: &str) -> bool {
        script.units.iter().any(|known| known.name == unit)
            || self.has_file(unit)
            || unit.ends_with(".target")
    }

    /// Whether it was given a unit file of this name.
    pub(super) fn has_file(&self, unit: &str) -> bool {
        let file = self.files.get(&format!("{UNITS}{unit}"));
        file.is_some_and(|file| matches!(file.content, Content::Bytes(_)))
    }

    /// Returns the record that is among the files.
    pub(super) fn record(&self) -> Option<Record> {
        match &self.files.get(record::PATH)?.content {
            Content::Bytes(bytes) => Record::parse(bytes),
            Content::Symlink(_) | Content::Directory => None,
        }
    }

    /// Lists the services of the script and of files, with the credentials that the files name.
    pub(super) fn uses(&self, script: &Script) -> Vec<UnitUse> {
        let of_files = self.files.keys().filter_map(|path| path.strip_prefix(UNITS)?.split('/').next());
        let of_files = of_files.map(|name| name.trim_end_matches(".d"));
        let names: BTreeSet<&str> =
            script.units.iter().map(|unit| unit.name.as_str()).chain(of_files).collect();
        let services = names.into_iter().filter(|name| name.ends_with(".service"));
        services.filter_map(|name| Some(self.use_of(UnitName::parse(name).ok()?))).collect()
    }

    fn use_of(&self, name: UnitName) -> UnitUse {
        let (file, drop_ins) = (format!("{UNITS}{name}"), format!("{UNITS}{name}.d/"));
        let texts = self.files.iter().filter(|(path, _)| **path == file || path.starts_with(&drop_ins));
        let mut credentials = Vec::new();
        for (_, FileSpec { content, .. }) in texts {
            let Content::Bytes(bytes) = content else { continue };
            let text = String::from_utf8_lossy(bytes);
            let values = text.lines().filter_map(|line| {
                line.strip_prefix("LoadCredential=").or_else(|| line.strip_prefix("ImportCredential="))
            });
            credentials.extend(values.filter_map(|value| Some(value.split(':').next()?.to_owned())));
        }
        let stopped = self.stopped.contains(name.as_str());
        let active = if stopped { ActiveState::Inactive } else { ActiveState::Active };
        UnitUse { name, active, kind: String::new(), credentials }
    }

    /// Writes what a machine is by its arguments and files together, so that one that was changed in place reads
    /// like one that was made so.
    pub(super) fn text(&self, spec: &ContainerSpec, script: &Script) -> String {
        let mut files = String::new();
        let (mut wants, mut masks) = (BTreeSet::new(), BTreeSet::new());
        for word in spec.command.iter().flatten() {
            wants.extend(word.strip_prefix("systemd.wants=").map(str::to_owned));
            masks.extend(word.strip_prefix("systemd.mask=").map(str::to_owned));
        }
        for (path, FileSpec { mode, content, path: _, uid: _, gid: _ }) in &self.files {
            match content {
                Content::Symlink(target) if target == "/dev/null" => {
                    masks.extend(path.strip_prefix(UNITS).map(str::to_owned));
                }
                Content::Symlink(_) if path.contains(".wants/") => {
                    wants.extend(path.rsplit('/').next().map(str::to_owned));
                }
                Content::Bytes(_) if path == record::PATH => {}
                Content::Bytes(bytes) => {
                    let hash = crate::container::names::hex(bytes);
                    // Writing to a String cannot fail.
                    let _ = write!(files, " {path}:{mode:o}:{}", hash.get(..6).unwrap_or_default());
                }
                Content::Symlink(target) => {
                    let _ = write!(files, " {path}->{target}");
                }
                // An empty one makes no difference.
                Content::Directory => {}
            }
        }
        let joined =
            |units: &BTreeSet<String>| units.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        // What there is no unit for is neither started nor stopped.
        wants.retain(|unit| self.knows(script, unit));
        let stopped: Vec<&str> =
            self.stopped.iter().map(String::as_str).filter(|unit| !masks.contains(*unit)).collect();
        // There are some dozens of them in every machine.
        let masked = crate::container::names::hex(joined(&masks).as_bytes());
        format!(
            "wants={} masks={}:{} stopped={:?} files=[{}]",
            joined(&wants),
            masks.len(),
            masked.get(..6).unwrap_or_default(),
            stopped,
            files.trim_start()
        )
    }
}

fn ended(code: i64, stderr: &str) -> ExecOutput {
    ExecOutput { code, stdout: Vec::new(), stderr: stderr.as_bytes().to_vec() }
}
