//! The projects that are measured: ten machines in a tree where each but the first depends on its parent,
//! three children each; the same for Docker Compose with the recipe that boots systemd spelled out; and a
//! large manifest.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use crate::Bench;

/// Number of machines in the tree.
pub(crate) const MACHINES: usize = 10;

/// Returns the parent of a machine in the tree.
pub(crate) fn parent(index: usize) -> Option<usize> {
    index.checked_sub(1).map(|before| before / 3)
}

/// Returns the name of a machine's service.
pub(crate) fn service(index: usize) -> String {
    format!("m{index:02}")
}

/// Writes the manifest of the tree for sdcompose.
pub(crate) fn write_tree(bench: &Bench) -> io::Result<PathBuf> {
    let mut text = String::from("name: sdbench\nservices:\n");
    for index in 0..MACHINES {
        let _ = writeln!(text, "  {}:\n    image: {}", service(index), bench.image);
        if let Some(parent) = parent(index) {
            let _ = writeln!(text, "    depends_on: [{}]", service(parent));
        }
    }
    write(bench, "sdcompose.yaml", &text)
}

/// Writes the same tree as a compose file: what a careful user of Docker Compose writes by hand for systemd.
pub(crate) fn write_compose(bench: &Bench) -> io::Result<PathBuf> {
    let mut text = String::from("name: dcbench\nservices:\n");
    for index in 0..MACHINES {
        let name = service(index);
        let (parent_cgroup, binds) = cgroup(bench, &name);
        let _ = write!(
            text,
            "  {name}:\n    image: {}\n    entrypoint: [/lib/systemd/systemd]\n    cgroup: host\n    cgroup_parent: {parent_cgroup}\n    stop_signal: SIGRTMIN+3\n    stop_grace_period: 90s\n    environment: {{container: docker}}\n    tmpfs: ['/run:exec,mode=755', '/run/lock', '/tmp:exec,mode=1777']\n    volumes: {binds}\n    healthcheck:\n      test: [CMD-SHELL, \"systemctl is-system-running | grep -qE 'running|degraded'\"]\n      interval: 1s\n      timeout: 5s\n      retries: 60\n",
            bench.image
        );
        if let Some(parent) = parent(index) {
            let _ = writeln!(text, "    depends_on: {{{}: {{condition: service_healthy}}}}", service(parent));
        }
    }
    write(bench, "compose.yaml", &text)
}

/// Writes a manifest of many services, each with the keys that real files have.
pub(crate) fn write_large(bench: &Bench, services: usize) -> io::Result<PathBuf> {
    let mut text = String::from("name: large\nservices:\n");
    for index in 0..services {
        let _ = write!(
            text,
            "  s{index}:\n    image: registry.example/app/s{index}:1.{index}\n    systemd: false\n    command: [serve, --port, \"{}\"]\n    environment:\n      APP_NAME: s{index}\n      APP_LEVEL: info\n      APP_DSN: postgres://db/s{index}\n    volumes:\n      - data:/var/lib/app\n      - ./conf/s{index}:/etc/app:ro\n    labels:\n      tier: back\n      index: \"{index}\"\n    restart: unless-stopped\n",
            8000 + index % 1000
        );
        if index > 0 {
            let _ = writeln!(text, "    depends_on: [s{}]", index / 2);
        }
    }
    text.push_str("volumes: {data: {}}\n");
    write(bench, "large.yaml", &text)
}

/// Returns cgroup parent and binds of the recipe that boots systemd without capabilities.
fn cgroup(bench: &Bench, name: &str) -> (String, String) {
    let subtree = format!("dcbench/{name}");
    if bench.cgroup_v2 {
        let binds = format!(
            "['/sys/fs/cgroup:/sys/fs/cgroup:ro', '/sys/fs/cgroup/{subtree}:/sys/fs/cgroup/{subtree}:rw']"
        );
        (format!("/{subtree}"), binds)
    } else {
        let root = "/sys/fs/cgroup/systemd";
        (format!("/{subtree}"), format!("['{root}:{root}:ro', '{root}/{subtree}:{root}/{subtree}:rw']"))
    }
}

fn write(bench: &Bench, name: &str, text: &str) -> io::Result<PathBuf> {
    let path = bench.directory.join(name);
    std::fs::write(&path, text)?;
    Ok(path)
}
