//! A bench: one throw-away project on one real engine, driven by the built binary as a user drives it. It takes
//! the project down when it is dropped, and proves that nothing is left of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::api::Api;
use crate::process::{Ran, Running};

/// Which cgroup hierarchies an engine sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// cgroup v1, on a hybrid host.
    V1,
    /// cgroup v2.
    V2,
}

impl View {
    /// Environment variable that names the engine of this view, as `tests/bed/engine.sh env` prints it.
    const fn variable(self) -> &'static str {
        match self {
            Self::V1 => "SDCOMPOSE_TEST_V1",
            Self::V2 => "SDCOMPOSE_TEST_V2",
        }
    }

    /// The word for it in project names.
    const fn word(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    /// The engine of this view; `None` only for the v1 view of a host that boots with cgroup v2 alone, which is
    /// said once on the terminal. A missing engine is a failure, never a silent skip.
    fn engine(self) -> Option<Api> {
        static SAID: Once = Once::new();
        if let Ok(address) = std::env::var(self.variable()) {
            let socket = address.strip_prefix("unix://").unwrap_or(&address).to_owned();
            return Some(Api { socket: PathBuf::from(socket) });
        }
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let has_v1 = mounts.lines().any(|line| line.split(' ').nth(2) == Some("cgroup"));
        assert!(
            self == Self::V1 && !has_v1 && std::env::var(Self::V2.variable()).is_ok(),
            "{} is not set, so there is no engine to test on: run `make test`, or start the engines with \
             `tests/bed/engine.sh start` and export the lines of `tests/bed/engine.sh env`",
            self.variable(),
        );
        SAID.call_once(|| {
            let text = "note: this host boots with cgroup v2 only, so no test ran on a cgroup v1 view\n";
            // The test harness keeps what the print macros write; this must be seen.
            let _ = std::io::stderr().write_all(text.as_bytes());
        });
        None
    }
}

/// Makes of each scenario one test per engine.
macro_rules! on_each_engine {
    ($($(#[doc = $doc:literal])* fn $name:ident($bench:ident) $body:block)+) => {$(
        $(#[doc = $doc])*
        fn $name($bench: &$crate::bed::Bench) $body

        mod $name {
            #[test]
            fn v1() {
                $crate::bed::Bench::run_on($crate::bed::View::V1, super::$name);
            }

            #[test]
            fn v2() {
                $crate::bed::Bench::run_on($crate::bed::View::V2, super::$name);
            }
        }
    )+};
}

/// One project with its directory, on one engine.
pub(crate) struct Bench {
    /// Which engine.
    pub(crate) view: View,
    /// The engine itself.
    pub(crate) api: Api,
    /// The project's name, also the name of its directory.
    pub(crate) project: String,
    root: TempDir,
}

impl Bench {
    /// Runs a scenario on an engine, where that view can be had.
    pub(crate) fn run_on(view: View, run: impl FnOnce(&Self)) {
        static BENCHES: AtomicU32 = AtomicU32::new(1);
        let Some(api) = view.engine() else { return };
        // Short, so that the path of a notify socket fits into the 108 bytes of a socket address.
        let number = BENCHES.fetch_add(1, Ordering::Relaxed);
        let project = format!("t{}-{number}-{}", std::process::id(), view.word());
        let root = tempfile::Builder::new().prefix("sd").tempdir().expect("a temporary directory");
        let bench = Self { view, api, project, root };
        fs::create_dir_all(bench.dir()).expect("the project's directory");
        run(&bench);
    }

    /// The project's directory, where its manifest is.
    pub(crate) fn dir(&self) -> PathBuf {
        self.root.path().join(&self.project)
    }

    /// Where this bench's sdcompose keeps its state.
    pub(crate) fn state(&self) -> PathBuf {
        self.root.path().join("state")
    }

    /// Writes a file of the project, with its directories.
    pub(crate) fn write(&self, path: &str, content: &str) -> PathBuf {
        let path = self.dir().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a directory of the project");
        fs::write(&path, content).expect("a file of the project");
        path
    }

    /// Writes the manifest.
    pub(crate) fn manifest(&self, text: &str) {
        self.write("sdcompose.yaml", text);
    }

    /// Name of a service's first container.
    pub(crate) fn name(&self, service: &str) -> String {
        self.replica(service, 1)
    }

    /// Name of one of a service's containers.
    pub(crate) fn replica(&self, service: &str, index: u32) -> String {
        format!("{}-{service}-{index}", self.project)
    }

    /// Starts sdcompose and lets it run.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Running {
        self.spawn_in(&self.dir(), arguments, &[])
    }

    /// Starts sdcompose in a directory with further environment and lets it run.
    pub(crate) fn spawn_in(&self, dir: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Running {
        let mut command = self.command(env!("CARGO_BIN_EXE_sdcompose"));
        command.args(arguments).current_dir(dir).envs(environment.iter().copied());
        Running::start(command, self.root.path(), arguments)
    }

    /// Starts a line of shell in a terminal of its own (script(1)), where `sdcompose` is in the search path.
    pub(crate) fn in_terminal(&self, line: &str) -> Running {
        let arguments = ["-q", "-e", "-f", "-c", line, "/dev/null"];
        let mut command = self.command("script");
        command.args(arguments).env("SHELL", "/bin/sh").env("TERM", "xterm");
        Running::start(command, self.root.path(), &arguments)
    }

    /// A command in the project's directory. Nothing of this process's own environment but the search path
    /// reaches it.
    fn command(&self, program: &str) -> Command {
        let root = self.root.path();
        let built = Path::new(env!("CARGO_BIN_EXE_sdcompose")).parent().unwrap_or(Path::new("/"));
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .current_dir(self.dir())
            .env_clear()
            .env("PATH", format!("{}:{path}", built.display()))
            .env("HOME", root)
            .env("DOCKER_HOST", format!("unix://{}", self.api.socket.display()))
            .env("SDCOMPOSE_STATE_DIR", self.state())
            .env("XDG_RUNTIME_DIR", root)
            .env("SDCOMPOSE_CALL_LOG", root.join("calls"))
            .env("TZ", "UTC");
        command
    }

    /// Runs sdcompose to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.spawn(arguments).end()
    }

    /// Runs sdcompose to its end; it must succeed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> Ran {
        self.run(arguments).code(0)
    }

    /// Runs sdcompose with something on its standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut running = self.spawn(arguments);
        running.give(input);
        running.end()
    }

    /// Runs sdcompose and returns the calls that it made of the engine, as `METHOD path` lines.
    pub(crate) fn calls(&self, arguments: &[&str]) -> Vec<String> {
        let log = self.root.path().join("calls");
        let _ = fs::remove_file(&log);
        self.ok(arguments);
        let text = fs::read_to_string(&log).expect("the log of calls that SDCOMPOSE_CALL_LOG asks for");
        text.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
    }

    /// Kills sdcompose as soon as it has made so many changing calls; a run that ends before is let be.
    pub(crate) fn kill_after(&self, arguments: &[&str], calls: usize) -> Ran {
        let log = self.root.path().join("calls");
        let _ = fs::remove_file(&log);
        let mut running = self.spawn(arguments);
        let changing = |line: &&str| !line.starts_with("GET ") && !line.starts_with("HEAD ");
        while !running.has_ended() {
            let text = fs::read_to_string(&log).unwrap_or_default();
            if text.lines().filter(changing).count() >= calls {
                return running.kill();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        running.end()
    }

    /// What `ps -a --format json` says, by container name.
    pub(crate) fn ps(&self) -> BTreeMap<String, Value> {
        let ran = self.ok(&["ps", "-a", "--format", "json"]);
        let entries = ran.json();
        entries.into_iter().map(|entry| (field(&entry, "name").to_owned(), entry)).collect()
    }

    /// What `ps` says of the systemd in a service's first container: `running`, `degraded`, ….
    pub(crate) fn system(&self, service: &str) -> String {
        let ps = self.ps();
        let entry = ps.get(&self.name(service)).unwrap_or_else(|| panic!("ps shows no {service}: {ps:?}"));
        field(entry, "system").to_owned()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.sweep();
            return;
        }
        // Without the manifest, since a scenario may have left an unfinished one.
        let down = self.run(&["-p", &self.project, "down", "-v", "-t", "2", "--remove-orphans", "-y"]);
        let left = self.left();
        self.sweep();
        assert_eq!(down.status, 0, "{down}");
        assert_eq!(left, Vec::<String>::new(), "left in the engine after:\n{down}");
        assert_eq!(self.left_in_state(), Vec::<String>::new(), "left in the state directory after:\n{down}");
        assert_eq!(self.left_in_cgroups(), Vec::<String>::new(), "left among the cgroups after:\n{down}");
    }
}

/// A text field of a JSON object, whatever the case of its name.
pub(crate) fn field<'a>(object: &'a Value, name: &str) -> &'a str {
    let fields = object.as_object();
    let found = fields.and_then(|fields| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)));
    found.and_then(|(_, value)| value.as_str()).unwrap_or_default()
}

/// A port of 127.0.0.1 that nobody listens on. Taken again by another process only with bad luck, since the
/// kernel hands out such ports in a wide range.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}
