//! The `systemd:` key, merged over the top-level defaults.
//!
//! A field of the service wins over the same field of the defaults; lists (`args`, `features`, `enable`,
//! `mask`) and mappings by name (`units`, `credentials`, `journal`) are joined.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::Dialect;
use crate::project::{Feature, Identity, Machine, Privilege, ProfileName, Ready, name, quantity};
use crate::systemd::{UNIT_SUFFIXES, UnitName, UnitNameError};
use crate::yaml::{Entry, Node, Value};

use super::Scope;
use super::process::Process;
use super::reader::Reader;

mod credentials;
mod journal;
mod units;

pub(in crate::project) use journal::STORAGES;

/// The unit that a machine boots: `sysinit.target` would leave enabled services unstarted and /run/nologin
/// in place (systemd.special(7)).
const TARGET: &str = "multi-user.target";
/// How long a boot may take: the same time that systemd gives a unit (`DefaultTimeoutStartSec=`).
const BOOT_TIMEOUT: Duration = Duration::from_secs(90);

/// The levels of `--log-level=` (systemd(1)).
const LOG_LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
/// The targets of `--log-target=` (systemd(1)).
const LOG_TARGETS: [&str; 7] =
    ["console", "console-prefixed", "kmsg", "journal", "journal-or-kmsg", "auto", "null"];

/// Whether a service is a machine: in `sdcompose.yaml` unless it, or the top level, says `systemd: false`;
/// in a compose file only where it has the key.
pub(super) fn is_wanted(service: &Node, defaults: Option<&Node>, dialect: Dialect) -> bool {
    let word = |node: &Node| match &node.value {
        Value::Scalar { text, .. } => {
            !matches!(text.to_ascii_lowercase().as_str(), "false" | "no" | "off" | "n")
        }
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => true,
    };
    match service.get("systemd").or_else(|| service.get("x-systemd")) {
        Some(node) => word(node),
        None => match dialect {
            Dialect::Sdcompose => defaults.is_none_or(word),
            Dialect::Compose => false,
        },
    }
}

/// Checks the type of the top-level `systemd:`; its fields are read with each machine.
pub(super) fn check_defaults(r: &mut Reader<'_>, defaults: Option<&Node>) {
    if let Some(node) = defaults {
        check_type(r, node);
    }
}

fn check_type(r: &mut Reader<'_>, node: &Node) {
    match &node.value {
        Value::Mapping(_) | Value::Null => {}
        Value::Scalar { .. } => {
            r.boolean(node, "systemd");
        }
        Value::Sequence(_) => r.wrong(node, "systemd", "true, false or a mapping"),
    }
}

/// The mappings that speak about one machine, the defaults first.
struct Layers<'m> {
    nodes: Vec<&'m Node>,
    /// Where to point at when no layer has a field.
    place: Span,
}

impl<'m> Layers<'m> {
    /// The field of the last layer that has it.
    fn last(&self, key: &str) -> Option<&'m Node> {
        self.nodes.iter().rev().find_map(|node| node.get(key))
    }

    /// The fields of all layers that have it.
    fn all(&self, key: &str) -> impl Iterator<Item = &'m Node> {
        self.nodes.iter().filter_map(move |node| node.get(key))
    }

    /// Where the key of a field stands.
    fn place(&self, key: &str) -> Span {
        self.nodes.iter().rev().find_map(|node| node.entry(key)).map_or(self.place, |entry| entry.key_span)
    }
}

/// Reads what makes a service a machine.
pub(super) fn read(r: &mut Reader<'_>, entry: &Entry, scope: &Scope<'_>, process: &Process) -> Machine {
    let service = &entry.value;
    if let (Some(one), Some(other)) = (service.entry("systemd"), service.entry("x-systemd")) {
        r.push(
            Diagnostic::error("`systemd` and `x-systemd` are the same key", one.key_span)
                .also(other.key_span, "given again"),
        );
    }
    let own = service.get("systemd").or_else(|| service.get("x-systemd"));
    if let Some(node) = own {
        check_type(r, node);
    }
    let own_mapping = own.filter(|node| matches!(node.value, Value::Mapping(_)));
    let layers =
        Layers { nodes: scope.defaults.into_iter().chain(own_mapping).collect(), place: entry.key_span };
    let features = features(r, &layers);
    let privilege = privilege(r, &layers);
    refuse_unsafe(r, service, privilege, &features, &layers);
    let enable = units::names(r, &layers, "enable");
    let mask = units::names(r, &layers, "mask");
    units::refuse_both(r, &layers, &enable, &mask);
    Machine {
        target: target(r, &layers),
        init: init(r, &layers, process),
        args: args(r, &layers, process),
        log_level: word(r, &layers, "log_level", &LOG_LEVELS).unwrap_or_else(|| "info".to_owned()),
        log_target: word(r, &layers, "log_target", &LOG_TARGETS),
        privilege,
        features,
        enable,
        mask,
        mask_defaults: boolean(r, &layers, "mask_defaults").unwrap_or(true),
        units: units::read(r, &layers),
        environment_to_units: boolean(r, &layers, "environment_to_units").unwrap_or(true),
        credentials: credentials::read(r, &layers),
        ready: ready(r, &layers),
        boot_timeout: boot_timeout(r, &layers),
        journal: journal::read(r, &layers),
        identity: identity(r, &layers),
    }
}

/// Reads the name of a unit; a missing suffix is named with what was probably meant.
pub(super) fn unit_name(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<UnitName> {
    let text = r.some_text(node, key)?;
    checked_unit(r, &text, node.span)
}

fn checked_unit(r: &mut Reader<'_>, text: &str, span: Span) -> Option<UnitName> {
    match UnitName::parse(text) {
        Ok(unit) => Some(unit),
        Err(error) => {
            let mut diagnostic =
                Diagnostic::error(format!("{text:?} is not the name of a unit: {error}"), span);
            match &error {
                UnitNameError::NoSuffix(_) => {
                    let better = format!("{text}.service");
                    diagnostic = diagnostic.help(format!("did you mean `{better}`?")).suggest(span, better);
                }
                UnitNameError::UnknownSuffix { suffix } => {
                    let better = match name::nearest(suffix, UNIT_SUFFIXES) {
                        Some(near) => {
                            let stem = text.strip_suffix(suffix.as_str()).unwrap_or(text);
                            format!("{stem}{near}")
                        }
                        None => format!("{text}.service"),
                    };
                    diagnostic = diagnostic
                        .help(format!("did you mean `{better}`?"))
                        .help(format!("the kinds are: {}", UNIT_SUFFIXES.join(", ")))
                        .suggest(span, better);
                }
                UnitNameError::BadCharacter(_) => {
                    diagnostic = diagnostic.help("allowed are a-z A-Z 0-9 : - _ . \\ @");
                }
                UnitNameError::TooLong | UnitNameError::Empty => {}
            }
            r.push(diagnostic);
            None
        }
    }
}

fn boolean(r: &mut Reader<'_>, layers: &Layers<'_>, key: &str) -> Option<bool> {
    layers.last(key).and_then(|node| r.boolean(node, &format!("systemd.{key}")))
}

/// One word of a closed list.
fn word(r: &mut Reader<'_>, layers: &Layers<'_>, key: &str, words: &[&str]) -> Option<String> {
    let node = layers.last(key)?;
    let text = r.some_text(node, &format!("systemd.{key}"))?;
    if words.contains(&text.as_str()) {
        return Some(text);
    }
    unknown_word(r, node, &format!("systemd.{key}"), &text, words);
    None
}

/// Says that a word is none of a closed list.
fn unknown_word(r: &mut Reader<'_>, node: &Node, key: &str, text: &str, words: &[&str]) {
    let mut diagnostic = Diagnostic::error(format!("`{key}` cannot be `{text}`"), node.span);
    if let Some(near) = name::nearest(text, words.iter().copied()) {
        diagnostic = diagnostic.help(format!("did you mean `{near}`?")).suggest(node.span, near);
    }
    r.push(diagnostic.help(format!("there are: {}", words.join(", "))));
}

fn target(r: &mut Reader<'_>, layers: &Layers<'_>) -> UnitName {
    let given = layers.last("target").and_then(|node| {
        let unit = unit_name(r, node, "systemd.target")?;
        if unit.suffix() != "target" {
            r.push(
                Diagnostic::error(format!("`systemd.target` must be a target, found `{unit}`"), node.span)
                    .help("to start a unit at boot, put it under `systemd.enable`"),
            );
        }
        Some(unit)
    });
    given.unwrap_or_else(default_target)
}

/// Invariant: the constant is a unit's name, which a test holds it to.
fn default_target() -> UnitName {
    UnitName::parse(TARGET).unwrap_or_else(|error| unreachable!("{TARGET}: {error}"))
}

fn init(r: &mut Reader<'_>, layers: &Layers<'_>, process: &Process) -> Option<String> {
    let Some(node) = layers.last("init") else { return process.systemd.clone() };
    let text = r.some_text(node, "systemd.init")?;
    if !text.starts_with('/') {
        r.push(
            Diagnostic::error(format!("`systemd.init` must be an absolute path, found `{text}`"), node.span)
                .help("leave it out: systemd is found in the image"),
        );
        return None;
    }
    Some(text)
}

fn args(r: &mut Reader<'_>, layers: &Layers<'_>, process: &Process) -> Vec<String> {
    /// Arguments that have a field of their own.
    const FIELDS: [(&str, &str); 6] = [
        ("--unit=", "target"),
        ("systemd.unit=", "target"),
        ("--log-level=", "log_level"),
        ("systemd.log_level=", "log_level"),
        ("--log-target=", "log_target"),
        ("systemd.log_target=", "log_target"),
    ];
    let mut all = Vec::new();
    for node in layers.all("args") {
        for text in r.text_or_texts(node, "systemd.args") {
            if let Some((_, field)) = FIELDS.iter().find(|(start, _)| text.starts_with(start)) {
                r.push(
                    Diagnostic::error(format!("`{text}` has a field of its own"), node.span)
                        .help(format!("use `systemd.{field}`")),
                );
            }
            if text.starts_with("systemd.setenv=") || text.starts_with("systemd.set_credential=") {
                r.push(
                    Diagnostic::warning(format!("every user in the machine can read `{text}`"), node.span)
                        .help("PID 1's arguments are in /proc/1/cmdline; use `environment` or `systemd.credentials`"),
                );
            }
            all.push(text);
        }
    }
    all.extend(process.systemd_args.iter().cloned());
    all
}

fn privilege(r: &mut Reader<'_>, layers: &Layers<'_>) -> Privilege {
    let Some(node) = layers.last("privilege") else { return Privilege::Auto };
    let Some(text) = r.some_text(node, "systemd.privilege") else { return Privilege::Auto };
    if text == "auto" {
        return Privilege::Auto;
    }
    if let Some(profile) = ProfileName::parse(&text) {
        return Privilege::Fixed(profile);
    }
    let words: Vec<&str> = std::iter::once("auto").chain(ProfileName::ALL.map(ProfileName::as_str)).collect();
    unknown_word(r, node, "systemd.privilege", &text, &words);
    Privilege::Auto
}

fn features(r: &mut Reader<'_>, layers: &Layers<'_>) -> BTreeSet<Feature> {
    let mut all = BTreeSet::new();
    for node in layers.all("features") {
        let items = match &node.value {
            Value::Sequence(items) => items.as_slice(),
            Value::Null | Value::Scalar { .. } | Value::Mapping(_) => std::slice::from_ref(node),
        };
        for item in items {
            let Some(text) = r.some_text(item, "systemd.features") else { continue };
            match Feature::parse(&text) {
                Some(feature) => {
                    all.insert(feature);
                }
                None => unknown_word(r, item, "systemd.features", &text, &Feature::ALL.map(Feature::as_str)),
            }
        }
    }
    all
}

/// `CAP_SYS_ADMIN` in the host's cgroup namespace gives a container every cgroup of the host: it can mount the
/// whole tree anew (measured on cgroup v1 and v2). Where the profile is left to `auto`, planning sees to it.
fn refuse_unsafe(
    r: &mut Reader<'_>,
    service: &Node,
    privilege: Privilege,
    features: &BTreeSet<Feature>,
    layers: &Layers<'_>,
) {
    let shares_cgroups = match privilege {
        Privilege::Fixed(
            ProfileName::OwnSubtree | ProfileName::OwnSubtreeV1 | ProfileName::UnifiedOnHybrid,
        ) => true,
        Privilege::Auto
        | Privilege::Fixed(
            ProfileName::Podman
            | ProfileName::WritableCgroups
            | ProfileName::Remapped
            | ProfileName::Remount
            | ProfileName::Privileged
            | ProfileName::Classic,
        ) => false,
    };
    if shares_cgroups {
        let mut reasons = Vec::new();
        if let Some(caps) = service.get("cap_add")
            && let Value::Sequence(items) = &caps.value
        {
            reasons.extend(
                items
                    .iter()
                    .filter(|item| match &item.value {
                        Value::Scalar { text, .. } => {
                            matches!(
                                crate::project::capability::canonical(text).as_str(),
                                "SYS_ADMIN" | "ALL"
                            )
                        }
                        Value::Null | Value::Sequence(_) | Value::Mapping(_) => false,
                    })
                    .map(|item| item.span),
            );
        }
        let needs_admin = features.iter().any(|feature| match feature {
            Feature::Sandboxing | Feature::Nfs | Feature::Fuse => true,
            Feature::Time => false,
        });
        if needs_admin {
            reasons.push(layers.place("features"));
        }
        for span in reasons {
            r.push(
                Diagnostic::error("this would give the machine every cgroup of the host", span)
                    .marked("needs SYS_ADMIN")
                    .also(layers.place("privilege"), "shares the host's cgroup namespace")
                    .help("take `systemd.privilege` away, so that a profile with a namespace of its own is found"),
            );
        }
    }
    let asked = service.get("privileged").is_some_and(
        |node| matches!(&node.value, Value::Scalar { text, .. } if text.eq_ignore_ascii_case("true")),
    );
    if asked && privilege != Privilege::Fixed(ProfileName::Privileged) {
        r.push(
            Diagnostic::warning(
                "`privileged: true` gives the machine the whole host, and no machine needs it to boot",
                super::service::place(service, "privileged"),
            )
            .help("take it away, or say what is needed under `systemd.features`")
            .help("`systemd.privilege: privileged` says that it is meant"),
        );
    }
}

fn ready(r: &mut Reader<'_>, layers: &Layers<'_>) -> Ready {
    let Some(node) = layers.last("ready") else { return Ready::Running };
    if let Value::Sequence(items) = &node.value {
        let units: Vec<UnitName> =
            items.iter().filter_map(|item| unit_name(r, item, "systemd.ready")).collect();
        if items.is_empty() {
            r.push(
                Diagnostic::error("`systemd.ready` names no unit", node.span)
                    .help("give `running`, `degraded`, or a list of units"),
            );
        }
        return Ready::Units(units);
    }
    match r.some_text(node, "systemd.ready").as_deref() {
        Some("running") | None => Ready::Running,
        Some("degraded") => Ready::Degraded,
        Some(text) if text.contains('.') => {
            Ready::Units(checked_unit(r, text, node.span).into_iter().collect())
        }
        Some(text) => {
            unknown_word(r, node, "systemd.ready", text, &["running", "degraded", "[a list of units]"]);
            Ready::Running
        }
    }
}

fn boot_timeout(r: &mut Reader<'_>, layers: &Layers<'_>) -> Duration {
    let Some(node) = layers.last("boot_timeout") else { return BOOT_TIMEOUT };
    let Some(text) = r.text(node, "systemd.boot_timeout") else { return BOOT_TIMEOUT };
    match quantity::duration(&text) {
        Ok(Duration::ZERO) => {
            r.error("`systemd.boot_timeout` must be longer than 0", node.span);
            BOOT_TIMEOUT
        }
        Ok(timeout) => timeout,
        Err(why) => {
            r.error(format!("`systemd.boot_timeout` is not a duration: {why}"), node.span);
            BOOT_TIMEOUT
        }
    }
}

fn identity(r: &mut Reader<'_>, layers: &Layers<'_>) -> Identity {
    let Some(node) = layers.last("identity") else { return Identity::Derived };
    let Some(text) = r.word(node, "systemd.identity") else { return Identity::Derived };
    match text {
        "derived" => Identity::Derived,
        "image" => Identity::Image,
        fixed => {
            let digits = fixed.replace('-', "").to_ascii_lowercase();
            let good = digits.len() == 32
                && digits.bytes().all(|b| b.is_ascii_hexdigit())
                && digits.bytes().any(|b| b != b'0');
            if good {
                return Identity::Fixed(digits);
            }
            r.push(
                Diagnostic::error(format!("`systemd.identity` cannot be `{fixed}`"), node.span)
                    .help("give `derived`, `image`, or 32 hexadecimal digits that are not all 0"),
            );
            Identity::Derived
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_target_is_a_unit() {
        assert_eq!(default_target().as_str(), "multi-user.target");
    }
}
