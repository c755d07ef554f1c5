//! `version`.

use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::json;

use crate::cli::Global;
use crate::error::Error;

/// Arguments of `version`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  sdcompose version --short\n  sdcompose version --format json")]
pub(super) struct Args {
    /// Print the number only
    #[arg(long)]
    short: bool,
    /// Print as JSON
    #[arg(short, long, value_enum, default_value_t = Format::Pretty)]
    format: Format,
}

/// How the version is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A sentence
    Pretty,
    /// An object
    Json,
}

/// Shows the version. Needs no engine and no manifest.
pub(super) fn run(global: &Global, args: &Args) -> Result<(), Error> {
    let version = env!("CARGO_PKG_VERSION");
    let mut out = io::stdout();
    match args.format {
        _ if args.short => writeln!(out, "{version}")?,
        Format::Pretty if !global.json => writeln!(out, "sdcompose version {version}")?,
        Format::Pretty | Format::Json => writeln!(out, "{}", json!({ "version": version }))?,
    }
    Ok(())
}
