//! A toy engine for tests of plans: it believes every step and does what its name says.

use std::collections::BTreeMap;

use crate::container::record::{self, Record};
use crate::container::{ContainerSpec, Content, FileSpec, MountSpecSource, NetworkSpecChoice};
use crate::labels::{ContainerLabels, ObjectLabels};
use crate::observed::{
    Applied, Closeness, Closer, Enforced, ObservedContainer, ObservedNetwork, ObservedPort, ObservedVolume,
};
use crate::plan::{Action, Recovery, Step};
use crate::project::Stage;
use crate::systemd::show::UnitUse;

use super::*;

/// What an engine holds.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) facts: Facts,
    pub(super) observed: Observed,
    /// Records inside machines, by the container's id.
    records: BTreeMap<String, Record>,
    /// What the engine enforces, by the container's id.
    pub(super) enforced: BTreeMap<String, Enforced>,
    /// Units of every machine.
    pub(super) units: Vec<UnitUse>,
    clock: i64,
}

impl World {
    /// An engine that has the images of a project and nothing else.
    pub(super) fn with_images(project: &Project) -> Self {
        let mut world = Self {
            facts: facts(),
            observed: Observed::default(),
            records: BTreeMap::new(),
            enforced: BTreeMap::new(),
            units: Vec::new(),
            clock: 0,
        };
        for service in project.services.values() {
            world.bring(service.image.reference(), "1");
        }
        world
    }

    /// An engine on which `up` of a project succeeded.
    pub(super) fn after_up(text: &str) -> Self {
        let project = project(text);
        let mut world = Self::with_images(&project);
        let plan = up_in(&world, &project, &UpOptions::default()).unwrap();
        world.apply(&plan);
        world
    }

    /// Gives the engine an image, with a mark that makes its id.
    pub(super) fn bring(&mut self, reference: &str, mark: &str) {
        let id = format!("sha256:{reference}@{mark}");
        let facts = Some(image(&id, 257));
        self.observed.images.insert(reference.to_owned(), ObservedImage { id, facts, tagged: None });
    }

    pub(super) fn container(&mut self, name: &str) -> &mut ObservedContainer {
        self.observed.containers.iter_mut().find(|container| container.name == name).unwrap()
    }

    pub(super) fn set(mut self, name: &str, state: ContainerState) -> Self {
        let container = self.container(name);
        container.ready_seen &= state == ContainerState::Running;
        container.state = state;
        self
    }

    pub(super) fn rename(mut self, from: &str, to: &str) -> Self {
        self.container(from).name = to.to_owned();
        self
    }

    pub(super) fn copy(mut self, from: &str, to: &str) -> Self {
        let mut copy = self.container(from).clone();
        copy.name = to.to_owned();
        self.observed.containers.push(copy);
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.observed.containers.retain(|container| container.name != name);
        self
    }

    /// Looks closely at containers.
    pub(super) fn closer(&self, wanted: &BTreeMap<String, Closeness>) -> BTreeMap<String, Closer> {
        let found = |(name, closeness): (&String, &Closeness)| {
            let id = &self.observed.containers.iter().find(|container| container.name == *name)?.id;
            let closer = Closer {
                enforced: self.enforced.get(id).cloned().unwrap_or_default(),
                record: self.records.get(id).cloned(),
                units: if closeness.units { self.units.clone() } else { Vec::new() },
            };
            Some((name.clone(), closer))
        };
        wanted.iter().filter_map(found).collect()
    }

    /// Does all steps of a plan.
    pub(super) fn apply(&mut self, plan: &Plan) {
        for step in &plan.steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &Step) {
        let changed = step.action.changes_in_place().map(str::to_owned);
        if let Some(name) = &changed {
            self.container(name).applied = Applied::Unknown;
        }
        self.act(&step.action);
        if let (Some(name), Some(settled)) = (changed, &step.settles) {
            let container = self.container(&name);
            container.applied = settled.applied.clone();
            let id = container.id.clone();
            if let Some(FileSpec { content: Content::Bytes(bytes), .. }) = &settled.record {
                self.records.insert(id, Record::parse(bytes).unwrap());
            }
        }
    }

    /// Does the first steps of a plan.
    pub(super) fn apply_first(&mut self, plan: &Plan, count: usize) {
        for step in plan.steps.iter().take(count) {
            self.step(step);
        }
    }

    /// Does the first calls of a replacement: rename aside, create, stop the old one, start the new one, see it
    /// ready.
    pub(super) fn replace_partly(&mut self, action: &Action, calls: usize) {
        let Action::Replace { spec, .. } = action else { panic!("a replacement") };
        let (name, aside) = (spec.name.clone(), format!("{}.old-0123abcd", spec.name));
        if calls >= 1 {
            self.container(&name).name.clone_from(&aside);
        }
        if calls >= 2 {
            self.create(spec);
        }
        if calls >= 3 {
            let grace = std::time::Duration::ZERO;
            self.act(&Action::Stop { container: aside, grace });
        }
        if calls >= 4 {
            self.act(&Action::Start { container: name.clone() });
            self.container(&name).ready_seen = calls >= 5;
        }
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Pull { reference, platform: _ } | Action::Look { reference } => {
                self.bring(reference, "1");
            }
            Action::Build { tag, .. } => self.bring(tag, "1"),
            Action::CreateNetwork(spec) => {
                let labels = ObjectLabels::decode(&spec.labels);
                self.clock += 1;
                let id = format!("n{}", self.clock);
                let network = ObservedNetwork { id, labels, ambiguous: false };
                assert!(self.observed.networks.insert(spec.name.clone(), network).is_none());
            }
            Action::CreateVolume(spec) => {
                let volume = ObservedVolume { labels: ObjectLabels::decode(&spec.labels) };
                assert!(self.observed.volumes.insert(spec.name.clone(), volume).is_none());
            }
            Action::Create(spec) => self.create(spec),
            Action::Start { container } | Action::Unpause { container } => {
                let container = self.container(container);
                container.state = ContainerState::Running;
                container.ready_seen = container.labels.machine.is_some();
            }
            Action::Hook(run) => {
                let container = self.container(&run.container);
                assert_eq!(container.state, ContainerState::Running, "{run}");
                assert!(
                    run.stage == Stage::PreStop || container.labels.machine.is_none() || container.ready_seen
                );
            }
            Action::Await { container, .. } => {
                let container = self.container(container);
                container.ready_seen = container.labels.machine.is_some();
                container.health = Some(Health::Healthy);
            }
            Action::Replace { spec, .. } => {
                self.remove(&spec.name);
                self.create(spec);
                self.act(&Action::Start { container: spec.name.clone() });
            }
            Action::Recover { container, aside, outcome, .. } => match outcome {
                Recovery::RenameBack => self.container(aside).name.clone_from(container),
                Recovery::RemoveOld => self.remove(aside),
                Recovery::RollBack => {
                    self.remove(container);
                    self.container(aside).name.clone_from(container);
                }
            },
            Action::Update { container, limits, restart } => {
                let id = self.container(container).id.clone();
                let enforced = self.enforced.entry(id).or_default();
                if let Some(limits) = limits {
                    enforced.memory = limits.memory.map_or(enforced.memory, u64::cast_signed);
                }
                if let Some(policy) = restart {
                    enforced.restart = policy.clone();
                }
            }
            Action::Connect { container, join } => {
                assert!(self.observed.networks.contains_key(&join.network));
                let id = self.observed.networks[&join.network].id.clone();
                assert_eq!(self.container(container).networks.insert(join.network.clone(), id), None);
            }
            Action::Disconnect { container, network } => {
                assert!(self.container(container).networks.remove(network).is_some());
            }
            Action::Write { .. } | Action::Units { .. } => {}
            Action::Stop { container, .. } | Action::Kill { container, .. } => {
                let container = self.container(container);
                container.state = ContainerState::Exited;
                container.ready_seen = false;
            }
            Action::Rename { from, to } => self.container(from).name.clone_from(to),
            Action::Remove { container, .. } => self.remove(container),
            Action::RemoveNetwork { network } => {
                let used = |container: &ObservedContainer| container.networks.contains_key(network);
                assert!(!self.observed.containers.iter().any(used));
                assert!(self.observed.networks.remove(network).is_some());
            }
            Action::RemoveVolume { volume } => assert!(self.observed.volumes.remove(volume).is_some()),
        }
    }

    fn remove(&mut self, name: &str) {
        let count = self.observed.containers.len();
        self.observed.containers.retain(|container| container.name != name);
        assert_eq!(self.observed.containers.len() + 1, count, "{name} was there");
    }

    fn create(&mut self, spec: &ContainerSpec) {
        // One that never ran is completed.
        self.observed
            .containers
            .retain(|container| container.name != spec.name || container.state != ContainerState::Created);
        assert!(self.observed.containers.iter().all(|container| container.name != spec.name));
        self.clock += 1;
        let id = |name: &String| self.observed.networks[name].id.clone();
        let networks: BTreeMap<String, String> = match &spec.network {
            NetworkSpecChoice::Join(joins) => {
                joins.iter().map(|join| (join.network.clone(), id(&join.network))).collect()
            }
            NetworkSpecChoice::Mode(_) => BTreeMap::new(),
        };
        let volumes: BTreeMap<String, String> = spec
            .mounts
            .iter()
            .filter_map(|mount| match &mount.source {
                MountSpecSource::Volume { name, .. } => Some((mount.target.clone(), name.clone())),
                MountSpecSource::Anonymous(_)
                | MountSpecSource::Bind { .. }
                | MountSpecSource::Image { .. } => None,
            })
            .collect();
        let port = |port: &crate::project::Port| ObservedPort {
            ip: None,
            private: port.target,
            public: port.published.map(|published| published.first),
            protocol: port.protocol.to_string(),
        };
        let container = ObservedContainer {
            id: format!("id{}", self.clock),
            name: spec.name.clone(),
            labels: ContainerLabels::decode(&spec.labels).unwrap(),
            state: ContainerState::Created,
            status: String::new(),
            image_id: self.observed.images[&spec.image].id.clone(),
            image: spec.image.clone(),
            created: self.clock,
            health: None,
            exit_code: None,
            ready_seen: false,
            applied: Applied::AsMade,
            networks,
            ports: spec.ports.iter().map(port).collect(),
            volumes,
        };
        let record = spec.files.iter().find(|file| file.path == record::PATH).map(|file| &file.content);
        if let Some(Content::Bytes(bytes)) = record {
            self.records.insert(container.id.clone(), Record::parse(bytes).unwrap());
        }
        let enforced = Enforced {
            memory: spec.limits.memory.map_or(0, u64::cast_signed),
            restart: spec.restart.clone(),
            ..Enforced::default()
        };
        self.enforced.insert(container.id.clone(), enforced);
        self.observed.containers.push(container);
    }
}
