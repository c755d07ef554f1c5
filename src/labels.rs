//! The labels that containers, networks and volumes carry: one codec for writing and reading.
//!
//! Labels are the only state that sdcompose keeps in an engine. They are a wire format: what this version
//! writes, later versions read. Values are never secret.

use std::collections::BTreeMap;

/// Version of the label format that this code writes.
pub const FORMAT: &str = "1";
/// Version of the label format.
pub const KEY_FORMAT: &str = "io.sdcompose.format";
/// Name of the project.
pub const KEY_PROJECT: &str = "io.sdcompose.project";
/// Directory that the project was started from.
pub const KEY_DIRECTORY: &str = "io.sdcompose.directory";
/// Manifest files, joined by commas.
pub const KEY_FILES: &str = "io.sdcompose.files";
/// Name of the service.
pub const KEY_SERVICE: &str = "io.sdcompose.service";
/// Number of the replica, from 1.
pub const KEY_INDEX: &str = "io.sdcompose.index";
/// Fingerprint of the container's specification.
pub const KEY_FINGERPRINT: &str = "io.sdcompose.fingerprint";
/// Path of systemd in the image; absent on plain containers.
pub const KEY_INIT: &str = "io.sdcompose.systemd.init";
/// Version of systemd in the image.
pub const KEY_SYSTEMD_VERSION: &str = "io.sdcompose.systemd.version";
/// Name of the privilege profile.
pub const KEY_PROFILE: &str = "io.sdcompose.systemd.profile";
/// Services that this one depends on, joined by commas: the order of stopping without the manifest.
pub const KEY_DEPENDS_ON: &str = "io.sdcompose.depends_on";
/// Manifest key of a network or volume.
pub const KEY_NAME: &str = "io.sdcompose.name";
/// Prefix that users may not use in their own labels.
pub const RESERVED_PREFIX: &str = "io.sdcompose.";

/// What the labels of one container say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContainerLabels {
    /// Name of the project.
    pub project: String,
    /// Directory that the project was started from.
    pub directory: String,
    /// Manifest files, joined by commas.
    pub files: String,
    /// Name of the service.
    pub service: String,
    /// Number of the replica, from 1.
    pub index: u32,
    /// Fingerprint of the specification that the container was made from.
    pub fingerprint: String,
    /// Services that must stop after this one.
    pub depends_on: Vec<String>,
    /// What was found of systemd when the container was made; `None` on plain containers.
    pub machine: Option<MachineLabels>,
}

/// The part of the labels that only machines carry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MachineLabels {
    /// Path of systemd in the image.
    pub init: String,
    /// Version of systemd in the image.
    pub version: Option<u16>,
    /// Name of the privilege profile.
    pub profile: String,
}

impl ContainerLabels {
    /// Writes the labels.
    #[must_use]
    pub fn encode(&self) -> BTreeMap<String, String> {
        let Self { project, directory, files, service, index, fingerprint, depends_on, machine } = self;
        let mut labels = BTreeMap::from([
            (KEY_FORMAT.to_owned(), FORMAT.to_owned()),
            (KEY_PROJECT.to_owned(), project.clone()),
            (KEY_DIRECTORY.to_owned(), directory.clone()),
            (KEY_FILES.to_owned(), files.clone()),
            (KEY_SERVICE.to_owned(), service.clone()),
            (KEY_INDEX.to_owned(), index.to_string()),
            (KEY_FINGERPRINT.to_owned(), fingerprint.clone()),
            (KEY_DEPENDS_ON.to_owned(), depends_on.join(",")),
        ]);
        if let Some(MachineLabels { init, version, profile }) = machine {
            labels.insert(KEY_INIT.to_owned(), init.clone());
            labels.insert(KEY_PROFILE.to_owned(), profile.clone());
            if let Some(version) = version {
                labels.insert(KEY_SYSTEMD_VERSION.to_owned(), version.to_string());
            }
        }
        labels
    }

    /// Reads labels; `None` where they are not ours or do not name a project, a service and a replica.
    #[must_use]
    pub fn decode(labels: &BTreeMap<String, String>) -> Option<Self> {
        let get = |key: &str| labels.get(key).cloned().unwrap_or_default();
        let project = labels.get(KEY_PROJECT)?.clone();
        let service = labels.get(KEY_SERVICE)?.clone();
        let index = labels.get(KEY_INDEX)?.parse().ok()?;
        let machine = labels.get(KEY_INIT).map(|init| MachineLabels {
            init: init.clone(),
            version: labels.get(KEY_SYSTEMD_VERSION).and_then(|text| text.parse().ok()),
            profile: get(KEY_PROFILE),
        });
        Some(Self {
            project,
            directory: get(KEY_DIRECTORY),
            files: get(KEY_FILES),
            service,
            index,
            fingerprint: get(KEY_FINGERPRINT),
            depends_on: get(KEY_DEPENDS_ON).split(',').filter(|s| !s.is_empty()).map(str::to_owned).collect(),
            machine,
        })
    }
}

/// What the labels of a network or a volume say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectLabels {
    /// Name of the project.
    pub project: String,
    /// Directory that the project was started from.
    pub directory: String,
    /// Manifest key.
    pub key: String,
    /// Fingerprint of the specification that it was made from.
    pub fingerprint: String,
}

impl ObjectLabels {
    /// Writes the labels.
    #[must_use]
    pub fn encode(&self) -> BTreeMap<String, String> {
        let Self { project, directory, key, fingerprint } = self;
        BTreeMap::from([
            (KEY_FORMAT.to_owned(), FORMAT.to_owned()),
            (KEY_PROJECT.to_owned(), project.clone()),
            (KEY_DIRECTORY.to_owned(), directory.clone()),
            (KEY_NAME.to_owned(), key.clone()),
            (KEY_FINGERPRINT.to_owned(), fingerprint.clone()),
        ])
    }

    /// Reads labels; `None` where they are not ours.
    #[must_use]
    pub fn decode(labels: &BTreeMap<String, String>) -> Option<Self> {
        let get = |key: &str| labels.get(key).cloned().unwrap_or_default();
        Some(Self {
            project: labels.get(KEY_PROJECT)?.clone(),
            directory: get(KEY_DIRECTORY),
            key: labels.get(KEY_NAME)?.clone(),
            fingerprint: get(KEY_FINGERPRINT),
        })
    }
}
