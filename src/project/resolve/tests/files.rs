//! Secrets and configs. What is an error here, Docker Compose 2.40 rejects as well; what stands in the way, it refuses
//! at `up`, or does in silence what nobody can mean.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::tree::{Given, manifest, resolved};
use crate::project::{FileKind, FileSource, Project};

/// Files at `/srv/p`, and a variable.
fn read(text: &str) -> (Option<Project>, String) {
    let mut manifest = manifest(text);
    for (name, value) in [("SET", "canary"), ("EMPTY", "")] {
        manifest.variables.insert(name.to_owned(), value.to_owned());
    }
    let file = |name: &str, bytes: &[u8]| (PathBuf::from(format!("/srv/p/{name}")), bytes.to_vec());
    let files = Given(BTreeMap::from([file("s", b"canary"), file("big", &vec![b'x'; 1024 * 1024 + 1])]));
    resolved(manifest, &files)
}

fn said(text: &str) -> String {
    read(text).1
}

/// What is said about the secret `s` and the config `c`, which a plain service is given.
fn top(secret: &str, config: &str) -> String {
    said(&format!(
        "services: {{a: {{image: x, systemd: false, secrets: [s], configs: [c]}}}}\nsecrets: {{s: {secret}}}\nconfigs: {{c: {config}}}\n"
    ))
}

fn secret(text: &str) -> String {
    top(text, "{content: x}")
}

fn config(text: &str) -> String {
    top("{file: ./s}", text)
}

const TOP: &str = "secrets: {s: {file: ./s}, e: {environment: SET}, big: {file: ./big}}\nconfigs: {c: {content: x}, f: {file: ./s}}\n";

/// What is said about a plain service with these keys.
fn plain(keys: &str) -> String {
    said(&format!("services: {{a: {{image: x, systemd: false, {keys}}}}}\n{TOP}"))
}

/// The same of a machine.
fn machine(keys: &str) -> String {
    said(&format!("services: {{a: {{image: x, {keys}}}}}\n{TOP}"))
}

#[test]
fn what_is_declared_is_read_where_a_service_is_given_it() {
    let (project, told) = read(&format!(
        "services: {{a: {{image: x, systemd: false, secrets: [s, e], configs: [{{source: c, target: etc/c, uid: '5', mode: 0440}}]}}}}\n{TOP}"
    ));
    assert_eq!(told, "");
    let project = project.unwrap();
    let given: Vec<String> = project
        .given_to(&project.services["a"])
        .map(|(kind, reference, object)| {
            let bytes = String::from_utf8_lossy(object.held.bytes().unwrap()).into_owned();
            format!(
                "{} {} {:?} {:?} {bytes}",
                kind.word(),
                reference.path(kind),
                reference.owner(),
                reference.mode
            )
        })
        .collect();
    assert_eq!(
        given,
        [
            "secret /run/secrets/s (0, 0) None canary",
            "secret /run/secrets/e (0, 0) None canary",
            "config /etc/c (5, 0) Some(288) x"
        ]
    );
    assert!(!format!("{project:?}").contains("canary"));
    assert_eq!(project.secrets["s"].source, Some(FileSource::File("/srv/p/s".into())));
    assert!(!project.secrets.contains_key("big") && !project.configs.contains_key("f"));
}

#[test]
fn a_part_of_a_project_has_its_own_files_alone() {
    let text = format!(
        "services: {{a: {{image: x, secrets: [s]}}, b: {{image: x, secrets: [e], configs: [c]}}}}\n{TOP}"
    );
    let project = read(&text).0.unwrap();
    let keys = |name: &str| {
        let part = project.narrowed(&[name.to_owned()]);
        part.secrets.into_keys().chain(part.configs.into_keys()).collect::<Vec<_>>()
    };
    assert_eq!(keys("a"), ["s"]);
    assert_eq!(keys("b"), ["e", "c"]);
}

#[test]
fn what_compose_rejects_is_an_error_at_its_place() {
    for (text, wanted) in [
        ("", "2:12 `secrets.s` must be a mapping, found nothing"),
        ("{}", "2:11 nothing says what the secret `s` holds; give it one of: file, environment"),
        ("{driver: d}", "2:11 nothing says what the secret `s` holds"),
        ("{external: false}", "2:11 nothing says what the secret `s` holds"),
        ("{environment: ''}", "2:28 nothing says what the secret `s` holds"),
        ("{file: 5}", "2:21 `secrets.s.file` must be text, found a number"),
        (
            "{file: a, environment: B}",
            "2:24 `secrets.s` comes from one place, not from two [2:15 the other one]; take one away; a later file takes it away by `file: !reset null`",
        ),
        ("{external: {name: a}, name: b}", "`name` and `external.name` differ"),
        ("{file: ./s, driver_opts: {a: true}}", "`driver_opts.a` must be text or a number"),
    ] {
        assert!(secret(text).contains(wanted), "{text}: {}", secret(text));
    }
    assert!(config("{content: 5}").contains("3:24 `configs.c.content` must be text, found a number"));
    assert!(config("{content: a, file: b}").contains("`configs.c` comes from one place, not from two"));
    assert!(
        said("services: {a: {image: x}}\nsecrets:\n").contains("`secrets` must be a mapping, found nothing")
    );
    assert!(
        said("services: {a: {image: x}}\nconfigs: {'a b': {content: x}, ..: {content: x}}\n")
            .contains("the key of a config cannot have ' '")
    );
    assert!(
        said("services: {a: {image: x}}\nconfigs: {..: {content: x}}\n")
            .contains("2:11 \"..\" cannot be the key of a config")
    );
}

#[test]
fn what_a_service_says_is_an_error_where_compose_has_it() {
    for (keys, wanted) in [
        ("secrets: s", "1:51 `secrets` must be a list, found text"),
        ("secrets: ", "`secrets` must be a list, found nothing"),
        ("secrets: [1]", "`secrets` must be text, found a number; put it in quotes: \"1\""),
        ("secrets: ['']", "`secrets` is empty"),
        ("secrets: [{target: t}]", "an entry of `secrets` needs a `source`"),
        ("secrets: [{source: s, target: }]", "`target` must be text, found nothing"),
        ("secrets: [{source: s, uid: 5}]", "`uid` must be text, found a number"),
        (
            "secrets: [q]",
            "1:52 `a` is given the secret `q`, which is not declared; declare it: secrets: { q: { file: … } } at the top level",
        ),
        (
            "secrets: [{source: bigg}]",
            "1:52 `a` is given the secret `bigg`, which is not declared; did you mean `big`?",
        ),
        ("configs: [s]", "`a` is given the config `s`, which is not declared; declare it: configs:"),
        (
            "secrets: [{source: s, mode: r--}]",
            "`mode`: `r--` are no permission bits; write octal digits with a leading 0, such as 0440",
        ),
        ("secrets: [{source: s, mode: '0888'}]", "`0888` are no permission bits"),
        ("secrets: [{source: s, mode: 1.5}]", "`1.5` are no permission bits"),
        ("secrets: [{source: s, mode: -4}]", "`-4` are no permission bits"),
        ("secrets: [{source: s, mode: true}]", "`true` are no permission bits"),
        ("secrets: [{source: s, mode: ''}]", "`` are no permission bits"),
        ("secrets: [{source: s, mode: [4]}]", "`mode` must be permission bits such as 0440, found a list"),
    ] {
        assert!(plain(keys).contains(wanted), "{keys}: {}", plain(keys));
        assert!(!plain(keys).contains("canary"));
    }
}

#[test]
fn a_mode_is_what_yaml_makes_of_a_number_and_octal_as_text() {
    let mode = |text: &str| {
        let (project, told) = read(&format!(
            "services: {{a: {{image: x, systemd: false, secrets: [{{source: e, mode: {text}}}]}}}}\n{TOP}"
        ));
        (project.and_then(|project| project.services["a"].secrets[0].mode), told)
    };
    for text in ["0440", "'0440'", "'440'", "0o440", "288", "0x120", "0_440"] {
        assert_eq!(mode(text).0, Some(0o440), "{text}");
    }
    let (bits, told) = mode("644");
    assert_eq!(bits, Some(0o1204));
    assert!(told.contains("warning: `mode: 644` is a decimal number, and means 01204; write 0644"), "{told}");
    assert!(mode("07777777").1.contains("obstacle: `mode`: 0o7777777 has more bits than permissions have"));
}

#[test]
fn what_cannot_be_had_stands_in_the_way() {
    for (text, wanted) in [
        ("{file: ./no}", "2:21 obstacle: `secrets.s.file`: cannot read /srv/p/no: not found"),
        ("{file: ''}", "2:21 obstacle: `secrets.s.file` is empty"),
        (
            "{environment: NO}",
            "2:28 obstacle: the variable NO is not set, which holds the secret `s`; set it in the environment or in `.env`",
        ),
        ("{environment: EMPTY}", "2:28 warning: the variable EMPTY is empty, and so is the secret `s`"),
        (
            "{external: true}",
            "2:15 obstacle: the secret `s` is external, and an engine without Swarm keeps no secrets; give it by `file` or `environment` instead of `external`",
        ),
        ("{external: {name: q}}", "obstacle: the secret `s` is external"),
        ("{file: ./s, driver: d}", "2:26 obstacle: `secrets.s.driver` needs Swarm, which is not used"),
        ("{file: ./s, template_driver: d}", "obstacle: `secrets.s.template_driver` needs Swarm"),
    ] {
        assert!(
            secret(text).starts_with(wanted) || secret(text).contains(wanted),
            "{text}: {}",
            secret(text)
        );
    }
    assert!(config("{external: true}").contains("obstacle: the config `c` is external"));
    assert_eq!(config("{content: ''}"), "");
    let unused =
        "services: {a: {image: x}}\nsecrets: {s: {file: ./no}, t: {environment: NO}, u: {external: true}}\n";
    assert_eq!(said(unused), "");
}

#[test]
fn what_is_put_into_a_root_must_stay_there() {
    for (keys, wanted) in [
        (
            "read_only: true, secrets: [e]",
            "obstacle: the secret `e`: it is put into the root of the service, which is read-only [1:42 read-only by this]; a file is bound instead, which works: secrets: { e: { file: … } }",
        ),
        (
            "tmpfs: [/run], secrets: [e]",
            "obstacle: the secret `e`: /run/secrets/e lies in memory (/run), which is empty at each start",
        ),
        ("tmpfs: /run, secrets: [{source: e, target: /var/run/x}]", "/run/x lies in memory (/run)"),
        (
            "volumes: [{type: tmpfs, target: /t}], configs: [{source: c, target: /t/c}]",
            "/t/c lies in memory (/t)",
        ),
        (
            "volumes: ['./d:/d:ro'], configs: [{source: c, target: /d/c}]",
            "/d/c lies in /d, which is mounted read-only",
        ),
        (
            "volumes: ['./d:/d'], secrets: [{source: e, target: /d/e}]",
            "warning: the secret `e` is written into /srv/p/d of the host, and stays there",
        ),
        (
            "configs: [{source: c, target: /proc/c}]",
            "it cannot be at /proc/c, since /proc is not the image's",
        ),
        ("secrets: [{source: s, target: /dev/shm/s}]", "it cannot be at /dev/shm/s"),
        ("secrets: [{source: e, target: /}]", "its target is the root; give the path of a file"),
        ("secrets: [{source: e, uid: root}]", "obstacle: the secret `e`: `uid: root` is no number"),
        ("secrets: [{source: e, gid: '-1'}]", "`gid: -1` is no number"),
        ("secrets: [s], volumes: ['./d:/run/secrets/s']", "something else is mounted at /run/secrets/s"),
        (
            "secrets: [s], configs: [{source: c, target: /run/secrets/s}]",
            "obstacle: /run/secrets/s is given twice [1:52 given here first]",
        ),
        (
            "secrets: [{source: s, mode: 0400}]",
            "warning: `uid`, `gid` and `mode` change nothing for the secret `s`: a local engine binds its file as it is",
        ),
    ] {
        assert!(plain(keys).contains(wanted), "{keys}: {}", plain(keys));
    }
    for keys in [
        "read_only: true, tmpfs: [/run], secrets: [s], configs: [f]",
        "tmpfs: [/run], volumes: ['v:/run/secrets'], secrets: [big]",
        "secrets: [e, {source: e, target: e2, uid: '1000', mode: 0400}], configs: [c]",
    ] {
        assert!(!plain(keys).contains("secret `"), "{keys}: {}", plain(keys));
    }
}

#[test]
fn a_machine_gets_what_belongs_into_memory_while_it_boots() {
    assert_eq!(
        machine("tmpfs: [/cache], secrets: [s, e, {source: e, target: /cache/e, uid: '5'}], configs: [c]"),
        ""
    );
    for (keys, wanted) in [
        ("secrets: [{source: e, target: 'a\"b'}]", "a target in memory cannot have quotes or backslashes"),
        (
            "secrets: [e], systemd: {mask: [systemd-tmpfiles-setup.service]}",
            "obstacle: the secret `e`: `systemd-tmpfiles-setup.service` is masked, which puts it at /run/secrets/e",
        ),
        (
            "configs: [{source: c, target: /tmp/c}], systemd: {units: {systemd-tmpfiles-setup.service: {mask: true}}}",
            "`systemd-tmpfiles-setup.service` is masked, which puts it at /tmp/c",
        ),
        ("configs: [{source: c, target: /run/systemd/c}]", "since /run/systemd is not the image's"),
        (
            "secrets: [big]",
            "warning: the secret `big` is larger than 1 MiB, and so no credential of units; units read /run/secrets/big instead",
        ),
    ] {
        assert!(machine(keys).contains(wanted), "{keys}: {}", machine(keys));
    }
    let told = said("services: {a: {image: x, secrets: [s]}}\nsecrets: {s: {file: ./no}}\n");
    assert!(told.contains("obstacle: `secrets.s.file`: cannot read /srv/p/no: not found"), "{told}");
}

#[test]
fn a_build_reads_the_mode_of_a_secret_as_a_service_does() {
    let (project, _) = read(&format!(
        "services: {{a: {{systemd: false, build: {{context: ., secrets: [{{source: s, mode: '440'}}]}}}}}}\n{TOP}"
    ));
    let project = project.unwrap();
    let named: Vec<&str> = project.services["a"].named_files(FileKind::Secret).collect();
    assert_eq!(named, ["s"]);
    // What only a build is given is shown, and not read.
    assert!(project.secrets["s"].held.bytes().is_none());
}
