//! Pipes that close, places that are odd, colours that are not wanted.

use std::process::Stdio;

use super::{Place, TWO, rest};

#[test]
fn a_reader_that_closes_early_is_no_failure() {
    let services: Vec<String> = (0..3_000).map(|n| format!("  s{n}: {{ image: 'a:{n}' }}\n")).collect();
    let manifest = format!("name: big\nservices:\n{}", services.concat());
    let place = Place::with(&manifest);
    for arguments in [["config", "--images"], ["graph", "--json"], ["completion", "bash"]] {
        let mut child =
            place.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Nobody reads: the pipe is full, then closed.
        drop(child.stdout.take());
        let stderr = rest(child.stderr.take().unwrap());
        let status = child.wait().unwrap();
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_closed_standard_error_does_not_hurt() {
    let place = Place::with("services: [");
    let mut child = place.command(&["config"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn nothing_is_coloured_where_nobody_looks() {
    let place = Place::with("services: { web: { imege: a } }");
    let ran = place.run(&["config"]);
    assert!(!ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
    let forced = place.run(&["--ansi", "always", "config"]);
    assert!(forced.stderr.contains('\u{1b}'), "{:?}", forced.stderr);
    let refused = place
        .ran(&place.command(&["--ansi", "never", "config"]).env("CLICOLOR_FORCE", "1").output().unwrap());
    assert!(!refused.stderr.contains('\u{1b}'), "{:?}", refused.stderr);
}

#[test]
fn a_directory_that_is_gone_is_told() {
    let place = Place::with(TWO);
    let gone = place.path().join("gone");
    std::fs::create_dir(&gone).unwrap();
    let script = "rmdir ../gone && exec \"$0\" config";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_sdcompose")])
        .current_dir(&gone)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    let ran = place.ran(&output);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot tell the current directory"), "{}", ran.stderr);
}

#[test]
fn arguments_that_are_no_text_do_not_panic() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::with(TWO);
    let odd = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    let output = place.command(&[std::ffi::OsStr::new("up"), odd]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let output = place.command(&["config", "-q"]).env("ODD", odd).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
