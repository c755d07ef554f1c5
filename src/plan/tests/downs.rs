//! What `down` removes, and what it leaves alone.

use super::*;

const SHOP: &str = "web needs=db net=front\ndb x2 vol=data:/data\nold needs=web\nvolume theirs external\nlog plain vol=theirs:/x";

fn world() -> World {
    let project = project(SHOP);
    let mut world = World::with_images(&project);
    let volume = crate::observed::ObservedVolume { labels: None };
    world.observed.volumes.insert("shop_theirs".to_owned(), volume);
    let plan = up_in(&world, &project, &UpOptions::default()).unwrap();
    world.apply(&plan);
    world
}

fn downed(project: Option<&Project>, world: &World, options: &DownOptions) -> String {
    let plan = down("shop", project, &world.observed, options);
    assert_eq!(check::check(&plan), []);
    text::text(&plan)
}

#[test]
fn dependents_stop_before_what_they_depend_on() {
    let world = world();
    same(&downed(Some(&project(SHOP)), &world, &DownOptions::default()), "
         1 stop   container shop-old-1  requested
         2 remove container shop-old-1  requested  after 1               destroys: what was written into its root
         3 stop   container shop-web-1  requested  after 1
         4 remove container shop-web-1  requested  after 3               destroys: what was written into its root
         5 stop   container shop-log-1  requested
         6 remove container shop-log-1  requested  after 5
         7 stop   container shop-db-2   requested  after 3
         8 remove container shop-db-2   requested  after 7               destroys: what was written into its root
         9 stop   container shop-db-1   requested  after 3
        10 remove container shop-db-1   requested  after 9               destroys: what was written into its root
        11 remove network shop_default  requested  after 2, 4, 6, 8, 10
        12 remove network shop_front    requested  after 2, 4, 6, 8, 10
        ");
    let by_labels = downed(None, &world, &DownOptions::default());
    assert_eq!(downed(Some(&project(SHOP)), &world, &DownOptions::default()), by_labels);
}

#[test]
fn volumes_go_only_on_request_and_only_our_own() {
    let options = DownOptions { volumes: true, ..DownOptions::default() };
    same(&downed(Some(&project("web")), &World::after_up("web vol=data:/d"), &options), "
        1 stop   container shop-web-1                  requested
        2 remove container shop-web-1 and its volumes  requested  after 1  destroys: what was written into its root
        3 remove network shop_default                  requested  after 2
        4 remove volume shop_data                      requested  after 2  destroys: the volume's data
        ");
    let mut world = world();
    let plan = down("shop", None, &world.observed, &options);
    world.apply(&plan);
    assert!(world.observed.containers.is_empty() && world.observed.networks.is_empty());
    assert_eq!(world.observed.volumes.keys().collect::<Vec<_>>(), ["shop_theirs"]);
}

#[test]
fn orphans_stay_with_what_they_use() {
    let world = World::after_up("web vol=data:/d\nold vol=data:/d\nother net=back");
    let options = DownOptions { volumes: true, ..DownOptions::default() };
    same(&downed(Some(&project("web vol=data:/d\nother net=back")), &world, &options), "
        1 stop   container shop-web-1                    requested
        2 remove container shop-web-1 and its volumes    requested  after 1     destroys: what was written into its root
        3 stop   container shop-other-1                  requested
        4 remove container shop-other-1 and its volumes  requested  after 3     destroys: what was written into its root
        5 remove network shop_back                       requested  after 2, 4

        note: not in the manifest: shop-old-1 (`--remove-orphans` removes them)
        ");
}

#[test]
fn what_does_not_run_is_only_removed_and_the_paused_is_thawed() {
    let world = World::after_up("a\nb needs=a\nc needs=b")
        .set("shop-b-1", ContainerState::Exited)
        .set("shop-c-1", ContainerState::Paused);
    same(
        &downed(None, &world, &DownOptions::default()),
        "
        1 unpause container shop-c-1    requested
        2 stop    container shop-c-1    requested  after 1
        3 remove  container shop-c-1    requested  after 2        destroys: what was written into its root
        4 remove  container shop-b-1    requested  after 2        destroys: what was written into its root
        5 stop    container shop-a-1    requested  after 2
        6 remove  container shop-a-1    requested  after 5        destroys: what was written into its root
        7 remove  network shop_default  requested  after 3, 4, 6
        ",
    );
}

#[test]
fn a_second_down_has_nothing_to_do() {
    let mut world = world();
    let plan = down("shop", None, &world.observed, &DownOptions::default());
    world.apply(&plan);
    assert_eq!(downed(None, &world, &DownOptions::default()), "");
}

#[test]
fn containers_set_aside_go_as_well() {
    let world = World::after_up("db").copy("shop-db-1", "shop-db-1.old-0123abcd");
    same(&downed(None, &world, &DownOptions::default()), "
        1 stop   container shop-db-1.old-0123abcd  requested
        2 remove container shop-db-1.old-0123abcd  requested  after 1     destroys: what was written into its root
        3 stop   container shop-db-1               requested
        4 remove container shop-db-1               requested  after 3     destroys: what was written into its root
        5 remove network shop_default              requested  after 2, 4
        ");
}
