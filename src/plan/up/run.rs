//! The second half of planning `up`: steps out of fates.

use std::collections::BTreeMap;

use crate::facts::Facts;
use crate::observed::{Observed, ObservedContainer};
use crate::project::{Port, Project, Protocol};
use crate::refusal::Refusal;

use super::super::fate::Group;
use super::super::{Plan, Reason, StepId};
use super::waits::{self, Needed};
use super::{Draft, UpOptions, down, note_orphans};

/// A run in the making.
pub(super) struct Run<'a> {
    pub(super) project: &'a Project,
    pub(super) facts: &'a Facts,
    pub(super) observed: &'a Observed,
    pub(super) options: &'a UpOptions,
    pub(super) groups: &'a [Group<'a>],
    pub(super) draft: Draft,
    /// What services of this run that are started wait for, by the service that they wait for.
    pub(super) needed: BTreeMap<&'a str, Vec<Needed<'a>>>,
    /// Steps after which a condition of a service holds.
    pub(super) reached: BTreeMap<&'a str, waits::Reached>,
    /// Steps that make networks, by manifest key.
    pub(super) networks: BTreeMap<&'a str, StepId>,
    /// Steps that make volumes, by manifest key.
    pub(super) volumes: BTreeMap<&'a str, StepId>,
    /// Steps after which a host port is free.
    pub(super) freed: BTreeMap<(u16, String), Vec<StepId>>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        project: &'a Project,
        facts: &'a Facts,
        observed: &'a Observed,
        options: &'a UpOptions,
        groups: &'a [Group<'a>],
    ) -> Self {
        Self {
            project,
            facts,
            observed,
            options,
            groups,
            draft: Draft::default(),
            needed: waits::needed(groups, options),
            reached: BTreeMap::new(),
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            freed: BTreeMap::new(),
        }
    }

    /// Removes containers of services that are gone, or remarks on them.
    pub(super) fn orphans(&mut self, orphans: &[&ObservedContainer]) {
        if self.options.remove_orphans {
            self.remove(orphans, &Reason::Orphan);
        } else {
            note_orphans(&mut self.draft, orphans);
        }
    }

    /// Removes replicas beyond the wanted number, the highest first.
    pub(super) fn surplus(&mut self) {
        for group in self.groups {
            self.remove(&group.surplus, &Reason::ScaledDown);
        }
    }

    fn remove(&mut self, containers: &[&ObservedContainer], reason: &Reason) {
        let project = Some(self.project);
        let stops =
            down::remove(&mut self.draft, containers, project, self.options.stop_timeout, reason, false);
        for (container, stop) in containers.iter().zip(stops) {
            self.frees(container, stop);
        }
    }

    /// Notes that a container's host ports are free after a step.
    pub(super) fn frees(&mut self, container: &ObservedContainer, step: StepId) {
        for port in &container.ports {
            if let Some(public) = port.public {
                self.freed.entry((public, port.protocol.clone())).or_default().push(step);
            }
        }
    }

    /// Returns the steps before which a service's host ports may be held by others.
    pub(super) fn ports_held(&self, ports: &[Port]) -> Vec<StepId> {
        if self.freed.is_empty() {
            return Vec::new();
        }
        let word = |protocol: Protocol| protocol.to_string();
        ports
            .iter()
            .filter_map(|port| Some((port.published?, word(port.protocol))))
            .flat_map(|(range, protocol)| {
                (range.first..=range.last).map(move |port| (port, protocol.clone()))
            })
            .filter_map(|key| self.freed.get(&key))
            .flatten()
            .copied()
            .collect()
    }

    /// Plans all of one service. Services that it needs were planned before.
    pub(super) fn group(&mut self, group: &'a Group<'a>, refusals: &mut Vec<Refusal>) {
        let before = if group.moves() || group.changes() { self.before(group) } else { Vec::new() };
        let mut rolling: Option<StepId> = None;
        let mut ends = Vec::with_capacity(group.replicas.len());
        for replica in &group.replicas {
            match self.replica(group, replica, &before, rolling) {
                Ok(end) => {
                    rolling = end.replaced.or(rolling);
                    ends.push(end);
                }
                // All replicas of a service are alike, and so are their refusals.
                Err(refusal) => {
                    refusals.push(refusal);
                    break;
                }
            }
        }
        self.await_group(group, &mut ends);
    }

    pub(super) fn finish(self) -> Plan {
        self.draft.finish()
    }
}
