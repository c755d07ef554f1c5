//! The part of the create call that a container's settings make: limits, devices, namespaces, links.

use bollard::models::{
    ContainerUpdateBody, DeviceRequest as EngineRequest, HostConfig, HostConfigLogConfig,
    ResourcesBlkioWeightDevice, ThrottleDevice,
};

use crate::container::{ContainerSpec, NamespaceSpec};
use crate::project::{Blkio, DeviceRate, DeviceRequest, Limits, Logging, Processor};

use super::{hashed, signed, some};

/// Opens what an engine hides of /proc and /sys. It is a word of the command line of Docker, not of the API
/// (docker/cli `cli/command/container/opts.go`, `parseSystemPaths`).
const OPEN_PATHS: &str = "systempaths=unconfined";

/// Fills a container's settings in.
pub(super) fn fill(host: &mut HostConfig, spec: &ContainerSpec) {
    limits(host, &spec.limits);
    security(host, &spec.security_opt);
    let NamespaceSpec { ipc, pid, uts } = &spec.namespaces;
    host.ipc_mode.clone_from(ipc);
    host.pid_mode.clone_from(pid);
    host.uts_mode.clone_from(uts);
    host.device_requests = some(spec.device_requests.iter().map(request).collect());
    host.device_cgroup_rules = some(spec.device_cgroup_rules.clone());
    host.volumes_from = some(spec.volumes_from.clone());
    host.group_add = some(spec.group_add.clone());
    host.log_config = spec.logging.as_ref().map(|Logging { driver, options }| HostConfigLogConfig {
        // Options alone are of the engine's default driver.
        typ: Some(driver.clone().unwrap_or_default()),
        config: Some(hashed(options)),
    });
    host.storage_opt = (!spec.storage_opt.is_empty()).then(|| hashed(&spec.storage_opt));
    host.annotations = (!spec.annotations.is_empty()).then(|| hashed(&spec.annotations));
}

fn security(host: &mut HostConfig, options: &[String]) {
    let (open, options): (Vec<&String>, Vec<&String>) =
        options.iter().partition(|option| *option == OPEN_PATHS);
    host.security_opt = some(options.into_iter().cloned().collect());
    if !open.is_empty() {
        host.masked_paths = Some(Vec::new());
        host.readonly_paths = Some(Vec::new());
    }
}

/// The body of the update call for limits. What is not given is left as it is.
pub(in crate::engine::docker) fn update(limits: &Limits) -> ContainerUpdateBody {
    let Limits {
        memory,
        memory_reservation,
        memory_swap,
        nano_cpus,
        cpu,
        pids,
        // The call cannot change these.
        swappiness: _,
        oom_kill_disable: _,
        oom_score_adj: _,
        blkio: _,
        parent: _,
    } = limits;
    let Processor { period, quota, rt_period, rt_runtime, shares, set } = cpu;
    ContainerUpdateBody {
        memory: memory.map(signed),
        memory_reservation: memory_reservation.map(signed),
        // Memory may not exceed memory and swap together. Where the manifest says nothing of swap, the engine
        // makes it twice the memory when it makes a container (moby `daemon/daemon_unix.go`,
        // `adaptContainerSettings`), and leaves it alone in an update.
        memory_swap: memory_swap.or(memory.map(|bytes| signed(bytes.saturating_mul(2)))),
        nano_cpus: nano_cpus.map(signed),
        cpu_period: *period,
        cpu_quota: *quota,
        cpu_realtime_period: *rt_period,
        cpu_realtime_runtime: *rt_runtime,
        cpu_shares: *shares,
        cpuset_cpus: set.clone(),
        pids_limit: *pids,
        ..ContainerUpdateBody::default()
    }
}

fn limits(host: &mut HostConfig, limits: &Limits) {
    let Limits {
        memory,
        memory_reservation,
        memory_swap,
        swappiness,
        oom_kill_disable,
        oom_score_adj,
        nano_cpus,
        cpu,
        pids,
        blkio,
        // The container's specification has it, since a machine's cgroup hangs elsewhere.
        parent: _,
    } = limits;
    host.memory = memory.map(signed);
    host.memory_reservation = memory_reservation.map(signed);
    host.memory_swap = *memory_swap;
    host.memory_swappiness = *swappiness;
    host.oom_kill_disable = oom_kill_disable.then_some(true);
    host.oom_score_adj = *oom_score_adj;
    host.nano_cpus = nano_cpus.map(signed);
    host.pids_limit = *pids;
    let Processor { period, quota, rt_period, rt_runtime, shares, set } = cpu;
    host.cpu_period = *period;
    host.cpu_quota = *quota;
    host.cpu_realtime_period = *rt_period;
    host.cpu_realtime_runtime = *rt_runtime;
    host.cpu_shares = *shares;
    host.cpuset_cpus.clone_from(set);
    if let Some(Blkio { weight, weight_device, read_bps, read_iops, write_bps, write_iops }) = blkio {
        host.blkio_weight = *weight;
        host.blkio_weight_device = some(
            weight_device
                .iter()
                .map(|device| ResourcesBlkioWeightDevice {
                    path: Some(device.path.clone()),
                    weight: Some(usize::from(device.weight)),
                })
                .collect(),
        );
        host.blkio_device_read_bps = rates(read_bps);
        host.blkio_device_read_iops = rates(read_iops);
        host.blkio_device_write_bps = rates(write_bps);
        host.blkio_device_write_iops = rates(write_iops);
    }
}

fn rates(rates: &[DeviceRate]) -> Option<Vec<ThrottleDevice>> {
    let one = |DeviceRate { path, rate }: &DeviceRate| ThrottleDevice {
        path: Some(path.clone()),
        rate: Some(signed(*rate)),
    };
    some(rates.iter().map(one).collect())
}

fn request(request: &DeviceRequest) -> EngineRequest {
    let DeviceRequest { driver, count, ids, capabilities, options } = request;
    EngineRequest {
        driver: driver.clone(),
        count: *count,
        device_ids: some(ids.clone()),
        // A list of alternatives, of which each is a list of what all is needed.
        capabilities: (!capabilities.is_empty()).then(|| vec![capabilities.clone()]),
        options: (!options.is_empty()).then(|| hashed(options)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::super::create;
    use super::super::tests::plain;
    use super::*;
    use crate::project::DeviceWeight;

    fn host(spec: &ContainerSpec) -> Value {
        create(spec).unwrap()["HostConfig"].take()
    }

    /// The keys of the create call that differ from those of a bare container.
    fn more(spec: &ContainerSpec) -> Value {
        let bare = host(&plain());
        let mut host = host(spec);
        host.as_object_mut().unwrap().retain(|key, value| bare.get(key) != Some(value));
        host
    }

    #[test]
    fn limits_are_said_in_the_engines_words() {
        let rate = |rate| vec![DeviceRate { path: "/dev/sda".into(), rate }];
        let spec = ContainerSpec {
            limits: Limits {
                memory_swap: Some(-1),
                swappiness: Some(10),
                oom_kill_disable: true,
                oom_score_adj: Some(-500),
                cpu: Processor {
                    period: Some(100_000),
                    quota: Some(50_000),
                    rt_period: Some(1_000_000),
                    rt_runtime: Some(950_000),
                    shares: Some(512),
                    set: Some("0-1".into()),
                },
                blkio: Some(Blkio {
                    weight: Some(300),
                    weight_device: vec![DeviceWeight { path: "/dev/sda".into(), weight: 400 }],
                    read_bps: rate(1),
                    read_iops: rate(2),
                    write_bps: rate(3),
                    write_iops: rate(4),
                }),
                ..Limits::default()
            },
            ..plain()
        };
        assert_eq!(
            more(&spec),
            json!({
                "MemorySwap": -1,
                "MemorySwappiness": 10,
                "OomKillDisable": true,
                "OomScoreAdj": -500,
                "CpuPeriod": 100_000,
                "CpuQuota": 50_000,
                "CpuRealtimePeriod": 1_000_000,
                "CpuRealtimeRuntime": 950_000,
                "CpuShares": 512,
                "CpusetCpus": "0-1",
                "BlkioWeight": 300,
                "BlkioWeightDevice": [{ "Path": "/dev/sda", "Weight": 400 }],
                "BlkioDeviceReadBps": [{ "Path": "/dev/sda", "Rate": 1 }],
                "BlkioDeviceReadIOps": [{ "Path": "/dev/sda", "Rate": 2 }],
                "BlkioDeviceWriteBps": [{ "Path": "/dev/sda", "Rate": 3 }],
                "BlkioDeviceWriteIOps": [{ "Path": "/dev/sda", "Rate": 4 }],
            })
        );
    }

    #[test]
    fn namespaces_links_and_mounts_of_others_are_by_container() {
        let spec = ContainerSpec {
            namespaces: NamespaceSpec {
                ipc: Some("container:shop-db-1".into()),
                pid: Some("host".into()),
                uts: Some("host".into()),
            },
            volumes_from: vec!["shop-db-1:ro".into()],
            links: vec!["shop-db-1:sql".into()],
            network: crate::container::NetworkSpecChoice::Mode("bridge".into()),
            ..plain()
        };
        assert_eq!(
            more(&spec),
            json!({
                "IpcMode": "container:shop-db-1",
                "PidMode": "host",
                "UTSMode": "host",
                "VolumesFrom": ["shop-db-1:ro"],
                "Links": ["shop-db-1:sql"],
                "NetworkMode": "bridge",
            })
        );
    }

    #[test]
    fn options_and_devices_are_handed_on() {
        let spec = ContainerSpec {
            logging: Some(Logging {
                driver: Some("json-file".into()),
                options: BTreeMap::from([("max-size".into(), "10m".into())]),
            }),
            storage_opt: BTreeMap::from([("size".into(), "1G".into())]),
            annotations: BTreeMap::from([("a".into(), "b".into())]),
            group_add: vec!["mail".into()],
            device_cgroup_rules: vec!["c 1:3 rwm".into()],
            device_requests: vec![DeviceRequest {
                driver: None,
                count: Some(-1),
                ids: Vec::new(),
                capabilities: vec!["gpu".into()],
                options: BTreeMap::new(),
            }],
            ..plain()
        };
        assert_eq!(
            more(&spec),
            json!({
                "LogConfig": { "Type": "json-file", "Config": { "max-size": "10m" } },
                "StorageOpt": { "size": "1G" },
                "Annotations": { "a": "b" },
                "GroupAdd": ["mail"],
                "DeviceCgroupRules": ["c 1:3 rwm"],
                "DeviceRequests": [{ "Count": -1, "Capabilities": [["gpu"]] }],
            })
        );
    }

    #[test]
    fn open_system_paths_are_a_word_of_the_command_line_only() {
        let spec = ContainerSpec {
            security_opt: vec!["systempaths=unconfined".into(), "label=disable".into()],
            ..plain()
        };
        assert_eq!(
            more(&spec),
            json!({ "SecurityOpt": ["label=disable"], "MaskedPaths": [], "ReadonlyPaths": [] })
        );
    }
}
