//! `ports:` of a service, in both forms.

use indexmap::IndexMap;

use crate::diagnostic::Diagnostic;
use crate::project::{NetworkChoice, Port, PortMode, Protocol, port};
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
        // Names and modes do not tell ports apart: the later one stands in the place of the first.
        all.extend(
            read.into_iter().map(|port| ((port.host_ip, port.published, port.target, port.protocol), port)),
        );
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
    let target = checked(r, target, "target", port::target);
    let published = match node.get("published").map(|node| (node, &node.value)) {
        // Compose takes an empty text for no port.
        Some((_, Value::Scalar { text, .. })) if text.is_empty() => Some(None),
        Some((node, _)) => checked(r, node, "published", port::published).map(Some),
        None => Some(None),
    };
    let host_ip = match node.get("host_ip") {
        Some(node) => checked(r, node, "host_ip", port::host_ip).map(Some),
        None => Some(None),
    };
    let protocol = match node.get("protocol") {
        Some(node) => checked(r, node, "protocol", port::protocol),
        None => Some(Protocol::Tcp),
    };
    let mode = match node.get("mode") {
        Some(node) => mode(r, node),
        None => Some(PortMode::Ingress),
    };
    Some(Port {
        target: target?,
        published: published?,
        host_ip: host_ip?,
        protocol: protocol?,
        mode: mode?,
        name: field(r, node, "name", Reader::text).filter(|name| !name.is_empty()),
        app_protocol: field(r, node, "app_protocol", Reader::text).filter(|name| !name.is_empty()),
    })
}

fn mode(r: &mut Reader<'_>, node: &Node) -> Option<PortMode> {
    match r.text(node, "mode")?.as_str() {
        "ingress" | "" => Some(PortMode::Ingress),
        "host" => Some(PortMode::Host),
        other => {
            r.push(
                Diagnostic::error(format!("`{other}` is no way to publish a port"), node.span)
                    .help("there are `ingress` and `host`, which mean the same on one engine"),
            );
            None
        }
    }
}

fn checked<T>(
    r: &mut Reader<'_>,
    node: &Node,
    key: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Option<T> {
    let text = r.word(node, key)?;
    match parse(text) {
        Ok(value) => Some(value),
        Err(why) => {
            r.error(format!("`{key}`: {why}"), node.span);
            None
        }
    }
}
