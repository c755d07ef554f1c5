//! Running a hook inside a container: what it prints is shown line by line, and how it ends decides its step.
//!
//! A hook is made once. Where its outcome is lost it counts as failed, since twice may do harm. It has no time
//! limit, as in Docker Compose; an interrupted run gives it a moment and then leaves it to itself, because no
//! engine can end a command that it has started.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::{sleep, timeout};

use super::call::{Hands, Patience};
use super::failure;
use super::step::Ended;
use crate::engine::{EngineError, ExecSpec, RefusalKind, Session, Signal};
use crate::event::{Failure, Progress};
use crate::plan::hooks::{HookRun, shown};
use crate::plan::{Action, Plan, StepId};
use crate::project::{Hook, Stage};
use printed::Printed;

mod printed;

/// Time that a running hook has for its end once the run is interrupted.
const REST: Duration = Duration::from_secs(1);
/// Time that a machine has to boot so far that a command may be run in it.
const ENTRY: Duration = Duration::from_secs(10);
/// Longest time for a look at how a container ended.
const LOOK: Duration = Duration::from_secs(2);

/// Why a hook did not do its work.
pub(super) enum Setback {
    /// It failed, or could not be run.
    Failed(Box<Failure>),
    /// Its container had ended.
    Ended(Box<Failure>),
    /// The run was interrupted.
    Cut,
}

/// Runs the hook of a step.
pub(super) async fn perform(hands: &Hands<'_>, run: &HookRun) -> Ended {
    match once(hands, run, &run.container).await {
        Ok(()) => Ended::Done,
        Err(Setback::Cut) => Ended::Cut,
        Err(Setback::Ended(failure)) => Ended::Failed(with_logs(failure, run)),
        Err(Setback::Failed(mut failure)) => {
            let HookRun { service, container, stage, .. } = run;
            match stage {
                Stage::PostStart => failure.help.extend([
                    format!(
                        "{container} goes on running; `sdcompose up` alone does not run its hooks again."
                    ),
                    format!("`sdcompose restart {service}` starts it anew, with its hooks."),
                ]),
                Stage::PreStop => failure.help.extend([
                    format!("{container} was not stopped, since it was not made ready for that."),
                    format!("`sdcompose kill {service}` ends it without its hooks."),
                ]),
            }
            Ended::Failed(with_logs(failure, run))
        }
    }
}

fn with_logs(mut failure: Box<Failure>, run: &HookRun) -> Box<Failure> {
    failure.next.push(format!("`sdcompose logs {}`", run.service));
    failure
}

/// Runs a hook in the container that has a name by now (a replacement sets its old one aside).
pub(super) async fn once(hands: &Hands<'_>, run: &HookRun, inside: &str) -> Result<(), Setback> {
    let before_stop = run.stage == Stage::PreStop;
    if before_stop && run.machine {
        let enters = tokio::select! {
            biased;
            enters = may_enter(hands, inside) => enters,
            () = hands.interrupt.cancelled() => return Err(Setback::Cut),
        };
        if !enters {
            // Nothing in it has come so far that a hook could speak to it.
            hands.show(Progress::Warning(format!("{run} is left out: it has not booted far enough")));
            return Ok(());
        }
    }
    let mut printed = Printed::new(&run.hook);
    let ended = tokio::select! {
        biased;
        ended = to_its_end(hands, inside, &run.hook, &mut printed) => ended,
        () = interrupted(hands) => {
            hands.show(Progress::Warning(format!("{run} still runs inside; nobody waits for its end")));
            return Err(Setback::Cut);
        }
    };
    match ended {
        Ok(0) => Ok(()),
        Ok(code) => failed(hands, run, inside, code, printed).await,
        // As Docker Compose has it: what does not run needs not be told that it is to stop.
        Err(EngineError::Refused {
            what: _,
            kind: RefusalKind::NotFound | RefusalKind::Conflict,
            message: _,
        }) if before_stop => {
            hands.show(Progress::Warning(format!("{run} is left out: it does not run any more")));
            Ok(())
        }
        Err(error) => Err(unable(hands, run, inside, &error, printed).await),
    }
}

/// Judges a hook that ended with a code. It may have ended so because its container did: before a stop that is what
/// was wanted (a command that asks PID 1 to end is killed by its success).
async fn failed(
    hands: &Hands<'_>,
    run: &HookRun,
    inside: &str,
    code: i64,
    printed: Printed,
) -> Result<(), Setback> {
    // Killed, or not begun: the end of the container may be told a moment later.
    let patience = if matches!(code, 126 | 137) { LOOK } else { LOOK / 10 };
    let ending = end_of(hands, inside, patience).await;
    let mut failure = Box::new(of_code(run, code, printed));
    match ending {
        None => Err(Setback::Failed(failure)),
        Some(_) if run.stage == Stage::PreStop => Ok(()),
        Some(Ending { code, console }) => {
            failure.causes = vec![format!("{} itself ended, with exit code {code}.", run.container)];
            failure.console = console;
            Err(Setback::Ended(failure))
        }
    }
}

/// Says why a hook could not be run, or not to its end.
async fn unable(
    hands: &Hands<'_>,
    run: &HookRun,
    inside: &str,
    error: &EngineError,
    printed: Printed,
) -> Setback {
    let is_down = matches!(error, EngineError::Refused { kind: RefusalKind::Conflict, .. });
    let ending = if is_down { end_of(hands, inside, LOOK).await } else { None };
    if let Some(Ending { code, console }) = ending {
        let what = format!("{} ended with exit code {code} before {run} could be run", run.container);
        return Setback::Ended(Box::new(Failure { console, ..failure::plain(what) }));
    }
    let mut failure = failure::of_call(hands, &run.container, error).await;
    failure.output = printed.into_last();
    Setback::Failed(Box::new(failure))
}

/// How a container ended.
struct Ending {
    code: i64,
    /// The last lines of its console.
    console: Vec<String>,
}

/// Asks how a container ended; `None` where it has not within that time.
async fn end_of(hands: &Hands<'_>, container: &str, time: Duration) -> Option<Ending> {
    let followed = async {
        let mut signals = hands.engine.signals(container);
        while let Some(Ok(signal)) = signals.next().await {
            if let Signal::Exited { code, oom: _, console } = signal {
                return Some(Ending { code, console });
            }
        }
        None
    };
    timeout(time, followed).await.ok().flatten()
}

/// Says that a container which this run has started does not get its hooks, and that no further `up` makes up for
/// it, since the container runs by then. `None` where there is nothing to say, or where the hook before said it.
pub(super) fn missed(plan: &Plan, id: StepId, is_done: impl Fn(StepId) -> bool) -> Option<Progress> {
    let step = plan.steps.get(id.0)?;
    let Action::Hook(run) = &step.action else { return None };
    let is_first = run.number == 1 || step.after.iter().all(|before| is_done(*before));
    if run.stage != Stage::PostStart || !is_first {
        return None;
    }
    start_of(plan, id, &run.container).filter(|start| is_done(*start)).map(|_| {
        Progress::Warning(format!(
            "it was started, and {run} was not run; `sdcompose restart {}` starts it anew, with its hooks",
            run.service
        ))
    })
}

/// Finds the start of a container that one of its later steps comes behind.
fn start_of(plan: &Plan, id: StepId, name: &str) -> Option<StepId> {
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        for before in plan.steps.get(id.0).into_iter().flat_map(|step| &step.after) {
            match plan.steps.get(before.0).map(|step| &step.action) {
                Some(Action::Start { container }) if container == name => return Some(*before),
                Some(Action::Await { container, wait: _ }) if container == name => open.push(*before),
                Some(Action::Hook(run)) if run.container == name => open.push(*before),
                Some(_) | None => {}
            }
        }
    }
    None
}

/// Waits until a machine has booted so far that a command may be run in it; says whether it has.
pub(super) async fn may_enter(hands: &Hands<'_>, machine: &str) -> bool {
    let followed = async {
        let mut signals = hands.engine.signals(machine);
        while let Some(signal) = signals.next().await {
            match signal {
                Ok(Signal::Booting { .. } | Signal::Ready) => return true,
                Ok(Signal::Exited { .. } | Signal::NotStarted) | Err(_) => return false,
                Ok(Signal::Running | Signal::Health(_)) => {}
            }
        }
        false
    };
    timeout(ENTRY, followed).await.unwrap_or(false)
}

/// Passes when the run is interrupted and the time for a good end is over.
async fn interrupted(hands: &Hands<'_>) {
    hands.interrupt.cancelled().await;
    sleep(REST).await;
}

/// Runs a command to its end and returns its exit code.
async fn to_its_end(
    hands: &Hands<'_>,
    inside: &str,
    hook: &Hook,
    printed: &mut Printed,
) -> Result<i64, EngineError> {
    let Session { input, mut output, resize: _, exit } = open(hands, inside, &spec(hook)).await?;
    drop(input);
    while let Some(chunk) = output.next().await {
        for line in printed.take(&chunk?) {
            hands.show(Progress::Line(line));
        }
    }
    for line in printed.finish() {
        hands.show(Progress::Line(line));
    }
    exit.await
}

/// Begins a command; waits for an engine that is gone for a moment.
async fn open(hands: &Hands<'_>, inside: &str, spec: &ExecSpec) -> Result<Session, EngineError> {
    let mut patience = Patience::new(hands.options.patience);
    loop {
        match hands.engine.session(inside, spec).await {
            Err(error @ EngineError::Unreachable { .. }) => {
                if !patience.pause(hands.interrupt).await {
                    return Err(error);
                }
            }
            opened => return opened,
        }
    }
}

fn spec(hook: &Hook) -> ExecSpec {
    let Hook { command, user, privileged, working_dir, environment } = hook;
    let mut spec = ExecSpec {
        command: command.clone(),
        user: user.clone(),
        working_dir: working_dir.clone(),
        privileged: *privileged,
        ..ExecSpec::default()
    };
    for (name, value) in environment {
        match value {
            Some(value) => spec.environment.push((name.clone(), value.clone())),
            None => spec.unset.push(name.clone()),
        }
    }
    spec
}

fn of_code(run: &HookRun, code: i64, printed: Printed) -> Failure {
    let command = shown(&run.hook.command);
    let mut failure =
        failure::plain(format!("{}: {run} (`{command}`) ended with exit code {code}", run.container));
    // The runtime's own codes, which a shell has as well.
    match code {
        126 => failure.causes.push("The command cannot be executed in the container.".to_owned()),
        127 => failure.causes.push("The command is not in the container.".to_owned()),
        _ => {}
    }
    failure.output = printed.into_last();
    failure
}
