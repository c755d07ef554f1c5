//! Events as JSON, one object a line, for other programs. The names are a promise: fields are added, never
//! renamed or taken away, and `version` counts up should that ever change.

use serde_json::{Map, Value, json};

use crate::event::{Event, FailedUnit, Failure, Progress};
use crate::plan::{Plan, StepId};
use crate::report::human::Tally;
use crate::report::words;

/// Version of the format, in every line.
pub const VERSION: u32 = 1;

/// Makes a line of one kind; `fields` must be an object.
#[must_use]
pub fn line(event: &str, fields: Value) -> Value {
    let mut line = Map::new();
    line.insert("version".to_owned(), json!(VERSION));
    line.insert("event".to_owned(), json!(event));
    if let Value::Object(fields) = fields {
        line.extend(fields);
    }
    Value::Object(line)
}

/// Returns the line of an event.
#[must_use]
pub fn event(plan: &Plan, event: &Event) -> Value {
    match event {
        Event::Started { step } => line("step_started", of(plan, *step)),
        Event::Progress { step, progress } => {
            line("step_progress", with(of(plan, *step), "progress", self::progress(progress)))
        }
        Event::Finished { step, took } => {
            line("step_finished", with(of(plan, *step), "seconds", json!(took.as_secs_f64())))
        }
        Event::Failed { step, failure } => {
            line("step_failed", with(of(plan, *step), "failure", self::failure(failure)))
        }
        Event::Skipped { step, because } => {
            let because = because.map(|step| step.0 + 1);
            line("step_skipped", with(of(plan, *step), "because", json!(because)))
        }
    }
}

/// Returns the last line of a run.
#[must_use]
pub fn summary(tally: Tally, interrupted: bool, exit_code: u8) -> Value {
    let Tally { done, failed, skipped } = tally;
    line(
        "summary",
        json!({
            "done": done,
            "failed": failed,
            "skipped": skipped,
            "interrupted": interrupted,
            "exit_code": exit_code,
        }),
    )
}

/// Steps are numbered from 1, as in the text of a plan.
fn of(plan: &Plan, id: StepId) -> Value {
    match plan.steps.get(id.0) {
        Some(step) => json!({
            "step": id.0 + 1,
            "action": words::name(&step.action),
            "subject": words::subject(&step.action),
        }),
        None => json!({ "step": id.0 + 1 }),
    }
}

fn with(mut fields: Value, key: &str, value: Value) -> Value {
    if let Value::Object(fields) = &mut fields {
        fields.insert(key.to_owned(), value);
    }
    fields
}

fn progress(progress: &Progress) -> Value {
    match progress {
        Progress::Line(text) => json!({ "kind": "line", "text": text }),
        Progress::Layer { id, status, current, total } => json!({
            "kind": "layer", "id": id, "status": status, "current": current, "total": total,
        }),
        Progress::Booting { done, total, line } => json!({
            "kind": "booting", "done": done, "total": total, "line": line,
        }),
        Progress::Warning(text) => json!({ "kind": "warning", "text": text }),
        Progress::Waiting(text) => json!({ "kind": "waiting", "text": text }),
        Progress::Replacing(text) => json!({ "kind": "replacing", "text": text }),
    }
}

/// Returns a failure as an object.
#[must_use]
pub fn failure(failure: &Failure) -> Value {
    let Failure { what, causes, units, jobs, console, output, help, next, timed_out } = failure;
    json!({
        "what": what,
        "causes": causes,
        "units": units.iter().map(unit).collect::<Vec<_>>(),
        "jobs": jobs,
        "console": console,
        "output": output,
        "help": help.iter().chain(next).collect::<Vec<_>>(),
        "timed_out": timed_out,
    })
}

fn unit(unit: &FailedUnit) -> Value {
    let FailedUnit { status, log } = unit;
    json!({
        "unit": status.name,
        "description": status.description,
        "load": status.load,
        "active": status.active,
        "sub": status.sub,
        "result": status.result,
        "exec_status": status.exec_status,
        "log": log,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::plan::{Action, Reason, Step};

    fn plan() -> Plan {
        let action = Action::Start { container: "shop-db-1".to_owned() };
        let step =
            Step { action, reason: Reason::Absent, after: BTreeSet::new(), destroys: None, settles: None };
        Plan { steps: vec![step], notes: Vec::new() }
    }

    #[test]
    fn events_keep_their_names() {
        let failure = Failure {
            what: "no".to_owned(),
            causes: vec![],
            units: vec![],
            jobs: vec![],
            console: vec![],
            output: vec![],
            help: vec!["try".to_owned()],
            next: Vec::new(),
            timed_out: false,
        };
        let events = [
            Event::Started { step: StepId(0) },
            Event::Progress { step: StepId(0), progress: Progress::Waiting("x".to_owned()) },
            Event::Finished { step: StepId(0), took: Duration::from_millis(1500) },
            Event::Failed { step: StepId(0), failure: Box::new(failure) },
            Event::Skipped { step: StepId(0), because: Some(StepId(3)) },
        ];
        let lines: Vec<String> =
            events.iter().map(|event| super::event(&plan(), event).to_string()).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"action":"start","event":"step_started","step":1,"subject":"shop-db-1","version":1}
        {"action":"start","event":"step_progress","progress":{"kind":"waiting","text":"x"},"step":1,"subject":"shop-db-1","version":1}
        {"action":"start","event":"step_finished","seconds":1.5,"step":1,"subject":"shop-db-1","version":1}
        {"action":"start","event":"step_failed","failure":{"causes":[],"console":[],"help":["try"],"jobs":[],"output":[],"timed_out":false,"units":[],"what":"no"},"step":1,"subject":"shop-db-1","version":1}
        {"action":"start","because":4,"event":"step_skipped","step":1,"subject":"shop-db-1","version":1}
        "#);
    }

    #[test]
    fn the_summary_says_the_exit_code() {
        let line = summary(Tally { done: 2, failed: 1, skipped: 0 }, false, 4);
        assert_eq!(line["exit_code"], 4);
        assert_eq!(line["version"], 1);
        assert_eq!(line["event"], "summary");
    }
}
