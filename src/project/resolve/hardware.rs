//! `gpus`, `deploy.resources.reservations.devices`, `device_cgroup_rules`.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::project::{DeviceRequest, Hardware};
use crate::yaml::{Node, Value};

use super::links;
use super::reader::Reader;
use super::service::{field, list, place};

/// The word, and the number, for as many devices as there are.
const ALL: i64 = -1;

/// Reads what a service may do with devices that it does not name.
pub(super) fn read(r: &mut Reader<'_>, node: &Node, is_machine: bool) -> Hardware {
    let cgroup_rules = links::texts(r, node, "device_cgroup_rules");
    if is_machine {
        warn_of_all_devices(r, node, &cgroup_rules);
    }
    Hardware { gpus: gpus(r, node), reserved: reserved(r, node), cgroup_rules }
}

/// `all`, or a list of requests that may leave their capabilities out.
fn gpus(r: &mut Reader<'_>, node: &Node) -> Vec<DeviceRequest> {
    let Some(node) = node.get("gpus") else { return Vec::new() };
    match &node.value {
        Value::Scalar { text, .. } if &**text == "all" => {
            vec![DeviceRequest { count: Some(ALL), ..DeviceRequest::default() }]
        }
        Value::Sequence(items) => items.iter().filter_map(|item| request(r, item, "gpus", false)).collect(),
        Value::Null | Value::Scalar { .. } | Value::Mapping(_) => {
            r.wrong(node, "gpus", "`all` or a list of mappings");
            Vec::new()
        }
    }
}

fn reserved(r: &mut Reader<'_>, node: &Node) -> Vec<DeviceRequest> {
    const KEY: &str = "deploy.resources.reservations.devices";
    let found =
        ["deploy", "resources", "reservations", "devices"].iter().try_fold(node, |node, key| node.get(key));
    let Some(found) = found else { return Vec::new() };
    r.items(found, KEY).iter().filter_map(|item| request(r, item, KEY, true)).collect()
}

fn request(r: &mut Reader<'_>, node: &Node, key: &str, needs_capabilities: bool) -> Option<DeviceRequest> {
    if !matches!(node.value, Value::Mapping(_)) {
        r.wrong(node, key, "a mapping");
        return None;
    }
    if needs_capabilities && node.get("capabilities").is_none() {
        r.push(
            Diagnostic::error(format!("`{key}` needs `capabilities`"), node.span)
                .help("[gpu], for graphics processors"),
        );
    }
    if let (Some(count), Some(ids)) = (node.entry("count"), node.entry("device_ids")) {
        r.push(
            Diagnostic::error("`count` and `device_ids` cannot both be given", count.key_span)
                .also(ids.key_span, "the other one"),
        );
    }
    let named = node.get("device_ids").is_some();
    Some(DeviceRequest {
        driver: field(r, node, "driver", Reader::text).filter(|driver| !driver.is_empty()),
        count: field(r, node, "count", count).or_else(|| (!named).then_some(ALL)),
        ids: list(r, node, "device_ids", Reader::texts),
        capabilities: list(r, node, "capabilities", Reader::texts),
        options: options(r, node),
    })
}

fn count(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<i64> {
    match &node.value {
        Value::Scalar { text, .. } if &**text == "all" => Some(ALL),
        Value::Scalar { .. } => r.integer(node, key, ALL..=i64::from(i32::MAX)),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => {
            r.wrong(node, key, "`all` or a whole number");
            None
        }
    }
}

fn options(r: &mut Reader<'_>, node: &Node) -> BTreeMap<String, String> {
    let pairs = list(r, node, "options", Reader::pairs);
    pairs.into_iter().map(|pair| (pair.name, pair.value.unwrap_or_default())).collect()
}

/// A container may make device nodes (`CAP_MKNOD` is among the engine's defaults), and what it may open is all
/// that keeps it from the host's disks.
fn warn_of_all_devices(r: &mut Reader<'_>, node: &Node, rules: &[String]) {
    let opens_disks = |rule: &&String| {
        let mut words = rule.split_whitespace();
        let (kind, numbers) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        matches!(kind, "a" | "b") && numbers.starts_with('*')
    };
    if let Some(rule) = rules.iter().find(opens_disks) {
        r.push(
            Diagnostic::warning(
                format!("the rule {rule:?} gives the machine every disk of the host"),
                place(node, "device_cgroup_rules"),
            )
            .help("name the device by its numbers, as in `c 10:200 rwm`"),
        );
    }
}
