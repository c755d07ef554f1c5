//! What the engine says of itself, by `GET /info` and the headers of its answer alone: `GET /version` takes
//! Podman up to a second, since it runs other programs for it (measured on 4.3).

#![expect(
    clippy::disallowed_methods,
    reason = "looks for this host's unified hierarchy and at the socket's owner"
)]

use std::os::unix::fs::MetadataExt;
use std::path::Path as FilePath;

use hyper::header::{HeaderMap, SERVER};
use serde::Deserialize;

use crate::facts::{ApiVersion, CgroupDriver, CgroupVersion, EngineKind, Facts, Locality, Rootless};

use super::endpoint::Address;
use super::wire::api_version;

/// Where a hybrid host has its cgroup v2 tree (systemd's `src/basic/cgroup-util.c`).
const UNIFIED: &str = "/sys/fs/cgroup/unified/cgroup.controllers";

/// `GET /info`, as far as it matters; each field may be missing in some engine.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Info {
    server_version: String,
    cgroup_version: String,
    cgroup_driver: String,
    security_options: Option<Vec<String>>,
    memory_limit: Option<bool>,
    cpu_cfs_quota: Option<bool>,
    pids_limit: Option<bool>,
}

/// What this host tells about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) unified: bool,
    pub(super) socket_owner: Option<u32>,
}

impl Host {
    /// Looks at this host.
    pub(super) fn look(address: &Address) -> Self {
        let socket_owner = match address {
            Address::Unix(path) => std::fs::metadata(path).ok().map(|socket| socket.uid()),
            Address::Tcp { .. } => None,
        };
        Self { unified: FilePath::new(UNIFIED).exists(), socket_owner }
    }
}

/// Tells which engine it is by the headers that each of its answers has.
pub(super) fn kind(headers: &HeaderMap) -> EngineKind {
    let server = headers.get(SERVER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if server.starts_with("Libpod") { EngineKind::Podman } else { EngineKind::Docker }
}

/// Puts the facts together.
pub(super) fn of(
    info: &Info,
    headers: &HeaderMap,
    locality: Locality,
    host: Host,
    notify_root: Option<String>,
) -> Facts {
    let option = |name: &str| {
        // `name=seccomp,profile=default`: the name is the first of the comma's parts.
        info.security_options.iter().flatten().any(|option| {
            option.split(',').next().is_some_and(|first| first.strip_prefix("name=").unwrap_or(first) == name)
        })
    };
    let rootless = option("rootless");
    Facts {
        engine: kind(headers),
        version: info.server_version.clone(),
        api: headers
            .get("api-version")
            .and_then(api_version)
            // Docker 17.04 was the last to leave the header out in places; 1.24 is what all serve.
            .unwrap_or(ApiVersion { major: 1, minor: 24 }),
        cgroup: cgroup(info, locality, host),
        driver: if info.cgroup_driver == "systemd" { CgroupDriver::Systemd } else { CgroupDriver::Cgroupfs },
        rootless: rootless
            .then_some(Rootless { uid: host.socket_owner.filter(|_| locality == Locality::Local) }),
        userns_remap: option("userns"),
        apparmor: option("apparmor"),
        selinux: option("selinux"),
        locality,
        notify_root,
        socket: None,
        // Podman leaves out what it does not know; what is not said to be missing is tried.
        memory_limit: info.memory_limit.unwrap_or(true),
        cpu_limit: info.cpu_cfs_quota.unwrap_or(true),
        pids_limit: info.pids_limit.unwrap_or(true),
    }
}

/// The engine may live in another mount namespace, so that its own word for the version counts; only
/// whether a v1 host is hybrid has to be seen here, since no engine tells.
fn cgroup(info: &Info, locality: Locality, host: Host) -> CgroupVersion {
    match (info.cgroup_version.as_str(), locality, host.unified) {
        ("2", _, _) => CgroupVersion::V2,
        (_, Locality::Remote, _) => CgroupVersion::V1Unknown,
        (_, Locality::Local, true) => CgroupVersion::Hybrid,
        (_, Locality::Local, false) => CgroupVersion::V1,
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn facts(server: &'static str, info: &str, locality: Locality, unified: bool) -> Facts {
        let mut headers = HeaderMap::new();
        headers.insert(SERVER, HeaderValue::from_static(server));
        headers.insert("Api-Version", HeaderValue::from_static("1.41"));
        let host = Host { unified, socket_owner: Some(1000) };
        of(&serde_json::from_str(info).unwrap(), &headers, locality, host, None)
    }

    const DOCKER: &str = r#"{"ServerVersion":"20.10.24+dfsg1","CgroupVersion":"1","CgroupDriver":"cgroupfs",
        "SecurityOptions":["name=seccomp,profile=default"],"MemoryLimit":true,"CpuCfsQuota":true,"PidsLimit":false}"#;

    #[test]
    fn docker_on_a_v1_host_is_hybrid_where_this_host_has_the_unified_tree() {
        let found = facts("Docker/20.10.24 (linux)", DOCKER, Locality::Local, true);
        assert_eq!(found.engine, EngineKind::Docker);
        assert_eq!(found.version, "20.10.24+dfsg1");
        assert_eq!(found.api.to_string(), "1.41");
        assert_eq!(found.cgroup, CgroupVersion::Hybrid);
        assert_eq!((found.memory_limit, found.cpu_limit, found.pids_limit), (true, true, false));
        assert_eq!(facts("Docker/20", DOCKER, Locality::Local, false).cgroup, CgroupVersion::V1);
        assert_eq!(facts("Docker/20", DOCKER, Locality::Remote, true).cgroup, CgroupVersion::V1Unknown);
    }

    #[test]
    fn the_engines_word_counts_even_where_this_host_is_hybrid() {
        let info = r#"{"CgroupVersion":"2","CgroupDriver":"systemd","SecurityOptions":null}"#;
        let found = facts("Docker/28.5.2 (linux)", info, Locality::Local, true);
        assert_eq!((found.cgroup, found.driver), (CgroupVersion::V2, CgroupDriver::Systemd));
        assert!(found.memory_limit, "what is not told is not missing");
    }

    #[test]
    fn podman_without_root_is_known_by_its_header_and_its_sockets_owner() {
        let info = r#"{"ServerVersion":"5.8.0","CgroupVersion":"2","CgroupDriver":"systemd",
            "SecurityOptions":["name=seccomp,profile=default","name=rootless"]}"#;
        let found = facts("Libpod/5.8.0 (linux)", info, Locality::Local, false);
        assert_eq!(found.engine, EngineKind::Podman);
        assert_eq!(found.rootless, Some(Rootless { uid: Some(1000) }));
    }

    #[test]
    fn security_layers_are_told_apart_by_their_names() {
        let info =
            r#"{"CgroupVersion":"2","SecurityOptions":["name=apparmor","name=userns","name=selinux"]}"#;
        let found = facts("Docker/28", info, Locality::Local, false);
        assert_eq!(
            (found.apparmor, found.userns_remap, found.selinux, found.rootless),
            (true, true, true, None)
        );
    }
}
