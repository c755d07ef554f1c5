//! `pull`.

use std::collections::BTreeSet;

use crate::cli::interrupt::Interrupts;
use crate::cli::perform::{carry_out, shown};
use crate::cli::{Global, open, select};
use crate::error::Error;
use crate::observed::Observed;
use crate::plan::{Action, Plan, Reason, Step};
use crate::project::{ImageSource, Project, PullPolicy};

/// Arguments of `pull`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sdcompose pull              Pull all images that are not built
  sdcompose pull cache web    Those of two services")]
pub(super) struct Args {
    /// Services to pull for [default: all]
    services: Vec<String>,
    /// Pull for what the services depend on as well
    #[arg(long)]
    include_deps: bool,
    /// Show failures only
    #[arg(short, long)]
    quiet: bool,
}

/// Pulls images.
pub(super) async fn run(global: &Global, args: &Args) -> Result<(), Error> {
    let (ground, project) = open::with_project(global, &args.services)?;
    let plan = planned(&project, args)?;
    if global.dry_run {
        return shown(global, &plan);
    }
    let mut global = global.clone();
    if args.quiet {
        global.progress = crate::cli::ProgressWish::Quiet;
    }
    carry_out(&global, &ground, &plan, &Interrupts::listen()?).await?;
    Ok(())
}

/// Plans one pull for each image that comes from elsewhere.
fn planned(project: &Project, args: &Args) -> Result<Plan, Error> {
    let known: Vec<String> = project.services.keys().cloned().collect();
    if let Some(service) = args.services.iter().find(|service| !known.contains(service)) {
        return Err(select::unknown(service, &Observed::default(), &known));
    }
    let chosen = chosen(project, args);
    let mut plan = Plan::default();
    let mut references = BTreeSet::new();
    for service in project.services.values().filter(|service| chosen.contains(service.name.as_str())) {
        let ImageSource::Reference(reference) = &service.image else { continue };
        if service.pull_policy == PullPolicy::Never || !references.insert(reference) {
            continue;
        }
        plan.steps.push(Step {
            action: Action::Pull { reference: reference.clone(), platform: service.platform.clone() },
            reason: Reason::Requested,
            after: BTreeSet::new(),
            destroys: None,
            settles: None,
        });
    }
    Ok(plan)
}

/// Returns the services that are meant, with what they depend on where that was asked for.
fn chosen<'a>(project: &'a Project, args: &Args) -> BTreeSet<&'a str> {
    let named = project.services.keys().map(String::as_str);
    let mut chosen: BTreeSet<&str> = BTreeSet::new();
    let mut left: Vec<&str> = named
        .filter(|name| args.services.is_empty() || args.services.iter().any(|wanted| wanted == name))
        .collect();
    while let Some(name) = left.pop() {
        if chosen.insert(name)
            && args.include_deps
            && let Some(service) = project.services.get(name)
        {
            left.extend(service.depends_on.keys().map(String::as_str));
        }
    }
    chosen
}
