//! The engine's lists, read into a snapshot. Pure: which calls are needed, and what their answers mean.
//!
//! Own narrow types with open words: a generated closed enum fails a whole list over one word that it does
//! not know (Podman's `stopped`, measured on 4.3).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path as FilePath;

use serde::Deserialize;

use crate::container::names::{notify_dir, set_aside};
use crate::engine::applied;
use crate::facts::{EngineKind, ImageFacts, ImageSystemd};
use crate::labels::{self, ContainerLabels, ObjectLabels};
use crate::observed::{
    Applied, ContainerState, Health, Observed, ObservedContainer, ObservedImage, ObservedNetwork,
    ObservedPort, ObservedVolume, Scope,
};

use crate::project::image_ref;

use super::look;

type Labels = Option<BTreeMap<String, String>>;

/// An entry of `GET /containers/json`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ListedContainer {
    id: String,
    names: Option<Vec<String>>,
    image: String,
    #[serde(rename = "ImageID")]
    image_id: String,
    created: i64,
    state: String,
    status: String,
    labels: Labels,
    ports: Option<Vec<ListedPort>>,
    network_settings: Option<ListedNetworkSettings>,
    mounts: Option<Vec<ListedMount>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ListedPort {
    #[serde(rename = "IP")]
    ip: Option<String>,
    #[serde(rename = "PrivatePort")]
    private: u16,
    #[serde(rename = "PublicPort")]
    public: Option<u16>,
    #[serde(rename = "Type")]
    protocol: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListedNetworkSettings {
    networks: Option<BTreeMap<String, ListedEndpoint>>,
}

/// The key is the network's name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ListedEndpoint {
    #[serde(rename = "NetworkID")]
    network: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListedMount {
    #[serde(rename = "Type")]
    kind: String,
    name: String,
    destination: String,
}

/// An entry of `GET /networks`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ListedNetwork {
    name: String,
    id: String,
    labels: Labels,
}

/// An entry of `GET /images/json`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ListedImage {
    id: String,
    repo_tags: Option<Vec<String>>,
    repo_digests: Option<Vec<String>>,
}

/// The part of `GET /images/{name}/json` that tells an image's age.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct InspectedImage {
    metadata: ImageMetadata,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ImageMetadata {
    last_tag_time: String,
}

impl InspectedImage {
    /// When it was given its name here, in seconds since 1970. Go's zero time, in the year 1, is none.
    pub(super) fn tagged(&self) -> Option<i64> {
        let time: jiff::Timestamp = self.metadata.last_tag_time.parse().ok()?;
        Some(time.as_second()).filter(|seconds| *seconds > 0)
    }
}

/// The answer of `GET /volumes`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ListedVolumes {
    volumes: Option<Vec<ListedVolume>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListedVolume {
    name: String,
    labels: Labels,
}

/// The engine's answers, as far as they were needed.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) containers: Vec<ListedContainer>,
    pub(super) networks: Vec<ListedNetwork>,
    /// `None` where [`images_by_containers`] made the call needless.
    pub(super) images: Option<Vec<ListedImage>>,
    /// `None` where [`wants_volumes`] says so.
    pub(super) volumes: Option<ListedVolumes>,
}

/// Tells whether volumes have to be asked for: for those of the scope, or to find a project's own where
/// nothing is wanted of it any more.
pub(super) fn wants_volumes(scope: &Scope) -> bool {
    !scope.volumes.is_empty() || scope.containers.is_empty()
}

/// Finds the images of the scope in the list of containers; `None` where one is not there and images have
/// to be asked for.
///
/// dockerd lists a container's image by the name that it was created from only while that name still means
/// the same image, and by its id otherwise (moby `daemon/list.go`, `refreshImage`). Podman does not look.
pub(super) fn images_by_containers(
    engine: EngineKind,
    scope: &Scope,
    containers: &[ListedContainer],
) -> Option<BTreeMap<String, String>> {
    if engine == EngineKind::Podman {
        return scope.images.is_empty().then(BTreeMap::new);
    }
    let known: BTreeMap<&str, &str> = containers
        .iter()
        .filter(|container| !is_id(&container.image))
        .map(|container| (container.image.as_str(), container.image_id.as_str()))
        .collect();
    scope
        .images
        .iter()
        .map(|reference| Some((reference.clone(), (*known.get(reference.as_str())?).to_owned())))
        .collect()
}

/// Puts the snapshot together.
pub(super) fn snapshot(
    scope: &Scope,
    answers: &Answers,
    looked: &BTreeMap<String, ImageFacts>,
    ready: impl Fn(&str, &str) -> bool,
) -> Observed {
    let mut observed = Observed::default();
    for listed in &answers.containers {
        let name = listed.name();
        let labels = listed.labels.as_ref().and_then(ContainerLabels::decode);
        match labels.filter(|labels| labels.project == scope.project) {
            Some(labels) => observed.containers.push(container(listed, name, labels, &ready)),
            None if scope.containers.contains(name) => {
                observed.foreign_names.insert(name.to_owned(), portrait(listed));
            }
            None => {}
        }
    }
    observed.containers.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    observed.networks = networks(scope, &answers.networks);
    observed.volumes = volumes(scope, answers.volumes.as_ref());
    observed.images = images(scope, answers, looked);
    observed
}

impl ListedContainer {
    /// Where it was made for a look into an image: its id, the process that made it, and when.
    pub(super) fn look(&self) -> Option<(&str, Option<&str>, i64)> {
        let labels = self.labels.as_ref()?;
        labels.get(look::LABEL)?;
        Some((&self.id, labels.get(look::LABEL_PID).map(String::as_str), self.created))
    }

    /// The container's own name; a link to it is listed as `/other/alias`.
    pub(super) fn name(&self) -> &str {
        let own = |name: &&String| !name.trim_start_matches('/').contains('/');
        self.names.iter().flatten().find(own).map_or("", |name| name.trim_start_matches('/'))
    }
}

fn container(
    listed: &ListedContainer,
    name: &str,
    labels: ContainerLabels,
    ready: impl Fn(&str, &str) -> bool,
) -> ObservedContainer {
    let state = ContainerState::parse(&listed.state.to_lowercase());
    ObservedContainer {
        id: listed.id.clone(),
        name: name.to_owned(),
        ready_seen: state == ContainerState::Running && labels.machine.is_some() && ready(name, &listed.id),
        applied: Applied::AsMade,
        labels,
        status: listed.status.clone(),
        image_id: listed.image_id.clone(),
        image: listed.image.clone(),
        created: listed.created,
        health: health(&listed.status),
        exit_code: exit_code(&state, &listed.status),
        state,
        networks: listed
            .network_settings
            .iter()
            .filter_map(|settings| settings.networks.as_ref())
            .flatten()
            .map(|(name, endpoint)| (name.clone(), endpoint.network.clone().unwrap_or_default()))
            .collect(),
        ports: ports(listed),
        volumes: listed
            .mounts
            .iter()
            .flatten()
            .filter(|mount| mount.kind == "volume" && !mount.name.is_empty())
            .map(|mount| (mount.destination.clone(), mount.name.clone()))
            .collect(),
    }
}

fn ports(listed: &ListedContainer) -> Vec<ObservedPort> {
    let ports: BTreeSet<ObservedPort> = listed
        .ports
        .iter()
        .flatten()
        .map(|port| ObservedPort {
            ip: port.ip.clone().filter(|ip| !ip.is_empty()),
            private: port.private,
            public: port.public.filter(|&public| public != 0),
            protocol: port.protocol.clone(),
        })
        .collect();
    ports.into_iter().collect()
}

/// Tells 64 hexadecimal digits, with or without `sha256:`: an id, or the name of an anonymous volume.
pub(super) fn is_id(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reads the result of a health check from the words that the list has for it: `Up 3 minutes (healthy)`.
fn health(status: &str) -> Option<Health> {
    let (_, words) = status.rsplit_once('(')?;
    match words.trim_end_matches(')') {
        "healthy" => Some(Health::Healthy),
        "unhealthy" => Some(Health::Unhealthy),
        "health: starting" | "starting" => Some(Health::Starting),
        _ => None,
    }
}

/// Reads the exit code from `Exited (137) 3 minutes ago`.
fn exit_code(state: &ContainerState, status: &str) -> Option<i64> {
    if *state == ContainerState::Running {
        return None;
    }
    let (_, rest) = status.split_once("Exited (").or_else(|| status.split_once("Restarting ("))?;
    rest.split_once(')')?.0.parse().ok()
}

/// Says what a foreign container is, so that its owner can be found.
fn portrait(listed: &ListedContainer) -> String {
    let label = |key: &str| listed.labels.as_ref().and_then(|labels| labels.get(key));
    let owner = label(labels::KEY_PROJECT)
        .map(|project| format!(", of the project `{project}`"))
        .or_else(|| {
            let project = label("com.docker.compose.project")?;
            Some(format!(", of Docker Compose's project `{project}`"))
        })
        .unwrap_or_default();
    format!("image {}{owner}", listed.image)
}

fn networks(scope: &Scope, listed: &[ListedNetwork]) -> BTreeMap<String, ObservedNetwork> {
    let mut networks: BTreeMap<String, ObservedNetwork> = BTreeMap::new();
    for network in listed {
        let labels = ours(scope, network.labels.as_ref());
        if labels.is_none() && !scope.networks.contains(&network.name) {
            continue;
        }
        let found = ObservedNetwork { id: network.id.clone(), labels, ambiguous: false };
        match networks.get_mut(&network.name) {
            None => {
                networks.insert(network.name.clone(), found);
            }
            Some(known) => {
                // Of several, ours with the lowest id is kept, so that every look keeps the same one.
                if (found.labels.is_none(), &found.id) < (known.labels.is_none(), &known.id) {
                    *known = found;
                }
                known.ambiguous = true;
            }
        }
    }
    networks
}

fn volumes(scope: &Scope, listed: Option<&ListedVolumes>) -> BTreeMap<String, ObservedVolume> {
    listed
        .and_then(|listed| listed.volumes.as_ref())
        .into_iter()
        .flatten()
        .map(|volume| (volume, ours(scope, volume.labels.as_ref())))
        .filter(|(volume, labels)| labels.is_some() || scope.volumes.contains(&volume.name))
        .map(|(volume, labels)| (volume.name.clone(), ObservedVolume { labels }))
        .collect()
}

fn ours(scope: &Scope, labels: Option<&BTreeMap<String, String>>) -> Option<ObjectLabels> {
    ObjectLabels::decode(labels?).filter(|labels| labels.project == scope.project)
}

fn images(
    scope: &Scope,
    answers: &Answers,
    looked: &BTreeMap<String, ImageFacts>,
) -> BTreeMap<String, ObservedImage> {
    let by_id = labelled_images(&answers.containers);
    let found = |id: &str| ObservedImage {
        id: id.to_owned(),
        tagged: None,
        facts: looked.get(id).or_else(|| by_id.get(id)).cloned(),
    };
    match &answers.images {
        Some(listed) => scope
            .images
            .iter()
            .filter_map(|reference| Some((reference.clone(), found(&image_of(reference, listed)?.id))))
            .collect(),
        None => images_by_containers(EngineKind::Docker, scope, &answers.containers)
            .unwrap_or_default()
            .into_iter()
            .map(|(reference, id)| (reference, found(&id)))
            .collect(),
    }
}

/// What containers of any project say of the systemd in their image.
fn labelled_images(containers: &[ListedContainer]) -> BTreeMap<String, ImageFacts> {
    containers
        .iter()
        .filter_map(|listed| {
            let machine = ContainerLabels::decode(listed.labels.as_ref()?)?.machine?;
            let systemd = Some(ImageSystemd { init: machine.init, version: Some(machine.version?) });
            Some((listed.image_id.clone(), ImageFacts { id: listed.image_id.clone(), systemd }))
        })
        .collect()
}

/// Finds an image by a reference as a person writes it: Docker lists `debian:13` for
/// `docker.io/library/debian:13`, Podman the whole name.
fn image_of<'a>(reference: &str, listed: &'a [ListedImage]) -> Option<&'a ListedImage> {
    // Podman puts what it built itself below `localhost/`.
    let wanted = [image_ref::normal(reference), image_ref::normal(&format!("localhost/{reference}"))];
    let names = |image: &ListedImage| {
        let tags = image.repo_tags.iter().flatten();
        tags.chain(image.repo_digests.iter().flatten()).any(|name| wanted.contains(&image_ref::normal(name)))
    };
    let bare = |id: &str| id.strip_prefix("sha256:").unwrap_or(id).to_owned();
    let by_id = |image: &ListedImage| {
        let digits = bare(reference);
        digits.len() >= 12
            && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
            && bare(&image.id).starts_with(&digits)
    };
    listed.iter().find(|image| names(image)).or_else(|| listed.iter().find(|image| by_id(image)))
}

/// Tells whether the marker of a machine's notify socket says that it is ready. A machine that a
/// replacement set aside keeps the directory of its own name.
pub(super) fn ready_by_marker(root: Option<&str>, name: &str, id: &str) -> bool {
    let name = set_aside(name).unwrap_or(name);
    root.is_some_and(|root| {
        crate::engine::notify_socket::ready_seen(FilePath::new(&notify_dir(root, name)), id)
    })
}

/// What this host remembers of a container that was changed in place. On a remote engine it remembers nothing.
pub(super) fn applied(root: Option<&str>, container: &ObservedContainer) -> Applied {
    let Some(root) = root else { return Applied::Unknown };
    let name = set_aside(&container.name).unwrap_or(&container.name);
    let started = container.labels.machine.is_some() && container.state != ContainerState::Created;
    applied::recall(FilePath::new(&notify_dir(root, name)), &container.id, started)
}

#[cfg(test)]
mod tests;
