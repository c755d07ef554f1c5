//! `healthcheck:`.

use std::time::Duration;

use crate::diagnostic::Diagnostic;
use crate::project::{HealthTest, Healthcheck};
use crate::yaml::{Node, Value};

use super::reader::Reader;
use super::service::{field, flag, place};

/// Reads a health check.
pub(super) fn read(r: &mut Reader<'_>, node: &Node) -> Option<Healthcheck> {
    if !matches!(node.value, Value::Mapping(_)) {
        r.wrong(node, "healthcheck", "a mapping");
        return None;
    }
    let test = field(r, node, "test", test);
    let disabled = flag(r, node, "disable");
    if let (true, Some(command @ (HealthTest::Command(_) | HealthTest::Shell(_)))) = (disabled, &test) {
        let _ = command;
        r.push(
            Diagnostic::warning("`disable: true` switches this `test` off", place(node, "disable"))
                .also(place(node, "test"), "never run"),
        );
    }
    let retries = field(r, node, "retries", |r, node, key| r.integer(node, key, 0..=i64::from(i32::MAX)));
    Some(Healthcheck {
        test: if disabled { HealthTest::Disabled } else { test.unwrap_or(HealthTest::Inherit) },
        interval: field(r, node, "interval", positive),
        timeout: field(r, node, "timeout", positive),
        retries: retries.and_then(|retries| u32::try_from(retries).ok()),
        start_period: field(r, node, "start_period", Reader::duration),
        start_interval: field(r, node, "start_interval", positive),
    })
}

/// Engines want a millisecond at least.
fn positive(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<Duration> {
    let duration = r.duration(node, key)?;
    if duration < Duration::from_millis(1) {
        r.error(format!("`healthcheck.{key}` must be at least 1ms"), node.span);
        return None;
    }
    Some(duration)
}

fn test(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<HealthTest> {
    let words = match &node.value {
        Value::Scalar { .. } => return r.some_text(node, key).map(HealthTest::Shell),
        Value::Sequence(_) => r.texts(node, "healthcheck.test"),
        Value::Null | Value::Mapping(_) => {
            r.wrong(node, "healthcheck.test", "text or a list of texts");
            return None;
        }
    };
    match words.split_first() {
        Some((first, [])) if first == "NONE" => Some(HealthTest::Disabled),
        Some((first, rest)) if first == "CMD" && !rest.is_empty() => Some(HealthTest::Command(rest.to_vec())),
        Some((first, [line])) if first == "CMD-SHELL" => Some(HealthTest::Shell(line.clone())),
        Some((first, [line, rest @ ..])) if first == "CMD-SHELL" => {
            r.push(
                Diagnostic::warning(format!("only {line:?} is the line of CMD-SHELL"), node.span)
                    .help("the words behind it become its $0, $1, …; write one line, or CMD"),
            );
            let shell = ["/bin/sh", "-c", line].map(str::to_owned);
            Some(HealthTest::Command(shell.into_iter().chain(rest.iter().cloned()).collect()))
        }
        Some(_) | None => {
            r.push(
                Diagnostic::error("`healthcheck.test` must begin with CMD, CMD-SHELL or NONE", node.span)
                    .help("[\"CMD\", \"program\", \"argument\"], [\"CMD-SHELL\", \"line for a shell\"] or [\"NONE\"]")
                    .help("text alone is a line for a shell"),
            );
            None
        }
    }
}
