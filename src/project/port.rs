//! `ports:` in its short form: `[[address:]host:]container[/protocol]`, ranges included.
//!
//! The grammar is that of `nat.ParsePortSpec` of docker/go-connections, which Compose reads it with.

use std::fmt;
use std::net::IpAddr;

/// One published port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    /// Port inside.
    pub target: u16,
    /// Host port, a range to pick from (`3000-3002`), or none for one that the engine picks.
    pub published: Option<PublishedPort>,
    /// Host address; `None` is every address, as in Compose.
    pub host_ip: Option<IpAddr>,
    /// Transport.
    pub protocol: Protocol,
    /// How Swarm would publish it.
    pub mode: PortMode,
    /// A name for people.
    pub name: Option<String>,
    /// The application's protocol, for people.
    pub app_protocol: Option<String>,
    /// What the long form says in other words than ours.
    pub spelling: Spelling,
}

/// Words of the long form that Compose keeps as they are written; each is `None` where it is spelled as we do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Spelling {
    /// `2001:DB8::1`.
    pub host_ip: Option<String>,
    /// `08080`, or what is no port.
    pub published: Option<String>,
    /// `TCP`, or what is no protocol.
    pub protocol: Option<String>,
    /// What is no mode.
    pub mode: Option<String>,
}

impl Port {
    /// Returns a port that is published as the engine chooses, at every address.
    #[must_use]
    pub const fn any(target: u16, protocol: Protocol) -> Self {
        Self {
            target,
            published: None,
            host_ip: None,
            protocol,
            mode: PortMode::Ingress,
            name: None,
            app_protocol: None,
            spelling: Spelling { host_ip: None, published: None, protocol: None, mode: None },
        }
    }
}

/// How Swarm would publish a port; on one engine both mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortMode {
    /// By the nodes' common load balancer.
    Ingress,
    /// On the node of each container.
    Host,
}

impl fmt::Display for PortMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ingress => "ingress",
            Self::Host => "host",
        })
    }
}

/// A host port or range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublishedPort {
    /// First port.
    pub first: u16,
    /// Last port; the same as `first` for a single one.
    pub last: u16,
}

/// Transport of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl fmt::Display for PublishedPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last } = self;
        if first == last { write!(f, "{first}") } else { write!(f, "{first}-{last}") }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}

/// Reads one entry of the short form; a range of container ports gives one port each.
///
/// # Errors
/// Says in a few words what is wrong (`there is no port 70000: ports go from 1 to 65535`).
pub fn parse(text: &str) -> Result<Vec<Port>, String> {
    let (rest, protocol) = match text.rsplit_once('/') {
        Some((rest, word)) => (rest, protocol(word)?),
        None => (text, Protocol::Tcp),
    };
    let (address, host, container) = split(rest)?;
    let host_ip = address.map(host_ip).transpose()?;
    let (first, last) = range(container)?;
    if first == 0 {
        return Err(no_such_port("0"));
    }
    let published = if host.is_empty() { None } else { Some(published(host)?) };
    let count = last - first;
    let port = |target, published| Port { published, host_ip, ..Port::any(target, protocol) };
    match published {
        Some(published) if published.last - published.first == count => {
            Ok((0..=count).map(|step| port(first + step, Some(single(published.first + step)))).collect())
        }
        // One container port may take any free port of a host range.
        Some(_) if count == 0 => Ok(vec![port(first, published)]),
        Some(published) => Err(format!(
            "{} host ports for {} container ports",
            u32::from(published.last - published.first) + 1,
            u32::from(count) + 1
        )),
        None => Ok((first..=last).map(|target| port(target, None)).collect()),
    }
}

/// Reads a protocol in any case.
///
/// # Errors
/// Names the protocols that there are.
pub fn protocol(word: &str) -> Result<Protocol, String> {
    match word.to_ascii_lowercase().as_str() {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        "sctp" => Ok(Protocol::Sctp),
        _ => Err(format!("`{word}` is no protocol; there are tcp, udp and sctp")),
    }
}

/// Reads a mode.
///
/// # Errors
/// Names the modes that there are.
pub fn mode(word: &str) -> Result<PortMode, String> {
    match word {
        "ingress" => Ok(PortMode::Ingress),
        "host" => Ok(PortMode::Host),
        _ => Err(format!(
            "`{word}` is no way to publish a port; there are ingress and host, which mean the same"
        )),
    }
}

/// Reads a host port or a range of them; 0 lets the engine choose.
///
/// # Errors
/// Says in a few words what is wrong.
pub fn published(text: &str) -> Result<PublishedPort, String> {
    let (first, last) = range(text)?;
    Ok(PublishedPort { first, last })
}

/// Reads a host address, an IPv6 one with or without brackets.
///
/// # Errors
/// Says that it is none.
pub fn host_ip(text: &str) -> Result<IpAddr, String> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().map_err(|_| format!("`{text}` is not an IP address"))
}

/// Reads a container port, which cannot be 0.
///
/// # Errors
/// Says in a few words what is wrong.
pub fn target(text: &str) -> Result<u16, String> {
    number(text).and_then(|port| if port == 0 { Err(no_such_port(text)) } else { Ok(port) })
}

/// Host address, host port (may be empty) and container port.
fn split(text: &str) -> Result<(Option<&str>, &str, &str), String> {
    let (front, container) = text.rsplit_once(':').map_or((None, text), |(front, port)| (Some(front), port));
    if container.is_empty() {
        return Err("the container port is missing".to_owned());
    }
    let Some(front) = front else { return Ok((None, "", container)) };
    if front.ends_with(']') {
        return Err(format!(
            "the host port is missing between {front} and {container}; write {front}::{container}"
        ));
    }
    let Some((address, host)) = front.rsplit_once(':') else { return Ok((None, front, container)) };
    if address.contains(':') && !address.starts_with('[') {
        return Err("too many colons; an IPv6 address needs brackets".to_owned());
    }
    Ok((Some(address).filter(|address| !address.is_empty()), host, container))
}

fn range(text: &str) -> Result<(u16, u16), String> {
    let Some((first, last)) = text.split_once('-').filter(|(first, _)| !first.is_empty()) else {
        return number(text).map(|port| (port, port));
    };
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(format!("the range {text} is reversed; write {last}-{first}"));
    }
    Ok((first, last))
}

fn number(text: &str) -> Result<u16, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("`{text}` is not a port number"));
    }
    text.parse().map_err(|_| no_such_port(text))
}

fn no_such_port(text: &str) -> String {
    format!("there is no port {text}: ports go from 1 to 65535")
}

const fn single(port: u16) -> PublishedPort {
    PublishedPort { first: port, last: port }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One line a port: `address published target/protocol`.
    fn shown(text: &str) -> String {
        match parse(text) {
            Err(why) => why,
            Ok(ports) => ports.iter().map(show).collect::<Vec<_>>().join(", "),
        }
    }

    fn show(port: &Port) -> String {
        let published = port.published.map_or("any".to_owned(), |PublishedPort { first, last }| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        });
        let address = port.host_ip.map_or(String::new(), |address| format!("{address} "));
        format!("{address}{published}→{}/{}", port.target, port.protocol)
    }

    #[test]
    fn short_forms_are_read_as_compose_reads_them() {
        let pairs = [
            ("80", "any→80/tcp"),
            ("81-82", "any→81/tcp, any→82/tcp"),
            ("90-91:80-81", "90→80/tcp, 91→81/tcp"),
            ("127.0.0.1::5000", "127.0.0.1 any→5000/tcp"),
            ("[::1]:80:80/udp", "::1 80→80/udp"),
            ("0.0.0.0:443:443", "0.0.0.0 443→443/tcp"),
            ("3000-3002:3000", "3000-3002→3000/tcp"),
            (":70", "any→70/tcp"),
            ("0:71", "0→71/tcp"),
            ("6060:6060/TCP", "6060→6060/tcp"),
        ];
        for (written, ports) in pairs {
            assert_eq!(shown(written), ports, "{written}");
        }
    }

    #[test]
    fn each_mistake_has_its_own_reason() {
        let pairs = [
            ("9000-8000", "the range 9000-8000 is reversed; write 8000-9000"),
            ("70000:80", "there is no port 70000: ports go from 1 to 65535"),
            ("80:0", "there is no port 0: ports go from 1 to 65535"),
            ("-1", "there is no port -1: ports go from 1 to 65535"),
            ("80:65536", "there is no port 65536: ports go from 1 to 65535"),
            ("8000-8002:80-81", "3 host ports for 2 container ports"),
            ("80.5", "`80.5` is not a port number"),
            ("80/foo", "`foo` is no protocol; there are tcp, udp and sctp"),
            ("a:b:c:d", "too many colons; an IPv6 address needs brackets"),
            ("[::1]:80", "the host port is missing between [::1] and 80; write [::1]::80"),
            ("256.0.0.1:80:80", "`256.0.0.1` is not an IP address"),
            ("80:", "the container port is missing"),
            ("", "the container port is missing"),
        ];
        for (written, why) in pairs {
            assert_eq!(shown(written), why, "{written}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[0-9a-f:./\\[\\]-]{0,24}") {
            let _ = parse(&text);
        }

        #[test]
        fn a_host_and_a_container_port_stay_what_they_are(host in 1..=u16::MAX, target in 1..=u16::MAX) {
            let ports = parse(&format!("{host}:{target}/udp")).unwrap();
            let expected = Port { published: Some(single(host)), ..Port::any(target, Protocol::Udp) };
            prop_assert_eq!(ports, vec![expected]);
        }

        #[test]
        fn equal_ranges_pair_up(first in 1..60000_u16, target in 1..60000_u16, count in 0..200_u16) {
            let ports = parse(&format!("{first}-{}:{target}-{}", first + count, target + count)).unwrap();
            prop_assert_eq!(ports.len(), usize::from(count) + 1);
            prop_assert!(ports.iter().all(|port| port.published.is_some_and(|p| p.first - first == port.target - target)));
        }
    }
}
