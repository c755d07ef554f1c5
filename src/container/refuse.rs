//! What Docker Compose loads and an engine would refuse, or would leave out in silence: said before anything is
//! touched.

use crate::facts::{ApiVersion, CgroupVersion, EngineKind, Facts};
use crate::project::device;
use crate::project::{DeviceRequest, Foreign, NetworkChoice, RestartPolicy, Service};
use crate::refusal::Refusal;

/// The first API with `HostConfig.Annotations` (moby `docs/api/version-history.md`, 1.43; Docker 24).
const ANNOTATIONS: ApiVersion = ApiVersion { major: 1, minor: 43 };
/// The first API whose engines know CDI devices (Docker 25; moby `daemon/cdi.go`).
const CDI: ApiVersion = ApiVersion { major: 1, minor: 44 };

/// Refuses what cannot be made of a service on this engine.
///
/// # Errors
/// Says what, and the way out; the first of several.
pub fn refuse(service: &Service, facts: &Facts) -> Result<(), Refusal> {
    foreign(service)?;
    annotations(service, facts)?;
    devices(service, facts)?;
    ulimits(service)?;
    restart(service)?;
    security(service)?;
    names(service)?;
    addresses(service)?;
    ports(service)
}

/// Refuses services that have no container at all: nothing may be pulled for them either.
pub(crate) fn foreign(service: &Service) -> Result<(), Refusal> {
    let Foreign { cpu_count: _, cpu_percent: _, isolation, credential_spec: _, provider, models } =
        &service.foreign;
    if let Some(provider) = provider {
        return Err(Refusal::of(
            &service.name,
            format!("`provider: {}` stands for the service, and sdcompose calls no providers", provider.kind),
        )
        .help("call the tool by hand, and take the service away or give it an `image:`")
        .help("other services can be started without it: name them, with `--no-deps`"));
    }
    if let Some(model) = models.keys().next() {
        return Err(Refusal::of(
            &service.name,
            format!(
                "the language model `{model}` needs Docker's model runner, which sdcompose does not call"
            ),
        )
        .help("run the model in a service of its own, and give its address by `environment`"));
    }
    if let Some(isolation) = isolation.as_deref().filter(|word| *word != "default") {
        // moby, container/isolation on Linux: `default` is all there is.
        return Err(Refusal::of(
            &service.name,
            format!("`isolation: {isolation}` is for Windows, and the engine runs Linux"),
        )
        .help("take `isolation` away"));
    }
    Ok(())
}

fn annotations(service: &Service, facts: &Facts) -> Result<(), Refusal> {
    if service.annotations.is_empty() || facts.api >= ANNOTATIONS {
        return Ok(());
    }
    Err(Refusal::of(
        &service.name,
        format!("{} {} cannot give a container `annotations`", facts.engine, facts.version),
    )
    .help(format!("they need API {ANNOTATIONS} (Docker 24); this engine speaks {}", facts.api))
    .help("use `labels` where no OCI runtime reads them"))
}

fn devices(service: &Service, facts: &Facts) -> Result<(), Refusal> {
    let too_old = facts.engine == EngineKind::Docker && facts.api < CDI;
    match service.devices.iter().find(|device| device.is_cdi()) {
        Some(device) if too_old => Err(Refusal::of(
            &service.name,
            format!("{} {} does not know the CDI device {}", facts.engine, facts.version, device.source),
        )
        .help("CDI needs Docker 25; give the device by its path, such as /dev/dri, until then")),
        Some(_) | None => Ok(()),
    }
}

fn restart(service: &Service) -> Result<(), Refusal> {
    match &service.restart {
        RestartPolicy::Unknown(word) => {
            Err(Refusal::of(&service.name, format!("`{word}` is no restart policy"))
                .help("there are \"no\", always, on-failure, on-failure:COUNT and unless-stopped"))
        }
        RestartPolicy::No
        | RestartPolicy::Always
        | RestartPolicy::OnFailure { max: _ }
        | RestartPolicy::UnlessStopped => Ok(()),
    }
}

/// docker/go-units, `ulimit.go`, and setrlimit(2).
fn ulimits(service: &Service) -> Result<(), Refusal> {
    for (name, limit) in &service.ulimits {
        if !device::ULIMITS.contains(&name.as_str()) {
            return Err(Refusal::of(&service.name, format!("`ulimits.{name}` is no resource limit"))
                .help(format!("there are {}", device::ULIMITS.join(", "))));
        }
        if limit.is_reversed() {
            return Err(Refusal::of(
                &service.name,
                format!("`ulimits.{name}`: the soft limit is above the hard limit"),
            )
            .help("raise `hard`, or lower `soft`"));
        }
    }
    Ok(())
}

/// The forms of `--security-opt` (docker/cli `cli/command/container/opts.go`).
fn security(service: &Service) -> Result<(), Refusal> {
    for option in &service.security_opt {
        let is_form = option == "no-new-privileges" || option.contains(['=', ':']);
        if !is_form {
            return Err(Refusal::of(&service.name, format!("`security_opt: {option}` is no option"))
                .help("write NAME=VALUE, as in apparmor=unconfined, seccomp=FILE, label=disable"));
        }
        let profile = option.strip_prefix("seccomp=").or_else(|| option.strip_prefix("seccomp:"));
        if let Some(path) = profile
            && !path.starts_with('{')
            && !matches!(path, "unconfined" | "builtin")
        {
            return Err(Refusal::of(&service.name, format!("the seccomp profile {path} cannot be read"))
                .help("`config` says why; the path starts from the project's directory"));
        }
    }
    Ok(())
}

/// moby, `runconfig/hostconfig_unix.go`: a container that lives in another one's namespace has no name of its
/// own there.
fn names(service: &Service) -> Result<(), Refusal> {
    let host_name = service.hostname.is_some() || service.domainname.is_some();
    if service.namespaces.uts.as_deref() == Some("host") && host_name {
        return Err(Refusal::of(&service.name, "with `uts: host` a container has the host's name")
            .help("take `hostname` and `domainname` away, or `uts`"));
    }
    let linked = !service.links.services.is_empty() || !service.links.external.is_empty();
    let shared = match &service.network {
        NetworkChoice::Join(_) => None,
        NetworkChoice::Mode(mode) => (mode == "host").then(|| "host".to_owned()),
        NetworkChoice::Service(other) => Some(format!("service:{other}")),
        NetworkChoice::Container(other) => Some(format!("container:{other}")),
    };
    match shared {
        Some(mode) if linked => Err(Refusal::of(
            &service.name,
            format!("`links` needs a network of its own, and `network_mode: {mode}` gives it none"),
        )
        .help("services of one network reach each other by name: take `links` or `network_mode` away")),
        Some(_) | None => Ok(()),
    }
}

fn addresses(service: &Service) -> Result<(), Refusal> {
    let Some(mac) = &service.mac_address else { return Ok(()) };
    let parts: Vec<&str> = mac.split([':', '-']).collect();
    let is_address = matches!(parts.len(), 6 | 8 | 20)
        && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if !is_address {
        return Err(Refusal::of(&service.name, format!("`mac_address: {mac}` is no MAC address"))
            .help("six pairs of hexadecimal digits, as in 02:42:ac:11:65:43"));
    }
    match &service.network {
        NetworkChoice::Join(networks) => {
            let first = networks.iter().max_by_key(|(_, how)| how.priority);
            match first.and_then(|(key, how)| Some((key, how.mac_address.as_ref()?))) {
                Some((key, other)) if other != mac => Err(Refusal::of(
                    &service.name,
                    format!("`mac_address` is {mac}, and {other} on the network `{key}`"),
                )
                .help("give one of them")),
                Some(_) | None => Ok(()),
            }
        }
        NetworkChoice::Mode(mode) if mode != "host" => Ok(()),
        NetworkChoice::Mode(_) | NetworkChoice::Service(_) | NetworkChoice::Container(_) => Err(Refusal::of(
            &service.name,
            "a container in another one's network has no MAC address of its own",
        )
        .help("take `mac_address` or `network_mode` away")),
    }
}

fn ports(service: &Service) -> Result<(), Refusal> {
    match service.expose.iter().find(|text| super::exposed::ports(text).is_none()) {
        Some(text) => Err(Refusal::of(&service.name, format!("`expose: {text}` is no port"))
            .help("write PORT or FIRST-LAST, with /udp or /sctp where it is not tcp")),
        None => Ok(()),
    }
}

/// Returns what this engine's kernel leaves out in silence, a sentence each.
#[must_use]
pub fn remarks(service: &Service, facts: &Facts) -> Vec<String> {
    let limits = &service.limits;
    let v1_only = [
        ("mem_swappiness", limits.swappiness.is_some()),
        ("oom_kill_disable", limits.oom_kill_disable),
        ("cpu_rt_period", limits.cpu.rt_period.is_some()),
        ("cpu_rt_runtime", limits.cpu.rt_runtime.is_some()),
    ];
    let mut remarks: Vec<String> = Vec::new();
    if facts.cgroup == CgroupVersion::V2 {
        let lost = v1_only.iter().filter(|(_, set)| *set);
        remarks.extend(lost.map(|(key, _)| format!("`{key}` does nothing on cgroup v2, which the host has")));
    }
    if !facts.memory_limit && limits.memory_swap.is_some() {
        remarks.push("`memswap_limit` does nothing: the host's kernel counts no memory".to_owned());
    }
    remarks
}

/// Returns the requests of a service in the engine's terms: `gpus` asks for the capability of that name, and a
/// CDI name among the devices is a request to its own driver, as in Docker Compose.
pub(super) fn requests(service: &Service) -> Vec<DeviceRequest> {
    let named: Vec<String> =
        service.devices.iter().filter(|device| device.is_cdi()).map(|device| device.source.clone()).collect();
    let cdi = DeviceRequest { driver: Some("cdi".to_owned()), ids: named, ..DeviceRequest::default() };
    let gpus = service.hardware.gpus.iter().cloned().map(|mut request| {
        request.capabilities.push("gpu".to_owned());
        request
    });
    let cdi = (!cdi.ids.is_empty()).then_some(cdi);
    service.hardware.reserved.iter().cloned().chain(cdi).chain(gpus).collect()
}

#[cfg(test)]
mod tests;
