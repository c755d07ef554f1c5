//! `systemctl`.

use std::io::{self, IsTerminal, Write};

use crate::cli::attach::{attach, passed, would_run};
use crate::cli::enter::entered;
use crate::cli::{Global, open, select};
use crate::engine::ExecSpec;
use crate::error::Error;
use crate::observed::{ContainerState, ObservedContainer};
use crate::report::human::{self, FAINT};

/// Arguments of `systemctl`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sdcompose systemctl web status                 The machine as a whole
  sdcompose systemctl web status nginx.service   One unit, on all replicas
  sdcompose systemctl db restart postgresql      Restart a unit; the machine goes on
  sdcompose systemctl web list-timers

The exit code is systemctl's; of several replicas, the first that is not 0.")]
pub(super) struct Args {
    /// Allocate no terminal [default: a terminal where standard input and output are one]
    #[arg(short = 'T', long = "no-tty")]
    no_tty: bool,
    /// Number of the container, where the service has several [default: all]
    #[arg(long, value_name = "N")]
    index: Option<u32>,
    /// Service
    service: String,
    /// Arguments of systemctl
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

/// Runs systemctl inside the machines of a service.
pub(super) async fn run(global: &Global, args: Args) -> Result<(), Error> {
    let ground = open::ground(global)?;
    let observed = ground.observe().await?;
    let first = select::running(&observed, &args.service, args.index, &ground.services())?;
    if first.labels.machine.is_none() {
        return Err(Error::usage(format!(
            "`{}` is a plain container: there is no systemd in it",
            args.service
        ))
        .help(format!("sdcompose exec {} …", args.service)));
    }
    let meant = |container: &&ObservedContainer| {
        container.labels.service == args.service
            && container.state == ContainerState::Running
            && args.index.is_none_or(|index| container.labels.index == index)
    };
    let mut machines: Vec<&ObservedContainer> = observed.containers.iter().filter(meant).collect();
    machines.sort_by_key(|container| container.labels.index);
    let one = machines.len() == 1;
    let terminals = io::stdin().is_terminal() && io::stdout().is_terminal();
    let tty = one && terminals && !args.no_tty;
    let spec = ExecSpec {
        command: std::iter::once("systemctl".to_owned()).chain(args.arguments).collect(),
        environment: colours(tty),
        tty,
        // `systemctl edit --stdin` and the like read; of several machines none can have it.
        stdin: one,
        ..ExecSpec::default()
    };
    let mut worst = Ok(());
    for machine in machines {
        if global.dry_run {
            would_run(global, &machine.name, &spec.command)?;
            continue;
        }
        if !one {
            let heading = human::styled(FAINT, &format!("==> {} <==", machine.name));
            writeln!(anstream::stdout(), "{heading}")?;
        }
        entered(ground.engine(), machine).await?;
        let session = ground.engine().session(&machine.name, &spec).await?;
        let ended = attach(session, tty, one).await?;
        let result = passed(&ended, &machine.name, "systemctl");
        worst = worst.and(result);
    }
    worst
}

/// Keeps the colours where a person looks: without a terminal of its own systemctl would leave them out.
fn colours(tty: bool) -> Vec<(String, String)> {
    let wanted = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
    let word = if wanted { "1" } else { "0" };
    let mut environment = vec![("SYSTEMD_COLORS".to_owned(), word.to_owned())];
    if !tty {
        environment.push(("SYSTEMD_PAGER".to_owned(), String::new()));
    }
    environment
}
