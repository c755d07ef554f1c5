//! `graph`.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;

use crate::cli::{Global, open};
use crate::error::Error;
use crate::report::{diagram, tree};

/// Arguments of `graph`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sdcompose graph                                    Draw what waits for what
  sdcompose graph --format dot | dot -Tsvg > x.svg   As a picture
  sdcompose graph --format mermaid                   For a Markdown page")]
pub(super) struct Args {
    /// How it is drawn [default: a tree on a terminal, dot elsewhere]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// How a graph is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines of a terminal
    Tree,
    /// Graphviz
    Dot,
    /// Mermaid
    Mermaid,
    /// Nodes and edges
    Json,
}

/// Shows what waits for what. Needs no engine.
pub(super) fn run(global: &Global, args: &Args) -> Result<(), Error> {
    let project = open::project(global, &[])?.project;
    let format = match args.format {
        Some(format) => format,
        None if global.json => Format::Json,
        None if io::stdout().is_terminal() => Format::Tree,
        None => Format::Dot,
    };
    let text = match format {
        Format::Tree => tree::draw(&project),
        Format::Dot => diagram::dot(&project),
        Format::Mermaid => diagram::mermaid(&project),
        Format::Json => format!("{}\n", diagram::json(&project)),
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
