//! How a service is networked: networks, names of hosts, name servers.

use std::net::IpAddr;

use indexmap::{IndexMap, IndexSet};

use crate::diagnostic::{Code, Diagnostic};
use crate::project::{Attachment, NetworkChoice, hosts, port};
use crate::yaml::{Entry, Node, Value};

use super::declared::options;
use super::reader::Reader;
use super::service::{field, list, place};

/// The network of services that name none.
pub(super) const DEFAULT: &str = "default";

/// Reads how a service is networked: `network_mode`, or `networks`, or the default network.
pub(super) fn read_choice(r: &mut Reader<'_>, node: &Node) -> NetworkChoice {
    // An empty mode is none, as in Compose.
    let given = |node: &&Node| !matches!(&node.value, Value::Scalar { text, .. } if text.is_empty());
    if let Some(mode) = node.get("network_mode").filter(given) {
        if let Some(networks) = node.entry("networks") {
            r.push(
                Diagnostic::error(
                    "`network_mode` and `networks` cannot both be given",
                    place(node, "network_mode"),
                )
                .coded(Code::Conflict)
                .also(networks.key_span, "the other one"),
            );
        }
        let Some(text) = r.text(mode, "network_mode") else {
            return NetworkChoice::Join(IndexMap::new());
        };
        return match text.split_once(':') {
            Some(("service", other)) => NetworkChoice::Service(other.to_owned()),
            Some(("container", other)) => NetworkChoice::Container(other.to_owned()),
            Some(_) | None => NetworkChoice::Mode(text),
        };
    }
    let mut joined = IndexMap::new();
    if let Some(networks) = node.get("networks") {
        match &networks.value {
            Value::Sequence(items) => {
                for item in items {
                    if let Some(key) = r.some_text(item, "networks") {
                        joined.insert(key, Attachment::default());
                    }
                }
            }
            Value::Mapping(entries) => {
                for entry in entries {
                    let attachment = attachment(r, entry);
                    joined.insert(entry.key.to_string(), attachment);
                }
            }
            Value::Null | Value::Scalar { .. } => {
                r.wrong(networks, "networks", "a list or a mapping of networks");
            }
        }
    }
    // A tool that stands for the service has no container that could join.
    if joined.is_empty() && node.get("provider").is_none() {
        joined.insert(DEFAULT.to_owned(), Attachment::default());
    }
    // The first is joined at creation and gives the default route: the highest priority wins, then the
    // manifest's order.
    joined.sort_by(|_, one, _, other| other.priority.cmp(&one.priority));
    NetworkChoice::Join(joined)
}

fn attachment(r: &mut Reader<'_>, entry: &Entry) -> Attachment {
    let node = &entry.value;
    r.entries_or_none(node, &format!("networks.{}", entry.key));
    Attachment {
        aliases: list(r, node, "aliases", Reader::texts),
        ipv4_address: field(r, node, "ipv4_address", |r, node, key| address(r, node, key, IpAddr::is_ipv4)),
        ipv6_address: field(r, node, "ipv6_address", |r, node, key| address(r, node, key, IpAddr::is_ipv6)),
        mac_address: field(r, node, "mac_address", Reader::text),
        link_local_ips: list(r, node, "link_local_ips", Reader::texts),
        driver_opts: options(r, node, "driver_opts"),
        interface_name: field(r, node, "interface_name", Reader::some_text),
        gw_priority: field(r, node, "gw_priority", |r, node, key| r.integer(node, key, i64::MIN..=i64::MAX))
            .unwrap_or(0),
        priority: field(r, node, "priority", |r, node, key| r.integer(node, key, i64::MIN..=i64::MAX))
            .unwrap_or(0),
    }
}

fn address(r: &mut Reader<'_>, node: &Node, key: &str, family: fn(&IpAddr) -> bool) -> Option<String> {
    let text = r.some_text(node, key)?;
    if text.parse::<IpAddr>().is_ok_and(|address| family(&address)) {
        return Some(text);
    }
    let family = if key.contains('6') { "IPv6" } else { "IPv4" };
    // Compose leaves the address to the engine, so that the rest of the project can be looked at.
    r.push(Diagnostic::obstacle(format!("`{key}`: `{text}` is not an {family} address"), node.span));
    Some(text)
}

/// Reads `extra_hosts` in both forms; equal entries collapse.
pub(super) fn extra_hosts(r: &mut Reader<'_>, node: &Node) -> Vec<(String, String)> {
    let Some(node) = node.get("extra_hosts") else { return Vec::new() };
    let mut hosts = IndexSet::new();
    match &node.value {
        Value::Sequence(items) => {
            for item in items {
                if let Some(pair) = item_of(r, item, "extra_hosts", hosts::parse) {
                    hosts.insert(pair);
                }
            }
        }
        Value::Mapping(entries) => {
            for entry in entries {
                let several = match &entry.value.value {
                    Value::Sequence(items) => items.as_slice(),
                    Value::Null | Value::Scalar { .. } | Value::Mapping(_) => {
                        std::slice::from_ref(&entry.value)
                    }
                };
                for item in several {
                    if let Some(address) = item_of(r, item, "extra_hosts", hosts::address) {
                        hosts.insert((entry.key.to_string(), address));
                    }
                }
            }
        }
        Value::Null | Value::Scalar { .. } => r.wrong(node, "extra_hosts", "a list or a mapping"),
    }
    hosts.into_iter().collect()
}

/// Reads `dns`: one address, or a list.
pub(super) fn name_servers(r: &mut Reader<'_>, node: &Node) -> Vec<IpAddr> {
    let Some(node) = node.get("dns") else { return Vec::new() };
    let items = match &node.value {
        Value::Sequence(items) => items.as_slice(),
        Value::Null | Value::Scalar { .. } | Value::Mapping(_) => std::slice::from_ref(node),
    };
    items.iter().filter_map(|item| item_of(r, item, "dns", port::host_ip)).collect()
}

fn item_of<T>(
    r: &mut Reader<'_>,
    node: &Node,
    key: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Option<T> {
    let text = r.some_text(node, key)?;
    match parse(&text) {
        Ok(value) => Some(value),
        Err(why) => {
            r.error(format!("`{key}`: {why}"), node.span);
            None
        }
    }
}
