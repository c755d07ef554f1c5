//! `kill`.

use crate::cli::interrupt::Interrupts;
use crate::cli::perform::{carry_out, shown};
use crate::cli::{Global, open, select};
use crate::error::Error;
use crate::plan::change::{self, ChangeOptions};

/// Arguments of `kill`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sdcompose kill web                   End a container at once
  sdcompose kill -s SIGRTMIN+4 web     Power a machine off (systemd(1), \"Signals\")")]
pub(super) struct Args {
    /// Services to kill [default: all]
    services: Vec<String>,
    /// Signal to send
    #[arg(short, long, value_name = "SIGNAL", default_value = "SIGKILL")]
    signal: String,
}

/// Sends a signal to PID 1 of containers. Takes no lock: it is what remains when something hangs.
pub(super) async fn run(global: &Global, args: Args) -> Result<(), Error> {
    let ground = open::ground(global)?;
    let observed = ground.observe().await?;
    select::containers(&observed, &args.services, &ground.services())?;
    let options = ChangeOptions { services: args.services, ..ChangeOptions::default() };
    let signal = (args.signal != "SIGKILL" && args.signal != "KILL").then_some(args.signal.as_str());
    let plan = change::kill(&observed, &options, signal);
    if global.dry_run {
        return shown(global, &plan);
    }
    carry_out(global, &ground, &plan, &Interrupts::listen()?).await?;
    Ok(())
}
