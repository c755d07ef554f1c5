//! `label_file`: labels from files, in the form of an env file.

use indexmap::IndexMap;

use crate::diagnostic::Severity;
use crate::manifest::dotenv::{self, Format};
use crate::yaml::{Node, Value};

use super::reader::Reader;
use super::service::{check_label, labels};

/// Reads the labels of a service: those of its files in order, and over them its own.
pub(super) fn all(r: &mut Reader<'_>, node: &Node) -> IndexMap<String, String> {
    let mut found = IndexMap::new();
    let items = match node.get("label_file").map(|node| (&node.value, node)) {
        None => &[],
        Some((Value::Sequence(items), _)) => items.as_slice(),
        Some((Value::Scalar { .. }, node)) => std::slice::from_ref(node),
        Some((Value::Null | Value::Mapping(_), node)) => {
            r.wrong(node, "label_file", "a path or a list of paths");
            &[]
        }
    };
    for item in items {
        one_file(r, item, &mut found);
    }
    found.extend(labels(r, node, "labels"));
    found
}

fn one_file(r: &mut Reader<'_>, node: &Node, found: &mut IndexMap<String, String>) {
    let Some(written) = r.needed_text(node, "label_file") else { return };
    let Some(bytes) = r.read(node, &written, "label_file") else { return };
    let variables = r.variables;
    let lookup = |name: &str| variables.get(name).cloned();
    let (assignments, findings) = dotenv::read(r.sources, &written, &bytes, Format::Compose, &lookup);
    for finding in findings {
        r.push(if finding.severity == Severity::Error {
            finding.also(node.span, "named here")
        } else {
            finding
        });
    }
    for label in assignments {
        check_label(r, &label.name, Some(&label.value), label.span);
        found.insert(label.name, label.value);
    }
}
