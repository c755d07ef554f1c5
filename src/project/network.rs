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
    /// Link-local addresses.
    pub link_local_ips: Vec<String>,
    /// Options for the network's driver.
    pub driver_opts: BTreeMap<String, String>,
    /// Name of the interface inside; `None` leaves it to the engine.
    pub interface_name: Option<String>,
    /// Who has the default route: the highest of all joined networks.
    pub gw_priority: i64,
    /// Order of joining, highest first.
    pub priority: i64,
}

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
    /// Whether IPv4 is on; `None` leaves the engine's default.
    pub enable_ipv4: Option<bool>,
    /// Whether IPv6 is on; `None` leaves the engine's default.
    pub enable_ipv6: Option<bool>,
    /// Where its addresses come from.
    pub ipam: Ipam,
    /// Labels of the user.
    pub labels: BTreeMap<String, String>,
}

impl Network {
    /// Returns the network that an empty declaration means.
    #[must_use]
    pub fn plain(key: &str, name: String) -> Self {
        Self {
            key: key.to_owned(),
            name,
            external: false,
            driver: None,
            driver_opts: BTreeMap::new(),
            internal: false,
            attachable: false,
            enable_ipv4: None,
            enable_ipv6: None,
            ipam: Ipam::default(),
            labels: BTreeMap::new(),
        }
    }
}

/// Where the addresses of a network come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ipam {
    /// Who gives them; `None` leaves the engine's own driver.
    pub driver: Option<String>,
    /// Options of that driver.
    pub options: BTreeMap<String, String>,
    /// Address pools.
    pub pools: Vec<IpamPool>,
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
    /// Addresses that are not given out, by a name for each.
    pub aux_addresses: BTreeMap<String, String>,
}
