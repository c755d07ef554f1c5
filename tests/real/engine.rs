//! The engine by its own: what `trait Engine` promises, on real engines.

mod boot;
mod calls;
mod commands;
mod images;
mod life;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use sdcompose::container::names::notify_dir;
use sdcompose::container::{CgroupNs, ContainerSpec, MountSpec, MountSpecSource, NetworkSpecChoice};
use sdcompose::engine::docker::Docker;
use sdcompose::engine::{Call, Done, Engine, EngineError, Show, Signal};
use sdcompose::event::Progress;
use sdcompose::labels::{ContainerLabels, MachineLabels};
use sdcompose::observed::{Observed, Scope};
use sdcompose::project::RestartPolicy;

use crate::{Real, View};

/// An image with a shell and little else.
const PLAIN: &str = "debian:13";

/// Shows nothing.
fn quiet() -> Show {
    Arc::new(|_| {})
}

/// Keeps what is shown.
fn kept() -> (Show, Arc<Mutex<Vec<Progress>>>) {
    let shown = Arc::new(Mutex::new(Vec::new()));
    let keep = shown.clone();
    (Arc::new(move |progress| keep.lock().unwrap().push(progress)), shown)
}

async fn done(docker: &Docker, call: Call) -> Done {
    match docker.perform(&call, quiet()).await {
        Ok(done) => done,
        Err(error) => panic!("{error}"),
    }
}

async fn refused(docker: &Docker, call: Call) -> EngineError {
    docker.perform(&call, quiet()).await.expect_err("this call cannot succeed")
}

fn scope(project: &str) -> Scope {
    Scope { project: project.into(), ..Scope::default() }
}

async fn observed(docker: &Docker, project: &str) -> Observed {
    docker.observe(&scope(project)).await.unwrap()
}

/// Removes everything of a project, so that a test that failed before leaves nothing for this one.
async fn swept(docker: &Docker, project: &str) {
    let found = observed(docker, project).await;
    for container in found.containers {
        done(docker, Call::Remove { container: container.id, volumes: true, force: true }).await;
    }
    for network in found.networks.into_values() {
        done(docker, Call::RemoveNetwork { network: network.id }).await;
    }
    for volume in found.volumes.into_keys() {
        done(docker, Call::RemoveVolume { volume }).await;
    }
}

/// A container of a project that runs a command in the plain image.
fn plain(project: &str, command: &[&str]) -> ContainerSpec {
    let labels = ContainerLabels {
        project: project.into(),
        service: "it".into(),
        index: 1,
        ..ContainerLabels::default()
    };
    ContainerSpec {
        entrypoint: Some(command.iter().map(|&word| word.to_owned()).collect()),
        stop_signal: Some("SIGKILL".into()),
        labels: labels.encode(),
        ..ContainerSpec::bare(&format!("{project}-it-1"), "it", PLAIN)
    }
}

/// The releases whose images the bed makes, with their systemd.
const RELEASES: [(&str, u16); 4] = [("bullseye", 247), ("bookworm", 252), ("trixie", 257), ("forky", 262)];

fn image(release: &str) -> String {
    format!("sdcompose-test/debian:{release}")
}

/// A machine, with the least that boots it on the view: its own part of one hierarchy is writable.
fn machine(real: &Real, project: &str, release: &str, version: u16) -> ContainerSpec {
    let own = format!("sdc/{project}");
    let bind = |source: &str, target: &str, read_only| MountSpec {
        target: target.into(),
        source: MountSpecSource::Bind {
            path: source.into(),
            create: true,
            propagation: None,
            selinux: None,
            recursive: None,
        },
        read_only,
    };
    let root = "/sys/fs/cgroup";
    let mounts = match real.view {
        View::V2 => {
            vec![bind(root, root, true), bind(&format!("{root}/{own}"), &format!("{root}/{own}"), false)]
        }
        // systemd 258 and newer has no cgroup v1, and boots on the unified tree of a hybrid host.
        View::V1 if version >= 258 => vec![
            bind(&format!("{root}/unified"), root, true),
            bind(&format!("{root}/unified/{own}"), &format!("{root}/{own}"), false),
        ],
        View::Podman => Vec::new(),
        View::V1 => {
            let own = format!("{root}/systemd/{own}");
            vec![bind(&format!("{root}/systemd"), &format!("{root}/systemd"), true), bind(&own, &own, false)]
        }
    };
    let plain = plain(project, &["/lib/systemd/systemd"]);
    let labels = ContainerLabels {
        machine: Some(MachineLabels {
            init: "/lib/systemd/systemd".into(),
            version: Some(version),
            profile: "own-subtree".into(),
        }),
        ..ContainerLabels::decode(&plain.labels).unwrap()
    };
    let root = real.state.path().join("notify").to_string_lossy().into_owned();
    ContainerSpec {
        image: image(release),
        environment: BTreeMap::from([
            ("container".into(), "docker".into()),
            ("TERM".into(), "linux".into()),
            ("NOTIFY_SOCKET".into(), "/run/host/sd/notify".into()),
        ]),
        tty: true,
        init: Some(false),
        stop_signal: Some("SIGRTMIN+3".into()),
        stop_grace_period: Duration::from_secs(90),
        labels: labels.encode(),
        mounts,
        tmpfs: BTreeMap::from([
            ("/run".into(), "exec,mode=755".into()),
            ("/run/lock".into(), String::new()),
            ("/tmp".into(), "exec,mode=1777".into()),
        ]),
        cgroupns: Some(CgroupNs::Host),
        cgroup_parent: (real.view != View::Podman).then(|| format!("/sdc/{project}")),
        notify_dir: Some(notify_dir(&root, &plain.name)),
        machine: true,
        ..plain
    }
}

/// Follows a container until a signal, and returns all up to it with the time each took to come.
async fn signals_until(
    docker: &Docker,
    container: &str,
    time: Duration,
    last: impl Fn(&Signal) -> bool,
) -> Vec<(Duration, Signal)> {
    let begun = Instant::now();
    let mut found = Vec::new();
    let following = async {
        let mut signals = docker.signals(container);
        while let Some(signal) = signals.next().await {
            let signal = signal.unwrap();
            let ended = last(&signal);
            found.push((begun.elapsed(), signal));
            if ended {
                return;
            }
        }
    };
    let in_time = tokio::time::timeout(time, following).await.is_ok();
    assert!(in_time, "{container}: not within {time:?}, only {found:#?}");
    found
}

fn is_ready(signal: &Signal) -> bool {
    *signal == Signal::Ready
}

fn is_exit(signal: &Signal) -> bool {
    matches!(signal, Signal::Exited { .. })
}

fn names(set: &[&str]) -> BTreeSet<String> {
    set.iter().map(|&name| name.to_owned()).collect()
}
