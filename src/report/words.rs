//! The words in which steps are told: what a step is about, what it does, what it has done.

use std::time::Duration;

use crate::condition::{Condition, Wait};
use crate::container::record;
use crate::event::Progress;
use crate::plan::{Action, Recovery, Step};
use crate::report::sanitize;
use crate::systemd::unit_call::UnitCall;

/// Returns what a step is about, by the name a user knows: a container's, an image's, a network's.
#[must_use]
pub fn subject(action: &Action) -> String {
    match action {
        Action::Pull { reference, platform: _ } | Action::Look { reference } => format!("image {reference}"),
        Action::Build { service: _, tag, build: _ } => format!("image {tag}"),
        Action::CreateNetwork(spec) => format!("network {}", spec.name),
        Action::RemoveNetwork { network } => format!("network {network}"),
        Action::CreateVolume(spec) => format!("volume {}", spec.name),
        Action::RemoveVolume { volume } => format!("volume {volume}"),
        Action::Create(spec) | Action::Replace { spec, .. } => spec.name.clone(),
        Action::Hook(run) => run.container.clone(),
        Action::Rename { from: _, to } => to.clone(),
        Action::Start { container }
        | Action::Await { container, wait: _ }
        | Action::Recover { container, aside: _, outcome: _, grace: _, restart: _ }
        | Action::Update { container, limits: _, restart: _ }
        | Action::Connect { container, join: _ }
        | Action::Disconnect { container, network: _ }
        | Action::Write { container, files: _, remove: _, runs: _, copies: _ }
        | Action::Units { container, call: _, units: _ }
        | Action::Stop { container, grace: _ }
        | Action::Kill { container, signal: _ }
        | Action::Unpause { container }
        | Action::Remove { container, volumes: _ } => container.clone(),
    }
}

/// Returns the stable name of an action in JSON.
#[must_use]
pub fn name(action: &Action) -> &'static str {
    match action {
        Action::Pull { .. } => "pull",
        Action::Build { .. } => "build",
        Action::Look { .. } => "look",
        Action::CreateNetwork(_) => "create_network",
        Action::CreateVolume(_) => "create_volume",
        Action::Create(_) => "create",
        Action::Start { .. } => "start",
        Action::Hook(_) => "hook",
        Action::Await { .. } => "await",
        Action::Replace { .. } => "replace",
        Action::Recover { .. } => "recover",
        Action::Update { .. } => "update",
        Action::Connect { .. } => "connect",
        Action::Disconnect { .. } => "disconnect",
        Action::Write { .. } => "write",
        Action::Units { call, .. } => match call {
            UnitCall::Start => "start_units",
            UnitCall::Stop => "stop_units",
            UnitCall::Restart | UnitCall::TryRestart => "restart_units",
            UnitCall::ReloadOrRestart => "reload_units",
        },
        Action::Stop { .. } => "stop",
        Action::Kill { .. } => "kill",
        Action::Unpause { .. } => "unpause",
        Action::Rename { .. } => "rename",
        Action::Remove { .. } => "remove",
        Action::RemoveNetwork { .. } => "remove_network",
        Action::RemoveVolume { .. } => "remove_volume",
    }
}

/// Returns what a step does, while it does it.
#[must_use]
pub fn doing(action: &Action) -> String {
    match action {
        Action::Pull { .. } => "pulling".to_owned(),
        Action::Build { .. } => "building".to_owned(),
        Action::Look { .. } => "looking for systemd".to_owned(),
        Action::CreateNetwork(_) | Action::CreateVolume(_) | Action::Create(_) => "creating".to_owned(),
        Action::Start { .. } => "starting".to_owned(),
        Action::Hook(run) => format!("running {run}"),
        Action::Await { container: _, wait } => waiting(&wait.condition),
        Action::Replace { .. } => "replacing".to_owned(),
        Action::Recover { outcome, .. } => match outcome {
            Recovery::RenameBack | Recovery::RollBack => "bringing the old one back".to_owned(),
            Recovery::RemoveOld => "removing the old one".to_owned(),
        },
        Action::Update { .. } => "updating".to_owned(),
        Action::Connect { container: _, join } => format!("connecting to {}", join.network),
        Action::Disconnect { container: _, network } => format!("disconnecting from {network}"),
        Action::Write { .. } => "writing files".to_owned(),
        Action::Units { container: _, call, units } => {
            let verb = match call {
                UnitCall::Start => "starting",
                UnitCall::Stop => "stopping",
                UnitCall::Restart | UnitCall::TryRestart => "restarting",
                UnitCall::ReloadOrRestart => "reloading",
            };
            format!("{verb} {}", listed(units))
        }
        Action::Stop { .. } => "stopping".to_owned(),
        Action::Kill { signal, .. } => match signal {
            Some(signal) => format!("sending {signal}"),
            None => "killing".to_owned(),
        },
        Action::Unpause { .. } => "unpausing".to_owned(),
        Action::Rename { .. } => "renaming".to_owned(),
        Action::Remove { .. } | Action::RemoveNetwork { .. } | Action::RemoveVolume { .. } => {
            "removing".to_owned()
        }
    }
}

fn waiting(condition: &Condition) -> String {
    match condition {
        Condition::Started => "starting".to_owned(),
        Condition::Healthy => "waiting to be healthy".to_owned(),
        Condition::CompletedSuccessfully => "waiting for its end".to_owned(),
        Condition::Running | Condition::Booted => "booting".to_owned(),
        Condition::UnitsActive(units) => format!("waiting for {}", listed(units)),
    }
}

/// Returns what a step has done.
#[must_use]
pub fn done(action: &Action, took: Duration) -> String {
    let time = time(took);
    match action {
        Action::Pull { .. } => format!("pulled in {time}"),
        Action::Build { .. } => format!("built in {time}"),
        Action::Look { .. } => "looked into".to_owned(),
        Action::CreateNetwork(_) | Action::CreateVolume(_) | Action::Create(_) => "created".to_owned(),
        Action::Start { .. } => "started".to_owned(),
        Action::Hook(run) => format!("{run} done in {time}"),
        Action::Await { container: _, wait: Wait { condition, timeout: _, enabled: _ } } => {
            holds(condition, &time)
        }
        Action::Replace { .. } => format!("replaced in {time}"),
        Action::Recover { outcome, .. } => match outcome {
            Recovery::RenameBack | Recovery::RollBack => "brought back".to_owned(),
            Recovery::RemoveOld => "cleaned up".to_owned(),
        },
        Action::Update { .. } => "updated".to_owned(),
        Action::Connect { container: _, join } => format!("connected to {}", join.network),
        Action::Disconnect { container: _, network } => format!("disconnected from {network}"),
        Action::Write { container: _, files, remove, runs: _, copies: _ } => {
            let written = files.iter().filter(|file| file.path != record::PATH).count();
            match written + remove.len() {
                1 => "1 file changed".to_owned(),
                count => format!("{count} files changed"),
            }
        }
        Action::Units { container: _, call, units } => {
            let verb = match call {
                UnitCall::Start => "started",
                UnitCall::Stop => "stopped",
                UnitCall::Restart | UnitCall::TryRestart => "restarted",
                UnitCall::ReloadOrRestart => "reloaded",
            };
            format!("{} {verb} in {time}", listed(units))
        }
        Action::Stop { .. } => format!("stopped in {time}"),
        Action::Kill { signal, .. } => match signal {
            Some(signal) => format!("sent {signal}"),
            None => "killed".to_owned(),
        },
        Action::Unpause { .. } => "unpaused".to_owned(),
        Action::Rename { from, to: _ } => format!("renamed, was {from}"),
        Action::Remove { .. } | Action::RemoveNetwork { .. } | Action::RemoveVolume { .. } => {
            "removed".to_owned()
        }
    }
}

fn holds(condition: &Condition, time: &str) -> String {
    match condition {
        Condition::Started => "runs".to_owned(),
        Condition::Healthy => format!("healthy in {time}"),
        Condition::CompletedSuccessfully => format!("completed in {time}"),
        Condition::Running | Condition::Booted => format!("ready in {time}"),
        Condition::UnitsActive(units) => format!("{} active in {time}", listed(units)),
    }
}

fn listed(units: &[crate::systemd::UnitName]) -> String {
    units.iter().map(crate::systemd::UnitName::as_str).collect::<Vec<_>>().join(", ")
}

/// Returns what a running step shows; `None` where it says nothing new for one line.
#[must_use]
pub fn progress(action: &Action, progress: &Progress) -> Option<String> {
    match progress {
        Progress::Line(line) => {
            let line = sanitize::line(line);
            (!line.trim().is_empty()).then(|| format!("{}  {}", doing(action), line.trim()))
        }
        // Layers come side by side; their sum is for whoever keeps them (`layers`).
        Progress::Layer { .. } => None,
        Progress::Booting { done, total, line } => {
            let count = match total {
                Some(total) => format!("booting {done}/{total} units"),
                None => format!("booting {done} units"),
            };
            let line = sanitize::line(line);
            Some(format!("{count}  {}", boot_line(&line)).trim_end().to_owned())
        }
        Progress::Warning(what) => Some(format!("warning: {}", sanitize::line(what).trim())),
        Progress::Waiting(what) if what.is_empty() => None,
        Progress::Waiting(what) => Some(format!("{}: {}", doing(action), sanitize::line(what))),
        Progress::Replacing(what) => Some(format!("replacing: {what}")),
    }
}

/// Takes the mark off a status line of systemd's console (`[  OK  ] Started nginx.service - …`).
fn boot_line(line: &str) -> &str {
    let line = line.trim();
    match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((mark, rest)) if mark.len() <= 8 => rest.trim(),
        Some(_) | None => line,
    }
}

/// Returns a length of time as a person reads it: `0.9 s`, `12.3 s`, `1 min 05 s`.
#[must_use]
pub fn time(took: Duration) -> String {
    let tenths = (took.as_millis() + 50) / 100;
    if tenths < 600 {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let seconds = took.as_secs();
    format!("{} min {:02} s", seconds / 60, seconds % 60)
}

/// Returns an amount of bytes as a person reads it: `512 B`, `3.4 MB` (powers of 1000, as Docker prints).
#[must_use]
pub fn size(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut tenths = u128::from(bytes) * 10 / 1_000;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < units.len() {
        tenths /= 1_000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, units.get(unit).unwrap_or(&"TB"))
}

/// Returns the words for what a step would lose, or nothing.
#[must_use]
pub fn loss(step: &Step) -> Option<String> {
    use crate::plan::Loss;
    step.destroys.as_ref().map(|loss| match loss {
        Loss::Root { files: Some(1) } => "1 file changed in its root".to_owned(),
        Loss::Root { files: Some(files) } => format!("{files} files changed in its root"),
        Loss::Root { files: None } => "what was written into its root".to_owned(),
        Loss::Volume => "the volume and all that is in it".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systemd::UnitName;

    fn boot() -> Action {
        let wait = Wait { condition: Condition::Running, timeout: None, enabled: Vec::new() };
        Action::Await { container: "shop-db-1".to_owned(), wait }
    }

    #[test]
    fn a_boot_is_told_with_its_units_and_its_time() {
        let line = "[\u{1b}[0;32m  OK  \u{1b}[0m] Started nginx.service - A web server.\r".to_owned();
        let booting = Progress::Booting { done: 12, total: Some(31), line };
        assert_eq!(
            progress(&boot(), &booting).unwrap(),
            "booting 12/31 units  Started nginx.service - A web server."
        );
        let booting = Progress::Booting { done: 1, total: None, line: String::new() };
        assert_eq!(progress(&boot(), &booting).unwrap(), "booting 1 units");
        assert_eq!(done(&boot(), Duration::from_millis(940)), "ready in 0.9 s");
    }

    #[test]
    fn a_wait_for_units_names_them() {
        let units = vec![UnitName::parse("a.socket").unwrap(), UnitName::parse("b.service").unwrap()];
        let wait = Wait { condition: Condition::UnitsActive(units), timeout: None, enabled: Vec::new() };
        let action = Action::Await { container: "x".to_owned(), wait };
        assert_eq!(doing(&action), "waiting for a.socket, b.service");
        assert_eq!(done(&action, Duration::from_secs(2)), "a.socket, b.service active in 2.0 s");
    }

    #[test]
    fn times_and_sizes_are_short() {
        assert_eq!(time(Duration::from_millis(49)), "0.0 s");
        assert_eq!(time(Duration::from_millis(59_940)), "59.9 s");
        assert_eq!(time(Duration::from_millis(65_200)), "1 min 05 s");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_000), "1.0 kB");
        assert_eq!(size(999_999), "999.9 kB");
        assert_eq!(size(3_440_000), "3.4 MB");
        assert_eq!(size(7_200_000_000_000_000), "7200.0 TB");
    }
}
