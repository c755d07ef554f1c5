//! Ports, networks and names: of a service, and of the project.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use indexmap::{IndexMap, IndexSet};

use crate::diagnostic::{Diagnostic, Span};
use crate::project::{Attachment, IpamPool, Network, NetworkChoice, Port, Protocol, hosts, name, port};
use crate::yaml::{Entry, Node, Value};

use super::Written;
use super::reader::Reader;
use super::service::{field, flag, labels, place};

/// Most ports of one service.
const MOST_PORTS: usize = 1024;
/// The network of services that name none.
const DEFAULT: &str = "default";

/// Reads `ports` in both forms; equal ones collapse.
pub(super) fn ports(r: &mut Reader<'_>, node: &Node, choice: &NetworkChoice) -> Vec<Port> {
    let Some(node) = node.get("ports") else { return Vec::new() };
    let mut all = IndexSet::new();
    for item in r.items(node, "ports") {
        let read = if let Value::Mapping(_) = item.value {
            long_port(r, item).into_iter().collect()
        } else {
            short_ports(r, item)
        };
        all.extend(read);
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
    all.into_iter().collect()
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
    Some(Port { target: target?, published: published?, host_ip: host_ip?, protocol: protocol? })
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

/// Reads how a service is networked: `network_mode`, or `networks`, or the default network.
pub(super) fn read_choice(r: &mut Reader<'_>, node: &Node) -> NetworkChoice {
    if let Some(mode) = node.get("network_mode") {
        if let Some(networks) = node.entry("networks") {
            r.push(
                Diagnostic::error(
                    "`network_mode` and `networks` cannot both be given",
                    place(node, "network_mode"),
                )
                .also(networks.key_span, "the other one"),
            );
        }
        let Some(text) = r.some_text(mode, "network_mode") else {
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
    if joined.is_empty() {
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
        aliases: field(r, node, "aliases", |r, node, key| Some(r.texts(node, key))).unwrap_or_default(),
        ipv4_address: field(r, node, "ipv4_address", |r, node, key| address(r, node, key, IpAddr::is_ipv4)),
        ipv6_address: field(r, node, "ipv6_address", |r, node, key| address(r, node, key, IpAddr::is_ipv6)),
        mac_address: field(r, node, "mac_address", Reader::text),
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
    r.error(format!("`{key}`: `{text}` is not an {family} address"), node.span);
    None
}

/// Reads `extra_hosts` in both forms.
pub(super) fn extra_hosts(r: &mut Reader<'_>, node: &Node) -> Vec<(String, String)> {
    let Some(node) = node.get("extra_hosts") else { return Vec::new() };
    let mut hosts = Vec::new();
    match &node.value {
        Value::Sequence(items) => {
            for item in items {
                if let Some(pair) = item_of(r, item, "extra_hosts", hosts::parse) {
                    hosts.push(pair);
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
                        hosts.push((entry.key.to_string(), address));
                    }
                }
            }
        }
        Value::Null | Value::Scalar { .. } => r.wrong(node, "extra_hosts", "a list or a mapping"),
    }
    hosts
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

/// Reads the top-level networks, and keeps those that a service joins. Says which are joined and missing.
pub(super) fn read_all(
    r: &mut Reader<'_>,
    root: &Node,
    project: &str,
    services: &[Written<'_>],
) -> IndexMap<String, Network> {
    let mut declared: IndexMap<String, Network> = IndexMap::new();
    for entry in root.get("networks").map(|node| r.entries_or_none(node, "networks")).unwrap_or_default() {
        if let Some(network) = one(r, entry, project) {
            declared.insert(network.key.clone(), network);
        }
    }
    if !declared.contains_key(DEFAULT) {
        let network = plain(DEFAULT, format!("{project}_{DEFAULT}"));
        declared.insert(DEFAULT.to_owned(), network);
    }
    let mut used = BTreeSet::new();
    for written in services {
        let NetworkChoice::Join(joined) = &written.service.network else { continue };
        for key in joined.keys() {
            if declared.contains_key(key) {
                used.insert(key.clone());
            } else {
                undeclared(r, written, key, declared.keys().map(String::as_str));
            }
        }
    }
    declared.retain(|key, _| used.contains(key));
    declared
}

fn undeclared<'a>(
    r: &mut Reader<'_>,
    written: &Written<'_>,
    key: &str,
    names: impl Iterator<Item = &'a str>,
) {
    let node = &written.entry.value;
    let span = node.get("networks").map_or(node.span, |networks| place_of_name(networks, key));
    let mut diagnostic = Diagnostic::error(
        format!("`{}` joins the network `{key}`, which is not declared", written.entry.key),
        span,
    );
    diagnostic = match name::nearest(key, names) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")).suggest(span, near),
        None => diagnostic.help(format!("declare it: networks: {{ {key}: {{}} }} at the top level")),
    };
    r.push(diagnostic);
}

/// Where a name stands in a list of names or as a key of a mapping.
pub(super) fn place_of_name(node: &Node, name: &str) -> Span {
    match &node.value {
        Value::Sequence(items) => items
            .iter()
            .find(|item| matches!(&item.value, Value::Scalar { text, .. } if &**text == name))
            .map_or(node.span, |item| item.span),
        Value::Mapping(_) => node.entry(name).map_or(node.span, |entry| entry.key_span),
        Value::Null | Value::Scalar { .. } => node.span,
    }
}

fn plain(key: &str, name: String) -> Network {
    Network {
        key: key.to_owned(),
        name,
        external: false,
        driver: None,
        driver_opts: BTreeMap::new(),
        internal: false,
        attachable: false,
        enable_ipv6: false,
        ipam: Vec::new(),
        labels: BTreeMap::new(),
    }
}

fn one(r: &mut Reader<'_>, entry: &Entry, project: &str) -> Option<Network> {
    let node = &entry.value;
    if !matches!(node.value, Value::Null | Value::Mapping(_)) {
        r.wrong(node, &format!("networks.{}", entry.key), "a mapping");
        return None;
    }
    let (external, name) = identity(r, entry, project, "networks");
    Some(Network {
        external,
        driver: field(r, node, "driver", Reader::some_text),
        driver_opts: options(r, node),
        internal: flag(r, node, "internal"),
        attachable: flag(r, node, "attachable"),
        enable_ipv6: flag(r, node, "enable_ipv6"),
        ipam: ipam(r, node),
        labels: labels(r, node, "labels").into_iter().collect(),
        ..plain(&entry.key, name)
    })
}

/// Whether a network or volume is somebody else's, and its name in the engine.
pub(super) fn identity(r: &mut Reader<'_>, entry: &Entry, project: &str, kind: &str) -> (bool, String) {
    let node = &entry.value;
    let given = field(r, node, "name", Reader::some_text);
    let (external, legacy) = match node.get("external") {
        None => (false, None),
        // `external: {name: …}` is the older form of `external: true` beside `name:`.
        Some(external) if matches!(external.value, Value::Mapping(_)) => {
            (true, field(r, external, "name", Reader::some_text))
        }
        Some(external) => (r.boolean(external, "external").unwrap_or(false), None),
    };
    let default = || if external { entry.key.to_string() } else { format!("{project}_{}", entry.key) };
    let chosen = given.or(legacy).unwrap_or_else(default);
    if !name::is_object(&chosen) {
        r.push(
            Diagnostic::error(
                format!("{chosen:?} cannot be a name in the engine ({kind}.{})", entry.key),
                entry.key_span,
            )
            .help("a letter or a digit, then letters, digits, `_`, `.` and `-`"),
        );
    }
    (external, chosen)
}

/// Reads `driver_opts`, whose numbers become text.
pub(super) fn options(r: &mut Reader<'_>, node: &Node) -> BTreeMap<String, String> {
    let pairs = node.get("driver_opts").map(|node| r.pairs(node, "driver_opts")).unwrap_or_default();
    pairs.into_iter().map(|pair| (pair.name, pair.value.unwrap_or_default())).collect()
}

fn ipam(r: &mut Reader<'_>, node: &Node) -> Vec<IpamPool> {
    let Some(node) = node.get("ipam") else { return Vec::new() };
    r.entries_or_none(node, "ipam");
    let Some(config) = node.get("config") else { return Vec::new() };
    r.items(config, "ipam.config").iter().map(|item| pool(r, item)).collect()
}

fn pool(r: &mut Reader<'_>, node: &Node) -> IpamPool {
    r.entries(node, "ipam.config");
    let subnet = field(r, node, "subnet", cidr);
    let gateway = field(r, node, "gateway", Reader::some_text);
    if let Some(gateway) = &gateway {
        match (gateway.parse::<IpAddr>(), subnet.as_deref().and_then(parse_cidr)) {
            (Err(_), _) => {
                r.error(format!("`gateway`: `{gateway}` is not an IP address"), place(node, "gateway"));
            }
            (Ok(address), Some(net)) if !contains(net, address) => {
                r.error(format!("the gateway {gateway} is outside of the subnet"), place(node, "gateway"));
            }
            (Ok(_), Some(_) | None) => {}
        }
    }
    IpamPool { subnet, ip_range: field(r, node, "ip_range", cidr), gateway }
}

fn cidr(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<String> {
    let text = r.some_text(node, key)?;
    if parse_cidr(&text).is_none() {
        r.push(
            Diagnostic::error(format!("`{key}`: `{text}` is not a subnet"), node.span)
                .help("such as 10.1.0.0/24 or fd00:1::/64"),
        );
    }
    Some(text)
}

/// Address and length of a prefix.
fn parse_cidr(text: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let length: u32 = length.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    (length <= most).then_some((address, length))
}

fn contains((net, length): (IpAddr, u32), address: IpAddr) -> bool {
    let prefix = |bits: u128, width: u32| if length == 0 { 0 } else { bits >> (width - length) };
    match (net, address) {
        (IpAddr::V4(net), IpAddr::V4(address)) => {
            prefix(u32::from(net).into(), 32) == prefix(u32::from(address).into(), 32)
        }
        (IpAddr::V6(net), IpAddr::V6(address)) => prefix(net.into(), 128) == prefix(address.into(), 128),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}
