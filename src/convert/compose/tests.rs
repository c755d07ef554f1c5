use std::collections::BTreeMap;

use super::*;
use crate::container::sketch::{facts, image};
use crate::facts::{ApiVersion, CgroupVersion};
use crate::project::resolve::tests::tree;

/// Docker 20.10 on a hybrid host.
fn old_docker() -> Facts {
    Facts {
        version: "20.10.24".to_owned(),
        api: ApiVersion { major: 1, minor: 41 },
        cgroup: CgroupVersion::Hybrid,
        ..facts()
    }
}

/// Converts a manifest for an engine, where `shop` is an image with systemd 252.
fn converted(text: &str, facts: &Facts) -> Converted {
    let manifest = tree::manifest(text);
    let project = tree::project(text);
    let images = BTreeMap::from([("shop".to_owned(), image("sha256:1", 252))]);
    to_compose(&project, &manifest, facts, &images).unwrap_or_else(|refusals| panic!("{refusals:?}"))
}

fn text(manifest: &str) -> String {
    converted(manifest, &facts()).text
}

#[test]
fn a_machine_is_spelled_out_for_its_engine() {
    let manifest = "{name: shop, services: {web: {image: shop, ports: ['8080:80']}}}";
    insta::assert_snapshot!(converted(manifest, &old_docker()).text);
}

#[test]
fn what_docker_compose_would_run_too_early_or_does_not_know_is_left_out_of_a_machine() {
    let hooks = "post_start: [{command: a}], pre_stop: [{command: b}]";
    let rules = "{path: ., action: sync+unit, target: /x, units: [a.service]}, {path: ., action: restart}";
    let file = text(&format!(
        "services:\n  db: {{image: shop, {hooks}, develop: {{watch: [{rules}]}}}}\n  c: {{image: c, systemd: false, {hooks}}}\n"
    ));
    assert_eq!(file.matches("post_start:").count(), 1, "{file}");
    assert_eq!(file.matches("pre_stop:").count(), 2, "{file}");
    assert!(file.contains("- action: restart") && !file.contains("action: sync+unit"), "{file}");
    assert!(file.contains("# - db: its `post_start` hooks are left out"), "{file}");
    assert!(file.contains("# - db: its `sync+unit` rules are left out"), "{file}");
}

#[test]
fn readiness_is_a_health_check_of_who_is_waited_for() {
    let file = text(
        "services:\n  db: {image: shop}\n  app: {image: shop, depends_on: [db]}\n  \
         web: {image: shop, depends_on: {db: {condition: unit_active, unit: a.service, restart: true}}}\n",
    );
    assert_eq!(file.matches("healthcheck:").count(), 1, "{file}");
    assert!(
        file.contains("systemctl is-system-running --quiet && systemctl is-active --quiet a.service"),
        "{file}"
    );
    assert_eq!(file.matches("condition: service_healthy").count(), 2, "{file}");
    assert!(file.contains("restart: true"), "{file}");
    assert!(file.contains("# - db: Compose has one health check a service"), "{file}");
}
