//! The examples, as a reader starts them: each is brought up from its own directory and used for what it shows.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bed::{Bench, View, free_port};
use crate::page;
use crate::process::{Ran, eventually};

/// An example on a bench: its files stay where they are, the project has the bench's name.
struct Example<'a> {
    bench: &'a Bench,
    dir: PathBuf,
    environment: Vec<(&'static str, String)>,
    /// Services with an image of their own.
    built: &'static [&'static str],
}

impl Example<'_> {
    fn run(&self, arguments: &[&str]) -> Ran {
        let environment =
            self.environment.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
        let arguments = [&["-p", &self.bench.project], arguments].concat();
        self.bench.spawn_in(&self.dir, &arguments, &environment).end().code(0)
    }
}

impl Drop for Example<'_> {
    /// The next run finds the layers of this one by a name that does not change.
    fn drop(&mut self) {
        let example = self.dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for service in self.built {
            let image = format!("{}-{service}", self.bench.project);
            let tag = format!("/images/{image}/tag?repo=sdcompose-test/example-{example}&tag={service}");
            self.bench.api.call("POST", &tag, None);
        }
    }
}

fn example<'a>(
    bench: &'a Bench,
    name: &str,
    built: &'static [&'static str],
    environment: &[(&'static str, String)],
) -> Example<'a> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    Example { bench, dir, environment: environment.to_vec(), built }
}

#[test]
fn minimal_is_a_machine_with_a_page() {
    Bench::run_on(View::V2, |bench| {
        let port = free_port();
        let minimal = example(bench, "minimal", &["machine"], &[("MINIMAL_PORT", port.to_string())]);
        minimal.run(&["up", "-d"]);
        assert!(page::get(port).contains("nginx"), "{}", page::get(port));
        assert_eq!(bench.shell("machine", "systemctl is-system-running"), "running");
        minimal.run(&["down", "-v"]);
        assert_eq!(bench.left(), Vec::<String>::new());
    });
}

#[test]
fn ssh_lets_its_admin_in_at_once() {
    Bench::run_on(View::V1, |bench| {
        let (port, key) = (free_port(), bench.dir().join("key"));
        let public = make_key(&key);
        let environment = [("SSH_PORT", port.to_string()), ("SSH_PUBLIC_KEY", public)];
        let ssh = example(bench, "ssh", &["machine"], &environment);
        ssh.run(&["up", "-d"]);
        let said = login(
            &key,
            port,
            "id -un; sudo id -un; systemctl is-system-running; loginctl list-sessions | grep -q admin && echo in",
        );
        assert_eq!(said, "admin\nroot\nrunning\nin\n");
        // The key of the host is this machine's own, made when it booted.
        let fresh = "find /etc/ssh -name 'ssh_host_*_key' -newer /etc/hostname | wc -l";
        assert_ne!(bench.shell("machine", fresh), "0");
    });
}

#[test]
fn shop_sells_from_its_database_and_keeps_it() {
    Bench::run_on(View::V1, |bench| {
        let (port, ssh_port, key) = (free_port(), free_port(), bench.dir().join("key"));
        let environment = [
            ("SHOP_PORT", port.to_string()),
            ("SHOP_SSH_PORT", ssh_port.to_string()),
            ("SSH_PUBLIC_KEY", make_key(&key)),
        ];
        let shop = example(bench, "shop", &["db", "app", "web"], &environment);
        shop.run(&["up", "-d"]);
        assert_eq!(bench.running(), bench.names(&["app", "db", "web"]));
        let first = page::get(port);
        for text in
            ["The corner shop", "<td>apples</td>", "<td>bread</td>", "<td>cheese</td>", "Served by app"]
        {
            assert!(first.contains(text), "no {text} in {first}");
        }
        assert_eq!(login(&key, ssh_port, "id -un"), "admin\n");

        // Each part does its part: a customer, the timer, cron's job, and the wall between web and database.
        assert_eq!(page::post(port, "/buy", "product=bread"), 303);
        assert!(page::get(port).contains("customer: bought bread"), "{}", page::get(port));
        eventually("the timer fills a shelf", 30, || page::get(port).contains("timer: one more of"));
        assert_eq!(
            bench.shell("app", "systemctl is-active cron.service shop.service restock.timer"),
            "active\nactive\nactive"
        );
        bench.shell("app", "su shop -s /bin/sh -c 'python3 /usr/local/bin/shop count'");
        assert!(page::get(port).contains("things in stock"), "{}", page::get(port));
        assert_ne!(
            bench.api.exec(&bench.name("web"), &["getent", "hosts", "db"]).code,
            0,
            "web cannot see db"
        );

        let mark = "INSERT INTO product VALUES ('quinces', 100, 7)";
        bench.shell("db", &format!("su postgres -c \"psql -q shop -c \\\"{mark}\\\"\""));
        let before = bench.id("db");
        shop.run(&["up", "-d", "--force-recreate"]);
        assert_ne!(bench.id("db"), before);
        assert!(
            page::get(port).contains("<td>quinces</td>"),
            "the data outlived its machine: {}",
            page::get(port)
        );
    });
}

/// Makes a key pair; the public half.
fn make_key(path: &Path) -> String {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
        .arg(path)
        .status();
    assert!(made.is_ok_and(|status| status.success()), "ssh-keygen (package openssh-client) makes a key");
    std::fs::read_to_string(path.with_extension("pub")).expect("the public key").trim().to_owned()
}

/// Logs in as a user does, without a second try, and runs a line.
fn login(key: &Path, port: u16, line: &str) -> String {
    let output = Command::new("ssh")
        .args(["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"])
        .args([
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "ConnectTimeout=10",
            "-p",
            &port.to_string(),
            "-i",
        ])
        .arg(key)
        .args(["admin@127.0.0.1", line])
        .output()
        .expect("ssh (package openssh-client) starts");
    let [out, err] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "ssh: {} {out} {err}", output.status);
    out
}
