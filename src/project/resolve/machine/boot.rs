//! How a machine boots and when it is ready: `target`, `init`, `args`, `ready`, `boot_timeout`, `identity`.

use std::time::Duration;

use crate::diagnostic::Diagnostic;
use crate::project::{Identity, Machine, Ready};
use crate::systemd::UnitName;
use crate::yaml::Value;

use super::super::process::Process;
use super::super::reader::Reader;
use super::unit_names::{startable, unit_name};
use super::{Layers, unknown_word};

pub(super) fn target(r: &mut Reader<'_>, layers: &Layers<'_>) -> UnitName {
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
    // `sysinit.target` would leave enabled services unstarted and /run/nologin in place.
    given.unwrap_or_else(UnitName::multi_user_target)
}

pub(super) fn init(r: &mut Reader<'_>, layers: &Layers<'_>, process: &Process) -> Option<String> {
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

pub(super) fn ready(r: &mut Reader<'_>, layers: &Layers<'_>) -> Ready {
    let Some(node) = layers.last("ready") else { return Ready::Running };
    if let Value::Sequence(items) = &node.value {
        let units: Vec<UnitName> =
            items.iter().filter_map(|item| startable(r, item, "systemd.ready")).collect();
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
            Ready::Units(startable(r, node, "systemd.ready").into_iter().collect())
        }
        Some(text) => {
            unknown_word(r, node, "systemd.ready", text, &["running", "degraded", "[a list of units]"]);
            Ready::Running
        }
    }
}

pub(super) fn boot_timeout(r: &mut Reader<'_>, layers: &Layers<'_>) -> Duration {
    let Some(node) = layers.last("boot_timeout") else { return Machine::BOOT_TIMEOUT };
    match r.duration(node, "systemd.boot_timeout") {
        Some(Duration::ZERO) => {
            r.error("`systemd.boot_timeout` must be longer than 0", node.span);
            Machine::BOOT_TIMEOUT
        }
        Some(timeout) => timeout,
        None => Machine::BOOT_TIMEOUT,
    }
}

pub(super) fn identity(r: &mut Reader<'_>, layers: &Layers<'_>) -> Identity {
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
