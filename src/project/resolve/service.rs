//! One service: its plain fields, and the parts that other files read.

use crate::diagnostic::{Diagnostic, Span};
use crate::labels::RESERVED_PREFIX;
use crate::project::{FileKind, Service, exposed, name};
use crate::yaml::{Entry, Node, Value};

use super::options::chosen;
use super::reader::Reader;
use super::{
    Scope, conflicts, dependency, develop, environment, file_references, foreign, hardware, health, hooks,
    image, label_file, limits, links, machine, namespaces, network, options, ports, process, security,
    storage,
};

/// Reads one service; `None` where it is no mapping. Fields that cannot be read are left at their defaults:
/// their diagnostics stop the run anyway.
pub(super) fn read(r: &mut Reader<'_>, entry: &Entry, scope: &Scope<'_>, active: bool) -> Option<Service> {
    let node = &entry.value;
    match &node.value {
        Value::Mapping(_) => {}
        Value::Null => {
            r.push(
                Diagnostic::error(format!("service `{}` is empty", entry.key), entry.key_span)
                    .help("give it an `image:` or a `build:`"),
            );
            return None;
        }
        Value::Scalar { .. } | Value::Sequence(_) => {
            r.wrong(node, &entry.key, "a mapping");
            return None;
        }
    }
    let is_machine = scope.services.get(&*entry.key).copied().unwrap_or(false);
    let (image, pull_policy) = image::read(r, entry, scope);
    let (replicas, limits) = limits::read(r, node, is_machine);
    let process = process::read(r, node, is_machine);
    let machine = is_machine.then(|| machine::read(r, entry, scope, &process));
    let (environment, environment_unset) = environment::read(r, node, machine.as_ref(), active);
    let network = network::read_choice(r, node);
    let namespaces = namespaces::read(r, node, is_machine);
    let links = links::read(r, node);
    let service = Service {
        name: entry.key.to_string(),
        image,
        pull_policy,
        replicas,
        container_name: field(r, node, "container_name", container_name),
        command: process.command.filter(|_| !is_machine),
        entrypoint: process.entrypoint.filter(|_| !is_machine),
        hostname: hostname(r, entry, is_machine),
        domainname: chosen(r, node, "domainname"),
        environment,
        environment_unset,
        ports: ports::read(r, node, &network),
        expose: list(r, node, "expose", expose),
        mounts: storage::mounts(r, node, machine.as_ref(), scope.dialect),
        secrets: file_references::read(r, node, FileKind::Secret),
        configs: file_references::read(r, node, FileKind::Config),
        depends_on: dependency::read(
            r,
            entry,
            scope,
            dependency::Implied { network: &network, namespaces: &namespaces, links: &links },
        ),
        network,
        healthcheck: field(r, node, "healthcheck", |r, node, _| health::read(r, node)),
        restart: limits::restart(r, node),
        labels: label_file::all(r, node),
        cap_add: limits::capabilities(r, node, "cap_add"),
        cap_drop: limits::capabilities(r, node, "cap_drop"),
        devices: limits::devices(r, node),
        sysctls: limits::sysctls(r, node),
        ulimits: limits::ulimits(r, node),
        limits,
        hardware: hardware::read(r, node, is_machine),
        namespaces,
        links,
        logging: options::logging(r, node),
        attach: field(r, node, "attach", Reader::boolean).unwrap_or(true),
        annotations: options::annotations(r, node),
        group_add: options::groups(r, node),
        storage_opt: options::storage(r, node),
        platform: chosen(r, node, "platform"),
        mac_address: chosen(r, node, "mac_address"),
        use_api_socket: flag(r, node, "use_api_socket"),
        foreign: foreign::read(r, node, scope),
        hooks: hooks::read(r, node),
        develop: develop::read(r, node, is_machine),
        security_opt: security::options(r, node),
        privileged: flag(r, node, "privileged"),
        read_only: read_only(r, node, is_machine),
        extra_hosts: network::extra_hosts(r, node),
        dns: network::name_servers(r, node),
        dns_search: list(r, node, "dns_search", Reader::text_or_texts),
        dns_opt: list(r, node, "dns_opt", Reader::texts),
        user: process.user,
        working_dir: process.working_dir,
        stop_grace_period: process.stop_grace_period,
        stop_signal: process.stop_signal,
        shm_size: field(r, node, "shm_size", limits::size),
        init: process.init,
        tty: flag(r, node, "tty"),
        stdin_open: flag(r, node, "stdin_open"),
        runtime: field(r, node, "runtime", Reader::some_text),
        userns_mode: chosen(r, node, "userns_mode"),
        profiles: profiles(r, node),
        machine,
    };
    conflicts::check(r, node, &service);
    Some(service)
}

/// Reads a field where it is there.
pub(super) fn field<'a, T>(
    r: &mut Reader<'a>,
    node: &Node,
    key: &str,
    read: impl FnOnce(&mut Reader<'a>, &Node, &str) -> Option<T>,
) -> Option<T> {
    node.get(key).and_then(|value| read(r, value, key))
}

/// Reads a field that is a list; empty where it is not there.
pub(super) fn list<'a, T>(
    r: &mut Reader<'a>,
    node: &Node,
    key: &str,
    read: impl FnOnce(&mut Reader<'a>, &Node, &str) -> Vec<T>,
) -> Vec<T> {
    node.get(key).map(|value| read(r, value, key)).unwrap_or_default()
}

/// Reads a switch that is off where it is not there.
pub(super) fn flag(r: &mut Reader<'_>, node: &Node, key: &str) -> bool {
    field(r, node, key, Reader::boolean).unwrap_or(false)
}

/// Where a key stands, for diagnostics about a value that was read before.
pub(super) fn place(node: &Node, key: &str) -> Span {
    node.entry(key).map_or(node.span, |entry| entry.key_span)
}

/// Reads labels of a service, an image, a network or a volume.
pub(super) fn labels(r: &mut Reader<'_>, node: &Node, key: &str) -> Vec<(String, String)> {
    let pairs = node.get(key).map(|value| r.pairs(value, key)).unwrap_or_default();
    for pair in &pairs {
        check_label(r, &pair.name, pair.value.as_deref(), pair.span);
    }
    pairs.into_iter().map(|pair| (pair.name, pair.value.unwrap_or_default())).collect()
}

/// Says what is wrong with one label.
pub(super) fn check_label(r: &mut Reader<'_>, name: &str, value: Option<&str>, span: Span) {
    if name.is_empty() {
        r.error("a label needs a name", span);
    } else if let Some(prefix) =
        [RESERVED_PREFIX, "com.docker.compose."].into_iter().find(|prefix| name.starts_with(prefix))
    {
        r.push(
            Diagnostic::error(format!("the label `{name}` has a reserved prefix"), span)
                .help(format!("names that begin with `{prefix}` are written by the tool itself")),
        );
    }
    if value.is_some_and(|value| value.len() > 65_536) {
        r.error(format!("the label `{name}` is longer than 64 KiB"), span);
    }
}

fn container_name(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<String> {
    let text = r.text(node, key)?;
    if !name::is_object(&text) {
        r.push(
            Diagnostic::error(format!("{text:?} cannot be a container's name"), node.span)
                .help("two characters at least: a letter or a digit, then letters, digits, `_`, `.` and `-`"),
        );
        return None;
    }
    Some(text)
}

/// Compose takes any host name and leaves it to the kernel; systemd would refuse it and go by `localhost`.
fn hostname(r: &mut Reader<'_>, entry: &Entry, is_machine: bool) -> Option<String> {
    let given = field(r, &entry.value, "hostname", Reader::some_text);
    let (text, span) = match &given {
        Some(text) => (text.as_str(), place(&entry.value, "hostname")),
        None if is_machine => (&*entry.key, entry.key_span),
        None => return None,
    };
    if let Some(why) = name::host_fault(text) {
        let what = format!("{text:?} cannot be a host name: {why}");
        r.push(if given.is_none() {
            Diagnostic::error(what, span).help("give the service a `hostname:`")
        } else if is_machine {
            Diagnostic::error(what, span)
        } else {
            Diagnostic::warning(what, span)
        });
    }
    given
}

/// A machine's unit files are put into its root before it starts, which engines refuse where the root is
/// read-only (moby, `daemon/archive_unix.go`).
fn read_only(r: &mut Reader<'_>, node: &Node, is_machine: bool) -> bool {
    let read_only = flag(r, node, "read_only");
    if read_only && is_machine {
        r.push(
            Diagnostic::error(
                "`read_only` cannot be given to a machine: its unit files are put into its root",
                place(node, "read_only"),
            )
            .help("`ProtectSystem=strict` in the units protects files from services (systemd.exec(5))"),
        );
    }
    read_only
}

fn expose(r: &mut Reader<'_>, node: &Node, key: &str) -> Vec<String> {
    let mut ports = Vec::new();
    for item in r.items(node, key) {
        let Some(port) = r.word(item, key) else { continue };
        let is_fraction = matches!(item.value, Value::Scalar { plain: true, .. })
            && port.parse::<f64>().is_ok_and(|number| number.fract() != 0.0);
        if is_fraction {
            r.error(format!("`{key}`: {port} is no port"), item.span);
        } else if exposed::ports(port).is_none() {
            r.push(
                Diagnostic::obstacle(format!("`{key}`: `{port}` is no port"), item.span)
                    .help("write PORT or FIRST-LAST, with /udp or /sctp where it is not tcp"),
            );
        }
        ports.push(port.to_owned());
    }
    ports
}

fn profiles(r: &mut Reader<'_>, node: &Node) -> Vec<String> {
    list(r, node, "profiles", |r, node, key| {
        let mut names = Vec::new();
        for item in r.items(node, key) {
            let Some(name) = r.text(item, key) else { continue };
            // Compose takes it, and knows no way to switch it on.
            if name.is_empty() {
                r.push(
                    Diagnostic::warning(format!("a name in `{key}` is empty"), item.span)
                        .help("no `--profile` can switch it on; take it away, or name the profile"),
                );
            }
            names.push(name);
        }
        names
    })
}
