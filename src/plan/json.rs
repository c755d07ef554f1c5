//! A plan as JSON, versioned and append-only: names, reasons and order; never a value of the environment, of a
//! file or of a credential.

use serde_json::{Value, json};

use crate::project::{Hook, Hooks};

use super::{Action, FieldChange, Loss, Note, Plan, Reason, Recovery, Step, StepId, text};

/// Version of the format. It grows only when a field changes its meaning.
pub const VERSION: u32 = 1;

/// Writes a plan.
#[must_use]
pub fn json(plan: &Plan) -> Value {
    json!({
        "version": VERSION,
        "steps": plan.steps.iter().enumerate().map(|(at, step)| step_json(at, step)).collect::<Vec<_>>(),
        "notes": plan.notes.iter().map(note_json).collect::<Vec<_>>(),
    })
}

fn step_json(at: usize, step: &Step) -> Value {
    // What is kept in mind is no part of what is done.
    let Step { action, reason, after, destroys, settles: _ } = step;
    let (kind, name) = target(action);
    let mut value = json!({
        "step": at + 1,
        "action": text::verb(action),
        "kind": kind,
        "name": name,
        "text": text::object(action),
        "reason": reason_json(reason),
        "after": after.iter().map(|StepId(at)| at + 1).collect::<Vec<_>>(),
        "destroys": destroys.as_ref().map(loss_json),
    });
    if let (Some(object), Value::Object(details)) = (value.as_object_mut(), details(action)) {
        object.extend(details);
    }
    value
}

/// Returns the kind and the name of what a step is done to.
fn target(action: &Action) -> (&'static str, &str) {
    match action {
        Action::Pull { reference, platform: _ } | Action::Look { reference } => ("image", reference),
        Action::Build { tag, .. } => ("image", tag),
        Action::CreateNetwork(spec) => ("network", &spec.name),
        Action::CreateVolume(spec) => ("volume", &spec.name),
        Action::Create(spec) | Action::Replace { spec, .. } => ("container", &spec.name),
        Action::Start { container }
        | Action::Await { container, .. }
        | Action::Recover { container, .. }
        | Action::Update { container, .. }
        | Action::Connect { container, .. }
        | Action::Disconnect { container, .. }
        | Action::Write { container, .. }
        | Action::Units { container, .. }
        | Action::Stop { container, .. }
        | Action::Kill { container, .. }
        | Action::Unpause { container }
        | Action::Remove { container, .. } => ("container", container),
        Action::Hook(run) => ("container", &run.container),
        Action::Rename { from, .. } => ("container", from),
        Action::RemoveNetwork { network } => ("network", network),
        Action::RemoveVolume { volume } => ("volume", volume),
    }
}

/// Returns what an action says beyond its name.
fn details(action: &Action) -> Value {
    match action {
        Action::Create(spec) => json!({ "service": spec.service, "image": spec.image }),
        Action::Replace { spec, wait, grace, keep_anonymous, hooks } => json!({
            "service": spec.service,
            "image": spec.image,
            "condition": wait.condition.to_string(),
            "timeout_seconds": wait.timeout.map(|time| time.as_secs_f64()),
            "grace_seconds": grace.as_secs_f64(),
            "keep_anonymous": keep_anonymous,
            "hooks": hooks_json(hooks),
        }),
        Action::Hook(run) => json!({
            "service": run.service,
            "stage": run.stage.as_str(),
            "number": run.number,
            "hook": hook_json(&run.hook),
        }),
        Action::Build { service, .. } => json!({ "service": service }),
        Action::Await { container: _, wait } => json!({
            "condition": wait.condition.to_string(),
            "timeout_seconds": wait.timeout.map(|time| time.as_secs_f64()),
        }),
        Action::Recover { aside, outcome, .. } => json!({
            "aside": aside,
            "outcome": match outcome {
                Recovery::RenameBack => "rename-back",
                Recovery::RemoveOld => "remove-old",
                Recovery::RollBack => "roll-back",
            },
        }),
        Action::Update { container: _, limits, restart } => {
            json!({ "limits": limits.is_some(), "restart": restart.is_some() })
        }
        Action::Connect { container: _, join } => json!({ "network": join.network }),
        Action::Disconnect { container: _, network } => json!({ "network": network }),
        Action::Write { container: _, files, remove, runs: _, copies: _ } => json!({
            "files": files.iter().map(|file| &file.path).collect::<Vec<_>>(),
            "remove": remove,
        }),
        Action::Units { container: _, call, units } => json!({ "call": call.as_str(), "units": units }),
        Action::Stop { container: _, grace } => json!({ "grace_seconds": grace.as_secs_f64() }),
        Action::Kill { container: _, signal } => {
            json!({ "signal": signal.as_deref().unwrap_or("SIGKILL") })
        }
        Action::Rename { from: _, to } => json!({ "to": to }),
        Action::Remove { container: _, volumes } => json!({ "volumes": volumes }),
        Action::Pull { .. }
        | Action::Look { .. }
        | Action::CreateNetwork(_)
        | Action::CreateVolume(_)
        | Action::Start { .. }
        | Action::Unpause { .. }
        | Action::RemoveNetwork { .. }
        | Action::RemoveVolume { .. } => json!({}),
    }
}

fn hooks_json(hooks: &Hooks) -> Value {
    let Hooks { post_start, pre_stop } = hooks;
    let list = |hooks: &[Hook]| hooks.iter().map(hook_json).collect::<Vec<_>>();
    json!({ "post_start": list(post_start), "pre_stop": list(pre_stop) })
}

fn hook_json(hook: &Hook) -> Value {
    let Hook { command, user, privileged, working_dir, environment: _ } = hook;
    json!({ "command": command, "user": user, "privileged": privileged, "working_dir": working_dir })
}

fn reason_json(reason: &Reason) -> Value {
    let word = match reason {
        Reason::Absent => "absent",
        Reason::Requested => "requested",
        Reason::Forced => "forced",
        Reason::Changed { changes } => return changes_json("changed", changes),
        Reason::Drifted { changes } => return changes_json("drifted", changes),
        Reason::NotRunning { state } => return json!({ "kind": "not-running", "state": state }),
        Reason::DependencyRestarted { service } => {
            return json!({ "kind": "dependency-restarted", "service": service });
        }
        Reason::NeededBy { services } => return json!({ "kind": "needed-by", "services": services }),
        Reason::BootUnseen => "boot-unseen",
        Reason::Orphan => "orphan",
        Reason::ScaledDown => "scaled-down",
        Reason::CutOff => "cut-off",
        Reason::NeverStarted => "never-started",
        Reason::Started => "started",
        Reason::Debris => "debris",
        Reason::Misnamed => "misnamed",
        Reason::Unseen => "unseen",
        Reason::PullPolicy => "pull-policy",
        Reason::BuildRequested => "build-requested",
        Reason::WithProject => "with-project",
    };
    json!({ "kind": word })
}

fn changes_json(kind: &str, changes: &[FieldChange]) -> Value {
    let fields: Vec<&String> = changes.iter().map(|change| &change.field).collect();
    let told = |change: &FieldChange| {
        let FieldChange { field, way, old, new, gone: _, fresh: _ } = change;
        json!({ "field": field, "way": way.as_str(), "old": old, "new": new })
    };
    json!({ "kind": kind, "fields": fields, "changes": changes.iter().map(told).collect::<Vec<_>>() })
}

fn loss_json(loss: &Loss) -> Value {
    match loss {
        Loss::Root { files } => json!({ "kind": "root", "files": files }),
        Loss::Volume => json!({ "kind": "volume" }),
    }
}

fn note_json(note: &Note) -> Value {
    match note {
        Note::ImageUnseen { reference } => json!({ "kind": "image-unseen", "image": reference }),
        Note::Orphans { containers } => json!({ "kind": "orphans", "containers": containers }),
        Note::AdvisoryLimits { service, profile } => {
            json!({ "kind": "advisory-limits", "service": service, "profile": profile })
        }
        Note::Warning { service, text } => json!({ "kind": "warning", "service": service, "text": text }),
    }
}
