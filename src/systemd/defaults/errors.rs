//! What the table says where a machine cannot boot, or not safely: each with the way out.

use crate::facts::{CgroupDriver, CgroupVersion, Facts};
use crate::refusal::Refusal;
use crate::systemd::privilege::ProfileName;

use super::Wish;

/// Kinds of refusals of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// E1: a remapping daemon with the cgroupfs driver.
    RemapWithCgroupfs,
    /// E2: `CAP_SYS_ADMIN` on cgroup v1.
    AdminOnV1,
    /// E3: systemd 258 and newer on a host with cgroup v1 only.
    TooNewForV1,
    /// E4: a rootless engine on cgroup v1.
    RootlessOnV1,
    /// E6: no row says how.
    NothingFits,
}

const TO_V2: &str =
    "boot the host with cgroup v2 (`systemd.unified_cgroup_hierarchy=1` on its kernel command line)";

/// Makes the refusal of one kind.
#[must_use]
pub fn refusal(kind: ErrorKind, facts: &Facts, version: Option<u16>, wish: &Wish) -> Refusal {
    match kind {
        ErrorKind::RemapWithCgroupfs => Refusal::of(
            &wish.service,
            "this daemon remaps users with the cgroupfs driver; a remapped systemd cannot own its cgroup",
        )
        .help("set `\"exec-opts\": [\"native.cgroupdriver=systemd\"]` in the daemon's daemon.json")
        .help("or set `userns_mode: host` on this service, which gives up the remapping for it"),
        ErrorKind::AdminOnV1 => Refusal::of(
            &wish.service,
            format!(
                "`{}` needs CAP_SYS_ADMIN, which on a cgroup v1 host gives the container control of every \
                 cgroup of the host",
                wish.admin_asked_by().unwrap_or_else(|| "systemd.features".to_owned()),
            ),
        )
        .help(TO_V2)
        .help("or leave it out: the machine boots without it"),
        ErrorKind::TooNewForV1 => Refusal::of(
            &wish.service,
            format!(
                "the image has systemd {}, which cannot run on cgroup v1 (258 and newer cannot), and this host \
                 has no unified hierarchy that can be used",
                version.map_or_else(|| "258 or newer".to_owned(), |version| version.to_string()),
            ),
        )
        .help(TO_V2)
        .help("or use an image with systemd 257 or older (Debian 13 and older)"),
        ErrorKind::RootlessOnV1 => {
            Refusal::of(&wish.service, "a rootless engine on cgroup v1 cannot give cgroups to a machine")
                .help(TO_V2)
        }
        ErrorKind::NothingFits => nothing_fits(facts, wish),
    }
}

/// E6: the table has no row for this engine.
#[must_use]
pub fn nothing_fits(facts: &Facts, wish: &Wish) -> Refusal {
    Refusal::of(&wish.service, format!("no safe way is known to boot systemd on {}", engine_in_words(facts)))
        .help("the closest that works: Docker 28 or newer, or Podman 4 or newer, on a host with cgroup v2")
        .help("to force it: `systemd.privilege: privileged`, which gives the machine everything")
}

/// The image has no systemd.
#[must_use]
pub fn no_systemd(wish: &Wish) -> Refusal {
    Refusal::of(&wish.service, "the image has no systemd")
        .help("install it in the image: `apt-get install systemd systemd-sysv dbus` (Debian, Ubuntu), `dnf install systemd` (Fedora)")
        .help("or write `systemd: false` where this is a plain application container")
        .help("or give its path by `systemd.init`")
}

/// A profile that the manifest names does not work on this engine.
#[must_use]
pub fn misfit(profile: ProfileName, facts: &Facts, wish: &Wish, needs: &str) -> Refusal {
    Refusal::of(
        &wish.service,
        format!("`systemd.privilege: {profile}` does not work on {}: {needs}", engine_in_words(facts)),
    )
    .help("leave `systemd.privilege` out: the least privilege that boots is chosen by itself")
}

/// `CAP_SYS_ADMIN` in the host's cgroup namespace.
#[must_use]
pub fn admin_in_host_namespace(profile: ProfileName, facts: &Facts, wish: &Wish) -> Refusal {
    let refusal = Refusal::of(
        &wish.service,
        format!(
            "`{}` needs CAP_SYS_ADMIN, which with the profile `{profile}` (the host's cgroup namespace) lets the \
             machine mount and change every cgroup of the host",
            wish.admin_asked_by().unwrap_or_else(|| "cap_add".to_owned()),
        ),
    );
    if facts.cgroup == CgroupVersion::V2 {
        refusal.help(format!("use `systemd.privilege: auto` or `{}`", ProfileName::Remount))
    } else {
        refusal.help(TO_V2)
    }
}

/// `writable-cgroups` in the host's cgroup namespace.
#[must_use]
pub fn writable_in_host_namespace(profile: ProfileName, wish: &Wish) -> Refusal {
    Refusal::of(
        &wish.service,
        format!(
            "`security_opt: [writable-cgroups=true]` with the profile `{profile}` (the host's cgroup namespace) \
             makes the host's whole cgroup tree writable"
        ),
    )
    .help("leave the option out: the profile makes the machine's own cgroup writable")
}

/// The manifest mounts the cgroup tree by itself, as old guides say.
#[must_use]
pub fn own_cgroup_mount(target: &str, wish: &Wish) -> Refusal {
    Refusal::of(
        &wish.service,
        format!("the manifest mounts `{target}`, which takes the place of the machine's own cgroup"),
    )
    .help("leave the mount out: the machine gets a writable cgroup of its own without it")
    .help("or ask for the old recipe by name: `systemd.privilege: classic`, or `privileged`")
}

/// Files cannot be put into a read-only root.
#[must_use]
pub fn read_only_root(service: &str) -> Refusal {
    Refusal::of(
        service,
        "`read_only: true` on a machine: its unit files and settings are put into its root, which engines \
         refuse where that is read-only",
    )
    .help("leave `read_only` out; `mask` what must not write, or mount volumes read-only")
}

/// Describes an engine in one phrase.
fn engine_in_words(facts: &Facts) -> String {
    let cgroup = match facts.cgroup {
        CgroupVersion::V1 | CgroupVersion::V1Unknown => "cgroup v1",
        CgroupVersion::Hybrid => "cgroup v1 (hybrid)",
        CgroupVersion::V2 => "cgroup v2",
    };
    let driver = match facts.driver {
        CgroupDriver::Cgroupfs => "cgroupfs",
        CgroupDriver::Systemd => "systemd",
    };
    let rootless = if facts.rootless.is_some() { " rootless" } else { "" };
    let remap = if facts.userns_remap { " and userns-remap" } else { "" };
    format!("{} {}{rootless} with {cgroup}, the {driver} driver{remap}", facts.engine, facts.version)
}
