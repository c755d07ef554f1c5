//! The linter finds what is wrong; the JSON holds no secret.

use super::*;
use crate::plan::{Action, Reason, Step, StepId, json};

fn faults(plan: &Plan) -> String {
    check::check(plan).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn fresh(text: &str) -> Plan {
    let project = project(text);
    let world = World::with_images(&project);
    up_in(&world, &project, &UpOptions::default()).unwrap()
}

fn step(action: Action) -> Step {
    Step { action, reason: Reason::Requested, after: [].into(), destroys: None, settles: None }
}

#[test]
fn a_step_that_forgets_what_it_needs_is_found() {
    let mut plan = fresh("db vol=data:/d");
    for step in &mut plan.steps {
        step.after.clear();
    }
    same(
        &faults(&plan),
        "
        step 3: it uses the volume shop_data and does not wait for its making
        step 3: it uses the network shop_default and does not wait for its making
        step 4: it uses the container shop-db-1 and does not wait for its making
        step 5: it uses the container shop-db-1 and does not wait for its making
        ",
    );
}

#[test]
fn a_circle_is_found() {
    let mut plan = fresh("db");
    plan.steps[0].after.insert(StepId(2));
    same(
        &faults(&plan),
        "
        step 1: it waits for step 3, which comes later
        ",
    );
}

#[test]
fn what_goes_twice_or_is_used_after_is_found() {
    let remove = || step(Action::Remove { container: "a".to_owned(), volumes: false });
    let start = step(Action::Start { container: "a".to_owned() });
    let volume = step(Action::RemoveVolume { volume: "v".to_owned() });
    let plan = Plan { steps: vec![remove(), remove(), start, volume], notes: Vec::new() };
    same(
        &faults(&plan),
        "
        step 2: the container a is removed twice
        step 3: it uses the container a, which is gone
        step 4: it removes a volume without saying that its data are lost
        ",
    );
}

#[test]
fn a_hook_out_of_its_place_is_found() {
    let project = project("web plain post=hello pre=bye");
    let world = World::after_up("web plain");
    let mut plan = change::restart(&project, &world.observed, &ChangeOptions::default()).unwrap();
    for step in &mut plan.steps {
        step.after.clear();
    }
    same(
        &faults(&plan),
        "
        step 2: it stops shop-web-1 and does not wait for its pre_stop hooks
        step 4: it runs post_start 1 and does not wait for the start of shop-web-1
        ",
    );
}

#[test]
fn json_names_steps_reasons_and_order_and_no_secret() {
    let plan = fresh("db env=PASSWORD=canary cred=key:canary\nweb needs=db");
    let value = json::json(&plan);
    assert!(!value.to_string().contains("canary"));
    assert!(!text::text(&plan).contains("canary"));
    assert_eq!(value["version"], 1);
    let wanted = r#"{"action":"await","after":[3],"condition":"running","destroys":null,"kind":"container","name":"shop-db-1","reason":{"kind":"needed-by","services":["web"]},"step":4,"text":"shop-db-1: running (90s)","timeout_seconds":90.0}"#;
    assert_eq!(value["steps"][3].to_string(), wanted);
}
