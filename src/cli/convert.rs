//! `convert`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;

use crate::cli::open::{self, Opened};
use crate::cli::{Global, output};
use crate::convert::Converted;
use crate::convert::compose::{self, Images};
use crate::engine::{Call, Done, Engine};
use crate::error::Error;
use crate::facts::{Facts, ImageFacts};
use crate::project::Project;

/// Arguments of `convert`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sdcompose convert --to compose                      Print a compose file that `docker compose` runs alike
  sdcompose convert --to compose -o docker.yaml       Write it to a file
  docker compose -f docker.yaml up -d --wait          Run it without sdcompose

The file is for the engine that answers, and for the systemd of the images that it has: both decide what systemd
needs. What Compose cannot say stands on top of the file as a comment, and on standard error.")]
pub(super) struct Args {
    /// Tool whose file is written
    #[arg(long, value_enum, value_name = "TOOL")]
    to: Tool,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Another tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tool {
    /// Docker Compose
    Compose,
}

/// Writes the project in the words of another tool. Asks the engine, and changes nothing.
pub(super) async fn run(global: &Global, args: &Args) -> Result<(), Error> {
    let Opened { manifest, project } = open::project(global, &[])?;
    let engine = open::engine(global)?;
    let (facts, images) = asked(&engine, &project).await?;
    let Converted { text, remarks } = match args.to {
        Tool::Compose => compose::to_compose(&project, &manifest, &facts, &images).map_err(Error::Refused)?,
    };
    output::notes(&remarks);
    output::answer(args.output.as_deref(), true, &text)
}

/// Asks the engine what it is, and for the systemd of the images that it has.
async fn asked(engine: &impl Engine, project: &Project) -> Result<(Facts, Images), Error> {
    let scope = open::scope(project);
    let (facts, observed) = tokio::join!(engine.facts(), engine.observe(&scope));
    let (facts, observed) = (facts?, observed?);
    let mut images = BTreeMap::new();
    for service in project.services.values().filter(|service| service.machine.is_some()) {
        let reference = service.image.reference();
        let Some(image) = observed.images.get(reference) else { continue };
        let found = match &image.facts {
            Some(facts) => Some(facts.clone()),
            None => looked(engine, reference).await?,
        };
        images.extend(found.map(|facts| (reference.to_owned(), facts)));
    }
    Ok((facts, images))
}

/// Looks into an image that nobody has looked into yet, by a container that is never started.
async fn looked(engine: &impl Engine, reference: &str) -> Result<Option<ImageFacts>, Error> {
    let look = Call::Look { reference: reference.to_owned() };
    match engine.perform(&look, Arc::new(|_| {})).await? {
        Done::Looked(facts) => Ok(Some(facts)),
        Done::Nothing | Done::Created { .. } | Done::Already | Done::Ran(_) => Ok(None),
    }
}
