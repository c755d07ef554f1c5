//! The first half of planning `up`: what has to become of each replica, judged by the manifest and the
//! snapshot alone. No steps yet, so that `images` and `up` see the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::container::fingerprint::{self, Fingerprint};
use crate::container::names;
use crate::facts::Facts;
use crate::observed::{Closeness, ContainerState, Observed, ObservedContainer};
use crate::project::{DependencyCondition, Project, Service, image_ref};

use super::up::UpOptions;
use super::{FieldChange, Reason, Recovery, Way};

mod current;

pub(super) use current::Gap;
use current::Sides;

/// One service of the run, with what becomes of its replicas.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) service: &'a Service,
    /// By index, from 1.
    pub(super) replicas: Vec<Replica<'a>>,
    /// Containers beyond the wanted number, highest index first.
    pub(super) surplus: Vec<&'a ObservedContainer>,
}

impl Group<'_> {
    /// Tells whether a replica is changed in place.
    pub(super) fn changes(&self) -> bool {
        self.replicas.iter().any(|replica| replica.in_place().next().is_some())
    }

    /// Tells whether a replica is started in this run.
    pub(super) fn moves(&self) -> bool {
        self.replicas.iter().any(|replica| replica.fate.moves())
    }
}

/// One wanted container.
#[derive(Debug)]
pub(super) struct Replica<'a> {
    pub(super) index: u32,
    pub(super) name: String,
    /// What has to be put right before anything else.
    pub(super) mends: Vec<Mend<'a>>,
    /// The container that stands for it once it is mended.
    pub(super) existing: Option<&'a ObservedContainer>,
    pub(super) fate: Fate,
    /// What differs and reaches it in place, beside its fate.
    pub(super) gap: Option<Gap>,
}

impl Replica<'_> {
    /// Lists the fields that reach it in place.
    pub(super) fn in_place(&self) -> impl Iterator<Item = &FieldChange> {
        let changes = self.gap.iter().flat_map(Gap::all);
        changes.filter(|change| change.way != Way::Replace).filter(|_| !self.fate.makes())
    }
}

/// What an earlier run or somebody else left to put right.
#[derive(Debug)]
pub(super) enum Mend<'a> {
    /// A replacement was cut off.
    Recover { aside: &'a ObservedContainer, outcome: Recovery },
    /// The container has another name.
    Rename { from: &'a ObservedContainer },
    /// A further container for the same replica.
    Discard { container: &'a ObservedContainer, reason: Reason },
}

/// What becomes of a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing.
    Keep,
    /// It is made.
    Create { reason: Reason },
    /// It exists and is started.
    Start { state: String },
    /// It is thawed.
    Unpause,
    /// It is stopped and started, because a dependency was.
    Restart { service: String },
    /// A new one takes its place.
    Replace { reason: Reason },
}

impl Fate {
    /// Tells whether it is started in this run.
    pub(super) fn moves(&self) -> bool {
        match self {
            Self::Keep => false,
            Self::Create { .. }
            | Self::Start { .. }
            | Self::Unpause
            | Self::Restart { .. }
            | Self::Replace { .. } => true,
        }
    }

    /// Tells whether a new container comes out of it.
    pub(super) fn makes(&self) -> bool {
        match self {
            Self::Create { .. } | Self::Replace { .. } => true,
            Self::Keep | Self::Start { .. } | Self::Unpause | Self::Restart { .. } => false,
        }
    }

    /// Tells whether those that depend on it with `restart: true` follow.
    fn drags(&self) -> bool {
        match self {
            Self::Create { .. } | Self::Replace { .. } | Self::Restart { .. } => true,
            Self::Keep | Self::Start { .. } | Self::Unpause => false,
        }
    }
}

/// Looks at all services of the run, each behind those that it needs.
pub(super) fn survey<'a>(
    project: &'a Project,
    facts: &'a Facts,
    observed: &'a Observed,
    options: &UpOptions,
    order: &[String],
) -> Vec<Group<'a>> {
    let awaited_to_end = awaited_to_end(project);
    let mut containers: BTreeMap<&str, Vec<&ObservedContainer>> = BTreeMap::new();
    for container in &observed.containers {
        containers.entry(container.labels.service.as_str()).or_default().push(container);
    }
    let mut groups: Vec<Group<'a>> = Vec::with_capacity(order.len());
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    for service in order.iter().filter_map(|name| project.services.get(name)) {
        let own = containers.get(service.name.as_str()).map_or(&[][..], Vec::as_slice);
        let look = Look {
            project,
            facts,
            observed,
            options,
            service,
            desired: fingerprint::of(project, service, image_id(observed, service)),
            ends: awaited_to_end.contains(service.name.as_str()),
        };
        let mut group = look.group(own);
        follow_dependencies(&mut group, &groups, &place);
        place.insert(&service.name, groups.len());
        groups.push(group);
    }
    groups
}

/// Says which containers have to be looked at closely before anything can be planned, and how.
pub(super) fn unclear(groups: &[Group<'_>], drift: bool) -> BTreeMap<String, Closeness> {
    let replicas = groups.iter().flat_map(|group| &group.replicas);
    replicas
        .filter_map(|replica| {
            let (container, gap) = (replica.existing?, replica.gap.as_ref()?);
            Some((container.name.clone(), current::closeness(container, gap, drift)?))
        })
        .collect()
}

/// Returns the id of a service's image; empty where the engine does not have it.
pub(super) fn image_id<'a>(observed: &'a Observed, service: &Service) -> &'a str {
    observed.images.get(service.image.reference()).map_or("", |image| image.id.as_str())
}

/// Services that others wait for to end: exited with 0, they are done and not started again.
fn awaited_to_end(project: &Project) -> BTreeSet<&str> {
    project
        .services
        .values()
        .flat_map(|service| &service.depends_on)
        .filter(|(_, dependency)| dependency.condition == DependencyCondition::CompletedSuccessfully)
        .map(|(name, _)| name.as_str())
        .collect()
}

/// What is needed to judge one service.
struct Look<'a, 'o> {
    project: &'a Project,
    facts: &'a Facts,
    observed: &'a Observed,
    options: &'o UpOptions,
    service: &'a Service,
    desired: Fingerprint,
    ends: bool,
}

impl<'a> Look<'a, '_> {
    fn group(&self, own: &[&'a ObservedContainer]) -> Group<'a> {
        let mut by_index: BTreeMap<u32, Vec<&'a ObservedContainer>> = BTreeMap::new();
        for container in own {
            by_index.entry(container.labels.index).or_default().push(container);
        }
        let replicas = (1..=self.service.replicas)
            .map(|index| self.replica(index, by_index.get(&index).map_or(&[][..], Vec::as_slice)))
            .collect();
        let wanted = 1..=self.service.replicas;
        let beyond = by_index.into_iter().rev().filter(|(index, _)| !wanted.contains(index));
        Group { service: self.service, replicas, surplus: beyond.flat_map(|(_, found)| found).collect() }
    }

    fn replica(&self, index: u32, found: &[&'a ObservedContainer]) -> Replica<'a> {
        let name = names::container(self.project, self.service, index);
        let (existing, mends) = settle(&name, found);
        let (fate, gap) = match existing {
            None => (Fate::Create { reason: Reason::Absent }, None),
            Some(container) => {
                let gap = self.gap(container);
                (self.fate(container, &gap), Some(gap))
            }
        };
        Replica { index, name, mends, existing, fate, gap }
    }

    fn fate(&self, container: &ObservedContainer, gap: &Gap) -> Fate {
        if matches!(container.state, ContainerState::Dead | ContainerState::Removing) {
            return Fate::Create { reason: Reason::Debris };
        }
        let chosen = self.options.services.is_empty() || self.options.services.contains(&self.service.name);
        if self.options.force_recreate && chosen {
            return Fate::Replace { reason: Reason::Forced };
        }
        if replaces(&gap.changed) && !self.options.no_recreate {
            return Fate::Replace { reason: Reason::Changed { changes: hardest_first(&gap.changed) } };
        }
        if replaces(&gap.drifted) {
            return Fate::Replace { reason: Reason::Drifted { changes: hardest_first(&gap.drifted) } };
        }
        self.fate_of_state(container)
    }

    /// Tells whether it can be told that the image is another one. Where the engine does not have it (yet), its
    /// name has to do.
    fn can_tell_image(&self, container: &ObservedContainer) -> bool {
        let (made_from, wanted) = (&container.image, self.service.image.reference());
        let by_id = made_from.starts_with("sha256:") || made_from.is_empty();
        let renamed = !by_id && image_ref::normal(made_from) != image_ref::normal(wanted);
        !image_id(self.observed, self.service).is_empty() || renamed
    }

    fn gap(&self, container: &ObservedContainer) -> Gap {
        let sides = Sides {
            project: self.project,
            service: self.service,
            facts: self.facts,
            observed: self.observed,
            desired: &self.desired,
        };
        sides.gap(container, self.can_tell_image(container))
    }

    fn fate_of_state(&self, container: &ObservedContainer) -> Fate {
        match &container.state {
            ContainerState::Running | ContainerState::Restarting => Fate::Keep,
            ContainerState::Paused => Fate::Unpause,
            ContainerState::Exited if self.ends && exit_code(container) == Some(0) => Fate::Keep,
            // A run that was cut off may have left it without its files or networks, which cannot be seen. It
            // never ran, so that completing it loses nothing.
            ContainerState::Created if self.options.start => Fate::Create { reason: Reason::NeverStarted },
            state @ (ContainerState::Created
            | ContainerState::Exited
            | ContainerState::Removing
            | ContainerState::Dead
            | ContainerState::Other(_)) => {
                if self.options.start {
                    Fate::Start { state: state.as_str().to_owned() }
                } else {
                    Fate::Keep
                }
            }
        }
    }
}

/// Returns the code that a container exited with, from the snapshot or from the engine's words
/// (`Exited (0) 3 minutes ago`), since a list does not always tell it apart.
pub(super) fn exit_code(container: &ObservedContainer) -> Option<i64> {
    container.exit_code.or_else(|| {
        let (_, rest) = container.status.split_once("Exited (")?;
        rest.split_once(')')?.0.parse().ok()
    })
}

/// Finds the container that stands for a replica, and what has to be put right for that.
fn settle<'a>(name: &str, found: &[&'a ObservedContainer]) -> (Option<&'a ObservedContainer>, Vec<Mend<'a>>) {
    let main = found.iter().copied().find(|container| container.name == name);
    let mut asides: Vec<&ObservedContainer> =
        found.iter().copied().filter(|container| names::set_aside(&container.name).is_some()).collect();
    asides.sort_by_key(|container| container.created);
    let mut others: Vec<&ObservedContainer> = found
        .iter()
        .copied()
        .filter(|container| container.name != name && names::set_aside(&container.name).is_none())
        .collect();
    others.sort_by_key(|container| (container.state == ContainerState::Running, container.created));

    let mut mends = Vec::new();
    let mut existing = main;
    if let Some(aside) = asides.pop() {
        let outcome = match main {
            None => Recovery::RenameBack,
            Some(main) if is_good(main) => Recovery::RemoveOld,
            Some(_) => Recovery::RollBack,
        };
        if outcome != Recovery::RemoveOld {
            existing = Some(aside);
        }
        mends.push(Mend::Recover { aside, outcome });
    } else if main.is_none()
        && let Some(from) = others.pop()
    {
        existing = Some(from);
        mends.push(Mend::Rename { from });
    }
    let discard = |reason: Reason| move |container| Mend::Discard { container, reason: reason.clone() };
    mends.extend(asides.into_iter().map(discard(Reason::CutOff)));
    mends.extend(others.into_iter().map(discard(Reason::Misnamed)));
    (existing, mends)
}

/// Tells whether the new container of a cut-off replacement is good: it runs, and a machine was seen to be
/// ready. Where that cannot be seen, the old one counts, which is known to have worked.
fn is_good(container: &ObservedContainer) -> bool {
    container.state == ContainerState::Running && (container.labels.machine.is_none() || container.ready_seen)
}

/// Restarts what asked to follow its dependencies, and replaces what lives in a namespace of a container that
/// is no more (an engine resolves `container:` to an id when it makes the container).
fn follow_dependencies(group: &mut Group<'_>, before: &[Group<'_>], place: &BTreeMap<&str, usize>) {
    let fates = |name: &str| {
        place
            .get(name)
            .map(|at| before[*at].replicas.iter().map(|replica| &replica.fate))
            .into_iter()
            .flatten()
    };
    let restarts_unit = |name: &str, condition: &DependencyCondition| match condition {
        DependencyCondition::UnitActive(unit) => {
            let field = format!("systemd.units.{unit}");
            let replicas = place.get(name).map(|at| &before[*at].replicas).into_iter().flatten();
            replicas.flat_map(Replica::in_place).any(|change| change.field == field)
        }
        DependencyCondition::Started
        | DependencyCondition::Healthy
        | DependencyCondition::CompletedSuccessfully
        | DependencyCondition::Ready => false,
    };
    let dragging = group
        .service
        .depends_on
        .iter()
        .filter(|(_, dependency)| dependency.restart)
        .find(|(name, dependency)| fates(name).any(Fate::drags) || restarts_unit(name, &dependency.condition))
        .map(|(name, _)| name.clone());
    let shared =
        |is: fn(&Fate) -> bool| group.service.shares().find(|name| fates(name).any(is)).map(str::to_owned);
    let (gone, stopped) = (shared(Fate::makes), shared(Fate::moves));
    for replica in &mut group.replicas {
        let runs = replica.existing.is_some_and(|container| super::draft::lives(&container.state));
        if let Some(service) = &gone
            && replica.existing.is_some()
            && !replica.fate.makes()
        {
            replica.fate = Fate::Replace { reason: Reason::DependencyRestarted { service: service.clone() } };
        } else if let Some(service) = dragging.as_ref().or(stopped.as_ref())
            && runs
            && replica.fate == Fate::Keep
        {
            replica.fate = Fate::Restart { service: service.clone() };
        }
    }
}

/// Tells whether one of the changes needs a new container.
fn replaces(changes: &[FieldChange]) -> bool {
    changes.iter().any(|change| change.way == Way::Replace)
}

/// Puts what needs a new container before what merely comes with it.
fn hardest_first(changes: &[FieldChange]) -> Vec<FieldChange> {
    let mut changes = changes.to_vec();
    changes.sort_by_key(|change| std::cmp::Reverse(change.way));
    changes
}
