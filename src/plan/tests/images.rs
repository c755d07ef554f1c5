//! Which images are pulled, built and looked into before anything is made of them.

use super::*;
use crate::project::{Mount, MountSource};

fn images_of(text: &str, absent: &[&str], options: &UpOptions) -> String {
    let project = project(text);
    let mut world = World::with_images(&project);
    for reference in absent {
        world.observed.images.remove(*reference);
    }
    let plan = images(&project, &world.facts, &world.observed, options).unwrap();
    assert_eq!(check::check(&plan), []);
    text::text(&plan)
}

#[test]
fn images_are_brought_where_they_are_missing_or_asked_for() {
    let text = "a\nb build\nc plain pull=always\nd plain pull=never\ne image=a:1";
    let none = UpOptions::default();
    same(
        &images_of(text, &["a:1", "shop-b", "c:1", "d:1"], &none),
        "
        1 pull  image a:1          absent
        2 build image shop-b of b  absent
        3 pull  image c:1          pull policy
        4 look  into image a:1     systemd not known  after 1
        5 look  into image shop-b  systemd not known  after 2
        ",
    );
    same(
        &images_of(text, &[], &none),
        "
        1 pull image c:1  pull policy
        ",
    );
    let both = UpOptions { build: true, pull: true, ..UpOptions::default() };
    same(
        &images_of(text, &[], &both),
        "
        1 pull  image a:1          pull policy
        2 build image shop-b of b  build requested
        3 pull  image c:1          pull policy
        4 look  into image a:1     systemd not known  after 1
        5 look  into image shop-b  systemd not known  after 2
        ",
    );
}

#[test]
fn an_image_that_a_service_mounts_is_pulled_before() {
    let mut project = project("a plain\nb plain");
    let world = World::with_images(&project);
    for service in project.services.values_mut() {
        let source = MountSource::Image { reference: "tools:1".to_owned(), subpath: None };
        let target = "/tools".to_owned();
        service.mounts.push(Mount { target, source, read_only: true, consistency: None });
    }
    let plan = images(&project, &world.facts, &world.observed, &UpOptions::default()).unwrap();
    same(
        &text::text(&plan),
        "
        1 pull image tools:1  absent
        ",
    );
}

#[test]
fn an_image_is_looked_into_only_for_a_machine_that_will_be_made() {
    let mut world = World::after_up("a\nb plain");
    for image in world.observed.images.values_mut() {
        image.facts = None;
    }
    let plan = |text: &str| {
        text::text(&images(&project(text), &world.facts, &world.observed, &UpOptions::default()).unwrap())
    };
    assert_eq!(plan("a\nb plain"), "");
    same(
        &plan("a port=80:80\nb plain port=81:81"),
        "
        1 look into image a:1  systemd not known
        ",
    );
}
