//! How a container is tied to others: namespaces, links, mounts that it takes over, in the engine's words.

use crate::project::{Links, Namespaces, Project, Service, Sharing, VolumesSource};

use super::names;

/// Namespaces of a container in the engine's words; what is `None` is its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamespaceSpec {
    /// `host`, `shareable`, `container:<name>`, …
    pub ipc: Option<String>,
    /// `host`, `container:<name>`.
    pub pid: Option<String>,
    /// `host`.
    pub uts: Option<String>,
}

/// Returns the container of another service that belongs to a replica: replicas pair up by index, and the other
/// service may have fewer.
pub(super) fn partner(project: &Project, other: &str, index: u32) -> String {
    project.services.get(other).map_or_else(
        || format!("{}-{other}-1", project.name),
        |other| names::container(project, other, index.min(other.replicas.max(1))),
    )
}

/// Returns the namespaces of a replica.
pub(super) fn namespaces(project: &Project, service: &Service, index: u32) -> NamespaceSpec {
    let Namespaces { cgroup: _, ipc, pid, uts } = &service.namespaces;
    let mode = |sharing: &Option<Sharing>| {
        sharing.as_ref().map(|sharing| match sharing {
            Sharing::Service(other) => format!("container:{}", partner(project, other, index)),
            Sharing::Mode(_) | Sharing::Container(_) => sharing.to_string(),
        })
    };
    NamespaceSpec { ipc: mode(ipc), pid: mode(pid), uts: uts.clone() }
}

/// Returns the names by which a container reaches others, as `CONTAINER:NAME`: each container of a linked service
/// by the alias (or the service's name) and by its own, as Docker Compose gives them.
pub(super) fn links(project: &Project, service: &Service) -> Vec<String> {
    let Links { services, external, volumes_from: _ } = &service.links;
    let mut links = Vec::new();
    for link in services {
        let Some(other) = project.services.get(&link.target) else { continue };
        for index in 1..=other.replicas {
            let container = names::container(project, other, index);
            let numbered = format!("{}-{index}", other.name);
            for name in [link.name(), numbered.as_str(), container.as_str()] {
                links.push(format!("{container}:{name}"));
            }
        }
    }
    links.extend(external.iter().map(|link| format!("{}:{}", link.target, link.name())));
    links.dedup();
    links
}

/// Returns the containers whose mounts are taken over, as `CONTAINER[:MODE]`.
pub(super) fn volumes_from(project: &Project, service: &Service, index: u32) -> Vec<String> {
    let one = |from: &crate::project::VolumesFrom| {
        let container = match &from.source {
            VolumesSource::Service(other) => partner(project, other, index),
            VolumesSource::Container(name) => name.clone(),
        };
        from.mode.as_ref().map_or_else(|| container.clone(), |mode| format!("{container}:{mode}"))
    };
    service.links.volumes_from.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::sketch::project;
    use crate::project::{Link, VolumesFrom};

    #[test]
    fn replicas_pair_up_with_those_of_the_service_whose_namespace_they_share() {
        let mut shop = project("db x2\nweb x3");
        let web = &mut shop.services["web"];
        web.namespaces.ipc = Some(Sharing::Service("db".to_owned()));
        web.namespaces.pid = Some(Sharing::Mode("host".to_owned()));
        let shown = |index| {
            let spec = namespaces(&shop, &shop.services["web"], index);
            (spec.ipc.unwrap(), spec.pid.unwrap())
        };
        assert_eq!(shown(1), ("container:shop-db-1".to_owned(), "host".to_owned()));
        assert_eq!(shown(3).0, "container:shop-db-2");
    }

    #[test]
    fn a_link_names_each_container_by_its_alias_and_by_its_own_names() {
        let mut shop = project("db x2\nweb");
        let web = &mut shop.services["web"];
        web.links.services = vec![Link::parse("db:sql")];
        web.links.external = vec![Link::parse("old")];
        assert_eq!(
            links(&shop, &shop.services["web"]),
            [
                "shop-db-1:sql",
                "shop-db-1:db-1",
                "shop-db-1:shop-db-1",
                "shop-db-2:sql",
                "shop-db-2:db-2",
                "shop-db-2:shop-db-2",
                "old:old"
            ]
        );
    }

    #[test]
    fn mounts_are_taken_from_the_container_of_a_service() {
        let mut shop = project("db name=fixed\nweb");
        let from = ["db:ro", "container:x"].map(VolumesFrom::parse);
        shop.services["web"].links.volumes_from = from.to_vec();
        assert_eq!(volumes_from(&shop, &shop.services["web"], 1), ["fixed:ro", "x"]);
    }
}
