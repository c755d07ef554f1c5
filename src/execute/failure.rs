//! What explains a failure: the error or the condition, the failed units with the end of their logs, waiting
//! jobs, the console, the known causes, and what to type next.

use std::fmt::Write as _;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::await_step::{Seen, Stop};
use super::call::Hands;
use super::effect;
use crate::condition::Condition;
use crate::engine::{EngineError, ExecOutput, RefusalKind};
use crate::event::{FailedUnit, Failure};
use crate::observed::{Observed, Scope, UnitStatus};
use crate::plan::Action;
use crate::systemd::diagnosis::{self, Evidence, Finding};
use crate::systemd::{ActiveState, LoadState, UnitName, show};

/// Lines of a failed unit's log.
const LOG_LINES: u32 = 10;
/// At most so many failed units are shown with their logs.
const UNITS: usize = 8;
/// Collecting evidence in a machine that is not well must not take long.
const EVIDENCE_TIME: Duration = Duration::from_secs(15);

/// Explains a step that the engine did not do.
pub(super) async fn of_error(hands: &Hands<'_>, action: &Action, error: &EngineError) -> Failure {
    of_call(hands, subject(action), error).await
}

/// Explains what the engine did not do to a thing of this name.
pub(super) async fn of_call(hands: &Hands<'_>, name: &str, error: &EngineError) -> Failure {
    let mut failure = plain(error.to_string());
    failure.timed_out = matches!(error, EngineError::TimedOut { .. });
    match error {
        EngineError::Unreachable { endpoint: _, cause, help } => {
            failure.causes.push(cause.clone());
            failure.help.clone_from(help);
            failure.help.push("When the engine answers again, run the command again.".to_owned());
        }
        EngineError::Refused { what: _, kind, message } => {
            refused(hands, &mut failure, name, *kind, message).await;
        }
        EngineError::Unknown { .. } | EngineError::TimedOut { .. } | EngineError::Garbled { .. } => {
            failure.help.push(
                "It is not known whether this took effect; running the command again looks first and \
                 mends what is missing."
                    .to_owned(),
            );
        }
        EngineError::Local { .. } => {}
    }
    let text = [error.to_string()];
    explain(&mut failure, &Evidence { text: &text, ..Evidence::default() });
    failure
}

/// Explains a condition that was not met.
pub(super) async fn of_wait(
    hands: &Hands<'_>,
    container: &str,
    condition: &Condition,
    seen: &Seen,
    stop: Stop,
) -> Failure {
    let mut failure = plain(what(container, condition, seen, &stop));
    failure.timed_out = matches!(stop, Stop::Late(_));
    if seen.may_ask && !matches!(stop, Stop::NoSystemctl(_)) {
        // What cannot be collected in time is not there; the failure itself is told anyway.
        drop(timeout(EVIDENCE_TIME, collect(hands, container, seen, &mut failure)).await);
    }
    if failure.units.is_empty() || failure.timed_out {
        failure.console.clone_from(&seen.console);
    }
    let evidence =
        Evidence { exit_code: seen.now.exit_code, oom: seen.oom, text: &seen.console, units: Vec::new() };
    explain(&mut failure, &evidence);
    if let Stop::NoSystemctl(_) = stop {
        failure.help.push(
            "The image has no `systemctl`, so that only the end of its boot can be awaited: set \
             `systemd.ready: degraded`, or install systemd's package."
                .to_owned(),
        );
    }
    let service = service_of(hands, container).await;
    next_commands(&mut failure, &service, seen);
    failure
}

/// Explains a command that ended badly inside a container.
pub(super) fn of_command(container: &str, action: &Action, output: &ExecOutput) -> Failure {
    let mut failure = plain(format!("{container}: {} failed", crate::plan::text::verb(action)));
    failure.causes.extend(said(output));
    failure.help.push("Running the command again does what is missing.".to_owned());
    failure
}

/// Explains units that did not do what they were told, with the end of their logs.
pub(super) async fn of_units(
    hands: &Hands<'_>,
    container: &str,
    action: &Action,
    units: &[UnitName],
    output: &ExecOutput,
) -> Failure {
    let names: Vec<&str> = units.iter().map(UnitName::as_str).collect();
    let verb = crate::plan::text::verb(action);
    let mut failure = plain(format!("{container}: {} did not {verb}", names.join(", ")));
    failure.causes.extend(said(output));
    let collecting = async {
        let mut seen = Seen::default();
        let answer = text(hands, container, show::units_command(units)).await;
        let failed = show::units(&answer);
        let active = |unit: &UnitStatus| unit.active == ActiveState::Active;
        seen.now.failed = failed.into_iter().filter(|unit| !active(unit)).collect();
        if !seen.now.failed.is_empty() {
            collect(hands, container, &seen, &mut failure).await;
        }
        seen
    };
    let seen = timeout(EVIDENCE_TIME, collecting).await.unwrap_or_default();
    explain(&mut failure, &Evidence::default());
    let service = service_of(hands, container).await;
    next_commands(&mut failure, &service, &seen);
    failure
}

/// What a command printed to explain itself, a line each.
fn said(output: &ExecOutput) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.take(LOG_LINES as usize).map(str::to_owned).collect()
}

/// Makes a failure of one line.
pub(super) fn plain(what: String) -> Failure {
    Failure {
        what,
        causes: Vec::new(),
        units: Vec::new(),
        jobs: Vec::new(),
        console: Vec::new(),
        output: Vec::new(),
        help: Vec::new(),
        next: Vec::new(),
        timed_out: false,
    }
}

fn what(container: &str, condition: &Condition, seen: &Seen, stop: &Stop) -> String {
    match stop {
        Stop::Never(why) => format!("{container}: {why}"),
        Stop::Late(time) => {
            let mut text = format!("{container} was not {} within {} s", aim(condition), time.as_secs_f64());
            if !seen.missing.is_empty() {
                // Writing to a String cannot fail.
                let _ = write!(text, " ({})", seen.missing);
            }
            text
        }
        Stop::Blind(error) => format!("{container} cannot be watched: {error}"),
        Stop::NoSystemctl(code) => format!("{container}: `systemctl` cannot be run (exit code {code})"),
    }
}

fn aim(condition: &Condition) -> String {
    match condition {
        Condition::Started => "started".to_owned(),
        Condition::Healthy => "healthy".to_owned(),
        Condition::CompletedSuccessfully => "completed".to_owned(),
        Condition::Running => "booted without failed units".to_owned(),
        Condition::Booted => "booted".to_owned(),
        Condition::UnitsActive(units) => {
            let names: Vec<&str> = units.iter().map(UnitName::as_str).collect();
            format!("{} active", names.join(", "))
        }
    }
}

/// Asks a machine for its failed units, their logs, and the jobs that wait; and, where the time ran out, for
/// the units whose start still runs: one of them is what everything waits for.
async fn collect(hands: &Hands<'_>, container: &str, seen: &Seen, failure: &mut Failure) {
    let mut units = failed_units(hands, container, seen).await;
    if failure.timed_out {
        let jobs = text(hands, container, show::list_jobs_command()).await;
        failure.jobs = show::job_lines(&jobs);
        let running = show::running_jobs(&jobs);
        if !running.is_empty() {
            let answer = text(hands, container, show::units_command(&running)).await;
            let new = |unit: &UnitStatus| !units.iter().any(|known| known.name == unit.name);
            let more: Vec<UnitStatus> = show::units(&answer).into_iter().filter(new).collect();
            units.extend(more);
        }
    }
    let with_log = units.into_iter().take(UNITS).map(|status| async {
        let log = if status.load == LoadState::BadSetting {
            complaints(hands, container, &status.name).await
        } else {
            text(hands, container, show::log_command(&status.name, LOG_LINES)).await
        };
        FailedUnit { log: show::log_lines(&log), status }
    });
    failure.units = join_all(with_log).await;
}

/// The units that failed, and those that were waited for and are not active.
async fn failed_units(hands: &Hands<'_>, container: &str, seen: &Seen) -> Vec<UnitStatus> {
    let mut units = seen.now.failed.clone();
    if units.is_empty() {
        units = show::units(&text(hands, container, show::failed_command()).await);
    }
    let lacking = seen.now.units.values().filter(|unit| unit.active != ActiveState::Active);
    for unit in lacking {
        if !units.iter().any(|known| known.name == unit.name) {
            units.push(unit.clone());
        }
    }
    units
}

/// What systemd has against a unit's file. PID 1 said it before there was a journal to keep it.
async fn complaints(hands: &Hands<'_>, container: &str, unit: &UnitName) -> String {
    let output = hands.ask(container, show::verify_command(unit)).await.unwrap_or_default();
    String::from_utf8_lossy(&output.stderr).lines().take(LOG_LINES as usize).collect::<Vec<_>>().join("\n")
}

/// What a command printed; nothing where it could not be run.
async fn text(hands: &Hands<'_>, container: &str, command: Vec<String>) -> String {
    let output = hands.ask(container, command).await.unwrap_or_default();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Adds the known causes of what was seen.
fn explain(failure: &mut Failure, evidence: &Evidence) {
    let units = failure.units.iter().map(|unit| (&unit.status, unit.log.as_slice())).collect();
    for Finding { cause, help } in diagnosis::diagnose(&Evidence { units, ..evidence.clone() }) {
        failure.causes.push(cause.to_owned());
        failure.help.push(help.to_owned());
    }
}

fn next_commands(failure: &mut Failure, service: &str, seen: &Seen) {
    if let Some(unit) = failure.units.iter().find(|unit| unit.status.load == LoadState::NotFound) {
        failure.next.push(format!(
            "`sdcompose systemctl {service} list-unit-files` lists the units of the image; is {}'s package in it?",
            unit.status.name
        ));
    } else if let Some(unit) = failure.units.first() {
        failure.next.push(format!("`sdcompose systemctl {service} status {}`", unit.status.name));
        failure.next.push(format!("`sdcompose logs {service} -u {}`", unit.status.name));
    } else {
        failure.next.push(format!("`sdcompose logs {service}`"));
        if seen.may_ask && failure.timed_out {
            failure.next.push(format!("`sdcompose systemctl {service} list-jobs`"));
        }
    }
}

async fn service_of(hands: &Hands<'_>, container: &str) -> String {
    if let Some(service) = hands.service(container) {
        return service.to_owned();
    }
    let observed = hands.observe_containers(&[container]).await.unwrap_or_default();
    effect::find(&observed, container).map_or(container, |found| &found.labels.service).to_owned()
}

/// Says who stands in the way, and what to do.
async fn refused(hands: &Hands<'_>, failure: &mut Failure, name: &str, kind: RefusalKind, message: &str) {
    match kind {
        RefusalKind::NameTaken => {
            let observed = look(hands, name).await;
            failure.causes.push(name_holder(&observed, name));
            failure.help.push(format!("`docker rename {name} OTHER` or `docker rm {name}` frees the name."));
        }
        RefusalKind::PortTaken => {
            let observed = look(hands, name).await;
            failure.causes.push(port_holder(&observed, name, message));
            failure
                .help
                .push("Change `ports:`, or stop what listens there (`ss -ltnp` names it).".to_owned());
        }
        RefusalKind::NotFound => {
            let help = "It vanished after the plan was made; running the command again makes a new plan.";
            failure.help.push(help.to_owned());
        }
        RefusalKind::Conflict => {
            let help = "Something uses it or changes it right now; run the command again when that is over.";
            failure.help.push(help.to_owned());
        }
        RefusalKind::Registry => {
            let help = "Check the image's name, and log in to its registry (`docker login`).";
            failure.help.push(help.to_owned());
        }
        RefusalKind::Internal => {
            let help = "The engine failed by itself; its own log says more (`journalctl -u docker`).";
            failure.help.push(help.to_owned());
        }
        RefusalKind::Invalid => {}
    }
}

async fn look(hands: &Hands<'_>, name: &str) -> Observed {
    let project = hands.options.project.clone();
    let scope = Scope { project, containers: [name.to_owned()].into(), ..Scope::default() };
    hands.observe(&scope).await.unwrap_or_default()
}

fn name_holder(observed: &Observed, name: &str) -> String {
    if let Some(holder) = observed.foreign_names.get(name) {
        return format!("The name {name} belongs to a container of somebody else: {holder}.");
    }
    match effect::find(observed, name) {
        Some(found) => format!(
            "{name} exists already ({}): another run makes it, or made it after this plan.",
            found.state.as_str()
        ),
        None => format!("Something holds the name {name} that the engine does not list."),
    }
}

/// Names the container of this project that publishes a port which the engine's message speaks of.
fn port_holder(observed: &Observed, name: &str, message: &str) -> String {
    let numbers: Vec<u16> = message
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .filter(|&port| port > 0)
        .collect();
    let publishes = |port: &u16| {
        let mut others = observed.containers.iter().filter(|container| container.name != name);
        others.find(|container| container.ports.iter().any(|held| held.public == Some(*port)))
    };
    match numbers.iter().find_map(|port| publishes(port).map(|holder| (port, holder))) {
        Some((port, holder)) => format!("Port {port} is published by {} of this project.", holder.name),
        None => "Something outside of this project listens on the port.".to_owned(),
    }
}

/// The name of what an action is about.
fn subject(action: &Action) -> &str {
    match action {
        Action::Pull { reference, platform: _ } | Action::Look { reference } => reference,
        Action::Build { service: _, tag, build: _ } => tag,
        Action::CreateNetwork(spec) => &spec.name,
        Action::CreateVolume(spec) => &spec.name,
        Action::Create(spec) | Action::Replace { spec, .. } => &spec.name,
        Action::Hook(run) => &run.container,
        Action::Rename { from: _, to } => to,
        Action::RemoveNetwork { network } => network,
        Action::RemoveVolume { volume } => volume,
        Action::Start { container }
        | Action::Await { container, wait: _ }
        | Action::Recover { container, .. }
        | Action::Update { container, .. }
        | Action::Connect { container, .. }
        | Action::Disconnect { container, .. }
        | Action::Write { container, .. }
        | Action::Units { container, .. }
        | Action::Stop { container, grace: _ }
        | Action::Kill { container, signal: _ }
        | Action::Unpause { container }
        | Action::Remove { container, volumes: _ } => container,
    }
}
