//! Settings of a container, as its processes see them.

use sdcompose::container::{JoinSpec, NamespaceSpec, NetworkSpec};
use sdcompose::engine::ExecSpec;
use sdcompose::labels::ObjectLabels;
use sdcompose::project::{Ipam, Limits, Logging, Processor, Ulimit};

use super::*;
use crate::engines;

/// What a command in a container prints.
async fn prints(docker: &Docker, container: &str, command: &str) -> String {
    let output = docker.exec(container, &ExecSpec::of(&["sh", "-c", command])).await.unwrap();
    assert_eq!(output.code, 0, "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn runs(docker: &Docker, spec: ContainerSpec) -> String {
    let name = spec.name.clone();
    done(docker, Call::CreateContainer(Box::new(spec))).await;
    done(docker, Call::Start { container: name.clone() }).await;
    name
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_sees_its_limits_and_groups() {
    for real in engines() {
        let docker = &real.docker;
        let project = "limits";
        swept(docker, project).await;
        let spec = ContainerSpec {
            limits: Limits {
                memory: Some(64 << 20),
                oom_score_adj: Some(321),
                cpu: Processor { set: Some("0".into()), shares: Some(512), ..Processor::default() },
                ..Limits::default()
            },
            ulimits: BTreeMap::from([("nofile".into(), Ulimit { soft: 100, hard: 200 })]),
            group_add: vec!["mail".into(), "4711".into()],
            logging: Some(Logging {
                driver: Some("json-file".into()),
                options: BTreeMap::from([("max-size".into(), "1m".into())]),
            }),
            security_opt: vec!["systempaths=unconfined".into()],
            ..plain(project, &["sleep", "60"])
        };
        let name = runs(docker, spec).await;
        assert_eq!(prints(docker, &name, "cat /proc/1/oom_score_adj").await, "321");
        // The tree of the cgroup v2 view has no controllers: the host's cgroup v1 has them.
        if real.view == View::V1 {
            let allowed = prints(docker, &name, "grep ^Cpus_allowed_list /proc/1/status").await;
            assert_eq!(allowed, "Cpus_allowed_list:\t0");
        }
        // Not of the process that asks: runc may give an exec the hard limit for the soft one (its issue 4195).
        let files = prints(docker, &name, "grep '^Max open files' /proc/1/limits").await;
        assert_eq!(files.split_whitespace().skip(3).collect::<Vec<_>>(), ["100", "200", "files"]);
        let groups = prints(docker, &name, "grep ^Groups /proc/1/status").await;
        assert!(groups.contains(" 8 ") && groups.contains(" 4711"), "{groups}");
        // Podman has no word for open paths in this form.
        if real.view != View::Podman {
            assert_eq!(prints(docker, &name, "grep -c ' /proc/' /proc/1/mounts || true").await, "0");
        }
        swept(docker, project).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_share_namespaces_mounts_and_names() {
    for real in engines() {
        let docker = &real.docker;
        let project = "shared";
        swept(docker, project).await;
        let network = NetworkSpec {
            name: "shared_default".into(),
            driver: None,
            driver_opts: BTreeMap::new(),
            internal: false,
            attachable: false,
            enable_ipv4: None,
            enable_ipv6: None,
            ipam: Ipam::default(),
            labels: ObjectLabels {
                project: project.into(),
                key: "default".into(),
                ..ObjectLabels::default()
            }
            .encode(),
        };
        done(docker, Call::CreateNetwork(Box::new(network))).await;
        let join = |links: &[&str]| {
            NetworkSpecChoice::Join(vec![JoinSpec {
                network: "shared_default".into(),
                links: links.iter().map(ToString::to_string).collect(),
                ..JoinSpec::default()
            }])
        };
        let first = ContainerSpec {
            namespaces: NamespaceSpec { ipc: Some("shareable".into()), ..NamespaceSpec::default() },
            mounts: vec![MountSpec {
                target: "/kept".into(),
                source: MountSpecSource::Anonymous(sdcompose::project::VolumeOptions::default()),
                read_only: false,
            }],
            network: join(&[]),
            ..plain(project, &["sleep", "61"])
        };
        let first = runs(docker, first).await;
        let second = ContainerSpec {
            name: format!("{project}-other-1"),
            namespaces: NamespaceSpec {
                ipc: Some(format!("container:{first}")),
                pid: Some(format!("container:{first}")),
                uts: None,
            },
            volumes_from: vec![format!("{first}:ro")],
            network: join(&[&format!("{first}:friend")]),
            ..plain(project, &["sleep", "62"])
        };
        let second = runs(docker, second).await;
        let namespaces = "readlink /proc/self/ns/ipc /proc/self/ns/pid";
        assert_eq!(prints(docker, &second, namespaces).await, prints(docker, &first, namespaces).await);
        assert_eq!(prints(docker, &second, "tr '\\0' ' ' </proc/1/cmdline").await, "sleep 61");
        let kept = prints(docker, &second, "grep ' /kept ' /proc/self/mounts | cut -d ' ' -f 4").await;
        assert!(kept.starts_with("ro,"), "{kept}");
        // Podman has no links.
        if real.view != View::Podman {
            prints(docker, &second, "getent hosts friend").await;
        }
        swept(docker, project).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_kernel_has_not_is_told() {
    for real in engines().into_iter().filter(|real| real.view == View::V2) {
        let docker = &real.docker;
        let project = "discarded";
        swept(docker, project).await;
        let limits = Limits { memory: Some(64 << 20), swappiness: Some(10), ..Limits::default() };
        let spec = ContainerSpec { limits, ..plain(project, &["sleep", "60"]) };
        let (show, shown) = kept();
        docker.perform(&Call::CreateContainer(Box::new(spec)), show).await.unwrap();
        let told = shown.lock().unwrap().clone();
        assert!(
            told.iter().any(|news| matches!(news, Progress::Warning(text) if text.contains("swappiness"))),
            "{told:?}"
        );
        swept(docker, project).await;
    }
}
