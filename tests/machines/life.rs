//! The life of a project: up, nothing to do, an edit, its plan, up, down.

use serde_json::{Value, json};

use crate::api::Api;
use crate::bed::Bench;

/// A manifest of two machines with a volume and two networks; the web server's colour can be edited.
fn manifest(colour: &str) -> String {
    format!(
        "services:
  db:
    image: sdcompose-test/debian:bookworm
    volumes: [data:/data]
    networks: [back]
  web:
    image: sdcompose-test/debian:trixie
    environment: {{ COLOUR: {colour} }}
    hostname: {colour}
    depends_on: [db]
    networks: [back, front]
volumes: {{ data: {{}} }}
networks: {{ back: {{}}, front: {{}} }}
"
    )
}

on_each_engine! {
    fn a_project_comes_up_follows_an_edit_and_goes_away_without_a_trace(bench) {
        let foreign = Foreign::make(bench);
        bench.manifest(&manifest("blue"));

        let plan = bench.run(&["plan", "--exit-code"]).code(3);
        plan.says(&[&bench.name("db"), &bench.name("web"), "volume", "network"]);
        bench.run(&["plan"]).code(0);
        bench.ok(&["up", "-d", "--dry-run"]);
        assert_eq!(bench.left(), Vec::<String>::new(), "a plan changes nothing");

        bench.ok(&["up", "-d"]);
        assert_eq!(bench.running(), bench.names(&["db", "web"]));
        assert_eq!([bench.system("db"), bench.system("web")], ["running", "running"]);
        bench.shell("db", "echo kept > /data/row; echo lost > /root/note");
        // Names of services and of containers resolve, on the network that both are on.
        bench.shell("web", "getent hosts db");
        bench.shell("web", &format!("getent hosts {}", bench.name("db")));

        let calls = bench.calls(&["up", "-d"]);
        assert!(calls.len() <= 4, "at most four calls: {calls:?}");
        assert!(calls.iter().all(|call| call.starts_with("GET ")), "none changes anything: {calls:?}");
        bench.run(&["plan", "--exit-code"]).code(0);

        let (db, web) = (bench.id("db"), bench.id("web"));
        bench.manifest(&manifest("green"));
        let plan = bench.run(&["plan", "--exit-code"]).code(3);
        let (replaced, waited) = (format!("replace container {}", bench.name("web")), format!("await   {}", bench.name("db")));
        plan.says(&[&replaced, "changed: hostname blue → green; with it environment.COLOUR", &waited]);
        plan.hides(&["COLOUR=", &format!("container {}", bench.name("db"))]);
        assert_eq!([bench.id("db"), bench.id("web")], [db.clone(), web.clone()], "a plan changes nothing");

        bench.ok(&["up", "-d"]);
        assert_eq!(bench.id("db"), db, "what did not change is left alone");
        assert_ne!(bench.id("web"), web, "what changed is replaced");
        assert_eq!(bench.running(), bench.names(&["db", "web"]), "the old container is gone");
        let environment = bench.shell("web", "tr '\\0' '\\n' </proc/1/environ");
        assert!(environment.lines().any(|line| line == "COLOUR=green"), "{environment}");

        bench.ok(&["down"]);
        let volume = format!("volume \"{}_data\"", bench.project);
        assert_eq!(bench.left(), [volume], "a plain down keeps volumes");
        bench.ok(&["up", "-d", "db"]);
        assert_eq!(bench.running(), bench.names(&["db"]), "only what was asked for");
        assert_eq!(bench.shell("db", "cat /data/row; ls /root"), "kept");

        bench.ok(&["down", "-v", "-y"]);
        assert_eq!(bench.left(), Vec::<String>::new());
        assert_eq!(bench.left_in_state(), Vec::<String>::new());
        foreign.is_untouched();
    }
}

/// A container, a network and a volume that are none of sdcompose's business.
struct Foreign {
    api: Api,
    name: String,
    before: Value,
}

impl Foreign {
    fn make(bench: &Bench) -> Self {
        let name = format!("foreign-{}", bench.project);
        let mut foreign = Self { api: bench.api.clone(), name: name.clone(), before: Value::Null };
        let api = &bench.api;
        api.post("/networks/create", &json!({"Name": name, "CheckDuplicate": true}));
        api.post("/volumes/create", &json!({"Name": name}));
        let body = json!({
            "Image": "sdcompose-test/debian:bookworm",
            "Entrypoint": ["/bin/sleep", "infinity"],
            "HostConfig": {"NetworkMode": name, "Binds": [format!("{name}:/data")]},
        });
        api.post(&format!("/containers/create?name={name}"), &body);
        api.post(&format!("/containers/{name}/start"), &Value::Null);
        foreign.before = foreign.now();
        foreign
    }

    fn now(&self) -> Value {
        let look = |kind: &str, end: &str| self.api.get(&format!("/{kind}/{}{end}", self.name));
        json!([look("containers", "/json"), look("networks", ""), look("volumes", "")])
    }

    fn is_untouched(&self) {
        assert_eq!(self.now(), self.before);
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        for (kind, end) in [("containers", "?force=true"), ("networks", ""), ("volumes", "")] {
            self.api.delete(&format!("/{kind}/{}{end}", self.name));
        }
    }
}
