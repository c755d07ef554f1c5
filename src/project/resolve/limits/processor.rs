//! `cpu_*` and `cpuset`: shares of processors in the kernel's own terms.

use crate::diagnostic::Diagnostic;
use crate::project::Processor;
use crate::project::scalar::{self, Scalar};
use crate::yaml::{Node, Value};

use super::super::options::chosen;
use super::super::reader::Reader;
use super::super::service::{field, place};

/// Reads shares of processors. 0 means the engine's default, as in Compose.
pub(super) fn read(r: &mut Reader<'_>, node: &Node) -> Processor {
    let found = Processor {
        period: whole(r, node, "cpu_period"),
        quota: whole(r, node, "cpu_quota"),
        rt_period: whole(r, node, "cpu_rt_period"),
        rt_runtime: whole(r, node, "cpu_rt_runtime"),
        shares: whole(r, node, "cpu_shares"),
        set: chosen(r, node, "cpuset"),
    };
    if let (Some(cpus), true) = (node.entry("cpus"), found.period.is_some() || found.quota.is_some()) {
        let other = if found.quota.is_some() { "cpu_quota" } else { "cpu_period" };
        r.push(
            Diagnostic::warning("`cpus` and `cpu_quota` are two words for one limit", cpus.key_span)
                .also(place(node, other), "the other one")
                .help("engines refuse both on one container; give one of them"),
        );
    }
    found
}

/// A whole number; a fraction that stands there as a number is cut off, as in Compose.
fn whole(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<i64> {
    field(r, node, key, |r, node, key| {
        if let Value::Scalar { text, plain: true } = &node.value
            && let Scalar::Float(number) = scalar::classify(text)
            && number.is_finite()
            && let Ok(whole) = format!("{:.0}", number.trunc()).parse()
        {
            return Some(whole);
        }
        r.integer(node, key, i64::MIN..=i64::MAX)
    })
    .filter(|number| *number != 0)
}
