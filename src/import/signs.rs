//! By which signs a service of a compose file is known to run systemd.

use crate::manifest;
use crate::project::command_line;
use crate::yaml::{Node, Value};

/// From this weight on a service is taken for a machine.
const ENOUGH: i32 = 3;

/// Parts of image names that are made to run systemd: the test images of Ansible's community and the `init`
/// flavours of distributions.
const IMAGES: [&str; 8] =
    ["/systemd", "-systemd", "systemd-", "-ansible", "ansible-", "/ubi8-init", "/ubi9-init", "ubi10-init"];

/// What was found in one service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Signs {
    weight: i32,
    words: Vec<String>,
    says: bool,
}

impl Signs {
    /// Looks for signs in a service.
    pub(super) fn of(service: &Node) -> Self {
        let says = ["systemd", "x-systemd"].iter().any(|key| service.get(key).is_some());
        let mut signs = Self { says, ..Self::default() };
        signs.process(service);
        for volume in items(service, "volumes") {
            if mount_target(volume).as_deref().is_some_and(is_cgroup_root) {
                signs.add(3, "binds /sys/fs/cgroup");
            }
        }
        for path in texts(service, "tmpfs") {
            if matches!(path_of(&path), "/run" | "/run/lock" | "/sys/fs/cgroup") {
                signs.add(1, &format!("tmpfs {}", path_of(&path)));
            }
        }
        if text(service, "cgroup").is_some_and(|word| word == "host") {
            signs.add(1, "cgroup: host");
        }
        if text(service, "stop_signal").is_some_and(|signal| is_halt(&signal)) {
            signs.add(4, "stops by SIGRTMIN+3");
        }
        if text(service, "privileged").is_some_and(|word| word.eq_ignore_ascii_case("true")) {
            signs.add(1, "privileged");
        }
        if texts(service, "cap_add").iter().any(|name| is_admin(name)) {
            signs.add(1, "SYS_ADMIN");
        }
        if variable(service, "container").is_some() {
            signs.add(3, "tells systemd `container=`");
        }
        if text(service, "image").is_some_and(|image| IMAGES.iter().any(|part| image.contains(part))) {
            signs.add(2, "an image for systemd");
        }
        signs
    }

    fn process(&mut self, service: &Node) {
        let all: Vec<Vec<String>> = ["entrypoint", "command"]
            .iter()
            .map(|key| words(service, key))
            .filter(|it| !it.is_empty())
            .collect();
        match all.iter().find_map(|words| init_in(words)) {
            // A bare `init` may be any program's own word.
            Some("init") => self.add(2, "runs init"),
            Some(init) => self.add(4, &format!("runs {init}")),
            // A program of its own is most likely PID 1; but it may be a script that ends in systemd.
            None if !all.is_empty() => self.weight -= 2,
            None => {}
        }
    }

    fn add(&mut self, weight: i32, word: &str) {
        self.weight += weight;
        self.words.push(word.to_owned());
    }

    /// Whether the service runs systemd.
    pub(super) fn enough(&self) -> bool {
        !self.says && self.weight >= ENOUGH
    }

    /// Whether the service says by itself what it is.
    pub(super) fn says(&self) -> bool {
        self.says
    }

    /// The signs, in words.
    pub(super) fn words(&self) -> String {
        self.words.join(", ")
    }
}

/// Returns the path of systemd where an argument vector runs it, also by a shell.
pub(super) fn init_in(words: &[String]) -> Option<&str> {
    let first = words.first()?;
    if is_init(first) {
        return Some(first);
    }
    let shell = matches!(first.rsplit('/').next(), Some("sh" | "bash" | "ash" | "dash"));
    let script = words.iter().skip(1).find(|word| !word.starts_with('-')).filter(|_| shell)?;
    script.split([' ', ';', '&', '\n', '"', '\'']).find(|word| word.starts_with('/') && is_init(word))
}

/// Whether a word is the path of systemd. `/init` is not: it is the supervisor's of s6-overlay.
pub(super) fn is_init(word: &str) -> bool {
    matches!(
        word,
        "init"
            | "/sbin/init"
            | "/usr/sbin/init"
            | "/bin/init"
            | "/usr/bin/init"
            | "/lib/systemd/systemd"
            | "/usr/lib/systemd/systemd"
            | "/bin/systemd"
            | "/usr/bin/systemd"
            | "systemd"
    )
}

/// Whether a signal asks systemd to halt.
pub(super) fn is_halt(signal: &str) -> bool {
    matches!(signal.to_ascii_uppercase().as_str(), "SIGRTMIN+3" | "RTMIN+3" | "37")
}

/// Whether a capability is `SYS_ADMIN`, or all.
pub(super) fn is_admin(name: &str) -> bool {
    matches!(crate::project::capability::canonical(name).as_str(), "SYS_ADMIN" | "ALL")
}

fn is_cgroup_root(target: &str) -> bool {
    target == "/sys/fs/cgroup" || target.starts_with("/sys/fs/cgroup/")
}

/// A scalar's text with the defaults of its variables, since nobody's environment counts here.
pub(super) fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::Scalar { text, .. } => {
            Some(manifest::expand(text, &|_| None).map_or_else(|_| text.to_string(), |it| it.text))
        }
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
    }
}

/// The text of a key.
pub(super) fn text(service: &Node, key: &str) -> Option<String> {
    service.get(key).and_then(scalar)
}

/// The items of a key: of a list, or the one scalar.
pub(super) fn items<'a>(service: &'a Node, key: &str) -> &'a [Node] {
    match service.get(key) {
        Some(Node { value: Value::Sequence(items), .. }) => items,
        Some(node @ Node { value: Value::Scalar { .. }, .. }) => std::slice::from_ref(node),
        Some(Node { value: Value::Null | Value::Mapping(_), .. }) | None => &[],
    }
}

/// The texts of a key.
pub(super) fn texts(service: &Node, key: &str) -> Vec<String> {
    items(service, key).iter().filter_map(scalar).collect()
}

/// A command as words.
pub(super) fn words(service: &Node, key: &str) -> Vec<String> {
    match service.get(key) {
        Some(node @ Node { value: Value::Scalar { .. }, .. }) => {
            let text = scalar(node).unwrap_or_default();
            command_line::split(&text).map_or_else(|_| vec![text], |line| line.words)
        }
        Some(_) | None => texts(service, key),
    }
}

/// A variable of `environment`, which is a mapping or a list.
pub(super) fn variable(service: &Node, name: &str) -> Option<String> {
    match &service.get("environment")?.value {
        Value::Mapping(entries) => {
            entries.iter().find(|entry| &*entry.key == name).and_then(|entry| scalar(&entry.value))
        }
        Value::Sequence(_) => texts(service, "environment").iter().find_map(|pair| {
            pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        }),
        Value::Null | Value::Scalar { .. } => None,
    }
}

/// The path inside of one entry of `volumes`, without slashes at its end.
pub(super) fn mount_target(volume: &Node) -> Option<String> {
    let target = match scalar(volume) {
        Some(text) => crate::project::mount::parse(&text).ok()?.target,
        None => text(volume, "target")?,
    };
    Some(crate::project::mount::clean(&target))
}

/// The path of one entry of `tmpfs`.
pub(super) fn path_of(tmpfs: &str) -> &str {
    let path = tmpfs.split(':').next().unwrap_or(tmpfs);
    if path.len() > 1 { path.trim_end_matches('/') } else { path }
}
