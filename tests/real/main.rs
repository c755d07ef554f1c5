//! Tests against real engines: one on a cgroup v1 view, one on a cgroup v2 view of the same host.
//!
//! `tests/bed/engine.sh start` starts both and `tests/bed/engine.sh env` prints the variables that name them.
//! Without either of them these tests fail: they are part of the test command and skip nothing in silence.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests read clocks, files and the environment, and their numbers are worth reading"
)]

mod engine;

use sdcompose::engine::docker::Docker;
use sdcompose::engine::docker::endpoint::Endpoint;

/// How an engine's containers see cgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    /// cgroup v1 controllers beside a unified tree.
    V1,
    /// cgroup v2 alone.
    V2,
    /// Podman, whose own systemd mode gives a machine its cgroup, on a cgroup v1 view. Only where
    /// `SDCOMPOSE_TEST_PODMAN` names one.
    Podman,
}

/// A real engine, with a state directory of its own.
struct Real {
    /// Its view of cgroups.
    view: View,
    /// Where it listens.
    endpoint: Endpoint,
    /// The connection.
    docker: Docker,
    /// Where it keeps notify sockets.
    state: tempfile::TempDir,
}

impl Real {
    fn of(view: View, address: &str) -> Self {
        let endpoint =
            Endpoint::parse(address, "the tests' environment").expect("an address of a test engine");
        let state = tempfile::tempdir().expect("a directory");
        let docker = Docker::connect(&endpoint, state.path()).expect("a connection");
        Self { view, endpoint, docker, state }
    }

    /// A second connection, as a second run of the program makes it.
    fn again(&self) -> Docker {
        Docker::connect(&self.endpoint, self.state.path()).expect("a connection")
    }
}

/// Finds the engines that the environment names, and fails where it names none.
fn engines() -> Vec<Real> {
    let named = [
        (View::V1, "SDCOMPOSE_TEST_V1"),
        (View::V2, "SDCOMPOSE_TEST_V2"),
        (View::Podman, "SDCOMPOSE_TEST_PODMAN"),
    ];
    let found: Vec<Real> = named
        .into_iter()
        .filter_map(|(view, variable)| Some(Real::of(view, &std::env::var(variable).ok()?)))
        .collect();
    let has = |view: View| found.iter().any(|real| real.view == view);
    // Only a host that boots with cgroup v2 alone has no v1 view.
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let host_has_v1 = mounts.lines().any(|line| line.split(' ').nth(2) == Some("cgroup"));
    assert!(
        has(View::V2) && (has(View::V1) || !host_has_v1),
        "a real engine is missing: set SDCOMPOSE_TEST_V1 and SDCOMPOSE_TEST_V2, as `tests/bed/engine.sh start` and \
         `tests/bed/engine.sh env` tell"
    );
    found
}
