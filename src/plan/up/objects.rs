//! Networks and volumes: what is made before containers, what must be there, what differs.

use std::collections::BTreeSet;

use crate::container::fingerprint::{self, Fingerprint, of_network, of_volume};
use crate::container::{NetworkSpec, VolumeSpec, requirements};
use crate::labels::ObjectLabels;
use crate::project::{MountSource, Network, NetworkChoice, Project, Service, Volume};
use crate::refusal::Refusal;

use super::super::{Action, Note, Reason};
use super::run::Run;

impl<'a> Run<'a> {
    /// Plans the networks and volumes that the run's services use.
    pub(super) fn objects(&mut self, refusals: &mut Vec<Refusal>) {
        let services: Vec<&Service> = self.groups.iter().map(|group| group.service).collect();
        let networks: BTreeSet<&str> = services.iter().flat_map(|service| network_keys(service)).collect();
        for (key, network) in &self.project.networks {
            if networks.contains(key.as_str()) {
                self.network(network, refusals);
            }
        }
        let volumes: BTreeSet<&str> = services.iter().flat_map(|service| volume_keys(service)).collect();
        for (key, volume) in &self.project.volumes {
            if volumes.contains(key.as_str()) {
                self.volume(volume, refusals);
            }
        }
    }

    fn network(&mut self, network: &'a Network, refusals: &mut Vec<Refusal>) {
        let found = self.observed.networks.get(&network.name);
        if found.is_some_and(|found| found.ambiguous) {
            refusals.push(
                Refusal::project(format!("there are several networks named `{}`", network.name))
                    .help("remove those that nobody uses, or choose another `name:`"),
            );
            return;
        }
        match found {
            None if network.external => refusals.push(
                Refusal::project(format!("the external network `{}` does not exist", network.name))
                    .help(format!("make it, or remove `external: true` from the network `{}`", network.key)),
            ),
            None => {
                refusals.extend(requirements::of_network(network, self.facts));
                let spec = network_spec(self.project, network);
                let step = self.draft.step(Action::CreateNetwork(Box::new(spec)), Reason::Absent, None);
                self.networks.insert(&network.key, step);
            }
            Some(found) if !network.external => {
                let desired = of_network(network);
                refusals.extend(self.compare(
                    "network",
                    &network.key,
                    &network.name,
                    found.labels.as_ref(),
                    &desired,
                ));
            }
            Some(_) => {}
        }
    }

    fn volume(&mut self, volume: &'a Volume, refusals: &mut Vec<Refusal>) {
        match self.observed.volumes.get(&volume.name) {
            None if volume.external => refusals.push(
                Refusal::project(format!("the external volume `{}` does not exist", volume.name))
                    .help(format!("make it, or remove `external: true` from the volume `{}`", volume.key)),
            ),
            None => {
                let spec = volume_spec(self.project, volume);
                let step = self.draft.step(Action::CreateVolume(Box::new(spec)), Reason::Absent, None);
                self.volumes.insert(&volume.key, step);
            }
            Some(found) if !volume.external => {
                let desired = of_volume(volume);
                refusals.extend(self.compare(
                    "volume",
                    &volume.key,
                    &volume.name,
                    found.labels.as_ref(),
                    &desired,
                ));
            }
            Some(_) => {}
        }
    }

    /// Remarks on an object that is not ours, and refuses one of ours that was made from another definition: making
    /// it anew would take it from running containers or lose its data, which nobody has asked for, and going on as if
    /// it were as the manifest says would hide it.
    fn compare(
        &mut self,
        kind: &str,
        key: &str,
        name: &str,
        labels: Option<&ObjectLabels>,
        desired: &Fingerprint,
    ) -> Option<Refusal> {
        let text = match labels {
            Some(labels) if labels.project == self.project.name => {
                let fields = fingerprint::changed(&Fingerprint::from_label(&labels.fingerprint), desired);
                match fields.as_slice() {
                    [] => return None,
                    // They say nothing of what it does.
                    [only] if only == "labels" => format!(
                        "the {kind} `{name}` was made with other labels: it keeps them until it is removed"
                    ),
                    fields => return Some(made_otherwise(kind, key, name, fields)),
                }
            }
            Some(labels) => format!(
                "the {kind} `{name}` belongs to the project `{}`: it is used, and never removed (`external: true` \
                 says so)",
                labels.project
            ),
            None => format!(
                "the {kind} `{name}` was not made by sdcompose: it is used, and never removed (`external: true` \
                 says so)"
            ),
        };
        let users = self
            .groups
            .iter()
            .map(|group| group.service)
            .find(|service| network_keys(service).chain(volume_keys(service)).any(|used| used == key));
        let service = users.map_or_else(|| key.to_owned(), |service| service.name.clone());
        self.draft.note(Note::Warning { service, text });
        None
    }
}

fn made_otherwise(kind: &str, key: &str, name: &str, fields: &[String]) -> Refusal {
    let what = format!("the {kind} `{name}` was made with another `{}`", fields.join("`, `"));
    let way_out = match kind {
        "volume" => format!(
            "take the change back, or remove the volume with all its data: `sdcompose down`, then \
             `docker volume rm {name}`"
        ),
        _ => "take the change back, or make it anew: `sdcompose down`, then `sdcompose up`".to_owned(),
    };
    Refusal::project(what).help(way_out).help(format!("or give `{key}` another `name:`"))
}

fn network_keys(service: &Service) -> impl Iterator<Item = &str> {
    let joined = match &service.network {
        NetworkChoice::Join(networks) => Some(networks),
        NetworkChoice::Mode(_) | NetworkChoice::Service(_) | NetworkChoice::Container(_) => None,
    };
    joined.into_iter().flat_map(|networks| networks.keys().map(String::as_str))
}

fn volume_keys(service: &Service) -> impl Iterator<Item = &str> {
    service.mounts.iter().filter_map(|mount| match &mount.source {
        MountSource::Volume { key, options: _ } => Some(key.as_str()),
        MountSource::Anonymous(_)
        | MountSource::Bind { .. }
        | MountSource::Tmpfs { .. }
        | MountSource::Image { .. }
        | MountSource::NamedPipe(_)
        | MountSource::Cluster(_) => None,
    })
}

fn object_labels(project: &Project, key: &str, fingerprint: &Fingerprint) -> ObjectLabels {
    ObjectLabels {
        project: project.name.clone(),
        directory: project.directory.to_string_lossy().into_owned(),
        key: key.to_owned(),
        fingerprint: fingerprint.to_label(),
    }
}

fn network_spec(project: &Project, network: &Network) -> NetworkSpec {
    let mut labels = network.labels.clone();
    labels.extend(object_labels(project, &network.key, &of_network(network)).encode());
    NetworkSpec {
        name: network.name.clone(),
        driver: network.driver.clone(),
        driver_opts: network.driver_opts.clone(),
        internal: network.internal,
        attachable: network.attachable,
        enable_ipv4: network.enable_ipv4,
        enable_ipv6: network.enable_ipv6,
        ipam: network.ipam.clone(),
        labels,
    }
}

fn volume_spec(project: &Project, volume: &Volume) -> VolumeSpec {
    let mut labels = volume.labels.clone();
    labels.extend(object_labels(project, &volume.key, &of_volume(volume)).encode());
    VolumeSpec {
        name: volume.name.clone(),
        driver: volume.driver.clone(),
        driver_opts: volume.driver_opts.clone(),
        labels,
    }
}
