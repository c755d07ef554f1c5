//! What an earlier run, or somebody, left behind.

use super::*;

#[test]
fn a_replacement_cut_off_before_the_new_one_was_made_is_undone() {
    let world = World::after_up("db").rename("shop-db-1", "shop-db-1.old-0123abcd");
    same(
        &plan_of("db", &world),
        "
        1 recover container shop-db-1 from shop-db-1.old-0123abcd  an earlier run was cut off
        ",
    );
    let stopped = world.set("shop-db-1.old-0123abcd", ContainerState::Exited);
    same(
        &plan_of("db", &stopped),
        "
        1 recover container shop-db-1 from shop-db-1.old-0123abcd  an earlier run was cut off
        2 start   container shop-db-1                              is exited                   after 1
        3 await   shop-db-1: running (90s)                         until it is ready           after 2
        ",
    );
    same(&plan_of("db cap=CHOWN", &stopped), "
        1 recover container shop-db-1 from shop-db-1.old-0123abcd  an earlier run was cut off
        2 replace container shop-db-1                              changed: cap_add → CHOWN    after 1  destroys: what was written into its root
        ");
}

#[test]
fn a_new_container_that_never_got_ready_gives_way_to_the_old_one() {
    let world = World::after_up("db")
        .copy("shop-db-1", "shop-db-1.old-0123abcd")
        .set("shop-db-1", ContainerState::Created);
    same(&plan_of("db cap=CHOWN", &world), "
        1 recover container shop-db-1: back to shop-db-1.old-0123abcd  an earlier run was cut off
        2 replace container shop-db-1                                  changed: cap_add → CHOWN    after 1  destroys: what was written into its root
        ");
}

#[test]
fn a_new_container_that_is_ready_outlives_the_old_one() {
    let world = World::after_up("db")
        .copy("shop-db-1", "shop-db-1.old-0123abcd")
        .set("shop-db-1.old-0123abcd", ContainerState::Exited);
    same(&plan_of("db", &world), "
        1 recover container shop-db-1: remove shop-db-1.old-0123abcd  an earlier run was cut off    destroys: what was written into its root
        ");
}

#[test]
fn a_misnamed_container_gets_its_name_back() {
    let world = World::after_up("db").rename("shop-db-1", "0123_shop-db-1");
    same(
        &plan_of("db", &world),
        "
        1 rename container 0123_shop-db-1 to shop-db-1  misnamed
        ",
    );
}

#[test]
fn a_second_container_of_a_replica_goes() {
    let world = World::after_up("db").copy("shop-db-1", "elsewhere");
    same(
        &plan_of("db", &world),
        "
        1 stop   container elsewhere  misnamed
        2 remove container elsewhere  misnamed  after 1  destroys: what was written into its root
        ",
    );
}

#[test]
fn a_half_removed_container_is_cleared_away() {
    let world = World::after_up("db").set("shop-db-1", ContainerState::Dead);
    same(
        &plan_of("db", &world),
        "
        1 remove container shop-db-1       half removed
        2 create container shop-db-1       half removed       after 1
        3 start  container shop-db-1       with its project   after 2
        4 await  shop-db-1: running (90s)  until it is ready  after 3
        ",
    );
}

#[test]
fn cut_at_any_step_the_next_run_converges() {
    let old = "db\nweb x2 needs=db:ready:restart\nlog plain vol=data:/log";
    let new =
        "db cap=CHOWN\nweb needs=db:x.service port=80:80\nlog plain vol=data:/log cap=CHOWN\nmore needs=web";
    let options = UpOptions { remove_orphans: true, ..UpOptions::default() };
    let mut start = World::after_up(old);
    start.bring("more:1", "1");
    let target = project(new);
    let plan = up_in(&start, &target, &options).unwrap();
    for count in 0..=plan.steps.len() {
        let mut world = start.clone();
        world.apply_first(&plan, count);
        let rest = up_in(&world, &target, &options).unwrap();
        assert_eq!(check::check(&rest), []);
        world.apply(&rest);
        let after = up_in(&world, &target, &options).unwrap();
        assert_eq!(text::text(&after), "", "cut after {count}");
        let names: Vec<&str> = world.observed.containers.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names.len(), 4, "cut after {count}: {names:?}");
    }
}

#[test]
fn a_replacement_cut_at_any_call_converges() {
    let target = project("db cap=CHOWN");
    let start = World::after_up("db");
    let plan = up_in(&start, &target, &UpOptions::default()).unwrap();
    for calls in 0..=5 {
        let mut world = start.clone();
        world.replace_partly(&plan.steps[0].action, calls);
        let rest = up_in(&world, &target, &UpOptions::default()).unwrap();
        assert_eq!(check::check(&rest), []);
        world.apply(&rest);
        let after = planned(&target, &world, &UpOptions::default());
        assert_eq!(after, "", "cut after {calls} calls");
        assert_eq!(world.observed.containers.len(), 1, "cut after {calls} calls");
        assert_eq!(world.container("shop-db-1").state, ContainerState::Running);
    }
}
