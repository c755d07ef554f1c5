//! What reaches the inside of a machine: environment, unit files, drop-ins, masks, credentials, an identity.

use serde_json::Value;

use crate::bed::{View, field};
use crate::page;

/// A value with all that shells, systemd and YAML treat specially.
const AWKWARD: &str = r#"100% $HOME "double" 'single' \back  two spaces = ; # end"#;

on_each_engine! {
    fn environment_and_secrets_reach_units_and_stay_out_of_sight(bench) {
        bench.write("token", "cr3dential\n");
        bench.manifest(&format!(
            "services:
  app:
    image: sdcompose-test/debian:bookworm
    environment:
      COLOUR: blue sky
      AWKWARD: {}
      PASSWORD: s3cret-value
    systemd:
      enable: [probe-environment.service]
      units:
        reader.service:
          content: |
            [Service]
            Type=oneshot
            RemainAfterExit=yes
            User=nobody
            LoadCredential=token
            ExecStart=/bin/sh -c 'cat \"$$CREDENTIALS_DIRECTORY/token\" >/tmp/seen'
          enable: true
      credentials:
        token: {{ file: ./token }}
",
            yaml_scalar(AWKWARD),
        ));
        let plan = bench.ok(&["plan", "--json"]);
        let up = bench.ok(&["up", "-d"]);
        assert_eq!(bench.system("app"), "running");

        let environment = bench.shell("app", "cat /run/probe-environment");
        // The probe writes it where everybody may read it.
        bench.shell("app", "rm /run/probe-environment");
        for expected in ["COLOUR=blue sky", &format!("AWKWARD={AWKWARD}"), "PASSWORD=s3cret-value"] {
            assert!(environment.lines().any(|line| line == expected), "{expected} in {environment}");
        }
        let later = bench.ok(&["exec", "-T", "app", "systemd-run", "--pipe", "--wait", "-q", "printenv", "COLOUR"]);
        assert_eq!(later.stdout, "blue sky\n", "units that are started later have it as well");
        assert_eq!(bench.shell("app", "cat /tmp/seen"), "cr3dential", "a unit gets its credential");

        // Secrets: only root inside can read them, and nobody outside by asking the engine.
        for secret in ["s3cret-value", "cr3dential"] {
            let readable = bench.shell("app", &format!("setpriv --reuid www-data --regid www-data --clear-groups \
                 grep -rlsF {secret} /etc /run /proc/1/cmdline 2>/dev/null || true"));
            assert_eq!(readable, "", "{secret} can be read by every user inside");
            assert!(!bench.shell("app", "tr '\\0' ' ' </proc/1/cmdline").contains(secret), "{secret}");
            up.hides(&[secret]);
            plan.hides(&[secret]);
        }
        let inspected = bench.inspect("app");
        assert!(!inspected.to_string().contains("cr3dential"), "{inspected}");
        for part in ["Labels", "Entrypoint", "Cmd"] {
            assert!(!inspected["Config"][part].to_string().contains("s3cret-value"), "{part}: {inspected}");
        }
        assert!(!inspected["HostConfig"].to_string().contains("s3cret-value"), "{inspected}");
    }

    fn units_drop_ins_masks_and_the_target_are_as_the_manifest_says(bench) {
        bench.write("units/hello.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\n\
             ExecStart=/bin/sh -c 'echo hello from a file >/run/hello'\n[Install]\nWantedBy=multi-user.target\n");
        let manifest = |limit: u32| format!(
            "services:
  app:
    image: sdcompose-test/debian:trixie
    systemd:
      enable: [probe-hardened.service]
      mask: [cron.service]
      units:
        hello.service: {{ file: ./units/hello.service, enable: true }}
        idle.service:
          content: |
            [Service]
            ExecStart=/bin/sleep infinity
        nginx.service: {{ drop_in: \"[Service]\\nLimitNOFILE={limit}\" }}
"
        );
        bench.manifest(&manifest(4321));
        bench.ok(&["up", "-d"]);
        let shell = |line: &str| bench.shell("app", line);
        assert_eq!(bench.system("app"), "running");
        assert_eq!(shell("cat /run/hello"), "hello from a file");
        assert_eq!(shell("systemctl is-active idle.service || true"), "inactive");
        shell("systemctl start idle.service");
        assert_eq!(shell("systemctl show -P LimitNOFILE nginx.service"), "4321");
        assert_eq!(shell("systemctl is-active nginx.service"), "active");
        assert_eq!(shell("systemctl show -P LoadState cron.service"), "masked");
        assert_eq!(shell("systemctl is-active cron.service || true"), "inactive");
        // Hardened like redis or polkit: needs help since systemd 255, unless it has CAP_SYS_ADMIN.
        assert_eq!(shell("systemctl is-active probe-hardened.service"), "active");

        bench.run(&["plan", "--exit-code"]).code(0);
        bench.manifest(&manifest(1234));
        bench.run(&["plan", "--exit-code"]).code(3).says(&["systemd.units", "nginx.service"]);
        bench.ok(&["up", "-d"]);
        assert_eq!(shell("systemctl show -P LimitNOFILE nginx.service"), "1234");

        bench.manifest("services: { app: { image: sdcompose-test/debian:trixie, systemd: { target: basic.target } } }");
        bench.ok(&["up", "-d"]);
        assert_eq!(shell("systemctl is-active basic.target"), "active");
        assert_eq!(shell("systemctl is-active multi-user.target || true"), "inactive");
    }

    fn replicas_have_identities_of_their_own_that_outlive_their_containers(bench) {
        let manifest = |edit: u32| format!(
            "services:
  app: {{ image: \"sdcompose-test/debian:bookworm\", scale: 2, labels: {{ edit: \"{edit}\" }} }}
  named:
    image: sdcompose-test/debian:trixie
    hostname: front.example
    container_name: {}-front
    labels: {{ edit: \"{edit}\" }}
",
            bench.project
        );
        let front = format!("{}-front", bench.project);
        let names = [bench.replica("app", 1), bench.replica("app", 2), front.clone()];
        let identities = || names.clone().map(|name| bench.api.shell(&name, "cat /etc/machine-id"));
        bench.manifest(&manifest(1));
        bench.ok(&["up", "-d"]);
        assert_eq!(bench.running(), names.iter().cloned().collect());
        let before = identities();
        assert!(before.iter().all(|id| id.len() == 32), "{before:?}");
        assert!(before[0] != before[1] && before[1] != before[2] && before[0] != before[2], "{before:?}");
        let hostname = |name: &str| bench.api.shell(name, "cat /proc/sys/kernel/hostname");
        assert_eq!(hostname(&front), "front.example");

        bench.manifest(&manifest(2));
        bench.ok(&["up", "-d"]);
        assert_eq!(identities(), before, "a replacement is the same machine");
        let entry = bench.ps().remove(&front);
        assert_eq!(entry.as_ref().map(|entry| field(entry, "service")), Some("named"), "{entry:?}");
    }

    fn limits_ports_mounts_and_kernel_parameters_are_the_engines(bench) {
        let port = crate::bed::free_port();
        bench.write("www/index.html", "a page of its own");
        bench.manifest(&format!(
            "services:
  app:
    image: sdcompose-test/debian:bookworm
    ports: [\"127.0.0.1:{port}:80\"]
    volumes: [\"./www:/var/www/html:ro\"]
    tmpfs: [\"/scratch:size=1m\"]
    sysctls: {{ net.ipv4.ip_unprivileged_port_start: 81 }}
    ulimits: {{ nofile: {{ soft: 2048, hard: 4096 }} }}
    extra_hosts: [\"elsewhere:192.0.2.7\"]
    pids_limit: 400
    restart: unless-stopped
    stop_grace_period: 33s
"
        ));
        bench.ok(&["up", "-d"]);
        assert_eq!(page::get(port), "a page of its own");
        assert_eq!(bench.shell("app", "cat /proc/sys/net/ipv4/ip_unprivileged_port_start"), "81");
        assert_eq!(bench.shell("app", "getent hosts elsewhere | cut -d' ' -f1"), "192.0.2.7");
        assert_eq!(bench.shell("app", "stat -f -c %T /scratch"), "tmpfs");
        assert_ne!(bench.api.exec(&bench.name("app"), &["touch", "/var/www/html/x"]).code, 0);
        let config = bench.inspect("app");
        if bench.view == View::V1 {
            // The v2 view of a v1 host has no controllers; Docker then drops the limit with a warning.
            assert_eq!(config["HostConfig"]["PidsLimit"], 400);
        }
        assert_eq!(config["HostConfig"]["RestartPolicy"]["Name"], "unless-stopped");
        assert_eq!(config["Config"]["StopTimeout"], 33);
        assert_eq!(config["Config"]["StopSignal"], "SIGRTMIN+3");
        let limits = config["HostConfig"]["Ulimits"].to_string();
        assert!(limits.contains("2048") && limits.contains("4096"), "{limits}");
    }
}

/// A text as a YAML scalar that interpolation leaves alone.
fn yaml_scalar(text: &str) -> String {
    Value::String(text.replace('$', "$$")).to_string()
}
