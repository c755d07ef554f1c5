//! `config -q`: only what is wrong, as text or as data.

use super::{Args, Format, json, output};
use crate::cli::Global;
use crate::cli::open::{self, Looked};
use crate::diagnostic::Severity;
use crate::error::Error;
use crate::report::diagnostics::{to_json, to_sarif};

/// Tells what was found. Warnings fail where `--strict` is given.
pub(super) fn report(global: &Global, args: &Args, looked: &Looked) -> Result<(), Error> {
    let passes = looked.opened.is_some() && (!args.strict || is_clean(looked));
    let Looked { opened: _, found, sources } = looked;
    let data = match args.format {
        Some(Format::Json) => to_json(found, sources),
        Some(Format::Sarif) => to_sarif(found, sources, &manifest(global)),
        Some(Format::Yaml) | None if passes => {
            open::warn(found, sources);
            return Ok(());
        }
        Some(Format::Yaml) | None => return Err(open::wrong(global, found, sources)),
    };
    output::give(args, &json(&data)?)?;
    // The data says it all.
    if passes { Ok(()) } else { Err(Error::Manifest(String::new())) }
}

/// Whether nothing was found but what is only good to know.
pub(super) fn is_clean(looked: &Looked) -> bool {
    looked.found.iter().all(|found| match found.severity {
        Severity::Error | Severity::Obstacle | Severity::Warning => false,
    })
}

/// The file that a finding without a place belongs to.
fn manifest(global: &Global) -> String {
    global.file.first().map_or_else(|| "sdcompose.yaml".to_owned(), |file| file.display().to_string())
}
