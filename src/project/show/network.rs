//! How `config` prints networks, how a service joins them, and what it publishes.

use serde_json::{Map, Value as Json, json};

use crate::project::{Attachment, IpamPool, Network, NetworkChoice, Port, PublishedPort, Service};

use super::{put, put_filled, put_set};

/// Shows a network of the project.
pub(super) fn show(network: &Network) -> Json {
    let Network {
        key: _,
        name,
        external,
        driver,
        driver_opts,
        internal,
        attachable,
        enable_ipv6,
        ipam,
        labels,
    } = network;
    let mut shown = Map::new();
    shown.insert("name".to_owned(), json!(name));
    let config: Vec<Json> = ipam.iter().map(pool).collect();
    shown.insert("ipam".to_owned(), if config.is_empty() { json!({}) } else { json!({ "config": config }) });
    put(&mut shown, "driver", driver.as_ref());
    put_filled(&mut shown, "driver_opts", driver_opts, driver_opts.is_empty());
    put_filled(&mut shown, "labels", labels, labels.is_empty());
    for (key, set) in [
        ("external", external),
        ("internal", internal),
        ("attachable", attachable),
        ("enable_ipv6", enable_ipv6),
    ] {
        put_set(&mut shown, key, *set);
    }
    Json::Object(shown)
}

fn pool(pool: &IpamPool) -> Json {
    let IpamPool { subnet, ip_range, gateway } = pool;
    let mut shown = Map::new();
    put(&mut shown, "subnet", subnet.as_ref());
    put(&mut shown, "ip_range", ip_range.as_ref());
    put(&mut shown, "gateway", gateway.as_ref());
    Json::Object(shown)
}

/// Puts ports, and networks or the mode that stands in their place.
pub(super) fn put_choice(shown: &mut Map<String, Json>, service: &Service) {
    let ports: Vec<Json> = service.ports.iter().map(port).collect();
    put_filled(shown, "ports", &ports, ports.is_empty());
    put_filled(shown, "expose", &service.expose, service.expose.is_empty());
    match &service.network {
        NetworkChoice::Join(joined) => {
            let joined: Map<String, Json> =
                joined.iter().map(|(key, how)| (key.clone(), attachment(how))).collect();
            shown.insert("networks".to_owned(), Json::Object(joined));
        }
        NetworkChoice::Mode(mode) => put(shown, "network_mode", Some(mode.clone())),
        NetworkChoice::Service(other) => put(shown, "network_mode", Some(format!("service:{other}"))),
        NetworkChoice::Container(other) => put(shown, "network_mode", Some(format!("container:{other}"))),
    }
}

fn port(port: &Port) -> Json {
    let Port { target, published, host_ip, protocol } = port;
    let mut shown = Map::new();
    shown.insert("mode".to_owned(), json!("ingress"));
    shown.insert("target".to_owned(), json!(target));
    shown.insert("protocol".to_owned(), json!(protocol.to_string()));
    put(&mut shown, "host_ip", host_ip.map(|address| address.to_string()));
    let published = published.map(
        |PublishedPort { first, last }| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        },
    );
    put(&mut shown, "published", published);
    Json::Object(shown)
}

fn attachment(how: &Attachment) -> Json {
    let Attachment { aliases, ipv4_address, ipv6_address, mac_address, priority } = how;
    let mut shown = Map::new();
    put_filled(&mut shown, "aliases", aliases, aliases.is_empty());
    put(&mut shown, "ipv4_address", ipv4_address.as_ref());
    put(&mut shown, "ipv6_address", ipv6_address.as_ref());
    put(&mut shown, "mac_address", mac_address.as_ref());
    put(&mut shown, "priority", Some(*priority).filter(|priority| *priority != 0));
    if shown.is_empty() { Json::Null } else { Json::Object(shown) }
}
