//! `start`.

use crate::cli::interrupt::Interrupts;
use crate::cli::perform::{carry_out, shown};
use crate::cli::{Global, lock, open, select};
use crate::error::Error;
use crate::plan::change::{self, ChangeOptions};

/// Arguments of `start`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sdcompose start        Start all containers that exist, in order
  sdcompose start web    Start one service; what it depends on is left alone")]
pub(super) struct Args {
    /// Services to start [default: all]
    services: Vec<String>,
}

/// Starts containers that exist.
pub(super) async fn run(global: &Global, args: Args) -> Result<(), Error> {
    let (ground, project) = open::with_project(global, &args.services)?;
    select::of_project(&project, &args.services)?;
    let options = ChangeOptions { services: args.services, ..ChangeOptions::default() };
    let interrupts = Interrupts::listen()?;
    let _lock =
        if global.dry_run { None } else { Some(lock::take(global, &ground, "start", &interrupts).await?) };
    let observed = ground.observe().await?;
    let plan = change::start(&project, &observed, &options).map_err(Error::Refused)?;
    if global.dry_run {
        return shown(global, &plan);
    }
    carry_out(global, &ground, &plan, &interrupts).await?;
    Ok(())
}
