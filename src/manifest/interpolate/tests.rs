use proptest::prelude::*;

use super::*;
use crate::yaml::{Limits, read};

fn variables(name: &str) -> Option<String> {
    match name {
        "A" => Some("a".into()),
        "E" => Some(String::new()),
        "D" => Some("$A".into()),
        "BIG" => Some("x".repeat(1 << 19)),
        _ => None,
    }
}

fn value(template: &str) -> String {
    expand(template, &variables).unwrap().text
}

fn fault(template: &str) -> (String, FaultKind) {
    let Fault { at, kind } = expand(template, &variables).unwrap_err();
    (template[at].to_owned(), kind)
}

#[test]
fn variables_are_replaced() {
    assert_eq!(value("$A-${A}_$A_${U}.$U"), "a-a_.");
    assert_eq!(value("x$$y$${A}"), "x$y${A}");
}

#[test]
fn every_operator_has_compose_s_meaning() {
    assert_eq!(value("${A:-d} ${A-d} ${E:-d} ${E-d} ${U:-d} ${U-d}"), "a a d  d d");
    assert_eq!(value("${A:+d} ${A+d} ${E:+d} ${E+d} ${U:+d} ${U+d}"), "d d  d  ");
    assert_eq!(value("${A:?m} ${A?m} ${E?m}"), "a a ");
}

#[test]
fn defaults_hold_variables_braces_and_dollars() {
    assert_eq!(value("${U:-${V:-${A}}}"), "a");
    assert_eq!(value("${U:-{\"k\": {\"$A\": 1}}}"), "{\"k\": {\"a\": 1}}");
    assert_eq!(value("${U:-$$z}"), "$z");
    assert_eq!(value("${U:-a:b-c?d}"), "a:b-c?d");
    assert_eq!(value("{$A}}"), "{a}}");
}

#[test]
fn what_a_variable_holds_is_not_expanded_again() {
    assert_eq!(value("${D} ${U:-$D}"), "$A $A");
}

#[test]
fn a_required_variable_without_value_is_a_fault_with_its_message() {
    let missing = |message: &str, empty| FaultKind::Required {
        name: if empty { "E" } else { "U" }.into(),
        message: message.into(),
        empty,
    };
    assert_eq!(fault("x${U:?set $A}").1, missing("set a", false));
    assert_eq!(fault("${U?}").1, missing("", false));
    assert_eq!(fault("${E:?no}").1, missing("no", true));
}

#[test]
fn what_is_required_within_an_unused_word_is_required() {
    let missing = FaultKind::Required { name: "U".into(), message: "no".into(), empty: false };
    for template in ["${A:-${U:?no}}", "${V:+${U:?no}}", "${A:?${U:?no}}", "${A-${A-${U?no}}}"] {
        assert_eq!(fault(template).1, missing, "{template}");
    }
    // What is not used is not said to be unset.
    assert_eq!(
        expand("${A:-$U}${V:+$U $ }", &variables).unwrap(),
        Expansion { text: "a".into(), ..Expansion::default() }
    );
}

#[test]
fn broken_templates_are_faults_at_their_place() {
    assert_eq!(fault("x${A"), ("${A".into(), FaultKind::Unclosed));
    assert_eq!(fault("x${A:-b"), ("${A:-b".into(), FaultKind::Unclosed));
    assert_eq!(fault("x${"), ("${".into(), FaultKind::Unclosed));
    assert_eq!(fault("x${}y"), ("${".into(), FaultKind::NoName));
    assert_eq!(fault("${1A}"), ("1A".into(), FaultKind::BadName("1A".into())));
    assert_eq!(fault("${A!x}"), ("!".into(), FaultKind::BadOperator('!')));
    assert_eq!(fault("${A:x}"), (":".into(), FaultKind::BadOperator(':')));
    assert_eq!(fault("${A:-${1}}"), ("1".into(), FaultKind::BadName("1".into())));
}

#[test]
fn a_dollar_that_starts_no_variable_stays() {
    let expansion = expand("$1 $ a$", &variables).unwrap();
    assert_eq!((expansion.text.as_str(), expansion.lone), ("$1 $ a$", vec![0..1, 3..4, 6..7]));
}

#[test]
fn nesting_and_length_are_bounded() {
    let deep = format!("{}x{}", "${U:-".repeat(20_000), "}".repeat(20_000));
    assert_eq!(fault(&deep).1, FaultKind::TooDeep);
    assert_eq!(value(&format!("{}x{}", "${U:-".repeat(16), "}".repeat(16))), "x");
    assert_eq!(fault("$BIG$BIG$BIG").1, FaultKind::TooLong);
}

/// Interpolates a text and tells what was found, a line each.
fn told(text: &str) -> String {
    let mut sources = Sources::default();
    let reading = read(&mut sources, "a.yaml", text.as_bytes(), &Limits::default());
    let mut root = reading.documents.unwrap().remove(0);
    let place = |span| sources.position(span).map_or("?".into(), |p| format!("{}:{}", p.line, p.column));
    let lines = interpolate(&mut root, &sources, &variables).into_iter().map(|found| {
        let places = found.labels.iter().map(|label| place(label.span)).collect::<Vec<_>>().join(" ");
        format!("{places} {}", found.what)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn faults_are_shown_inside_of_their_scalar() {
    assert_eq!(told("a:\n  - x${1A}\n"), "2:8 `1A` is not a variable's name");
    assert_eq!(told("a: \"xy${1A}\"\n"), "1:9 `1A` is not a variable's name");
    assert_eq!(told("a: \"\\n${1A}\"\n"), "1:4 `1A` is not a variable's name");
    assert_eq!(told("a: ${U:?must be set}"), "1:4 required variable `U` is not set: must be set");
}

#[test]
fn unset_variables_are_one_warning() {
    assert_eq!(
        told("a: $U\nb: [x$V, $U, $A]\n"),
        "1:4 2:6 2 variables are not set and taken as empty: `U`, `V`"
    );
    assert_eq!(told("a: ${U:-x}\n"), "");
}

#[test]
fn lone_dollars_are_one_warning() {
    assert_eq!(told("a: x$\nb: $1\n"), "1:5 2:4 a lone `$` is taken as it stands");
}

#[test]
fn an_interpolated_scalar_says_so_and_stays_plain() {
    let mut sources = Sources::default();
    let reading = read(&mut sources, "a.yaml", b"a: $A\n${A}: '$A'\nc: x\n", &Limits::default());
    let mut root = reading.documents.unwrap().remove(0);
    interpolate(&mut root, &sources, &variables);
    assert_eq!(root.get("a").unwrap().value, Value::Scalar { text: "a".into(), plain: true });
    assert_eq!(root.get("${A}").unwrap().value, Value::Scalar { text: "a".into(), plain: false });
    assert!(root.get("a").unwrap().is_interpolated());
    assert!(!root.get("c").unwrap().is_interpolated());
}

#[test]
fn all_values_together_are_bounded() {
    let text = format!("a: [{}]\n", "$BIG, ".repeat(200));
    assert_eq!(told(&text).lines().count(), 1);
    assert!(told(&text).contains("interpolated values are longer than 64 MiB together"));
}

proptest! {
    #[test]
    fn arbitrary_templates_never_panic(template in ".{0,60}") {
        let _ = expand(&template, &variables);
    }

    #[test]
    fn templates_of_special_characters_never_panic(template in "[${}:+?A1é-]{0,40}") {
        let _ = expand(&template, &variables);
    }

    #[test]
    fn a_doubled_text_expands_to_itself(text in ".{0,60}") {
        prop_assert_eq!(value(&text.replace('$', "$$")), text);
    }
}
