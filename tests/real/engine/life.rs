//! The life of plain containers: signals, health, logs, events.

use sdcompose::engine::LogQuery;
use sdcompose::observed::{ContainerState, Health};
use sdcompose::project::{HealthTest, Healthcheck};

use super::*;
use crate::engines;

fn just(signals: Vec<(Duration, Signal)>) -> Vec<Signal> {
    signals.into_iter().map(|(_, signal)| signal).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_container_runs_and_ends_and_its_streams_are_told_apart() {
    for real in engines() {
        let docker = &real.docker;
        swept(docker, "ends").await;
        let spec = plain("ends", &["sh", "-c", "echo out; echo err >&2; printf 'no end'; exit 3"]);
        let name = spec.name.clone();
        done(docker, Call::CreateContainer(Box::new(spec))).await;
        let mut signals = docker.signals(&name);
        assert_eq!(signals.next().await.unwrap().unwrap(), Signal::NotStarted);
        done(docker, Call::Start { container: name.clone() }).await;
        let mut last = signals.next().await.unwrap().unwrap();
        if last == Signal::Running {
            last = signals.next().await.unwrap().unwrap();
        }
        let Signal::Exited { code, oom, console } = last else { panic!("{last:?}") };
        assert_eq!((code, oom), (3, false));
        // Podman 4.3 loses an end of line where it cuts a log's tail.
        assert!(console.iter().any(|line| line.starts_with("out")), "{console:?}");
        assert!(signals.next().await.is_none(), "the stream ends with the container");

        let lines: Vec<_> = docker.logs(&name, &LogQuery::default()).collect().await;
        let mut lines: Vec<_> = lines
            .into_iter()
            .map(|line| {
                line.map(|line| (line.stderr, String::from_utf8_lossy(&line.text).into_owned())).unwrap()
            })
            .collect();
        lines.sort();
        assert_eq!(lines, [(false, "no end".into()), (false, "out".into()), (true, "err".into())]);
        let last = LogQuery { tail: Some(1), ..LogQuery::default() };
        assert_eq!(docker.logs(&name, &last).collect::<Vec<_>>().await.len(), 1);
        let found = observed(docker, "ends").await;
        assert_eq!(
            (&found.containers[0].state, found.containers[0].exit_code),
            (&ContainerState::Exited, Some(3))
        );
        swept(docker, "ends").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_health_check_is_told_when_it_changes() {
    for real in engines() {
        if real.view == crate::View::Podman {
            println!(
                "Podman runs health checks by timers of the host's systemd, which a test bed need not have"
            );
            continue;
        }
        let docker = &real.docker;
        swept(docker, "healthy").await;
        let mut spec = plain("healthy", &["sleep", "60"]);
        spec.healthcheck = Some(Healthcheck {
            test: HealthTest::Shell("test -e /tmp/well".into()),
            interval: Some(Duration::from_secs(1)),
            timeout: None,
            retries: Some(1),
            start_period: None,
            start_interval: None,
        });
        let name = spec.name.clone();
        done(docker, Call::CreateContainer(Box::new(spec))).await;
        done(docker, Call::Start { container: name.clone() }).await;
        let sick = |signal: &Signal| *signal == Signal::Health(Health::Unhealthy);
        let signals = just(signals_until(docker, &name, Duration::from_secs(20), sick).await);
        assert_eq!(signals[..2], [Signal::Running, Signal::Health(Health::Starting)]);
        assert_eq!(observed(docker, "healthy").await.containers[0].health, Some(Health::Unhealthy));
        docker.exec(&name, &sdcompose::engine::ExecSpec::of(&["touch", "/tmp/well"])).await.unwrap();
        let well = |signal: &Signal| *signal == Signal::Health(Health::Healthy);
        signals_until(docker, &name, Duration::from_secs(20), well).await;
        swept(docker, "healthy").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_line_and_bytes_that_are_no_text_come_through() {
    for real in engines() {
        let docker = &real.docker;
        swept(docker, "long").await;
        // On a terminal, Podman cuts a line wherever a read ended, and puts a time there.
        let kinds: &[bool] = if real.view == crate::View::Podman { &[false] } else { &[false, true] };
        for &tty in kinds {
            let script = "head -c 40000 /dev/zero | tr '\\0' x; echo; printf 'a\\033[1mb\\n'";
            let mut spec = plain("long", &["sh", "-c", script]);
            spec.tty = tty;
            let name = spec.name.clone();
            done(docker, Call::CreateContainer(Box::new(spec))).await;
            done(docker, Call::Start { container: name.clone() }).await;
            signals_until(docker, &name, Duration::from_secs(20), is_exit).await;
            let lines: Vec<_> = docker.logs(&name, &LogQuery::default()).collect().await;
            let lines: Vec<_> = lines.into_iter().map(|line| line.unwrap().text).collect();
            assert_eq!(lines.iter().map(bytes::Bytes::len).collect::<Vec<_>>(), [40_000, 6], "tty: {tty}");
            assert!(lines[0].iter().all(|&byte| byte == b'x'), "tty: {tty}");
            swept(docker, "long").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projects_events_are_its_own() {
    for real in engines() {
        let docker = &real.docker;
        swept(docker, "watched").await;
        swept(docker, "other").await;
        let mut happenings = docker.watch("watched");
        let heard = tokio::spawn({
            let docker = docker.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(300)).await;
                for project in ["other", "watched"] {
                    let spec = plain(project, &["true"]);
                    done(&docker, Call::CreateContainer(Box::new(spec))).await;
                }
            }
        });
        let first = tokio::time::timeout(Duration::from_secs(10), happenings.next()).await.unwrap();
        let first = first.unwrap().unwrap();
        assert_eq!((first.name.as_str(), first.action.as_str()), ("watched-it-1", "create"));
        heard.await.unwrap();
        swept(docker, "watched").await;
        swept(docker, "other").await;
    }
}
