//! What every machine gets, whatever the profile: tmpfs, environment, arguments of PID 1, and the drop-in
//! that lets hardened units start without `CAP_SYS_ADMIN`.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{EngineKind, Facts};

use super::grants::{Grant, Shim};
use super::{Choice, Decision, engine_word};

/// The stop signal of a machine: systemd halts in order (systemd(1), SIGNALS). SIGTERM would only make it
/// execute itself anew, and the engine would kill it.
pub const STOP_SIGNAL: &str = "SIGRTMIN+3";

/// Path inside at which the notify socket's directory is bound.
pub const NOTIFY_DIR: &str = "/run/host/sd";

/// Value of `NOTIFY_SOCKET`.
pub const NOTIFY_SOCKET: &str = "/run/host/sd/notify";

/// The first systemd that keeps `CAP_SYS_ADMIN` for seccomp while it changes to a unit's user, and fails
/// without it: "217/USER, Failed to keep `CAP_SYS_ADMIN`" (systemd#29860; measured on 257 and 262).
pub const RELIEF_SINCE: u16 = 255;

/// Where [`relief`] is put. Drop-ins of all directories apply in the order of their file names
/// (systemd.unit(5)), so that `zz` comes behind those of packages.
pub const RELIEF_PATH: &str = "/etc/systemd/system/service.d/zz-sdcompose.conf";

/// Settings that make a unit with a user of its own fail without `CAP_SYS_ADMIN` on systemd 255 and newer,
/// each with the value that switches it off. `DynamicUser=` is not among them: without it the unit would
/// run as root.
const RELIEVED: [(&str, &str); 18] = [
    ("SystemCallFilter", ""),
    ("SystemCallArchitectures", ""),
    ("RestrictAddressFamilies", ""),
    ("RestrictNamespaces", "no"),
    ("RestrictRealtime", "no"),
    ("RestrictSUIDSGID", "no"),
    ("MemoryDenyWriteExecute", "no"),
    ("LockPersonality", "no"),
    ("ProtectHostname", "no"),
    ("ProtectClock", "no"),
    ("ProtectKernelTunables", "no"),
    ("ProtectKernelModules", "no"),
    ("ProtectKernelLogs", "no"),
    ("PrivateDevices", "no"),
    ("PrivateUsers", "no"),
    ("BindPaths", ""),
    ("BindReadOnlyPaths", ""),
    ("TemporaryFileSystem", ""),
];

/// The text of the drop-in for all services of a machine without `CAP_SYS_ADMIN`.
#[must_use]
pub fn relief() -> String {
    let mut text = String::from(
        "# Written by sdcompose: without CAP_SYS_ADMIN, systemd 255 and newer cannot start a unit that has a\n\
         # user of its own and one of these settings (217/USER). `systemd.features: [sandboxing]` keeps them.\n\
         [Service]\n",
    );
    for (key, value) in RELIEVED {
        text.push_str(key);
        text.push('=');
        text.push_str(value);
        text.push('\n');
    }
    text
}

/// Tmpfs mounts that systemd needs and cannot make by itself: 247 and 252 exit without `/run/lock` in
/// addition to `/run`, 257 and newer without `/run`; without `/tmp` its unit fails (measured).
#[must_use]
pub fn tmpfs(own_targets: &BTreeSet<String>) -> BTreeMap<String, String> {
    [("/run", "exec,mode=755"), ("/run/lock", ""), ("/tmp", "exec,mode=1777")]
        .into_iter()
        .filter(|(target, _)| !own_targets.contains(*target))
        .map(|(target, options)| (target.to_owned(), options.to_owned()))
        .collect()
}

/// Environment of PID 1: `container=` is how systemd learns what it runs in (247 misdetects without it,
/// measured); a dumb `TERM`
/// keeps the control sequences of systemd 257 and newer out of the console, which is read as a log (measured).
#[must_use]
pub fn environment(facts: &Facts) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::from([
        ("container".to_owned(), engine_word(facts.engine).to_owned()),
        ("TERM".to_owned(), "dumb".to_owned()),
    ]);
    if facts.notify_root.is_some() {
        environment.insert("NOTIFY_SOCKET".to_owned(), NOTIFY_SOCKET.to_owned());
    }
    environment
}

/// What the engine executes, in front of systemd's own arguments.
#[must_use]
pub fn entrypoint(init: &str, facts: &Facts, grant: &Grant) -> Vec<String> {
    let hidden = facts.engine == EngineKind::Podman && !podman_recognises(init);
    if grant.shim == Shim::default() && !hidden {
        return vec![init.to_owned()];
    }
    vec!["/bin/sh".to_owned(), "-c".to_owned(), script(grant.shim), init.to_owned()]
}

/// The shim's text; systemd and its arguments are the shell's `$0` and `$@`.
///
/// Podman's systemd mode looks at the base name of the text after `sh -c` (podman
/// `pkg/specgen/generate/container_create.go`): the comment at the end makes it `systemd`.
fn script(shim: Shim) -> String {
    let Shim { remount, share, drop_admin } = shim;
    let mut script = String::new();
    if remount {
        script.push_str("mount -o remount,rw,bind /sys/fs/cgroup && ");
    }
    if share {
        script.push_str("mount --make-rshared / && ");
    }
    let dropped = if drop_admin { "setpriv --bounding-set -sys_admin --inh-caps -sys_admin " } else { "" };
    script + "exec " + dropped + "\"$0\" \"$@\" # /systemd"
}

/// Tells whether Podman's systemd mode switches itself on for this executable.
fn podman_recognises(init: &str) -> bool {
    init.ends_with("/systemd") || matches!(init, "/sbin/init" | "/usr/sbin/init" | "/usr/local/sbin/init")
}

/// Explains what every machine gets.
#[must_use]
pub fn explain(decision: &Decision, facts: &Facts) -> Vec<Choice> {
    let version = decision.version.map_or_else(|| "unknown".to_owned(), |version| version.to_string());
    let targets: Vec<&str> = decision.tmpfs.keys().map(String::as_str).collect();
    let mut choices = vec![
        Choice::new("init", &decision.init, &format!("systemd {version} of the image"), "the image"),
        Choice::new(
            "tmpfs",
            targets.join(", "),
            "systemd exits or has failed units without them, and cannot mount them by itself",
            "measured with systemd 247-262",
        ),
        Choice::new(
            "terminal",
            "true",
            "PID 1 has no log before journald but its console: without a terminal a failed boot says nothing",
            "measured on Docker 20.10 and 28.5",
        ),
        Choice::new(
            "stop signal",
            STOP_SIGNAL,
            "systemd halts in order; SIGTERM would only make it execute itself anew",
            "systemd(1), SIGNALS",
        ),
        Choice::new(
            "container=",
            engine_word(facts.engine),
            "systemd learns from it what it runs in",
            "systemd docs/CONTAINER_INTERFACE.md",
        ),
    ];
    choices.push(Choice::new(
        "TERM=, --log-color=0, --show-status=1",
        "dumb",
        "the console is read as a log: plain `[  OK  ]` lines, no control sequences",
        "systemd(1); measured with systemd 257 and 262",
    ));
    choices.push(match facts.notify_root {
        Some(_) => Choice::new(
            "readiness",
            NOTIFY_SOCKET,
            "systemd itself says READY=1 when its boot is done",
            "sd_notify(3); measured with systemd 247-262",
        ),
        None => Choice::new(
            "readiness",
            "asked by `systemctl is-system-running --wait`",
            "a socket of this host cannot be bound on a remote engine",
            "systemctl(1)",
        ),
    });
    if decision.relief {
        choices.push(Choice::new(
            "drop-in for all services",
            RELIEF_PATH,
            "without CAP_SYS_ADMIN, systemd 255 and newer fail hardened units with a user of their own (217/USER)",
            "systemd src/core/exec-invoke.c, systemd#29860; measured with systemd 257 and 262",
        ));
    }
    choices
}
