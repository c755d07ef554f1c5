//! What only the whole project can tell: cycles, names and ports used twice, switched-off services.

use std::collections::{BTreeSet, HashMap};

use crate::diagnostic::{Code, Diagnostic, Severity, Span};
use crate::graph::Graph;
use crate::project::{DependencyCondition, HealthTest, Identity, NetworkChoice, Ready};
use crate::systemd::UnitName;
use crate::yaml::{Entry, Node, Value};

use super::declared::place_of_name;
use super::dependency::Implied;
use super::reader::Reader;
use super::service::place;
use super::{Scope, Written};

mod ports;

/// Most containers of one project.
const MOST_CONTAINERS: u64 = 20_000;

/// Checks the services against each other. Dependencies on switched-off services that are not required are
/// taken away.
pub(super) fn all(
    r: &mut Reader<'_>,
    services: &mut [Written<'_>],
    scope: &Scope<'_>,
    disabled: &BTreeSet<String>,
) {
    switched_off(r, services, disabled);
    without_containers(r, services);
    impossible_conditions(r, services);
    never_ready(r, services);
    cycles(r, services);
    look_alikes(r, services);
    addresses(r, services);
    if replicas(r, services) {
        container_names(r, services, scope.project);
        ports::check(r, services);
    }
}

/// A profile that no service has is probably misspelled. Compose says nothing.
pub(super) fn profiles(r: &mut Reader<'_>, entries: &[&Entry], wanted: &[String]) {
    if wanted.is_empty() {
        return;
    }
    let known: BTreeSet<&str> = entries
        .iter()
        .filter_map(|entry| entry.value.get("profiles"))
        .flat_map(|node| match &node.value {
            Value::Sequence(items) => items.as_slice(),
            Value::Null | Value::Scalar { .. } | Value::Mapping(_) => &[],
        })
        .filter_map(|item| match &item.value {
            Value::Scalar { text, .. } => Some(&**text),
            Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
        })
        .collect();
    for profile in wanted.iter().filter(|profile| *profile != "*" && !known.contains(profile.as_str())) {
        let mut diagnostic =
            Diagnostic::placeless(format!("no service has the profile `{profile}`")).coded(Code::UnknownName);
        diagnostic.severity = Severity::Warning;
        if let Some(near) = r.nearest(profile, known.iter().copied()) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        } else if !known.is_empty() && known.len() <= 12 {
            let known: Vec<&str> = known.iter().copied().collect();
            diagnostic = diagnostic.help(format!("there are: {}", known.join(", ")));
        }
        r.push(diagnostic);
    }
}

/// A fixed address on a network belongs to one container.
fn addresses(r: &mut Reader<'_>, services: &[Written<'_>]) {
    let mut taken: HashMap<(&str, &str), &Written<'_>> = HashMap::new();
    for written in services {
        let NetworkChoice::Join(joined) = &written.service.network else { continue };
        for (network, how) in joined {
            for address in [&how.ipv4_address, &how.ipv6_address].into_iter().flatten() {
                let span = place(&written.entry.value, "networks");
                if written.service.replicas > 1 {
                    r.push(
                        Diagnostic::obstacle(
                            format!(
                                "{} containers cannot share the address {address}",
                                written.service.replicas
                            ),
                            span,
                        )
                        .coded(Code::Conflict)
                        .help("take the fixed address away, or run one replica"),
                    );
                }
                if let Some(first) = taken.insert((network, address), written) {
                    r.push(
                        Diagnostic::obstacle(
                            format!(
                                "{address} on `{network}` is given to `{}` and `{}`",
                                first.entry.key, written.entry.key
                            ),
                            span,
                        )
                        .coded(Code::Conflict)
                        .also(place(&first.entry.value, "networks"), "given here first"),
                    );
                }
            }
        }
    }
}

/// The place of one edge of `depends_on`, or of the key that implies it.
fn edge(written: &Written<'_>, other: &str) -> Span {
    let Written { entry, service } = written;
    let node = &entry.value;
    let implied =
        Implied { network: &service.network, namespaces: &service.namespaces, links: &service.links };
    let key = implied.all().find(|(_, service, _)| *service == other).map(|(key, _, _)| key);
    match (node.get("depends_on").filter(|depends_on| names(depends_on, other)), key) {
        (Some(depends_on), _) => place_of_name(depends_on, other),
        (None, Some(key)) => place(node, key),
        (None, None) => place(node, "depends_on"),
    }
}

/// Whether `depends_on` names a service, in either form.
fn names(depends_on: &Node, other: &str) -> bool {
    match &depends_on.value {
        Value::Mapping(entries) => entries.iter().any(|entry| &*entry.key == other),
        Value::Sequence(items) => {
            items.iter().any(|item| matches!(&item.value, Value::Scalar { text, .. } if &**text == other))
        }
        Value::Null | Value::Scalar { .. } => false,
    }
}

fn switched_off(r: &mut Reader<'_>, services: &mut [Written<'_>], disabled: &BTreeSet<String>) {
    for written in services {
        let off: Vec<String> =
            written.service.depends_on.keys().filter(|name| disabled.contains(*name)).cloned().collect();
        for other in off {
            let required =
                written.service.depends_on.get(&other).is_some_and(|dependency| dependency.required);
            if required {
                r.push(
                    Diagnostic::error(
                        format!("`{}` depends on `{other}`, whose profile is not active", written.entry.key),
                        edge(written, &other),
                    )
                    .help("switch the profile on with `--profile`, or write `required: false`"),
                );
            }
            written.service.depends_on.shift_remove(&other);
        }
    }
}

/// A service of no containers never starts. Compose loads it, and `--scale` may still give it some; planning
/// refuses to wait for it.
fn without_containers(r: &mut Reader<'_>, services: &[Written<'_>]) {
    let none: BTreeSet<&str> =
        services.iter().filter(|it| it.service.replicas == 0).map(|it| it.service.name.as_str()).collect();
    for written in services.iter().filter(|written| written.service.replicas > 0) {
        for (other, how) in &written.service.depends_on {
            if how.required && none.contains(other.as_str()) {
                r.push(
                    Diagnostic::obstacle(
                        format!("`{}` depends on `{other}`, which has 0 replicas", written.entry.key),
                        edge(written, other),
                    )
                    .help("give it a replica, or write `required: false`"),
                );
            }
        }
    }
}

/// Conditions that would be waited for until the time is up, whatever happens.
fn impossible_conditions(r: &mut Reader<'_>, services: &[Written<'_>]) {
    let all: HashMap<&str, &Written<'_>> = services.iter().map(|it| (it.service.name.as_str(), it)).collect();
    for written in services {
        for (name, how) in &written.service.depends_on {
            let Some(other) = all.get(name.as_str()) else { continue };
            let found = match &how.condition {
                DependencyCondition::Healthy => without_check(other),
                DependencyCondition::UnitActive(unit) => {
                    is_masked(other, unit).then(|| (format!("`{unit}` is masked in `{name}`"), "systemd"))
                }
                DependencyCondition::Started
                | DependencyCondition::CompletedSuccessfully
                | DependencyCondition::Ready => None,
            };
            if let Some((why, key)) = found {
                r.push(
                    Diagnostic::obstacle(
                        format!("`{}` would wait for ever: {why}", written.entry.key),
                        edge(written, name),
                    )
                    .coded(Code::Unit)
                    .also(place(&other.entry.value, key), "by this"),
                );
            }
        }
    }
}

fn without_check(other: &Written<'_>) -> Option<(String, &'static str)> {
    let check = other.service.healthcheck.as_ref()?;
    (check.test == HealthTest::Disabled)
        .then(|| (format!("the health check of `{}` is switched off", other.entry.key), "healthcheck"))
}

fn is_masked(written: &Written<'_>, unit: &UnitName) -> bool {
    written.service.machine.as_ref().is_some_and(|machine| {
        machine.mask.contains(unit) || machine.units.get(unit).is_some_and(|file| file.mask)
    })
}

/// A machine that masks what it boots to, or what its readiness waits for.
fn never_ready(r: &mut Reader<'_>, services: &[Written<'_>]) {
    for written in services {
        let Some(machine) = &written.service.machine else { continue };
        let ready: &[UnitName] = match &machine.ready {
            Ready::Units(units) => units,
            Ready::Running | Ready::Degraded => &[],
        };
        let span = place(&written.entry.value, "systemd");
        if is_masked(written, &machine.target) {
            r.push(
                Diagnostic::error(
                    format!("`{}` is masked, and the machine boots to it", machine.target),
                    span,
                )
                .coded(Code::Unit)
                .help("take it from `systemd.mask`, or give another `systemd.target`"),
            );
        }
        for unit in ready.iter().filter(|unit| is_masked(written, unit)) {
            r.push(
                Diagnostic::error(format!("`{unit}` is masked, and `systemd.ready` waits for it"), span)
                    .coded(Code::Unit)
                    .help("a masked unit never starts; take one of them away"),
            );
        }
    }
}

fn cycles(r: &mut Reader<'_>, services: &[Written<'_>]) {
    let graph = Graph::new(
        services
            .iter()
            .map(|written| (&*written.entry.key, written.service.depends_on.keys().map(String::as_str))),
    );
    for cycle in graph.cycles() {
        let names: Vec<&str> = cycle.iter().chain(cycle.first()).map(|number| graph.name(*number)).collect();
        let mut diagnostic: Option<Diagnostic> = None;
        for pair in names.windows(2) {
            let [own, other] = pair else { continue };
            let Some(written) = graph.number(own).and_then(|number| services.get(number)) else { continue };
            let (span, text) = (edge(written, other), format!("`{own}` waits for `{other}`"));
            diagnostic = Some(match diagnostic {
                None => Diagnostic::error(format!("services wait for each other: {}", path(&names)), span)
                    .coded(Code::Cycle)
                    .marked(text),
                Some(diagnostic) => diagnostic.also(span, text),
            });
        }
        if let Some(diagnostic) = diagnostic {
            r.push(diagnostic.help("take one of these dependencies away"));
        }
    }
}

/// A path of names, shortened in the middle where it is long.
fn path(names: &[&str]) -> String {
    const ENDS: usize = 6;
    if names.len() <= 2 * ENDS {
        return names.join(" → ");
    }
    let (first, last) =
        (names.get(..ENDS).unwrap_or(names), names.get(names.len() - ENDS..).unwrap_or(names));
    format!("{} → ({} more) → {}", first.join(" → "), names.len() - 2 * ENDS, last.join(" → "))
}

/// Fixed names, and names that are made of project, service and number, must all differ.
fn container_names(r: &mut Reader<'_>, services: &[Written<'_>], project: &str) {
    let mut fixed: HashMap<&str, &Written<'_>> = HashMap::new();
    for written in services {
        let Some(name) = written.service.container_name.as_deref() else { continue };
        let span = place(&written.entry.value, "container_name");
        if written.service.replicas > 1 {
            r.push(
                Diagnostic::error(
                    format!("{} containers cannot all be named `{name}`", written.service.replicas),
                    span,
                )
                .coded(Code::Conflict)
                .help("take `container_name` away, or run one replica"),
            );
        }
        if let Some(first) = fixed.insert(name, written) {
            r.push(
                Diagnostic::error(format!("the container name `{name}` is used twice"), span)
                    .coded(Code::Conflict)
                    .also(place(&first.entry.value, "container_name"), "used here first"),
            );
        }
    }
    if fixed.is_empty() {
        return;
    }
    for written in services.iter().filter(|written| written.service.container_name.is_none()) {
        for index in 1..=written.service.replicas {
            let made = format!("{project}-{}-{index}", written.entry.key);
            if let Some(other) = fixed.get(made.as_str()) {
                r.push(
                    Diagnostic::obstacle(
                        format!("the container name `{made}` is that of service `{}`", written.entry.key),
                        place(&other.entry.value, "container_name"),
                    )
                    .coded(Code::Conflict)
                    .also(written.entry.key_span, "made of project, service and number"),
                );
            }
        }
    }
}

/// Names that differ only in case are one name in DNS.
fn look_alikes(r: &mut Reader<'_>, services: &[Written<'_>]) {
    let mut seen: HashMap<String, &Written<'_>> = HashMap::new();
    for written in services {
        if let Some(first) = seen.insert(written.entry.key.to_lowercase(), written) {
            let what = format!("`{}` and `{}` are one name on a network", first.entry.key, written.entry.key);
            r.push(
                Diagnostic::warning(what, written.entry.key_span)
                    .coded(Code::Conflict)
                    .also(first.entry.key_span, "the other one")
                    .help("names of hosts do not tell upper from lower case"),
            );
        }
    }
}

/// Whether the number of containers is one that can be looked at further.
fn replicas(r: &mut Reader<'_>, services: &[Written<'_>]) -> bool {
    let total: u64 = services.iter().map(|written| u64::from(written.service.replicas)).sum();
    if total > MOST_CONTAINERS {
        r.push(
            Diagnostic::placeless(format!(
                "{total} containers in all; a project has at most {MOST_CONTAINERS}"
            ))
            .coded(Code::Limit),
        );
        return false;
    }
    for written in services.iter().filter(|written| written.service.replicas > 1) {
        if let Some(machine) = &written.service.machine
            && matches!(machine.identity, Identity::Fixed(_))
        {
            r.push(
                Diagnostic::error(
                    format!("{} machines cannot share one `systemd.identity`", written.service.replicas),
                    written.entry.key_span,
                )
                .coded(Code::Conflict)
                .help("leave `identity` out: each replica then gets its own, stable one"),
            );
        }
    }
    true
}
