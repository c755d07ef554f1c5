use serde_json::json;

use super::*;

mod cost;
mod hostile;

const TEXT: &str =
    "services:\n  web:\n    imgae: x\n    ports:\n      - 80:80\n  db:\n    image: \"a\u{1b}[31m\"\n";

fn sources() -> Sources {
    let mut sources = Sources::default();
    sources.add("sdcompose.yaml", TEXT);
    sources
}

fn span(part: &str) -> Span {
    let start = TEXT.find(part).unwrap();
    let narrow = |at: usize| u32::try_from(at).unwrap();
    Span { source: SourceId(0), start: narrow(start), end: narrow(start + part.len()) }
}

fn drawn(diagnostics: &[Diagnostic]) -> String {
    render(diagnostics, &sources(), Style { color: false, width: 100 })
}

#[test]
fn a_finding_has_its_place_its_line_and_a_patch() {
    let unknown = Diagnostic::error("unknown key `imgae`", span("imgae"))
        .marked("not a key of a service")
        .help("did you mean `image`?")
        .suggest(span("imgae"), "image");
    assert_eq!(
        drawn(&[unknown]),
        "error: unknown key `imgae`
 --> sdcompose.yaml:3:5
  |
3 |     imgae: x
  |     ^^^^^ not a key of a service
  |
help: did you mean `image`?
  |
3 -     imgae: x
3 +     image: x
  |

1 error
"
    );
}

#[test]
fn findings_are_sorted_by_place_and_counted() {
    let findings = [
        Diagnostic::error("late", span("db")),
        Diagnostic::warning("early", span("web")).help("one").help("two"),
        Diagnostic::placeless("nowhere").help("look elsewhere"),
    ];
    assert_eq!(
        drawn(&findings),
        "error: nowhere
help: look elsewhere

warning: early
 --> sdcompose.yaml:2:3
  |
2 |   web:
  |   ^^^
  |
  = help: one
  = help: two

error: late
 --> sdcompose.yaml:6:3
  |
6 |   db:
  |   ^^

2 errors, 1 warning
"
    );
}

#[test]
fn labels_share_a_piece_and_control_characters_are_shown_escaped() {
    let finding = Diagnostic::error("bad image `a\u{1b}[31m`", span("\"a\u{1b}[31m\""))
        .marked("here")
        .also(span("web:\n    imgae: x\n    ports"), "a span over lines is marked on its first");
    assert_eq!(
        drawn(&[finding]),
        "error: bad image `a␛[31m`
 --> sdcompose.yaml:7:12
  |
2 |   web:
  |   ---- a span over lines is marked on its first
...
7 |     image: \"a␛[31m\"
  |            ^^^^^^^^ here

1 error
"
    );
}

#[test]
fn nothing_is_rendered_for_no_findings() {
    assert_eq!(drawn(&[]), "");
}

#[test]
fn colour_is_written_only_when_asked_for() {
    let finding = [Diagnostic::error("x", span("web"))];
    assert!(render(&finding, &sources(), Style { color: true, width: 80 }).contains('\u{1b}'));
    assert!(!drawn(&finding).contains('\u{1b}'));
}

#[test]
fn spans_that_lie_outside_of_the_text_do_no_harm() {
    for (start, end) in [(0, 0), (5, 2), (9999, 10_000), (0, 9999), (10, 10), (98, 98)] {
        let wild = Span { source: SourceId(0), start, end };
        assert!(
            drawn(&[Diagnostic::error("x", wild).also(wild, "y").suggest(wild, "z")]).starts_with("error: x")
        );
        assert!(to_json(&[Diagnostic::error("x", wild)], &sources()).is_array());
    }
    let nowhere = Span { source: SourceId(7), start: 0, end: 1 };
    assert!(drawn(&[Diagnostic::error("x", nowhere)]).starts_with("error: x"));
}

#[test]
fn what_is_said_twice_of_one_place_is_shown_once() {
    let twice = [Diagnostic::error("x", span("web")).help("one"), Diagnostic::error("x", span("web"))];
    assert!(drawn(&twice).ends_with("  = help: one\n\n1 error\n"));
}

#[test]
fn very_many_findings_are_cut_and_counted() {
    let findings: Vec<_> = (0..250).map(|n| Diagnostic::error(format!("x{n}"), span("web"))).collect();
    let text = drawn(&findings);
    assert!(text.ends_with("… and 150 more\n250 errors\n"), "{text}");
}

#[test]
fn json_names_places_and_replacements() {
    let unknown =
        Diagnostic::error("unknown key `imgae`", span("imgae")).help("h").suggest(span("imgae"), "image");
    let place = json!({ "file": "sdcompose.yaml", "line": 3, "column": 5, "end": {"line": 3, "column": 10}, "bytes": [21, 26] });
    let with = |fields: serde_json::Value| {
        let mut all = place.clone();
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        all
    };
    let shown = with(json!({
        "severity": "error",
        "code": "value",
        "message": "unknown key `imgae`",
        "labels": [with(json!({ "text": "" }))],
        "help": ["h"],
        "suggestions": [with(json!({ "replacement": "image" }))],
    }));
    assert_eq!(to_json(&[unknown], &sources()), json!([shown]));
    let nowhere = to_json(&[Diagnostic::placeless("lost")], &sources());
    assert_eq!((&nowhere[0]["file"], &nowhere[0]["labels"]), (&json!(null), &json!([])));
}
