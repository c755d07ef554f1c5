//! Keys of one service that do not go together. Compose loads them, and its engine refuses the container.

use crate::diagnostic::Diagnostic;
use crate::project::{NetworkChoice, Service};
use crate::yaml::Node;

use super::reader::Reader;
use super::service::place;

/// Checks the keys of a service against each other.
pub(super) fn check(r: &mut Reader<'_>, node: &Node, service: &Service) {
    host_name(r, node, service);
    links(r, node, service);
    mac_address(r, node, service);
}

/// moby, `runconfig/hostconfig_unix.go`, `validateUTSMode`.
fn host_name(r: &mut Reader<'_>, node: &Node, service: &Service) {
    let named = ["hostname", "domainname"].into_iter().find(|key| node.get(key).is_some());
    if let Some(key) = named.filter(|_| service.namespaces.uts.as_deref() == Some("host")) {
        r.push(
            Diagnostic::obstacle("with `uts: host` a container has the host's name", place(node, "uts"))
                .also(place(node, key), "gives it another")
                .help(format!("take `{key}` or `uts` away")),
        );
    }
}

/// moby, `runconfig/hostconfig_unix.go`, `validateNetMode`: links need a network of the container's own.
fn links(r: &mut Reader<'_>, node: &Node, service: &Service) {
    let linked = ["links", "external_links"].into_iter().find(|key| node.get(key).is_some());
    if let (Some(key), true) = (linked, borrows_network(&service.network)) {
        r.push(
            Diagnostic::obstacle(
                format!("`{key}` needs a network of the container's own"),
                place(node, "network_mode"),
            )
            .also(place(node, key), "means nothing without one")
            .help("services of one network reach each other by name: take one of the two away"),
        );
    }
}

fn mac_address(r: &mut Reader<'_>, node: &Node, service: &Service) {
    let Some(mac) = &service.mac_address else { return };
    let span = node.get("mac_address").map_or(node.span, |node| node.span);
    if !is_mac_address(mac) {
        r.push(
            Diagnostic::obstacle(format!("`mac_address`: `{mac}` is no MAC address"), span)
                .help("six pairs of hexadecimal digits, as in 02:42:ac:11:65:43"),
        );
    }
    if borrows_network(&service.network) {
        r.push(
            Diagnostic::obstacle("a container in another one's network has no MAC address of its own", span)
                .also(place(node, "network_mode"), "whose network it lives in")
                .help("take one of the two away"),
        );
    }
    let NetworkChoice::Join(networks) = &service.network else { return };
    let first = networks
        .iter()
        .max_by(|one, other| one.1.priority.cmp(&other.1.priority).then(std::cmp::Ordering::Greater));
    if let Some((key, other)) = first.and_then(|(key, how)| Some((key, how.mac_address.as_ref()?)))
        && other != mac
    {
        r.push(
            Diagnostic::obstacle(format!("`mac_address` is {mac}, and {other} on the network `{key}`"), span)
                .help("a container has one address on its first network: give one of them"),
        );
    }
}

/// Whether a container lives in the network of the host or of another container.
fn borrows_network(network: &NetworkChoice) -> bool {
    match network {
        NetworkChoice::Join(_) => false,
        NetworkChoice::Mode(mode) => mode == "host",
        NetworkChoice::Service(_) | NetworkChoice::Container(_) => true,
    }
}

/// The forms of Go's `net.ParseMAC` with pairs of digits.
fn is_mac_address(text: &str) -> bool {
    let parts: Vec<&str> = text.split([':', '-']).collect();
    matches!(parts.len(), 6 | 8 | 20)
        && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
