use super::*;

/// Tells the services of one file.
fn services(text: &str) -> String {
    told(&[("a.yaml", &format!("services: {{{text}}}"))])
}

#[test]
fn a_service_takes_over_what_its_base_says() {
    assert_eq!(
        services("a: {extends: b, command: c}, b: {image: x, ports: [1], environment: {A: 1}}"),
        "{services: {a: {image: x, ports: [1], environment: {A: 1}, command: c}, b: {image: x, ports: [1], environment: {A: 1}}}}"
    );
    assert_eq!(
        services(
            "a: {extends: {service: b}, ports: [2], environment: [A=2], image: ~}, b: {image: x, ports: [1], environment: {A: 1}}"
        ),
        "{services: {a: {image: x, ports: [1, 2], environment: {A: \"2\"}}, b: {image: x, ports: [1], environment: {A: 1}}}}"
    );
}

#[test]
fn a_chain_is_as_good_as_one_step_in_whatever_order_it_stands() {
    let chain =
        "{services: {a: {image: x, init: true, tty: true}, b: {image: x, init: true}, c: {image: x}}}";
    assert_eq!(services("a: {extends: b, tty: true}, b: {extends: c, init: true}, c: {image: x}"), chain);
    let other =
        "{services: {c: {image: x}, b: {image: x, init: true}, a: {image: x, init: true, tty: true}}}";
    assert_eq!(services("c: {image: x}, b: {extends: c, init: true}, a: {extends: b, tty: true}"), other);
}

#[test]
fn an_empty_base_gives_nothing() {
    assert_eq!(services("a: {extends: b, image: x}, b: "), "{services: {a: {image: x}, b: ~}}");
}

#[test]
fn reset_and_override_speak_of_the_base_and_of_earlier_files() {
    assert_eq!(
        services(
            "a: {extends: b, command: !reset, ports: !override [2], environment: {A: !reset null}}, b: {image: x, command: c, ports: [1], environment: {A: 1, B: 2}}"
        ),
        "{services: {a: {image: x, ports: [2], environment: {B: 2}}, b: {image: x, command: c, ports: [1], environment: {A: 1, B: 2}}}}"
    );
    let earlier = "services: {a: {image: w, ports: [0], command: d}}";
    let later =
        "services: {a: {extends: b, ports: !override [2], command: !reset }, b: {image: x, ports: [1]}}";
    assert_eq!(
        join_first(2, &[("a.yaml", earlier), ("b.yaml", later)]).told(),
        "{services: {a: {image: x, ports: [2]}, b: {image: x, ports: [1]}}}"
    );
}

#[test]
fn what_the_base_resets_of_its_own_base_stays_away() {
    let base = "services: {s: {extends: t, command: !reset }, t: {image: x, command: c}}";
    assert_eq!(
        told(&[("a.yaml", "services: {a: {extends: {file: b.yaml, service: s}}}"), ("b.yaml", base)]),
        "{services: {a: {image: x}}}"
    );
    // The reset of the base says nothing of the service's own earlier file.
    assert_eq!(
        join_first(
            2,
            &[
                ("0.yaml", "services: {a: {command: d}}"),
                ("a.yaml", "services: {a: {extends: {file: b.yaml, service: s}}}"),
                ("b.yaml", base)
            ]
        )
        .told(),
        "{services: {a: {command: d, image: x}}}"
    );
}

#[test]
fn only_the_services_of_the_same_document_can_be_a_base() {
    assert_eq!(
        join_first(2, &[("a.yaml", "services: {b: {image: x}}"), ("b.yaml", "services: {a: {extends: b}}")])
            .told(),
        "b.yaml:1:25 there is no service `b` in `b.yaml`; a base stands in the same file; for another file write `extends: {file: …, service: …}`"
    );
}

#[test]
fn a_base_in_another_file_has_its_own_directory_and_the_same_variables() {
    let files = [
        ("a.yaml", "services: {a: {extends: {file: sub/b.yaml, service: s}, volumes: [\"./own:/o\"]}}"),
        (
            "sub/b.yaml",
            "services: {s: {extends: {file: ../deep/er/c.yaml, service: t}, image: \"x:$V\", build: ./ctx}}",
        ),
        ("deep/er/c.yaml", "services: {t: {env_file: e.env, depends_on: [z]}}"),
    ];
    let joined = join(&files);
    assert_eq!(
        joined.told(),
        "{services: {a: {env_file: e.env, depends_on: [z], image: !interpolated \"x:v\", build: ./ctx, volumes: [\"./own:/o\"]}}}"
    );
    assert_eq!(joined.directory(&["services", "a", "build"]), "/p/sub");
    assert_eq!(joined.directory(&["services", "a", "env_file"]), "/p/deep/er");
    assert_eq!(joined.directory(&["services", "a", "volumes"]), "/p");
}

#[test]
fn a_file_can_name_itself() {
    assert_eq!(
        told(&[("a.yaml", "services: {a: {extends: {file: a.yaml, service: b}}, b: {image: x}}")]),
        "{services: {a: {image: x}, b: {image: x}}}"
    );
}

#[test]
fn the_documents_of_a_base_file_are_merged() {
    assert_eq!(
        told(&[
            ("a.yaml", "services: {a: {extends: {file: b.yaml, service: s}}}"),
            ("b.yaml", "services: {s: {image: x, command: c}}\n---\nservices: {s: {command: !reset }}"),
        ]),
        "{services: {a: {image: x}}}"
    );
}

#[test]
fn a_cycle_is_shown_as_a_path_once() {
    assert_eq!(
        services("a: {extends: b}, b: {extends: a}"),
        "a.yaml:1:25 services extend each other: a → b → a [a.yaml:1:42 b extends a]; put what they share into a service that extends nothing"
    );
    assert_eq!(
        services("a: {extends: a}"),
        "a.yaml:1:25 services extend each other: a → a; put what they share into a service that extends nothing"
    );
    let files = [
        ("a.yaml", "services: {a: {extends: {file: b.yaml, service: s}}}"),
        ("b.yaml", "services: {s: {extends: {file: c.yaml, service: t}}}"),
        ("c.yaml", "services: {t: {extends: {file: b.yaml, service: s}}}"),
    ];
    assert!(
        told(&files).contains("services extend each other: s (b.yaml) → t (c.yaml) → s (b.yaml)"),
        "{}",
        told(&files)
    );
}

#[test]
fn what_cannot_be_a_base_is_said_where_it_is_named() {
    assert_eq!(
        services("a: {extends: webb}, web: {image: x}"),
        "a.yaml:1:25 there is no service `webb` in `a.yaml`; did you mean `web`?"
    );
    assert_eq!(
        services("a: {extends: {servce: b}}, b: {extends: 5}, c: {extends: {service: b, file: [x]}}"),
        "a.yaml:1:26 unknown key `servce`; did you mean `service`?\n\
         a.yaml:1:25 `extends` needs the name of a `service`\n\
         a.yaml:1:52 `extends` must be text, found a number\n\
         a.yaml:1:88 `extends.file` must be text, found a list"
    );
    let from = |file: &str| format!("services: {{a: {{extends: {{file: \"{file}\", service: s}}}}}}");
    assert_eq!(told(&[("a.yaml", &from("nope.yaml"))]), "a.yaml:1:32 cannot read `nope.yaml`: not found");
    assert_eq!(
        told(&[("a.yaml", &from("b.yaml")), ("b.yaml", "x-a: 1")]),
        "a.yaml:1:32 `b.yaml` has no `services:`; a base is a service below `services:` of that file"
    );
    assert_eq!(
        told(&[("a.yaml", &from("b.yaml")), ("b.yaml", "services: [s]")]),
        "b.yaml:1:11 `services` must be a mapping, found a list"
    );
    assert_eq!(
        told(&[("a.yaml", &from("https://h/b.yaml"))]),
        "a.yaml:1:32 `https://h/b.yaml` is on another host, and is not fetched; fetch it, look at it, and name the local file"
    );
    assert_eq!(
        told(&[("a.yaml", &from("b.yaml")), ("b.yaml", "services: {s: {image: \"${1}\", image: y}}")]),
        "b.yaml:1:31 `image` given twice in one mapping [b.yaml:1:16 first given here]\n\
         b.yaml:1:26 `1` is not a variable's name; a name has letters, digits and `_`, and does not start with a digit; \
         write `$$` for a dollar sign"
    );
}

#[test]
fn kinds_that_do_not_fit_are_said_with_both_places() {
    assert_eq!(
        services("a: {extends: b, ports: {x: 1}}, b: {ports: [1]}"),
        "a.yaml:1:35 `services.a.ports` is a mapping here and a list before [a.yaml:1:55 with this]; `!override` in front of the value replaces what was there"
    );
}

#[test]
fn other_services_of_a_base_file_are_not_looked_at_further() {
    assert_eq!(
        told(&[
            ("a.yaml", "services: {a: {extends: {file: b.yaml, service: s}}}"),
            ("b.yaml", "services: {s: {image: x}, t: {imgae: y, extends: nobody}}\nwhatever: 1"),
        ]),
        "{services: {a: {image: x}}}"
    );
}
