//! What a profile and the features add to a container: namespace, binds, capabilities, a shim in front of
//! systemd. Nothing else in the project adds privilege.

use crate::facts::{CgroupDriver, Facts};
use crate::systemd::privilege::{CgroupNs, Feature, ProfileName};

use super::profiles::namespace;
use super::rows::{Users, is_sysbox, uid, users_of};
use super::{Choice, Wish};

/// The newest systemd whose credentials come out empty under `CAP_SYS_ADMIN` while `/` is mounted privately,
/// as engines mount it (measured on 252 and 257; 262 is fine).
const PRIVATE_ROOT_HIDES_CREDENTIALS: u16 = 257;

/// What is added to a container so that systemd boots in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Cgroup namespace; always sent, never left to the daemon's default.
    pub cgroupns: CgroupNs,
    /// Parent cgroup, in the driver's form.
    pub cgroup_parent: Option<String>,
    /// Binds of the host's cgroup tree.
    pub binds: Vec<CgroupBind>,
    /// Capabilities.
    pub cap_add: Vec<String>,
    /// Options of the security layers.
    pub security_opt: Vec<String>,
    /// Devices, the same path outside and inside.
    pub devices: Vec<String>,
    /// Whether everything is allowed.
    pub privileged: bool,
    /// What runs in front of systemd.
    pub shim: Shim,
    /// Whether the machine's units have `CAP_SYS_ADMIN`.
    pub admin: bool,
    /// Why, one line for each feature that added something.
    pub features: Vec<Choice>,
}

/// A bind of a part of the host's cgroup tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupBind {
    /// Path on the host. The engine makes it where it is missing.
    pub source: String,
    /// Path inside.
    pub target: String,
    /// Whether writing is refused.
    pub read_only: bool,
}

/// Commands that run as PID 1 before it becomes systemd.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shim {
    /// Makes the own cgroup tree writable.
    pub remount: bool,
    /// Makes the mounts' propagation shared.
    pub share: bool,
    /// Drops `CAP_SYS_ADMIN` for systemd and all its units.
    pub drop_admin: bool,
}

/// Tells whether a feature needs `CAP_SYS_ADMIN`.
#[must_use]
pub fn needs_admin(feature: Feature) -> bool {
    match feature {
        Feature::Sandboxing | Feature::Nfs | Feature::Fuse => true,
        Feature::Time => false,
    }
}

/// Puts together what a profile and the features add.
#[must_use]
pub fn grant(profile: ProfileName, facts: &Facts, version: Option<u16>, wish: &Wish) -> Grant {
    let place = Place::of(facts, wish);
    let mut grant = Grant {
        cgroupns: namespace(profile, facts),
        cgroup_parent: None,
        binds: Vec::new(),
        cap_add: Vec::new(),
        security_opt: Vec::new(),
        devices: Vec::new(),
        privileged: wish.privileged,
        shim: Shim::default(),
        admin: wish.admin() || wish.privileged || is_sysbox(wish),
        features: Vec::new(),
    };
    match profile {
        ProfileName::Podman | ProfileName::Remapped => {}
        ProfileName::WritableCgroups => grant.security_opt.push("writable-cgroups=true".to_owned()),
        ProfileName::OwnSubtree => {
            // The read-only bind of the whole tree keeps runc from mounting cgroup2 anew, which would strip
            // `nsdelegate` from the host's own mount (opencontainers/runc#5258, measured).
            grant.binds.push(CgroupBind::read_only("/sys/fs/cgroup", "/sys/fs/cgroup"));
            grant.binds.push(CgroupBind::writable("/sys/fs/cgroup", "/sys/fs/cgroup", &place.path));
            grant.cgroup_parent = Some(place.parent);
        }
        ProfileName::OwnSubtreeV1 => {
            let tree = "/sys/fs/cgroup/systemd";
            grant.binds.push(CgroupBind::read_only(tree, tree));
            grant.binds.push(CgroupBind::writable(tree, tree, &place.path));
            grant.cgroup_parent = Some(place.parent);
        }
        ProfileName::UnifiedOnHybrid => {
            grant.binds.push(CgroupBind::read_only("/sys/fs/cgroup/unified", "/sys/fs/cgroup"));
            grant.binds.push(CgroupBind::writable("/sys/fs/cgroup/unified", "/sys/fs/cgroup", &place.path));
            grant.cgroup_parent = Some(place.parent);
        }
        ProfileName::Remount => {
            grant.cap_add.push("SYS_ADMIN".to_owned());
            grant.shim = Shim { remount: true, share: false, drop_admin: !wish.admin() };
        }
        ProfileName::Privileged => {
            grant.privileged = true;
            grant.admin = true;
        }
        ProfileName::Classic => {
            grant.cap_add.push("SYS_ADMIN".to_owned());
            grant.binds.push(CgroupBind::read_only("/sys/fs/cgroup", "/sys/fs/cgroup"));
            grant.admin = true;
        }
    }
    add_features(&mut grant, wish);
    pair_admin(&mut grant, facts, wish);
    let old = version.is_none_or(|version| version <= PRIVATE_ROOT_HIDES_CREDENTIALS);
    grant.shim.share = grant.admin && old && !is_sysbox(wish) && profile != ProfileName::Classic;
    grant
}

/// Adds the capability and device that each feature needs, and nothing else.
fn add_features(grant: &mut Grant, wish: &Wish) {
    for feature in &wish.features {
        if needs_admin(*feature) {
            push_once(&mut grant.cap_add, "SYS_ADMIN");
        }
        let (value, reason, source) = match feature {
            Feature::Sandboxing => (
                "CAP_SYS_ADMIN",
                "PrivateTmp=, ProtectSystem=, DynamicUser= … need mount(2)",
                "systemd.exec(5); measured with systemd 247-262",
            ),
            Feature::Nfs => ("CAP_SYS_ADMIN", "mount.nfs needs mount(2)", "capabilities(7)"),
            Feature::Fuse => {
                grant.devices.push("/dev/fuse".to_owned());
                ("CAP_SYS_ADMIN, /dev/fuse", "fusermount needs the device and mount(2)", "fuse(4)")
            }
            Feature::Time => {
                push_once(&mut grant.cap_add, "SYS_TIME");
                (
                    "CAP_SYS_TIME",
                    "setting the clock needs it, and it sets the host's clock",
                    "capabilities(7)",
                )
            }
        };
        grant.features.push(Choice::new(&format!("feature {feature}"), value, reason, source));
    }
}

/// `CAP_SYS_ADMIN` goes with an unconfined `AppArmor` profile or not at all: docker-default denies mount(2),
/// and systemd 253 and newer then exit at once ("Failed to fork off sandboxing environment", measured). A
/// rootless engine does not confine. `SELinux` likewise denies the mounts.
fn pair_admin(grant: &mut Grant, facts: &Facts, wish: &Wish) {
    let has_admin = grant.cap_add.iter().any(|name| name == "SYS_ADMIN") || wish.admin();
    if !has_admin || grant.privileged {
        return;
    }
    let own = |layer: &str| wish.security_opt.iter().any(|option| option.starts_with(layer));
    if facts.apparmor && facts.rootless.is_none() && !own("apparmor") {
        grant.security_opt.push("apparmor=unconfined".to_owned());
    }
    if facts.selinux && !own("label") {
        grant.security_opt.push("label=disable".to_owned());
    }
}

fn push_once(list: &mut Vec<String>, word: &str) {
    if !list.iter().any(|known| known == word) {
        list.push(word.to_owned());
    }
}

impl CgroupBind {
    fn read_only(source: &str, target: &str) -> Self {
        Self { source: source.to_owned(), target: target.to_owned(), read_only: true }
    }

    fn writable(source: &str, target: &str, path: &str) -> Self {
        Self { source: format!("{source}/{path}"), target: format!("{target}/{path}"), read_only: false }
    }
}

/// Where the machine's cgroup is.
struct Place {
    /// The parent, as the engine wants it.
    parent: String,
    /// The same as a path below the hierarchy's root.
    path: String,
}

/// Returns the parent cgroup that a machine's container gets from an engine with the cgroupfs driver.
#[must_use]
pub fn cgroupfs_parent(container: &str) -> String {
    format!("/sdc/{}", container.replace('-', "_"))
}

impl Place {
    /// The cgroupfs driver takes a path; the systemd driver takes the name of a slice, which nests at each
    /// `-`, so that the container's name may hold none (systemd.slice(5)).
    fn of(facts: &Facts, wish: &Wish) -> Self {
        let name = wish.container.replace('-', "_");
        match facts.driver {
            CgroupDriver::Cgroupfs => {
                Self { parent: cgroupfs_parent(&wish.container), path: format!("sdc/{name}") }
            }
            CgroupDriver::Systemd => {
                let slice = format!("sdc-{name}.slice");
                Self { path: format!("{}sdc.slice/{slice}", user_slice(facts, wish)), parent: slice }
            }
        }
    }
}

/// A rootless engine's slices hang below those of its user's manager.
fn user_slice(facts: &Facts, wish: &Wish) -> String {
    match (users_of(facts, wish), uid(facts)) {
        (Users::Rootless, Some(uid)) => format!("user.slice/user-{uid}.slice/user@{uid}.service/"),
        (Users::Rootless | Users::Rootful | Users::Remapped | Users::HostUsers, _) => String::new(),
    }
}

/// Explains a grant, one line for each part that it has.
#[must_use]
pub fn explain(grant: &Grant) -> Vec<Choice> {
    let Grant {
        cgroupns,
        cgroup_parent,
        binds,
        cap_add,
        security_opt,
        devices: _,
        privileged,
        shim,
        admin: _,
        features,
    } = grant;
    let mut choices = vec![Choice::new(
        "cgroup namespace",
        cgroupns.as_str(),
        "always said, since daemons have different defaults",
        "dockerd(8), default-cgroupns-mode",
    )];
    if let Some(parent) = cgroup_parent {
        choices.push(Choice::new(
            "cgroup parent",
            parent,
            "the subtree that is bound writable",
            "systemd docs/CONTAINER_INTERFACE.md",
        ));
    }
    for bind in binds {
        let (mode, reason) = if bind.read_only {
            ("ro", "systemd reads the tree above its own; the host's mount options stay as they are")
        } else {
            ("rw", "systemd makes the cgroups of its units here")
        };
        choices.push(Choice::new(
            "bind",
            format!("{}:{}:{mode}", bind.source, bind.target),
            reason,
            "systemd docs/CONTAINER_INTERFACE.md; opencontainers/runc#5258",
        ));
    }
    if cap_add.is_empty() && !privileged {
        choices.push(Choice::new(
            "capabilities",
            "none added",
            "no capability is needed to boot systemd",
            "measured on Docker 20.10 and 28.5, Podman 4.3 and 5.8",
        ));
    }
    if *privileged {
        choices.push(Choice::new("privileged", "true", "the manifest asks for it by name", "the manifest"));
    }
    choices.extend(security_opt.iter().map(explain_option));
    choices.extend(features.iter().cloned());
    choices.extend(explain_shim(*shim));
    choices
}

fn explain_option(option: &String) -> Choice {
    let (reason, source) = if option.starts_with("apparmor") {
        (
            "CAP_SYS_ADMIN under the engine's AppArmor profile makes systemd 253 and newer exit at once",
            "measured on Docker 28.5 and Podman 5.8 with systemd 257",
        )
    } else if option.starts_with("label") {
        ("SELinux denies the mounts that CAP_SYS_ADMIN is there for", "podman-run(1), --security-opt")
    } else {
        ("the own cgroup becomes writable", "moby daemon/oci_linux.go, pull request 48828")
    };
    Choice::new("security option", option, reason, source)
}

fn explain_shim(shim: Shim) -> Vec<Choice> {
    let Shim { remount, share, drop_admin } = shim;
    let mut choices = Vec::new();
    if remount {
        choices.push(Choice::new(
            "shim",
            "remount /sys/fs/cgroup",
            "the engine mounts the own cgroup read-only; the image needs sh and mount",
            "measured on Docker 20.10 and 28.5, cgroup v2",
        ));
    }
    if share {
        choices.push(Choice::new(
            "shim",
            "mount --make-rshared /",
            "credentials of units come out empty under CAP_SYS_ADMIN while / is private (systemd up to 257)",
            "measured with systemd 252 and 257",
        ));
    }
    if drop_admin {
        choices.push(Choice::new(
            "shim",
            "setpriv drops CAP_SYS_ADMIN",
            "only the remount needs it; the image needs setpriv (util-linux)",
            "setpriv(1); measured on Docker 20.10",
        ));
    }
    choices
}
