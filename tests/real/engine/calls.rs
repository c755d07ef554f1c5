//! Calls and what their answers mean: made, already so, refused and why.

use std::process::Command;

use sdcompose::container::{JoinSpec, NetworkSpec, VolumeSpec};
use sdcompose::engine::RefusalKind;
use sdcompose::facts::{CgroupVersion, EngineKind, Locality};
use sdcompose::labels::ObjectLabels;
use sdcompose::project::{Ipam, Port, Protocol, PublishedPort, VolumeOptions};

use super::*;
use crate::engines;

fn object_labels(project: &str, key: &str) -> BTreeMap<String, String> {
    ObjectLabels { project: project.into(), key: key.into(), ..ObjectLabels::default() }.encode()
}

fn network(project: &str, key: &str) -> Call {
    Call::CreateNetwork(Box::new(NetworkSpec {
        name: format!("{project}_{key}"),
        driver: None,
        driver_opts: BTreeMap::new(),
        internal: false,
        attachable: false,
        enable_ipv4: None,
        enable_ipv6: None,
        ipam: Ipam::default(),
        labels: object_labels(project, key),
    }))
}

fn kind(error: &EngineError) -> RefusalKind {
    let EngineError::Refused { kind, .. } = error else { panic!("not refused: {error:?}") };
    *kind
}

fn id(done: Done) -> String {
    let Done::Created { id } = done else { panic!("nothing was made: {done:?}") };
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_are_those_of_the_engine() {
    for real in engines() {
        let facts = real.docker.facts().await.unwrap();
        let kind = if real.view == View::Podman { EngineKind::Podman } else { EngineKind::Docker };
        assert_eq!(facts.engine, kind);
        assert_eq!(facts.locality, Locality::Local);
        match real.view {
            View::V1 | View::Podman => assert_eq!(facts.cgroup, CgroupVersion::Hybrid),
            View::V2 => assert_eq!(facts.cgroup, CgroupVersion::V2),
        }
        assert!(facts.rootless.is_none() && facts.notify_root.is_some());
        println!("{:?}: {facts:?}", real.view);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn networks_and_volumes_are_made_once_and_joined() {
    for real in engines() {
        let docker = &real.docker;
        let project = "objects";
        swept(docker, project).await;
        id(done(docker, network(project, "a")).await);
        id(done(docker, network(project, "b")).await);
        assert_eq!(kind(&refused(docker, network(project, "a")).await), RefusalKind::NameTaken);
        let volume = VolumeSpec {
            name: "objects_data".into(),
            driver: None,
            driver_opts: BTreeMap::new(),
            labels: object_labels(project, "data"),
        };
        assert_eq!(id(done(docker, Call::CreateVolume(Box::new(volume))).await), "objects_data");

        let join = |network: &str| JoinSpec {
            network: network.into(),
            aliases: vec!["it".into()],
            mac_address: Some("02:42:ac:00:00:07".into()),
            ..JoinSpec::default()
        };
        let mut spec = plain(project, &["sleep", "60"]);
        spec.network = NetworkSpecChoice::Join(vec![join("objects_a"), join("objects_b")]);
        spec.mounts = vec![MountSpec {
            target: "/data".into(),
            source: MountSpecSource::Volume {
                name: "objects_data".into(),
                options: VolumeOptions::default(),
            },
            read_only: false,
        }];
        let name = spec.name.clone();
        id(done(docker, Call::CreateContainer(Box::new(spec.clone()))).await);
        let again = refused(docker, Call::CreateContainer(Box::new(spec))).await;
        assert_eq!(kind(&again), RefusalKind::NameTaken);
        let second = JoinSpec { mac_address: None, ..join("objects_b") };
        done(docker, Call::Connect { container: name.clone(), join: Box::new(second) }).await;
        done(docker, Call::Start { container: name.clone() }).await;

        let found = observed(docker, project).await;
        assert_eq!(
            found.containers[0].networks.keys().cloned().collect::<BTreeSet<_>>(),
            names(&["objects_a", "objects_b"])
        );
        assert_eq!(found.containers[0].volumes, BTreeMap::from([("/data".into(), "objects_data".into())]));
        assert_eq!(found.networks.keys().collect::<Vec<_>>(), ["objects_a", "objects_b"]);
        assert_eq!(found.volumes["objects_data"].labels.as_ref().unwrap().key, "data");
        let read = sdcompose::engine::ExecSpec::of(&["cat", "/sys/class/net/eth0/address"]);
        let mac = docker.exec(&name, &read).await.unwrap();
        assert_eq!(mac.stdout, b"02:42:ac:00:00:07\n");

        let in_use = refused(docker, Call::RemoveVolume { volume: "objects_data".into() }).await;
        assert_eq!(kind(&in_use), RefusalKind::Conflict);
        swept(docker, project).await;
        assert_eq!(done(docker, Call::RemoveVolume { volume: "objects_data".into() }).await, Done::Already);
        assert_eq!(done(docker, Call::RemoveNetwork { network: "objects_a".into() }).await, Done::Already);
        assert_eq!(observed(docker, project).await, Observed::default());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_their_kinds() {
    for real in engines() {
        let docker = &real.docker;
        let project = "refused";
        swept(docker, project).await;
        let missing = Call::Start { container: "nobody".into() };
        assert_eq!(kind(&refused(docker, missing).await), RefusalKind::NotFound);
        let mut spec = plain(project, &["sleep", "60"]);
        spec.image = "nobody/has:this".into();
        let error = refused(docker, Call::CreateContainer(Box::new(spec.clone()))).await;
        assert_eq!(kind(&error), RefusalKind::NotFound);
        let text = error.to_string();
        assert!(
            text.starts_with("create container refused-it-1: ") && text.contains("nobody/has:this"),
            "{text}"
        );

        spec.image = PLAIN.into();
        done(docker, Call::CreateContainer(Box::new(spec.clone()))).await;
        let name = spec.name.clone();
        done(docker, Call::Start { container: name.clone() }).await;
        let gently = Call::Remove { container: name.clone(), volumes: false, force: false };
        assert_eq!(kind(&refused(docker, gently).await), RefusalKind::Conflict);
        let policy = Call::SetRestart { container: name.clone(), policy: RestartPolicy::UnlessStopped };
        if real.view == View::Podman {
            assert_eq!(
                kind(&refused(docker, policy).await),
                RefusalKind::Invalid,
                "Podman 4.3 has no such call"
            );
        } else {
            done(docker, policy).await;
        }
        done(docker, Call::Rename { container: name.clone(), to: "refused-old".into() }).await;
        assert_eq!(observed(docker, project).await.containers[0].name, "refused-old");
        done(docker, Call::Kill { container: "refused-old".into(), signal: None }).await;
        swept(docker, project).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_known_as_such() {
    for real in engines() {
        let docker = &real.docker;
        let project = "ported";
        swept(docker, project).await;
        done(docker, network(project, "a")).await;
        let mut taken = Vec::new();
        for index in 1..=2 {
            let mut spec = plain(project, &["sleep", "60"]);
            spec.name = format!("ported-it-{index}");
            spec.network =
                NetworkSpecChoice::Join(vec![JoinSpec { network: "ported_a".into(), ..JoinSpec::default() }]);
            spec.ports = vec![Port {
                published: Some(PublishedPort { first: 28_173, last: 28_173 }),
                host_ip: Some([127, 0, 0, 1].into()),
                ..Port::any(80, Protocol::Tcp)
            }];
            let container = spec.name.clone();
            done(docker, Call::CreateContainer(Box::new(spec))).await;
            taken.push(docker.perform(&Call::Start { container }, quiet()).await);
        }
        assert_eq!(taken[0].clone().unwrap(), Done::Nothing);
        assert_eq!(kind(&taken[1].clone().unwrap_err()), RefusalKind::PortTaken, "{taken:?}");
        let ports = &observed(docker, project).await.containers[0].ports;
        assert_eq!((ports[0].public, ports[0].private), (Some(28_173), 80));
        swept(docker, project).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_holder_of_a_name_is_seen() {
    for real in engines() {
        let docker = &real.docker;
        swept(docker, "holder").await;
        let spec = plain("holder", &["true"]);
        done(docker, Call::CreateContainer(Box::new(spec))).await;
        let wanting = Scope { containers: names(&["holder-it-1", "free-1"]), ..scope("wanting") };
        let found = docker.observe(&wanting).await.unwrap();
        assert_eq!(found.containers, []);
        assert_eq!(found.foreign_names.keys().collect::<Vec<_>>(), ["holder-it-1"]);
        let portrait = &found.foreign_names["holder-it-1"];
        assert!(portrait.ends_with(&format!("{PLAIN}, of the project `holder`")), "{portrait}");
        swept(docker, "holder").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_not_there_says_how_to_start_it() {
    let endpoint =
        sdcompose::engine::docker::endpoint::Endpoint::parse("/nowhere/docker.sock", "--host").unwrap();
    let docker = Docker::connect(&endpoint, std::path::Path::new("/nowhere")).unwrap();
    let error = docker.facts().await.unwrap_err();
    assert_eq!(error.to_string(), "no container engine answers at unix:///nowhere/docker.sock (--host)");
    let EngineError::Unreachable { help, cause, .. } = error else { panic!("{error:?}") };
    assert_eq!(cause, "No such file or directory (os error 2)");
    assert_eq!(help, ["start it: `sudo systemctl start docker`"]);
}

/// Set where this program runs as its own child, to have its calls written down.
const CHILD: &str = "SDCOMPOSE_TEST_CHILD";

#[tokio::test(flavor = "multi_thread")]
async fn an_observation_takes_four_calls_with_the_facts_and_changes_nothing() {
    if std::env::var_os(CHILD).is_some() {
        return observe_once().await;
    }
    // Podman does not vouch for the names of its containers' images, and is asked for these as well.
    for real in engines().into_iter().filter(|real| real.view != View::Podman) {
        let docker = &real.docker;
        let project = "counted";
        swept(docker, project).await;
        done(docker, network(project, "a")).await;
        for index in 1..=3 {
            let mut spec = plain(project, &["sleep", "60"]);
            spec.name = format!("counted-it-{index}");
            done(docker, Call::CreateContainer(Box::new(spec))).await;
        }
        let log = real.state.path().join("calls");
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "engine::calls::an_observation_takes_four_calls_with_the_facts_and_changes_nothing",
            ])
            .env(CHILD, "1")
            .env("SDCOMPOSE_CALL_LOG", &log)
            .env_remove("SDCOMPOSE_TEST_PODMAN")
            // Both views have to be named; the child asks the first engine only.
            .env("SDCOMPOSE_TEST_V1", real.endpoint.address.to_string())
            .env("SDCOMPOSE_TEST_V2", real.endpoint.address.to_string())
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
        let calls = std::fs::read_to_string(&log).unwrap();
        let mut calls: Vec<&str> = calls.lines().collect();
        calls[1..].sort_unstable();
        assert_eq!(
            calls,
            [
                "GET /info -> 200",
                "GET /v1.41/containers/json?all=1 -> 200",
                "GET /v1.41/networks -> 200",
                "GET /v1.41/volumes -> 200",
            ]
        );
        swept(docker, project).await;
    }
}

async fn observe_once() {
    for real in engines().into_iter().take(1) {
        real.docker.facts().await.unwrap();
        let scope = Scope {
            images: names(&[PLAIN]),
            volumes: names(&["counted_data"]),
            networks: names(&["counted_a"]),
            containers: names(&["counted-it-1"]),
            ..scope("counted")
        };
        let found = real.docker.observe(&scope).await.unwrap();
        assert!(found.containers.len() == 3 && found.images.contains_key(PLAIN));
    }
}
