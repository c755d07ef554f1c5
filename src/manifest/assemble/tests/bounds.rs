use super::*;

#[test]
fn files_that_include_each_other_twice_end_at_a_bound() {
    let mut files: Vec<(String, String)> =
        (0..12).map(|n| (format!("{n}.yaml"), format!("include: [{0}.yaml, ./{0}.yaml]", n + 1))).collect();
    files.push(("12.yaml".to_owned(), "services: {}".to_owned()));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    let said = told(&files);
    assert!(said.contains("the project reads more than 256 files"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_long_line_of_includes_ends_at_a_bound() {
    let files: Vec<(String, String)> =
        (0..40).map(|n| (format!("{n}.yaml"), format!("include: [{}.yaml]", n + 1))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    assert_eq!(told(&files), "16.yaml:1:11 files include each other more than 16 deep");
}

#[test]
fn the_bytes_of_all_files_have_a_bound() {
    let large = format!("x-a: {}", "x".repeat(1 << 20).as_str());
    let large = [large.as_str(); 5].iter().enumerate().fold(String::new(), |mut out, (n, text)| {
        writeln!(out, "{}", text.replacen("x-a", &format!("x-{n}"), 1)).unwrap();
        out
    });
    let entries: Vec<String> = (0..8).map(|n| format!("{{path: {n}.yaml}}")).collect();
    let first = format!("include: [{}]", entries.join(", "));
    let names: Vec<String> = (0..8).map(|n| format!("{n}.yaml")).collect();
    let mut files = vec![("a.yaml", first.as_str())];
    files.extend(names.iter().map(|name| (name.as_str(), large.as_str())));
    assert_eq!(
        told(&files),
        "a.yaml:1:114 the project reads files of more than 32 MiB; the files probably name each other by `include` or `extends`"
    );
}

#[test]
fn a_chain_of_thousands_of_services_is_no_matter() {
    let mut text = String::from("services:\n  s0: {image: x}\n");
    for n in 1..3000 {
        writeln!(text, "  s{n}: {{extends: s{}}}", n - 1).unwrap();
    }
    let joined = join(&[("a.yaml", &text)]);
    assert_eq!(
        (joined.said(), shown(joined.at(&["services", "s2999"]))),
        (String::new(), "{image: x}".into())
    );
}

#[test]
fn a_base_that_grows_at_every_step_ends_at_a_bound() {
    let mut text = String::from("services:\n  s0: {cap_add: [p]}\n");
    for n in 1..3000 {
        writeln!(text, "  s{n}: {{extends: s{}, cap_add: [p, q, r, s]}}", n - 1).unwrap();
    }
    let said = told(&[("a.yaml", &text)]);
    assert!(said.contains("`extends` expands to more than 5000000 nodes"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}
