//! Plans in which containers are tied to others, images grow old, and services have no container at all.

use std::time::Duration;

use super::*;
use crate::project::{Dependency, DependencyCondition, Link, PullPolicy, Sharing, VolumesFrom};

/// Ties `web` to `db` in a project of both, as the manifest's keys do.
fn tied(tie: impl FnOnce(&mut crate::project::Service)) -> Project {
    let mut project = project("web plain\ndb plain");
    let web = &mut project.services["web"];
    let started = Dependency { condition: DependencyCondition::Started, restart: true, required: true };
    web.depends_on.insert("db".to_owned(), started);
    tie(web);
    project
}

fn of_images(project: &Project, world: &World, now: i64) -> String {
    text::text(
        &images(project, &world.facts, &world.observed, &UpOptions { now, ..UpOptions::default() }).unwrap(),
    )
}

#[test]
fn a_container_is_made_after_the_one_whose_namespace_or_mounts_it_takes() {
    let made = "
        1 create network shop_default  absent
        2 create container shop-db-1   absent            after 1
        3 start  container shop-db-1   with its project  after 2
        4 create container shop-web-1  absent            after 1, 3
        5 start  container shop-web-1  with its project  after 3, 4
        ";
    for project in [
        tied(|web| web.namespaces.ipc = Some(Sharing::Service("db".to_owned()))),
        tied(|web| web.namespaces.pid = Some(Sharing::Service("db".to_owned()))),
        tied(|web| web.links.volumes_from = vec![VolumesFrom::parse("db:ro")]),
    ] {
        same(&planned(&project, &World::with_images(&project), &UpOptions::default()), made);
    }
}

#[test]
fn a_container_that_lives_in_anothers_namespace_is_replaced_with_it() {
    let project = tied(|web| web.namespaces.ipc = Some(Sharing::Service("db".to_owned())));
    let mut world = World::with_images(&project);
    world.apply(&up_in(&world, &project, &UpOptions::default()).unwrap());
    assert_eq!(planned(&project, &world, &UpOptions::default()), "");
    let mut changed = project.clone();
    changed.services["db"].hostname = Some("sql".to_owned());
    same(
        &planned(&changed, &world, &UpOptions::default()),
        "
        1 replace container shop-db-1   changed: hostname → sql
        2 replace container shop-web-1  follows db               after 1
        ",
    );
}

#[test]
fn a_link_alone_restarts_with_the_other_and_is_not_replaced() {
    let project = tied(|web| web.links.services = vec![Link::parse("db")]);
    let mut world = World::with_images(&project);
    world.apply(&up_in(&world, &project, &UpOptions::default()).unwrap());
    let mut changed = project.clone();
    changed.services["db"].hostname = Some("sql".to_owned());
    let plan = planned(&changed, &world, &UpOptions::default());
    assert!(plan.contains("stop    container shop-web-1"), "{plan}");
}

#[test]
fn an_image_is_pulled_again_when_it_is_old() {
    const DAY: i64 = 24 * 60 * 60;
    let mut project = project("web plain");
    let web = &mut project.services["web"];
    web.pull_policy = PullPolicy::Every(Duration::from_secs(24 * 60 * 60));
    let mut world = World::with_images(&project);
    let pulled = "1 pull image web:1  pull policy\n";
    // Where the engine does not say when, the image counts as old.
    assert_eq!(of_images(&project, &world, 5 * DAY), pulled);
    world.observed.images.get_mut("web:1").unwrap().tagged = Some(3 * DAY);
    assert_eq!(of_images(&project, &world, 3 * DAY + 1), "");
    assert_eq!(of_images(&project, &world, 4 * DAY + 1), pulled);
    world.observed.images.clear();
    assert_eq!(of_images(&project, &world, 3 * DAY + 1), "1 pull image web:1  absent\n");
}

#[test]
fn a_service_of_no_containers_is_not_waited_for() {
    let mut project = tied(|_| {});
    project.services["db"].replicas = 0;
    let world = World::with_images(&project);
    assert_eq!(
        planned(&project, &world, &UpOptions::default()),
        "refused: web: `web` depends on `db`, which has 0 replicas"
    );
    project.services["web"].depends_on["db"].required = false;
    assert!(planned(&project, &world, &UpOptions::default()).contains("start  container shop-web-1"));
}

#[test]
fn the_platform_is_asked_for_with_the_image() {
    let mut project = project("web plain");
    project.services["web"].platform = Some("linux/arm64".to_owned());
    let plan = images(&project, &facts(), &Observed::default(), &UpOptions::default());
    let [step] = plan.unwrap().steps.try_into().unwrap();
    let wanted = super::super::Action::Pull {
        reference: "web:1".to_owned(),
        platform: Some("linux/arm64".to_owned()),
    };
    assert_eq!(step.action, wanted);
}
