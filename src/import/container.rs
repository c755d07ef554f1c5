//! A container that exists → a compose file: what it was given beyond its image and the engine's defaults.
//!
//! Read are the answers of `GET /containers/x/json` and `GET /images/x/json` (moby `api/types`), tolerantly:
//! engines leave out what is empty.

use serde_json::{Map, Value as Json, json};

use super::run_line::{Composed, dollars};
use super::written;

mod process;
mod storage;

#[cfg(test)]
mod tests;

/// Bytes of /dev/shm that an engine gives a container by itself (moby `daemon/config/config.go`).
const SHM: i64 = 64 << 20;

/// What the engine says of one container and of its image.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inspected {
    /// The container.
    pub container: Json,
    /// Its image; null where the engine does not have it any more.
    pub image: Json,
}

/// Makes a compose file of containers.
#[must_use]
pub fn compose(containers: &[Inspected]) -> Composed {
    let mut found = Found::default();
    let mut services: Vec<written::Service> = Vec::new();
    for inspected in containers {
        let (mut name, keys) = found.service(inspected);
        while services.iter().any(|(known, _)| *known == name) {
            name.push('-');
            name.push_str(&services.len().to_string());
        }
        services.push((name, keys));
    }
    let declared = [("networks", &found.networks), ("volumes", &found.volumes), ("secrets", &found.secrets)];
    let text = written::compose_file(&services, &declared);
    Composed { text, left_out: found.left_out, machines: Vec::new() }
}

/// What is declared at the top, and what stays behind.
#[derive(Debug, Default)]
struct Found {
    networks: Map<String, Json>,
    volumes: Map<String, Json>,
    secrets: Map<String, Json>,
    left_out: Vec<String>,
}

/// The keys of a service, in order, each only where it says something.
#[derive(Debug, Default)]
struct Keys(Vec<(String, Json)>);

impl Keys {
    fn put(&mut self, key: &str, value: Json) {
        let empty = match &value {
            Json::Null | Json::Bool(false) => true,
            Json::String(text) => text.is_empty(),
            Json::Array(items) => items.is_empty(),
            Json::Object(entries) => entries.is_empty(),
            Json::Number(number) => number.as_i64() == Some(0),
            Json::Bool(true) => false,
        };
        if !empty {
            self.0.push((key.to_owned(), value));
        }
    }

    /// Puts what the engine says at a place, in its own form.
    fn same(&mut self, key: &str, container: &Json, place: &str) {
        self.put(key, doubled(at(container, place).clone()));
    }
}

impl Found {
    fn service(&mut self, inspected: &Inspected) -> (String, Vec<(String, Json)>) {
        let Inspected { container, image } = inspected;
        let own = text(container, "/Name").trim_start_matches('/');
        let of_compose = text(container, "/Config/Labels/com.docker.compose.service");
        let name = written::service_name(if of_compose.is_empty() { own } else { of_compose });
        let mut keys = Keys::default();
        keys.put("image", json!(dollars(text(container, "/Config/Image"))));
        if of_compose.is_empty() {
            keys.put("container_name", json!(own));
            self.left_out.push(format!(
                "the name `{own}` is taken by the container itself: remove it before `up`, or give another \
                 `container_name`"
            ));
        }
        process::read(&mut keys, container, image);
        ports(&mut keys, container);
        self.mounts(&mut keys, container, own);
        self.networking(&mut keys, container);
        limits(&mut keys, container);
        privilege(&mut keys, container);
        (name, keys.0)
    }

    fn networking(&mut self, keys: &mut Keys, container: &Json) {
        let mode = text(container, "/HostConfig/NetworkMode");
        if matches!(mode, "host" | "none") || mode.starts_with("container:") {
            keys.put("network_mode", json!(mode));
        } else {
            let project = text(container, "/Config/Labels/com.docker.compose.project");
            let mut joined = Map::new();
            for (name, how) in entries(container, "/NetworkSettings/Networks") {
                // A project's own network is made anew with the project.
                if name == "bridge" || (!project.is_empty() && *name == format!("{project}_default")) {
                    continue;
                }
                self.networks.insert(name.clone(), json!({ "external": true, "name": dollars(name) }));
                joined.insert(name.clone(), attachment(how, container));
            }
            keys.put("networks", Json::Object(joined));
        }
        keys.same("extra_hosts", container, "/HostConfig/ExtraHosts");
        keys.same("dns", container, "/HostConfig/Dns");
        keys.same("dns_search", container, "/HostConfig/DnsSearch");
        keys.same("dns_opt", container, "/HostConfig/DnsOptions");
    }
}

/// How a container joins a network: addresses that somebody fixed, names that are not its own.
fn attachment(how: &Json, container: &Json) -> Json {
    let id = text(container, "/Id");
    let service = text(container, "/Config/Labels/com.docker.compose.service");
    let name = text(container, "/Name").trim_start_matches('/');
    let aliases: Vec<&str> = texts(how, "/Aliases")
        .filter(|alias| *alias != name && *alias != service && !id.starts_with(alias))
        .collect();
    let mut keys = Keys::default();
    keys.put("aliases", json!(aliases));
    keys.same("ipv4_address", how, "/IPAMConfig/IPv4Address");
    keys.same("ipv6_address", how, "/IPAMConfig/IPv6Address");
    if keys.0.is_empty() { Json::Null } else { Json::Object(keys.0.into_iter().collect()) }
}

fn limits(keys: &mut Keys, container: &Json) {
    let host = at(container, "/HostConfig");
    keys.same("mem_limit", host, "/Memory");
    keys.same("mem_reservation", host, "/MemoryReservation");
    if let Some(nano @ 1..) = at(host, "/NanoCpus").as_u64() {
        let text = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
        keys.put("cpus", json!(text.trim_end_matches('0').trim_end_matches('.')));
    }
    if let Some(pids @ 1..) = at(host, "/PidsLimit").as_i64() {
        keys.put("pids_limit", json!(pids));
    }
    let mut ulimits = Map::new();
    for limit in at(host, "/Ulimits").as_array().into_iter().flatten() {
        let both = json!({ "soft": at(limit, "/Soft"), "hard": at(limit, "/Hard") });
        ulimits.insert(text(limit, "/Name").to_owned(), both);
    }
    keys.put("ulimits", Json::Object(ulimits));
    if let Some(size) = at(host, "/ShmSize").as_i64().filter(|size| *size != SHM) {
        keys.put("shm_size", json!(size));
    }
    let restart = text(host, "/RestartPolicy/Name");
    match at(host, "/RestartPolicy/MaximumRetryCount").as_i64() {
        Some(count @ 1..) if restart == "on-failure" => {
            keys.put("restart", json!(format!("on-failure:{count}")));
        }
        Some(_) | None if restart == "no" => {}
        Some(_) | None => keys.put("restart", json!(restart)),
    }
}

fn ports(keys: &mut Keys, container: &Json) {
    let mut ports = Vec::new();
    for (port, bindings) in entries(container, "/HostConfig/PortBindings") {
        let port = port.strip_suffix("/tcp").unwrap_or(port);
        for binding in bindings.as_array().into_iter().flatten() {
            let address = match text(binding, "/HostIp") {
                "" | "0.0.0.0" => String::new(),
                v6 if v6.contains(':') => format!("[{v6}]:"),
                v4 => format!("{v4}:"),
            };
            let host = text(binding, "/HostPort");
            ports.push(match (address.as_str(), host) {
                ("", "" | "0") => port.to_owned(),
                (address, host) => format!("{address}{host}:{port}"),
            });
        }
    }
    keys.put("ports", json!(ports));
}

fn privilege(keys: &mut Keys, container: &Json) {
    let host = at(container, "/HostConfig");
    keys.same("privileged", host, "/Privileged");
    keys.same("cap_add", host, "/CapAdd");
    keys.same("cap_drop", host, "/CapDrop");
    // A privileged container has its labels switched off by the engine.
    let options: Vec<&str> = texts(host, "/SecurityOpt").collect();
    let by_engine = at(host, "/Privileged") == &json!(true) && options == ["label=disable"];
    if !by_engine {
        keys.put("security_opt", json!(options.into_iter().map(dollars).collect::<Vec<_>>()));
    }
    let mut devices = Vec::new();
    for device in at(host, "/Devices").as_array().into_iter().flatten() {
        let (from, to) = (text(device, "/PathOnHost"), text(device, "/PathInContainer"));
        devices.push(format!("{from}:{to}:{}", text(device, "/CgroupPermissions")));
    }
    keys.put("devices", json!(devices));
    keys.same("sysctls", host, "/Sysctls");
    if text(host, "/CgroupnsMode") == "host" && at(host, "/Privileged") == &json!(true) {
        keys.put("cgroup", json!("host"));
    }
    for (key, place) in
        [("pid", "/PidMode"), ("userns_mode", "/UsernsMode"), ("cgroup_parent", "/CgroupParent")]
    {
        keys.same(key, host, place);
    }
    let runtime = text(host, "/Runtime");
    if !matches!(runtime, "runc" | "crun" | "oci") {
        keys.put("runtime", json!(runtime));
    }
    keys.same("read_only", host, "/ReadonlyRootfs");
    keys.same("init", host, "/Init");
}

/// What stands at a place; null where nothing does.
fn at<'a>(value: &'a Json, place: &str) -> &'a Json {
    value.pointer(place).unwrap_or(&Json::Null)
}

fn text<'a>(value: &'a Json, place: &str) -> &'a str {
    at(value, place).as_str().unwrap_or_default()
}

fn texts<'a>(value: &'a Json, place: &str) -> impl Iterator<Item = &'a str> {
    at(value, place).as_array().into_iter().flatten().filter_map(Json::as_str)
}

fn entries<'a>(value: &'a Json, place: &str) -> impl Iterator<Item = (&'a String, &'a Json)> {
    at(value, place).as_object().into_iter().flatten()
}

/// Doubles every `$`: what the engine says is text.
fn doubled(value: Json) -> Json {
    match value {
        Json::String(text) => json!(dollars(&text)),
        Json::Array(items) => items.into_iter().map(doubled).collect(),
        Json::Object(entries) => entries.into_iter().map(|(key, value)| (key, doubled(value))).collect(),
        other @ (Json::Null | Json::Bool(_) | Json::Number(_)) => other,
    }
}
