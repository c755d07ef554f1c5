//! Arguments for PID 1, by `systemd.args` or by a `command` that names systemd.
//!
//! In a container systemd takes its own arguments for the kernel's command line as well
//! (`proc_cmdline` in `src/basic/proc-cmdline.c`), so `systemd.mask=` and the like work there.

use crate::diagnostic::{Diagnostic, Span};
use crate::project::name;
use crate::yaml::Value;

use super::super::process::Process;
use super::super::reader::Reader;
use super::Layers;

/// Options of systemd(1) for the system's manager that have no field of their own.
const OPTIONS: [&str; 14] = [
    "--confirm-spawn",
    "--crash-action",
    "--crash-chvt",
    "--crash-reboot",
    "--crash-shell",
    "--crash-vt",
    "--default-standard-error",
    "--default-standard-output",
    "--dump-core",
    "--log-color",
    "--log-location",
    "--log-time",
    "--service-watchdogs",
    "--show-status",
];

/// Arguments that have a field of their own.
const FIELDS: [(&str, &str); 10] = [
    ("--unit", "target"),
    ("systemd.unit", "target"),
    ("--log-level", "log_level"),
    ("systemd.log_level", "log_level"),
    ("--log-target", "log_target"),
    ("systemd.log_target", "log_target"),
    ("--machine-id", "identity"),
    ("systemd.machine_id", "identity"),
    ("systemd.mask", "mask"),
    ("systemd.wants", "enable"),
];

/// Reads the arguments of all layers, then those of the command line.
pub(super) fn read(r: &mut Reader<'_>, layers: &Layers<'_>, process: &Process) -> Vec<String> {
    let mut all = Vec::new();
    for node in layers.all("args") {
        let items = match &node.value {
            Value::Sequence(items) => items.as_slice(),
            Value::Null | Value::Scalar { .. } | Value::Mapping(_) => std::slice::from_ref(node),
        };
        for item in items {
            if let Some(text) = r.text(item, "systemd.args") {
                all.extend(checked_arg(r, text, item.span));
            }
        }
    }
    for (text, span) in &process.systemd_args {
        all.extend(checked_arg(r, text.clone(), *span));
    }
    all
}

/// Checks one argument. Only its name is ever shown: values may be secret.
fn checked_arg(r: &mut Reader<'_>, text: String, span: Span) -> Option<String> {
    let (key, value) = text.split_once('=').map_or((text.as_str(), None), |(key, value)| (key, Some(value)));
    let canonical = canonical(key);
    if matches!(
        canonical.as_str(),
        "systemd.setenv" | "systemd.set_credential" | "systemd.set_credential_binary"
    ) {
        r.push(told_to_everybody(&canonical, value.unwrap_or_default(), span));
        return None;
    }
    if let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == canonical) {
        r.push(
            Diagnostic::error(format!("`{key}` has a field of its own"), span)
                .help(format!("use `systemd.{field}`")),
        );
        return None;
    }
    // Where systemd joins its arguments with blanks and takes them apart again, one would become several.
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        r.push(
            Diagnostic::error(format!("the argument `{}` has a blank in it", first_word(key)), span)
                .help("systemd would take it for several; give each as an item of its own"),
        );
        return None;
    }
    let is_kernel_word = canonical.strip_prefix("systemd.").is_some_and(|rest| !rest.is_empty());
    if is_kernel_word || canonical == "--system" || OPTIONS.contains(&key) {
        return Some(text);
    }
    let mut diagnostic = Diagnostic::error(format!("`{key}` is no argument for a machine's systemd"), span);
    let options = OPTIONS.into_iter().chain(FIELDS.iter().map(|(known, _)| *known));
    if let Some(near) = name::nearest(key, options) {
        diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
    }
    r.push(
        diagnostic.help("there are `systemd.NAME=VALUE` and options of systemd(1) such as `--show-status=1`"),
    );
    None
}

/// The name of an argument as systemd compares it: for the kernel's words `-` is `_`, and `rd.` only says
/// when they count (`proc_cmdline_key_streq`).
fn canonical(key: &str) -> String {
    if key.starts_with("--") {
        return key.to_owned();
    }
    let word = key.replace('-', "_");
    match word.strip_prefix("rd.") {
        Some(rest) if rest.starts_with("systemd.") => rest.to_owned(),
        Some(_) | None => word,
    }
}

fn first_word(key: &str) -> &str {
    key.split_whitespace().next().unwrap_or_default()
}

/// PID 1's arguments are in /proc/1/cmdline.
fn told_to_everybody(key: &str, value: &str, span: Span) -> Diagnostic {
    let name = value.split(['=', ':']).next().unwrap_or_default();
    let field = if key == "systemd.setenv" { "environment" } else { "systemd.credentials" };
    Diagnostic::error(format!("`{key}={name}` would be told to every user in the machine"), span)
        .help(format!("PID 1's arguments are in /proc/1/cmdline; use `{field}`"))
}
