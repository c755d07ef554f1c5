use super::super::settings::tests::shown;

/// Each as Docker Compose 2.40 prints it, but for the `exec` without a command that it prints with every rule.
#[test]
fn hooks_and_rules_are_printed_as_compose_prints_them() {
    for (keys, wanted) in [
        ("post_start: [{command: sh -c 'a b'}]", r#"{"post_start":[{"command":["sh","-c","a b"]}]}"#),
        (
            "pre_stop: [{command: [a, b c], user: root, privileged: 'true', working_dir: ./x}]",
            r#"{"pre_stop":[{"command":["a","b c"],"privileged":true,"user":"root","working_dir":"./x"}]}"#,
        ),
        (
            "post_start: [{command: a, environment: [A=1, B, A=2]}]",
            r#"{"post_start":[{"command":["a"],"environment":{"A":"2","B":null}}]}"#,
        ),
        (
            "post_start: [{command: a, environment: {A: true, B: 1.50, C: 010, D: }}]",
            r#"{"post_start":[{"command":["a"],"environment":{"A":"true","B":"1.5","C":"8","D":null}}]}"#,
        ),
        (
            "post_start: [{command: ''}, {command: []}, {command: }, {command: a, user: '', x-y: 1}]",
            r#"{"post_start":[{"command":[]},{"command":[]},{"command":null},{"command":["a"]}]}"#,
        ),
        ("post_start: [], pre_stop: []", "{}"),
        ("develop: ", "{}"),
        ("develop: {watch: []}", "{}"),
        (
            "develop: {watch: [{path: a/../b/, action: sync, target: x/, ignore: i, include: [j, k], initial_sync: true}]}",
            r#"{"develop":{"watch":[{"path":"/srv/p/b","action":"sync","target":"x/","ignore":["i"],"include":["j","k"],"initial_sync":true}]}}"#,
        ),
        (
            "develop: {watch: [{path: ~/c, action: restart, initial_sync: false}]}",
            r#"{"develop":{"watch":[{"path":"/home/user/c","action":"restart"}]}}"#,
        ),
        (
            "develop: {watch: [{path: ., action: rebuild, target: /x, exec: {command: q}}]}",
            r#"{"develop":{"watch":[{"path":"/srv/p","action":"rebuild","target":"/x","exec":{"command":["q"]}}]}}"#,
        ),
        (
            "develop: {watch: [{path: /a, action: sync+exec, target: /x, exec: {command: a b, environment: [A=1]}}]}",
            r#"{"develop":{"watch":[{"path":"/a","action":"sync+exec","target":"/x","exec":{"command":["a","b"],"environment":{"A":"1"}}}]}}"#,
        ),
        (
            "develop: {watch: [{path: /a, action: sync+exec, target: /x}]}",
            r#"{"develop":{"watch":[{"path":"/a","action":"sync+exec","target":"/x"}]}}"#,
        ),
        (
            "x-systemd: {}, develop: {watch: [{path: /a, action: sync+unit, target: /etc/x, units: [x.service, y.timer]}]}",
            r#"{"develop":{"watch":[{"path":"/a","action":"sync+unit","target":"/etc/x","units":["x.service","y.timer"]}]}}"#,
        ),
    ] {
        let same = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let mut found = same(&shown(keys));
        if keys.contains("x-systemd") {
            found.as_object_mut().unwrap().retain(|key, _| key == "develop");
        }
        assert_eq!(found, same(wanted), "{keys}");
    }
}
