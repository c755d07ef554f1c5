//! Parts of a project: replicas, single services, profiles, what the manifest no longer names.

use crate::bed::{Bench, View};

on_each_engine! {
    fn replicas_come_and_go_and_parts_are_brought_up_alone(bench) {
        bench.manifest(
            "services:
  db: { image: sdcompose-test/debian:bookworm }
  app: { image: sdcompose-test/debian:bookworm, depends_on: [db] }
  tool: { image: sdcompose-test/debian:bookworm, profiles: [debug] }
",
        );
        bench.ok(&["up", "-d", "--no-deps", "app"]);
        assert_eq!(bench.running(), bench.names(&["app"]), "without what it depends on");
        bench.ok(&["up", "-d"]);
        assert_eq!(bench.running(), bench.names(&["app", "db"]), "the profile is off");

        let first = bench.id("app");
        bench.ok(&["up", "-d", "--scale", "app=3"]);
        let apps = |indices: &[u32]| indices.iter().map(|index| bench.replica("app", *index)).collect::<Vec<_>>();
        let names = |indices: &[u32]| apps(indices).into_iter().chain([bench.name("db")]).collect();
        assert_eq!(bench.running(), names(&[1, 2, 3]));
        assert_eq!(bench.id("app"), first, "the first replica is left alone");
        let hosts = bench.shell("db", "getent ahostsv4 app | cut -d' ' -f1 | sort -u");
        assert_eq!(hosts.lines().count(), 3, "the service's name means all of its replicas: {hosts}");
        let ran = bench.ok(&["exec", "-T", "--index", "3", "app", "cat", "/etc/machine-id"]);
        assert_eq!(ran.stdout.trim(), bench.api.shell(&bench.replica("app", 3), "cat /etc/machine-id"));
        bench.ok(&["up", "-d", "--scale", "app=2"]);
        assert_eq!(bench.running(), names(&[1, 2]));
        bench.ok(&["up", "-d"]);
        assert_eq!(bench.running(), names(&[1]), "the manifest's own number is back");
        assert_eq!(bench.id("app"), first);

        bench.ok(&["--profile", "debug", "up", "-d"]);
        assert_eq!(bench.running(), bench.names(&["app", "db", "tool"]));
        let ran = bench.ok(&["up", "-d"]);
        assert_eq!(bench.running(), bench.names(&["app", "db", "tool"]), "a profile's machine is no orphan: {ran}");
    }

    fn orphans_are_said_and_removed_only_when_asked(bench) {
        bench.manifest(
            "services:
  db: { image: sdcompose-test/debian:bookworm }
  old: { image: sdcompose-test/debian:bookworm }
",
        );
        bench.ok(&["up", "-d"]);
        bench.manifest("services: { db: { image: sdcompose-test/debian:bookworm } }");
        bench.ok(&["up", "-d"]).says(&[&bench.name("old"), "--remove-orphans"]);
        assert_eq!(bench.running(), bench.names(&["db", "old"]));
        bench.ok(&["up", "-d", "--remove-orphans"]);
        assert_eq!(bench.running(), bench.names(&["db"]));

        // By the name alone, from anywhere, with no manifest to be found.
        std::fs::remove_file(bench.dir().join("sdcompose.yaml")).expect("the manifest is there");
        bench.ok(&["-p", &bench.project, "stop"]);
        assert_eq!(bench.running(), bench.names(&[]));
        bench.ok(&["-p", &bench.project, "ps", "-a"]).says(&[&bench.name("db")]);
        bench.ok(&["-p", &bench.project, "down"]);
        assert_eq!(bench.left(), Vec::<String>::new());
    }

    fn machines_that_somebody_else_removed_leave_no_traces(bench) {
        bench.manifest(
            "services:
  db: { image: sdcompose-test/debian:bookworm }
  web: { image: sdcompose-test/debian:bookworm }
",
        );
        bench.ok(&["up", "-d"]);
        bench.api.delete(&format!("/containers/{}?force=1", bench.id("db")));
        bench.ok(&["up", "-d"]);
        assert_eq!(bench.running(), bench.names(&["db", "web"]));
        for service in ["db", "web"] {
            bench.api.delete(&format!("/containers/{}?force=1", bench.id(service)));
        }
        bench.ok(&["down"]);
        assert_eq!(bench.left(), Vec::<String>::new());
        assert_eq!(bench.left_in_state(), Vec::<String>::new());
    }
}

#[test]
fn two_projects_from_one_manifest_do_not_see_each_other() {
    Bench::run_on(View::V2, |bench| {
        Bench::run_on(View::V2, |other| {
            let manifest =
                "services: { db: { image: sdcompose-test/debian:bookworm, volumes: [\"data:/data\"] } }
volumes: { data: {} }";
            bench.manifest(manifest);
            other.manifest(manifest);
            bench.ok(&["up", "-d"]);
            other.ok(&["up", "-d"]);
            bench.shell("db", "echo mine > /data/row");
            assert_eq!(other.shell("db", "ls /data"), "");
            other.ok(&["down", "-v", "-y"]);
            assert_eq!(bench.running(), bench.names(&["db"]));
            assert_eq!(bench.shell("db", "cat /data/row"), "mine");
        });
    });
}
