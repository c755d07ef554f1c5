//! The state of a simulated engine, and what can be read of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use tokio::time::Instant;

use super::fault::Fault;
use super::root::Root;
use super::script::Script;
use crate::container::{ContainerSpec, MountSpecSource, NetworkSpecChoice};
use crate::engine::Happening;
use crate::facts::{Facts, ImageFacts};
use crate::labels::{ContainerLabels, KEY_PROJECT, ObjectLabels};
use crate::observed::{
    Applied, Closeness, Closer, ContainerState, Enforced, Health, Observed, ObservedContainer, ObservedImage,
    ObservedNetwork, ObservedPort, ObservedVolume, Scope,
};
use crate::project::{Limits, RestartPolicy};

/// Pause before the engine starts a container again by its restart policy.
const RESTART_PAUSE: Duration = Duration::from_millis(100);
/// The engine keeps so many events (measured on Docker 20.10).
const RING: usize = 256;

/// One call as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedCall {
    /// When, since the simulation began.
    pub at: Duration,
    /// The call in words (`create container shop-db-1`).
    pub what: String,
    /// Whether it was meant to change something.
    pub mutating: bool,
}

pub(super) struct World {
    pub(super) epoch: Instant,
    pub(super) facts: Facts,
    /// By id.
    pub(super) containers: BTreeMap<String, Container>,
    /// By id; Docker allows several of one name.
    pub(super) networks: BTreeMap<String, Network>,
    pub(super) volumes: BTreeMap<String, Volume>,
    pub(super) images: BTreeMap<String, Image>,
    /// Ports that a process outside of the engine listens on.
    pub(super) held_ports: BTreeSet<u16>,
    pub(super) calls: Vec<LoggedCall>,
    pub(super) faults: BTreeMap<usize, Fault>,
    /// Until then the engine does not answer.
    pub(super) away_until: Option<Instant>,
    pub(super) violations: Vec<String>,
    pub(super) history: Vec<(Duration, Happening)>,
    pub(super) in_flight: usize,
    pub(super) serial: u64,
}

pub(super) struct Container {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) spec: ContainerSpec,
    pub(super) script: Script,
    pub(super) image_id: String,
    pub(super) life: Life,
    pub(super) restart: RestartPolicy,
    /// Networks that it is on, by name, with their ids when it joined.
    pub(super) networks: BTreeMap<String, String>,
    pub(super) limits: Limits,
    pub(super) root: Root,
    pub(super) applied: Applied,
    /// Volumes by mount target.
    pub(super) volumes: BTreeMap<String, String>,
    /// Which start's READY was seen by a listener.
    pub(super) ready_seen: Option<Instant>,
    pub(super) serial: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Created,
    Running {
        since: Instant,
        /// When it ends by a stop or kill that is under way, and with which code.
        ends: Option<(Instant, i64)>,
    },
    Paused {
        since: Instant,
    },
    Exited {
        code: i64,
    },
    /// Between two tries of its restart policy.
    Restarting {
        until: Instant,
        code: i64,
    },
    Dead,
    Removing {
        until: Instant,
    },
}

pub(super) struct Network {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
}

pub(super) struct Volume {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) anonymous: bool,
    /// Tells a volume from a later one of the same name: its data.
    pub(super) serial: u64,
}

pub(super) struct Image {
    pub(super) facts: ImageFacts,
    pub(super) script: Script,
    /// Whether the engine has it; otherwise only a registry does.
    pub(super) present: bool,
    /// Whether somebody has looked into it.
    pub(super) looked: bool,
}

impl World {
    pub(super) fn new(facts: Facts) -> Self {
        Self {
            epoch: Instant::now(),
            facts,
            containers: BTreeMap::new(),
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            images: BTreeMap::new(),
            held_ports: BTreeSet::new(),
            calls: Vec::new(),
            faults: BTreeMap::new(),
            away_until: None,
            violations: Vec::new(),
            history: Vec::new(),
            in_flight: 0,
            serial: 0,
        }
    }

    pub(super) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// Returns the id of a network; empty where there is none of this name.
    pub(super) fn network_id(&self, name: &str) -> String {
        let found = self.networks.iter().find(|(_, network)| network.name == name);
        found.map(|(id, _)| id.clone()).unwrap_or_default()
    }

    /// Finds a container by name or id.
    pub(super) fn find(&self, name: &str) -> Option<&Container> {
        self.containers.get(name).or_else(|| self.containers.values().find(|found| found.name == name))
    }

    /// Finds a container by name or id, to change it.
    pub(super) fn find_mut(&mut self, name: &str) -> Option<&mut Container> {
        let id = self.find(name)?.id.clone();
        self.containers.get_mut(&id)
    }

    /// Tells an event.
    pub(super) fn tell(&mut self, name: &str, action: &str) {
        let happening = Happening { name: name.to_owned(), action: action.to_owned() };
        self.history.push((Instant::now() - self.epoch, happening));
    }

    /// Returns the events of a project's containers that the ring still holds, from one on.
    pub(super) fn events_from(&self, from: usize, project: &str) -> Vec<Happening> {
        let oldest = self.history.len().saturating_sub(RING);
        let recent = self.history.iter().skip(from.max(oldest)).map(|(_, happening)| happening);
        recent.filter(|happening| happening.name.starts_with(project)).cloned().collect()
    }

    /// Lets everything happen that was to happen by now: stops that were under way, ends of PID 1,
    /// restarts by policy.
    pub(super) fn settle(&mut self) {
        let now = Instant::now();
        self.containers
            .retain(|_, container| !matches!(container.life, Life::Removing { until } if until <= now));
        let mut moved = Vec::new();
        for container in self.containers.values_mut() {
            while let Some(action) = container.moves_by(now) {
                moved.push((container.name.clone(), action));
            }
        }
        if !moved.is_empty() {
            self.check();
        }
        for (name, action) in moved {
            self.tell(&name, &action);
        }
    }

    /// Lets the engine die with all containers. When it is back it starts again what its policies say:
    /// `always` also what was stopped by hand (measured on Docker 20.10), and a container whose removal was
    /// under way is dead.
    pub(super) fn die(&mut self, back: Instant) {
        for container in self.containers.values_mut() {
            container.life = match container.life {
                Life::Removing { .. } => Life::Dead,
                Life::Exited { code: _ } if container.restart == RestartPolicy::Always => {
                    Life::Restarting { until: back, code: 137 }
                }
                Life::Running { .. } | Life::Paused { .. } | Life::Restarting { .. }
                    if container.restarts_after(137) =>
                {
                    Life::Restarting { until: back, code: 137 }
                }
                Life::Running { .. } | Life::Paused { .. } | Life::Restarting { .. } => {
                    Life::Exited { code: 137 }
                }
                other @ (Life::Created | Life::Exited { .. } | Life::Dead) => other,
            };
        }
    }

    pub(super) fn observe(&self, scope: &Scope) -> Observed {
        let now = Instant::now();
        let mut observed = Observed::default();
        for container in self.containers.values() {
            match ContainerLabels::decode(&container.spec.labels) {
                Some(labels) if labels.project == scope.project => {
                    observed.containers.push(container.observed(labels, now));
                }
                Some(_) | None if scope.containers.contains(&container.name) => {
                    observed
                        .foreign_names
                        .insert(container.name.clone(), format!("image {}", container.spec.image));
                }
                Some(_) | None => {}
            }
        }
        observed.containers.sort_by(|a, b| a.name.cmp(&b.name));
        for (id, network) in &self.networks {
            let labels = ObjectLabels::decode(&network.labels);
            let ours = labels.as_ref().is_some_and(|labels| labels.project == scope.project);
            if ours || scope.networks.contains(&network.name) {
                let ambiguous = observed.networks.contains_key(&network.name);
                let found = observed.networks.entry(network.name.clone());
                let found = found.or_insert(ObservedNetwork { id: id.clone(), labels, ambiguous: false });
                found.ambiguous |= ambiguous;
            }
        }
        for (name, volume) in &self.volumes {
            let labels = ObjectLabels::decode(&volume.labels);
            let ours = labels.as_ref().is_some_and(|labels| labels.project == scope.project);
            if ours || scope.volumes.contains(name) {
                observed.volumes.insert(name.clone(), ObservedVolume { labels });
            }
        }
        for (reference, image) in self.images.iter().filter(|(_, image)| image.present) {
            if scope.images.contains(reference) {
                let facts = image.looked.then(|| image.facts.clone());
                let image = ObservedImage { id: image.facts.id.clone(), facts, tagged: None };
                observed.images.insert(reference.clone(), image);
            }
        }
        observed
    }

    /// Looks at one container closely.
    pub(super) fn closer(&self, name: &str, closeness: Closeness) -> Option<Closer> {
        let container = self.find(name)?;
        let limits = &container.limits;
        let enforced = Enforced {
            memory: limits.memory.and_then(|bytes| i64::try_from(bytes).ok()).unwrap_or(0),
            nano_cpus: limits.nano_cpus.and_then(|cpus| i64::try_from(cpus).ok()).unwrap_or(0),
            pids: limits.pids.unwrap_or(0),
            restart: container.restart.clone(),
            ..Enforced::default()
        };
        let asks = closeness.units && container.is_active();
        let units = if asks { container.root.uses(&container.script) } else { Vec::new() };
        Some(Closer { enforced, record: container.root.record(), units })
    }

    /// The world as text, without ids and times: what two runs must agree on.
    pub(super) fn text(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        for container in self.containers.values() {
            let mut line = format!("container {} {}", container.name, container.state().as_str());
            // Writing to a String cannot fail.
            let _ = write!(line, " image={} restart={:?}", container.spec.image, container.restart);
            let networks: Vec<&String> = container.networks.keys().collect();
            let _ = write!(line, " networks={networks:?}");
            let limits = [container.limits.memory, container.limits.nano_cpus];
            let _ = write!(line, " limits={limits:?}/{:?}", container.limits.pids);
            if container.spec.machine {
                let _ = write!(line, " {}", container.root.text(&container.spec, &container.script));
            }
            let named = container.volumes.values().filter(|name| !self.is_anonymous(name));
            let _ = write!(line, " volumes={:?}", named.collect::<Vec<_>>());
            lines.push(line);
        }
        lines.extend(self.networks.values().map(|network| format!("network {}", network.name)));
        let named = self.volumes.iter().filter(|(_, volume)| !volume.anonymous);
        lines.extend(named.map(|(name, _)| format!("volume {name}")));
        lines.sort();
        lines.join("\n")
    }

    pub(super) fn is_anonymous(&self, volume: &str) -> bool {
        self.volumes.get(volume).is_some_and(|volume| volume.anonymous)
    }

    /// Checks what must hold at any instant.
    pub(super) fn check(&mut self) {
        let mut active: BTreeMap<(String, String, u32), Vec<String>> = BTreeMap::new();
        for container in self.containers.values().filter(|container| container.is_active()) {
            if let Some(labels) = ContainerLabels::decode(&container.spec.labels) {
                let key = (labels.project, labels.service, labels.index);
                active.entry(key).or_default().push(container.name.clone());
            }
        }
        for names in active.into_values().filter(|names| names.len() > 1) {
            self.violation(format!("{} run at the same time", names.join(" and ")));
        }
        if self.in_flight > 32 {
            self.violation(format!("{} calls at once", self.in_flight));
        }
    }

    pub(super) fn violation(&mut self, text: String) {
        if !self.violations.contains(&text) {
            self.violations.push(text);
        }
    }
}

impl Container {
    pub(super) fn is_active(&self) -> bool {
        matches!(self.life, Life::Running { .. } | Life::Paused { .. })
    }

    /// Time since its start, while it runs.
    pub(super) fn elapsed(&self, now: Instant) -> Option<Duration> {
        match self.life {
            Life::Running { since, ends: _ } => Some(now.saturating_duration_since(since)),
            Life::Created
            | Life::Paused { .. }
            | Life::Exited { .. }
            | Life::Restarting { .. }
            | Life::Dead
            | Life::Removing { .. } => None,
        }
    }

    /// Lets its next change by itself happen, if that was to be by now: an end, or a restart by its policy.
    /// Returns what to tell of it.
    fn moves_by(&mut self, now: Instant) -> Option<String> {
        if let Life::Restarting { until, code: _ } = self.life {
            if until > now {
                return None;
            }
            self.life = Life::Running { since: until, ends: None };
            return Some("start".to_owned());
        }
        let Life::Running { since, ends } = self.life else { return None };
        let own = self.script.end.as_ref().map(|end| (since + end.after, end.code));
        let by_itself = own.filter(|(at, _)| ends.is_none_or(|(stop, _)| *at < stop));
        let (at, code) = by_itself.or(ends).filter(|(at, _)| *at <= now)?;
        self.life = if by_itself.is_some() && self.restarts_after(code) {
            Life::Restarting { until: at + RESTART_PAUSE, code }
        } else {
            Life::Exited { code }
        };
        Some(format!("die {code}"))
    }

    fn restarts_after(&self, code: i64) -> bool {
        match self.restart {
            RestartPolicy::No | RestartPolicy::Unknown(_) => false,
            RestartPolicy::Always | RestartPolicy::UnlessStopped => true,
            RestartPolicy::OnFailure { max: _ } => code != 0,
        }
    }

    pub(super) fn state(&self) -> ContainerState {
        match self.life {
            Life::Created => ContainerState::Created,
            Life::Running { .. } => ContainerState::Running,
            Life::Paused { .. } => ContainerState::Paused,
            Life::Exited { .. } => ContainerState::Exited,
            Life::Restarting { .. } => ContainerState::Restarting,
            Life::Dead => ContainerState::Dead,
            Life::Removing { .. } => ContainerState::Removing,
        }
    }

    pub(super) fn health(&self, now: Instant) -> Option<Health> {
        let elapsed = self.elapsed(now)?;
        let results = &self.script.health;
        let last =
            results.iter().rfind(|(at, _)| *at <= elapsed).map_or(Health::Starting, |(_, health)| *health);
        (!results.is_empty()).then_some(last)
    }

    /// Networks that it is to be on.
    pub(super) fn wanted_networks(&self) -> Vec<&str> {
        match &self.spec.network {
            NetworkSpecChoice::Join(joins) => joins.iter().map(|join| join.network.as_str()).collect(),
            NetworkSpecChoice::Mode(_) => Vec::new(),
        }
    }

    /// Whether the labels name a project.
    pub(super) fn is_labelled(&self) -> bool {
        self.spec.labels.contains_key(KEY_PROJECT)
    }

    fn observed(&self, labels: ContainerLabels, now: Instant) -> ObservedContainer {
        let state = self.state();
        let since = match self.life {
            Life::Running { since, ends: _ } | Life::Paused { since } => Some(since),
            Life::Created
            | Life::Exited { .. }
            | Life::Restarting { .. }
            | Life::Dead
            | Life::Removing { .. } => None,
        };
        let port = |port: &crate::project::Port| ObservedPort {
            ip: port.host_ip.map(|ip| ip.to_string()),
            private: port.target,
            public: port.published.map(|published| published.first),
            protocol: port.protocol.to_string(),
        };
        ObservedContainer {
            id: self.id.clone(),
            name: self.name.clone(),
            labels,
            status: state.as_str().to_owned(),
            image_id: self.image_id.clone(),
            image: self.spec.image.clone(),
            created: i64::try_from(self.serial).unwrap_or(i64::MAX),
            health: self.health(now),
            exit_code: match self.life {
                Life::Exited { code } | Life::Restarting { until: _, code } => Some(code),
                Life::Created
                | Life::Running { .. }
                | Life::Paused { .. }
                | Life::Dead
                | Life::Removing { .. } => None,
            },
            ready_seen: since.is_some() && self.ready_seen == since,
            applied: self.applied.clone(),
            networks: self.networks.clone(),
            ports: self.spec.ports.iter().map(port).collect(),
            volumes: self.volumes.clone(),
            state,
        }
    }

    /// Volumes that its mounts use by name.
    pub(super) fn named_mounts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.spec.mounts.iter().filter_map(|mount| match &mount.source {
            MountSpecSource::Volume { name, options: _ } => Some((mount.target.as_str(), name.as_str())),
            MountSpecSource::Anonymous(_) | MountSpecSource::Bind { .. } | MountSpecSource::Image { .. } => {
                None
            }
        })
    }
}
