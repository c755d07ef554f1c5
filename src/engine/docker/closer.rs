//! Containers looked at closely: what the engine enforces, what was written into a machine, and what its systemd
//! says of its services.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use hyper::Method;
use tokio::time::timeout;

use crate::container::record::{self, Record};
use crate::engine::{EngineError, ExecSpec};
use crate::observed::{Closeness, Closer, ContainerState, Enforced};
use crate::project::RestartPolicy;
use crate::systemd::show::{self, UnitUse};

use super::Docker;
use super::errors::Trouble;
use super::inspect::{HostConfig, Inspected};
use super::path::Path;
use super::wire::bare;

/// So many containers are looked at side by side.
const ABREAST: usize = 16;
const DEADLINE: Duration = Duration::from_secs(30);
/// A record has a line for each file that a machine was given.
const LARGEST: usize = 4 << 20;

impl HostConfig {
    /// Translates what the engine enforces.
    pub(super) fn enforced(&self) -> Enforced {
        Enforced {
            memory: self.memory,
            memory_reservation: self.memory_reservation,
            memory_swap: self.memory_swap,
            nano_cpus: self.nano_cpus,
            cpu_shares: self.cpu_shares,
            cpu_period: self.cpu_period,
            cpu_quota: self.cpu_quota,
            cpu_rt_period: self.cpu_realtime_period,
            cpu_rt_runtime: self.cpu_realtime_runtime,
            cpuset: self.cpuset_cpus.clone(),
            pids: self.pids_limit.unwrap_or(0),
            restart: match self.restart_policy.name.as_str() {
                "" | "no" => RestartPolicy::No,
                "always" => RestartPolicy::Always,
                "unless-stopped" => RestartPolicy::UnlessStopped,
                "on-failure" => RestartPolicy::OnFailure { max: self.restart_policy.maximum_retry_count },
                other => RestartPolicy::Unknown(other.to_owned()),
            },
        }
    }
}

impl Docker {
    /// Looks at containers, some side by side.
    pub(super) async fn look_closer(
        &self,
        wanted: &BTreeMap<String, Closeness>,
    ) -> Result<BTreeMap<String, Closer>, EngineError> {
        let wanted: Vec<(String, Closeness)> =
            wanted.iter().map(|(name, closeness)| (name.clone(), *closeness)).collect();
        let looks = wanted.into_iter().map(|(name, closeness)| async move {
            let found = self.one_closer(&name, closeness).await?;
            Ok(found.map(|found| (name, found)))
        });
        let found: Vec<Result<_, EngineError>> =
            stream::iter(looks).buffer_unordered(ABREAST).collect().await;
        found.into_iter().filter_map(Result::transpose).collect()
    }

    async fn one_closer(&self, name: &str, closeness: Closeness) -> Result<Option<Closer>, EngineError> {
        let told = |trouble: Trouble| self.told(trouble, &format!("look at container {name}"));
        let found = match self.inspect(name).await {
            Ok(found) => found,
            Err(trouble) if trouble.is_status(404) => return Ok(None),
            Err(trouble) => return Err(told(trouble)),
        };
        let record = if found.is_machine() { self.record(&found).await.map_err(told)? } else { None };
        let asks = closeness.units && found.is_machine() && found.state() == ContainerState::Running;
        let units = if asks { self.units(name).await? } else { Vec::new() };
        Ok(Some(Closer { enforced: found.host_config().enforced(), record, units }))
    }

    /// Reads the record of a machine.
    async fn record(&self, found: &Inspected) -> Result<Option<Record>, Trouble> {
        let path = Path::of(&["containers", &found.id, "archive"]).with("path", record::PATH);
        let mut chunks = match self.wire.stream(bare(Method::GET, &path), DEADLINE).await {
            Ok(chunks) => chunks,
            Err(trouble) if trouble.is_status(404) => return Ok(None),
            Err(trouble) => return Err(trouble),
        };
        let reading = async {
            let mut archive = Vec::new();
            while let Some(chunk) = chunks.next().await {
                archive.extend_from_slice(&chunk?);
                if archive.len() > LARGEST {
                    return Ok(None);
                }
            }
            Ok(first_file(&archive).and_then(|bytes| Record::parse(&bytes)))
        };
        timeout(DEADLINE, reading).await.unwrap_or(Err(Trouble::TimedOut(DEADLINE)))
    }

    async fn units(&self, name: &str) -> Result<Vec<UnitUse>, EngineError> {
        let command =
            ExecSpec { command: show::uses_command(), timeout: Some(DEADLINE), ..ExecSpec::default() };
        let output = self.run(name, &command).await?;
        Ok(show::uses(&String::from_utf8_lossy(&output.stdout)))
    }
}

/// Returns the first file of an archive.
fn first_file(archive: &[u8]) -> Option<Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    let mut entry = archive.entries().ok()?.next()?.ok()?;
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_enforces_is_read_from_its_words() {
        let read = |text: &str| serde_json::from_str::<HostConfig>(text).unwrap().enforced();
        let found = read(
            r#"{"Memory":536870912,"MemorySwap":-1,"NanoCpus":500000000,"PidsLimit":null,"CpusetCpus":"0-1",
                "RestartPolicy":{"Name":"on-failure","MaximumRetryCount":3}}"#,
        );
        assert_eq!((found.memory, found.memory_swap, found.nano_cpus), (536_870_912, -1, 500_000_000));
        assert_eq!((found.pids, found.cpuset.as_str()), (0, "0-1"));
        assert_eq!(found.restart, RestartPolicy::OnFailure { max: 3 });
        assert_eq!(read("{}"), Enforced::default());
    }
}
