//! The part of a fingerprint that the container's settings make, beside its process, mounts and networks. None
//! of them leaves a trace where the manifest says nothing.

use crate::project::{
    Blkio, DeviceRequest, Foreign, Hardware, Limits, Links, Logging, Namespaces, Processor, Service,
};

use super::{Fingerprint, lines};

/// Adds a service's settings.
pub(super) fn put(print: &mut Fingerprint, service: &Service) {
    put_limits(print, &service.limits);
    put_hardware(print, &service.hardware);
    put_namespaces(print, &service.namespaces);
    put_links(print, &service.links);
    print.put_list("dns", service.dns.iter().map(ToString::to_string));
    print.put_list("dns_search", &service.dns_search);
    print.put_list("dns_opt", &service.dns_opt);
    if let Some(Logging { driver, options }) = &service.logging {
        let driver = format!("driver={}", driver.as_deref().unwrap_or_default());
        let options = options.iter().map(|(name, value)| format!("{name}={value}"));
        let is_default = driver == "driver=" && options.len() == 0;
        print.put_list("logging", (!is_default).then_some(driver).into_iter().chain(options));
    }
    print.put_list("annotations", service.annotations.iter().map(|(name, value)| format!("{name}={value}")));
    print.plain_list("group_add", &service.group_add);
    print.put_list("storage_opt", service.storage_opt.iter().map(|(name, value)| format!("{name}={value}")));
    print.plain_some("platform", service.platform.as_ref());
    print.plain_some("mac_address", service.mac_address.as_ref());
    print.plain_if("use_api_socket", service.use_api_socket);
    // Nothing of these reaches a container.
    let Foreign { cpu_count: _, cpu_percent: _, isolation: _, credential_spec: _, provider: _, models: _ } =
        &service.foreign;
}

fn put_limits(print: &mut Fingerprint, limits: &Limits) {
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
        parent,
    } = limits;
    print.plain_some("mem_limit", memory.as_ref());
    print.plain_some("mem_reservation", memory_reservation.as_ref());
    print.plain_some("memswap_limit", memory_swap.as_ref());
    print.plain_some("mem_swappiness", swappiness.as_ref());
    print.plain_if("oom_kill_disable", *oom_kill_disable);
    print.plain_some("oom_score_adj", oom_score_adj.as_ref());
    print.plain_some("cpus", nano_cpus.as_ref());
    let Processor { period, quota, rt_period, rt_runtime, shares, set } = cpu;
    for (key, value) in [
        ("cpu_period", period),
        ("cpu_quota", quota),
        ("cpu_rt_period", rt_period),
        ("cpu_rt_runtime", rt_runtime),
        ("cpu_shares", shares),
    ] {
        print.plain_some(key, value.as_ref());
    }
    print.plain_some("cpuset", set.as_ref());
    print.plain_some("pids_limit", pids.as_ref());
    print.put_list("blkio_config", blkio.as_ref().map(blkio_lines).unwrap_or_default());
    print.plain_some("cgroup_parent", parent.as_ref());
}

fn blkio_lines(blkio: &Blkio) -> Vec<String> {
    let weight = blkio.weight.map(|weight| format!("weight={weight}"));
    let weights = blkio.weight_device.iter().map(|it| format!("weight_device={} {}", it.path, it.weight));
    let rates = blkio
        .rates()
        .into_iter()
        .flat_map(|(key, rates)| rates.iter().map(move |it| format!("{key}={} {}", it.path, it.rate)));
    weight.into_iter().chain(weights).chain(rates).collect()
}

fn put_hardware(print: &mut Fingerprint, hardware: &Hardware) {
    let Hardware { gpus, reserved, cgroup_rules } = hardware;
    print.put_list("gpus", gpus.iter().map(request));
    print.put_list("deploy.resources.reservations.devices", reserved.iter().map(request));
    print.put_list("device_cgroup_rules", cgroup_rules);
}

fn request(request: &DeviceRequest) -> String {
    let DeviceRequest { driver, count, ids, capabilities, options } = request;
    let options = options.iter().map(|(name, value)| format!("{name}={value}"));
    format!(
        "{}\n{count:?}\n{}\n{}\n{}",
        driver.as_deref().unwrap_or_default(),
        lines(ids),
        lines(capabilities),
        lines(options)
    )
}

fn put_namespaces(print: &mut Fingerprint, namespaces: &Namespaces) {
    let Namespaces { cgroup, ipc, pid, uts } = namespaces;
    print.plain("cgroup", cgroup.map_or("", |cgroup| cgroup.as_str()));
    print.plain_some("ipc", ipc.as_ref());
    print.plain_some("pid", pid.as_ref());
    print.plain_some("uts", uts.as_ref());
}

fn put_links(print: &mut Fingerprint, links: &Links) {
    let Links { services, external, volumes_from } = links;
    print.plain_list("links", services.iter().map(ToString::to_string));
    print.plain_list("external_links", external.iter().map(ToString::to_string));
    print.plain_list("volumes_from", volumes_from.iter().map(ToString::to_string));
}
