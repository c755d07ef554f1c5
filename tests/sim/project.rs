//! Small projects, written by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use indexmap::IndexMap;
use sdcompose::observed::Scope;
use sdcompose::project::{
    Attachment, Credential, Dependency, DependencyCondition, FileObject, FileReference, FileSource, Held,
    Hook, Hooks, ImageSource, Mount, MountSource, Network, NetworkChoice, Project, RestartPolicy, Service,
    Volume, VolumeOptions,
};
use sdcompose::systemd::UnitName;

/// A project named `shop` with these services, its default network, and the volumes that they use.
pub(crate) fn project(services: Vec<Service>) -> Project {
    let mut volumes = IndexMap::new();
    for service in &services {
        for mount in &service.mounts {
            if let MountSource::Volume { key, options: _ } = &mount.source {
                volumes.insert(key.clone(), volume(key));
            }
        }
    }
    let mut networks = IndexMap::from([("default".to_owned(), network("default"))]);
    for service in &services {
        if let NetworkChoice::Join(joined) = &service.network {
            networks.extend(joined.keys().map(|key| (key.clone(), network(key))));
        }
    }
    Project {
        name: "shop".to_owned(),
        directory: PathBuf::from("/srv/shop"),
        files: vec![PathBuf::from("sdcompose.yaml")],
        services: services.into_iter().map(|service| (service.name.clone(), service)).collect(),
        disabled: BTreeSet::new(),
        networks,
        volumes,
        secrets: IndexMap::new(),
        configs: IndexMap::new(),
    }
}

/// What is asked of an engine to plan a project.
pub(crate) fn scope(project: &Project) -> Scope {
    let names = |service: &Service| {
        let name = service.name.clone();
        (1..=service.replicas).map(move |index| format!("shop-{name}-{index}")).collect::<Vec<_>>()
    };
    Scope {
        project: project.name.clone(),
        aging: BTreeSet::new(),
        images: project.services.values().map(|service| service.image.reference().to_owned()).collect(),
        volumes: project.volumes.values().map(|volume| volume.name.clone()).collect(),
        networks: project.networks.values().map(|network| network.name.clone()).collect(),
        containers: project.services.values().flat_map(names).collect(),
    }
}

/// Declares a secret that a variable holds, and gives it to services.
pub(crate) fn with_secret(mut project: Project, key: &str, value: &str, services: &[&str]) -> Project {
    let secret = FileObject {
        key: key.to_owned(),
        name: format!("shop_{key}"),
        external: false,
        source: Some(FileSource::Environment("VARIABLE".to_owned())),
        held: Held::Bytes(value.as_bytes().into()),
        labels: BTreeMap::new(),
        driver: None,
        driver_opts: BTreeMap::new(),
        template_driver: None,
    };
    project.secrets.insert(key.to_owned(), secret);
    for name in services {
        let reference = FileReference { source: key.to_owned(), ..FileReference::default() };
        project.services.get_mut(*name).expect("the service is there").secrets.push(reference);
    }
    project
}

/// A plain service of the image `plain`.
pub(crate) fn plain(name: &str) -> Service {
    Service::plain(name, "plain")
}

/// A machine of the image `machine`, restarted by the engine unless stopped.
pub(crate) fn machine(name: &str) -> Service {
    Service {
        restart: RestartPolicy::UnlessStopped,
        stop_signal: Some("SIGRTMIN+3".to_owned()),
        tty: true,
        ..Service::machine(name, "machine")
    }
}

/// Changes of a service, to be strung together.
pub(crate) trait Change: Sized {
    /// Lets it wait for a condition of another service.
    fn needs(self, other: &str, condition: DependencyCondition) -> Self;
    /// Lets it wait for a unit of another service.
    fn needs_unit(self, other: &str, unit: &str) -> Self;
    /// Keeps data in a named volume.
    fn stores(self, key: &str) -> Self;
    /// Takes another image.
    fn image(self, reference: &str) -> Self;
    /// Runs so many containers.
    fn times(self, replicas: u32) -> Self;
    /// Is restarted by the engine so.
    fn restarts(self, policy: RestartPolicy) -> Self;
    /// Has at most so many bytes of memory.
    fn limited(self, bytes: u64) -> Self;
    /// Gives a unit a drop-in.
    fn drop_in(self, unit: &str, text: &str) -> Self;
    /// Brings a unit file, and starts it.
    fn unit_file(self, unit: &str, text: &str) -> Self;
    /// Starts a unit.
    fn enables(self, unit: &str) -> Self;
    /// Masks a unit.
    fn masks(self, unit: &str) -> Self;
    /// Gives units a variable.
    fn variable(self, name: &str, value: &str) -> Self;
    /// Gives units a credential.
    fn credential(self, name: &str, value: &str) -> Self;
    /// Joins these networks and no other.
    fn joins(self, keys: &[&str]) -> Self;
    /// Runs `seed` after its start and `drain` before its stop.
    fn hooks(self) -> Self;
}

impl Change for Service {
    fn needs(mut self, other: &str, condition: DependencyCondition) -> Self {
        let dependency = Dependency { condition, restart: false, required: true };
        self.depends_on.insert(other.to_owned(), dependency);
        self
    }

    fn needs_unit(self, other: &str, name: &str) -> Self {
        self.needs(other, DependencyCondition::UnitActive(unit(name)))
    }

    fn stores(mut self, key: &str) -> Self {
        let source = MountSource::Volume { key: key.to_owned(), options: VolumeOptions::default() };
        let target = format!("/var/lib/{key}");
        self.mounts.push(Mount { target, source, read_only: false, consistency: None });
        self
    }

    fn image(mut self, reference: &str) -> Self {
        self.image = ImageSource::Reference(reference.to_owned());
        self
    }

    fn times(mut self, replicas: u32) -> Self {
        self.replicas = replicas;
        self
    }

    fn restarts(mut self, policy: RestartPolicy) -> Self {
        self.restart = policy;
        self
    }

    fn limited(mut self, bytes: u64) -> Self {
        self.limits.memory = Some(bytes);
        self
    }

    fn drop_in(mut self, name: &str, text: &str) -> Self {
        let machine = self.machine.get_or_insert_default();
        machine.units.entry(unit(name)).or_default().drop_in = Some(text.as_bytes().to_vec());
        self
    }

    fn unit_file(mut self, name: &str, text: &str) -> Self {
        let machine = self.machine.get_or_insert_default();
        let file = machine.units.entry(unit(name)).or_default();
        (file.content, file.enable) = (Some(text.as_bytes().to_vec()), true);
        self
    }

    fn enables(mut self, name: &str) -> Self {
        self.machine.get_or_insert_default().enable.push(unit(name));
        self
    }

    fn masks(mut self, name: &str) -> Self {
        self.machine.get_or_insert_default().mask.push(unit(name));
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn credential(mut self, name: &str, value: &str) -> Self {
        let credential = Credential { source: FileSource::Content, bytes: value.as_bytes().to_vec() };
        self.machine.get_or_insert_default().credentials.insert(name.to_owned(), credential);
        self
    }

    fn joins(mut self, keys: &[&str]) -> Self {
        let joined = keys.iter().map(|&key| (key.to_owned(), Attachment::default()));
        self.network = NetworkChoice::Join(joined.collect());
        self
    }

    fn hooks(mut self) -> Self {
        let hook = |word: &str| Hook { command: vec![word.to_owned()], ..Hook::default() };
        self.hooks = Hooks { post_start: vec![hook("seed")], pre_stop: vec![hook("drain")] };
        self
    }
}

fn unit(name: &str) -> UnitName {
    UnitName::parse(name).expect("a unit's name")
}

fn network(key: &str) -> Network {
    Network::plain(key, format!("shop_{key}"))
}

fn volume(key: &str) -> Volume {
    Volume {
        key: key.to_owned(),
        name: format!("shop_{key}"),
        external: false,
        driver: None,
        driver_opts: BTreeMap::new(),
        labels: BTreeMap::new(),
    }
}
