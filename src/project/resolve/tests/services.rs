use std::fmt::Write as _;
use std::path::PathBuf;

use super::tree::{Given, manifest, project, resolved, said};
use crate::manifest::Dialect;
use crate::project::{
    Build, BuildContext, BuildSecret, DependencyCondition, Dockerfile, HealthTest, ImageSource, MountSource,
    NetworkChoice, RestartPolicy, SshKey, Ulimit,
};

#[test]
fn a_plain_service_gets_composes_defaults() {
    let project = project("services: {cache: {image: redis:7, systemd: false}}");
    let cache = &project.services["cache"];
    assert_eq!(project.name, "p");
    assert_eq!(cache.image, ImageSource::Reference("redis:7".to_owned()));
    assert_eq!(cache.machine, None);
    assert_eq!(cache.replicas, 1);
    assert_eq!(cache.stop_signal, None);
    assert_eq!(cache.stop_grace_period.as_secs(), 10);
    assert_eq!(cache.restart, RestartPolicy::No);
    assert!(matches!(&cache.network, NetworkChoice::Join(joined) if joined.keys().eq(["default"])));
    assert_eq!(project.networks["default"].name, "p_default");
}

#[test]
fn in_a_compose_file_only_x_systemd_makes_a_machine() {
    let mut manifest =
        manifest("services: {a: {image: x}, b: {image: x, x-systemd: {}}, c: {image: x, x-systemd: false}}");
    manifest.dialect = Dialect::Compose;
    let (project, said) = resolved(manifest, &Given::default());
    let project = project.unwrap_or_else(|| panic!("{said}"));
    let machines: Vec<&str> =
        project.services.values().filter(|s| s.machine.is_some()).map(|s| s.name.as_str()).collect();
    assert_eq!(machines, ["b"]);
}

#[test]
fn environment_lies_over_env_files_and_takes_names_from_the_host_or_away() {
    let text = "
services:
  a:
    image: x
    env_file: [{path: none.env, required: false}, e.env]
    environment: {A: 9, B: 1.10, C: , HOME: , D: yes, E: true}
";
    let files =
        Given([(PathBuf::from("/srv/p/e.env"), b"A=1\nF=$A$HOME\nHOME=h\nG\nC=from file".to_vec())].into());
    let (project, said) = resolved(manifest(text), &files);
    let a = &project.unwrap_or_else(|| panic!("{said}")).services["a"];
    let shown: Vec<String> = a.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(shown, ["A=9", "F=9/home/user", "HOME=/home/user", "B=1.1", "D=yes", "E=true"]);
    assert_eq!(a.environment_unset, ["C"]);
    assert_eq!(project_unset("services: {a: {image: x, environment: [B, C=]}}"), ["B"]);
}

#[test]
fn an_env_file_sees_what_the_one_before_it_gave() {
    let files = Given(
        [
            (PathBuf::from("/srv/p/a.env"), b"A=1\nB=1".to_vec()),
            (PathBuf::from("/srv/p/b.env"), b"B=2\nC=$A$B$D".to_vec()),
        ]
        .into(),
    );
    let text = "services: {a: {image: x, env_file: [a.env, b.env], environment: {D: 4}}}";
    let (project, said) = resolved(manifest(text), &files);
    let a = &project.unwrap_or_else(|| panic!("{said}")).services["a"];
    assert_eq!(a.environment["C"], "124");
}

fn project_unset(text: &str) -> Vec<String> {
    project(text).services["a"].environment_unset.clone()
}

#[test]
fn short_depends_on_waits_for_a_machine_to_be_ready_and_for_a_plain_one_to_be_started() {
    let project = project(
        "services: {a: {image: x, depends_on: [b, c]}, b: {image: x}, c: {image: x, systemd: false},
          d: {image: x, depends_on: {b: {condition: unit_active, unit: x.socket, restart: true, required: false}}},
          e: {image: x, systemd: false, network_mode: 'service:c'}}",
    );
    let conditions: Vec<&DependencyCondition> =
        project.services["a"].depends_on.values().map(|dependency| &dependency.condition).collect();
    assert_eq!(conditions, [&DependencyCondition::Ready, &DependencyCondition::Started]);
    let d = &project.services["d"].depends_on["b"];
    assert!(matches!(&d.condition, DependencyCondition::UnitActive(unit) if unit.as_str() == "x.socket"));
    assert!(d.restart && !d.required);
    assert!(project.services["e"].depends_on["c"].restart);
}

#[test]
fn mounts_are_read_in_both_forms_and_the_last_of_a_target_wins() {
    let text = "
services:
  a:
    image: x
    systemd: false
    volumes: ['vv:/v:ro', ./b:/b, /anon, {type: bind, source: ./c, target: /c/}, {type: tmpfs, target: /t, tmpfs: {size: 10m, mode: 01777}}, '~/x:/v']
    tmpfs: /scratch:size=1m
volumes: {vv: {}, unused: {}}
";
    let (project, said) = resolved(manifest(text), &Given::default());
    assert!(said.starts_with("6:"), "{said}");
    assert!(said.contains("warning: /v is mounted twice; the last one counts"), "{said}");
    let project = project.unwrap();
    let shown: Vec<String> = project.services["a"]
        .mounts
        .iter()
        .map(|mount| match &mount.source {
            MountSource::Volume { key, .. } => format!("{} volume {key}", mount.target),
            MountSource::Anonymous(_) => format!("{} anonymous", mount.target),
            MountSource::Bind { path, create, .. } => {
                format!("{} {} {}", mount.target, path.display(), create.makes())
            }
            MountSource::Tmpfs { size, mode, options } => {
                format!("{} tmpfs {size:?} {mode:?} {options:?}", mount.target)
            }
            other @ (MountSource::Image { .. } | MountSource::NamedPipe(_) | MountSource::Cluster(_)) => {
                format!("{} {other:?}", mount.target)
            }
        })
        .collect();
    assert_eq!(
        shown,
        [
            "/v /home/user/x true",
            "/b /srv/p/b true",
            "/anon anonymous",
            "/c /srv/p/c true",
            "/t tmpfs Some(10485760) Some(1023) None",
            "/scratch tmpfs None None Some(\"size=1m\")",
        ]
    );
    assert!(project.volumes.is_empty(), "no service uses them: {:?}", project.volumes.keys());
}

#[test]
fn a_build_has_a_tag_and_an_absolute_context() {
    let project = project(
        "services: {a: {build: ./d}, b: {build: {context: ., args: [A=1, HOME, NONE], dockerfile_inline: FROM x, target: t}, image: y}}",
    );
    let ImageSource::Build { tag, build } = &project.services["a"].image else { panic!("built") };
    assert_eq!((tag.as_str(), &**build), ("p-a", &Build::of(BuildContext::Directory("/srv/p/d".into()))));
    let ImageSource::Build { tag, build } = &project.services["b"].image else { panic!("built") };
    assert_eq!(tag, "y");
    assert_eq!(build.dockerfile, Dockerfile::Inline("FROM x".to_owned()));
    let args: Vec<(&str, &str)> = build.args.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(args, [("A", "1"), ("HOME", "/home/user")]);
}

#[test]
fn all_that_compose_says_of_a_build_is_kept() {
    let project = project(
        r"
secrets: {token: {environment: HOME}}
services:
  a:
    build:
      context: https://host/x.git#main:sub
      additional_contexts: [lib=./lib, 'other=service:b', base=docker-image://x]
      cache_from: [x, 'type=gha']
      cache_to: [y]
      entitlements: [network.host]
      extra_hosts: {h: 1.2.3.4}
      isolation: default
      platforms: [linux/amd64]
      privileged: true
      provenance: true
      sbom: generator=x
      secrets: [token, {source: token, target: t, uid: '1', mode: 0440}]
      shm_size: 1m
      ssh: [default, k=./key]
      tags: [x:1]
      ulimits: {nofile: 5}
  b: {image: x}
",
    );
    let ImageSource::Build { tag: _, build } = &project.services["a"].image else { panic!("built") };
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let contexts = [("base", "docker-image://x"), ("lib", "/srv/p/lib"), ("other", "service:b")];
    let secret = |target: Option<&str>, uid: Option<&str>, mode| BuildSecret {
        source: "token".to_owned(),
        target: target.map(str::to_owned),
        uid: uid.map(str::to_owned),
        gid: None,
        mode,
    };
    let key = |id: &str, path: Option<&str>| SshKey { id: id.to_owned(), path: path.map(str::to_owned) };
    let expected = Build {
        additional_contexts: contexts.map(|(name, text)| (name.to_owned(), text.to_owned())).into(),
        cache_from: texts(&["x", "type=gha"]),
        cache_to: texts(&["y"]),
        entitlements: texts(&["network.host"]),
        extra_hosts: vec![("h".to_owned(), "1.2.3.4".to_owned())],
        isolation: Some("default".to_owned()),
        platforms: texts(&["linux/amd64"]),
        privileged: true,
        provenance: Some("true".to_owned()),
        sbom: Some("generator=x".to_owned()),
        secrets: vec![secret(None, None, None), secret(Some("t"), Some("1"), Some(0o440))],
        shm_size: Some(1 << 20),
        ssh: vec![key("default", None), key("k", Some("/srv/p/key"))],
        tags: texts(&["x:1"]),
        ulimits: [("nofile".to_owned(), Ulimit { soft: 5, hard: 5 })].into(),
        ..Build::of(BuildContext::Remote("https://host/x.git#main:sub".to_owned()))
    };
    assert_eq!(**build, expected);
}

#[test]
fn limits_agree_or_are_refused() {
    let project = project(
        "services: {a: {image: x, deploy: {replicas: 2, resources: {limits: {cpus: 0.5, memory: 512M, pids: 9}}}, scale: 2, mem_limit: 536870912}}",
    );
    let a = &project.services["a"];
    assert_eq!(a.replicas, 2);
    assert_eq!(
        (a.limits.memory, a.limits.nano_cpus, a.limits.pids),
        (Some(536_870_912), Some(500_000_000), Some(9))
    );
    assert_eq!(
        said("services: {a: {image: x, deploy: {replicas: 2}, scale: 3}}"),
        "1:49 `scale` and `deploy.replicas` must agree [1:35 says something else]; give one of them"
    );
}

#[test]
fn health_checks_are_read_in_all_forms() {
    let test = |text: &str| {
        let project = project(&format!("services: {{a: {{image: x, healthcheck: {text}}}}}"));
        project.services["a"].healthcheck.clone().unwrap().test
    };
    assert_eq!(test("{test: curl -f x}"), HealthTest::Shell("curl -f x".to_owned()));
    assert_eq!(test("{test: [CMD, a, b]}"), HealthTest::Command(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(test("{test: [NONE]}"), HealthTest::Disabled);
    assert_eq!(test("{disable: true}"), HealthTest::Disabled);
    assert_eq!(test("{interval: 90s}"), HealthTest::Inherit);
}

#[test]
fn profiles_switch_services_on() {
    let text = "services: {a: {image: x}, b: {image: x, profiles: [q]}, c: {image: x, depends_on: {b: {condition: service_started, required: false}}}}";
    let project = project(text);
    assert_eq!(project.services.keys().map(String::as_str).collect::<Vec<_>>(), ["a", "c"]);
    assert!(project.disabled.contains("b"));
    assert!(project.services["c"].depends_on.is_empty());
    let unnamed = super::tree::project("services: {a: {image: x, profiles: ['']}}");
    assert!(unnamed.services.contains_key("a"));
    let mut all = manifest(text);
    all.profiles = vec!["*".to_owned()];
    let (project, _) = resolved(all, &Given::default());
    assert_eq!(project.unwrap().services.len(), 3);
}

#[test]
fn networks_have_names_pools_and_aliases() {
    let project = project(
        "services: {a: {image: x, networks: {n: {aliases: [q], ipv4_address: 10.2.3.4}, m: {priority: 5}, default: }}}
networks: {n: {ipam: {config: [{subnet: 10.2.3.0/24, gateway: 10.2.3.1}]}}, m: {external: true, name: real}, unused: {}}",
    );
    let names: Vec<&str> = project.networks.values().map(|network| network.name.as_str()).collect();
    assert_eq!(names, ["p_n", "real", "p_default"]);
    let NetworkChoice::Join(joined) = &project.services["a"].network else { panic!("joined") };
    assert_eq!(joined.keys().map(String::as_str).collect::<Vec<_>>(), ["m", "n", "default"]);
    assert_eq!(joined["n"].aliases, ["q"]);
}

#[test]
fn a_thousand_chained_services_resolve_without_recursion() {
    let mut text = String::from("services:\n");
    for number in 0..3000 {
        writeln!(text, "  s{number}: {{image: x, depends_on: [s{}]}}", number + 1).unwrap();
    }
    text.push_str("  s3000: {image: x}\n");
    assert_eq!(project(&text).services.len(), 3001);
}
