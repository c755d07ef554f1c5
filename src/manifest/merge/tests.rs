use super::*;
use crate::diagnostic::Sources;
use crate::yaml::{Limits, read, shown};

/// Merges the documents of a text and shows the result, or what is wrong.
fn merged(text: &str) -> String {
    let mut sources = Sources::default();
    let reading = read(&mut sources, "a.yaml", text.as_bytes(), &Limits::default());
    let mut documents = reading.documents.unwrap_or_else(|| panic!("{:?}", reading.diagnostics));
    let (root, problems) = merge(documents.remove(0), documents);
    match problems.first() {
        None => shown(&root),
        Some(problem) => problem.what.clone(),
    }
}

/// Merges two forms of one key of a service.
fn service(under: &str, over: &str) -> String {
    let text = format!("services: {{a: {{{under}}}}}\n---\nservices: {{a: {{{over}}}}}\n");
    let merged = merged(&text);
    merged
        .strip_prefix("{services: {a: {")
        .and_then(|rest| rest.strip_suffix("}}}"))
        .map_or(merged.clone(), str::to_owned)
}

#[test]
fn mappings_merge_lists_append_and_scalars_replace() {
    assert_eq!(
        merged("a: {b: 1, c: [x], d: 2}\n---\na: {b: 3, c: [y], e: 4}\nf: 5\n"),
        "{a: {b: 3, c: [x, y], d: 2, e: 4}, f: 5}"
    );
}

/// As Docker Compose 2.40 does: an equal hook is run twice, and the command of a hook is no `command`.
#[test]
fn hooks_and_watch_rules_append() {
    assert_eq!(
        service(
            "post_start: [{command: a}], develop: {watch: [{path: x, action: restart}]}",
            "post_start: [{command: a}, {command: b}], develop: {watch: [{path: x, action: sync}]}"
        ),
        "post_start: [{command: a}, {command: a}, {command: b}], \
         develop: {watch: [{path: x, action: restart}, {path: x, action: sync}]}"
    );
    assert_eq!(
        service("pre_stop: [{command: a}]", "pre_stop: !override [{command: b}]"),
        "pre_stop: [{command: b}]"
    );
    assert_eq!(service("image: x, develop: {watch: []}", "develop: !reset null"), "image: x");
}

#[test]
fn commands_and_tests_are_replaced_even_by_null() {
    assert_eq!(
        service("command: [a, b], entrypoint: x", "command: c, entrypoint: ~"),
        "command: c, entrypoint: ~"
    );
    assert_eq!(
        service("healthcheck: {test: a, retries: 2}", "healthcheck: {test: [b]}"),
        "healthcheck: {test: [b], retries: 2}"
    );
}

#[test]
fn a_null_keeps_what_was_there() {
    assert_eq!(
        service("image: x, ports: [1], build: .", "image: ~, ports: ~, build: ~"),
        "image: x, ports: [1], build: ."
    );
    assert_eq!(merged("networks: {n: {driver: d}}\n---\nnetworks: {n: }\n"), "{networks: {n: {driver: d}}}");
}

#[test]
fn a_null_among_names_is_a_value() {
    assert_eq!(
        service("environment: {A: 1}, labels: {l: 1}", "environment: {A: }, labels: {l: }"),
        "environment: {A: ~}, labels: {l: ~}"
    );
}

#[test]
fn environment_merges_across_its_two_forms() {
    assert_eq!(service("environment: [A=1, B=2]", "environment: {B: 3}"), "environment: {A: \"1\", B: 3}");
    assert_eq!(
        service("environment: {A: 1.0, B: 2}", "environment: [B=3, C]"),
        "environment: {A: 1.0, B: \"3\", C: ~}"
    );
    assert_eq!(service("environment: [A=1, B=2]", "environment: [A=3, C=4]"), "environment: [A=3, B=2, C=4]");
}

#[test]
fn texts_become_lists_where_both_are_allowed() {
    assert_eq!(
        service("dns: [1.1.1.1], tmpfs: /run", "dns: 8.8.8.8, tmpfs: [/tmp]"),
        "dns: [1.1.1.1, 8.8.8.8], tmpfs: [/run, /tmp]"
    );
    assert_eq!(
        service("env_file: a", "env_file: [{path: b}, {path: a, required: false}]"),
        "env_file: [{path: a, required: false}, {path: b}]"
    );
}

#[test]
fn volumes_are_unique_by_their_target() {
    assert_eq!(
        service("volumes: [\"./a:/v\", \"./c:/w\"]", "volumes: [\"./b:/v/\"]"),
        "volumes: [\"./b:/v/\", \"./c:/w\"]"
    );
    assert_eq!(
        merged("services: {a: {volumes: [xx:/v, {type: tmpfs, target: /v}, /w, yy:/w:ro]}}"),
        "{services: {a: {volumes: [{type: tmpfs, target: /v}, yy:/w:ro]}}}"
    );
    assert_eq!(merged("services: {a: {volumes: [\"c:\\\\a:/v\", /v]}}"), "{services: {a: {volumes: [/v]}}}");
}

#[test]
fn some_lists_must_not_have_an_entry_twice() {
    assert_eq!(merged("services: {a: {security_opt: [x, y, x]}}"), "\"x\" is in this list twice");
    assert_eq!(merged("services: {a: {depends_on: [b, b]}}"), "\"b\" is in this list twice");
    assert_eq!(
        service("networks: [n], depends_on: [b]", "networks: [n], depends_on: [b]"),
        "networks: {n: ~}, depends_on: {b: !listed ~}"
    );
    assert_eq!(service("group_add: [g]", "group_add: [g]"), "\"g\" is in this list twice");
}

#[test]
fn a_merge_that_is_not_the_last_keeps_its_marks() {
    let document = |text: &str| {
        let reading = read(&mut Sources::default(), "a.yaml", text.as_bytes(), &Limits::default());
        reading.documents.unwrap().remove(0)
    };
    let (kept, problems) = merge_keeping(
        document("a: {b: [1], c: x, d: !override [1]}"),
        vec![document("a: {b: !override [2], c: !reset , e: !reset }")],
    );
    assert_eq!(shown(&kept), "{a: {b: !override [2], c: !reset ~, d: !override [1], e: !reset ~}}");
    assert!(problems.is_empty());
}

#[test]
fn ports_that_are_written_alike_are_one() {
    assert_eq!(
        service("ports: [\"80:80\", \"81:81\"]", "ports: [\"80:80\", {target: 81}]"),
        "ports: [\"80:80\", \"81:81\", {target: 81}]"
    );
}

#[test]
fn dependencies_and_networks_become_mappings_when_their_forms_differ() {
    assert_eq!(
        service(
            "depends_on: [c, d], networks: [n]",
            "depends_on: {d: {condition: x}}, networks: {m: {aliases: [z]}}"
        ),
        "depends_on: {c: !listed ~, d: {condition: x}}, networks: {n: ~, m: {aliases: [z]}}"
    );
    assert_eq!(
        service("depends_on: {d: {condition: x}}", "depends_on: [c]"),
        "depends_on: {d: {condition: x}, c: !listed ~}"
    );
}

#[test]
fn a_dependency_in_short_form_stands_over_an_earlier_long_one() {
    assert_eq!(service("depends_on: {d: {condition: x}}", "depends_on: [d]"), "depends_on: {d: !listed ~}");
    assert_eq!(service("depends_on: [d]", "depends_on: [d, e]"), "depends_on: {d: !listed ~, e: !listed ~}");
}

#[test]
fn a_build_directory_merges_with_a_mapping() {
    assert_eq!(
        service("build: {context: ., args: [X=1]}", "build: {target: t, args: {Y: 2}}"),
        "build: {context: ., args: {X: \"1\", Y: 2}, target: t}"
    );
    assert_eq!(service("build: .", "build: {target: t}"), "build: {context: ., target: t}");
}

#[test]
fn a_logging_driver_that_changes_takes_its_options_along() {
    assert_eq!(
        service("logging: {driver: d, options: {a: 1}}", "logging: {options: {b: 2}}"),
        "logging: {driver: d, options: {a: 1, b: 2}}"
    );
    assert_eq!(
        service("logging: {driver: d, options: {a: 1}}", "logging: {driver: e}"),
        "logging: {driver: e}"
    );
}

#[test]
fn hosts_keep_several_addresses() {
    assert_eq!(
        service("extra_hosts: [\"h:1.1.1.1\"]", "extra_hosts: [\"h:2.2.2.2\", \"h:1.1.1.1\"]"),
        "extra_hosts: [\"h:1.1.1.1\", \"h:2.2.2.2\"]"
    );
    assert_eq!(
        service("extra_hosts: {h: 1.1.1.1}", "extra_hosts: {h: [2.2.2.2]}"),
        "extra_hosts: [\"h=1.1.1.1\", \"h=2.2.2.2\"]"
    );
}

#[test]
fn limits_and_pools_have_their_own_rules() {
    assert_eq!(
        service("ulimits: {n: 5, m: {soft: 1, hard: 2}}", "ulimits: {n: {soft: 1, hard: 2}, m: 7}"),
        "ulimits: {n: {soft: 1, hard: 2}, m: 7}"
    );
    assert_eq!(
        merged(
            "networks: {n: {ipam: {config: [{subnet: a, gateway: x}]}}}\n---\nnetworks: {n: {ipam: {config: [{subnet: b}, {subnet: a, ip_range: y}]}}}\n"
        ),
        "{networks: {n: {ipam: {config: [{subnet: a, gateway: x, ip_range: y}, {subnet: b}]}}}}"
    );
}

#[test]
fn reset_takes_away_and_override_replaces() {
    assert_eq!(
        merged(
            "services: {a: {ports: [1], command: c, environment: {A: 1, B: 2}}, b: {}}\n---\nservices: {a: {ports: !override [2], command: !reset null, environment: {A: !reset null}, dns: !reset x}, b: !reset null}\n"
        ),
        "{services: {a: {ports: [2], environment: {B: 2}}}}"
    );
    assert_eq!(merged("a: !override [1]\nb: !reset 2\nc: [1, !reset 2]\n"), "{a: [1], c: [1]}");
}

#[test]
fn a_systemd_section_merges_or_is_switched_off() {
    assert_eq!(
        service(
            "systemd: {enable: [a.service], ready: running}",
            "systemd: {enable: [b.service, a.service], ready: [a.service]}"
        ),
        "systemd: {enable: [a.service, b.service], ready: [a.service]}"
    );
    assert_eq!(service("systemd: {enable: [a.service]}", "systemd: false"), "systemd: false");
    assert_eq!(service("systemd: true", "systemd: {target: x}"), "systemd: {target: x}");
}

#[test]
fn requests_for_gpus_append_to_all() {
    assert_eq!(service("gpus: all", "gpus: [{count: 2}]"), "gpus: [{count: all}, {count: 2}]");
    assert_eq!(service("gpus: [{count: 1}]", "gpus: [{count: 2}]"), "gpus: [{count: 1}, {count: 2}]");
    assert_eq!(service("gpus: all", "gpus: all"), "`services.a.gpus` is text here and a list before");
}

#[test]
fn values_of_different_kinds_are_an_error_with_their_path() {
    assert_eq!(
        service("ports: [1]", "ports: {a: 1}"),
        "`services.a.ports` is a mapping here and a list before"
    );
    assert_eq!(merged("services: {a: {}}\n---\n[1]\n"), "the manifest is a list here and a mapping before");
}

#[test]
fn an_empty_document_changes_nothing() {
    assert_eq!(merged("a: 1\n---\n---\nb: 2\n"), "{a: 1, b: 2}");
}

#[test]
fn secrets_and_configs_of_a_service_are_unique_by_where_they_are() {
    assert_eq!(
        service("secrets: [s, t]", "secrets: [{source: u, target: /run/secrets/s}, {source: s, target: s}]"),
        "secrets: [{source: u, target: /run/secrets/s}, t, {source: s, target: s}]"
    );
    assert_eq!(
        service("configs: [c]", "configs: [{source: d, target: /c, mode: 0400}, e]"),
        "configs: [{source: d, target: /c, mode: 0400}, e]"
    );
    assert_eq!(service("secrets: [s]", "secrets: !override [t]"), "secrets: [t]");
    assert_eq!(service("secrets: [s], image: x", "secrets: !reset []"), "image: x");
}

#[test]
fn where_a_secret_comes_from_is_replaced_by_a_mark_only() {
    let top = |over: &str| {
        merged(&format!("secrets: {{s: {{file: ./s, labels: {{a: b}}}}}}\n---\nsecrets: {over}\n"))
    };
    assert_eq!(top("{s: {environment: E}}"), "{secrets: {s: {file: ./s, labels: {a: b}, environment: E}}}");
    assert_eq!(
        top("{s: {file: !reset null, environment: E}}"),
        "{secrets: {s: {labels: {a: b}, environment: E}}}"
    );
    assert_eq!(top("{s: !override {environment: E}}"), "{secrets: {s: {environment: E}}}");
    assert_eq!(top("{s: !reset null}"), "{secrets: {}}");
    assert_eq!(top("{s: {labels: [c=d]}}"), "`secrets.s.labels` is a list here and a mapping before");
}
