//! `systemd.units`, `enable` and `mask`: unit files and drop-ins for a machine, and units to start or to stop
//! from starting.

use indexmap::IndexMap;

use crate::diagnostic::Diagnostic;
use crate::project::UnitFile;
use crate::systemd::UnitName;
use crate::yaml::{Entry, Node, Value};

use super::super::reader::Reader;
use super::super::service::{flag, place};
use super::Layers;
use super::unit_names::{checked_unit, is_template, refuse_template, startable, unit_name};
use super::unit_text;

/// The keys of one unit.
const KEYS: [&str; 5] = ["file", "content", "drop_in", "enable", "mask"];

/// Reads a list of units of all layers, each unit once.
pub(super) fn names(r: &mut Reader<'_>, layers: &Layers<'_>, key: &str) -> Vec<UnitName> {
    let mut all: Vec<UnitName> = Vec::new();
    for node in layers.all(key) {
        let items = match &node.value {
            Value::Sequence(items) => items.as_slice(),
            Value::Null | Value::Scalar { .. } | Value::Mapping(_) => std::slice::from_ref(node),
        };
        for item in items {
            let read = if key == "enable" { startable } else { unit_name };
            if let Some(unit) = read(r, item, &format!("systemd.{key}"))
                && !all.contains(&unit)
            {
                all.push(unit);
            }
        }
    }
    all
}

/// A unit cannot be both started and kept from starting.
pub(super) fn refuse_both(r: &mut Reader<'_>, layers: &Layers<'_>, enable: &[UnitName], mask: &[UnitName]) {
    for unit in enable.iter().filter(|unit| mask.contains(unit)) {
        r.push(
            Diagnostic::error(format!("`{unit}` is both enabled and masked"), layers.place("enable"))
                .also(layers.place("mask"), "masked here"),
        );
    }
}

/// Reads `units` of all layers; the last layer that has a unit decides it.
pub(super) fn read(r: &mut Reader<'_>, layers: &Layers<'_>) -> IndexMap<UnitName, UnitFile> {
    let mut all = IndexMap::new();
    for node in layers.all("units") {
        for entry in r.entries_or_none(node, "systemd.units") {
            let name = checked_unit(r, &entry.key, entry.key_span);
            // Both are looked at: a wrong name must not hide what is wrong below it.
            let unit = one(r, entry);
            if let (Some(name), Some(unit)) = (name, unit) {
                check(r, entry, &name, &unit);
                check_texts(r, &entry.value, &name, &unit);
                all.insert(name, unit);
            }
        }
    }
    all
}

fn one(r: &mut Reader<'_>, entry: &Entry) -> Option<UnitFile> {
    let node = &entry.value;
    let key = format!("systemd.units.{}", entry.key);
    match &node.value {
        Value::Mapping(_) => {}
        Value::Null | Value::Scalar { .. } | Value::Sequence(_) => {
            r.wrong(node, &key, "a mapping with `file`, `content` or `drop_in`");
            return None;
        }
    }
    Some(UnitFile {
        content: content(r, node, &key),
        drop_in: drop_in(r, node, &key),
        enable: flag(r, node, "enable"),
        mask: flag(r, node, "mask"),
    })
}

fn check(r: &mut Reader<'_>, entry: &Entry, name: &UnitName, unit: &UnitFile) {
    let node = &entry.value;
    if unit.mask && (unit.enable || unit.content.is_some() || unit.drop_in.is_some()) {
        r.push(
            Diagnostic::error(
                format!("`{name}` is masked, and cannot be given or enabled as well"),
                place(node, "mask"),
            )
            .help("a masked unit never starts; take one of them away"),
        );
    }
    if unit.enable && is_template(name) {
        refuse_template(r, name, place(node, "enable"));
    }
    let says_nothing = *unit == UnitFile::default() && KEYS.iter().all(|key| node.get(key).is_none());
    if says_nothing {
        r.push(
            Diagnostic::warning(format!("nothing is said about `{name}`"), entry.key_span)
                .help("give it a `file`, `content`, `drop_in`, `enable` or `mask`"),
        );
    }
}

/// Looks at the lines of a unit's file and drop-in.
fn check_texts(r: &mut Reader<'_>, node: &Node, name: &UnitName, unit: &UnitFile) {
    let drop_in = node.get("drop_in");
    let drop_in_file = drop_in.and_then(|node| node.get("file"));
    for (bytes, file, inline) in
        [(&unit.content, node.get("file"), node.get("content")), (&unit.drop_in, drop_in_file, drop_in)]
    {
        let text = bytes.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        if let (Some(text), Some(node)) = (text, file.or(inline)) {
            unit_text::check(r, node, name, text, file.is_some());
        }
    }
}

fn content(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<Vec<u8>> {
    if let (Some(one), Some(other)) = (node.entry("file"), node.entry("content")) {
        r.push(
            Diagnostic::error("`file` and `content` cannot both be given", one.key_span)
                .also(other.key_span, "the other one"),
        );
        return None;
    }
    if let Some(file) = node.get("file") {
        let (_, bytes) = r.file(file, &format!("{key}.file"))?;
        return checked_text(r, file, bytes, "the unit file", Origin::File);
    }
    let node = node.get("content")?;
    let text = r.text(node, &format!("{key}.content"))?;
    checked_text(r, node, text.into_bytes(), "the unit", Origin::Manifest)
}

/// A drop-in is its text, or `{ file: PATH }`.
fn drop_in(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<Vec<u8>> {
    let node = node.get("drop_in")?;
    let (bytes, origin) = match &node.value {
        Value::Mapping(_) => {
            let Some(file) = node.get("file") else {
                r.wrong(node, &format!("{key}.drop_in"), "text, or a mapping with `file`");
                return None;
            };
            (r.file(file, &format!("{key}.drop_in.file"))?.1, Origin::File)
        }
        Value::Null | Value::Scalar { .. } | Value::Sequence(_) => {
            (r.text(node, &format!("{key}.drop_in"))?.into_bytes(), Origin::Manifest)
        }
    };
    checked_text(r, node, bytes, "the drop-in", origin)
}

/// Where the text of a unit comes from. A file's is never quoted: the path may name any file of the host.
#[derive(Debug, Clone, Copy)]
enum Origin {
    Manifest,
    File,
}

/// systemd reads UTF-8 lines, and ignores what stands outside of a section with a mere warning in its log.
fn checked_text(
    r: &mut Reader<'_>,
    node: &Node,
    bytes: Vec<u8>,
    what: &str,
    origin: Origin,
) -> Option<Vec<u8>> {
    let Ok(text) = std::str::from_utf8(&bytes) else {
        r.error(format!("{what} is not UTF-8 text"), node.span);
        return None;
    };
    if text.contains('\0') {
        r.error(format!("{what} contains NUL"), node.span);
        return None;
    }
    let meaningful = |line: &&str| !line.is_empty() && !line.starts_with(['#', ';']);
    match text.lines().map(str::trim).find(meaningful) {
        None => r.push(Diagnostic::warning(format!("{what} is empty"), node.span)),
        Some(first) if !(first.starts_with('[') && first.ends_with(']')) => {
            let said = match origin {
                Origin::Manifest => format!("{what} begins with {first:?} and not with a section"),
                Origin::File => format!("{what} does not begin with a section"),
            };
            r.push(
                Diagnostic::error(said, node.span)
                    .help("its first line is [Unit], [Service], [Timer] or the like"),
            );
        }
        Some(_) => {}
    }
    Some(bytes)
}
