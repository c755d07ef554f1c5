//! Changes that take a replacement: the old container is there until the new one is good.

use sdcompose::engine::sim::Fault;

use crate::project::Change;
use crate::scene::{FAULTS, Scene, changed_shop, shop};

/// A scene in which the first project runs.
async fn running() -> Scene {
    let scene = Scene::new();
    let did = scene.up(&shop()).await;
    assert!(did.done, "{}", did.told);
    scene
}

/// What a fresh `up` of the changed project leaves.
async fn expected() -> String {
    let fresh = Scene::new();
    fresh.up(&changed_shop()).await;
    fresh.sim.text()
}

#[tokio::test(start_paused = true)]
async fn a_changed_project_ends_as_if_it_had_been_so_from_the_start() {
    let scene = running().await;
    let data = scene.sim.volume_serial("shop_data");
    let did = scene.up(&changed_shop()).await;
    assert!(did.done, "{}", did.told);
    assert_eq!(scene.sim.text(), expected().await);
    assert_eq!(scene.sim.volume_serial("shop_data"), data);
    scene.assert_clean(&did.told);
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_was_cut_off_at_any_call_converges() {
    let (clean, expected) = (running().await, expected().await);
    let from = clean.calls();
    clean.up(&changed_shop()).await;
    for (call, logged) in clean.sim.calls().iter().enumerate().skip(from) {
        for took in [false, true] {
            let about = format!("cut off at {call}: {} (took={took})", logged.what);
            let scene = running().await;
            let data = scene.sim.volume_serial("shop_data");
            scene.sim.fault_at(call, Fault::Crash { took });
            let project = changed_shop();
            scene.until_crash(scene.up(&project)).await;
            let about = format!("{about}\n{}", scene.sim.text());
            scene.converge(&project, &about).await;
            assert_eq!(scene.sim.text(), expected, "{about}");
            assert_eq!(scene.sim.volume_serial("shop_data"), data, "{about}");
            scene.assert_clean(&about);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_replacement_with_a_fault_at_any_call_converges() {
    let (clean, expected) = (running().await, expected().await);
    let from = clean.calls();
    clean.up(&changed_shop()).await;
    for (call, logged) in clean.sim.calls().iter().enumerate().skip(from) {
        for fault in FAULTS {
            let about = format!("{fault:?} at {call}: {}", logged.what);
            let scene = running().await;
            scene.sim.fault_at(call, fault);
            let did = scene.up(&changed_shop()).await;
            let about = format!("{about}\n{}\n{}", did.told, scene.sim.text());
            scene.assert_clean(&about);
            scene.rest().await;
            scene.converge(&changed_shop(), &about).await;
            assert_eq!(scene.sim.text(), expected, "{about}");
            scene.assert_clean(&about);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_cut_off_and_taken_back_leaves_the_first_project() {
    let clean = running().await;
    let (from, before) = (clean.calls(), clean.sim.text());
    clean.up(&changed_shop()).await;
    for (call, logged) in clean.sim.calls().iter().enumerate().skip(from) {
        let about = format!("cut off at {call}: {}", logged.what);
        let scene = running().await;
        scene.sim.fault_at(call, Fault::Crash { took: true });
        let project = changed_shop();
        scene.until_crash(scene.up(&project)).await;
        scene.converge(&shop(), &about).await;
        assert_eq!(scene.sim.text(), before, "{about}");
        scene.assert_clean(&about);
    }
}

#[tokio::test(start_paused = true)]
async fn a_mending_that_is_cut_off_as_well_is_gone_on_with() {
    let clean = running().await;
    let (from, before) = (clean.calls(), clean.sim.text());
    clean.up(&changed_shop()).await;
    for call in from..clean.calls() {
        let cut_off = async || {
            let scene = running().await;
            scene.sim.fault_at(call, Fault::Crash { took: true });
            scene.until_crash(scene.up(&changed_shop())).await;
            scene
        };
        let mended = cut_off().await;
        let mending = mended.calls();
        mended.up(&shop()).await;
        for second in mending..mended.calls() {
            let scene = cut_off().await;
            scene.sim.fault_at(second, Fault::Crash { took: true });
            scene.may_crash(scene.up(&shop())).await;
            let about = format!("cut off at {call}, and mending it at {second}");
            scene.converge(&shop(), &about).await;
            assert_eq!(scene.sim.text(), before, "{about}");
            scene.assert_clean(&about);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_machine_that_does_not_boot_brings_the_old_one_back() {
    let scene = running().await;
    let before = scene.sim.text();
    let mut broken = shop();
    let db = broken.services.get_mut("db").expect("db");
    *db = db.clone().image("machine:bad");
    let did = scene.up(&broken).await;
    assert!(!did.done && did.told.contains("The old shop-db-1 runs again"), "{}", did.told);
    assert_eq!(scene.sim.text(), before);
    scene.assert_clean(&did.told);
    scene.rest().await;
    scene.converge(&shop(), &did.told).await;
    assert_eq!(scene.sim.text(), before);
}
