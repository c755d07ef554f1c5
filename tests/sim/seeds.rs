//! Many small histories by chance: commands on two projects, faults, deaths and meddling in any order. After
//! the last fault one `up` must lead to the same world as a fresh one. A failure prints what happened and is
//! found again by its seed.

use std::time::Duration;

use proptest::prelude::*;
use sdcompose::engine::sim::Fault;

use crate::scene::{FAULTS, Scene, changed_shop, shop};

/// One event of a history.
#[derive(Debug, Clone)]
enum Deed {
    Up { changed: bool, fault: Option<(usize, Fault)> },
    Down { fault: Option<(usize, Fault)> },
    Stop { container: usize },
    Remove { container: usize },
    Rename { container: usize },
    Pause { container: usize },
    Rest { seconds: u64 },
}

const CONTAINERS: [&str; 5] = ["shop-db-1", "shop-app-1", "shop-web-1", "shop-web-2", "shop-cache-1"];

fn fault() -> impl Strategy<Value = Option<(usize, Fault)>> {
    let crashes = [Fault::Crash { took: false }, Fault::Crash { took: true }];
    let all: Vec<Fault> = crashes.into_iter().chain(FAULTS).collect();
    prop::option::of((0_usize..40, prop::sample::select(all)))
}

fn deed() -> impl Strategy<Value = Deed> {
    let container = 0..CONTAINERS.len();
    prop_oneof![
        6 => (any::<bool>(), fault()).prop_map(|(changed, fault)| Deed::Up { changed, fault }),
        2 => fault().prop_map(|fault| Deed::Down { fault }),
        1 => container.clone().prop_map(|container| Deed::Stop { container }),
        1 => container.clone().prop_map(|container| Deed::Remove { container }),
        1 => container.clone().prop_map(|container| Deed::Rename { container }),
        1 => container.prop_map(|container| Deed::Pause { container }),
        2 => (0_u64..100).prop_map(|seconds| Deed::Rest { seconds }),
    ]
}

async fn act(scene: &Scene, deed: &Deed) {
    use sdcompose::engine::Call;
    let name = |index: &usize| CONTAINERS[*index].to_owned();
    let arm = |fault: &Option<(usize, Fault)>| {
        if let Some((call, fault)) = fault {
            scene.sim.fault_at(scene.calls() + call, *fault);
        }
    };
    match deed {
        Deed::Up { changed, fault } => {
            let project = if *changed { changed_shop() } else { shop() };
            arm(fault);
            scene.may_crash(scene.up(&project)).await;
        }
        Deed::Down { fault } => {
            arm(fault);
            let project = shop();
            scene.may_crash(scene.down(&project, false)).await;
        }
        // What the engine refuses did not happen.
        Deed::Stop { container } => {
            let grace = Duration::from_secs(60);
            drop(scene.sim.tamper(&Call::Stop { container: name(container), grace }));
        }
        Deed::Remove { container } => {
            drop(scene.sim.tamper(&Call::Remove { container: name(container), volumes: false, force: true }));
        }
        Deed::Rename { container } => {
            let to = format!("moved-{}", name(container));
            drop(scene.sim.tamper(&Call::Rename { container: name(container), to }));
        }
        Deed::Pause { container } => scene.sim.pause(&name(container)),
        Deed::Rest { seconds } => tokio::time::sleep(Duration::from_secs(*seconds)).await,
    }
}

async fn history(deeds: &[Deed], changed: bool) -> Result<(), String> {
    let project = if changed { changed_shop() } else { shop() };
    let fresh = Scene::new();
    fresh.up(&project).await;
    let scene = Scene::new();
    for deed in deeds {
        act(&scene, deed).await;
        scene.assert_clean(&format!("{deed:?}"));
    }
    scene.rest().await;
    let did = scene.up(&project).await;
    let same = scene.sim.text().replace("\nvolume shop_data", "")
        == fresh.sim.text().replace("\nvolume shop_data", "");
    scene.assert_clean(&did.told);
    if did.done && same {
        Ok(())
    } else {
        Err(format!("{}\nis:\n{}\nought to be:\n{}", did.told, scene.sim.text(), fresh.sim.text()))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn one_up_after_any_history_leads_to_the_world_of_a_fresh_one(
        deeds in prop::collection::vec(deed(), 1..8),
        changed in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let result = runtime.expect("a runtime").block_on(history(&deeds, changed));
        prop_assert!(result.is_ok(), "{}", result.unwrap_err());
    }
}
