//! The mutating calls, each with its deadline, its words and the meaning of its answers.

use std::time::Duration;

use bollard::models::{ContainerUpdateBody, NetworkConnectRequest, VolumeCreateRequest};
use bollard::query_parameters::{
    KillContainerOptionsBuilder, RemoveContainerOptionsBuilder, RemoveVolumeOptions,
    RenameContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use hyper::{Method, StatusCode};
use serde::Deserialize;
use tokio::time::timeout;

use crate::container::{FileSpec, NetworkSpec, VolumeSpec};
use crate::engine::{Call, Done, EngineError, Show, notify_socket};
use crate::event::Progress;
use crate::facts::Locality;

use super::archive;
use super::body;
use super::cgroups;
use super::errors::{Purpose, Trouble, of_bollard};
use super::inspect::Inspected;
use super::path::Path;
use super::wire::{bare, with_json};
use super::{Docker, Listening};

/// Time for a call that is not named below.
const DEADLINE: Duration = Duration::from_secs(60);
/// Time on top of a grace: after the kill, the engine takes networks and mounts down.
const AFTER_GRACE: Duration = Duration::from_secs(30);
/// Removing a container takes its file system apart, which on a slow disk takes its time.
const REMOVAL: Duration = Duration::from_secs(120);

#[derive(Deserialize)]
struct Created {
    #[serde(rename = "Id", alias = "ID")]
    id: String,
    /// What the engine leaves out, such as a limit that its kernel does not have.
    #[serde(rename = "Warnings", default)]
    warnings: Option<Vec<String>>,
}

impl Docker {
    /// Makes one call.
    pub(super) async fn make(&self, call: &Call, show: &Show) -> Result<Done, EngineError> {
        self.sweep().await;
        let made = match call {
            Call::CreateNetwork(spec) => self.create_network(spec).await,
            Call::CreateVolume(spec) => self.create_volume(spec).await,
            Call::CreateContainer(spec) => self.create_container(spec, show).await,
            Call::Put { container, files } => self.put(container, files).await,
            Call::Connect { container, join } => {
                let request = NetworkConnectRequest {
                    container: container.clone(),
                    endpoint_config: Some(body::network::endpoint(join)),
                };
                self.plain(DEADLINE, self.api.connect_network(&join.network, request)).await
            }
            Call::Start { container } => self.start(container).await,
            Call::Stop { container, grace } => self.stop(container, *grace).await,
            Call::Kill { container, signal } => {
                let signal = signal.as_deref().unwrap_or("SIGKILL");
                let options = KillContainerOptionsBuilder::default().signal(signal).build();
                self.plain(DEADLINE, self.api.kill_container(container, Some(options))).await
            }
            Call::Unpause { container } => self.plain(DEADLINE, self.api.unpause_container(container)).await,
            Call::Rename { container, to } => {
                let options = RenameContainerOptionsBuilder::default().name(to).build();
                self.plain(DEADLINE, self.api.rename_container(container, options)).await
            }
            Call::SetRestart { container, policy } => {
                let update = ContainerUpdateBody {
                    restart_policy: Some(body::restart(policy)),
                    ..ContainerUpdateBody::default()
                };
                self.plain(DEADLINE, self.api.update_container(container, update)).await
            }
            Call::Remove { container, volumes, force } => self.remove(container, *volumes, *force).await,
            Call::RemoveNetwork { network } => {
                gone(self.plain(DEADLINE, self.api.remove_network(network)).await)
            }
            Call::RemoveVolume { volume } => {
                gone(self.plain(DEADLINE, self.api.remove_volume(volume, None::<RemoveVolumeOptions>)).await)
            }
            Call::Pull { reference, platform } => {
                return self.pull(reference, platform.as_deref(), show).await.map(|()| Done::Nothing);
            }
            Call::Build { tag, build } => return self.build(tag, build, show).await.map(|()| Done::Nothing),
            Call::Look { reference } => return self.look(reference).await.map(Done::Looked),
        };
        made.map_err(|trouble| trouble.of(&self.endpoint, Purpose::Other, in_words(call)))
    }

    /// Makes a call of bollard that gives nothing back.
    async fn plain(
        &self,
        deadline: Duration,
        call: impl Future<Output = Result<(), bollard::errors::Error>>,
    ) -> Result<Done, Trouble> {
        match timeout(deadline, call).await {
            Ok(made) => made.map(|()| Done::Nothing).map_err(of_bollard),
            Err(_) => Err(Trouble::TimedOut(deadline)),
        }
    }

    async fn create_network(&self, spec: &NetworkSpec) -> Result<Done, Trouble> {
        let request = body::network::create(spec);
        let request = with_json(Method::POST, &Path::of(&["networks", "create"]), &request);
        let Created { id, warnings: _ } = self.wire.json(request, DEADLINE).await?;
        Ok(Done::Created { id })
    }

    /// Makes a volume. Both engines answer a name that is taken with success, so that only a later
    /// observation tells whose it is.
    async fn create_volume(&self, spec: &VolumeSpec) -> Result<Done, Trouble> {
        let VolumeSpec { name, driver, driver_opts, labels } = spec;
        let request = VolumeCreateRequest {
            name: Some(name.clone()),
            driver: driver.clone(),
            driver_opts: Some(driver_opts.clone().into_iter().collect()),
            labels: Some(labels.clone().into_iter().collect()),
            ..VolumeCreateRequest::default()
        };
        let made = timeout(DEADLINE, self.api.create_volume(request)).await;
        let made = made.map_err(|_| Trouble::TimedOut(DEADLINE))?.map_err(of_bollard)?;
        Ok(Done::Created { id: made.name })
    }

    async fn create_container(
        &self,
        spec: &crate::container::ContainerSpec,
        show: &Show,
    ) -> Result<Done, Trouble> {
        let body = body::create(spec).map_err(|error| Trouble::NotSent(error.to_string(), None))?;
        let mut path = Path::of(&["containers", "create"]).with("name", &spec.name);
        if let Some(platform) = &spec.platform {
            path = path.with("platform", platform);
        }
        let request = with_json(Method::POST, &path, &body);
        let Created { id, warnings } = self.wire.json(request, DEADLINE).await?;
        for warning in warnings.into_iter().flatten() {
            show(Progress::Warning(warning));
        }
        Ok(Done::Created { id })
    }

    async fn put(&self, container: &str, files: &[FileSpec]) -> Result<Done, Trouble> {
        let archive = archive::of(files).map_err(|error| Trouble::NotSent(error.to_string(), None))?;
        // Without the flag, a file takes the place of a whole directory of its name.
        let options =
            UploadToContainerOptionsBuilder::default().path("/").no_overwrite_dir_non_dir("true").build();
        let body = bollard::body_full(archive.into());
        self.plain(DEADLINE, self.api.upload_to_container(container, Some(options), body)).await
    }

    /// Starts a container, and listens to what a machine's systemd says, from before it can say anything.
    async fn start(&self, container: &str) -> Result<Done, Trouble> {
        let before = self.inspect(container).await?;
        let listening = self.listen(&before);
        if let Some(Listening { listener: _, directory }) = &listening {
            // Before the start, so that a run that is killed right after it leaves no directory without an owner.
            // Where it cannot be written, the directory goes with the next container of this name.
            let _ = notify_socket::claim(directory, &before.id);
        }
        let path = Path::of(&["containers", container, "start"]);
        let (status, ..) = self.wire.call(bare(Method::POST, &path), DEADLINE).await?;
        if status == StatusCode::NOT_MODIFIED {
            // It ran already, so that nothing was heard from the beginning on.
            return Ok(Done::Already);
        }
        if let Some(Listening { listener, directory: _ }) = listening {
            // Where this look fails, nobody is believed, and systemd is asked instead.
            if let Ok(after) = self.inspect(container).await {
                self.keep(listener, &after);
            }
        }
        Ok(Done::Nothing)
    }

    /// Opens the notify socket of a machine that does not run; `None` where it has none here, or where it
    /// cannot be opened: then systemd is asked.
    fn listen(&self, found: &Inspected) -> Option<Listening> {
        let runs = matches!(found.state(), crate::observed::ContainerState::Running);
        let directory = found.notify_dir(self.notify_root()?).filter(|_| !runs)?;
        match notify_socket::Listener::open(&directory) {
            Ok(listener) => Some(Listening { listener, directory }),
            Err(error) => {
                tracing::warn!("cannot listen on the notify socket in {}: {error}", directory.display());
                None
            }
        }
    }

    async fn stop(&self, container: &str, grace: Duration) -> Result<Done, Trouble> {
        let seconds = body::whole_seconds(grace).to_string();
        let path = Path::of(&["containers", container, "stop"]).with("t", &seconds);
        let (status, ..) = self.wire.call(bare(Method::POST, &path), grace + AFTER_GRACE).await?;
        Ok(if status == StatusCode::NOT_MODIFIED { Done::Already } else { Done::Nothing })
    }

    async fn remove(&self, container: &str, volumes: bool, force: bool) -> Result<Done, Trouble> {
        let found = match self.inspect(container).await {
            Ok(found) => found,
            Err(trouble) if trouble.is_status(404) => return Ok(Done::Already),
            Err(trouble) => return Err(trouble),
        };
        let options = RemoveContainerOptionsBuilder::default().v(volumes).force(force).build();
        let mut removed =
            gone(self.plain(REMOVAL, self.api.remove_container(&found.id, Some(options))).await);
        if let Err(Trouble::Status(409, message)) = &removed
            && message.contains("is already in progress")
        {
            removed = self.removed(&found.id).await;
        }
        if removed.is_ok() {
            if let Some(directory) = self.notify_root().and_then(|root| found.notify_dir(root)) {
                notify_socket::release(&directory, &found.id);
            }
            self.forget(&found.id);
            if self.endpoint.locality() == Locality::Local {
                cgroups::remove_parent(found.cgroup_parent());
            }
            if volumes {
                self.remove_anonymous(&found).await?;
            }
        }
        removed
    }

    /// Removes what the engine's own `v=true` leaves: anonymous volumes that were handed on from a container
    /// before are mounted by name, and so count as named (moby `daemon/mounts.go`, `removeMountPoints`).
    async fn remove_anonymous(&self, removed: &Inspected) -> Result<(), Trouble> {
        for volume in removed.anonymous_volumes() {
            let call = self.plain(DEADLINE, self.api.remove_volume(volume, None::<RemoveVolumeOptions>));
            match gone(call.await) {
                Ok(_) => {}
                // Another container has it now, or still.
                Err(trouble) if trouble.is_status(409) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(())
    }

    /// Waits for a removal that somebody else asked for.
    async fn removed(&self, id: &str) -> Result<Done, Trouble> {
        let path = Path::of(&["containers", id, "wait"]).with("condition", "removed");
        match self.wire.call(bare(Method::POST, &path), REMOVAL).await {
            Ok(_) => Ok(Done::Already),
            Err(trouble) if trouble.is_status(404) => Ok(Done::Already),
            Err(trouble) => Err(trouble),
        }
    }
}

/// A removal of what is not there is done.
fn gone(made: Result<Done, Trouble>) -> Result<Done, Trouble> {
    match made {
        Err(trouble) if trouble.is_status(404) => Ok(Done::Already),
        made => made,
    }
}

/// Names a call as a person would.
pub(super) fn in_words(call: &Call) -> String {
    match call {
        Call::CreateNetwork(spec) => format!("create network {}", spec.name),
        Call::CreateVolume(spec) => format!("create volume {}", spec.name),
        Call::CreateContainer(spec) => format!("create container {}", spec.name),
        Call::Put { container, files } => format!("put {} files into {container}", files.len()),
        Call::Connect { container, join } => format!("connect {container} to network {}", join.network),
        Call::Start { container } => format!("start container {container}"),
        Call::Stop { container, grace: _ } => format!("stop container {container}"),
        Call::Kill { container, signal } => {
            format!("send {} to container {container}", signal.as_deref().unwrap_or("SIGKILL"))
        }
        Call::Unpause { container } => format!("unpause container {container}"),
        Call::Rename { container, to } => format!("rename container {container} to {to}"),
        Call::SetRestart { container, policy: _ } => {
            format!("set the restart policy of container {container}")
        }
        Call::Remove { container, volumes: _, force: _ } => format!("remove container {container}"),
        Call::RemoveNetwork { network } => format!("remove network {network}"),
        Call::RemoveVolume { volume } => format!("remove volume {volume}"),
        Call::Pull { reference, platform: _ } => format!("pull {reference}"),
        Call::Build { tag, build: _ } => format!("build {tag}"),
        Call::Look { reference } => format!("look into image {reference}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_of_what_is_not_there_is_done() {
        assert_eq!(gone(Err(Trouble::Status(404, "No such network: a".into()))), Ok(Done::Already));
        assert!(gone(Err(Trouble::Status(409, "in use".into()))).is_err());
    }
}
