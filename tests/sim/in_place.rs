//! Changes that need no new container: the same one is another afterwards, as if it had been made so.

use proptest::prelude::*;
use sdcompose::engine::Call;
use sdcompose::engine::sim::Fault;
use sdcompose::plan::text;
use sdcompose::plan::up::UpOptions;
use sdcompose::project::{DependencyCondition, Project, RestartPolicy, Service};

use crate::project::{Change, machine, plain, project};
use crate::scene::{FAULTS, Scene};

fn web() -> Service {
    machine("web")
        .joins(&["default", "front"])
        .limited(512 << 20)
        .variable("COLOUR", "red")
        .credential("tls.key", "one")
        .enables("slow.service")
}

/// What every project of these tests has, so that its networks are used in any case.
fn with(web: Service) -> Project {
    let others = plain("other").joins(&["default", "front", "back"]);
    project(vec![machine("db"), web.needs("db", DependencyCondition::Ready), others])
}

fn before() -> Project {
    with(web().drop_in("nginx.service", "one"))
}

fn after() -> Project {
    let web = machine("web")
        .joins(&["default", "back"])
        .limited(1 << 30)
        .variable("COLOUR", "blue")
        .credential("tls.key", "two")
        .enables("slow.service")
        .enables("postgresql.service")
        .masks("cron.service")
        .unit_file("app.service", "LoadCredential=tls.key")
        .drop_in("nginx.service", "two")
        .restarts(RestartPolicy::Always);
    with(web)
}

/// Compares two worlds, and shows the lines in which they differ.
fn same(scene: &Scene, expected: &str, about: &str) {
    let is = scene.sim.text();
    let only = |one: &str, other: &str| {
        one.lines().filter(|line| other.lines().all(|known| known != *line)).collect::<Vec<_>>().join("\n")
    };
    assert!(is == expected, "{about}\nis:\n{}\nought to be:\n{}", only(&is, expected), only(expected, &is));
}

async fn running(project: &Project) -> Scene {
    let scene = Scene::new();
    let did = scene.up(project).await;
    assert!(did.done, "{}", did.told);
    scene
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_changed_in_place_ends_as_if_it_had_been_made_so() {
    let scene = running(&before()).await;
    let from = scene.calls();
    let did = scene.up(&after()).await;
    assert!(did.done, "{}", did.told);
    same(&scene, &running(&after()).await.sim.text(), &did.told);
    let made = scene.sim.mutations_since(from);
    assert!(made.iter().all(|call| !call.starts_with("create") && !call.starts_with("start")), "{made:?}");
    scene.assert_clean(&did.told);
    assert_eq!(scene.converge(&after(), &did.told).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_there_and_back_is_seen_both_times() {
    let scene = running(&before()).await;
    let first = scene.sim.text();
    let (there, back) = (after(), before());
    // What PID 1's arguments began to want stays, so that the way back is another machine.
    scene.up(&there).await;
    let did = scene.up(&back).await;
    assert!(did.done && did.steps > 0, "{}", did.told);
    same(&scene, &first, &did.told);
}

#[tokio::test(start_paused = true)]
async fn a_change_in_place_that_is_cut_off_at_any_call_converges() {
    let (clean, expected) = (running(&before()).await, running(&after()).await.sim.text());
    let from = clean.calls();
    clean.up(&after()).await;
    for (call, logged) in clean.sim.calls().iter().enumerate().skip(from) {
        for took in [false, true] {
            let about = format!("cut off at {call}: {} (took={took})", logged.what);
            let scene = running(&before()).await;
            scene.sim.fault_at(call, Fault::Crash { took });
            scene.until_crash(scene.up(&after())).await;
            let about = format!("{about}\n{}", scene.sim.text());
            assert_eq!(scene.converge(&after(), &about).await, 1, "{about}");
            same(&scene, &expected, &about);
            scene.assert_clean(&about);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_cut_off_and_taken_back_leaves_the_first_project() {
    let clean = running(&before()).await;
    let (from, expected) = (clean.calls(), clean.sim.text());
    clean.up(&after()).await;
    for (call, logged) in clean.sim.calls().iter().enumerate().skip(from) {
        let scene = running(&before()).await;
        scene.sim.fault_at(call, Fault::Crash { took: true });
        scene.until_crash(scene.up(&after())).await;
        let about = format!("cut off at {call}: {}\n{}", logged.what, scene.sim.text());
        assert_eq!(scene.converge(&before(), &about).await, 1, "{about}");
        same(&scene, &expected, &about);
        scene.assert_clean(&about);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_in_place_with_a_fault_at_any_call_converges() {
    let (clean, expected) = (running(&before()).await, running(&after()).await.sim.text());
    let from = clean.calls();
    clean.up(&after()).await;
    for (call, logged) in clean.sim.calls().iter().enumerate().skip(from) {
        for fault in FAULTS {
            let scene = running(&before()).await;
            scene.sim.fault_at(call, fault);
            let did = scene.up(&after()).await;
            let about = format!("{fault:?} at {call}: {}\n{}\n{}", logged.what, did.told, scene.sim.text());
            scene.rest().await;
            assert_eq!(scene.converge(&after(), &about).await, 1, "{about}");
            same(&scene, &expected, &about);
            scene.assert_clean(&about);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_did_is_put_right_where_drift_is_looked_for() {
    let scene = running(&before()).await;
    let first = scene.sim.text();
    let web = || "shop-web-1".to_owned();
    let limits = Box::new(sdcompose::project::Limits { memory: Some(1 << 20), ..Default::default() });
    let stop = ["systemctl", "stop", "--", "slow.service"].map(str::to_owned).to_vec();
    let timeout = std::time::Duration::from_secs(1);
    for call in [
        Call::SetLimits { container: web(), limits },
        Call::Disconnect { container: web(), network: "shop_front".to_owned() },
        Call::SetRestart { container: web(), policy: RestartPolicy::No },
        Call::Run { container: web(), command: stop, timeout },
    ] {
        scene.sim.tamper(&call).expect("done");
    }
    let drift = UpOptions { drift: true, ..UpOptions::default() };
    let did = scene.up_with(&before(), &drift).await;
    assert!(did.done, "{}", did.told);
    same(&scene, &first, &did.told);
    let rest = scene.plan(&before(), &drift).await.expect("a plan");
    assert_eq!(text::text(&rest), "");
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_does_not_exist_fails_the_change_and_the_next_run_tries_again() {
    let scene = running(&before()).await;
    let wrong = with(web().drop_in("nginx.service", "one").enables("nowhere.service"));
    let did = scene.up(&wrong).await;
    assert!(!did.done && did.told.contains("nowhere.service did not restart"), "{}", did.told);
    let did = scene.up(&wrong).await;
    assert!(!did.done && did.steps > 0, "it is not taken for done\n{}", did.told);
    scene.converge(&before(), &did.told).await;
}

/// Machines that differ in what reaches them in each of the three ways.
fn any_web() -> impl Strategy<Value = Service> {
    let word = prop::sample::select(vec!["one", "two", "three"]);
    let some = |word: &prop::sample::Select<&'static str>| prop::option::of(word.clone());
    ((some(&word), some(&word), some(&word), some(&word)), (prop::option::of(1_u64..4), any::<[bool; 6]>()))
        .prop_map(
            |((drop_in, file, variable, credential), (memory, [enable, mask, front, image, policy, cap]))| {
                let mut web = machine("web");
                if let Some(text) = drop_in {
                    web = web.drop_in("nginx.service", text);
                }
                if let Some(text) = file {
                    web = web.unit_file("app.service", text);
                }
                if let Some(value) = variable {
                    web = web.variable("COLOUR", value);
                }
                if let Some(value) = credential {
                    web = web.credential("tls.key", value);
                }
                if let Some(memory) = memory {
                    web = web.limited(memory << 28);
                }
                if enable {
                    web = web.enables("postgresql.service");
                }
                if mask {
                    web = web.masks("slow.service");
                }
                if front {
                    web = web.joins(&["default", "front"]);
                }
                if image {
                    web = web.image("machine:2");
                }
                if policy {
                    web = web.restarts(RestartPolicy::Always);
                }
                if cap {
                    web.cap_add.push("CHOWN".to_owned());
                }
                web
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_project_after_another_is_the_same_as_the_second_alone(webs in prop::collection::vec(any_web(), 2..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let result: Result<(), String> = runtime.expect("a runtime").block_on(async {
            let scene = Scene::new();
            let mut told = String::new();
            for web in &webs {
                let project = with(web.clone());
                let did = scene.up(&project).await;
                told += &did.told;
                let rest = scene.plan(&project, &UpOptions::default()).await?;
                if !did.done || !rest.steps.is_empty() {
                    return Err(format!("{told}\nleft:\n{}", text::text(&rest)));
                }
            }
            let last = with(webs.last().expect("some").clone());
            let (is, ought) = (scene.sim.text(), running(&last).await.sim.text());
            scene.assert_clean(&told);
            if is == ought { Ok(()) } else { Err(format!("{told}\nis:\n{is}\nought to be:\n{ought}")) }
        });
        prop_assert!(result.is_ok(), "{}", result.unwrap_err());
    }
}
