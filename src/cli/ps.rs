//! `ps`.

use std::io::{self, Write};
use std::time::Duration;

use clap::ValueEnum;
use futures_util::future::join_all;

use crate::cli::{Global, open, select, terminal};
use crate::engine::{Engine, ExecSpec};
use crate::error::Error;
use crate::observed::{ContainerState, ObservedContainer};
use crate::report::table::{self, PsRow, System};
use crate::systemd::show;

/// How long a machine has to say how it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// Arguments of `ps`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sdcompose ps                  Running containers, with the state of systemd inside
  sdcompose ps -a               Stopped ones as well
  sdcompose ps --format json    One object a line, with failed units")]
pub(super) struct Args {
    /// Services to list [default: all]
    services: Vec<String>,
    /// List stopped containers as well
    #[arg(short, long)]
    all: bool,
    /// Print ids only
    #[arg(short, long)]
    quiet: bool,
    /// How the list is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print names of services only
    #[arg(long = "services", id = "list_services")]
    list_services: bool,
}

/// How a list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Columns
    Table,
    /// One object a line
    Json,
}

/// Lists containers.
pub(super) async fn run(global: &Global, args: &Args) -> Result<(), Error> {
    let ground = open::ground(global)?;
    let observed = ground.observe().await?;
    let mut found = select::containers(&observed, &args.services, &ground.services())?;
    found.retain(|container| args.all || runs(container));
    let mut out = io::stdout().lock();
    if args.quiet {
        for container in &found {
            writeln!(out, "{}", container.id)?;
        }
        return Ok(());
    }
    if args.list_services {
        let mut names: Vec<&str> = found.iter().map(|container| container.labels.service.as_str()).collect();
        names.dedup();
        for name in names {
            writeln!(out, "{name}")?;
        }
        return Ok(());
    }
    let rows = join_all(found.into_iter().map(|container| row(ground.engine(), container))).await;
    if global.json || args.format == Format::Json {
        for row in &rows {
            writeln!(out, "{}", table::ps_json(row))?;
        }
    } else {
        writeln!(out, "{}", table::ps(&rows, terminal::width()))?;
    }
    Ok(())
}

/// Whether a container is listed without `--all`: it lives, if only between two tries.
fn runs(container: &ObservedContainer) -> bool {
    match container.state {
        ContainerState::Running | ContainerState::Paused | ContainerState::Restarting => true,
        ContainerState::Created
        | ContainerState::Removing
        | ContainerState::Exited
        | ContainerState::Dead
        | ContainerState::Other(_) => false,
    }
}

async fn row(engine: &dyn Engine, container: &ObservedContainer) -> PsRow {
    let machine = container.labels.machine.is_some() && container.state == ContainerState::Running;
    let system = match (machine, container.ready_seen || old(container)) {
        (false, _) => None,
        // A command inside before PID 1 owns its cgroup can break the boot; it is left alone.
        (true, false) => Some(System::Silent("booting".to_owned())),
        (true, true) => Some(ask(engine, &container.name).await),
    };
    PsRow { container: container.clone(), system }
}

/// Whether a container has been up for long enough that its PID 1 has set itself up, by the engine's words
/// (`Up 3 minutes`): an engine that is not local has no other sign.
fn old(container: &ObservedContainer) -> bool {
    let young = ["second", "Less than"].iter().any(|word| container.status.contains(word));
    container.status.starts_with("Up ") && !young
}

/// Asks a machine how it is, with one command for both answers.
async fn ask(engine: &dyn Engine, container: &str) -> System {
    let script =
        "systemctl is-system-running; systemctl list-units --state=failed --plain --no-legend --no-pager";
    let command = ExecSpec { timeout: Some(PATIENCE), ..ExecSpec::of(&["/bin/sh", "-c", script]) };
    match tokio::time::timeout(PATIENCE, engine.exec(container, &command)).await {
        Err(_) => System::Silent(format!("no answer within {} s", PATIENCE.as_secs())),
        Ok(Err(error)) => System::Silent(error.to_string()),
        Ok(Ok(output)) => answer(&String::from_utf8_lossy(&output.stdout)),
    }
}

fn answer(text: &str) -> System {
    let Some(state) = show::system(text) else { return System::Silent("no answer".to_owned()) };
    let first = |line: &str| line.split_whitespace().find(|word| word.contains('.')).map(str::to_owned);
    System::Said { state, failed: text.lines().skip(1).filter_map(first).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systemd::SystemState;

    #[test]
    fn the_answer_of_a_machine_is_its_state_and_its_failed_units() {
        let text = "degraded\nnginx.service loaded failed failed A web server\n● db.service loaded failed\n";
        let failed = vec!["nginx.service".to_owned(), "db.service".to_owned()];
        assert_eq!(answer(text), System::Said { state: SystemState::Degraded, failed });
        assert_eq!(answer("running\n"), System::Said { state: SystemState::Running, failed: vec![] });
        assert_eq!(answer(""), System::Silent("no answer".to_owned()));
    }
}
