//! A project for the tests of drawings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;

use crate::project::{
    Dependency, DependencyCondition, Identity, ImageSource, Journal, JournalStorage, Limits, Machine,
    NetworkChoice, Privilege, Project, PullPolicy, Ready, RestartPolicy, Service,
};
use crate::systemd::UnitName;

/// Four services: web waits for app and db, app for db and a plain cache.
pub(crate) fn shop() -> Project {
    let ready = || DependencyCondition::Ready;
    let unit = || DependencyCondition::UnitActive(UnitName::parse("postgresql.service").unwrap());
    let services = [
        service("web", true, &[("app", ready()), ("db", unit())]),
        service("app", true, &[("db", unit()), ("cache", DependencyCondition::Started)]),
        service("db", true, &[]),
        service("cache", false, &[]),
    ];
    Project {
        name: "shop".to_owned(),
        directory: PathBuf::from("/srv/shop"),
        files: vec![PathBuf::from("sdcompose.yaml")],
        services: services.into_iter().map(|service| (service.name.clone(), service)).collect(),
        disabled: BTreeSet::new(),
        networks: IndexMap::new(),
        volumes: IndexMap::new(),
    }
}

fn service(name: &str, machine: bool, waits: &[(&str, DependencyCondition)]) -> Service {
    let depends_on = waits.iter().map(|(name, condition)| {
        let condition = condition.clone();
        ((*name).to_owned(), Dependency { condition, restart: false, required: true })
    });
    Service {
        name: name.to_owned(),
        image: ImageSource::Reference(format!("shop/{name}:1")),
        pull_policy: PullPolicy::Missing,
        replicas: 1,
        container_name: None,
        command: None,
        entrypoint: None,
        hostname: None,
        domainname: None,
        environment: IndexMap::new(),
        environment_unset: Vec::new(),
        ports: Vec::new(),
        expose: Vec::new(),
        mounts: Vec::new(),
        network: NetworkChoice::Join(IndexMap::new()),
        depends_on: depends_on.collect(),
        healthcheck: None,
        restart: RestartPolicy::No,
        labels: IndexMap::new(),
        cap_add: Vec::new(),
        cap_drop: Vec::new(),
        devices: Vec::new(),
        sysctls: BTreeMap::new(),
        ulimits: BTreeMap::new(),
        limits: Limits::default(),
        security_opt: Vec::new(),
        privileged: false,
        read_only: false,
        extra_hosts: Vec::new(),
        dns: Vec::new(),
        dns_search: Vec::new(),
        dns_opt: Vec::new(),
        user: None,
        working_dir: None,
        stop_grace_period: Duration::from_secs(90),
        stop_signal: None,
        shm_size: None,
        init: None,
        tty: false,
        stdin_open: false,
        runtime: None,
        userns_mode: None,
        profiles: Vec::new(),
        machine: machine.then(self::machine),
    }
}

fn machine() -> Machine {
    Machine {
        target: UnitName::parse("multi-user.target").unwrap(),
        init: None,
        args: Vec::new(),
        log_level: "info".to_owned(),
        log_target: None,
        privilege: Privilege::Auto,
        features: BTreeSet::new(),
        enable: Vec::new(),
        mask: Vec::new(),
        mask_defaults: true,
        units: IndexMap::new(),
        environment_to_units: true,
        credentials: IndexMap::new(),
        ready: Ready::Running,
        boot_timeout: Duration::from_secs(90),
        journal: Journal { storage: JournalStorage::Volatile, max: 64 << 20, forward_console: false },
        identity: Identity::Derived,
    }
}
