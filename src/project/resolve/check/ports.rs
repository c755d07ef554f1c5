//! Host ports that more than one container would take.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::project::{NetworkChoice, Port, Protocol};

use super::super::Written;
use super::super::reader::Reader;
use super::super::service::place;

/// One container's claim on a host port.
#[derive(Clone, Copy)]
struct Claim<'a> {
    service: &'a Written<'a>,
    port: &'a Port,
}

/// Says which fixed host ports are taken twice: by two services, or by the replicas of one. Ranges, of which
/// the engine picks a free port, are checked only against their own length.
pub(super) fn check(r: &mut Reader<'_>, services: &[Written<'_>]) {
    let mut taken: HashMap<(u16, Protocol), Vec<Claim<'_>>> = HashMap::new();
    for written in services {
        if !matches!(&written.service.network, NetworkChoice::Join(_)) {
            continue;
        }
        for port in &written.service.ports {
            let Some(published) = port.published.filter(|published| published.first != 0) else { continue };
            let free = u32::from(published.last - published.first) + 1;
            if written.service.replicas > free {
                too_few(r, written, port, free);
            } else if free == 1 {
                taken
                    .entry((published.first, port.protocol))
                    .or_default()
                    .push(Claim { service: written, port });
            }
        }
    }
    let mut clashes: Vec<(Claim<'_>, Claim<'_>)> = Vec::new();
    for claims in taken.values() {
        for (at, later) in claims.iter().enumerate() {
            let earlier =
                claims.iter().take(at).find(|earlier| overlap(earlier.port.host_ip, later.port.host_ip));
            clashes.extend(earlier.map(|earlier| (*earlier, *later)));
        }
    }
    clashes.sort_by_key(|(_, later)| (later.service.entry.key_span, later.port.clone()));
    for (earlier, later) in clashes {
        clash(r, earlier, later);
    }
}

/// A fixed address meets itself and every address of its family; Docker binds both families where none is
/// given.
fn overlap(one: Option<IpAddr>, other: Option<IpAddr>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) if one.is_ipv4() == other.is_ipv4() => {
            one == other || one.is_unspecified() || other.is_unspecified()
        }
        (Some(_), Some(_)) => false,
        (None, _) | (_, None) => true,
    }
}

fn too_few(r: &mut Reader<'_>, written: &Written<'_>, port: &Port, free: u32) {
    let replicas = written.service.replicas;
    r.push(
        Diagnostic::obstacle(
            format!(
                "{replicas} replicas of `{}` share {free} host port(s) for {}",
                written.entry.key, port.target
            ),
            ports_of(written),
        )
        .coded(Code::Conflict)
        .help("leave the host port out, or give a range with one port for each replica"),
    );
}

fn clash(r: &mut Reader<'_>, earlier: Claim<'_>, later: Claim<'_>) {
    let number = later.port.published.map_or(0, |published| published.first);
    let protocol = later.port.protocol;
    let (first, second) = (&earlier.service.entry.key, &later.service.entry.key);
    let what = if first == second {
        format!("host port {number}/{protocol} is published twice by `{first}`")
    } else {
        format!("host port {number}/{protocol} is used by `{first}` and `{second}`")
    };
    // Services with profiles are often alternatives of each other, switched on together only to be listed.
    let alternatives =
        !(earlier.service.service.profiles.is_empty() && later.service.service.profiles.is_empty());
    let diagnostic = if alternatives {
        Diagnostic::warning(what, ports_of(later.service))
    } else {
        Diagnostic::obstacle(what, ports_of(later.service))
    };
    r.push(
        diagnostic
            .coded(Code::Conflict)
            .also(ports_of(earlier.service), "taken here first")
            .help("give one of them another host port"),
    );
}

fn ports_of(written: &Written<'_>) -> Span {
    place(&written.entry.value, "ports")
}
