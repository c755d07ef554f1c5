//! `exec`.

use std::io::{self, IsTerminal};

use crate::cli::attach::{attach, passed, would_run};
use crate::cli::enter::entered;
use crate::cli::{Global, open, select, terminal};
use crate::engine::ExecSpec;
use crate::error::Error;

/// Arguments of `exec`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of the command line")]
#[command(after_help = "Examples:
  sdcompose exec web bash                         A shell
  sdcompose exec -u postgres db psql shop         As another user
  sdcompose exec -T db pg_dump shop > shop.sql    Without a terminal, for pipes
  sdcompose exec --index 2 web hostname           In the second replica

The exit code is the command's.")]
pub(super) struct Args {
    /// Allocate no terminal [default: a terminal where standard input and output are one]
    #[arg(short = 'T', long = "no-tty", visible_alias = "no-TTY")]
    no_tty: bool,
    /// Keep standard input open; always so, taken for `-it`
    #[arg(short, long)]
    interactive: bool,
    /// Allocate a terminal; the default, taken for `-it`
    #[arg(short, long, conflicts_with = "no_tty")]
    tty: bool,
    /// User to run as
    #[arg(short, long)]
    user: Option<String>,
    /// Directory to run in
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,
    /// Set a variable; `NAME` alone takes its value from here
    #[arg(short, long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Give the command all privileges
    #[arg(long)]
    privileged: bool,
    /// Run in the background; needs a shell in the container
    #[arg(short, long)]
    detach: bool,
    /// Number of the container, where the service has several [default: the first that runs]
    #[arg(long, value_name = "N")]
    index: Option<u32>,
    /// Service
    service: String,
    /// Command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Runs a command inside a container.
pub(super) async fn run(global: &Global, args: Args) -> Result<(), Error> {
    let ground = open::ground(global)?;
    let observed = ground.observe().await?;
    let container = select::running(&observed, &args.service, args.index, &ground.services())?;
    let terminals = io::stdin().is_terminal() && io::stdout().is_terminal();
    let tty = !args.no_tty && !args.detach && (args.tty || terminals);
    if args.tty && !io::stdin().is_terminal() {
        return Err(Error::usage("standard input is no terminal").help("leave `-t` out, or use `-T`"));
    }
    let program = args.command.first().cloned().unwrap_or_default();
    let command = if args.detach { in_background(&args.command) } else { args.command };
    let machine = container.labels.machine.is_some();
    let command = match terminal::size() {
        Some(size) if tty && machine => sized(command, size),
        Some(_) | None => command,
    };
    let spec = ExecSpec {
        command,
        user: args.user,
        working_dir: args.workdir,
        environment: environment(&args.env, tty),
        unset: Vec::new(),
        tty,
        stdin: !args.detach,
        privileged: args.privileged,
        timeout: None,
    };
    if global.dry_run {
        return would_run(global, &container.name, &spec.command);
    }
    entered(ground.engine(), container).await?;
    let session = ground.engine().session(&container.name, &spec).await?;
    let ended = attach(session, tty, !args.detach).await?;
    passed(&ended, &container.name, &program)
}

/// The variables that were asked for and, on a terminal, which terminal it is: the container's own `TERM` is
/// that of a console.
fn environment(asked: &[String], tty: bool) -> Vec<(String, String)> {
    let mut environment: Vec<(String, String)> = asked.iter().filter_map(|text| variable(text)).collect();
    if tty && environment.iter().all(|(name, _)| name != "TERM") {
        let here = variable("TERM").filter(|(_, value)| !value.is_empty());
        environment.push(here.unwrap_or_else(|| ("TERM".to_owned(), "xterm".to_owned())));
    }
    environment
}

/// Lets the terminal have its size before the command looks at it: engines before Docker 23 set it only
/// once the command runs. Later changes go the usual way. A machine has a shell, a plain container may not.
fn sized(command: Vec<String>, (columns, rows): (u16, u16)) -> Vec<String> {
    let script = format!("stty cols {columns} rows {rows} 2>/dev/null; exec \"$@\"");
    let mut wrapped = vec!["/bin/sh".to_owned(), "-c".to_owned(), script, "sh".to_owned()];
    wrapped.extend(command);
    wrapped
}

/// Lets a shell start the command and end, so that nothing waits for it.
fn in_background(command: &[String]) -> Vec<String> {
    let mut wrapped: Vec<String> =
        ["/bin/sh", "-c", "\"$@\" </dev/null >/dev/null 2>&1 &", "sh"].map(str::to_owned).into();
    wrapped.extend(command.iter().cloned());
    wrapped
}

/// Reads `NAME=VALUE`; `NAME` alone is looked up here, and left out where it is not set.
#[expect(clippy::disallowed_methods, reason = "`-e NAME` takes the value from this process")]
fn variable(text: &str) -> Option<(String, String)> {
    match text.split_once('=') {
        Some((name, value)) => Some((name.to_owned(), value.to_owned())),
        None => std::env::var(text).ok().map(|value| (text.to_owned(), value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_in_the_background_keeps_its_words_apart() {
        let command = in_background(&["echo".to_owned(), "a b; c".to_owned()]);
        assert_eq!(command[3..], ["sh", "echo", "a b; c"]);
    }

    #[test]
    fn a_terminal_has_its_size_before_the_command_begins() {
        let command = sized(vec!["bash".to_owned(), "-l".to_owned()], (99, 33));
        assert_eq!(command[2..].join(" "), "stty cols 99 rows 33 2>/dev/null; exec \"$@\" sh bash -l");
    }

    #[test]
    fn a_command_on_a_terminal_knows_which_unless_it_is_told() {
        let names =
            |tty| environment(&["A=1".to_owned()], tty).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(true), ["A", "TERM"]);
        assert_eq!(names(false), ["A"]);
        assert_eq!(environment(&["TERM=vt100".to_owned()], true), [("TERM".to_owned(), "vt100".to_owned())]);
    }

    #[test]
    fn variables_are_taken_as_written_or_from_here() {
        assert_eq!(variable("A=b=c"), Some(("A".to_owned(), "b=c".to_owned())));
        assert_eq!(variable("SDCOMPOSE_SURELY_NOT_SET"), None);
    }
}
