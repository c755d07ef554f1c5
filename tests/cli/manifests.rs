//! What a manifest says, from the outside: `config`, `graph`, and the messages for wrong ones.

use super::{Place, TWO};

#[test]
fn config_prints_what_it_can_read_again() {
    let place = Place::with(TWO);
    let first = place.run(&["config"]);
    assert_eq!((first.code, first.stderr.as_str()), (0, ""));
    place.write("again/sdcompose.yaml", &first.stdout);
    let second = place.run(&["--project-directory", ".", "-f", "again/sdcompose.yaml", "config"]);
    assert_eq!(first.stdout, second.stdout, "{}", second.stderr);

    let json = place.run(&["config", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(value["services"]["web"]["depends_on"]["db"]["condition"], "service_ready");
    assert_eq!(value["services"]["db"]["systemd"]["target"], "multi-user.target");
    assert_eq!(place.run(&["--json", "config"]).stdout, json.stdout);
}

#[test]
fn config_lists_parts() {
    let place = Place::with(
        "\
name: shop
services:
  web: { image: 'a:1', profiles: [front], volumes: ['data:/data'] }
  db: { image: 'a:1', systemd: false }
volumes: { data: {} }
",
    );
    let all = ["--profile", "*", "config"];
    let run = |flag: &str| place.run(&[&all[..], &[flag]].concat()).stdout;
    assert_eq!(run("--services"), "web\ndb\n");
    assert_eq!(run("--images"), "a:1\n");
    assert_eq!(run("--volumes"), "data\n");
    assert_eq!(run("--profiles"), "front\n");
    assert_eq!(run("-q"), "");
    assert_eq!(place.run(&["config", "--services"]).stdout, "db\n");
    let hash = run("--hash");
    assert_eq!(hash.lines().count(), 2);
    assert!(
        hash.lines().all(|line| line.split_once(' ').is_some_and(|(_, hash)| hash.len() == 64)),
        "{hash}"
    );
}

#[test]
fn config_is_written_to_a_file() {
    let place = Place::with(TWO);
    assert_eq!(place.run(&["config", "-o", "out.yaml"]).stdout, "");
    assert_eq!(
        std::fs::read_to_string(place.path().join("out.yaml")).unwrap(),
        place.run(&["config"]).stdout
    );
    let ran = place.run(&["config", "-o", "no/such/out.yaml"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("cannot write no/such/out.yaml"), "{}", ran.stderr);
}

#[test]
fn config_explains_values_also_where_no_engine_answers() {
    let ran = Place::with(TWO).run(&["config", "--explain", "web"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("sdcompose.yaml:4"), "{}", ran.stdout);
    assert!(ran.stdout.contains("default: "), "{}", ran.stdout);
    assert!(ran.stdout.contains("how systemd boots is not known"), "{}", ran.stdout);
}

#[test]
fn a_manifest_comes_from_standard_input() {
    let place = Place::new();
    let ran = place.run_with_input(&["-f", "-", "-p", "x", "config", "--services"], TWO);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "web\ndb\n"), "{}", ran.stderr);
}

#[test]
fn a_directory_without_a_manifest_says_what_to_write() {
    let ran = Place::new().run(&["up"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("no manifest"), "{}", ran.stderr);
    assert!(ran.stderr.contains("sdcompose.yaml"), "{}", ran.stderr);
}

#[test]
fn a_name_is_enough_for_what_works_by_labels() {
    // There is no engine here: that one is asked for shows that the manifest was not missed.
    let ran = Place::new().run(&["-p", "shop", "down"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("no container engine answers"), "{}", ran.stderr);
    // A manifest that is there and wrong is not passed over.
    let ran = Place::with("services: [").run(&["-p", "shop", "down"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn all_mistakes_are_shown_at_once_with_their_places() {
    let place = Place::with(
        "\
services:
  web:
    imege: a:1
    depends_on: [dp]
  db:
    image: b:1
    ports: { a: b }
",
    );
    let ran = place.run(&["config", "-q"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    for place in ["sdcompose.yaml:3:5", "sdcompose.yaml:4:", "sdcompose.yaml:7:"] {
        assert!(ran.stderr.contains(place), "{place} is missing in\n{}", ran.stderr);
    }
    assert!(ran.stderr.contains("did you mean `db`?"), "{}", ran.stderr);
    // Nothing is asked of an engine before the manifest is right.
    assert_eq!(place.run(&["up"]).code, 2);
    assert_eq!(place.run(&["plan"]).code, 2);
}

#[test]
fn mistakes_are_also_json() {
    let ran = Place::with("services: { web: { imege: a } }").run(&["--json", "config"]);
    assert_eq!(ran.code, 2);
    let line: serde_json::Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(line["event"], "diagnostics");
    assert_eq!(line["version"], 1);
    assert_eq!(line["diagnostics"][0]["severity"], "error");
}

#[test]
fn the_graph_is_drawn_in_four_ways() {
    let place = Place::with(TWO);
    assert_eq!(place.run(&["graph", "--format", "tree"]).stdout, "web\n└─ db  (ready)\n");
    let dot = place.run(&["graph"]).stdout;
    assert!(dot.starts_with("digraph \"shop\""), "not a terminal: {dot}");
    assert!(place.run(&["graph", "--format", "mermaid"]).stdout.starts_with("flowchart LR\n"));
    let json: serde_json::Value =
        serde_json::from_str(&place.run(&["graph", "--json"]).stdout).expect("an object");
    assert_eq!(json["edges"][0]["to"], "db");
}

#[test]
fn what_compose_loads_but_no_engine_can_run_is_shown_and_not_brought_up() {
    let place = Place::with(
        "services:\n  a: { image: x, ports: [\"8080:80\"] }\n  b: { image: x, ports: [\"8080:81\"], restart: often }\n",
    );
    let shown = place.run(&["config", "--format", "json"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.contains(r#""restart": "often""#), "{}", shown.stdout);
    assert!(shown.stderr.contains("warning: host port 8080/tcp is used by `a` and `b`"), "{}", shown.stderr);
    for verb in [&["up", "-d"][..], &["plan"]] {
        let refused = place.run(verb);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        for place in
            ["error: host port 8080/tcp is used by `a` and `b`", "error: `often` is no restart policy"]
        {
            assert!(refused.stderr.contains(place), "{}", refused.stderr);
        }
        assert!(refused.stderr.contains("sdcompose.yaml:3:"), "{}", refused.stderr);
    }
}

#[test]
fn a_mistake_in_the_text_hides_none_of_what_it_says() {
    let place = Place::new();
    place.write(
        "compose.yaml",
        "services:\n  web:\n    image: a\n    image: b\n    cpus: many\n    restart: !maybe always\n    hostname: ${}\n  db:\n    depends_on: [dx]\n    imgae: x\n",
    );
    place.write(
        "compose.override.yaml",
        "services:\n  web:\n    mem_limit: 5q\n    labels: [\"a\u{1b}=b\"]\n",
    );
    let found = place.run(&["config", "-q", "--format", "json"]).stdout;
    let found: Vec<serde_json::Value> = serde_json::from_str(&found).unwrap();
    let told: Vec<String> = found
        .iter()
        .map(|it| format!("{}:{} {}", it["file"].as_str().unwrap(), it["line"], it["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            "compose.yaml:4 duplicate-key",
            "compose.yaml:5 value",
            "compose.yaml:6 unknown-tag",
            "compose.yaml:7 interpolation",
            "compose.yaml:8 value",
            "compose.yaml:9 unknown-name",
            "compose.yaml:10 unknown-key",
            "compose.override.yaml:3 value",
            "compose.override.yaml:4 encoding",
        ],
        "{found:#?}"
    );
}

#[test]
fn no_secret_is_told_with_a_mistake_beside_it() {
    let place = Place::new();
    place.write(
        "compose.yaml",
        "\
services:
  a: { image: x, environment: { DB_PASSWORD: canary-1, MODE: canary-2, LIST: [1] }, imgae: y }
  b:
    image: x
    environment: [\"TOKEN=canary-3\", \"=x\"]
    build: { context: ., args: { KEY: canary-4, A: [canary] } }
    env_file: .secret
    x-systemd: { credentials: { c: { content: canary-5, fiel: x } } }
    secrets: [{ source: s, mode: rw }, { source: v, uid: x }, { source: l }]
    configs: [{ source: c, target: / }]
secrets: { s: { content: canary-9, fiel: x }, v: { environment: HELD }, l: { file: .secret, file2: x } }
configs: { c: { content: canary-10, file: .secret } }
",
    );
    place.write(".env", "HELD=canary-11\n");
    place.write(".secret", "GOOD=canary-6\nA B=canary-7\nC=\"canary-8\n");
    for format in [&[][..], &["--format", "json"], &["--format", "sarif"]] {
        let ran = place.run(&[&["config", "-q"], format].concat());
        let told = ran.stdout + &ran.stderr;
        assert_eq!(ran.code, 2);
        assert!(told.contains("imgae") && told.contains(".secret"), "{told}");
        assert!(!told.contains("canary-"), "{told}");
    }
}
