use std::fmt::Write as _;

use super::super::{Origin, stories};
use crate::manifest::{Manifest, merge};
use crate::project::resolve::resolve;
use crate::project::resolve::tests::tree::{Given, manifest};
use crate::yaml::{Limits, read};

/// A manifest of several files with one variable set, interpolated and merged as loading does it.
fn merged(texts: &[&str]) -> Manifest {
    let mut manifest = manifest(texts[0]);
    manifest.variables.insert("SET".to_owned(), "SIGQUIT".to_owned());
    let mut documents = vec![manifest.root.clone()];
    for (number, text) in texts.iter().enumerate().skip(1) {
        let name = format!("{number}.yaml");
        let reading = read(&mut manifest.sources, &name, text.as_bytes(), &Limits::default());
        documents.extend(reading.documents.unwrap());
    }
    for document in &mut documents {
        crate::manifest::interpolate(document, &manifest.sources, &|name| {
            manifest.variables.get(name).cloned()
        });
    }
    manifest.root = merge(documents.remove(0), documents).0;
    manifest
}

/// Each value in a line: `path = value`, then `file:line written (notes)` of each place, or the default.
fn told(texts: &[&str], key: &str) -> String {
    let mut manifest = merged(texts);
    let (project, found) = resolve(&mut manifest, &Given::default());
    let project = project.unwrap_or_else(|| panic!("{found:?}"));
    let mut out = String::new();
    for story in stories(&project, &manifest, key) {
        writeln!(out, "{} = {}", story.path, story.value).unwrap();
        if let Origin::Default(reason) = story.origin {
            writeln!(out, "  default: {reason}").unwrap();
        }
        for layer in story.layers {
            let file = &manifest.sources.get(layer.span.source).unwrap().name;
            let line = manifest.sources.position(layer.span).unwrap().line;
            let counts = if layer.counts { " *" } else { "" };
            let base = layer.base.map(|base| format!(" of {base}")).unwrap_or_default();
            write!(out, "  {file}:{line} {}{base}", layer.written).unwrap();
            for (name, value) in layer.variables {
                write!(out, " {name}={value:?}").unwrap();
            }
            writeln!(out, "{counts}").unwrap();
        }
    }
    out
}

const TWO: [&str; 2] = [
    "services:\n  db:\n    image: x:1\n    systemd: false\n    stop_signal: SIGTERM\n    environment:\n      DB_PASSWORD: hunter2\n    labels: [com.example.a=1]\n    ports: ['80:80', '81:81']\n",
    "services:\n  db:\n    stop_signal: ${SET:-SIGINT}\n    ports: ['82:82']\n",
];

#[test]
fn a_value_that_two_files_set_shows_both_and_its_variables() {
    insta::assert_snapshot!(told(&TWO, "services.db.stop_signal"), @r#"
    services.db.stop_signal = "SIGQUIT"
      sdcompose.yaml:5 SIGTERM
      1.yaml:3 ${SET:-SIGINT} SET=Some("SIGQUIT") *
    "#);
    assert_eq!(told(&TWO, "db.stop_signal"), told(&TWO, "services.db.stop_signal"));
}

#[test]
fn a_secret_is_shown_in_no_layer() {
    insta::assert_snapshot!(told(&TWO, "db.environment"), @r"
    services.db.environment.DB_PASSWORD = (hidden)
      sdcompose.yaml:7 (hidden) *
    ");
}

#[test]
fn a_default_has_a_reason_and_a_short_form_its_place() {
    insta::assert_snapshot!(told(&TWO, "db.networks"), @r"
    services.db.networks.default = null
      default: a service that names no network joins `default` (Compose specification)
    ");
    insta::assert_snapshot!(told(&TWO, "db.labels.com.example.a"), @r#"
    services.db.labels.com.example.a = "1"
      sdcompose.yaml:8 com.example.a=1 *
    "#);
    insta::assert_snapshot!(told(&TWO, "db.ports[2].target"), @r#"
    services.db.ports[2].target = 82
      sdcompose.yaml:9 ["80:80","81:81"]
      1.yaml:4 ["82:82"] *
    "#);
    insta::assert_snapshot!(told(&TWO, "networks.default.name"), @r#"
    networks.default.name = "p_default"
      default: a service that names no network joins `default` (Compose specification)
    "#);
}

#[test]
fn a_path_that_leads_nowhere_has_no_story() {
    for key in
        ["services.db.stop_sgnal", "nobody", "db.ports[9]", "db.ports[x]", "db.", ".", "[0]", "db..image"]
    {
        assert_eq!(told(&TWO, key), "", "{key}");
    }
}

#[test]
fn what_a_config_holds_is_not_told_nor_what_its_variables_are() {
    let text = "services: {a: {image: x, configs: [c]}}\nconfigs:\n  c:\n    content: is ${SET}\n";
    let told = told(&[text], "configs.c.content");
    assert_eq!(told, "configs.c.content = (hidden)\n  sdcompose.yaml:4 (hidden) SET=Some(\"(hidden)\") *\n");
}
