//! Networks of a project, and how a service joins them.

use std::collections::BTreeMap;

use indexmap::IndexMap;

/// How a service is networked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkChoice {
    /// It joins networks of the project, by manifest key; the first is joined at creation.
    Join(IndexMap<String, Attachment>),
    /// A mode of the engine instead: `none`, `host`, `bridge`.
    Mode(String),
    /// The network namespace of another service's container.
    Service(String),
    /// The network namespace of a container by name.
    Container(String),
}

/// How a service joins one network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attachment {
    /// Further names on that network; the service's own name and the container's come on top.
    pub aliases: Vec<String>,
    /// Fixed IPv4 address.
    pub ipv4_address: Option<String>,
    /// Fixed IPv6 address.
    pub ipv6_address: Option<String>,
    /// Fixed MAC address.
    pub mac_address: Option<String>,
    /// Order of joining, highest first.
    pub priority: i64,
}

#[expect(clippy::struct_excessive_bools, reason = "each is one switch of the manifest language")]
/// A network of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Manifest key.
    pub key: String,
    /// Name in the engine.
    pub name: String,
    /// Whether it belongs to somebody else and is never made or removed.
    pub external: bool,
    /// Driver; `None` leaves the engine's default.
    pub driver: Option<String>,
    /// Options of the driver.
    pub driver_opts: BTreeMap<String, String>,
    /// Whether the outside is not reachable.
    pub internal: bool,
    /// Whether containers that are not of this project may join.
    pub attachable: bool,
    /// Whether IPv6 is on.
    pub enable_ipv6: bool,
    /// Address pools.
    pub ipam: Vec<IpamPool>,
    /// Labels of the user.
    pub labels: BTreeMap<String, String>,
}

/// An address pool of a network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IpamPool {
    /// Subnet in CIDR form.
    pub subnet: Option<String>,
    /// Part of the subnet to give out.
    pub ip_range: Option<String>,
    /// The gateway's address.
    pub gateway: Option<String>,
}
