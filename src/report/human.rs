//! Events as lines of text for a person: one line for what is done, a block for what failed, a summary.
//! Pure: colours are written in, whoever prints them takes them out where they are not wanted.

use anstyle::{AnsiColor, Style};

use crate::event::{Event, FailedUnit, Failure};
use crate::plan::{Action, Note, Plan, StepId};
use crate::report::sanitize;
use crate::report::words;
use crate::systemd::LoadState;

/// Style of what went well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Style of what failed.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Style of what needs attention.
pub const CARE: Style = AnsiColor::Yellow.on_default().bold();
/// Style of the way out.
pub const WAY_OUT: Style = AnsiColor::Cyan.on_default().bold();
/// Style of what is only there for completeness.
pub const FAINT: Style = Style::new().dimmed();

/// Writes a text in a style.
#[must_use]
pub fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Returns the width that the longest subject of a plan takes, in characters, at most 40.
#[must_use]
pub fn width(plan: &Plan) -> usize {
    let longest = plan.steps.iter().map(|step| words::subject(&step.action).chars().count()).max();
    longest.unwrap_or(0).min(40)
}

/// Returns the line (or block) of an event for a place without a live display; `None` where it says
/// nothing that stays true. The output of builds and hooks is shown, other progress is not.
#[must_use]
pub fn event(plan: &Plan, event: &Event, width: usize) -> Option<String> {
    let step = |id: &StepId| plan.steps.get(id.0);
    match event {
        Event::Started { step: id } => {
            let action = &step(id)?.action;
            takes_long(action).then(|| told(action, &words::doing(action), width))
        }
        Event::Progress { step: id, progress } => {
            use crate::event::Progress;
            let action = &step(id)?.action;
            match progress {
                Progress::Line(line) if tells_lines(action) => {
                    let line = sanitize::line(line);
                    let subject = words::subject(action);
                    (!line.trim().is_empty()).then(|| format!("{subject:width$}  | {}", line.trim_end()))
                }
                Progress::Warning(what) => {
                    let subject = words::subject(action);
                    Some(format!("{subject:width$}  warning: {}", sanitize::line(what).trim()))
                }
                Progress::Line(_)
                | Progress::Layer { .. }
                | Progress::Booting { .. }
                | Progress::Waiting(_)
                | Progress::Replacing(_) => None,
            }
        }
        Event::Finished { step: id, took } => {
            let action = &step(id)?.action;
            Some(told(action, &styled(GOOD, &words::done(action, *took)), width))
        }
        Event::Failed { step: id, failure } => {
            let subject = step(id).map(|step| words::subject(&step.action));
            Some(self::failure(subject.as_deref(), failure))
        }
        // Only the root cause is told; the summary counts what was left out.
        Event::Skipped { .. } => None,
    }
}

/// Whether a step is announced when it begins, because its end may be a minute away.
fn takes_long(action: &Action) -> bool {
    match action {
        Action::Pull { .. } | Action::Build { .. } | Action::Replace { .. } | Action::Hook(_) => true,
        Action::Look { .. }
        | Action::CreateNetwork(_)
        | Action::CreateVolume(_)
        | Action::Create(_)
        | Action::Start { .. }
        | Action::Await { .. }
        | Action::Recover { .. }
        | Action::Update { .. }
        | Action::Connect { .. }
        | Action::Disconnect { .. }
        | Action::Write { .. }
        | Action::Units { .. }
        | Action::Stop { .. }
        | Action::Kill { .. }
        | Action::Unpause { .. }
        | Action::Rename { .. }
        | Action::Remove { .. }
        | Action::RemoveNetwork { .. }
        | Action::RemoveVolume { .. } => false,
    }
}

/// Whether the lines that a step shows are worth keeping: what the user's own commands print, not how far a pull
/// is.
fn tells_lines(action: &Action) -> bool {
    match action {
        Action::Build { .. } | Action::Hook(_) | Action::Replace { .. } => true,
        Action::Pull { .. }
        | Action::Look { .. }
        | Action::CreateNetwork(_)
        | Action::CreateVolume(_)
        | Action::Create(_)
        | Action::Start { .. }
        | Action::Await { .. }
        | Action::Recover { .. }
        | Action::Update { .. }
        | Action::Connect { .. }
        | Action::Disconnect { .. }
        | Action::Write { .. }
        | Action::Units { .. }
        | Action::Stop { .. }
        | Action::Kill { .. }
        | Action::Unpause { .. }
        | Action::Rename { .. }
        | Action::Remove { .. }
        | Action::RemoveNetwork { .. }
        | Action::RemoveVolume { .. } => false,
    }
}

fn told(action: &Action, text: &str, width: usize) -> String {
    format!("{:width$}  {text}", words::subject(action))
}

/// Returns the block that explains a failure: what, why, failed units with their log, waiting jobs, the
/// console's end, and what to do.
#[must_use]
pub fn failure(subject: Option<&str>, failure: &Failure) -> String {
    let Failure { what, causes, units, jobs, console, output, help, next, timed_out: _ } = failure;
    let what = sanitize::line(what);
    let head = match subject {
        Some(subject) if !what.contains(subject) => format!("{subject}: {what}"),
        Some(_) | None => what.into_owned(),
    };
    let mut out = vec![format!("{} {head}", styled(BAD, "error:"))];
    out.extend(causes.iter().map(|cause| format!("  caused by: {}", sanitize::line(cause))));
    for unit in units {
        failed_unit(unit, &mut out);
    }
    if !jobs.is_empty() {
        out.push("  still waiting:".to_owned());
        out.extend(jobs.iter().map(|job| format!("    {}", sanitize::line(job))));
    }
    if !console.is_empty() {
        out.push("  last lines of the console:".to_owned());
        out.extend(console.iter().map(|line| quoted(line)));
    }
    if !output.is_empty() {
        out.push("  last lines that it printed:".to_owned());
        out.extend(output.iter().map(|line| quoted(line)));
    }
    out.extend(help.iter().chain(next).map(|help| way_out(help)));
    out.join("\n")
}

fn failed_unit(unit: &FailedUnit, out: &mut Vec<String>) {
    let FailedUnit { status, log } = unit;
    // What was not loaded is inactive as well, which says less.
    let mut why = match &status.load {
        LoadState::Stub | LoadState::Loaded | LoadState::Merged => status.active.as_str().to_owned(),
        LoadState::NotFound
        | LoadState::BadSetting
        | LoadState::Error
        | LoadState::Masked
        | LoadState::Other(_) => status.load.as_str().to_owned(),
    };
    let result = match (status.result.as_str(), status.exec_status) {
        ("" | "success", _) => None,
        (result, Some(code)) if code != 0 => Some(format!("{result}, status {code}")),
        (result, _) => Some(result.to_owned()),
    };
    if let Some(result) = result {
        why = format!("{why} ({})", sanitize::line(&result));
    }
    // A unit without `Description=` is described by its name.
    let named = status.description == status.name.as_str();
    let description = if named { "".into() } else { sanitize::line(&status.description) };
    out.push(format!("  {}: {why}  {description}", status.name).trim_end().to_owned());
    out.extend(log.iter().map(|line| quoted(line)));
}

fn quoted(line: &str) -> String {
    format!("    {} {}", styled(FAINT, "|"), sanitize::line(line))
}

/// Returns a way out as a line.
#[must_use]
pub fn way_out(help: &str) -> String {
    format!("  {} {}", styled(WAY_OUT, "help:"), sanitize::line(help))
}

/// Returns a note of a plan as a line, or nothing where the plan itself says it.
#[must_use]
pub fn note(note: &Note) -> Option<String> {
    let warning = styled(CARE, "warning:");
    match note {
        Note::ImageUnseen { .. } => None,
        Note::Orphans { containers } => Some(format!(
            "{warning} containers of services that are not in the manifest: {}\n{}",
            containers.join(", "),
            way_out("`--remove-orphans` removes them")
        )),
        Note::AdvisoryLimits { service, profile } => Some(format!(
            "{warning} {service}: root inside the machine can raise its limits (privilege `{profile}`)"
        )),
        Note::Warning { service, text } if service.is_empty() => {
            Some(format!("{warning} {}", sanitize::line(text)))
        }
        Note::Warning { service, text } => Some(format!("{warning} {service}: {}", sanitize::line(text))),
    }
}

/// What became of a plan, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Steps done.
    pub done: usize,
    /// Steps failed.
    pub failed: usize,
    /// Steps not tried.
    pub skipped: usize,
}

impl Tally {
    /// Counts an event.
    pub fn count(&mut self, event: &Event) {
        match event {
            Event::Finished { .. } => self.done += 1,
            Event::Failed { .. } => self.failed += 1,
            Event::Skipped { .. } => self.skipped += 1,
            Event::Started { .. } | Event::Progress { .. } => {}
        }
    }
}

/// Returns the last line of a run that did not succeed; a success needs none.
#[must_use]
pub fn summary(tally: Tally, interrupted: bool) -> Option<String> {
    let Tally { done, failed, skipped } = tally;
    let steps = |n: usize| if n == 1 { "1 step".to_owned() } else { format!("{n} steps") };
    if interrupted {
        let left = failed + skipped;
        return Some(format!(
            "{} {} done, {} left; the same command again goes on from here",
            styled(CARE, "interrupted:"),
            steps(done),
            left
        ));
    }
    if failed == 0 {
        return None;
    }
    let behind = if skipped == 0 {
        String::new()
    } else {
        format!(", {skipped} behind {} not tried", if failed == 1 { "it" } else { "them" })
    };
    Some(format!("{} of {} failed{behind}", failed, steps(done + failed + skipped)))
}

#[cfg(test)]
mod tests;
