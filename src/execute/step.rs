//! From an action to its calls.

use super::await_step;
use super::call::Hands;
use super::change;
use super::create;
use super::failure;
use super::hook;
use super::replace;
use crate::engine::{Call, Done, EngineError, RefusalKind};
use crate::event::Failure;
use crate::facts::ImageFacts;
use crate::plan::{Action, Step};

/// How a step ended.
pub(super) enum Ended {
    /// It is done.
    Done,
    /// It is done, and something was learned of an image.
    Looked {
        /// The reference.
        reference: String,
        /// What was found.
        facts: ImageFacts,
    },
    /// It failed.
    Failed(Box<Failure>),
    /// It was interrupted and left the world in a good state.
    Cut,
}

/// Runs one step to its end.
pub(super) async fn perform(hands: &Hands<'_>, step: &Step) -> Ended {
    let action = &step.action;
    let changed = action.changes_in_place();
    if let Some(container) = changed
        && let Err(error) = change::begin(hands, container).await
    {
        return Ended::Failed(Box::new(failure::of_error(hands, action, &error).await));
    }
    let ended = act(hands, action).await;
    match (&ended, changed, &step.settles) {
        (Ended::Done, Some(container), Some(settled)) => {
            change::settle(hands, action, container, settled).await
        }
        (Ended::Done | Ended::Looked { .. } | Ended::Failed(_) | Ended::Cut, _, _) => ended,
    }
}

async fn act(hands: &Hands<'_>, action: &Action) -> Ended {
    match action {
        Action::Pull { reference, platform } => {
            let call = Call::Pull { reference: reference.clone(), platform: platform.clone() };
            cuttable(hands, single(hands, action, &call)).await
        }
        Action::Build { service: _, tag, build } => {
            let call = Call::Build { tag: tag.clone(), build: build.clone() };
            cuttable(hands, single(hands, action, &call)).await
        }
        Action::Await { container, wait } => {
            let awaited = async {
                match await_step::until(hands, container, wait).await {
                    Ok(()) => Ended::Done,
                    Err(failure) => Ended::Failed(failure),
                }
            };
            cuttable(hands, awaited).await
        }
        Action::Look { reference } => look(hands, action, reference).await,
        Action::CreateNetwork(spec) => single(hands, action, &Call::CreateNetwork(spec.clone())).await,
        Action::CreateVolume(spec) => single(hands, action, &Call::CreateVolume(spec.clone())).await,
        Action::Create(spec) => ended(hands, action, create::create(hands, spec).await).await,
        Action::Start { container } => {
            single(hands, action, &Call::Start { container: container.clone() }).await
        }
        Action::Hook(run) => hook::perform(hands, run).await,
        Action::Replace { spec, wait, grace, keep_anonymous, hooks } => {
            let change =
                replace::Change { spec, wait, grace: *grace, keep_anonymous: *keep_anonymous, hooks };
            replace::replace(hands, action, change).await
        }
        Action::Recover { container, aside, outcome, grace, restart } => {
            let recovery = replace::Recovering { container, aside, grace: *grace, restart };
            ended(hands, action, recovery.run(hands, *outcome).await).await
        }
        Action::Update { container, limits, restart } => {
            let limits =
                limits.clone().map(|limits| Call::SetLimits { container: container.clone(), limits });
            let restart = restart.clone();
            let restart = restart.map(|policy| Call::SetRestart { container: container.clone(), policy });
            for call in limits.into_iter().chain(restart) {
                if let Err(error) = hands.call(&call).await {
                    return Ended::Failed(Box::new(failure::of_error(hands, action, &error).await));
                }
            }
            Ended::Done
        }
        Action::Connect { container, join } => {
            let call = Call::Connect { container: container.clone(), join: join.clone() };
            single(hands, action, &call).await
        }
        Action::Disconnect { container, network } => {
            let call = Call::Disconnect { container: container.clone(), network: network.clone() };
            ended(hands, action, gone_is_fine(hands.call(&call).await)).await
        }
        Action::Write { container, files, remove, runs, copies } => {
            let write = change::Write { files, remove, runs: *runs, copies: *copies };
            change::write(hands, action, container, write).await
        }
        Action::Units { container, call, units } => {
            change::units(hands, action, container, *call, units).await
        }
        Action::Stop { container, grace } => {
            let call = Call::Stop { container: container.clone(), grace: *grace };
            ended(hands, action, gone_is_fine(hands.call(&call).await)).await
        }
        Action::Kill { container, signal } => {
            let call = Call::Kill { container: container.clone(), signal: signal.clone() };
            single(hands, action, &call).await
        }
        Action::Unpause { container } => {
            single(hands, action, &Call::Unpause { container: container.clone() }).await
        }
        Action::Rename { from, to } => {
            single(hands, action, &Call::Rename { container: from.clone(), to: to.clone() }).await
        }
        Action::Remove { container, volumes } => {
            let call = Call::Remove { container: container.clone(), volumes: *volumes, force: false };
            ended(hands, action, gone_is_fine(hands.call(&call).await)).await
        }
        Action::RemoveNetwork { network } => {
            let call = Call::RemoveNetwork { network: network.clone() };
            ended(hands, action, gone_is_fine(hands.call(&call).await)).await
        }
        Action::RemoveVolume { volume } => {
            let call = Call::RemoveVolume { volume: volume.clone() };
            ended(hands, action, gone_is_fine(hands.call(&call).await)).await
        }
    }
}

/// What is not there any more is as good as stopped and removed.
pub(super) fn gone_is_fine<T>(result: Result<T, EngineError>) -> Result<(), EngineError> {
    match result {
        Ok(_) | Err(EngineError::Refused { kind: RefusalKind::NotFound, .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn single(hands: &Hands<'_>, action: &Action, call: &Call) -> Ended {
    ended(hands, action, hands.call(call).await.map(drop)).await
}

async fn look(hands: &Hands<'_>, action: &Action, reference: &str) -> Ended {
    match hands.call(&Call::Look { reference: reference.to_owned() }).await {
        Ok(Done::Looked(facts)) => Ended::Looked { reference: reference.to_owned(), facts },
        Ok(Done::Nothing | Done::Already | Done::Created { .. } | Done::Ran(_)) => Ended::Done,
        Err(error) => Ended::Failed(Box::new(failure::of_error(hands, action, &error).await)),
    }
}

async fn ended(hands: &Hands<'_>, action: &Action, result: Result<(), EngineError>) -> Ended {
    match result {
        Ok(()) => Ended::Done,
        Err(error) => Ended::Failed(Box::new(failure::of_error(hands, action, &error).await)),
    }
}

/// Ends at once when interrupted: for steps that may be left at any time.
async fn cuttable(hands: &Hands<'_>, step: impl Future<Output = Ended>) -> Ended {
    tokio::select! {
        biased;
        ended = step => ended,
        () = hands.interrupt.cancelled() => Ended::Cut,
    }
}
