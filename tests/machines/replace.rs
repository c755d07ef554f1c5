//! Replacements: what is kept, what is lost, and what comes back when the new machine is no good.

use crate::bed::Bench;
use crate::process::{entries, eventually};

/// A machine with a named and an anonymous volume.
fn manifest(image: &str, systemd: &str) -> String {
    format!(
        "services:
  db:
    image: {image}
    volumes: [data:/data, /cache]
    systemd: {{ {systemd} }}
volumes: {{ data: {{}} }}
"
    )
}

const GOOD: &str = "sdcompose-test/debian:bookworm";

on_each_engine! {
    fn a_replacement_that_cannot_boot_brings_the_old_machine_back(bench) {
        bench.manifest(&manifest(GOOD, ""));
        bench.ok(&["up", "-d"]);
        bench.shell("db", "echo kept > /data/row; echo mine > /root/note; echo warm > /cache/page");
        let old = bench.id("db");

        // No systemd in the image: said before the old one is touched.
        bench.manifest(&manifest("debian:13", ""));
        let ran = bench.run(&["up", "-d"]);
        assert_ne!(ran.status, 0, "{ran}");
        ran.says(&["debian:13", "systemd"]);
        is_untouched(bench, &old, "an image without systemd");
        assert_eq!(bench.inspect("db")["RestartCount"], 0);

        // A unit that fails: the new one was tried, so the old one had to stop; it is back.
        bench.manifest(&manifest("sdcompose-test/debian:trixie", "enable: [probe-fail.service]"));
        let ran = bench.run(&["up", "-d"]).code(1);
        ran.says(&["probe-fail.service", "this unit fails on purpose"]);
        is_untouched(bench, &old, "a unit that fails");
        eventually("the old machine has booted", 30, || bench.system("db") == "running");

        // PID 1 that does not even start.
        bench.manifest(&manifest(GOOD, "init: /bin/false"));
        let ran = bench.run(&["up", "-d"]);
        assert_ne!(ran.status, 0, "{ran}");
        is_untouched(bench, &old, "a PID 1 that exits");

        // One that boots takes its place, with both volumes and without the old root.
        bench.manifest(&manifest("sdcompose-test/debian:trixie", ""));
        bench.ok(&["up", "-d"]);
        assert_ne!(bench.id("db"), old);
        assert_eq!(bench.running(), bench.names(&["db"]), "no container is left aside");
        assert_eq!(bench.containers().len(), 1, "{:?}", bench.containers());
        let seen = bench.shell("db", "cat /data/row /cache/page; ls /root; . /etc/os-release; echo $VERSION_CODENAME");
        assert_eq!(seen, "kept\nwarm\ntrixie");
        assert_eq!(bench.api.inspect(&old), None, "the old container is gone");

        let id = bench.id("db");
        bench.ok(&["up", "-d", "--force-recreate"]);
        assert_ne!(bench.id("db"), id);
        assert_eq!(bench.shell("db", "cat /data/row /cache/page"), "kept\nwarm");
        let cache = volume_at(bench, "/cache");
        bench.ok(&["up", "-d", "--force-recreate", "-V"]);
        assert_eq!(bench.shell("db", "ls /cache"), "", "-V asks for new ones");
        assert_eq!(bench.api.call("GET", &format!("/volumes/{cache}"), None).0, 404, "and the old one is gone");

        bench.ok(&["up", "-d", "--force-recreate"]);
        let cache = volume_at(bench, "/cache");
        bench.ok(&["down", "-v", "-y"]);
        assert_eq!(bench.api.call("GET", &format!("/volumes/{cache}"), None).0, 404, "{cache} was handed on");
    }
}

/// Name of the volume that is mounted somewhere in the machine.
fn volume_at(bench: &Bench, target: &str) -> String {
    let mounts = bench.inspect("db")["Mounts"].clone();
    let found = entries(&mounts).find(|mount| mount["Destination"] == target);
    found.and_then(|mount| mount["Name"].as_str()).unwrap_or_else(|| panic!("{target}: {mounts}")).to_owned()
}

/// The old machine runs under its own name, alone, with what was in its root.
#[track_caller]
fn is_untouched(bench: &Bench, id: &str, after: &str) {
    assert_eq!(bench.id("db"), id, "after {after}");
    assert_eq!(bench.running(), bench.names(&["db"]), "after {after}");
    assert_eq!(bench.containers().len(), 1, "after {after}: {:?}", bench.containers());
    assert_eq!(bench.shell("db", "cat /root/note"), "mine", "after {after}");
}
