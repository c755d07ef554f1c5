//! `completion`.

use std::io::{self, Write};

use clap::{Command, ValueEnum};
use clap_complete::Shell;

use crate::error::Error;

/// Arguments of `completion`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sdcompose completion bash > /etc/bash_completion.d/sdcompose
  sdcompose completion zsh > ~/.zfunc/_sdcompose
  sdcompose completion fish > ~/.config/fish/completions/sdcompose.fish")]
pub(super) struct Args {
    /// Shell to print for
    #[arg(value_enum)]
    shell: Wanted,
}

/// A shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wanted {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}

/// Prints a completion script.
pub(super) fn run(args: &Args, command: &mut Command) -> Result<(), Error> {
    let shell = match args.shell {
        Wanted::Bash => Shell::Bash,
        Wanted::Zsh => Shell::Zsh,
        Wanted::Fish => Shell::Fish,
    };
    // It is made in memory, because the generator panics where its writer fails.
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "sdcompose", &mut script);
    io::stdout().write_all(&script)?;
    Ok(())
}
