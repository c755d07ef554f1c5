//! A project as a plain compose file: every systemd default spelled out for one engine, so that `docker compose`
//! makes the same containers.
//!
//! Machines become plain services, and the project that has only these is printed as `config` prints one. Files
//! that a machine is given become `configs` with their content: Docker Compose copies those into the container
//! between create and start, as sdcompose does (measured on Docker Compose 2.40).

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use crate::container::spec;
use crate::facts::{Facts, ImageFacts};
use crate::manifest::{Dialect, Manifest};
use crate::project::show::show;
use crate::project::{Project, Service};
use crate::refusal::Refusal;
use crate::yaml::{Node, Value};

use super::Converted;

mod given;
mod health;
mod names;
mod plain;
mod remarks;
mod text;

#[cfg(test)]
mod tests;

use given::Given;
use health::Wishes;

/// What is known of the images that a project's machines boot, by reference.
pub type Images = BTreeMap<String, ImageFacts>;

/// One service of the compose file: a plain service, and the files that it is given, as the file says them.
struct Part {
    service: Service,
    configs: Vec<Json>,
    secrets: Vec<Json>,
}

/// Converts a project for the engine that the facts are of.
///
/// # Errors
/// Refuses, for every service at once, where a machine cannot boot on this engine, and where a file that it is
/// given cannot be said in YAML.
pub fn to_compose(
    project: &Project,
    manifest: &Manifest,
    facts: &Facts,
    images: &Images,
) -> Result<Converted, Vec<Refusal>> {
    // The notify socket is sdcompose's own: nobody would listen on it.
    let facts = Facts { notify_root: None, ..facts.clone() };
    let wishes = Wishes::of(project, &facts);
    let mut given = Given::of(project);
    let (mut parts, mut refusals, mut remarks) = (Vec::new(), Vec::new(), Vec::new());
    for service in project.services.values() {
        match parts_of(project, service, &facts, images, &wishes, &mut given) {
            Ok(made) => {
                remarks.extend(remarks::on(
                    project,
                    service,
                    &wishes,
                    images,
                    made.iter().map(|part| &part.service),
                ));
                parts.extend(made);
            }
            Err(refusal) => refusals.push(refusal),
        }
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let shown = shown(project, manifest, parts, given);
    let text = text::heading(project, &facts, &remarks) + &text::yaml(&shown);
    Ok(Converted { text, remarks })
}

/// Makes the services of the file that one service of the project becomes: one for each replica of a machine,
/// since a machine's identity and its cgroup are its own, else one.
fn parts_of(
    project: &Project,
    service: &Service,
    facts: &Facts,
    images: &Images,
    wishes: &Wishes<'_>,
    given: &mut Given<'_>,
) -> Result<Vec<Part>, Refusal> {
    refuse_unsayable(service)?;
    given::refuse_empty(project, service)?;
    let Some(machine) = &service.machine else {
        let service = names::translated(project, service);
        return Ok(vec![Part { service, configs: Vec::new(), secrets: Vec::new() }]);
    };
    let image = images.get(service.image.reference());
    let base = names::translated(project, service);
    let mut parts = Vec::new();
    for index in 1..=service.replicas {
        let spec = spec::spec(project, service, index, facts, image, "")?;
        let decision = spec::decision(project, service, index, facts, image)?;
        let name = names::of(service, index);
        let (configs, secrets) = given.of_machine(service, &name, &spec)?;
        let healthcheck = wishes.healthcheck(service, machine);
        let service = plain::of_machine(&base, name, &spec, decision.as_ref(), healthcheck);
        parts.push(Part { service, configs, secrets });
    }
    Ok(parts)
}

/// A profile of seccomp was read from its file, and is not known by its path any more.
fn refuse_unsayable(service: &Service) -> Result<(), Refusal> {
    let inline = |option: &String| option.starts_with("seccomp={") || option.starts_with("seccomp:{");
    if service.machine.is_some() && service.security_opt.iter().any(inline) {
        return Err(Refusal::of(&service.name, "a compose file takes a seccomp profile by its path only")
            .help("take the profile out of `security_opt`, convert, and add `seccomp=PATH` to the result"));
    }
    Ok(())
}

/// Puts the file together: the plain project as `config` shows it, and the files that machines are given.
fn shown(project: &Project, manifest: &Manifest, parts: Vec<Part>, given: Given<'_>) -> Map<String, Json> {
    let machines = project.services.values().filter(|service| service.machine.is_some());
    let machines: Vec<&str> = machines.map(|service| service.name.as_str()).collect();
    let mut files = Vec::new();
    let mut services = IndexMap::new();
    for Part { service, configs, secrets } in parts {
        files.push((service.name.clone(), configs, secrets));
        services.insert(service.name.clone(), service);
    }
    let plain = Project { services, ..project.clone() };
    let unwritten =
        Manifest { root: without(manifest, &machines), dialect: Dialect::Compose, ..manifest.clone() };
    // A project is made of texts, numbers and lists only, which JSON can hold.
    let shown = serde_json::to_value(show(&plain, &unwritten, &[])).unwrap_or_default();
    let mut shown = match shown {
        Json::Object(shown) => shown,
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => Map::new(),
    };
    for (name, configs, secrets) in files {
        let Some(service) = shown.get_mut("services").and_then(|all| all.get_mut(&name)?.as_object_mut())
        else {
            continue;
        };
        for (key, list) in [("configs", configs), ("secrets", secrets)] {
            append(service, key, list);
        }
    }
    let (configs, secrets) = given.declared();
    for (key, all) in [("configs", configs), ("secrets", secrets)] {
        if let (false, Json::Object(all)) = (all.is_empty(), text::doubled(Json::Object(all))) {
            let there = shown.entry(key).or_insert_with(|| json!({}));
            if let Some(there) = there.as_object_mut() {
                there.extend(all);
            }
        }
    }
    shown
}

fn append(service: &mut Map<String, Json>, key: &str, list: Vec<Json>) {
    if list.is_empty() {
        return;
    }
    let there = service.entry(key).or_insert_with(|| json!([]));
    if let Some(there) = there.as_array_mut() {
        there.extend(list.into_iter().map(text::doubled));
    }
}

/// The manifest's tree as far as it says how things were spelled: without machines, which are spelled anew.
fn without(manifest: &Manifest, machines: &[&str]) -> Node {
    let mut root = manifest.root.clone();
    let Value::Mapping(entries) = &mut root.value else { return root };
    entries.retain(|entry| {
        &*entry.key == "services" || entry.key.starts_with("x-") && &*entry.key != "x-systemd"
    });
    for entry in entries {
        if let ("services", Value::Mapping(services)) = (&*entry.key, &mut entry.value.value) {
            services.retain(|service| !machines.contains(&&*service.key));
        }
    }
    root
}
