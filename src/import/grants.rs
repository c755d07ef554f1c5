//! Privilege that containers were given so that systemd boots, and why a machine does without.

use crate::project::{Feature, capability};
use crate::yaml::Node;

use super::Kind;
use super::first_process::Wishes;
use super::signs::{self, mount_target, path_of, scalar};

/// What an item's end is told as; `None` where it is not worth a word.
pub(super) type Loss = Option<(Kind, String)>;

/// Why `privileged: true` goes.
pub(super) const PRIVILEGED: &str = "`privileged: true`: no machine needs it to boot. Where units miss something: \
     `systemd.features` has `sandboxing` (PrivateTmp=, ProtectSystem= … really apply), `fuse`, `nfs` and `time`, \
     `devices` gives devices of the host";

/// Why a choice of cgroups goes.
pub(super) const CGROUP_NAMESPACE: &str = "sdcompose chooses how the machine gets a cgroup of its own, by what the \
     engine can; with the host's namespace and SYS_ADMIN, root inside reaches every cgroup of the host";

/// Tells whether a capability goes.
pub(super) fn capability(service: &Node, item: &Node, wishes: &mut Wishes) -> Option<Loss> {
    let name = capability::canonical(&scalar(item)?);
    match name.as_str() {
        "SYS_ADMIN" if wants_fuse(service) => Some(Some((
            Kind::Moved,
            "capability SYS_ADMIN with /dev/fuse: `systemd.features: [fuse]` gives both".to_owned(),
        ))),
        "SYS_ADMIN" => Some(Some((
            Kind::Dropped,
            "capability SYS_ADMIN: systemd boots without any. `systemd.features: [sandboxing]` brings it back where \
             units need real sandboxing, `nfs` and `fuse` for such mounts, each with what must go with it"
                .to_owned(),
        ))),
        "ALL" => Some(Some((
            Kind::Dropped,
            "capability ALL: systemd boots without any beyond the engine's defaults; name those that units need"
                .to_owned(),
        ))),
        "SYS_TIME" => {
            wishes.features.insert(Feature::Time);
            Some(Some((Kind::Moved, "capability SYS_TIME: `systemd.features: [time]` gives it".to_owned())))
        }
        _ => None,
    }
}

/// Whether FUSE is meant, since its device is given.
fn wants_fuse(service: &Node) -> bool {
    signs::items(service, "devices").iter().any(is_fuse)
}

fn is_fuse(device: &Node) -> bool {
    let source = scalar(device).or_else(|| signs::text(device, "source")).unwrap_or_default();
    source.split(':').next() == Some("/dev/fuse")
}

/// Tells whether a device goes.
pub(super) fn device(_: &Node, item: &Node, wishes: &mut Wishes) -> Option<Loss> {
    if !is_fuse(item) {
        return None;
    }
    wishes.features.insert(Feature::Fuse);
    Some(Some((Kind::Moved, "device /dev/fuse: `systemd.features: [fuse]` gives it".to_owned())))
}

/// Tells whether an option of the security layers goes.
pub(super) fn security_option(_: &Node, item: &Node, _: &mut Wishes) -> Option<Loss> {
    let option = scalar(item)?.replacen(':', "=", 1);
    let why = match option.as_str() {
        "seccomp=unconfined" => "systemd runs under the engine's seccomp profile",
        "apparmor=unconfined" => {
            "it is needed beside SYS_ADMIN only, and `systemd.features` adds both where they are needed"
        }
        "label=disable" => {
            "if SELinux denies systemd its cgroup, `setsebool -P container_manage_cgroup true` lets it"
        }
        "systempaths=unconfined" => "no unit of a machine needs the masked paths of /proc and /sys",
        "writable-cgroups=true" | "writable-cgroups" => "sdcompose adds it where the engine knows it",
        _ => return None,
    };
    Some(Some((Kind::Dropped, format!("security option {option}: {why}"))))
}

/// Tells whether a mount goes.
pub(super) fn volume(_: &Node, item: &Node, _: &mut Wishes) -> Option<Loss> {
    let target = mount_target(item)?;
    if target == "/sys/fs/cgroup" || target.starts_with("/sys/fs/cgroup/") {
        let text = format!(
            "bind of {target}: it shows the machine the host's cgroups, and on Docker before 25 lets it write them all \
             even where it says `ro` (cgroup v1); sdcompose gives it its own subtree only"
        );
        return Some(Some((Kind::Dropped, text)));
    }
    let memory = scalar(item).is_some_and(|text| text == target)
        || signs::text(item, "type").is_some_and(|it| it == "tmpfs");
    let sized = item.get("tmpfs").is_some();
    (is_systemds(&target) && memory && !sized).then(|| Some((Kind::Moved, given(&target))))
}

/// Tells whether a tmpfs goes. One with a size of its own stays.
pub(super) fn tmpfs(_: &Node, item: &Node, _: &mut Wishes) -> Option<Loss> {
    let text = scalar(item)?;
    let path = path_of(&text);
    let sized = text.contains("size=");
    ((is_systemds(path) || path == "/sys/fs/cgroup") && !sized).then(|| Some((Kind::Moved, given(path))))
}

fn is_systemds(path: &str) -> bool {
    matches!(path, "/run" | "/run/lock" | "/tmp" | "/var/run" | "/var/lock")
}

fn given(path: &str) -> String {
    format!("tmpfs {path}: every machine has what systemd needs")
}
