//! The engine's HTTP API in the few words that the tests need, so that what they assert comes from the engine
//! itself and neither from sdcompose nor from another client. One connection a call, HTTP/1.0, no pooling.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

/// A bound above every call that the tests make: a build that installs packages.
const PATIENCE: Duration = Duration::from_secs(600);

/// An engine behind a socket.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    /// Path of its socket.
    pub(crate) socket: PathBuf,
}

/// What a command inside a container printed, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Exit code.
    pub(crate) code: i64,
    /// Both streams, as on a terminal, with plain line ends.
    pub(crate) text: String,
}

impl Api {
    /// Makes one call; the status and the body, parsed where it is JSON.
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let (status, bytes) = exchange(&self.socket, method, path, body);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Reads something that must be there.
    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, value) = self.call("GET", path, None);
        assert!(status < 300, "GET {path}: {status} {value}");
        value
    }

    /// Makes a call that must succeed.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let (status, value) = self.call("POST", path, Some(body));
        assert!(status < 400, "POST {path}: {status} {value}");
        value
    }

    /// Removes something, whether it is there or not.
    pub(crate) fn delete(&self, path: &str) {
        let (status, value) = self.call("DELETE", path, None);
        assert!(status < 300 || status == 404, "DELETE {path}: {status} {value}");
    }

    /// Inspects a container; `None` where there is none of that name.
    pub(crate) fn inspect(&self, container: &str) -> Option<Value> {
        let (status, value) = self.call("GET", &format!("/containers/{container}/json"), None);
        (status == 200).then_some(value)
    }

    /// Runs a command as root inside a container and waits for its end. It gets a terminal, since that makes
    /// the stream unframed.
    pub(crate) fn exec(&self, container: &str, command: &[&str]) -> Ended {
        let made = self.post(
            &format!("/containers/{container}/exec"),
            &json!({"Cmd": command, "AttachStdout": true, "AttachStderr": true, "Tty": true}),
        );
        let id = made["Id"].as_str().unwrap_or_default();
        let start = json!({"Detach": false, "Tty": true});
        let (_, bytes) = exchange(&self.socket, "POST", &format!("/exec/{id}/start"), Some(&start));
        let code = self.get(&format!("/exec/{id}/json"))["ExitCode"].as_i64().unwrap_or(-1);
        Ended { code, text: String::from_utf8_lossy(&bytes).replace("\r\n", "\n") }
    }

    /// Runs a line of shell inside a container; it must succeed. Its trimmed output.
    pub(crate) fn shell(&self, container: &str, line: &str) -> String {
        let ended = self.exec(container, &["/bin/sh", "-c", line]);
        assert_eq!(ended.code, 0, "in {container}: {line}: {}", ended.text);
        ended.text.trim_end().to_owned()
    }
}

/// Sends one request and reads its answer to the end of the connection.
fn exchange(socket: &Path, method: &str, path: &str, body: Option<&Value>) -> (u16, Vec<u8>) {
    let mut stream = UnixStream::connect(socket)
        .unwrap_or_else(|error| panic!("{} does not answer: {error}", socket.display()));
    stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout above zero");
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: engine\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("the engine takes a request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("{method} {path}: no head: {}", String::from_utf8_lossy(&answer)));
    let head = String::from_utf8_lossy(answer.get(..end).unwrap_or_default()).into_owned();
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    (status, answer.split_off(end + 4))
}
