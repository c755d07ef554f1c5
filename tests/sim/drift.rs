//! What somebody else does to the project's containers is put right by the next `up`.

use std::time::Duration;

use sdcompose::engine::Call;

use crate::scene::{Scene, shop};

type Deed = (&'static str, fn(&Scene, &str));

fn name(container: &str) -> String {
    container.to_owned()
}

fn done(scene: &Scene, call: &Call) {
    scene.sim.tamper(call).expect("the engine does it");
}

const DEEDS: [Deed; 7] = [
    ("stopped", |scene, container| {
        done(scene, &Call::Stop { container: name(container), grace: Duration::from_secs(60) });
    }),
    ("killed", |scene, container| done(scene, &Call::Kill { container: name(container), signal: None })),
    ("paused", |scene, container| scene.sim.pause(container)),
    ("removed", |scene, container| {
        done(scene, &Call::Remove { container: name(container), volumes: false, force: true });
    }),
    ("half removed", |scene, container| scene.sim.half_remove(container)),
    ("renamed", |scene, container| {
        done(scene, &Call::Rename { container: name(container), to: format!("0123456789ab_{container}") });
    }),
    ("killed and renamed", |scene, container| {
        done(scene, &Call::Kill { container: name(container), signal: None });
        done(scene, &Call::Rename { container: name(container), to: name("lost") });
    }),
];

#[tokio::test(start_paused = true)]
async fn whatever_is_done_to_a_container_the_next_up_mends_it() {
    for container in ["shop-db-1", "shop-app-1", "shop-web-2", "shop-cache-1"] {
        for (deed, act) in DEEDS {
            let scene = Scene::new();
            scene.up(&shop()).await;
            let expected = scene.sim.text();
            act(&scene, container);
            tokio::time::sleep(Duration::from_secs(1)).await;
            let about = format!("{container} {deed}\n{}", scene.sim.text());
            let turns = scene.converge(&shop(), &about).await;
            assert_eq!(turns, 1, "{about}");
            assert_eq!(scene.sim.text(), expected, "{about}");
            scene.assert_clean(&about);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_who_holds_a_wanted_name_is_refused_before_anything_is_touched() {
    let scene = Scene::new();
    let mut spec = sdcompose::engine::sim::sample::plain("other", "shop-app-1");
    spec.labels.clear();
    scene.sim.foreign_container("shop-app-1", spec);
    let calls = scene.calls();
    let did = scene.up(&shop()).await;
    assert!(!did.done && did.told.contains("shop-app-1"), "{}", did.told);
    assert_eq!(scene.sim.mutations_since(calls), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn containers_whose_network_was_removed_are_made_anew() {
    let scene = Scene::new();
    scene.up(&shop()).await;
    let expected = scene.sim.text();
    for container in ["shop-db-1", "shop-app-1", "shop-web-1", "shop-web-2", "shop-cache-1"] {
        done(&scene, &Call::Stop { container: name(container), grace: Duration::from_secs(60) });
    }
    scene.rest().await;
    done(&scene, &Call::RemoveNetwork { network: name("shop_default") });
    assert_eq!(scene.converge(&shop(), "without its network").await, 1);
    assert_eq!(scene.sim.text(), expected);
    scene.assert_clean("without its network");
}
