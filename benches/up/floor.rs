//! The floor: the engine calls that ten machines need at the least, made raw and in parallel, each start gated
//! on its parent's READY=1. No planning, no files, no progress, nothing checked.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig, HostConfigCgroupnsModeEnum, NetworkCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use futures_util::future::try_join_all;
use tokio::net::UnixDatagram;
use tokio::sync::watch;

use crate::Bench;
use crate::measure::Sample;
use crate::project::{MACHINES, parent, service};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

const NETWORK: &str = "floor_default";

/// Measures one `up` and one `down` of the tree.
pub(crate) async fn up_and_down(bench: &Bench) -> Fallible<Vec<Sample>> {
    let docker = Docker::connect_with_socket(&bench.engine, 120, bollard::API_DEFAULT_VERSION)?;
    let begin = Instant::now();
    up(bench, &docker).await?;
    let up = Sample { job: "up", who: "floor", took: begin.elapsed(), peak: None, calls: None };
    let begin = Instant::now();
    down(&docker).await?;
    let down = Sample { job: "down", who: "floor", took: begin.elapsed(), peak: None, calls: None };
    Ok(vec![up, down])
}

async fn up(bench: &Bench, docker: &Docker) -> Fallible<()> {
    docker.create_network(NetworkCreateRequest { name: NETWORK.into(), ..Default::default() }).await?;
    let sockets: Vec<UnixDatagram> =
        (0..MACHINES).map(|index| listen(&bench.directory, index)).collect::<Result<_, _>>()?;
    try_join_all((0..MACHINES).map(|index| async move {
        let options = CreateContainerOptionsBuilder::new().name(&name(index)).build();
        docker.create_container(Some(options), body(bench, index)).await
    }))
    .await?;
    let (senders, ready): (Vec<_>, Vec<_>) = (0..MACHINES).map(|_| watch::channel(false)).unzip();
    let senders = &senders;
    let ready = &ready;
    try_join_all(sockets.iter().enumerate().map(|(index, socket)| async move {
        if let Some(parent) = parent(index) {
            let mut parent_ready = ready[parent].clone();
            parent_ready.wait_for(|ready| *ready).await?;
        }
        docker
            .start_container(&name(index), None::<bollard::query_parameters::StartContainerOptions>)
            .await?;
        await_ready(socket).await?;
        senders[index].send_replace(true);
        Ok::<(), Box<dyn std::error::Error>>(())
    }))
    .await?;
    Ok(())
}

async fn down(docker: &Docker) -> Fallible<()> {
    let (senders, gone): (Vec<_>, Vec<_>) = (0..MACHINES).map(|_| watch::channel(false)).unzip();
    let senders = &senders;
    let gone = &gone;
    try_join_all((0..MACHINES).map(|index| async move {
        for child in (0..MACHINES).filter(|child| parent(*child) == Some(index)) {
            let mut child_gone = gone[child].clone();
            child_gone.wait_for(|gone| *gone).await?;
        }
        let options = StopContainerOptionsBuilder::new().t(90).build();
        docker.stop_container(&name(index), Some(options)).await?;
        senders[index].send_replace(true);
        docker
            .remove_container(&name(index), Some(RemoveContainerOptionsBuilder::new().v(true).build()))
            .await?;
        Ok::<(), Box<dyn std::error::Error>>(())
    }))
    .await?;
    docker.remove_network(NETWORK).await?;
    Ok(())
}

fn name(index: usize) -> String {
    format!("floor-{}", service(index))
}

fn listen(directory: &Path, index: usize) -> std::io::Result<UnixDatagram> {
    let own = directory.join(service(index));
    std::fs::create_dir_all(&own)?;
    let path = own.join("notify");
    let _ = std::fs::remove_file(&path);
    UnixDatagram::bind(path)
}

async fn await_ready(socket: &UnixDatagram) -> std::io::Result<()> {
    let mut buffer = [0_u8; 4096];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if buffer[..length].split(|byte| *byte == b'\n').any(|line| line == b"READY=1") {
            return Ok(());
        }
    }
}

fn body(bench: &Bench, index: usize) -> ContainerCreateBody {
    let subtree = format!("sdcfloor/{}", service(index));
    let mut binds = if bench.cgroup_v2 {
        vec![
            "/sys/fs/cgroup:/sys/fs/cgroup:ro".to_owned(),
            format!("/sys/fs/cgroup/{subtree}:/sys/fs/cgroup/{subtree}:rw"),
        ]
    } else {
        let root = "/sys/fs/cgroup/systemd";
        vec![format!("{root}:{root}:ro"), format!("{root}/{subtree}:{root}/{subtree}:rw")]
    };
    binds.push(format!("{}:/run/host/sd:ro", bench.directory.join(service(index)).display()));
    ContainerCreateBody {
        image: Some(bench.image.clone()),
        hostname: Some(service(index)),
        entrypoint: Some(vec!["/lib/systemd/systemd".into()]),
        env: Some(vec!["container=docker".into(), "NOTIFY_SOCKET=/run/host/sd/notify".into()]),
        stop_signal: Some("SIGRTMIN+3".into()),
        tty: Some(true),
        host_config: Some(HostConfig {
            cgroupns_mode: Some(HostConfigCgroupnsModeEnum::HOST),
            cgroup_parent: Some(format!("/{subtree}")),
            binds: Some(binds),
            tmpfs: Some(HashMap::from([
                ("/run".into(), "exec,mode=755".into()),
                ("/run/lock".into(), String::new()),
                ("/tmp".into(), "exec,mode=1777".into()),
            ])),
            network_mode: Some(NETWORK.into()),
            ..Default::default()
        }),
        ..Default::default()
    }
}
