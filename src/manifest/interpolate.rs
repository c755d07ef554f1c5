//! Variables in values: every scalar of a tree that holds a `$` gets its text, before anything is typed.
//!
//! Keys are not interpolated, and what a variable holds is never read as YAML again, as in Docker Compose.

mod names;
mod template;

pub use names::{Variable, variables, variables_of};
pub use template::{Expansion, Fault, FaultKind, expand};

use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic, Label, Sources, Span};
use crate::yaml::{INTERPOLATED, Node, Value};

/// Bytes that all interpolated values of one file may have together.
const TOTAL: usize = 64 << 20;

/// Places shown for variables that are not set and for lone dollars.
const SHOWN: usize = 8;

/// Replaces variables in every value below `root`; what was found is one error per faulty value, one warning
/// for all unset variables, and one for all lone dollars.
pub fn interpolate(
    root: &mut Node,
    sources: &Sources,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Vec<Diagnostic> {
    let mut walk =
        Walk { sources, lookup, unset: Vec::new(), lone: Vec::new(), total: 0, problems: Vec::new() };
    walk.node(root);
    walk.finish()
}

struct Walk<'a> {
    sources: &'a Sources,
    lookup: &'a dyn Fn(&str) -> Option<String>,
    unset: Vec<(String, Span)>,
    lone: Vec<Span>,
    total: usize,
    problems: Vec<Diagnostic>,
}

impl Walk<'_> {
    fn node(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::Null => {}
            Value::Scalar { text, plain: _ } => {
                if text.contains('$') {
                    self.scalar(node);
                }
            }
            Value::Sequence(items) => items.iter_mut().for_each(|item| self.node(item)),
            Value::Mapping(entries) => entries.iter_mut().for_each(|entry| self.node(&mut entry.value)),
        }
    }

    fn scalar(&mut self, node: &mut Node) {
        let Value::Scalar { text, plain: _ } = &node.value else { return };
        match expand(text, self.lookup) {
            Err(fault) => {
                let span = self.places(node).part(&fault.at);
                self.problems.push(told(&fault.kind, span));
            }
            Ok(expansion) => {
                if !(expansion.unset.is_empty() && expansion.lone.is_empty()) {
                    let places = self.places(node);
                    self.unset.extend(expansion.unset.into_iter().map(|(name, at)| (name, places.part(&at))));
                    self.lone.extend(expansion.lone.iter().map(|at| places.part(at)));
                }
                self.replace(node, expansion.text);
            }
        }
    }

    fn replace(&mut self, node: &mut Node, new: String) {
        self.total += new.len();
        if self.total > TOTAL {
            let problem = format!("interpolated values are longer than {} MiB together", TOTAL >> 20);
            if self.total - new.len() <= TOTAL {
                self.problems.push(Diagnostic::error(problem, node.span));
            }
            return;
        }
        if let Value::Scalar { text, plain: _ } = &mut node.value {
            *text = new.into_boxed_str();
            // A tag for merging says more than where the text came from.
            node.tag.get_or_insert_with(|| INTERPOLATED.into());
        }
    }

    /// Finds out whether places within a scalar's text are places within its source.
    fn places(&self, node: &Node) -> Places {
        let whole = node.span;
        let Value::Scalar { text, plain: _ } = &node.value else { return Places { whole, inner: None } };
        let bytes = whole.start as usize..whole.end as usize;
        let written = self.sources.get(whole.source).and_then(|source| source.text.get(bytes)).unwrap_or("");
        let unquoted = written.len().checked_sub(1).and_then(|last| written.get(1..last));
        let inner = if written == &**text {
            Some(whole.start)
        } else if unquoted == Some(&**text) {
            Some(whole.start + 1)
        } else {
            None
        };
        Places { whole, inner }
    }

    fn finish(mut self) -> Vec<Diagnostic> {
        if let Some(warning) = unset(&self.unset) {
            self.problems.push(warning);
        }
        if let Some(&first) = self.lone.first() {
            let mut warning = Diagnostic::warning("a lone `$` is taken as it stands", first)
                .coded(Code::Interpolation)
                .help("write `$$` for a dollar sign");
            warning.labels.extend(self.lone.iter().skip(1).take(SHOWN - 1).map(|&span| blank(span)));
            self.problems.push(warning);
        }
        self.problems
    }
}

/// Where parts of a scalar's text stand.
struct Places {
    whole: Span,
    /// Where the text starts, if it is written as it reads.
    inner: Option<u32>,
}

impl Places {
    /// Returns the place of a part: exact where the source is written as the text reads, else the whole scalar.
    fn part(&self, at: &Range<usize>) -> Span {
        let Some(inner) = self.inner else { return self.whole };
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { start: inner + narrow(at.start), end: inner + narrow(at.end), ..self.whole }
    }
}

/// Makes one warning of all variables that were asked for and have no value.
pub(super) fn unset(places: &[(String, Span)]) -> Option<Diagnostic> {
    let (first, span) = places.first()?;
    let mut names: Vec<&str> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut labels = Vec::new();
    for (name, span) in places {
        if seen.insert(name.as_str()) {
            names.push(name);
            labels.push(blank(*span));
        }
    }
    let what = match names.as_slice() {
        [one] => format!("variable `{one}` is not set and taken as empty"),
        several => {
            let listed =
                several.iter().take(20).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let more = several.len().saturating_sub(20);
            let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{} variables are not set and taken as empty: {listed}{tail}", several.len())
        }
    };
    labels.truncate(SHOWN);
    let mut warning = Diagnostic::warning(what, *span).coded(Code::UnsetVariable);
    warning.labels = labels;
    Some(
        warning.help(format!(
            "set it in the environment or in `.env`, or give a default: `${{{first}:-value}}`"
        )),
    )
}

fn blank(span: Span) -> Label {
    Label { span, text: String::new() }
}

/// Says what is wrong with a template.
pub(super) fn told(kind: &FaultKind, span: Span) -> Diagnostic {
    let dollar = "write `$$` for a dollar sign";
    let problem = match kind {
        FaultKind::Unclosed => Diagnostic::error("`${` is not closed by `}`", span).help(dollar),
        FaultKind::NoName => Diagnostic::error("a variable's name is missing", span).help(dollar),
        FaultKind::BadName(name) => Diagnostic::error(format!("`{name}` is not a variable's name"), span)
            .help("a name has letters, digits and `_`, and does not start with a digit")
            .help(dollar),
        FaultKind::BadOperator(found) => Diagnostic::error(
            format!("`{found}` is no operator on a variable"),
            span,
        )
        .help("operators are `:-` and `-` (default), `:+` and `+` (alternative), `:?` and `?` (required)")
        .help(dollar),
        FaultKind::TooDeep => {
            Diagnostic::error(format!("interpolation nested deeper than {}", template::DEPTH), span)
        }
        FaultKind::TooLong => Diagnostic::error(
            format!("an interpolated value is longer than {} MiB", template::LENGTH >> 20),
            span,
        ),
        FaultKind::Required { name, message, empty } => {
            let state = if *empty { "is empty" } else { "is not set" };
            let reason = if message.is_empty() { String::new() } else { format!(": {message}") };
            Diagnostic::error(format!("required variable `{name}` {state}{reason}"), span)
                .help("set it in the environment or in `.env`")
        }
    };
    problem.coded(match kind {
        FaultKind::Required { .. } => Code::RequiredVariable,
        FaultKind::TooDeep | FaultKind::TooLong => Code::Limit,
        FaultKind::Unclosed | FaultKind::NoName | FaultKind::BadName(_) | FaultKind::BadOperator(_) => {
            Code::Interpolation
        }
    })
}

#[cfg(test)]
mod tests;
