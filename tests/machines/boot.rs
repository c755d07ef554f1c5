//! The boot matrix: four releases of Debian on each engine, with the least privilege that boots them.

use std::collections::BTreeMap;

use crate::bed::{Bench, View};

/// Debian releases of the test images, systemd 247, 252, 257 and 262.
const RELEASES: [&str; 4] = ["bullseye", "bookworm", "trixie", "forky"];

/// What `probe-privileges` prints where root inside can do nothing to the host: the engine's default set of
/// capabilities, and "no" to everything else.
const HARMLESS: &str = "capabilities=a80425fb
foreign_cgroup_writable=no
mount=no
fresh_cgroup2=no
fresh_cgroup1=no
sysctl_writable=no
sysrq_writable=no
sys_remountable=no
host_disk_node=no";

/// One service per release.
fn matrix() -> String {
    let service = |release: &&str| format!("  {release}: {{ image: sdcompose-test/debian:{release} }}\n");
    format!("services:\n{}", RELEASES.iter().map(service).collect::<String>())
}

on_each_engine! {
    fn the_engine_has_its_view_and_all_images(bench) {
        let version = match bench.view {
            View::V1 => "1",
            View::V2 => "2",
        };
        assert_eq!(bench.api.get("/info")["CgroupVersion"], version);
        let machines = RELEASES.map(|release| format!("sdcompose-test/debian:{release}"));
        for image in machines.iter().map(String::as_str).chain(["debian:13"]) {
            let (status, answer) = bench.api.call("GET", &format!("/images/{image}/json"), None);
            assert_eq!(status, 200, "{answer}: `tests/bed/image.sh` makes it");
        }
    }

    fn every_release_boots_with_the_least_privilege_and_boots_again_after_a_stop(bench) {
        bench.manifest(&matrix());
        bench.ok(&["up", "-d"]);
        let running = |release: &&str| (bench.name(release), "running".to_owned());
        assert_eq!(bench.containers(), RELEASES.iter().map(running).collect::<BTreeMap<_, _>>());
        for release in RELEASES {
            assert_eq!(bench.system(release), "running", "{release}");
            assert_eq!(bench.shell(release, "probe-privileges"), HARMLESS, "{release}");
            assert_eq!(profile(bench, release), expected_profile(bench.view, release), "{release}");
            assert_eq!(bench.inspect(release)["HostConfig"]["Privileged"], false, "{release}");
        }
        services_work(bench);

        bench.ok(&["stop"]);
        for release in RELEASES {
            let state = bench.inspect(release)["State"].clone();
            assert_eq!((&state["Status"], &state["ExitCode"]), (&"exited".into(), &0.into()), "{release}");
        }
        bench.ok(&["start"]);
        for release in RELEASES {
            assert_eq!(bench.system(release), "running", "{release} after stop and start");
        }
    }

    fn a_machine_that_cannot_boot_is_refused_before_anything_is_created(bench) {
        // Each asks for a profile that this engine, Docker 20.10 with the cgroup v1 or v2 view, cannot give.
        let asked: &[(&str, &str, &[&str])] = match bench.view {
            View::V1 => &[("forky", "own-subtree-v1", &["258"]), ("trixie", "own-subtree", &["v2"])],
            View::V2 => &[("trixie", "own-subtree-v1", &["v1"]), ("trixie", "writable-cgroups", &["28"])],
        };
        for (release, privilege, says) in asked {
            bench.manifest(&format!(
                "services:\n  good: {{ image: sdcompose-test/debian:bookworm }}\n  bad:\n    image: \
                 sdcompose-test/debian:{release}\n    systemd: {{ privilege: {privilege} }}\n"
            ));
            let ran = bench.run(&["up", "-d"]);
            assert_ne!(ran.status, 0, "{ran}");
            ran.says(&["bad", privilege]);
            ran.says(says);
            assert_eq!(bench.left(), Vec::<String>::new(), "{ran}");
        }
    }
}

/// The machine's services, timers, sockets and paths do what they do on a host.
fn services_work(bench: &Bench) {
    for release in RELEASES {
        let shell = |line: &str| bench.shell(release, line);
        shell("systemctl is-active nginx.service ssh.service cron.service probe-notify.service");
        let answer = shell("bash -c 'exec 3<>/dev/tcp/127.0.0.1/7007; cat <&3'");
        assert_eq!(answer, "probe", "{release}: the socket-activated service answers");
        shell("touch /run/probe-path; until test -e /run/probe-path-seen; do sleep 0.1; done");
        shell("until test -e /run/probe-timer; do sleep 0.1; done");
        assert_eq!(shell("systemctl list-units --failed --plain --no-legend"), "", "{release}");
        shell("test ! -e /run/nologin");
    }
}

fn profile(bench: &Bench, service: &str) -> String {
    let inspected = bench.inspect(service);
    inspected["Config"]["Labels"]["io.sdcompose.systemd.profile"].as_str().unwrap_or_default().to_owned()
}

/// What the table of defaults picks on Docker 20.10.
fn expected_profile(view: View, release: &str) -> &'static str {
    match (view, release) {
        (View::V1, "forky") => "unified-on-hybrid",
        (View::V1, _) => "own-subtree-v1",
        (View::V2, _) => "own-subtree",
    }
}
