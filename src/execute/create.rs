//! Making a container: created on its first network, given its files, joined to its further networks. What
//! is not finished is removed again, since a half-made container looks like a good one.

use super::call::Hands;
use super::effect;
use crate::container::{ContainerSpec, NetworkSpecChoice};
use crate::engine::{Call, Done, EngineError, RefusalKind};
use crate::observed::{ContainerState, ObservedContainer};

/// Makes a container that is complete when this returns. A container that was left half-made by a run that
/// was cut off is completed instead.
pub(super) async fn create(hands: &Hands<'_>, spec: &ContainerSpec) -> Result<(), EngineError> {
    match hands.call(&Call::CreateContainer(Box::new(spec.clone()))).await {
        Ok(_) => complete(hands, spec, None).await,
        Err(error) => {
            let left = adoptable(hands, spec, error).await?;
            complete(hands, spec, Some(&left)).await
        }
    }
}

/// Makes a container that is complete when this returns, and no other than this one.
pub(super) async fn create_own(hands: &Hands<'_>, spec: &ContainerSpec) -> Result<(), EngineError> {
    hands.call(&Call::CreateContainer(Box::new(spec.clone()))).await?;
    complete(hands, spec, None).await
}

async fn complete(
    hands: &Hands<'_>,
    spec: &ContainerSpec,
    left: Option<&ObservedContainer>,
) -> Result<(), EngineError> {
    let fitted = fit_out(hands, spec, left).await;
    if let Err(error) = fitted {
        // The error that began it is the one to tell; what stays is found by the next run.
        drop(hands.call(&removal(&spec.name)).await);
        return Err(error);
    }
    Ok(())
}

/// Returns the call that removes a container which nobody has used yet.
pub(super) fn removal(name: &str) -> Call {
    Call::Remove { container: name.to_owned(), volumes: true, force: true }
}

/// Finds out whether the holder of the name is this very container, never started: made by an earlier run
/// that was cut off before it was complete.
async fn adoptable(
    hands: &Hands<'_>,
    spec: &ContainerSpec,
    error: EngineError,
) -> Result<ObservedContainer, EngineError> {
    if !matches!(error, EngineError::Refused { kind: RefusalKind::NameTaken, .. }) {
        return Err(error);
    }
    let observed = hands.observe_containers(&[&spec.name]).await?;
    match effect::find(&observed, &spec.name) {
        Some(found) if found.state == ContainerState::Created && effect::made_from(found, spec) => {
            Ok(found.clone())
        }
        Some(_) | None => Err(error),
    }
}

async fn fit_out(
    hands: &Hands<'_>,
    spec: &ContainerSpec,
    left: Option<&ObservedContainer>,
) -> Result<Done, EngineError> {
    if !spec.files.is_empty() {
        hands.call(&Call::Put { container: spec.name.clone(), files: spec.files.clone() }).await?;
    }
    let joins = match &spec.network {
        NetworkSpecChoice::Join(joins) => joins.as_slice(),
        NetworkSpecChoice::Mode(_) => &[],
    };
    for join in joins.iter().skip(1) {
        if left.is_none_or(|found| !found.networks.contains_key(&join.network)) {
            let join = Box::new(join.clone());
            hands.call(&Call::Connect { container: spec.name.clone(), join }).await?;
        }
    }
    Ok(Done::Nothing)
}
