//! Mounts of a service.

use std::path::Path;

use indexmap::IndexMap;

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::Dialect;
use crate::project::mount::{self, PROPAGATIONS, ShortMount, ShortSource};
use crate::project::{Machine, Mount, MountSource, Privilege, ProfileName};
use crate::yaml::{Node, Value};

use super::limits::size;
use super::reader::Reader;
use super::service::{field, flag};

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
    let mut all: IndexMap<String, (Mount, Span)> = IndexMap::new();
    let volumes = node.get("volumes").map(|node| r.items(node, "volumes")).unwrap_or_default();
    for item in volumes {
        let mount = if let Value::Mapping(_) = item.value { long(r, item) } else { short(r, item) };
        if let Some(mount) = mount {
            keep(r, &mut all, mount, item.span, machine, dialect);
        }
    }
    if let Some(node) = node.get("tmpfs") {
        for (mount, span) in tmpfs(r, node) {
            keep(r, &mut all, mount, span, machine, dialect);
        }
    }
    all.into_values().map(|(mount, _)| mount).collect()
}

fn keep(
    r: &mut Reader<'_>,
    all: &mut IndexMap<String, (Mount, Span)>,
    mount: Mount,
    span: Span,
    machine: Option<&Machine>,
    dialect: Dialect,
) {
    check_target(r, &mount, span);
    if let Some(machine) = machine
        && !fits_machine(r, &mount, span, machine.privilege, dialect)
    {
        return;
    }
    if let Some((_, first)) = all.get(&mount.target) {
        r.push(
            Diagnostic::warning(format!("{} is mounted twice; the last one counts", mount.target), span)
                .also(*first, "never mounted"),
        );
    }
    all.insert(mount.target.clone(), (mount, span));
}

fn check_target(r: &mut Reader<'_>, mount: &Mount, span: Span) {
    let target = &mount.target;
    if target == "/" {
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
fn fits_host(r: &mut Reader<'_>, path: &Path, read_only: bool, span: Span, privilege: Privilege) -> bool {
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
        MountSource::Volume { .. } | MountSource::Anonymous | MountSource::Tmpfs { .. } => true,
    }
}

fn short(r: &mut Reader<'_>, node: &Node) -> Option<Mount> {
    let text = r.text(node, "volumes")?;
    let ShortMount { target, source, read_only, nocopy, propagation, selinux, unknown } =
        match mount::parse(&text) {
            Ok(mount) => mount,
            Err(why) => {
                r.push(
                    Diagnostic::error(format!("{text:?} is not a mount: {why}"), node.span)
                        .help("the form is [source:]target[:options]"),
                );
                return None;
            }
        };
    if !unknown.is_empty() {
        r.push(
            Diagnostic::warning(format!("mount options without meaning: {}", unknown.join(", ")), node.span)
                .help("there are ro, rw, z, Z, nocopy, and the propagations such as rshared"),
        );
    }
    let source = match source {
        None => MountSource::Anonymous,
        Some(ShortSource::Volume(key)) => MountSource::Volume { key, nocopy },
        Some(ShortSource::Path(path)) => {
            MountSource::Bind { path: r.path(&path, node.span), create: true, propagation, selinux }
        }
    };
    Some(Mount { target, source, read_only })
}

fn long(r: &mut Reader<'_>, node: &Node) -> Option<Mount> {
    let Some(kind) = node.get("type") else {
        r.push(
            Diagnostic::error("a mount needs a `type`", node.span)
                .help("there are `volume`, `bind` and `tmpfs`"),
        );
        return None;
    };
    let kind_text = r.text(kind, "type")?;
    let source = field(r, node, "source", Reader::some_text);
    let target = field(r, node, "target", Reader::some_text).map(|target| mount::clean(&target));
    if node.get("target").is_none() {
        r.error("a mount needs a `target`, the path inside", node.span);
    }
    let source = match kind_text.as_str() {
        "bind" => {
            let Some(source) = source else {
                if node.get("source").is_none() {
                    r.error("a mount of type `bind` needs a `source`", node.span);
                }
                return None;
            };
            bind(r, node, &source)
        }
        "volume" => match source {
            Some(key) => {
                let nocopy = node.get("volume").is_some_and(|volume| flag(r, volume, "nocopy"));
                MountSource::Volume { key, nocopy }
            }
            None => MountSource::Anonymous,
        },
        "tmpfs" => {
            let options = node.get("tmpfs");
            MountSource::Tmpfs {
                size: options.and_then(|node| field(r, node, "size", size)),
                mode: options.and_then(|node| field(r, node, "mode", mode)),
                options: None,
            }
        }
        other => {
            r.push(
                Diagnostic::error(format!("mounts of type `{other}` are not supported"), kind.span)
                    .help("there are `volume`, `bind` and `tmpfs`"),
            );
            return None;
        }
    };
    Some(Mount { target: target?, source, read_only: flag(r, node, "read_only") })
}

fn bind(r: &mut Reader<'_>, node: &Node, source: &str) -> MountSource {
    let options = node.get("bind");
    let propagation = options.and_then(|node| {
        field(r, node, "propagation", |r, node, key| {
            let text = r.some_text(node, key)?;
            if !PROPAGATIONS.contains(&text.as_str()) {
                r.push(
                    Diagnostic::error(format!("`{text}` is no mount propagation"), node.span)
                        .help(format!("there are {}", PROPAGATIONS.join(", "))),
                );
            }
            Some(text)
        })
    });
    let selinux = options.and_then(|node| {
        field(r, node, "selinux", |r, node, key| {
            let text = r.some_text(node, key)?;
            match text.as_str() {
                "z" => Some('z'),
                "Z" => Some('Z'),
                _ => {
                    r.error(format!("`bind.selinux` must be `z` or `Z`, found `{text}`"), node.span);
                    None
                }
            }
        })
    });
    MountSource::Bind {
        path: r.path(source, node.get("source").unwrap_or(node).span),
        create: options.is_some_and(|node| flag(r, node, "create_host_path")),
        propagation,
        selinux,
    }
}

/// Permission bits, octal with a leading `0` or `0o`. Three digits without one are decimal to Compose.
fn mode(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<u32> {
    let value = r.integer(node, key, 0..=0o7777)?;
    if let Value::Scalar { text, .. } = &node.value
        && text.len() >= 3
        && !text.starts_with('0')
        && text.bytes().all(|b| (b'0'..=b'7').contains(&b))
    {
        r.push(
            Diagnostic::warning(format!("`{key}: {text}` is decimal, 0o{value:o} in octal"), node.span)
                .help(format!("write 0{text} for octal")),
        );
    }
    u32::try_from(value).ok()
}

/// `tmpfs:`, one text or a list, each `path[:options]`.
fn tmpfs(r: &mut Reader<'_>, node: &Node) -> Vec<(Mount, Span)> {
    let items = match &node.value {
        Value::Sequence(items) => items.as_slice(),
        Value::Null | Value::Scalar { .. } | Value::Mapping(_) => std::slice::from_ref(node),
    };
    items
        .iter()
        .filter_map(|item| {
            let text = r.some_text(item, "tmpfs")?;
            let (target, options) = text.split_once(':').unwrap_or((&text, ""));
            let source = MountSource::Tmpfs { size: None, mode: None, options: Some(options.to_owned()) };
            Some((Mount { target: mount::clean(target), source, read_only: false }, item.span))
        })
        .collect()
}
