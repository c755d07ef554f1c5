//! `ports:` of a service, in both forms.

use std::net::{IpAddr, Ipv4Addr};

use indexmap::IndexMap;

use crate::diagnostic::Diagnostic;
use crate::project::{NetworkChoice, Port, PortMode, Protocol, PublishedPort, Spelling, port};
use crate::yaml::{Node, Value};

use super::reader::Reader;
use super::service::field;

/// Most ports of one service.
const MOST_PORTS: usize = 1024;

/// Reads `ports` in both forms; equal ones collapse.
pub(super) fn read(r: &mut Reader<'_>, node: &Node, choice: &NetworkChoice) -> Vec<Port> {
    let Some(node) = node.get("ports") else { return Vec::new() };
    let mut all = IndexMap::new();
    for item in r.items(node, "ports") {
        let read = if let Value::Mapping(_) = item.value {
            long_port(r, item).into_iter().collect()
        } else {
            short_ports(r, item)
        };
        // Of equal ports the later one stands in the place of the first.
        all.extend(read.into_iter().map(|port| (identity(&port), port)));
        if all.len() > MOST_PORTS {
            r.push(
                Diagnostic::error(format!("more than {MOST_PORTS} ports for one service"), item.span)
                    .help("use `network_mode: host`, or a smaller range"),
            );
            return Vec::new();
        }
    }
    match choice {
        NetworkChoice::Join(_) => {}
        NetworkChoice::Mode(mode) if mode == "bridge" => {}
        NetworkChoice::Mode(_) | NetworkChoice::Service(_) | NetworkChoice::Container(_) => {
            r.push(
                Diagnostic::warning("`ports` mean nothing with this `network_mode`", node.span)
                    .help("the service has no network of its own to publish from"),
            );
        }
    }
    all.into_values().collect()
}

/// What tells ports apart: neither names nor modes, and no address is every IPv4 address (compose-go
/// `override/uncity.go`).
fn identity(port: &Port) -> (IpAddr, Option<PublishedPort>, u16, Protocol, Spelling) {
    let host_ip = port.host_ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let spelling = Spelling { mode: None, ..port.spelling.clone() };
    (host_ip, port.published, port.target, port.protocol, spelling)
}

fn short_ports(r: &mut Reader<'_>, node: &Node) -> Vec<Port> {
    let Some(text) = r.word(node, "ports") else { return Vec::new() };
    match port::parse(text) {
        Ok(ports) => ports,
        Err(why) => {
            r.push(
                Diagnostic::error(format!("`{text}` is not a port: {why}"), node.span)
                    .help("the form is [address:][host port:]container port[/protocol]"),
            );
            Vec::new()
        }
    }
}

fn long_port(r: &mut Reader<'_>, node: &Node) -> Option<Port> {
    let Some(target) = node.get("target") else {
        r.error("a port needs a `target`, the port inside", node.span);
        return None;
    };
    let target = match port::target(r.word(target, "target")?) {
        Ok(target) => target,
        Err(why) => {
            r.error(format!("`target`: {why}"), target.span);
            return None;
        }
    };
    let (published, published_spelling) = spelled(r, node, "published", port::published);
    let (host_ip, host_ip_spelling) = host_ip(r, node)?;
    let (protocol, protocol_spelling) = spelled(r, node, "protocol", port::protocol);
    let (mode, mode_spelling) = spelled(r, node, "mode", port::mode);
    Some(Port {
        published,
        host_ip,
        mode: mode.unwrap_or(PortMode::Ingress),
        name: field(r, node, "name", Reader::filled),
        app_protocol: field(r, node, "app_protocol", Reader::filled),
        spelling: Spelling {
            host_ip: host_ip_spelling,
            published: published_spelling,
            protocol: protocol_spelling,
            mode: mode_spelling,
        },
        ..Port::any(target, protocol.unwrap_or(Protocol::Tcp))
    })
}

/// A value of the long form, and its spelling where it is another than ours. Compose takes any text and leaves it
/// to the engine; an empty one, which an unset variable leaves, is none.
fn spelled<T: ToString>(
    r: &mut Reader<'_>,
    node: &Node,
    key: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> (Option<T>, Option<String>) {
    let Some(node) = node.get(key) else { return (None, None) };
    let Some(text) = r.word(node, key).filter(|text| !text.is_empty()) else { return (None, None) };
    match parse(text) {
        Ok(value) => {
            let spelling = Some(text.to_owned()).filter(|text| *text != value.to_string());
            (Some(value), spelling)
        }
        Err(why) => {
            r.push(Diagnostic::obstacle(format!("`{key}`: {why}"), node.span));
            (None, Some(text.to_owned()))
        }
    }
}

/// The host's address, which Compose does check.
fn host_ip(r: &mut Reader<'_>, node: &Node) -> Option<(Option<IpAddr>, Option<String>)> {
    let Some(node) = node.get("host_ip") else { return Some((None, None)) };
    let text = r.word(node, "host_ip")?;
    match text.parse::<IpAddr>() {
        Ok(address) => {
            Some((Some(address), Some(text.to_owned()).filter(|text| *text != address.to_string())))
        }
        Err(_) if text.is_empty() => Some((None, None)),
        Err(_) => {
            r.error(format!("`host_ip`: `{text}` is not an IP address"), node.span);
            None
        }
    }
}
