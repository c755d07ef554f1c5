//! Running commands inside a container, with our own reading of their streams.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{BoxStream, StreamExt};
use hyper::Method;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{sleep, timeout};

use crate::engine::{Chunk, EngineError, ExecOutput, ExecSpec, Session};

use super::Docker;
use super::errors::{Purpose, Trouble};
use super::frames::Demux;
use super::path::Path;
use super::wire::{Hijacked, bare, with_json};

/// What is kept of each stream of a captured command.
const KEPT: usize = 4 << 20;
const DEADLINE: Duration = Duration::from_secs(30);
/// The end of the output and the engine's knowledge of the exit code are two things; the second comes some
/// milliseconds later, and no event carries both the command's id and the code on both engines.
const SETTLING: [u64; 8] = [0, 2, 5, 20, 50, 200, 500, 1000];

#[derive(Deserialize)]
struct Created {
    #[serde(rename = "Id")]
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    #[serde(default)]
    running: bool,
    exit_code: Option<i64>,
}

/// A command that was started.
struct Started {
    id: String,
    streams: Hijacked,
}

impl Docker {
    /// Runs a command to its end.
    pub(super) async fn run(&self, container: &str, command: &ExecSpec) -> Result<ExecOutput, EngineError> {
        let told =
            |trouble: Trouble| trouble.of(&self.endpoint, Purpose::Other, in_words(container, command));
        let whole = async {
            let Started { id, streams } = self.launch(container, command).await?;
            let (reader, mut writer) = tokio::io::split(streams);
            if command.stdin {
                // Nothing is given to a captured command: its input ends at once.
                let _ = writer.shutdown().await;
            }
            let mut output = captured(pieces(reader, command.tty)).await?;
            output.code = self.exit_code(&id).await?;
            drop(writer);
            Ok(output)
        };
        match command.timeout {
            None => whole.await,
            Some(time) => timeout(time, whole).await.unwrap_or(Err(Trouble::TimedOut(time))),
        }
        .map_err(told)
    }

    /// Starts a command and hands its streams over.
    pub(super) async fn open_session(
        &self,
        container: &str,
        command: &ExecSpec,
    ) -> Result<Session, EngineError> {
        let what = in_words(container, command);
        let told = {
            let (endpoint, what) = (self.endpoint.clone(), what);
            move |trouble: Trouble| trouble.of(&endpoint, Purpose::Other, what.clone())
        };
        let Started { id, streams } = self.launch(container, command).await.map_err(&told)?;
        let (reader, writer) = tokio::io::split(streams);
        let output = pieces(reader, command.tty).map({
            let told = told.clone();
            move |piece| piece.map_err(&told)
        });
        Ok(Session {
            input: input(writer, command.stdin),
            output: output.boxed(),
            resize: self.resizer(id.clone(), told.clone()),
            exit: {
                let docker = self.clone();
                async move { docker.exit_code(&id).await.map_err(told) }.boxed()
            },
        })
    }

    async fn launch(&self, container: &str, command: &ExecSpec) -> Result<Started, Trouble> {
        let create = with_json(Method::POST, &Path::of(&["containers", container, "exec"]), &body(command));
        let Created { id } = self.wire.json(create, DEADLINE).await?;
        let start = serde_json::json!({ "Detach": false, "Tty": command.tty });
        let start = with_json(Method::POST, &Path::of(&["exec", &id, "start"]), &start);
        let streams = self.wire.hijack(start, DEADLINE).await?;
        Ok(Started { id, streams })
    }

    async fn exit_code(&self, id: &str) -> Result<i64, Trouble> {
        let path = Path::of(&["exec", id, "json"]);
        for pause in SETTLING {
            sleep(Duration::from_millis(pause)).await;
            let found: Inspected = self.wire.json(bare(Method::GET, &path), DEADLINE).await?;
            if let (false, Some(code)) = (found.running, found.exit_code) {
                return Ok(code);
            }
        }
        Err(Trouble::Garbled("the command's output ended, and it is still said to run".to_owned()))
    }

    fn resizer(
        &self,
        id: String,
        told: impl Fn(Trouble) -> EngineError + Clone + Send + Sync + 'static,
    ) -> crate::engine::Resize {
        let docker = self.clone();
        Box::new(move |columns, rows| -> BoxFuture<'static, Result<(), EngineError>> {
            let path = Path::of(&["exec", &id, "resize"])
                .with("h", &rows.to_string())
                .with("w", &columns.to_string());
            let (docker, told) = (docker.clone(), told.clone());
            async move {
                let resized = docker.wire.call(bare(Method::POST, &path), DEADLINE).await;
                resized.map(drop).map_err(told)
            }
            .boxed()
        })
    }
}

fn in_words(container: &str, command: &ExecSpec) -> String {
    format!("run `{}` in {container}", command.command.join(" "))
}

fn body(spec: &ExecSpec) -> serde_json::Value {
    let ExecSpec { command, user, working_dir, environment, unset, tty, stdin, privileged, timeout: _ } =
        spec;
    let mut body = serde_json::json!({
        "Cmd": command,
        "AttachStdin": stdin,
        "AttachStdout": true,
        "AttachStderr": true,
        "Tty": tty,
    });
    let mut set = |key: &str, value: serde_json::Value| body[key] = value;
    if let Some(user) = user {
        set("User", user.as_str().into());
    }
    if let Some(directory) = working_dir {
        set("WorkingDir", directory.as_str().into());
    }
    if !(environment.is_empty() && unset.is_empty()) {
        let pairs = environment.iter().map(|(key, value)| format!("{key}={value}"));
        let pairs: Vec<String> = pairs.chain(unset.iter().cloned()).collect();
        set("Env", pairs.into());
    }
    if *privileged {
        set("Privileged", true.into());
    }
    body
}

/// Reads a command's output, piece by piece.
fn pieces(reader: ReadHalf<Hijacked>, tty: bool) -> BoxStream<'static, Result<Chunk, Trouble>> {
    let start = (reader, Demux::new(tty), vec![0; 32 << 10]);
    futures_util::stream::try_unfold(start, |(mut reader, mut demux, mut buffer)| async move {
        let length = reader.read(&mut buffer).await.map_err(|error| Trouble::Lost(error.to_string()))?;
        if length == 0 {
            return Ok(None);
        }
        let chunks = demux.feed(Bytes::copy_from_slice(&buffer[..length])).map_err(Trouble::Garbled)?;
        let chunks = futures_util::stream::iter(chunks.into_iter().map(Ok));
        Ok(Some((chunks, (reader, demux, buffer))))
    })
    .flat_map(|chunks: Result<_, Trouble>| match chunks {
        Ok(chunks) => chunks.boxed(),
        Err(trouble) => futures_util::stream::iter([Err(trouble)]).boxed(),
    })
    .boxed()
}

async fn captured(mut pieces: BoxStream<'_, Result<Chunk, Trouble>>) -> Result<ExecOutput, Trouble> {
    let mut output = ExecOutput::default();
    while let Some(piece) = pieces.next().await {
        let (kept, bytes) = match piece? {
            Chunk::Out(bytes) => (&mut output.stdout, bytes),
            Chunk::Err(bytes) => (&mut output.stderr, bytes),
        };
        let room = KEPT - kept.len();
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
    Ok(output)
}

/// Makes an input whose dropping ends the command's standard input and leaves its output open.
fn input(
    mut writer: WriteHalf<Hijacked>,
    wanted: bool,
) -> std::pin::Pin<Box<dyn tokio::io::AsyncWrite + Send>> {
    if !wanted {
        // The half is kept for nothing: the connection lives as long as its reading half.
        return Box::pin(tokio::io::sink());
    }
    let (near, mut far) = tokio::io::duplex(64 << 10);
    tokio::spawn(async move {
        // A command that ended does not read; that is no error of whoever types.
        let _ = tokio::io::copy(&mut far, &mut writer).await;
        let _ = writer.shutdown().await;
    });
    Box::pin(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commands_body_says_what_was_asked_and_no_more() {
        assert_eq!(
            body(&ExecSpec::of(&["systemctl", "status"])).to_string(),
            r#"{"AttachStderr":true,"AttachStdin":false,"AttachStdout":true,"Cmd":["systemctl","status"],"Tty":false}"#
        );
        let full = ExecSpec {
            user: Some("app".into()),
            working_dir: Some("/srv".into()),
            environment: vec![("A".into(), "b=c".into())],
            unset: vec!["B".into()],
            tty: true,
            stdin: true,
            privileged: true,
            ..ExecSpec::of(&["sh"])
        };
        assert_eq!(
            body(&full).to_string(),
            r#"{"AttachStderr":true,"AttachStdin":true,"AttachStdout":true,"Cmd":["sh"],"Env":["A=b=c","B"],"Privileged":true,"Tty":true,"User":"app","WorkingDir":"/srv"}"#
        );
    }

    #[tokio::test]
    async fn what_is_beyond_the_bound_is_read_and_dropped() {
        let piece = Bytes::from(vec![b'x'; KEPT / 2 + 1]);
        let pieces = [Chunk::Out(piece.clone()), Chunk::Err("e".into()), Chunk::Out(piece)];
        let output = captured(futures_util::stream::iter(pieces.map(Ok)).boxed()).await.unwrap();
        assert_eq!((output.stdout.len(), output.stderr.len()), (KEPT, 1));
    }
}
