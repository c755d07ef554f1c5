//! A converted project and its original ask the engine for the same containers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::container::sketch::{facts, image};
use crate::container::{Content, FileSpec, spec};
use crate::convert::compose::{Images, to_compose};
use crate::facts::{ApiVersion, CgroupVersion, EngineKind, Facts};
use crate::manifest::{Dialect, Manifest, interpolate};
use crate::project::Project;
use crate::project::resolve::tests::tree;

/// Reads a manifest with its variables in place.
fn read(text: &str, dialect: Dialect) -> (Manifest, Project) {
    let mut manifest = tree::manifest(text);
    manifest.dialect = dialect;
    interpolate(&mut manifest.root, &manifest.sources, &|_| None);
    let (project, said) = tree::resolved(manifest.clone(), &tree::Given::default());
    (manifest, project.unwrap_or_else(|| panic!("{text}\n{said}")))
}

fn images() -> Images {
    let all = [("old", 247), ("shop", 252), ("new", 257)];
    all.into_iter().map(|(name, version)| (name.to_owned(), image("sha256:1", version))).collect()
}

/// What a project asks for, by container: the body without our labels, and the files.
fn asked(project: &Project, facts: &Facts) -> BTreeMap<String, (Value, Vec<FileSpec>)> {
    let mut asked = BTreeMap::new();
    for service in project.services.values() {
        for index in 1..=service.replicas {
            let image = images().remove(service.image.reference());
            let mut spec = spec::spec(project, service, index, facts, image.as_ref(), "").unwrap();
            spec.labels.retain(|name, _| !name.starts_with("io.sdcompose."));
            let mut files = std::mem::take(&mut spec.files);
            // Directories are made on the way to their files.
            files.retain(|file| !matches!(file.content, Content::Directory));
            files.sort_by(|one, other| one.path.cmp(&other.path));
            let mut body = create(&spec).unwrap();
            let own = spec.name.trim_start_matches("shop-").to_owned();
            sort_aliases(&mut body, &own);
            asked.insert(spec.name.clone(), (body, files));
        }
    }
    asked
}

/// Files as text, with what they hold.
fn shown(files: &[FileSpec]) -> String {
    let bytes = |file: &FileSpec| match &file.content {
        Content::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Content::Symlink(_) | Content::Directory => String::new(),
    };
    let line = |file: &FileSpec| {
        format!("{} {:o} {}:{}\n{}\n", file.path, file.mode, file.uid, file.gid, bytes(file))
    };
    files.iter().map(line).collect()
}

/// Sorts the names on networks, without the one that a service of the file has by itself: a replica that is a
/// service of its own answers to that one as well.
fn sort_aliases(body: &mut Value, own: &str) {
    let endpoints = body.pointer_mut("/NetworkingConfig/EndpointsConfig").and_then(Value::as_object_mut);
    for endpoint in endpoints.into_iter().flat_map(|all| all.values_mut()) {
        if let Some(aliases) = endpoint.get_mut("Aliases").and_then(Value::as_array_mut) {
            aliases.retain(|alias| alias != own);
            aliases.sort_by_key(ToString::to_string);
        }
    }
}

/// Compares a project with its conversion on several engines.
fn same(text: &str) {
    let (manifest, project) = read(text, Dialect::Sdcompose);
    for facts in engines() {
        let converted = to_compose(&project, &manifest, &facts, &images()).unwrap();
        let (_, plain) = read(&converted.text, Dialect::Compose);
        assert!(plain.services.values().all(|service| service.machine.is_none()));
        let (before, after) = (asked(&project, &facts), asked(&plain, &facts));
        for (name, (body, files)) in &before {
            let (plain, given) = &after[name];
            assert_eq!(
                serde_json::to_string_pretty(body).unwrap(),
                serde_json::to_string_pretty(plain).unwrap(),
                "{name} on {:?}\n{}",
                facts.version,
                converted.text
            );
            assert_eq!(shown(files), shown(given), "{name}");
        }
        assert_eq!(before.len(), after.len());
    }
}

/// One engine for each way in which a machine boots without a word of the manifest.
fn engines() -> Vec<Facts> {
    let new = Facts { notify_root: None, ..facts() };
    let old =
        Facts { version: "20.10.24".to_owned(), api: ApiVersion { major: 1, minor: 41 }, ..new.clone() };
    let hybrid = Facts { cgroup: CgroupVersion::Hybrid, ..old.clone() };
    let podman = Facts { engine: EngineKind::Podman, version: "5.8.6".to_owned(), ..new.clone() };
    vec![new, old, hybrid, podman]
}

#[test]
fn machines_are_the_same_containers() {
    same(
        "\
name: shop
services:
  db:
    image: old
    hostname: data
    environment: { PASSWORD: 'a$$b \"c\" 50%', EMPTY: '' }
    volumes: ['data:/var/lib/x', '/srv/site:/site:ro', /anonymous]
    tmpfs: ['/cache:size=1m']
    cap_add: [NET_ADMIN]
    mem_limit: 512m
    labels: { role: database }
    restart: unless-stopped
  web:
    image: new
    scale: 3
    ports: ['8080-8082:80']
    extra_hosts: ['a=10.0.0.1']
    networks: { front: { aliases: [www] }, back: {} }
    stop_grace_period: 20s
    systemd:
      target: basic.target
      enable: [a.service]
      mask: [b.timer]
      args: [systemd.journald.max_level_store=info]
      units: { a.service: { content: \"[Service]\\nExecStart=/bin/true\\n\" } }
      credentials: { own: { content: c } }
    configs: [app, { source: app, target: /run/app, uid: '5', gid: '6', mode: 0440 }, { source: owned, target: /o }]
  cache:
    image: 'redis:7'
    systemd: false
    command: [redis-server, --save, '']
    configs: [app]
    secrets: [{ source: pem, target: /etc/pem }]
volumes: { data: {} }
networks: { front: {}, back: {} }
configs: { app: { content: 'a$$b' }, owned: { content: o } }
secrets: { pem: { file: /srv/pem } }
",
    );
}

#[test]
fn a_network_of_another_machine_is_found_by_its_name_in_the_file() {
    same(
        "name: shop\nservices:\n  a: { image: shop, network_mode: 'service:b' }\n  b: { image: shop, scale: 2 }\n",
    );
}
