//! Networks that the top level declares, and what networks and volumes share there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use indexmap::IndexMap;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::project::{ImageSource, Ipam, IpamPool, Network, NetworkChoice};
use crate::yaml::{Entry, Node, Value};

use super::network::DEFAULT;
use super::reader::Reader;
use super::service::{field, flag, labels, place};
use super::{Scope, Written};

mod volumes;

pub(super) use volumes::volumes;

/// Reads the top-level networks, and keeps those that a service joins. Says which are joined and missing.
pub(super) fn networks(
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
        let network = Network::plain(DEFAULT, format!("{project}_{DEFAULT}"));
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
    )
    .coded(Code::UnknownName);
    diagnostic = match r.nearest(key, names) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")).suggest(span, near),
        None => diagnostic.help(format!("declare it: networks: {{ {key}: {{}} }} at the top level")),
    };
    r.push(diagnostic);
}

fn one(r: &mut Reader<'_>, entry: &Entry, project: &str) -> Option<Network> {
    let node = &entry.value;
    if !matches!(node.value, Value::Null | Value::Mapping(_)) {
        r.wrong(node, &format!("networks.{}", entry.key), "a mapping");
        return None;
    }
    let (external, name) = identity(r, entry, project);
    Some(Network {
        external,
        driver: field(r, node, "driver", Reader::filled),
        driver_opts: options(r, node, "driver_opts"),
        internal: flag(r, node, "internal"),
        attachable: flag(r, node, "attachable"),
        enable_ipv4: field(r, node, "enable_ipv4", Reader::boolean),
        enable_ipv6: field(r, node, "enable_ipv6", Reader::boolean),
        ipam: ipam(r, node),
        labels: labels(r, node, "labels").into_iter().collect(),
        ..Network::plain(&entry.key, name)
    })
}

/// Says which secrets and services builds name that are not there.
pub(super) fn of_builds(r: &mut Reader<'_>, root: &Node, services: &[Written<'_>], scope: &Scope<'_>) {
    for written in services {
        let ImageSource::Build { tag: _, build } = &written.service.image else { continue };
        for (name, context) in &build.additional_contexts {
            let Some(other) = context.strip_prefix("service:") else { continue };
            if !scope.services.contains_key(other) {
                let what = format!("the context `{name}` is the service `{other}`, which is not there");
                let mut found =
                    Diagnostic::error(what, place(&written.entry.value, "build")).coded(Code::UnknownName);
                if let Some(near) = r.nearest(other, scope.names.iter().copied()) {
                    found = found.help(format!("did you mean `service:{near}`?"));
                }
                r.push(found);
            }
        }
        for secret in &build.secrets {
            let secrets = root.get("secrets");
            if secrets.is_some_and(|secrets| secrets.entry(&secret.source).is_some()) {
                continue;
            }
            let what = format!(
                "the build of `{}` uses the secret `{}`, which is not declared",
                written.entry.key, secret.source
            );
            let help =
                format!("declare it: secrets: {{ {}: {{ file: … }} }} at the top level", secret.source);
            let span = place(&written.entry.value, "build");
            r.push(Diagnostic::error(what, span).coded(Code::UnknownName).help(help));
        }
    }
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

/// Whether a network or volume is somebody else's, and its name in the engine.
pub(super) fn identity(r: &mut Reader<'_>, entry: &Entry, project: &str) -> (bool, String) {
    let node = &entry.value;
    // A name that an unset variable left empty is none, as in Compose.
    let given = field(r, node, "name", Reader::filled);
    let (external, legacy) = match node.get("external") {
        None => (false, None),
        // `external: {name: …}` is the older form of `external: true` beside `name:`.
        Some(external) if matches!(external.value, Value::Mapping(_)) => {
            let legacy = field(r, external, "name", Reader::filled);
            if let (Some(one), Some(other)) = (&given, &legacy)
                && one != other
            {
                r.push(
                    Diagnostic::error("`name` and `external.name` differ", place(external, "name"))
                        .also(place(node, "name"), "the other one")
                        .help("write `external: true`, and the name as `name:`"),
                );
            }
            (true, legacy)
        }
        Some(external) => (r.boolean(external, "external").unwrap_or(false), None),
    };
    let default = || if external { entry.key.to_string() } else { format!("{project}_{}", entry.key) };
    let chosen = given.or(legacy).unwrap_or_else(default);
    (external, chosen)
}

/// Reads options of a driver: a mapping of text and numbers, which become text.
pub(super) fn options(r: &mut Reader<'_>, node: &Node, key: &str) -> BTreeMap<String, String> {
    let Some(node) = node.get(key) else { return BTreeMap::new() };
    let mut options = BTreeMap::new();
    for entry in r.entries(node, key) {
        let key = format!("{key}.{}", entry.key);
        if let Some(text) = r.option(&entry.value, &key) {
            options.insert(entry.key.to_string(), text);
        }
    }
    options
}

fn ipam(r: &mut Reader<'_>, node: &Node) -> Ipam {
    let Some(node) = node.get("ipam") else { return Ipam::default() };
    r.entries(node, "ipam");
    let pools = node.get("config").map(|config| r.items(config, "ipam.config")).unwrap_or_default();
    Ipam {
        driver: field(r, node, "driver", Reader::filled),
        options: options(r, node, "options"),
        pools: pools.iter().map(|item| pool(r, item)).collect(),
    }
}

fn pool(r: &mut Reader<'_>, node: &Node) -> IpamPool {
    r.entries(node, "ipam.config");
    let subnet = field(r, node, "subnet", cidr);
    let net = subnet.as_deref().and_then(parse_cidr);
    let gateway = field(r, node, "gateway", Reader::filled);
    if let Some(gateway) = &gateway {
        within(r, net, gateway, "gateway", place(node, "gateway"));
    }
    let aux_addresses = options(r, node, "aux_addresses");
    for (name, address) in &aux_addresses {
        within(r, net, address, &format!("address `{name}`"), place(node, "aux_addresses"));
    }
    IpamPool { subnet, ip_range: field(r, node, "ip_range", cidr), gateway, aux_addresses }
}

/// Says where an address of a pool is none, or lies outside of the pool's subnet.
fn within(r: &mut Reader<'_>, net: Option<(IpAddr, u32)>, address: &str, what: &str, span: Span) {
    match (address.parse::<IpAddr>(), net) {
        (Err(_), _) => {
            r.push(Diagnostic::obstacle(format!("the {what}, `{address}`, is not an IP address"), span));
        }
        (Ok(parsed), Some(net)) if !contains(net, parsed) => {
            r.push(Diagnostic::obstacle(format!("the {what} {address} is outside of the subnet"), span));
        }
        (Ok(_), Some(_) | None) => {}
    }
}

fn cidr(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<String> {
    let text = r.filled(node, key)?;
    if parse_cidr(&text).is_none() {
        r.push(
            Diagnostic::obstacle(format!("`{key}`: `{text}` is not a subnet"), node.span)
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
