//! A machine as a plain service: what sdcompose decides, said key by key.

use indexmap::IndexMap;

use crate::container::ContainerSpec;
use crate::project::mount::{self, CreateHostPath};
use crate::project::{Healthcheck, Mount, MountSource, NetworkChoice, Service, WatchAction};
use crate::systemd::defaults::Decision;

/// Makes one replica of a machine a plain service. `base` is the machine with all that it says of others in the
/// file's names.
pub(super) fn of_machine(
    base: &Service,
    name: String,
    spec: &ContainerSpec,
    decision: Option<&Decision>,
    healthcheck: Option<Healthcheck>,
) -> Service {
    let is_split = name != base.name;
    let mut service = Service {
        container_name: if is_split { Some(spec.name.clone()) } else { base.container_name.clone() },
        replicas: 1,
        entrypoint: spec.entrypoint.clone(),
        command: spec.command.clone(),
        environment: environment(base, spec),
        hostname: spec.hostname.clone(),
        user: spec.user.clone(),
        tty: spec.tty,
        init: spec.init,
        stop_signal: spec.stop_signal.clone(),
        cap_add: spec.cap_add.clone(),
        security_opt: spec.security_opt.clone(),
        privileged: spec.privileged,
        mounts: mounts(base, decision),
        // They are among the files that the machine is given.
        secrets: Vec::new(),
        configs: Vec::new(),
        healthcheck,
        machine: None,
        ..base.clone()
    };
    // Docker Compose would run them right after the start, before systemd has set itself up.
    service.hooks.post_start.clear();
    service.develop.watch.retain(|rule| !matches!(rule.action, WatchAction::SyncUnit { .. }));
    service.namespaces.cgroup = spec.cgroupns;
    service.limits.parent.clone_from(&spec.cgroup_parent);
    let known = |target: &str| base.devices.iter().any(|device| device.target == target);
    service.devices.extend(spec.devices.iter().filter(|device| !known(&device.target)).cloned());
    if is_split {
        answer_to(&mut service, &base.name);
        service.name = name;
    }
    service
}

/// The manifest's order first, then what systemd needs.
fn environment(base: &Service, spec: &ContainerSpec) -> IndexMap<String, String> {
    let mut all = base.environment.clone();
    all.extend(spec.environment.iter().map(|(key, value)| (key.clone(), value.clone())));
    all
}

/// The binds of cgroups come first, as the engine gets them, and the tmpfs mounts that systemd needs last.
fn mounts(base: &Service, decision: Option<&Decision>) -> Vec<Mount> {
    let Some(decision) = decision else { return base.mounts.clone() };
    let own = |target: &str| base.mounts.iter().any(|mount| mount::clean(&mount.target) == target);
    let binds = decision.grant.binds.iter().filter(|bind| !own(&bind.target)).map(|bind| {
        let source = MountSource::Bind {
            path: (&bind.source).into(),
            create: CreateHostPath::Yes,
            propagation: None,
            selinux: None,
            recursive: None,
        };
        added(&bind.target, source, bind.read_only)
    });
    let memory = decision.tmpfs.iter().map(|(target, options)| {
        let source = MountSource::Tmpfs { size: None, mode: None, options: Some(options.clone()) };
        added(target, source, false)
    });
    binds.chain(base.mounts.iter().cloned()).chain(memory).collect()
}

fn added(target: &str, source: MountSource, read_only: bool) -> Mount {
    Mount { target: target.to_owned(), source, read_only, consistency: None }
}

/// Replicas that have names of their own still answer to the service's.
fn answer_to(service: &mut Service, name: &str) {
    if let NetworkChoice::Join(networks) = &mut service.network {
        for attachment in networks.values_mut() {
            if !attachment.aliases.iter().any(|alias| alias == name) {
                attachment.aliases.insert(0, name.to_owned());
            }
        }
    }
}
