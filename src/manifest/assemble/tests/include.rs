use super::*;

#[test]
fn a_file_brings_its_resources_and_nothing_else() {
    assert_eq!(
        told(&[
            ("a.yaml", "include: [sub/b.yaml]\nservices: {a: {image: x}}\nvolumes: "),
            (
                "sub/b.yaml",
                "name: b\nx-a: 1\nservices: {b: {image: y}}\nvolumes: {v: }\nnetworks: {n: }\nsecrets: {s: {file: f}}\nconfigs: {c: {file: f}}"
            ),
        ]),
        "{services: {a: {image: x}, b: {image: y}}, volumes: {v: ~}, networks: {n: ~}, secrets: {s: {file: f}}, configs: {c: {file: f}}}"
    );
}

#[test]
fn an_included_file_has_its_own_directory_and_variables() {
    let joined = join(&[
        ("a.yaml", "include: [\"$V/b.yaml\"]\nservices: {a: {image: \"x:${TAG-none}\", build: .}}"),
        ("v/b.yaml", "services: {b: {image: \"y:$TAG-$V-$OTHER\", build: ., environment: [TAG]}}"),
        ("v/.env", "TAG=dot\nV=lost\nOTHER=$TAG.$V\n"),
    ]);
    assert_eq!(
        joined.told(),
        "{services: {a: {image: !interpolated \"x:none\", build: .}, b: {image: !interpolated \"y:dot-v-dot.v\", build: ., environment: [TAG]}}}"
    );
    assert_eq!(joined.directory(&["services", "a", "build"]), "/p");
    assert_eq!(joined.directory(&["services", "b", "build"]), "/p/v");
    let inclusion = joined.origins.inclusion(joined.at(&["services", "b", "environment"]).span).unwrap();
    assert_eq!(inclusion.variables.get("TAG").map(String::as_str), Some("dot"));
}

#[test]
fn the_long_form_merges_its_files_in_the_directory_that_it_names() {
    let joined = join(&[
        (
            "a.yaml",
            "include: [{path: [sub/deep/b.yaml, sub/deep/c.yaml], project_directory: sub, env_file: [q.env, sub/r.env]}]",
        ),
        ("sub/deep/b.yaml", "services: {b: {image: \"$Q$R\", command: x, build: .}}"),
        ("sub/deep/c.yaml", "services: {b: {command: !reset , ports: [1]}}"),
        ("q.env", "Q=q\nR=q"),
        ("sub/r.env", "R=r"),
        ("sub/.env", "Q=not read"),
    ]);
    assert_eq!(joined.told(), "{services: {b: {image: !interpolated \"qr\", build: ., ports: [1]}}}");
    assert_eq!(joined.directory(&["services", "b", "build"]), "/p/sub");
}

#[test]
fn a_project_directory_that_is_not_there_stands_for_its_parent() {
    let joined = join(&[
        ("a.yaml", "include: [{path: sub/b.yaml, project_directory: sub/none}]"),
        ("sub/b.yaml", "services: {b: {build: .}}"),
        ("sub/.env", "A=not read"),
    ]);
    assert_eq!(joined.directory(&["services", "b", "build"]), "/p/sub");
    let inclusion = joined.origins.inclusion(joined.at(&["services", "b"]).span).unwrap();
    assert_eq!(inclusion.variables.get("A"), None);
}

#[test]
fn included_files_include_and_extend_from_where_they_are() {
    let joined = join(&[
        ("a.yaml", "include: [sub/b.yaml]"),
        ("sub/b.yaml", "include: [more/c.yaml]\nservices: {b: {extends: {file: base/d.yaml, service: s}}}"),
        ("sub/more/c.yaml", "services: {c: {build: \"$A\"}}"),
        ("sub/base/d.yaml", "services: {s: {build: \"$A\"}}"),
        ("sub/.env", "A=sub"),
        ("sub/more/.env", "A=more"),
    ]);
    assert_eq!(
        joined.told(),
        "{services: {b: {build: !interpolated \"sub\"}, c: {build: !interpolated \"sub\"}}}"
    );
    assert_eq!(joined.directory(&["services", "b", "build"]), "/p/sub/base");
    assert_eq!(joined.directory(&["services", "c", "build"]), "/p/sub/more");
}

#[test]
fn one_resource_may_come_twice_where_it_is_the_same() {
    assert_eq!(
        told(&[
            ("a.yaml", "include: [b.yaml, c.yaml]\nnetworks: {n: {driver: d, internal: true}}"),
            (
                "b.yaml",
                "services: {b: {image: y, command: [x, y]}}\nnetworks: {n: {internal: true, driver: d}}"
            ),
            ("c.yaml", "include: [b.yaml]\nservices: {c: {image: z}}"),
        ]),
        "{networks: {n: {driver: d, internal: true}}, services: {b: {image: y, command: [x, y]}, c: {image: z}}}"
    );
}

#[test]
fn resources_that_differ_are_a_conflict_with_both_places() {
    let help =
        "take one away, or give the changes as a second file of the inclusion: `path: [FILE, CHANGES]`";
    assert_eq!(
        told(&[
            ("a.yaml", "include: [b.yaml]\nservices: {b: {image: x}}\nvolumes: {v: {name: \"1\"}}"),
            ("b.yaml", "services: {b: {image: y}}\nvolumes: {v: {name: 1}}"),
        ]),
        format!(
            "a.yaml:2:12 `services.b` is declared twice, and not alike [b.yaml:1:12 in an included file]; {help}\n\
             a.yaml:3:11 `volumes.v` is declared twice, and not alike [b.yaml:2:11 in an included file]; {help}"
        )
    );
    let paths = told(&[
        ("a.yaml", "include: [s/b.yaml, t/b.yaml]"),
        ("s/b.yaml", "services: {b: {image: y}, c: {build: .}}"),
        ("t/b.yaml", "services: {b: {image: y}, c: {build: .}}"),
    ]);
    assert!(paths.starts_with("s/b.yaml:1:27 `services.c` is declared twice"), "{paths}");
}

#[test]
fn a_later_file_of_the_project_merges_over_what_is_included() {
    assert_eq!(
        join_first(
            2,
            &[
                ("a.yaml", "include: [s/c.yaml]"),
                ("b.yaml", "services: {c: {ports: !override [2], command: !reset }}"),
                ("s/c.yaml", "services: {c: {image: x, ports: [1], command: d}}"),
            ]
        )
        .told(),
        "{services: {c: {image: x, ports: [2]}}}"
    );
}

#[test]
fn cycles_are_shown_as_a_path() {
    assert_eq!(
        told(&[
            ("a.yaml", "include: [b.yaml]"),
            ("b.yaml", "include: [c.yaml]"),
            ("c.yaml", "include: [./b.yaml]")
        ]),
        "c.yaml:1:11 files include each other: b.yaml → c.yaml → b.yaml; put what both need into a third file"
    );
    assert_eq!(
        told(&[("a.yaml", "include: [a.yaml]")]),
        "a.yaml:1:11 files include each other: a.yaml → a.yaml; put what both need into a third file"
    );
}

#[test]
fn what_cannot_be_included_is_said_where_it_is_named() {
    let include =
        |entry: &str| told(&[("a.yaml", &format!("include: {entry}")), ("b.yaml", "- 1"), ("e.yaml", "")]);
    assert_eq!(include("b.yaml"), "a.yaml:1:10 `include` must be a list, found text");
    assert_eq!(include("[nope.yaml]"), "a.yaml:1:11 cannot read `nope.yaml`: not found");
    assert_eq!(include("[b.yaml]"), "b.yaml:1:1 an included file must be a mapping, found a list");
    assert_eq!(include("[e.yaml]"), "{}");
    assert_eq!(include("~"), "{}");
    assert_eq!(include("[5]"), "a.yaml:1:11 `include` must be text, found a number");
    assert_eq!(include("[{}]"), "a.yaml:1:11 `include` needs the `path` of a file");
    assert_eq!(
        include("[{paths: b.yaml}]"),
        "a.yaml:1:12 unknown key `paths`; did you mean `path`?\na.yaml:1:11 `include` needs the `path` of a file"
    );
    assert_eq!(
        include("[{path: e.yaml, env_file: x.env}]"),
        "a.yaml:1:36 cannot read env file `x.env`: not found"
    );
    assert!(include("[\"oci://h/x\"]").starts_with("a.yaml:1:11 `oci://h/x` is on another host"));
}

#[test]
fn the_keys_of_an_included_file_are_checked() {
    assert_eq!(
        told(&[("a.yaml", "include: [b.yaml]"), ("b.yaml", "serivces: {b: {image: x}}")]),
        "b.yaml:1:1 unknown key `serivces`; did you mean `services`?"
    );
}

#[test]
fn mistakes_of_all_files_are_told_together() {
    let said = told(&[
        ("a.yaml", "include: [b.yaml, nope.yaml, c.yaml]\nservices: {a: {image: \"${1}\"}}"),
        ("b.yaml", "services: {b: {image: \"${:}\", extends: {file: d.yaml, service: s}}}"),
        ("c.yaml", "a: [\n"),
        ("d.yaml", "b: 1\nb: 2"),
    ]);
    for part in [
        "a.yaml:2:26 `1` is not a variable's name",
        "cannot read `nope.yaml`: not found",
        "b.yaml:1:",
        "c.yaml:1:4 `[` is not closed by `]`",
        "d.yaml:2:1 `b` given twice in one mapping",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn what_an_inclusion_says_of_all_machines_is_for_its_own() {
    let joined = join(&[
        ("a.yaml", "include: [sub/sdcompose.yaml]\nservices: {a: {image: x}}"),
        ("sub/sdcompose.yaml", "systemd: {ready: degraded}\nservices: {b: {image: y}}"),
    ]);
    assert_eq!(joined.told(), "{services: {a: {image: x}, b: {image: y}}}");
    let inclusion = joined.origins.inclusion(joined.at(&["services", "b"]).span).unwrap();
    assert_eq!(inclusion.dialect, Dialect::Sdcompose);
    assert_eq!(inclusion.defaults.as_ref().map(shown).as_deref(), Some("{ready: degraded}"));
    assert!(joined.origins.inclusion(joined.at(&["services", "a"]).span).is_none());
}
