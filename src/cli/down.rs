//! `down`.

use std::io::Write;
use std::time::Duration;

use crate::cli::confirm::{self, About};
use crate::cli::interrupt::Interrupts;
use crate::cli::perform::{carry_out, shown};
use crate::cli::{Global, lock, open, seconds};
use crate::error::Error;
use crate::plan::down;
use crate::report::progress::Mode;

/// Arguments of `down`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sdcompose down                Stop and remove containers and networks; volumes stay
  sdcompose down -v             Volumes go as well; asks first on a terminal
  sdcompose -p shop down        By name alone, without a manifest")]
pub(super) struct Args {
    /// Remove named and anonymous volumes as well
    #[arg(short, long)]
    volumes: bool,
    /// Remove containers of services that are not in the manifest
    #[arg(long)]
    remove_orphans: bool,
    /// Time that containers get to stop
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Do not ask before volumes go
    #[arg(short, long)]
    yes: bool,
}

/// Stops and removes what a project has in the engine.
pub(super) async fn run(global: &Global, args: &Args) -> Result<(), Error> {
    let ground = open::ground(global)?;
    let options = down::DownOptions {
        volumes: args.volumes,
        remove_orphans: args.remove_orphans,
        stop_timeout: args.timeout,
    };
    let interrupts = Interrupts::listen()?;
    let _lock =
        if global.dry_run { None } else { Some(lock::take(global, &ground, "down", &interrupts).await?) };
    let observed = ground.observe().await?;
    let plan = down::down(ground.name(), ground.project(), &observed, &options);
    if global.dry_run {
        return shown(global, &plan);
    }
    if plan.steps.is_empty() && observed.containers.is_empty() && global.mode() != Mode::Quiet {
        // Nobody is left to tell where standard error is closed.
        let _ = writeln!(anstream::stderr(), "the engine has nothing of the project `{}`", ground.name());
    }
    confirm::losses(&plan, About::Volumes, args.yes, &interrupts).await?;
    carry_out(global, &ground, &plan, &interrupts).await?;
    Ok(())
}
