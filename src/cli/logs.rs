//! `logs`: consoles and journals of all machines in the order of time.

#![expect(clippy::disallowed_methods, reason = "`--since 10m` is counted from now")]

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::time::SystemTime;

use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;
use futures_util::StreamExt;
use futures_util::future::join_all;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::cli::enter::enterable;
use crate::cli::interrupt::Interrupts;
use crate::cli::open::{self, Ground};
use crate::cli::{Global, select};
use crate::engine::Engine;
use crate::error::Error;
use crate::observed::Observed;
use crate::report::json;
use crate::report::logs::{self, Line, Look};
use crate::systemd::journal::Priority;

mod follow;
mod merge;
mod moment;
mod source;
mod unknown;

use follow::follow;
use source::{Origin, SharedMark, Wish};

/// Arguments of `logs`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of the command line")]
#[command(after_help = "Examples:
  sdcompose logs                               Everything of all machines, in the order of time
  sdcompose logs -f -n 20 web                  The last 20 lines of one machine, and what comes
  sdcompose logs -u nginx.service -p warning   Warnings and worse of one unit on all machines
  sdcompose logs --since 10m db                The last ten minutes
  sdcompose logs --console web                 What a boot said before its journal was there")]
pub(super) struct Args {
    /// Services to show [default: all]
    services: Vec<String>,
    /// Go on showing what comes
    #[arg(short, long)]
    follow: bool,
    /// Show only the last lines of each container; `all` shows everything
    #[arg(short = 'n', long, value_name = "N", value_parser = tail)]
    tail: Option<Tail>,
    /// Show only what came since then: `10m` ago, `2026-01-31 08:00`, an RFC 3339 time, or seconds since 1970
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Show only what came until then
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Show when each line came
    #[arg(short, long)]
    timestamps: bool,
    /// Use no colours
    #[arg(long)]
    no_color: bool,
    /// Do not name the container before each line
    #[arg(long)]
    no_log_prefix: bool,
    /// Show only this unit's entries; repeat for several
    #[arg(short, long, value_name = "UNIT")]
    unit: Vec<String>,
    /// Show only entries as grave as this (`err`, `warning`, `3`) or in a range (`crit..err`)
    #[arg(short, long, value_name = "PRIORITY", value_parser = priority)]
    priority: Option<String>,
    /// Show the console only, as the engine kept it
    #[arg(long, conflicts_with_all = ["unit", "priority"])]
    console: bool,
    /// Show only the container with this number of each service
    #[arg(long, value_name = "N")]
    index: Option<u32>,
    /// Print as JSON
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    format: Format,
}

/// How lines are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Pretty,
    /// One object a line
    Json,
}

/// `--tail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tail(Option<u64>);

fn tail(text: &str) -> Result<Tail, String> {
    match text {
        "all" | "-1" => Ok(Tail(None)),
        number => {
            number.parse().map(|number| Tail(Some(number))).map_err(|_| "a number, or `all`".to_owned())
        }
    }
}

fn priority(text: &str) -> Result<String, String> {
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    if Priority::parse(from).is_some() && Priority::parse(to).is_some() {
        return Ok(text.to_owned());
    }
    let words: Vec<&str> = Priority::ALL.iter().map(|priority| priority.as_str()).collect();
    Err(format!("one of {}, a number from 0 to 7, or a range such as `crit..err`", words.join(", ")))
}

/// Shows logs.
pub(super) async fn run(global: &Global, args: &Args) -> Result<(), Error> {
    let now = nanoseconds(SystemTime::now());
    let at = |flag: &str, text: &Option<String>| {
        let read = |text: &String| moment::parse(text, now, &TimeZone::system());
        text.as_ref().map(read).transpose().map_err(|why| {
            Error::usage(format!("{flag}: {why}"))
                .help("write `10m`, `2026-01-31 08:00` or 2026-01-31T08:00:00Z")
        })
    };
    let wish = Wish {
        units: args.unit.clone(),
        priority: args.priority.clone(),
        console_only: args.console,
        tail: args.tail.and_then(|tail| tail.0),
        since: at("--since", &args.since)?,
        until: at("--until", &args.until)?,
    };
    let ground = open::ground(global)?;
    let observed = ground.observe().await?;
    let origins = origins(&ground, &observed, &args.services, args.index)?;
    let mut printer = Printer::new(&origins, global.json || args.format == Format::Json);
    printer.look.prefix = !args.no_log_prefix;
    printer.look.times = args.timestamps.then(TimeZone::system);
    printer.look.colour &= !args.no_color;
    let marks = backlog(ground.engine(), &origins, &wish, &mut printer).await?;
    unknown::warn_of_units(ground.engine(), &origins, &wish, &marks).await;
    if args.follow && wish.until.is_none() {
        let chosen = |origin: &Origin| {
            (args.services.is_empty() || args.services.contains(&origin.service))
                && args.index.is_none_or(|index| origin.index == index)
        };
        // Also where whoever started this ignores Ctrl-C, as a shell does for what runs in the background.
        let interrupts = Interrupts::listen()?;
        tokio::select! {
            ended = follow(&ground, origins, &wish, marks, &mut printer, &chosen) => ended?,
            () = interrupts.reach(1) => return Err(Error::Interrupted(interrupts.kind())),
        }
    }
    Ok(())
}

/// Nanoseconds since 1970.
fn nanoseconds(time: SystemTime) -> i128 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    i128::try_from(since).unwrap_or(i128::MAX)
}

/// Returns the containers that are meant.
fn origins(
    ground: &Ground,
    observed: &Observed,
    services: &[String],
    index: Option<u32>,
) -> Result<Vec<Origin>, Error> {
    let found = select::containers(observed, services, &ground.services())?;
    let found =
        found.into_iter().filter(|container| index.is_none_or(|index| container.labels.index == index));
    Ok(found.map(Origin::of).collect())
}

/// How far each container was read, by its name.
type Marks = BTreeMap<String, SharedMark>;

/// Shows everything up to now, and returns how far that is.
async fn backlog(
    engine: &dyn Engine,
    origins: &[Origin],
    wish: &Wish,
    printer: &mut Printer,
) -> Result<Marks, Error> {
    let marks: Marks = origins.iter().map(|origin| (origin.name.clone(), SharedMark::default())).collect();
    let streams = join_all(origins.iter().map(|origin| {
        let mark = marks.get(&origin.name).cloned().unwrap_or_default();
        async move {
            let mut streams = Vec::new();
            if wish.console() {
                streams.push(source::console(engine, origin, wish, &mark, false));
            }
            if wish.journal(origin) && enterable(engine, &origin.name, origin.ready_seen).await {
                match source::journal(engine, origin, wish, &mark, false).await {
                    Ok(stream) => streams.push(stream),
                    Err(None) => {}
                    Err(Some(why)) => source::warn(&format!("{}: {why}", origin.name)),
                }
            }
            let merged = merge::in_order(streams).await;
            match wish.tail {
                Some(count) => merge::last(merged, count).await,
                None => merged,
            }
        }
    }))
    .await;
    let mut lines = merge::in_order(streams).await;
    while let Some(line) = lines.next().await {
        printer.print(&line)?;
    }
    drop(lines);
    Ok(marks)
}

/// Writes lines to standard output.
struct Printer {
    look: Look,
    json: bool,
    /// Containers in the order of their first line, for their colours.
    places: BTreeMap<String, usize>,
}

impl Printer {
    /// Makes a printer for these containers; others may join later.
    pub(super) fn new(origins: &[Origin], json: bool) -> Self {
        let labels = origins.iter().map(|origin| logs::label(&origin.service, origin.index).chars().count());
        let places = origins.iter().enumerate().map(|(place, origin)| (origin.name.clone(), place));
        Self {
            look: Look {
                prefix: true,
                width: labels.max().unwrap_or(0),
                times: None,
                colour: AutoStream::choice(&io::stdout()) != ColorChoice::Never,
                harmless: io::stdout().is_terminal(),
            },
            json,
            places: places.collect(),
        }
    }

    /// Writes a line.
    ///
    /// # Errors
    /// Nobody reads any more.
    pub(super) fn print(&mut self, line: &Line) -> Result<(), Error> {
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{}", logs::event(line))?;
            return Ok(());
        }
        let next = self.places.len();
        let place = *self.places.entry(line.container.clone()).or_insert(next);
        out.write_all(self.look.text(line, logs::colour(place)).as_bytes())?;
        Ok(())
    }

    /// Writes that a container ended, and with what exit code.
    fn ended(&self, container: &str, code: i64) -> Result<(), Error> {
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{}", json::line("exited", json!({ "container": container, "code": code })))?;
        } else {
            writeln!(out, "{container} exited with code {code}")?;
        }
        Ok(())
    }
}

/// Follows the containers of services, as an attached `up` does: machines from now on, since their boot was
/// shown as progress, plain containers from when `up` began.
pub(super) async fn follow_from_now(
    ground: &Ground,
    observed: &Observed,
    services: &[String],
    began: SystemTime,
    json: bool,
) -> Result<(), Error> {
    let origins = origins(ground, observed, services, None)?;
    let mut printer = Printer::new(&origins, json);
    let wish = Wish { since: Some(nanoseconds(SystemTime::now())), ..Wish::default() };
    let began = nanoseconds(began);
    let plain = origins.iter().filter(|origin| !origin.machine);
    let marks = plain.map(|origin| (origin.name.clone(), source::console_read_until(began))).collect();
    let chosen = |origin: &Origin| services.is_empty() || services.contains(&origin.service);
    follow(ground, origins, &wish, marks, &mut printer, &chosen).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_checked_before_anything_is_asked() {
        assert_eq!(tail("all"), Ok(Tail(None)));
        assert_eq!(tail("3"), Ok(Tail(Some(3))));
        assert!(tail("three").is_err());
        assert_eq!(priority("crit..err"), Ok("crit..err".to_owned()));
        assert_eq!(priority("3"), Ok("3".to_owned()));
        assert!(priority("error").unwrap_err().contains("err, warning"));
    }
}
