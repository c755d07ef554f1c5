//! Projects in a few words, for tests. One line is one service: its name, then words.
//!
//! ```text
//! db vol=data:/var/lib/postgresql
//! web x2 needs=db:postgresql.service:restart port=8080:80
//! cache plain health
//! volume data external
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;

use crate::facts::{
    ApiVersion, CgroupDriver, CgroupVersion, EngineKind, Facts, ImageFacts, ImageSystemd, Locality,
};
use crate::project::*;
use crate::systemd::UnitName;

/// Docker 28 on cgroup v2.
pub(crate) fn facts() -> Facts {
    Facts {
        engine: EngineKind::Docker,
        version: "28.5.2".to_owned(),
        api: ApiVersion { major: 1, minor: 51 },
        cgroup: CgroupVersion::V2,
        driver: CgroupDriver::Cgroupfs,
        rootless: None,
        userns_remap: false,
        apparmor: false,
        selinux: false,
        locality: Locality::Local,
        notify_root: Some("/state/notify".to_owned()),
        socket: None,
        memory_limit: true,
        cpu_limit: true,
        pids_limit: true,
    }
}

/// An image with systemd.
pub(crate) fn image(id: &str, version: u16) -> ImageFacts {
    ImageFacts {
        id: id.to_owned(),
        systemd: Some(ImageSystemd { init: "/usr/lib/systemd/systemd".to_owned(), version: Some(version) }),
    }
}

/// Reads a project named `shop`.
pub(crate) fn project(text: &str) -> Project {
    let mut project = Project {
        name: "shop".to_owned(),
        directory: PathBuf::from("/srv/shop"),
        files: vec![PathBuf::from("/srv/shop/sdcompose.yaml")],
        services: IndexMap::new(),
        disabled: BTreeSet::new(),
        networks: IndexMap::new(),
        volumes: IndexMap::new(),
        secrets: IndexMap::new(),
        configs: IndexMap::new(),
    };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "volume" => volume(&mut project, words[1]).external = words.contains(&"external"),
            "network" => network(&mut project, words[1]).external = words.contains(&"external"),
            "disabled" => {
                project.disabled.insert(words[1].to_owned());
            }
            name => {
                let service = service(&mut project, name, &words[1..]);
                project.services.insert(name.to_owned(), service);
            }
        }
    }
    project
}

fn network<'a>(project: &'a mut Project, key: &str) -> &'a mut Network {
    let name = format!("{}_{key}", project.name);
    project.networks.entry(key.to_owned()).or_insert_with(|| Network::plain(key, name))
}

fn volume<'a>(project: &'a mut Project, key: &str) -> &'a mut Volume {
    let name = format!("{}_{key}", project.name);
    project.volumes.entry(key.to_owned()).or_insert_with(|| Volume {
        key: key.to_owned(),
        name,
        external: false,
        driver: None,
        driver_opts: BTreeMap::new(),
        labels: BTreeMap::new(),
    })
}

/// `secret=KEY:TEXT[:TARGET]` holds a variable, `secretfile` a file of the project, `config` a text of the manifest.
fn given(project: &mut Project, service: &mut Service, kind: &str, value: &str) {
    let mut parts = value.splitn(3, ':');
    let (key, text) = (parts.next().unwrap().to_owned(), parts.next().unwrap());
    let target = parts.next().map(str::to_owned);
    let source = match kind {
        "secret" => FileSource::Environment("VARIABLE".to_owned()),
        "secretfile" => FileSource::File(project.directory.join(&key)),
        _ => FileSource::Content,
    };
    let object = FileObject {
        key: key.clone(),
        name: format!("{}_{key}", project.name),
        external: false,
        source: Some(source),
        held: Held::Bytes(text.as_bytes().into()),
        labels: BTreeMap::new(),
        driver: None,
        driver_opts: BTreeMap::new(),
        template_driver: None,
    };
    let reference = FileReference { source: key.clone(), target, ..FileReference::default() };
    if kind == "config" {
        service.configs.push(reference);
        project.configs.insert(key, object);
    } else {
        service.secrets.push(reference);
        project.secrets.insert(key, object);
    }
}

pub(crate) fn unit(text: &str) -> UnitName {
    UnitName::parse(text).unwrap()
}

fn service(project: &mut Project, name: &str, words: &[&str]) -> Service {
    let mut service = bare(name);
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let split = || value.split_once(':').unwrap();
        if machine_word(&mut service, key, value) {
            continue;
        }
        match key {
            "plain" => service.machine = None,
            "image" => service.image = ImageSource::Reference(value.to_owned()),
            "build" => {
                service.image = ImageSource::Build { tag: format!("shop-{name}"), build: Box::new(build()) }
            }
            "pull" => {
                service.pull_policy = match value {
                    "never" => PullPolicy::Never,
                    "always" => PullPolicy::Always,
                    other => panic!("{other}"),
                }
            }
            "needs" => {
                let (other, dependency) = dependency(value);
                service.depends_on.insert(other, dependency);
            }
            "port" => service.ports.push(port(value)),
            "vol" => {
                let (key, target) = split();
                volume(project, key);
                let source = MountSource::Volume { key: key.to_owned(), options: VolumeOptions::default() };
                service.mounts.push(Mount {
                    target: target.to_owned(),
                    source,
                    read_only: false,
                    consistency: None,
                });
            }
            "tmpfs" => {
                let source = MountSource::Tmpfs { size: Some(64), mode: Some(0o700), options: None };
                service.mounts.push(Mount {
                    target: value.to_owned(),
                    source,
                    read_only: false,
                    consistency: None,
                });
            }
            "secret" | "secretfile" | "config" => given(project, &mut service, key, value),
            "readonly" => service.read_only = true,
            "net" => {
                let keys = value.split(',').map(|key| (key.to_owned(), Attachment::default()));
                service.network = NetworkChoice::Join(keys.collect());
            }
            "share" => service.network = NetworkChoice::Service(value.to_owned()),
            "mode" => service.network = NetworkChoice::Mode(value.to_owned()),
            "env" => {
                let (key, value) = value.split_once('=').unwrap();
                service.environment.insert(key.to_owned(), value.to_owned());
            }
            "health" => service.healthcheck = Some(healthcheck()),
            "name" => service.container_name = Some(value.to_owned()),
            "host" => service.hostname = Some(value.to_owned()),
            "restart" => service.restart = RestartPolicy::Always,
            "mem" => service.limits.memory = Some(value.parse().unwrap()),
            "cap" => service.cap_add.push(value.to_owned()),
            "post" => service.hooks.post_start.push(hook(value)),
            "pre" => service.hooks.pre_stop.push(hook(value)),
            "cmd" => service.command = Some(vec![value.to_owned()]),
            "grace" => service.stop_grace_period = Duration::from_secs(value.parse().unwrap()),
            _ if key.starts_with('x') => service.replicas = key[1..].parse().unwrap(),
            other => panic!("unknown word {other}"),
        }
    }
    if let NetworkChoice::Join(keys) = &service.network {
        for key in keys.keys() {
            network(project, key);
        }
    }
    service
}

fn machine_word(service: &mut Service, key: &str, value: &str) -> bool {
    let Some(machine) = &mut service.machine else { return false };
    match key {
        "enable" => machine.enable.push(unit(value)),
        "mask" => machine.mask.push(unit(value)),
        "target" => machine.target = unit(value),
        "file" => {
            let (name, text) = value.split_once(':').unwrap();
            machine.units.entry(unit(name)).or_default().content = Some(text.as_bytes().to_vec());
        }
        "dropin" => {
            let (name, text) = value.split_once(':').unwrap();
            machine.units.entry(unit(name)).or_default().drop_in = Some(text.as_bytes().to_vec());
        }
        "cred" => {
            let (name, text) = value.split_once(':').unwrap();
            let bytes = text.as_bytes().to_vec();
            machine.credentials.insert(name.to_owned(), Credential { source: FileSource::Content, bytes });
        }
        "ready" => {
            machine.ready = match value {
                "degraded" => Ready::Degraded,
                name => Ready::Units(vec![unit(name)]),
            }
        }
        "feature" => {
            machine.features.insert(Feature::parse(value).unwrap());
        }
        "privilege" => machine.privilege = Privilege::Fixed(ProfileName::parse(value).unwrap()),
        "timeout" => machine.boot_timeout = Duration::from_secs(value.parse().unwrap()),
        _ => return false,
    }
    true
}

/// `db`, `db:healthy`, `db:nginx.service:restart`.
fn dependency(text: &str) -> (String, Dependency) {
    let mut parts = text.split(':');
    let name = parts.next().unwrap().to_owned();
    let condition = match parts.next() {
        None | Some("ready") => DependencyCondition::Ready,
        Some("started") => DependencyCondition::Started,
        Some("healthy") => DependencyCondition::Healthy,
        Some("completed") => DependencyCondition::CompletedSuccessfully,
        Some(name) => DependencyCondition::UnitActive(unit(name)),
    };
    let rest: Vec<&str> = parts.collect();
    let dependency =
        Dependency { condition, restart: rest.contains(&"restart"), required: !rest.contains(&"optional") };
    (name, dependency)
}

fn port(text: &str) -> Port {
    let (published, target) = text.split_once(':').unwrap();
    let first = published.parse().unwrap();
    let published = Some(PublishedPort { first, last: first });
    Port { published, ..Port::any(target.parse().unwrap(), Protocol::Tcp) }
}

fn hook(command: &str) -> Hook {
    Hook { command: command.split(',').map(str::to_owned).collect(), ..Hook::default() }
}

fn healthcheck() -> Healthcheck {
    Healthcheck {
        test: HealthTest::Shell("true".to_owned()),
        interval: None,
        timeout: None,
        retries: None,
        start_period: None,
        start_interval: None,
    }
}

fn build() -> Build {
    Build::of(BuildContext::Directory(PathBuf::from("/srv/shop")))
}

fn bare(name: &str) -> Service {
    let mut service = Service::machine(name, &format!("{name}:1"));
    if let Some(machine) = &mut service.machine {
        machine.mask_defaults = false;
    }
    service
}
