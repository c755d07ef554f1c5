//! A project as a plain compose file: every systemd default spelled out for one engine, so that `docker compose`
//! makes the same containers.
//!
//! Machines become plain services, and the project that has only these is printed as `config` prints one. Files
//! that a machine is given become `configs` with their content: Docker Compose copies those into the container
//! between create and start, as sdcompose does (measured on Docker Compose 2.40).

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use crate::container::spec::{self, needs};
use crate::container::{CgroupNs, ContainerSpec, MountSpec, MountSpecSource};
use crate::facts::{Facts, ImageFacts};
use crate::manifest::{Dialect, Manifest};
use crate::project::mount::{self, CreateHostPath};
use crate::project::show::show;
use crate::project::{
    Dependency, DependencyCondition, Machine, Mount, MountSource, NetworkChoice, Project, Service,
};
use crate::refusal::Refusal;

use super::Converted;

mod health;
mod given;
mod text;

#[cfg(test)]
mod tests;

use given::Given;
use health::Wishes;

/// What is known of the images that a project's machines boot, by reference.
pub type Images = BTreeMap<String, ImageFacts>;

/// One service of the compose file: what a plain service of the project says, and what only the file says.
struct Part {
    service: Service,
    cgroup: Option<CgroupNs>,
    cgroup_parent: Option<String>,
    given: Vec<Json>,
    secrets: Vec<Json>,
}

/// Converts a project for the engine that the facts are of.
///
/// # Errors
/// Refuses, for every service at once, where a machine cannot boot on this engine, and where a file that it is
/// given cannot be said in YAML.
pub fn to_compose(
    project: &Project,
    manifest: &Manifest,
    facts: &Facts,
    images: &Images,
) -> Result<Converted, Vec<Refusal>> {
    // The notify socket is sdcompose's own: nobody would listen on it.
    let facts = Facts { notify_root: None, ..facts.clone() };
    let wishes = Wishes::of(project, &facts);
    let mut given = Given::default();
    let (mut parts, mut refusals) = (Vec::new(), Vec::new());
    let mut remarks = Vec::new();
    for service in project.services.values() {
        remarks.extend(remarks_on(service, &wishes, images));
        match parts_of(project, service, &facts, images, &wishes, &mut given) {
            Ok(made) => parts.extend(made),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let shown = shown(project, manifest, parts, given);
    let text = text::heading(project, &facts, &remarks) + &text::yaml(&shown);
    Ok(Converted { text, remarks })
}

/// Makes the services of the file that one service of the project becomes: one for each replica of a machine,
/// since a machine's identity and its cgroup are its own, else one.
fn parts_of(
    project: &Project,
    service: &Service,
    facts: &Facts,
    images: &Images,
    wishes: &Wishes<'_>,
    given: &mut Given,
) -> Result<Vec<Part>, Refusal> {
    refuse_unsayable(service)?;
    let Some(machine) = &service.machine else {
        let service = Service {
            depends_on: depends_on(project, service),
            network: network(project, service),
            ..service.clone()
        };
        return Ok(vec![Part {
            service,
            cgroup: None,
            cgroup_parent: None,
            given: Vec::new(),
            secrets: Vec::new(),
        }]);
    };
    let image = images.get(service.image.reference());
    (1..=service.replicas)
        .map(|index| {
            let spec = spec::spec(project, service, index, facts, image, "")?;
            plain(project, service, machine, index, &spec, wishes, given)
        })
        .collect()
}

/// What was read from a file and is not known by its path any more.
fn refuse_unsayable(service: &Service) -> Result<(), Refusal> {
    if service
        .security_opt
        .iter()
        .any(|option| option.starts_with("seccomp={") || option.starts_with("seccomp:{"))
    {
        return Err(Refusal::of(&service.name, "a compose file takes a seccomp profile by its path only")
            .help("take the profile out of `security_opt`, convert, and add `seccomp=PATH` to the result"));
    }
    Ok(())
}

/// Makes one machine a plain service.
fn plain(
    project: &Project,
    service: &Service,
    machine: &Machine,
    index: u32,
    spec: &ContainerSpec,
    wishes: &Wishes<'_>,
    given: &mut Given,
) -> Result<Part, Refusal> {
    let name = service_name(service, index);
    let plain = Service {
        name: name.clone(),
        replicas: 1,
        container_name: if name == service.name {
            service.container_name.clone()
        } else {
            Some(spec.name.clone())
        },
        entrypoint: spec.entrypoint.clone(),
        command: spec.command.clone(),
        environment: environment(service, spec),
        hostname: spec.hostname.clone(),
        user: spec.user.clone(),
        tty: spec.tty,
        init: spec.init,
        stop_signal: spec.stop_signal.clone(),
        cap_add: spec.cap_add.clone(),
        security_opt: spec.security_opt.clone(),
        privileged: spec.privileged,
        devices: spec.devices.clone(),
        mounts: mounts(service, spec),
        network: network(project, service),
        depends_on: depends_on(project, service),
        healthcheck: wishes.healthcheck(service, machine),
        machine: None,
        ..service.clone()
    };
    let (given, secrets) = given.of_machine(service, &name, spec)?;
    Ok(Part {
        service: named_on_networks(plain, &service.name),
        cgroup: spec.cgroupns,
        cgroup_parent: spec.cgroup_parent.clone(),
        given,
        secrets,
    })
}

/// The name in the file: with the index where a machine has several replicas.
fn service_name(service: &Service, index: u32) -> String {
    if is_split(service) { format!("{}-{index}", service.name) } else { service.name.clone() }
}

fn is_split(service: &Service) -> bool {
    service.machine.is_some() && service.replicas > 1
}

/// The manifest's order first, then what systemd needs.
fn environment(service: &Service, spec: &ContainerSpec) -> IndexMap<String, String> {
    let written = service.environment.iter();
    let mut all: IndexMap<String, String> =
        written.map(|(key, value)| (key.clone(), value.clone())).collect();
    all.extend(spec.environment.iter().map(|(key, value)| (key.clone(), value.clone())));
    all
}

/// The binds of cgroups come first, as the engine gets them, and the tmpfs mounts that systemd needs last.
fn mounts(service: &Service, spec: &ContainerSpec) -> Vec<Mount> {
    let own = |target: &str| service.mounts.iter().any(|mount| mount::clean(&mount.target) == target);
    let binds = spec.mounts.iter().filter(|mount| !own(&mount.target)).filter_map(bind);
    let memory = spec.tmpfs.iter().filter(|(target, _)| !own(target)).map(|(target, options)| {
        let source = MountSource::Tmpfs { size: None, mode: None, options: Some(options.clone()) };
        added(target, source, false)
    });
    binds.chain(service.mounts.iter().cloned()).chain(memory).collect()
}

fn bind(mount: &MountSpec) -> Option<Mount> {
    let MountSpec { target, source, read_only } = mount;
    match source {
        MountSpecSource::Bind { path, create, propagation, selinux, recursive } => {
            let source = MountSource::Bind {
                path: path.into(),
                create: if *create { CreateHostPath::Yes } else { CreateHostPath::No },
                propagation: propagation.clone(),
                selinux: *selinux,
                recursive: *recursive,
            };
            Some(added(target, source, *read_only))
        }
        MountSpecSource::Volume { .. } | MountSpecSource::Anonymous(_) | MountSpecSource::Image { .. } => {
            None
        }
    }
}

fn added(target: &str, source: MountSource, read_only: bool) -> Mount {
    Mount { target: target.to_owned(), source, read_only, consistency: None }
}

/// Replicas that have names of their own still answer to the service's.
fn named_on_networks(mut plain: Service, name: &str) -> Service {
    if let (true, NetworkChoice::Join(networks)) = (plain.name != name, &mut plain.network) {
        for attachment in networks.values_mut() {
            if !attachment.aliases.iter().any(|alias| alias == name) {
                attachment.aliases.insert(0, name.to_owned());
            }
        }
    }
    plain
}

fn network(project: &Project, service: &Service) -> NetworkChoice {
    match &service.network {
        NetworkChoice::Service(other) => {
            let other =
                project.services.get(other).map_or_else(|| other.clone(), |other| service_name(other, 1));
            NetworkChoice::Service(other)
        }
        NetworkChoice::Join(_) | NetworkChoice::Mode(_) | NetworkChoice::Container(_) => {
            service.network.clone()
        }
    }
}

/// What a service waits for, in Compose's words: a machine that is ready, or a unit in it, is a health check.
fn depends_on(project: &Project, service: &Service) -> IndexMap<String, Dependency> {
    let mut all = IndexMap::new();
    for name in needs(service) {
        let Some(how) = service.depends_on.get(name) else { continue };
        let Some(other) = project.services.get(name) else {
            all.insert(
                name.to_owned(),
                Dependency { condition: plain_condition(&how.condition, None), ..how.clone() },
            );
            continue;
        };
        let replicas = if is_split(other) { other.replicas } else { 1 };
        for index in 1..=replicas {
            let condition = plain_condition(&how.condition, Some(other));
            all.insert(service_name(other, index), Dependency { condition, ..how.clone() });
        }
    }
    all
}

fn plain_condition(condition: &DependencyCondition, other: Option<&Service>) -> DependencyCondition {
    match condition {
        DependencyCondition::Ready if other.is_some_and(|other| other.machine.is_some()) => {
            DependencyCondition::Healthy
        }
        DependencyCondition::Ready => DependencyCondition::Started,
        DependencyCondition::UnitActive(_) => DependencyCondition::Healthy,
        DependencyCondition::Started
        | DependencyCondition::Healthy
        | DependencyCondition::CompletedSuccessfully => condition.clone(),
    }
}

/// What the file cannot say of one service.
fn remarks_on(service: &Service, wishes: &Wishes<'_>, images: &Images) -> Vec<String> {
    let Some(machine) = &service.machine else { return Vec::new() };
    let name = &service.name;
    let mut remarks = Vec::new();
    if !images.contains_key(service.image.reference()) {
        remarks.push(format!(
            "{name}: the engine does not have the image `{}`: the path and the version of its systemd are assumed; \
             pull or build it and convert again",
            service.image.reference()
        ));
    }
    if wishes.is_gated(name) {
        remarks.push(format!(
            "{name}: READY=1 on systemd's notify socket cannot be awaited; a health check asks systemd instead"
        ));
    } else {
        remarks.push(format!(
            "{name}: nothing waits for its boot (`boot_timeout`, failed units): `docker compose up` returns once it \
             is started"
        ));
    }
    if wishes.is_joined(service) {
        remarks.push(format!(
            "{name}: Compose has one health check a service: the conditions of all that wait for it, and its own \
             check, are joined"
        ));
    }
    if machine.units.values().any(|unit| unit.content.is_some() || unit.drop_in.is_some()) {
        remarks
            .push(format!("{name}: a changed unit file replaces the machine; sdcompose restarts the unit"));
    }
    if is_split(service) {
        remarks.push(format!(
            "{name}: each of its {} replicas is a service, since each has its own identity and cgroup",
            service.replicas
        ));
    }
    remarks
}

/// Puts the file together: the plain project as `config` shows it, and the keys that only the file has.
fn shown(project: &Project, manifest: &Manifest, parts: Vec<Part>, given: Given) -> Map<String, Json> {
    let mut extra: BTreeMap<String, Map<String, Json>> = BTreeMap::new();
    let mut services = IndexMap::new();
    for Part { service, cgroup, cgroup_parent, given, secrets } in parts {
        let mut keys = Map::new();
        if let Some(namespace) = cgroup {
            keys.insert("cgroup".to_owned(), json!(namespace_word(namespace)));
        }
        keys.extend(cgroup_parent.map(|parent| ("cgroup_parent".to_owned(), json!(parent))));
        for (key, list) in [("configs", given), ("secrets", secrets)] {
            if !list.is_empty() {
                keys.insert(key.to_owned(), Json::Array(list));
            }
        }
        extra.insert(service.name.clone(), keys);
        services.insert(service.name.clone(), service);
    }
    let plain = Project { services, ..project.clone() };
    let unwritten =
        Manifest { root: without_services(manifest), dialect: Dialect::Compose, ..manifest.clone() };
    // A project is made of texts, numbers and lists only, which JSON can hold.
    let mut shown = serde_json::to_value(show(&plain, &unwritten, &[])).unwrap_or_default();
    for (name, keys) in extra {
        if let Some(service) =
            shown.pointer_mut("/services").and_then(|all| all.get_mut(&name)?.as_object_mut())
        {
            let keys = keys.into_iter().map(|(key, value)| (key, text::doubled(value)));
            service.extend(keys);
        }
    }
    let mut shown = match shown {
        Json::Object(shown) => shown,
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => Map::new(),
    };
    let (configs, secrets) = given.declared();
    for (key, all) in [("configs", configs), ("secrets", secrets)] {
        if !all.is_empty() {
            shown.insert(key.to_owned(), text::doubled(Json::Object(all)));
        }
    }
    shown
}

/// The manifest's tree without its services, so that nothing is spelled as it was written there; extensions stay.
fn without_services(manifest: &Manifest) -> crate::yaml::Node {
    let mut root = manifest.root.clone();
    if let crate::yaml::Value::Mapping(entries) = &mut root.value {
        entries.retain(|entry| entry.key.starts_with("x-") && &*entry.key != "x-systemd");
    }
    root
}

const fn namespace_word(namespace: CgroupNs) -> &'static str {
    match namespace {
        CgroupNs::Private => "private",
        CgroupNs::Host => "host",
    }
}
