//! `import`.

#![expect(clippy::disallowed_methods, reason = "reads the file that the command names")]

use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use crate::cli::{Global, open, output};
use crate::error::Error;
use crate::import::compose::{self, Failure};
use crate::import::container::{self, Inspected};
use crate::import::run_line::{self, Composed};
use crate::import::{Finding, Imported, Kind};
use crate::report::human::{self, BAD, CARE, GOOD};
use crate::report::{json, sanitize};

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sdcompose import                                 Make a manifest of the compose file in this directory
  sdcompose import old.yaml -o sdcompose.yaml      The same, from a file to a file
  sdcompose import --container web --container db  Make one of containers, running or not
  sdcompose import -- docker run -d --privileged -v /sys/fs/cgroup:/sys/fs/cgroup:ro example/debian /sbin/init

The manifest goes to standard output. Standard error lists which services were recognised as systemd machines,
which privilege was taken away, and what gives it back where units need it. Nothing is started or changed.")]
pub(super) struct Args {
    /// Compose file, `-` for standard input [default: compose.yaml, docker-compose.yml … of this directory]
    #[arg(value_name = "FILE", conflicts_with = "container")]
    source: Option<PathBuf>,
    /// Container to make a service of; repeat for several
    #[arg(long, value_name = "NAME")]
    container: Vec<String>,
    /// Service that runs systemd although nothing shows it; repeat for several
    #[arg(long, value_name = "SERVICE")]
    machine: Vec<String>,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over a file that exists
    #[arg(long, requires = "output")]
    force: bool,
    /// A `docker run` or `podman run` line
    #[arg(last = true, value_name = "LINE", conflicts_with_all = ["source", "container"])]
    line: Vec<String>,
}

/// What is imported.
struct Source {
    name: String,
    text: Vec<u8>,
    machines: Vec<String>,
    left_out: Vec<String>,
}

/// Makes a manifest of what exists. Only `--container` asks an engine.
pub(super) async fn run(global: &Global, args: &Args) -> Result<(), Error> {
    let Source { name, text, machines, left_out } = source(global, args).await?;
    let machines: Vec<String> = machines.iter().chain(&args.machine).cloned().collect();
    let imported = compose::import(&name, &text, &machines).map_err(|failure| {
        let Failure { sources, diagnostics } = *failure;
        open::wrong(global, &diagnostics, &sources)
    })?;
    if let Some(unknown) = args.machine.iter().find(|name| !is_told(&imported, name)) {
        return Err(Error::usage(format!(
            "--machine: there is no service `{unknown}` that is not one already"
        )));
    }
    if args.output.is_some() || !global.json {
        output::answer(args.output.as_deref(), args.force, &imported.text)?;
    }
    if global.json {
        let findings: Vec<_> = imported.findings.iter().map(as_json).collect();
        let value =
            serde_json::json!({ "manifest": imported.text, "findings": findings, "left_out": left_out });
        writeln!(std::io::stdout(), "{}", json::line("import", value))?;
        return Ok(());
    }
    tell(&imported, &left_out);
    Ok(())
}

fn is_told(imported: &Imported, name: &str) -> bool {
    imported.findings.iter().any(|finding| finding.service == name && finding.kind == Kind::Machine)
}

fn as_json(finding: &Finding) -> serde_json::Value {
    let Finding { service, kind, text } = finding;
    serde_json::json!({ "service": service, "kind": kind.as_str(), "text": text })
}

async fn source(global: &Global, args: &Args) -> Result<Source, Error> {
    if !args.line.is_empty() {
        let composed = run_line::compose(&args.line).map_err(|why| {
            Error::usage(why).help("put the whole line behind `--`: sdcompose import -- docker run … IMAGE")
        })?;
        return Ok(Source::of("the line", composed));
    }
    if !args.container.is_empty() {
        let engine = open::engine(global)?;
        let mut found = Vec::new();
        for name in &args.container {
            let (container, image) = engine.describe(name).await?;
            found.push(Inspected { container, image });
        }
        return Ok(Source::of("the container", container::compose(&found)));
    }
    let path = match (&args.source, global.file.as_slice()) {
        (Some(path), _) | (None, [path]) => path.clone(),
        (None, [_, _, ..]) => return Err(Error::usage("`import` takes one file at a time")),
        (None, []) => found()?,
    };
    let name = path.display().to_string();
    Ok(Source { text: read(&path)?, name, machines: Vec::new(), left_out: Vec::new() })
}

impl Source {
    fn of(name: &str, composed: Composed) -> Self {
        let Composed { text, left_out, machines } = composed;
        Self { name: name.to_owned(), text: text.into_bytes(), machines, left_out }
    }
}

/// Finds the compose file of this directory.
fn found() -> Result<PathBuf, Error> {
    const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
    NAMES.iter().map(PathBuf::from).find(|path| path.is_file()).ok_or_else(|| {
        Error::usage("there is no compose file in this directory")
            .help("name one, or a container (`--container NAME`), or a line (`-- docker run …`)")
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    /// One byte more than the reader of YAML takes, which tells what is too much.
    const MOST: u64 = (8 << 20) + 1;
    let failed = |error| Error::local(format!("cannot read {}", path.display()), error);
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        if std::io::stdin().is_terminal() {
            return Err(Error::usage("standard input is a terminal; pipe a compose file into it"));
        }
        std::io::stdin().lock().take(MOST).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(MOST).read_to_end(&mut bytes).map_err(failed)?;
    }
    Ok(bytes)
}

/// Lists what was found, machines first; what is the same for several services is said once.
fn tell(imported: &Imported, left_out: &[String]) {
    let mut out = anstream::stderr();
    let mut line = |style, word: &str, text: &str| {
        // Nobody is left to tell where standard error is closed.
        let _ = writeln!(out, "{} {}", human::styled(style, &format!("{word:8}")), sanitize::line(text));
    };
    for finding in imported.findings.iter().filter(|finding| finding.kind == Kind::Machine) {
        line(GOOD, finding.kind.as_str(), &format!("{}: {}", finding.service, finding.text));
    }
    for (finding, services) in grouped(&imported.findings) {
        let style = if finding.kind == Kind::Care { BAD } else { CARE };
        line(style, finding.kind.as_str(), &format!("{}: {}", services.join(", "), finding.text));
    }
    for text in left_out {
        line(BAD, Kind::Care.as_str(), text);
    }
    if imported.machines == 0 {
        line(
            BAD,
            Kind::Care.as_str(),
            "no service looks like a systemd machine: all are plain containers (`--machine SERVICE` says otherwise)",
        );
    }
}

/// Joins findings that differ in their service only, in the order in which they came.
fn grouped(findings: &[Finding]) -> Vec<(&Finding, Vec<&str>)> {
    let mut groups: Vec<(&Finding, Vec<&str>)> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.kind != Kind::Machine) {
        match groups.iter_mut().find(|(known, _)| known.kind == finding.kind && known.text == finding.text) {
            Some((_, services)) => services.push(&finding.service),
            None => groups.push((finding, vec![&finding.service])),
        }
    }
    groups.sort_by_key(|(finding, _)| finding.kind);
    groups
}
