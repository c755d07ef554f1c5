use std::fmt::Write as _;

use super::tree::{Given, manifest, resolved, said};

fn of_service(fields: &str) -> String {
    said(&format!("services: {{a: {{image: x, systemd: false, {fields}}}}}"))
}

#[test]
fn everything_wrong_is_said_at_once_with_its_place() {
    insta::assert_snapshot!(said("
services:
  web:
    imgae: x
    ports: {80: 80}
    environment: [5]
    depends_on: [dv]
    stop_signal: 9
    restart: false
    volumes: [data:/data]
    networks: [bakc]
  db:
    image: postgres
networks: {back: }
"), @r#"
    3:3 service `web` has neither an `image` nor a `build`; write `image: NAME`, or `build: DIRECTORY` with a Dockerfile in it
    8:18 `stop_signal` must be text, found a number; put it in quotes: "9"
    6:19 `environment` must be text, found a number; put it in quotes: "5"
    5:12 `ports` must be a list, found a mapping
    7:18 `web` depends on `dv`, which is no service; did you mean `db`?
    9:14 `restart` must be text, found true or false; put it in quotes: "false"
    11:16 `web` joins the network `bakc`, which is not declared; did you mean `back`?
    10:15 `web` mounts the volume `data`, which is not declared; declare it: volumes: { data: {} } at the top level
    "#);
}

#[test]
fn cycles_are_shown_as_a_path_with_every_edge() {
    insta::assert_snapshot!(said("
services:
  web: {image: x, depends_on: [api]}
  api:
    image: x
    depends_on:
      db: {condition: service_ready}
  db: {image: x, network_mode: 'service:web'}
  self: {image: x, depends_on: [self]}
"), @"
    9:33 `self` depends on itself; take this entry away
    3:32 services wait for each other: web → api → db → web [`web` waits for `api`] [7:7 `api` waits for `db`] [8:18 `db` waits for `web`]; take one of these dependencies away
    ");
}

#[test]
fn services_have_names_and_bodies() {
    let pairs = [
        ("{}", "the manifest has no `services:`"),
        ("[a]", "`the manifest` must be a mapping with `services:`, found a list"),
        ("services:", "`services` is empty"),
        ("services: [a]", "`services` must be a mapping, found a list"),
        ("web: {image: x}", "`web` stands outside of `services:`"),
        ("services: {web: }", "service `web` is empty"),
        ("services: {web: [a]}", "`web` must be a mapping, found a list"),
        ("services: {1: {image: x}}", "the service name 1 is read as a number; put it in quotes: \"1\""),
        ("services: {true: {image: x}}", "the service name true is read as true or false"),
        ("services: {2020-01-01: {image: x}}", "the service name 2020-01-01 is read as a date"),
        (
            "services: {wеb: {image: x}}",
            "a service name cannot have U+0435 ('е'), which is not an ASCII letter",
        ),
        ("services: {'a b': {image: x}}", "a service name cannot have ' '"),
        ("services: {\"we\\e[31m\": {image: x}}", "a service name cannot have '\\u{1b}'"),
        ("services: {-x: {image: x}}", "a service name begins with a letter or a digit"),
    ];
    for (written, why) in pairs {
        let said = said(written);
        assert!(said.contains(why), "{written}: {said}");
        assert!(!said.contains('\u{1b}'), "escaped: {said:?}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn values_are_checked_field_by_field() {
    let pairs = [
        ("container_name: f", "\"f\" cannot be a container's name"),
        ("command: 5", "`command` must be text, found a number"),
        ("command: [a, 5]", "`command` must be text, found a number"),
        ("command: a (b)", "`command` cannot be taken apart into words: `(` needs quotes"),
        ("command: a | b", "warning: `command` ends before `| b`, as in Compose"),
        ("tty: '1'", "`tty` must be true or false, found text"),
        ("tty: yes", "warning: `yes` is taken for true; write true"),
        ("depends_on: {b: }", "`a` depends on `b`, which is no service"),
        ("healthcheck: {test: x, interval: 30}", "`interval: 30` needs a unit; write 30s for seconds"),
        ("stop_grace_period: -1", "`stop_grace_period: -1` needs a unit; a duration is written 90s"),
        (
            "healthcheck: {test: x, interval: '30'}",
            "`interval` is not a duration: needs a unit: `30s` or `30m`, say",
        ),
        ("healthcheck: {test: x, interval: 0s}", "`healthcheck.interval` must be at least 1ms"),
        ("healthcheck: {test: [curl]}", "`healthcheck.test` must begin with CMD, CMD-SHELL or NONE"),
        ("healthcheck: {test: []}", "`healthcheck.test` must begin with CMD"),
        (
            "healthcheck: {test: x, retries: 4294967296}",
            "`retries` must be between 0 and 2147483647, found 4294967296",
        ),
        ("ports: ", "`ports` must be a list, found nothing"),
        ("ports: ['9000-8000']", "the range 9000-8000 is reversed"),
        ("ports: [1-2000]", "more than 1024 ports for one service"),
        ("ports: [{published: 80}]", "a port needs a `target`"),
        ("environment: {A: 2001-01-01}", "`environment.A` must be text, found a date; put it in quotes"),
        ("environment: {A: [1]}", "`environment.A` must be text, a number, true or false, found a list"),
        ("environment: ['=x']", "`environment`: a variable needs a name before `=`"),
        ("environment: ['A B=1']", "warning: `environment`: the name \"A B\" has a blank in it"),
        ("env_file: nope.env", "env file /srv/p/nope.env: not found"),
        ("mem_limit: ''", "`mem_limit` is not a size"),
        ("mem_limit: 10x", "`mem_limit` is not a size: `x` is no unit of size"),
        ("cpus: .nan", "`cpus`: the number of processors must be a finite number above 0"),
        ("scale: -1", "`scale` must be between 0 and 1000, found -1"),
        ("scale: 1.5", "`scale` must be a whole number, found 1.5"),
        ("scale: 99999999999999999999", "`scale` is out of range: 99999999999999999999"),
        ("deploy: {replicas: 2}, container_name: foo", "2 containers cannot all be named `foo`"),
        ("deploy: {replicas: 2}, ports: ['80:80']", "2 replicas of `a` share 1 host port(s) for 80"),
        ("network_mode: host, networks: [default]", "`network_mode` and `networks` cannot both be given"),
        ("network_mode: host, ports: ['80:80']", "warning: `ports` mean nothing with this `network_mode`"),
        ("network_mode: 'service:q'", "`a` depends on `q`, which is no service"),
        ("pull_policy: foo", "`foo` is no pull policy"),
        ("restart: alway", "obstacle: `alway` is no restart policy; did you mean `always`?"),
        ("user: 1000", "`user` must be text, found a number; put it in quotes: \"1000\""),
        ("volumes: [':/data']", "a part between the colons is empty"),
        ("volumes: [rel/x:/y]", "for a directory beside the manifest, write ./rel/x"),
        (
            "volumes: ['d:/data']",
            "a single letter before `:` is a Windows drive, as in Compose; give the volume a longer name",
        ),
        ("volumes: ['aa:/y:ro:rw']", "it has too many colons"),
        ("volumes: [{type: image, target: /x}]", "a mount of type `image` needs a `source`"),
        (
            "volumes: [{type: npipe, source: a, target: /x}]",
            "obstacle: named pipes are mounted on Windows only",
        ),
        (
            "volumes: [{type: cluster, source: a, target: /x}]",
            "obstacle: cluster volumes are mounted by Swarm only",
        ),
        (
            "volumes: [{type: volume, source: a, target: /x, bind: {selinux: z}, volume: {subpath: b}}]",
            "obstacle: engines give an SELinux label to whole volumes only",
        ),
        ("ports: [{target: 80, mode: foo}]", "obstacle: `mode`: `foo` is no way to publish a port"),
        ("ports: [{target: 80, protocol: foo}]", "obstacle: `protocol`: `foo` is no protocol"),
        ("ports: [{target: 80, published: foo}]", "obstacle: `published`: `foo` is not a port number"),
        ("volumes: [{type: disk, target: /x}]", "`disk` is no type of a mount; there are `volume`, `bind`"),
        (
            "volumes: [{type: bind, source: /a, target: /b, bind: {recursive: often}}]",
            "`bind.recursive` cannot be `often`; there are enabled, disabled, writable, readonly",
        ),
        (
            "volumes: [{type: tmpfs, target: /x, volume: {nocopy: true}}]",
            "warning: `volume` means nothing to a mount of type `tmpfs`",
        ),
        ("volumes: ['./x:/']", "nothing can be mounted over `/`"),
        ("volumes: ['./x:y']", "obstacle: the path inside, `y`, is not absolute"),
        (
            "cap_add: [NET_ADMN]",
            "warning: `NET_ADMN` is no capability that Linux has; did you mean `NET_ADMIN`?",
        ),
        ("ulimits: {nofiles: 5}", "obstacle: `nofiles` is no resource limit; did you mean `nofile`?"),
        (
            "ulimits: {nofile: {soft: 9, hard: 5}}",
            "obstacle: `ulimits.nofile`: the soft limit is above the hard limit",
        ),
        ("devices: ['/dev/x:/dev/y:q']", "`devices`: `q` is no permission"),
        ("extra_hosts: [h]", "`extra_hosts`: `h` has no address"),
        ("dns: 1.1.1", "`dns`: `1.1.1` is not an IP address"),
        ("labels: {io.sdcompose.project: x}", "the label `io.sdcompose.project` has a reserved prefix"),
        ("labels: {'': x}", "a label needs a name"),
        ("hostname: 'a b'", "warning: \"a b\" cannot be a host name"),
        ("build: /", "obstacle: `build` is the root of the file system"),
        ("build: {ssh: [key]}", "`ssh`: the key `key` has no path; write `ID=PATH`"),
        ("build: {additional_contexts: [x]}", "the context `x` has no value; the form is `NAME=CONTEXT`"),
        (
            "build: {additional_contexts: {x: 'service:q'}}",
            "the context `x` is the service `q`, which is not there",
        ),
        ("network_mode: ''", "obstacle: `network_mode` is empty"),
        ("networks: [default, default]", "`networks` names one network twice"),
        ("networks: {default: {priority: '5'}}", "`priority` must be a number without quotes"),
        ("networks: {default: {driver_opts: {a: true}}}", "`driver_opts.a` must be text or a number"),
        (
            "tmpfs: [/a, '/a:size=1m'], volumes: ['./x:/b', {type: tmpfs, target: /b/}]",
            "/b is mounted twice [1:79 mounted here first]; take one",
        ),
        ("tmpfs: /a, volumes: ['./x:/a']", "/a is mounted twice ["),
        (
            "volumes: [{type: tmpfs, target: /x, tmpfs: {mode: '1777'}}]",
            "`mode` must be a number, found text; write it without quotes",
        ),
        ("build: {secrets: [s]}", "the build of `a` uses the secret `s`, which is not declared"),
        ("build: {secrets: [{target: s}]}", "a secret of a build needs a `source`"),
        (
            "build: {dockerfile: a, dockerfile_inline: b}",
            "`dockerfile` and `dockerfile_inline` cannot both be given",
        ),
        ("tmpfs: 5", "`tmpfs` must be text, found a number"),
        ("profiles: [5]", "`profiles` must be text, found a number"),
        (
            "networks: {default: {ipv4_address: '::1'}}",
            "obstacle: `ipv4_address`: `::1` is not an IPv4 address",
        ),
    ];
    for (written, why) in pairs {
        let said = of_service(written);
        assert!(said.contains(why), "{written}: {said}");
    }
}

#[test]
fn services_are_checked_against_each_other() {
    let pairs = [
        (
            "a: {image: x, container_name: foo}, b: {image: x, container_name: foo}",
            "the container name `foo` is used twice",
        ),
        (
            "a: {image: x, container_name: p-b-1}, b: {image: x}",
            "the container name `p-b-1` is that of service `b`",
        ),
        ("Web: {image: x}, web: {image: x}", "warning: `Web` and `web` are one name on a network"),
        (
            "a: {image: x, ports: ['80:80']}, b: {image: x, ports: ['127.0.0.1:80:8080']}",
            "host port 80/tcp is used by `a` and `b`",
        ),
        (
            "a: {image: x, profiles: [q]}, b: {image: x, depends_on: [a]}",
            "`b` depends on `a`, whose profile is not active",
        ),
        (
            "a: {image: x, systemd: false}, b: {image: x, depends_on: {a: {condition: unit_active, unit: x.service}}}",
            "`unit_active` needs a machine, and `a` is a plain container without systemd",
        ),
        (
            "a: {image: x}, b: {image: x, depends_on: {a: {condition: unit_active}}}",
            "`condition: unit_active` needs a `unit`",
        ),
        (
            "a: {image: x}, b: {image: x, depends_on: {a: {condition: unit_active, unit: x}}}",
            "did you mean `x.service`?",
        ),
        ("a: {image: x}, b: {image: x, depends_on: {a: {condition: healthy}}}", "`healthy` is no condition"),
        ("a: {image: x}, b: {image: x, depends_on: {a: {}}}", "`depends_on.a` needs a `condition`"),
        (
            "a: {image: x}, b: {image: x, depends_on: {a: }}",
            "`depends_on.a` must be a mapping with a `condition`, found nothing",
        ),
        (
            "a: {image: x, scale: 0}, b: {image: x, depends_on: [a]}",
            "obstacle: `b` depends on `a`, which has 0 replicas; give it a replica, or write `required: false`",
        ),
        (
            "a: {image: x, healthcheck: {disable: true}}, b: {image: x, depends_on: {a: {condition: service_healthy}}}",
            "`b` would wait for ever: the health check of `a` is switched off",
        ),
        (
            "a: {image: x, systemd: {mask: [x.service]}}, b: {image: x, depends_on: {a: {condition: unit_active, unit: x.service}}}",
            "`b` would wait for ever: `x.service` is masked in `a`",
        ),
        (
            "a: {image: x}, b: {image: x, depends_on: {a: {condition: unit_active, unit: u@.service}}}",
            "`u@.service` is a template, which cannot be started; name an instance of it, such as `u@NAME.service`",
        ),
        (
            "a: {image: x, systemd: {ready: [u@.service]}}",
            "`u@.service` is a template, which cannot be started",
        ),
        (
            "a: {image: x, systemd: {ready: x.service, units: {x.service: {mask: true}}}}",
            "`x.service` is masked, and `systemd.ready` waits for it",
        ),
        (
            "a: {image: x, systemd: {mask: [multi-user.target]}}",
            "`multi-user.target` is masked, and the machine boots to it",
        ),
        ("b: {image: x, depends_on: {nope: {condition: healthy}}}", "`healthy` is no condition"),
        (
            "a: {image: x, scale: 2, systemd: {identity: 00112233445566778899aabbccddeeff}}",
            "2 machines cannot share one `systemd.identity`",
        ),
    ];
    for (written, why) in pairs {
        let said = said(&format!("services: {{{written}}}"));
        assert!(said.contains(why), "{written}: {said}");
    }
    assert_eq!(
        said(
            "services: {a: {image: x, ports: ['127.0.0.1:80:80']}, b: {image: x, ports: ['127.0.0.2:80:80']}}"
        ),
        ""
    );
}

#[test]
fn a_service_without_replicas_may_be_waited_for_where_it_is_not_required() {
    let text = "services: {a: {image: x, scale: 0}, b: {image: x, depends_on: {a: {condition: service_started, required: false}}}}";
    assert_eq!(said(text), "");
}

#[test]
fn a_wrong_name_says_nothing_of_a_plain_container() {
    let said = said("services: {b: {image: x, depends_on: {nope: {condition: service_ready}}}}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn fixed_addresses_belong_to_one_container() {
    let said = said(
        "services: {a: {image: x, scale: 2, networks: {default: {ipv4_address: 10.0.0.2}}}, b: {image: x, networks: {default: {ipv4_address: 10.0.0.2}}}}",
    );
    assert!(said.contains("2 containers cannot share the address 10.0.0.2"), "{said}");
    assert!(said.contains("10.0.0.2 on `default` is given to `a` and `b`"), "{said}");
}

#[test]
fn a_profile_that_no_service_has_is_named() {
    let mut manifest = manifest("services: {a: {image: x}, b: {image: x, profiles: [debug]}}");
    manifest.profiles = vec!["debgu".to_owned()];
    assert_eq!(
        resolved(manifest, &Given::default()).1,
        "warning: no service has the profile `debgu`; did you mean `debug`?"
    );
}

#[test]
fn a_seccomp_profile_is_read_from_its_file() {
    let text = "services: {a: {image: x, security_opt: [seccomp=./s.json, label=disable]}}";
    let given = |bytes: &[u8]| Given([("/srv/p/s.json".into(), bytes.to_vec())].into());
    let (project, _) = resolved(manifest(text), &given(b"{ \"a\": 1 }"));
    assert_eq!(project.unwrap().services["a"].security_opt, ["seccomp={\"a\":1}", "label=disable"]);
    let (_, said) = resolved(manifest(text), &given(b"no"));
    assert!(said.contains("`security_opt`: ./s.json is not a seccomp profile"), "{said}");
}

#[test]
fn thousands_of_wrong_names_take_no_time() {
    let mut text = String::from("services:\n");
    for number in 0..3000 {
        writeln!(text, "  s{number}: {{image: x, depends_on: [t{number}], networks: [n{number}]}}").unwrap();
    }
    assert_eq!(said(&text).lines().count(), 6000);
}

#[test]
fn networks_and_volumes_are_checked() {
    let pairs = [
        (
            "networks: {default: {ipam: {config: [{subnet: 10.0.0.0/33}]}}}",
            "`subnet`: `10.0.0.0/33` is not a subnet",
        ),
        (
            "networks: {default: {ipam: {config: [{subnet: 10.0.0.0/24, gateway: 10.0.1.1}]}}}",
            "the gateway 10.0.1.1 is outside of the subnet",
        ),
        (
            "networks: {default: {ipam: {config: [{subnet: 10.0.0.0/24, aux_addresses: {r: 10.0.1.1}}]}}}",
            "the address `r` 10.0.1.1 is outside of the subnet",
        ),
        ("networks: {default: [a]}", "`networks.default` must be a mapping, found a list"),
        ("volumes: {'a/b c': }", "the key of a volume cannot have '/'"),
        ("volumes: [vv]", "`volumes` must be a mapping, found a list"),
        (
            "volumes: {v: {external: true, driver: local}}",
            "an external volume belongs to somebody else: `driver` cannot be said of it",
        ),
        ("volumes: {v: {name: a1, external: {name: b1}}}", "`name` and `external.name` differ"),
    ];
    for (written, why) in pairs {
        let said = said(&format!("services: {{a: {{image: x}}}}\n{written}"));
        assert!(said.contains(why), "{written}: {said}");
    }
}

#[test]
fn project_names_are_checked() {
    let named = |name: &str| {
        let mut manifest = manifest("services: {a: {image: x}}");
        manifest.name = Some(name.to_owned());
        resolved(manifest, &Given::default()).1
    };
    assert_eq!(named("shop-2"), "");
    assert!(named("My Shop").contains("`My Shop` cannot be a project name"));
    assert!(
        said("name: My.Shop\nservices: {a: {image: x}}")
            .contains("1:7 warning: \"My.Shop\" cannot be a project name; `myshop` is taken")
    );
    let mut manifest = manifest("services: {a: {image: x}}");
    manifest.directory = "/srv/...".into();
    let said = resolved(manifest, &Given::default()).1;
    assert!(
        said.contains("the directory's name \"...\" gives no project name; set one with `-p NAME`"),
        "{said}"
    );
}
