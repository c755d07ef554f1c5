//! Hooks, whatever goes wrong around them: each is run where it belongs or the user is told, and the world is the
//! same as without them.

use std::time::Duration;

use sdcompose::engine::sim::Fault;
use sdcompose::plan::up::UpOptions;
use tokio::time::Instant;

use crate::scene::{FAULTS, Scene, changed_shop, hooked, shop};

/// A scene in which the shop with hooks runs.
async fn running() -> Scene {
    let scene = Scene::new();
    let did = scene.up(&hooked(shop())).await;
    assert!(did.done, "{}", did.told);
    scene
}

/// What happened to containers, from a number on.
fn history(scene: &Scene, from: usize) -> Vec<String> {
    let happened = scene.sim.history().into_iter().skip(from).map(|(_, happening)| happening);
    happened.map(|it| format!("{} {}", it.name, it.action)).collect()
}

/// Calls around those of hooks; what goes wrong at others is tried without hooks.
fn near_hooks(scene: &Scene, from: usize) -> Vec<(usize, String)> {
    let calls: Vec<String> = scene.sim.calls().into_iter().map(|call| call.what).collect();
    let is_hook =
        |at: usize| calls.get(at).is_some_and(|what| what.contains("run seed") || what.contains("run drain"));
    let near = |at: &usize| (at.saturating_sub(1)..=at + 1).any(is_hook);
    (from..calls.len()).filter(near).map(|at| (at, calls[at].clone())).collect()
}

#[track_caller]
fn before(happened: &[String], first: &str, second: &str) {
    let at = |line: &str| happened.iter().position(|found| found == line);
    assert!(at(first).is_some() && at(first) < at(second), "{first} before {second}: {happened:?}");
}

#[tokio::test(start_paused = true)]
async fn hooks_stand_between_a_boot_and_what_waits_for_it_and_before_every_stop() {
    let scene = running().await;
    let happened = history(&scene, 0);
    before(&happened, "shop-db-1 ready", "shop-db-1 run seed");
    before(&happened, "shop-db-1 run seed", "shop-app-1 start");
    before(&happened, "shop-app-1 run seed", "shop-web-1 start");
    before(&happened, "shop-cache-1 start", "shop-cache-1 run seed");
    assert!(scene.plan(&hooked(shop()), &UpOptions::default()).await.expect("a plan").steps.is_empty());
    let from = scene.sim.history().len();
    let did = scene.down(&hooked(shop()), false).await;
    assert!(did.done, "{}", did.told);
    let happened = history(&scene, from);
    for name in ["shop-app-1", "shop-db-1", "shop-cache-1"] {
        before(&happened, &format!("{name} run drain"), &format!("{name} stop"));
    }
    before(&happened, "shop-app-1 die 0", "shop-db-1 run drain");
    scene.assert_clean(&did.told);
}

#[tokio::test(start_paused = true)]
async fn an_up_with_a_fault_at_any_call_converges() {
    let clean = running().await;
    let expected = clean.sim.text();
    for (call, logged) in near_hooks(&clean, 0) {
        for fault in FAULTS {
            let scene = Scene::new();
            scene.sim.fault_at(call, fault);
            let did = scene.up(&hooked(shop())).await;
            let about = format!("{fault:?} at {call}: {}\n{}", logged, did.told);
            scene.assert_clean(&about);
            scene.rest().await;
            scene.converge(&hooked(shop()), &about).await;
            assert_eq!(scene.sim.text(), expected, "{about}");
            scene.assert_clean(&about);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_replacement_with_a_fault_or_a_crash_at_any_call_converges() {
    let (clean, changed) = (running().await, hooked(changed_shop()));
    let from = clean.calls();
    clean.up(&changed).await;
    let expected = clean.sim.text();
    let crashes = [Fault::Crash { took: false }, Fault::Crash { took: true }];
    for (call, logged) in near_hooks(&clean, from) {
        for fault in FAULTS.into_iter().chain(crashes) {
            let scene = running().await;
            let data = scene.sim.volume_serial("shop_data");
            scene.sim.fault_at(call, fault);
            scene.may_crash(scene.up(&changed)).await;
            let about = format!("{fault:?} at {call}: {}\n{}", logged, scene.sim.text());
            scene.assert_clean(&about);
            scene.rest().await;
            scene.converge(&changed, &about).await;
            assert_eq!(scene.sim.text(), expected, "{about}");
            assert_eq!(scene.sim.volume_serial("shop_data"), data, "{about}");
            scene.assert_clean(&about);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_down_with_a_fault_at_any_call_leaves_nothing_when_it_is_repeated() {
    let clean = running().await;
    let from = clean.calls();
    clean.down(&hooked(shop()), false).await;
    let expected = clean.sim.text();
    for (call, logged) in near_hooks(&clean, from) {
        for fault in FAULTS {
            let scene = running().await;
            scene.sim.fault_at(call, fault);
            scene.down(&hooked(shop()), false).await;
            scene.rest().await;
            let did = scene.down(&hooked(shop()), false).await;
            let about = format!("{fault:?} at {call}: {}\n{}", logged, did.told);
            assert!(did.done, "{about}");
            assert_eq!(scene.sim.text(), expected, "{about}");
            scene.assert_clean(&about);
        }
    }
}

/// Each container that runs has run its hook, or the user was told how to run it.
#[tokio::test(start_paused = true)]
async fn an_up_that_is_interrupted_at_any_instant_ends_soon_and_loses_no_hook_in_silence() {
    let clean = Scene::new();
    let began = Instant::now();
    clean.up(&hooked(shop())).await;
    let (whole, expected) = (began.elapsed(), clean.sim.text());
    for millis in (0..u64::try_from(whole.as_millis()).expect("short")).step_by(31) {
        let scene = Scene::new();
        let began = Instant::now();
        let did = scene.up_interrupted(&hooked(shop()), Duration::from_millis(millis)).await;
        let about = format!("after {millis} ms\n{}", did.told);
        assert!(began.elapsed() < Duration::from_millis(millis + 400), "{about}");
        let happened = history(&scene, 0);
        for name in ["shop-db-1", "shop-app-1", "shop-cache-1"] {
            let has = |what: &str| happened.contains(&format!("{name} {what}"));
            let service = name.trim_start_matches("shop-").trim_end_matches("-1");
            let told = did.told.contains(&format!("`sdcompose restart {service}` starts it anew"));
            assert!(!has("start") || has("run seed") || told, "{name} {about}\n{happened:?}");
        }
        scene.converge(&hooked(shop()), &about).await;
        assert_eq!(scene.sim.text(), expected, "{about}");
        scene.assert_clean(&about);
    }
}
