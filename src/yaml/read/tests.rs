use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::yaml::{Value, shown};

/// The findings of a text, one a line: `line:column what; also line:column; help`.
fn told(bytes: impl AsRef<[u8]>) -> String {
    let mut sources = Sources::default();
    let reading = read(&mut sources, "a.yaml", bytes.as_ref(), &Limits::default());
    assert!(reading.documents.is_some() || !reading.diagnostics.is_empty());
    let mut out = String::new();
    for diagnostic in &reading.diagnostics {
        for (index, label) in diagnostic.labels.iter().enumerate() {
            let place =
                sources.position(label.span).map_or("?".into(), |p| format!("{}:{}", p.line, p.column));
            if index == 0 {
                write!(out, "{place} ").unwrap();
            } else {
                write!(out, "{place} {}; ", label.text).unwrap();
            }
            if index == 0 {
                write!(out, "{}; ", diagnostic.what).unwrap();
            }
        }
        if diagnostic.labels.is_empty() {
            write!(out, "{}; ", diagnostic.what).unwrap();
        }
        out.push_str(&diagnostic.help.join("; "));
        out.push('\n');
    }
    out
}

/// The documents of a text in one line each: plain scalars bare, others quoted.
fn tree(text: &str) -> String {
    let mut sources = Sources::default();
    let reading = read(&mut sources, "a.yaml", text.as_bytes(), &Limits::default());
    assert_eq!(reading.diagnostics, [], "{}", told(text));
    reading.documents.unwrap().iter().map(shown).collect::<Vec<_>>().join("\n")
}

#[test]
fn scalars_keep_their_text_and_whether_they_were_quoted() {
    assert_eq!(
        tree("a: 1.10\nb: '5'\nc: \"x\\ny\"\nd: |\n  text\ne: ~\nf:\ng: 22:22\nh: yes\n"),
        r#"{a: 1.10, b: "5", c: "x\ny", d: "text\n", e: ~, f: ~, g: 22:22, h: yes}"#
    );
}

#[test]
fn yaml_s_own_tags_say_whether_a_scalar_is_text() {
    assert_eq!(tree("[!!str 5, !!int '5', ! x, !!str , !!null x]"), r#"["5", 5, "x", "", x]"#);
}

#[test]
fn tags_for_merging_stay_on_their_nodes() {
    assert_eq!(
        tree("a: !reset null\nb: !override [1]\nc: !reset\n"),
        "{a: !reset ~, b: !override [1], c: !reset ~}"
    );
}

#[test]
fn aliases_repeat_their_anchor() {
    assert_eq!(
        tree("a: &x {k: &y [1]}\nb: *x\nc: *y\n? *z0\n: 1\n".replace("? *z0\n: 1\n", "").as_str()),
        "{a: {k: [1]}, b: {k: [1]}, c: [1]}"
    );
}

#[test]
fn an_anchor_given_again_names_the_later_node() {
    assert_eq!(tree("[&a 1, *a, &a 2, *a]"), "[1, 1, 2, 2]");
}

#[test]
fn merge_keys_bring_what_is_not_written_out() {
    assert_eq!(
        tree("x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz: {<<: [*x, *y], a: 0}\nw:\n  a: 5\n  <<: *y\n"),
        "{x: {a: 1, b: 2}, y: {b: 3, c: 4}, z: {b: 2, c: 4, a: 0}, w: {a: 5, b: 3, c: 4}}"
    );
}

#[test]
fn a_merge_key_may_say_so_by_its_tag() {
    assert_eq!(tree("x: &x {a: 1}\ny: {!!merge <<: *x}\n"), "{x: {a: 1}, y: {a: 1}}");
}

#[test]
fn a_quoted_merge_key_is_a_key() {
    assert_eq!(tree("{'<<': 1}"), "{<<: 1}");
}

#[test]
fn documents_are_kept_apart() {
    assert_eq!(tree("a: 1\n---\nb: 2\n---\n"), "{a: 1}\n{b: 2}\n~");
}

#[test]
fn an_empty_file_holds_nothing() {
    assert_eq!(tree(""), "~");
    assert_eq!(tree("# only a comment\n"), "~");
}

#[test]
fn byte_order_mark_carriage_returns_and_a_missing_newline_are_accepted() {
    assert_eq!(tree("\u{feff}a: 1\r\nb:   \r\n  - x  \r\nc: 3"), "{a: 1, b: [x], c: 3}");
}

#[test]
fn spans_cover_the_written_bytes() {
    let text = "é: [1, \"zwei\"]\nb:\n  c: 世界\n  d: 4\n\n\ne: 5\n";
    let mut sources = Sources::default();
    let reading = read(&mut sources, "a.yaml", text.as_bytes(), &Limits::default());
    let root = &reading.documents.unwrap()[0];
    let cut = |span: crate::diagnostic::Span| &text[span.start as usize..span.end as usize];
    assert_eq!(cut(root.entry("é").unwrap().key_span), "é");
    assert_eq!(cut(root.get("é").unwrap().span), "[1, \"zwei\"]");
    let Value::Sequence(items) = &root.get("é").unwrap().value else { panic!() };
    assert_eq!(cut(items[1].span), "\"zwei\"");
    assert_eq!(cut(root.get("b").unwrap().span), "c: 世界\n  d: 4");
    assert_eq!(cut(root.get("b").unwrap().get("c").unwrap().span), "世界");
}

#[test]
fn a_key_given_twice_shows_both_places() {
    assert_eq!(
        told("services:\n  web: {image: x, image: y}\n  db: {}\n  web: {}\n"),
        "2:19 `image` given twice in one mapping; 2:9 first given here; \n\
         4:3 `web` given twice in one mapping; 2:3 first given here; \n"
    );
    assert_eq!(
        told("a: &a {}\nb: {<<: *a, <<: *a}\n"),
        "2:13 `<<` given twice in one mapping; 2:5 first given here; name several anchors in one list: `<<: [*one, *two]`\n"
    );
}

#[test]
fn a_key_given_twice_is_found_in_long_mappings_too() {
    let text: String = (0..1000).map(|n| format!("k{n}: 1\n")).collect::<Vec<_>>().concat() + "k7: 2\n";
    assert_eq!(told(text), "1001:1 `k7` given twice in one mapping; 8:1 first given here; \n");
}

#[test]
fn merging_anything_but_mappings_is_refused() {
    let help = "name an anchor of a mapping: `<<: *defaults`";
    assert_eq!(
        told("a: &a [1]\nb: {<<: *a}\n"),
        format!("2:5 `<<` needs a mapping or a list of mappings, found a number; 1:8 this; {help}\n")
    );
    assert_eq!(
        told("b: {<<: text}\n"),
        format!("1:5 `<<` needs a mapping or a list of mappings, found text; 1:9 this; {help}\n")
    );
}

#[test]
fn keys_that_are_no_text_are_refused() {
    assert_eq!(
        told("a: {[1]: x}\n"),
        "1:5 a key must be text; `{{ name }}` of a template language needs quotes around it\n"
    );
    assert!(told("a: {~: x}\n").starts_with("1:5 a key is missing; "));
}

#[test]
fn unknown_tags_and_aliases_are_named() {
    assert!(told("a: !include x.yaml\n").starts_with("1:4 unknown tag `!include`; "));
    assert!(told("a: !!python/object x\n").starts_with("1:4 unknown tag `!!python/object`; "));
    assert!(told("a: *b\n").starts_with("1:4 no anchor `b` before this place; "));
}

#[test]
fn all_findings_of_a_file_are_told() {
    assert_eq!(told("a: !x 1\nb: *c\nd: 1\nd: 2\n").lines().count(), 3);
}

#[test]
fn tabs_in_the_indentation_are_named() {
    assert_eq!(told("services:\n\tweb:\n\t\timage: x\n"), "2:1 tab used for indentation; use spaces\n");
}

#[test]
fn syntax_errors_say_what_to_do() {
    assert!(told("a: [1, 2\n").contains("`[` is not closed by `]`"), "{}", told("a: [1, 2\n"));
    assert!(told("a: \"x\n").contains("a quoted text does not end"), "{}", told("a: \"x\n"));
    assert!(told("a: b: c\n").contains("1:5 a mapping cannot start here"), "{}", told("a: b: c\n"));
    assert!(told("a: @x\n").contains("a text cannot start with `@`"), "{}", told("a: @x\n"));
    assert!(told("a:\n    b: 1\n  c: 2\n").starts_with("3:"), "{}", told("a:\n    b: 1\n  c: 2\n"));
}

#[test]
fn bytes_that_are_no_utf_8_text_are_named() {
    assert_eq!(
        told(b"a: 1\nb: M\xfcnchen\n"),
        "2:5 invalid UTF-8 at byte 9: 0xFC; save the file as UTF-8; the byte looks like Latin-1 or Windows-1252\n"
    );
    assert_eq!(told(b"\xff\xfea\0:\0"), "`a.yaml` is UTF-16, not UTF-8; save the file as UTF-8\n");
    assert_eq!(told(b"\xff\xfe\0\0a\0\0\0"), "`a.yaml` is UTF-32, not UTF-8; save the file as UTF-8\n");
}

#[test]
fn control_characters_are_named_with_their_place() {
    assert!(told("a: 1\nservice: a\0b\n").starts_with("2:11 control character U+0000; "));
    assert!(told("a: \u{1b}[31m\n").starts_with("1:4 control character U+001B; "));
    assert!(told("a: \u{85}\u{9b}31m\n").starts_with("1:5 control character U+009B; "));
    assert!(told("a: \"x\\0y\"\n").starts_with("1:4 value contains NUL; "));
}

#[test]
fn an_anchor_that_contains_itself_is_refused() {
    assert!(
        told("services: &a\n  web: *a\n")
            .starts_with("2:8 anchor `a` contains itself; 2:3 which starts here")
    );
}

#[test]
fn alias_bombs_are_refused_at_once() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..10 {
        let before = format!("*a{}, ", n - 1).repeat(9);
        writeln!(bomb, "a{n}: &a{n} [{before}]").unwrap();
    }
    assert!(told(&bomb).contains("aliases expand to more than 250000 nodes"));
    let wide = format!("a: &a [{}]\nb: [{}]\n", "x, ".repeat(3000), "*a, ".repeat(3000));
    assert!(told(&wide).contains("aliases expand to more than 250000 nodes"));
    let mut maps = String::from("a0: &a0 {x: 1}\n");
    for n in 1..40 {
        writeln!(maps, "a{n}: &a{n} {{p: *a{p}, q: *a{p}}}", p = n - 1).unwrap();
    }
    assert!(told(&maps).contains("aliases expand to more than 250000 nodes"));
}

#[test]
fn anchors_within_anchors_do_not_cost_more_than_their_budget() {
    let names = (0..60).map(|n| format!("*b{n}, ")).collect::<Vec<_>>().concat();
    let open = (0..60).map(|n| format!("&b{n} [")).collect::<Vec<_>>().concat();
    let text = format!("x: [{names}]\na: {open}{}{}\n", "1, ".repeat(200_000), "]".repeat(60));
    // Counting what each anchor expands to anew would take hours: this test would not end.
    assert!(told(text).contains("aliases expand to more than 250000 nodes"));
}

#[test]
fn deep_nesting_is_refused_at_once() {
    assert!(told("[".repeat(20_000)).contains("nested deeper than 64 levels"));
    assert!(told("{a: ".repeat(10_000)).contains("nested deeper than 64 levels"));
    assert!(told("- ".repeat(10_000)).contains("nested deeper than 64 levels"));
    let blocks = (0..200).map(|n| format!("{}a:\n", " ".repeat(n))).collect::<Vec<_>>().concat();
    assert!(told(blocks).contains("nested deeper than 64 levels"));
    assert_eq!(tree(&format!("{}{}", "[".repeat(64), "]".repeat(64))).len(), 128);
}

#[test]
fn nesting_by_aliases_is_bounded_as_well() {
    let mut text = format!("a0: &a0 {}{}\n", "[".repeat(50), "]".repeat(50));
    for n in 1..10 {
        writeln!(text, "a{n}: &a{n} {}*a{}{}", "[".repeat(50), n - 1, "]".repeat(50)).unwrap();
    }
    assert!(told(text).contains("nested deeper than 64 levels"));
}

#[test]
fn large_files_and_scalars_are_refused_at_once() {
    assert_eq!(told(vec![b'#'; (8 << 20) + 1]), "`a.yaml` is larger than 8 MiB; \n");
    assert!(told(format!("a: \"{}\"", "x".repeat(2 << 20))).contains("1:4 a scalar is longer than 1 MiB"));
    assert_eq!(tree(&format!("a: \"{}\"", "x".repeat(1 << 20))).len(), (1 << 20) + 7);
}

#[test]
fn many_findings_stop_at_a_hundred() {
    assert_eq!(told("- !x 1\n".repeat(100_000)).lines().count(), 100);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        told(bytes);
    }

    #[test]
    fn texts_of_yaml_s_own_characters_never_panic(text in "[-a: \\[\\]{}&*!|>'\"#%@`,?~<\\n\\t$é0]{0,80}") {
        told(text);
    }
}

#[test]
fn a_finding_that_spoils_only_its_own_place_leaves_the_rest_readable() {
    let read = |text: &str| {
        let mut sources = Sources::default();
        let reading = read(&mut sources, "a.yaml", text.as_bytes(), &Limits::default());
        (reading.diagnostics.len(), reading.documents.map(|documents| shown(&documents[0])))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(read("a: 1\na: 2\nb: 3\n"), (1, some("{a: 1, b: 3}")));
    assert_eq!(read("a: !x 1\nb: *no\n"), (2, some("{a: 1, b: ~}")));
    assert_eq!(read("a: x\u{1b}\u{80}y\nb: 3\n"), (1, some("{a: x???y, b: 3}")));
    assert_eq!(read("a: [1\nb: 2\n").1, None);
    assert_eq!(read(&"[".repeat(100)).1, None);
}
