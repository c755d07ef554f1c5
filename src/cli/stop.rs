//! `stop`.

use std::time::Duration;

use crate::cli::interrupt::Interrupts;
use crate::cli::perform::{carry_out, shown};
use crate::cli::{Global, lock, open, seconds, select};
use crate::error::Error;
use crate::plan::change::{self, ChangeOptions};

/// Arguments of `stop`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sdcompose stop           Stop all containers, dependents first; they stay
  sdcompose stop -t 5 web  Kill after five seconds")]
pub(super) struct Args {
    /// Services to stop [default: all]
    services: Vec<String>,
    /// Time that containers get to stop
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

/// Stops containers.
pub(super) async fn run(global: &Global, args: Args) -> Result<(), Error> {
    let ground = open::ground(global)?;
    let interrupts = Interrupts::listen()?;
    let _lock =
        if global.dry_run { None } else { Some(lock::take(global, &ground, "stop", &interrupts).await?) };
    let observed = ground.observe().await?;
    select::containers(&observed, &args.services, &ground.services())?;
    let options =
        ChangeOptions { services: args.services, stop_timeout: args.timeout, ..ChangeOptions::default() };
    let plan = change::stop(ground.project(), &observed, &options);
    if global.dry_run {
        return shown(global, &plan);
    }
    carry_out(global, &ground, &plan, &interrupts).await?;
    Ok(())
}
