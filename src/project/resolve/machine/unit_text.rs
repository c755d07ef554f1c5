//! The text of a unit as systemd reads it (systemd.syntax(7)): what it would ignore with no more than a line in its
//! log is said here.

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::project::name;
use crate::systemd::UnitName;
use crate::yaml::Node;

use super::super::reader::Reader;

/// Sections of units, by the suffix of the units that have them (systemd.unit(5)).
const SECTIONS: [(&str, &str); 9] = [
    (".service", "Service"),
    (".socket", "Socket"),
    (".timer", "Timer"),
    (".path", "Path"),
    (".mount", "Mount"),
    (".automount", "Automount"),
    (".swap", "Swap"),
    (".slice", "Slice"),
    (".scope", "Scope"),
];

/// Findings of one text that are told.
const TOLD: usize = 8;

/// Says which lines of a unit's text systemd would ignore. A text that stands in the manifest is pointed at line by
/// line; of a file, which may be any of the host, only the number of the line is told.
pub(super) fn check(r: &mut Reader<'_>, node: &Node, unit: &UnitName, text: &str, is_file: bool) {
    for Finding { line, kind } in findings(text, unit.as_str()).into_iter().take(TOLD) {
        let span = if is_file { node.span } else { place(r, node, text, line) };
        let shown = text.lines().nth(line).unwrap_or("").trim();
        let here = if is_file { format!("line {}", line + 1) } else { format!("{shown:?}") };
        let found = match kind {
            Kind::Section { meant } => {
                let found = Diagnostic::warning(format!("{here} is no section of `{unit}`"), span);
                match meant {
                    Some(meant) => found.help(format!("did you mean `[{meant}]`?")),
                    None => found.help("a section of your own starts with `X-`"),
                }
            }
            Kind::NoSign => Diagnostic::warning(format!("{here} of `{unit}` is no `Key=Value`"), span)
                .help("a long line goes on behind a backslash"),
        };
        r.push(found.coded(Code::Unit).marked("systemd ignores it"));
    }
}

/// One line that is ignored.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// Its number, from 0.
    line: usize,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// A section that the unit cannot have, and the one that was probably meant.
    Section { meant: Option<&'static str> },
    /// Neither a section nor a setting.
    NoSign,
}

fn findings(text: &str, unit: &str) -> Vec<Finding> {
    let own = SECTIONS.iter().find(|(suffix, _)| unit.ends_with(suffix)).map(|(_, section)| *section);
    let known: Vec<&'static str> = ["Unit", "Install"].into_iter().chain(own).collect();
    let mut found = Vec::new();
    let mut goes_on = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let is_comment = line.starts_with(['#', ';']);
        if goes_on {
            // A comment among the lines of a long one does not end it.
            goes_on = is_comment || line.ends_with('\\');
            continue;
        }
        if line.is_empty() || is_comment {
            continue;
        }
        goes_on = line.ends_with('\\');
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if !known.contains(&section) && !section.starts_with("X-") {
                let meant = name::nearest(section, known.iter().copied());
                found.push(Finding { line: number, kind: Kind::Section { meant } });
            }
        } else if !line.contains('=') {
            found.push(Finding { line: number, kind: Kind::NoSign });
        }
    }
    found
}

/// The place of a line of a text that stands in the manifest; the whole text where it is written in another way.
fn place(r: &Reader<'_>, node: &Node, text: &str, number: usize) -> Span {
    let line = text.lines().nth(number).unwrap_or("").trim();
    let same_before = text.lines().take(number).filter(|other| other.trim() == line).count();
    let bytes = node.span.start as usize..node.span.end as usize;
    let written = r.sources.get(node.span.source).and_then(|source| source.text.get(bytes)).unwrap_or("");
    let mut start = 0;
    let mut seen = 0;
    for other in written.split_inclusive('\n') {
        if other.trim() == line {
            if seen == same_before {
                let first = start + (other.len() - other.trim_start().len());
                let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
                let start = node.span.start.saturating_add(narrow(first));
                return Span { start, end: start.saturating_add(narrow(line.len())), ..node.span };
            }
            seen += 1;
        }
        start += other.len();
    }
    node.span
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::tree::said;
    use super::*;

    fn ignored(text: &str, unit: &str) -> Vec<usize> {
        findings(text, unit).into_iter().map(|found| found.line).collect()
    }

    #[test]
    fn sections_are_those_of_the_unit() {
        assert!(ignored("[Unit]\n[Service]\n[Install]\n[X-Own]\n", "a.service").is_empty());
        assert_eq!(ignored("[Unit]\n[Service]\n", "a.timer"), [1]);
        assert_eq!(
            findings("[Sevice]\n", "a.service"),
            [Finding { line: 0, kind: Kind::Section { meant: Some("Service") } }]
        );
    }

    #[test]
    fn comments_and_long_lines_are_no_settings() {
        assert_eq!(
            ignored(
                "[Service]\n# a\n; b\nExecStart=x \\\n  y \\\n# c\n  z\n\nRestart\nEnvironment=\n",
                "a.service"
            ),
            [8]
        );
    }

    #[test]
    fn a_line_in_the_manifest_is_pointed_at() {
        let told = said(
            "services:\n  a:\n    image: x\n    systemd:\n      units:\n        n.service:\n          drop_in: |\n            [Sevice]\n            LimitNOFILE 1\n",
        );
        let lines: Vec<&str> = told.lines().collect();
        assert!(lines[0].contains(r#"8:13 warning: "[Sevice]" is no section of `n.service`"#), "{told}");
        assert!(lines[0].contains("did you mean `[Service]`?"), "{told}");
        assert!(
            lines[1].contains(r#"9:13 warning: "LimitNOFILE 1" of `n.service` is no `Key=Value`"#),
            "{told}"
        );
    }
}
