//! `import` and `convert` from the outside: what goes where, and how they end.

use super::{Place, TWO};

const OLD: &str = "\
services:
  web:
    image: example/web:1   # ours
    privileged: true
    command: /sbin/init
    volumes: ['/sys/fs/cgroup:/sys/fs/cgroup:ro']
  vm:
    image: example/vm:1
    privileged: true
    entrypoint: [/usr/sbin/init]
  cache: {image: 'redis:7'}
";

#[test]
fn a_compose_file_becomes_a_manifest_that_loads() {
    let place = Place::new();
    place.write("docker-compose.yml", OLD);
    let ran = place.run(&["import"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stdout, @r#"
    services:
      web:
        image: example/web:1   # ours
        systemd: true
      vm:
        image: example/vm:1
        systemd: true
      cache:
        image: "redis:7"
        systemd: false
    "#);
    insta::assert_snapshot!(ran.stderr);
    assert_eq!(place.run(&["import", "docker-compose.yml", "-o", "sdcompose.yaml"]).stdout, "");
    let again = place.run(&["import", "-o", "sdcompose.yaml"]);
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("--force"), "{}", again.stderr);
    assert_eq!(place.run(&["import", "-o", "sdcompose.yaml", "--force"]).code, 0);
    let config = place.run(&["config", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&config.stdout).unwrap();
    assert_eq!(value["services"]["web"]["systemd"]["privilege"], "auto", "{}", config.stderr);
    assert_eq!(value["services"]["web"]["privileged"], serde_json::Value::Null);
    assert_eq!(value["services"]["cache"]["systemd"], false);
}

#[test]
fn a_line_becomes_a_manifest() {
    let place = Place::new();
    let line = ["import", "--", "docker", "run", "--privileged", "--name", "vm", "debian:12", "/sbin/init"];
    let ran = place.run(&line);
    assert_eq!(
        ran.stdout,
        "services:\n  vm:\n    image: debian:12\n    systemd: true\n    container_name: vm\n"
    );
    assert!(ran.stderr.starts_with("machine  vm: runs /sbin/init, privileged\n"), "{}", ran.stderr);
    let json = place.run(&[&["--json"], &line[..]].concat());
    let value: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(value["manifest"], ran.stdout);
    assert_eq!(value["findings"][0]["kind"], "machine");
    assert_eq!(json.stderr, "");
    let wrong = place.run(&["import", "--", "docker", "run", "--frobnicate", "x"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("`--frobnicate` is no flag of `docker run`"), "{}", wrong.stderr);
}

#[test]
fn a_service_can_be_said_to_be_a_machine() {
    let place = Place::new();
    let import =
        |flag: &str| place.run_with_input(&["import", "-", "--machine", flag], "services: {a: {image: x}}");
    assert!(import("a").stdout.contains("systemd: true"));
    let unknown = import("b");
    assert_eq!((unknown.code, unknown.stdout.as_str()), (2, ""));
    assert!(unknown.stderr.contains("there is no service `b`"), "{}", unknown.stderr);
    let none = place.run_with_input(&["import", "-"], "services: {a: {image: x}}");
    assert!(none.stderr.contains("no service looks like a systemd machine"), "{}", none.stderr);
}

#[test]
fn what_cannot_be_imported_is_said() {
    let place = Place::new();
    let none = place.run(&["import"]);
    assert_eq!(none.code, 2);
    assert!(none.stderr.contains("there is no compose file in this directory"), "{}", none.stderr);
    place.write("broken.yaml", "services:\n  a: [\n");
    let broken = place.run(&["import", "broken.yaml"]);
    assert_eq!(broken.code, 2);
    assert!(broken.stderr.contains("broken.yaml:2:6"), "{}", broken.stderr);
    assert_eq!(place.run(&["import", "no.yaml"]).code, 1);
    assert_eq!(place.run(&["import", "--container", "x"]).code, 1, "no engine answers");
    assert_eq!(place.run(&["import", "a.yaml", "--container", "x"]).code, 2);
}

#[test]
fn converting_asks_the_engine() {
    let place = Place::with(TWO);
    let ran = place.run(&["convert", "--to", "compose"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains("no container engine answers"), "{}", ran.stderr);
    assert_eq!(place.run(&["convert"]).code, 2);
    assert_eq!(place.run(&["convert", "--to", "kubernetes"]).code, 2);
}
