//! One container, looked at closely: what its life and its start depend on.

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use hyper::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::engine::EngineError;
use crate::labels;
use crate::observed::{ContainerState, Health};

use super::Docker;
use super::body::NOTIFY_TARGET;
use super::errors::{Purpose, Trouble};
use super::observe;
use super::path::Path;
use super::wire::bare;

const DEADLINE: Duration = Duration::from_secs(30);

/// The answer of `GET /containers/x/json`, as far as it matters.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Inspected {
    pub(super) id: String,
    pub(super) state: State,
    config: Config,
    name: String,
    host_config: HostConfig,
    mounts: Option<Vec<Mount>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Mount {
    #[serde(rename = "Type")]
    kind: String,
    name: String,
}

/// What a container does.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct State {
    status: String,
    restarting: bool,
    #[serde(rename = "OOMKilled")]
    pub(super) oom_killed: bool,
    pub(super) pid: i32,
    pub(super) exit_code: i64,
    pub(super) started_at: String,
    /// Docker says `Health`, Podman has said `Healthcheck` as well.
    #[serde(alias = "Healthcheck")]
    health: Option<HealthState>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct HealthState {
    status: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Config {
    tty: bool,
    labels: Option<BTreeMap<String, String>>,
}

/// What a container was made with on this host. The resources are what the update call can change.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct HostConfig {
    binds: Option<Vec<String>>,
    cgroup_parent: String,
    pub(super) memory: i64,
    pub(super) memory_reservation: i64,
    pub(super) memory_swap: i64,
    pub(super) nano_cpus: i64,
    pub(super) cpu_shares: i64,
    pub(super) cpu_period: i64,
    pub(super) cpu_quota: i64,
    pub(super) cpu_realtime_period: i64,
    pub(super) cpu_realtime_runtime: i64,
    pub(super) cpuset_cpus: String,
    pub(super) pids_limit: Option<i64>,
    pub(super) restart_policy: Restart,
}

/// When the engine starts a container again by itself.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Restart {
    pub(super) name: String,
    pub(super) maximum_retry_count: u32,
}

impl Inspected {
    /// Names of its anonymous volumes.
    pub(super) fn anonymous_volumes(&self) -> impl Iterator<Item = &str> {
        let volumes = self.mounts.iter().flatten().filter(|mount| mount.kind == "volume");
        volumes.map(|mount| mount.name.as_str()).filter(|name| observe::is_id(name))
    }

    /// Its state; while it waits for a restart, Docker says that it runs as well (measured on 20.10).
    pub(super) fn state(&self) -> ContainerState {
        if self.state.restarting {
            return ContainerState::Restarting;
        }
        ContainerState::parse(&self.state.status)
    }

    /// Its health check's result.
    pub(super) fn health(&self) -> Option<Health> {
        match self.state.health.as_ref()?.status.as_str() {
            "healthy" => Some(Health::Healthy),
            "unhealthy" => Some(Health::Unhealthy),
            "starting" => Some(Health::Starting),
            _ => None,
        }
    }

    /// The parent of its cgroup; empty where the engine chose it.
    pub(super) fn cgroup_parent(&self) -> &str {
        &self.host_config.cgroup_parent
    }

    /// Its name, without a slash.
    pub(super) fn name(&self) -> &str {
        self.name.trim_start_matches('/')
    }

    /// What it was made with on this host.
    pub(super) fn host_config(&self) -> &HostConfig {
        &self.host_config
    }

    /// Whether it has a terminal.
    pub(super) fn tty(&self) -> bool {
        self.config.tty
    }

    /// Whether systemd is its PID 1.
    pub(super) fn is_machine(&self) -> bool {
        self.config.labels.as_ref().is_some_and(|labels| labels.contains_key(labels::KEY_INIT))
    }

    /// The directory of its notify socket on this host, where it is one of those below `root`: any other
    /// directory that somebody bound there is not ours to write to.
    pub(super) fn notify_dir(&self, root: &FilePath) -> Option<PathBuf> {
        let binds = self.host_config.binds.iter().flatten();
        binds
            .filter_map(|bind| {
                let (source, rest) = bind.split_once(':')?;
                (rest.split(':').next() == Some(NOTIFY_TARGET)).then(|| PathBuf::from(source))
            })
            .find(|directory| directory.parent() == Some(root))
    }
}

impl Docker {
    /// Looks at a container.
    pub(super) async fn inspect(&self, container: &str) -> Result<Inspected, Trouble> {
        self.wire.json(bare(Method::GET, &Path::of(&["containers", container, "json"])), DEADLINE).await
    }

    /// Returns all that the engine says of a container and of its image, as it says it; null for an image that
    /// it does not have any more.
    ///
    /// # Errors
    /// [`EngineError`] where there is no such container, or the engine does not answer.
    pub async fn describe(&self, container: &str) -> Result<(Value, Value), EngineError> {
        let what = format!("look at container {container}");
        let told = |trouble: Trouble| trouble.of(&self.endpoint, Purpose::Other, what.clone());
        let path = Path::of(&["containers", container, "json"]);
        let found: Value = self.wire.json(bare(Method::GET, &path), DEADLINE).await.map_err(told)?;
        let image = found.get("Image").and_then(Value::as_str).unwrap_or_default();
        let path = Path::of(&["images", image, "json"]);
        let image = match self.wire.json(bare(Method::GET, &path), DEADLINE).await {
            Ok(image) => image,
            Err(trouble) if trouble.is_status(404) => Value::Null,
            Err(trouble) => return Err(told(trouble)),
        };
        Ok((found, image))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_waits_for_its_restart_does_not_run() {
        let found: Inspected = serde_json::from_str(
            r#"{"Id":"4f","State":{"Status":"running","Restarting":true,"Running":true,"OOMKilled":true,
                "Health":{"Status":"healthy"}},"Config":{"Tty":true,"Labels":{"io.sdcompose.systemd.init":"/x"}},
                "HostConfig":{"Binds":["/a:/b","/state/notify/01:/run/host/sd:ro","/else/01:/run/host/sd"]}}"#,
        )
        .unwrap();
        assert_eq!(found.state(), ContainerState::Restarting);
        assert_eq!(found.health(), Some(Health::Healthy));
        assert!(found.tty() && found.is_machine() && found.state.oom_killed);
        assert_eq!(found.notify_dir(FilePath::new("/state/notify")), Some(PathBuf::from("/state/notify/01")));
        assert_eq!(found.notify_dir(FilePath::new("/other")), None);
    }

    #[test]
    fn what_an_engine_leaves_out_is_no_error() {
        let found: Inspected = serde_json::from_str(
            r#"{"Id":"4f","State":{"Status":"stopping"},"Config":{},"HostConfig":{"Binds":null}}"#,
        )
        .unwrap();
        assert_eq!(found.state(), ContainerState::Other("stopping".into()));
        assert_eq!((found.health(), found.tty(), found.is_machine()), (None, false, false));
    }
}
