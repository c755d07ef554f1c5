//! One service as `config` prints it.

use serde_json::{Map, Value as Json, json};

use crate::manifest::Dialect;
use crate::project::{
    Dependency, DependencyCondition, Device, HealthTest, Healthcheck, ImageSource, Limits, PullPolicy,
    RestartPolicy, Service, Ulimit, quantity, resolve,
};
use crate::yaml::{Node, Value};

use super::{
    build, files, lifecycle, machine, network, plain, put, put_filled, put_set, settings, storage,
    systemd_key,
};

/// Shows one service of a project. Where the language has two spellings of one thing (`scale` and
/// `deploy.replicas`, a default that is written out), the one that was written is kept, as Compose keeps it.
pub(super) fn show(service: &Service, written: Option<&Node>, project: &str, dialect: Dialect) -> Json {
    let mut shown = Map::new();
    let written = Written(written);
    identity(&mut shown, service, written, project);
    process(&mut shown, service, written);
    wiring(&mut shown, service);
    resources(&mut shown, service, written);
    settings::show(&mut shown, service, written);
    lifecycle::show(&mut shown, service, written);
    deploy(&mut shown, service, written);
    let key = systemd_key(dialect);
    match (&service.machine, dialect) {
        (Some(machine), _) => {
            shown.insert(key.to_owned(), machine::show(machine));
        }
        (None, Dialect::Sdcompose) => {
            shown.insert(key.to_owned(), json!(false));
        }
        // In a compose file a service without the key is a plain one.
        (None, Dialect::Compose) => {}
    }
    Json::Object(shown)
}

/// A service as it was written, where it is known.
#[derive(Clone, Copy)]
pub(super) struct Written<'m>(Option<&'m Node>);

impl<'m> Written<'m> {
    /// What was written at a path of keys.
    pub(super) fn at(self, path: &[&str]) -> Option<&'m Node> {
        path.iter().try_fold(self.0?, |node, key| node.get(key))
    }

    /// Whether something was written there.
    pub(super) fn has(self, path: &[&str]) -> bool {
        self.at(path).is_some()
    }
}

fn identity(shown: &mut Map<String, Json>, service: &Service, written: Written<'_>, project: &str) {
    match &service.image {
        // A tool may stand for the service.
        ImageSource::Reference(reference) if reference.is_empty() => {}
        ImageSource::Reference(reference) => {
            shown.insert("image".to_owned(), json!(reference));
        }
        ImageSource::Build { tag, build: how } => {
            shown.insert("build".to_owned(), build::show(how, written.at(&["build"])));
            if *tag != resolve::default_tag(project, &service.name) {
                shown.insert("image".to_owned(), json!(tag));
            }
        }
    }
    put(shown, "pull_policy", pull_policy(service.pull_policy, written));
    put(shown, "container_name", service.container_name.as_ref());
    put(shown, "hostname", service.hostname.as_ref());
    put(shown, "domainname", service.domainname.as_ref());
    put_filled(shown, "labels", &service.labels, service.labels.is_empty());
    put_filled(shown, "profiles", &service.profiles, service.profiles.is_empty());
}

/// The policy as it was written, but for the word that Compose has another one for.
fn pull_policy(policy: PullPolicy, written: Written<'_>) -> Option<String> {
    if let Some(Value::Scalar { text, .. }) = written.at(&["pull_policy"]).map(|node| &node.value) {
        return Some(if &**text == "if_not_present" { "missing" } else { text }.to_owned());
    }
    match policy {
        PullPolicy::Missing => None,
        PullPolicy::Always => Some("always".to_owned()),
        PullPolicy::Never => Some("never".to_owned()),
        PullPolicy::Build => Some("build".to_owned()),
        PullPolicy::Every(age) => Some(format!("every_{}s", age.as_secs())),
    }
}

fn process(shown: &mut Map<String, Json>, service: &Service, written: Written<'_>) {
    shown.insert("command".to_owned(), json!(service.command));
    shown.insert("entrypoint".to_owned(), json!(service.entrypoint));
    let mut environment: Map<String, Json> =
        service.environment.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    environment.extend(service.environment_unset.iter().map(|name| (name.clone(), Json::Null)));
    put_filled(shown, "environment", &environment, environment.is_empty());
    put(shown, "user", service.user.as_ref());
    put(shown, "working_dir", service.working_dir.as_ref());
    put(shown, "init", service.init);
    put_set(shown, "tty", service.tty);
    put_set(shown, "stdin_open", service.stdin_open);
    put(shown, "stop_signal", service.stop_signal.as_ref());
    let is_default = service.machine.is_none() && service.stop_grace_period == Service::GRACE;
    if !is_default || written.has(&["stop_grace_period"]) {
        let grace = quantity::print_duration(service.stop_grace_period);
        shown.insert("stop_grace_period".to_owned(), json!(grace));
    }
    put(shown, "restart", restart(&service.restart, written));
    put(shown, "healthcheck", service.healthcheck.as_ref().map(|check| healthcheck(check, written)));
}

/// The policy as it was written; `deploy` says it for itself.
fn restart(policy: &RestartPolicy, written: Written<'_>) -> Option<String> {
    if let Some(Value::Scalar { text, .. }) = written.at(&["restart"]).map(|node| &node.value) {
        return Some(text.to_string()).filter(|text| !text.is_empty());
    }
    if written.has(&["deploy", "restart_policy"]) {
        return None;
    }
    match policy {
        RestartPolicy::No => None,
        RestartPolicy::Always => Some("always".to_owned()),
        RestartPolicy::OnFailure { max: 0 } => Some("on-failure".to_owned()),
        RestartPolicy::OnFailure { max } => Some(format!("on-failure:{max}")),
        RestartPolicy::UnlessStopped => Some("unless-stopped".to_owned()),
        RestartPolicy::Unknown(word) => Some(word.clone()),
    }
}

fn healthcheck(check: &Healthcheck, written: Written<'_>) -> Json {
    let Healthcheck { test, interval, timeout, retries, start_period, start_interval } = check;
    let mut shown = Map::new();
    let list = written.at(&["healthcheck", "test"]).filter(|node| matches!(node.value, Value::Sequence(_)));
    if let Some(list) = list {
        // A list has one form already, and may hold more words than the check keeps.
        shown.insert("test".to_owned(), plain(list));
    }
    match test {
        HealthTest::Disabled => {
            put_set(&mut shown, "disable", list.is_none() || written.has(&["healthcheck", "disable"]));
        }
        HealthTest::Command(_) | HealthTest::Shell(_) if list.is_some() => {}
        HealthTest::Inherit => {}
        HealthTest::Command(words) => {
            let words: Vec<&str> = std::iter::once("CMD").chain(words.iter().map(String::as_str)).collect();
            shown.insert("test".to_owned(), json!(words));
        }
        HealthTest::Shell(line) => {
            shown.insert("test".to_owned(), json!(["CMD-SHELL", line]));
        }
    }
    for (key, time) in [
        ("interval", interval),
        ("timeout", timeout),
        ("start_period", start_period),
        ("start_interval", start_interval),
    ] {
        put(&mut shown, key, time.map(quantity::print_duration));
    }
    put(&mut shown, "retries", *retries);
    Json::Object(shown)
}

fn wiring(shown: &mut Map<String, Json>, service: &Service) {
    network::put_choice(shown, service);
    let depends_on: Map<String, Json> =
        service.depends_on.iter().map(|(name, how)| (name.clone(), dependency(how))).collect();
    put_filled(shown, "depends_on", &depends_on, depends_on.is_empty());
    storage::put_mounts(shown, service);
    files::put_references(shown, service);
    let hosts: Vec<String> =
        service.extra_hosts.iter().map(|(name, address)| format!("{name}={address}")).collect();
    put_filled(shown, "extra_hosts", &hosts, hosts.is_empty());
    let servers: Vec<String> = service.dns.iter().map(ToString::to_string).collect();
    put_filled(shown, "dns", &servers, servers.is_empty());
    put_filled(shown, "dns_search", &service.dns_search, service.dns_search.is_empty());
    put_filled(shown, "dns_opt", &service.dns_opt, service.dns_opt.is_empty());
}

fn dependency(dependency: &Dependency) -> Json {
    let Dependency { condition, restart, required } = dependency;
    let mut shown = Map::new();
    let word = match condition {
        DependencyCondition::Started => "service_started",
        DependencyCondition::Healthy => "service_healthy",
        DependencyCondition::CompletedSuccessfully => "service_completed_successfully",
        DependencyCondition::Ready => "service_ready",
        DependencyCondition::UnitActive(unit) => {
            shown.insert("unit".to_owned(), json!(unit));
            "unit_active"
        }
    };
    shown.insert("condition".to_owned(), json!(word));
    shown.insert("required".to_owned(), json!(required));
    put_set(&mut shown, "restart", *restart);
    Json::Object(shown)
}

fn resources(shown: &mut Map<String, Json>, service: &Service, written: Written<'_>) {
    for (key, names) in [("cap_add", &service.cap_add), ("cap_drop", &service.cap_drop)] {
        // As it was written: an engine knows a capability by several spellings.
        let spelled = written.at(&[key]).map_or_else(|| json!(names), plain);
        put_filled(shown, key, &spelled, names.is_empty());
    }
    let devices: Vec<Json> = service.devices.iter().map(device).collect();
    put_filled(shown, "devices", &devices, devices.is_empty());
    put_filled(shown, "sysctls", &service.sysctls, service.sysctls.is_empty());
    let ulimits: Map<String, Json> = service
        .ulimits
        .iter()
        .map(|(name, limit)| {
            let pair =
                written.at(&["ulimits", name]).is_some_and(|node| matches!(node.value, Value::Mapping(_)));
            (name.clone(), ulimit(*limit, pair))
        })
        .collect();
    put_filled(shown, "ulimits", &ulimits, ulimits.is_empty());
    for limit in limits(&service.limits) {
        if limit.value.is_some() && (written.has(&[limit.short]) || !written.has(&limit.long)) {
            put(shown, limit.short, limit.value);
        }
    }
    put(shown, "shm_size", service.shm_size.map(|bytes| bytes.to_string()));
    // A seccomp profile was read from its file; what was written names the file.
    match written.at(&["security_opt"]) {
        Some(list) => put(shown, "security_opt", Some(plain(list))),
        None => put_filled(shown, "security_opt", &service.security_opt, service.security_opt.is_empty()),
    }
    put_set(shown, "privileged", service.privileged);
    put_set(shown, "read_only", service.read_only);
    put(shown, "runtime", service.runtime.as_ref());
    put(shown, "userns_mode", service.userns_mode.as_ref());
}

fn device(device: &Device) -> Json {
    let Device { source, target, permissions } = device;
    json!({ "source": source, "target": target, "permissions": permissions })
}

/// One limit of the whole container, with its two places.
struct Limit {
    short: &'static str,
    long: [&'static str; 4],
    value: Option<Json>,
}

/// The limits that have two places; the others are shown with the settings.
fn limits(limits: &Limits) -> [Limit; 4] {
    let bytes = |bytes: u64| json!(bytes.to_string());
    let limit =
        |short, group, name, value| Limit { short, long: ["deploy", "resources", group, name], value };
    [
        limit("mem_limit", "limits", "memory", limits.memory.map(bytes)),
        limit("mem_reservation", "reservations", "memory", limits.memory_reservation.map(bytes)),
        limit("cpus", "limits", "cpus", limits.nano_cpus.map(cpus)),
        limit("pids_limit", "limits", "pids", limits.pids.map(Json::from)),
    ]
}

/// Shows `scale`, and `deploy` as it was written but for the values that are typed.
fn deploy(shown: &mut Map<String, Json>, service: &Service, written: Written<'_>) {
    let scale = written.has(&["scale"]);
    if scale {
        shown.insert("scale".to_owned(), json!(service.replicas));
    }
    let mut deploy = written.at(&["deploy"]).map_or(Json::Null, plain);
    let replicas = written.has(&["deploy", "replicas"]) || !scale && service.replicas != 1;
    if replicas {
        set(&mut deploy, &["replicas"], json!(service.replicas));
    }
    for Limit { long, value, .. } in limits(&service.limits) {
        if let (Some(value), true) = (value, written.has(&long)) {
            set(&mut deploy, long.get(1..).unwrap_or_default(), value);
        }
    }
    if let Some(devices) = settings::reserved(service) {
        set(&mut deploy, &["resources", "reservations", "devices"], devices);
    }
    if deploy.as_object().is_some_and(|deploy| !deploy.is_empty()) {
        shown.insert("deploy".to_owned(), deploy);
    }
}

/// Sets a value at a path of mappings, which are made where they are missing.
fn set(at: &mut Json, path: &[&str], value: Json) {
    match path.split_first() {
        None => *at = value,
        Some((key, rest)) => {
            if !at.is_object() {
                *at = json!({});
            }
            if let Some(entries) = at.as_object_mut() {
                set(entries.entry(*key).or_insert(Json::Null), rest, value);
            }
        }
    }
}

fn ulimit(Ulimit { soft, hard }: Ulimit, pair: bool) -> Json {
    if soft == hard && soft != 0 && !pair {
        return json!(soft);
    }
    // 0 is left out, as in Compose.
    let mut shown = Map::new();
    put(&mut shown, "soft", (soft != 0).then_some(soft));
    put(&mut shown, "hard", (hard != 0).then_some(hard));
    Json::Object(shown)
}

/// Billionths as the number that was written: whole numbers without a fraction.
fn cpus(nano: u64) -> Json {
    if nano.is_multiple_of(1_000_000_000) {
        return json!(nano / 1_000_000_000);
    }
    let text = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
    text.parse::<f64>().map_or_else(|_| json!(text), |value| json!(value))
}
