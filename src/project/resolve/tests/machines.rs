use std::path::PathBuf;

use super::tree::{Given, manifest, project, resolved, said};
use crate::manifest::{Dialect, interpolate};
use crate::project::{Feature, Identity, Journal, JournalStorage, Machine, Privilege, ProfileName, Ready};
use crate::systemd::UnitName;

fn machine(text: &str) -> Machine {
    project(text).services["a"].machine.clone().unwrap()
}

#[test]
fn a_machine_gets_systemds_defaults() {
    let project = project("services: {a: {image: x}}");
    let a = &project.services["a"];
    assert_eq!(a.stop_signal.as_deref(), Some("SIGRTMIN+3"));
    assert_eq!(a.stop_grace_period.as_secs(), 90);
    let machine = a.machine.clone().unwrap();
    assert_eq!(machine.target.as_str(), "multi-user.target");
    assert_eq!(machine.privilege, Privilege::Auto);
    assert_eq!(machine.ready, Ready::Running);
    assert_eq!(machine.boot_timeout.as_secs(), 90);
    assert_eq!(machine.log_level, "info");
    assert_eq!(
        machine.journal,
        Journal { storage: JournalStorage::Volatile, max: 64 << 20, forward_console: false }
    );
    assert_eq!(machine.identity, Identity::Derived);
    assert!(machine.mask_defaults && machine.environment_to_units);
}

#[test]
fn every_field_is_read() {
    let machine = machine(
        "
services:
  a:
    image: x
    systemd:
      target: graphical.target
      init: /sbin/init
      args: [--show-status=1]
      log_level: debug
      log_target: console
      privilege: remount
      features: [sandboxing, time]
      enable: [a.service, b.timer, a.service]
      mask: [c.socket]
      mask_defaults: false
      environment_to_units: false
      credentials: {token: {content: secret}, home: {environment: HOME}}
      ready: [a.service]
      boot_timeout: 2m
      journal: {storage: persistent, max: 128M, forward: console}
      identity: 00112233-4455-6677-8899-AABBCCDDEEFF
",
    );
    assert_eq!(machine.target.as_str(), "graphical.target");
    assert_eq!(machine.init.as_deref(), Some("/sbin/init"));
    assert_eq!(machine.args, ["--show-status=1"]);
    assert_eq!((machine.log_level.as_str(), machine.log_target.as_deref()), ("debug", Some("console")));
    assert_eq!(machine.privilege, Privilege::Fixed(ProfileName::Remount));
    assert_eq!(machine.features, [Feature::Sandboxing, Feature::Time].into());
    assert_eq!(machine.enable.iter().map(UnitName::as_str).collect::<Vec<_>>(), ["a.service", "b.timer"]);
    assert_eq!(machine.mask.iter().map(UnitName::as_str).collect::<Vec<_>>(), ["c.socket"]);
    assert!(!machine.mask_defaults && !machine.environment_to_units);
    assert_eq!(machine.credentials["token"].bytes, b"secret");
    assert_eq!(machine.credentials["home"].bytes, b"/home/user");
    assert!(matches!(&machine.ready, Ready::Units(units) if units.len() == 1));
    assert_eq!(machine.boot_timeout.as_secs(), 120);
    assert_eq!(
        machine.journal,
        Journal { storage: JournalStorage::Persistent, max: 128 << 20, forward_console: true }
    );
    assert_eq!(machine.identity, Identity::Fixed("00112233445566778899aabbccddeeff".to_owned()));
}

#[test]
fn top_level_defaults_lie_under_each_machine() {
    let text = "
systemd:
  boot_timeout: 30s
  enable: [ssh.service]
  journal: {max: 1m}
  units: {x.service: {drop_in: \"[Service]\\nNice=1\"}}
services:
  a: {image: x, systemd: {enable: [cron.service], journal: {storage: auto}}}
  b: {image: x, systemd: {boot_timeout: 5m, units: {x.service: {mask: true}}}}
";
    let project = project(text);
    let a = project.services["a"].machine.clone().unwrap();
    assert_eq!(a.boot_timeout.as_secs(), 30);
    assert_eq!(a.enable.iter().map(UnitName::as_str).collect::<Vec<_>>(), ["ssh.service", "cron.service"]);
    assert_eq!((a.journal.storage, a.journal.max), (JournalStorage::Auto, 1 << 20));
    let b = project.services["b"].machine.clone().unwrap();
    assert_eq!(b.boot_timeout.as_secs(), 300);
    assert!(b.units.values().all(|unit| unit.mask && unit.drop_in.is_none()));
}

#[test]
fn a_mistake_in_the_defaults_is_said_once() {
    let text = "systemd: {target: nginx}\nservices: {a: {image: x}, b: {image: x}}";
    assert_eq!(
        said(text),
        "1:19 \"nginx\" is not the name of a unit: `nginx` has no unit suffix such as `.service`; did you mean `nginx.service`?"
    );
}

#[test]
fn units_come_from_files_and_from_the_manifest() {
    let text = "
services:
  a:
    image: x
    systemd:
      units:
        shop.service: {file: ./web/shop.service, enable: true}
        nginx.service: {drop_in: {file: n.conf}}
        getty@.service: {content: \"# a comment\\n[Service]\\n\"}
";
    let files = Given(
        [
            (PathBuf::from("/srv/p/web/shop.service"), b"[Unit]\nDescription=Shop\n".to_vec()),
            (PathBuf::from("/srv/p/n.conf"), b"[Service]\n".to_vec()),
        ]
        .into(),
    );
    let (project, said) = resolved(manifest(text), &files);
    let machine = project.unwrap_or_else(|| panic!("{said}")).services["a"].machine.clone().unwrap();
    let shown: Vec<String> = machine
        .units
        .iter()
        .map(|(name, unit)| {
            let text = |bytes: &Option<Vec<u8>>| {
                bytes.as_deref().map(|bytes| String::from_utf8_lossy(bytes).replace('\n', "|"))
            };
            format!("{name} {:?} {:?} {}", text(&unit.content), text(&unit.drop_in), unit.enable)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "shop.service Some(\"[Unit]|Description=Shop|\") None true",
            "nginx.service None Some(\"[Service]|\") false",
            "getty@.service Some(\"# a comment|[Service]|\") None false",
        ]
    );
    assert_eq!(
        said_of_units("x.service: {file: none.service}"),
        "1:62 `systemd.units.x.service.file`: cannot read /srv/p/none.service: not found"
    );
}

fn said_of_units(units: &str) -> String {
    said(&format!("services: {{a: {{image: x, systemd: {{units: {{{units}}}}}}}}}"))
}

#[test]
fn mistakes_in_units_are_named() {
    let pairs = [
        ("nginx: {mask: true}", "did you mean `nginx.service`?"),
        ("nginx.servce: {mask: true}", "did you mean `nginx.service`?"),
        (
            "x.service: {content: 'Description=x'}",
            "the unit begins with \"Description=x\" and not with a section",
        ),
        (
            "x@.service: {enable: true}",
            "`x@.service` is a template, which cannot be started; name an instance of it, such as `x@NAME.service`",
        ),
        (
            "x.service: {enable: true, mask: true}",
            "`x.service` is masked, and cannot be given or enabled as well",
        ),
        ("x.service: {}", "warning: nothing is said about `x.service`"),
        (
            "x.service: [a]",
            "`systemd.units.x.service` must be a mapping with `file`, `content` or `drop_in`, found a list",
        ),
        ("nginx: {content: 'Description=x'}", "the unit begins with \"Description=x\""),
        ("'a b.service': {mask: true}", "' ' is not allowed in a unit name"),
    ];
    for (written, why) in pairs {
        let said = said_of_units(written);
        assert!(said.contains(why), "{written}: {said}");
    }
}

#[test]
fn what_a_machine_cannot_have_says_why_and_what_to_use() {
    let pairs = [
        (
            "command: [nginx, -g]",
            "`command` cannot be given to a machine: its PID 1 is systemd [`nginx` is no argument for systemd]",
        ),
        ("entrypoint: /entry.sh", "`entrypoint` cannot be given to a machine"),
        ("user: app", "`user` cannot be given to a machine: its systemd runs as root; set `User=app`"),
        ("init: true", "`init: true` puts the engine's own init at PID 1"),
        (
            "volumes: ['/sys/fs/cgroup:/sys/fs/cgroup']",
            "/sys/fs/cgroup would give the machine cgroups of the host",
        ),
        ("volumes: ['xx:/run']", "a mount at /run hides what systemd needs there"),
        ("volumes: ['./x:/proc/sys']", "a machine cannot have a mount at /proc/sys"),
        ("read_only: true", "`read_only` cannot be given to a machine: its unit files are put into its root"),
        ("volumes: ['/:/host:ro']", "warning: the bind of / gives the machine the host's own files"),
        (
            "volumes: ['/var/run/docker.sock:/docker.sock']",
            "gives the machine the engine, which is root on the host",
        ),
        ("stop_signal: SIGTERM", "warning: SIGTERM does not stop systemd"),
        ("privileged: true", "warning: `privileged: true` gives the machine the whole host"),
        (
            "cap_add: [SYS_ADMIN], systemd: {privilege: own-subtree}",
            "this would give the machine every cgroup of the host [needs SYS_ADMIN]",
        ),
        (
            "systemd: {privilege: own-subtree-v1, features: [nfs]}",
            "this would give the machine every cgroup of the host",
        ),
        ("systemd: {privilege: own-subtre}", "did you mean `own-subtree`?"),
        ("systemd: {args: [--unit=x.target]}", "`--unit` has a field of its own; use `systemd.target`"),
        (
            "systemd: {args: [systemd.setenv=A=b]}",
            "`systemd.setenv=A` would be told to every user in the machine",
        ),
        ("systemd: {target: x.service}", "`systemd.target` must be a target, found `x.service`"),
        ("systemd: {enable: [x.service], mask: [x.service]}", "`x.service` is both enabled and masked"),
        ("systemd: {ready: ready}", "`systemd.ready` cannot be `ready`"),
        ("systemd: {credentials: {a: {environment: NOPE}}}", "the variable NOPE is not set"),
        ("systemd: {credentials: {a/b: {content: x}}}", "\"a/b\" cannot be the name of a credential"),
        ("systemd: {journal: {forward: syslog}}", "`systemd.journal.forward` cannot be `syslog`"),
        ("systemd: {identity: abc}", "`systemd.identity` cannot be `abc`"),
        ("systemd: {boot_timeout: 90}", "`systemd.boot_timeout: 90` needs a unit; write 90s for seconds"),
        ("systemd: [a]", "`systemd` must be true, false or a mapping, found a list"),
        ("systemd: {}, x-systemd: {}", "`systemd` and `x-systemd` are the same key"),
    ];
    for (written, why) in pairs {
        let said = said(&format!("services: {{a: {{image: x, {written}}}}}\nvolumes: {{xx: }}"));
        assert!(said.contains(why), "{written}: {said}");
    }
}

#[test]
fn a_command_may_name_systemd_and_its_arguments() {
    let machine = machine(
        "services: {a: {image: x, entrypoint: /lib/systemd/systemd, command: [systemd.show_status=1, --log-color=0]}}",
    );
    assert_eq!(machine.init.as_deref(), Some("/lib/systemd/systemd"));
    assert_eq!(machine.args, ["systemd.show_status=1", "--log-color=0"]);
}

#[test]
fn a_compose_file_may_bind_the_cgroup_tree_which_is_left_out() {
    let mut manifest = manifest(
        "services: {a: {image: x, x-systemd: , volumes: ['/sys/fs/cgroup:/sys/fs/cgroup:ro'], tmpfs: [/run, /tmp]}}",
    );
    manifest.dialect = Dialect::Compose;
    let (project, said) = resolved(manifest, &Given::default());
    assert!(said.contains("warning: /sys/fs/cgroup is left out"), "{said}");
    let targets: Vec<String> =
        project.unwrap().services["a"].mounts.iter().map(|mount| mount.target.clone()).collect();
    assert_eq!(targets, ["/run", "/tmp"]);
}

#[test]
fn the_cgroups_of_the_host_are_not_given_to_a_machine() {
    let bound = |mount: &str, privilege: &str| {
        said(&format!(
            "services: {{a: {{image: x, volumes: ['{mount}'], systemd: {{privilege: {privilege}}}}}}}"
        ))
    };
    for source in
        ["/sys/fs/cgroup", "/sys/fs/cgroup/x", "/sys", "/sys/fs/", "/", "//", "/etc/../sys/fs/cgroup/"]
    {
        for privilege in ["auto", "remount"] {
            let said = bound(&format!("{source}:/cg"), privilege);
            let error = format!("1:36 the bind of {source} would give the machine every cgroup of the host");
            assert!(said.starts_with(&error), "{source}: {said}");
        }
        for (mount, privilege) in [(":/cg:ro", "auto"), (":/cg", "classic"), (":/cg", "privileged")] {
            let said = bound(&format!("{source}{mount}"), privilege);
            assert!(said.starts_with("1:36 warning: the bind of "), "{source}{mount}: {said}");
        }
    }
    assert_eq!(bound("/sys/fs/cgroups:/cg", "auto"), "");
    assert_eq!(bound("/srv/x:/cg", "auto"), "");
    assert!(bound("/etc/../var/run/docker.sock:/d.sock", "auto").contains("the engine, which is root"));
    let plain = said("services: {a: {image: x, systemd: false, volumes: ['/:/host']}}");
    assert_eq!(plain, "");
}

#[test]
fn arguments_are_checked_alike_in_args_and_in_a_command() {
    let pairs = [
        ("--user", "`--user` is no argument for a machine's systemd"),
        ("--help", "`--help` is no argument for a machine's systemd"),
        ("--version", "`--version` is no argument for a machine's systemd"),
        ("--show-statsu=1", "did you mean `--show-status`?"),
        ("--unit=x.target", "`--unit` has a field of its own; use `systemd.target`"),
        ("systemd.unit=x.target", "`systemd.unit` has a field of its own; use `systemd.target`"),
        ("systemd.mask=x.service", "`systemd.mask` has a field of its own; use `systemd.mask`"),
        ("systemd.wants=x.service", "`systemd.wants` has a field of its own; use `systemd.enable`"),
        ("systemd.setenv=A=hunter2", "`systemd.setenv=A` would be told to every user"),
        ("systemd.set-credential=t:hunter2", "`systemd.set_credential=t` would be told to every user"),
        (
            "systemd.set_credential_binary=t:hunter2",
            "`systemd.set_credential_binary=t` would be told to every user",
        ),
        ("systemd.x=1 systemd.setenv=A=hunter2", "the argument `systemd.x` has a blank in it"),
        ("rd.break=hunter2", "`rd.break` is no argument for a machine's systemd"),
    ];
    for (word, why) in pairs {
        let args =
            said(&format!("services: {{a: {{image: x, systemd: {{args: [--show-status=1, '{word}']}}}}}}"));
        assert!(args.starts_with("1:60 ") && args.contains(why), "{word}: {args}");
        let command = said(&format!("services: {{a: {{image: x, command: [/sbin/init, '{word}']}}}}"));
        assert!(command.starts_with("1:48 ") && command.contains(why), "{word}: {command}");
        assert!(!(args + &command).contains("hunter2"), "{word}");
    }
    let said = said("services: {a: {image: x, systemd: {args: [quiet]}}}");
    assert!(said.contains("`quiet` is no argument for a machine's systemd"), "{said}");
}

#[test]
fn a_file_that_is_no_unit_is_not_quoted() {
    for unit in ["{file: /etc/shadow}", "{drop_in: {file: /etc/shadow}}"] {
        let text = format!("services: {{a: {{image: x, systemd: {{units: {{x.service: {unit}}}}}}}}}");
        let files = Given([(PathBuf::from("/etc/shadow"), b"root:hash:1::::::\n".to_vec())].into());
        let (_, said) = resolved(manifest(&text), &files);
        assert!(said.contains("does not begin with a section"), "{said}");
        assert!(!said.contains("hash"), "{said}");
    }
}

#[test]
fn variables_that_do_not_reach_units_are_named() {
    let of = |environment: &str, rest: &str| {
        said(&format!("services: {{a: {{image: x, environment: {environment}{rest}}}}}"))
    };
    assert_eq!(
        of("{MY.VAR: x}", ""),
        "1:40 warning: `environment`: \"MY.VAR\" does not reach the machine's units; systemd takes only names of letters, digits and `_`; PID 1 alone gets it"
    );
    assert!(of("{A: \"\\a\"}", "").contains("systemd takes no value with control characters"));
    for rest in [", systemd: false", ", systemd: {environment_to_units: false}"] {
        assert_eq!(of("{MY.VAR: x}", rest), "");
    }
}

#[test]
fn a_secret_in_a_machines_environment_is_pointed_at_credentials() {
    let of = |environment: &str, rest: &str| {
        said(&format!("services: {{a: {{image: x, environment: {environment}{rest}}}}}"))
    };
    assert_eq!(
        of("{DB_PASSWORD: hunter2, API_TOKEN: hunter2, A: b}", ""),
        "1:26 warning: every user in the machine can read DB_PASSWORD, API_TOKEN; `secrets` gives it as a credential to the units that ask for it, and as a file"
    );
    assert!(of("['DB_SECRET=hunter2']", "").contains("can read DB_SECRET;"));
    for other in ["{DB_PASSWORD: , A: b}", "{DB_PASSWORD: ''}", "{DB_PASSWORD_FILE: /x}", "['TOKEN']"] {
        assert_eq!(of(other, ""), "", "{other}");
    }
    let mut given = manifest("services: {a: {image: x, environment: ['TOKEN=$T']}}");
    let found = interpolate(&mut given.root, &given.sources, &|_| Some("hunter2".to_owned()));
    assert_eq!(found, []);
    assert_eq!(resolved(given, &Given::default()).1, "");
    assert_eq!(of("{DB_PASSWORD: hunter2}", ", systemd: false"), "");
}
