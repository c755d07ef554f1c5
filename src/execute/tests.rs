//! The executor on the simulated engine: small plans written by hand.

mod bench;
mod hooks;

use std::time::Duration;

use bench::{Bench, machine, network, plain, plan};

use crate::condition::Condition;
use crate::engine::sim::{Fault, Script, ScriptUnit, UnitEnd};
use crate::engine::{Call, RefusalKind};
use crate::observed::Health;
use crate::plan::{Action, Plan, Recovery};
use crate::project::RestartPolicy;
use crate::systemd::UnitName;

fn unit(name: &str) -> UnitName {
    UnitName::parse(name).unwrap()
}

/// A network, a database machine, and an application that waits for a unit of it.
fn shop(condition: Condition) -> Plan {
    plan(vec![
        (network("shop_default"), vec![]),
        (Action::Create(machine("shop-db-1")), vec![0]),
        (Action::Create(plain("shop-app-1")), vec![0]),
        (bench::start("shop-db-1"), vec![1]),
        (bench::wait("shop-db-1", condition, 90), vec![3]),
        (bench::start("shop-app-1"), vec![2, 4]),
    ])
}

fn database() -> Script {
    Script::machine()
        .unit(ScriptUnit::named("postgresql.service", 400).after("basic.target"))
        .unit(ScriptUnit::named("cron.service", 1500).after("basic.target"))
}

#[tokio::test(start_paused = true)]
async fn independent_steps_run_side_by_side_and_dependents_wait() {
    let bench = Bench::new();
    bench.sim.known_image("machine", database());
    let run = bench.run(&shop(Condition::Running)).await;
    assert!(run.outcome.succeeded(), "{}", run.text());
    assert_eq!(
        run.text(),
        "\
0 started
0 finished after 50 ms
1 started
2 started
2 finished after 30 ms
1 finished after 35 ms
3 started
3 finished after 80 ms
4 started
4 finished after 1860 ms
5 started
5 finished after 80 ms
took 2105 ms"
    );
    assert_eq!(bench.sim.violations(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_is_active_lets_dependents_start_before_the_boot_ends() {
    let bench = Bench::new();
    bench.sim.known_image("machine", database());
    let run = bench.run(&shop(Condition::UnitsActive(vec![unit("postgresql.service")]))).await;
    assert!(run.outcome.succeeded(), "{}", run.text());
    // The unit is up 700 ms after the start, one question takes 60 ms; the boot takes 1800 ms.
    assert!(run.text().contains("4 finished after 760 ms"), "{}", run.text());
    assert_eq!(bench.sim.violations(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_failed_unit_is_reported_with_its_log_and_dependents_are_skipped() {
    let bench = Bench::new();
    let broken = ScriptUnit::named("postgresql.service", 400)
        .ending(UnitEnd::Fails(203))
        .logging("postgresql.service: Failed to locate executable");
    bench.sim.known_image("machine", Script::machine().unit(broken));
    let run = bench.run(&shop(Condition::Running)).await;
    assert_eq!(
        run.ends(),
        "\
0 finished
2 finished
1 finished
3 finished
4 failed: shop-db-1: the boot is done, and postgresql.service failed (exit-code, status 203)
  unit postgresql.service failed exit-code 203
    postgresql.service: Failed to locate executable
  cause: The unit's program does not exist in the image or is not executable (203/EXEC).
  help: Check `ExecStart=` with `systemctl cat`, and the path in the image.
  help: `sdcompose systemctl db status postgresql.service`
  help: `sdcompose logs db -u postgresql.service`
5 skipped because of 4"
    );
    assert!(!run.outcome.timed_out);
}

#[tokio::test(start_paused = true)]
async fn a_boot_that_hangs_is_reported_with_its_jobs_when_the_time_runs_out() {
    let bench = Bench::new();
    let hangs = ScriptUnit::named("network-wait.service", 0).after("basic.target").ending(UnitEnd::Hangs);
    bench.sim.known_image(
        "machine",
        Script::machine()
            .unit(hangs)
            .unit(ScriptUnit::named("app.service", 10).after("network-wait.service")),
    );
    let run = bench.run(&shop(Condition::Running)).await;
    assert!(run.outcome.timed_out);
    assert!(run.outcome.took < Duration::from_secs(92));
    let text = run.ends();
    assert!(text.contains("shop-db-1 was not booted without failed units within 90 s (booting)"), "{text}");
    assert!(
        text.contains("job network-wait.service: start running\n  job app.service: start waiting"),
        "{text}"
    );
    assert!(text.contains("unit network-wait.service activating"), "{text}");
    assert!(text.contains("help: `sdcompose logs db -u network-wait.service`"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_number_of_units_is_asked_for_once_and_only_where_it_is_wanted() {
    for wanted in [false, true] {
        let bench = Bench::new();
        bench.sim.known_image("machine", database());
        let mut options = bench::options();
        options.want_totals = wanted;
        let run = bench.run_with(&shop(Condition::Running), &options).await;
        let asked = bench.sim.calls().iter().filter(|call| call.what.contains("NInstalledJobs")).count();
        assert_eq!(asked, usize::from(wanted));
        let last = run.boots().pop();
        assert_eq!(last, Some((3, wanted.then_some(3))));
        // The question runs beside the boot and does not hold it up.
        assert_eq!(run.outcome.took, Duration::from_millis(2105));
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_ends_while_it_boots_fails_at_once_with_its_console() {
    let bench = Bench::new();
    let line = "Failed to create /init.scope control group: Read-only file system";
    bench.sim.known_image("machine", Script::machine().ends(100, 255, &[line]));
    let run = bench.run(&shop(Condition::Running)).await;
    assert!(run.outcome.took < Duration::from_secs(1));
    let text = run.ends();
    assert!(text.contains("4 failed: shop-db-1: it exited with 255"), "{text}");
    assert!(text.contains(&format!("console: {line}")), "{text}");
    assert!(text.contains("cause: PID 1 found no cgroup of its own"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_health_check_and_an_exit_are_awaited_without_asking() {
    let bench = Bench::new();
    bench.sim.known_image("plain", Script::plain().health(2000, Health::Healthy));
    bench.sim.known_image("once", Script::plain().ends(500, 0, &[]));
    let mut once = plain("shop-once-1");
    once.image = "once".to_owned();
    let plan = plan(vec![
        (network("shop_default"), vec![]),
        (Action::Create(plain("shop-app-1")), vec![0]),
        (Action::Create(once), vec![0]),
        (bench::start("shop-app-1"), vec![1]),
        (bench::start("shop-once-1"), vec![2]),
        (bench::wait("shop-app-1", Condition::Healthy, 30), vec![3]),
        (bench::wait("shop-once-1", Condition::CompletedSuccessfully, 30), vec![4]),
    ]);
    let run = bench.run(&plan).await;
    assert!(run.outcome.succeeded(), "{}", run.text());
    let asked = bench.sim.calls().into_iter().filter(|call| call.what.starts_with("run ")).count();
    assert_eq!(asked, 0);
}

#[tokio::test(start_paused = true)]
async fn a_branch_that_fails_leaves_others_alone_and_only_root_causes_are_told() {
    let bench = Bench::new();
    let mut absent = plain("shop-a-1");
    absent.image = "absent".to_owned();
    let plan = plan(vec![
        (network("shop_default"), vec![]),
        (Action::Create(absent), vec![0]),
        (bench::start("shop-a-1"), vec![1]),
        (bench::wait("shop-a-1", Condition::Started, 10), vec![2]),
        (Action::Create(plain("shop-b-1")), vec![0]),
        (bench::start("shop-b-1"), vec![4]),
    ]);
    let run = bench.run(&plan).await;
    assert_eq!(run.outcome.failed.len(), 1);
    assert_eq!(run.outcome.skipped.len(), 2);
    let text = run.ends();
    assert!(text.contains("2 skipped because of 1\n3 skipped because of 1"), "{text}");
    assert!(bench.sim.text().contains("container shop-b-1 running"), "{}", bench.sim.text());
}

#[tokio::test(start_paused = true)]
async fn no_more_steps_than_allowed_run_at_once_and_awaits_do_not_count() {
    let bench = Bench::new();
    let mut steps = vec![(network("shop_default"), vec![])];
    for index in 1..=6 {
        steps.push((Action::Create(plain(&format!("shop-a-{index}"))), vec![0]));
    }
    let mut options = bench::options();
    options.parallel = 2;
    let run = bench.run_with(&plan(steps), &options).await;
    // 50 ms for the network, then three rounds of 30 ms.
    assert_eq!(run.outcome.took, Duration::from_millis(140));
}

#[tokio::test(start_paused = true)]
async fn an_interruption_cuts_waiting_and_starts_nothing_more() {
    let bench = Bench::new();
    bench.sim.known_image("machine", database());
    let run = bench.interrupted_after(&shop(Condition::Running), Duration::from_millis(300)).await;
    assert!(run.outcome.interrupted);
    assert_eq!(run.outcome.took, Duration::from_millis(300));
    let text = run.ends();
    assert!(text.ends_with("4 skipped\n5 skipped"), "{text}");
    assert!(bench.sim.text().contains("container shop-app-1 created"), "{}", bench.sim.text());
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_is_ended_when_interrupted() {
    let bench = Bench::new();
    let run = bench.interrupted_after(&shop(Condition::Running), Duration::from_millis(60)).await;
    assert!(run.outcome.interrupted);
    let text = bench.sim.text();
    assert!(
        text.contains("container shop-db-1 created")
            && text.contains("files=[/etc/systemd/system/service.d/zz-sdcompose.conf"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_interruption_after_the_last_step_interrupts_nothing() {
    let bench = Bench::new();
    let plan = plan(vec![(network("shop_default"), vec![])]);
    let run = bench.interrupted_after(&plan, Duration::from_millis(49)).await;
    assert!(run.outcome.succeeded(), "{}", run.text());
}

/// Every call of a plan goes wrong once in each way that leaves its outcome open; the plan still succeeds.
#[tokio::test(start_paused = true)]
async fn a_lost_request_or_reply_anywhere_is_settled_by_a_look() {
    let clean = Bench::new();
    clean.sim.known_image("machine", database());
    clean.run(&shop(Condition::Running)).await;
    let (calls, expected) = (clean.sim.calls().len(), clean.sim.text());
    assert!(calls >= 8, "{calls}");
    for fault in [
        Fault::LostRequest,
        Fault::LostReply,
        Fault::Hangs { took: true },
        Fault::Hangs { took: false },
        Fault::Away(Duration::from_secs(5)),
    ] {
        for call in 0..calls {
            let bench = Bench::new();
            bench.sim.known_image("machine", database());
            bench.sim.fault_at(call, fault);
            let run = bench.run(&shop(Condition::Running)).await;
            assert_eq!(bench.sim.faults_left(), 0);
            let told = format!("{fault:?} at {}\n{}", clean.sim.calls()[call].what, run.ends());
            assert!(run.outcome.succeeded(), "{told}");
            assert_eq!(bench.sim.text(), expected, "{told}");
            assert_eq!(bench.sim.violations(), Vec::<String>::new(), "{told}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_half_made_container_is_removed_again() {
    let bench = Bench::new();
    // Calls: network, then both creates, then the files of the database.
    bench.sim.fault_at(3, Fault::Refused(RefusalKind::Invalid));
    let run = bench.run(&shop(Condition::Running)).await;
    assert_eq!(run.outcome.failed.len(), 1, "{}", run.ends());
    assert!(!bench.sim.text().contains("shop-db-1"), "{}", bench.sim.text());
}

#[tokio::test(start_paused = true)]
async fn a_half_made_container_of_a_run_that_was_cut_off_is_completed() {
    let bench = Bench::new();
    bench.sim.fault_at(3, Fault::Crash { took: false });
    bench.run_until_crash(&shop(Condition::Running)).await;
    assert!(bench.sim.text().contains("container shop-db-1 created"), "{}", bench.sim.text());
    let rest = plan(vec![
        (Action::Create(machine("shop-db-1")), vec![]),
        (bench::start("shop-db-1"), vec![0]),
        (bench::wait("shop-db-1", Condition::Running, 90), vec![1]),
    ]);
    let run = bench.run(&rest).await;
    assert!(run.outcome.succeeded(), "{}", run.ends());
    assert_eq!(bench.sim.violations(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_holder_of_a_taken_name_is_told_and_left_alone() {
    let bench = Bench::new();
    let mut foreign = plain("shop-db-1");
    foreign.labels.clear();
    bench.sim.foreign_container("shop-db-1", *foreign);
    let run = bench.run(&shop(Condition::Running)).await;
    let text = run.ends();
    assert!(
        text.contains("cause: The name shop-db-1 belongs to a container of somebody else: image plain."),
        "{text}"
    );
    assert!(bench.sim.text().contains("container shop-db-1 running"));
    assert_eq!(bench.sim.violations(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_holder_of_a_taken_port_is_told() {
    let bench = Bench::new();
    let step = |name: &str| {
        let mut spec = plain(name);
        spec.ports.push(bench::port(8080));
        spec
    };
    let plan = plan(vec![
        (network("shop_default"), vec![]),
        (Action::Create(step("shop-a-1")), vec![0]),
        (bench::start("shop-a-1"), vec![1]),
        (Action::Create(step("shop-b-1")), vec![2]),
        (bench::start("shop-b-1"), vec![3]),
    ]);
    let text = bench.run(&plan).await.ends();
    assert!(text.contains("cause: Port 8080 is published by shop-a-1 of this project."), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_already_counts_as_stopped_and_removed() {
    let bench = Bench::new();
    let plan = plan(vec![
        (Action::Stop { container: "shop-x-1".to_owned(), grace: Duration::from_secs(1) }, vec![]),
        (Action::Remove { container: "shop-x-1".to_owned(), volumes: false }, vec![0]),
        (Action::RemoveNetwork { network: "shop_x".to_owned() }, vec![1]),
        (Action::RemoveVolume { volume: "shop_x".to_owned() }, vec![1]),
    ]);
    assert!(bench.run(&plan).await.outcome.succeeded());
}

#[tokio::test(start_paused = true)]
async fn a_removal_by_somebody_else_is_waited_for() {
    let bench = Bench::new();
    bench.up().await;
    bench.sim.tamper(&Call::Kill { container: "shop-app-1".to_owned(), signal: None }).unwrap();
    bench.sim.remove_slowly("shop-app-1", Duration::from_secs(3));
    let plan = plan(vec![(Action::Remove { container: "shop-app-1".to_owned(), volumes: false }, vec![])]);
    let run = bench.run(&plan).await;
    assert!(run.outcome.succeeded(), "{}", run.ends());
    assert!(run.outcome.took >= Duration::from_secs(3));
}

mod replacement {
    use super::*;

    fn renewed() -> Plan {
        let mut spec = machine("shop-db-1");
        spec.image = "newer".to_owned();
        spec.restart = RestartPolicy::Always;
        bench::relabel(&mut spec, "new");
        plan(vec![(bench::replace(spec), vec![])])
    }

    async fn world(newer: Script) -> Bench {
        let bench = Bench::new();
        bench.sim.known_image("machine", database());
        bench.sim.known_image("newer", newer);
        bench.up().await;
        bench
    }

    #[tokio::test(start_paused = true)]
    async fn the_new_one_takes_the_place_and_gets_its_restart_policy() {
        let bench = world(database()).await;
        let before = bench.sim.calls().len();
        let run = bench.run(&renewed()).await;
        assert!(run.outcome.succeeded(), "{}", run.ends());
        let text = bench.sim.text();
        assert!(text.contains("container shop-db-1 running image=newer restart=Always"), "{text}");
        assert!(!text.contains(".old-"), "{text}");
        let calls = bench.sim.mutations_since(before).join("\n").replace(&bench.aside(before), "ASIDE");
        assert_eq!(
            calls,
            "\
rename shop-db-1 to ASIDE
set restart of ASIDE to No
create container shop-db-1
put 1 files into shop-db-1
stop ASIDE
start shop-db-1
set restart of shop-db-1 to Always
remove ASIDE"
        );
        assert_eq!(bench.sim.violations(), Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn the_old_one_comes_back_when_the_new_one_does_not_boot() {
        let bench = world(Script::machine().ends(200, 1, &["alas"])).await;
        let before = bench.sim.text();
        let run = bench.run(&renewed()).await;
        let told = run.ends();
        assert!(told.contains("0 failed: shop-db-1: it exited with 1"), "{told}");
        assert!(told.contains("help: The old shop-db-1 runs again, unchanged."), "{told}");
        // Nobody knows the policy that the old one had but the plan, which says the new one.
        assert_eq!(bench.sim.text().replace("restart=Always", "restart=No"), before);
        assert_eq!(bench.sim.violations(), Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn an_interruption_while_the_new_one_boots_brings_the_old_one_back() {
        let bench = world(database()).await;
        let before = bench.sim.text();
        let run = bench.interrupted_after(&renewed(), Duration::from_secs(1)).await;
        assert!(run.outcome.interrupted);
        assert_eq!(run.ends(), "0 skipped");
        assert_eq!(bench.sim.text().replace("restart=Always", "restart=No"), before);
    }

    #[tokio::test(start_paused = true)]
    async fn one_good_container_of_the_right_name_remains_whatever_goes_wrong() {
        let clean = world(database()).await;
        let from = clean.sim.calls().len();
        clean.run(&renewed()).await;
        let calls = clean.sim.calls();
        for fault in [
            Fault::LostRequest,
            Fault::LostReply,
            Fault::FailsAfter,
            Fault::Refused(RefusalKind::Internal),
            Fault::Refused(RefusalKind::Conflict),
            Fault::Hangs { took: true },
            Fault::Hangs { took: false },
            Fault::Away(Duration::from_secs(5)),
        ] {
            for (call, logged) in calls.iter().enumerate().skip(from) {
                let bench = world(database()).await;
                bench.sim.fault_at(call, fault);
                let run = bench.run(&renewed()).await;
                assert_eq!(bench.sim.faults_left(), 0);
                let told = format!("{fault:?} at {}\n{}\n{}", logged.what, run.ends(), bench.sim.text());
                assert!(bench.sim.text().contains("container shop-db-1 running"), "{told}");
                assert_eq!(bench.sim.violations(), Vec::<String>::new(), "{told}");
                if run.outcome.succeeded() {
                    assert!(!bench.sim.text().contains(".old-"), "{told}");
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn at_least_one_complete_container_is_there_wherever_it_is_cut_off() {
        let clean = world(database()).await;
        let from = clean.sim.calls().len();
        clean.run(&renewed()).await;
        let calls = clean.sim.calls();
        for (call, logged) in calls.iter().enumerate().skip(from) {
            for took in [false, true] {
                let bench = world(database()).await;
                bench.sim.fault_at(call, Fault::Crash { took });
                bench.run_until_crash(&renewed()).await;
                let text = bench.sim.text();
                let told = format!("took={took} at {}\n{text}", logged.what);
                assert!(
                    text.contains("image=machine") || text.contains("shop-db-1 running image=newer"),
                    "{told}"
                );
                assert_eq!(bench.sim.violations(), Vec::<String>::new(), "{told}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn anonymous_volumes_are_handed_on() {
        let bench = Bench::new();
        bench.sim.known_image("newer", Script::plain());
        let mut spec = plain("shop-app-1");
        spec.mounts.push(bench::anonymous("/data"));
        let first = plan(vec![
            (network("shop_default"), vec![]),
            (Action::Create(spec.clone()), vec![0]),
            (bench::start("shop-app-1"), vec![1]),
        ]);
        bench.run(&first).await;
        let held = bench.volumes_of("shop-app-1").await;
        spec.image = "newer".to_owned();
        bench::relabel(&mut spec, "new");
        let run = bench.run(&plan(vec![(bench::replace_keeping(spec), vec![])])).await;
        assert!(run.outcome.succeeded(), "{}", run.ends());
        assert_eq!(bench.volumes_of("shop-app-1").await, held);
        assert!(bench.sim.volume_serial(&held["/data"]).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_replacement_that_was_cut_off_is_mended_in_each_way() {
        for (outcome, image) in [
            (Recovery::RollBack, "machine"),
            (Recovery::RemoveOld, "newer"),
            (Recovery::RenameBack, "machine"),
        ] {
            let bench = world(database()).await;
            let from = bench.sim.calls().len();
            // Cut off at the observation's rename, or at the start of the new one.
            let at = if outcome == Recovery::RenameBack { 2 } else { 8 };
            bench.sim.fault_at(from + at, Fault::Crash { took: true });
            bench.run_until_crash(&renewed()).await;
            let aside = bench.aside(from);
            let recover = Action::Recover {
                container: "shop-db-1".to_owned(),
                aside,
                outcome,
                grace: Duration::from_secs(10),
                restart: RestartPolicy::Always,
            };
            let run = bench.run(&plan(vec![(recover, vec![])])).await;
            let text = bench.sim.text();
            assert!(run.outcome.succeeded(), "{outcome:?}\n{}\n{text}", run.ends());
            assert!(!text.contains(".old-"), "{outcome:?}\n{text}");
            assert!(text.contains(&format!("image={image} restart=Always")), "{outcome:?}\n{text}");
            assert_eq!(bench.sim.violations(), Vec::<String>::new());
        }
    }
}
