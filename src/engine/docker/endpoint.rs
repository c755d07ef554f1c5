//! Which engine is meant: from `--host`, `DOCKER_HOST`, Docker's current context or the usual sockets, in
//! this order. Never falls back from a wish to another engine.

#![expect(
    clippy::disallowed_methods,
    reason = "looks at the environment, Docker's configuration and sockets"
)]

use std::fmt;
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::engine::EngineError;
use crate::facts::Locality;

/// Where an engine listens, and how that was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Where.
    pub address: Address,
    /// What named it (`--host`, `DOCKER_HOST`, `Docker's context "x"`, `a usual socket`).
    pub origin: String,
}

/// Where an engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A unix socket.
    Unix(PathBuf),
    /// Plain TCP; only on this machine.
    Tcp {
        /// Host name or address, without brackets.
        host: String,
        /// Port.
        port: u16,
    },
}

/// What of a process's surroundings decides where the engine is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub docker_context: Option<String>,
    /// Directory of Docker's configuration: `DOCKER_CONFIG`, or `.docker` in the home directory.
    pub docker_config: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
}

impl Surroundings {
    /// Reads the environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            docker_host: set("DOCKER_HOST"),
            docker_context: set("DOCKER_CONTEXT"),
            docker_config: set("DOCKER_CONFIG")
                .map(PathBuf::from)
                .or_else(|| set("HOME").map(|home| Path::new(&home).join(".docker"))),
            runtime_dir: set("XDG_RUNTIME_DIR").map(PathBuf::from),
        }
    }

    /// The sockets where engines listen unless told otherwise, those of root first, as Docker's own
    /// client has it.
    fn usual_sockets(&self) -> Vec<PathBuf> {
        let mut sockets = vec![PathBuf::from("/var/run/docker.sock")];
        sockets.extend(self.runtime_dir.iter().map(|dir| dir.join("docker.sock")));
        sockets.push(PathBuf::from("/run/podman/podman.sock"));
        sockets.extend(self.runtime_dir.iter().map(|dir| dir.join("podman/podman.sock")));
        sockets
    }
}

impl Endpoint {
    /// Finds the engine that is meant. `wish` is the value of `--host`.
    ///
    /// # Errors
    /// [`EngineError::Unreachable`]: the wish cannot be understood or is not supported, or none of the usual
    /// sockets answers; then every one that was tried is named.
    pub fn find(wish: Option<&str>, surroundings: &Surroundings) -> Result<Self, EngineError> {
        if let Some(wish) = wish {
            return Self::parse(wish, "--host");
        }
        if let Some(host) = &surroundings.docker_host {
            return Self::parse(host, "DOCKER_HOST");
        }
        if let Some(endpoint) = of_context(surroundings)? {
            return Ok(endpoint);
        }
        among(&surroundings.usual_sockets())
    }

    /// Reads an address as Docker writes it: `unix:///path`, `tcp://127.0.0.1:2375`, or a path.
    ///
    /// # Errors
    /// [`EngineError::Unreachable`] says what is wrong or not supported, and the way out.
    pub fn parse(text: &str, origin: impl Into<String>) -> Result<Self, EngineError> {
        let origin = origin.into();
        let refuse = |cause: &str, help: String| EngineError::Unreachable {
            endpoint: format!("{text} ({origin})"),
            cause: cause.to_owned(),
            help: vec![help],
        };
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        match scheme {
            "unix" | "" if rest.starts_with('/') => {
                Ok(Self { address: Address::Unix(PathBuf::from(rest)), origin })
            }
            "tcp" | "http" => match host_and_port(rest) {
                Some((host, port)) if is_loopback(&host) => {
                    Ok(Self { address: Address::Tcp { host, port }, origin })
                }
                Some(_) => Err(refuse(
                    "plain TCP to another machine would give everybody in between root there",
                    forwarding("that machine"),
                )),
                None => Err(refuse("this is no address", "write tcp://127.0.0.1:PORT".to_owned())),
            },
            "ssh" => Err(refuse("ssh:// is not supported", forwarding(rest))),
            "https" => Err(refuse("TLS is not supported", forwarding("that machine"))),
            _ => {
                Err(refuse("this is no address of an engine", "write unix:///path/of/docker.sock".to_owned()))
            }
        }
    }

    /// Tells whether the engine sees the same files as this process.
    #[must_use]
    pub fn locality(&self) -> Locality {
        match self.address {
            Address::Unix(_) => Locality::Local,
            // A port of this machine is often one that is forwarded from elsewhere.
            Address::Tcp { .. } => Locality::Remote,
        }
    }

    /// Says what to do when no connection can be made.
    pub(super) fn help(&self, kind: Option<ErrorKind>) -> Vec<String> {
        let Address::Unix(path) = &self.address else {
            return vec!["start the engine, or name another one by --host or DOCKER_HOST".to_owned()];
        };
        match kind {
            Some(ErrorKind::PermissionDenied) => vec![may_not(path)],
            Some(ErrorKind::NotFound | ErrorKind::ConnectionRefused) => vec![start(path)],
            _ => vec![start(path), "or name another engine by --host or DOCKER_HOST".to_owned()],
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.address, self.origin)
    }
}

impl Address {
    /// Returns the path of the socket, where it is one.
    pub(super) fn socket(&self) -> Option<String> {
        match self {
            Self::Unix(path) => Some(path.to_string_lossy().into_owned()),
            Self::Tcp { .. } => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

/// Picks the first socket that accepts a connection.
fn among(sockets: &[PathBuf]) -> Result<Endpoint, EngineError> {
    let mut tried = Vec::new();
    let mut help = Vec::new();
    for path in sockets {
        match UnixStream::connect(path) {
            Ok(_) => {
                return Ok(Endpoint {
                    address: Address::Unix(path.clone()),
                    origin: "a usual socket".to_owned(),
                });
            }
            Err(error) => {
                if error.kind() == ErrorKind::PermissionDenied {
                    help.push(may_not(path));
                }
                tried.push(format!("{} ({error})", path.display()));
            }
        }
    }
    if help.is_empty() {
        help.push(
            "start one: `sudo systemctl start docker`, or `systemctl --user start podman.socket`".to_owned(),
        );
    }
    help.push("or name one by --host or DOCKER_HOST".to_owned());
    Err(EngineError::Unreachable {
        endpoint: "any usual socket".to_owned(),
        cause: format!("tried {}", tried.join(", ")),
        help,
    })
}

fn start(path: &Path) -> String {
    let podman = path.to_string_lossy().contains("podman");
    let user = path.starts_with("/run/user");
    match (podman, user) {
        (true, true) => "start it: `systemctl --user start podman.socket`".to_owned(),
        (true, false) => "start it: `sudo systemctl start podman.socket`".to_owned(),
        (false, true) => "start it: `systemctl --user start docker`".to_owned(),
        (false, false) => "start it: `sudo systemctl start docker`".to_owned(),
    }
}

fn may_not(path: &Path) -> String {
    format!(
        "{} is not yours to use: run this as root, or join its group by `sudo usermod -aG docker $USER` and log in \
         anew (members of that group can become root)",
        path.display()
    )
}

fn forwarding(host: &str) -> String {
    let host = host.trim_end_matches('/');
    format!(
        "forward its socket: `ssh -nNT -L /tmp/engine.sock:/var/run/docker.sock {host}`, then --host unix:///tmp/engine.sock"
    )
}

fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.trim_end_matches('/').rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then_some(())?;
    Some((host.to_owned(), port.parse().ok()?))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Docker's `config.json`, as far as it names a context.
#[derive(Deserialize)]
struct Config {
    #[serde(rename = "currentContext")]
    current: Option<String>,
}

/// A context's `meta.json`, as far as it names an address.
#[derive(Deserialize)]
struct Context {
    #[serde(rename = "Endpoints")]
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Option<DockerEndpoint>,
}

#[derive(Deserialize)]
struct DockerEndpoint {
    #[serde(rename = "Host")]
    host: Option<String>,
}

/// Finds the current context of Docker's client (docker/cli `cli/context/store`): its address stands in
/// `contexts/meta/<sha256 of its name>/meta.json`.
fn of_context(surroundings: &Surroundings) -> Result<Option<Endpoint>, EngineError> {
    let Some(directory) = &surroundings.docker_config else { return Ok(None) };
    let name = match &surroundings.docker_context {
        Some(name) => Some(name.clone()),
        None => std::fs::read(directory.join("config.json"))
            .ok()
            .and_then(|text| serde_json::from_slice::<Config>(&text).ok())
            .and_then(|config| config.current),
    };
    let Some(name) = name.filter(|name| !name.is_empty() && name != "default") else { return Ok(None) };
    let digest = hex(&Sha256::digest(name.as_bytes()));
    let path = directory.join("contexts/meta").join(digest).join("meta.json");
    let host = std::fs::read(&path)
        .ok()
        .and_then(|text| serde_json::from_slice::<Context>(&text).ok())
        .and_then(|context| context.endpoints.docker?.host);
    match host {
        Some(host) => Endpoint::parse(&host, format!("Docker's context `{name}`")).map(Some),
        None => Err(EngineError::Unreachable {
            endpoint: format!("Docker's context `{name}`"),
            cause: format!("{} names no address", path.display()),
            help: vec!["`docker context use default`, or name an engine by --host".to_owned()],
        }),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(wish: Option<&str>, surroundings: &Surroundings) -> String {
        match Endpoint::find(wish, surroundings) {
            Ok(endpoint) => endpoint.to_string(),
            Err(EngineError::Unreachable { endpoint, cause, help }) => {
                format!("{endpoint}: {cause}; {}", help.join("; "))
            }
            Err(other) => format!("unexpected: {other}"),
        }
    }

    #[test]
    fn a_wish_comes_before_the_environment() {
        let surroundings =
            Surroundings { docker_host: Some("unix:///env.sock".into()), ..Surroundings::default() };
        assert_eq!(found(Some("/wish.sock"), &surroundings), "unix:///wish.sock (--host)");
        assert_eq!(found(None, &surroundings), "unix:///env.sock (DOCKER_HOST)");
    }

    #[test]
    fn plain_tcp_is_taken_on_this_machine_only() {
        let none = Surroundings::default();
        assert_eq!(found(Some("tcp://127.0.0.1:2375"), &none), "tcp://127.0.0.1:2375 (--host)");
        assert_eq!(found(Some("tcp://[::1]:2375/"), &none), "tcp://[::1]:2375 (--host)");
        assert_eq!(
            found(Some("tcp://10.0.0.7:2375"), &none),
            "tcp://10.0.0.7:2375 (--host): plain TCP to another machine would give everybody in between root \
             there; forward its socket: `ssh -nNT -L /tmp/engine.sock:/var/run/docker.sock that machine`, then \
             --host unix:///tmp/engine.sock"
        );
        assert_eq!(
            found(Some("tcp://nonsense"), &none),
            "tcp://nonsense (--host): this is no address; write tcp://127.0.0.1:PORT"
        );
    }

    #[test]
    fn a_context_names_an_address_and_a_missing_one_is_no_silent_fallback() {
        let config = tempfile::tempdir().unwrap();
        std::fs::write(config.path().join("config.json"), r#"{"auths":{},"currentContext":"far"}"#).unwrap();
        let surroundings =
            Surroundings { docker_config: Some(config.path().to_owned()), ..Surroundings::default() };
        assert!(found(None, &surroundings).starts_with("Docker's context `far`: "));
        let meta = config.path().join("contexts/meta").join(hex(&Sha256::digest(b"far")));
        std::fs::create_dir_all(&meta).unwrap();
        std::fs::write(
            meta.join("meta.json"),
            r#"{"Name":"far","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///far.sock","SkipTLSVerify":false}}}"#,
        )
        .unwrap();
        assert_eq!(found(None, &surroundings), "unix:///far.sock (Docker's context `far`)");
    }

    #[test]
    fn every_candidate_that_was_tried_is_named_with_a_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let sockets = [dir.path().join("a.sock"), dir.path().join("b.sock")];
        drop(std::os::unix::net::UnixListener::bind(&sockets[1]).unwrap());
        let Err(EngineError::Unreachable { endpoint, cause, help }) = among(&sockets) else {
            panic!("nothing listens there")
        };
        assert_eq!(endpoint, "any usual socket");
        assert_eq!(
            cause.replace(&dir.path().display().to_string(), "DIR"),
            "tried DIR/a.sock (No such file or directory (os error 2)), DIR/b.sock (Connection refused (os error 111))"
        );
        assert!(help[0].starts_with("start one: "), "{help:?}");
    }
}
