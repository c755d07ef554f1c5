//! The socket on which a container's systemd says READY=1 (`sd_notify(3)`), and the marker that remembers it.
//!
//! Each machine has a directory, bound read-only into it. What arrives is believed only when the kernel says
//! that it comes from the container's PID 1: everything else inside may write to the socket as well.

#![expect(clippy::disallowed_methods, reason = "keeps directories, sockets and markers on this host")]

use std::collections::BTreeSet;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use tokio::io::Interest;
use tokio::net::UnixDatagram;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The socket within a machine's directory.
const SOCKET: &str = "notify";
/// Holds id and start of the container that was seen to be ready.
const READY: &str = "ready";
/// Holds the id of the container that was started last on this directory.
const OWNER: &str = "container";
/// Longer messages are cut; systemd's have some hundred bytes.
const LONGEST: usize = 64 << 10;
/// So many strangers may claim to be PID 1 before it is known; the rest is dropped.
const CLAIMS: usize = 64;

/// One run of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// The engine's id of the container.
    pub(super) id: String,
    /// When it was started, in the engine's words.
    pub(super) started: String,
    /// Its PID 1, as this host counts.
    pub(super) pid: i32,
}

/// A socket that is listened on until its machine is ready.
#[derive(Debug)]
pub(super) struct Listener {
    run: watch::Sender<Option<Run>>,
    ready: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listener {
    /// Makes the directory where it is missing, forgets what was seen before, and listens. To be called
    /// before the container is started, within a tokio runtime.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        make(directory)?;
        let socket = UnixDatagram::from_std(bind(directory)?)?;
        forget(&directory.join(READY))?;
        let (run, expected) = watch::channel(None);
        let (tell, ready) = watch::channel(false);
        let directory = directory.to_owned();
        let task = tokio::spawn(async move {
            if let Some(run) = first_ready(&socket, expected).await {
                // Written before it is told, so that whoever is told finds it. Without it, the next
                // observation asks systemd instead.
                let _ = mark_ready(&directory, &run.id, &run.started);
                let _ = tell.send(true);
            }
            // The socket is closed with this: one that nobody reads fills up after ten messages, and
            // systemd, which says READY=1 again after later jobs, would block in sending.
        });
        Ok(Self { run, ready, task })
    }

    /// Says which process is PID 1; what it said before this call counts.
    pub(super) fn expect(&self, run: Run) {
        self.run.send_replace(Some(run));
    }

    /// Returns whether it is this run of a container that is listened for.
    pub(super) fn is_of(&self, id: &str, started: &str) -> bool {
        self.run.borrow().as_ref().is_some_and(|run| run.id == id && run.started == started)
    }

    /// Returns what turns true when the machine is ready.
    pub(super) fn ready(&self) -> watch::Receiver<bool> {
        self.ready.clone()
    }
}

/// Reads until PID 1 has said READY=1; `None` when the socket fails.
async fn first_ready(socket: &UnixDatagram, mut expected: watch::Receiver<Option<Run>>) -> Option<Run> {
    let mut claims = BTreeSet::new();
    let mut buffer = vec![0; LONGEST];
    loop {
        if let Some(run) = expected.borrow_and_update().clone().filter(|run| claims.contains(&run.pid)) {
            return Some(run);
        }
        let received = tokio::select! {
            changed = expected.changed() => {
                changed.ok()?;
                continue;
            }
            received = receive(socket, &mut buffer) => received.ok()?,
        };
        if let (Some(pid), length) = received
            && says_ready(&buffer[..length])
            && claims.len() < CLAIMS
        {
            claims.insert(pid);
        }
    }
}

/// Receives one message, with the sender's pid where the kernel told it.
async fn receive(socket: &UnixDatagram, buffer: &mut [u8]) -> io::Result<(Option<i32>, usize)> {
    socket
        .async_io(Interest::READABLE, || {
            // There is room for credentials and for nothing else: the kernel closes descriptors that a
            // sender attaches (unix(7)).
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let message = rustix::net::recvmsg(
                socket,
                &mut [io::IoSliceMut::new(buffer)],
                &mut control,
                RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC,
            )?;
            let pid = control.drain().find_map(|part| {
                let RecvAncillaryMessage::ScmCredentials(sender) = part else { return None };
                Some(sender.pid.as_raw_nonzero().get())
            });
            Ok((pid, message.bytes))
        })
        .await
}

/// Tells whether a message has the line `READY=1`.
fn says_ready(message: &[u8]) -> bool {
    message.split(|&byte| byte == b'\n').any(|line| line == b"READY=1")
}

/// Makes a machine's directory. The root above it is for its owner only; the directory itself is open to
/// the users that a remapping engine's container has.
pub(super) fn make(directory: &Path) -> io::Result<()> {
    if let Some(root) = directory.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(root)?;
    }
    match std::fs::DirBuilder::new().mode(0o755).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755))
}

/// Binds the socket beside its place and moves it there, so that there always is one.
fn bind(directory: &Path) -> io::Result<std::os::unix::net::UnixDatagram> {
    let opened = std::fs::File::open(directory)?;
    let new = format!("{SOCKET}.new");
    forget(&directory.join(&new))?;
    // By way of the open directory the path is short, whatever the length of the directory's own: sun_path
    // has 108 bytes (unix(7)).
    let short = format!("/proc/self/fd/{}/{new}", opened.as_raw_fd());
    let socket = std::os::unix::net::UnixDatagram::bind(short)?;
    socket.set_nonblocking(true)?;
    rustix::net::sockopt::set_socket_passcred(&socket, true)?;
    std::fs::set_permissions(directory.join(&new), std::fs::Permissions::from_mode(0o666))?;
    std::fs::rename(directory.join(&new), directory.join(SOCKET))?;
    Ok(socket)
}

fn forget(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Remembers that this run of a container is ready.
pub(super) fn mark_ready(directory: &Path, id: &str, started: &str) -> io::Result<()> {
    std::fs::write(directory.join(READY), format!("{id} {started}\n"))
}

/// Tells whether a container was seen to be ready, in its last start by sdcompose.
pub(super) fn ready_seen(directory: &Path, id: &str) -> bool {
    marker(directory).is_some_and(|(marked, _)| marked == id)
}

/// Tells whether this very run of a container was seen to be ready.
pub(super) fn run_was_ready(directory: &Path, id: &str, started: &str) -> bool {
    marker(directory).is_some_and(|marked| marked == (id.to_owned(), started.to_owned()))
}

fn marker(directory: &Path) -> Option<(String, String)> {
    let text = std::fs::read_to_string(directory.join(READY)).ok()?;
    let (id, started) = text.trim_end().split_once(' ')?;
    Some((id.to_owned(), started.to_owned()))
}

/// Remembers which container uses the directory.
pub(super) fn claim(directory: &Path, id: &str) -> io::Result<()> {
    std::fs::write(directory.join(OWNER), id)
}

/// Returns the id of the container that uses the directory; `None` where there is no directory, or nobody has
/// started a container on it yet.
pub(super) fn owner(directory: &Path) -> Option<String> {
    std::fs::read_to_string(directory.join(OWNER)).ok()
}

/// Removes the directory of a container that is gone, unless another one has taken it over.
pub(super) fn release(directory: &Path, id: &str) {
    if owner(directory).is_none_or(|owner| owner == id) {
        // What is left behind is an empty shell that the next machine of this name uses again.
        let _ = std::fs::remove_dir_all(directory);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::time::Duration;

    use super::*;

    fn run(pid: i32) -> Run {
        Run { id: "4f".into(), started: "now".into(), pid }
    }

    fn own_pid() -> i32 {
        i32::try_from(std::process::id()).unwrap()
    }

    fn say(directory: &Path, message: &[u8]) {
        UnixDatagram::unbound().unwrap().send_to(message, directory.join(SOCKET)).unwrap();
    }

    async fn becomes_ready(listener: &Listener) -> bool {
        let mut ready = listener.ready();
        tokio::time::timeout(Duration::from_millis(500), ready.wait_for(|ready| *ready)).await.is_ok()
    }

    #[tokio::test]
    async fn what_pid_1_said_before_it_was_known_counts_and_leaves_a_marker() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("state/notify/0123");
        let listener = Listener::open(&directory).unwrap();
        say(&directory, b"STATUS=Starting\nREADY=1");
        listener.expect(run(own_pid()));
        assert!(becomes_ready(&listener).await);
        assert!(ready_seen(&directory, "4f"));
        assert!(!ready_seen(&directory, "5a"));
        assert!(run_was_ready(&directory, "4f", "now"));
        assert!(!run_was_ready(&directory, "4f", "later"));
    }

    #[tokio::test]
    async fn a_stranger_that_says_ready_is_not_believed() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("0123");
        let listener = Listener::open(&directory).unwrap();
        listener.expect(run(1));
        say(&directory, b"READY=1");
        assert!(!becomes_ready(&listener).await);
        assert!(!ready_seen(&directory, "4f"));
    }

    #[tokio::test]
    async fn garbage_and_attached_descriptors_do_no_harm() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("0123");
        let listener = Listener::open(&directory).unwrap();
        listener.expect(run(own_pid()));
        say(&directory, b"");
        say(&directory, &vec![0xff; 70_000]);
        say(&directory, b"XREADY=1\nREADY=10\nREADY=0");
        let socket = UnixDatagram::unbound().unwrap();
        socket.connect(directory.join(SOCKET)).unwrap();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = rustix::net::SendAncillaryBuffer::new(&mut space);
        let attached = std::fs::File::open("/dev/null").unwrap();
        let descriptors = [std::os::fd::AsFd::as_fd(&attached)];
        assert!(control.push(rustix::net::SendAncillaryMessage::ScmRights(&descriptors)));
        rustix::net::sendmsg(
            &socket,
            &[io::IoSlice::new(b"STATUS=x")],
            &mut control,
            rustix::net::SendFlags::empty(),
        )
        .unwrap();
        assert!(!becomes_ready(&listener).await);
        say(&directory, b"X_SYSTEMD_UNIT_ACTIVE=basic.target\nREADY=1\n");
        assert!(becomes_ready(&listener).await);
    }

    #[tokio::test]
    async fn listening_anew_takes_the_place_over_and_forgets_what_was_seen() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("a".repeat(120)).join("0123");
        let first = Listener::open(&directory).unwrap();
        mark_ready(&directory, "4f", "now").unwrap();
        let second = Listener::open(&directory).unwrap();
        assert!(!ready_seen(&directory, "4f"));
        second.expect(run(own_pid()));
        let opened = std::fs::File::open(&directory).unwrap();
        say(Path::new(&format!("/proc/self/fd/{}", opened.as_raw_fd())), b"READY=1");
        assert!(becomes_ready(&second).await);
        drop(first);
    }

    #[test]
    fn a_directory_goes_with_its_container_but_not_with_the_one_before() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("0123");
        make(&directory).unwrap();
        claim(&directory, "new").unwrap();
        release(&directory, "old");
        assert!(directory.exists());
        release(&directory, "new");
        assert!(!directory.exists());
    }
}
