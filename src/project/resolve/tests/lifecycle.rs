//! What is said about hooks and watch rules.

use super::tree::{project, said};
use crate::project::{Stage, WatchAction};

fn plain(keys: &str) -> String {
    said(&format!("services:\n  a: {{image: x, systemd: false, {keys}}}\n"))
}

fn rule(fields: &str) -> String {
    plain(&format!("develop: {{watch: [{{{fields}}}]}}"))
}

fn machine_rule(fields: &str) -> String {
    said(&format!("services:\n  a: {{image: x, develop: {{watch: [{{{fields}}}]}}}}\n"))
}

/// Docker Compose 2.40 rejects each of these.
#[test]
fn hooks_that_compose_rejects_are_errors_at_their_place() {
    for (keys, wanted) in [
        ("post_start: ", "2:43 `post_start` must be a list, found nothing"),
        ("post_start: {command: a}", "2:45 `post_start` must be a list, found a mapping"),
        ("post_start: [a]", "2:46 `post_start` must be a mapping with `command`, found text"),
        ("pre_stop: [{user: x}]", "2:44 `pre_stop` needs a `command`; command: [\"program\", \"argument\"]"),
        (
            "pre_stop: [{command: 1}]",
            "2:54 `pre_stop.command` must be text, found a number; put it in quotes: \"1\"",
        ),
        (
            "pre_stop: [{command: {a: 1}}]",
            "2:54 `pre_stop.command` must be text or a list of texts, found a mapping",
        ),
        (
            "pre_stop: [{command: 'a \"b'}]",
            "2:54 `pre_stop.command` cannot be taken apart into words: the quote is not closed",
        ),
        (
            "pre_stop: [{command: a, user: 1}]",
            "2:63 `user` must be text, found a number; put it in quotes: \"1\"",
        ),
        (
            "pre_stop: [{command: a, environment: A=1}]",
            "2:70 `pre_stop.environment` must be a mapping or a list of `NAME=value`, found text",
        ),
    ] {
        assert_eq!(plain(keys), wanted, "{keys}");
    }
}

#[test]
fn a_hook_that_nothing_can_run_stands_in_the_way_of_starting_only() {
    for command in ["", "''", "[]"] {
        let told = plain(&format!("post_start: [{{command: {command}}}]"));
        let wanted = "2:47 obstacle: `post_start` has a hook without a command; write [\"program\", \"argument\"], or take the hook away";
        assert_eq!(told, wanted, "{command}");
    }
}

#[test]
fn a_hooks_command_is_read_as_the_services_own_and_its_bare_names_are_warned_of() {
    assert_eq!(
        plain("pre_stop: [{command: 'a && b'}]"),
        "2:54 warning: `pre_stop.command` ends before `&& b`, as in Compose; no shell reads it; write [\"sh\", \"-c\", \"…\"] for one, or use quotes"
    );
    assert_eq!(
        plain("post_start: [{command: a, environment: [HOME]}]"),
        "2:73 warning: `post_start.environment`: `HOME` alone takes HOME away from the command; write `HOME=${HOME}` to hand on the value that it has here"
    );
    assert_eq!(
        plain("post_start: [{command: a, environment: ['=x']}]"),
        "2:73 `post_start.environment`: a variable needs a name before `=`"
    );
    let project =
        project("services: {a: {image: x, pre_stop: [{command: sh -c 'a b', environment: {Q: }}]}}");
    let hook = &project.services["a"].hooks.at(Stage::PreStop)[0];
    assert_eq!(hook.command, ["sh", "-c", "a b"]);
    assert_eq!(hook.environment["Q"], None);
}

/// Docker Compose 2.40 rejects each of these, but for those about units.
#[test]
fn watch_rules_that_compose_rejects_are_errors_at_their_place() {
    assert_eq!(plain("develop: foo"), "2:42 `develop` must be a mapping, found text");
    assert_eq!(plain("develop: {watch: }"), "2:48 `develop.watch` must be a list, found nothing");
    assert_eq!(
        plain("develop: {watch: [a]}"),
        "2:51 `develop.watch` must be a mapping with `path` and `action`, found text"
    );
    for (fields, wanted) in [
        (
            "path: a",
            "2:51 `develop.watch` needs an `action`; there are `sync`, `rebuild`, `restart`, `sync+restart`, `sync+exec`, `sync+unit`",
        ),
        (
            "action: restart",
            "2:51 `develop.watch` needs a `path`; the file or directory of this host that is followed",
        ),
        ("path: '', action: restart", "2:58 `develop.watch.path` is empty"),
        (
            "path: a, action: sync",
            "2:51 `sync` needs a `target`; the path inside the container that the files are put to",
        ),
        (
            "path: a, action: sync+exec, target: ''",
            "2:80 `sync+exec` needs a `target`; the path inside the container that the files are put to",
        ),
        ("path: a, action: sinc", "2:69 \"sinc\" is no action of `develop.watch`; did you mean `sync`?"),
        (
            "path: a, action: sync+exec, target: x, exec: {}",
            "2:97 `develop.watch.exec` needs a `command`; command: [\"program\", \"argument\"]",
        ),
        ("path: a, action: restart, ignore: [b, b]", "2:90 `ignore` has \"b\" twice; take one of them away"),
        (
            "path: a, action: restart, initial_sync: 'true'",
            "2:92 `initial_sync` must be true or false without quotes and variables, found text",
        ),
        (
            "path: a, action: sync, target: x, units: [a.service]",
            "2:86 `sync` has no `units`; `action: sync+unit` reloads or restarts them",
        ),
    ] {
        assert_eq!(rule(fields), wanted, "{fields}");
    }
}

#[test]
fn units_are_named_with_their_suffix_and_only_machines_have_them() {
    assert_eq!(
        machine_rule("path: a, action: sync+unit, target: x"),
        "2:45 `sync+unit` needs `units`; units: [nginx.service], the units inside that are reloaded or restarted"
    );
    assert_eq!(machine_rule("path: a, action: sync+unit, target: x, units: []"), "2:82 `units` is empty");
    assert_eq!(
        machine_rule("path: a, action: sync+unit, target: x, units: [nginx]"),
        "2:83 \"nginx\" is not the name of a unit: `nginx` has no unit suffix such as `.service`; did you mean `nginx.service`?"
    );
    assert_eq!(
        rule("path: a, action: sync+unit, target: x, units: [a.service]"),
        "2:61 `sync+unit` is for machines: a plain container has no units; `sync+restart` restarts the container, `sync+exec` runs a command in it"
    );
}

#[test]
fn what_a_rule_cannot_do_is_warned_of() {
    for (fields, wanted) in [
        (
            "path: a, action: rebuild",
            "warning: `rebuild` has nothing to build: the service has no `build`; give the service a `build`, or take another action",
        ),
        ("path: a, action: restart, target: x", "warning: `target` means nothing to `restart`"),
        ("path: a, action: sync, target: x, exec: {command: a}", "warning: `exec` means nothing to `sync`"),
        (
            "path: a, action: sync+exec, target: x",
            "warning: `sync+exec` has no command to run; exec: { command: [\"program\", \"argument\"] }",
        ),
    ] {
        let told = rule(fields);
        assert_eq!(told.split_once(' ').unwrap().1, wanted, "{fields}");
    }
}

#[test]
fn a_rule_has_what_its_action_needs_and_no_more() {
    let project = project(
        "services: {a: {build: ., develop: {watch: [{path: x, action: sync+unit, target: /etc/x, units: [a.service, a.service]}, {path: ., action: rebuild}]}}}",
    );
    let watch = &project.services["a"].develop.watch;
    let WatchAction::SyncUnit { target, units } = &watch[0].action else { panic!("{:?}", watch[0]) };
    assert_eq!((target.as_str(), units.len()), ("/etc/x", 1));
    assert_eq!(watch[0].path.to_str(), Some("/srv/p/x"));
    assert_eq!(watch[1].action, WatchAction::Rebuild);
}
