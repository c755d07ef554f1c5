//! What each profile needs of an engine, and what may never be put together.

use crate::facts::{ApiVersion, CgroupDriver, CgroupVersion, EngineKind, Facts};
use crate::refusal::Refusal;
use crate::systemd::privilege::{CgroupNs, ProfileName};

use super::rows::{Users, has_writable_option, uid, users_of};
use super::{Wish, errors};

/// Docker 25, the first whose read-only binds are recursive: the widely copied recipe ends there.
const RECURSIVE_READ_ONLY: ApiVersion = ApiVersion { major: 1, minor: 44 };

/// Says in a few words what a profile is.
#[must_use]
pub fn gist(profile: ProfileName) -> &'static str {
    match profile {
        ProfileName::Podman => "Podman's systemd mode",
        ProfileName::WritableCgroups => "private cgroup namespace, own cgroup writable by the engine",
        ProfileName::Remapped => "private cgroup namespace, writable because users are remapped",
        ProfileName::OwnSubtree => "host cgroup namespace, read-only but for the own subtree",
        ProfileName::Remount => "private cgroup namespace, remounted writable by a shim before systemd",
        ProfileName::OwnSubtreeV1 => "host cgroup namespace, own subtree of name=systemd writable",
        ProfileName::UnifiedOnHybrid => "the host's unified hierarchy, read-only but for the own subtree",
        ProfileName::Privileged => "everything is allowed: root inside is root of the host",
        ProfileName::Classic => {
            "SYS_ADMIN and the host's cgroup tree, as old guides say: the host's cgroups are open"
        }
    }
}

/// Tells the cgroup namespace of a profile.
#[must_use]
pub fn namespace(profile: ProfileName, facts: &Facts) -> CgroupNs {
    match profile {
        ProfileName::WritableCgroups
        | ProfileName::Remapped
        | ProfileName::Remount
        | ProfileName::Privileged => CgroupNs::Private,
        // Podman on cgroup v1 refuses systemd mode in a private namespace (podman#17727).
        ProfileName::Podman => match facts.cgroup {
            CgroupVersion::V2 => CgroupNs::Private,
            CgroupVersion::V1 | CgroupVersion::Hybrid | CgroupVersion::V1Unknown => CgroupNs::Host,
        },
        ProfileName::OwnSubtree
        | ProfileName::OwnSubtreeV1
        | ProfileName::UnifiedOnHybrid
        | ProfileName::Classic => CgroupNs::Host,
    }
}

/// Tells whether root inside can raise the container's limits with this profile (measured: `memory.max` of
/// the own cgroup is writable from inside).
#[must_use]
pub fn limits_are_advisory(profile: ProfileName) -> bool {
    match profile {
        ProfileName::OwnSubtree | ProfileName::Privileged | ProfileName::Classic => true,
        ProfileName::Podman
        | ProfileName::WritableCgroups
        | ProfileName::Remapped
        | ProfileName::Remount
        | ProfileName::OwnSubtreeV1
        | ProfileName::UnifiedOnHybrid => false,
    }
}

/// Refuses what would open the host's cgroups, however it was asked for, unless by the two profiles whose
/// names say so.
///
/// # Errors
/// `CAP_SYS_ADMIN`, or the option `writable-cgroups`, in the host's cgroup namespace.
pub fn refuse_unsafe(profile: ProfileName, facts: &Facts, wish: &Wish) -> Result<(), Refusal> {
    if matches!(profile, ProfileName::Privileged | ProfileName::Classic) {
        return Ok(());
    }
    if let Some(target) = wish.own_targets.iter().find(|target| target.starts_with("/sys/fs/cgroup")) {
        return Err(errors::own_cgroup_mount(target, wish));
    }
    if namespace(profile, facts) == CgroupNs::Private {
        return Ok(());
    }
    if wish.admin() {
        return Err(errors::admin_in_host_namespace(profile, facts, wish));
    }
    let writable = |option: &String| option.starts_with("writable-cgroups") && !option.ends_with("false");
    if wish.security_opt.iter().any(writable) {
        return Err(errors::writable_in_host_namespace(profile, wish));
    }
    Ok(())
}

/// Refuses a profile that the manifest names and that does not work on this engine.
///
/// # Errors
/// Says what the profile needs.
pub fn refuse_misfit(
    profile: ProfileName,
    facts: &Facts,
    version: Option<u16>,
    wish: &Wish,
) -> Result<(), Refusal> {
    let v1 = facts.cgroup != CgroupVersion::V2;
    if v1 && profile != ProfileName::UnifiedOnHybrid && version.is_some_and(|version| version >= 258) {
        // Where the host has a unified hierarchy, it is the named profile that stands in the way.
        return Err(match facts.cgroup {
            CgroupVersion::Hybrid => {
                errors::misfit(profile, facts, wish, "systemd 258 and newer knows no cgroup v1")
            }
            CgroupVersion::V1 | CgroupVersion::V1Unknown | CgroupVersion::V2 => {
                errors::refusal(errors::ErrorKind::TooNewForV1, facts, version, wish)
            }
        });
    }
    match missing(profile, facts, wish) {
        Some(needs) => Err(errors::misfit(profile, facts, wish, needs)),
        None => Ok(()),
    }
}

/// Says what a profile needs and this engine does not have.
fn missing(profile: ProfileName, facts: &Facts, wish: &Wish) -> Option<&'static str> {
    let users = users_of(facts, wish);
    let docker = facts.engine == EngineKind::Docker;
    let v2 = facts.cgroup == CgroupVersion::V2;
    let hybrid = matches!(facts.cgroup, CgroupVersion::Hybrid | CgroupVersion::V1Unknown);
    let unmapped = matches!(users, Users::Rootful | Users::HostUsers);
    let (fits, needs) = match profile {
        ProfileName::Podman => (!docker, "it needs Podman"),
        ProfileName::WritableCgroups => (
            v2 && unmapped && has_writable_option(facts),
            "it needs Docker 28 or newer, rootful, without userns-remap, and cgroup v2",
        ),
        ProfileName::Remapped => (
            docker && v2 && remap_owns_cgroup(users, facts.driver),
            "it needs a Docker daemon with userns-remap, the systemd driver and cgroup v2",
        ),
        ProfileName::OwnSubtree => (
            docker && v2 && subtree_is_own(users, facts),
            "it needs Docker without userns-remap on cgroup v2 (rootless: with the systemd driver)",
        ),
        ProfileName::Remount => (v2 && users != Users::Remapped, "it needs cgroup v2 without userns-remap"),
        ProfileName::OwnSubtreeV1 => (docker && !v2 && unmapped, "it needs rootful Docker on cgroup v1"),
        ProfileName::UnifiedOnHybrid => (
            docker && hybrid && unmapped,
            "it needs rootful Docker on a host with cgroup v1 and a unified hierarchy (hybrid)",
        ),
        ProfileName::Privileged => (true, ""),
        ProfileName::Classic => (
            docker && !v2 && unmapped && facts.api < RECURSIVE_READ_ONLY,
            "it boots only on rootful Docker 24 or older with cgroup v1",
        ),
    };
    (!fits).then_some(needs)
}

fn remap_owns_cgroup(users: Users, driver: CgroupDriver) -> bool {
    match users {
        Users::HostUsers => true,
        Users::Remapped => driver == CgroupDriver::Systemd,
        Users::Rootful | Users::Rootless => false,
    }
}

fn subtree_is_own(users: Users, facts: &Facts) -> bool {
    match users {
        Users::Rootful | Users::HostUsers => true,
        Users::Rootless => facts.driver == CgroupDriver::Systemd && uid(facts).is_some(),
        Users::Remapped => false,
    }
}
