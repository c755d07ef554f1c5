//! What changes a container that exists, in a simulated engine.

use tokio::time::Instant;

use super::calls::words;
use super::world::World;
use crate::engine::{Call, Done, EngineError, RefusalKind};
use crate::project::Limits;

/// Changes a container.
pub(super) fn apply(world: &mut World, call: &Call, name: &str) -> Result<Done, EngineError> {
    let refused = |kind: RefusalKind, message: &str| {
        Err(EngineError::Refused { what: words(call), kind, message: message.to_owned() })
    };
    let remembers = world.facts.notify_root.is_some();
    let joined = if let Call::Connect { container: _, join } = call {
        Some((join.network.clone(), world.network_id(&join.network)))
    } else {
        None
    };
    let Some(container) = world.find_mut(name) else {
        return refused(RefusalKind::NotFound, "no such container");
    };
    match call {
        // moby daemon/archive_unix.go, `ErrRootFSReadOnly`.
        Call::Put { .. } if container.spec.read_only => {
            return refused(RefusalKind::Invalid, "container rootfs is marked read-only");
        }
        Call::Put { container: _, files } => {
            for file in files {
                container.root.files.insert(file.path.clone(), file.clone());
            }
        }
        Call::Connect { container: _, join } => {
            if container.networks.contains_key(&join.network) {
                return refused(RefusalKind::Conflict, "endpoint exists already in the network");
            }
            container.networks.extend(joined);
        }
        Call::SetRestart { container: _, policy } => container.restart = policy.clone(),
        Call::SetLimits { container: _, limits } => {
            let Limits { memory, nano_cpus, pids, .. } = limits.as_ref();
            container.limits.memory = memory.or(container.limits.memory);
            container.limits.nano_cpus = nano_cpus.or(container.limits.nano_cpus);
            container.limits.pids = pids.or(container.limits.pids);
        }
        Call::Disconnect { container: _, network } => {
            if container.networks.remove(network).is_none() {
                return Ok(Done::Already);
            }
        }
        Call::Run { container: _, command, timeout: _ } => {
            if container.elapsed(Instant::now()).is_none() {
                return refused(RefusalKind::Conflict, "it is not running");
            }
            let script = container.script.clone();
            return Ok(Done::Ran(container.root.run(&script, command)));
        }
        Call::Remember { container: _, applied } => {
            if remembers {
                container.applied = applied.clone();
            }
        }
        // These are not of a container that exists, or not changes.
        Call::Start { .. }
        | Call::Stop { .. }
        | Call::Kill { .. }
        | Call::Unpause { .. }
        | Call::Rename { .. }
        | Call::Remove { .. }
        | Call::CreateNetwork(_)
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
