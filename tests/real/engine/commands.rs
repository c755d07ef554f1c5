//! Commands inside a container: captured, with streams, with a terminal.

use bytes::Bytes;
use sdcompose::engine::{Chunk, ExecSpec, Session};
use tokio::io::AsyncWriteExt;

use super::*;
use crate::engines;

async fn running(docker: &Docker, project: &str) -> String {
    swept(docker, project).await;
    let spec = plain(project, &["sleep", "120"]);
    let name = spec.name.clone();
    done(docker, Call::CreateContainer(Box::new(spec))).await;
    done(docker, Call::Start { container: name.clone() }).await;
    name
}

async fn all(session: Session) -> (Vec<u8>, Vec<u8>, i64) {
    let Session { input, mut output, resize: _, exit } = session;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while let Some(chunk) = output.next().await {
        match chunk.unwrap() {
            Chunk::Out(bytes) => out.extend_from_slice(&bytes),
            Chunk::Err(bytes) => err.extend_from_slice(&bytes),
        }
    }
    drop(input);
    (out, err, exit.await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captured_command_gives_both_streams_and_its_code() {
    for real in engines() {
        let docker = &real.docker;
        let name = running(docker, "captured").await;
        let command = ExecSpec {
            environment: vec![("WHO".into(), "me".into())],
            working_dir: Some("/tmp".into()),
            user: Some("nobody".into()),
            ..ExecSpec::of(&["sh", "-c", "echo $WHO $PWD $(id -un); echo oops >&2; exit 7"])
        };
        let output = docker.exec(&name, &command).await.unwrap();
        assert_eq!((output.code, output.stdout.as_slice()), (7, b"me /tmp nobody\n".as_slice()));
        assert_eq!(output.stderr, b"oops\n");
        let missing = docker.exec(&name, &ExecSpec::of(&["/no/such"])).await.unwrap();
        assert!(matches!(missing.code, 126 | 127), "{missing:?}");
        let much = docker.exec(&name, &ExecSpec::of(&["head", "-c", "6000000", "/dev/zero"])).await.unwrap();
        assert_eq!((much.code, much.stdout.len()), (0, 4 << 20));
        let slow = ExecSpec { timeout: Some(Duration::from_millis(300)), ..ExecSpec::of(&["sleep", "60"]) };
        let error = docker.exec(&name, &slow).await.unwrap_err();
        assert!(matches!(error, EngineError::TimedOut { .. }), "{error:?}");
        swept(docker, "captured").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_the_input_leaves_the_output_open() {
    for real in engines() {
        let docker = &real.docker;
        let name = running(docker, "piped").await;
        let command =
            ExecSpec { stdin: true, ..ExecSpec::of(&["sh", "-c", "cat; echo end; echo e >&2; exit 3"]) };
        let mut session = docker.session(&name, &command).await.unwrap();
        session.input.write_all(b"given\n").await.unwrap();
        let input = std::mem::replace(&mut session.input, Box::pin(tokio::io::sink()));
        drop(input);
        assert_eq!(all(session).await, (b"given\nend\n".to_vec(), b"e\n".to_vec(), 3));
        swept(docker, "piped").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_has_its_size_and_no_frames() {
    for real in engines() {
        let docker = &real.docker;
        let name = running(docker, "terminal").await;
        let command = ExecSpec {
            tty: true,
            stdin: true,
            ..ExecSpec::of(&["sh", "-c", "printf '\\0'; read x; stty size; exit 5"])
        };
        let mut session = docker.session(&name, &command).await.unwrap();
        let first = session.output.next().await.unwrap().unwrap();
        assert_eq!(first, Chunk::Out(Bytes::from_static(b"\0")));
        (session.resize)(101, 33).await.unwrap();
        session.input.write_all(b"go\r").await.unwrap();
        let (out, err, code) = all(session).await;
        let out = String::from_utf8(out).unwrap();
        assert!(out.ends_with("33 101\r\n"), "{out:?}");
        assert_eq!((err.len(), code), (0, 5));
        swept(docker, "terminal").await;
    }
}
