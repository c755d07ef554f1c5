use super::*;
use crate::diagnostic::{Severity, Sources};
use crate::yaml::{Limits, read};

/// Checks a text's keys; each finding as `line:column what; help`, a line each.
fn told(text: &str) -> String {
    let mut sources = Sources::default();
    let reading = read(&mut sources, "a.yaml", text.as_bytes(), &Limits::default());
    let root = reading.documents.unwrap_or_else(|| panic!("{:?}", reading.diagnostics)).remove(0);
    let lines = check_keys(&root).into_iter().map(|found| {
        let places = found.labels.iter().filter_map(|label| sources.position(label.span));
        let places =
            places.map(|place| format!("{}:{}", place.line, place.column)).collect::<Vec<_>>().join(" ");
        let warning = if found.severity == Severity::Warning { "warning: " } else { "" };
        format!("{places} {warning}{}; {}", found.what, found.help.join("; "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn service(text: &str) -> String {
    told(&format!("services:\n  web: {{image: x, {text}}}\n"))
}

#[test]
fn a_whole_manifest_has_nothing_unknown() {
    assert_eq!(
        told(
            "name: x\nx-own: {anything: [1]}\nsystemd: {target: a.target}\nservices:\n  web:\n    x-systemd: {units: {a.service: {drop_in: {file: y}}}}\n    image: x\n    environment: {ANY: 1}\n    labels: [a=b]\n    depends_on: {db: {condition: unit_active, unit: x.socket}}\n    ports: [80, {target: 1, x-note: y}]\n    networks: {n: {aliases: [a]}, m: }\n    ulimits: {nofile: {soft: 1, hard: 2}}\n    extra_hosts: {h: [1.1.1.1]}\n    deploy: {x-y: 1, resources: {limits: {cpus: 1}}}\n  x-b: {image: y}\nnetworks: {n: {ipam: {config: [{subnet: a}]}}}\nvolumes: {v: {driver_opts: {o: bind}}}\n"
        ),
        ""
    );
}

#[test]
fn an_unknown_key_names_the_one_that_was_meant() {
    assert_eq!(service("imgae: y"), "2:19 unknown key `imgae`; did you mean `image`?");
    assert_eq!(service("depend_on: []"), "2:19 unknown key `depend_on`; did you mean `depends_on`?");
    assert_eq!(service("cap-add: []"), "2:19 unknown key `cap-add`; did you mean `cap_add`?");
    assert_eq!(service("systemd: {targt: x}"), "2:29 unknown key `targt`; did you mean `target`?");
    assert_eq!(told("servces: {}\n"), "1:1 unknown key `servces`; did you mean `services`?");
    assert_eq!(service("build: {contxt: .}"), "2:27 unknown key `contxt`; did you mean `context`?");
    assert_eq!(service("ports: [{targte: 1}]"), "2:28 unknown key `targte`; did you mean `target`?");
}

#[test]
fn a_key_in_the_wrong_place_is_sent_to_the_right_one() {
    assert_eq!(service("replicas: 2"), "2:19 unknown key `replicas`; `replicas` belongs below `deploy:`");
    assert_eq!(service("units: {}"), "2:19 unknown key `units`; `units` belongs below `systemd:`");
    assert_eq!(
        told("image: x\n"),
        "1:1 unknown key `image`; `image` belongs to a service, below `services:`"
    );
    assert_eq!(
        told("web: {image: x}\n"),
        "1:1 unknown key `web`; services stand below `services:`; move `web` there"
    );
    assert_eq!(
        service("systemd: {image: x}"),
        "2:29 unknown key `image`; `image` belongs to the service itself"
    );
    assert_eq!(
        service("qqqqqqq: 1"),
        "2:19 unknown key `qqqqqqq`; a key of your own starts with `x-`: `x-qqqqqqq`"
    );
}

#[test]
fn a_refused_key_is_named_once_with_a_way_out() {
    assert_eq!(
        told("services: {}\nsecrets: {key: {content: x, contnt: y}}\n"),
        "2:17 `content` is not supported; give it by `file` or `environment`, so that the manifest holds no secret; or make it a config\n2:29 unknown key `contnt`; did you mean `content`?"
    );
}

#[test]
fn an_ignored_key_is_one_warning_for_all_its_places() {
    assert_eq!(
        told(
            "version: '3'\nservices:\n  a: {image: x, deploy: {mode: global, placement: {constraints: [q]}}}\n  b: {image: x, deploy: {mode: global}}\n"
        ),
        "1:1 warning: `version` changes nothing: the version of a manifest says nothing any more; \n\
         3:26 4:26 warning: `deploy.mode` changes nothing, 2 times: one engine has no nodes to choose from and updates by its own plan; \n\
         3:40 warning: `deploy.placement` changes nothing: one engine has no nodes to choose from and updates by its own plan; "
    );
}

#[test]
fn keys_that_yaml_reads_as_something_else_must_be_quoted() {
    let told = |key: &str| service(&format!("environment: {{{key}: x}}"));
    assert_eq!(told("1"), "2:33 the key 1 is a number, not text; quote it");
    for number in ["0x1F", "1.0", "-1", "1e3", "0o17", "1_000", ".inf"] {
        assert!(told(number).contains("is a number"), "{number}");
    }
    assert!(told("true").contains("is a truth value"));
    assert!(told("2020-01-01").contains("is a date"));
    for text in ["yes", "on", "'1'", "1a", "a1", "1.2.3", "x-1", "-", "--1", "infinity", "nan", "."] {
        assert_eq!(told(text), "", "{text}");
    }
}

#[test]
fn every_path_of_the_table_is_there_once_and_hangs_on_its_parent() {
    let all = keys();
    let paths: std::collections::HashSet<&str> = all.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths.len(), all.len());
    for (path, key) in &all {
        if let Some((parent, _)) = path.rsplit_once('.') {
            assert!(paths.contains(parent), "{path} has no parent in the table");
        }
        assert!(!key.doc.is_empty() && !key.doc.ends_with('.'), "{path}");
        let refused = matches!(key.state, State::Refused(_));
        assert_eq!(refused, key.forms.is_empty(), "{path}");
    }
}

#[test]
fn the_committed_schema_is_current() {
    check_current(
        "/schema/sdcompose.schema.json",
        &(serde_json::to_string_pretty(&schema()).unwrap() + "\n"),
    );
}

#[test]
fn the_committed_list_of_keys_is_current() {
    let head = "# Keys of a manifest\n\nMade from the table that sdcompose itself reads by (`src/manifest/keys`). Keys that start with `x-` are\nfree everywhere but among names that you choose. `x-systemd` is `systemd` under a name that Docker Compose\nlets pass.\n\n";
    check_current("/docs/keys.md", &(head.to_owned() + &markdown()));
}

fn check_current(path: &str, current: &str) {
    let path = env!("CARGO_MANIFEST_DIR").to_owned() + path;
    if update_wanted() {
        write(&path, current);
    }
    assert!(current == committed(&path), "run the tests with SDCOMPOSE_UPDATE=1 to write {path}");
}

#[expect(clippy::disallowed_methods, reason = "the test keeps a committed file current")]
fn update_wanted() -> bool {
    std::env::var_os("SDCOMPOSE_UPDATE").is_some()
}

#[expect(clippy::disallowed_methods, reason = "the test keeps a committed file current")]
fn write(path: &str, text: &str) {
    std::fs::write(path, text).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the test keeps a committed file current")]
fn committed(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn the_schema_names_implemented_keys_only() {
    let schema = schema();
    let service = &schema["properties"]["services"]["additionalProperties"]["properties"];
    assert_eq!(service["image"]["type"], "string");
    for (path, key) in keys() {
        if let (State::Refused(_), Some(name)) = (key.state, path.strip_prefix("services.*.")) {
            assert!(service.get(name).is_none(), "{path}");
        }
    }
    assert_eq!(service["deploy"]["anyOf"][0]["properties"]["mode"]["deprecated"], true);
    assert_eq!(schema["$defs"]["systemd"]["properties"]["boot_timeout"]["type"], "string");
    assert_eq!(service["systemd"]["anyOf"][1]["$ref"], "#/$defs/systemd");
    assert_eq!(service["x-systemd"]["anyOf"][1]["$ref"], "#/$defs/systemd");
}

#[test]
fn the_markdown_table_has_a_row_for_each_key() {
    let table = markdown();
    assert_eq!(table.lines().count(), keys().len() + 2);
    assert!(table.contains("| `services.*.image` | yes | the image |\n"));
    for (path, key) in keys() {
        if let State::Refused(way_out) = key.state {
            assert!(table.contains(&format!("| `{path}` | refused | {} ({way_out}) |\n", key.doc)), "{path}");
        }
    }
}
