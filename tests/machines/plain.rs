//! Plain application containers beside machines.

on_each_engine! {
    fn plain_containers_gate_machines_by_health_and_by_success(bench) {
        bench.manifest(
            "services:
  migrate:
    image: debian:13
    systemd: false
    command: [sh, -c, 'sleep 1; echo $$STEP > /data/step']
    environment: { STEP: migrated }
    volumes: [data:/data]
  cache:
    image: debian:13
    systemd: false
    user: nobody
    working_dir: /tmp
    entrypoint: [/bin/sh, -c]
    command: ['sleep 1; touch ok; exec sleep infinity']
    healthcheck: { test: [CMD, test, -e, /tmp/ok], interval: 1s }
    init: true
  app:
    image: sdcompose-test/debian:bookworm
    volumes: [data:/data]
    depends_on:
      migrate: { condition: service_completed_successfully }
      cache: { condition: service_healthy }
volumes: { data: {} }
",
        );
        bench.ok(&["up", "-d"]);
        assert_eq!(bench.running(), bench.names(&["app", "cache"]));
        assert_eq!(bench.shell("app", "cat /data/step"), "migrated");
        assert_eq!(bench.inspect("cache")["State"]["Health"]["Status"], "healthy");
        assert_eq!(bench.inspect("migrate")["State"]["ExitCode"], 0);
        assert_eq!(bench.ok(&["exec", "-T", "cache", "id", "-un"]).stdout, "nobody\n");
        let cgroups = bench.inspect("cache")["HostConfig"]["Tmpfs"].clone();
        assert!(cgroups.is_null() || cgroups.as_object().is_some_and(serde_json::Map::is_empty), "{cgroups}");

        // A job that is done stays done.
        let started = bench.inspect("migrate")["State"]["StartedAt"].clone();
        let calls = bench.calls(&["up", "-d"]);
        assert!(calls.iter().all(|call| call.starts_with("GET ")), "{calls:?}");
        assert_eq!(bench.inspect("migrate")["State"]["StartedAt"], started);
        bench.ok(&["logs", "cache"]);
    }

    fn a_job_that_fails_or_a_check_that_never_passes_stops_what_waits(bench) {
        bench.manifest(
            "services:
  migrate:
    image: debian:13
    systemd: false
    command: [sh, -c, 'echo no database here >&2; exit 3']
  app:
    image: sdcompose-test/debian:bookworm
    depends_on: { migrate: { condition: service_completed_successfully } }
",
        );
        let ran = bench.run(&["up", "-d"]).code(1);
        ran.says(&[&bench.name("migrate"), "3", "no database here"]);
        assert_eq!(bench.running(), bench.names(&[]), "{ran}");

        bench.manifest(
            "services:
  sick:
    image: debian:13
    systemd: false
    command: [sleep, infinity]
    healthcheck: { test: [CMD, 'false'], interval: 1s, retries: 1 }
  app:
    image: sdcompose-test/debian:bookworm
    depends_on: { sick: { condition: service_healthy } }
",
        );
        let ran = bench.run(&["up", "-d", "--remove-orphans"]).code(1);
        ran.says(&[&bench.name("sick"), "health check"]);
        assert_eq!(bench.running(), bench.names(&["sick"]), "{ran}");
    }
}

#[test]
fn a_compose_file_serves_with_machines_only_where_it_says_so() {
    crate::bed::Bench::run_on(crate::bed::View::V2, |bench| {
        bench.write(
            "compose.yaml",
            "services:
  cache:
    image: debian:13
    command: [sleep, infinity]
    stop_grace_period: 0s
  web:
    image: sdcompose-test/debian:trixie
    x-systemd: true
    depends_on: [cache]
",
        );
        // What is sdcompose's own stays out of the compose file.
        bench.write(
            "compose.sdcompose.yaml",
            "services: { web: { x-systemd: { enable: [probe-slow.service] } } }",
        );
        bench.ok(&["up", "-d"]);
        assert_eq!(bench.running(), bench.names(&["cache", "web"]));
        assert_eq!(bench.shell("cache", "cat /proc/1/comm"), "sleep");
        assert_eq!(bench.shell("web", "cat /proc/1/comm; systemctl is-active probe-slow"), "systemd\nactive");
    });
}
