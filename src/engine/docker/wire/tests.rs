use std::path::PathBuf;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

use super::*;

/// What a broken engine does after it has read a request.
#[derive(Clone, Copy)]
enum Then {
    Close,
    Hang,
}

/// An engine that answers every request by the same bytes.
struct Broken {
    _directory: tempfile::TempDir,
    socket: PathBuf,
}

impl Broken {
    fn new(answer: &'static str, then: Then) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move {
            let mut hung = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                match then {
                    Then::Close => drop(stream),
                    Then::Hang => hung.push(stream),
                }
            }
        });
        Self { _directory: directory, socket }
    }

    async fn asked(&self) -> Result<serde_json::Value, Trouble> {
        let wire = Wire::new(Address::Unix(self.socket.clone()), None);
        wire.json(bare(Method::GET, &Path::of(&["info"])), Duration::from_millis(300)).await
    }
}

async fn told(answer: &'static str, then: Then) -> Trouble {
    Broken::new(answer, then).asked().await.unwrap_err()
}

#[tokio::test]
async fn an_engine_that_hangs_is_given_up_in_time_wherever_it_hangs() {
    let late = Trouble::TimedOut(Duration::from_millis(300));
    assert_eq!(told("", Then::Hang).await, late);
    assert_eq!(told("HTTP/1.1 200 OK\r\nContent-Le", Then::Hang).await, late);
    assert_eq!(told("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":", Then::Hang).await, late);
    assert_eq!(told("HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\n{", Then::Hang).await, late);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_lost_and_not_refused() {
    for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":"] {
        let trouble = told(answer, Then::Close).await;
        assert!(matches!(trouble, Trouble::Lost(_)), "{answer:?}: {trouble:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_garbled() {
    let trouble = told("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", Then::Close).await;
    assert!(matches!(trouble, Trouble::Garbled(_)), "{trouble:?}");
    let trouble = told("SSH-2.0-OpenSSH_9.2\r\n", Then::Close).await;
    assert!(matches!(trouble, Trouble::Lost(_)), "{trouble:?}");
}

#[tokio::test]
async fn a_refusal_carries_the_engines_words() {
    let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 34\r\n\r\n{\"message\":\"No such container: a\"}";
    assert_eq!(told(answer, Then::Close).await, Trouble::Status(404, "No such container: a".into()));
}

#[tokio::test]
async fn nobody_listening_means_that_nothing_was_sent() {
    let directory = tempfile::tempdir().unwrap();
    let wire = Wire::new(Address::Unix(directory.path().join("none.sock")), None);
    let called = wire.call(bare(Method::POST, &Path::of(&["x"])), Duration::from_secs(1)).await;
    let trouble = called.unwrap_err();
    assert!(matches!(&trouble, Trouble::NotSent(_, Some(std::io::ErrorKind::NotFound))), "{trouble:?}");
}

#[tokio::test]
async fn bollard_meets_the_same_troubles() {
    let told = async |answer, then| {
        let broken = Broken::new(answer, then);
        let api = Wire::new(Address::Unix(broken.socket.clone()), None).bollard().unwrap();
        super::super::errors::of_bollard(api.unpause_container("a").await.unwrap_err())
    };
    let answer = "HTTP/1.1 409 Conflict\r\nContent-Length: 15\r\n\r\n{\"message\":\"b\"}";
    assert_eq!(told(answer, Then::Close).await, Trouble::Status(409, "b".into()));
    assert!(matches!(told("", Then::Close).await, Trouble::Lost(_)));
    let nobody = Wire::new(Address::Unix("/nowhere/none.sock".into()), None).bollard().unwrap();
    let trouble = super::super::errors::of_bollard(nobody.unpause_container("a").await.unwrap_err());
    assert!(matches!(trouble, Trouble::NotSent(..)), "{trouble:?}");
}

#[tokio::test]
async fn the_version_of_the_first_answer_is_pinned_and_no_newer_one_than_is_known() {
    let answer = "HTTP/1.1 200 OK\r\nApi-Version: 9.99\r\nContent-Length: 2\r\n\r\n{}";
    let broken = Broken::new(answer, Then::Close);
    let wire = Wire::new(Address::Unix(broken.socket.clone()), None);
    wire.call(bare(Method::GET, &Path::of(&["info"])), Duration::from_secs(1)).await.unwrap();
    assert_eq!(wire.pinned.get(), Some(&NEWEST));
}

#[test]
fn a_pinned_version_stands_in_front_of_paths_of_every_form() {
    let wire = Wire::new(Address::Unix("/x".into()), None);
    let request = || bare(Method::GET, &Path::of(&["info"]).with("a", "1"));
    assert_eq!(wire.addressed(request()).unwrap().uri(), "/info?a=1");
    wire.pinned.set(ApiVersion { major: 1, minor: 41 }).unwrap();
    assert_eq!(wire.addressed(request()).unwrap().uri(), "/v1.41/info?a=1");
    let mut absolute = request();
    *absolute.uri_mut() = "http://localhost/containers/x/kill?signal=SIGKILL".parse().unwrap();
    assert_eq!(wire.addressed(absolute).unwrap().uri(), "/v1.41/containers/x/kill?signal=SIGKILL");
}

#[test]
fn the_version_header_is_read_or_left() {
    assert_eq!(api_version(&HeaderValue::from_static("1.41")), Some(ApiVersion { major: 1, minor: 41 }));
    assert_eq!(api_version(&HeaderValue::from_static("nonsense")), None);
}
