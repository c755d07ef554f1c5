//! A project for the tests of drawings.

use std::collections::BTreeSet;
use std::path::PathBuf;

use indexmap::IndexMap;

use crate::project::{Dependency, DependencyCondition, Project, Service};
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
        secrets: IndexMap::new(),
        configs: IndexMap::new(),
    }
}

fn service(name: &str, machine: bool, waits: &[(&str, DependencyCondition)]) -> Service {
    let depends_on = waits.iter().map(|(name, condition)| {
        let condition = condition.clone();
        ((*name).to_owned(), Dependency { condition, restart: false, required: true })
    });
    let image = format!("shop/{name}:1");
    let service = if machine { Service::machine(name, &image) } else { Service::plain(name, &image) };
    Service { depends_on: depends_on.collect(), ..service }
}
