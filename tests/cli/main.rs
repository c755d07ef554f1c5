//! The built command, run without an engine: what it prints where, and how it ends.

#![expect(clippy::disallowed_methods, reason = "these tests write manifests")]
#![expect(clippy::unwrap_used, reason = "what cannot be set up is a failure")]

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

mod config;
mod hostile;
mod import;
mod manifests;
mod streams;

/// A directory to run in, with nothing of the outside's environment.
struct Place {
    dir: TempDir,
}

/// How a run ended.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Place {
    fn new() -> Self {
        Self { dir: TempDir::new().unwrap() }
    }

    /// A place with a manifest.
    fn with(manifest: &str) -> Self {
        let place = Self::new();
        place.write("sdcompose.yaml", manifest);
        place
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sdcompose"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("SDCOMPOSE_STATE_DIR", self.path().join("state"))
            .env("DOCKER_HOST", format!("unix://{}/no.sock", self.path().display()))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.ran(&self.command(arguments).output().unwrap())
    }

    fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        self.ran(&child.wait_with_output().unwrap())
    }

    /// Takes the place's own path out of what was printed.
    fn ran(&self, output: &Output) -> Ran {
        let text = |bytes: &[u8]| {
            String::from_utf8(bytes.to_vec()).unwrap().replace(&self.path().display().to_string(), "[PLACE]")
        };
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

const TWO: &str = "\
name: shop
services:
  web:
    image: shop/web:1
    depends_on: [db]
  db:
    image: shop/db:1
";

/// Every verb, as `--help` names them.
const VERBS: [&str; 19] = [
    "up",
    "down",
    "start",
    "stop",
    "restart",
    "kill",
    "plan",
    "config",
    "convert",
    "import",
    "graph",
    "build",
    "pull",
    "ps",
    "logs",
    "exec",
    "systemctl",
    "version",
    "completion",
];

#[test]
fn every_verb_has_help_with_examples() {
    let place = Place::new();
    let whole = place.run(&["--help"]);
    assert_eq!((whole.code, whole.stderr.as_str()), (0, ""));
    assert!(whole.stdout.contains("Exit codes: 0 done, 1 a step failed"), "{}", whole.stdout);
    for verb in VERBS {
        assert!(whole.stdout.contains(&format!("\n  {verb} ")), "{verb} is not in --help");
        let ran = place.run(&[verb, "--help"]);
        assert_eq!(ran.code, 0, "{verb}");
        assert!(ran.stdout.contains(&format!("sdcompose {verb}")), "{verb}: {}", ran.stdout);
        assert!(ran.stdout.contains("Examples:"), "{verb} has no examples");
    }
}

#[test]
fn the_version_is_the_packages() {
    let place = Place::new();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(place.run(&["version", "--short"]).stdout, format!("{version}\n"));
    assert_eq!(place.run(&["version"]).stdout, format!("sdcompose version {version}\n"));
    assert_eq!(place.run(&["--version"]).stdout, format!("sdcompose {version}\n"));
    for arguments in [["version", "--format", "json"].as_slice(), &["version", "--json"]] {
        assert_eq!(place.run(arguments).stdout, format!("{{\"version\":\"{version}\"}}\n"));
    }
}

#[test]
fn completions_know_verbs_and_flags() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let ran = place.run(&["completion", shell]);
        assert_eq!(ran.code, 0, "{shell}: {}", ran.stderr);
        for word in ["systemctl", "remove-orphans", "wait-timeout"] {
            assert!(ran.stdout.contains(word), "{shell} does not complete {word}");
        }
    }
    assert_eq!(place.run(&["completion", "tcsh"]).code, 2);
}

#[test]
fn a_wrong_command_line_is_told_and_ends_with_2() {
    let place = Place::with(TWO);
    for arguments in [
        &["frobnicate"][..],
        &[],
        &["up", "--no-such-flag"],
        &["exec"],
        &["exec", "web"],
        &["logs", "--tail", "three"],
        &["logs", "--priority", "loud"],
        &["logs", "--since", "once"],
        &["up", "--scale", "web"],
        &["up", "--scale", "nobody=2"],
        &["config", "nobody"],
        &["--parallel", "0", "config"],
    ] {
        let ran = place.run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        assert!(!ran.stderr.is_empty(), "{arguments:?}");
        assert_eq!(ran.stdout, "", "{arguments:?}");
    }
}

#[test]
fn flags_that_stand_before_the_verb_are_asked_for_there() {
    let ran = Place::with(TWO).run(&["up", "-f", "other.yaml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("stands before the verb: sdcompose -f"), "{}", ran.stderr);
}

#[test]
fn an_engine_that_does_not_answer_is_named_with_the_way_out() {
    let place = Place::with(TWO);
    for arguments in [&["up", "-d"][..], &["ps"], &["plan"], &["down"], &["logs"], &["exec", "web", "true"]] {
        let ran = place.run(arguments);
        assert_eq!(ran.code, 1, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("error: no container engine answers at "), "{}", ran.stderr);
        assert!(ran.stderr.contains("[PLACE]/no.sock"), "{}", ran.stderr);
        assert!(ran.stderr.contains("  help: "), "{}", ran.stderr);
        assert_eq!(ran.stderr.matches("error:").count(), 1, "once: {}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn a_manifest_is_checked_without_a_home() {
    let place = Place::with(TWO);
    let ran = place.ran(&place.command(&["config", "-q"]).env_remove("HOME").output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn tracing_goes_to_standard_error_where_it_is_asked_for() {
    let place = Place::with(TWO);
    let run = |level: &str| {
        place.ran(&place.command(&["config", "--services"]).env("SDCOMPOSE_LOG", level).output().unwrap())
    };
    assert_eq!(run("debug").stdout, "web\ndb\n");
    assert_eq!(run("no=such=level").code, 0);
}

/// Reads everything that is left.
fn rest(mut reader: impl Read) -> String {
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    text
}
