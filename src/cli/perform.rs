//! Carries a plan out: shown, asked for where data would go, interruptible, one at a time for a project.

use std::io::{self, Write};
use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cli::interrupt::Interrupts;
use crate::cli::open::Ground;
use crate::cli::{Global, terminal};
use crate::error::Error;
use crate::execute::{self, Outcome};
use crate::plan::{Plan, text};
use crate::report::human::{self, BAD};
use crate::report::json;
use crate::report::progress::{Display, Mode};

/// Runs a plan and shows it. An empty plan is done at once.
///
/// # Errors
/// Steps failed, or the run was interrupted; both were told by then.
pub(super) async fn carry_out(
    global: &Global,
    ground: &Ground,
    plan: &Plan,
    interrupts: &Interrupts,
) -> Result<Outcome, Error> {
    carry_out_until(None, global, ground, plan, interrupts).await
}

/// The same with a time after which nothing more is begun; what is in flight comes to a good end.
pub(super) async fn carry_out_until(
    deadline: Option<Instant>,
    global: &Global,
    ground: &Ground,
    plan: &Plan,
    interrupts: &Interrupts,
) -> Result<Outcome, Error> {
    let mode = global.mode();
    notes(plan, mode);
    if plan.steps.is_empty() {
        return nothing(plan, mode);
    }
    let mut options = execute::Options::of(ground.name());
    options.parallel = global.parallel;
    options.want_totals = mode == Mode::Live;
    if mode == Mode::Json {
        let line = json::line("plan", crate::plan::json::json(plan));
        writeln!(io::stdout(), "{line}")?;
    }
    let mut display = Display::new(plan, mode, terminal::rows());
    let (sender, mut events) = unbounded_channel();
    let interrupt = CancellationToken::new();
    let run = execute::run(plan, ground.engine(), &options, sender, interrupt.clone());
    tokio::pin!(run);
    let before = interrupts.count();
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let mut late = false;
    let outcome = loop {
        tokio::select! {
            biased;
            Some(event) = events.recv() => display.show(&event),
            outcome = &mut run => break Some(outcome),
            () = interrupts.reach(before + 2) => break None,
            () = interrupts.reach(before + 1), if !interrupt.is_cancelled() => interrupt.cancel(),
            () = passing(deadline), if !late => {
                late = true;
                interrupt.cancel();
            }
            _ = ticks.tick() => display.tick(),
        }
    };
    while let Ok(event) = events.try_recv() {
        display.show(&event);
    }
    let result = match outcome {
        None => Err(Error::Interrupted(interrupts.kind())),
        Some(outcome) if outcome.interrupted && late => {
            // Nobody is left to tell where standard error is closed.
            let _ = writeln!(
                anstream::stderr(),
                "{} the time of --wait-timeout ran out",
                human::styled(BAD, "error:")
            );
            Err(Error::Steps { timed_out: true })
        }
        Some(outcome) if outcome.interrupted => Err(Error::Interrupted(interrupts.kind())),
        Some(outcome) if !outcome.failed.is_empty() => Err(Error::Steps { timed_out: outcome.timed_out }),
        Some(outcome) => Ok(outcome),
    };
    let interrupted = matches!(result, Err(Error::Interrupted(_)));
    let told = display.finish(interrupted, result.as_ref().err().map_or(0, Error::exit_code));
    result.and_then(|outcome| told.map(|()| outcome).map_err(Error::from))
}

/// Says that there is nothing to do.
fn nothing(plan: &Plan, mode: Mode) -> Result<Outcome, Error> {
    match mode {
        Mode::Quiet => {}
        Mode::Json => writeln!(io::stdout(), "{}", json::line("plan", crate::plan::json::json(plan)))?,
        Mode::Live | Mode::Plain => {
            // Nobody is left to tell where standard error is closed.
            let _ = writeln!(anstream::stderr(), "nothing to do");
        }
    }
    Ok(Outcome::default())
}

/// Waits for a deadline; for ever where there is none.
async fn passing(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Shows what a plan remarks beside its steps.
fn notes(plan: &Plan, mode: Mode) {
    match mode {
        Mode::Quiet | Mode::Json => {}
        Mode::Live | Mode::Plain => {
            for line in plan.notes.iter().filter_map(human::note) {
                // Nobody is left to tell where standard error is closed.
                let _ = writeln!(anstream::stderr(), "{line}");
            }
        }
    }
}

/// Shows a plan instead of running it.
pub(super) fn shown(global: &Global, plan: &Plan) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    if global.json {
        writeln!(out, "{}", crate::plan::json::json(plan))?;
    } else if plan.steps.is_empty() && plan.notes.is_empty() {
        writeln!(out, "nothing to do")?;
    } else {
        write!(out, "{}", text::text(plan))?;
    }
    Ok(())
}

/// Puts the steps of one plan behind all steps of another, for showing them together.
pub(super) fn joined(first: Plan, second: Plan) -> Plan {
    use crate::plan::StepId;
    let offset = first.steps.len();
    let mut joined = first;
    joined.steps.extend(second.steps.into_iter().map(|mut step| {
        step.after = step.after.into_iter().map(|id| StepId(id.0 + offset)).collect();
        step
    }));
    for note in second.notes {
        if !joined.notes.contains(&note) {
            joined.notes.push(note);
        }
    }
    joined
}
