//! Mounts of a service.

use std::path::Path;

use indexmap::IndexMap;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::manifest::Dialect;
use crate::project::{Machine, Mount, MountSource, Privilege, ProfileName, mount};
use crate::yaml::{Node, Value};

use super::reader::Reader;

mod forms;

/// Directories that systemd needs for itself, and what to do instead of mounting over them.
const SYSTEMDS_OWN: [(&str, &str); 4] = [
    ("/proc", "the kernel's; use `sysctls:` for parameters"),
    ("/sys", "the kernel's; the machine gets its own cgroup without any mount"),
    ("/run/systemd", "systemd's own state"),
    ("/run/host", "where the engine and systemd meet"),
];

/// Reads `volumes` and `tmpfs`; of two mounts on one target the last wins, in its place.
pub(super) fn mounts(
    r: &mut Reader<'_>,
    node: &Node,
    machine: Option<&Machine>,
    dialect: Dialect,
) -> Vec<Mount> {
    let mut all: IndexMap<String, Kept> = IndexMap::new();
    let volumes = node.get("volumes").map(|node| r.items(node, "volumes")).unwrap_or_default();
    for item in volumes {
        let mount =
            if let Value::Mapping(_) = item.value { forms::long(r, item) } else { forms::short(r, item) };
        if let Some(mount) = mount {
            let written = forms::written_target(item).unwrap_or_else(|| mount.target.clone());
            keep(r, &mut all, Kept { mount, written, span: item.span }, machine, dialect);
        }
    }
    if let Some(node) = node.get("tmpfs") {
        for (mount, span) in forms::tmpfs(r, node) {
            let written = format!("tmpfs {}", mount.target);
            keep(r, &mut all, Kept { mount, written, span }, machine, dialect);
        }
    }
    all.into_values().map(|kept| kept.mount).collect()
}

/// A mount with its place.
struct Kept {
    mount: Mount,
    /// What tells it apart from the others before its target is cleaned: only equal ones replace each other.
    written: String,
    span: Span,
}

fn keep(
    r: &mut Reader<'_>,
    all: &mut IndexMap<String, Kept>,
    kept: Kept,
    machine: Option<&Machine>,
    dialect: Dialect,
) {
    let Kept { mount, written, span } = &kept;
    check_target(r, mount, *span);
    if let Some(machine) = machine
        && !fits_machine(r, mount, *span, machine.privilege, dialect)
    {
        return;
    }
    let target = &mount.target;
    match all.get(target) {
        Some(first) if first.written == *written => r.push(
            Diagnostic::warning(format!("{target} is mounted twice; the last one counts"), *span)
                .also(first.span, "never mounted"),
        ),
        // Compose replaces targets that are written alike, and refuses the others (`loader/validate.go`).
        Some(first) => r.push(
            Diagnostic::error(format!("{target} is mounted twice"), *span)
                .also(first.span, "mounted here first")
                .help("take one of them away"),
        ),
        None => {}
    }
    all.insert(target.clone(), kept);
}

fn check_target(r: &mut Reader<'_>, mount: &Mount, span: Span) {
    let target = &mount.target;
    if target.is_empty() {
        // An unset variable leaves it so; it was said where it stands in the long form.
        if matches!(&mount.source, MountSource::Tmpfs { options: Some(_), .. }) {
            r.push(Diagnostic::obstacle("an entry of `tmpfs` is empty", span));
        }
    } else if target == "/" {
        r.error("nothing can be mounted over `/`", span);
    } else if !target.starts_with('/') {
        let letter = target.get(1..3) == Some(":/");
        r.push(Diagnostic::obstacle(format!("the path inside, `{target}`, is not absolute"), span).help(
            if letter {
                "a single letter before `:` is a Windows drive, as in Compose; give the volume a longer name"
            } else {
                "the form is source:/path/inside"
            },
        ));
    }
}

/// Whether a bind of a directory shows the host's cgroups: it is within their tree, or the tree within it.
fn shows_cgroups(path: &Path) -> bool {
    let tree = Path::new("/sys/fs/cgroup");
    path.starts_with(tree) || tree.starts_with(path)
}

/// Root can freeze and kill what runs in any cgroup that it can write, and lift its limits (cgroups(7)). Only
/// with two profiles is the machine meant to have that.
fn may_write_cgroups(privilege: Privilege) -> bool {
    match privilege {
        Privilege::Fixed(ProfileName::Classic | ProfileName::Privileged) => true,
        Privilege::Auto
        | Privilege::Fixed(
            ProfileName::Podman
            | ProfileName::WritableCgroups
            | ProfileName::Remapped
            | ProfileName::Remount
            | ProfileName::OwnSubtree
            | ProfileName::OwnSubtreeV1
            | ProfileName::UnifiedOnHybrid,
        ) => false,
    }
}

/// Checks what a machine gets of the host by a bind; false where it cannot be given.
pub(super) fn fits_host(
    r: &mut Reader<'_>,
    path: &Path,
    read_only: bool,
    span: Span,
    privilege: Privilege,
) -> bool {
    // `..` and doubled slashes must not hide what is bound.
    let plain = mount::normal(path);
    let shown = path.display();
    let cgroups = shows_cgroups(&plain);
    if cgroups && !read_only && !may_write_cgroups(privilege) {
        r.push(
            Diagnostic::error(
                format!("the bind of {shown} would give the machine every cgroup of the host"),
                span,
            )
            .coded(Code::HostAccess)
            .help("bind the one directory that the machine needs, or use a volume")
            .help("the machine gets a cgroup of its own without any mount")
            .help("`systemd.privilege: classic` or `privileged` says that it is meant"),
        );
        return false;
    }
    let why =
        gives_the_host(&plain).or_else(|| cgroups.then_some("shows the machine the cgroups of the host"));
    if let Some(why) = why {
        let mut diagnostic = Diagnostic::warning(format!("the bind of {shown} {why}"), span)
            .coded(Code::HostAccess)
            .help("bind the one directory that the machine needs, or use a volume");
        if cgroups && read_only {
            diagnostic = diagnostic.help(
                "`ro` does not hold for what is mounted below it: Docker before 25 leaves that writable",
            );
        }
        r.push(diagnostic);
    }
    true
}

/// Says what a machine gets by a bind of one of the host's own directories.
fn gives_the_host(path: &Path) -> Option<&'static str> {
    match path.to_str()? {
        "/" | "/etc" | "/root" | "/boot" | "/usr" | "/var" => Some("gives the machine the host's own files"),
        "/proc" | "/sys" | "/dev" => Some("gives the machine the host's kernel"),
        "/run" | "/var/run" | "/run/systemd" | "/run/dbus" => {
            Some("gives the machine the host's own systemd")
        }
        path if path.ends_with("/docker.sock") || path.ends_with("/podman.sock") => {
            Some("gives the machine the engine, which is root on the host")
        }
        _ => None,
    }
}

/// Whether a machine can have the mount. A compose file that also serves Docker Compose often binds the
/// cgroup tree, which Docker Compose needs and this tool does not: there it is left out with a warning.
fn fits_machine(
    r: &mut Reader<'_>,
    mount: &Mount,
    span: Span,
    privilege: Privilege,
    dialect: Dialect,
) -> bool {
    let target = mount.target.as_str();
    let is_tmpfs = matches!(mount.source, MountSource::Tmpfs { .. });
    let under = |directory: &str| {
        target.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if under("/sys/fs/cgroup") {
        let help = "take it away: the machine gets a cgroup of its own, and nothing of the host's";
        match dialect {
            Dialect::Compose => r.push(
                Diagnostic::warning(format!("{target} is left out: a machine has its own cgroup"), span)
                    .help(help),
            ),
            Dialect::Sdcompose => r.push(
                Diagnostic::error(format!("{target} would give the machine cgroups of the host"), span)
                    .help(help)
                    .help("`systemd.privilege: classic` reproduces the widely copied recipe"),
            ),
        }
        return false;
    }
    if let Some((directory, why)) = SYSTEMDS_OWN.iter().find(|(directory, _)| under(directory)) {
        r.error(format!("a machine cannot have a mount at {target}: {directory} is {why}"), span);
        return false;
    }
    if matches!(target, "/run" | "/run/lock" | "/tmp" | "/dev") && !is_tmpfs {
        r.push(
            Diagnostic::error(format!("a mount at {target} hides what systemd needs there"), span)
                .help("mount a directory below it, or elsewhere"),
        );
        return false;
    }
    match &mount.source {
        MountSource::Bind { path, .. } => fits_host(r, path, mount.read_only, span, privilege),
        MountSource::Volume { .. }
        | MountSource::Anonymous(_)
        | MountSource::Tmpfs { .. }
        | MountSource::Image { .. }
        | MountSource::NamedPipe(_)
        | MountSource::Cluster(_) => true,
    }
}
