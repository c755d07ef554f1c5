//! `cgroup`, `ipc`, `pid`, `uts`: which namespaces a service shares. On a machine PID 1 is systemd, which needs
//! a process tree and a host name of its own, and a cgroup that `systemd.privilege` decides.

use crate::diagnostic::Diagnostic;
use crate::project::{CgroupNs, Namespaces, Sharing};
use crate::yaml::{Node, Value};

use super::reader::Reader;
use super::service::{field, place};

/// Reads the namespaces of a service.
pub(super) fn read(r: &mut Reader<'_>, node: &Node, is_machine: bool) -> Namespaces {
    let found = Namespaces {
        cgroup: field(r, node, "cgroup", cgroup),
        ipc: field(r, node, "ipc", sharing),
        // Compose's own schema takes `pid:` with nothing behind it.
        pid: node
            .get("pid")
            .filter(|node| node.value != Value::Null)
            .and_then(|node| sharing(r, node, "pid")),
        uts: field(r, node, "uts", Reader::text).filter(|mode| !mode.is_empty()),
    };
    if is_machine { of_machine(r, node, found) } else { found }
}

fn cgroup(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<CgroupNs> {
    let text = r.text(node, key)?;
    match text.as_str() {
        "private" => Some(CgroupNs::Private),
        "host" => Some(CgroupNs::Host),
        _ => {
            r.push(
                Diagnostic::error(format!("`{key}` cannot be {text:?}"), node.span)
                    .help("there are `private` and `host`"),
            );
            None
        }
    }
}

/// An empty text is no mode, as in Compose.
fn sharing(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<Sharing> {
    let text = r.text(node, key)?;
    (!text.is_empty()).then(|| Sharing::parse(&text))
}

/// Says which of them a machine cannot have, and leaves those out.
fn of_machine(r: &mut Reader<'_>, node: &Node, found: Namespaces) -> Namespaces {
    let Namespaces { cgroup, ipc, pid, uts } = found;
    match cgroup {
        None => {}
        Some(CgroupNs::Private) => r.push(
            Diagnostic::warning("`cgroup` changes nothing on a machine", place(node, "cgroup"))
                .help("`systemd.privilege` decides the cgroup namespace"),
        ),
        Some(CgroupNs::Host) => r.push(
            Diagnostic::error("`cgroup: host` cannot be given to a machine", place(node, "cgroup"))
                .help("take it away: `systemd.privilege` finds the least that boots systemd on this engine"),
        ),
    }
    if let Some(pid) = pid.as_ref().filter(|pid| !is_private(pid)) {
        r.push(
            Diagnostic::error(
                format!("`pid: {pid}` cannot be given to a machine: its systemd must be PID 1"),
                place(node, "pid"),
            )
            .help("take it away; `nsenter` on the host sees the machine's processes")
            .help("if no systemd is wanted, write `systemd: false`"),
        );
    }
    if let Some(uts) = &uts {
        r.push(
            Diagnostic::error(
                format!("`uts: {uts}` cannot be given to a machine: its systemd would set the host's name"),
                place(node, "uts"),
            )
            .help("take it away; `hostname` names the machine"),
        );
    }
    if ipc == Some(Sharing::Mode("host".to_owned())) {
        r.push(
            Diagnostic::warning(
                "`ipc: host` gives the machine all shared memory of the host",
                place(node, "ipc"),
            )
            .help("`shm_size` gives it more of its own"),
        );
    }
    Namespaces { cgroup: None, ipc, pid: None, uts: None }
}

/// `private` is a word of Podman for what each container has anyway.
fn is_private(sharing: &Sharing) -> bool {
    match sharing {
        Sharing::Mode(word) => word == "private",
        Sharing::Service(_) | Sharing::Container(_) => false,
    }
}
