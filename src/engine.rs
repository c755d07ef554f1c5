//! The door to a container engine: one object-safe trait, low in methods, so that a simulated engine and
//! fault-injecting wrappers can stand in. Knows nothing of manifests and projects.

mod applied;
pub mod docker;
mod notify_socket;
pub mod sim;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use tokio::io::AsyncWrite;

use crate::container::{ContainerSpec, FileSpec, JoinSpec, NetworkSpec, VolumeSpec};
use crate::event::Progress;
use crate::facts::{Facts, ImageFacts};
use crate::observed::{Applied, Closeness, Closer, Health, Observed, Scope};
use crate::project::{Build, Limits, RestartPolicy};

/// A container engine.
pub trait Engine: Send + Sync {
    /// Asks what the engine is and can do. One read-only call.
    fn facts(&self) -> BoxFuture<'_, Result<Facts, EngineError>>;

    /// Takes a snapshot of a project. At most three read-only calls whatever the size of the project (a
    /// fourth where a volume of the scope is not mounted by any of its containers).
    fn observe<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Observed, EngineError>>;

    /// Looks at containers one by one, for what a list does not tell; one or two read-only calls for each. What
    /// is not there is left out.
    fn closer<'a>(
        &'a self,
        wanted: &'a BTreeMap<String, Closeness>,
    ) -> BoxFuture<'a, Result<BTreeMap<String, Closer>, EngineError>>;

    /// Makes one mutating call. Its outcome is unknown when the error says so (`EngineError::outcome`).
    fn perform<'a>(&'a self, call: &'a Call, show: Show) -> BoxFuture<'a, Result<Done, EngineError>>;

    /// Follows one container's life from its present state on: boot progress, READY, health, exit. The
    /// stream ends after [`Signal::Exited`].
    fn signals<'a>(&'a self, container: &'a str) -> BoxStream<'a, Result<Signal, EngineError>>;

    /// Follows the engine's events of a project. An event only wakes up; it is never believed.
    fn watch<'a>(&'a self, project: &'a str) -> BoxStream<'a, Result<Happening, EngineError>>;

    /// Runs a command inside a container to its end and keeps what it prints (at most 4 MiB a stream).
    fn exec<'a>(
        &'a self,
        container: &'a str,
        command: &'a ExecSpec,
    ) -> BoxFuture<'a, Result<ExecOutput, EngineError>>;

    /// Runs a command inside a container and hands over its streams while it runs.
    fn session<'a>(
        &'a self,
        container: &'a str,
        command: &'a ExecSpec,
    ) -> BoxFuture<'a, Result<Session, EngineError>>;

    /// Reads a container's log (of a machine: its console).
    fn logs<'a>(
        &'a self,
        container: &'a str,
        query: &'a LogQuery,
    ) -> BoxStream<'a, Result<LogLine, EngineError>>;
}

/// Where a call shows its progress; may be called from any thread.
pub type Show = Arc<dyn Fn(Progress) + Send + Sync>;

/// One mutating call.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// Makes a network.
    CreateNetwork(Box<NetworkSpec>),
    /// Makes a volume.
    CreateVolume(Box<VolumeSpec>),
    /// Makes a container, on its first network.
    CreateContainer(Box<ContainerSpec>),
    /// Puts files into a container's root, as one uncompressed tar.
    Put {
        /// Name or id.
        container: String,
        /// The files.
        files: Vec<FileSpec>,
    },
    /// Joins a further network.
    Connect {
        /// Name or id.
        container: String,
        /// How.
        join: Box<JoinSpec>,
    },
    /// Starts a container; its notify socket is listened on before.
    Start {
        /// Name or id.
        container: String,
    },
    /// Stops a container.
    Stop {
        /// Name or id.
        container: String,
        /// Time between its stop signal and the kill.
        grace: Duration,
    },
    /// Sends a signal to a container's PID 1.
    Kill {
        /// Name or id.
        container: String,
        /// Signal; `None` is SIGKILL.
        signal: Option<String>,
    },
    /// Thaws a paused container.
    Unpause {
        /// Name or id.
        container: String,
    },
    /// Renames a container.
    Rename {
        /// Name or id.
        container: String,
        /// The new name.
        to: String,
    },
    /// Sets a container's restart policy.
    SetRestart {
        /// Name or id.
        container: String,
        /// The policy.
        policy: RestartPolicy,
    },
    /// Sets limits of a container. What is `None` is left as it is: an engine takes no limit away.
    SetLimits {
        /// Name or id.
        container: String,
        /// The limits.
        limits: Box<Limits>,
    },
    /// Leaves a network.
    Disconnect {
        /// Name or id.
        container: String,
        /// Name of the network.
        network: String,
    },
    /// Runs a command that changes something inside a running container. Making it twice does no harm.
    Run {
        /// Name or id.
        container: String,
        /// Executable and arguments.
        command: Vec<String>,
        /// Time after which it is given up.
        timeout: Duration,
    },
    /// Remembers on this host what was changed of a container in place, beside its notify socket. Nothing of the
    /// engine is changed. On a remote engine nothing is remembered, and looked for instead.
    Remember {
        /// Name or id.
        container: String,
        /// What it is now.
        applied: Applied,
    },
    /// Removes a container.
    Remove {
        /// Name or id.
        container: String,
        /// Whether its anonymous volumes go as well.
        volumes: bool,
        /// Whether it may still run.
        force: bool,
    },
    /// Removes a network.
    RemoveNetwork {
        /// Name or id.
        network: String,
    },
    /// Removes a volume.
    RemoveVolume {
        /// Name.
        volume: String,
    },
    /// Pulls an image.
    Pull {
        /// The reference.
        reference: String,
        /// The platform, such as `linux/arm64`; `None` is the engine's own.
        platform: Option<String>,
    },
    /// Builds an image.
    Build {
        /// The reference given to the result.
        tag: String,
        /// How.
        build: Box<Build>,
    },
    /// Looks into an image by a container that is made, never started, and removed.
    Look {
        /// The reference.
        reference: String,
    },
}

/// What a call gave back.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// Nothing beside its success.
    Nothing,
    /// The id of what was made.
    Created {
        /// The engine's id.
        id: String,
    },
    /// It was so already (the engine's 304, a removal of what is not there).
    Already,
    /// What was found in an image.
    Looked(ImageFacts),
    /// What a command printed, and how it ended.
    Ran(ExecOutput),
}

/// What a container's life brings.
#[derive(Debug, Clone, PartialEq)]
pub enum Signal {
    /// The container runs (sent first where it does).
    Running,
    /// The container exists and was never started.
    NotStarted,
    /// The console or the notify socket shows that the boot goes on: from now on, commands may be run inside.
    Booting {
        /// Units that are up.
        done: u32,
        /// The last line.
        line: String,
    },
    /// The initial job queue is done.
    Ready,
    /// The health check's result changed.
    Health(Health),
    /// The container ended.
    Exited {
        /// Its exit code.
        code: i64,
        /// Whether the kernel ended it for want of memory.
        oom: bool,
        /// The last lines of its console.
        console: Vec<String>,
    },
}

/// An event of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// Name of the container or other object.
    pub name: String,
    /// The engine's word (`die`, `start`, `health_status: healthy`, …).
    pub action: String,
}

/// A command to run inside a container.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExecSpec {
    /// Executable and arguments.
    pub command: Vec<String>,
    /// User.
    pub user: Option<String>,
    /// Working directory.
    pub working_dir: Option<String>,
    /// Further environment.
    pub environment: Vec<(String, String)>,
    /// Names that the command does not get from the container's environment; Podman gives it empty ones.
    pub unset: Vec<String>,
    /// Whether it gets a terminal.
    pub tty: bool,
    /// Whether it gets standard input.
    pub stdin: bool,
    /// Whether it gets all privileges.
    pub privileged: bool,
    /// Time after which it is given up; `None` is without bound.
    pub timeout: Option<Duration>,
}

impl ExecSpec {
    /// Makes a command that is run as root without terminal and input, given up after 30 seconds.
    #[must_use]
    pub fn of(command: &[&str]) -> Self {
        Self {
            command: command.iter().map(|&word| word.to_owned()).collect(),
            timeout: Some(Duration::from_secs(30)),
            ..Self::default()
        }
    }
}

/// What a command printed, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExecOutput {
    /// Exit code.
    pub code: i64,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

/// A command that runs inside a container, with its streams.
pub struct Session {
    /// Its standard input; closed by dropping.
    pub input: std::pin::Pin<Box<dyn AsyncWrite + Send>>,
    /// What it prints.
    pub output: BoxStream<'static, Result<Chunk, EngineError>>,
    /// Sets the size of its terminal: columns, rows.
    pub resize: Resize,
    /// Asks for its exit code, once the output has ended.
    pub exit: BoxFuture<'static, Result<i64, EngineError>>,
}

/// Sets the size of a terminal: columns, rows.
pub type Resize = Box<dyn Fn(u16, u16) -> BoxFuture<'static, Result<(), EngineError>> + Send + Sync>;

/// A piece of a command's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// Of standard output, or of the terminal.
    Out(Bytes),
    /// Of standard error.
    Err(Bytes),
}

/// Which part of a log is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogQuery {
    /// Whether to wait for more.
    pub follow: bool,
    /// Only the last lines.
    pub tail: Option<u64>,
    /// Only from this time on, nanoseconds since 1970.
    pub since: Option<i128>,
    /// Only up to this time, nanoseconds since 1970.
    pub until: Option<i128>,
}

/// A line of a container's log, without its end of line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When the engine received it, nanoseconds since 1970.
    pub at: i128,
    /// Whether it came by standard error.
    pub stderr: bool,
    /// The text, as it came.
    pub text: Bytes,
}

/// Why an engine did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// No engine answers.
    #[error("no container engine answers at {endpoint}")]
    Unreachable {
        /// What was tried.
        endpoint: String,
        /// What the system said.
        cause: String,
        /// The way out.
        help: Vec<String>,
    },
    /// The engine refused; nothing was changed.
    #[error("{what}: {message}")]
    Refused {
        /// The call in words (`create container shop-db-1`).
        what: String,
        /// What kind of refusal, independent of the engine.
        kind: RefusalKind,
        /// The engine's words.
        message: String,
    },
    /// The reply was lost: it is not known whether the call took effect.
    #[error("{what}: the engine's answer was lost ({cause})")]
    Unknown {
        /// The call in words.
        what: String,
        /// What happened to the connection.
        cause: String,
    },
    /// The engine did not answer in time: it is not known whether the call took effect.
    #[error("{what}: the engine did not answer within {} s", after.as_secs())]
    TimedOut {
        /// The call in words.
        what: String,
        /// The time that was given.
        after: Duration,
    },
    /// The engine answered something that cannot be understood.
    #[error("{what}: the engine's answer makes no sense ({cause})")]
    Garbled {
        /// The call in words.
        what: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Something on this side failed: a file that cannot be read, a socket that cannot be made.
    #[error("{what}: {cause}")]
    Local {
        /// What was done.
        what: String,
        /// What the system said.
        cause: String,
    },
}

/// Kinds of refusals, told apart by engine, call, status and message (Docker and Podman differ).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// The object does not exist.
    NotFound,
    /// The name is taken.
    NameTaken,
    /// A state stands in the way (running, in use, being removed).
    Conflict,
    /// A host port is taken.
    PortTaken,
    /// The request is wrong.
    Invalid,
    /// A registry refused or the image does not exist there.
    Registry,
    /// The engine failed by itself.
    Internal,
}
