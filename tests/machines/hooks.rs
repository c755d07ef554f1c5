//! Hooks in plain containers and in machines: when they are run, what they see, and what their failure does.

use rustix::process::Signal;

use crate::bed::{Bench, View};
use crate::process::eventually;

/// A machine and a plain container that write down what happens to them, in a volume that outlives both.
fn manifest(image: &str, edit: u32, post: &str, pre: &str) -> String {
    format!(
        "services:
  db:
    image: {image}
    labels: {{ edit: \"{edit}\" }}
    volumes: [log:/log]
    post_start:
      - command: [sh, -c, 'echo db post {edit} $$(systemctl is-system-running) >> /log/all']
      - command: [sh, -c, '{post}']
    pre_stop:
      - command: [sh, -c, 'echo db pre {edit} $$(systemctl is-active dbus) >> /log/all; {pre}']
  cache:
    image: debian:13
    systemd: false
    labels: {{ edit: \"{edit}\" }}
    init: true
    command: sleep infinity
    volumes: [log:/log]
    post_start:
      - command: sh -c 'echo cache post {edit} >> /log/all'
    pre_stop:
      - command: sh -c 'echo cache pre {edit} >> /log/all'
volumes: {{ log: {{}} }}
"
    )
}

const IMAGE: &str = "sdcompose-test/debian:bookworm";

/// What the services wrote since the last time, sorted, since they do not wait for each other.
fn written(bench: &Bench) -> Vec<String> {
    let text = bench.shell("cache", "cat /log/all 2>/dev/null; : > /log/all");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

on_each_engine! {
    fn hooks_are_run_after_each_start_and_before_each_stop(bench) {
        bench.manifest(&manifest(IMAGE, 1, "true", "true"));
        let ran = bench.ok(&["up", "-d"]);
        ran.says(&["running post_start 1", "post_start 1 done in"]);
        assert_eq!(written(bench), ["cache post 1", "db post 1 running"]);

        // What runs is left alone, and a hook that was changed replaces nothing.
        bench.manifest(&manifest(IMAGE, 1, "echo other", "echo other"));
        let calls = bench.calls(&["up", "-d"]);
        assert!(calls.iter().all(|call| call.starts_with("GET ")), "{calls:?}");
        let mut planned = bench.ok(&["restart", "--dry-run"]).stdout;
        planned.retain(|letter| letter != '\n');
        assert!(planned.contains("post_start 2: sh -c 'echo other'"), "{planned}");

        bench.ok(&["restart"]);
        assert_eq!(written(bench), ["cache post 1", "cache pre 1", "db post 1 running", "db pre 1 active"]);
        bench.ok(&["stop", "db"]);
        assert_eq!(written(bench), ["db pre 1 active"]);
        bench.ok(&["start"]);
        assert_eq!(written(bench), ["db post 1 running"]);
        bench.ok(&["kill", "db"]);
        assert_eq!(written(bench), Vec::<String>::new(), "a kill is no stop");
        bench.ok(&["up", "-d"]);
        assert_eq!(written(bench), ["db post 1 running"]);

        // A replacement has the hooks of both, as the manifest has them now.
        bench.manifest(&manifest(IMAGE, 2, "true", "true"));
        bench.ok(&["up", "-d", "-y"]);
        assert_eq!(written(bench), ["cache post 2", "cache pre 2", "db post 2 running", "db pre 2 active"]);
        bench.ok(&["down"]);
        bench.manifest(
            "services: { cache: { image: debian:13, systemd: false, init: true, command: sleep infinity, volumes: [log:/log] } }
volumes: { log: {} }
",
        );
        bench.ok(&["up", "-d"]);
        assert_eq!(written(bench), ["cache pre 2", "db pre 2 active"]);
    }

    fn a_hook_that_fails_is_told_and_a_replacement_goes_back(bench) {
        bench.manifest(&manifest(IMAGE, 1, "echo no $$SEED here; exit 3", "true"));
        let ran = bench.run(&["up", "-d"]).code(1);
        ran.says(&[
            &format!("{}: post_start 2 (`sh -c 'echo no $SEED here; exit 3'`) ended with exit code 3", bench.name("db")),
            "| no here",
            "`sdcompose restart db` starts it anew, with its hooks.",
        ]);
        assert_eq!(bench.running(), bench.names(&["db", "cache"]));
        bench.ok(&["up", "-d"]);
        bench.manifest(&manifest(IMAGE, 1, "true", "true"));
        bench.ok(&["restart", "db"]);
        written(bench);

        // The new machine's hook fails: the old one is back, and was told so by its own.
        let old = bench.id("db");
        bench.manifest(&manifest("sdcompose-test/debian:trixie", 2, "test $$(. /etc/os-release; echo $$VERSION_CODENAME) = bookworm", "true"));
        let ran = bench.run(&["up", "-d", "-y"]).code(1);
        ran.says(&["post_start 2", "ended with exit code 1", "runs again, unchanged"]);
        assert_eq!(bench.id("db"), old);
        assert_eq!(bench.containers().len(), 2, "{:?}", bench.containers());
        let seen = written(bench);
        assert_eq!(seen.iter().filter(|line| line.starts_with("db post 2")).count(), 2, "{seen:?}");

        // A hook before the stop that fails keeps the machine, whoever wants to stop it.
        bench.manifest(&manifest(IMAGE, 1, "true", "echo still busy; exit 7"));
        for arguments in [&["stop", "db"][..], &["down"], &["restart", "db"]] {
            let ran = bench.run(arguments).code(1);
            ran.says(&["pre_stop 1", "ended with exit code 7", "| still busy", "`sdcompose kill db`"]);
            assert_eq!(bench.id("db"), old);
            assert!(bench.running().contains(&bench.name("db")), "{ran}");
        }
        bench.manifest(&manifest(IMAGE, 3, "true", "exit 7"));
        let ran = bench.run(&["up", "-d", "-y"]).code(1);
        ran.says(&["pre_stop 1", "ended with exit code 7", "goes on running, unchanged", "`sdcompose kill db`"]);
        assert_eq!(bench.id("db"), old);
        bench.ok(&["kill", "db"]);
        bench.ok(&["up", "-d", "-y"]);
        assert_ne!(bench.id("db"), old, "what does not run has no hook before its stop");
        bench.ok(&["kill"]);
    }
}

#[test]
fn a_hook_is_run_as_it_asks_and_its_secrets_are_not_told() {
    Bench::run_on(View::V2, |bench| {
        bench.manifest(
            "services:
  cache:
    image: debian:13
    systemd: false
    init: true
    command: sleep infinity
    environment: { KEPT: from the service, GONE: away }
    post_start:
      - command: [sh, -c, 'env; id -un; pwd; echo $$DB_PASSWORD >&2']
        user: nobody
        working_dir: /tmp
        environment: { DB_PASSWORD: canary, GONE: }
      - command: [sh, -c, 'echo alas; exit 9']
        environment: { DB_PASSWORD: canary }
",
        );
        let plan = bench.ok(&["plan"]);
        plan.says(&["run    ", "post_start 2: sh -c 'echo alas; exit 9'"]);
        plan.hides(&["canary"]);
        bench.ok(&["plan", "--json"]).hides(&["canary"]);
        let ran = bench.run(&["up", "-d"]).code(1);
        ran.says(&["| KEPT=from the service", "| nobody", "| /tmp", "| DB_PASSWORD=***", "| ***"]);
        ran.says(&["ended with exit code 9"]);
        ran.hides(&["canary", "GONE=away"]);

        let ran = bench.run(&["restart", "--json"]).code(1);
        let lines = ran.json();
        let of = |event: &str| lines.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
        assert!(
            of("step_progress")
                .iter()
                .any(|line| line["progress"]["text"] == "nobody" && line["action"] == "hook")
        );
        assert_eq!(of("step_failed")[0]["failure"]["output"][0], "alas", "{ran}");
        ran.hides(&["canary"]);
    });
}

#[test]
fn ctrl_c_stops_with_hooks_and_a_second_one_kills_without() {
    Bench::run_on(View::V2, |bench| {
        let manifest = |pre: &str| {
            format!(
                "services:
  cache:
    image: debian:13
    systemd: false
    init: true
    command: sleep infinity
    volumes: [log:/log]
    post_start: [{{ command: [sh, -c, 'echo post >> /log/all'] }}]
    pre_stop: [{{ command: [sh, -c, '{pre}'] }}]
volumes: {{ log: {{}} }}
"
            )
        };
        bench.manifest(&manifest("echo pre >> /log/all"));
        let up = bench.spawn(&["up"]);
        let log = || {
            let runs = bench.running() == bench.names(&["cache"]);
            if runs { bench.api.exec(&bench.name("cache"), &["cat", "/log/all"]).text } else { String::new() }
        };
        eventually("the hook was run", 30, || log() == "post\n");
        up.signal(Signal::INT);
        up.end().code(130);
        assert_eq!(bench.running(), bench.names(&[]));

        // A hook that ends the container by itself has done all that was wanted, although it is killed with it.
        bench.manifest(&manifest("kill 1; sleep 1000"));
        bench.ok(&["up", "-d"]);
        bench.ok(&["stop"]);
        assert_eq!(bench.running(), bench.names(&[]));

        bench.manifest(&manifest("echo long >> /log/all; sleep 1000"));
        let up = bench.spawn(&["up"]);
        eventually("it was started again", 30, || log() == "post\npre\npost\npost\n");
        up.signal(Signal::INT);
        eventually("the hook is under way", 30, || log().ends_with("long\n"));
        up.signal(Signal::INT);
        let ran = up.end().code(130);
        assert_eq!(bench.running(), bench.names(&[]), "{ran}");
        assert!(ran.took.as_secs() < 60, "{ran}");
    });
}
