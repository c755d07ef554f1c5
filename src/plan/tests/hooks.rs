//! Hooks as steps: where they stand, and what waits for them.

use super::*;
use crate::plan::json;
use crate::project::Hook;

fn fresh(text: &str) -> String {
    let project = project(text);
    planned(&project, &World::with_images(&project), &UpOptions::default())
}

#[test]
fn a_plain_containers_hooks_follow_its_start_and_only_those_that_want_more_wait_for_them() {
    same(
        &fresh(
            "db plain health post=seed,a post=b\nweb plain needs=db:healthy\nlog plain needs=db:started post=c",
        ),
        "
         1 create network shop_default            absent
         2 create container shop-db-1             absent             after 1
         3 start  container shop-db-1             with its project   after 2
         4 await  shop-db-1: healthy              web depends on it  after 3
         5 run    shop-db-1 post_start 1: seed a  it was started     after 3
         6 run    shop-db-1 post_start 2: b       it was started     after 5
         7 create container shop-web-1            absent             after 1
         8 start  container shop-web-1            with its project   after 4, 6, 7
         9 create container shop-log-1            absent             after 1
        10 start  container shop-log-1            with its project   after 3, 9
        11 run    shop-log-1 post_start 1: c      it was started     after 10
        ",
    );
}

#[test]
fn a_machines_hooks_follow_its_boot() {
    same(
        &fresh("db post=seed\nweb needs=db:x.service\nlog plain needs=db:started"),
        "
         1 create network shop_default               absent
         2 create container shop-db-1                absent             after 1
         3 start  container shop-db-1                with its project   after 2
         4 await  shop-db-1: x.service active (90s)  web depends on it  after 3
         5 await  shop-db-1: running (90s)           until it is ready  after 3
         6 run    shop-db-1 post_start 1: seed       it was started     after 5
         7 create container shop-web-1               absent             after 1
         8 start  container shop-web-1               with its project   after 4, 6, 7
         9 await  shop-web-1: running (90s)          until it is ready  after 8
        10 create container shop-log-1               absent             after 1
        11 start  container shop-log-1               with its project   after 3, 10
        ",
    );
}

#[test]
fn a_machine_that_others_wait_for_to_end_is_awaited_for_its_hooks() {
    same(
        &fresh("job post=seed\nweb plain needs=job:completed"),
        "
        1 create network shop_default           absent
        2 create container shop-job-1           absent             after 1
        3 start  container shop-job-1           with its project   after 2
        4 await  shop-job-1: exited with 0      web depends on it  after 3
        5 await  shop-job-1: running (90s)      until it is ready  after 3
        6 run    shop-job-1 post_start 1: seed  it was started     after 5
        7 create container shop-web-1           absent             after 1
        8 start  container shop-web-1           with its project   after 4, 6, 7
        ",
    );
}

#[test]
fn hooks_of_a_container_that_runs_are_not_run_again_and_a_changed_hook_replaces_nothing() {
    assert_eq!(plan_of("db post=seed pre=drain", &World::after_up("db")), "");
    assert_eq!(plan_of("db post=new", &World::after_up("db post=old pre=drain")), "");
    let world = World::after_up("db post=seed").set("shop-db-1", ContainerState::Running);
    assert_eq!(plan_of("db post=seed", &world), "");
}

#[test]
fn what_was_stopped_is_started_with_its_hooks_and_what_was_paused_is_not() {
    let text = "db post=seed\ncache plain post=warm";
    let world = World::after_up(text).set("shop-db-1", ContainerState::Exited);
    same(
        &plan_of(text, &world.set("shop-cache-1", ContainerState::Exited)),
        "
        1 start container shop-db-1              is exited
        2 await shop-db-1: running (90s)         until it is ready  after 1
        3 run   shop-db-1 post_start 1: seed     it was started     after 2
        4 start container shop-cache-1           is exited
        5 run   shop-cache-1 post_start 1: warm  it was started     after 4
        ",
    );
    let world = World::after_up(text).set("shop-db-1", ContainerState::Paused);
    same(
        &plan_of(text, &world.set("shop-cache-1", ContainerState::Paused)),
        "
        1 unpause container shop-db-1       is paused
        2 await   shop-db-1: running (90s)  until it is ready  after 1
        3 unpause container shop-cache-1    is paused
        ",
    );
}

#[test]
fn what_is_only_made_has_no_hooks() {
    let project = project("cache plain post=warm");
    let options = UpOptions { start: false, ..UpOptions::default() };
    let plan = planned(&project, &World::with_images(&project), &options);
    assert!(!plan.contains("post_start"), "{plan}");
}

#[test]
fn a_replacement_runs_the_hooks_of_both_containers_within_its_step() {
    let world = World::after_up("db post=seed pre=drain");
    same(
        &plan_of("db cap=CHOWN post=seed pre=drain pre=flush\nweb plain needs=db", &world),
        "
        1 replace container shop-db-1 with hooks (2 pre_stop, 1 post_start)  changed: cap_add → CHOWN              destroys: what was written into its root
        2 create  container shop-web-1                                       absent
        3 start   container shop-web-1                                       with its project          after 1, 2
        ",
    );
}

#[test]
fn a_follower_is_stopped_and_started_with_its_hooks() {
    let world = World::after_up("db\nweb plain needs=db:ready:restart post=hello pre=bye");
    same(
        &plan_of("db cap=CHOWN\nweb plain needs=db:ready:restart post=hello pre=bye", &world),
        "
        1 replace container shop-db-1             changed: cap_add → CHOWN              destroys: what was written into its root
        2 run     shop-web-1 pre_stop 1: bye      follows db                after 1
        3 stop    container shop-web-1            follows db                after 2
        4 start   container shop-web-1            follows db                after 1, 3
        5 run     shop-web-1 post_start 1: hello  it was started            after 4
        ",
    );
}

#[test]
fn what_is_scaled_down_or_put_right_is_told_before_it_goes_and_an_orphan_is_not() {
    let world = World::after_up("web plain x2 pre=bye\nold plain pre=bye").copy("shop-web-1", "strange");
    let options = UpOptions { remove_orphans: true, ..UpOptions::default() };
    same(
        &planned(&project("web plain pre=bye"), &world, &options),
        "
        1 stop   container shop-old-1        orphan
        2 remove container shop-old-1        orphan       after 1
        3 run    shop-web-2 pre_stop 1: bye  scaled down
        4 stop   container shop-web-2        scaled down  after 3
        5 remove container shop-web-2        scaled down  after 4
        6 run    strange pre_stop 1: bye     misnamed
        7 stop   container strange           misnamed     after 6
        8 remove container strange           misnamed     after 7
        ",
    );
}

#[test]
fn down_runs_hooks_before_each_stop_in_its_order_and_none_where_nothing_runs() {
    let text = "db pre=flush\nweb plain needs=db pre=bye pre=drain\ncache plain pre=bye\noff plain pre=bye";
    let world = World::after_up(text)
        .set("shop-cache-1", ContainerState::Paused)
        .set("shop-off-1", ContainerState::Exited);
    let plan = down("shop", Some(&project(text)), &world.observed, &DownOptions::default());
    assert_eq!(check::check(&plan), []);
    same(
        &text::text(&plan),
        "
         1 run     shop-web-1 pre_stop 1: bye    requested
         2 run     shop-web-1 pre_stop 2: drain  requested  after 1
         3 stop    container shop-web-1          requested  after 2
         4 remove  container shop-web-1          requested  after 3
         5 remove  container shop-off-1          requested
         6 run     shop-db-1 pre_stop 1: flush   requested  after 3
         7 stop    container shop-db-1           requested  after 6
         8 remove  container shop-db-1           requested  after 7            destroys: what was written into its root
         9 unpause container shop-cache-1        requested
        10 run     shop-cache-1 pre_stop 1: bye  requested  after 9
        11 stop    container shop-cache-1        requested  after 10
        12 remove  container shop-cache-1        requested  after 11
        13 remove  network shop_default          requested  after 4, 5, 8, 12
        ",
    );
    let blind = down("shop", None, &world.observed, &DownOptions::default());
    assert!(!text::text(&blind).contains("pre_stop"), "without a manifest no hook is known");
}

#[test]
fn stop_and_restart_run_hooks_and_kill_runs_none() {
    let text = "db post=seed pre=flush\nweb plain needs=db post=hello pre=bye\nlog plain needs=web:started";
    let (project, world) = (project(text), World::after_up(text));
    let options = ChangeOptions { services: vec!["web".to_owned()], ..ChangeOptions::default() };
    same(
        &text::text(&change::stop(Some(&project), &world.observed, &options)),
        "
        1 run  shop-web-1 pre_stop 1: bye  requested
        2 stop container shop-web-1        requested  after 1
        ",
    );
    let plan = change::restart(&project, &world.observed, &ChangeOptions::default()).unwrap();
    assert_eq!(check::check(&plan), []);
    same(
        &text::text(&plan),
        "
         1 stop  container shop-log-1            requested
         2 run   shop-web-1 pre_stop 1: bye      requested          after 1
         3 stop  container shop-web-1            requested          after 2
         4 run   shop-db-1 pre_stop 1: flush     requested          after 3
         5 stop  container shop-db-1             requested          after 4
         6 start container shop-db-1             requested          after 1, 3, 5
         7 await shop-db-1: running (90s)        until it is ready  after 6
         8 run   shop-db-1 post_start 1: seed    it was started     after 7
         9 start container shop-web-1            requested          after 1, 3, 5, 7, 8
        10 run   shop-web-1 post_start 1: hello  it was started     after 9
        11 start container shop-log-1            requested          after 1, 3, 5, 9
        ",
    );
    let kill = text::text(&change::kill(&world.observed, &ChangeOptions::default(), None));
    assert!(!kill.contains("pre_stop"), "{kill}");
}

#[test]
fn start_runs_the_hooks_of_what_it_starts_and_not_of_what_it_thaws() {
    let text = "db post=seed\nweb plain needs=db post=hello\ncache plain post=warm";
    let world = World::after_up(text)
        .set("shop-db-1", ContainerState::Exited)
        .set("shop-web-1", ContainerState::Exited)
        .set("shop-cache-1", ContainerState::Paused);
    let plan = change::start(&project(text), &world.observed, &ChangeOptions::default()).unwrap();
    assert_eq!(check::check(&plan), []);
    same(
        &text::text(&plan),
        "
        1 start   container shop-db-1             requested
        2 await   shop-db-1: running (90s)        until it is ready  after 1
        3 run     shop-db-1 post_start 1: seed    it was started     after 2
        4 start   container shop-web-1            requested          after 2, 3
        5 run     shop-web-1 post_start 1: hello  it was started     after 4
        6 unpause container shop-cache-1          requested
        ",
    );
}

#[test]
fn commands_are_shown_on_one_line_and_their_variables_never() {
    let mut project = project("web plain");
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let environment = [("PASSWORD".to_owned(), Some("canary".to_owned()))].into();
    project.services["web"].hooks.post_start = vec![
        Hook { command: words(&["sh", "-c", "a\nb \u{1b}[31m"]), environment, ..Hook::default() },
        Hook { command: words(&["echo", &"x".repeat(100)]), user: Some("app".to_owned()), ..Hook::default() },
    ];
    let world = World::with_images(&project);
    let plan = up(&project, &world.facts, &world.observed, &UpOptions::default()).unwrap();
    let told = text::text(&plan);
    assert!(told.contains(r"shop-web-1 post_start 1: sh -c 'a\nb \u{1b}[31m'  "), "{told}");
    assert!(told.contains(&format!("shop-web-1 post_start 2: echo {}…  ", "x".repeat(55))), "{told}");
    let value = json::json(&plan);
    assert!(!(value.to_string() + &told).contains("canary"));
    let wanted =
        r#"{"command":["sh","-c","a\nb \u001b[31m"],"privileged":false,"user":null,"working_dir":null}"#;
    assert_eq!(value["steps"][3]["hook"].to_string(), wanted);
    assert_eq!(value["steps"][3]["stage"], "post_start");
    assert_eq!(value["steps"][4]["number"], 2);
}
