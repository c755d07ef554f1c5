//! `config` as a tool: its lists, what it leaves as it is written, where values come from, and the linter.

use serde_json::{Value, json};

use super::{Place, TWO};

const SHOP: &str = "\
name: shop
services:
  web:
    image: nginx:${TAG:-1.25}
    depends_on: [db]
    ports: [\"${PORT:?say which}:80\"]
    volumes: [./html:/html, data:/data]
  db: { image: postgres, stop_signal: SIGTERM, networks: [back] }
  tool: { image: x, profiles: [tools] }
networks: { back: {} }
volumes: { data: {} }
";

fn shop() -> Place {
    let place = Place::new();
    place.write("compose.yaml", SHOP);
    place.write("compose.override.yaml", "services:\n  db:\n    stop_signal: ${SIGNAL:-SIGINT}\n");
    place.write(".env", "PORT=8080\n");
    place
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_service_is_shown_with_what_it_needs() {
    let place = shop();
    let of = |service: &str| json(&place.run(&["config", "--format", "json", service]).stdout);
    let (web, db) = (of("web"), of("db"));
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&web["services"]), ["db", "web"]);
    assert_eq!(keys(&web["networks"]), ["back", "default"]);
    assert_eq!((keys(&db["services"]), keys(&db["networks"])), (vec!["db".into()], vec!["back".into()]));
    assert_eq!(db.get("volumes"), None);
}

#[test]
fn variables_are_listed_as_compose_lists_them() {
    // Whether they are set does not matter.
    let place = shop();
    place.write(".env", "");
    let ran = place.run(&["config", "--variables"]);
    assert_eq!(
        ran.stdout,
        "\
NAME    REQUIRED  DEFAULT VALUE  ALTERNATE VALUE
PORT    true
SIGNAL  false     SIGINT
TAG     false     1.25
"
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let shown = json(&place.run(&["config", "--variables", "--format", "json"]).stdout);
    assert_eq!(
        shown["TAG"],
        json!({ "Name": "TAG", "Required": false, "DefaultValue": "1.25", "PresenceValue": "" })
    );
}

#[test]
fn the_environment_is_that_of_the_manifest() {
    let listed = shop().run(&["config", "--environment"]).stdout;
    assert!(listed.lines().any(|line| line == "PORT=8080"), "{listed}");
    assert!(listed.lines().is_sorted(), "{listed}");
}

#[test]
fn what_is_written_can_stay_as_it_is() {
    let place = shop();
    let run = |flag: &str| json(&place.run(&["config", "--format", "json", flag]).stdout);
    let source = |config: &Value| config["services"]["web"]["volumes"][0]["source"].clone();
    assert_eq!(source(&run("--no-path-resolution")), "./html");
    assert_eq!(source(&run("--no-normalize")), "[PLACE]/html");

    let bare = run("--no-normalize");
    assert_eq!((&bare["networks"], &bare["volumes"]), (&json!({ "back": {} }), &json!({ "data": {} })));
    assert_eq!(bare["services"]["web"].get("networks"), None);

    place.write(".env", "");
    let written = run("--no-interpolate");
    assert_eq!(written["services"]["web"]["image"], "nginx:${TAG:-1.25}");
    assert_eq!(written["services"]["web"]["ports"], json!(["${PORT:?say which}:80"]));
    assert_eq!(written["services"]["db"]["stop_signal"], "${SIGNAL:-SIGINT}");
}

#[test]
fn names_that_nothing_is_declared_for_can_be_let_through() {
    let place = Place::with("services: { web: { image: a, networks: [back] } }");
    assert_eq!(place.run(&["config"]).code, 2);
    let ran = place.run(&["config", "--no-consistency"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("warning: `web` joins the network `back`, which is not declared"));
}

#[test]
fn a_hash_is_that_of_the_services_that_are_named() {
    let place = shop();
    let all = place.run(&["config", "--hash", "*"]).stdout;
    assert_eq!(all.lines().count(), 2);
    assert_eq!(all, place.run(&["config", "--hash"]).stdout);
    let web = place.run(&["config", "--hash", "web"]).stdout;
    assert!(web.starts_with("web ") && all.contains(&web), "{web}");
    let ran = place.run(&["config", "--hash", "wbe"]);
    assert_eq!((ran.code, ran.stderr.contains("did you mean `web`?")), (2, true), "{}", ran.stderr);
}

#[test]
fn an_explained_value_shows_every_place_that_sets_it() {
    let place = shop();
    let ran = place.run(&["config", "--explain", "services.db.stop_signal"]);
    assert_eq!(
        ran.stdout,
        "\
services.db.stop_signal = \"SIGINT\"
  WHERE                    WRITTEN
  compose.yaml:8           SIGTERM
  compose.override.yaml:3  ${SIGNAL:-SIGINT}       counts
                           SIGNAL is not set here
",
        "{}",
        ran.stderr
    );
    let shown = json(&place.run(&["config", "--explain", "web.image", "--format", "json"]).stdout);
    assert_eq!(shown[0]["value"], "nginx:1.25");
    assert_eq!((&shown[0]["file"], &shown[0]["line"]), (&json!("compose.yaml"), &json!(4)));
    let ran = place.run(&["config", "--explain", "db.stop_sgnal"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("did you mean `services.db.stop_signal`?"), "{}", ran.stderr);
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let place = shop();
    place.write("out.yaml", "before");
    assert_eq!(place.run(&["config", "-o", "out.yaml"]).code, 0);
    let read = || std::fs::read_to_string(place.path().join("out.yaml")).unwrap();
    assert!(read().starts_with("name: shop\n"));
    place.write("compose.override.yaml", "services: [");
    let before = read();
    assert_eq!(place.run(&["config", "-o", "out.yaml"]).code, 2);
    assert_eq!(read(), before);
    let left = std::fs::read_dir(place.path()).unwrap().filter_map(Result::ok);
    let left: Vec<_> = left.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|name| !name.ends_with(".new")), "{left:?}");
}

#[test]
fn a_linter_passes_warnings_unless_it_is_strict() {
    let place = Place::with("services: { web: { image: 'a:$TAG' } }");
    for (flags, code) in [(&["-q"][..], 0), (&["-q", "--strict"], 2), (&["--strict"], 2), (&[], 0)] {
        let ran = place.run(&[&["config"], flags].concat());
        assert_eq!(ran.code, code, "{flags:?}");
        assert!(ran.stderr.contains("warning: variable `TAG` is not set"), "{flags:?}: {}", ran.stderr);
    }
    assert_eq!(Place::with(TWO).run(&["config", "-q", "--strict"]).code, 0);
}

#[test]
fn a_linter_gives_its_findings_as_data() {
    let place = Place::with("services:\n  web:\n    imgae: a:1\n  db: { image: 'b:$TAG' }\n");
    let ran = place.run(&["config", "-q", "--format", "json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (2, ""));
    let found = json(&ran.stdout);
    let first = found.as_array().unwrap().iter().find(|found| found["code"] == "unknown-key").unwrap();
    assert_eq!((&first["severity"], &first["file"]), (&json!("error"), &json!("sdcompose.yaml")));
    assert_eq!((&first["line"], &first["column"]), (&json!(3), &json!(5)));
    assert_eq!(first["suggestions"][0]["replacement"], "image");
    assert_eq!(first["suggestions"][0]["bytes"], json!([21, 26]));
    assert!(found.as_array().unwrap().iter().any(|found| found["code"] == "unset-variable"));

    let ran = place.run(&["config", "-q", "--format", "sarif"]);
    assert_eq!(ran.code, 2);
    assert_eq!(
        json(&ran.stdout)["runs"][0]["results"].as_array().unwrap().len(),
        found.as_array().unwrap().len()
    );
    assert_eq!(place.run(&["config", "--format", "sarif"]).stdout, ran.stdout);

    let clean = Place::with(TWO);
    assert_eq!(clean.run(&["config", "-q", "--format", "json"]).stdout, "[]\n");
    let missing = Place::new().run(&["config", "-q", "--format", "json"]);
    assert_eq!((missing.code, json(&missing.stdout)[0]["code"].clone()), (2, json!("file")));
}

#[test]
fn digests_are_asked_of_an_engine() {
    let ran = Place::with(TWO).run(&["config", "--resolve-image-digests"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no container engine answers"), "{}", ran.stderr);
}
