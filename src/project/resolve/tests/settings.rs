//! What is said about settings of a container. Docker Compose 2.40 rejects what is an error here, but for what
//! only machines refuse.

use super::tree::said;

/// What is said about a plain service with these keys.
fn plain(keys: &str) -> String {
    said(&format!(
        "services:\n  b: {{image: y, systemd: false}}\n  a: {{image: x, systemd: false, {keys}}}\n"
    ))
}

/// The same of a machine.
fn machine(keys: &str) -> String {
    said(&format!("services:\n  a: {{image: x, {keys}}}\n"))
}

#[test]
fn what_compose_rejects_is_an_error_at_its_place() {
    for (keys, wanted) in [
        ("links: b", "3:40 `links` must be a list, found text"),
        ("volumes_from: [b, b]", r#"3:51 `volumes_from` has "b" twice; take one of them away"#),
        ("security_opt: [label=x, label=x]", "3:57 `security_opt` has one option twice"),
        ("device_cgroup_rules: [a, a]", "3:58 `device_cgroup_rules` has \"a\" twice; take one of them away"),
        ("group_add: [5, 5]", r#"3:48 `group_add` has "5" twice"#),
        ("ipc: ", "3:36 `ipc` must be text, found nothing"),
        ("uts: 5", "3:38 `uts` must be text, found a number; put it in quotes: \"5\""),
        ("cgroup: foo", r#"3:41 `cgroup` cannot be "foo"; there are `private` and `host`"#),
        ("cpu_count: -1", "3:44 `cpu_count` must be between 0 and 9223372036854775807, found -1"),
        ("cpu_percent: 12.5", "3:46 `cpu_percent` must be a whole number, found 12.5"),
        ("oom_score_adj: 2000", "3:48 `oom_score_adj` must be between -1000 and 1000, found 2000"),
        ("gpus: none", "3:39 `gpus` must be `all` or a list of mappings, found text"),
        (
            "gpus: [{count: 2, device_ids: [a]}]",
            "3:41 `count` and `device_ids` cannot both be given [3:51 the other one]",
        ),
        (
            "deploy: {resources: {reservations: {devices: [{}]}}}",
            "3:79 `deploy.resources.reservations.devices` needs `capabilities`; [gpu], for graphics processors",
        ),
        (
            "logging: {options: {a: true}}",
            "3:56 `logging.options.a` must be text or a number; put it in quotes",
        ),
        ("label_file: zz", "3:45 `label_file`: cannot read /srv/p/zz: not found"),
        ("provider: {}", "3:43 `provider` needs a `type`; the name of the tool"),
        (
            "models: [m]",
            "3:41 obstacle: `models` need Docker's model runner, which is not called; run the model in a service of its own, and give its address by `environment`\n3:42 the model `m` is not declared; declare it at the top: models: { m: { model: NAME } }",
        ),
        ("blkio_config: {weight: -1}", "3:56 `weight` must be between 0 and 65535, found -1"),
        ("links: [a]", "3:33 `a` depends on itself; take this entry away"),
    ] {
        assert_eq!(plain(keys), wanted, "{keys}");
    }
    assert!(plain("pull_policy: foo").starts_with("3:46 `foo` is no pull policy; there are"));
    assert!(plain("pid: 'service:zz'").starts_with("3:33 `a` depends on `zz`, which is no service"));
}

#[test]
fn cycles_through_any_key_are_shown_with_its_place() {
    assert_eq!(
        said(
            "services:\n  a: {image: x, systemd: false, volumes_from: [b]}\n  b: {image: x, systemd: false, ipc: 'service:a'}\n"
        ),
        "2:33 services wait for each other: a → b → a [`a` waits for `b`] [3:33 `b` waits for `a`]; take one of these dependencies away"
    );
}

#[test]
fn a_machine_keeps_what_its_systemd_needs() {
    for (keys, wanted) in [
        ("pid: host", "`pid: host` cannot be given to a machine: its systemd must be PID 1"),
        ("uts: host", "`uts: host` cannot be given to a machine: its systemd would set the host's name"),
        ("cgroup: host", "`cgroup: host` cannot be given to a machine"),
        ("cgroup_parent: a.slice", "`cgroup_parent` cannot be given to a machine"),
        ("cgroup: private", "warning: `cgroup` changes nothing on a machine"),
        ("ipc: host", "warning: `ipc: host` gives the machine all shared memory of the host"),
        (
            "device_cgroup_rules: ['a *:* rwm']",
            "warning: the rule \"a *:* rwm\" gives the machine every disk",
        ),
        ("use_api_socket: true", "warning: `use_api_socket` gives the machine the whole host"),
        ("security_opt: ['systempaths=unconfined']", "warning: `systempaths=unconfined` gives the machine"),
    ] {
        let said = machine(keys);
        assert!(said.split_once(' ').is_some_and(|(_, rest)| rest.starts_with(wanted)), "{keys}: {said}");
    }
    assert_eq!(machine("pid: , ipc: shareable, device_cgroup_rules: ['c 10:200 rwm']"), "");
}

#[test]
fn what_compose_takes_without_a_meaning_is_a_warning() {
    let text = "pull_policy: xdailyy";
    assert!(plain(text).contains("warning: `xdailyy` is no pull policy, and taken for `missing`"));
    let text = "pull_policy: refresh";
    assert!(plain(text).contains("warning: `pull_policy: refresh` does not say how often"));
}

#[test]
fn what_compose_loads_and_no_engine_makes_stands_in_the_way() {
    for (keys, wanted) in [
        ("ulimits: {foo: 1}", "`foo` is no resource limit"),
        ("restart: sometimes", "`sometimes` is no restart policy"),
        ("deploy: {restart_policy: {condition: never}}", "`never` is no condition for restarts"),
        ("security_opt: ['seccomp=zz.json']", "`security_opt`: cannot read /srv/p/zz.json: not found"),
        ("security_opt: [foo]", "\"foo\" is no option of `security_opt`"),
        ("expose: [x]", "`expose`: `x` is no port"),
        ("isolation: hyperv", "`isolation: hyperv` is for Windows"),
        ("provider: {type: aws}", "no provider such as `aws` is called"),
        ("uts: host, hostname: h", "with `uts: host` a container has the host's name"),
        ("network_mode: 'service:b', links: [b]", "`links` needs a network of the container's own"),
        (
            "network_mode: host, external_links: [q]",
            "`external_links` needs a network of the container's own",
        ),
        ("mac_address: zz", "`mac_address`: `zz` is no MAC address"),
        (
            "mac_address: '02:42:ac:11:65:43', network_mode: 'service:b'",
            "a container in another one's network has no MAC address of its own",
        ),
        (
            "mac_address: '02:42:ac:11:65:43', networks: {default: {mac_address: '02:42:ac:11:65:44'}}",
            "`mac_address` is 02:42:ac:11:65:43, and 02:42:ac:11:65:44 on the network `default`",
        ),
    ] {
        let said = plain(keys);
        let rest = said.split_once(' ').map_or("", |(_, rest)| rest);
        assert!(rest.starts_with(&format!("obstacle: {wanted}")), "{keys}: {said}");
    }
    for keys in [
        "isolation: default",
        "security_opt: [no-new-privileges, 'label:disable', 'seccomp:unconfined']",
        "mac_address: '02:42:ac:11:65:43'",
        "expose: [80, '1-2/udp']",
        "uts: host",
    ] {
        assert_eq!(plain(keys), "", "{keys}");
    }
}
