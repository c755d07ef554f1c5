//! `up` reaches what the manifest says, stays there, and gets there from wherever it was cut off.

use sdcompose::engine::sim::Fault;
use sdcompose::plan::up::UpOptions;

use crate::scene::{FAULTS, Scene, shop};

#[tokio::test(start_paused = true)]
async fn up_makes_the_project_run_and_a_second_up_changes_nothing() {
    let scene = Scene::new();
    let did = scene.up(&shop()).await;
    assert!(did.done, "{}", did.told);
    let (calls, text) = (scene.calls(), scene.sim.text());
    let again = scene.up(&shop()).await;
    assert!(again.done && again.steps == 0, "{}", again.told);
    assert_eq!(scene.sim.mutations_since(calls), Vec::<String>::new());
    assert_eq!(scene.sim.text(), text);
    scene.assert_clean("up, up");
}

#[tokio::test(start_paused = true)]
async fn no_dependent_starts_before_its_condition_holds() {
    let scene = Scene::new();
    scene.up(&shop()).await;
    let history = scene.sim.history();
    let when = |name: &str, action: &str| {
        let found = history.iter().find(|(_, event)| event.name == name && event.action == action);
        found.unwrap_or_else(|| panic!("{name} {action}: {history:?}")).0
    };
    // postgresql.service is active 700 ms after the start of its machine, which is ready only later.
    let database = when("shop-db-1", "start") + std::time::Duration::from_millis(700);
    assert!(when("shop-app-1", "start") >= database);
    assert!(when("shop-app-1", "start") < when("shop-db-1", "ready"));
    assert!(when("shop-app-1", "start") >= when("shop-cache-1", "start"));
    for web in ["shop-web-1", "shop-web-2"] {
        assert!(when(web, "start") >= when("shop-app-1", "ready"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_up_that_was_cut_off_at_any_call_converges() {
    let clean = Scene::new();
    clean.up(&shop()).await;
    let (calls, expected) = (clean.sim.calls(), clean.sim.text());
    for (call, logged) in calls.iter().enumerate() {
        for took in [false, true] {
            let about = format!("cut off at {call}: {} (took={took})", logged.what);
            let scene = Scene::new();
            scene.sim.fault_at(call, Fault::Crash { took });
            let project = shop();
            scene.until_crash(scene.up(&project)).await;
            let turns = scene.converge(&project, &about).await;
            assert_eq!(turns, 1, "{about}");
            assert_eq!(scene.sim.text(), expected, "{about}");
            scene.assert_clean(&about);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_up_with_a_fault_at_any_call_converges() {
    let clean = Scene::new();
    clean.up(&shop()).await;
    let (calls, expected) = (clean.sim.calls(), clean.sim.text());
    for (call, logged) in calls.iter().enumerate() {
        for fault in FAULTS {
            let about = format!("{fault:?} at {call}: {}", logged.what);
            let scene = Scene::new();
            scene.sim.fault_at(call, fault);
            let did = scene.up(&shop()).await;
            assert_eq!(scene.sim.faults_left(), 0, "{about}");
            scene.assert_clean(&format!("{about}\n{}", did.told));
            scene.rest().await;
            let turns = scene.converge(&shop(), &about).await;
            assert_eq!(turns, 1, "{about}\n{}", did.told);
            assert_eq!(scene.sim.text(), expected, "{about}");
            scene.assert_clean(&about);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_up_that_says_it_succeeded_leaves_nothing_to_do() {
    let clean = Scene::new();
    clean.up(&shop()).await;
    for call in 0..clean.calls() {
        // An engine that dies later can end what was started before.
        for fault in FAULTS.into_iter().filter(|fault| !matches!(fault, Fault::Dies(_))) {
            let scene = Scene::new();
            scene.sim.fault_at(call, fault);
            let did = scene.up(&shop()).await;
            scene.sim.mend();
            if did.done {
                let plan = scene.plan(&shop(), &UpOptions::default()).await.expect("a plan");
                assert!(plan.steps.is_empty(), "{fault:?} at {call}\n{}", did.told);
            }
        }
    }
}
