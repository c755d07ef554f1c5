//! What depends on what: units gate other machines, failures stop what waits for them and nothing else.

use std::time::Duration;

use jiff::Timestamp;

use crate::bed::Bench;

on_each_engine! {
    fn a_slow_unit_gates_the_machine_that_needs_it_and_no_other(bench) {
        bench.manifest(
            "services:
  page:
    image: sdcompose-test/debian:trixie
    depends_on:
      db: { condition: unit_active, unit: probe-slow.service }
  db:
    image: sdcompose-test/debian:bookworm
    systemd: { enable: [probe-slow.service] }
  side:
    image: sdcompose-test/debian:bookworm
  early:
    image: sdcompose-test/debian:trixie
    depends_on:
      db: { condition: service_started }
",
        );
        bench.ok(&["up", "-d"]);
        assert_eq!(bench.running(), bench.names(&["db", "early", "page", "side"]));
        let [db, page, side, early] = ["db", "page", "side", "early"].map(|service| time(bench, service, "StartedAt"));
        let after = |one: Timestamp| Duration::try_from(one.duration_since(db)).unwrap_or_default();
        assert!(after(page) >= Duration::from_secs(3), "page waits for the unit: {:?}", after(page));
        assert!(after(side) < Duration::from_secs(3), "side needs nobody: {:?}", after(side));
        assert!(after(early) < Duration::from_secs(3), "early needs a start only: {:?}", after(early));

        // Stopping goes the other way round.
        bench.ok(&["stop"]);
        let [db, page] = ["db", "page"].map(|service| time(bench, service, "FinishedAt"));
        assert!(page < db, "page stopped at {page}, db at {db}");
        bench.ok(&["start"]);
        let [db, page] = ["db", "page"].map(|service| time(bench, service, "StartedAt"));
        assert!(page > db && page.duration_since(db).as_secs() >= 3, "page started at {page}, db at {db}");
    }

    fn a_failed_unit_stops_its_dependents_and_is_named_with_its_last_words(bench) {
        bench.manifest(
            "services:
  db:
    image: sdcompose-test/debian:bookworm
    systemd: { enable: [probe-fail.service] }
  app: { image: sdcompose-test/debian:trixie, depends_on: [db] }
  page: { image: sdcompose-test/debian:trixie, depends_on: [app] }
  side: { image: sdcompose-test/debian:trixie }
",
        );
        let ran = bench.run(&["up", "-d"]).code(1);
        ran.says(&["probe-fail.service", "this unit fails on purpose", &bench.name("db")]);
        assert!(!bench.running().contains(&bench.name("app")), "{ran}");
        assert!(!bench.running().contains(&bench.name("page")), "{ran}");
        assert!(bench.running().contains(&bench.name("side")), "what does not wait for it comes up: {ran}");

        // The same machine is good enough for one who says so.
        bench.manifest(
            "services:
  db:
    image: sdcompose-test/debian:bookworm
    systemd: { enable: [probe-fail.service], ready: degraded }
  app: { image: sdcompose-test/debian:trixie, depends_on: [db] }
  units:
    image: sdcompose-test/debian:trixie
    systemd: { enable: [probe-fail.service], ready: [nginx.service, ssh.service] }
    depends_on: [db]
",
        );
        bench.ok(&["up", "-d", "--remove-orphans"]);
        assert_eq!(bench.running(), bench.names(&["app", "db", "units"]));
        let ps = bench.ps();
        assert_eq!(bench.system("db"), "degraded");
        assert!(ps[&bench.name("db")].to_string().contains("probe-fail.service"), "{ps:?}");
        bench.ok(&["ps"]).says(&["degraded", "probe-fail.service"]);
    }

    fn a_unit_that_was_asked_for_and_cannot_be_loaded_is_told(bench) {
        bench.manifest(
            "services:
  db:
    image: sdcompose-test/debian:trixie
    systemd:
      enable: [nosuch.service]
      units:
        typo.service: { content: \"[Service]\\nExecStartt=/bin/true\\n\", enable: true }
        fine.service: { content: \"[Service]\\nExecStart=/bin/sleep inf\\n\", enable: true }
  lax:
    image: sdcompose-test/debian:trixie
    systemd: { enable: [nosuch.service], ready: degraded }
",
        );
        let ran = bench.run(&["up", "-d"]).code(1);
        ran.says(&[
            "nosuch.service does not exist in the machine",
            "typo.service has a setting that systemd refuses",
            "Unknown key",
            "ExecStartt",
            "sdcompose systemctl db list-unit-files",
        ]);
        ran.hides(&["fine.service"]);
        assert_eq!(bench.running(), bench.names(&["db", "lax"]));
    }

    fn a_boot_that_never_ends_is_given_up_in_time_with_the_jobs_that_wait(bench) {
        bench.manifest(
            "services:
  db:
    image: sdcompose-test/debian:trixie
    systemd: { enable: [probe-hang.service], boot_timeout: 5s }
  app: { image: sdcompose-test/debian:trixie, depends_on: [db] }
",
        );
        let ran = bench.run(&["up", "-d"]).code(4);
        ran.says(&["probe-hang.service", &bench.name("db")]);
        assert!(ran.took < Duration::from_secs(20), "{ran}");
        assert!(!bench.running().contains(&bench.name("app")), "{ran}");
    }
}

/// A time of a service's first container.
fn time(bench: &Bench, service: &str, which: &str) -> Timestamp {
    let state = &bench.inspect(service)["State"];
    let text = state[which].as_str().unwrap_or_default();
    text.parse().unwrap_or_else(|error| panic!("{which} of {service}: {state}: {error}"))
}
