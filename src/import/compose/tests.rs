use super::*;
use crate::project::resolve::tests::tree;

fn imported(text: &str) -> Imported {
    import("compose.yaml", text.as_bytes(), &[]).unwrap_or_else(|failure| panic!("{:?}", failure.diagnostics))
}

/// The manifest and what is told, as a user sees them; the manifest must load.
fn told(text: &str) -> String {
    let Imported { text, findings, machines: _ } = imported(text);
    let (project, said) = tree::resolved(tree::manifest(&text), &tree::Given::default());
    assert!(project.is_some(), "{text}\n{said}");
    let findings: Vec<String> = findings
        .iter()
        .map(|Finding { service, kind, text }| format!("{service}: {}: {text}", kind.as_str()))
        .collect();
    format!("{text}---\n{}", findings.join("\n"))
}

#[test]
fn the_widely_copied_recipe_becomes_a_machine_and_comments_stay() {
    insta::assert_snapshot!(told(
        "\
# Our test bed.
services:
  web:
    image: example/web:1   # ours
    # needed by systemd, they say
    privileged: true
    command: /sbin/init --log-level=debug systemd.unit=basic.target
    tmpfs:
      - /run
      - /tmp:exec
      - /var/cache   # large
    volumes:
      - /sys/fs/cgroup:/sys/fs/cgroup:ro
      - ./site:/srv/site
    cap_add: [SYS_ADMIN, NET_ADMIN, SYS_TIME]
    security_opt:
      - seccomp:unconfined
      - apparmor=unconfined
    environment:
      container: docker
      SHOP: \"1\"
    stop_signal: SIGRTMIN+3
    tty: true
    ports: [\"8080:80\"]

  cache:
    image: redis:7
"
    ));
}

#[test]
fn a_service_without_signs_is_a_plain_container() {
    let monitor = "services:\n  c:\n    image: cadvisor\n    privileged: true\n    volumes: ['/sys/fs/cgroup:/cgroup:ro']\n";
    let Imported { text, findings, machines } = imported(monitor);
    assert_eq!((machines, findings), (0, Vec::new()));
    assert_eq!(text, monitor.replace("image: cadvisor\n", "image: cadvisor\n    systemd: false\n"));
}

#[test]
fn a_program_of_its_own_outweighs_a_bound_cgroup_tree() {
    let daemon = "services:\n  d:\n    image: docker:dind\n    command: dockerd\n    privileged: true\n    \
                  volumes: ['/sys/fs/cgroup:/sys/fs/cgroup:rw']\n";
    assert_eq!(imported(daemon).machines, 0);
}

#[test]
fn a_shell_that_becomes_systemd_is_recognised() {
    let script = |line: &str| {
        format!("services:\n  a:\n    image: x\n    command: [\"/bin/sh\", \"-c\", \"{line}\"]\n")
    };
    assert!(!told(&script("exec /lib/systemd/systemd")).contains("check"));
    assert!(told(&script("prepare && exec /sbin/init")).contains("belongs into a oneshot unit"));
}

#[test]
fn a_shared_anchor_is_changed_where_it_stands() {
    insta::assert_snapshot!(told(
        "\
x-machine: &machine
  image: example/debian:12
  command: [/sbin/init]
  privileged: true
  volumes: &v [/sys/fs/cgroup:/sys/fs/cgroup]
services:
  a:
    <<: *machine
    hostname: a
  b:
    <<: *machine
"
    ));
}

#[test]
fn an_anchor_that_plain_services_share_is_overridden() {
    insta::assert_snapshot!(told(
        "\
x-tools: &tools
  image: example/tools
  cap_add: [SYS_ADMIN, NET_RAW]
  tty: true
services:
  a:
    <<: *tools
    command: /sbin/init
  b:
    <<: *tools
    command: watch
"
    ));
}

#[test]
fn flow_style_is_written_anew() {
    insta::assert_snapshot!(told(
        "services:\n  a: &a {image: 'x:1', privileged: true, command: /sbin/init, environment: [A=1, container=lxc]}\n  \
         b: {image: y}\n"
    ));
    insta::assert_snapshot!(told(
        "{\"services\": {\"a\": {\"image\": \"x\", \"command\": [\"/usr/sbin/init\"], \"tty\": true}}}"
    ));
}

#[test]
fn what_cannot_stay_on_a_machine_is_said() {
    insta::assert_snapshot!(told(
        "\
services:
  a:
    image: x
    entrypoint: /prepare.sh --all
    command: /sbin/init
    user: app
    init: true
    pid: host
    read_only: true
    stop_signal: SIGTERM
    devices: [/dev/fuse, /dev/kvm]
    cap_add: [SYS_ADMIN]
    cgroup: host
    tmpfs: /run:size=64m
"
    ));
}

#[test]
fn who_extends_a_machine_is_one() {
    let text = "services:\n  a:\n    image: x\n    command: /sbin/init\n  b:\n    extends: {service: a}\n    tty: true\n";
    let Imported { text, findings, machines } = imported(text);
    assert_eq!(machines, 2);
    assert_eq!(findings[1].text, "extends one");
    assert_eq!(text, "services:\n  a:\n    image: x\n    systemd: true\n  b:\n    extends: {service: a}\n");
}

#[test]
fn what_is_a_manifest_already_stays_as_it_is() {
    let text = "services:\n  a:\n    image: x\n    x-systemd: true\n    tty: true\n";
    assert_eq!(imported(text).text, text);
}

#[test]
fn a_service_can_be_named_a_machine() {
    let text = "services:\n  a:\n    image: x";
    let found = import("compose.yaml", text.as_bytes(), &["a".to_owned()]).unwrap();
    assert_eq!(found.text, "services:\n  a:\n    image: x\n    systemd: true\n");
}

#[test]
fn a_text_without_services_is_refused() {
    let what = |text: &str| import("x.yaml", text.as_bytes(), &[]).unwrap_err().diagnostics[0].what.clone();
    assert_eq!(what("volumes: {}\n"), "`x.yaml` has no services");
    assert_eq!(what("services:\n  - a\n"), "`x.yaml` has no services");
    assert!(what("services: {\n").contains('{'));
}

#[test]
fn secrets_and_configs_stay_with_a_machine() {
    let file = "services:\n  vm:\n    image: x\n    privileged: true\n    command: /sbin/init\n    secrets: [s]\n    configs:\n      - source: c\n        target: /etc/c\nsecrets: {s: {file: ./s}}\nconfigs: {c: {content: x}}\n";
    let told = told(file);
    assert!(told.contains("    secrets: [s]\n    configs:\n      - source: c\n"), "{told}");
    assert!(told.contains("\nsecrets: {s: {file: ./s}}\nconfigs: {c: {content: x}}\n---\n"), "{told}");
}
