//! Images: looked into, built, pulled, and known by their names.

use indexmap::IndexMap;
use sdcompose::engine::RefusalKind;
use sdcompose::facts::ImageSystemd;
use sdcompose::project::{Build, BuildContext, Dockerfile};

use super::*;
use crate::engines;

#[tokio::test(flavor = "multi_thread")]
async fn a_look_finds_systemd_and_its_version_and_leaves_nothing() {
    for real in engines() {
        for (release, version) in RELEASES {
            let begun = Instant::now();
            let look = Call::Look { reference: image(release) };
            let Done::Looked(facts) = done(&real.docker, look.clone()).await else { panic!("nothing seen") };
            println!("{:?} look into {release}: {} ms", real.view, begun.elapsed().as_millis());
            let init = "/usr/lib/systemd/systemd".to_owned();
            let without_merge = "/lib/systemd/systemd".to_owned();
            let systemd = facts.systemd.unwrap();
            assert!(systemd.init == init || systemd.init == without_merge);
            assert_eq!(systemd, ImageSystemd { init: systemd.init.clone(), version: Some(version) });

            let scope = Scope { images: names(&[&image(release)]), ..scope("looked") };
            let found = real.docker.observe(&scope).await.unwrap();
            assert_eq!(found.images[&image(release)].facts.as_ref().unwrap().systemd, Some(systemd));
        }
        leaves_no_look(&real, &image("trixie")).await;
        let missing = refused(&real.docker, Call::Look { reference: "nobody/has:this".into() }).await;
        assert!(matches!(missing, EngineError::Refused { kind: RefusalKind::NotFound, .. }), "{missing:?}");
        let plain = done(&real.docker, Call::Look { reference: PLAIN.into() }).await;
        assert!(matches!(plain, Done::Looked(facts) if facts.systemd.is_none()));
    }
}

/// Gives a look up half-way, and finds that nothing is left of it.
async fn leaves_no_look(real: &Real, image: &str) {
    let again = real.again();
    let look = Call::Look { reference: image.into() };
    let given_up = tokio::time::timeout(Duration::from_millis(60), again.perform(&look, quiet())).await;
    println!("given up: {}", given_up.is_err());
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if looks_left(real).is_empty() {
            return;
        }
    }
    panic!("left behind: {:?}", looks_left(real));
}

/// Asks the engine, by its own words, for containers that this process made for looks.
fn looks_left(real: &Real) -> String {
    let filter = format!("filters={{\"label\":[\"io.sdcompose.look.pid={}\"]}}", std::process::id());
    let socket = real.endpoint.address.to_string();
    let output = std::process::Command::new("curl")
        .args(["-s", "-G", "--data-urlencode", &filter, "--unix-socket"])
        .args([socket.trim_start_matches("unix://"), "http://localhost/containers/json?all=1"])
        .output()
        .expect("curl asks the engine");
    let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if answer == "[]" { String::new() } else { answer }
}

fn build(context: &std::path::Path, text: &str) -> Box<Build> {
    Box::new(Build {
        dockerfile: Dockerfile::Inline(text.into()),
        args: IndexMap::from([("WORD".into(), "a b".into())]),
        target: Some("last".into()),
        labels: IndexMap::from([("made.by".into(), "a test".into())]),
        network: Some("none".into()),
        ..Build::of(BuildContext::Directory(context.to_owned()))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_sees_its_context_shows_its_steps_and_tells_its_failure() {
    for real in engines() {
        let docker = &real.docker;
        let context = tempfile::tempdir().unwrap();
        std::fs::write(context.path().join(".dockerignore"), "secret\n").unwrap();
        std::fs::write(context.path().join("secret"), "x").unwrap();
        std::fs::write(context.path().join("big"), vec![b'x'; 3_000_000]).unwrap();
        std::os::unix::fs::symlink("big", context.path().join("link")).unwrap();
        let text = format!(
            "FROM {PLAIN} AS last\nARG WORD\nCOPY . /in/\nRUN ls /in > /seen && readlink /in/link >> /seen && echo \"$WORD\" >> /seen\nFROM last AS unwanted\nRUN false\n"
        );
        let (show, shown) = kept();
        let call = Call::Build { tag: "sdcompose-test/built:1".into(), build: build(context.path(), &text) };
        docker.perform(&call, show).await.unwrap();
        let shown = shown.lock().unwrap().clone();
        assert!(
            shown
                .iter()
                .any(|progress| matches!(progress, Progress::Line(line) if line.to_lowercase().starts_with("step 1/"))),
            "{shown:?}"
        );
        swept(docker, "built").await;
        let mut spec = plain("built", &["cat", "/seen"]);
        spec.image = "sdcompose-test/built:1".into();
        let name = spec.name.clone();
        done(docker, Call::CreateContainer(Box::new(spec))).await;
        done(docker, Call::Start { container: name.clone() }).await;
        signals_until(docker, &name, Duration::from_secs(20), is_exit).await;
        let lines: Vec<_> = docker.logs(&name, &sdcompose::engine::LogQuery::default()).collect().await;
        let text: Vec<_> =
            lines.into_iter().map(|line| String::from_utf8(line.unwrap().text.to_vec()).unwrap()).collect();
        assert_eq!(text, ["big", "link", "big", "a b"]);
        swept(docker, "built").await;

        let text = format!("FROM {PLAIN} AS last\nRUN echo before; exit 9\n");
        let call = Call::Build { tag: "sdcompose-test/built:2".into(), build: build(context.path(), &text) };
        let error = refused(docker, call).await;
        let text = error.to_string();
        assert!(text.contains("exit 9") && text.ends_with('9'), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_does_not_answer_is_the_registrys_failure() {
    for real in engines() {
        let error = refused(
            &real.docker,
            Call::Pull { reference: "127.0.0.1:1/nobody/has:this".into(), platform: None },
        )
        .await;
        assert!(matches!(error, EngineError::Refused { kind: RefusalKind::Registry, .. }), "{error:?}");
        println!("{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_moved_to_another_image_is_not_taken_from_the_containers() {
    for real in engines() {
        let docker = &real.docker;
        docker.facts().await.unwrap();
        let context = tempfile::tempdir().unwrap();
        let tag = "sdcompose-test/moving:1";
        let make = |word: &str| Call::Build {
            tag: tag.into(),
            build: build(context.path(), &format!("FROM {PLAIN} AS last\nLABEL word={word}\n")),
        };
        swept(docker, "moved").await;
        done(docker, make("one")).await;
        let mut spec = plain("moved", &["true"]);
        spec.image = tag.into();
        done(docker, Call::CreateContainer(Box::new(spec))).await;
        let scope = Scope { images: names(&[tag]), ..scope("moved") };
        let before = docker.observe(&scope).await.unwrap();
        assert_eq!(before.images[tag].id, before.containers[0].image_id);
        done(docker, make("two")).await;
        let after = docker.observe(&scope).await.unwrap();
        assert_ne!(after.images[tag].id, after.containers[0].image_id);
        swept(docker, "moved").await;
    }
}
