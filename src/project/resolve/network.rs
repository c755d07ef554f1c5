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
    if let Some(text) = field(r, node, "network_mode", Reader::text) {
        let joins = |entry: &&Entry| match &entry.value.value {
            Value::Mapping(entries) => !entries.is_empty(),
            Value::Sequence(items) => !items.is_empty(),
            Value::Null | Value::Scalar { .. } => false,
        };
        if let Some(networks) = node.entry("networks").filter(joins) {
            r.push(
                Diagnostic::error(
                    "`network_mode` and `networks` cannot both be given",
                    place(node, "network_mode"),
                )
                .coded(Code::Conflict)
                .also(networks.key_span, "the other one"),
            );
        }
        if text.is_empty() {
            r.push(
                Diagnostic::obstacle(
                    "`network_mode` is empty: the service has no network",
                    place(node, "network_mode"),
                )
                .help("take it away for the default network, or write `none`"),
            );
        }
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
                    if let Some(key) = r.needed_text(item, "networks")
                        && joined.insert(key, Attachment::default()).is_some()
                    {
                        r.error("`networks` names one network twice", item.span);
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
        mac_address: field(r, node, "mac_address", Reader::some_text),
        link_local_ips: list(r, node, "link_local_ips", Reader::texts),
        driver_opts: options(r, node, "driver_opts"),
        interface_name: field(r, node, "interface_name", Reader::filled),
        gw_priority: field(r, node, "gw_priority", Reader::bare_integer).unwrap_or(0),
        priority: field(r, node, "priority", Reader::bare_integer).unwrap_or(0),
    }
}

fn address(r: &mut Reader<'_>, node: &Node, key: &str, family: fn(&IpAddr) -> bool) -> Option<String> {
    let text = r.filled(node, key)?;
    if text.parse::<IpAddr>().is_ok_and(|address| family(&address)) {
        return Some(text);
    }
    let family = if key.contains('6') { "IPv6" } else { "IPv4" };
    // Compose leaves the address to the engine, so that the rest of the project can be looked at.
    r.push(Diagnostic::obstacle(format!("`{key}`: `{text}` is not an {family} address"), node.span));
    Some(text)
}

/// Reads `extra_hosts` in both forms; equal entries collapse, and one entry of the list may have several
/// addresses.
pub(super) fn extra_hosts(r: &mut Reader<'_>, node: &Node) -> Vec<(String, String)> {
    let Some(node) = node.get("extra_hosts") else { return Vec::new() };
    let mut hosts = IndexSet::new();
    match &node.value {
        Value::Sequence(items) => {
            for item in items {
                let Some((name, addresses)) = item_of(r, item, "extra_hosts", hosts::parse) else { continue };
                for address in addresses.split(',') {
                    hosts.insert((name.clone(), checked_host(r, item, address)));
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
                    if let Some(address) = r.text(item, "extra_hosts") {
                        hosts.insert((entry.key.to_string(), checked_host(r, item, &address)));
                    }
                }
            }
        }
        Value::Null | Value::Scalar { .. } => r.wrong(node, "extra_hosts", "a list or a mapping"),
    }
    hosts.into_iter().collect()
}

/// An address without its brackets; Compose leaves it to the engine to refuse it.
fn checked_host(r: &mut Reader<'_>, node: &Node, address: &str) -> String {
    let address = hosts::bare(address);
    if let Some(why) = hosts::fault(address) {
        r.push(Diagnostic::obstacle(format!("`extra_hosts`: {why}"), node.span));
    }
    address.to_owned()
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
    let text = r.filled(node, key)?;
    match parse(&text) {
        Ok(value) => Some(value),
        Err(why) => {
            r.error(format!("`{key}`: {why}"), node.span);
            None
        }
    }
}
