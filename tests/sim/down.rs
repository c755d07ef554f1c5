//! `down` leaves nothing of the project and everything of others, from wherever it was cut off.

use sdcompose::engine::sim::Fault;

use crate::scene::{FAULTS, Scene, changed_shop, shop};

async fn running() -> Scene {
    let scene = Scene::new();
    let did = scene.up(&shop()).await;
    assert!(did.done, "{}", did.told);
    scene
}

const NOTHING: &str = "\
container stranger running image=plain restart=Always networks=[] limits=[None, None]/None volumes=[]
network strange
volume precious";

#[tokio::test(start_paused = true)]
async fn down_with_volumes_leaves_nothing_and_down_without_keeps_data() {
    let scene = running().await;
    let data = scene.sim.volume_serial("shop_data");
    let did = scene.down(&shop(), false).await;
    assert!(did.done, "{}", did.told);
    assert_eq!(scene.sim.volume_serial("shop_data"), data);
    assert_eq!(scene.sim.text(), format!("{NOTHING}\nvolume shop_data"));
    let did = scene.down(&shop(), true).await;
    assert!(did.done, "{}", did.told);
    assert_eq!(scene.sim.text(), NOTHING);
    let again = scene.down(&shop(), true).await;
    assert!(again.done && again.steps == 0, "{}", again.told);
    scene.assert_clean("down");
}

#[tokio::test(start_paused = true)]
async fn dependents_stop_before_what_they_need() {
    let scene = running().await;
    scene.down(&shop(), false).await;
    let history = scene.sim.history();
    let ends = |name: &str| {
        history.iter().rfind(|(_, e)| e.name == name && e.action.starts_with("die")).map(|e| e.0)
    };
    let begins =
        |name: &str| history.iter().rfind(|(_, e)| e.name == name && e.action == "stop").map(|e| e.0);
    for (first, then) in
        [("shop-web-1", "shop-app-1"), ("shop-web-2", "shop-app-1"), ("shop-app-1", "shop-db-1")]
    {
        assert!(ends(first).is_some() && ends(first) <= begins(then), "{first} before {then}: {history:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_down_with_a_fault_or_cut_off_at_any_call_ends_in_nothing() {
    let clean = running().await;
    let from = clean.calls();
    clean.down(&shop(), true).await;
    let crashes = [Fault::Crash { took: false }, Fault::Crash { took: true }];
    for (call, logged) in clean.sim.calls().iter().enumerate().skip(from) {
        for fault in crashes.into_iter().chain(FAULTS) {
            let about = format!("{fault:?} at {call}: {}", logged.what);
            let (scene, project) = (running().await, shop());
            scene.sim.fault_at(call, fault);
            scene.until_crash(scene.down(&project, true)).await;
            scene.rest().await;
            let did = scene.down(&project, true).await;
            assert!(did.done, "{about}\n{}", did.told);
            assert_eq!(scene.sim.text(), NOTHING, "{about}");
            scene.assert_clean(&about);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn down_removes_what_a_replacement_left_that_was_cut_off() {
    let clean = running().await;
    let from = clean.calls();
    clean.up(&changed_shop()).await;
    for call in from..clean.calls() {
        let (scene, project) = (running().await, changed_shop());
        scene.sim.fault_at(call, Fault::Crash { took: true });
        scene.until_crash(scene.up(&project)).await;
        let did = scene.down(&project, true).await;
        assert!(did.done, "{call}\n{}", did.told);
        assert_eq!(scene.sim.text(), NOTHING, "{call}\n{}", did.told);
    }
}
