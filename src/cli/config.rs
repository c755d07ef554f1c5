//! `config`.

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::Value;

use crate::cli::open::{self, Opened};
use crate::cli::{Global, select};
use crate::error::Error;
use crate::manifest::AsWritten;
use crate::project::Project;
use crate::project::show::{self, show};

mod digests;
mod explain;
mod lint;
mod lists;
mod output;

/// Arguments of `config`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of the command line")]
#[command(after_help = "Examples:
  sdcompose config                  The whole project, with every default written out
  sdcompose config web              A service, and what it needs
  sdcompose config -q               Check the manifest only; 2 where it is wrong
  sdcompose config -q --format json All mistakes as data, for an editor; `sarif` for a code host
  sdcompose config --services       Names of services
  sdcompose config --variables      What the manifest asks of the environment
  sdcompose config --explain db     Where each value comes from, and how systemd boots here, and why
  sdcompose config --explain services.db.stop_signal
                                    Every file and line that sets one value, and which one counts")]
pub(super) struct Args {
    /// Services to show, with what they depend on [default: all]
    services: Vec<String>,
    /// How it is printed [default: yaml; a table for `--variables`]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Only check: print nothing but mistakes; `--format json` and `sarif` print them as data
    #[arg(short, long)]
    quiet: bool,
    /// Let warnings fail, too
    #[arg(long)]
    strict: bool,
    /// Write to a file, which is there whole or not at all
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print names of services
    #[arg(long = "services", id = "list_services", group = "list")]
    list_services: bool,
    /// Print images
    #[arg(long, group = "list")]
    images: bool,
    /// Print names of volumes
    #[arg(long, group = "list")]
    volumes: bool,
    /// Print names of networks
    #[arg(long, group = "list")]
    networks: bool,
    /// Print profiles
    #[arg(long, group = "list")]
    profiles: bool,
    /// Print the environment that variables of the manifest are taken from
    #[arg(long, group = "list")]
    environment: bool,
    /// Print the variables that the manifest asks for, with their defaults
    #[arg(long, group = "list")]
    variables: bool,
    /// Print the fingerprint of a service, or of all: it differs where `up` would replace containers
    #[arg(long, group = "list", value_name = "SERVICE", num_args = 0..=1, default_missing_value = "*")]
    hash: Option<String>,
    /// Print where each value comes from, and how systemd boots on this engine, and why; or all about one value
    #[arg(long, group = "list", value_name = "KEY", num_args = 0..=1, default_missing_value = "")]
    explain: Option<String>,
    /// Leave variables as they are written
    #[arg(long)]
    no_interpolate: bool,
    /// Leave relative paths as they are written
    #[arg(long)]
    no_path_resolution: bool,
    /// Leave out what Compose adds to a manifest: the default network, names made of project and key
    #[arg(long)]
    no_normalize: bool,
    /// Only warn of names that nothing is declared for
    #[arg(long)]
    no_consistency: bool,
    /// Name images by digest, as the engine or its registry knows them
    #[arg(long)]
    resolve_image_digests: bool,
    /// Print an override file that names images by digest, and nothing else
    #[arg(long)]
    lock_image_digests: bool,
}

/// How a project is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// YAML
    Yaml,
    /// JSON
    Json,
    /// What is wrong with the manifest, in the form that code hosts show beside its lines
    Sarif,
}

impl Args {
    /// What of the manifest is left as it is written.
    const fn as_written(&self) -> AsWritten {
        AsWritten { variables: false, paths: self.no_path_resolution, names: self.no_consistency }
    }

    fn format(&self, global: &Global) -> Format {
        self.format.unwrap_or(if global.json { Format::Json } else { Format::Yaml })
    }
}

/// Shows what a manifest means. Only `--explain` and digests ask an engine; `--explain` does without where none
/// answers.
pub(super) async fn run(global: &Global, args: &Args) -> Result<(), Error> {
    if args.variables {
        return output::give(args, &lists::variables(&open::written(global)?, args.format)?);
    }
    if args.no_interpolate && !args.quiet {
        let manifest = open::written(global)?;
        let written = show::written(&manifest, args.no_normalize);
        return output::give(args, &text(args.format(global), &written)?);
    }
    let looked = open::look(global, args.as_written())?;
    if args.quiet || args.format == Some(Format::Sarif) {
        return lint::report(global, args, &looked);
    }
    if args.strict && !lint::is_clean(&looked) {
        return Err(open::wrong(global, &looked.found, &looked.sources));
    }
    let opened = looked.opened(global)?;
    select::of_project(&opened.project, &args.services)?;
    output::give(args, &answer(global, args, &opened).await?)
}

async fn answer(global: &Global, args: &Args, opened: &Opened) -> Result<String, Error> {
    match &args.explain {
        None => {}
        Some(key) if key.is_empty() => return Ok(explain::services(global, &args.services, opened).await),
        Some(key) if opened.project.services.contains_key(key) => {
            let services = [std::slice::from_ref(key), &args.services].concat();
            return Ok(explain::services(global, &services, opened).await);
        }
        Some(key) => return explain::value(args.format(global), key, opened),
    }
    let narrowed = opened.project.narrowed(&args.services);
    if let Some(list) = lists::of(args, opened, &narrowed)? {
        return Ok(list);
    }
    if args.lock_image_digests {
        let locked = digests::lock(&digests::find(global, &narrowed).await?);
        return text(args.format(global), &locked);
    }
    printed(global, args, opened, narrowed).await
}

/// The whole project.
async fn printed(global: &Global, args: &Args, opened: &Opened, project: Project) -> Result<String, Error> {
    let shown = show(&project, &opened.manifest, &[]);
    let format = args.format(global);
    if !(args.resolve_image_digests || args.no_normalize) {
        // The usual case needs no tree of the whole.
        return match format {
            Format::Yaml => Ok(shown.to_yaml()),
            Format::Json | Format::Sarif => json(&shown),
        };
    }
    let mut tree = serde_json::to_value(shown).map_err(|error| Error::local("cannot show", error.into()))?;
    if args.resolve_image_digests {
        digests::put(&mut tree, &digests::find(global, &project).await?);
    }
    if args.no_normalize {
        show::without_additions(&mut tree, &opened.manifest);
    }
    text(format, &tree)
}

fn text(format: Format, tree: &Value) -> Result<String, Error> {
    match format {
        Format::Yaml => Ok(show::tree_as_yaml(tree)),
        Format::Json | Format::Sarif => json(tree),
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| Error::local("cannot write JSON", error.into()))
}
