//! `config --explain`: where values come from.

use super::{Format, json};
use crate::cli::open::{self, Opened};
use crate::cli::{Global, terminal};
use crate::container::spec;
use crate::diagnostic::{Sources, Span};
use crate::engine::Engine;
use crate::error::Error;
use crate::facts::{Facts, ImageFacts};
use crate::observed::Observed;
use crate::project::show::explain::{
    Explanation, Field, Layer, Origin, Story, explain, known, stories, to_json,
};
use crate::project::{Project, Service, name};
use crate::report::human::{self, CARE};
use crate::report::{sanitize, table};

/// All values of services, and how their systemd boots on this engine.
pub(super) async fn services(global: &Global, wanted: &[String], opened: &Opened) -> String {
    let sources = &opened.manifest.sources;
    let boots = boots(global, &opened.project).await;
    let mut out = String::new();
    for explanation in explain(&opened.project, &opened.manifest) {
        let Some(service) = opened.project.services.get(&explanation.service) else { continue };
        if !(wanted.is_empty() || wanted.contains(&service.name)) {
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

/// All about one value, or about each value below a key.
pub(super) fn value(format: Format, key: &str, opened: &Opened) -> Result<String, Error> {
    let Opened { manifest, project } = opened;
    let stories = stories(project, manifest, key);
    if stories.is_empty() {
        return Err(unknown(key, opened));
    }
    match format {
        Format::Json | Format::Sarif => {
            let shown: Vec<_> = stories.iter().map(|story| to_json(story, &manifest.sources)).collect();
            json(&shown)
        }
        Format::Yaml => {
            let told: Vec<String> = stories.iter().map(|story| told(story, &manifest.sources)).collect();
            Ok(told.join("\n"))
        }
    }
}

fn unknown(key: &str, opened: &Opened) -> Error {
    let paths = known(&explain(&opened.project, &opened.manifest));
    let error = Error::usage(format!("nothing in this project has the path `{key}`"));
    let whole = if key.starts_with("services.") { key.to_owned() } else { format!("services.{key}") };
    match name::nearest(&whole, paths.iter().map(String::as_str)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("a path is written as `services.db.ports[0].target`; `config` shows them all"),
    }
}

/// One value: what it is, and each place that writes it.
fn told(story: &Story, sources: &Sources) -> String {
    let Story { path, value, origin, layers } = story;
    let mut out = format!("{} = {}\n", human::styled(CARE, &sanitize::line(path)), sanitize::line(value));
    let rows: Vec<Vec<String>> = layers.iter().flat_map(|layer| rows(layer, sources)).collect();
    if let Origin::Default(reason) = origin {
        out.extend(["  default: ", reason, "\n"]);
    } else if layers.iter().all(|layer| !layer.counts) {
        // What was written in another form, or elsewhere: an env file, a short form.
        out.extend(["  ", place(origin_span(origin), sources).as_str(), "\n"]);
    }
    if !rows.is_empty() {
        let table = table::table(&["WHERE", "WRITTEN", ""], &rows, terminal::width());
        out.extend(table.lines().map(|line| format!("  {line}\n")));
    }
    out
}

const fn origin_span(origin: &Origin) -> Option<Span> {
    match origin {
        Origin::Written(span) => Some(*span),
        Origin::Default(_) => None,
    }
}

fn rows(layer: &Layer, sources: &Sources) -> Vec<Vec<String>> {
    let Layer { span, written, base, variables, counts } = layer;
    let mut notes = Vec::new();
    notes.extend(base.as_ref().map(|base| format!("of the base `{base}`")));
    notes.extend(counts.then(|| "counts".to_owned()));
    let first = vec![place(Some(*span), sources), shortened(written), notes.join(", ")];
    let variables = variables.iter().map(|(name, value)| {
        let said = match value {
            Some(value) => format!("{name} is {value:?}"),
            None => format!("{name} is not set here"),
        };
        vec![String::new(), shortened(&said), String::new()]
    });
    std::iter::once(first).chain(variables).collect()
}

fn place(span: Option<Span>, sources: &Sources) -> String {
    let place = span.and_then(|span| Some((sources.get(span.source)?, sources.position(span)?)));
    place.map_or_else(|| "written".to_owned(), |(source, at)| format!("{}:{}", source.name, at.line))
}

/// Returns the table of a service's values and where they come from.
fn values(explanation: &Explanation, sources: &Sources) -> String {
    let Explanation { service, fields } = explanation;
    let rows: Vec<Vec<String>> = fields
        .iter()
        .map(|Field { path, value, origin }| {
            let origin = match origin {
                Origin::Default(reason) => format!("default: {reason}"),
                Origin::Written(span) => place(Some(*span), sources),
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
