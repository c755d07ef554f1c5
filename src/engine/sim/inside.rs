//! Commands that are run inside a simulated container: what its script says of them, else the toy systemd.

use std::time::Duration;

use tokio::time::Instant;

use super::toy_systemd;
use super::world::World;
use crate::engine::{EngineError, ExecOutput, RefusalKind};

/// Time that a command takes by its container's script.
pub(super) fn takes(world: &World, container: &str, command: &[String]) -> Duration {
    let reply = world.find(container).and_then(|found| found.script.commands.get(&command.join(" ")));
    reply.map(|reply| reply.takes).unwrap_or_default()
}

/// Runs a command; one that the script knows leaves a mark in the world's history.
pub(super) fn run(world: &mut World, container: &str, command: &[String]) -> Result<ExecOutput, EngineError> {
    world.settle();
    let now = Instant::now();
    let words = command.join(" ");
    let what = format!("run {words} in {container}");
    let refused =
        |kind, message: &str| EngineError::Refused { what: what.clone(), kind, message: message.to_owned() };
    let Some(found) = world.find(container) else {
        return Err(refused(RefusalKind::NotFound, "no such container"));
    };
    let Some(up) = found.elapsed(now) else {
        return Err(refused(RefusalKind::Conflict, "it is not running"));
    };
    let (name, script, machine) = (found.name.clone(), found.script.clone(), found.spec.machine);
    let root = found.root.clone();
    // Before PID 1 has moved into its own cgroup, a command takes its place there and the boot fails.
    if machine && script.schedule().first_progress().is_none_or(|first| up < first) {
        world.violation(format!("{what}: before its boot made progress"));
    }
    if script.commands.contains_key(&words) {
        world.tell(&name, &format!("run {words}"));
    }
    Ok(toy_systemd::run(&script, up, command, &root))
}
