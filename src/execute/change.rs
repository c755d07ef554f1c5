//! Changes of a container in place: what the engine sets, what is written into a machine, units that take it
//! anew; and what is kept in mind of it afterwards.
//!
//! Before the first of them the container is noted as open, and after the last one as what it is then: a run
//! that is cut off in between leaves a container that the next one looks into.

use std::time::Duration;

use super::call::Hands;
use super::failure;
use super::step::Ended;
use crate::container::{FileSpec, file_objects};
use crate::engine::{Call, Done, EngineError, ExecOutput};
use crate::observed::Applied;
use crate::plan::{Action, Settled};
use crate::systemd::UnitName;
use crate::systemd::unit_call::{self, UnitCall};

/// Time for a command that only touches files.
const FILES_TIME: Duration = Duration::from_secs(30);
/// Time for calls to units: a unit may take the default of 90 s to stop and as long to start
/// (systemd-system.conf(5)).
const UNITS_TIME: Duration = Duration::from_secs(200);

/// systemctl's exit code where a unit does not exist (systemctl(1), "Exit status").
const NOT_FOUND: i64 = 5;

/// Notes that a container is about to be changed.
pub(super) async fn begin(hands: &Hands<'_>, container: &str) -> Result<(), EngineError> {
    let call = Call::Remember { container: container.to_owned(), applied: Applied::Unknown };
    hands.call(&call).await.map(drop)
}

/// Keeps in mind what a container is once the last change is done.
pub(super) async fn settle(hands: &Hands<'_>, action: &Action, container: &str, settled: &Settled) -> Ended {
    let Settled { applied, record } = settled;
    let settling = async {
        if let Some(record) = record {
            let call = Call::Put { container: container.to_owned(), files: vec![record.clone()] };
            hands.call(&call).await?;
        }
        hands.call(&Call::Remember { container: container.to_owned(), applied: applied.clone() }).await
    };
    match settling.await {
        Ok(_) => Ended::Done,
        Err(error) => Ended::Failed(Box::new(failure::of_error(hands, action, &error).await)),
    }
}

/// What is written into a machine.
pub(super) struct Write<'a> {
    /// The files.
    pub(super) files: &'a [FileSpec],
    /// Paths of what is taken away.
    pub(super) remove: &'a [String],
    /// Whether the machine runs.
    pub(super) runs: bool,
    /// Whether systemd-tmpfiles copies anew.
    pub(super) copies: bool,
}

/// Writes files, takes files away, and lets systemd read its files anew.
pub(super) async fn write(hands: &Hands<'_>, action: &Action, container: &str, write: Write<'_>) -> Ended {
    let Write { files, remove, runs, copies } = write;
    if !files.is_empty() {
        let call = Call::Put { container: container.to_owned(), files: files.to_vec() };
        if let Err(error) = hands.call(&call).await {
            return Ended::Failed(Box::new(failure::of_error(hands, action, &error).await));
        }
    }
    let removal = (!remove.is_empty()).then(|| {
        ["rm", "-f", "--"].into_iter().map(str::to_owned).chain(remove.iter().cloned()).collect::<Vec<_>>()
    });
    let reload = runs.then(unit_call::reload_command);
    let copy = (runs && copies)
        .then(|| ["systemd-tmpfiles", "--create", file_objects::TMPFILES].map(str::to_owned).to_vec());
    for command in removal.into_iter().chain(copy).chain(reload) {
        match run(hands, container, command, FILES_TIME).await {
            Ok(output) if output.code == 0 => {}
            Ok(output) => return Ended::Failed(Box::new(failure::of_command(container, action, &output))),
            Err(error) => return Ended::Failed(Box::new(failure::of_error(hands, action, &error).await)),
        }
    }
    Ended::Done
}

/// Starts, stops or restarts units.
pub(super) async fn units(
    hands: &Hands<'_>,
    action: &Action,
    container: &str,
    call: UnitCall,
    units: &[UnitName],
) -> Ended {
    match run(hands, container, call.command(units), UNITS_TIME).await {
        Ok(output) if output.code == 0 || (output.code == NOT_FOUND && may_lack(call)) => Ended::Done,
        Ok(output) => {
            Ended::Failed(Box::new(failure::of_units(hands, container, action, units, &output).await))
        }
        Err(error) => Ended::Failed(Box::new(failure::of_error(hands, action, &error).await)),
    }
}

/// Tells whether it is all the same to a call that there is no such unit: what is not there does not run.
fn may_lack(call: UnitCall) -> bool {
    match call {
        UnitCall::Stop | UnitCall::TryRestart => true,
        UnitCall::Start | UnitCall::Restart | UnitCall::ReloadOrRestart => false,
    }
}

async fn run(
    hands: &Hands<'_>,
    container: &str,
    command: Vec<String>,
    timeout: Duration,
) -> Result<ExecOutput, EngineError> {
    match hands.call(&Call::Run { container: container.to_owned(), command, timeout }).await? {
        Done::Ran(output) => Ok(output),
        Done::Nothing | Done::Created { .. } | Done::Already | Done::Looked(_) => Ok(ExecOutput::default()),
    }
}
