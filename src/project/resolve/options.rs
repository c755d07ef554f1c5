//! Options that the engine takes as they are: logging, storage, annotations, groups, platform.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::project::Logging;
use crate::yaml::{Node, Value};

use super::reader::Reader;
use super::service::{field, list};

/// Reads `logging`.
pub(super) fn logging(r: &mut Reader<'_>, node: &Node) -> Option<Logging> {
    let node = node.get("logging")?;
    r.entries(node, "logging");
    Some(Logging {
        driver: field(r, node, "driver", Reader::text).filter(|driver| !driver.is_empty()),
        options: mapping(r, node, "options", "logging.options"),
    })
}

/// Reads `storage_opt`.
pub(super) fn storage(r: &mut Reader<'_>, node: &Node) -> BTreeMap<String, String> {
    mapping(r, node, "storage_opt", "storage_opt")
}

/// Reads `annotations`, in both forms.
pub(super) fn annotations(r: &mut Reader<'_>, node: &Node) -> BTreeMap<String, String> {
    let pairs = list(r, node, "annotations", Reader::pairs);
    for pair in &pairs {
        if pair.name.is_empty() {
            r.error("an annotation needs a name", pair.span);
        }
    }
    pairs.into_iter().map(|pair| (pair.name, pair.value.unwrap_or_default())).collect()
}

/// Reads `group_add`: names, or numbers, which are shown as text.
pub(super) fn groups(r: &mut Reader<'_>, node: &Node) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    let items = node.get("group_add").map(|node| r.items(node, "group_add")).unwrap_or_default();
    for item in items {
        let Some(group) = r.word(item, "group_add").map(str::to_owned) else { continue };
        if groups.contains(&group) {
            r.error(format!("`group_add` has {group:?} twice"), item.span);
        }
        groups.push(group);
    }
    groups
}

/// Reads text of which an empty one means that nothing is chosen, as in Compose.
pub(super) fn chosen(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<String> {
    field(r, node, key, Reader::text).filter(|text| !text.is_empty())
}

/// A mapping of names to texts and numbers; the list form is none here. A name without a value has an empty one.
fn mapping(r: &mut Reader<'_>, node: &Node, key: &str, path: &str) -> BTreeMap<String, String> {
    let Some(node) = node.get(key) else { return BTreeMap::new() };
    let Value::Mapping(entries) = &node.value else {
        r.wrong(node, path, "a mapping");
        return BTreeMap::new();
    };
    for entry in entries {
        if entry.value.kind() == "true or false" {
            r.push(
                Diagnostic::error(
                    format!("`{path}.{}` must be text or a number", entry.key),
                    entry.value.span,
                )
                .help("put it in quotes"),
            );
        }
    }
    r.pairs(node, path).into_iter().map(|pair| (pair.name, pair.value.unwrap_or_default())).collect()
}
