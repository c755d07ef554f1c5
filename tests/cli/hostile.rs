//! Hostile and mistaken manifests: every one is answered at once, by messages that are listed here word by word
//! with their places, within bounded time and memory, and never by a panic.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Place, Ran};

mod services;
mod text;
mod values;
mod variants;

/// Number of the kind of input, what it is, the manifest, and what is told of it: a line for each finding,
/// `line:column severity code: message`.
type Case = (u8, &'static str, &'static str, &'static str);

/// Time that an answer may take: these are builds without optimisation, on machines that do other things too.
const TIME: Duration = Duration::from_secs(10);

/// Processor seconds that an answer may use.
const SECONDS: u64 = 2;

/// KiB of memory that an answer may use.
const MEMORY: u64 = 200 << 10;

/// Runs `config -q --format json` in a place with bounded memory and processor time.
fn bounded(place: &Place, arguments: &[&str]) -> Ran {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("ulimit -d {MEMORY} && ulimit -t {SECONDS} && exec \"$0\" \"$@\"")])
        .arg(env!("CARGO_BIN_EXE_sdcompose"))
        .args(arguments)
        .args(["config", "-q", "--format", "json"])
        .current_dir(place.path())
        .env_clear()
        .env("HOME", "/home/user")
        .stdin(Stdio::null());
    let start = Instant::now();
    let ran = place.ran(&command.output().unwrap());
    assert!(start.elapsed() < TIME, "took {:?}", start.elapsed());
    assert!(matches!(ran.code, 0 | 2), "ended with {}: {}", ran.code, ran.stderr);
    assert_eq!(ran.stderr, "");
    ran
}

fn told_in(place: &Place, arguments: &[&str]) -> String {
    let found: Vec<Value> = serde_json::from_str(&bounded(place, arguments).stdout).unwrap();
    let mut out = String::new();
    for found in found {
        let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
        match found["file"].as_str() {
            Some("compose.yaml") => write!(out, "{}:{}", found["line"], found["column"]).unwrap(),
            Some(file) => write!(out, "{file}:{}:{}", found["line"], found["column"]).unwrap(),
            None => out.push('-'),
        }
        writeln!(out, " {} {}: {}", text("severity"), text("code"), text("message")).unwrap();
    }
    out.trim_end().to_owned()
}

/// What is told of a compose file.
fn told(manifest: impl AsRef<[u8]>) -> String {
    let place = Place::new();
    std::fs::write(place.path().join("compose.yaml"), manifest).unwrap();
    told_in(&place, &[])
}

fn all(cases: &[Case]) {
    let mut wrong = String::new();
    for (row, what, manifest, expected) in cases {
        let (told, expected) = (told(manifest), expected.replace("<DIR>", "[PLACE]"));
        if told != expected {
            writeln!(wrong, "{row}, {what}:\n{manifest}\ntold:     {told}\nexpected: {expected}\n").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn texts_and_names() {
    all(text::CASES);
}

#[test]
fn services_ports_and_variables() {
    all(services::CASES);
}

#[test]
fn values_files_and_the_whole() {
    all(values::CASES);
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    assert_eq!(told("[".repeat(20_000)), "1:66 error limit: nested deeper than 64 levels");
    assert_eq!(told("{a: ".repeat(10_000)), "1:261 error limit: nested deeper than 64 levels");
    let nested = format!("services: {{a: {{image: '{}'}}}}\n", "${A:-".repeat(20_000));
    assert_eq!(told(nested), "1:104 error limit: interpolation nested deeper than 16");
    let service = |text: &str| format!("services:\n  a:\n    image: x\n{text}");
    assert_eq!(
        told(service(&format!("    environment: {{A: {}}}\n", "v".repeat(200_000)))),
        "4:5 error value: the environment is 200003 bytes long, too large for a process"
    );
    assert_eq!(
        told(service(&format!("    hostname: \"{}\"\n", "x".repeat(2 << 20)))),
        "4:15 error limit: a scalar is longer than 1 MiB"
    );
    let place = Place::new();
    place.write("compose.yaml", &service(&format!("    labels: {{a: \"{}\"}}\n", "$A".repeat(2_000))));
    place.write(".env", &format!("A={}\n", "x".repeat(1_000)));
    assert_eq!(told_in(&place, &[]), "4:2114 error limit: an interpolated value is longer than 1 MiB");
}

#[test]
fn what_is_no_text_is_named_by_what_it_is() {
    assert_eq!(told(b"\xef\xbb\xbfservices: {a: {image: x}}\n"), "");
    assert_eq!(told(b"\xff\xfes\0e\0"), "- error encoding: `compose.yaml` is UTF-16, not UTF-8");
    assert_eq!(told(b"\xff\xfe\0\0s\0\0\0"), "- error encoding: `compose.yaml` is UTF-32, not UTF-8");
    assert_eq!(
        told(b"services: {a: {image: x}} # M\xfcnchen\n"),
        "1:30 error encoding: invalid UTF-8 at byte 29: 0xFC"
    );
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let place = Place::new();
    place.write("big.yaml", &"#".repeat((8 << 20) + 1));
    place.write("a/keep", "");
    let fifo = Command::new("mkfifo").arg(place.path().join("fifo")).status().unwrap();
    assert!(fifo.success());
    std::os::unix::fs::symlink("loop", place.path().join("loop")).unwrap();
    std::os::unix::fs::symlink("gone", place.path().join("dangling")).unwrap();
    for (file, expected) in [
        ("big.yaml", "- error file: cannot read `big.yaml`: larger than 8 MiB"),
        ("fifo", "- error file: cannot read `fifo`: is a named pipe, not a regular file"),
        ("/dev/zero", "- error file: cannot read `/dev/zero`: is a device, not a regular file"),
        ("a", "- error file: cannot read `a`: is a directory"),
        ("gone", "- error file: cannot read `gone`: not found"),
        ("dangling", "- error file: cannot read `dangling`: not found"),
        ("loop", "- error file: cannot read `loop`: too many symbolic links"),
    ] {
        assert_eq!(told_in(&place, &["-f", file]), expected);
        place.write("compose.yaml", &format!("services: {{a: {{image: x, env_file: {file}}}}}\n"));
        let shown = if file.starts_with('/') { file.to_owned() } else { format!("[PLACE]/{file}") };
        let why = expected.rsplit_once(": ").unwrap().1;
        assert_eq!(told_in(&place, &[]), format!("1:36 error file: env file {shown}: {why}"));
    }
}

#[test]
fn a_long_chain_and_many_services_are_no_mistake() {
    let chain: String = (0..3_000).fold("services:\n  s0: {image: x}\n".to_owned(), |text, n| {
        text + &format!("  s{}: {{image: x, depends_on: [s{n}]}}\n", n + 1)
    });
    assert_eq!(told(chain), "");
    let many: String =
        (0..5_000).fold("services:\n".to_owned(), |text, n| text + &format!("  s{n}: {{image: x}}\n"));
    assert_eq!(told(many), "");
}

#[test]
fn files_and_flags_that_contradict() {
    let place = Place::with("services: {a: {image: x, profiles: [front]}}\n");
    assert_eq!(
        told_in(&place, &["--profile", "frnt"]),
        "- warning unknown-name: no service has the profile `frnt`"
    );
    assert_eq!(
        told_in(&place, &["-f", "sdcompose.yaml", "-f", "sdcompose.yaml"]),
        "- warning value: `sdcompose.yaml` is named twice"
    );
    assert_eq!(told_in(&place, &["-p", "Not Good"]), "- error value: `Not Good` cannot be a project name");
    place.write("__/compose.yaml", "services: {a: {image: x}}\n");
    assert_eq!(
        told_in(&place, &["--project-directory", "__", "-f", "__/compose.yaml"]),
        "__/compose.yaml:1:1 error value: the directory's name \"__\" gives no project name"
    );
}
