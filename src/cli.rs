//! The command line. A verb's file holds its arguments and its function; what several verbs need stands in
//! the files named after it (`open`, `perform`, `select`, …).

#![expect(clippy::disallowed_methods, reason = "reads SDCOMPOSE_LOG and the terminal's TERM")]

use std::io::{self, IsTerminal, Write};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use serde_json::json;

use crate::error::Error;
use crate::report::{json, progress::Mode};

mod attach;
mod build;
mod completion;
mod config;
mod confirm;
mod convert;
mod down;
mod elsewhere;
mod enter;
mod exec;
mod graph;
mod import;
mod interrupt;
mod kill;
mod lock;
mod logs;
mod open;
mod output;
mod perform;
mod plan;
mod ps;
mod pull;
mod restart;
mod select;
mod start;
mod stop;
mod systemctl;
mod terminal;
mod up;
mod version;

/// Runs systemd machines from one YAML manifest.
#[derive(Debug, Parser)]
#[command(
    name = "sdcompose",
    version,
    about = "Compose for systemd machines: run several systemd containers from one YAML manifest",
    after_help = EXAMPLES,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  sdcompose up -d                    Start all machines and return when they are ready
  sdcompose ps                       Show machines and whether systemd inside is content
  sdcompose logs -f -u nginx.service Follow one unit on all machines
  sdcompose exec web bash            Open a shell in a machine
  sdcompose systemctl web status     Ask systemd in a machine
  sdcompose plan                     Show what `up` would do, and why

Exit codes: 0 done, 1 a step failed, 2 bad manifest or usage, 3 `plan --exit-code` found something to do,
4 a condition was not met in time, 130 interrupted.";

/// Flags that mean the same for every verb.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Manifest file; repeat to merge several, `-` is standard input
    #[arg(short, long = "file", value_name = "FILE")]
    file: Vec<PathBuf>,
    /// Project name [default: `name:` of the manifest, else its directory's name]
    #[arg(short, long, value_name = "NAME")]
    project_name: Option<String>,
    /// Directory that relative paths start from [default: the first manifest's directory]
    #[arg(long, value_name = "DIR", global = true)]
    project_directory: Option<PathBuf>,
    /// File with variables for the manifest; repeat for several [default: `.env`]
    #[arg(long, value_name = "FILE", global = true)]
    env_file: Vec<PathBuf>,
    /// Profile to switch on; repeat for several, `*` is all
    #[arg(long, value_name = "PROFILE", global = true)]
    profile: Vec<String>,
    /// Container engine: `unix:///path` or `tcp://127.0.0.1:PORT` [default: `DOCKER_HOST`, else the usual sockets]
    #[arg(short = 'H', long, value_name = "ENDPOINT", global = true)]
    host: Option<String>,
    /// How many engine calls run side by side
    #[arg(long, value_name = "N", default_value_t = 32, env = "COMPOSE_PARALLEL_LIMIT", global = true,
          value_parser = parallel, allow_negative_numbers = true, hide_env = true)]
    parallel: usize,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t = ProgressWish::Auto, env = "COMPOSE_PROGRESS", global = true,
          hide_env = true)]
    progress: ProgressWish,
    /// When colours are used
    #[arg(long, value_enum, default_value_t = AnsiWish::Auto, env = "COMPOSE_ANSI", global = true,
          hide_env = true)]
    ansi: AnsiWish,
    /// Print JSON, one object a line
    #[arg(long, global = true)]
    json: bool,
    /// Show what would be done and do nothing
    #[arg(long, global = true)]
    dry_run: bool,
}

/// Reads `--parallel`; -1 is "no limit" in Compose.
fn parallel(text: &str) -> Result<usize, String> {
    match text.parse::<i64>() {
        Ok(-1) => Ok(1_024),
        Ok(number @ 1..) => usize::try_from(number).map_err(|error| error.to_string()),
        Ok(_) | Err(_) => Err("a number from 1 on, or -1 for no limit".to_owned()),
    }
}

/// Reads a time in seconds; -1 is "no limit" in Docker, and a day here, which nothing outlasts.
fn seconds(text: &str) -> Result<std::time::Duration, String> {
    match text.parse::<i64>() {
        Ok(-1) => Ok(std::time::Duration::from_secs(86_400)),
        Ok(number @ 0..) => Ok(std::time::Duration::from_secs(number.unsigned_abs())),
        Ok(_) | Err(_) => Err("a number of seconds".to_owned()),
    }
}

/// `--progress`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProgressWish {
    /// Live on a terminal, plain elsewhere
    Auto,
    /// Lines that change
    Tty,
    /// Lines that stay
    Plain,
    /// Failures only
    Quiet,
    /// One JSON object a line
    Json,
}

/// `--ansi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AnsiWish {
    /// On terminals, unless `NO_COLOR` is set
    Auto,
    /// Never
    Never,
    /// Always
    Always,
}

impl Global {
    /// Whether a program reads: `--progress json` means the same as `--json`.
    fn machine_readable(&self) -> bool {
        self.json || self.progress == ProgressWish::Json
    }

    /// Decides how progress is shown.
    fn mode(&self) -> Mode {
        if self.json {
            return Mode::Json;
        }
        match self.progress {
            ProgressWish::Tty => Mode::Live,
            ProgressWish::Plain => Mode::Plain,
            ProgressWish::Quiet => Mode::Quiet,
            ProgressWish::Json => Mode::Json,
            ProgressWish::Auto => {
                let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
                if io::stderr().is_terminal() && !dumb && self.ansi != AnsiWish::Never {
                    Mode::Live
                } else {
                    Mode::Plain
                }
            }
        }
    }
}

/// What is done.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Make and start machines, in order, and wait until they are ready
    Up(up::Args),
    /// Stop and remove containers and networks
    Down(down::Args),
    /// Start containers that exist
    Start(start::Args),
    /// Stop containers
    Stop(stop::Args),
    /// Restart containers
    Restart(restart::Args),
    /// Send a signal to containers
    Kill(kill::Args),
    /// Show what `up` would do, and why
    Plan(plan::Args),
    /// Show what the manifest means
    Config(config::Args),
    /// Write the project in the words of another tool
    Convert(convert::Args),
    /// Make a manifest of a compose file, a `docker run` line or a container
    Import(import::Args),
    /// Show what waits for what
    Graph(graph::Args),
    /// Build images
    Build(build::Args),
    /// Pull images
    Pull(pull::Args),
    /// List containers, with the state of systemd inside
    Ps(ps::Args),
    /// Show logs: consoles and journals of all machines, in the order of time
    Logs(logs::Args),
    /// Run a command inside a running container
    Exec(exec::Args),
    /// Run systemctl inside a machine
    Systemctl(systemctl::Args),
    /// Show the version
    Version(version::Args),
    /// Print a completion script for a shell
    Completion(completion::Args),
}

/// Parses the command line, does what it says, and returns the exit code. Nothing else decides about it.
#[must_use]
pub fn main() -> ExitCode {
    let mut cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return wrong_usage(&error),
    };
    match cli.global.ansi {
        AnsiWish::Auto => {}
        AnsiWish::Never => anstream::ColorChoice::Never.write_global(),
        AnsiWish::Always => anstream::ColorChoice::Always.write_global(),
    }
    listen_to_ourselves();
    cli.global.json = cli.global.machine_readable();
    let json = cli.global.json;
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| blocking(cli)));
    match result {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => told(&error, json),
        // The panic's message was printed by Rust; there is nothing to add but the exit code of a failure.
        Err(_) => ExitCode::FAILURE,
    }
}

/// Tells an error once, and returns its exit code.
fn told(error: &Error, json: bool) -> ExitCode {
    if let Some(text) = error.text() {
        // Nobody is left to tell where standard error is closed.
        let _ = writeln!(anstream::stderr(), "{text}");
        if json {
            let text = anstream::adapter::strip_str(&text).to_string();
            let line = json::line("error", json!({ "text": text, "exit_code": error.exit_code() }));
            let _ = writeln!(io::stdout(), "{line}");
        }
    }
    ExitCode::from(error.exit_code())
}

/// Prints what clap has to say: help and version on standard output with 0, mistakes with 2.
fn wrong_usage(error: &clap::Error) -> ExitCode {
    let verb = error.get(clap::error::ContextKind::InvalidSubcommand).map(ToString::to_string);
    if let Some((verb, instead)) = verb.as_deref().and_then(|verb| Some((verb, elsewhere::instead_of(verb)?)))
    {
        return told(
            &Error::usage(format!("there is no `sdcompose {verb}`")).help(format!("use {instead}")),
            false,
        );
    }
    let _ = error.print();
    let first = error.get(clap::error::ContextKind::InvalidArg).map(ToString::to_string);
    if let Some(flag @ ("-f" | "-p" | "--file" | "--project-name")) = first.as_deref() {
        let _ =
            writeln!(anstream::stderr(), "\n  help: `{flag}` stands before the verb: sdcompose {flag} … up");
    }
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

/// Prints what the code traces to standard error, as `SDCOMPOSE_LOG` says (`debug`, `sdcompose=trace`, …).
fn listen_to_ourselves() {
    let Ok(filter) = std::env::var("SDCOMPOSE_LOG") else { return };
    let filter = tracing_subscriber::EnvFilter::builder().parse_lossy(filter);
    let layer = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(false);
    // It fails only where a listener is set already.
    drop(layer.try_init());
}

fn blocking(cli: Cli) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::local("cannot start threads", error))?;
    let result = runtime.block_on(dispatch(cli));
    // A thread that waits for a key on standard input would hold the process until the key comes.
    runtime.shutdown_background();
    result
}

async fn dispatch(cli: Cli) -> Result<(), Error> {
    let Cli { global, verb } = cli;
    match verb {
        Verb::Up(args) => up::run(&global, &args).await,
        Verb::Down(args) => down::run(&global, &args).await,
        Verb::Start(args) => start::run(&global, args).await,
        Verb::Stop(args) => stop::run(&global, args).await,
        Verb::Restart(args) => restart::run(&global, args).await,
        Verb::Kill(args) => kill::run(&global, args).await,
        Verb::Plan(args) => plan::run(&global, args).await,
        Verb::Config(args) => config::run(&global, &args).await,
        Verb::Convert(args) => convert::run(&global, &args).await,
        Verb::Import(args) => import::run(&global, &args).await,
        Verb::Graph(args) => graph::run(&global, &args),
        Verb::Build(args) => build::run(&global, &args).await,
        Verb::Pull(args) => pull::run(&global, &args).await,
        Verb::Ps(args) => ps::run(&global, &args).await,
        Verb::Logs(args) => logs::run(&global, &args).await,
        Verb::Exec(args) => exec::run(&global, args).await,
        Verb::Systemctl(args) => systemctl::run(&global, args).await,
        Verb::Version(args) => version::run(&global, &args),
        Verb::Completion(args) => completion::run(&args, &mut Cli::command()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn compose_flags_are_read_before_and_behind_the_verb() {
        let cli = Cli::try_parse_from([
            "sdcompose",
            "-f",
            "a.yaml",
            "-f",
            "b.yaml",
            "-p",
            "x",
            "logs",
            "-f",
            "-p",
            "err",
            "--json",
            "web",
        ]);
        let Cli { global, verb: _ } = cli.unwrap();
        assert_eq!(global.file.len(), 2);
        assert_eq!(global.project_name.as_deref(), Some("x"));
        assert!(global.json);
    }

    #[test]
    fn a_limit_is_a_number_or_none() {
        assert_eq!(parallel("4"), Ok(4));
        assert_eq!(parallel("-1"), Ok(1_024));
        assert!(parallel("0").is_err());
        assert!(parallel("many").is_err());
    }
}
