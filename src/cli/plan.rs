//! `plan`.

use crate::cli::perform::shown;
use crate::cli::{Global, open, select, up as verb};
use crate::error::Error;
use crate::plan::up;

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of the command line")]
#[command(after_help = "Examples:
  sdcompose plan                 What `up` would do, and why
  sdcompose plan --json          The same for a program
  sdcompose plan --exit-code     3 where there is something to do: a test for drift")]
pub(super) struct Args {
    /// Services to plan for [default: all]
    services: Vec<String>,
    /// Exit with 3 where there is something to do
    #[arg(long)]
    exit_code: bool,
    /// Plan without what the services depend on
    #[arg(long)]
    no_deps: bool,
    /// Plan to replace containers also where nothing changed
    #[arg(long)]
    force_recreate: bool,
    /// Plan to remove containers of services that are not in the manifest
    #[arg(long)]
    remove_orphans: bool,
    /// Look into each container for what somebody else changed of it
    #[arg(long)]
    drift: bool,
}

/// Shows what `up` would do. Makes no call that changes anything.
pub(super) async fn run(global: &Global, args: Args) -> Result<(), Error> {
    let (ground, project) = open::to_run(global, &args.services)?;
    select::of_project(&project, &args.services)?;
    let options = up::UpOptions {
        services: args.services,
        no_deps: args.no_deps,
        force_recreate: args.force_recreate,
        remove_orphans: args.remove_orphans,
        drift: args.drift,
        now: verb::now(),
        ..up::UpOptions::default()
    };
    let (facts, observed) = verb::look(&ground, &project, &options).await?;
    let plan = verb::whole_plan(&project, &facts, &observed, &options)?;
    shown(global, &plan)?;
    if args.exit_code && !plan.steps.is_empty() { Err(Error::Drift) } else { Ok(()) }
}
