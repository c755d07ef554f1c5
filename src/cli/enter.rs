//! When a command may be run inside a machine. Before its PID 1 owns its cgroup, a process that enters the
//! container can keep systemd from setting itself up; a boot that shows progress is past that.

use futures_util::StreamExt;

use crate::engine::{Engine, Signal};
use crate::error::Error;
use crate::observed::ObservedContainer;

/// Waits until commands may be run inside a machine; says whether they may.
pub(super) async fn enterable(engine: &dyn Engine, container: &str, ready_seen: bool) -> bool {
    if ready_seen {
        return true;
    }
    let mut signals = engine.signals(container);
    while let Some(signal) = signals.next().await {
        match signal {
            Ok(Signal::Booting { .. } | Signal::Ready) => return true,
            Ok(Signal::Exited { .. } | Signal::NotStarted) | Err(_) => return false,
            Ok(Signal::Running | Signal::Health(_)) => {}
        }
    }
    false
}

/// The same for a container that a person wants to enter; a plain one may be entered at once.
///
/// # Errors
/// The machine ended before it could be entered.
pub(super) async fn entered(engine: &dyn Engine, container: &ObservedContainer) -> Result<(), Error> {
    let machine = container.labels.machine.is_some();
    if !machine || enterable(engine, &container.name, container.ready_seen).await {
        return Ok(());
    }
    let what = format!("{} ended before it had booted far enough", container.name);
    Err(Error::usage(what).help(format!("sdcompose logs {}", container.labels.service)))
}
