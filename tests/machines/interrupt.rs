//! Runs that are cut off, by a crash or by Ctrl-C: the next one finds its way.

use std::time::Duration;

use rustix::process::Signal;

use crate::bed::Bench;
use crate::process::eventually;

/// Two machines, one behind the other, with an edit that replaces both.
fn manifest(edit: u32) -> String {
    format!(
        "services:
  db:
    image: sdcompose-test/debian:bookworm
    labels: {{ edit: \"{edit}\" }}
    volumes: [data:/data]
  web:
    image: sdcompose-test/debian:trixie
    labels: {{ edit: \"{edit}\" }}
    depends_on: [db]
volumes: {{ data: {{}} }}
"
    )
}

/// All containers run, under their right names, made from this edit, and `up` has nothing to do.
#[track_caller]
fn has_converged(bench: &Bench, edit: u32, when: &str) {
    bench.ok(&["up", "-d"]);
    let names = bench.names(&["db", "web"]);
    assert_eq!(bench.running(), names, "{when}");
    assert_eq!(bench.containers().len(), names.len(), "{when}: {:?}", bench.containers());
    for service in ["db", "web"] {
        assert_eq!(bench.inspect(service)["Config"]["Labels"]["edit"], edit.to_string(), "{when}");
    }
    let calls = bench.calls(&["up", "-d"]);
    assert!(
        calls.iter().all(|call| call.starts_with("GET ")),
        "{when}, a second up changes something: {calls:?}"
    );
}

on_each_engine! {
    fn up_again_mends_what_a_killed_up_left(bench) {
        // From nothing, and then through both replacements; each round cuts later, until a run gets to its end.
        let mut edit = 1;
        for calls in [1, 4, 7, 10] {
            bench.manifest(&manifest(edit));
            let cut = bench.kill_after(&["up", "-d"], calls);
            bench.ok(&["up", "-d"]);
            has_converged(bench, edit, &format!("after a first up killed at call {calls}: {cut}"));
            assert_eq!(bench.looks_of(&cut), 0, "{cut}");
            bench.ok(&["down", "-v", "-y"]);
        }
        bench.ok(&["up", "-d"]);
        bench.shell("db", "echo kept > /data/row");
        for calls in (1..).step_by(3) {
            edit += 1;
            bench.manifest(&manifest(edit));
            let cut = bench.kill_after(&["up", "-d"], calls);
            has_converged(bench, edit, &format!("after an up killed at its changing call {calls}: {cut}"));
            assert_eq!(bench.shell("db", "cat /data/row"), "kept");
            assert_eq!(bench.looks_of(&cut), 0, "{cut}");
            if cut.status == 0 {
                break;
            }
        }
        assert!(edit > 3, "no run was cut off");
    }

    fn ctrl_c_stops_an_attached_project_in_reverse_order(bench) {
        bench.manifest(&manifest(1));
        let mut up = bench.spawn(&["up"]);
        up.wait_for("web");
        eventually("both machines run", 60, || bench.running() == bench.names(&["db", "web"]));
        // Attached, it shows what the machines log.
        eventually("web is ready", 60, || {
            bench.api.exec(&bench.name("web"), &["systemctl", "is-system-running"]).text.trim() == "running"
        });
        eventually("up shows what a machine says", 20, || {
            bench.shell("web", "logger -t shout 'hear me out'");
            up.text().contains("hear me out")
        });
        up.signal(Signal::INT);
        let ran = up.end().code(130);
        assert_eq!(bench.running(), bench.names(&[]), "{ran}");
        let finished = |service: &str| bench.inspect(service)["State"]["FinishedAt"].to_string();
        assert!(finished("web") < finished("db"), "web stops before db: {ran}");
        for service in ["db", "web"] {
            assert_eq!(bench.inspect(service)["State"]["ExitCode"], 0, "{ran}");
        }
        has_converged(bench, 1, "after Ctrl-C");
    }
}

#[test]
fn ctrl_c_while_an_attached_project_boots_stops_what_began_to_run() {
    Bench::run_on(crate::bed::View::V2, |bench| {
        bench.manifest(
            "services:
  db:
    image: sdcompose-test/debian:trixie
    systemd: { enable: [probe-slow.service] }
  web: { image: sdcompose-test/debian:trixie, depends_on: [db] }
",
        );
        let up = bench.spawn(&["up"]);
        eventually("db starts", 30, || bench.running().contains(&bench.name("db")));
        up.signal(Signal::INT);
        let ran = up.end().code(130);
        ran.says(&["stopping"]);
        assert_eq!(bench.running(), bench.names(&[]), "{ran}");
    });
}

#[test]
fn ctrl_c_while_a_machine_boots_returns_soon_and_up_goes_on_later() {
    Bench::run_on(crate::bed::View::V2, |bench| {
        bench.manifest(
            "services:
  db:
    image: sdcompose-test/debian:trixie
    systemd: { enable: [probe-slow.service] }
  web: { image: sdcompose-test/debian:trixie, depends_on: [db] }
",
        );
        let up = bench.spawn(&["up", "-d"]);
        eventually("db starts", 30, || bench.running().contains(&bench.name("db")));
        up.signal(Signal::INT);
        let ran = up.end().code(130);
        assert!(ran.took < Duration::from_secs(10), "{ran}");
        assert!(!bench.running().contains(&bench.name("web")), "{ran}");
        bench.ok(&["up", "-d"]);
        assert_eq!(bench.running(), bench.names(&["db", "web"]));
        assert_eq!([bench.system("db"), bench.system("web")], ["running", "running"]);
    });
}

#[test]
fn a_second_up_of_the_same_project_waits_or_is_told_who_is_at_it() {
    Bench::run_on(crate::bed::View::V1, |bench| {
        bench.manifest(&manifest(1));
        let runs = [bench.spawn(&["up", "-d"]), bench.spawn(&["up", "-d"])].map(crate::process::Running::end);
        assert!(runs.iter().any(|ran| ran.status == 0), "one of them gets through: {} {}", runs[0], runs[1]);
        has_converged(bench, 1, "after two at once");
    });
}
