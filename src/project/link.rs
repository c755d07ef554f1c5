//! Ties to other containers that are not networks: `links`, `external_links`, `volumes_from`.

use std::fmt;

/// Everything that ties a service to other containers, beside networks and namespaces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links {
    /// `links:` to services of the project.
    pub services: Vec<Link>,
    /// `external_links:` to containers by name.
    pub external: Vec<Link>,
    /// `volumes_from:`.
    pub volumes_from: Vec<VolumesFrom>,
}

/// A further name by which another container is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The service, or the container.
    pub target: String,
    /// The name, where one is written. It means none where it is empty, or has a colon itself.
    pub alias: Option<String>,
}

impl Link {
    /// Reads `TARGET[:ALIAS]`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (target, alias) = match text.split_once(':') {
            Some((target, alias)) => (target, Some(alias.to_owned())),
            None => (text, None),
        };
        Self { target: target.to_owned(), alias }
    }

    /// Returns the name by which the target is reached.
    #[must_use]
    pub fn name(&self) -> &str {
        self.alias
            .as_deref()
            .filter(|alias| !alias.is_empty() && !alias.contains(':'))
            .unwrap_or(&self.target)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.target)?;
        self.alias.as_ref().map_or(Ok(()), |alias| write!(f, ":{alias}"))
    }
}

/// All mounts of another container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumesFrom {
    /// Whose mounts they are.
    pub source: VolumesSource,
    /// `ro` or `rw`, as written; the mounts' own modes where there is none.
    pub mode: Option<String>,
}

/// Whose mounts a container takes over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VolumesSource {
    /// Those of another service's container.
    Service(String),
    /// Those of a container by name.
    Container(String),
}

impl VolumesFrom {
    /// Reads `SERVICE[:MODE]` or `container:NAME[:MODE]`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (text, of): (&str, fn(String) -> VolumesSource) = match text.strip_prefix("container:") {
            Some(rest) => (rest, VolumesSource::Container),
            None => (text, VolumesSource::Service),
        };
        let (name, mode) = match text.split_once(':') {
            Some((name, mode)) => (name, Some(mode.to_owned())),
            None => (text, None),
        };
        Self { source: of(name.to_owned()), mode }
    }

    /// Returns the service, where it is one.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        match &self.source {
            VolumesSource::Service(name) => Some(name),
            VolumesSource::Container(_) => None,
        }
    }
}

impl fmt::Display for VolumesFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            VolumesSource::Service(name) => f.write_str(name)?,
            VolumesSource::Container(name) => write!(f, "container:{name}")?,
        }
        self.mode.as_ref().map_or(Ok(()), |mode| write!(f, ":{mode}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_a_name_of_its_own_or_that_of_its_target() {
        for (text, target, name) in
            [("db", "db", "db"), ("db:sql", "db", "sql"), ("db:", "db", "db"), ("a:b:c", "a", "a")]
        {
            let link = Link::parse(text);
            assert_eq!((link.target.as_str(), link.name(), link.to_string().as_str()), (target, name, text));
        }
    }

    #[test]
    fn volumes_come_from_a_service_or_a_container() {
        for (text, service) in
            [("db", Some("db")), ("db:ro", Some("db")), ("container:x", None), ("container:x:rw", None)]
        {
            let from = VolumesFrom::parse(text);
            assert_eq!((from.service(), from.to_string().as_str()), (service, text));
        }
    }
}
