//! What is made and started, and in which order.

use super::*;
use crate::facts::{ApiVersion, CgroupVersion};

const SHOP: &str = "
    web needs=db:postgresql.service port=8080:80
    db vol=data:/var/lib/postgresql
    cache plain
";

fn fresh(text: &str) -> String {
    let project = project(text);
    planned(&project, &World::with_images(&project), &UpOptions::default())
}

#[test]
fn a_project_is_made_in_order_and_each_machine_is_awaited() {
    same(
        &fresh(SHOP),
        "
         1 create network shop_default                        absent
         2 create volume shop_data                            absent
         3 create container shop-db-1                         absent             after 1, 2
         4 start  container shop-db-1                         with its project   after 3
         5 await  shop-db-1: postgresql.service active (90s)  web depends on it  after 4
         6 await  shop-db-1: running (90s)                    until it is ready  after 4
         7 create container shop-web-1                        absent             after 1
         8 start  container shop-web-1                        with its project   after 5, 7
         9 await  shop-web-1: running (90s)                   until it is ready  after 8
        10 create container shop-cache-1                      absent             after 1
        11 start  container shop-cache-1                      with its project   after 10
        ",
    );
}

#[test]
fn an_unchanged_project_is_an_empty_plan() {
    assert_eq!(plan_of(SHOP, &World::after_up(SHOP)), "");
    let options = UpOptions { wait: true, ..UpOptions::default() };
    assert_eq!(planned(&project("db"), &World::after_up("db"), &options), "");
}

#[test]
fn a_machine_may_be_made_before_its_dependency_is_ready() {
    same(
        &fresh("a needs=b\nb"),
        "
        1 create network shop_default     absent
        2 create container shop-b-1       absent             after 1
        3 start  container shop-b-1       with its project   after 2
        4 await  shop-b-1: running (90s)  a depends on it    after 3
        5 create container shop-a-1       absent             after 1
        6 start  container shop-a-1       with its project   after 4, 5
        7 await  shop-a-1: running (90s)  until it is ready  after 6
        ",
    );
}

#[test]
fn several_that_wait_for_the_same_share_one_await() {
    same(
        &fresh("db\nweb needs=db\napp needs=db\nlog needs=db:x.service"),
        "
         1 create network shop_default               absent
         2 create container shop-db-1                absent                 after 1
         3 start  container shop-db-1                with its project       after 2
         4 await  shop-db-1: running (90s)           web, app depend on it  after 3
         5 await  shop-db-1: x.service active (90s)  log depends on it      after 3
         6 create container shop-web-1               absent                 after 1
         7 start  container shop-web-1               with its project       after 4, 6
         8 await  shop-web-1: running (90s)          until it is ready      after 7
         9 create container shop-app-1               absent                 after 1
        10 start  container shop-app-1               with its project       after 4, 9
        11 await  shop-app-1: running (90s)          until it is ready      after 10
        12 create container shop-log-1               absent                 after 1
        13 start  container shop-log-1               with its project       after 5, 12
        14 await  shop-log-1: running (90s)          until it is ready      after 13
        ",
    );
}

#[test]
fn each_replica_of_a_dependency_is_awaited() {
    same(
        &fresh("web needs=db\ndb x2"),
        "
         1 create network shop_default       absent
         2 create container shop-db-1        absent             after 1
         3 start  container shop-db-1        with its project   after 2
         4 create container shop-db-2        absent             after 1
         5 start  container shop-db-2        with its project   after 4
         6 await  shop-db-1: running (90s)   web depends on it  after 3
         7 await  shop-db-2: running (90s)   web depends on it  after 5
         8 create container shop-web-1       absent             after 1
         9 start  container shop-web-1       with its project   after 6, 7, 8
        10 await  shop-web-1: running (90s)  until it is ready  after 9
        ",
    );
}

#[test]
fn plain_services_are_awaited_only_where_something_needs_it() {
    same(
        &fresh(
            "web plain needs=db:healthy needs=job:completed needs=q:started\ndb plain health\njob plain\nq plain",
        ),
        "
         1 create network shop_default       absent
         2 create container shop-db-1        absent             after 1
         3 start  container shop-db-1        with its project   after 2
         4 await  shop-db-1: healthy         web depends on it  after 3
         5 create container shop-job-1       absent             after 1
         6 start  container shop-job-1       with its project   after 5
         7 await  shop-job-1: exited with 0  web depends on it  after 6
         8 create container shop-q-1         absent             after 1
         9 start  container shop-q-1         with its project   after 8
        10 create container shop-web-1       absent             after 1
        11 start  container shop-web-1       with its project   after 4, 7, 9, 10
        ",
    );
}

#[test]
fn wait_awaits_plain_services_too() {
    let project = project("db plain health\nq plain");
    let options = UpOptions { wait: true, ..UpOptions::default() };
    same(
        &planned(&project, &World::with_images(&project), &options),
        "
        1 create network shop_default     absent
        2 create container shop-db-1      absent             after 1
        3 start  container shop-db-1      with its project   after 2
        4 await  shop-db-1: healthy       until it is ready  after 3
        5 create container shop-q-1       absent             after 1
        6 start  container shop-q-1       with its project   after 5
        7 await  shop-q-1: started (30s)  until it is ready  after 6
        ",
    );
}

#[test]
fn ready_means_what_the_manifest_says() {
    same(
        &fresh("a ready=degraded timeout=5\nb ready=nginx.service"),
        "
        1 create network shop_default                  absent
        2 create container shop-a-1                    absent             after 1
        3 start  container shop-a-1                    with its project   after 2
        4 await  shop-a-1: booted (5s)                 until it is ready  after 3
        5 create container shop-b-1                    absent             after 1
        6 start  container shop-b-1                    with its project   after 5
        7 await  shop-b-1: nginx.service active (90s)  until it is ready  after 6
        ",
    );
}

#[test]
fn chosen_services_bring_what_they_need() {
    let project = project("web needs=db\ndb\nother\napp needs=web");
    let world = World::with_images(&project);
    let options = UpOptions { services: vec!["web".to_owned()], ..UpOptions::default() };
    same(
        &planned(&project, &world, &options),
        "
        1 create network shop_default       absent
        2 create container shop-db-1        absent             after 1
        3 start  container shop-db-1        with its project   after 2
        4 await  shop-db-1: running (90s)   web depends on it  after 3
        5 create container shop-web-1       absent             after 1
        6 start  container shop-web-1       with its project   after 4, 5
        7 await  shop-web-1: running (90s)  until it is ready  after 6
        ",
    );
    let options = UpOptions { no_deps: true, ..options };
    same(
        &planned(&project, &world, &options),
        "
        1 create network shop_default       absent
        2 create container shop-web-1       absent             after 1
        3 start  container shop-web-1       with its project   after 2
        4 await  shop-web-1: running (90s)  until it is ready  after 3
        ",
    );
}

#[test]
fn without_start_containers_are_only_made() {
    let project = project("web needs=db\ndb");
    let options = UpOptions { start: false, ..UpOptions::default() };
    same(
        &planned(&project, &World::with_images(&project), &options),
        "
        1 create network shop_default  absent
        2 create container shop-db-1   absent  after 1
        3 create container shop-web-1  absent  after 1
        ",
    );
}

#[test]
fn an_optional_dependency_that_is_switched_off_is_not_waited_for() {
    same(
        &fresh("web needs=debug:ready:optional\ndisabled debug"),
        "
        1 create network shop_default       absent
        2 create container shop-web-1       absent             after 1
        3 start  container shop-web-1       with its project   after 2
        4 await  shop-web-1: running (90s)  until it is ready  after 3
        ",
    );
}

#[test]
fn a_dependency_that_runs_already_is_asked_anew_by_who_starts() {
    let world = World::after_up("db\nweb needs=db").without("shop-web-1");
    same(
        &plan_of("db\nweb needs=db", &world),
        "
        1 await  shop-db-1: running (90s)   web depends on it
        2 create container shop-web-1       absent
        3 start  container shop-web-1       with its project   after 1, 2
        4 await  shop-web-1: running (90s)  until it is ready  after 3
        ",
    );
    let world = World::after_up("db\nweb needs=db:x.service").without("shop-web-1");
    same(
        &plan_of("db\nweb needs=db:x.service", &world),
        "
        1 await  shop-db-1: x.service active (90s)  web depends on it
        2 create container shop-web-1               absent
        3 start  container shop-web-1               with its project   after 1, 2
        4 await  shop-web-1: running (90s)          until it is ready  after 3
        ",
    );
}

#[test]
fn a_finished_job_is_not_run_again() {
    let text = "job plain\nweb plain needs=job:completed";
    let mut world = World::after_up(text).set("shop-job-1", ContainerState::Exited);
    world.container("shop-job-1").status = "Exited (0) 2 minutes ago".to_owned();
    assert_eq!(plan_of(text, &world), "");
    world.container("shop-job-1").exit_code = Some(3);
    same(
        &plan_of(text, &world),
        "
        1 start container shop-job-1  is exited
        ",
    );
}

#[test]
fn what_does_not_run_is_started_again() {
    let text = "db\nweb needs=db";
    let world = World::after_up(text).set("shop-db-1", ContainerState::Exited);
    same(
        &plan_of(text, &world),
        "
        1 start container shop-db-1       is exited
        2 await shop-db-1: running (90s)  until it is ready  after 1
        ",
    );
    let world = World::after_up(text).set("shop-db-1", ContainerState::Paused);
    same(
        &plan_of(text, &world),
        "
        1 unpause container shop-db-1       is paused
        2 await   shop-db-1: running (90s)  until it is ready  after 1
        ",
    );
    let world = World::after_up(text).set("shop-db-1", ContainerState::Created);
    same(
        &plan_of(text, &world),
        "
        1 create container shop-db-1       never started
        2 start  container shop-db-1       with its project   after 1
        3 await  shop-db-1: running (90s)  until it is ready  after 2
        ",
    );
}

#[test]
fn a_thawed_machine_is_not_awaited_again_where_it_was_ready() {
    let mut world = World::after_up("db\nweb needs=db").without("shop-web-1");
    world.container("shop-db-1").state = ContainerState::Paused;
    same(
        &plan_of("db\nweb needs=db", &world),
        "
        1 unpause container shop-db-1        is paused
        2 create  container shop-web-1       absent
        3 start   container shop-web-1       with its project   after 1, 2
        4 await   shop-web-1: running (90s)  until it is ready  after 3
        ",
    );
}

#[test]
fn a_boot_that_nobody_saw_end_is_awaited() {
    let mut world = World::after_up("db");
    world.container("shop-db-1").ready_seen = false;
    same(
        &plan_of("db", &world),
        "
        1 await shop-db-1: running (90s)  until it is ready
        ",
    );
    world.facts.notify_root = None;
    assert_eq!(plan_of("db", &world), "");
}

#[test]
fn replicas_are_added_and_the_highest_removed_first() {
    let world = World::after_up("web");
    same(
        &plan_of("web x3", &world),
        "
        1 create container shop-web-2       absent
        2 start  container shop-web-2       with its project   after 1
        3 create container shop-web-3       absent
        4 start  container shop-web-3       with its project   after 3
        5 await  shop-web-2: running (90s)  until it is ready  after 2
        6 await  shop-web-3: running (90s)  until it is ready  after 4
        ",
    );
    let world = World::after_up("web x3");
    same(
        &plan_of("web", &world),
        "
        1 stop   container shop-web-3  scaled down
        2 remove container shop-web-3  scaled down  after 1  destroys: what was written into its root
        3 stop   container shop-web-2  scaled down
        4 remove container shop-web-2  scaled down  after 3  destroys: what was written into its root
        ",
    );
}

#[test]
fn orphans_are_noted_and_removed_only_on_request() {
    let world = World::after_up("web port=80:80\nold needs=older\nolder");
    same(
        &plan_of("web port=80:80", &world),
        "
        note: not in the manifest: shop-old-1, shop-older-1 (`--remove-orphans` removes them)
        ",
    );
    let options = UpOptions { remove_orphans: true, ..UpOptions::default() };
    same(
        &planned(&project("web port=80:80"), &world, &options),
        "
        1 stop   container shop-old-1    orphan
        2 remove container shop-old-1    orphan  after 1  destroys: what was written into its root
        3 stop   container shop-older-1  orphan  after 1
        4 remove container shop-older-1  orphan  after 3  destroys: what was written into its root
        ",
    );
}

#[test]
fn a_renamed_service_starts_when_its_port_is_free() {
    let mut world = World::after_up("web port=80:80");
    let project = project("www port=80:80");
    world.bring("www:1", "1");
    let options = UpOptions { remove_orphans: true, ..UpOptions::default() };
    same(&planned(&project, &world, &options), "
        1 stop   container shop-web-1       orphan
        2 remove container shop-web-1       orphan             after 1     destroys: what was written into its root
        3 create container shop-www-1       absent
        4 start  container shop-www-1       with its project   after 2, 3
        5 await  shop-www-1: running (90s)  until it is ready  after 4
        ");
}

#[test]
fn all_that_cannot_be_is_refused_at_once() {
    let project = project(
        "web name=taken\ndb feature=sandboxing net=back\napp pull=never image=app:9\nvolume data external\nnetwork back external\nlog vol=data:/log",
    );
    let mut world = World::with_images(&project);
    world.observed.foreign_names.insert("taken".to_owned(), "image nginx".to_owned());
    world.observed.images.remove("app:9");
    world.facts.api = ApiVersion { major: 1, minor: 41 };
    world.facts.cgroup = CgroupVersion::V1;
    let options = UpOptions { services: vec!["wbe".to_owned()], ..UpOptions::default() };
    same(&planned(&project, &world, &UpOptions::default()), "
        refused: web: the name `taken` is held by a container that is not of this project (image nginx)
        refused: app: the image `app:9` is not there, and `pull_policy: never` forbids to pull it
        refused: the external network `shop_back` does not exist
        refused: the external volume `shop_data` does not exist
        refused: db: `systemd.features: [sandboxing]` needs CAP_SYS_ADMIN, which on a cgroup v1 host gives the container control of every cgroup of the host
        ");
    same(
        &planned(&project, &world, &options),
        "
        refused: the project has no service `wbe`
        ",
    );
}

#[test]
fn the_same_project_from_elsewhere_is_refused_unless_it_is_taken_over() {
    let mut world = World::after_up("db");
    world.container("shop-db-1").labels.directory = "/home/ann/shop".to_owned();
    same(
        &plan_of("db", &world),
        "
        refused: a project named `shop` runs already, started from /home/ann/shop (container shop-db-1)
        ",
    );
    let options = UpOptions { any_directory: true, ..UpOptions::default() };
    assert_eq!(planned(&project("db"), &world, &options), "");
}

#[test]
fn a_circle_is_refused() {
    same(
        &fresh("a needs=b\nb needs=a\nc"),
        "
        refused: services wait for each other in a circle: a, b
        ",
    );
}

#[test]
fn a_network_or_volume_of_somebody_else_is_used_and_said_so() {
    let text = "db vol=data:/data";
    let project = project(text);
    let mut world = World::with_images(&project);
    let network = crate::observed::ObservedNetwork { id: String::new(), labels: None, ambiguous: false };
    world.observed.networks.insert("shop_default".to_owned(), network);
    world.observed.volumes.insert("shop_data".to_owned(), crate::observed::ObservedVolume { labels: None });
    same(&planned(&project, &world, &UpOptions::default()), "
        1 create container shop-db-1       absent
        2 start  container shop-db-1       with its project   after 1
        3 await  shop-db-1: running (90s)  until it is ready  after 2

        warning: db: the network `shop_default` was not made by sdcompose: it is used, and never removed (`external: true` says so)
        warning: db: the volume `shop_data` was not made by sdcompose: it is used, and never removed (`external: true` says so)
        ");
    world.observed.networks.get_mut("shop_default").unwrap().ambiguous = true;
    same(
        &planned(&project, &world, &UpOptions::default()),
        "
        refused: there are several networks named `shop_default`
        ",
    );
}

#[test]
fn a_limit_that_root_inside_can_raise_is_said() {
    let project = project("web mem=1000");
    let mut world = World::with_images(&project);
    world.facts.api = ApiVersion { major: 1, minor: 41 };
    same(
        &planned(&project, &world, &UpOptions::default()),
        "
        1 create network shop_default       absent
        2 create container shop-web-1       absent             after 1
        3 start  container shop-web-1       with its project   after 2
        4 await  shop-web-1: running (90s)  until it is ready  after 3

        note: web: root inside can raise its limits with the privilege profile `own-subtree`
        ",
    );
}

#[test]
fn a_shared_network_namespace_follows_its_owner() {
    let text = "db\nside plain share=db";
    same(
        &fresh(text),
        "
        1 create network shop_default      absent
        2 create container shop-db-1       absent             after 1
        3 start  container shop-db-1       with its project   after 2
        4 await  shop-db-1: running (90s)  until it is ready  after 3
        5 create container shop-side-1     absent             after 3
        6 start  container shop-side-1     with its project   after 3, 5
        ",
    );
    let world = World::after_up(text).without("shop-db-1");
    same(
        &plan_of(text, &world),
        "
        1 create  container shop-db-1       absent
        2 start   container shop-db-1       with its project   after 1
        3 await   shop-db-1: running (90s)  until it is ready  after 2
        4 replace container shop-side-1     follows db         after 2
        ",
    );
    let world = World::after_up(text).set("shop-db-1", ContainerState::Exited);
    same(
        &plan_of(text, &world),
        "
        1 start container shop-db-1       is exited
        2 await shop-db-1: running (90s)  until it is ready  after 1
        3 stop  container shop-side-1     follows db         after 1
        4 start container shop-side-1     follows db         after 1, 3
        ",
    );
}

#[test]
fn an_image_that_nobody_looked_into_is_noted() {
    let project = project("web");
    let mut world = World::with_images(&project);
    world.observed.images.get_mut("web:1").unwrap().facts = None;
    same(
        &planned(&project, &world, &UpOptions::default()),
        "
        1 create network shop_default       absent
        2 create container shop-web-1       absent             after 1
        3 start  container shop-web-1       with its project   after 2
        4 await  shop-web-1: running (90s)  until it is ready  after 3

        note: nobody has looked into the image web:1 yet: its systemd is assumed
        ",
    );
}
