//! How many and how much: replicas, limits of the cgroup and of processes, capabilities, devices, restarts.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::project::{Device, Limits, RestartPolicy, Ulimit, capability, device, name, quantity};
use crate::yaml::{Node, Value};

use super::options::chosen;
use super::reader::Reader;
use super::service::{field, flag, list, place};

mod blkio;
mod processor;

/// Most containers of one service.
const MOST_REPLICAS: i64 = 1000;

/// Reads the number of replicas, and the limits of the whole container.
pub(super) fn read(r: &mut Reader<'_>, node: &Node, is_machine: bool) -> (u32, Limits) {
    let deploy = node.get("deploy");
    if let Some(deploy) = deploy {
        r.entries_or_none(deploy, "deploy");
    }
    let resources = deploy.and_then(|deploy| deploy.get("resources"));
    let limit = resources.and_then(|resources| resources.get("limits"));
    let reserved = resources.and_then(|resources| resources.get("reservations"));
    let replicas = agreed(r, (node, "scale"), (deploy, "replicas"), "deploy.replicas", |r, node, key| {
        r.integer(node, key, 0..=MOST_REPLICAS)
    });
    let limits = Limits {
        memory: agreed(r, (node, "mem_limit"), (limit, "memory"), "deploy.resources.limits.memory", size)
            .filter(|bytes| *bytes != 0),
        memory_reservation: agreed(
            r,
            (node, "mem_reservation"),
            (reserved, "memory"),
            "deploy.resources.reservations.memory",
            size,
        )
        .filter(|bytes| *bytes != 0),
        memory_swap: field(r, node, "memswap_limit", signed).filter(|bytes| *bytes != 0),
        swappiness: field(r, node, "mem_swappiness", signed).filter(|percent| *percent != 0),
        oom_kill_disable: flag(r, node, "oom_kill_disable"),
        oom_score_adj: field(r, node, "oom_score_adj", |r, node, key| r.integer(node, key, -1000..=1000))
            .filter(|score| *score != 0),
        nano_cpus: agreed(r, (node, "cpus"), (limit, "cpus"), "deploy.resources.limits.cpus", cpus)
            .filter(|share| *share != 0),
        cpu: processor::read(r, node),
        pids: agreed(
            r,
            (node, "pids_limit"),
            (limit, "pids"),
            "deploy.resources.limits.pids",
            |r, node, key| r.integer(node, key, -1..=i64::from(i32::MAX)),
        )
        .filter(|count| *count != 0),
        blkio: field(r, node, "blkio_config", |r, node, key| Some(blkio::read(r, node, key))),
        parent: cgroup_parent(r, node, is_machine),
    };
    (replicas.and_then(|replicas| u32::try_from(replicas).ok()).unwrap_or(1), limits)
}

/// One value that can be given in two places, which must then agree.
fn agreed<'a, T: PartialEq>(
    r: &mut Reader<'a>,
    (node, short): (&Node, &str),
    (deploy, long): (Option<&Node>, &str),
    long_path: &str,
    read: impl Fn(&mut Reader<'a>, &Node, &str) -> Option<T>,
) -> Option<T> {
    let one = field(r, node, short, &read);
    let other = deploy.and_then(|deploy| field(r, deploy, long, &read));
    if let (Some(a), Some(b), Some(deploy)) = (&one, &other, deploy)
        && a != b
    {
        r.push(
            Diagnostic::error(format!("`{short}` and `{long_path}` must agree"), place(node, short))
                .also(place(deploy, long), "says something else")
                .help("give one of them"),
        );
    }
    one.or(other)
}

/// Reads a number of bytes.
pub(super) fn size(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<u64> {
    let text = r.word(node, key)?;
    match quantity::bytes(text) {
        Ok(size) => Some(size),
        Err(why) => {
            r.error(format!("`{key}` is not a size: {why}"), node.span);
            None
        }
    }
}

/// Reads a number of bytes of which a negative one means that there is no bound.
fn signed(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<i64> {
    let text = r.word(node, key)?;
    if let Some(number) = text.strip_prefix('-').and_then(|digits| digits.parse::<i64>().ok()) {
        return Some(-number);
    }
    size(r, node, key).and_then(|bytes| i64::try_from(bytes).ok())
}

fn cgroup_parent(r: &mut Reader<'_>, node: &Node, is_machine: bool) -> Option<String> {
    let parent = chosen(r, node, "cgroup_parent")?;
    if is_machine {
        r.push(
            Diagnostic::error("`cgroup_parent` cannot be given to a machine", place(node, "cgroup_parent"))
                .help("take it away: `systemd.privilege` decides where the machine's cgroup hangs"),
        );
    }
    Some(parent)
}

fn cpus(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<u64> {
    let text = r.word(node, key)?;
    // No bound, as in Compose.
    if text.bytes().any(|b| b == b'0') && text.bytes().all(|b| matches!(b, b'0' | b'.')) {
        return Some(0);
    }
    match quantity::cpus(text) {
        Ok(cpus) => Some(cpus),
        Err(why) => {
            r.error(format!("`{key}`: {why}"), node.span);
            None
        }
    }
}

/// Reads `cap_add` or `cap_drop` into upper case without `CAP_`, each name once.
pub(super) fn capabilities(r: &mut Reader<'_>, node: &Node, key: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let items = node.get(key).map(|node| r.items(node, key)).unwrap_or_default();
    for item in items {
        let Some(text) = r.some_text(item, key) else { continue };
        let name = capability::canonical(&text);
        if !capability::is_known(&name) {
            let mut diagnostic =
                Diagnostic::warning(format!("`{text}` is no capability that Linux has"), item.span);
            if let Some(near) = name::nearest(&name, capability::NAMES) {
                diagnostic = diagnostic.help(format!("did you mean `{near}`?")).suggest(item.span, near);
            }
            r.push(diagnostic);
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Reads `devices` in both forms.
pub(super) fn devices(r: &mut Reader<'_>, node: &Node) -> Vec<Device> {
    let items = node.get("devices").map(|node| r.items(node, "devices")).unwrap_or_default();
    items.iter().filter_map(|item| one_device(r, item)).collect()
}

fn one_device(r: &mut Reader<'_>, node: &Node) -> Option<Device> {
    let read = if let Value::Mapping(_) = node.value {
        let source = field(r, node, "source", Reader::some_text);
        let Some(source) = source else {
            if node.get("source").is_none() {
                r.error("a device needs a `source`", node.span);
            }
            return None;
        };
        let target = field(r, node, "target", Reader::some_text).unwrap_or_else(|| source.clone());
        let permissions =
            field(r, node, "permissions", Reader::some_text).unwrap_or_else(|| "rwm".to_owned());
        device::permissions(&permissions).map(|()| Device { source, target, permissions })
    } else {
        device::parse(&r.some_text(node, "devices")?)
    };
    match read {
        Ok(device) => Some(device),
        Err(why) => {
            r.error(format!("`devices`: {why}"), node.span);
            None
        }
    }
}

/// Reads `sysctls` in both forms.
pub(super) fn sysctls(r: &mut Reader<'_>, node: &Node) -> BTreeMap<String, String> {
    let pairs = list(r, node, "sysctls", Reader::pairs);
    for pair in &pairs {
        let good = pair.name.contains(['.', '/'])
            && pair.name.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
        if !good {
            r.push(Diagnostic::warning(
                format!("`{}` is no kernel parameter such as net.core.somaxconn", pair.name),
                pair.span,
            ));
        }
    }
    pairs.into_iter().map(|pair| (pair.name, pair.value.unwrap_or_default())).collect()
}

/// Reads `ulimits`: one number, or `soft` and `hard`.
pub(super) fn ulimits(r: &mut Reader<'_>, node: &Node) -> BTreeMap<String, Ulimit> {
    let mut limits = BTreeMap::new();
    for entry in node.get("ulimits").map(|node| r.entries(node, "ulimits")).unwrap_or_default() {
        if !device::ULIMITS.contains(&&*entry.key) {
            // Compose takes any name of small letters, and leaves it to the engine.
            let what = format!("`{}` is no resource limit", entry.key);
            let loads = entry.key.bytes().all(|byte| byte.is_ascii_lowercase());
            let mut diagnostic = if loads {
                Diagnostic::obstacle(what, entry.key_span)
            } else {
                Diagnostic::error(what, entry.key_span)
            };
            diagnostic = match name::nearest(&entry.key, device::ULIMITS) {
                Some(near) => {
                    diagnostic.help(format!("did you mean `{near}`?")).suggest(entry.key_span, near)
                }
                None => diagnostic.help(format!("there are {}", device::ULIMITS.join(", "))),
            };
            r.push(diagnostic);
        }
        let key = format!("ulimits.{}", entry.key);
        if let Some(limit) = ulimit(r, &entry.value, &key) {
            limits.insert(entry.key.to_string(), limit);
        }
    }
    limits
}

fn ulimit(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<Ulimit> {
    const BOUNDS: std::ops::RangeInclusive<i64> = -1..=i64::MAX;
    let limit = match &node.value {
        // What Compose prints of two limits of 0.
        Value::Mapping(entries) if entries.is_empty() => Ulimit { soft: 0, hard: 0 },
        Value::Mapping(_) => {
            let mut part = |part: &str| {
                let Some(node) = node.get(part) else {
                    r.error(format!("`{key}` needs `soft` and `hard`"), node.span);
                    return None;
                };
                r.integer(node, &format!("{key}.{part}"), BOUNDS)
            };
            Ulimit { soft: part("soft")?, hard: part("hard")? }
        }
        Value::Null | Value::Scalar { .. } | Value::Sequence(_) => {
            let both = r.integer(node, key, BOUNDS)?;
            Ulimit { soft: both, hard: both }
        }
    };
    if limit.is_reversed() {
        r.push(
            Diagnostic::obstacle(format!("`{key}`: the soft limit is above the hard limit"), node.span)
                .help("no kernel takes that (setrlimit(2)); raise `hard`, or lower `soft`"),
        );
    }
    Some(limit)
}

/// Reads `deploy.restart_policy`, or `restart` where there is none (compose-spec, "deploy", `restart_policy`).
pub(super) fn restart(r: &mut Reader<'_>, node: &Node) -> RestartPolicy {
    let short = node
        .get("restart")
        .and_then(|node| r.text(node, "restart").map(|text| restart_word(r, node, &text)))
        .unwrap_or_default();
    let policy = node.get("deploy").and_then(|deploy| deploy.get("restart_policy"));
    policy.map_or(short, |policy| restart_policy(r, policy))
}

fn restart_policy(r: &mut Reader<'_>, policy: &Node) -> RestartPolicy {
    let condition = field(r, policy, "condition", Reader::some_text);
    let attempts =
        field(r, policy, "max_attempts", |r, node, key| r.integer(node, key, 0..=i64::from(u32::MAX)));
    match condition.as_deref() {
        Some("none" | "no") => RestartPolicy::No,
        Some("unless-stopped") => RestartPolicy::UnlessStopped,
        Some("on-failure") => {
            RestartPolicy::OnFailure { max: attempts.and_then(|max| u32::try_from(max).ok()).unwrap_or(0) }
        }
        None | Some("any" | "always") => RestartPolicy::Always,
        Some(other) => {
            r.push(
                Diagnostic::obstacle(
                    format!("`{other}` is no condition for restarts"),
                    place(policy, "condition"),
                )
                .help("there are `none`, `on-failure` and `any`"),
            );
            RestartPolicy::Unknown(other.to_owned())
        }
    }
}

/// Compose takes any text, and leaves it to the engine.
fn restart_word(r: &mut Reader<'_>, node: &Node, text: &str) -> RestartPolicy {
    let on_failure = |count: &str| count.parse().ok().map(|max| RestartPolicy::OnFailure { max });
    let policy = match text {
        "no" | "" => Some(RestartPolicy::No),
        "always" => Some(RestartPolicy::Always),
        "unless-stopped" => Some(RestartPolicy::UnlessStopped),
        "on-failure" => Some(RestartPolicy::OnFailure { max: 0 }),
        other => other.strip_prefix("on-failure:").and_then(on_failure),
    };
    if policy.is_none() {
        const WORDS: [&str; 4] = ["no", "always", "on-failure", "unless-stopped"];
        let mut diagnostic = Diagnostic::obstacle(format!("`{text}` is no restart policy"), node.span);
        if let Some(near) = name::nearest(text, WORDS) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?")).suggest(node.span, near);
        }
        r.push(diagnostic.help("there are \"no\", always, on-failure, on-failure:COUNT and unless-stopped"));
    }
    policy.unwrap_or_else(|| RestartPolicy::Unknown(text.to_owned()))
}
