//! What Docker Compose loads and shows, but no engine takes: said where it stands, before anything is made.

use indexmap::IndexMap;

use crate::diagnostic::{Diagnostic, Span};
use crate::project::{MountSource, Volume, mount, name, signal};
use crate::yaml::{Node, Value};

use super::Written;
use super::reader::Reader;
use super::service::place;
use super::storage;

/// Engines refuse a container with less memory (moby `daemon/daemon_unix.go`, `linuxMinMemory`).
const LEAST_MEMORY: u64 = 6 << 20;

/// What can stand before the sign of an entry of `security_opt`: Docker's own (moby `daemon/daemon_unix.go`,
/// compose `pkg/compose/create.go`), and Podman's.
const SECURITY: [&str; 10] = [
    "apparmor",
    "credentialspec",
    "label",
    "mask",
    "no-new-privileges",
    "proc-opts",
    "seccomp",
    "systempaths",
    "unmask",
    "writable-cgroups",
];

/// Checks values that only an engine would refuse.
pub(super) fn all(
    r: &mut Reader<'_>,
    root: &Node,
    services: &[Written<'_>],
    volumes: &IndexMap<String, Volume>,
) {
    for written in services {
        stop_signal(r, written);
        security_options(r, written);
        memory(r, written);
        host_volumes(r, root, written, volumes);
    }
}

fn value(written: &Written<'_>, key: &str) -> Span {
    let node = &written.entry.value;
    node.get(key).map_or_else(|| place(node, key), |value| value.span)
}

fn stop_signal(r: &mut Reader<'_>, written: &Written<'_>) {
    let Some(signal) = written.service.stop_signal.as_deref().filter(|text| !signal::is_signal(text)) else {
        return;
    };
    let span = value(written, "stop_signal");
    let found = Diagnostic::obstacle(format!("{signal:?} is no signal"), span);
    r.push(match signal::meant(signal) {
        Some(meant) => found.help(format!("did you mean `{meant}`?")).suggest(span, meant),
        None => found.help("a name such as SIGTERM or SIGRTMIN+3, or a number from 1 to 64"),
    });
}

fn security_options(r: &mut Reader<'_>, written: &Written<'_>) {
    let Some(node) = written.entry.value.get("security_opt") else { return };
    let Value::Sequence(items) = &node.value else { return };
    for item in items {
        let Value::Scalar { text, plain: _ } = &item.value else { continue };
        let key = text.split(['=', ':']).next().unwrap_or_default();
        if SECURITY.contains(&key) {
            continue;
        }
        let found = Diagnostic::obstacle(format!("{key:?} is no option of `security_opt`"), item.span);
        r.push(match name::nearest(key, SECURITY) {
            Some(near) => found.help(format!("did you mean `{near}`?")),
            None => found.help("there are apparmor=, label=, no-new-privileges, seccomp= and systempaths="),
        });
    }
}

fn memory(r: &mut Reader<'_>, written: &Written<'_>) {
    let Some(bytes) = written.service.limits.memory else { return };
    if bytes == 0 || bytes >= LEAST_MEMORY {
        return;
    }
    let node = &written.entry.value;
    let limits = node.get("deploy").and_then(|deploy| deploy.get("resources")?.get("limits")?.get("memory"));
    let span = match (node.get("mem_limit"), limits) {
        (Some(limit), _) | (None, Some(limit)) => limit.span,
        (None, None) => node.span,
    };
    r.push(
        Diagnostic::obstacle(format!("{bytes} bytes of memory are less than any container can have"), span)
            .help("6m is the least that an engine takes; a machine needs about 64m to boot"),
    );
}

/// A volume can be a bind by another name, and then it is judged like one.
fn host_volumes(r: &mut Reader<'_>, root: &Node, written: &Written<'_>, volumes: &IndexMap<String, Volume>) {
    let Some(machine) = &written.service.machine else { return };
    for mount in &written.service.mounts {
        if let MountSource::Volume { key, .. } = &mount.source
            && let Some(device) = volumes.get(key).and_then(bound)
        {
            let node = root.get("volumes").and_then(|volumes| volumes.get(key)?.get("driver_opts"));
            let span = node.map_or_else(|| value(written, "volumes"), |node| place(node, "device"));
            let path = mount::normal(std::path::Path::new(device));
            storage::fits_host(r, &path, mount.read_only, span, machine.privilege);
        }
    }
}

/// The path of this host that a volume of the local driver binds.
fn bound(volume: &Volume) -> Option<&str> {
    let local = volume.driver.as_deref().is_none_or(|driver| driver == "local");
    let options = volume.driver_opts.get("o").map_or("", String::as_str);
    let bind = options.split(',').any(|option| matches!(option, "bind" | "rbind"))
        || volume.driver_opts.get("type").is_some_and(|kind| kind == "bind");
    let device = volume.driver_opts.get("device")?;
    (local && bind).then_some(device)
}

#[cfg(test)]
mod tests {
    use super::super::tests::tree::said;

    #[test]
    fn a_signal_that_is_none_is_said_with_the_one_that_was_meant() {
        let told = said("services: {a: {image: x, systemd: false, stop_signal: SIGTREM}}\n");
        assert!(
            told.contains(r#"1:55 obstacle: "SIGTREM" is no signal"#)
                && told.contains("did you mean `SIGTERM`?"),
            "{told}"
        );
        assert_eq!(said("services: {a: {image: x, systemd: false, stop_signal: sigusr1}}\n"), "");
    }

    #[test]
    fn an_option_of_security_that_no_engine_has_is_said() {
        let told = said(
            "services: {a: {image: x, security_opt: [secomp=unconfined, 'label:disable', no-new-privileges]}}\n",
        );
        assert!(told.contains(r#"1:41 obstacle: "secomp" is no option of `security_opt`"#), "{told}");
        assert!(told.contains("did you mean `seccomp`?") && told.lines().count() == 1, "{told}");
    }

    #[test]
    fn memory_below_the_least_is_said() {
        for text in ["mem_limit: 4m", "deploy: {resources: {limits: {memory: 4m}}}"] {
            let told = said(&format!("services: {{a: {{image: x, {text}}}}}\n"));
            assert!(told.contains("4194304 bytes of memory are less"), "{told}");
        }
        assert_eq!(said("services: {a: {image: x, mem_limit: 6m}}\n"), "");
        assert_eq!(said("services: {a: {image: x, mem_limit: 0}}\n"), "");
    }

    #[test]
    fn a_volume_that_binds_the_cgroups_of_the_host_is_a_bind() {
        let text = |options: &str| {
            format!(
                "services: {{a: {{image: x, volumes: ['cg:/cg{options}']}}}}\nvolumes: {{cg: {{driver: local, \
                 driver_opts: {{type: none, o: bind, device: /sys/fs/cgroup}}}}}}\n"
            )
        };
        let told = said(&text(""));
        assert!(
            told.contains("2:") && told.contains("would give the machine every cgroup of the host"),
            "{told}"
        );
        assert!(said(&text(":ro")).contains("shows the machine the cgroups of the host"));
    }
}
