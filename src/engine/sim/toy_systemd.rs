//! A toy systemd: answers the few commands that are run inside machines, in the words of the real one.

use std::time::Duration;

use super::root::Root;
use super::script::{Reply, Schedule, Script};
use crate::engine::ExecOutput;
use crate::observed::UnitStatus;
use crate::systemd::{ActiveState, LoadState, SystemState};

/// Runs a command in a machine that has been up for so long.
pub(super) fn run(script: &Script, up: Duration, command: &[String], root: &Root) -> ExecOutput {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let schedule = script.schedule();
    if let Some(Reply { code, lines, takes: _ }) = script.commands.get(&words.join(" ")) {
        return output(*code, self::lines(lines.iter().cloned()));
    }
    match words.as_slice() {
        _ if script.units.is_empty() => failed(126, "executable file not found in $PATH"),
        ["systemctl", "is-system-running", ..] => {
            let state = schedule.system(up);
            output(i64::from(state != SystemState::Running), format!("{state}\n"))
        }
        ["systemctl", "list-jobs", ..] => output(0, jobs(&schedule, up)),
        ["systemctl", "show", rest @ ..] => output(0, show(&schedule, script, up, rest, root)),
        ["journalctl", .., "-u", unit] => output(0, log(script, unit)),
        _ => failed(127, "the toy systemd does not know this command"),
    }
}

fn output(code: i64, stdout: String) -> ExecOutput {
    ExecOutput { code, stdout: stdout.into_bytes(), stderr: Vec::new() }
}

fn failed(code: i64, stderr: &str) -> ExecOutput {
    ExecOutput { code, stdout: Vec::new(), stderr: stderr.as_bytes().to_vec() }
}

fn jobs(schedule: &Schedule<'_>, up: Duration) -> String {
    let jobs = schedule.jobs(up).into_iter().zip(1..);
    lines(jobs.map(|((unit, state), number)| format!("{number} {unit} start {state}")))
}

fn show(schedule: &Schedule<'_>, script: &Script, up: Duration, words: &[&str], root: &Root) -> String {
    if words.iter().any(|word| word.contains("NInstalledJobs")) {
        return format!("NJobs={}\nNInstalledJobs={}\n", schedule.jobs(up).len(), script.units.len());
    }
    let units = if let [.., "--state=failed", "--", "*"] = words {
        schedule.failed(up)
    } else {
        let names = words.iter().skip_while(|word| **word != "--").skip(1);
        let status = |name: &&str| match schedule.status(name, up) {
            Some(status) if root.stopped.contains(*name) => {
                UnitStatus { active: ActiveState::Inactive, sub: "dead".to_owned(), ..status }
            }
            Some(status) => status,
            None if root.has_file(name) => {
                let stopped = root.stopped.contains(*name);
                let active = if stopped { ActiveState::Inactive } else { ActiveState::Active };
                UnitStatus { load: LoadState::Loaded, active, ..absent(name) }
            }
            None => absent(name),
        };
        names.map(status).collect()
    };
    units.iter().map(block).collect::<Vec<_>>().join("\n")
}

/// What systemd says of a unit that does not exist. The name was checked by whoever asked.
fn absent(name: &str) -> UnitStatus {
    let text =
        format!("Id={name}\nDescription={name}\nLoadState=not-found\nActiveState=inactive\nSubState=dead\n");
    let mut found = crate::systemd::show::units(&text);
    found.pop().unwrap_or_else(|| absent("invalid.service"))
}

fn block(unit: &UnitStatus) -> String {
    let UnitStatus { name, description, load, active, sub, result, exec_status, kind } = unit;
    let status = exec_status.unwrap_or_default();
    let ended = u8::from(exec_status.is_some());
    format!(
        "Type={kind}\nResult={result}\nExecMainStatus={status}\nExecMainExitTimestampMonotonic={ended}\nId={name}\nDescription={description}\n\
         LoadState={load}\nActiveState={active}\nSubState={sub}\n"
    )
}

fn log(script: &Script, unit: &str) -> String {
    let found = script.units.iter().find(|known| known.name == unit);
    lines(found.into_iter().flat_map(|unit| unit.log.iter().cloned()))
}

/// Ends each line.
fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}
