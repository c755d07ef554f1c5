//! Which namespaces of the kernel a container shares, and with whom (namespaces(7)).

use std::fmt;

use crate::systemd::privilege::CgroupNs;

/// The namespaces that a service speaks about. What is `None` is left to the engine, which gives each container
/// its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Namespaces {
    /// `cgroup:`.
    pub cgroup: Option<CgroupNs>,
    /// `ipc:`; `shareable` and `none` are words of the engine.
    pub ipc: Option<Sharing>,
    /// `pid:`.
    pub pid: Option<Sharing>,
    /// `uts:`; engines know `host` only.
    pub uts: Option<String>,
}

impl Namespaces {
    /// Names the services whose containers give this one a namespace, with the keys that say so.
    pub fn services(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [("ipc", &self.ipc), ("pid", &self.pid)]
            .into_iter()
            .filter_map(|(key, sharing)| Some((key, sharing.as_ref()?.service()?)))
    }
}

/// How a container gets a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sharing {
    /// A word of the engine, such as `host`.
    Mode(String),
    /// That of another service's container.
    Service(String),
    /// That of a container by name.
    Container(String),
}

impl Sharing {
    /// Reads `host`, `service:NAME` or `container:NAME`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.split_once(':') {
            Some(("service", name)) => Self::Service(name.to_owned()),
            Some(("container", name)) => Self::Container(name.to_owned()),
            Some(_) | None => Self::Mode(text.to_owned()),
        }
    }

    /// Returns the service that it is shared with.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        match self {
            Self::Service(name) => Some(name),
            Self::Mode(_) | Self::Container(_) => None,
        }
    }
}

impl fmt::Display for Sharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mode(word) => f.write_str(word),
            Self::Service(name) => write!(f, "service:{name}"),
            Self::Container(name) => write!(f, "container:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_shared_with_the_host_a_service_or_a_container() {
        for text in ["host", "shareable", "service:db", "container:x:y", "other:z"] {
            assert_eq!(Sharing::parse(text).to_string(), text);
        }
        assert_eq!(Sharing::parse("service:db").service(), Some("db"));
        assert_eq!(Sharing::parse("container:db").service(), None);
    }
}
