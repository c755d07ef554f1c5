//! Names of services in the file, and what services of a project say of one another in these names.

use indexmap::IndexMap;

use crate::project::link::VolumesSource;
use crate::project::namespaces::Sharing;
use crate::project::{Attachment, Dependency, DependencyCondition, NetworkChoice, Project, Service};

/// The name in the file: with the index where a machine has several replicas.
pub(super) fn of(service: &Service, index: u32) -> String {
    if is_split(service) { format!("{}-{index}", service.name) } else { service.name.clone() }
}

/// Whether the replicas of a service are services of their own in the file.
pub(super) fn is_split(service: &Service) -> bool {
    service.machine.is_some() && service.replicas > 1
}

/// Returns a service with all that it says of others in the file's names and in Compose's conditions.
pub(super) fn translated(project: &Project, service: &Service) -> Service {
    let mut service = service.clone();
    let first = |name: &str| project.services.get(name).map_or_else(|| name.to_owned(), |other| of(other, 1));
    service.depends_on = depends_on(project, &service);
    match &mut service.network {
        NetworkChoice::Service(other) => *other = first(other),
        NetworkChoice::Join(networks) => keep_order(networks),
        NetworkChoice::Mode(_) | NetworkChoice::Container(_) => {}
    }
    for sharing in [&mut service.namespaces.ipc, &mut service.namespaces.pid].into_iter().flatten() {
        if let Sharing::Service(other) = sharing {
            *other = first(other);
        }
    }
    for link in &mut service.links.services {
        let name = link.name().to_owned();
        link.target = first(&link.target);
        if link.target != name {
            link.alias = Some(name);
        }
    }
    for volumes in &mut service.links.volumes_from {
        if let VolumesSource::Service(other) = &mut volumes.source {
            *other = first(other);
        }
    }
    service
}

/// Lets networks be joined in the manifest's order: Docker Compose joins those of one priority by their names
/// (compose-go `types/types.go`, `NetworksByPriority`).
fn keep_order(networks: &mut IndexMap<String, Attachment>) {
    let mut order: Vec<(String, i64)> =
        networks.iter().map(|(name, how)| (name.clone(), how.priority)).collect();
    order.sort_by_key(|(_, priority)| std::cmp::Reverse(*priority));
    let by_name = order.windows(2).all(|pair| match pair {
        [(one, first), (other, second)] => first > second || one < other,
        _ => true,
    });
    if by_name {
        return;
    }
    for (priority, (name, _)) in (0..).zip(order.into_iter().rev()) {
        if let Some(how) = networks.get_mut(&name) {
            how.priority = priority;
        }
    }
}

/// What a service waits for: a machine that is ready, or a unit in it, is a health check.
fn depends_on(project: &Project, service: &Service) -> IndexMap<String, Dependency> {
    let mut all = IndexMap::new();
    for (name, how) in &service.depends_on {
        let other = project.services.get(name);
        let replicas = other.filter(|other| is_split(other)).map_or(1, |other| other.replicas);
        for index in 1..=replicas {
            let name = other.map_or_else(|| name.clone(), |other| of(other, index));
            all.insert(name, Dependency { condition: condition(&how.condition, other), ..how.clone() });
        }
    }
    all
}

fn condition(condition: &DependencyCondition, other: Option<&Service>) -> DependencyCondition {
    match condition {
        DependencyCondition::Ready if other.is_some_and(|other| other.machine.is_some()) => {
            DependencyCondition::Healthy
        }
        DependencyCondition::Ready => DependencyCondition::Started,
        DependencyCondition::UnitActive(_) => DependencyCondition::Healthy,
        DependencyCondition::Started
        | DependencyCondition::Healthy
        | DependencyCondition::CompletedSuccessfully => condition.clone(),
    }
}
