//! What a container is now, against what it is to be: by its labels, by what was changed in place since, and,
//! where it was looked at closely, by what the engine enforces and systemd says.

use crate::container::files::CREDENTIALS_DIR;
use crate::container::fingerprint::{Difference, Fingerprint, differences};
use crate::container::record::Record;
use crate::facts::Facts;
use crate::observed::{Applied, Closeness, Closer, ContainerState, Enforced, Observed, ObservedContainer};
use crate::project::{Limits, Project, RestartPolicy, Service};
use crate::systemd::UnitName;
use crate::systemd::assignment::is_assignable;

use super::super::FieldChange;
use super::super::way::{self, Way};

/// What tells one container from what it is to be.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::plan) struct Gap {
    /// What it is, as far as it was brought there by sdcompose.
    pub(in crate::plan) current: Fingerprint,
    /// Fields in which the manifest differs from that.
    pub(in crate::plan) changed: Vec<FieldChange>,
    /// Fields in which somebody else made it differ.
    pub(in crate::plan) drifted: Vec<FieldChange>,
}

impl Gap {
    /// Lists both.
    pub(in crate::plan) fn all(&self) -> impl Iterator<Item = &FieldChange> {
        self.changed.iter().chain(&self.drifted)
    }
}

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides<'a> {
    pub(super) project: &'a Project,
    pub(super) service: &'a Service,
    pub(super) facts: &'a Facts,
    pub(super) observed: &'a Observed,
    pub(super) desired: &'a Fingerprint,
}

impl Sides<'_> {
    /// Compares a container with what it is to be. `known_image` is whether the engine has the image; where it
    /// does not, it cannot be told whether it moved, and the container's own counts.
    pub(super) fn gap(&self, container: &ObservedContainer, known_image: bool) -> Gap {
        let closer = self.observed.closer.get(&container.name);
        let mut current = self.by_memory(container, closer);
        if !known_image {
            current = current.with_field_of(self.desired, "image");
        }
        let record = closer.and_then(|closer| closer.record.as_ref());
        let looked = closer.is_some();
        let change = |difference: Difference| {
            let mut way = way::of(&difference, self.service, self.facts);
            if way == Way::Inside && looked && !self.fits_inside(&difference, record) {
                way = Way::Replace;
            }
            self.described(difference, way, container)
        };
        let changed: Vec<FieldChange> = differences(&current, self.desired).into_iter().map(change).collect();
        let mut drifted = self.gone_networks(container, &changed);
        drifted.extend(self.lost_networks(container, &changed));
        drifted.extend(self.strange_networks(container, &changed));
        if let Some(closer) = closer {
            drifted.extend(self.enforced_otherwise(&closer.enforced, &changed));
            drifted.extend(self.units_down(container, closer));
        }
        Gap { current, changed, drifted }
    }

    fn described(&self, difference: Difference, way: Way, container: &ObservedContainer) -> FieldChange {
        let Difference { field, old, new, gone, fresh } = difference;
        if field == "image" {
            let (old, new) = (container.image.clone(), self.service.image.reference().to_owned());
            // Another image of the same name has nothing to show.
            let told = old != new;
            return FieldChange {
                field,
                way,
                old: told.then_some(old),
                new: told.then_some(new),
                gone,
                fresh,
            };
        }
        FieldChange { field, way, old, new, gone, fresh }
    }

    /// What the container is as far as sdcompose brought it there.
    fn by_memory(&self, container: &ObservedContainer, closer: Option<&Closer>) -> Fingerprint {
        let made = Fingerprint::from_label(&container.labels.fingerprint);
        match (&container.applied, closer) {
            (Applied::AsMade, _) | (Applied::Unknown, None) => made,
            (Applied::Is(fingerprint), _) => Fingerprint::from_label(fingerprint),
            (Applied::Unknown, Some(closer)) => {
                let record = closer.record.as_ref();
                let mut current = record.map_or(made, |record| Fingerprint::from_label(&record.fingerprint));
                // The engine may have been told something whose record was not written any more. What it enforces
                // is true in any case.
                for field in live_fields(self.service, &closer.enforced, self.facts) {
                    if !field.differs {
                        current = current.with_field_of(self.desired, field.name);
                    }
                }
                for field in network_fields(self.desired) {
                    if record.is_none() && self.is_on(container, field) {
                        current = current.with_field_of(self.desired, field);
                    }
                }
                current
            }
        }
    }

    /// Tells whether a change can be written into this machine.
    fn fits_inside(&self, difference: &Difference, record: Option<&Record>) -> bool {
        // A machine that an older version made has no record of what it was given.
        let (Some(record), Some(machine)) = (record, &self.service.machine) else { return false };
        let field = difference.field.as_str();
        if let Some(name) = field.strip_prefix("environment.") {
            let value = self.service.environment.get(name);
            return value.is_none_or(|value| is_assignable(name, value));
        }
        if field.starts_with("systemd.credentials.") || field.starts_with("secrets.") {
            // PID 1 takes credentials from the directory that its environment named at the start.
            return record.files.contains_key(CREDENTIALS_DIR);
        }
        let unit = ["systemd.units.", "systemd.enable.", "systemd.mask."]
            .iter()
            .find_map(|prefix| UnitName::parse(field.strip_prefix(prefix)?).ok());
        let Some(unit) = unit else { return true };
        let file = machine.units.get(&unit);
        let masked = machine.mask.contains(&unit) || file.is_some_and(|file| file.mask);
        let wanted = machine.enable.contains(&unit) || file.is_some_and(|file| file.enable);
        // What PID 1's arguments want or mask comes again with every reload.
        let unmasks = record.masks.contains(&unit) && !masked;
        let goes_altogether = difference.gone && field.starts_with("systemd.units.");
        let disables = record.wants.contains(&unit) && !wanted && !goes_altogether;
        !unmasks && !disables
    }

    /// Networks that the container ought to be on and was taken from. Of one that does not run, engines do not
    /// always say it.
    fn lost_networks(&self, container: &ObservedContainer, changed: &[FieldChange]) -> Vec<FieldChange> {
        if container.state != ContainerState::Running {
            return Vec::new();
        }
        network_fields(self.desired)
            .filter(|field| changed.iter().all(|change| change.field != **field))
            .filter(|field| !self.is_on(container, field))
            .map(|field| FieldChange {
                field: field.to_owned(),
                way: Way::Live,
                old: Some("disconnected".to_owned()),
                new: Some("connected".to_owned()),
                gone: false,
                fresh: true,
            })
            .collect()
    }

    /// Networks that the container joined and that are no more: another one has the name, or none. An engine
    /// looks for them by their ids when the container starts.
    fn gone_networks(&self, container: &ObservedContainer, changed: &[FieldChange]) -> Vec<FieldChange> {
        network_fields(self.desired)
            .filter(|field| changed.iter().all(|change| change.field != **field))
            .filter(|field| {
                let name = self.name_of(field);
                let joined = container.networks.get(&name).filter(|id| !id.is_empty());
                let now = self.observed.networks.get(&name).map(|network| &network.id);
                joined.is_some() && joined != now
            })
            .map(|field| FieldChange {
                field: field.to_owned(),
                way: Way::Replace,
                old: Some("gone".to_owned()),
                new: Some(self.name_of(field)),
                gone: false,
                fresh: false,
            })
            .collect()
    }

    /// Networks of the project that the container is on and ought not to be.
    fn strange_networks(&self, container: &ObservedContainer, changed: &[FieldChange]) -> Vec<FieldChange> {
        if container.state != ContainerState::Running {
            return Vec::new();
        }
        let wanted = |name: &str| network_fields(self.desired).any(|field| self.name_of(field) == name);
        let known = |name: &str| {
            changed
                .iter()
                .any(|change| change.old.as_deref().is_some_and(|old| old.split(' ').next() == Some(name)))
        };
        let own =
            container.networks.keys().filter_map(|name| Some((name, self.observed.networks.get(name)?)));
        own.filter_map(|(name, network)| Some((name, network.labels.as_ref()?)))
            .filter(|(name, labels)| labels.project == self.project.name && !wanted(name) && !known(name))
            .map(|(name, labels)| FieldChange {
                field: format!("networks.{}", labels.key),
                way: Way::Live,
                old: Some(name.clone()),
                new: None,
                gone: true,
                fresh: false,
            })
            .collect()
    }

    fn is_on(&self, container: &ObservedContainer, field: &str) -> bool {
        container.networks.contains_key(&self.name_of(field))
    }

    /// The name in the engine of a network's field.
    fn name_of(&self, field: &str) -> String {
        let key = field.strip_prefix("networks.").unwrap_or(field);
        crate::container::spec::network_name(self.project, key)
    }

    /// Limits and the restart policy, where the engine enforces something else than was asked of it. What has
    /// no limit in the manifest and has one in the engine cannot be set right by an update.
    fn enforced_otherwise(&self, enforced: &Enforced, changed: &[FieldChange]) -> Vec<FieldChange> {
        live_fields(self.service, enforced, self.facts)
            .into_iter()
            .filter(|field| field.differs && field.wanted.is_some())
            .filter(|field| changed.iter().all(|change| change.field != field.name))
            .map(|field| FieldChange {
                field: field.name.to_owned(),
                way: Way::Live,
                old: Some(field.found),
                new: field.wanted,
                gone: false,
                fresh: false,
            })
            .collect()
    }

    /// Units that the manifest starts and that do not run.
    fn units_down(&self, container: &ObservedContainer, closer: &Closer) -> Vec<FieldChange> {
        let Some(machine) = self.service.machine.as_ref().filter(|_| container.ready_seen) else {
            return Vec::new();
        };
        crate::container::spec::wanted(machine)
            .into_iter()
            .filter_map(|unit| {
                let found = closer.units.iter().find(|found| found.name == unit)?;
                found.is_down().then(|| FieldChange {
                    field: format!("unit {unit}"),
                    way: Way::Inside,
                    old: Some(found.active.as_str().to_owned()),
                    new: Some("active".to_owned()),
                    gone: false,
                    fresh: false,
                })
            })
            .collect()
    }
}

fn network_fields(desired: &Fingerprint) -> impl Iterator<Item = &str> {
    desired.fields().filter(|field| field.starts_with("networks."))
}

/// One thing that the engine's update call can set.
struct LiveField {
    name: &'static str,
    /// `None` leaves it to the engine.
    wanted: Option<String>,
    found: String,
    differs: bool,
}

/// Lists what the update call can set. Limits that the engine's kernel does not have are discarded by it, and tell
/// nothing.
fn live_fields(service: &Service, enforced: &Enforced, facts: &Facts) -> Vec<LiveField> {
    let Limits { memory, memory_reservation, memory_swap, nano_cpus, cpu, pids, .. } = &service.limits;
    let signed = |value: &Option<u64>| value.and_then(|value| i64::try_from(value).ok());
    let mut fields: Vec<LiveField> = [
        ("mem_limit", signed(memory), enforced.memory),
        ("mem_reservation", signed(memory_reservation), enforced.memory_reservation),
        ("memswap_limit", *memory_swap, enforced.memory_swap),
        ("cpus", signed(nano_cpus), enforced.nano_cpus),
        ("cpu_period", cpu.period, enforced.cpu_period),
        ("cpu_quota", cpu.quota, enforced.cpu_quota),
        ("cpu_rt_period", cpu.rt_period, enforced.cpu_rt_period),
        ("cpu_rt_runtime", cpu.rt_runtime, enforced.cpu_rt_runtime),
        ("cpu_shares", cpu.shares, enforced.cpu_shares),
        // No limit has several spellings.
        ("pids_limit", pids.map(|pids| pids.max(0)), enforced.pids.max(0)),
    ]
    .into_iter()
    .map(|(name, wanted, found)| LiveField {
        name,
        wanted: wanted.map(|value| value.to_string()),
        found: found.to_string(),
        // An engine without the kernel's swap accounting says -1 whatever it was told.
        differs: wanted.unwrap_or(0) != found
            && !(name == "memswap_limit" && (wanted.is_none() || found < 0)),
    })
    .collect();
    fields.push(LiveField {
        name: "cpuset",
        wanted: cpu.set.clone(),
        found: enforced.cpuset.clone(),
        differs: cpu.set.as_deref().unwrap_or_default() != enforced.cpuset,
    });
    fields.retain(|field| match field.name {
        "mem_limit" | "mem_reservation" | "memswap_limit" => facts.memory_limit,
        "pids_limit" => facts.pids_limit,
        _ => facts.cpu_limit,
    });
    fields.push(LiveField {
        name: "restart",
        wanted: Some(policy(&service.restart)),
        found: policy(&enforced.restart),
        differs: !same_policy(&service.restart, &enforced.restart),
    });
    fields
}

fn policy(policy: &RestartPolicy) -> String {
    match policy {
        RestartPolicy::No => "no".to_owned(),
        RestartPolicy::Always => "always".to_owned(),
        RestartPolicy::UnlessStopped => "unless-stopped".to_owned(),
        RestartPolicy::OnFailure { max: 0 } => "on-failure".to_owned(),
        RestartPolicy::OnFailure { max } => format!("on-failure:{max}"),
        RestartPolicy::Unknown(word) => word.clone(),
    }
}

fn same_policy(one: &RestartPolicy, other: &RestartPolicy) -> bool {
    policy(one) == policy(other)
}

/// Says how closely a container has to be looked at, judged by what is known without it; `None` where that is
/// enough.
pub(super) fn closeness(container: &ObservedContainer, gap: &Gap, drift: bool) -> Option<Closeness> {
    match container.state {
        ContainerState::Created | ContainerState::Removing | ContainerState::Dead => return None,
        ContainerState::Running
        | ContainerState::Paused
        | ContainerState::Restarting
        | ContainerState::Exited
        | ContainerState::Other(_) => {}
    }
    let replaced = gap.changed.iter().any(|change| change.way == Way::Replace);
    let asks_systemd = gap.changed.iter().any(|change| {
        ["environment.", "systemd.environment_to_units", "systemd.credentials."]
            .iter()
            .any(|prefix| change.field.starts_with(prefix))
    });
    // Before its boot is over, no command may be run inside.
    let units = (asks_systemd || drift) && container.ready_seen;
    let wanted = drift || container.applied == Applied::Unknown || (!gap.changed.is_empty() && !replaced);
    wanted.then_some(Closeness { units })
}
