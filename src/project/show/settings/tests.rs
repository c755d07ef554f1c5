use crate::manifest::Dialect;
use crate::project::resolve::tests::tree::{Given, manifest, resolved};
use crate::project::show::show;

use super::*;

/// What `config` prints of the service `a` with these keys in a compose file, without what a bare one has.
pub(in crate::project::show) fn shown(keys: &str) -> String {
    let text =
        format!("services:\n  a: {{image: x, {keys}}}\n  b: {{image: y}}\nmodels: {{m: {{model: ai/x}}}}\n");
    let mut manifest = manifest(&text);
    manifest.dialect = Dialect::Compose;
    let files = Given([("/srv/p/l.env".into(), b"A=1\nB=\"two words\"\nC=$A-x\n".to_vec())].into());
    let (project, said) = resolved(manifest.clone(), &files);
    let project = project.unwrap_or_else(|| panic!("{said}"));
    let mut shown = serde_json::to_value(show(&project, &manifest, &[])).unwrap();
    let mut service = shown["services"]["a"].take();
    let entries = service.as_object_mut().unwrap();
    entries.retain(|key, _| !matches!(key.as_str(), "image" | "command" | "entrypoint" | "networks"));
    service.to_string()
}

/// Each as Docker Compose 2.40 prints it.
#[test]
fn settings_are_printed_as_compose_prints_them() {
    for (keys, wanted) in [
        ("annotations: [a=b, c]", r#"{"annotations":{"a":"b","c":""}}"#),
        ("attach: true", r#"{"attach":true}"#),
        ("attach: 'false'", r#"{"attach":false}"#),
        ("blkio_config: {weight: 300}", r#"{"blkio_config":{"weight":300}}"#),
        ("cgroup: host, cgroup_parent: m", r#"{"cgroup":"host","cgroup_parent":"m"}"#),
        ("cpu_count: '2', cpu_percent: 50", r#"{"cpu_count":2,"cpu_percent":50}"#),
        ("cpu_period: 5.5, cpu_quota: -1", r#"{"cpu_period":5,"cpu_quota":-1}"#),
        ("cpu_shares: '73', cpuset: '0,1'", r#"{"cpu_shares":73,"cpuset":"0,1"}"#),
        ("credential_spec: {file: a}", r#"{"credential_spec":{"file":"a"}}"#),
        ("device_cgroup_rules: ['c 1:3 mr']", r#"{"device_cgroup_rules":["c 1:3 mr"]}"#),
        ("external_links: ['a:b:c', x]", r#"{"external_links":["a:b:c","x"]}"#),
        ("gpus: all", r#"{"gpus":[{"count":-1}]}"#),
        ("gpus: [{}, {count: '3'}]", r#"{"gpus":[{"count":-1},{"count":3}]}"#),
        (
            "gpus: [{device_ids: [a], options: [k=v]}]",
            r#"{"gpus":[{"device_ids":["a"],"options":{"k":"v"}}]}"#,
        ),
        ("group_add: [mail, 5]", r#"{"group_add":["mail","5"]}"#),
        ("ipc: shareable, pid: , uts: host", r#"{"ipc":"shareable","uts":"host"}"#),
        ("isolation: hyperv", r#"{"isolation":"hyperv"}"#),
        (
            "logging: {options: {a: , b: 1.50, c: 010}}",
            r#"{"logging":{"options":{"a":"","b":"1.5","c":"8"}}}"#,
        ),
        ("mac_address: zz", r#"{"mac_address":"zz"}"#),
        ("mem_swappiness: 10, memswap_limit: -1", r#"{"mem_swappiness":"10","memswap_limit":"-1"}"#),
        ("models: [m]", r#"{"models":{"m":null}}"#),
        ("oom_kill_disable: true, oom_score_adj: '400'", r#"{"oom_kill_disable":true,"oom_score_adj":400}"#),
        ("platform: q", r#"{"platform":"q"}"#),
        ("pull_policy: if_not_present", r#"{"pull_policy":"missing"}"#),
        ("pull_policy: every_1w2d", r#"{"pull_policy":"every_1w2d"}"#),
        ("pull_policy: refresh, pull_refresh_after: 1h", r#"{"pull_policy":"refresh"}"#),
        ("storage_opt: {size: 10}", r#"{"storage_opt":{"size":"10"}}"#),
        ("use_api_socket: true", r#"{"use_api_socket":true}"#),
        ("label_file: l.env, labels: {A: 9}", r#"{"labels":{"A":"9","B":"two words","C":"1-x"}}"#),
        ("expose: [80, '1-2/udp']", r#"{"expose":["80","1-2/udp"]}"#),
        ("ulimits: {core: 0, foo: 1}", r#"{"ulimits":{"core":{},"foo":1}}"#),
        ("cpus: 0, mem_limit: 0, cpu_shares: 0, oom_score_adj: 0", "{}"),
    ] {
        let same = |text: &str| serde_json::from_str::<Json>(text).unwrap();
        let found = shown(keys);
        assert_eq!(same(&found), same(wanted), "{keys}");
    }
}

#[test]
fn shared_namespaces_links_and_volumes_are_dependencies() {
    let of = |keys: &str| {
        let service: Json = serde_json::from_str(&shown(keys)).unwrap();
        service["depends_on"]["b"].to_string()
    };
    let restarts = r#"{"condition":"service_started","required":true,"restart":true}"#;
    let follows = r#"{"condition":"service_started","required":true}"#;
    for keys in ["links: ['b:c']", "pid: 'service:b'", "ipc: 'service:b'", "network_mode: 'service:b'"] {
        assert_eq!(of(keys), restarts, "{keys}");
    }
    assert_eq!(of("volumes_from: ['b:ro']"), follows);
    assert_eq!(of("volumes_from: [b], links: [b]"), restarts);
    assert_eq!(of("links: [b], depends_on: [b]"), follows);
}

#[test]
fn reserved_devices_stay_below_deploy() {
    assert_eq!(
        shown("deploy: {resources: {reservations: {devices: [{capabilities: [gpu], count: all}]}}}"),
        r#"{"deploy":{"resources":{"reservations":{"devices":[{"capabilities":["gpu"],"count":-1}]}}}}"#
    );
}
