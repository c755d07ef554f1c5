//! `config`.

use std::collections::BTreeSet;
use std::io::Write;

use clap::ValueEnum;

use crate::cli::open::{self, Opened};
use crate::cli::{Global, terminal};
use crate::container::{fingerprint, spec};
use crate::diagnostic::Sources;
use crate::engine::Engine;
use crate::error::Error;
use crate::facts::{Facts, ImageFacts};
use crate::observed::Observed;
use crate::project::show::explain::{Explanation, Field, Origin, explain};
use crate::project::show::show;
use crate::project::{Project, Service};
use crate::report::human::{self, CARE};
use crate::report::table;

/// Arguments of `config`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of the command line")]
#[command(after_help = "Examples:
  sdcompose config                  The whole project, with every default written out
  sdcompose config -q               Check the manifest only; 2 where it is wrong
  sdcompose config --services       Names of services
  sdcompose config --explain db     Where each value comes from, and how systemd boots here, and why")]
pub(super) struct Args {
    /// Services to show [default: all]
    services: Vec<String>,
    /// How the project is printed [default: yaml]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Print nothing; the exit code tells whether the manifest is right
    #[arg(short, long)]
    quiet: bool,
    /// Write to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<std::path::PathBuf>,
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
    /// Print the fingerprint of each service: it differs where `up` would replace containers
    #[arg(long, group = "list")]
    hash: bool,
    /// Print where each value comes from, and how systemd boots on this engine, and why
    #[arg(long, group = "list")]
    explain: bool,
}

/// How a project is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// YAML
    Yaml,
    /// JSON
    Json,
}

/// Shows what a manifest means. Only `--explain` asks an engine, and does without where none answers.
pub(super) async fn run(global: &Global, args: &Args) -> Result<(), Error> {
    let opened = open::project(global)?;
    let project = &opened.project;
    if let Some(name) = args.services.iter().find(|name| !project.services.contains_key(*name)) {
        let known: Vec<String> = project.services.keys().cloned().collect();
        return Err(crate::cli::select::unknown(name, &Observed::default(), &known));
    }
    if args.quiet {
        return Ok(());
    }
    let text =
        if args.explain { explained(global, args, &opened).await } else { printed(global, args, &opened)? };
    match &args.output {
        Some(path) => written(path, &text),
        None => Ok(anstream::stdout().write_all(text.as_bytes())?),
    }
}

#[expect(clippy::disallowed_methods, reason = "`--output` names the file")]
fn written(path: &std::path::Path, text: &str) -> Result<(), Error> {
    let text = anstream::adapter::strip_str(text).to_string();
    std::fs::write(path, text)
        .map_err(|error| Error::local(format!("cannot write {}", path.display()), error))
}

fn chosen<'a>(project: &'a Project, args: &Args) -> Vec<&'a Service> {
    let meant = |service: &&Service| args.services.is_empty() || args.services.contains(&service.name);
    project.services.values().filter(meant).collect()
}

fn printed(global: &Global, args: &Args, opened: &Opened) -> Result<String, Error> {
    let project = &opened.project;
    let services = chosen(project, args);
    let lines = |lines: Vec<String>| lines.into_iter().map(|line| line + "\n").collect::<String>();
    let once = |lines: Vec<String>| {
        let mut seen = BTreeSet::new();
        lines.into_iter().filter(|line| seen.insert(line.clone())).collect::<Vec<_>>()
    };
    if args.list_services {
        return Ok(lines(services.iter().map(|service| service.name.clone()).collect()));
    }
    if args.images {
        return Ok(lines(once(
            services.iter().map(|service| service.image.reference().to_owned()).collect(),
        )));
    }
    if args.volumes {
        return Ok(lines(project.volumes.keys().cloned().collect()));
    }
    if args.networks {
        return Ok(lines(project.networks.keys().cloned().collect()));
    }
    if args.profiles {
        let profiles: BTreeSet<String> =
            services.iter().flat_map(|service| service.profiles.clone()).collect();
        return Ok(lines(profiles.into_iter().collect()));
    }
    if args.hash {
        let hash = |service: &&Service| {
            // The image's id is not a part of what the manifest says.
            let label = fingerprint::of(project, service, "").to_label();
            format!("{} {}", service.name, crate::container::names::hex(label.as_bytes()))
        };
        return Ok(lines(services.iter().map(hash).collect()));
    }
    let shown = show(project, &opened.manifest, &args.services);
    let format = args.format.unwrap_or(if global.json { Format::Json } else { Format::Yaml });
    match format {
        Format::Json => serde_json::to_string_pretty(&shown)
            .map(|text| text + "\n")
            .map_err(|error| Error::local("cannot write JSON", error.into())),
        Format::Yaml => Ok(shown.to_yaml()),
    }
}

async fn explained(global: &Global, args: &Args, opened: &Opened) -> String {
    let sources = &opened.manifest.sources;
    let boots = boots(global, &opened.project).await;
    let mut out = String::new();
    for explanation in explain(&opened.project, &opened.manifest) {
        let Some(service) = opened.project.services.get(&explanation.service) else { continue };
        if !(args.services.is_empty() || args.services.contains(&service.name)) {
            continue;
        }
        out.push_str(&values(&explanation, sources));
        match &boots {
            Err(why) => out.extend(["\nhow systemd boots is not known: ", why.as_str(), "\n"]),
            Ok((facts, observed)) => out.push_str(&boot(&opened.project, service, facts, observed)),
        }
        out.push('\n');
    }
    out
}

/// Returns the table of a service's values and where they come from.
fn values(explanation: &Explanation, sources: &Sources) -> String {
    let Explanation { service, fields } = explanation;
    let rows: Vec<Vec<String>> = fields
        .iter()
        .map(|Field { path, value, origin }| {
            let origin = match origin {
                Origin::Default(reason) => format!("default: {reason}"),
                Origin::Written(span) => match (sources.get(span.source), sources.position(*span)) {
                    (Some(source), Some(place)) => format!("{}:{}", source.name, place.line),
                    (Some(_) | None, _) => "written".to_owned(),
                },
            };
            vec![path.clone(), shortened(value), origin]
        })
        .collect();
    let table = table::table(&["VALUE OF", "VALUE", "WHERE FROM"], &rows, terminal::width());
    format!("{}\n{table}\n", human::styled(CARE, service))
}

fn shortened(value: &str) -> String {
    const MOST: usize = 60;
    match value.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", value.get(..at).unwrap_or(value)),
        None => value.to_owned(),
    }
}

/// Asks the engine for what decides how systemd boots; `Err` says in a sentence why that is not known.
async fn boots(global: &Global, project: &Project) -> Result<(Facts, Observed), String> {
    let engine = open::engine(global).map_err(|error| plain(&error))?;
    let scope = open::scope(project);
    let (facts, observed) = tokio::join!(engine.facts(), engine.observe(&scope));
    let facts = facts.map_err(|error| error.to_string())?;
    Ok((facts, observed.map_err(|error| error.to_string())?))
}

fn plain(error: &Error) -> String {
    anstream::adapter::strip_str(&error.text().unwrap_or_default()).to_string()
}

/// Returns the table of what is decided for a machine on this engine.
fn boot(project: &Project, service: &Service, facts: &Facts, observed: &Observed) -> String {
    let image: Option<&ImageFacts> =
        observed.images.get(service.image.reference()).and_then(|image| image.facts.as_ref());
    match spec::decision(project, service, 1, facts, image) {
        Ok(None) => String::new(),
        Err(refusal) => format!("\n{}\n", Error::Refused(vec![refusal]).text().unwrap_or_default()),
        Ok(Some(decision)) => {
            let choices = decision.choices.iter();
            let rows: Vec<Vec<String>> = choices
                .map(|choice| {
                    vec![
                        choice.what.clone(),
                        shortened(&choice.value),
                        choice.reason.clone(),
                        choice.source.clone(),
                    ]
                })
                .collect();
            let table = table::table(&["SYSTEMD HERE", "CHOICE", "WHY", "SOURCE"], &rows, terminal::width());
            let mut out = format!("\n{table}\n");
            for remark in &decision.remarks {
                out.extend(["note: ", remark.as_str(), "\n"]);
            }
            out
        }
    }
}
