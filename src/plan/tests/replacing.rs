//! What is replaced or restarted because something changed.

use super::*;

#[test]
fn a_changed_field_replaces_one_machine_and_says_what_is_lost() {
    let world = World::after_up("db\nweb needs=db");
    same(&plan_of("db\nweb needs=db dropin=nginx.service:x env=A=1 cap=CHOWN", &world), "
        1 await   shop-db-1: running (90s)  web depends on it
        2 replace container shop-web-1      changed: cap_add → CHOWN; with it environment.A added, systemd.units.nginx.service added  after 1  destroys: what was written into its root
        ");
}

#[test]
fn a_moved_image_replaces_the_machines_made_from_it() {
    let mut world = World::after_up("db\nweb image=db:1\ncache plain");
    world.bring("db:1", "2");
    world.bring("cache:1", "2");
    same(
        &plan_of("db\nweb image=db:1\ncache plain", &world),
        "
        1 replace container shop-db-1     changed: image    destroys: what was written into its root
        2 replace container shop-web-1    changed: image    destroys: what was written into its root
        3 replace container shop-cache-1  changed: image
        ",
    );
}

#[test]
fn an_image_that_the_engine_lost_replaces_nothing() {
    let mut world = World::after_up("db");
    world.observed.images.clear();
    assert_eq!(plan_of("db", &world), "");
}

#[test]
fn replicas_are_replaced_one_by_one() {
    let world = World::after_up("web x3");
    same(
        &plan_of("web x3 port=80:80", &world),
        "
        1 replace container shop-web-1  changed: ports → 80:80           destroys: what was written into its root
        2 replace container shop-web-2  changed: ports → 80:80  after 1  destroys: what was written into its root
        3 replace container shop-web-3  changed: ports → 80:80  after 2  destroys: what was written into its root
        ",
    );
}

#[test]
fn dependents_that_asked_follow_a_replacement() {
    let text = |env: &str| {
        format!("db {env}\nweb needs=db:ready:restart\napp needs=db\ncdn needs=web:ready:restart")
    };
    let world = World::after_up(&text(""));
    same(&plan_of(&text("cap=CHOWN"), &world), "
        1 replace container shop-db-1        changed: cap_add → CHOWN              destroys: what was written into its root
        2 stop    container shop-web-1       follows db                after 1
        3 start   container shop-web-1       follows db                after 1, 2
        4 await   shop-web-1: running (90s)  cdn depends on it         after 3
        5 stop    container shop-cdn-1       follows web               after 4
        6 start   container shop-cdn-1       follows web               after 4, 5
        7 await   shop-cdn-1: running (90s)  until it is ready         after 6
        ");
}

#[test]
fn a_dependent_that_is_replaced_too_comes_behind() {
    let world = World::after_up("db\nweb needs=db:x.service");
    same(&plan_of("db cap=CHOWN\nweb cap=CHOWN needs=db:x.service", &world), "
        1 replace container shop-db-1                changed: cap_add → CHOWN           destroys: what was written into its root
        2 await   shop-db-1: x.service active (90s)  web depends on it         after 1
        3 replace container shop-web-1               changed: cap_add → CHOWN  after 2  destroys: what was written into its root
        ");
}

#[test]
fn force_replaces_the_chosen_and_no_recreate_nothing() {
    let world = World::after_up("db\nweb needs=db");
    let force = UpOptions { force_recreate: true, services: vec!["web".to_owned()], ..UpOptions::default() };
    same(
        &planned(&project("db\nweb needs=db"), &world, &force),
        "
        1 await   shop-db-1: running (90s)  web depends on it
        2 replace container shop-web-1      forced             after 1  destroys: what was written into its root
        ",
    );
    let keep = UpOptions { no_recreate: true, ..UpOptions::default() };
    assert_eq!(planned(&project("db cap=CHOWN\nweb needs=db"), &world, &keep), "");
}

#[test]
fn a_restart_policy_alone_is_given_while_the_container_runs() {
    let world = World::after_up("db");
    same(
        &plan_of("db restart", &world),
        "
        1 update container shop-db-1  changed: restart → always
        ",
    );
}

#[test]
fn a_port_is_taken_over_when_it_is_free() {
    let world = World::after_up("a port=80:80\nb");
    same(
        &plan_of("a\nb port=80:80", &world),
        "
        1 replace container shop-a-1  changed: ports 80:80 → none           destroys: what was written into its root
        2 replace container shop-b-1  changed: ports → 80:80       after 1  destroys: what was written into its root
        ",
    );
}

#[test]
fn a_replacement_that_cannot_boot_is_refused_and_an_unchanged_machine_is_left_alone() {
    let mut world = World::after_up("db\nweb");
    world.facts.cgroup = crate::facts::CgroupVersion::V1;
    world.facts.rootless = Some(crate::facts::Rootless { uid: Some(1) });
    assert_eq!(plan_of("db\nweb", &world), "");
    same(
        &plan_of("db cap=CHOWN\nweb cap=CHOWN", &world),
        "
        refused: db: a rootless engine on cgroup v1 cannot give cgroups to a machine
        refused: web: a rootless engine on cgroup v1 cannot give cgroups to a machine
        ",
    );
}

#[test]
fn a_newer_engine_replaces_nothing() {
    let mut world = World::after_up("db mem=5");
    world.facts.api.minor = 41;
    world.facts.version = "20.10".to_owned();
    assert_eq!(plan_of("db mem=5", &world), "");
}

#[test]
fn a_fixed_name_is_given_by_renaming_first() {
    let world = World::after_up("db");
    same(&plan_of("db name=database", &world), "
        1 rename  container shop-db-1 to database  misnamed
        2 replace container database               changed: container_name → database  after 1  destroys: what was written into its root
        ");
}
