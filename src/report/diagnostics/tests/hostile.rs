//! Hostile and mistaken manifests, from their bytes to what the user sees. Each is answered at once.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::super::{Style, render, to_json};
use super::cost::at_once;
use crate::diagnostic::{Diagnostic, Sources};
use crate::load::{LoadOptions, load};
use crate::{manifest, yaml};

/// Loads bytes as a compose file and shows what is found.
fn answered<T>(bytes: &[u8], show: impl Fn(&[Diagnostic], &Sources) -> T) -> T {
    let root = tempfile::tempdir().unwrap();
    write(&root.path().join("compose.yaml"), bytes);
    let options = LoadOptions { current_dir: root.path().to_owned(), ..LoadOptions::default() };
    at_once(|| match load(&options) {
        Ok(loaded) => show(&loaded.diagnostics, &loaded.manifest.sources),
        Err(failure) => show(&failure.diagnostics, &failure.sources),
    })
}

#[expect(clippy::disallowed_methods, reason = "the tests write a manifest")]
fn write(path: &std::path::Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

fn drawn(bytes: &[u8]) -> String {
    answered(bytes, |found, sources| render(found, sources, Style { color: false, width: 100 }))
}

/// Each finding in one line: `line:column message`, warnings in brackets.
fn told(bytes: impl AsRef<[u8]>) -> String {
    drawn(bytes.as_ref());
    let json = answered(bytes.as_ref(), to_json);
    let line = |found: &serde_json::Value| {
        let message = found["message"].as_str().unwrap();
        let place = match found["labels"].get(0) {
            Some(label) => format!("{}:{} ", label["line"], label["column"]),
            None => String::new(),
        };
        if found["severity"] == "warning" {
            format!("[{place}{message}]")
        } else {
            format!("{place}{message}")
        }
    };
    json.as_array().unwrap().iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_anchor_within_itself() {
    assert_eq!(
        drawn(b"services: &a\n  web: *a\n"),
        "error: anchor `a` contains itself
 --> compose.yaml:2:8
  |
2 |   web: *a
  |   -    ^^ the alias stands inside of what it names
  |   |
  |   which starts here

1 error
"
    );
}

#[test]
fn a_service_given_twice() {
    assert_eq!(
        drawn(b"services:\n  web:\n    image: x\n  db: {image: y}\n  web:\n    image: z\n"),
        "error: `web` given twice in one mapping
 --> compose.yaml:5:3
  |
2 |   web:
  |   --- first given here
...
5 |   web:
  |   ^^^ given again

1 error
"
    );
}

#[test]
fn broken_and_unset_variables() {
    let text = "services:\n  a:\n    image: x:${TAG\n    hostname: ${}\n    user: ${1A}\n    labels: [a=$, \"b=${A!x}\"]\n    runtime: $R${S:?must be set}\n";
    assert_eq!(
        told(text),
        "3:14 `${` is not closed by `}`\n4:15 a variable's name is missing\n5:13 `1A` is not a variable's name\n\
         [6:16 a lone `$` is taken as it stands]\n6:25 `!` is no operator on a variable\n\
         7:16 required variable `S` is not set: must be set"
    );
}

#[test]
fn a_control_character_is_shown_and_never_sent_to_the_terminal() {
    let shown = drawn("services: {a: {image: x\u{1b}[31my}}\n".as_bytes());
    assert!(!shown.contains('\u{1b}'));
    assert!(shown.starts_with("error: control character U+001B\n --> compose.yaml:1:24\n  |\n1 | services: {a: {image: x␛[31my}}\n"), "{shown}");
}

#[test]
fn mistakes_of_syntax_each_have_a_line_of_their_own() {
    for (text, expected) in [
        ("services:\n  web:\n\timage: x\n", "3:1 tab used for indentation"),
        ("services: {a: {image: x\0y}}\n", "1:24 control character U+0000"),
        ("services: {a: {image: \"x\\0y\"}}\n", "1:23 value contains NUL"),
        ("services:\n  a: !!python/object {image: x}\n", "2:6 unknown tag `!!python/object`"),
        ("services:\n  a: !include a.yaml\n", "2:6 unknown tag `!include`"),
        (
            "x-a: &a [1]\nservices:\n  a:\n    image: x\n    <<: *a\n",
            "5:5 `<<` needs a mapping or a list of mappings, found a number",
        ),
        (
            "services:\n  a:\n    image: x\n   ports:\n    - 80\n",
            "4:4 this line is indented as none before it",
        ),
        ("services:\n  a:\n    command: echo: hello: world\n", "3:18 a mapping cannot start here"),
        ("services:\n  a:\n    command: \"echo\n", "3:14 a quoted text does not end"),
        ("services:\n  a:\n    image: %x\n", "3:12 a text cannot start with `%`"),
        ("services:\n  a: {image: x, ports: [80}\n", "2:24 `[` is closed by `}`"),
        ("services:\n  a: {image: x\n", "2:6 `{` is not closed by `}`"),
        (
            "services:\n  a:\n    - image: x\n    ports: 1\n",
            "4:5 this line does not go on with the list above",
        ),
        ("x-a: *b\n", "1:6 no anchor `b` before this place"),
        ("{{ name }}: x\n", "1:1 a key must be text\n1:2 a key must be text"),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn wrong_encodings() {
    assert_eq!(told(b"services: {a: {image: x}} # M\xfcnchen\n"), "1:30 invalid UTF-8 at byte 29: 0xFC");
    assert_eq!(told(b"\xff\xfes\0e\0"), "`compose.yaml` is UTF-16, not UTF-8");
    assert_eq!(told("\u{feff}services: {a: {image: x}}\r\n"), "");
}

#[test]
fn nothing_to_read() {
    assert_eq!(told(""), "nothing to do: `compose.yaml` is empty");
    assert_eq!(told("null\n"), "nothing to do: `compose.yaml` is empty");
    assert_eq!(told("- a\n"), "1:1 a manifest must be a mapping, found a list");
    assert_eq!(told("5\n"), "1:1 a manifest must be a mapping, found a number");
}

#[test]
fn the_layout_of_compose_1() {
    assert_eq!(
        told("version: '3'\nweb:\n  image: x\n  ports: ['80:80']\n"),
        "[1:1 `version` changes nothing: the version of a manifest says nothing any more]\n2:1 unknown key `web`"
    );
}

#[test]
fn bombs_and_depths() {
    let mut bomb = String::from("x-a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..10 {
        writeln!(bomb, "x-a{n}: &a{n} [{}]", format!("*a{}, ", n - 1).repeat(9)).unwrap();
    }
    assert_eq!(told(&bomb), "6:22 aliases expand to more than 250000 nodes");
    assert_eq!(told("[".repeat(20_000)), "1:66 nested deeper than 64 levels");
    assert_eq!(told("{a: ".repeat(10_000)), "1:261 nested deeper than 64 levels");
    let deep = format!("services: {{a: {{image: \"{}\"}}}}\n", "${A:-".repeat(20_000));
    assert_eq!(told(deep), "1:104 interpolation nested deeper than 16");
}

proptest! {
    #[test]
    fn no_text_makes_any_step_panic(text in "(services|image|a|x-b|: |\\n|  |- |\\[|\\]|\\{|\\}|, |&a |\\*a|<<|!reset |\\$|\\$\\{A:-|'|\"|é|1|~|\\|){0,40}") {
        let mut sources = Sources::default();
        let reading = yaml::read(&mut sources, "a.yaml", text.as_bytes(), &yaml::Limits::default());
        let mut found = reading.diagnostics;
        if let Some(mut documents) = reading.documents {
            for document in &mut documents {
                found.extend(manifest::interpolate(document, &sources, &|_| None));
            }
            let (root, problems) = manifest::merge(documents.remove(0), documents);
            found.extend(problems);
            found.extend(manifest::check_keys(&root));
        }
        let drawn = render(&found, &sources, Style { color: false, width: 80 });
        prop_assert_eq!(drawn.is_empty(), found.is_empty());
        prop_assert!(to_json(&found, &sources).is_array());
    }
}

#[test]
fn sizes() {
    assert_eq!(
        told(format!("services: {{a: {{image: \"{}\"}}}}\n", "x".repeat(20 << 10 << 10))),
        "cannot read `compose.yaml`: larger than 8 MiB"
    );
    assert_eq!(
        told(format!("services: {{a: {{image: \"{}\"}}}}\n", "x".repeat(2 << 20))),
        "1:23 a scalar is longer than 1 MiB"
    );
    assert_eq!(told(format!("services: {{a: {{image: x}}}} #{}", "x".repeat(1 << 20))), "");
    let keys: String = (0..20_000)
        .fold(String::from("services:\n"), |text, n| text + "  s" + &n.to_string() + ": {imgae: x}\n");
    assert_eq!(told(keys).lines().count(), 1000);
    assert!(
        told("services: {a: {image: \"${B:-".to_owned() + &"$A".repeat(500_000) + "}\"}}\n")
            .starts_with("[1:29 variable `A` is not set")
    );
}
