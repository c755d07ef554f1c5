//! The way out and the way in: a converted project run by Docker Compose itself, and a hand-made container that
//! becomes a manifest.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Once;

use serde_json::{Value, json};

use crate::bed::Bench;
use crate::process::Ran;

const THREE: &str = "systemd: { init: /lib/systemd/systemd }
services:
  db:
    image: sdcompose-test/debian:trixie
    environment: { GREETING: 'a$$b \"c\" 50%' }
    systemd:
      units:
        hello.service:
          enable: true
          content: |
            [Service]
            Type=oneshot
            RemainAfterExit=yes
            ExecStart=/bin/sh -c 'printenv GREETING > /var/hello'
            [Install]
            WantedBy=multi-user.target
      credentials: { token: { content: s3cret } }
    secrets: [word, { source: word, target: /etc/word, uid: '33', mode: 0400 }]
    configs: [greeting]
  web:
    image: sdcompose-test/debian:bookworm
    scale: 2
    depends_on: { db: { condition: unit_active, unit: hello.service } }
  app:
    image: sdcompose-test/debian:bullseye
    depends_on: [web]
secrets: { word: { environment: WORD } }
configs: { greeting: { content: 'hello $$x' } }
";

/// Where distributions and Docker's own packages put the plugin; the bed has one for the benchmark.
fn docker_compose() -> Option<PathBuf> {
    static SAID: Once = Once::new();
    let named = std::env::var_os("SDCOMPOSE_TEST_COMPOSE").map(PathBuf::from);
    let bed = std::env::var_os("SDCOMPOSE_BED").map_or_else(|| PathBuf::from("/tmp/bed"), PathBuf::from);
    let plugins = ["/usr/libexec/docker", "/usr/lib/docker", "/usr/local/lib/docker"].map(PathBuf::from);
    let plugins = plugins.into_iter().chain([bed.join("compose/usr/libexec/docker")]);
    let found = named
        .into_iter()
        .chain(plugins.map(|plugins| plugins.join("cli-plugins/docker-compose")))
        .find(|program| program.is_file());
    if found.is_none() {
        SAID.call_once(|| {
            let text = "note: there is no Docker Compose here, so no test ran it on a converted project; \
                        SDCOMPOSE_TEST_COMPOSE names one\n";
            // The test harness keeps what the print macros write; this must be seen.
            let _ = std::io::stderr().write_all(text.as_bytes());
        });
    }
    found
}

/// Docker Compose on the converted file; what it made goes with it, however the test ends.
struct DockerCompose<'a> {
    bench: &'a Bench,
    program: PathBuf,
}

impl DockerCompose<'_> {
    fn run(&self, arguments: &[&str]) -> Ran {
        let file = ["-f", "docker.yaml", "-p", &self.bench.project];
        self.bench.run_other(&self.program.display().to_string(), &[&file[..], arguments].concat())
    }
}

impl Drop for DockerCompose<'_> {
    fn drop(&mut self) {
        self.run(&["down", "-t", "30"]);
        // Docker Compose knows nothing of these, as the converted file says.
        for cgroup in self.bench.left_in_cgroups() {
            for below in walkdir::WalkDir::new(&cgroup).contents_first(true).into_iter().flatten() {
                if below.file_type().is_dir() {
                    std::fs::remove_dir(below.path()).ok();
                }
            }
        }
    }
}

on_each_engine! {
    fn a_converted_project_is_run_alike_by_docker_compose(bench) {
        let Some(compose) = docker_compose() else { return };
        bench.manifest(THREE);
        bench.write(".env", "WORD=open-sesame\n");
        bench.ok(&["up", "-d"]);
        let machines = [bench.name("db"), bench.replica("web", 1), bench.replica("web", 2), bench.name("app")];
        let ours = machines.clone().map(|name| asked(&bench.api.inspect(&name).expect("a machine of ours")));
        let converted = bench.ok(&["convert", "--to", "compose", "-o", "docker.yaml"]);
        converted.says(&["note: db: READY=1 on systemd's notify socket cannot be awaited"]);
        let written = std::fs::read_to_string(bench.dir().join("docker.yaml")).expect("the converted file");
        assert!(!written.contains("open-sesame"), "{written}");
        bench.ok(&["down"]);

        let docker = DockerCompose { bench, program: compose };
        docker.run(&["up", "-d"]).code(0);
        let theirs = machines.clone().map(|name| asked(&bench.api.inspect(&name).expect("a machine of theirs")));
        for ((name, ours), theirs) in machines.iter().zip(ours).zip(theirs) {
            assert_eq!(differences(&ours, &theirs), Vec::<String>::new(), "{name}");
        }
        for name in &machines {
            bench.api.shell(name, "timeout 60 systemctl is-system-running --wait");
        }
        assert_eq!(bench.api.shell(&machines[0], "cat /var/hello"), "a$b \"c\" 50%");
        let credential = "/etc/sdcompose/credentials/token";
        assert_eq!(bench.api.shell(&machines[0], &format!("cat {credential}")), "s3cret");
        let both = "cat /run/secrets/word /etc/word /greeting; stat -c ' %a %u:%g' /run/secrets/word /etc/word";
        assert_eq!(
            bench.api.shell(&machines[0], both),
            "open-sesameopen-sesamehello $x 444 0:0\n 400 33:0"
        );
        assert_eq!(bench.api.shell(&machines[3], "getent hosts web | wc -l"), "2");
    }

    fn a_container_made_by_hand_becomes_a_machine_with_less_privilege(bench) {
        let name = format!("{}-by-hand", bench.project);
        bench.api.post(
            &format!("/containers/create?name={name}"),
            &json!({
                "Image": "sdcompose-test/debian:bookworm", "Cmd": ["/lib/systemd/systemd"], "Tty": true,
                "Env": ["container=docker", "SECRET=a$b"], "StopSignal": "SIGRTMIN+3",
                "HostConfig": {
                    "CapAdd": ["SYS_ADMIN"], "Tmpfs": { "/run": "", "/run/lock": "", "/tmp": "" },
                    "Binds": ["/sys/fs/cgroup:/sys/fs/cgroup:ro"], "SecurityOpt": ["seccomp=unconfined"],
                    "ShmSize": 33_554_432,
                },
            }),
        );
        let ran = bench.ok(&["import", "--container", &name, "-o", "sdcompose.yaml"]);
        ran.says(&["machine", "runs /lib/systemd/systemd", "capability SYS_ADMIN", "bind of /sys/fs/cgroup"]);
        bench.api.delete(&format!("/containers/{name}?force=true"));
        bench.ok(&["up", "-d"]);
        let made = bench.api.inspect(&name).expect("the machine that was made of it");
        assert_eq!(made["HostConfig"]["CapAdd"], Value::Null);
        assert_eq!(made["HostConfig"]["SecurityOpt"], Value::Null);
        assert_eq!(made["HostConfig"]["ShmSize"], 33_554_432);
        assert_eq!(bench.api.shell(&name, "systemctl is-system-running"), "running");
        assert_eq!(bench.api.shell(&name, "echo $SECRET"), "a$b");
        bench.ok(&["down"]);
    }
}

/// The settings that differ, a line each.
fn differences(ours: &Value, theirs: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for part in ["Config", "HostConfig"] {
        let keys = |value: &Value| {
            value[part].as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect::<Vec<_>>()
        };
        for key in keys(ours).into_iter().chain(keys(theirs)) {
            let (ours, theirs) = (&ours[part][&key], &theirs[part][&key]);
            if ours != theirs {
                found.push(format!("{part}.{key}: {ours} / {theirs}"));
            }
        }
    }
    found.dedup();
    found
}

/// What a container was made with, but for what only one of both tools adds: labels, the notify socket, health
/// checks that stand for it, and the names on networks.
fn asked(container: &Value) -> Value {
    let mut config = container["Config"].clone();
    let mut host = container["HostConfig"].clone();
    for key in ["Labels", "Healthcheck", "Image", "AttachStdout", "AttachStderr", "ExposedPorts"] {
        config.as_object_mut().expect("the settings").remove(key);
    }
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let mut environment = texts(&config["Env"]);
    environment.retain(|pair| !pair.starts_with("NOTIFY_SOCKET="));
    environment.sort();
    config["Env"] = json!(environment);
    let mut binds = texts(&host["Binds"]);
    binds.retain(|bind| !bind.contains(":/run/host/sd"));
    // The engine mounts them in the order of their paths inside.
    binds.sort();
    host["Binds"] = json!(binds);
    if host["RestartPolicy"]["Name"] == "" {
        host["RestartPolicy"]["Name"] = json!("no");
    }
    // An empty list and none are the same.
    for value in [&mut config, &mut host] {
        let all = value.as_object_mut().expect("settings");
        all.retain(|_, value| !(value.is_null() || value == &json!([]) || value == &json!({})));
    }
    json!({ "Config": config, "HostConfig": host })
}
