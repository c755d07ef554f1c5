use serde_json::json;

use super::*;
use crate::import::compose as reader;

fn image() -> Json {
    json!({ "Config": {
        "Env": ["PATH=/usr/bin"], "Cmd": ["/sbin/init"], "Entrypoint": null, "User": "", "WorkingDir": "",
        "StopSignal": "SIGRTMIN+3", "Labels": { "maintainer": "x" },
    }})
}

/// As Docker 20.10 answers for a container that boots systemd by the widely copied recipe.
fn container() -> Json {
    json!({
        "Id": "4f1e5a6b7c8d", "Name": "/vm",
        "Config": {
            "Image": "example/debian:12", "Hostname": "4f1e5a6b7c8d", "Domainname": "", "User": "",
            "Tty": true, "OpenStdin": false, "Env": ["PASSWORD=a$b", "container=docker", "PATH=/usr/bin"],
            "Cmd": ["/sbin/init"], "Entrypoint": null, "WorkingDir": "", "StopSignal": "SIGRTMIN+3",
            "Labels": { "maintainer": "x", "role": "web", "com.docker.compose.version": "2" },
            "Healthcheck": { "Test": ["CMD", "true"], "Interval": 5_000_000_000_i64, "Retries": 2 },
        },
        "HostConfig": {
            "PortBindings": {
                "80/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "8080" }],
                "53/udp": [{ "HostIp": "", "HostPort": "53" }],
            },
            "RestartPolicy": { "Name": "on-failure", "MaximumRetryCount": 3 },
            "NetworkMode": "back", "Privileged": true, "CapAdd": ["SYS_ADMIN", "NET_ADMIN"], "CapDrop": null,
            "SecurityOpt": ["label=disable"], "CgroupnsMode": "host", "Memory": 1_073_741_824_i64,
            "NanoCpus": 1_500_000_000_i64, "PidsLimit": null, "ShmSize": 67_108_864, "Runtime": "runc",
            "Ulimits": [{ "Name": "nofile", "Soft": 1024, "Hard": 2048 }],
            "Tmpfs": { "/run": "", "/cache": "size=1m" }, "Devices": [], "ReadonlyRootfs": false,
        },
        "Mounts": [
            { "Type": "bind", "Source": "/sys/fs/cgroup", "Destination": "/sys/fs/cgroup", "RW": true },
            { "Type": "bind", "Source": "/srv/site", "Destination": "/site", "RW": false },
            { "Type": "volume", "Name": "data", "Destination": "/var/lib/x", "RW": true },
            { "Type": "volume", "Name": "0123456789012345678901234567890123456789012345678901234567890123",
              "Destination": "/var/lib/y", "RW": true },
        ],
        "NetworkSettings": { "Networks": { "back": {
            "Aliases": ["4f1e5a6b7c8d", "www"], "IPAMConfig": { "IPv4Address": "10.0.0.9" } } } },
    })
}

fn composed() -> Composed {
    compose(&[Inspected { container: container(), image: image() }])
}

#[test]
fn a_container_becomes_a_compose_file() {
    let Composed { text, left_out, machines: _ } = composed();
    insta::assert_snapshot!(text);
    assert_eq!(
        left_out,
        [
            "the name `vm` is taken by the container itself: remove it before `up`, or give another `container_name`",
            "what vm keeps at /var/lib/y is in a volume without a name, which stays behind: copy it with \
          `docker cp vm:/var/lib/y .`"
        ]
    );
}

#[test]
fn the_compose_file_of_a_container_becomes_a_manifest() {
    let imported = reader::import("the container", composed().text.as_bytes(), &[]).unwrap();
    let project = crate::project::resolve::tests::tree::project(&imported.text);
    let service = &project.services[0];
    assert!(service.machine.is_some() && !service.privileged);
    // Doubled, since the manifest is interpolated when it is loaded.
    assert_eq!(service.environment["PASSWORD"], "a$$b");
    assert_eq!(service.environment.len(), 1);
    assert_eq!(service.cap_add, ["NET_ADMIN"]);
    assert_eq!(service.mounts.len(), 4, "{}", imported.text);
}

#[test]
fn a_container_of_docker_compose_keeps_its_services_name() {
    let mut container = container();
    container["Config"]["Labels"] =
        json!({ "com.docker.compose.service": "web", "com.docker.compose.project": "shop" });
    container["NetworkSettings"]["Networks"] = json!({ "shop_default": { "Aliases": ["web"] } });
    let both = [
        Inspected { container: container.clone(), image: Json::Null },
        Inspected { container, image: Json::Null },
    ];
    let text = compose(&both).text;
    assert!(text.starts_with("services:\n  web:\n    image: example/debian:12\n    command:"), "{text}");
    assert!(text.contains("\n  web-1:\n"), "{text}");
    assert!(!text.contains("networks:"), "{text}");
}

#[test]
fn a_file_that_docker_compose_bound_as_a_secret_stays_one() {
    let mut container = container();
    container["Config"]["Labels"] = json!({ "com.docker.compose.service": "web" });
    let bind = |source: &str, target: &str| json!({ "Type": "bind", "Source": source, "Destination": target, "RW": false });
    let asked = |target: &str| json!({ "Type": "bind", "Target": target, "ReadOnly": true });
    container["Mounts"] = json!([
        bind("/srv/pw", "/run/secrets/pw"),
        bind("/srv/other", "/run/secrets/a/b"),
        bind("/srv/own", "/run/secrets/own"),
    ]);
    container["HostConfig"]["Mounts"] = json!([asked("/run/secrets/pw"), asked("/run/secrets/a/b")]);
    let text = compose(&[Inspected { container: container.clone(), image: image() }]).text;
    assert!(text.contains("    secrets:\n      - pw\n"), "{text}");
    assert!(text.contains("\nsecrets:\n  pw:\n    file: /srv/pw\n"), "{text}");
    assert!(text.contains("- /srv/own:/run/secrets/own:ro\n") && text.contains("/srv/other:"), "{text}");
    container["Config"]["Labels"] = json!({});
    let text = compose(&[Inspected { container, image: image() }]).text;
    assert!(!text.contains("secrets:\n") && text.contains("/srv/pw:/run/secrets/pw:ro"), "{text}");
}
