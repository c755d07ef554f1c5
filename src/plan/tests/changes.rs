//! `start`, `stop`, `restart`, `kill`.

use super::*;

const SHOP: &str = "web needs=db:ready:restart\ndb\ncache plain";

fn options(services: &str) -> ChangeOptions {
    ChangeOptions {
        services: services.split_whitespace().map(str::to_owned).collect(),
        ..ChangeOptions::default()
    }
}

fn shown(plan: Result<Plan, Vec<Refusal>>) -> String {
    match plan {
        Ok(plan) => {
            assert_eq!(check::check(&plan), []);
            text::text(&plan)
        }
        Err(refusals) => refused(&refusals),
    }
}

#[test]
fn a_stop_takes_dependents_first() {
    let world = World::after_up(SHOP);
    same(
        &shown(Ok(change::stop(Some(&project(SHOP)), &world.observed, &options("")))),
        "
        1 stop container shop-web-1    requested
        2 stop container shop-db-1     requested  after 1
        3 stop container shop-cache-1  requested
        ",
    );
    same(
        &shown(Ok(change::stop(None, &world.observed, &options("db")))),
        "
        1 stop container shop-db-1  requested
        ",
    );
}

#[test]
fn a_start_awaits_machines_in_order() {
    let world = World::after_up(SHOP)
        .set("shop-db-1", ContainerState::Exited)
        .set("shop-web-1", ContainerState::Exited);
    same(
        &shown(change::start(&project(SHOP), &world.observed, &options(""))),
        "
        1 start container shop-db-1        requested
        2 await shop-db-1: running (90s)   until it is ready  after 1
        3 start container shop-web-1       requested          after 2
        4 await shop-web-1: running (90s)  until it is ready  after 3
        ",
    );
    assert_eq!(shown(change::start(&project(SHOP), &World::after_up(SHOP).observed, &options(""))), "");
}

#[test]
fn a_restart_takes_along_those_that_asked() {
    let world = World::after_up(SHOP);
    same(
        &shown(change::restart(&project(SHOP), &world.observed, &options("db"))),
        "
        1 stop  container shop-web-1       requested
        2 stop  container shop-db-1        requested          after 1
        3 start container shop-db-1        requested          after 1, 2
        4 await shop-db-1: running (90s)   until it is ready  after 3
        5 start container shop-web-1       requested          after 1, 2, 4
        6 await shop-web-1: running (90s)  until it is ready  after 5
        ",
    );
    let alone = ChangeOptions { no_deps: true, ..options("db") };
    same(
        &shown(change::restart(&project(SHOP), &world.observed, &alone)),
        "
        1 stop  container shop-db-1       requested
        2 start container shop-db-1       requested          after 1
        3 await shop-db-1: running (90s)  until it is ready  after 2
        ",
    );
}

#[test]
fn a_kill_reaches_what_runs() {
    let world = World::after_up(SHOP).set("shop-db-1", ContainerState::Exited);
    same(
        &shown(Ok(change::kill(&world.observed, &options(""), None))),
        "
        1 kill container shop-cache-1 (SIGKILL)  requested
        2 kill container shop-web-1 (SIGKILL)    requested
        ",
    );
    same(
        &shown(Ok(change::kill(&world.observed, &options("web"), Some("SIGHUP")))),
        "
        1 kill container shop-web-1 (SIGHUP)  requested
        ",
    );
}

#[test]
fn unknown_and_absent_services_are_refused() {
    let world = World::after_up("db");
    same(
        &shown(change::start(&project(SHOP), &world.observed, &options("wbe"))),
        "
        refused: the project has no service `wbe`
        ",
    );
    same(
        &shown(change::restart(&project(SHOP), &world.observed, &options("web"))),
        "
        refused: web: the service `web` has no container
        ",
    );
}
