//! A container's specification in the words of the engine's create call. Pure.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, DeviceMapping, HealthConfig, HostConfig, HostConfigCgroupnsModeEnum, PortBinding,
    ResourcesUlimits, RestartPolicy as EngineRestart, RestartPolicyNameEnum,
};

use crate::container::{CgroupNs, ContainerSpec, NetworkSpecChoice};
use crate::project::exposed;
use crate::project::{HealthTest, Healthcheck, Port, RestartPolicy};

mod mounts;
pub(super) mod network;
pub(super) mod settings;

/// Where a machine finds the directory of its notify socket.
pub(super) const NOTIFY_TARGET: &str = "/run/host/sd";

/// The body of `POST /containers/create`.
///
/// A fixed MAC address is a key of its own beside the endpoint's up to API 1.43 (moby
/// `docs/api/version-history.md`, 1.44); both are sent, and each engine reads the one that it knows.
pub(super) fn create(spec: &ContainerSpec) -> Result<serde_json::Value, serde_json::Error> {
    let mut body = serde_json::to_value(typed(spec))?;
    let mac = match &spec.network {
        NetworkSpecChoice::Join(joins) => joins.first().and_then(|join| join.mac_address.as_ref()),
        NetworkSpecChoice::Mode(_) => spec.mac_address.as_ref(),
    };
    if let (Some(mac), Some(body)) = (mac.cloned(), body.as_object_mut()) {
        body.insert("MacAddress".to_owned(), mac.into());
    }
    Ok(body)
}

fn typed(spec: &ContainerSpec) -> ContainerCreateBody {
    let documented = spec.expose.iter().filter_map(|text| exposed::ports(text)).flatten();
    let exposed = spec.ports.iter().map(port_key).chain(documented);
    let (network_mode, networking_config) = network::choice(&spec.network);
    ContainerCreateBody {
        hostname: spec.hostname.clone(),
        domainname: spec.domainname.clone(),
        user: spec.user.clone(),
        exposed_ports: some(exposed.collect::<std::collections::BTreeSet<_>>().into_iter().collect()),
        tty: Some(spec.tty),
        open_stdin: Some(spec.stdin_open),
        env: some(spec.environment.iter().map(|(key, value)| format!("{key}={value}")).collect()),
        cmd: spec.command.clone(),
        healthcheck: spec.healthcheck.as_ref().map(healthcheck),
        image: Some(spec.image.clone()),
        working_dir: spec.working_dir.clone(),
        entrypoint: spec.entrypoint.clone(),
        labels: Some(hashed(&spec.labels)),
        stop_signal: spec.stop_signal.clone(),
        stop_timeout: Some(whole_seconds(spec.stop_grace_period)),
        host_config: Some(HostConfig { network_mode, ..host_config(spec) }),
        networking_config,
        ..ContainerCreateBody::default()
    }
}

fn host_config(spec: &ContainerSpec) -> HostConfig {
    let (binds, mounts) = mounts::of(spec);
    let links = match &spec.network {
        // Networks of the project have them with each endpoint.
        NetworkSpecChoice::Join(_) => None,
        NetworkSpecChoice::Mode(_) => some(spec.links.clone()),
    };
    let mut host = HostConfig {
        links,
        binds: some(binds),
        mounts: some(mounts),
        tmpfs: (!spec.tmpfs.is_empty()).then(|| hashed(&spec.tmpfs)),
        cgroupns_mode: spec.cgroupns.map(|namespace| match namespace {
            CgroupNs::Private => HostConfigCgroupnsModeEnum::PRIVATE,
            CgroupNs::Host => HostConfigCgroupnsModeEnum::HOST,
        }),
        cgroup_parent: spec.cgroup_parent.clone(),
        cap_add: some(spec.cap_add.clone()),
        cap_drop: some(spec.cap_drop.clone()),
        privileged: spec.privileged.then_some(true),
        devices: some(spec.devices.iter().map(device).collect()),
        sysctls: (!spec.sysctls.is_empty()).then(|| hashed(&spec.sysctls)),
        ulimits: some(
            spec.ulimits
                .iter()
                .map(|(name, limit)| ResourcesUlimits {
                    name: Some(name.clone()),
                    soft: Some(limit.soft),
                    hard: Some(limit.hard),
                })
                .collect(),
        ),
        restart_policy: Some(restart(&spec.restart)),
        port_bindings: port_bindings(&spec.ports),
        extra_hosts: some(
            spec.extra_hosts.iter().map(|(name, address)| format!("{name}:{address}")).collect(),
        ),
        dns: some(spec.dns.clone()),
        dns_search: some(spec.dns_search.clone()),
        dns_options: some(spec.dns_opt.clone()),
        readonly_rootfs: spec.read_only.then_some(true),
        shm_size: spec.shm_size.map(signed),
        init: spec.init,
        runtime: spec.runtime.clone(),
        userns_mode: spec.userns_mode.clone(),
        ..HostConfig::default()
    };
    settings::fill(&mut host, spec);
    host
}

/// A restart policy in the engine's words.
pub(super) fn restart(policy: &RestartPolicy) -> EngineRestart {
    let (name, max) = match policy {
        // Planning refuses a word that is none.
        RestartPolicy::No | RestartPolicy::Unknown(_) => (RestartPolicyNameEnum::NO, None),
        RestartPolicy::Always => (RestartPolicyNameEnum::ALWAYS, None),
        RestartPolicy::OnFailure { max } => (RestartPolicyNameEnum::ON_FAILURE, Some(i64::from(*max))),
        RestartPolicy::UnlessStopped => (RestartPolicyNameEnum::UNLESS_STOPPED, None),
    };
    EngineRestart { name: Some(name), maximum_retry_count: max }
}

fn healthcheck(check: &Healthcheck) -> HealthConfig {
    let Healthcheck { test, interval, timeout, retries, start_period, start_interval } = check;
    let test = match test {
        HealthTest::Disabled => Some(vec!["NONE".to_owned()]),
        HealthTest::Inherit => None,
        HealthTest::Command(command) => {
            Some(std::iter::once("CMD".to_owned()).chain(command.iter().cloned()).collect())
        }
        HealthTest::Shell(line) => Some(vec!["CMD-SHELL".to_owned(), line.clone()]),
    };
    HealthConfig {
        test,
        interval: interval.map(nanoseconds),
        timeout: timeout.map(nanoseconds),
        retries: retries.map(i64::from),
        start_period: start_period.map(nanoseconds),
        start_interval: start_interval.map(nanoseconds),
    }
}

fn device(device: &crate::project::Device) -> DeviceMapping {
    DeviceMapping {
        path_on_host: Some(device.source.clone()),
        path_in_container: Some(device.target.clone()),
        cgroup_permissions: Some(device.permissions.clone()),
    }
}

fn port_key(port: &Port) -> String {
    format!("{}/{}", port.target, port.protocol)
}

fn port_bindings(ports: &[Port]) -> Option<HashMap<String, Option<Vec<PortBinding>>>> {
    let mut bindings: HashMap<String, Option<Vec<PortBinding>>> = HashMap::new();
    for port in ports {
        let binding = PortBinding {
            host_ip: port.host_ip.map(|ip| ip.to_string()),
            host_port: port.published.map(|published| {
                if published.first == published.last {
                    published.first.to_string()
                } else {
                    format!("{}-{}", published.first, published.last)
                }
            }),
        };
        bindings.entry(port_key(port)).or_default().get_or_insert_default().push(binding);
    }
    (!bindings.is_empty()).then_some(bindings)
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn hashed(map: &BTreeMap<String, String>) -> HashMap<String, String> {
    map.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The engine counts in signed numbers; what is beyond them is no bound in practice.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

/// The engine counts a grace in whole seconds; a part of one is given whole.
pub(super) fn whole_seconds(time: Duration) -> i64 {
    signed(time.as_secs() + u64::from(time.subsec_nanos() > 0))
}

#[cfg(test)]
mod converted;
#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::container::{MountSpec, MountSpecSource};
    use crate::project::{Limits, Protocol, PublishedPort, Ulimit};

    /// A specification that decides nothing beyond image and name.
    pub(in crate::engine::docker) fn plain() -> ContainerSpec {
        ContainerSpec::bare("shop-db-1", "db", "debian:13")
    }

    fn text(spec: &ContainerSpec) -> String {
        serde_json::to_string_pretty(&create(spec).unwrap()).unwrap()
    }

    #[test]
    fn what_nobody_decided_is_left_to_the_image_and_the_engine() {
        assert_eq!(
            text(&plain()),
            r#"{
  "HostConfig": {
    "NetworkMode": "none",
    "RestartPolicy": {
      "Name": "no"
    }
  },
  "Image": "debian:13",
  "Labels": {},
  "OpenStdin": false,
  "StopTimeout": 10,
  "Tty": false
}"#
        );
    }

    #[test]
    fn a_machine_gets_its_cgroup_its_tmpfs_and_its_notify_socket() {
        let spec = ContainerSpec {
            entrypoint: Some(vec!["/lib/systemd/systemd".into()]),
            command: Some(vec!["systemd.mask=x.service".into()]),
            environment: BTreeMap::from([("container".into(), "docker".into())]),
            tty: true,
            init: Some(false),
            stop_signal: Some("SIGRTMIN+3".into()),
            stop_grace_period: Duration::from_millis(90_500),
            tmpfs: BTreeMap::from([("/run".into(), "exec,mode=755".into())]),
            cgroupns: Some(CgroupNs::Host),
            cgroup_parent: Some("/sdc/x".into()),
            mounts: vec![MountSpec {
                target: "/sys/fs/cgroup/sdc/x".into(),
                source: MountSpecSource::Bind {
                    path: "/sys/fs/cgroup/sdc/x".into(),
                    create: true,
                    propagation: None,
                    selinux: None,
                    recursive: None,
                },
                read_only: false,
            }],
            notify_dir: Some("/state/notify/01".into()),
            ..plain()
        };
        let body = typed(&spec);
        let host = body.host_config.unwrap();
        assert_eq!(
            host.binds.unwrap(),
            ["/state/notify/01:/run/host/sd:ro", "/sys/fs/cgroup/sdc/x:/sys/fs/cgroup/sdc/x:rw"]
        );
        assert_eq!(host.cgroupns_mode, Some(HostConfigCgroupnsModeEnum::HOST));
        assert_eq!(host.cgroup_parent.as_deref(), Some("/sdc/x"));
        assert_eq!(host.init, Some(false));
        assert_eq!(host.tmpfs.unwrap()["/run"], "exec,mode=755");
        assert_eq!((body.stop_timeout, body.tty), (Some(91), Some(true)));
        assert_eq!(body.env.unwrap(), ["container=docker"]);
    }

    #[test]
    fn ports_are_bound_and_exposed() {
        let port = |target, published, host_ip: Option<&str>, protocol| Port {
            published,
            host_ip: host_ip.map(|ip| ip.parse().unwrap()),
            ..Port::any(target, protocol)
        };
        let spec = ContainerSpec {
            ports: vec![
                port(80, Some(PublishedPort { first: 8080, last: 8080 }), Some("127.0.0.1"), Protocol::Tcp),
                port(80, Some(PublishedPort { first: 9000, last: 9002 }), None, Protocol::Tcp),
                port(53, None, None, Protocol::Udp),
            ],
            expose: vec!["443".into(), "80/tcp".into()],
            ..plain()
        };
        let body = typed(&spec);
        assert_eq!(body.exposed_ports.unwrap(), ["443/tcp", "53/udp", "80/tcp"]);
        let bindings: BTreeMap<_, _> = body.host_config.unwrap().port_bindings.unwrap().into_iter().collect();
        assert_eq!(
            serde_json::to_string(&bindings).unwrap(),
            r#"{"53/udp":[{}],"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"8080"},{"HostPort":"9000-9002"}]}"#
        );
    }

    #[test]
    fn limits_checks_and_policies_are_in_the_engines_units() {
        let spec = ContainerSpec {
            limits: Limits {
                memory: Some(1 << 30),
                memory_reservation: None,
                nano_cpus: Some(1_500_000_000),
                pids: Some(-1),
                ..Limits::default()
            },
            ulimits: BTreeMap::from([("nofile".into(), Ulimit { soft: 1024, hard: -1 })]),
            restart: RestartPolicy::OnFailure { max: 3 },
            healthcheck: Some(Healthcheck {
                test: HealthTest::Shell("true".into()),
                interval: Some(Duration::from_secs(2)),
                timeout: None,
                retries: Some(5),
                start_period: None,
                start_interval: None,
            }),
            ..plain()
        };
        let body = create(&spec).unwrap();
        let host = &body["HostConfig"];
        assert_eq!((&host["Memory"], &host["NanoCpus"]), (&(1 << 30).into(), &1_500_000_000_i64.into()));
        assert_eq!(host["PidsLimit"], -1);
        assert_eq!(host["Ulimits"].to_string(), r#"[{"Hard":-1,"Name":"nofile","Soft":1024}]"#);
        assert_eq!(host["RestartPolicy"].to_string(), r#"{"MaximumRetryCount":3,"Name":"on-failure"}"#);
        assert_eq!(
            body["Healthcheck"].to_string(),
            r#"{"Interval":2000000000,"Retries":5,"Test":["CMD-SHELL","true"]}"#
        );
    }
}
