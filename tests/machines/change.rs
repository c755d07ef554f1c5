//! Changes that need no new container: what is touched inside a machine that runs, and above all what is not.

use std::collections::BTreeMap;

use crate::bed::{Bench, View};

/// A unit of the manifest that reads a credential, and one that is enabled or not.
fn machine(service: &str, image: &str, systemd: &str) -> String {
    format!(
        "  {service}:
    image: {image}
    systemd:
{systemd}"
    )
}

/// Each active service of a machine, with the process that it runs: whoever was restarted has another one.
fn processes(bench: &Bench, service: &str) -> BTreeMap<String, String> {
    let line = "systemctl list-units --type=service --state=active --plain --no-legend | cut -d' ' -f1 |
        while read unit; do echo $unit $(systemctl show -p ExecMainPID --value $unit)/$(systemctl show -p ExecMainStartTimestampMonotonic --value $unit); done";
    let text = bench.shell(service, line);
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(unit, at)| (unit.to_owned(), at.to_owned()))
        .collect()
}

/// Units whose process is another one than before, or that are new or gone. Units that systemd itself starts when
/// somebody looks are left out.
fn restarted(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let all: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let own = |unit: &&String| !unit.starts_with("probe-timer") && !unit.starts_with("systemd-");
    all.into_iter().filter(own).filter(|unit| before.get(*unit) != after.get(*unit)).cloned().collect()
}

/// When PID 1 was started, in ticks since the host's boot (proc(5)).
fn began(bench: &Bench, service: &str) -> String {
    bench.shell(service, "cut -d' ' -f22 /proc/1/stat")
}

/// The file of a cgroup's limit, as root sees it inside.
fn limit(bench: &Bench, service: &str, v1: &str) -> String {
    bench.shell(service, &format!("cat /sys/fs/cgroup/{v1}"))
}

/// `up -d`, and the calls that change something.
fn changing_calls(bench: &Bench) -> Vec<String> {
    bench.calls(&["up", "-d"]).into_iter().filter(|call| !call.starts_with("GET ")).collect()
}

const SUITES: [&str; 4] = ["bullseye", "bookworm", "trixie", "forky"];

/// The systemd section of one suite's machine in its two shapes. 247 hands no credentials on, so that its unit
/// names the file.
fn shape(suite: &str, second: bool) -> String {
    let from = if suite == "bullseye" { ":/etc/sdcompose/credentials/pin" } else { "" };
    let (pin, files, word) = if second { ("4711", "3000", "two") } else { ("0815", "2000", "one") };
    let (extra, enable, mask) = if second {
        ("", "enable: [probe-slow.service]", "mask: [cron.service]")
    } else {
        (
            "        gone.service: { content: \"[Service]\\nExecStart=/bin/sleep infinity\\n\", enable: true }\n",
            "enable: []",
            "mask: []",
        )
    };
    machine(
        suite,
        &format!("sdcompose-test/debian:{suite}"),
        &format!(
            "      {enable}
      {mask}
      credentials: {{ pin: {{ content: \"{pin}\" }} }}
      units:
        nginx.service: {{ drop_in: \"[Service]\\nLimitNOFILE={files}\\n\" }}
        still.service: {{ content: \"[Service]\\nExecStart=/bin/sleep infinity\\n\", enable: true }}
{extra}        reads.service:
          enable: true
          content: |
            [Service]
            LoadCredential=pin{from}
            Environment=WORD={word}
            ExecStart=/bin/sh -c 'echo $$WORD $$(cat $${{CREDENTIALS_DIRECTORY}}/pin) > /run/seen; exec sleep infinity'
"
        ),
    )
}

on_each_engine! {
    fn a_changed_unit_is_restarted_alone_in_every_systemd(bench) {
        let all = |second: bool| {
            let machines: String = SUITES.iter().map(|suite| shape(suite, second)).collect();
            bench.manifest(&format!("services:\n{machines}"));
        };
        all(false);
        bench.ok(&["up", "-d"]);
        let ids = SUITES.map(|suite| (bench.id(suite), began(bench, suite)));
        let first = SUITES.map(|suite| processes(bench, suite));
        for suite in SUITES {
            assert_eq!(bench.shell(suite, "cat /run/seen"), "one 0815", "{suite}");
            assert_eq!(bench.shell(suite, "systemctl is-active gone still"), "active\nactive", "{suite}");
            bench.shell(suite, "echo mine > /root/note");
        }

        all(true);
        let plan = bench.run(&["plan", "--exit-code"]).code(3);
        plan.says(&["systemd.units.nginx.service", "systemd.credentials.pin", "systemd.mask.cron.service"]);
        plan.hides(&["4711", "0815", "replace", "destroys"]);
        assert!(changing_calls(bench).iter().all(|call| !call.contains("/containers/create")));
        assert_eq!(SUITES.map(|suite| (bench.id(suite), began(bench, suite))), ids, "PID 1 goes on");
        let second = SUITES.map(|suite| processes(bench, suite));
        for ((suite, before), after) in SUITES.iter().zip(&first).zip(&second) {
            let expected = ["cron.service", "gone.service", "nginx.service", "probe-slow.service", "reads.service"];
            assert_eq!(restarted(before, after), expected, "{suite}");
            assert_eq!(bench.shell(suite, "cat /run/seen /root/note"), "two 4711\nmine", "{suite}");
            assert_eq!(bench.shell(suite, "systemctl show -p LimitNOFILE --value nginx"), "3000", "{suite}");
            let state = bench.shell(suite, "systemctl is-enabled probe-slow cron still || :; systemctl is-active cron gone still || :");
            assert_eq!(state.replace("-runtime", ""), "enabled\nmasked\nenabled\ninactive\ninactive\nactive", "{suite}");
            assert_eq!(bench.shell(suite, "ls /etc/systemd/system | grep -c gone || :"), "0", "{suite}");
        }
        let calls = bench.calls(&["up", "-d"]);
        assert!(calls.len() <= 4 && calls.iter().all(|call| call.starts_with("GET ")), "{calls:?}");

        // And back: the same machine as at first, but for what its units wrote.
        all(false);
        bench.ok(&["up", "-d"]);
        for (suite, before) in SUITES.iter().zip(&first) {
            assert_eq!(processes(bench, suite).keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{suite}");
            assert_eq!(bench.shell(suite, "cat /run/seen; systemctl is-system-running"), "one 0815\nrunning", "{suite}");
        }
        assert_eq!(SUITES.map(|suite| (bench.id(suite), began(bench, suite))), ids);
        // What was written holds after a boot as well.
        bench.ok(&["restart"]);
        for suite in SUITES {
            assert_eq!(bench.shell(suite, "systemctl show -p LimitNOFILE --value nginx; cat /run/seen"), "2000\none 0815");
        }
    }

    fn networks_come_and_go_while_the_machine_runs(bench) {
        let manifest = |networks: &str| {
            bench.manifest(&format!(
                "services:
  web: {{ image: sdcompose-test/debian:trixie, networks: {networks} }}
  cache: {{ image: debian:13, systemd: false, init: true, command: sleep infinity, networks: [front, back] }}
networks: {{ front: {{}}, back: {{}} }}
"
            ));
        };
        manifest("{front: }");
        bench.ok(&["up", "-d"]);
        let (id, at) = (bench.id("web"), began(bench, "web"));
        let address = |network: &str| {
            bench.inspect("web")["NetworkSettings"]["Networks"][format!("{}_{network}", bench.project)]["IPAddress"].clone()
        };
        let front = address("front");
        manifest("{front: , back: {aliases: [shop]}}");
        bench.ok(&["up", "-d"]).says(&["back"]);
        assert_eq!(bench.shell("cache", "getent hosts shop | wc -l"), "1");
        assert_eq!(address("front"), front, "what was there is left alone");
        manifest("{front: , back: {aliases: [mall]}}");
        bench.ok(&["up", "-d"]);
        assert_eq!(bench.shell("cache", "getent hosts mall >/dev/null; echo $?; getent hosts shop >/dev/null; echo $?"), "0\n2");
        manifest("{front: }");
        bench.ok(&["up", "-d"]);
        assert!(address("back").is_null(), "{}", bench.inspect("web")["NetworkSettings"]);
        assert_eq!((bench.id("web"), began(bench, "web"), address("front")), (id, at, front));
        assert_eq!(changing_calls(bench), Vec::<String>::new());

        // Somebody else takes the network away: it comes back when one asks for it.
        let name = format!("{}_front", bench.project);
        bench.api.post(&format!("/networks/{name}/disconnect"), &serde_json::json!({"Container": bench.id("web"), "Force": true}));
        bench.run(&["plan"]).says(&["drifted: networks.front"]);
        bench.ok(&["up", "-d"]);
        assert!(address("front").is_string());
    }

    fn what_a_file_of_a_machine_holds_is_changed_inside(bench) {
        let manifest = |page: &str| {
            bench.manifest(&format!(
                "services:
  web:
    image: sdcompose-test/debian:trixie
    configs: [{{ source: page, target: /var/www/html/page.html, mode: 0644 }}]
configs: {{ page: {{ content: {page} }} }}
"
            ));
        };
        manifest("red");
        bench.ok(&["up", "-d"]);
        let (id, before) = (bench.id("web"), processes(bench, "web"));
        manifest("blue");
        bench.ok(&["up", "-d"]);
        assert_eq!(bench.shell("web", "cat /var/www/html/page.html"), "blue");
        assert_eq!((bench.id("web"), restarted(&before, &processes(bench, "web"))), (id, Vec::new()));
        bench.ok(&["restart"]);
        assert_eq!(bench.shell("web", "cat /var/www/html/page.html"), "blue");
    }
}

#[test]
fn limits_are_changed_while_the_machine_runs() {
    // The v2 view of a host that boots with v1 has no controllers.
    Bench::run_on(View::V1, |bench| {
        let manifest = |limits: &str| {
            bench.manifest(&format!(
                "services:
  web: {{ image: sdcompose-test/debian:trixie, {limits} }}
  cache: {{ image: debian:13, systemd: false, init: true, command: sleep infinity, {limits} }}
"
            ));
        };
        manifest("mem_limit: 300m, pids_limit: 300, cpus: 0.5, restart: always");
        bench.ok(&["up", "-d"]);
        let ids = [bench.id("web"), bench.id("cache")];
        let at = began(bench, "web");
        manifest("mem_limit: 400m, pids_limit: 400, cpus: 0.7, restart: unless-stopped");
        let ran = bench.ok(&["up", "-d"]);
        ran.says(&["update"]);
        assert_eq!([bench.id("web"), bench.id("cache")], ids, "{ran}");
        assert_eq!(began(bench, "web"), at);
        for service in ["web", "cache"] {
            assert_eq!(
                limit(bench, service, "memory/memory.limit_in_bytes"),
                (400 << 20).to_string(),
                "{service}"
            );
            assert_eq!(limit(bench, service, "pids/pids.max"), "400", "{service}");
            assert_eq!(limit(bench, service, "cpu/cpu.cfs_quota_us"), "70000", "{service}");
            assert_eq!(
                bench.inspect(service)["HostConfig"]["RestartPolicy"]["Name"],
                "unless-stopped",
                "{service}"
            );
            assert_eq!(bench.inspect(service)["RestartCount"], 0, "{service}");
        }
        assert_eq!(changing_calls(bench), Vec::<String>::new());
        // A limit cannot be taken away from a container that exists, so that it is a new one.
        manifest("pids_limit: 400, cpus: 0.7, restart: unless-stopped");
        bench.run(&["plan"]).says(&["replace container", "mem_limit"]);

        // Somebody else changed it: `--drift` sees it and sets it right.
        manifest("mem_limit: 400m, pids_limit: 400, cpus: 0.7, restart: unless-stopped");
        bench.api.post(
            &format!("/containers/{}/update", bench.id("web")),
            &serde_json::json!({"Memory": 500 << 20, "MemorySwap": 1000 << 20}),
        );
        assert_eq!(changing_calls(bench), Vec::<String>::new(), "nobody looks closer unless asked");
        bench.run(&["plan", "--drift"]).says(&["drifted: mem_limit"]);
        bench.ok(&["up", "-d", "--drift"]);
        assert_eq!(limit(bench, "web", "memory/memory.limit_in_bytes"), (400 << 20).to_string());
        assert_eq!([bench.id("web"), bench.id("cache")], ids);
    });
}

#[test]
fn a_change_that_a_unit_does_not_survive_is_told_and_the_machine_goes_on() {
    Bench::run_on(View::V2, |bench| {
        let manifest = |command: &str| {
            let unit = format!(
                "      units:
        app.service: {{ content: \"[Service]\\nExecStart={command}\\n\", enable: true }}
"
            );
            bench.manifest(&format!("services:\n{}", machine("web", "sdcompose-test/debian:trixie", &unit)));
        };
        manifest("/bin/sleep infinity");
        bench.ok(&["up", "-d"]);
        let id = bench.id("web");
        manifest("/bin/nothing-there");
        let ran = bench.run(&["up", "-d"]).code(1);
        ran.says(&["app.service", "web"]);
        assert_eq!(bench.id("web"), id);
        assert_eq!(bench.shell("web", "systemctl is-active nginx"), "active");
        // It stays said as long as it is so, and a mended unit file mends it.
        manifest("/bin/sleep 1000000");
        bench.ok(&["up", "-d"]);
        assert_eq!((bench.id("web"), bench.system("web").as_str()), (id, "running"));
        assert_eq!(changing_calls(bench), Vec::<String>::new());
    });
}
