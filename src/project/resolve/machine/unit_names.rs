//! Names of units, with what was probably meant where one is wrong.

use crate::diagnostic::{Diagnostic, Span};
use crate::project::name;
use crate::systemd::{UNIT_SUFFIXES, UnitName, UnitNameError};
use crate::yaml::Node;

use super::super::reader::Reader;

/// Reads the name of a unit; a missing suffix is named with what was probably meant.
pub(in crate::project::resolve) fn unit_name(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<UnitName> {
    let text = r.some_text(node, key)?;
    checked_unit(r, &text, node.span)
}

/// Reads the name of a unit that is to be started: no template, which only its instances can be.
pub(in crate::project::resolve) fn startable(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<UnitName> {
    let unit = unit_name(r, node, key)?;
    if is_template(&unit) {
        refuse_template(r, &unit, node.span);
        return None;
    }
    Some(unit)
}

/// A template (`getty@.service`) can be given, but only its instances can be started.
pub(super) fn is_template(unit: &UnitName) -> bool {
    unit.as_str().rsplit_once('.').is_some_and(|(stem, _)| stem.ends_with('@'))
}

pub(super) fn refuse_template(r: &mut Reader<'_>, unit: &UnitName, span: Span) {
    let example = unit.as_str().replacen('@', "@NAME", 1);
    r.push(
        Diagnostic::error(format!("`{unit}` is a template, which cannot be started"), span)
            .help(format!("name an instance of it, such as `{example}`")),
    );
}

/// Checks the name of a unit.
pub(super) fn checked_unit(r: &mut Reader<'_>, text: &str, span: Span) -> Option<UnitName> {
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
