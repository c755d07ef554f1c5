//! What is known of the engine and of an image before anything is planned. Plain data, read by `engine`,
//! used by `systemd::defaults`.

use std::fmt;

use serde::Serialize;

#[expect(clippy::struct_excessive_bools, reason = "each is one independent answer of the engine")]
/// What one container engine is and can do, read once per run from `GET /info` and its headers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Which engine answers.
    pub engine: EngineKind,
    /// The engine's own version, as it prints it (`20.10.24+dfsg1`).
    pub version: String,
    /// The newest API version that the engine speaks.
    pub api: ApiVersion,
    /// How the engine's host has its cgroups mounted.
    pub cgroup: CgroupVersion,
    /// Who makes the containers' cgroups.
    pub driver: CgroupDriver,
    /// Whether the engine runs without root, and as whom.
    pub rootless: Option<Rootless>,
    /// Whether the daemon maps container users to other host users (`userns-remap`).
    pub userns_remap: bool,
    /// Whether `AppArmor` confines containers.
    pub apparmor: bool,
    /// Whether `SELinux` confines containers.
    pub selinux: bool,
    /// Whether the engine sees this process's files and sockets.
    pub locality: Locality,
    /// Directory under which each machine has the directory of its notify socket; `None` on a remote engine.
    pub notify_root: Option<String>,
    /// Path of the socket that a local engine is reached by.
    pub socket: Option<String>,
    /// Whether the engine can enforce memory limits.
    pub memory_limit: bool,
    /// Whether the engine can enforce cpu limits.
    pub cpu_limit: bool,
    /// Whether the engine can enforce limits on the number of processes.
    pub pids_limit: bool,
}

impl Facts {
    /// Returns the first number of the engine's version; `None` where it has another form.
    #[must_use]
    pub fn major(&self) -> Option<u16> {
        self.version.split('.').next()?.parse().ok()
    }
}

/// The engines that speak the Docker API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// dockerd, of any vendor.
    Docker,
    /// Podman's compatible API.
    Podman,
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
        })
    }
}

/// A version of the Docker API, such as 1.41.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ApiVersion {
    /// Always 1 so far.
    pub major: u16,
    /// 41 for Docker 20.10, 48 for Docker 28.
    pub minor: u16,
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Which cgroup hierarchies the engine's host offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CgroupVersion {
    /// Only cgroup v1.
    V1,
    /// cgroup v1 controllers, and a cgroup v2 tree at `/sys/fs/cgroup/unified`.
    Hybrid,
    /// cgroup v1, where the engine does not tell whether `/sys/fs/cgroup/unified` exists (a remote engine).
    V1Unknown,
    /// Only cgroup v2.
    V2,
}

/// Who makes containers' cgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CgroupDriver {
    /// The engine writes to cgroupfs itself.
    Cgroupfs,
    /// The host's systemd makes a scope for each container.
    Systemd,
}

/// An engine that runs as an ordinary user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Rootless {
    /// The user that the engine runs as, where it could be found out (owner of the socket).
    pub uid: Option<u32>,
}

/// Whether the engine shares this process's file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Locality {
    /// Reached by a unix socket: bind sources and notify sockets are the same files here and there.
    Local,
    /// Reached over the network: nothing of this host may be bound.
    Remote,
}

/// What was found in an image by looking into it, without running it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageFacts {
    /// The image's id (`sha256:…`).
    pub id: String,
    /// The systemd that the image brings; `None` where there is none.
    pub systemd: Option<ImageSystemd>,
}

/// The systemd inside an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageSystemd {
    /// Path of the executable, such as `/lib/systemd/systemd`.
    pub init: String,
    /// Its version, such as 252; `None` where the executable does not tell.
    pub version: Option<u16>,
}
