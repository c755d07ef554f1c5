//! Secrets reach the containers that are given them, and nobody hears what they hold.

use sdcompose::engine::{Call, Engine};
use sdcompose::plan::up::UpOptions;
use sdcompose::plan::{json, text};
use sdcompose::project::Project;

use crate::project::{plain, project, with_secret};
use crate::scene::{Scene, shop};

fn with_token(value: &str) -> Project {
    with_secret(project(vec![plain("cache")]), "token", value, &["cache"])
}

#[tokio::test(start_paused = true)]
async fn a_changed_secret_replaces_who_is_given_it_and_is_named_without_its_value() {
    let scene = Scene::new();
    let did = scene.up(&with_token("canary-1")).await;
    assert!(did.done, "{}", did.told);
    let changed = with_token("canary-2");
    let plan = scene.plan(&changed, &UpOptions::default()).await.expect("a plan");
    assert_eq!(text::text(&plan).trim(), "1 replace container shop-cache-1  changed: secrets.token");
    let did = scene.up(&changed).await;
    assert!(did.done, "{}", did.told);
    let plan = scene.plan(&changed, &UpOptions::default()).await.expect("a plan");
    assert!(plan.steps.is_empty(), "{}", text::text(&plan));
    scene.assert_clean("a changed secret");
}

#[tokio::test(start_paused = true)]
async fn what_a_secret_holds_is_in_no_plan_label_or_text() {
    let scene = Scene::new();
    let shop = shop();
    let plan = scene.plan(&shop, &UpOptions::default()).await.expect("a plan");
    let did = scene.up(&shop).await;
    let observed = scene.sim.observe(&crate::project::scope(&shop)).await.expect("an observation");
    for told in [
        text::text(&plan),
        json::json(&plan).to_string(),
        format!("{plan:?}"),
        did.told,
        scene.sim.text(),
        format!("{observed:?}"),
        format!("{:?}", scene.sim.calls()),
    ] {
        assert!(told.contains("shop") && !told.contains("canary"), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_only_root_takes_no_file_from_the_engine() {
    let scene = Scene::new();
    let mut shop = with_token("canary");
    shop.services["cache"].read_only = true;
    let did = scene.up(&shop).await;
    assert!(!did.done && did.told.contains("read-only") && !did.told.contains("canary"), "{}", did.told);
    let put = Call::Put { container: "shop-cache-1".to_owned(), files: Vec::new() };
    assert!(scene.sim.tamper(&put).is_err(), "what could not be completed is taken away");
}
