//! Secrets and configs in real containers: where they are, whose they are, and that nobody else hears them.

use std::fmt::Write as _;

use crate::bed::Bench;

/// What must be nowhere but in the files inside.
const CANARY: &str = "canary-6e1f";

/// A plain container that is given all kinds of both.
const PLAIN: &str = "services:
  app:
    image: debian:13
    systemd: false
    user: '1000'
    command: [sleep, infinity]
    secrets:
      - token
      - { source: token, target: deep/own, uid: '1000', gid: '7', mode: 0400 }
      - { source: token, target: /etc/own, gid: '7', mode: 0440 }
      - pem
    configs:
      - app.conf
      - { source: app.conf, target: /etc/app/app.conf, uid: '5', mode: 0640 }
      - { source: shared, target: /etc/shared }
  strict:
    image: debian:13
    systemd: false
    read_only: true
    tmpfs: [/run]
    command: [sleep, infinity]
    secrets: [pem]
secrets: { token: { environment: TOKEN }, pem: { file: ./pem } }
configs: { app.conf: { content: 'a=$$b' }, shared: { file: ./shared } }
";

/// A machine that reads them in units, on one systemd. 247 hands no credentials on, so that its unit names the file.
fn machine(suite: &str) -> String {
    let from = if suite == "bullseye" { ":/etc/sdcompose/credentials/token" } else { "" };
    format!(
        "  {suite}:
    image: sdcompose-test/debian:{suite}
    secrets: [token, {{ source: pem, target: /etc/pem, uid: '33', gid: '33', mode: 0400 }}]
    configs: [{{ source: app.conf, target: /run/app/app.conf, uid: '33', mode: 0640 }}, app.conf]
    systemd:
      units:
        early.service:
          enable: true
          content: |
            [Unit]
            DefaultDependencies=no
            After=sysinit.target
            Before=basic.target
            [Service]
            Type=oneshot
            RemainAfterExit=yes
            ExecStart=/bin/sh -c 'cat /run/secrets/token >> /var/early'
            [Install]
            WantedBy=basic.target
        reads.service:
          enable: true
          content: |
            [Service]
            Type=oneshot
            RemainAfterExit=yes
            LoadCredential=token{from}
            ExecStart=/bin/sh -c 'cat $${{CREDENTIALS_DIRECTORY}}/token > /var/credential'
            [Install]
            WantedBy=multi-user.target
"
    )
}

fn machines(suites: &[&str]) -> String {
    let mut text = "services:\n".to_owned();
    for suite in suites {
        text += &machine(suite);
    }
    text + "secrets: { token: { environment: TOKEN }, pem: { file: ./pem } }\nconfigs: { app.conf: { content: 'a=$$b' } }\n"
}

fn prepare(bench: &Bench, manifest: &str) {
    bench.manifest(manifest);
    bench.write(".env", &format!("TOKEN={CANARY}\n"));
    bench.write("pem", CANARY);
    bench.write("shared", "for all");
}

/// Everything that a user, a log or a code host may be shown of a project, and of its containers in the engine.
fn told(bench: &Bench, containers: &[String]) -> String {
    let mut told = String::new();
    for arguments in [
        &["plan"][..],
        &["plan", "--json"],
        &["config"],
        &["config", "--format", "json"],
        &["config", "--hash"],
        &["config", "--explain"],
        &["ps", "-a", "--format", "json"],
    ] {
        let ran = bench.ok(arguments);
        write!(told, "{}{}", ran.stdout, ran.stderr).expect("a string takes it");
    }
    for name in containers {
        let container = bench.api.inspect(name).expect("a container");
        write!(told, "{}", container["Config"]).expect("a string takes it");
        write!(told, "{}{}", container["HostConfig"], container["Args"]).expect("a string takes it");
    }
    told
}

on_each_engine! {
    fn a_plain_container_reads_what_it_is_given_as_its_owner(bench) {
        prepare(bench, PLAIN);
        let up = bench.ok(&["up", "-d", "--json"]);
        let stat = |paths: &str| bench.api.shell(&bench.name("app"), &format!("stat -c '%n %a %u:%g' {paths}"));
        assert_eq!(
            stat("/run/secrets/token /run/secrets/deep/own /etc/own /app.conf /etc/app/app.conf"),
            "/run/secrets/token 444 0:0\n/run/secrets/deep/own 400 1000:7\n/etc/own 440 0:7\n\
             /app.conf 444 0:0\n/etc/app/app.conf 640 5:0"
        );
        let own = bench.ok(&["exec", "-T", "app", "cat", "/run/secrets/token", "/run/secrets/deep/own"]);
        assert_eq!(own.stdout, CANARY.repeat(2));
        assert_eq!(bench.shell("app", "cat /app.conf /etc/shared /run/secrets/pem"), format!("a=$bfor all{CANARY}"));
        // Files are bound, read-only, also where nothing can be put into the root.
        assert_eq!(bench.shell("strict", "cat /run/secrets/pem"), CANARY);
        assert_eq!(bench.shell("app", "echo x 2>/dev/null >> /etc/shared || echo refused"), "refused");

        let told = told(bench, &[bench.name("app"), bench.name("strict")]) + &up.stdout + &up.stderr;
        assert!(!told.contains(CANARY), "{told}");
    }

    fn a_changed_secret_is_seen_by_its_name_and_replaces_only_who_is_given_it(bench) {
        prepare(bench, PLAIN);
        bench.ok(&["up", "-d"]);
        let strict = bench.inspect("strict")["Id"].clone();
        let calls = bench.calls(&["up", "-d"]);
        assert!(calls.iter().all(|call| call.starts_with("GET ")), "{calls:?}");

        bench.write(".env", "TOKEN=other-canary\n");
        let plan = bench.ok(&["plan"]);
        assert!(plan.stdout.contains("changed: secrets.token"), "{plan}");
        assert!(!plan.stdout.contains("canary"), "{plan}");
        bench.ok(&["up", "-d", "-y"]);
        assert_eq!(bench.shell("app", "cat /run/secrets/token"), "other-canary");
        assert_eq!(bench.inspect("strict")["Id"], strict);
    }

    fn a_machines_units_read_files_and_credentials_from_early_on(bench) {
        prepare(bench, &machines(&["bullseye", "trixie", "forky"]));
        let up = bench.ok(&["up", "-d", "--json"]);
        for suite in ["bullseye", "trixie", "forky"] {
            assert_eq!(bench.system(suite), "running", "{suite}");
            assert_eq!(bench.shell(suite, "cat /var/early"), CANARY, "{suite}");
            assert_eq!(
                bench.shell(
                    suite,
                    "stat -c '%n %a %u:%g' /run/secrets/token /etc/pem /run/app/app.conf /app.conf /etc/sdcompose/secrets"
                ),
                "/run/secrets/token 444 0:0\n/etc/pem 400 33:33\n/run/app/app.conf 640 33:0\n/app.conf 444 0:0\n\
                 /etc/sdcompose/secrets 700 0:0",
                "{suite}"
            );
            assert_eq!(bench.shell(suite, "cat /run/app/app.conf /etc/pem"), format!("a=$b{CANARY}"), "{suite}");
            assert_eq!(bench.shell(suite, "cat /var/credential"), CANARY, "{suite}");
            let mounts = bench.inspect(suite)["Mounts"].to_string();
            assert!(!mounts.contains("secrets") && !mounts.contains("pem"), "{suite}: {mounts}");
        }
        let containers = ["bullseye", "trixie", "forky"].map(|suite| bench.name(suite));
        let told = told(bench, &containers) + &up.stdout + &up.stderr;
        assert!(!told.contains(CANARY), "{told}");

        // Memory is empty after a restart, and filled again.
        bench.ok(&["restart", "trixie"]);
        assert_eq!(bench.shell("trixie", "cat /var/early /run/secrets/token"), CANARY.repeat(3));
    }
}

#[test]
fn what_cannot_be_given_is_refused_before_anything_is_touched() {
    Bench::run_on(crate::bed::View::V2, |bench| {
        prepare(
            bench,
            "services:
  app:
    image: debian:13
    systemd: false
    read_only: true
    command: [sleep, infinity]
    secrets: [token, unset, gone, other]
secrets:
  token: { environment: TOKEN }
  unset: { environment: NOBODY_SETS_IT }
  gone: { file: ./gone }
  other: { external: true }
",
        );
        bench.ok(&["config"]);
        let ran = bench.run(&["up", "-d"]).code(2);
        ran.says(&[
            "read-only",
            "NOBODY_SETS_IT is not set",
            "gone: not found",
            "external",
            "sdcompose.yaml:7:15",
        ]);
        assert!(!ran.stderr.contains(CANARY), "{ran}");
        assert_eq!(bench.running(), bench.names(&[]));
    });
}
