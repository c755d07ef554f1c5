//! An interruption at any instant: what is running ends well, soon, and the next `up` goes on.

use std::time::Duration;

use tokio::time::Instant;

use crate::scene::{Scene, changed_shop, shop};

#[tokio::test(start_paused = true)]
async fn an_up_that_is_interrupted_at_any_instant_ends_soon_and_converges() {
    let clean = Scene::new();
    let began = Instant::now();
    clean.up(&shop()).await;
    let (whole, expected) = (began.elapsed(), clean.sim.text());
    for millis in (0..u64::try_from(whole.as_millis()).expect("short")).step_by(47) {
        let scene = Scene::new();
        let began = Instant::now();
        let did = scene.up_interrupted(&shop(), Duration::from_millis(millis)).await;
        let about = format!("after {millis} ms\n{}", did.told);
        assert!(!did.done, "{about}");
        assert!(began.elapsed() < Duration::from_millis(millis + 200), "{about}");
        assert_eq!(scene.converge(&shop(), &about).await, 1);
        assert_eq!(scene.sim.text(), expected, "{about}");
        scene.assert_clean(&about);
    }
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_is_interrupted_at_any_instant_ends_in_one_of_its_two_good_ends() {
    let fresh = Scene::new();
    fresh.up(&shop()).await;
    let before = fresh.sim.text();
    let began = Instant::now();
    fresh.up(&changed_shop()).await;
    let (whole, after) = (began.elapsed(), fresh.sim.text());
    for millis in (0..u64::try_from(whole.as_millis()).expect("short") + 100).step_by(47) {
        let scene = Scene::new();
        scene.up(&shop()).await;
        let did = scene.up_interrupted(&changed_shop(), Duration::from_millis(millis)).await;
        let (about, text) = (format!("after {millis} ms\n{}", did.told), scene.sim.text());
        assert!(!text.contains(".old-"), "{about}\n{text}");
        for name in ["shop-db-1", "shop-cache-1"] {
            let line = |text: &str| text.lines().find(|line| line.contains(name)).map(str::to_owned);
            assert!(line(&text) == line(&before) || line(&text) == line(&after), "{about}\n{text}");
        }
        scene.converge(&changed_shop(), &about).await;
        assert_eq!(scene.sim.text(), after, "{about}");
        scene.assert_clean(&about);
    }
}
