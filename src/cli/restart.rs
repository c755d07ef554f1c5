//! `restart`.

use std::time::Duration;

use crate::cli::interrupt::Interrupts;
use crate::cli::perform::{carry_out, shown};
use crate::cli::{Global, lock, open, seconds, select};
use crate::error::Error;
use crate::plan::change::{self, ChangeOptions};

/// Arguments of `restart`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sdcompose restart web                        Stop and start a whole machine
  sdcompose systemctl web restart nginx        Restart one unit instead; the machine goes on

Changes of the manifest take effect by `up`, not by `restart`.")]
pub(super) struct Args {
    /// Services to restart [default: all]
    services: Vec<String>,
    /// Leave services alone that asked to be restarted along (`depends_on` with `restart: true`)
    #[arg(long)]
    no_deps: bool,
    /// Time that containers get to stop
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

/// Restarts containers.
pub(super) async fn run(global: &Global, args: Args) -> Result<(), Error> {
    let (ground, project) = open::with_project(global, &args.services)?;
    select::of_project(&project, &args.services)?;
    let options =
        ChangeOptions { services: args.services, no_deps: args.no_deps, stop_timeout: args.timeout };
    let interrupts = Interrupts::listen()?;
    let _lock =
        if global.dry_run { None } else { Some(lock::take(global, &ground, "restart", &interrupts).await?) };
    let observed = ground.observe().await?;
    let plan = change::restart(&project, &observed, &options).map_err(Error::Refused)?;
    if global.dry_run {
        return shown(global, &plan);
    }
    carry_out(global, &ground, &plan, &interrupts).await?;
    Ok(())
}
