use proptest::prelude::*;

use crate::manifest::{Dialect, Manifest};
use crate::project::Project;
use crate::project::resolve::tests::tree::{Given, manifest, resolved};
use crate::project::show::explain::{Origin, explain};

use super::*;

fn both(text: &str, dialect: Dialect) -> (Project, Manifest) {
    let mut manifest = manifest(text);
    manifest.dialect = dialect;
    let (project, said) = resolved(manifest.clone(), &Given::default());
    (project.unwrap_or_else(|| panic!("{said}")), manifest)
}

/// What `config` prints, as values.
fn json(project: &Project, manifest: &Manifest) -> Json {
    serde_json::to_value(show(project, manifest, &[])).unwrap()
}

/// Single dollars, as a manifest has them behind interpolation.
fn interpolated(text: &str) -> String {
    text.replace("$$", "$")
}

const RICH: &str = r#"
x-note: {a: [1, 1.5, true, text]}
systemd: {journal: {max: 1m}}
services:
  web:
    build: {context: ./web, args: {A: 1}, target: t}
    deploy: {replicas: 2}
    environment: {PRICE: '5 $', EMPTY: '', UNSET: }
    ports: ['8080-8081:80', '127.0.0.1::443/udp', 3000-3002:3000]
    volumes: ['data:/data:ro', ./b:/b, '/anon', {type: tmpfs, target: /t, tmpfs: {size: 1m, mode: 0700}}]
    tmpfs: [/run:size=8m, /x]
    depends_on: {db: {condition: unit_active, unit: postgresql.service, restart: true}, cache: {condition: service_started}}
    networks: {back: {aliases: [w], priority: 3}, default: }
    systemd:
      units: {x.service: {content: "[Service]\nExecStart=/bin/x $A\n", enable: true}, y.timer: {drop_in: "[Timer]"}}
      credentials: {t: {content: s}}
      ready: [x.service]
      features: [nfs]
      privilege: remount
    ulimits: {nofile: 5, core: {soft: 1, hard: 2}}
    extra_hosts: ['h:1.2.3.4']
    dns: 1.1.1.1
    devices: [/dev/fuse]
    cap_add: [sys_time]
    secrets: [s, {source: f, target: f/g, mode: 0440}, {source: e, target: '', uid: '5', gid: ''}]
    configs: [c, {source: z, target: /z}, {source: x, mode: '0'}]
    mem_limit: 1g
    cpus: 0.5
  db: {image: 'db:1', stop_grace_period: 5m, labels: [a=b], sysctls: {net.x: 1}}
  cache: {image: redis, systemd: false, command: a "b c", healthcheck: {test: x, interval: 90s}, restart: on-failure:3, network_mode: none}
  whole:
    image: whole
    build:
      context: https://host/x.git#main:sub
      additional_contexts: [lib=./lib, 'other=service:db', base=docker-image://x]
      cache_from: [x, 'type=gha']
      cache_to: [y]
      entitlements: [network.host]
      extra_hosts: {h: 1.2.3.4, i: '[::1]'}
      isolation: default
      platforms: [linux/amd64]
      privileged: true
      provenance: true
      sbom: generator=x
      shm_size: 1m
      ssh: [default, k=./key]
      tags: [x:1]
      ulimits: {nofile: 5, core: {soft: 2, hard: 2}}
    ports:
      - {target: 80, published: 08080, host_ip: '2001:DB8::1', protocol: TCP, mode: host, name: w, app_protocol: http}
    networks:
      back: {gw_priority: 2, interface_name: lan0, link_local_ips: [169.254.1.1], driver_opts: {a: 1.50}, mac_address: '02:00:00:00:00:01'}
    volumes:
      - {type: bind, source: ./q1, target: /q1, bind: {propagation: rslave, recursive: disabled}}
      - {type: bind, source: ./q2, target: /q2, bind: {create_host_path: false}, consistency: cached}
      - {type: bind, source: ./q3, target: /q3}
      - {type: volume, source: data, target: /v, volume: {nocopy: true, subpath: a, labels: {x: 1}}}
      - {type: volume, target: /anonymous, volume: {labels: [a=b]}}
      - {type: image, source: busybox, target: /img, image: {subpath: etc}}
      - {type: npipe, source: '\\\\.\pipe\x', target: /np}
      - {type: cluster, source: cl, target: /cl}
      - {type: tmpfs, target: /t2}
      - data:/labelled:z
networks:
  back:
    internal: true
    attachable: true
    enable_ipv4: true
    enable_ipv6: false
    ipam: {driver: x, options: {a: b}, config: [{subnet: 10.9.0.0/24, ip_range: 10.9.0.128/25, gateway: 10.9.0.1, aux_addresses: {r: 10.9.0.2}}]}
volumes: {data: {driver_opts: {a: 1}}}
secrets: {s: {environment: HOME, labels: [a=b]}, f: {file: ./f, driver: d, driver_opts: {a: 1}, template_driver: t}, e: {external: true, name: n}, unused: {file: ./f}}
configs: {c: {content: "a $ b\n"}, z: {content: ''}, x: {external: {name: y}, content: z}}
"#;

#[test]
fn what_config_prints_reads_back_as_the_same_project() {
    for dialect in [Dialect::Sdcompose] {
        let (first, written) = both(RICH, dialect);
        let shown = json(&first, &written);
        for text in [serde_json::to_string_pretty(&shown).unwrap(), show(&first, &written, &[]).to_yaml()] {
            let (again, read) = both(&interpolated(&text), dialect);
            assert_eq!(json(&again, &read), shown, "{text}");
            let mut again = again;
            // Keys are sorted in the output; nothing but their order may differ.
            again.services.sort_keys();
            let mut first = first.clone();
            first.services.sort_keys();
            assert_eq!(again.services.keys().collect::<Vec<_>>(), first.services.keys().collect::<Vec<_>>());
            for (name, service) in &first.services {
                assert_eq!(&again.services[name], service);
            }
        }
    }
}

#[test]
fn values_have_the_shape_that_compose_prints() {
    let (project, manifest) = both(
        "services: {a: {image: x, ports: ['127.0.0.1:80:8080'], environment: [A=$1, B], mem_limit: 64m, x-systemd: false}}",
        Dialect::Compose,
    );
    let shown = serde_json::to_string_pretty(&json(&project, &manifest)).unwrap();
    insta::assert_snapshot!(shown, @r#"
    {
      "name": "p",
      "networks": {
        "default": {
          "ipam": {},
          "name": "p_default"
        }
      },
      "services": {
        "a": {
          "command": null,
          "entrypoint": null,
          "environment": {
            "A": "$$1",
            "B": null
          },
          "image": "x",
          "mem_limit": "67108864",
          "networks": {
            "default": null
          },
          "ports": [
            {
              "host_ip": "127.0.0.1",
              "mode": "ingress",
              "protocol": "tcp",
              "published": "80",
              "target": 8080
            }
          ]
        }
      }
    }
    "#);
}

/// What `config` prints of the service `a` at one key.
fn shown_of(service: &str, key: &str) -> Json {
    let text = format!("secrets: {{s: {{environment: HOME}}}}\nservices: {{a: {{image: x, {service}}}}}");
    let (project, manifest) = both(&text, Dialect::Compose);
    json(&project, &manifest)["services"]["a"][key].clone()
}

#[test]
fn a_build_has_the_shape_that_compose_prints() {
    let build = shown_of(
        "build: {context: ., provenance: false, shm_size: 1m, extra_hosts: {h: '[::1]'}, ssh: [default], \
         secrets: [s, {source: s, mode: 0440}], additional_contexts: {l: ./lib}, ulimits: {nofile: 5}}",
        "build",
    );
    assert_eq!(
        build,
        json!({
            "context": "/srv/p",
            "dockerfile": "Dockerfile",
            "provenance": "false",
            "shm_size": "1048576",
            "extra_hosts": ["h=::1"],
            "ssh": ["default"],
            "secrets": [{ "source": "s" }, { "source": "s", "mode": "0440" }],
            "additional_contexts": { "l": "/srv/p/lib" },
            "ulimits": { "nofile": 5 },
        })
    );
}

#[test]
fn a_port_keeps_the_words_of_its_long_form() {
    let ports = shown_of("ports: [{target: 80, published: 080, protocol: UDP, host_ip: '::0'}]", "ports");
    assert_eq!(
        ports,
        json!([{ "mode": "ingress", "target": 80, "published": "080", "protocol": "UDP", "host_ip": "::0" }])
    );
}

#[test]
fn a_bind_says_of_a_missing_source_what_was_said() {
    let bind = |options: &str| {
        let volumes = format!("volumes: [{{type: bind, source: ./b, target: /b{options}}}]");
        shown_of(&volumes, "volumes")[0]["bind"].clone()
    };
    assert_eq!(bind(""), Json::Null);
    assert_eq!(bind(", bind: {propagation: shared}"), json!({ "propagation": "shared" }));
    assert_eq!(bind(", bind: {create_host_path: true}"), json!({ "create_host_path": true }));
    // Docker Compose 2.40 leaves it out, and makes the source when it reads its own output.
    assert_eq!(bind(", bind: {create_host_path: false}"), json!({ "create_host_path": false }));
}

#[test]
fn a_secret_that_the_manifest_points_at_is_not_shown() {
    let (project, manifest) = both(
        "services: {a: {image: x, systemd: {credentials: {t: {environment: HOME}}}}}",
        Dialect::Sdcompose,
    );
    let shown = json(&project, &manifest).to_string();
    assert!(shown.contains(r#""credentials":{"t":{"environment":"HOME"}}"#), "{shown}");
    assert!(!shown.contains("/home/user"), "{shown}");
}

#[test]
fn secrets_and_configs_have_the_shape_that_compose_prints() {
    let text = "services: {a: {image: x, secrets: [s, {source: s, target: t, mode: 0440, uid: '5'}], configs: [c]}}\n\
                secrets: {s: {environment: HOME}, unused: {environment: NO}}\nconfigs: {c: {content: a$}}";
    let (project, manifest) = both(text, Dialect::Compose);
    let shown = json(&project, &manifest);
    assert_eq!(shown["secrets"], json!({ "s": { "name": "p_s", "environment": "HOME" } }));
    assert_eq!(shown["configs"], json!({ "c": { "name": "p_c", "content": "a$$" } }));
    assert_eq!(
        shown["services"]["a"]["secrets"],
        json!([
            { "source": "s", "target": "/run/secrets/s" },
            { "source": "s", "target": "t", "uid": "5", "mode": "0440" },
        ])
    );
    assert_eq!(shown["services"]["a"]["configs"], json!([{ "source": "c" }]));
    assert!(!shown.to_string().contains("/home/user"), "{shown}");
}

#[test]
fn a_secret_that_only_a_build_is_given_is_shown() {
    let text = "services: {a: {build: {context: ., secrets: [s]}}}\nsecrets: {s: {environment: HOME}, t: {environment: HOME}}";
    let (project, manifest) = both(text, Dialect::Compose);
    assert_eq!(
        json(&project, &manifest)["secrets"],
        json!({ "s": { "name": "p_s", "environment": "HOME" } })
    );
}

#[test]
fn explain_says_where_each_value_comes_from() {
    let (project, manifest) = both(
        "systemd: {boot_timeout: 5m}
services:
  a:
    image: x
    ports: ['80:80']
    deploy: {resources: {limits: {memory: 1g}}}
    systemd: {journal: {max: 2m}, enable: [x.service]}",
        Dialect::Sdcompose,
    );
    let explained = explain(&project, &manifest);
    let lines: Vec<String> = explained
        .iter()
        .flat_map(|service| &service.fields)
        .map(|field| match &field.origin {
            Origin::Written(span) => {
                let at = manifest.sources.position(*span).unwrap();
                format!("{} = {} @ {}:{}", field.path, field.value, at.line, at.column)
            }
            Origin::Default(why) => format!("{} = {} ({why})", field.path, field.value),
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    command = null (the image's own; a machine starts its systemd)
    deploy.resources.limits.memory = "1073741824" @ 6:43
    entrypoint = null (the image's own; a machine starts its systemd)
    image = "x" @ 4:12
    networks.default = null (a service that names no network joins `default` (Compose specification))
    ports[0].mode = "ingress" @ 5:13
    ports[0].protocol = "tcp" @ 5:13
    ports[0].published = "80" @ 5:13
    ports[0].target = 80 @ 5:13
    stop_grace_period = "1m30s" (a unit may use its own 90s to stop (DefaultTimeoutStopSec=, systemd-system.conf(5)))
    stop_signal = "SIGRTMIN+3" (asks systemd to halt (systemd(1), SIGNALS))
    systemd.args = [] (none unless asked for)
    systemd.boot_timeout = "5m0s" @ 1:25
    systemd.credentials = {} (none unless asked for, besides the service's `secrets`)
    systemd.enable = ["x.service"] @ 7:43
    systemd.environment_to_units = true (what `environment` sets is seen by the services inside, not by PID 1 alone)
    systemd.features = [] (none unless asked for)
    systemd.identity = "derived" (distinct machine ids that survive a replacement (machine-id(5)))
    systemd.journal.forward = "none" (in memory, as small as is useful; journald would take 10 % of /run (journald.conf(5)))
    systemd.journal.max = "2097152" @ 7:30
    systemd.journal.storage = "volatile" (in memory, as small as is useful; journald would take 10 % of /run (journald.conf(5)))
    systemd.log_level = "info" (systemd's own default (systemd(1), --log-level=))
    systemd.mask = [] (none unless asked for)
    systemd.mask_defaults = true (units that cannot work in a container would only fail)
    systemd.privilege = "auto" (the least that boots on the engine at hand)
    systemd.ready = "running" (the boot finished and no unit failed (systemctl(1), is-system-running))
    systemd.target = "multi-user.target" (enabled services are started, and /run/nologin is taken away (systemd.special(7)))
    systemd.units = {} (none unless asked for)
    "#);
}

#[test]
fn only_the_services_that_are_asked_for_are_shown() {
    let (project, manifest) = both("services: {a: {image: x}, b: {image: y}}", Dialect::Compose);
    let only = ["b".to_owned()];
    let shown = serde_json::to_value(show(&project, &manifest, &only)).unwrap();
    assert!(shown["services"].get("a").is_none() && shown["services"].get("b").is_some(), "{shown}");
}

#[test]
fn the_yaml_of_config_means_the_same_to_another_reader() {
    let (project, manifest) = both(RICH, Dialect::Sdcompose);
    let shown = show(&project, &manifest, &[]);
    let read: Json = serde_yaml::from_str(&shown.to_yaml()).unwrap();
    assert_eq!(read, serde_json::to_value(shown).unwrap());
}

#[test]
fn an_explanation_hides_what_is_secret() {
    let text = "services: {a: {image: x, environment: {API_KEY: hunter2, DB_PASSWORD: hunter2, A: b}, systemd: {credentials: {t: {content: hunter2}}}}}";
    let (project, manifest) = both(text, Dialect::Sdcompose);
    let fields = explain(&project, &manifest).remove(0).fields;
    let value = |path: &str| fields.iter().find(|field| field.path == path).unwrap().value.clone();
    assert_eq!(value("environment.API_KEY"), "(hidden)");
    assert_eq!(value("environment.DB_PASSWORD"), "(hidden)");
    assert_eq!(value("environment.A"), "\"b\"");
    assert_eq!(value("systemd.credentials.t.content"), "(7 bytes)");
    assert!(show(&project, &manifest, &[]).to_yaml().contains("hunter2"));
}

#[test]
fn dollars_are_doubled_in_values_and_in_keys() {
    let (project, manifest) = both("services: {a: {image: x, labels: {'${K}': 'a$$b'}}}", Dialect::Compose);
    assert_eq!(json(&project, &manifest)["services"]["a"]["labels"], json!({"$${K}": "a$$$$b"}));
}

/// Resolves a text with its variables put in, and prints it as YAML and as JSON.
fn printed(text: &str) -> (String, String) {
    let mut manifest = manifest(text);
    let mut root = manifest.root.clone();
    let found = crate::manifest::interpolate(&mut root, &manifest.sources, &|_| None);
    assert_eq!(found, [], "{text}");
    manifest.root = root;
    let (project, found) = super::super::resolve::resolve(&mut manifest, &Given::default());
    let project = project.unwrap_or_else(|| panic!("{found:?}\n{text}"));
    let shown = show(&project, &manifest, &[]);
    (shown.to_yaml(), serde_json::to_string(&shown).unwrap())
}

proptest! {
    #[test]
    fn what_is_printed_prints_the_same_again(
        texts in proptest::collection::vec("[^\\x00-\\x08\\x0b-\\x1f\\x7f-\\u{9f}\\u{fffe}\\u{ffff}]{0,12}|[ \\t\\n'\"#:$\\\\-]{0,8}|[0-9.eExo_+-]{1,6}|yes|null|~|2020-01-01", 5),
    ) {
        let value = |at: usize| serde_json::Value::from(texts[at].replace('$', "$$")).to_string();
        let text = format!(
            "{{services: {{a: {{image: x, systemd: false, command: [{}, {}], environment: {{A: {}}}, labels: {{l: {}}}, x-own: 1}}}}, x-top: {{k: {}}}}}",
            value(0), value(1), value(2), value(3), value(4)
        );
        let (yaml, json) = printed(&text);
        prop_assert_eq!(&printed(&yaml).0, &yaml);
        prop_assert_eq!(&printed(&json).1, &json);
    }
}
