//! `depends_on:` in both forms, and what other keys imply.

use indexmap::IndexMap;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::project::{Dependency, DependencyCondition, Links, Namespaces, NetworkChoice, VolumesFrom};
use crate::systemd::UnitName;
use crate::yaml::{Entry, Node, Value};

use super::Scope;
use super::machine::startable;
use super::reader::Reader;
use super::service::{field, flag, place};

/// The conditions that there are, for help.
const CONDITIONS: [&str; 5] =
    ["service_started", "service_healthy", "service_completed_successfully", "service_ready", "unit_active"];

/// The keys of a service that imply a dependency.
#[derive(Clone, Copy)]
pub(super) struct Implied<'s> {
    pub(super) network: &'s NetworkChoice,
    pub(super) namespaces: &'s Namespaces,
    pub(super) links: &'s Links,
}

impl<'s> Implied<'s> {
    /// The implied dependencies: by which key, on which service, and whether this one restarts with it (as in
    /// compose-go, `loader/normalize.go`). What comes first decides.
    pub(super) fn all(self) -> impl Iterator<Item = (&'static str, &'s str, bool)> {
        let network = match self.network {
            NetworkChoice::Service(other) => Some(("network_mode", other.as_str(), true)),
            NetworkChoice::Join(_) | NetworkChoice::Mode(_) | NetworkChoice::Container(_) => None,
        };
        let namespaces = self.namespaces.services().map(|(key, other)| (key, other, true));
        let links = self.links.services.iter().map(|link| ("links", link.target.as_str(), true));
        let volumes = self.links.volumes_from.iter().filter_map(VolumesFrom::service);
        network
            .into_iter()
            .chain(namespaces)
            .chain(links)
            .chain(volumes.map(|other| ("volumes_from", other, false)))
    }
}

/// Reads what must hold of other services before this one starts.
pub(super) fn read(
    r: &mut Reader<'_>,
    entry: &Entry,
    scope: &Scope<'_>,
    implied: Implied<'_>,
) -> IndexMap<String, Dependency> {
    let mut all = IndexMap::new();
    if let Some(node) = entry.value.get("depends_on") {
        written(r, entry, node, scope, &mut all);
    }
    for (key, other, restart) in implied.all() {
        let span = place(&entry.value, key);
        if exists(r, &entry.key, other, span, scope) {
            all.entry(other.to_owned()).or_insert(Dependency {
                condition: DependencyCondition::Started,
                restart,
                required: true,
            });
        }
    }
    all
}

fn written(
    r: &mut Reader<'_>,
    entry: &Entry,
    node: &Node,
    scope: &Scope<'_>,
    all: &mut IndexMap<String, Dependency>,
) {
    match &node.value {
        Value::Sequence(items) => {
            for item in items {
                let Some(other) = r.text(item, "depends_on") else { continue };
                if exists(r, &entry.key, &other, item.span, scope) {
                    let dependency = short_form(&other, scope);
                    all.insert(other, dependency);
                }
            }
        }
        Value::Mapping(entries) => {
            for long in entries {
                // Both are looked at: a wrong name must not hide what is wrong below it.
                let exists = exists(r, &entry.key, &long.key, long.key_span, scope);
                if let Some(dependency) = long_form(r, long, scope).filter(|_| exists) {
                    all.insert(long.key.to_string(), dependency);
                }
            }
        }
        Value::Null | Value::Scalar { .. } => {
            r.wrong(node, "depends_on", "a list of services, or a mapping of services to conditions");
        }
    }
}

/// Whether a service of that name is in the manifest; says so where it is not.
fn exists(r: &mut Reader<'_>, own: &str, other: &str, span: Span, scope: &Scope<'_>) -> bool {
    if own == other {
        r.push(
            Diagnostic::error(format!("`{own}` depends on itself"), span)
                .coded(Code::Cycle)
                .help("take this entry away"),
        );
        return false;
    }
    if scope.services.contains_key(other) {
        return true;
    }
    let mut diagnostic =
        Diagnostic::error(format!("`{own}` depends on `{other}`, which is no service"), span)
            .coded(Code::UnknownName);
    let names = scope.names.iter().copied().filter(|name| *name != own);
    match r.nearest(other, names.clone()) {
        Some(near) => diagnostic = diagnostic.help(format!("did you mean `{near}`?")).suggest(span, near),
        None if scope.names.len() <= 12 => {
            diagnostic = diagnostic.help(format!("there are: {}", names.collect::<Vec<_>>().join(", ")));
        }
        None => {}
    }
    r.push(diagnostic);
    false
}

/// A machine is ready when it has booted; a plain container has no such moment, and is started.
fn short_form(other: &str, scope: &Scope<'_>) -> Dependency {
    let is_machine = scope.services.get(other).copied().unwrap_or(false);
    let condition = if is_machine { DependencyCondition::Ready } else { DependencyCondition::Started };
    Dependency { condition, restart: false, required: true }
}

fn long_form(r: &mut Reader<'_>, entry: &Entry, scope: &Scope<'_>) -> Option<Dependency> {
    let node = &entry.value;
    if node.is_listed() {
        return Some(short_form(&entry.key, scope));
    }
    if !matches!(node.value, Value::Mapping(_)) {
        r.wrong(node, &format!("depends_on.{}", entry.key), "a mapping with a `condition`");
        return None;
    }
    let Some(written) = node.get("condition") else {
        r.push(
            Diagnostic::error(format!("`depends_on.{}` needs a `condition`", entry.key), entry.key_span)
                .help(format!("there are {}", CONDITIONS.join(", "))),
        );
        return None;
    };
    let condition = condition(r, written, node, entry, scope)?;
    Some(Dependency {
        condition,
        restart: flag(r, node, "restart"),
        required: field(r, node, "required", Reader::boolean).unwrap_or(true),
    })
}

fn condition(
    r: &mut Reader<'_>,
    written: &Node,
    node: &Node,
    entry: &Entry,
    scope: &Scope<'_>,
) -> Option<DependencyCondition> {
    let text = r.text(written, "condition")?;
    let is_machine = scope.services.get(&*entry.key).copied();
    if text != "unit_active"
        && let Some(unit) = node.entry("unit")
    {
        r.push(
            Diagnostic::error(format!("`unit` means nothing with `condition: {text}`"), unit.key_span)
                .help("write `condition: unit_active` to wait for the unit"),
        );
    }
    let condition = match text.as_str() {
        "service_started" => DependencyCondition::Started,
        "service_healthy" => DependencyCondition::Healthy,
        "service_completed_successfully" => DependencyCondition::CompletedSuccessfully,
        "service_ready" => DependencyCondition::Ready,
        "unit_active" => DependencyCondition::UnitActive(unit(r, written, node)?),
        other => {
            let mut diagnostic = Diagnostic::error(format!("`{other}` is no condition"), written.span);
            if let Some(near) = r.nearest(other, CONDITIONS) {
                diagnostic = diagnostic.help(format!("did you mean `{near}`?")).suggest(written.span, near);
            }
            r.push(diagnostic.help(format!("there are {}", CONDITIONS.join(", "))));
            return None;
        }
    };
    let needs_systemd = match &condition {
        DependencyCondition::Ready | DependencyCondition::UnitActive(_) => true,
        DependencyCondition::Started
        | DependencyCondition::Healthy
        | DependencyCondition::CompletedSuccessfully => false,
    };
    if needs_systemd && is_machine == Some(false) {
        r.push(
            Diagnostic::error(
                format!("`{text}` needs a machine, and `{}` is a plain container without systemd", entry.key),
                written.span,
            )
            .help("use `service_started`, or `service_healthy` with a `healthcheck`"),
        );
        return None;
    }
    if is_machine == Some(true) && condition == DependencyCondition::CompletedSuccessfully {
        r.push(
            Diagnostic::warning(
                format!("`{}` is a machine: it completes only when it is powered off inside", entry.key),
                written.span,
            )
            .help("`unit_active` with a oneshot unit (RemainAfterExit=yes) waits for work inside"),
        );
    }
    Some(condition)
}

fn unit(r: &mut Reader<'_>, written: &Node, node: &Node) -> Option<UnitName> {
    let Some(unit) = node.get("unit") else {
        r.push(
            Diagnostic::error("`condition: unit_active` needs a `unit`", written.span)
                .help("{ condition: unit_active, unit: postgresql.service }"),
        );
        return None;
    };
    startable(r, unit, "unit")
}
