//! What machines say: their journals and consoles, merged by time.

use crate::bed::{Bench, View};

const TWO: &str = "services:
  db: { image: sdcompose-test/debian:bookworm }
  web: { image: sdcompose-test/debian:trixie }
";

on_each_engine! {
    fn journals_of_all_machines_are_merged_by_time_and_can_be_narrowed(bench) {
        bench.manifest(TWO);
        bench.ok(&["up", "-d"]);
        for (number, service) in ["db", "web", "db", "web"].iter().enumerate() {
            bench.shell(service, &format!("logger -t shout 'call {number}'; sleep 0.05"));
        }
        let said = bench.ok(&["logs", "--no-color"]).stdout;
        let calls = said.lines().filter(|line| line.contains("call ")).collect::<Vec<_>>();
        assert_eq!(calls.len(), 4, "{said}");
        for (number, (line, service)) in calls.iter().zip(["db", "web", "db", "web"]).enumerate() {
            assert!(line.contains(service) && line.ends_with(&format!("call {number}")), "{calls:?}");
        }

        let one = bench.ok(&["logs", "--no-color", "db"]).stdout;
        assert!(one.contains("call 0") && !one.contains("call 1"), "{one}");
        let bare = bench.ok(&["logs", "--no-log-prefix", "-n", "1", "web"]).stdout;
        assert_eq!(bare.lines().count(), 1, "{bare}");

        bench.shell("web", "systemctl start probe-fail.service || true");
        let unit = bench.ok(&["logs", "-u", "probe-fail.service"]).stdout;
        assert!(unit.contains("this unit fails on purpose") && !unit.contains("call 1"), "{unit}");
        let misspelt = bench.ok(&["logs", "-u", "nginks"]);
        misspelt.says(&["db-1 has no unit nginks.service", "web-1 has no unit nginks.service", "list-units"]);
        bench.shell("db", "logger -p user.err -t shout 'an error'; logger -p user.debug -t shout 'a trifle'");
        let errors = bench.ok(&["logs", "-p", "err", "db"]).stdout;
        assert!(errors.contains("an error") && !errors.contains("a trifle"), "{errors}");

        // Escape sequences of a machine do not reach a terminal; what is not text does not hurt.
        bench.shell("db", "printf '\\033[2Jwiped\\377\\n' | systemd-cat -t shout");
        bench.ok(&["logs", "-n", "20", "db"]).says(&["wiped"]);
    }

    fn a_boot_that_fails_shows_its_console_at_once(bench) {
        bench.manifest(
            "services:
  app:
    build:
      dockerfile_inline: |
        FROM sdcompose-test/debian:trixie
        RUN printf '#!/bin/sh\\necho no way to boot here\\nsleep 0.3\\nexit 7' > /broken && chmod +x /broken
    systemd: { init: /broken }
  page:
    image: sdcompose-test/debian:trixie
    depends_on: [app]
",
        );
        let ran = bench.run(&["up", "-d"]).code(1);
        ran.says(&[&bench.name("app"), "7", "no way to boot here"]);
        assert!(ran.took.as_secs() < 30, "long before the boot's timeout: {ran}");
        assert_eq!(bench.running(), bench.names(&[]));
        bench.ok(&["logs", "app"]).says(&["no way to boot here"]);
    }
}

#[test]
fn an_attached_up_says_how_containers_ended_and_ends_with_the_last() {
    Bench::run_on(View::V2, |bench| {
        bench.manifest(
            "services:
  job:
    image: sdcompose-test/debian:trixie
    systemd: false
    command: [sh, -c, 'echo first; sleep 1; echo last; exit 3']
",
        );
        let ran = bench.run(&["up"]);
        let end = format!("{} exited with code 3", bench.name("job"));
        ran.says(&["first", "last", &end]);
        let (words, told) = (ran.stdout.find("last"), ran.stdout.find(&end));
        assert!(words < told, "its last words come first: {ran}");
    });
}

#[test]
fn following_shows_what_comes_and_goes_on_over_a_restart() {
    Bench::run_on(View::V1, |bench| {
        bench.manifest(TWO);
        bench.ok(&["up", "-d"]);
        let mut logs = bench.spawn(&["logs", "-f", "-n", "0"]);
        crate::process::eventually("it follows", 20, || {
            bench.shell("db", "logger -t shout 'are you there'");
            logs.text().contains("are you there")
        });
        bench.shell("web", "logger -t shout 'here is web'");
        logs.wait_for("here is web");
        bench.ok(&["restart", "db"]);
        bench.shell("db", "logger -t shout 'back again'");
        logs.wait_for("back again");
        logs.signal(rustix::process::Signal::INT);
        let ran = logs.end();
        assert!([0, 130].contains(&ran.status), "{ran}");
        assert_eq!(bench.running(), bench.names(&["db", "web"]), "following stops nothing");
    });
}
