//! How `config` prints networks, how a service joins them, and what it publishes.

use serde_json::{Map, Value as Json, json};

use crate::project::{Attachment, Ipam, IpamPool, Network, NetworkChoice, Port, Service};

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
        enable_ipv4,
        enable_ipv6,
        ipam,
        labels,
    } = network;
    let mut shown = Map::new();
    shown.insert("name".to_owned(), json!(name));
    shown.insert("ipam".to_owned(), addresses(ipam));
    put(&mut shown, "driver", driver.as_ref());
    put_filled(&mut shown, "driver_opts", driver_opts, driver_opts.is_empty());
    put_filled(&mut shown, "labels", labels, labels.is_empty());
    for (key, set) in [("external", external), ("internal", internal), ("attachable", attachable)] {
        put_set(&mut shown, key, *set);
    }
    put(&mut shown, "enable_ipv4", *enable_ipv4);
    put(&mut shown, "enable_ipv6", *enable_ipv6);
    Json::Object(shown)
}

fn addresses(ipam: &Ipam) -> Json {
    let Ipam { driver, options, pools } = ipam;
    let mut shown = Map::new();
    put(&mut shown, "driver", driver.as_ref());
    put_filled(&mut shown, "options", options, options.is_empty());
    let config: Vec<Json> = pools.iter().map(pool).collect();
    put_filled(&mut shown, "config", &config, config.is_empty());
    Json::Object(shown)
}

fn pool(pool: &IpamPool) -> Json {
    let IpamPool { subnet, ip_range, gateway, aux_addresses } = pool;
    let mut shown = Map::new();
    put(&mut shown, "subnet", subnet.as_ref());
    put(&mut shown, "ip_range", ip_range.as_ref());
    put(&mut shown, "gateway", gateway.as_ref());
    put_filled(&mut shown, "aux_addresses", aux_addresses, aux_addresses.is_empty());
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
            put_filled(shown, "networks", &joined, joined.is_empty());
        }
        NetworkChoice::Mode(mode) => {
            put(shown, "network_mode", Some(mode).filter(|mode| !mode.is_empty()));
        }
        NetworkChoice::Service(other) => put(shown, "network_mode", Some(format!("service:{other}"))),
        NetworkChoice::Container(other) => put(shown, "network_mode", Some(format!("container:{other}"))),
    }
}

fn port(port: &Port) -> Json {
    let Port { target, published, host_ip, protocol, mode, name, app_protocol, spelling } = port;
    let spelled = |word: &Option<String>, ours: Option<String>| word.clone().or(ours);
    let mut shown = Map::new();
    put(&mut shown, "mode", spelled(&spelling.mode, Some(mode.to_string())));
    shown.insert("target".to_owned(), json!(target));
    put(&mut shown, "protocol", spelled(&spelling.protocol, Some(protocol.to_string())));
    put(&mut shown, "host_ip", spelled(&spelling.host_ip, host_ip.map(|address| address.to_string())));
    put(&mut shown, "published", spelled(&spelling.published, published.map(|range| range.to_string())));
    put(&mut shown, "name", name.as_ref());
    put(&mut shown, "app_protocol", app_protocol.as_ref());
    Json::Object(shown)
}

fn attachment(how: &Attachment) -> Json {
    let Attachment {
        aliases,
        ipv4_address,
        ipv6_address,
        mac_address,
        link_local_ips,
        driver_opts,
        interface_name,
        gw_priority,
        priority,
    } = how;
    let mut shown = Map::new();
    put_filled(&mut shown, "aliases", aliases, aliases.is_empty());
    put(&mut shown, "ipv4_address", ipv4_address.as_ref());
    put(&mut shown, "ipv6_address", ipv6_address.as_ref());
    put(&mut shown, "mac_address", mac_address.as_ref());
    put_filled(&mut shown, "link_local_ips", link_local_ips, link_local_ips.is_empty());
    put_filled(&mut shown, "driver_opts", driver_opts, driver_opts.is_empty());
    put(&mut shown, "interface_name", interface_name.as_ref());
    put(&mut shown, "gw_priority", Some(*gw_priority).filter(|priority| *priority != 0));
    put(&mut shown, "priority", Some(*priority).filter(|priority| *priority != 0));
    if shown.is_empty() { Json::Null } else { Json::Object(shown) }
}
