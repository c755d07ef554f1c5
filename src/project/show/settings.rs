//! A container's settings as `config` prints them: limits in the kernel's terms, devices, namespaces, links, and
//! what only other systems do.

use serde_json::{Map, Value as Json, json};

use crate::project::{
    Blkio, CgroupNs, CredentialSpec, DeviceRequest, Foreign, Hardware, Limits, Links, Logging,
    ModelVariables, Namespaces, Processor, Provider, Service,
};

use super::service::Written;
use super::{put, put_filled, put_set};

/// Shows the settings of a service, each where it is not at its default.
pub(super) fn show(shown: &mut Map<String, Json>, service: &Service, written: Written<'_>) {
    limits(shown, &service.limits);
    let Hardware { gpus, reserved: _, cgroup_rules } = &service.hardware;
    let gpus: Vec<Json> = gpus.iter().map(request).collect();
    put_filled(shown, "gpus", &gpus, gpus.is_empty());
    put_filled(shown, "device_cgroup_rules", cgroup_rules, cgroup_rules.is_empty());
    namespaces(shown, &service.namespaces);
    let Links { services, external, volumes_from } = &service.links;
    put_texts(shown, "links", services);
    put_texts(shown, "external_links", external);
    put_texts(shown, "volumes_from", volumes_from);
    put(shown, "logging", service.logging.as_ref().map(logging));
    put(shown, "attach", (!service.attach || written.has(&["attach"])).then_some(service.attach));
    put_filled(shown, "annotations", &service.annotations, service.annotations.is_empty());
    put_filled(shown, "group_add", &service.group_add, service.group_add.is_empty());
    put_filled(shown, "storage_opt", &service.storage_opt, service.storage_opt.is_empty());
    put(shown, "platform", service.platform.as_ref());
    put(shown, "mac_address", service.mac_address.as_ref());
    put_set(shown, "use_api_socket", service.use_api_socket);
    foreign(shown, &service.foreign);
}

/// Shows the requests for devices below `deploy`; `None` where there are none.
pub(super) fn reserved(service: &Service) -> Option<Json> {
    let requests: Vec<Json> = service.hardware.reserved.iter().map(request).collect();
    (!requests.is_empty()).then(|| json!(requests))
}

/// Numbers of bytes are text, as in Compose; so is the percentage, which Compose reads by the same type.
fn limits(shown: &mut Map<String, Json>, limits: &Limits) {
    let Limits {
        memory: _,
        memory_reservation: _,
        memory_swap,
        swappiness,
        oom_kill_disable,
        oom_score_adj,
        nano_cpus: _,
        cpu,
        pids: _,
        blkio,
        parent,
    } = limits;
    put(shown, "memswap_limit", memory_swap.map(|bytes| bytes.to_string()));
    put(shown, "mem_swappiness", swappiness.map(|percent| percent.to_string()));
    put_set(shown, "oom_kill_disable", *oom_kill_disable);
    put(shown, "oom_score_adj", *oom_score_adj);
    let Processor { period, quota, rt_period, rt_runtime, shares, set } = cpu;
    put(shown, "cpu_period", *period);
    put(shown, "cpu_quota", *quota);
    put(shown, "cpu_rt_period", *rt_period);
    put(shown, "cpu_rt_runtime", *rt_runtime);
    put(shown, "cpu_shares", *shares);
    put(shown, "cpuset", set.as_ref());
    put(shown, "blkio_config", blkio.as_ref().map(block_devices));
    put(shown, "cgroup_parent", parent.as_ref());
}

fn block_devices(blkio: &Blkio) -> Json {
    let mut shown = Map::new();
    put(&mut shown, "weight", blkio.weight);
    let weights: Vec<Json> =
        blkio.weight_device.iter().map(|it| json!({ "path": it.path, "weight": it.weight })).collect();
    put_filled(&mut shown, "weight_device", &weights, weights.is_empty());
    for (key, rates) in blkio.rates() {
        let rates: Vec<Json> =
            rates.iter().map(|it| json!({ "path": it.path, "rate": it.rate.to_string() })).collect();
        put_filled(&mut shown, key, &rates, rates.is_empty());
    }
    Json::Object(shown)
}

fn request(request: &DeviceRequest) -> Json {
    let DeviceRequest { driver, count, ids, capabilities, options } = request;
    let mut shown = Map::new();
    put_filled(&mut shown, "capabilities", capabilities, capabilities.is_empty());
    put(&mut shown, "driver", driver.as_ref());
    put(&mut shown, "count", *count);
    put_filled(&mut shown, "device_ids", ids, ids.is_empty());
    put_filled(&mut shown, "options", options, options.is_empty());
    Json::Object(shown)
}

fn namespaces(shown: &mut Map<String, Json>, namespaces: &Namespaces) {
    let Namespaces { cgroup, ipc, pid, uts } = namespaces;
    put(shown, "cgroup", cgroup.map(CgroupNs::as_str));
    put(shown, "ipc", ipc.as_ref().map(ToString::to_string));
    put(shown, "pid", pid.as_ref().map(ToString::to_string));
    put(shown, "uts", uts.as_ref());
}

fn put_texts<T: ToString>(shown: &mut Map<String, Json>, key: &str, items: &[T]) {
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    put_filled(shown, key, &texts, texts.is_empty());
}

fn logging(logging: &Logging) -> Json {
    let Logging { driver, options } = logging;
    let mut shown = Map::new();
    put(&mut shown, "driver", driver.as_ref());
    put_filled(&mut shown, "options", options, options.is_empty());
    Json::Object(shown)
}

fn foreign(shown: &mut Map<String, Json>, foreign: &Foreign) {
    let Foreign { cpu_count, cpu_percent, isolation, credential_spec, provider, models } = foreign;
    put(shown, "cpu_count", *cpu_count);
    put(shown, "cpu_percent", *cpu_percent);
    put(shown, "isolation", isolation.as_ref());
    put(shown, "credential_spec", credential_spec.as_ref().map(account));
    put(shown, "provider", provider.as_ref().map(tool));
    let models: Map<String, Json> =
        models.iter().map(|(key, variables)| (key.clone(), model(variables))).collect();
    put_filled(shown, "models", &models, models.is_empty());
}

fn account(spec: &CredentialSpec) -> Json {
    let CredentialSpec { config, file, registry } = spec;
    let mut shown = Map::new();
    put(&mut shown, "config", config.as_ref());
    put(&mut shown, "file", file.as_ref());
    put(&mut shown, "registry", registry.as_ref());
    Json::Object(shown)
}

fn tool(provider: &Provider) -> Json {
    let Provider { kind, options } = provider;
    let mut shown = Map::new();
    shown.insert("type".to_owned(), json!(kind));
    put_filled(&mut shown, "options", options, options.is_empty());
    Json::Object(shown)
}

fn model(variables: &ModelVariables) -> Json {
    let ModelVariables { endpoint, model } = variables;
    let mut shown = Map::new();
    put(&mut shown, "endpoint_var", endpoint.as_ref());
    put(&mut shown, "model_var", model.as_ref());
    if shown.is_empty() { Json::Null } else { Json::Object(shown) }
}

#[cfg(test)]
pub(super) mod tests;
