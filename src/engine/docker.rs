//! Docker and Podman by the Docker API: one implementation with different facts.
//!
//! Nothing here knows manifests, plans or reports. Lists, looks and raw streams are read with our own
//! tolerant types; the bodies of calls are bollard's.

#![expect(clippy::disallowed_methods, reason = "sees whether a process of this host lives")]

mod archive;
mod body;
mod boot;
mod build;
mod call_log;
mod calls;
mod cgroups;
mod closer;
mod digest;
pub mod endpoint;
mod errors;
mod events;
mod exec;
mod facts;
mod frames;
mod ignore;
mod inspect;
mod logs;
mod look;
mod observe;
mod path;
mod pull;
mod signals;
mod wire;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::BoxStream;
use hyper::Method;
use tokio::sync::watch;

use crate::container::names;
use crate::engine::notify_socket::{self, Listener, Run};
use crate::engine::{
    Call, Done, Engine, EngineError, ExecOutput, ExecSpec, Happening, LogLine, LogQuery, Session, Show,
    Signal,
};
use crate::facts::{Facts, ImageFacts, Locality};
use crate::observed::{Closeness, Closer, Observed, Scope};

use self::call_log::CallLog;
use self::endpoint::Endpoint;
use self::errors::{Purpose, Trouble};
use self::inspect::Inspected;
use self::observe::ListedContainer;
use self::path::Path;
use self::wire::{Wire, bare};

const DEADLINE: Duration = Duration::from_secs(60);

/// A connection to a Docker or Podman engine. Cloning is cheap and shares it; dropping the last one stops
/// listening to machines.
#[derive(Clone)]
pub struct Docker {
    endpoint: Endpoint,
    wire: Wire,
    api: bollard::Docker,
    /// Where machines have the directories of their notify sockets; `None` on a remote engine.
    notify_root: Option<PathBuf>,
    kept: Arc<Kept>,
}

/// What is remembered for the length of this process.
#[derive(Default)]
struct Kept {
    looks: Mutex<BTreeMap<String, ImageFacts>>,
    /// Containers of looks whose process is gone, as the last observation saw them.
    left_behind: Mutex<BTreeSet<String>>,
    /// What machines left that the last observation did not see any more.
    ownerless: Mutex<Vec<Ownerless>>,
    listeners: Mutex<HashMap<String, Listener>>,
}

/// What is left of a machine that somebody else removed.
struct Ownerless {
    /// The container's name.
    name: String,
    /// Its id.
    id: String,
    /// The directory of its notify socket.
    directory: PathBuf,
}

/// A notify socket that is listened on, with its directory.
struct Listening {
    listener: Listener,
    directory: PathBuf,
}

impl Docker {
    /// Makes a way to an engine; the first call shows whether it answers. `state_dir` is where directories
    /// of notify sockets live, which must survive a reboot: Podman refuses to start a container whose bind
    /// source is missing.
    ///
    /// # Errors
    /// [`EngineError::Local`] where the client cannot be made.
    pub fn connect(endpoint: &Endpoint, state_dir: &FilePath) -> Result<Self, EngineError> {
        let wire = Wire::new(endpoint.address.clone(), CallLog::from_environment());
        let api = wire.bollard().map_err(|error| EngineError::Local {
            what: format!("connect to {endpoint}"),
            cause: error.to_string(),
        })?;
        let notify_root = match endpoint.locality() {
            Locality::Local => Some(state_dir.join("notify")),
            Locality::Remote => None,
        };
        Ok(Self { endpoint: endpoint.clone(), wire, api, notify_root, kept: Arc::default() })
    }

    fn notify_root(&self) -> Option<&FilePath> {
        self.notify_root.as_deref()
    }

    fn notify_root_text(&self) -> Option<String> {
        self.notify_root().map(|root| root.to_string_lossy().into_owned())
    }

    async fn read_facts(&self) -> Result<Facts, EngineError> {
        let found = async {
            let (_, headers, body) =
                self.wire.call(bare(Method::GET, &Path::of(&["info"])), DEADLINE).await?;
            let info = serde_json::from_slice(&body).map_err(|error| Trouble::Garbled(error.to_string()))?;
            let host = facts::Host::look(&self.endpoint.address);
            let facts = facts::of(&info, &headers, self.endpoint.locality(), host, self.notify_root_text());
            Ok(Facts { socket: self.endpoint.address.socket(), ..facts })
        };
        found.await.map_err(|trouble: Trouble| self.told(trouble, "ask the engine what it is"))
    }

    async fn snapshot(&self, scope: &Scope) -> Result<Observed, EngineError> {
        let answers =
            self.answers(scope).await.map_err(|trouble| self.told(trouble, "observe the project"))?;
        self.note_left_behind(&answers.containers);
        self.note_ownerless(scope, &answers.containers);
        let root = self.notify_root_text();
        let looks = locked(&self.kept.looks).clone();
        let mut observed = observe::snapshot(scope, &answers, &looks, |name, id| {
            observe::ready_by_marker(root.as_deref(), name, id)
        });
        for container in &mut observed.containers {
            container.applied = observe::applied(root.as_deref(), container);
        }
        for (reference, image) in &mut observed.images {
            if scope.aging.contains(reference) {
                image.tagged = self.tagged(reference).await;
            }
        }
        Ok(observed)
    }

    /// When an image was given its name here. Docker 20.10 does not say it of a pulled image, and no answer is
    /// none: the image then counts as old.
    async fn tagged(&self, reference: &str) -> Option<i64> {
        let path = Path::of(&["images", reference, "json"]);
        let answer: Result<observe::InspectedImage, _> =
            self.wire.json(bare(Method::GET, &path), DEADLINE).await;
        answer.ok()?.tagged()
    }

    /// Notes what killed runs left behind, for the next call that changes anything to take away.
    fn note_left_behind(&self, containers: &[ListedContainer]) {
        let now = jiff::Timestamp::now().as_second();
        // Processes can be seen only where the engine's users are this host's.
        let local = self.endpoint.locality() == Locality::Local;
        let lives = |pid: &str| !local || FilePath::new("/proc").join(pid).exists();
        let left = containers.iter().filter_map(ListedContainer::look);
        let left = left.filter(|(_, pid, made)| look::is_left_behind(*pid, now - made, lives));
        *locked(&self.kept.left_behind) = left.map(|(id, ..)| id.to_owned()).collect();
    }

    /// Notes the directories of wanted containers that are not there: somebody else removed them.
    fn note_ownerless(&self, scope: &Scope, containers: &[ListedContainer]) {
        let Some(root) = self.notify_root_text() else { return };
        let there: BTreeSet<&str> = containers.iter().map(ListedContainer::name).collect();
        let gone = scope.containers.iter().filter(|name| !there.contains(name.as_str()));
        let left = gone.filter_map(|name| {
            let directory = PathBuf::from(names::notify_dir(&root, name));
            let id = notify_socket::owner(&directory)?;
            Some(Ownerless { name: name.clone(), id, directory })
        });
        *locked(&self.kept.ownerless) = left.collect();
    }

    fn take_ownerless(&self) -> Vec<Ownerless> {
        std::mem::take(&mut *locked(&self.kept.ownerless))
    }

    fn take_left_behind(&self) -> BTreeSet<String> {
        std::mem::take(&mut *locked(&self.kept.left_behind))
    }

    /// Asks side by side for all that is needed.
    async fn answers(&self, scope: &Scope) -> Result<observe::Answers, Trouble> {
        let volumes = async {
            if observe::wants_volumes(scope) {
                return self.wire.json(bare(Method::GET, &Path::of(&["volumes"])), DEADLINE).await.map(Some);
            }
            Ok(None)
        };
        let containers = async {
            let path = Path::of(&["containers", "json"]).with("all", "1");
            let (_, headers, body) = self.wire.call(bare(Method::GET, &path), DEADLINE).await?;
            let containers: Vec<_> =
                serde_json::from_slice(&body).map_err(|error| Trouble::Garbled(error.to_string()))?;
            // Facts may still be on their way; the answer itself tells whose it is.
            let kind = facts::kind(&headers);
            let known = observe::images_by_containers(kind, scope, &containers).is_some();
            let images = if known {
                None
            } else {
                Some(self.wire.json(bare(Method::GET, &Path::of(&["images", "json"])), DEADLINE).await?)
            };
            Ok((containers, images))
        };
        let networks = self.wire.json(bare(Method::GET, &Path::of(&["networks"])), DEADLINE);
        let ((containers, images), networks, volumes) = tokio::try_join!(containers, networks, volumes)?;
        Ok(observe::Answers { containers, networks, images, volumes })
    }

    fn told(&self, trouble: Trouble, what: &str) -> EngineError {
        trouble.of(&self.endpoint, Purpose::Other, what)
    }

    fn looked(&self, image: &str) -> Option<ImageFacts> {
        locked(&self.kept.looks).get(image).cloned()
    }

    fn remember_look(&self, facts: &ImageFacts) {
        locked(&self.kept.looks).insert(facts.id.clone(), facts.clone());
    }

    /// Keeps listening to a machine that was started.
    fn keep(&self, listener: Listener, found: &Inspected) {
        listener.expect(Run {
            id: found.id.clone(),
            started: found.state.started_at.clone(),
            pid: found.state.pid,
        });
        locked(&self.kept.listeners).insert(found.id.clone(), listener);
    }

    /// Finds what turns true when this run of a machine is ready; `None` where it is not listened to.
    fn heard(&self, id: &str, started: &str) -> Option<watch::Receiver<bool>> {
        let listeners = locked(&self.kept.listeners);
        listeners.get(id).filter(|listener| listener.is_of(id, started)).map(Listener::ready)
    }

    fn forget(&self, id: &str) {
        locked(&self.kept.listeners).remove(id);
    }
}

/// Locks what no panic can leave half-done: each use is one insertion, removal or reading.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine for Docker {
    fn facts(&self) -> BoxFuture<'_, Result<Facts, EngineError>> {
        self.read_facts().boxed()
    }

    fn observe<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Observed, EngineError>> {
        self.snapshot(scope).boxed()
    }

    fn closer<'a>(
        &'a self,
        wanted: &'a BTreeMap<String, Closeness>,
    ) -> BoxFuture<'a, Result<BTreeMap<String, Closer>, EngineError>> {
        self.look_closer(wanted).boxed()
    }

    fn perform<'a>(&'a self, call: &'a Call, show: Show) -> BoxFuture<'a, Result<Done, EngineError>> {
        async move { self.make(call, &show).await }.boxed()
    }

    fn signals<'a>(&'a self, container: &'a str) -> BoxStream<'a, Result<Signal, EngineError>> {
        self.follow_signals(container)
    }

    fn watch<'a>(&'a self, project: &'a str) -> BoxStream<'a, Result<Happening, EngineError>> {
        self.happenings(project)
    }

    fn exec<'a>(
        &'a self,
        container: &'a str,
        command: &'a ExecSpec,
    ) -> BoxFuture<'a, Result<ExecOutput, EngineError>> {
        self.run(container, command).boxed()
    }

    fn session<'a>(
        &'a self,
        container: &'a str,
        command: &'a ExecSpec,
    ) -> BoxFuture<'a, Result<Session, EngineError>> {
        self.open_session(container, command).boxed()
    }

    fn logs<'a>(
        &'a self,
        container: &'a str,
        query: &'a LogQuery,
    ) -> BoxStream<'a, Result<LogLine, EngineError>> {
        self.read_logs(container, query)
    }
}
