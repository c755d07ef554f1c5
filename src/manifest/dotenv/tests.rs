use proptest::prelude::*;

use super::*;

fn lookup(name: &str) -> Option<String> {
    (name == "A").then(|| "9".to_owned())
}

/// Reads a text; variables as `NAME=value` a line (escaped), then findings as `line:column what`.
fn read_as(text: &str, format: Format) -> String {
    let mut sources = Sources::default();
    let (found, problems) = read(&mut sources, "e.env", text.as_bytes(), format, &lookup);
    let variables = found.iter().map(|one| format!("{}={}", one.name, one.value.escape_debug()));
    let told = problems.iter().map(|problem| {
        let place = problem.labels.first().and_then(|label| sources.position(label.span));
        format!("{} {}", place.map_or("?".into(), |p| format!("{}:{}", p.line, p.column)), problem.what)
    });
    variables.chain(told).collect::<Vec<_>>().join("\n")
}

#[test]
fn earlier_files_are_asked_after_the_file_s_own_lines() {
    let before =
        BTreeMap::from([("A".into(), "0".into()), ("B".into(), "0".into()), ("C".into(), "0".into())]);
    let text = b"B=1\nX=$A$B$C\nC\n";
    let (found, _) = read_after(&mut Sources::default(), "e.env", text, Format::Compose, &lookup, &before);
    let values: Vec<&str> = found.iter().map(|one| one.value.as_str()).collect();
    assert_eq!(values, ["1", "910"]);
}

fn compose(text: &str) -> String {
    read_as(text, Format::Compose)
}

#[test]
fn values_are_bare_or_quoted() {
    assert_eq!(
        compose(
            "A=1\nB=\"two words\"\nC='$A'\nD=a # comment\nE=a#b\n K = spaced\nL: colon\nN=a b  # c\nO=\"a # b\" # c\nP='\\n'\n"
        ),
        "A=1\nB=two words\nC=$A\nD=a\nE=a#b\nK=spaced\nL=colon\nN=a b\nO=a # b\nP=\\\\n"
    );
}

#[test]
fn comments_blank_lines_and_export_are_passed_over() {
    assert_eq!(
        compose("# c\n\n  # d\nexport X=1\nexport\tY=2\nexported=3\r\nZ=\nW= # none\n"),
        "X=1\nY=2\nexported=3\nZ=\nW="
    );
}

#[test]
fn variables_come_from_the_lookup_before_earlier_lines() {
    assert_eq!(compose("A=1\nB=2\nC=$A$B${D:-d}\nE=\"${B}\"\n"), "A=1\nB=2\nC=92d\nE=2");
}

#[test]
fn escapes_are_undone_in_double_quotes_only() {
    assert_eq!(
        compose("I=\"line\\nnext $$A ${A} \\$A \\x\"\nJ='a\\'b'\n"),
        "I=line\\nnext $A 9 $A \\\\x\nJ=a\\'b"
    );
}

#[test]
fn quoted_values_span_lines() {
    assert_eq!(compose("A=\"x\n y\"\nB='p\nq'\n"), "A=x\\n y\nB=p\\nq");
}

#[test]
fn a_name_alone_takes_its_value_from_the_lookup() {
    assert_eq!(compose("A\nH\nB=1"), "A=9\nB=1");
}

#[test]
fn what_cannot_be_read_is_told_with_its_place_and_the_rest_is_read() {
    assert_eq!(compose("J='it''s'\nB=1\n"), "J=it\nB=1\n1:7 `'` cannot be in a variable's name");
    assert_eq!(compose("two words=1\nB=1\n"), "B=1\n1:4 ` ` cannot be in a variable's name");
    assert_eq!(compose("=1\n"), "1:1 a variable's name is missing");
    assert_eq!(compose("A=1\nB=\"x\n"), "A=1\n2:3 a quoted value does not end");
    assert_eq!(compose("A=x${1}y\n"), "1:6 `1` is not a variable's name");
}

#[test]
fn unset_variables_are_one_warning() {
    assert_eq!(compose("A=$X\nB=$Y$X\n"), "A=\nB=\n1:3 2 variables are not set and taken as empty: `X`, `Y`");
}

#[test]
fn the_raw_format_takes_lines_as_they_stand() {
    assert_eq!(
        read_as("A=\"quoted\"\nB=$A # kept\n# c\n\nA\nH\nC= x \r\n", Format::Raw),
        "A=\\\"quoted\\\"\nB=$A # kept\nA=9\nC= x "
    );
    assert_eq!(
        read_as("export A=1\n=2\n", Format::Raw),
        "1:7 `export A` has a blank in the variable's name\n2:1 a variable's name is missing"
    );
}

#[test]
fn a_text_that_is_known_already_is_read_in_place() {
    let mut sources = Sources::default();
    let id = sources.add("e.env", "A=1\nH\nB=$A\n");
    let pair = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
    assert_eq!(env_file(&sources, id, &lookup), (vec![pair("A", "1"), pair("B", "9")], Vec::new()));
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let mut sources = Sources::default();
    let (found, problems) = read(&mut sources, "e.env", b"A=\xff\n", Format::Compose, &lookup);
    assert_eq!((found.len(), problems[0].what.as_str()), (0, "invalid UTF-8 at byte 2: 0xFF"));
}

proptest! {
    #[test]
    fn arbitrary_texts_never_panic(text in "[A='\"$#{}:\\\\\\n é-]{0,60}") {
        compose(&text);
        read_as(&text, Format::Raw);
    }
}
