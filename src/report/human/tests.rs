use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::condition::{Condition, Wait};
use crate::event::Progress;
use crate::observed::UnitStatus;
use crate::plan::hooks::HookRun;
use crate::plan::{Reason, Step};
use crate::project::{Hook, Stage};
use crate::systemd::{ActiveState, LoadState, UnitName};

fn plan(actions: Vec<Action>) -> Plan {
    let step = |action| Step {
        action,
        reason: Reason::Requested,
        after: BTreeSet::new(),
        destroys: None,
        settles: None,
    };
    Plan { steps: actions.into_iter().map(step).collect(), notes: Vec::new() }
}

fn shown(plan: &Plan, events: &[Event]) -> String {
    let width = width(plan);
    let lines: Vec<String> = events.iter().filter_map(|event| super::event(plan, event, width)).collect();
    anstream::adapter::strip_str(&lines.join("\n")).to_string()
}

fn booting(container: &str) -> Action {
    let wait =
        Wait { condition: Condition::Running, timeout: Some(Duration::from_secs(90)), enabled: Vec::new() };
    Action::Await { container: container.to_owned(), wait }
}

fn failed_boot() -> Failure {
    let status = UnitStatus {
        name: UnitName::parse("nginx.service").unwrap(),
        description: "A web server".to_owned(),
        load: LoadState::Loaded,
        active: ActiveState::Failed,
        sub: "failed".to_owned(),
        result: "exit-code".to_owned(),
        exec_status: Some(1),
        kind: "forking".to_owned(),
    };
    let log = vec!["\u{1b}[31mnginx: [emerg] bind() failed".to_owned()];
    Failure {
        what: "the boot did not finish within 90 s".to_owned(),
        causes: vec!["nginx.service failed".to_owned()],
        units: vec![FailedUnit { status, log }],
        jobs: vec!["slow.service: start running".to_owned()],
        console: vec!["[FAILED] Failed to start nginx.service".to_owned()],
        output: Vec::new(),
        help: vec!["sdcompose systemctl web status nginx.service".to_owned()],
        next: Vec::new(),
        timed_out: true,
    }
}

#[test]
fn a_quiet_run_tells_what_was_done_in_columns() {
    let plan = plan(vec![
        Action::Pull { reference: "redis:7".to_owned(), platform: None },
        Action::Start { container: "shop-db-1".to_owned() },
        booting("shop-db-1"),
    ]);
    let took = Duration::from_millis(1_240);
    let line = Progress::Booting { done: 3, total: None, line: String::new() };
    let events = [
        Event::Started { step: StepId(0) },
        Event::Finished { step: StepId(0), took },
        Event::Started { step: StepId(1) },
        Event::Finished { step: StepId(1), took },
        Event::Progress { step: StepId(2), progress: line },
        Event::Finished { step: StepId(2), took },
    ];
    insta::assert_snapshot!(shown(&plan, &events), @r"
    image redis:7  pulling
    image redis:7  pulled in 1.2 s
    shop-db-1      started
    shop-db-1      ready in 1.2 s
    ");
}

#[test]
fn a_failure_shows_units_logs_jobs_console_and_the_way_out() {
    let plan = plan(vec![booting("shop-web-1")]);
    let events = [Event::Failed { step: StepId(0), failure: Box::new(failed_boot()) }];
    insta::assert_snapshot!(shown(&plan, &events), @r"
    error: shop-web-1: the boot did not finish within 90 s
      caused by: nginx.service failed
      nginx.service: failed (exit-code, status 1)  A web server
        | nginx: [emerg] bind() failed
      still waiting:
        slow.service: start running
      last lines of the console:
        | [FAILED] Failed to start nginx.service
      help: sdcompose systemctl web status nginx.service
    ");
}

#[test]
fn a_hook_is_announced_and_what_it_prints_and_how_it_ends_is_shown() {
    let run = HookRun {
        service: "web".to_owned(),
        container: "shop-web-1".to_owned(),
        machine: false,
        stage: Stage::PreStop,
        number: 2,
        hook: Hook { command: vec!["drain".to_owned()], ..Hook::default() },
    };
    let plan = plan(vec![Action::Hook(Box::new(run))]);
    let failure = Failure {
        what: "shop-web-1: pre_stop 2 (`drain`) ended with exit code 3".to_owned(),
        output: vec!["still \u{1b}[31mbusy".to_owned()],
        units: Vec::new(),
        console: Vec::new(),
        jobs: Vec::new(),
        causes: Vec::new(),
        ..failed_boot()
    };
    let line = |text: &str| Event::Progress { step: StepId(0), progress: Progress::Line(text.to_owned()) };
    let events = [
        Event::Started { step: StepId(0) },
        line("waiting for\u{1b}]0;title\u{7} 2 jobs"),
        line(""),
        Event::Finished { step: StepId(0), took: Duration::from_millis(1_240) },
        Event::Failed { step: StepId(0), failure: Box::new(failure) },
    ];
    insta::assert_snapshot!(shown(&plan, &events), @r"
    shop-web-1  running pre_stop 2
    shop-web-1  | waiting for 2 jobs
    shop-web-1  pre_stop 2 done in 1.2 s
    error: shop-web-1: pre_stop 2 (`drain`) ended with exit code 3
      last lines that it printed:
        | still busy
      help: sdcompose systemctl web status nginx.service
    ");
}

#[test]
fn a_name_is_not_said_twice() {
    let failure = Failure { what: "create container shop-web-1: no space".to_owned(), ..failed_boot() };
    let text = super::failure(Some("shop-web-1"), &failure);
    assert!(
        anstream::adapter::strip_str(&text).to_string().starts_with("error: create container shop-web-1:")
    );
}

#[test]
fn an_event_of_an_unknown_step_says_nothing() {
    assert_eq!(shown(&plan(vec![]), &[Event::Started { step: StepId(7) }]), "");
}

#[test]
fn a_summary_counts_only_when_something_is_left() {
    let text = |tally, interrupted| {
        summary(tally, interrupted).map(|text| anstream::adapter::strip_str(&text).to_string())
    };
    assert_eq!(text(Tally { done: 9, failed: 0, skipped: 0 }, false), None);
    assert_eq!(
        text(Tally { done: 3, failed: 1, skipped: 2 }, false).unwrap(),
        "1 of 6 steps failed, 2 behind it not tried"
    );
    assert_eq!(
        text(Tally { done: 1, failed: 0, skipped: 4 }, true).unwrap(),
        "interrupted: 1 step done, 4 left; the same command again goes on from here"
    );
}

#[test]
fn orphans_are_named_with_the_flag_that_removes_them() {
    let text = note(&Note::Orphans { containers: vec!["shop-old-1".to_owned()] }).unwrap();
    insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string(), @r"
    warning: containers of services that are not in the manifest: shop-old-1
      help: `--remove-orphans` removes them
    ");
}
