//! The lines of env files that set a variable of a service.

use crate::diagnostic::{Source, SourceId, Span};
use crate::manifest::Manifest;
use crate::yaml::{Node, Value};

/// A line of an env file that sets a variable: where its value stands, and the value as it is written.
pub(super) struct Line {
    pub(super) span: Span,
    pub(super) written: String,
}

/// Returns the lines that set a variable, in the order in which the files of a service are read: the last one
/// counts, unless `environment` sets the variable too.
pub(super) fn lines(manifest: &Manifest, service: &Node, variable: &str) -> Vec<Line> {
    let Some(node) = service.get("env_file") else { return Vec::new() };
    let files = match &node.value {
        Value::Sequence(items) => items.as_slice(),
        Value::Null | Value::Scalar { .. } | Value::Mapping(_) => std::slice::from_ref(node),
    };
    let mut found = Vec::new();
    for file in files {
        let Value::Scalar { text: path, plain: _ } = &file.get("path").unwrap_or(file).value else {
            continue;
        };
        let text = (0..).zip(manifest.sources.iter()).find(|(_, source)| source.name == **path);
        if let Some((number, source)) = text {
            found.extend(of_file(SourceId(number), source, variable));
        }
    }
    found
}

fn of_file(id: SourceId, source: &Source, variable: &str) -> Vec<Line> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        if let Some((before, value)) = line.split_once(['=', ':']) {
            let name = before.trim();
            let name = name.strip_prefix("export ").map_or(name, str::trim_start);
            let (at, value) = (start + before.len() + 1, value.trim_end());
            if name == variable {
                let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
                let span = Span { source: id, start: narrow(at), end: narrow(at + value.len()) };
                found.push(Line { span, written: value.trim().to_owned() });
            }
        }
        start += line.len();
    }
    found
}
