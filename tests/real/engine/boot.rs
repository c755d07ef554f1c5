//! Machines: they boot, say so, answer, stop, and leave nothing.

use sdcompose::container::{Content, FileSpec};
use sdcompose::engine::{ExecSpec, LogQuery};

use super::*;
use crate::engines;

/// Lets hardened units start without `CAP_SYS_ADMIN` on systemd 255 and newer.
const RELIEF: &str = "[Service]\nSystemCallFilter=\nSystemCallArchitectures=\nRestrictAddressFamilies=\n\
    RestrictNamespaces=no\nRestrictRealtime=no\nRestrictSUIDSGID=no\nMemoryDenyWriteExecute=no\n\
    LockPersonality=no\nProtectHostname=no\nProtectClock=no\nProtectKernelTunables=no\n\
    ProtectKernelModules=no\nProtectKernelLogs=no\nPrivateDevices=no\nPrivateUsers=no\nBindPaths=\n\
    BindReadOnlyPaths=\nTemporaryFileSystem=\n";

async fn started(real: &Real, spec: ContainerSpec) -> String {
    let name = spec.name.clone();
    done(&real.docker, Call::CreateContainer(Box::new(spec))).await;
    let path = "/etc/systemd/system/service.d/zz-sdcompose.conf";
    let relief = FileSpec::of_root(path, 0o644, Content::Bytes(RELIEF.into()));
    done(&real.docker, Call::Put { container: name.clone(), files: vec![relief] }).await;
    assert_eq!(done(&real.docker, Call::Start { container: name.clone() }).await, Done::Nothing);
    name
}

#[tokio::test(flavor = "multi_thread")]
async fn every_systemd_boots_on_every_view_says_so_by_its_socket_and_leaves_nothing() {
    for real in engines() {
        for (release, version) in RELEASES {
            // systemd 258 and newer does not run on cgroup v1.
            if real.view == View::Podman && version >= 258 {
                continue;
            }
            boots(&real, release, version).await;
        }
    }
}

async fn boots(real: &Real, release: &str, version: u16) {
    let project = format!("boot-{release}");
    swept(&real.docker, &project).await;
    let begun = Instant::now();
    let name = started(real, machine(real, &project, release, version)).await;
    let start = begun.elapsed();
    let signals = signals_until(&real.docker, &name, Duration::from_secs(60), is_ready).await;
    let (ready, _) = signals.last().unwrap();
    // systemd is asked only after ten seconds of silence: before that, it was the socket.
    if *ready > Duration::from_secs(10) {
        println!("{release}: too slow a host to tell that it was the socket: {ready:?}");
    }
    assert_eq!(signals[0].1, Signal::Running);
    let (units, line) = signals
        .iter()
        .rev()
        .find_map(|(_, signal)| {
            let Signal::Booting { done, line } = signal else { return None };
            Some((*done, line.clone()))
        })
        .expect("the console shows progress");
    assert!(units > 5 && !line.contains('\x1b'), "{release}: {units} {line}");
    println!(
        "{:?} systemd {version}: {} ms to create and start, ready {} ms later, {units} units seen",
        real.view,
        start.as_millis(),
        ready.as_millis()
    );

    let system = real.docker.exec(&name, &ExecSpec::of(&["systemctl", "is-system-running"])).await.unwrap();
    assert_eq!((system.stdout.as_slice(), system.code), (b"running\n".as_slice(), 0), "{release}");
    let lines: Vec<_> = real.docker.logs(&name, &LogQuery::default()).collect().await;
    let lines: Vec<_> = lines.into_iter().map(Result::unwrap).collect();
    assert!(lines.iter().any(|line| String::from_utf8_lossy(&line.text).contains("Reached target")));
    assert!(lines.iter().all(|line| line.at > 1_700_000_000_000_000_000 && !line.text.ends_with(b"\r")));

    // Another run of the program knows that it is ready, without asking.
    let again = real.again();
    assert!(observed(&again, &project).await.containers[0].ready_seen);
    let signals = signals_until(&again, &name, Duration::from_secs(2), is_ready).await;
    assert_eq!(
        signals.into_iter().map(|(_, signal)| signal).collect::<Vec<_>>(),
        [Signal::Running, Signal::Ready]
    );

    let following = signals_until(&real.docker, &name, Duration::from_secs(30), is_exit);
    let begun = Instant::now();
    let stop = Call::Stop { container: name.clone(), grace: Duration::from_secs(20) };
    let (stopped, following) = tokio::join!(done(&real.docker, stop.clone()), following);
    assert_eq!(stopped, Done::Nothing);
    assert!(begun.elapsed() < Duration::from_secs(15), "{release} was killed");
    let Some((_, Signal::Exited { code, .. })) = following.last() else { panic!("{following:?}") };
    assert_eq!(*code, 0, "{release}");
    assert_eq!(done(&real.docker, stop).await, Done::Already);

    starts_again(real, &project, &name).await;
    let removal = Call::Remove { container: name.clone(), volumes: true, force: true };
    assert_eq!(done(&real.docker, removal.clone()).await, Done::Nothing);
    assert_eq!(done(&real.docker, removal).await, Done::Already);
    assert_eq!(observed(&real.docker, &project).await.containers, []);
    let left: Vec<_> = std::fs::read_dir(real.state.path().join("notify")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

async fn starts_again(real: &Real, project: &str, name: &str) {
    done(&real.docker, Call::Start { container: name.to_owned() }).await;
    assert_eq!(done(&real.docker, Call::Start { container: name.to_owned() }).await, Done::Already);
    signals_until(&real.docker, name, Duration::from_secs(30), is_ready).await;
    assert!(observed(&real.docker, project).await.containers[0].ready_seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_is_heard_and_not_asked_for() {
    for real in engines() {
        let project = "heard";
        swept(&real.docker, project).await;
        let mut spec = machine(&real, project, "bookworm", 252);
        // Without its client, systemd cannot be asked; it still says that it is ready.
        let hidden = MountSpec {
            target: "/usr/bin/systemctl".into(),
            source: MountSpecSource::Bind {
                path: "/dev/null".into(),
                create: false,
                propagation: None,
                selinux: None,
                recursive: None,
            },
            read_only: true,
        };
        spec.mounts.push(hidden);
        let name = started(&real, spec).await;
        signals_until(&real.docker, &name, Duration::from_secs(60), is_ready).await;
        swept(&real.docker, project).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_nobody_listens_to_is_asked_once() {
    for real in engines() {
        let project = "unheard";
        swept(&real.docker, project).await;
        let spec = machine(&real, project, "bookworm", 252);
        let directory = spec.notify_dir.clone().unwrap();
        let name = started(&real, spec).await;
        // The run that started it has ended, and what it remembered is gone.
        let Real { docker, endpoint, state, .. } = real;
        drop(docker);
        let marker = std::path::Path::new(&directory).join("ready");
        let again = Docker::connect(&endpoint, state.path()).unwrap();
        let signals = signals_until(&again, &name, Duration::from_secs(60), is_ready).await;
        assert!(marker.exists(), "what was answered is remembered: {signals:?}");
        assert!(observed(&again, project).await.containers[0].ready_seen);
        std::fs::remove_file(&marker).unwrap();
        let begun = Instant::now();
        signals_until(&again, &name, Duration::from_secs(10), is_ready).await;
        println!("a booted machine without a marker: ready after {} ms", begun.elapsed().as_millis());
        swept(&again, project).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_boot_ends_at_once_with_its_last_words() {
    // Podman gives every systemd its cgroup.
    for real in engines().into_iter().filter(|real| real.view != View::Podman) {
        let project = "unbootable";
        swept(&real.docker, project).await;
        let mut spec = machine(&real, project, "trixie", 257);
        // Without a part of a hierarchy to write to, PID 1 gives up.
        spec.mounts.clear();
        spec.cgroupns = Some(CgroupNs::Private);
        let name = started(&real, spec).await;
        let signals = signals_until(&real.docker, &name, Duration::from_secs(30), is_exit).await;
        let Some((_, Signal::Exited { code, console, .. })) = signals.last() else { panic!("{signals:?}") };
        assert_eq!(*code, 255);
        let console = console.join("\n");
        println!("{:?}: {console}", real.view);
        assert!(console.contains("Read-only file system"), "{console}");
        swept(&real.docker, project).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_inside_cannot_say_ready_for_pid_1() {
    for real in engines() {
        let project = "forged";
        swept(&real.docker, project).await;
        let mut spec = machine(&real, project, "trixie", 257);
        let script = "systemd-notify --ready; echo sent $?; sleep 60";
        spec.entrypoint = Some(["sh", "-c", script].map(str::to_owned).to_vec());
        spec.stop_signal = Some("SIGKILL".into());
        let name = started(&real, spec).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let lines: Vec<_> = real.docker.logs(&name, &LogQuery::default()).collect().await;
        let said = String::from_utf8_lossy(&lines[0].as_ref().unwrap().text).into_owned();
        assert_eq!(said, "sent 0", "the message was sent");
        let mut signals = real.docker.signals(&name);
        assert_eq!(signals.next().await.unwrap().unwrap(), Signal::Running);
        let more = tokio::time::timeout(Duration::from_secs(2), signals.next()).await;
        assert!(more.is_err(), "nothing was believed: {more:?}");
        assert!(!observed(&real.docker, project).await.containers[0].ready_seen);
        drop(signals);
        swept(&real.docker, project).await;
    }
}
