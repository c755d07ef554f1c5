//! The house's own rules, as far as a machine can check them: who may know whom, where a crate may be named,
//! how long a file may be, what a name may be. A rule that fails says where and what to do.

#![expect(clippy::disallowed_methods, reason = "these tests read the source files")]
#![expect(clippy::unwrap_used, reason = "a file that cannot be read is a failure")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use walkdir::WalkDir;

/// Longest file, in lines.
const LONGEST: usize = 600;

/// Words that say nothing about what a thing is for.
const EMPTY_WORDS: [&str; 10] =
    ["util", "utils", "helper", "helpers", "manager", "handler", "common", "misc", "info", "impl"];

/// Words of others that are kept as they are, with the reason.
const THEIR_WORDS: [(&str, &str); 1] = [("Info", "the answer of the engine's `GET /info`")];

/// Crates that only one place may name, so that they can be exchanged there.
const KEPT_CRATES: [(&str, &[&str]); 5] = [
    ("bollard", &["src/engine/docker.rs", "src/engine/docker/"]),
    ("petgraph", &["src/graph.rs"]),
    ("granit_parser", &["src/yaml/events.rs"]),
    ("annotate_snippets", &["src/report/diagnostics.rs", "src/report/diagnostics/"]),
    ("clap", &["src/cli.rs", "src/cli/"]),
];

/// Modules that must not know others, although they stand later in the list of `lib.rs`, with the reason.
const STRANGERS: [(&str, &str, &str); 5] = [
    ("report", "engine", "what the user sees is made of plain data"),
    ("report", "execute", "what the user sees is made of plain data"),
    ("engine", "manifest", "an engine knows containers and nothing of what the user wrote"),
    ("engine", "project::resolve", "an engine knows containers and nothing of what the user wrote"),
    ("execute", "manifest", "a plan is all that is carried out"),
];

struct Source {
    /// Relative to the package, with slashes.
    path: String,
    text: String,
}

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(below: &[&str], extension: Option<&str>) -> Vec<Source> {
    let mut found = Vec::new();
    for root in below {
        let walk = WalkDir::new(package().join(root)).sort_by_file_name();
        for entry in walk.into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file()) {
            let path = entry.path();
            let wanted = extension.is_none_or(|extension| path.extension().is_some_and(|is| is == extension));
            if !wanted {
                continue;
            }
            let Ok(text) = std::fs::read_to_string(path) else { continue };
            found.push(Source { path: relative(path), text });
        }
    }
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(package()).unwrap_or(path).display().to_string()
}

fn sources() -> Vec<Source> {
    files(&["src"], Some("rs"))
}

/// The modules in the order of `lib.rs`, the lowest first.
fn order() -> Vec<String> {
    let lib = std::fs::read_to_string(package().join("src/lib.rs")).unwrap();
    let modules = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    modules.map(str::to_owned).collect()
}

/// The top-level module that a file belongs to.
fn module(path: &str) -> &str {
    let rest = path.strip_prefix("src/").unwrap_or(path);
    let first = rest.split('/').next().unwrap_or(rest);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// The files below `src` that are built for tests only, and what lies below them.
fn only_for_tests() -> &'static [String] {
    static FOUND: OnceLock<Vec<String>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let mut found = Vec::new();
        for source in sources() {
            let below = source.path.trim_end_matches(".rs").to_owned();
            let mut behind_mark = false;
            for line in source.text.lines() {
                let module = line.split_once("mod ").and_then(|(_, rest)| rest.strip_suffix(';'));
                found.extend(module.filter(|_| behind_mark).map(|module| format!("{below}/{module}")));
                behind_mark = line == "#[cfg(test)]";
            }
        }
        found
    })
}

/// What of a file is built into the product: neither comments nor tests. Tests may use what they like.
fn product(source: &Source) -> Vec<(usize, &str)> {
    let is = |tests: &String| {
        source.path.strip_prefix(tests.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    };
    if only_for_tests().iter().any(is) {
        return Vec::new();
    }
    let mut lines = Vec::new();
    let mut in_tests = false;
    for (number, line) in source.text.lines().enumerate() {
        in_tests |= line.starts_with("mod tests {");
        if !in_tests && !line.trim_start().starts_with("//") {
            lines.push((number + 1, line));
        }
    }
    lines
}

/// The paths behind each `crate::` in a line.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("crate::").map(|(at, word)| &line[at + word.len()..])
}

fn first_word(path: &str) -> &str {
    path.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or("")
}

#[track_caller]
fn none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

#[test]
fn modules_know_only_what_stands_above_them_in_lib_rs() {
    let order = order();
    let place: BTreeMap<&str, usize> = order.iter().enumerate().map(|(at, name)| (&**name, at)).collect();
    assert!(place.len() > 15, "the list in lib.rs was not understood: {order:?}");
    let mut broken = Vec::new();
    for source in sources() {
        let own = module(&source.path).to_owned();
        let Some(here) = place.get(&*own) else { continue };
        for (number, line) in product(&source) {
            for path in named(line) {
                if place.get(first_word(path)).is_some_and(|there| there > here) {
                    broken.push(format!("{}:{number}: {}", source.path, line.trim()));
                }
            }
        }
    }
    none("`use crate::` goes upward in the list of src/lib.rs only", &broken);
}

#[test]
fn every_module_stands_in_lib_rs() {
    let order = order();
    let unlisted: Vec<String> = sources()
        .iter()
        .map(|source| module(&source.path).to_owned())
        .filter(|module| !order.contains(module) && module != "lib" && module != "main")
        .collect();
    none("not in src/lib.rs", &unlisted);
}

#[test]
fn strangers_stay_strangers() {
    let mut broken = Vec::new();
    for source in sources() {
        for (own, other, why) in STRANGERS {
            if module(&source.path) != own {
                continue;
            }
            for (number, line) in product(&source) {
                let knows = |path: &str| {
                    path.strip_prefix(other)
                        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
                };
                if named(line).any(knows) {
                    broken.push(format!("{}:{number}: {own} knows {other}, but {why}", source.path));
                }
            }
        }
    }
    none("who must not know whom", &broken);
}

#[test]
fn some_crates_are_named_in_one_place_only() {
    let mut broken = Vec::new();
    for source in sources() {
        for (krate, places) in KEPT_CRATES {
            if places.iter().any(|place| source.path.starts_with(place)) {
                continue;
            }
            let names = [format!("use {krate}"), format!("{krate}::")];
            for (number, line) in product(&source) {
                if names.iter().any(|name| line.contains(name.as_str())) {
                    broken.push(format!("{}:{number}: {krate} belongs into {}", source.path, places[0]));
                }
            }
        }
    }
    none("one place for each of these crates", &broken);
}

#[test]
fn the_pure_part_never_opens_the_wall() {
    let shell = order().iter().position(|module| module == "event").unwrap();
    let pure = order()[..shell].to_vec();
    let broken: Vec<String> = sources()
        .iter()
        .filter(|source| pure.iter().any(|name| name == module(&source.path)))
        .filter(|source| product(source).iter().any(|(_, line)| line.contains("clippy::disallowed")))
        .map(|source| source.path.clone())
        .collect();
    none("the pure part may not lift the ban on files, clocks and the environment", &broken);
}

#[test]
fn files_are_short_and_named_for_what_is_in_them() {
    let mut broken = Vec::new();
    for source in files(&["src", "tests", "benches"], Some("rs")) {
        let lines = source.text.lines().count();
        if lines > LONGEST {
            broken.push(format!("{}: {lines} lines; split it", source.path));
        }
        let path = PathBuf::from(&source.path);
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
        if stem == "mod" {
            broken.push(format!("{}: write `foo.rs` beside `foo/`", source.path));
        }
        if stem.split('_').any(|word| EMPTY_WORDS.contains(&word)) {
            broken.push(format!("{}: the name does not say what is in it", source.path));
        }
    }
    none("files", &broken);
}

#[test]
fn things_are_named_for_what_they_are() {
    let mut broken = Vec::new();
    for source in sources() {
        for (number, line) in product(&source) {
            for keyword in ["struct ", "enum ", "trait ", "mod ", "fn "] {
                let Some((before, rest)) = line.split_once(keyword) else { continue };
                if !before.trim().split(' ').all(|word| {
                    word.is_empty() || word.starts_with("pub") || word == "async" || word == "const"
                }) {
                    continue;
                }
                let name = first_word(rest);
                if THEIR_WORDS.iter().any(|(word, _)| *word == name) {
                    continue;
                }
                if words(name).iter().any(|word| EMPTY_WORDS.contains(&word.as_str())) {
                    broken.push(format!("{}:{number}: {name}", source.path));
                }
            }
        }
    }
    none("names that say nothing", &broken);
}

/// Splits `snake_case` and `CamelCase` into lower-case words.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c.is_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c != '_') {
            word.extend(c.to_lowercase());
        }
    }
    words
}

#[test]
fn every_file_says_at_its_top_what_lives_there() {
    let silent: Vec<String> = files(&["src", "tests", "benches"], Some("rs"))
        .into_iter()
        .filter(|source| !source.text.starts_with("//! "))
        // The tests of a file stand beside it and need no words of their own.
        .filter(|source| !source.path.ends_with("tests.rs") && !source.path.contains("/tests/"))
        .map(|source| source.path)
        .collect();
    none("files without a word on what lives there", &silent);
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = std::fs::read_to_string(package().join("Cargo.toml")).unwrap();
    let mut in_dependencies = false;
    let mut broken = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
        }
        let is_one = in_dependencies && line.contains(" = ") && !line.starts_with('#');
        if is_one && line.rsplit_once("# ").is_none_or(|(_, reason)| reason.trim().len() < 4) {
            broken.push(line.to_owned());
        }
    }
    none("write behind the dependency what it is for", &broken);
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    let here = package().display().to_string();
    let mut forbidden = vec![here];
    forbidden.extend(std::env::var("CARGO_HOME").ok().filter(|home| home.len() > 4));
    let mut broken = Vec::new();
    for root in
        ["src", "tests", "benches", "examples", "schema", "README.md", "CHANGELOG.md", "Makefile", ".ci"]
    {
        for source in files(&[root], None) {
            for (number, line) in source.text.lines().enumerate() {
                if forbidden.iter().any(|path| line.contains(path.as_str())) {
                    broken.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
                }
            }
        }
    }
    none("paths of this machine", &broken);
}

#[test]
fn the_main_file_only_calls() {
    let main = std::fs::read_to_string(package().join("src/main.rs")).unwrap();
    assert!(main.lines().count() < 20, "src/main.rs parses, runs and returns the exit code, nothing else");
}
