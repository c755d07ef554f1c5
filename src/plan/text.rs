//! A plan as text, for a terminal, a pipe and a test: stable order, names only, columns aligned, no colour.

use std::fmt::Write as _;
use std::time::Duration;

use crate::container::record;
use crate::project::{Hooks, Stage};
use crate::systemd::UnitName;
use crate::systemd::unit_call::UnitCall;

use super::{Action, FieldChange, Loss, Note, Plan, Reason, Recovery, Step, StepId, Way, hooks};

/// Writes a plan, one line for each step and, behind an empty line, one for each remark. Empty for an empty
/// plan.
#[must_use]
pub fn text(plan: &Plan) -> String {
    let rows: Vec<[String; 5]> = plan.steps.iter().map(row).collect();
    let mut text = String::new();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let (number, verb, object, reason, after) =
        (plan.steps.len().to_string().len(), verb_width(plan), width(1), width(2), width(3));
    for (at, [verb_word, object_text, reason_text, after_text, destroys]) in rows.iter().enumerate() {
        let line = format!(
            "{:>number$} {verb_word:<verb$} {object_text:<object$}  {reason_text:<reason$}  {after_text:<after$}  {destroys}",
            at + 1,
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    if !plan.notes.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        for note in &plan.notes {
            text.push_str(&format_note(note));
            text.push('\n');
        }
    }
    text
}

fn verb_width(plan: &Plan) -> usize {
    plan.steps.iter().map(|step| verb(&step.action).len()).max().unwrap_or_default()
}

fn row(step: &Step) -> [String; 5] {
    [
        verb(&step.action).to_owned(),
        object(&step.action),
        reason(&step.reason),
        after(step),
        step.destroys.as_ref().map(|loss| format!("destroys: {}", destroys(loss))).unwrap_or_default(),
    ]
}

/// Returns the word for what a step does.
#[must_use]
pub fn verb(action: &Action) -> &'static str {
    match action {
        Action::Pull { .. } => "pull",
        Action::Build { .. } => "build",
        Action::Look { .. } => "look",
        Action::CreateNetwork(_) | Action::CreateVolume(_) | Action::Create(_) => "create",
        Action::Start { .. } => "start",
        Action::Hook(_) => "run",
        Action::Await { .. } => "await",
        Action::Replace { .. } => "replace",
        Action::Recover { .. } => "recover",
        Action::Update { .. } => "update",
        Action::Connect { .. } => "connect",
        Action::Disconnect { .. } => "disconnect",
        Action::Write { .. } => "write",
        Action::Units { call, .. } => match call {
            UnitCall::Start => "start",
            UnitCall::Stop => "stop",
            UnitCall::Restart | UnitCall::TryRestart => "restart",
            UnitCall::ReloadOrRestart => "reload",
        },
        Action::Stop { .. } => "stop",
        Action::Kill { .. } => "kill",
        Action::Unpause { .. } => "unpause",
        Action::Rename { .. } => "rename",
        Action::Remove { .. } | Action::RemoveNetwork { .. } | Action::RemoveVolume { .. } => "remove",
    }
}

/// Returns what a step is done to.
#[must_use]
pub fn object(action: &Action) -> String {
    match action {
        Action::Pull { reference, platform: _ } => format!("image {reference}"),
        Action::Build { service, tag, build: _ } => format!("image {tag} of {service}"),
        Action::Look { reference } => format!("into image {reference}"),
        Action::CreateNetwork(spec) => format!("network {}", spec.name),
        Action::CreateVolume(spec) => format!("volume {}", spec.name),
        Action::Create(spec) => format!("container {}", spec.name),
        Action::Replace { spec, wait: _, grace: _, keep_anonymous: _, hooks } => {
            format!("container {}{}", spec.name, with_hooks(hooks))
        }
        Action::Hook(run) => format!("{} {run}: {}", run.container, hooks::shown(&run.hook.command)),
        Action::Await { container, wait } => {
            let limit = wait.timeout.map(|timeout| format!(" ({})", seconds(timeout))).unwrap_or_default();
            format!("{container}: {}{limit}", wait.condition)
        }
        Action::Recover { container, aside, outcome, grace: _, restart: _ } => match outcome {
            Recovery::RenameBack => format!("container {container} from {aside}"),
            Recovery::RemoveOld => format!("container {container}: remove {aside}"),
            Recovery::RollBack => format!("container {container}: back to {aside}"),
        },
        Action::Kill { container, signal } => {
            format!("container {container} ({})", signal.as_deref().unwrap_or("SIGKILL"))
        }
        Action::Rename { from, to } => format!("container {from} to {to}"),
        Action::Connect { container, join } => format!("container {container} to {}", join.network),
        Action::Disconnect { container, network } => format!("container {container} from {network}"),
        Action::Write { container, files, remove, runs: _, copies: _ } => {
            // The record is kept in mind of the rest.
            let written = files.iter().filter(|file| file.path != record::PATH).map(|file| file.path.clone());
            let removed = remove.iter().map(|path| format!("-{path}"));
            let paths: Vec<String> = written.chain(removed).collect();
            format!("{container}: {}", first_of(&paths))
        }
        Action::Units { container, call, units } => {
            let names: Vec<&str> = units.iter().map(UnitName::as_str).collect();
            let word = if units.len() == 1 { "unit" } else { "units" };
            let condition = if *call == UnitCall::TryRestart { " if active" } else { "" };
            format!("{container} {word} {}{condition}", names.join(", "))
        }
        Action::Start { container }
        | Action::Update { container, limits: _, restart: _ }
        | Action::Stop { container, grace: _ }
        | Action::Unpause { container }
        | Action::Remove { container, volumes: false } => format!("container {container}"),
        Action::Remove { container, volumes: true } => format!("container {container} and its volumes"),
        Action::RemoveNetwork { network } => format!("network {network}"),
        Action::RemoveVolume { volume } => format!("volume {volume}"),
    }
}

/// Lists paths; of many the first ones, since a line has to be read.
fn first_of(paths: &[String]) -> String {
    const SHOWN: usize = 3;
    match paths.split_at_checked(SHOWN) {
        Some((first, rest @ [_, _, ..])) => format!("{} and {} more", first.join(" "), rest.len()),
        Some(_) | None => paths.join(" "),
    }
}

/// Says how many hooks a replacement runs, where it runs any.
fn with_hooks(hooks: &Hooks) -> String {
    let counts: Vec<String> = [Stage::PreStop, Stage::PostStart]
        .into_iter()
        .filter(|stage| !hooks.at(*stage).is_empty())
        .map(|stage| format!("{} {stage}", hooks.at(stage).len()))
        .collect();
    if counts.is_empty() { String::new() } else { format!(" with hooks ({})", counts.join(", ")) }
}

/// Returns why a step is done.
#[must_use]
pub fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Absent => "absent".to_owned(),
        Reason::Requested => "requested".to_owned(),
        Reason::Forced => "forced".to_owned(),
        Reason::Changed { changes } => format!("changed: {}", list(changes)),
        Reason::Drifted { changes } => format!("drifted: {}", list(changes)),
        Reason::NotRunning { state } => format!("is {state}"),
        Reason::DependencyRestarted { service } => format!("follows {service}"),
        Reason::NeededBy { services } => match services.as_slice() {
            [one] => format!("{one} depends on it"),
            several => format!("{} depend on it", several.join(", ")),
        },
        Reason::BootUnseen => "until it is ready".to_owned(),
        Reason::Orphan => "orphan".to_owned(),
        Reason::ScaledDown => "scaled down".to_owned(),
        Reason::CutOff => "an earlier run was cut off".to_owned(),
        Reason::NeverStarted => "never started".to_owned(),
        Reason::Started => "it was started".to_owned(),
        Reason::Debris => "half removed".to_owned(),
        Reason::Misnamed => "misnamed".to_owned(),
        Reason::Unseen => "systemd not known".to_owned(),
        Reason::PullPolicy => "pull policy".to_owned(),
        Reason::BuildRequested => "build requested".to_owned(),
        Reason::WithProject => "with its project".to_owned(),
    }
}

/// Lists changes; of many the first ones, since a line has to be read. Where some need a new container, those that
/// do not are told apart.
fn list(changes: &[FieldChange]) -> String {
    const SHOWN: usize = 6;
    let mut text = String::new();
    let mut before: Option<&FieldChange> = None;
    for one in changes.iter().take(SHOWN) {
        text.push_str(match before {
            None => "",
            Some(before) if before.way == Way::Replace && one.way != Way::Replace => "; with it ",
            Some(_) => ", ",
        });
        text.push_str(&change(one));
        before = Some(one);
    }
    if changes.len() > SHOWN {
        let _ = write!(text, ", and {} more", changes.len() - SHOWN);
    }
    text
}

/// Returns what changed, with both values where they can be shown.
#[must_use]
pub fn change(change: &FieldChange) -> String {
    let FieldChange { field, way: _, old, new, gone, fresh } = change;
    // A switch has no value worth a word.
    let shown = |value: &Option<String>| value.clone().filter(|value| value != "true");
    match (shown(old), shown(new)) {
        (Some(old), Some(new)) => format!("{field} {} → {}", value(field, &old), value(field, &new)),
        (None, Some(new)) if *fresh => format!("{field} → {}", value(field, &new)),
        (Some(old), None) if *gone => format!("{field} {} → none", value(field, &old)),
        _ if *fresh => format!("{field} added"),
        _ if *gone => format!("{field} removed"),
        _ => field.clone(),
    }
}

/// Writes numbers of bytes and processors as people do.
fn value(field: &str, text: &str) -> String {
    let is_size = ["mem_limit", "mem_reservation", "memswap_limit", "shm_size"].contains(&field);
    match text.parse::<u64>() {
        Ok(bytes) if is_size => [("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)]
            .into_iter()
            .find(|(_, unit)| bytes > 0 && bytes % unit == 0)
            .map_or_else(|| text.to_owned(), |(letter, unit)| format!("{}{letter}", bytes / unit)),
        Ok(billionths) if field == "cpus" => {
            let thousandths = billionths / 1_000_000;
            let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Ok(_) | Err(_) => text.to_owned(),
    }
}

fn after(step: &Step) -> String {
    if step.after.is_empty() {
        return String::new();
    }
    let numbers: Vec<String> = step.after.iter().map(|StepId(at)| (at + 1).to_string()).collect();
    format!("after {}", numbers.join(", "))
}

/// Returns what is lost.
#[must_use]
pub fn destroys(loss: &Loss) -> String {
    match loss {
        Loss::Root { files: Some(1) } => "1 file changed in its root".to_owned(),
        Loss::Root { files: Some(count) } => format!("{count} files changed in its root"),
        Loss::Root { files: None } => "what was written into its root".to_owned(),
        Loss::Volume => "the volume's data".to_owned(),
    }
}

/// Returns a remark as one line.
#[must_use]
pub fn format_note(note: &Note) -> String {
    match note {
        Note::ImageUnseen { reference } => {
            format!("note: nobody has looked into the image {reference} yet: its systemd is assumed")
        }
        Note::Orphans { containers } => {
            format!("note: not in the manifest: {} (`--remove-orphans` removes them)", containers.join(", "))
        }
        Note::AdvisoryLimits { service, profile } => format!(
            "note: {service}: root inside can raise its limits with the privilege profile `{profile}`"
        ),
        Note::Warning { service, text } => format!("warning: {service}: {text}"),
    }
}

/// Writes a time as people do (`90s`, `1.5s`).
fn seconds(time: Duration) -> String {
    if time.subsec_millis() == 0 {
        format!("{}s", time.as_secs())
    } else {
        format!("{}s", time.as_secs_f64())
    }
}
