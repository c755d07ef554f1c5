//! Small specifications with a project's labels, to be changed by whoever tests with them.

use std::collections::BTreeMap;

use crate::container::{ContainerSpec, Content, FileSpec, JoinSpec, NetworkSpec, NetworkSpecChoice};
use crate::labels::{ContainerLabels, MachineLabels, ObjectLabels};
use crate::project::Ipam;

/// A network with the labels of a project.
#[must_use]
pub fn network(project: &str, name: &str) -> NetworkSpec {
    let key = name.rsplit('_').next().unwrap_or(name).to_owned();
    let labels = ObjectLabels { project: project.to_owned(), key, ..ObjectLabels::default() };
    NetworkSpec {
        name: name.to_owned(),
        driver: None,
        driver_opts: BTreeMap::new(),
        internal: false,
        attachable: false,
        enable_ipv4: None,
        enable_ipv6: None,
        ipam: Ipam::default(),
        labels: labels.encode(),
    }
}

/// A machine with one file, of the image `machine`; see [`plain`].
#[must_use]
pub fn machine(project: &str, name: &str) -> ContainerSpec {
    let mut spec = plain(project, name);
    "machine".clone_into(&mut spec.image);
    spec.machine = true;
    if let Some(labels) = ContainerLabels::decode(&spec.labels) {
        let machine = MachineLabels {
            init: "/lib/systemd/systemd".to_owned(),
            version: Some(257),
            profile: "own-subtree".to_owned(),
        };
        spec.labels = ContainerLabels { machine: Some(machine), ..labels }.encode();
    }
    let relief = "/etc/systemd/system/service.d/zz-sdcompose.conf";
    spec.files.push(FileSpec::of_root(relief, 0o644, Content::Bytes(b"[Service]\n".to_vec())));
    spec
}

/// A container of the image `plain` on the network `<project>_default`; its name `<project>-<service>-<index>`
/// tells its service and index.
#[must_use]
pub fn plain(project: &str, name: &str) -> ContainerSpec {
    let rest = name.strip_prefix(project).and_then(|rest| rest.strip_prefix('-')).unwrap_or(name);
    let (service, index) = rest.rsplit_once('-').unwrap_or((rest, "1"));
    let labels = ContainerLabels {
        project: project.to_owned(),
        service: service.to_owned(),
        index: index.parse().unwrap_or(1),
        fingerprint: "first".to_owned(),
        ..ContainerLabels::default()
    };
    ContainerSpec {
        labels: labels.encode(),
        network: NetworkSpecChoice::Join(vec![JoinSpec {
            network: format!("{project}_default"),
            ..JoinSpec::default()
        }]),
        ..ContainerSpec::bare(name, service, "plain")
    }
}
