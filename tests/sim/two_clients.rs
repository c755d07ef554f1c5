//! Two runs at once on one engine, as from two hosts (on one host a lock keeps them apart). Neither harms the
//! other's containers, nothing runs twice, and one more `up` ends it.

use std::time::Duration;

use crate::scene::{Scene, changed_shop, shop};

#[tokio::test(start_paused = true)]
async fn two_ups_at_once_harm_nothing_and_one_more_converges() {
    let fresh = Scene::new();
    fresh.up(&shop()).await;
    let expected = fresh.sim.text();
    for millis in (0..2500).step_by(97) {
        let scene = Scene::new();
        let (other, project) = (scene.beside(), shop());
        let late = async {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            other.up(&project).await
        };
        let (first, second) = tokio::join!(scene.up(&project), late);
        let about = format!("{millis} ms apart\n{}\n{}", first.told, second.told);
        scene.assert_clean(&about);
        assert_eq!(scene.converge(&project, &about).await, 1, "{about}");
        assert_eq!(scene.sim.text(), expected, "{about}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_replacement_beside_another_run_loses_nothing() {
    let fresh = Scene::new();
    fresh.up(&shop()).await;
    fresh.up(&changed_shop()).await;
    let expected = fresh.sim.text();
    for millis in (0..2500).step_by(97) {
        let scene = Scene::new();
        scene.up(&shop()).await;
        let data = scene.sim.volume_serial("shop_data");
        let (other, project) = (scene.beside(), changed_shop());
        let late = async {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            other.up(&project).await
        };
        let (first, second) = tokio::join!(scene.up(&project), late);
        let about = format!("{millis} ms apart\n{}\n{}\n{}", first.told, second.told, scene.sim.text());
        scene.assert_clean(&about);
        scene.converge(&project, &about).await;
        assert_eq!(scene.sim.text(), expected, "{about}");
        assert_eq!(scene.sim.volume_serial("shop_data"), data, "{about}");
    }
}
