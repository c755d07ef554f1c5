//! What a compose file cannot say of a machine.

use crate::project::{Project, Service, WatchAction};

use super::Images;
use super::given::bound_files;
use super::health::Wishes;
use super::names::is_split;

/// Lists what the file cannot say of one service, a sentence each. `made` are the services that it became.
pub(super) fn on<'m>(
    project: &Project,
    service: &Service,
    wishes: &Wishes<'_>,
    images: &Images,
    made: impl Iterator<Item = &'m Service>,
) -> Vec<String> {
    let Some(machine) = &service.machine else { return Vec::new() };
    let mut remarks = Vec::new();
    let image = service.image.reference();
    if !images.contains_key(image) {
        remarks.push(format!(
            "the engine does not have the image `{image}`: the path and the version of its systemd are assumed; \
             pull or build it and convert again"
        ));
    }
    remarks.push(if wishes.is_gated(&service.name) {
        "READY=1 on systemd's notify socket cannot be awaited; a health check asks systemd instead".to_owned()
    } else {
        "no one waits for its boot (`boot_timeout`, failed units): `docker compose up` returns once it is started"
            .to_owned()
    });
    if wishes.is_joined(service) {
        remarks.push(
            "Compose has one health check a service: all that is waited for, and the service's own check, are joined"
                .to_owned(),
        );
    }
    if machine.units.values().any(|unit| unit.content.is_some() || unit.drop_in.is_some()) {
        remarks.push("a changed unit file replaces the machine; sdcompose restarts the unit".to_owned());
    }
    if !service.hooks.post_start.is_empty() {
        remarks.push(
            "its `post_start` hooks are left out: Docker Compose would run them before its systemd has set itself up; \
             let units do it"
                .to_owned(),
        );
    }
    if service.develop.watch.iter().any(|rule| matches!(rule.action, WatchAction::SyncUnit { .. })) {
        remarks.push("its `sync+unit` rules are left out: Docker Compose knows no units".to_owned());
    }
    remarks.extend(bound_files(project, service));
    if is_split(service) {
        remarks.push(format!(
            "each of its {} replicas is a service, since each has its own identity and cgroup",
            service.replicas
        ));
    }
    if made.into_iter().any(|made| made.limits.parent.is_some()) {
        remarks.push("its parent cgroup stays on the host, empty, after `docker compose down`".to_owned());
    }
    remarks.into_iter().map(|remark| format!("{}: {remark}", service.name)).collect()
}
