//! `build`.

use std::collections::BTreeSet;

use crate::cli::interrupt::Interrupts;
use crate::cli::perform::{carry_out, shown};
use crate::cli::{Global, open, select};
use crate::error::Error;
use crate::observed::Observed;
use crate::plan::{Action, Plan, Reason, Step, buildable};
use crate::project::{ImageSource, Project};

/// Arguments of `build`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sdcompose build                            Build all images that the manifest builds
  sdcompose build --no-cache web             One, from nothing
  sdcompose build --build-arg VERSION=2 app")]
pub(super) struct Args {
    /// Services to build [default: all]
    services: Vec<String>,
    /// Do not use the cache
    #[arg(long)]
    no_cache: bool,
    /// Pull base images anew
    #[arg(long)]
    pull: bool,
    /// Set a build argument, over the manifest's
    #[arg(long, value_name = "NAME=VALUE", value_parser = argument)]
    build_arg: Vec<(String, String)>,
}

fn argument(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Builds images.
pub(super) async fn run(global: &Global, args: &Args) -> Result<(), Error> {
    let (ground, project) = open::with_project(global, &args.services)?;
    let plan = planned(&project, args)?;
    if global.dry_run {
        return shown(global, &plan);
    }
    carry_out(global, &ground, &plan, &Interrupts::listen()?).await?;
    Ok(())
}

/// Plans one build for each image; two services that share one build it once.
fn planned(project: &Project, args: &Args) -> Result<Plan, Error> {
    let known: Vec<String> = project.services.keys().cloned().collect();
    if let Some(service) = args.services.iter().find(|service| !known.contains(service)) {
        return Err(select::unknown(service, &Observed::default(), &known));
    }
    let (mut plan, mut refusals) = (Plan::default(), Vec::new());
    let mut tags = BTreeSet::new();
    for service in project.services.values() {
        if !(args.services.is_empty() || args.services.contains(&service.name)) {
            continue;
        }
        let ImageSource::Build { tag, build } = &service.image else { continue };
        if !tags.insert(tag) {
            continue;
        }
        let mut build = buildable::of(service, build);
        build.no_cache |= args.no_cache;
        build.pull |= args.pull;
        for (name, value) in &args.build_arg {
            build.args.insert(name.clone(), value.clone());
        }
        refusals.extend(buildable::refusals(&service.name, &build));
        let action = Action::Build { service: service.name.clone(), tag: tag.clone(), build };
        plan.steps.push(Step {
            action,
            reason: Reason::BuildRequested,
            after: BTreeSet::new(),
            destroys: None,
            settles: None,
        });
    }
    if refusals.is_empty() { Ok(plan) } else { Err(Error::Refused(refusals)) }
}
