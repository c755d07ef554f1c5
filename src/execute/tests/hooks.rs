//! Hooks on the simulated engine.

use std::time::Duration;

use super::bench::{self, Bench, machine, network, plain, plan};
use crate::condition::Condition;
use crate::engine::Call;
use crate::engine::sim::{Fault, Script, ScriptUnit};
use crate::plan::hooks::HookRun;
use crate::plan::{Action, Plan};
use crate::project::{Hook, Hooks, Stage};

fn of(command: &str) -> Hook {
    Hook { command: command.split(' ').map(str::to_owned).collect(), ..Hook::default() }
}

fn hook(service: &str, stage: Stage, number: usize, command: &str) -> Action {
    let container = format!("shop-{service}-1");
    let machine = service == "db";
    Action::Hook(Box::new(HookRun {
        service: service.to_owned(),
        container,
        machine,
        stage,
        number,
        hook: of(command),
    }))
}

fn stop(container: &str) -> Action {
    Action::Stop { container: container.to_owned(), grace: Duration::from_secs(10) }
}

/// A plain container that is started, with two hooks behind.
fn started() -> Plan {
    plan(vec![
        (network("shop_default"), vec![]),
        (Action::Create(plain("shop-app-1")), vec![0]),
        (bench::start("shop-app-1"), vec![1]),
        (hook("app", Stage::PostStart, 1, "seed"), vec![2]),
        (hook("app", Stage::PostStart, 2, "warm up"), vec![3]),
    ])
}

/// A bench on which commands are known.
fn bench_with(script: impl Fn(Script) -> Script) -> Bench {
    let bench = Bench::new();
    bench.sim.known_image("plain", script(Script::plain()));
    bench.sim.known_image("machine", script(Script::machine()));
    bench
}

fn history(bench: &Bench) -> Vec<String> {
    let happened = bench.sim.history().into_iter().map(|(_, happening)| happening);
    happened.map(|it| format!("{} {}", it.name, it.action)).collect()
}

#[tokio::test(start_paused = true)]
async fn hooks_are_run_in_their_order_and_what_they_print_is_shown() {
    let bench =
        bench_with(|script| script.command("seed", 200, 0, &["one", "two"]).command("warm up", 0, 0, &[]));
    let run = bench.run(&started()).await;
    assert!(run.outcome.succeeded(), "{}", run.ends());
    assert_eq!(run.lines(), ["one", "two"]);
    assert_eq!(
        history(&bench),
        ["shop-app-1 create", "shop-app-1 start", "shop-app-1 run seed", "shop-app-1 run warm up"]
    );
    assert_eq!(run.outcome.took, Duration::from_millis(50 + 30 + 80 + 260 + 60));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_tells_its_code_and_its_last_lines_and_leaves_the_container_running() {
    let bench = bench_with(|script| script.command("seed", 0, 3, &["no database"]));
    let run = bench.run(&started()).await;
    assert_eq!(
        run.ends(),
        "\
0 finished
1 finished
2 finished
3 failed: shop-app-1: post_start 1 (`seed`) ended with exit code 3
  printed: no database
  help: shop-app-1 goes on running; `sdcompose up` alone does not run its hooks again.
  help: `sdcompose restart app` starts it anew, with its hooks.
  help: `sdcompose logs app`
4 skipped because of 3"
    );
    assert!(bench.sim.text().contains("container shop-app-1 running"), "{}", bench.sim.text());
    assert_eq!(run.warnings(), Vec::<String>::new(), "the failure says it already");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_not_there_is_told_so() {
    let run = bench_with(|script| script).run(&started()).await;
    let text = run.ends();
    assert!(text.contains("3 failed: shop-app-1: post_start 1 (`seed`) ended with exit code 126"), "{text}");
    assert!(text.contains("cause: The command cannot be executed in the container."), "{text}");
    assert!(text.contains("printed: executable file not found in $PATH"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_container_that_has_ended_before_its_hook_is_told_with_its_console() {
    let bench = Bench::new();
    bench.sim.known_image("plain", Script::plain().ends(10, 2, &["no such file"]));
    let run = bench.run(&started()).await;
    assert_eq!(
        run.ends(),
        "\
0 finished
1 finished
2 finished
3 failed: shop-app-1 ended with exit code 2 before post_start 1 could be run
  console: no such file
  help: `sdcompose logs app`
4 skipped because of 3"
    );
}

#[tokio::test(start_paused = true)]
async fn a_hook_before_a_stop_that_fails_keeps_the_container_as_docker_compose_does() {
    let bench = bench_with(|script| script.command("drain", 0, 1, &["still busy"]));
    bench.up().await;
    let steps = plan(vec![(hook("app", Stage::PreStop, 1, "drain"), vec![]), (stop("shop-app-1"), vec![0])]);
    let run = bench.run(&steps).await;
    assert_eq!(
        run.ends(),
        "\
0 failed: shop-app-1: pre_stop 1 (`drain`) ended with exit code 1
  printed: still busy
  help: shop-app-1 was not stopped, since it was not made ready for that.
  help: `sdcompose kill app` ends it without its hooks.
  help: `sdcompose logs app`
1 skipped because of 0"
    );
    assert!(bench.sim.text().contains("container shop-app-1 running"), "{}", bench.sim.text());
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_is_killed_by_the_end_of_its_container_fails_only_after_a_start() {
    // PID 1 ends while the command runs, a moment before it is killed.
    let dying =
        |after_ms| move |script: Script| script.command("quit", 100, 137, &[]).ends(after_ms, 0, &["bye"]);
    let bench = bench_with(dying(300));
    let starts = |stage| {
        plan(vec![
            (network("shop_default"), vec![]),
            (Action::Create(plain("shop-app-1")), vec![0]),
            (bench::start("shop-app-1"), vec![1]),
            (hook("app", stage, 1, "quit"), vec![2]),
        ])
    };
    let run = bench.run(&starts(Stage::PreStop)).await;
    assert!(run.outcome.succeeded(), "{}", run.ends());
    let run = bench_with(dying(300)).run(&starts(Stage::PostStart)).await;
    let told = run.ends();
    assert!(told.contains("post_start 1 (`quit`) ended with exit code 137"), "{told}");
    assert!(told.contains("console: bye\n  cause: shop-app-1 itself ended, with exit code 0."), "{told}");
    assert!(!told.contains("goes on running"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_meanwhile_needs_no_hook_before_its_stop() {
    let bench = bench_with(|script| script.command("drain", 0, 1, &[]));
    bench.up().await;
    let kill = Call::Kill { container: "shop-app-1".to_owned(), signal: None };
    bench.sim.tamper(&kill).unwrap();
    let steps = plan(vec![(hook("app", Stage::PreStop, 1, "drain"), vec![]), (stop("shop-app-1"), vec![0])]);
    let run = bench.run(&steps).await;
    assert!(run.outcome.succeeded(), "{}", run.ends());
    assert_eq!(run.warnings(), ["pre_stop 1 is left out: it does not run any more"]);
}

#[tokio::test(start_paused = true)]
async fn a_machine_is_not_entered_before_its_boot_makes_progress() {
    for (progress_ms, told) in [(2_000, false), (60_000, true)] {
        let bench = Bench::new();
        let script = Script { units: Vec::new(), ..Script::plain() }
            .unit(ScriptUnit::named("slow.target", progress_ms))
            .command("flush", 0, 0, &[]);
        bench.sim.known_image("machine", script);
        let steps = plan(vec![
            (network("shop_default"), vec![]),
            (Action::Create(machine("shop-db-1")), vec![0]),
            (bench::start("shop-db-1"), vec![1]),
            (hook("db", Stage::PreStop, 1, "flush"), vec![2]),
            (stop("shop-db-1"), vec![3]),
        ]);
        let run = bench.run(&steps).await;
        assert!(run.outcome.succeeded(), "{}", run.ends());
        assert_eq!(bench.sim.violations(), Vec::<String>::new());
        let left_out =
            run.warnings().contains(&"pre_stop 1 is left out: it has not booted far enough".to_owned());
        assert_eq!(left_out, told, "{progress_ms}: {:?}", run.warnings());
        assert_eq!(history(&bench).contains(&"shop-db-1 run flush".to_owned()), !told, "{progress_ms}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_interruption_waits_a_moment_for_a_hook_and_says_which_were_not_run() {
    // Within the moment that it is given: it ends, and the next one is told.
    let bench = bench_with(|script| script.command("seed", 500, 0, &[]).command("warm up", 0, 0, &[]));
    let run = bench.interrupted_after(&started(), Duration::from_millis(300)).await;
    assert_eq!(run.ends(), "0 finished\n1 finished\n2 finished\n3 finished\n4 skipped");
    assert!(run.outcome.interrupted);
    assert_eq!(
        run.warnings(),
        [
            "it was started, and post_start 2 was not run; `sdcompose restart app` starts it anew, with its hooks"
        ]
    );

    // One that takes longer is left to itself.
    let bench = bench_with(|script| script.command("seed", 100_000, 0, &[]));
    let run = bench.interrupted_after(&started(), Duration::from_millis(300)).await;
    assert_eq!(run.ends(), "0 finished\n1 finished\n2 finished\n3 skipped\n4 skipped");
    assert_eq!(run.outcome.took, Duration::from_millis(1_300));
    assert_eq!(run.warnings(), ["post_start 1 still runs inside; nobody waits for its end"]);

    // Before the start: there is nothing to say, since the next `up` starts it.
    let run = Bench::new().interrupted_after(&started(), Duration::from_millis(60)).await;
    assert_eq!(run.ends(), "0 finished\n1 finished\n2 skipped\n3 skipped\n4 skipped");
    assert_eq!(run.warnings(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_boot_that_fails_says_that_its_hooks_were_not_run() {
    let bench = Bench::new();
    let broken = ScriptUnit::named("a.service", 100).ending(crate::engine::sim::UnitEnd::Fails(1));
    bench.sim.known_image("machine", Script::machine().unit(broken));
    let steps = plan(vec![
        (network("shop_default"), vec![]),
        (Action::Create(machine("shop-db-1")), vec![0]),
        (bench::start("shop-db-1"), vec![1]),
        (bench::wait("shop-db-1", Condition::Running, 90), vec![2]),
        (hook("db", Stage::PostStart, 1, "seed"), vec![3]),
    ]);
    let run = bench.run(&steps).await;
    assert_eq!(
        run.warnings(),
        [
            "it was started, and post_start 1 was not run; `sdcompose restart db` starts it anew, with its hooks"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_hook_whose_outcome_is_lost_is_not_run_twice() {
    for fault in [Fault::LostReply, Fault::LostRequest, Fault::Hangs { took: true }] {
        let bench = bench_with(|script| script.command("seed", 0, 0, &[]));
        bench.sim.fault_at(3, fault);
        let run = bench.run(&started()).await;
        assert_eq!(run.outcome.failed.len(), 1, "{fault:?}\n{}", run.ends());
        let asked = bench.sim.calls().iter().filter(|call| call.what == "run seed in shop-app-1").count();
        assert_eq!(asked, 1, "{fault:?}");
    }
    // An engine that is gone for a moment was never asked.
    let bench = bench_with(|script| script.command("seed", 0, 0, &[]).command("warm up", 0, 0, &[]));
    bench.sim.fault_at(3, Fault::Away(Duration::from_secs(2)));
    let run = bench.run(&started()).await;
    assert!(run.outcome.succeeded(), "{}", run.ends());
}

/// A replacement of `shop-db-1` or `shop-app-1` with hooks.
fn replacement(service: &str) -> Plan {
    let mut spec = if service == "db" { machine("shop-db-1") } else { plain("shop-app-1") };
    bench::relabel(&mut spec, "other");
    let Action::Replace { spec, mut wait, grace, keep_anonymous, hooks: _ } = bench::replace(spec) else {
        unreachable!()
    };
    if service != "db" {
        wait.condition = Condition::Started;
    }
    let hooks = Hooks { post_start: vec![of("seed")], pre_stop: vec![of("drain")] };
    plan(vec![(Action::Replace { spec, wait, grace, keep_anonymous, hooks }, vec![])])
}

/// What happened to containers from a number on, without the names under which they were set aside.
fn since(bench: &Bench, count: usize) -> Vec<String> {
    history(bench)
        .split_off(count)
        .into_iter()
        .map(|line| match line.split_once(".old-") {
            Some((name, rest)) => format!("{name}.old {}", rest.split_once(' ').unwrap().1),
            None => line,
        })
        .collect()
}

fn hooked(seed: i64, drain: i64) -> impl Fn(Script) -> Script {
    move |script| script.command("seed", 100, seed, &["seeding"]).command("drain", 100, drain, &["draining"])
}

#[tokio::test(start_paused = true)]
async fn a_replacement_runs_hooks_before_the_stop_of_the_old_one_and_before_it_goes() {
    for service in ["db", "app"] {
        let bench = bench_with(hooked(0, 0));
        bench.up().await;
        let before = bench.sim.history().len();
        let run = bench.run(&replacement(service)).await;
        assert!(run.outcome.succeeded(), "{}", run.ends());
        let name = format!("shop-{service}-1");
        let mut wanted: Vec<String> = [
            ".old rename",
            " create",
            ".old run drain",
            ".old stop",
            ".old die 0",
            " start",
            " run seed",
            ".old destroy",
        ]
        .map(|what| format!("{name}{what}"))
        .into();
        if service == "db" {
            wanted.insert(6, format!("{name} ready"));
        }
        assert_eq!(since(&bench, before), wanted);
        assert_eq!(run.lines(), ["draining", "seeding"]);
        assert_eq!(bench.sim.violations(), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_of_the_old_one_that_fails_leaves_it_running() {
    let bench = bench_with(hooked(0, 5));
    bench.up().await;
    let (before, text) = (bench.sim.history().len(), bench.sim.text());
    let run = bench.run(&replacement("app")).await;
    let told = run.ends();
    assert!(told.contains("0 failed: shop-app-1: pre_stop 1 (`drain`) ended with exit code 5"), "{told}");
    assert!(told.contains("printed: draining"), "{told}");
    assert!(told.contains("help: The old shop-app-1 goes on running, unchanged."), "{told}");
    assert!(told.contains("help: `sdcompose kill app` ends the old one without its hooks"), "{told}");
    assert_eq!(bench.sim.text(), text);
    assert!(!since(&bench, before).iter().any(|line| line.ends_with("stop") || line.ends_with("seed")));
}

#[tokio::test(start_paused = true)]
async fn a_hook_of_the_new_one_that_fails_brings_the_old_one_back_with_its_hooks() {
    for service in ["db", "app"] {
        let bench = bench_with(hooked(0, 0));
        bench.up().await;
        let (before, text) = (bench.sim.history().len(), bench.sim.text());
        // Only the new one has the image whose hook fails.
        let image = if service == "db" { "machine" } else { "plain" };
        let broken = if service == "db" { Script::machine() } else { Script::plain() };
        bench.sim.known_image(image, hooked(4, 0)(broken));
        let run = bench.run(&replacement(service)).await;
        let told = run.ends();
        assert!(told.contains("post_start 1 (`seed`) ended with exit code 4"), "{told}");
        assert!(told.contains(&format!("help: The old shop-{service}-1 runs again, unchanged.")), "{told}");
        assert_eq!(bench.sim.text(), text);
        let happened = since(&bench, before);
        let seeds = happened.iter().filter(|line| line.ends_with("run seed")).count();
        assert_eq!(seeds, 2, "of the new one, and of the old one that is back: {happened:?}");
        assert_eq!(bench.sim.violations(), Vec::<String>::new());
        assert_eq!(run.warnings(), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_container_is_thawed_for_the_hooks_before_its_replacement() {
    let bench = bench_with(hooked(0, 0));
    bench.up().await;
    bench.sim.pause("shop-app-1");
    let run = bench.run(&replacement("app")).await;
    assert!(run.outcome.succeeded(), "{}", run.ends());
    assert_eq!(run.lines(), ["draining", "seeding"]);
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_is_interrupted_at_any_instant_has_one_good_end() {
    for service in ["db", "app"] {
        let whole = {
            let bench = bench_with(hooked(0, 0));
            bench.up().await;
            bench.run(&replacement(service)).await.outcome.took
        };
        for millis in (0..u64::try_from(whole.as_millis()).unwrap() + 50).step_by(23) {
            let bench = bench_with(hooked(0, 0));
            bench.up().await;
            let run = bench.interrupted_after(&replacement(service), Duration::from_millis(millis)).await;
            let text = bench.sim.text();
            let about = format!("{service} after {millis} ms\n{}\n{text}", run.ends());
            assert!(!text.contains(".old-"), "{about}");
            assert!(text.contains(&format!("container shop-{service}-1 running")), "{about}");
            assert_eq!(bench.sim.violations(), Vec::<String>::new(), "{about}");
            // Whoever was told to stop and runs again is greeted again, or the user is told that it was not.
            let happened = history(&bench);
            let last = |what: &str| happened.iter().rposition(|line| line.contains(what));
            let greeted = last("run seed") > last("run drain");
            let stopped = happened
                .iter()
                .any(|line| line.contains(&format!("shop-{service}-1.old-")) && line.ends_with("stop"));
            assert!(!stopped || greeted || !run.warnings().is_empty(), "{about}\n{happened:?}");
        }
    }
}
