//! The forms in which a mount is written: short, long, and `tmpfs:`.

use crate::diagnostic::{Diagnostic, Span};
use crate::project::mount::{self, PROPAGATIONS, ShortMount, ShortSource};
use crate::project::{CreateHostPath, Mount, MountSource, Recursive, VolumeOptions};
use crate::yaml::{Node, Value};

use super::super::limits::size;
use super::super::reader::Reader;
use super::super::service::{field, flag, labels, place};

/// The types of the long form, in the order of the documentation.
const TYPES: [&str; 6] = ["volume", "bind", "tmpfs", "image", "npipe", "cluster"];

/// Reads `[source:]target[:options]`.
pub(super) fn short(r: &mut Reader<'_>, node: &Node) -> Option<Mount> {
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
    let of_volume = |propagation| VolumeOptions { nocopy, selinux, propagation, ..VolumeOptions::default() };
    let source = match source {
        None => MountSource::Anonymous(of_volume(propagation)),
        Some(ShortSource::Volume(key)) => {
            if let Some(word) = &propagation {
                no_propagation(r, word, node.span);
            }
            MountSource::Volume { key, options: of_volume(propagation) }
        }
        Some(ShortSource::Path(path)) => {
            if nocopy {
                r.push(Diagnostic::warning("`nocopy` means nothing to a host path", node.span));
            }
            let (path, create) = (r.path(&path, node.span), CreateHostPath::Yes);
            MountSource::Bind { path, create, propagation, selinux, recursive: None }
        }
    };
    Some(Mount { target, source, read_only, consistency: None })
}

/// Reads a mapping with a `type`.
pub(super) fn long(r: &mut Reader<'_>, node: &Node) -> Option<Mount> {
    let Some(kind) = node.get("type") else {
        r.push(Diagnostic::error("a mount needs a `type`", node.span).help(types()));
        return None;
    };
    let kind_text = r.text(kind, "type")?;
    let source = field(r, node, "source", Reader::filled);
    let target = target(r, node);
    let source = match kind_text.as_str() {
        "bind" => {
            needs_source(r, node, source.as_deref(), "bind")?;
            // What an unset variable leaves is the project's directory to Compose.
            bind(r, node, source.as_deref().unwrap_or("."))
        }
        "volume" => {
            let options = volume_options(r, node);
            match source {
                Some(key) => MountSource::Volume { key, options },
                None => MountSource::Anonymous(options),
            }
        }
        "tmpfs" => {
            let options = node.get("tmpfs");
            if let Some(options) = options {
                r.entries(options, "tmpfs");
            }
            MountSource::Tmpfs {
                size: options.and_then(|node| field(r, node, "size", size)),
                mode: options.and_then(|node| field(r, node, "mode", mode)),
                options: None,
            }
        }
        "image" => {
            needs_source(r, node, source.as_deref(), "image")?;
            MountSource::Image {
                reference: source.unwrap_or_default(),
                subpath: node.get("image").and_then(|node| field(r, node, "subpath", Reader::filled)),
            }
        }
        "npipe" => {
            r.push(
                Diagnostic::obstacle("named pipes are mounted on Windows only", kind.span)
                    .help("take it away; on Linux, a socket is bound by `type: bind`"),
            );
            MountSource::NamedPipe(source)
        }
        "cluster" => {
            r.push(
                Diagnostic::obstacle("cluster volumes are mounted by Swarm only", kind.span)
                    .help("use `type: volume`, with a `driver` at the top level where it is remote"),
            );
            MountSource::Cluster(source)
        }
        other => {
            r.push(Diagnostic::error(format!("`{other}` is no type of a mount"), kind.span).help(types()));
            return None;
        }
    };
    foreign_options(r, node, &kind_text);
    let consistency = field(r, node, "consistency", Reader::text);
    Some(Mount { target: target?, source, read_only: flag(r, node, "read_only"), consistency })
}

fn types() -> String {
    let quoted: Vec<String> = TYPES.iter().map(|word| format!("`{word}`")).collect();
    format!("there are {}", quoted.join(", "))
}

/// The path inside.
fn target(r: &mut Reader<'_>, node: &Node) -> Option<String> {
    let Some(written) = node.get("target") else {
        r.error("a mount needs a `target`, the path inside", node.span);
        return None;
    };
    let target = r.text(written, "target")?;
    if target.is_empty() {
        r.push(Diagnostic::obstacle("the `target` of a mount is empty", written.span));
    }
    Some(mount::clean(&target))
}

/// The target of the long form as it is written; `None` in the short form.
pub(super) fn written_target(node: &Node) -> Option<String> {
    match node.get("target").map(|node| &node.value) {
        Some(Value::Scalar { text, .. }) => Some(text.to_string()),
        Some(Value::Null | Value::Sequence(_) | Value::Mapping(_)) | None => None,
    }
}

/// Says that a type cannot do without a source; an empty one stops only who would run it, as in Compose.
fn needs_source(r: &mut Reader<'_>, node: &Node, source: Option<&str>, kind: &str) -> Option<()> {
    if source.is_some() {
        return Some(());
    }
    let what = format!("a mount of type `{kind}` needs a `source`");
    match node.get("source") {
        Some(written) if written.value == Value::Null => r.error(what, written.span),
        Some(written) => {
            r.push(Diagnostic::obstacle(what, written.span));
            return Some(());
        }
        None => r.error(what, node.span),
    }
    None
}

/// Options of another type are taken by Compose and given to nobody. `bind` of a volume has its `SELinux` label.
fn foreign_options(r: &mut Reader<'_>, node: &Node, kind: &str) {
    let has = |key: &str| node.get(key).is_some_and(|node| node.value != Value::Null);
    for key in ["bind", "volume", "tmpfs", "image"] {
        if key != kind && has(key) && (kind, key) != ("volume", "bind") {
            r.push(
                Diagnostic::warning(
                    format!("`{key}` means nothing to a mount of type `{kind}`"),
                    place(node, key),
                )
                .help("take it away, or give the mount the other type"),
            );
        }
    }
}

fn bind(r: &mut Reader<'_>, node: &Node, source: &str) -> MountSource {
    let path = r.path(source, node.get("source").unwrap_or(node).span);
    let Some(node) = node.get("bind") else {
        let create = CreateHostPath::Implied;
        return MountSource::Bind { path, create, propagation: None, selinux: None, recursive: None };
    };
    r.entries(node, "bind");
    let create = match field(r, node, "create_host_path", Reader::boolean) {
        Some(false) => CreateHostPath::No,
        Some(true) => CreateHostPath::Yes,
        None => CreateHostPath::Implied,
    };
    MountSource::Bind {
        path,
        create,
        propagation: field(r, node, "propagation", propagation),
        selinux: field(r, node, "selinux", selinux),
        recursive: field(r, node, "recursive", recursive),
    }
}

fn volume_options(r: &mut Reader<'_>, node: &Node) -> VolumeOptions {
    let mut read = VolumeOptions::default();
    if let Some(node) = node.get("volume") {
        r.entries(node, "volume");
        read.nocopy = flag(r, node, "nocopy");
        read.subpath = field(r, node, "subpath", Reader::filled);
        read.labels = labels(r, node, "labels").into_iter().collect();
    }
    if let Some(node) = node.get("bind") {
        r.entries(node, "bind");
        read.selinux = field(r, node, "selinux", selinux);
        read.propagation = field(r, node, "propagation", propagation);
        if let Some(word) = &read.propagation {
            no_propagation(r, word, place(node, "propagation"));
        }
        if read.selinux.is_some() && read.subpath.is_some() {
            r.push(
                Diagnostic::obstacle(
                    "engines give an SELinux label to whole volumes only",
                    place(node, "selinux"),
                )
                .help("take `selinux` or `volume.subpath` away"),
            );
        }
    }
    read
}

fn no_propagation(r: &mut Reader<'_>, word: &str, span: Span) {
    r.push(
        Diagnostic::warning(format!("`{word}` means nothing to a volume"), span)
            .help("only binds of host paths propagate mounts"),
    );
}

fn propagation(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<String> {
    let text = r.text(node, key).filter(|text| !text.is_empty())?;
    if !PROPAGATIONS.contains(&text.as_str()) {
        r.push(
            Diagnostic::obstacle(format!("`{text}` is no mount propagation"), node.span)
                .help(format!("there are {}", PROPAGATIONS.join(", "))),
        );
    }
    Some(text)
}

fn selinux(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<char> {
    let text = r.filled(node, key)?;
    match text.as_str() {
        "z" => Some('z'),
        "Z" => Some('Z'),
        _ => {
            r.error(format!("`bind.selinux` must be `z` or `Z`, found `{text}`"), node.span);
            None
        }
    }
}

fn recursive(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<Recursive> {
    let text = r.filled(node, key)?;
    let found = Recursive::ALL.into_iter().find(|word| word.as_str() == text);
    if found.is_none() {
        r.push(
            Diagnostic::error(format!("`bind.recursive` cannot be `{text}`"), node.span)
                .help(format!("there are {}", Recursive::ALL.map(Recursive::as_str).join(", "))),
        );
    }
    found
}

/// Permission bits, octal with a leading `0` or `0o`. Three digits without one are decimal to Compose.
fn mode(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<u32> {
    // Compose's own type refuses text, also that of a variable.
    if matches!(node.value, Value::Scalar { plain: false, .. }) || node.is_interpolated() {
        r.push(
            Diagnostic::error(format!("`{key}` must be a number, found text"), node.span)
                .help("write it without quotes and variables, as 0755"),
        );
        return None;
    }
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
pub(super) fn tmpfs(r: &mut Reader<'_>, node: &Node) -> Vec<(Mount, Span)> {
    let items = match &node.value {
        Value::Sequence(items) => items.as_slice(),
        Value::Null | Value::Scalar { .. } | Value::Mapping(_) => std::slice::from_ref(node),
    };
    items
        .iter()
        .filter_map(|item| {
            let text = r.text(item, "tmpfs")?;
            let (target, options) = text.split_once(':').unwrap_or((&text, ""));
            let source = MountSource::Tmpfs { size: None, mode: None, options: Some(options.to_owned()) };
            Some((
                Mount { target: mount::clean(target), source, read_only: false, consistency: None },
                item.span,
            ))
        })
        .collect()
}
