//! `blkio_config`: shares of block devices.

use crate::diagnostic::Diagnostic;
use crate::project::{Blkio, DeviceRate, DeviceWeight};
use crate::yaml::Node;

use super::super::reader::Reader;
use super::super::service::field;
use super::size;

/// Reads shares of block devices.
pub(super) fn read(r: &mut Reader<'_>, node: &Node, key: &str) -> Blkio {
    r.entries(node, key);
    let rates = |r: &mut Reader<'_>, key: &str| rates(r, node, key);
    Blkio {
        weight: field(r, node, "weight", weight).filter(|weight| *weight != 0),
        weight_device: node
            .get("weight_device")
            .map(|list| r.items(list, "weight_device"))
            .unwrap_or_default()
            .iter()
            .filter_map(|item| {
                let path = path(r, item, "weight_device")?;
                Some(DeviceWeight { path, weight: field(r, item, "weight", weight).unwrap_or(0) })
            })
            .collect(),
        read_bps: rates(r, "device_read_bps"),
        read_iops: rates(r, "device_read_iops"),
        write_bps: rates(r, "device_write_bps"),
        write_iops: rates(r, "device_write_iops"),
    }
}

fn weight(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<u16> {
    r.integer(node, key, 0..=i64::from(u16::MAX)).and_then(|weight| u16::try_from(weight).ok())
}

fn rates(r: &mut Reader<'_>, node: &Node, key: &str) -> Vec<DeviceRate> {
    node.get(key)
        .map(|list| r.items(list, key))
        .unwrap_or_default()
        .iter()
        .filter_map(|item| {
            let path = path(r, item, key)?;
            Some(DeviceRate { path, rate: field(r, item, "rate", size).unwrap_or(0) })
        })
        .collect()
}

fn path(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<String> {
    r.entries(node, key);
    if node.get("path").is_none() {
        r.push(
            Diagnostic::error(format!("an entry of `{key}` needs a `path`"), node.span)
                .help("the device on the host, such as /dev/sda"),
        );
    }
    field(r, node, "path", Reader::text)
}
