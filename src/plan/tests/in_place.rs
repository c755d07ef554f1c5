//! What reaches a container without a new one taking its place.

use super::*;
use crate::systemd::ActiveState;
use crate::systemd::show::UnitUse;

fn service(name: &str, credentials: &[&str]) -> UnitUse {
    UnitUse {
        name: crate::container::sketch::unit(name),
        active: ActiveState::Active,
        kind: "simple".to_owned(),
        credentials: credentials.iter().map(|&name| name.to_owned()).collect(),
    }
}

#[test]
fn a_changed_drop_in_restarts_one_unit() {
    let world = World::after_up("web dropin=nginx.service:a file=app.service:x");
    same(
        &plan_of("web dropin=nginx.service:b file=app.service:x", &world),
        "
        1 write   shop-web-1: /etc/systemd/system/nginx.service.d/50-sdcompose.conf  changed: systemd.units.nginx.service
        2 restart shop-web-1 unit nginx.service if active                            changed: systemd.units.nginx.service  after 1
        3 await   shop-web-1: running (90s)                                          until it is ready                     after 2
        ",
    );
}

#[test]
fn a_limit_changes_while_the_machine_runs() {
    let world = World::after_up("db mem=536870912\ncache plain mem=536870912");
    same(
        &plan_of("db mem=1073741824\ncache plain mem=1073741824", &world),
        "
        1 update container shop-db-1     changed: mem_limit 512m → 1g
        2 update container shop-cache-1  changed: mem_limit 512m → 1g
        ",
    );
}

#[test]
fn a_limit_that_is_taken_away_needs_a_new_machine() {
    let world = World::after_up("db mem=536870912");
    same(
        &plan_of("db", &world),
        "
        1 replace container shop-db-1  changed: mem_limit 512m → none    destroys: what was written into its root
        ",
    );
}

#[test]
fn a_network_is_joined_and_left_while_the_machine_runs() {
    let world = World::after_up("web net=front");
    same(
        &plan_of("web net=front,back", &world),
        "
        1 create  network shop_back                  absent
        2 connect container shop-web-1 to shop_back  changed: networks.back → shop_back  after 1
        ",
    );
    same(
        &plan_of("web net=back", &world),
        "
        1 create     network shop_back                     absent
        2 connect    container shop-web-1 to shop_back     changed: networks.back → shop_back         after 1
        3 disconnect container shop-web-1 from shop_front  changed: networks.front shop_front → none  after 2
        ",
    );
}

#[test]
fn a_network_that_somebody_took_away_is_joined_again() {
    let mut world = World::after_up("web");
    world.container("shop-web-1").networks.clear();
    same(
        &plan_of("web", &world),
        "
        1 connect container shop-web-1 to shop_default  drifted: networks.default disconnected → connected
        ",
    );
}

#[test]
fn a_changed_credential_restarts_the_units_that_take_it() {
    let mut world = World::after_up("web cred=tls.key:a cred=other:x");
    world.units = vec![service("nginx.service", &["tls.*"]), service("cron.service", &["other"])];
    same(
        &plan_of("web cred=tls.key:b cred=other:x", &world),
        "
        1 write   shop-web-1: /etc/sdcompose/credentials/tls.key  changed: systemd.credentials.tls.key
        2 restart shop-web-1 unit nginx.service if active         changed: systemd.credentials.tls.key  after 1
        3 await   shop-web-1: running (90s)                       until it is ready                     after 2
        ",
    );
}

#[test]
fn a_first_credential_needs_a_new_machine() {
    let world = World::after_up("web");
    same(
        &plan_of("web cred=tls.key:b", &world),
        "
        1 replace container shop-web-1  changed: systemd.credentials.tls.key added    destroys: what was written into its root
        ",
    );
}

#[test]
fn a_changed_variable_restarts_the_services_that_run_but_not_systemds_own() {
    let mut world = World::after_up("web env=A=1\ncache plain env=A=1");
    world.units = vec![
        service("nginx.service", &[]),
        service("systemd-journald.service", &[]),
        service("dbus.service", &[]),
    ];
    same(
        &plan_of("web env=A=2\ncache plain env=A=2", &world),
        "
        1 write   shop-web-1: /etc/systemd/system.conf.d/50-sdcompose.conf  changed: environment.A
        2 restart shop-web-1 unit nginx.service if active                   changed: environment.A  after 1
        3 await   shop-web-1: running (90s)                                 until it is ready       after 2
        4 replace container shop-cache-1                                    changed: environment.A
        ",
    );
}

#[test]
fn a_unit_that_is_enabled_is_started_and_one_that_is_masked_stopped() {
    let world = World::after_up("web");
    same(
        &plan_of("web enable=nginx.service mask=cron.service", &world),
        "
        1 stop    shop-web-1 unit cron.service                                                                            changed: systemd.enable.nginx.service added, systemd.mask.cron.service added
        2 write   shop-web-1: /etc/systemd/system/multi-user.target.wants/nginx.service /etc/systemd/system/cron.service  changed: systemd.enable.nginx.service added, systemd.mask.cron.service added  after 1
        3 restart shop-web-1 unit nginx.service                                                                           changed: systemd.enable.nginx.service added, systemd.mask.cron.service added  after 2
        4 await   shop-web-1: running (90s)                                                                               until it is ready                                                             after 3
        ",
    );
}

#[test]
fn what_an_argument_of_pid_1_wants_cannot_be_taken_back_in_place() {
    let world = World::after_up("web enable=nginx.service mask=cron.service");
    same(
        &plan_of("web", &world),
        "
        1 replace container shop-web-1  changed: systemd.enable.nginx.service removed, systemd.mask.cron.service removed    destroys: what was written into its root
        ",
    );
}

#[test]
fn a_unit_file_that_is_gone_is_stopped_and_taken_away() {
    let world = World::after_up("web file=app.service:x");
    same(
        &plan_of("web", &world),
        "
        1 stop  shop-web-1 unit app.service                   changed: systemd.units.app.service removed
        2 write shop-web-1: -/etc/systemd/system/app.service  changed: systemd.units.app.service removed  after 1
        3 start shop-web-1 unit multi-user.target             changed: systemd.units.app.service removed  after 2
        4 await shop-web-1: running (90s)                     until it is ready                           after 3
        ",
    );
}

#[test]
fn a_machine_that_does_not_run_gets_its_files_before_it_starts() {
    let world = World::after_up("web dropin=nginx.service:a").set("shop-web-1", ContainerState::Exited);
    same(
        &plan_of("web dropin=nginx.service:b mem=536870912", &world),
        "
        1 update container shop-web-1                                               changed: mem_limit → 512m
        2 write  shop-web-1: /etc/systemd/system/nginx.service.d/50-sdcompose.conf  changed: systemd.units.nginx.service  after 1
        3 start  container shop-web-1                                               is exited                             after 2
        4 await  shop-web-1: running (90s)                                          until it is ready                     after 3
        ",
    );
}

#[test]
fn a_machine_whose_boot_was_not_seen_is_awaited_before_anything_is_run_inside() {
    let mut world = World::after_up("web dropin=nginx.service:a");
    world.container("shop-web-1").ready_seen = false;
    same(
        &plan_of("web dropin=nginx.service:b", &world),
        "
        1 await   shop-web-1: booted (90s)                                           until it is ready
        2 write   shop-web-1: /etc/systemd/system/nginx.service.d/50-sdcompose.conf  changed: systemd.units.nginx.service  after 1
        3 restart shop-web-1 unit nginx.service if active                            changed: systemd.units.nginx.service  after 2
        4 await   shop-web-1: running (90s)                                          until it is ready                     after 3
        ",
    );
}

#[test]
fn a_dependent_that_asked_follows_the_unit_that_it_depends_on() {
    let text = |drop_in: &str| {
        format!("db {drop_in}\nweb needs=db:postgresql.service:restart\napp needs=db:ready:restart")
    };
    let world = World::after_up(&text("dropin=postgresql.service:a"));
    same(
        &plan_of(&text("dropin=postgresql.service:b"), &world),
        "
        1 write   shop-db-1: /etc/systemd/system/postgresql.service.d/50-sdcompose.conf  changed: systemd.units.postgresql.service
        2 restart shop-db-1 unit postgresql.service if active                            changed: systemd.units.postgresql.service  after 1
        3 await   shop-db-1: postgresql.service active (90s)                             web depends on it                          after 2
        4 await   shop-db-1: running (90s)                                               until it is ready                          after 2
        5 stop    container shop-web-1                                                   follows db                                 after 3
        6 start   container shop-web-1                                                   follows db                                 after 3, 5
        7 await   shop-web-1: running (90s)                                              until it is ready                          after 6
        ",
    );
}

#[test]
fn what_needs_a_new_machine_takes_the_rest_along() {
    let world = World::after_up("web dropin=nginx.service:a");
    same(
        &plan_of("web dropin=nginx.service:b cap=CHOWN mem=5", &world),
        "
        1 replace container shop-web-1  changed: cap_add → CHOWN; with it systemd.units.nginx.service, mem_limit → 5    destroys: what was written into its root
        ",
    );
}

#[test]
fn nothing_is_left_to_do_after_a_change_there_and_back() {
    let (one, two) = ("web dropin=nginx.service:a mem=5", "web dropin=nginx.service:b mem=6");
    let mut world = World::after_up(one);
    for text in [two, one, two] {
        let plan = up_in(&world, &project(text), &UpOptions::default()).unwrap();
        assert!(!plan.steps.is_empty(), "{text}");
        world.apply(&plan);
        assert_eq!(plan_of(text, &world), "", "{text}");
    }
}

#[test]
fn what_somebody_else_changed_is_seen_where_drift_is_looked_for() {
    let mut world = World::after_up("web mem=536870912 enable=nginx.service");
    world.enforced.values_mut().for_each(|enforced| enforced.memory = 1 << 20);
    world.units = vec![UnitUse { active: ActiveState::Inactive, ..service("nginx.service", &[]) }];
    let text = "web mem=536870912 enable=nginx.service";
    assert_eq!(plan_of(text, &world), "");
    let drift = UpOptions { drift: true, ..UpOptions::default() };
    same(
        &planned(&project(text), &world, &drift),
        "
        1 update  container shop-web-1           drifted: mem_limit 1m → 512m
        2 restart shop-web-1 unit nginx.service  drifted: unit nginx.service inactive → active  after 1
        3 await   shop-web-1: running (90s)      until it is ready                              after 2
        ",
    );
}

#[test]
fn an_update_on_podman_4_needs_a_new_container() {
    let mut world = World::after_up("web mem=5");
    world.facts.engine = crate::facts::EngineKind::Podman;
    world.facts.version = "4.3.1".to_owned();
    same(
        &plan_of("web mem=6", &world),
        "
        1 replace container shop-web-1  changed: mem_limit 5 → 6    destroys: what was written into its root
        ",
    );
}

#[test]
fn a_container_whose_network_is_gone_is_replaced() {
    let mut world = World::after_up("web").set("shop-web-1", ContainerState::Exited);
    world.observed.networks.clear();
    same(
        &plan_of("web", &world),
        "
        1 create  network shop_default  absent
        2 replace container shop-web-1  drifted: networks.default gone → shop_default  after 1  destroys: what was written into its root
        ",
    );
}

#[test]
fn another_image_is_another_machine_also_before_the_engine_has_it() {
    let mut world = World::after_up("web image=web:1");
    let project = project("web image=web:2");
    world.observed.images.clear();
    same(
        &planned(&project, &world, &UpOptions::default()),
        "
        1 replace container shop-web-1  changed: image web:1 → web:2    destroys: what was written into its root

        note: nobody has looked into the image web:2 yet: its systemd is assumed
        ",
    );
}
