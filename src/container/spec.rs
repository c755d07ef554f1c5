//! A service's replica, the systemd defaults and the engine's facts, put together into what the engine is
//! asked to create.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use indexmap::IndexMap;

use crate::facts::{Facts, ImageFacts};
use crate::labels::{ContainerLabels, MachineLabels};
use crate::project::{
    Attachment, Device, Feature, JournalStorage, Machine, Mount, MountSource, NetworkChoice, Project, Service,
};
use crate::refusal::Refusal;
use crate::systemd::UnitName;
use crate::systemd::defaults::{self, Decision, Wish, boot, errors};

use super::{
    ContainerSpec, JoinSpec, MountSpec, MountSpecSource, NetworkSpecChoice, devices, file_objects, files,
    fingerprint, names, ties,
};

/// The option of an endpoint that names the interface inside (Docker 28 release notes, moby#49155).
const INTERFACE_NAME: &str = "com.docker.network.endpoint.ifname";

/// Decides how a service's machines boot; `None` for a plain container.
///
/// # Errors
/// Refuses as [`defaults::decide`] does.
pub fn decision(
    project: &Project,
    service: &Service,
    index: u32,
    facts: &Facts,
    image: Option<&ImageFacts>,
) -> Result<Option<Decision>, Refusal> {
    let Some(machine) = &service.machine else { return Ok(None) };
    if service.read_only {
        // moby daemon/archive_unix.go, `ErrRootFSReadOnly`: also before the container is started.
        return Err(errors::read_only_root(&service.name));
    }
    defaults::decide(facts, image, &wish(project, service, index, machine)).map(Some)
}

/// Puts together what the engine is asked to create. `image_id` goes into the fingerprint; it is empty where
/// the engine does not have the image yet.
///
/// # Errors
/// Refuses where the machine cannot boot, or not safely.
pub fn spec(
    project: &Project,
    service: &Service,
    index: u32,
    facts: &Facts,
    image: Option<&ImageFacts>,
    image_id: &str,
) -> Result<ContainerSpec, Refusal> {
    let decision = decision(project, service, index, facts, image)?;
    Ok(assemble(project, service, index, facts, decision.as_ref(), image_id))
}

/// Puts a specification together from a decision that was made before.
#[must_use]
pub fn assemble(
    project: &Project,
    service: &Service,
    index: u32,
    facts: &Facts,
    decision: Option<&Decision>,
    image_id: &str,
) -> ContainerSpec {
    let name = names::container(project, service, index);
    let mut spec = plain(project, service, index, &name);
    spec.mounts.extend(api_socket(service, facts));
    spec.mounts.extend(file_objects::mounts(project, service, facts));
    spec.files = file_objects::files(project, service, facts);
    spec.labels.extend(labels(project, service, index, decision, image_id));
    if let (Some(machine), Some(decision)) = (&service.machine, decision) {
        make_machine(&mut spec, project, service, index, machine, decision);
        spec.notify_dir = facts.notify_root.as_deref().map(|root| names::notify_dir(root, &name));
    }
    spec
}

/// The wish of a manifest for one machine, as the table of defaults takes it.
fn wish(project: &Project, service: &Service, index: u32, machine: &Machine) -> Wish {
    let named = machine.units.iter().filter(|(_, unit)| !unit.mask).map(|(name, _)| name);
    Wish {
        service: service.name.clone(),
        container: names::container(project, service, index),
        privilege: machine.privilege,
        features: machine.features.iter().copied().collect::<BTreeSet<Feature>>(),
        init: machine.init.clone(),
        cap_add: service.cap_add.clone(),
        security_opt: service.security_opt.clone(),
        privileged: service.privileged,
        host_users: service.userns_mode.as_deref() == Some("host"),
        runtime: service.runtime.clone(),
        limited: service.limits.is_bound(),
        mask_defaults: machine.mask_defaults,
        own_units: machine.enable.iter().chain(named).chain([&machine.target]).cloned().collect(),
        volatile_journal: match machine.journal.storage {
            JournalStorage::Volatile | JournalStorage::None => true,
            JournalStorage::Persistent | JournalStorage::Auto => false,
        },
        own_targets: service.mounts.iter().map(|mount| mount.target.clone()).collect(),
    }
}

/// All that does not depend on systemd.
fn plain(project: &Project, service: &Service, index: u32, name: &str) -> ContainerSpec {
    let (mounts, tmpfs) = mounts(project, &service.mounts);
    ContainerSpec {
        name: name.to_owned(),
        service: service.name.clone(),
        image: service.image.reference().to_owned(),
        entrypoint: service.entrypoint.clone(),
        command: service.command.clone(),
        environment: service.environment.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        hostname: service.hostname.clone(),
        domainname: service.domainname.clone(),
        user: service.user.clone(),
        working_dir: service.working_dir.clone(),
        tty: service.tty,
        stdin_open: service.stdin_open,
        stop_signal: service.stop_signal.clone(),
        stop_grace_period: service.stop_grace_period,
        labels: service.labels.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        ports: service.ports.clone(),
        expose: service.expose.clone(),
        mounts,
        tmpfs,
        cgroupns: service.namespaces.cgroup,
        cgroup_parent: service.limits.parent.clone(),
        security_opt: service.security_opt.clone(),
        cap_add: service.cap_add.clone(),
        cap_drop: service.cap_drop.clone(),
        privileged: service.privileged,
        devices: devices::by_path(service),
        device_requests: devices::requests(service),
        device_cgroup_rules: service.hardware.cgroup_rules.clone(),
        sysctls: service.sysctls.clone(),
        ulimits: service.ulimits.clone(),
        limits: service.limits.clone(),
        namespaces: ties::namespaces(project, service, index),
        links: ties::links(project, service),
        volumes_from: ties::volumes_from(project, service, index),
        logging: service.logging.clone(),
        annotations: service.annotations.clone(),
        group_add: service.group_add.clone(),
        storage_opt: service.storage_opt.clone(),
        platform: service.platform.clone(),
        mac_address: service.mac_address.clone(),
        restart: service.restart.clone(),
        healthcheck: service.healthcheck.clone(),
        extra_hosts: service.extra_hosts.clone(),
        dns: service.dns.iter().map(ToString::to_string).collect(),
        dns_search: service.dns_search.clone(),
        dns_opt: service.dns_opt.clone(),
        read_only: service.read_only,
        shm_size: service.shm_size,
        init: service.init,
        runtime: service.runtime.clone(),
        userns_mode: service.userns_mode.clone(),
        network: network(project, service, index, name),
        files: Vec::new(),
        notify_dir: None,
        machine: false,
    }
}

/// Adds what makes a container a machine.
fn make_machine(
    spec: &mut ContainerSpec,
    project: &Project,
    service: &Service,
    index: u32,
    machine: &Machine,
    decision: &Decision,
) {
    let grant = &decision.grant;
    spec.machine = true;
    spec.entrypoint = Some(decision.entrypoint.clone());
    spec.command = Some(arguments(machine, decision));
    spec.environment.extend(environment(project, service, index, machine, decision));
    if spec.hostname.is_none() && !shares_network(&service.network) {
        spec.hostname = Some(names::hostname(service, index));
    }
    spec.user = None;
    spec.tty = true;
    spec.init = Some(false);
    spec.stop_signal.get_or_insert_with(|| boot::STOP_SIGNAL.to_owned());
    spec.tmpfs.extend(decision.tmpfs.clone());
    spec.cgroupns = Some(grant.cgroupns);
    spec.cgroup_parent.clone_from(&grant.cgroup_parent);
    spec.privileged = grant.privileged;
    add_new(&mut spec.cap_add, &grant.cap_add);
    add_new(&mut spec.security_opt, &grant.security_opt);
    for device in &grant.devices {
        if spec.devices.iter().all(|known| known.target != *device) {
            spec.devices.push(Device {
                source: device.clone(),
                target: device.clone(),
                permissions: "rwm".to_owned(),
            });
        }
    }
    let free = |target: &str| service.mounts.iter().all(|mount| mount.target != target);
    let binds = grant.binds.iter().filter(|bind| free(&bind.target)).map(|bind| MountSpec {
        target: bind.target.clone(),
        source: MountSpecSource::Bind {
            path: bind.source.clone(),
            create: true,
            propagation: None,
            selinux: None,
            recursive: None,
        },
        read_only: bind.read_only,
    });
    spec.mounts.splice(0..0, binds);
    spec.files.splice(0..0, files::of_machine(project, service, machine, decision));
}

fn add_new(list: &mut Vec<String>, more: &[String]) {
    for word in more {
        if !list.contains(word) {
            list.push(word.clone());
        }
    }
}

/// The arguments of PID 1. In a container they are systemd's kernel command line (systemd(1)); the generator
/// that reads `systemd.wants=` hangs the units below `systemd.unit=`, not below `--unit=`
/// (`src/debug-generator/debug-generator.c`; measured on 247-262). Every user inside can read them: no value
/// of the manifest that may be secret comes here.
fn arguments(machine: &Machine, decision: &Decision) -> Vec<String> {
    let mut arguments = vec!["--log-color=0".to_owned(), "--show-status=1".to_owned()];
    if machine.log_level != "info" {
        arguments.push(format!("--log-level={}", machine.log_level));
    }
    if let Some(target) = &machine.log_target {
        arguments.push(format!("--log-target={target}"));
    }
    arguments.push(format!("systemd.unit={}", machine.target));
    let from_units = |wanted: fn(&crate::project::UnitFile) -> bool| {
        machine.units.iter().filter(move |(_, unit)| wanted(unit)).map(|(name, _)| name)
    };
    let wanted = once(machine.enable.iter().chain(from_units(|unit| unit.enable)));
    let masked = once(machine.mask.iter().chain(from_units(|unit| unit.mask)).chain(&decision.masks));
    arguments.extend(wanted.iter().map(|unit| format!("systemd.wants={unit}")));
    arguments.extend(masked.iter().map(|unit| format!("systemd.mask={unit}")));
    arguments.extend(machine.args.iter().cloned());
    arguments
}

/// Keeps the first of each unit, in order.
fn once<'a>(units: impl Iterator<Item = &'a UnitName>) -> Vec<&'a UnitName> {
    let mut seen = BTreeSet::new();
    units.filter(|unit| seen.insert(*unit)).collect()
}

/// The part of PID 1's environment that is not the manifest's. A `TERM` of the manifest stays.
fn environment(
    project: &Project,
    service: &Service,
    index: u32,
    machine: &Machine,
    decision: &Decision,
) -> BTreeMap<String, String> {
    let mut environment = decision.environment.clone();
    if service.environment.contains_key("TERM") {
        environment.remove("TERM");
    }
    if let Some(id) = names::identity(project, service, index, &machine.identity) {
        environment.insert("container_uuid".to_owned(), id);
    }
    if !machine.credentials.is_empty() || file_objects::credentials(project, service).next().is_some() {
        environment.insert("CREDENTIALS_DIRECTORY".to_owned(), files::CREDENTIALS_DIR.to_owned());
    }
    environment
}

/// Our labels of one container.
fn labels(
    project: &Project,
    service: &Service,
    index: u32,
    decision: Option<&Decision>,
    image_id: &str,
) -> BTreeMap<String, String> {
    let files: Vec<String> = project.files.iter().map(|path| text(path)).collect();
    ContainerLabels {
        project: project.name.clone(),
        directory: text(&project.directory),
        files: files.join(","),
        service: service.name.clone(),
        index,
        fingerprint: fingerprint::of(project, service, image_id).to_label(),
        depends_on: needs(service).map(str::to_owned).collect(),
        machine: decision.map(|decision| MachineLabels {
            init: decision.init.clone(),
            version: decision.version,
            profile: decision.profile.as_str().to_owned(),
        }),
    }
    .encode()
}

/// Names the services that must be there before this one, each once: those it depends on, and those whose
/// namespaces or mounts it takes.
pub fn needs(service: &Service) -> impl Iterator<Item = &str> {
    let mut seen: Vec<&str> = Vec::new();
    let made_with = service.made_with().filter(move |other| {
        let new = !service.depends_on.contains_key(*other) && !seen.contains(other);
        seen.push(other);
        new
    });
    service.depends_on.keys().map(String::as_str).chain(made_with)
}

/// The engine's own socket, where it is asked for, at the path where clients look for it; on a remote engine
/// it is where it usually is. Credentials of registries stay with the user.
fn api_socket(service: &Service, facts: &Facts) -> Option<MountSpec> {
    const SOCKET: &str = "/var/run/docker.sock";
    service.use_api_socket.then(|| MountSpec {
        target: SOCKET.to_owned(),
        source: MountSpecSource::Bind {
            path: facts.socket.clone().unwrap_or_else(|| SOCKET.to_owned()),
            create: false,
            propagation: None,
            selinux: None,
            recursive: None,
        },
        read_only: false,
    })
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Tells whether a container lives in another one's network namespace, where the engine refuses a host name.
fn shares_network(choice: &NetworkChoice) -> bool {
    match choice {
        NetworkChoice::Service(_) | NetworkChoice::Container(_) => true,
        NetworkChoice::Mode(mode) => mode.starts_with("container:"),
        NetworkChoice::Join(_) => false,
    }
}

fn network(project: &Project, service: &Service, index: u32, name: &str) -> NetworkSpecChoice {
    match &service.network {
        // Compose joins no network either.
        NetworkChoice::Mode(mode) if mode.is_empty() => NetworkSpecChoice::Mode("none".to_owned()),
        NetworkChoice::Mode(mode) => NetworkSpecChoice::Mode(mode.clone()),
        NetworkChoice::Container(container) => NetworkSpecChoice::Mode(format!("container:{container}")),
        NetworkChoice::Service(other) => {
            NetworkSpecChoice::Mode(format!("container:{}", ties::partner(project, other, index)))
        }
        NetworkChoice::Join(networks) => NetworkSpecChoice::Join(joins(project, service, networks, name)),
    }
}

fn joins(
    project: &Project,
    service: &Service,
    networks: &IndexMap<String, Attachment>,
    name: &str,
) -> Vec<JoinSpec> {
    let mut ordered: Vec<(&String, &Attachment)> = networks.iter().collect();
    ordered.sort_by_key(|(_, attachment)| std::cmp::Reverse(attachment.priority));
    let links = ties::links(project, service);
    ordered
        .into_iter()
        .enumerate()
        .map(|(at, (key, attachment))| {
            let Attachment {
                aliases: own,
                ipv4_address,
                ipv6_address,
                mac_address,
                link_local_ips,
                driver_opts,
                interface_name,
                gw_priority,
                priority: _,
            } = attachment;
            let mut driver_opts = driver_opts.clone();
            if let Some(interface) = interface_name {
                driver_opts.insert(INTERFACE_NAME.to_owned(), interface.clone());
            }
            let mut aliases = vec![service.name.clone()];
            add_new(&mut aliases, &[name.to_owned()]);
            add_new(&mut aliases, own);
            JoinSpec {
                network: network_name(project, key),
                aliases,
                ipv4_address: ipv4_address.clone(),
                ipv6_address: ipv6_address.clone(),
                // The service's own address is that of the first network.
                mac_address: mac_address.clone().or_else(|| service.mac_address.clone().filter(|_| at == 0)),
                link_local_ips: link_local_ips.clone(),
                driver_opts,
                gw_priority: *gw_priority,
                links: links.clone(),
            }
        })
        .collect()
}

/// Returns a network's name in the engine.
#[must_use]
pub fn network_name(project: &Project, key: &str) -> String {
    project
        .networks
        .get(key)
        .map_or_else(|| format!("{}_{key}", project.name), |network| network.name.clone())
}

/// Returns a volume's name in the engine.
#[must_use]
pub fn volume_name(project: &Project, key: &str) -> String {
    project.volumes.get(key).map_or_else(|| format!("{}_{key}", project.name), |volume| volume.name.clone())
}

/// Splits a service's mounts into the engine's two kinds.
fn mounts(project: &Project, mounts: &[Mount]) -> (Vec<MountSpec>, BTreeMap<String, String>) {
    let mut specs = Vec::new();
    let mut tmpfs = BTreeMap::new();
    for Mount { target, source, read_only, consistency: _ } in mounts {
        let source = match source {
            MountSource::Volume { key, options } => {
                MountSpecSource::Volume { name: volume_name(project, key), options: options.clone() }
            }
            MountSource::Anonymous(options) => MountSpecSource::Anonymous(options.clone()),
            MountSource::Bind { path, create, propagation, selinux, recursive } => MountSpecSource::Bind {
                path: text(path),
                create: create.makes(),
                propagation: propagation.clone(),
                selinux: *selinux,
                recursive: *recursive,
            },
            MountSource::Image { reference, subpath } => {
                MountSpecSource::Image { reference: reference.clone(), subpath: subpath.clone() }
            }
            // No engine for Linux containers has them, which stops the run before.
            MountSource::NamedPipe(_) | MountSource::Cluster(_) => continue,
            MountSource::Tmpfs { size, mode, options } => {
                tmpfs.insert(target.clone(), tmpfs_options(*size, *mode, options.as_deref(), *read_only));
                continue;
            }
        };
        specs.push(MountSpec { target: target.clone(), source, read_only: *read_only });
    }
    (specs, tmpfs)
}

/// Writes the options of a tmpfs mount.
fn tmpfs_options(size: Option<u64>, mode: Option<u32>, options: Option<&str>, read_only: bool) -> String {
    let mut words: Vec<String> = Vec::new();
    words.extend(options.filter(|options| !options.is_empty()).map(str::to_owned));
    words.extend(size.map(|size| format!("size={size}")));
    words.extend(mode.map(|mode| format!("mode={mode:o}")));
    words.extend(read_only.then(|| "ro".to_owned()));
    words.join(",")
}
