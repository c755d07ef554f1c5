//! What each call does to a simulated engine: the semantics and refusals of Docker 20.10, and of Podman 4.3
//! where it differs (both measured).

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::changes;
use super::root::Root;
use super::script::Script;
use super::world::{Container, Image, Life, Network, Volume, World};
use crate::container::{ContainerSpec, MountSpecSource, NetworkSpecChoice};
use crate::engine::{Call, Done, EngineError, RefusalKind};
use crate::facts::{EngineKind, ImageFacts};
use crate::labels::KEY_PROJECT;
use crate::observed::Applied;

type Result = std::result::Result<Done, EngineError>;

/// Returns a call in words.
pub(super) fn words(call: &Call) -> String {
    match call {
        Call::CreateNetwork(spec) => format!("create network {}", spec.name),
        Call::CreateVolume(spec) => format!("create volume {}", spec.name),
        Call::CreateContainer(spec) => format!("create container {}", spec.name),
        Call::Put { container, files } => format!("put {} files into {container}", files.len()),
        Call::Connect { container, join } => format!("connect {container} to {}", join.network),
        Call::Start { container } => format!("start {container}"),
        Call::Stop { container, grace: _ } => format!("stop {container}"),
        Call::Kill { container, signal } => {
            format!("kill {container} with {}", signal.as_deref().unwrap_or("SIGKILL"))
        }
        Call::Unpause { container } => format!("unpause {container}"),
        Call::Rename { container, to } => format!("rename {container} to {to}"),
        Call::SetRestart { container, policy } => format!("set restart of {container} to {policy:?}"),
        Call::SetLimits { container, limits: _ } => format!("set limits of {container}"),
        Call::Disconnect { container, network } => format!("disconnect {container} from {network}"),
        Call::Run { container, command, timeout: _ } => format!("run {} in {container}", command.join(" ")),
        Call::Remember { container, applied } => {
            let what = match applied {
                Applied::AsMade => "as made",
                Applied::Is(_) => "changed",
                Applied::Unknown => "open",
            };
            format!("remember {container} as {what}")
        }
        Call::Remove { container, volumes: _, force: _ } => format!("remove {container}"),
        Call::RemoveNetwork { network } => format!("remove network {network}"),
        Call::RemoveVolume { volume } => format!("remove volume {volume}"),
        Call::Pull { reference, platform: _ } => format!("pull {reference}"),
        Call::Build { tag, build: _ } => format!("build {tag}"),
        Call::Look { reference } => format!("look into {reference}"),
    }
}

/// Does a call. A stop that takes its time is only begun; `World::settle` ends it.
pub(super) fn apply(world: &mut World, call: &Call) -> Result {
    world.settle();
    guard(world, call);
    let refused = |kind: RefusalKind, message: &str| {
        Err(EngineError::Refused { what: words(call), kind, message: message.to_owned() })
    };
    let done = match call {
        Call::CreateNetwork(spec) => {
            if world.networks.values().any(|network| network.name == spec.name) {
                return refused(RefusalKind::NameTaken, "network with that name exists");
            }
            let id = id_of(world.next_serial());
            let network = Network { name: spec.name.clone(), labels: spec.labels.clone() };
            world.networks.insert(id.clone(), network);
            Done::Created { id }
        }
        Call::CreateVolume(spec) => {
            // Measured: a volume of that name is kept with its old labels, without a warning.
            let serial = world.next_serial();
            world.volumes.entry(spec.name.clone()).or_insert(Volume {
                labels: spec.labels.clone(),
                anonymous: false,
                serial,
            });
            Done::Created { id: spec.name.clone() }
        }
        Call::CreateContainer(spec) => create(world, call, spec)?,
        Call::RemoveNetwork { network } => {
            if let Some(user) =
                world.containers.values().find(|c| c.is_active() && c.networks.contains_key(network))
            {
                let message = format!("network has active endpoints ({})", user.name);
                return refused(RefusalKind::Conflict, &message);
            }
            let before = world.networks.len();
            world.networks.retain(|id, found| found.name != *network && id != network);
            if world.networks.len() == before { Done::Already } else { Done::Nothing }
        }
        Call::RemoveVolume { volume } => {
            if let Some(user) =
                world.containers.values().find(|c| c.volumes.values().any(|used| used == volume))
            {
                let message = format!("volume is in use by {}", user.name);
                return refused(RefusalKind::Conflict, &message);
            }
            if world.volumes.remove(volume).is_none() { Done::Already } else { Done::Nothing }
        }
        Call::Pull { reference, platform: _ } => match world.images.get_mut(reference) {
            Some(image) => {
                image.present = true;
                Done::Nothing
            }
            None => return refused(RefusalKind::Registry, "manifest unknown"),
        },
        Call::Build { tag, build: _ } => {
            let facts = ImageFacts { id: format!("sha256:built-{}", world.next_serial()), systemd: None };
            let image = Image { facts, script: Script::plain(), present: true, looked: false };
            world.images.entry(tag.clone()).or_insert(image).present = true;
            Done::Nothing
        }
        Call::Look { reference } => match world.images.get_mut(reference).filter(|image| image.present) {
            Some(image) => {
                image.looked = true;
                Done::Looked(image.facts.clone())
            }
            None => return refused(RefusalKind::NotFound, "no such image"),
        },
        Call::Put { container, .. }
        | Call::Connect { container, .. }
        | Call::Start { container }
        | Call::Stop { container, .. }
        | Call::Kill { container, .. }
        | Call::Unpause { container }
        | Call::Rename { container, .. }
        | Call::SetRestart { container, .. }
        | Call::SetLimits { container, .. }
        | Call::Disconnect { container, .. }
        | Call::Run { container, .. }
        | Call::Remember { container, .. }
        | Call::Remove { container, .. } => of_container(world, call, container)?,
    };
    world.check();
    Ok(done)
}

fn id_of(serial: u64) -> String {
    format!("{serial:064x}")
}

fn create(world: &mut World, call: &Call, spec: &ContainerSpec) -> Result {
    let refused =
        |kind: RefusalKind, message: String| Err(EngineError::Refused { what: words(call), kind, message });
    if world.containers.values().any(|container| container.name == spec.name) {
        return refused(RefusalKind::NameTaken, format!("the name {} is in use", spec.name));
    }
    let found = world.images.get(&spec.image).filter(|image| image.present);
    let Some((script, image_id)) = found.map(|image| (image.script.clone(), image.facts.id.clone())) else {
        return refused(RefusalKind::NotFound, format!("no such image: {}", spec.image));
    };
    let first = match &spec.network {
        NetworkSpecChoice::Join(joins) => joins.first().map(|join| join.network.clone()),
        NetworkSpecChoice::Mode(_) => None,
    };
    if let Some(name) = first.as_ref().filter(|name| !world.networks.values().any(|n| n.name == **name)) {
        return refused(RefusalKind::NotFound, format!("network {name} not found"));
    }
    let serial = world.next_serial();
    let container = Container {
        id: id_of(serial),
        name: spec.name.clone(),
        spec: spec.clone(),
        script,
        image_id,
        life: Life::Created,
        restart: spec.restart.clone(),
        networks: first.into_iter().map(|name| (name.clone(), world.network_id(&name))).collect(),
        limits: spec.limits.clone(),
        root: Root::default(),
        applied: if world.facts.notify_root.is_some() { Applied::AsMade } else { Applied::Unknown },
        volumes: BTreeMap::new(),
        ready_seen: None,
        serial,
    };
    let id = container.id.clone();
    world.containers.insert(id.clone(), container);
    mount_volumes(world, &id);
    world.tell(&spec.name, "create");
    Ok(Done::Created { id })
}

/// Makes the volumes that a new container mounts and that do not exist.
fn mount_volumes(world: &mut World, id: &str) {
    let Some(container) = world.containers.get(id) else { return };
    let mut mounts: Vec<(String, String, bool)> =
        container.named_mounts().map(|(target, name)| (target.to_owned(), name.to_owned(), false)).collect();
    let anonymous =
        container.spec.mounts.iter().filter(|mount| matches!(mount.source, MountSpecSource::Anonymous(_)));
    let targets: Vec<String> = anonymous.map(|mount| mount.target.clone()).collect();
    for target in targets {
        let name = id_of(world.next_serial());
        mounts.push((target, name, true));
    }
    for (target, name, anonymous) in mounts {
        let serial = world.next_serial();
        let labels = BTreeMap::new();
        world.volumes.entry(name.clone()).or_insert(Volume { labels, anonymous, serial });
        if let Some(container) = world.containers.get_mut(id) {
            container.volumes.insert(target, name);
        }
    }
}

fn of_container(world: &mut World, call: &Call, name: &str) -> Result {
    let podman = world.facts.engine == EngineKind::Podman;
    let refused = |kind: RefusalKind, message: &str| {
        Err(EngineError::Refused { what: words(call), kind, message: message.to_owned() })
    };
    let now = Instant::now();
    let Some(container) = world.find_mut(name) else {
        if let Call::Remove { .. } = call {
            return Ok(Done::Already);
        }
        return refused(RefusalKind::NotFound, "no such container");
    };
    let (name, life) = (container.name.clone(), container.life);
    match call {
        Call::Start { .. } => return start(world, call, &name),
        Call::Stop { container: _, grace } => match life {
            Life::Running { since, ends } => {
                let takes = container.script.stop_takes;
                let end = if takes <= *grace { (now + takes, 0) } else { (now + *grace, 137) };
                container.life =
                    Life::Running { since, ends: Some(ends.map_or(end, |known| known.min(end))) };
                world.tell(&name, "stop");
            }
            Life::Paused { .. } if podman => {
                return refused(RefusalKind::Internal, "a paused container cannot be stopped");
            }
            Life::Paused { .. } => container.life = Life::Exited { code: 0 },
            Life::Restarting { until: _, code } => container.life = Life::Exited { code },
            Life::Created | Life::Exited { .. } | Life::Dead | Life::Removing { .. } => {
                return Ok(Done::Already);
            }
        },
        Call::Kill { container: _, signal } => match life {
            Life::Running { since: _, ends: _ } if signal.is_none() => {
                container.life = Life::Exited { code: 137 };
                world.tell(&name, "die 137");
            }
            Life::Running { .. } => {}
            Life::Created
            | Life::Paused { .. }
            | Life::Exited { .. }
            | Life::Restarting { .. }
            | Life::Dead
            | Life::Removing { .. } => {
                return refused(RefusalKind::Conflict, "it is not running");
            }
        },
        Call::Unpause { .. } => match life {
            Life::Paused { since } => container.life = Life::Running { since, ends: None },
            Life::Created
            | Life::Running { .. }
            | Life::Exited { .. }
            | Life::Restarting { .. }
            | Life::Dead
            | Life::Removing { .. } => {
                return refused(RefusalKind::Internal, "it is not paused");
            }
        },
        Call::Rename { container: _, to } => {
            let to = to.clone();
            if name == to {
                return if podman {
                    Ok(Done::Nothing)
                } else {
                    refused(RefusalKind::Invalid, "it has that name")
                };
            }
            if world.containers.values().any(|other| other.name == to) {
                return refused(RefusalKind::NameTaken, "the name is in use");
            }
            if let Some(container) = world.find_mut(&name) {
                container.name.clone_from(&to);
            }
            world.tell(&to, "rename");
        }
        Call::Put { .. }
        | Call::Connect { .. }
        | Call::SetRestart { .. }
        | Call::SetLimits { .. }
        | Call::Disconnect { .. }
        | Call::Run { .. }
        | Call::Remember { .. } => return changes::apply(world, call, &name),
        Call::Remove { container: _, volumes, force } => return remove(world, call, &name, *volumes, *force),
        Call::CreateNetwork(_)
        | Call::CreateVolume(_)
        | Call::CreateContainer(_)
        | Call::RemoveNetwork { .. }
        | Call::RemoveVolume { .. }
        | Call::Pull { .. }
        | Call::Build { .. }
        | Call::Look { .. } => {}
    }
    Ok(Done::Nothing)
}

fn start(world: &mut World, call: &Call, name: &str) -> Result {
    let refused =
        |kind: RefusalKind, message: String| Err(EngineError::Refused { what: words(call), kind, message });
    let Some(container) = world.find(name) else { return Ok(Done::Nothing) };
    match container.life {
        Life::Running { .. } | Life::Restarting { .. } => return Ok(Done::Already),
        Life::Paused { .. } => return refused(RefusalKind::Conflict, "it is paused".to_owned()),
        Life::Dead | Life::Removing { .. } => {
            return refused(RefusalKind::Conflict, "it is being removed".to_owned());
        }
        Life::Created | Life::Exited { .. } => {}
    }
    let ports: Vec<u16> =
        container.spec.ports.iter().filter_map(|port| port.published).map(|range| range.first).collect();
    let others = world.containers.values().filter(|other| other.id != container.id && other.is_active());
    let taken: Vec<u16> = others
        .flat_map(|other| other.spec.ports.iter().filter_map(|port| port.published).map(|range| range.first))
        .chain(world.held_ports.iter().copied())
        .collect();
    if let Some(port) = ports.iter().find(|port| taken.contains(port)) {
        let message = format!("Bind for 0.0.0.0:{port} failed: port is already allocated");
        return refused(RefusalKind::PortTaken, message);
    }
    let gone = |(name, id): &(&String, &String)| world.network_id(name) != **id;
    if let Some((_, id)) = container.networks.iter().find(gone) {
        return refused(RefusalKind::NotFound, format!("network {id} not found"));
    }
    let complete = container.spec.files.iter().all(|file| container.root.files.contains_key(&file.path));
    let joined = container.wanted_networks().iter().all(|network| container.networks.contains_key(*network));
    if !(complete && joined) {
        world.violation(format!("{name} was started half-made"));
    }
    if let Some(container) = world.find_mut(name) {
        container.life = Life::Running { since: Instant::now(), ends: None };
        container.root.stopped.clear();
    }
    world.tell(name, "start");
    Ok(Done::Nothing)
}

fn remove(world: &mut World, call: &Call, name: &str, volumes: bool, force: bool) -> Result {
    let Some(container) = world.find(name) else { return Ok(Done::Already) };
    let under_way = matches!(container.life, Life::Removing { .. });
    if under_way || (container.is_active() && !force) {
        let message = if under_way { "its removal is under way" } else { "it is running" }.to_owned();
        return Err(EngineError::Refused { what: words(call), kind: RefusalKind::Conflict, message });
    }
    let id = container.id.clone();
    let Some(gone) = world.containers.remove(&id) else { return Ok(Done::Already) };
    world.tell(name, "destroy");
    if volumes {
        let explicit: Vec<&str> = gone.named_mounts().map(|(_, volume)| volume).collect();
        for volume in gone.volumes.values().filter(|volume| !explicit.contains(&volume.as_str())) {
            let used =
                world.containers.values().any(|other| other.volumes.values().any(|name| name == volume));
            if !used {
                world.volumes.remove(volume);
            }
        }
    }
    Ok(Done::Nothing)
}

/// Notes it when a call is about to change what does not carry a project's labels.
fn guard(world: &mut World, call: &Call) {
    let foreign = match call {
        Call::RemoveNetwork { network } => world
            .networks
            .values()
            .any(|found| found.name == *network && !found.labels.contains_key(KEY_PROJECT)),
        Call::RemoveVolume { volume } => {
            world.volumes.get(volume).is_some_and(|found| !found.labels.contains_key(KEY_PROJECT))
        }
        Call::Put { container, .. }
        | Call::Connect { container, .. }
        | Call::Start { container }
        | Call::Stop { container, .. }
        | Call::Kill { container, .. }
        | Call::Unpause { container }
        | Call::Rename { container, .. }
        | Call::SetRestart { container, .. }
        | Call::SetLimits { container, .. }
        | Call::Disconnect { container, .. }
        | Call::Run { container, .. }
        | Call::Remember { container, .. }
        | Call::Remove { container, .. } => world.find(container).is_some_and(|found| !found.is_labelled()),
        Call::CreateNetwork(_)
        | Call::CreateVolume(_)
        | Call::CreateContainer(_)
        | Call::Pull { .. }
        | Call::Build { .. }
        | Call::Look { .. } => false,
    };
    if foreign {
        world.violation(format!("{} touches what is not of any project", words(call)));
    }
}
