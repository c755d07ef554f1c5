//! The verbs that work on what runs: exec, systemctl, ps, restart, start and stop.

use crate::bed::{Bench, View, field};
use crate::process::entries;

const TWO: &str = "services:
  db:
    image: sdcompose-test/debian:bookworm
  web:
    image: sdcompose-test/debian:trixie
    depends_on: { db: { condition: service_ready, restart: true } }
";

on_each_engine! {
    fn commands_run_inside_with_their_streams_and_exit_codes(bench) {
        bench.manifest(TWO);
        bench.ok(&["up", "-d"]);
        exec(bench);
        systemctl(bench);
        ps(bench);
        restarts(bench);
    }
}

fn exec(bench: &Bench) {
    let run = |arguments: &[&str]| bench.run(&[&["exec", "-T"], arguments].concat());
    run(&["web", "sh", "-c", "echo out; echo err >&2; exit 7"]).code(7);
    let ran = run(&["web", "sh", "-c", "echo out; echo err >&2"]).code(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("out\n", "err\n"));
    assert_eq!(run(&["web", "hostname"]).stdout, "web\n", "a machine is named after its service");
    let ran = run(&[
        "-e",
        "COLOUR=blue sky",
        "-w",
        "/usr",
        "-u",
        "www-data",
        "web",
        "sh",
        "-c",
        "id -un; pwd; echo $COLOUR",
    ]);
    assert_eq!(ran.code(0).stdout, "www-data\n/usr\nblue sky\n");
    let ran = bench.run_with_input(&["exec", "-T", "web", "tr", "a-z", "A-Z"], "from the\npipe");
    assert_eq!(ran.code(0).stdout, "FROM THE\nPIPE");
    // Bytes pass as they are, in any amount.
    let ran = run(&["web", "sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x; printf '\\nend'"]).code(0);
    assert_eq!(ran.stdout.len(), 300_004);
    // As shells say it: 127 is not found, which Docker 20.10 tells as 126.
    let missing = run(&["web", "no-such-command"]);
    missing.code(127).says(&["`no-such-command` is not there"]);
    let unknown = run(&["nobody", "true"]);
    assert_ne!(unknown.status, 0);
    unknown.says(&["nobody"]);
}

fn systemctl(bench: &Bench) {
    bench.ok(&["systemctl", "web", "status", "nginx.service"]).says(&["active (running)", "nginx.service"]);
    assert_eq!(bench.ok(&["systemctl", "web", "is-active", "nginx"]).stdout.trim(), "active");
    // systemctl(1): 3 is "unit is not active", 4 is "no such unit".
    bench.run(&["systemctl", "web", "is-active", "probe-slow"]).code(3);
    bench.run(&["systemctl", "web", "status", "no-such-unit"]).code(4);
    bench.ok(&["systemctl", "web", "stop", "cron.service"]);
    assert_eq!(bench.shell("web", "systemctl is-active cron.service || true"), "inactive");
    bench.ok(&["systemctl", "web", "restart", "cron.service"]);
    assert_eq!(bench.shell("web", "systemctl is-active cron.service"), "active");
}

fn ps(bench: &Bench) {
    let ps = bench.ps();
    assert_eq!(ps.keys().collect::<Vec<_>>(), [&bench.name("db"), &bench.name("web")]);
    let web = &ps[&bench.name("web")];
    assert_eq!(
        [field(web, "service"), field(web, "state"), field(web, "system")],
        ["web", "running", "running"]
    );
    bench.ok(&["ps"]).says(&["web", "db", "running", "sdcompose-test/debian:trixie"]);
    assert_eq!(bench.ok(&["ps", "-q", "web"]).stdout.trim(), bench.id("web"));
    assert_eq!(bench.ok(&["ps", "--services"]).stdout, "db\nweb\n");

    // A unit that fails later is seen, and so is a machine that was ended behind our back.
    bench.shell("web", "systemctl start probe-fail.service || true");
    assert_eq!(bench.system("web"), "degraded");
    bench.ok(&["ps"]).says(&["degraded", "probe-fail.service"]);
    bench.shell("web", "systemctl reset-failed");
    bench.api.post(&format!("/containers/{}/kill", bench.name("web")), &serde_json::Value::Null);
    assert_eq!(field(&bench.ps()[&bench.name("web")], "state"), "exited");
    assert_eq!(entries(&serde_json::Value::Array(bench.ok(&["ps", "--format", "json"]).json())).count(), 1);
    bench.ok(&["up", "-d"]);
    assert_eq!(bench.system("web"), "running", "up starts what does not run");
}

fn restarts(bench: &Bench) {
    let started = |service: &str| bench.inspect(service)["State"]["StartedAt"].to_string();
    let (id, db, web) = (bench.id("db"), started("db"), started("web"));
    bench.ok(&["restart", "db"]);
    assert_eq!(bench.id("db"), id, "a restart keeps the container");
    assert_ne!(started("db"), db);
    assert_ne!(started("web"), web, "`restart: true` passes it on");
    assert_eq!([bench.system("db"), bench.system("web")], ["running", "running"]);

    bench.ok(&["stop", "web"]);
    assert_eq!(bench.running(), bench.names(&["db"]));
    bench.ok(&["start", "web"]);
    assert_eq!(bench.running(), bench.names(&["db", "web"]));
    bench.ok(&["kill", "web"]);
    assert_eq!(bench.inspect("web")["State"]["ExitCode"], 137);
}

#[test]
fn a_stubborn_unit_has_its_time_and_a_short_timeout_kills() {
    Bench::run_on(View::V2, |bench| {
        bench.manifest(
            "services:
  app: { image: sdcompose-test/debian:bookworm, systemd: { enable: [probe-stubborn.service] } }
",
        );
        bench.ok(&["up", "-d"]);
        let ran = bench.ok(&["stop"]);
        assert_eq!(bench.inspect("app")["State"]["ExitCode"], 0, "systemd ended it by itself: {ran}");
        assert!(ran.took.as_secs() >= 4, "{ran}");
        bench.ok(&["start"]);
        let ran = bench.ok(&["stop", "-t", "1"]);
        assert_eq!(bench.inspect("app")["State"]["ExitCode"], 137, "{ran}");
        assert!(ran.took.as_secs() < 5, "{ran}");
    });
}
