//! Building an image by the engine's classic builder: the context as a stream, the engine's words as
//! progress.

#![expect(clippy::disallowed_methods, reason = "reads the build context")]

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path as FilePath, PathBuf};

use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::Method;
use hyper::body::Frame;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use walkdir::WalkDir;

use crate::engine::{EngineError, Show};
use crate::event::Progress;
use crate::project::{Build, BuildContext, Dockerfile, Ulimit, build};

use super::Docker;
use super::archive::header;
use super::errors::{Purpose, Trouble};
use super::ignore::Ignore;
use super::path::Path;
use super::pull::{SILENCE, follow};
use super::wire::{bare, with_body};

/// Pieces of the context that wait to be sent.
const AHEAD: usize = 16;
/// Size of such a piece.
const PIECE: usize = 64 << 10;

impl Docker {
    /// Builds an image and gives it a name.
    pub(super) async fn build(&self, tag: &str, build: &Build, show: &Show) -> Result<(), EngineError> {
        match &build.context {
            BuildContext::Directory(root) => self.build_here(tag, build, root, show).await,
            BuildContext::Remote(remote) => self.build_there(tag, build, remote, show).await,
        }
    }

    /// Lets the engine fetch the context by itself.
    async fn build_there(
        &self,
        tag: &str,
        build: &Build,
        remote: &str,
        show: &Show,
    ) -> Result<(), EngineError> {
        let dockerfile = match &build.dockerfile {
            Dockerfile::Path(path) => path.to_string_lossy(),
            // The plan refuses it: what is fetched brings its own.
            Dockerfile::Inline(_) => "Dockerfile".into(),
        };
        let request = path(tag, build, &dockerfile).with("remote", remote);
        let building = async {
            let news = self.wire.stream(bare(Method::POST, &request), SILENCE).await?;
            follow(news, |news| news.show(show)).await
        };
        building
            .await
            .map_err(|trouble: Trouble| trouble.of(&self.endpoint, Purpose::Other, format!("build {tag}")))
    }

    /// Sends the context.
    async fn build_here(
        &self,
        tag: &str,
        build: &Build,
        root: &FilePath,
        show: &Show,
    ) -> Result<(), EngineError> {
        let what = format!("build {tag}");
        let context = {
            let (build, root, what) = (build.clone(), root.to_path_buf(), what.clone());
            tokio::task::spawn_blocking(move || {
                Context::open(&build, &root).map_err(|cause| EngineError::Local { what, cause })
            })
            .await
            .map_err(|error| EngineError::Local {
                what: format!("build {tag}"),
                cause: error.to_string(),
            })??
        };
        let request = path(tag, build, &context.dockerfile);
        let (sender, mut receiver) = mpsc::channel(AHEAD);
        let packing = {
            let show = show.clone();
            tokio::task::spawn_blocking(move || context.pack(Sink::new(sender), &show))
        };
        let frames = futures_util::stream::poll_fn(move |cx| receiver.poll_recv(cx));
        let body = StreamBody::new(frames);
        let sending = async {
            let news = self
                .wire
                .stream(with_body(Method::POST, &request, "application/x-tar", body), SILENCE)
                .await?;
            follow(news, |news| news.show(show)).await
        };
        let ended = sending.await;
        // A context that cannot be read breaks the request off; its own words say more than that.
        if let Ok(Err(error)) = packing.await
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            return Err(EngineError::Local { what, cause: error.to_string() });
        }
        ended.map_err(|trouble: Trouble| trouble.of(&self.endpoint, Purpose::Other, what))
    }
}

fn path(tag: &str, build: &Build, dockerfile: &str) -> Path {
    let Build {
        context: _,
        dockerfile: _,
        args,
        target,
        labels,
        network,
        no_cache,
        pull,
        tags,
        cache_from,
        extra_hosts,
        isolation,
        platforms,
        shm_size,
        ulimits,
        // Refused by the plan: the classic builder has nothing for them.
        cache_to: _,
        additional_contexts: _,
        entitlements: _,
        privileged: _,
        provenance: _,
        sbom: _,
        secrets: _,
        ssh: _,
    } = build;
    let json = |map: &indexmap::IndexMap<String, String>| serde_json::json!(map).to_string();
    let mut path = Path::of(&["build"])
        .with("t", tag)
        .with("dockerfile", dockerfile)
        .with("version", "1")
        .with("rm", "1")
        .with("forcerm", "1")
        .with_if("nocache", *no_cache)
        .with_if("pull", *pull);
    if !args.is_empty() {
        path = path.with("buildargs", &json(args));
    }
    if !labels.is_empty() {
        path = path.with("labels", &json(labels));
    }
    let size = shm_size.map(|bytes| bytes.to_string());
    for (key, value) in [
        ("target", target.as_ref()),
        ("networkmode", network.as_ref()),
        ("isolation", isolation.as_ref()),
        ("platform", platforms.first()),
        ("shmsize", size.as_ref()),
    ] {
        if let Some(value) = value {
            path = path.with(key, value);
        }
    }
    for tag in tags {
        path = path.with("t", tag);
    }
    for (name, address) in extra_hosts {
        path = path.with("extrahosts", &format!("{name}:{address}"));
    }
    if !cache_from.is_empty() {
        let images: Vec<&str> = cache_from.iter().filter_map(|entry| build::cache_image(entry)).collect();
        path = path.with("cachefrom", &serde_json::json!(images).to_string());
    }
    if !ulimits.is_empty() {
        let limits: Vec<serde_json::Value> = ulimits.iter().map(ulimit).collect();
        path = path.with("ulimits", &serde_json::json!(limits).to_string());
    }
    path
}

/// A limit in the words of docker/go-units.
fn ulimit((name, Ulimit { soft, hard }): (&String, &Ulimit)) -> serde_json::Value {
    serde_json::json!({ "Name": name, "Soft": soft, "Hard": hard })
}

/// A context that is about to be sent.
struct Context {
    root: PathBuf,
    ignore: Ignore,
    /// Path of the Dockerfile within the context.
    dockerfile: String,
    /// A Dockerfile from elsewhere, put into the context under a name of its own.
    added: Option<Vec<u8>>,
}

impl Context {
    fn open(build: &Build, root: &FilePath) -> Result<Self, String> {
        let root = root.to_path_buf();
        if !root.is_dir() {
            return Err(format!("{} is no directory", root.display()));
        }
        let (dockerfile, added) = match &build.dockerfile {
            Dockerfile::Inline(text) => (None, Some(text.clone().into_bytes())),
            Dockerfile::Path(path) => {
                let whole = root.join(path);
                match whole.strip_prefix(&root).ok().filter(|path| !path.starts_with("..")) {
                    Some(inside) if whole.is_file() => (Some(inside.to_path_buf()), None),
                    Some(_) => return Err(format!("there is no Dockerfile at {}", whole.display())),
                    None => (None, Some(read(&whole)?)),
                }
            }
        };
        let ignore = Self::ignore(&root, dockerfile.as_deref())?;
        let dockerfile = match (&dockerfile, &added) {
            (Some(path), _) => path.to_string_lossy().into_owned(),
            (None, text) => {
                let digest = Sha256::digest(text.as_deref().unwrap_or_default());
                format!(
                    ".sdcompose-{:02x}{:02x}{:02x}{:02x}.Dockerfile",
                    digest[0], digest[1], digest[2], digest[3]
                )
            }
        };
        Ok(Self { root, ignore, dockerfile, added })
    }

    /// Reads the ignore file: the Dockerfile's own (`Dockerfile.dockerignore`) before the context's.
    fn ignore(root: &FilePath, dockerfile: Option<&FilePath>) -> Result<Ignore, String> {
        let own = dockerfile.map(|path| {
            let mut name = root.join(path).into_os_string();
            name.push(".dockerignore");
            PathBuf::from(name)
        });
        for path in own.into_iter().chain([root.join(".dockerignore")]) {
            if path.is_file() {
                let text = String::from_utf8_lossy(&read(&path)?).into_owned();
                return Ignore::parse(&text).map_err(|error| format!("{}: {error}", path.display()));
            }
        }
        Ok(Ignore::default())
    }

    /// Writes the context as an archive in the order of names, with nothing in it that differs from run to
    /// run but the files: the builder's cache compares them without times.
    fn pack(&self, sink: Sink, show: &Show) -> io::Result<()> {
        let mut archive = tar::Builder::new(sink);
        archive.follow_symlinks(false);
        let mut walk = WalkDir::new(&self.root).min_depth(1).sort_by_file_name().into_iter();
        while let Some(entry) = walk.next() {
            let entry = entry.map_err(io::Error::other)?;
            let Ok(path) = entry.path().strip_prefix(&self.root) else { continue };
            if !self.is_needed(path) && self.ignore.excludes(&path.to_string_lossy()) {
                if entry.file_type().is_dir() && !self.ignore.may_keep_some() && !self.holds_dockerfile(path)
                {
                    walk.skip_current_dir();
                }
                continue;
            }
            append(&mut archive, entry.path(), path, show)?;
        }
        if let Some(text) = &self.added {
            let mut header = header(0o644, tar::EntryType::Regular, text.len() as u64);
            archive.append_data(&mut header, &self.dockerfile, text.as_slice())?;
        }
        archive.into_inner()?.flush()
    }

    /// The builder reads these itself, whatever the ignore file says of them.
    fn is_needed(&self, path: &FilePath) -> bool {
        path == FilePath::new(&self.dockerfile) || path == FilePath::new(".dockerignore")
    }

    fn holds_dockerfile(&self, directory: &FilePath) -> bool {
        FilePath::new(&self.dockerfile).starts_with(directory)
    }
}

fn read(path: &FilePath) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Appends one file; links stay links, and what is neither file, link nor directory stays at home.
fn append(archive: &mut tar::Builder<Sink>, path: &FilePath, name: &FilePath, show: &Show) -> io::Result<()> {
    let found = std::fs::symlink_metadata(path)?;
    let (kind, mode) = (found.file_type(), found.permissions().mode());
    if kind.is_dir() {
        let mut name = name.as_os_str().as_bytes().to_vec();
        name.push(b'/');
        return archive.append_data(
            &mut header(mode, tar::EntryType::Directory, 0),
            FilePath::new(OsStr::from_bytes(&name)),
            io::empty(),
        );
    }
    if kind.is_symlink() {
        let target = std::fs::read_link(path)?;
        return archive.append_link(&mut header(mode, tar::EntryType::Symlink, 0), name, target);
    }
    if kind.is_socket() || kind.is_fifo() || kind.is_block_device() || kind.is_char_device() {
        show(Progress::Line(format!("{} is no file and is left out", path.display())));
        return Ok(());
    }
    let file = std::fs::File::open(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    // The archive says how much comes: a file that grows meanwhile is cut, one that shrinks is an error.
    let size = file.metadata()?.len();
    archive.append_data(&mut header(mode, tar::EntryType::Regular, size), name, file.take(size))
}

/// Collects what is written into pieces and hands them to the request.
struct Sink {
    held: Vec<u8>,
    sender: mpsc::Sender<Result<Frame<Bytes>, io::Error>>,
}

impl Sink {
    fn new(sender: mpsc::Sender<Result<Frame<Bytes>, io::Error>>) -> Self {
        Self { held: Vec::with_capacity(PIECE), sender }
    }

    fn hand_over(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.held, Vec::with_capacity(PIECE));
        self.sender.blocking_send(Ok(Frame::data(piece.into()))).map_err(|_| {
            io::Error::new(io::ErrorKind::BrokenPipe, "the engine does not read the context any more")
        })
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= PIECE {
            self.hand_over()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_over()
    }
}

#[cfg(test)]
mod tests;
