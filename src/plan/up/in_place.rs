//! The steps that change a container in place: by the engine, or inside the machine, with no more units restarted
//! than the change concerns.

use std::collections::BTreeSet;

use crate::condition::{Condition, Wait};
use crate::container::fingerprint::Fingerprint;
use crate::container::record::Record;
use crate::container::spec;
use crate::container::{ContainerSpec, Content, FileSpec, JoinSpec, NetworkSpecChoice, file_objects};
use crate::facts::{ImageFacts, ImageSystemd};
use crate::observed::{Applied, ContainerState, ObservedContainer};
use crate::project::{Machine, Service};
use crate::refusal::Refusal;
use crate::systemd::UnitName;
use crate::systemd::show::UnitUse;
use crate::systemd::unit_call::UnitCall;

use super::super::fate::Replica;
use super::super::{Action, FieldChange, Reason, Settled, StepId, Way};
use super::run::Run;

/// Where an administrator's unit files are (systemd.unit(5)).
const UNITS: &str = "/etc/systemd/system";

/// When a container is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// While it runs.
    Running,
    /// Before it is started.
    Stopped,
}

/// Where the changes of a container end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changed {
    /// The last step.
    pub(super) last: StepId,
    /// Whether units were started or restarted, so that the machine has to show again that it is ready.
    pub(super) touches_units: bool,
}

/// One container that is changed in place.
struct Change<'c> {
    service: &'c Service,
    /// The name that it has by then.
    name: &'c str,
    container: &'c ObservedContainer,
    fields: Vec<&'c FieldChange>,
    /// Those of the fields that somebody else changed.
    drifted: &'c [FieldChange],
    moment: Moment,
}

impl Change<'_> {
    /// Why a step is made: the fields that it serves.
    fn reason(&self, serves: impl Fn(&FieldChange) -> bool) -> Reason {
        let changes: Vec<FieldChange> =
            self.fields.iter().filter(|field| serves(field)).map(|field| (*field).clone()).collect();
        if changes.iter().all(|change| self.drifted.contains(change)) {
            Reason::Drifted { changes }
        } else {
            Reason::Changed { changes }
        }
    }
}

impl<'a> Run<'a> {
    /// Plans what reaches a container in place; `None` where nothing does.
    pub(super) fn change_in_place(
        &mut self,
        service: &Service,
        replica: &Replica<'a>,
        after: &[StepId],
        moment: Moment,
    ) -> Result<Option<Changed>, Refusal> {
        let (Some(container), Some(gap)) = (replica.existing, replica.gap.as_ref()) else { return Ok(None) };
        let fields: Vec<&FieldChange> = replica.in_place().collect();
        if fields.is_empty() {
            return Ok(self.remember_again(replica, container, &gap.current, after));
        }
        let spec = self.spec_of_existing(service, replica.index, container)?;
        let change =
            Change { service, name: &replica.name, container, fields, drifted: &gap.drifted, moment };
        let mut steps = Steps { last: after.to_vec(), touches_units: false };
        self.by_engine(&change, &spec, &mut steps);
        let inside = change.fields.iter().any(|field| field.way == Way::Inside);
        if inside && moment == Moment::Running && !container.ready_seen {
            // No command may be run inside before the boot is over.
            let timeout = service.machine.as_ref().map(|machine| machine.boot_timeout);
            let wait = Wait { condition: Condition::Booted, timeout, enabled: Vec::new() };
            let action = Action::Await { container: replica.name.clone(), wait };
            steps.then(self.draft.step(action, Reason::BootUnseen, steps.last.clone()));
        }
        let desired = Fingerprint::from_label(
            spec.labels.get(crate::labels::KEY_FINGERPRINT).map_or("", String::as_str),
        );
        let settled = gap
            .changed
            .iter()
            .filter(|change| change.way != Way::Replace)
            .fold(gap.current.clone(), |current, change| current.with_field_of(&desired, &change.field));
        let record = self.inside(&change, &spec, &settled, &mut steps);
        let Some(last) = steps.made() else { return Ok(None) };
        self.draft.settles(last, Settled { applied: applied(container, &settled), record });
        Ok(Some(Changed { last, touches_units: steps.touches_units }))
    }

    /// What a container of this service would be made from, on the systemd that this one has.
    fn spec_of_existing(
        &self,
        service: &Service,
        index: u32,
        container: &ObservedContainer,
    ) -> Result<ContainerSpec, Refusal> {
        let systemd = container.labels.machine.as_ref();
        let systemd = systemd.map(|found| ImageSystemd { init: found.init.clone(), version: found.version });
        let image = ImageFacts { id: container.image_id.clone(), systemd };
        spec::spec(self.project, service, index, self.facts, Some(&image), &container.image_id)
    }

    /// Where a change was done and this host does not know it, it is kept in mind again.
    fn remember_again(
        &mut self,
        replica: &Replica<'_>,
        container: &ObservedContainer,
        current: &Fingerprint,
        after: &[StepId],
    ) -> Option<Changed> {
        let looked = self.observed.closer.contains_key(&container.name);
        if container.applied != Applied::Unknown || !looked || self.facts.notify_root.is_none() {
            return None;
        }
        let name = replica.name.clone();
        // Units may have been stopped that were not started again: a target that is started again starts what it
        // wants and does not run.
        let machine = self.project.services.get(&container.labels.service)?.machine.as_ref();
        let machine = machine.filter(|_| container.state == ContainerState::Running && container.ready_seen);
        let action = match machine {
            Some(machine) => {
                Action::Units { container: name, call: UnitCall::Start, units: vec![machine.target.clone()] }
            }
            None => Action::Update { container: name, limits: None, restart: None },
        };
        let last = self.draft.step(action, Reason::CutOff, after.iter().copied());
        self.draft.settles(last, Settled { applied: applied(container, current), record: None });
        Some(Changed { last, touches_units: machine.is_some() })
    }

    /// What the engine changes: limits, restart policy, networks.
    fn by_engine(&mut self, change: &Change<'_>, spec: &ContainerSpec, steps: &mut Steps) {
        let name = change.name;
        let live = || change.fields.iter().filter(|field| field.way == Way::Live);
        let restart = live().any(|field| field.field == "restart");
        let limits = live().any(|field| field.field != "restart" && !field.field.starts_with("networks."));
        if restart || limits {
            let action = Action::Update {
                container: name.to_owned(),
                limits: limits.then(|| Box::new(spec.limits.clone())),
                restart: restart.then(|| spec.restart.clone()),
            };
            let of_update =
                |field: &FieldChange| field.way == Way::Live && !field.field.starts_with("networks.");
            steps.then(self.draft.step(action, change.reason(of_update), steps.last.clone()));
        }
        for field in live() {
            let reason = change.reason(|other| other.field == field.field);
            let Some(key) = field.field.strip_prefix("networks.") else { continue };
            let was = field.old.as_deref().and_then(|old| old.split(' ').next());
            let name_now = spec::network_name(self.project, key);
            // A change that was cut off may have left it on the network already.
            for network in [was.filter(|was| *was != name_now), Some(name_now.as_str())].into_iter().flatten()
            {
                if change.container.networks.contains_key(network) {
                    let (container, network) = (name.to_owned(), network.to_owned());
                    let action = Action::Disconnect { container, network };
                    steps.then(self.draft.step(action, reason.clone(), steps.last.clone()));
                }
            }
            let made = self.networks.get(key).copied();
            if let Some(join) = join_of(spec, &name_now) {
                let action = Action::Connect { container: name.to_owned(), join: Box::new(join.clone()) };
                let after: Vec<StepId> = steps.last.iter().copied().chain(made).collect();
                steps.then(self.draft.step(action, reason, after));
            }
        }
    }

    /// What is written into the machine, and which units take it anew. Returns the record of what it is then.
    fn inside(
        &mut self,
        change: &Change<'_>,
        spec: &ContainerSpec,
        settled: &Fingerprint,
        steps: &mut Steps,
    ) -> Option<FileSpec> {
        let machine = change.service.machine.as_ref()?;
        let closer = self.observed.closer.get(&change.container.name)?;
        let had = closer.record.as_ref()?;
        let files = files(spec, machine, had);
        let copies = file_objects::copies(self.project, change.service);
        let record = Record::new(settled.to_label(), &files, had.wants.clone(), had.masks.clone())
            .with_copies(copies.clone());
        let names = |field: &&&FieldChange| field.way == Way::Inside;
        let fields: Vec<&FieldChange> = change.fields.iter().filter(names).copied().collect();
        if fields.is_empty() {
            return Some(record.file());
        }
        let concerned = Concerned::of(&fields, machine, had, &closer.units);
        let mut written: Vec<FileSpec> = had.missing(&files).into_iter().cloned().collect();
        let superfluous = had.superfluous(&files);
        let name = change.name;
        let units = |call: UnitCall, units: &BTreeSet<UnitName>| {
            let units: Vec<UnitName> = units.iter().cloned().collect();
            (!units.is_empty()).then(|| Action::Units { container: name.to_owned(), call, units })
        };
        let runs = change.moment == Moment::Running;
        let mut actions: Vec<Option<Action>> = Vec::new();
        if runs {
            actions.push(units(UnitCall::Stop, &concerned.stop));
        }
        // What systemd-tmpfiles has copied it does not copy anew.
        let stale: BTreeSet<String> = fields
            .iter()
            .flat_map(|field| had.copies.get(&field.field).into_iter().chain(copies.get(&field.field)))
            .flatten()
            .cloned()
            .collect();
        let mut remove = if runs { superfluous.clone() } else { Vec::new() };
        remove.extend(stale.iter().filter(|_| runs).cloned());
        let writes = !written.is_empty() || !remove.is_empty();
        if writes {
            // Before them, so that a run that is cut off leaves no record of what is not so any more.
            written.insert(0, had.open(fields.iter().map(|field| field.field.as_str()), &written).file());
        }
        actions.push(writes.then(|| Action::Write {
            container: name.to_owned(),
            files: written,
            remove,
            runs,
            copies: !stale.is_empty(),
        }));
        if runs {
            actions.push(units(UnitCall::Restart, &concerned.restart));
            actions.push(units(UnitCall::TryRestart, &concerned.try_restart));
            // A target that is started again starts what it wants and does not run.
            let target = concerned.pull.then(|| machine.target.clone()).into_iter().collect();
            actions.push(units(UnitCall::Start, &target));
        }
        for action in actions.into_iter().flatten() {
            steps.touches_units |= matches!(action, Action::Units { .. });
            let reason = change.reason(|field| field.way == Way::Inside);
            steps.then(self.draft.step(action, reason, steps.last.clone()));
        }
        if !runs && !superfluous.is_empty() {
            // Nothing can be taken away from a machine that does not run; the next run does it.
            let mut kept = record;
            for path in &superfluous {
                if let Some(digest) = had.files.get(path) {
                    kept.files.insert(path.clone(), digest.clone());
                }
            }
            return Some(kept.file());
        }
        Some(record.file())
    }
}

/// Steps one behind the other.
struct Steps {
    last: Vec<StepId>,
    touches_units: bool,
}

impl Steps {
    fn then(&mut self, step: StepId) {
        self.last = vec![step];
    }

    /// The last step; `None` where there was none.
    fn made(&self) -> Option<StepId> {
        self.last.last().copied()
    }
}

/// What this host keeps in mind of a container.
fn applied(container: &ObservedContainer, is: &Fingerprint) -> Applied {
    if *is == Fingerprint::from_label(&container.labels.fingerprint) {
        Applied::AsMade
    } else {
        Applied::Is(is.to_label())
    }
}

fn join_of<'s>(spec: &'s ContainerSpec, network: &str) -> Option<&'s JoinSpec> {
    match &spec.network {
        NetworkSpecChoice::Join(joins) => joins.iter().find(|join| join.network == network),
        NetworkSpecChoice::Mode(_) => None,
    }
}

/// The files of a machine that was made before: those of a new one, and links for the units that its arguments do
/// not name. An argument cannot be taken back, so that a link is made only for what no argument says.
fn files(spec: &ContainerSpec, machine: &Machine, had: &Record) -> Vec<FileSpec> {
    let link = |path: String, target: String| FileSpec::of_root(&path, 0o777, Content::Symlink(target));
    let wanted = spec::wanted(machine);
    let wants = wanted.iter().filter(|unit| !had.wants.contains(unit));
    let wants =
        wants.map(|unit| link(format!("{UNITS}/{}.wants/{unit}", machine.target), format!("{UNITS}/{unit}")));
    let from_units = machine.units.iter().filter(|(_, unit)| unit.mask).map(|(name, _)| name);
    let masked: BTreeSet<&UnitName> = machine.mask.iter().chain(from_units).collect();
    let masks = masked.iter().filter(|unit| !had.masks.contains(unit));
    let masks: Vec<FileSpec> =
        masks.map(|unit| link(format!("{UNITS}/{unit}"), "/dev/null".to_owned())).collect();
    let own = spec.files.iter().filter(|file| masks.iter().all(|mask| mask.path != file.path)).cloned();
    own.chain(wants).chain(masks.iter().cloned()).collect()
}

/// The units that a change concerns.
#[derive(Debug, Default, PartialEq, Eq)]
struct Concerned {
    stop: BTreeSet<UnitName>,
    restart: BTreeSet<UnitName>,
    try_restart: BTreeSet<UnitName>,
    /// Whether units that the image starts by itself may have come free.
    pull: bool,
}

/// Services of systemd itself and of its sessions, which take no environment of the manifest.
const OF_SYSTEMD: [&str; 7] =
    ["systemd-", "dbus", "user@", "user-runtime-dir@", "getty@", "console-getty", "container-getty@"];

impl Concerned {
    fn of(fields: &[&FieldChange], machine: &Machine, had: &Record, units: &[UnitUse]) -> Self {
        let mut concerned = Self::default();
        let active = || units.iter().filter(|unit| !unit.is_down());
        for field in fields {
            let name = field.field.as_str();
            let unit = |prefix: &str| UnitName::parse(name.strip_prefix(prefix)?).ok();
            if let Some(unit) = unit("systemd.units.") {
                concerned.file(field, machine, had, unit);
            } else if let Some(unit) = unit("systemd.enable.") {
                concerned.put(if field.gone { UnitCall::Stop } else { UnitCall::Restart }, unit);
            } else if let Some(unit) = unit("systemd.mask.") {
                if field.gone {
                    concerned.pull = true;
                } else {
                    concerned.put(UnitCall::Stop, unit);
                }
            } else if let Some(unit) = unit("unit ") {
                concerned.put(UnitCall::Restart, unit);
            } else if name.starts_with("systemd.journal.") {
                if let Ok(journal) = UnitName::parse("systemd-journald.service") {
                    concerned.put(UnitCall::TryRestart, journal);
                }
            } else if let Some(credential) =
                name.strip_prefix("systemd.credentials.").or_else(|| name.strip_prefix("secrets."))
            {
                let users = active().filter(|unit| takes(unit, credential));
                concerned.try_restart.extend(users.map(|unit| unit.name.clone()));
            } else if name.starts_with("environment.") || name == "systemd.environment_to_units" {
                let theirs = |unit: &&UnitUse| {
                    unit.name.suffix() == "service"
                        && OF_SYSTEMD.iter().all(|prefix| !unit.name.as_str().starts_with(prefix))
                };
                concerned.try_restart.extend(active().filter(theirs).map(|unit| unit.name.clone()));
            }
        }
        let Self { stop, restart, try_restart, pull: _ } = &mut concerned;
        restart.retain(|unit| !stop.contains(unit));
        try_restart.retain(|unit| !stop.contains(unit) && !restart.contains(unit));
        concerned
    }

    fn file(&mut self, field: &FieldChange, machine: &Machine, had: &Record, unit: UnitName) {
        let had_file = had.files.contains_key(&format!("{UNITS}/{unit}"));
        match machine.units.get(&unit) {
            // What runs of a file that goes would have no unit; the image may have one of that name.
            None if had_file => {
                self.pull = true;
                self.put(UnitCall::Stop, unit);
            }
            Some(file) if file.mask => self.put(UnitCall::Stop, unit),
            Some(file) if file.enable => self.put(UnitCall::Restart, unit),
            // A new file that nothing enables is there for others to start.
            Some(_) if field.fresh && machine.enable.contains(&unit) => self.put(UnitCall::Restart, unit),
            Some(_) | None => self.put(UnitCall::TryRestart, unit),
        }
    }

    fn put(&mut self, call: UnitCall, unit: UnitName) {
        match call {
            UnitCall::Stop => self.stop.insert(unit),
            UnitCall::Start | UnitCall::Restart | UnitCall::ReloadOrRestart => self.restart.insert(unit),
            UnitCall::TryRestart => self.try_restart.insert(unit),
        };
    }
}

/// Tells whether a unit takes a credential, by its name or by a pattern (`ImportCredential=`, systemd.exec(5)).
fn takes(unit: &UnitUse, credential: &str) -> bool {
    unit.credentials.iter().any(|wanted| match wanted.strip_suffix('*') {
        Some(prefix) => credential.starts_with(prefix),
        None => wanted == credential,
    })
}
