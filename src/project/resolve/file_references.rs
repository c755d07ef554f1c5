//! What a service says of the secrets and configs that it is given.

use std::collections::HashSet;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::project::scalar::{Scalar, classify};
use crate::project::{FileKind, FileReference};
use crate::yaml::{Node, Value};

use super::Written;
use super::reader::Reader;
use super::service::{field, list};

mod targets;

pub(super) use targets::check;

/// Most bits that a mode has.
const MOST: i64 = 0o7777;

/// Reads `secrets` or `configs` of a service.
pub(super) fn read(r: &mut Reader<'_>, node: &Node, kind: FileKind) -> Vec<FileReference> {
    list(r, node, kind.key(), |r, node, key| {
        r.items(node, key).iter().filter_map(|item| one(r, item, kind)).collect()
    })
}

fn one(r: &mut Reader<'_>, item: &Node, kind: FileKind) -> Option<FileReference> {
    let key = kind.key();
    let Value::Mapping(_) = &item.value else {
        let source = r.needed_text(item, key)?;
        return Some(FileReference {
            target: default_target(kind, &source),
            source,
            ..FileReference::default()
        });
    };
    let Some(source) = item.get("source") else {
        r.error(format!("an entry of `{key}` needs a `source`"), item.span);
        return None;
    };
    let source = r.needed_text(source, "source")?;
    let target = field(r, item, "target", Reader::filled).or_else(|| default_target(kind, &source));
    Some(FileReference {
        source,
        target,
        uid: field(r, item, "uid", Reader::filled),
        gid: field(r, item, "gid", Reader::filled),
        mode: field(r, item, "mode", mode),
    })
}

/// Compose writes out where a secret is, and not where a config is.
fn default_target(kind: FileKind, source: &str) -> Option<String> {
    match kind {
        FileKind::Secret => Some(format!("{}{source}", kind.directory())),
        FileKind::Config => None,
    }
}

/// Permission bits as Compose reads them: a number is what YAML makes of it, octal with a leading `0`; a text has
/// octal digits, and so has what a variable gives.
pub(super) fn mode(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<u32> {
    let Value::Scalar { text, plain } = &node.value else {
        r.wrong(node, key, "permission bits such as 0440");
        return None;
    };
    let bits = match classify(text) {
        Scalar::Bool(_) if *plain => None,
        Scalar::Integer(value) if *plain && !node.is_interpolated() => {
            warn_of_decimal(r, node, key, text, value);
            i64::try_from(value).ok()
        }
        Scalar::Bool(_) | Scalar::Integer(_) | Scalar::Float(_) | Scalar::Date | Scalar::Text
            if !*plain || node.is_interpolated() =>
        {
            i64::from_str_radix(text, 8).ok()
        }
        Scalar::Bool(_) | Scalar::Integer(_) | Scalar::Float(_) | Scalar::Date | Scalar::Text => None,
    };
    let Some(bits) = bits.and_then(|bits| u32::try_from(bits).ok()) else {
        let what = format!("`{key}`: `{text}` are no permission bits");
        r.push(Diagnostic::error(what, node.span).help("write octal digits with a leading 0, such as 0440"));
        return None;
    };
    if i64::from(bits) > MOST {
        let what = format!("`{key}`: {bits:#o} has more bits than permissions have");
        r.push(
            Diagnostic::obstacle(what, node.span).help("the most is 07777, such as 0440 for owner and group"),
        );
    }
    Some(bits)
}

/// A number of octal digits alone is decimal to YAML, which is hardly ever meant.
fn warn_of_decimal(r: &mut Reader<'_>, node: &Node, key: &str, text: &str, value: i128) {
    let looks_octal = (3..=4).contains(&text.len())
        && !text.starts_with('0')
        && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    if looks_octal {
        r.push(
            Diagnostic::warning(
                format!("`{key}: {text}` is a decimal number, and means 0{value:o}"),
                node.span,
            )
            .help(format!("write 0{text}"))
            .suggest(node.span, format!("0{text}")),
        );
    }
}

/// Says which objects services name that the top level does not declare.
pub(super) fn undeclared(r: &mut Reader<'_>, root: &Node, kind: FileKind, services: &[Written<'_>]) {
    let names: Vec<&str> = match root.get(kind.key()).map(|node| &node.value) {
        Some(Value::Mapping(entries)) => entries.iter().map(|entry| &*entry.key).collect(),
        Some(Value::Null | Value::Scalar { .. } | Value::Sequence(_)) | None => Vec::new(),
    };
    let declared: HashSet<&str> = names.iter().copied().collect();
    for written in services {
        for (reference, span) in placed(written, kind) {
            let source = reference.source.as_str();
            if declared.contains(source) {
                continue;
            }
            let word = kind.word();
            let what =
                format!("`{}` is given the {word} `{source}`, which is not declared", written.entry.key);
            let help = match r.nearest(source, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it: {}: {{ {source}: {{ file: … }} }} at the top level", kind.key()),
            };
            r.push(Diagnostic::error(what, span).coded(Code::UnknownName).help(help));
        }
    }
}

/// What a service says of each object, with its place.
fn placed<'w>(written: &'w Written<'_>, kind: FileKind) -> impl Iterator<Item = (&'w FileReference, Span)> {
    let items = match written.entry.value.get(kind.key()).map(|node| &node.value) {
        Some(Value::Sequence(items)) => items.as_slice(),
        Some(Value::Null | Value::Scalar { .. } | Value::Mapping(_)) | None => &[],
    };
    // Where an entry could not be read, that is said, and the places do not fit any more.
    let references = written.service.references(kind);
    let whole = written.entry.key_span;
    let fits = items.len() == references.len();
    let spans = items.iter().map(move |item| if fits { item.span } else { whole });
    references.iter().zip(spans)
}
