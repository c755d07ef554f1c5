//! The rows of the table: which way PID 1 gets a cgroup of its own. The first row that matches counts.

use crate::facts::{ApiVersion, CgroupDriver, CgroupVersion, EngineKind, Facts};
use crate::systemd::privilege::ProfileName;

use super::Wish;
use super::errors::ErrorKind;

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// When it counts.
    pub when: When,
    /// What it says.
    pub outcome: Outcome,
    /// Why.
    pub why: &'static str,
    /// Where the fact can be checked.
    pub source: &'static str,
    /// What the user should know, where this row counts.
    pub remark: Option<&'static str>,
}

/// What a row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The machine boots this way.
    Profile(ProfileName),
    /// It cannot boot, or not safely.
    Refuse(ErrorKind),
}

/// When a row counts; `None` and an empty list mean "whatever it is".
#[derive(Debug, Clone, Copy)]
pub struct When {
    /// The engine.
    pub engine: Option<EngineKind>,
    /// The host's cgroups.
    pub cgroup: &'static [CgroupVersion],
    /// How the engine treats users.
    pub users: &'static [Users],
    /// Who makes cgroups.
    pub driver: Option<CgroupDriver>,
    /// Whether the engine knows the option `writable-cgroups` (API 1.48 and newer).
    pub writable_option: Option<bool>,
    /// Versions of systemd.
    pub systemd: Versions,
    /// Whether something asks for `CAP_SYS_ADMIN`.
    pub admin: Option<bool>,
    /// Whether the runtime is sysbox's.
    pub sysbox: bool,
    /// Major versions of the engine.
    pub major: Versions,
    /// Whether the user that the engine runs as is known (rootless only).
    pub uid_known: Option<bool>,
}

/// How an engine treats the users of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Users {
    /// Root inside is root outside.
    Rootful,
    /// The daemon remaps users.
    Remapped,
    /// The daemon remaps users, and the service opted out by `userns_mode: host`.
    HostUsers,
    /// The engine itself runs without root.
    Rootless,
}

/// A range of versions. One that is not known counts as an old one: an assumption that boots wherever an old
/// systemd boots, and that is checked once the image was looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// All.
    Any,
    /// This one and older ones.
    UpTo(u16),
    /// This one and newer ones.
    From(u16),
}

impl Versions {
    fn holds(self, version: Option<u16>) -> bool {
        match (self, version) {
            (Self::Any, _) | (Self::UpTo(_), None) => true,
            (Self::From(_), None) => false,
            (Self::UpTo(last), Some(version)) => version <= last,
            (Self::From(first), Some(version)) => version >= first,
        }
    }
}

/// Matches everything.
const ANY: When = When {
    engine: None,
    cgroup: &[],
    users: &[],
    driver: None,
    writable_option: None,
    systemd: Versions::Any,
    admin: None,
    sysbox: false,
    major: Versions::Any,
    uid_known: None,
};
const DOCKER: When = When { engine: Some(EngineKind::Docker), ..ANY };
const DOCKER_V2: When = When { cgroup: &[CgroupVersion::V2], ..DOCKER };
const DOCKER_V1: When = When { cgroup: ALL_V1, users: &[Users::Rootful, Users::HostUsers], ..DOCKER };
const PODMAN: When = When { engine: Some(EngineKind::Podman), ..ANY };
const ALL_V1: &[CgroupVersion] = &[CgroupVersion::V1, CgroupVersion::Hybrid, CgroupVersion::V1Unknown];

/// The table.
pub const ROWS: [Row; 20] = [
    Row {
        when: When { sysbox: true, ..ANY },
        outcome: Outcome::Profile(ProfileName::Remapped),
        why: "sysbox gives each container a user namespace and a writable cgroup of its own",
        source: "the manual of sysbox (not measured)",
        remark: None,
    },
    Row {
        when: When { users: &[Users::Rootless], cgroup: ALL_V1, ..ANY },
        outcome: Outcome::Refuse(ErrorKind::RootlessOnV1),
        why: "cgroup v1 cannot be delegated to an ordinary user",
        source: "systemd docs/CGROUP_DELEGATION.md",
        remark: None,
    },
    Row {
        when: When { systemd: Versions::From(258), cgroup: ALL_V1, ..PODMAN },
        outcome: Outcome::Refuse(ErrorKind::TooNewForV1),
        why: "systemd 258 and newer know no cgroup v1",
        source: "systemd NEWS 258; measured on Podman 4.3 with systemd 262",
        remark: None,
    },
    Row {
        when: When { major: Versions::From(6), cgroup: ALL_V1, ..PODMAN },
        outcome: Outcome::Refuse(ErrorKind::NothingFits),
        why: "Podman 6 knows no cgroup v1",
        source: "podman libpod/container_internal_linux.go, setupSystemd",
        remark: None,
    },
    Row {
        when: When { admin: Some(true), cgroup: ALL_V1, ..PODMAN },
        outcome: Outcome::Refuse(ErrorKind::AdminOnV1),
        why: "on cgroup v1 the host's cgroup namespace is needed, and CAP_SYS_ADMIN in it reaches every cgroup",
        source: "measured on Docker 20.10, cgroup v1",
        remark: None,
    },
    Row {
        when: When { cgroup: ALL_V1, ..PODMAN },
        outcome: Outcome::Profile(ProfileName::Podman),
        why: "Podman's systemd mode makes what systemd needs; on cgroup v1 in the host's cgroup namespace",
        source: "podman-run(1), --systemd; measured on Podman 4.3",
        remark: Some("on cgroup v1 Podman shows the machine the host's name=systemd hierarchy, writable"),
    },
    Row {
        when: When { cgroup: &[CgroupVersion::V2], ..PODMAN },
        outcome: Outcome::Profile(ProfileName::Podman),
        why: "Podman's systemd mode makes the own cgroup writable, without any capability",
        source: "podman-run(1), --systemd; measured on Podman 4.3 and 5.8, rootful and rootless",
        remark: None,
    },
    Row {
        when: When {
            users: &[Users::Rootless],
            driver: Some(CgroupDriver::Systemd),
            admin: Some(false),
            uid_known: Some(true),
            ..DOCKER_V2
        },
        outcome: Outcome::Profile(ProfileName::OwnSubtree),
        why: "rootless Docker refuses `writable-cgroups`, so only the machine's own subtree is bound writable",
        source: "measured on Docker 28.5 rootless with systemd 257",
        remark: None,
    },
    Row {
        when: When { users: &[Users::Rootless], driver: Some(CgroupDriver::Systemd), ..DOCKER_V2 },
        outcome: Outcome::Profile(ProfileName::Remount),
        why: "rootless Docker refuses `writable-cgroups`; CAP_SYS_ADMIN reaches only its user namespace here",
        source: "measured on Docker 28.5 rootless with systemd 257",
        remark: None,
    },
    Row {
        when: When { users: &[Users::HostUsers], ..DOCKER_V2 },
        outcome: Outcome::Profile(ProfileName::Remapped),
        why: "a daemon that remaps users mounts cgroups writable for every container, also without a map",
        source: "moby daemon/oci_linux.go, idMapping.UIDMaps; measured on Docker 28.5",
        remark: None,
    },
    Row {
        when: When { users: &[Users::Remapped], driver: Some(CgroupDriver::Systemd), ..DOCKER_V2 },
        outcome: Outcome::Profile(ProfileName::Remapped),
        why: "the daemon remaps users, and gives the machine's own cgroup to its mapped root",
        source: "measured on Docker 28.5 with the systemd driver",
        remark: None,
    },
    Row {
        when: When { users: &[Users::Remapped], driver: Some(CgroupDriver::Cgroupfs), ..DOCKER_V2 },
        outcome: Outcome::Refuse(ErrorKind::RemapWithCgroupfs),
        why: "with the cgroupfs driver the cgroup is not given to the mapped root",
        source: "measured on Docker 28.5: \"/init.scope: Permission denied\"",
        remark: None,
    },
    Row {
        when: When { users: &[Users::Rootful], writable_option: Some(true), ..DOCKER_V2 },
        outcome: Outcome::Profile(ProfileName::WritableCgroups),
        why: "Docker 28 and newer make only the own cgroup writable, without any capability",
        source: "moby daemon/oci_linux.go, pull request 48828; measured on Docker 28.5",
        remark: None,
    },
    Row {
        when: When { users: &[Users::Rootful], admin: Some(true), ..DOCKER_V2 },
        outcome: Outcome::Profile(ProfileName::Remount),
        why: "CAP_SYS_ADMIN is only safe in a private cgroup namespace, whose tree Docker before 28 mounts \
              read-only: a shim remounts it",
        source: "measured on Docker 20.10 and 28.5",
        remark: None,
    },
    Row {
        when: When { users: &[Users::Rootful], ..DOCKER_V2 },
        outcome: Outcome::Profile(ProfileName::OwnSubtree),
        why: "Docker before 28 has no `writable-cgroups`, so only the machine's own subtree is bound writable",
        source: "systemd docs/CONTAINER_INTERFACE.md; measured on Docker 20.10 and 28.5",
        remark: None,
    },
    Row {
        when: When { admin: Some(true), ..DOCKER_V1 },
        outcome: Outcome::Refuse(ErrorKind::AdminOnV1),
        why: "on cgroup v1 the host's cgroup namespace is needed, and CAP_SYS_ADMIN in it reaches every cgroup",
        source: "measured on Docker 20.10, cgroup v1",
        remark: None,
    },
    Row {
        when: When { systemd: Versions::UpTo(257), ..DOCKER_V1 },
        outcome: Outcome::Profile(ProfileName::OwnSubtreeV1),
        why: "on cgroup v1 only the machine's own part of the name=systemd hierarchy has to be writable",
        source: "systemd docs/CONTAINER_INTERFACE.md; measured on Docker 20.10 and 28.5 with systemd 247-257",
        remark: None,
    },
    Row {
        when: When { cgroup: &[CgroupVersion::Hybrid], ..DOCKER_V1 },
        outcome: Outcome::Profile(ProfileName::UnifiedOnHybrid),
        why: "systemd 258 and newer know no cgroup v1, but boot on the unified hierarchy of a hybrid host",
        source: "systemd NEWS 258; measured on Docker 20.10 and 28.5 with systemd 262",
        remark: None,
    },
    Row {
        when: When { cgroup: &[CgroupVersion::V1Unknown], ..DOCKER_V1 },
        outcome: Outcome::Profile(ProfileName::UnifiedOnHybrid),
        why: "systemd 258 and newer know no cgroup v1, and this remote host may have a unified hierarchy",
        source: "systemd NEWS 258",
        remark: Some(
            "it is not known whether this remote host has /sys/fs/cgroup/unified; without, the start fails",
        ),
    },
    Row {
        when: When { cgroup: &[CgroupVersion::V1], ..DOCKER_V1 },
        outcome: Outcome::Refuse(ErrorKind::TooNewForV1),
        why: "systemd 258 and newer know no cgroup v1",
        source: "systemd NEWS 258; measured with systemd 262",
        remark: None,
    },
];

/// Returns the row that counts; `None` where the table knows none.
#[must_use]
pub fn first_match(facts: &Facts, version: Option<u16>, wish: &Wish) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.when.holds(facts, version, wish))
}

impl When {
    fn holds(&self, facts: &Facts, version: Option<u16>, wish: &Wish) -> bool {
        let Self { engine, cgroup, users, driver, writable_option, systemd, admin, sysbox, major, uid_known } =
            self;
        engine.is_none_or(|engine| engine == facts.engine)
            && (cgroup.is_empty() || cgroup.contains(&facts.cgroup))
            && (users.is_empty() || users.contains(&users_of(facts, wish)))
            && driver.is_none_or(|driver| driver == facts.driver)
            && writable_option.is_none_or(|asked| asked == has_writable_option(facts))
            && systemd.holds(version)
            && admin.is_none_or(|asked| asked == wish.admin())
            && (!sysbox || is_sysbox(wish))
            && major.holds(facts.major())
            && uid_known.is_none_or(|asked| asked == uid(facts).is_some())
    }
}

/// Tells how the engine treats the users of this container.
#[must_use]
pub fn users_of(facts: &Facts, wish: &Wish) -> Users {
    match (facts.rootless.is_some(), facts.userns_remap, wish.host_users) {
        (true, _, _) => Users::Rootless,
        (false, true, true) => Users::HostUsers,
        (false, true, false) => Users::Remapped,
        (false, false, _) => Users::Rootful,
    }
}

/// Tells whether the engine knows `writable-cgroups`: absent from every Docker 27, present in 28.0 (API 1.48);
/// Podman refuses it as an invalid option.
#[must_use]
pub fn has_writable_option(facts: &Facts) -> bool {
    facts.engine == EngineKind::Docker && facts.api >= ApiVersion { major: 1, minor: 48 }
}

/// Returns the user that a rootless engine runs as.
#[must_use]
pub fn uid(facts: &Facts) -> Option<u32> {
    facts.rootless.and_then(|rootless| rootless.uid)
}

/// Tells whether the runtime is sysbox's, which needs nothing else.
#[must_use]
pub fn is_sysbox(wish: &Wish) -> bool {
    wish.runtime.as_deref().is_some_and(|runtime| runtime.contains("sysbox"))
}
