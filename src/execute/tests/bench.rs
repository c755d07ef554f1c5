//! What the executor's tests are written with: specifications, plans, and runs as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::condition::{Condition, Wait};
use crate::container::{ContainerSpec, MountSpec, MountSpecSource};
use crate::engine::Engine;
use crate::engine::sim::{Script, Sim, sample};
use crate::event::{Event, Failure, Progress};
use crate::execute::{self, Options, Outcome};
use crate::labels::ContainerLabels;
use crate::observed::Scope;
use crate::plan::{Action, Plan, Reason, Step, StepId};
use crate::project::{Hooks, Port, Protocol, PublishedPort, VolumeOptions};

/// A simulated engine with the images `machine` and `plain`.
pub(super) struct Bench {
    pub(super) sim: Sim,
}

pub(super) fn options() -> Options {
    Options::of("shop")
}

/// What a run did.
pub(super) struct Run {
    pub(super) outcome: Outcome,
    events: Vec<Event>,
}

impl Bench {
    pub(super) fn new() -> Self {
        let sim = Sim::default();
        sim.known_image("machine", Script::machine());
        sim.known_image("plain", Script::plain());
        Self { sim }
    }

    pub(super) async fn run(&self, plan: &Plan) -> Run {
        self.run_with(plan, &options()).await
    }

    pub(super) async fn run_with(&self, plan: &Plan, options: &Options) -> Run {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let outcome = execute::run(plan, &self.sim, options, sender, CancellationToken::new()).await;
        Run { outcome, events: drained(&mut receiver) }
    }

    pub(super) async fn interrupted_after(&self, plan: &Plan, time: Duration) -> Run {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let (token, options) = (CancellationToken::new(), options());
        let run = execute::run(plan, &self.sim, &options, sender, token.clone());
        let cut = async {
            tokio::time::sleep(time).await;
            token.cancel();
        };
        let (outcome, ()) = tokio::join!(run, cut);
        Run { outcome, events: drained(&mut receiver) }
    }

    /// Runs a plan until the caller dies by a scripted crash, which must happen.
    pub(super) async fn run_until_crash(&self, plan: &Plan) {
        let (sender, _receiver) = mpsc::unbounded_channel();
        let options = options();
        tokio::select! {
            biased;
            () = self.sim.crashed() => {}
            outcome = execute::run(plan, &self.sim, &options, sender, CancellationToken::new()) => {
                panic!("no crash happened: {outcome:?}");
            }
        }
        self.sim.mend();
    }

    /// Brings up a network, the machine `shop-db-1` and the plain container `shop-app-1`.
    pub(super) async fn up(&self) {
        let steps = plan(vec![
            (network("shop_default"), vec![]),
            (Action::Create(machine("shop-db-1")), vec![0]),
            (Action::Create(plain("shop-app-1")), vec![0]),
            (start("shop-db-1"), vec![1]),
            (start("shop-app-1"), vec![2]),
            (wait("shop-db-1", Condition::Running, 90), vec![3]),
        ]);
        let run = self.run(&steps).await;
        assert!(run.outcome.succeeded(), "{}", run.ends());
    }

    /// The name that an old container was given, from the calls since then.
    pub(super) fn aside(&self, since: usize) -> String {
        let calls = self.sim.mutations_since(since);
        let rename = calls.iter().find_map(|call| call.strip_prefix("rename shop-db-1 to "));
        rename.expect("the old container was renamed").to_owned()
    }

    pub(super) async fn volumes_of(&self, container: &str) -> BTreeMap<String, String> {
        let scope = Scope { project: "shop".to_owned(), ..Scope::default() };
        let observed = self.sim.observe(&scope).await.unwrap();
        observed.containers.into_iter().find(|found| found.name == container).unwrap().volumes
    }
}

impl Run {
    /// All starts and ends with their times.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for event in &self.events {
            match event {
                Event::Started { step } => writeln!(text, "{} started", step.0),
                Event::Finished { step, took } => {
                    writeln!(text, "{} finished after {} ms", step.0, took.as_millis())
                }
                Event::Failed { step, failure } => writeln!(text, "{} failed: {}", step.0, failure.what),
                Event::Skipped { step, because } => writeln!(text, "{} skipped {because:?}", step.0),
                Event::Progress { .. } => Ok(()),
            }
            .unwrap();
        }
        text + &format!("took {} ms", self.outcome.took.as_millis())
    }

    /// The lines that steps printed.
    pub(super) fn lines(&self) -> Vec<String> {
        self.progress()
            .filter_map(|it| if let Progress::Line(line) = it { Some(line.clone()) } else { None })
            .collect()
    }

    /// What was warned of.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.progress()
            .filter_map(|it| if let Progress::Warning(text) = it { Some(text.clone()) } else { None })
            .collect()
    }

    fn progress(&self) -> impl Iterator<Item = &Progress> {
        self.events.iter().filter_map(|event| match event {
            Event::Progress { step: _, progress } => Some(progress),
            Event::Started { .. } | Event::Finished { .. } | Event::Failed { .. } | Event::Skipped { .. } => {
                None
            }
        })
    }

    /// The progress of boots: units that are up, and in all.
    pub(super) fn boots(&self) -> Vec<(u32, Option<u32>)> {
        let boots = self.events.iter().filter_map(|event| match event {
            Event::Progress { step: _, progress: Progress::Booting { done, total, line: _ } } => {
                Some((*done, *total))
            }
            Event::Started { .. }
            | Event::Progress { .. }
            | Event::Finished { .. }
            | Event::Failed { .. }
            | Event::Skipped { .. } => None,
        });
        boots.collect()
    }

    /// The ends of all steps, failures with all that they tell.
    pub(super) fn ends(&self) -> String {
        let mut lines = Vec::new();
        for event in &self.events {
            match event {
                Event::Started { .. } | Event::Progress { .. } => {}
                Event::Finished { step, took: _ } => lines.push(format!("{} finished", step.0)),
                Event::Failed { step, failure } => {
                    lines.push(format!("{} failed: {}", step.0, failure.what));
                    lines.extend(details(failure));
                }
                Event::Skipped { step, because: Some(root) } => {
                    lines.push(format!("{} skipped because of {}", step.0, root.0));
                }
                Event::Skipped { step, because: None } => lines.push(format!("{} skipped", step.0)),
            }
        }
        lines.join("\n")
    }
}

fn details(failure: &Failure) -> Vec<String> {
    let Failure { what: _, causes, units, jobs, console, output, help, next, timed_out: _ } = failure;
    let mut lines = Vec::new();
    for unit in units {
        let status = &unit.status;
        let code = status.exec_status.unwrap_or_default();
        lines.push(format!("  unit {} {} {} {code}", status.name, status.active, status.result));
        lines.extend(unit.log.iter().map(|line| format!("    {line}")));
    }
    lines.extend(jobs.iter().map(|job| format!("  job {job}")));
    lines.extend(console.iter().map(|line| format!("  console: {line}")));
    lines.extend(output.iter().map(|line| format!("  printed: {line}")));
    lines.extend(causes.iter().map(|cause| format!("  cause: {cause}")));
    lines.extend(help.iter().chain(next).map(|help| format!("  help: {help}")));
    lines
}

fn drained(receiver: &mut mpsc::UnboundedReceiver<Event>) -> Vec<Event> {
    std::iter::from_fn(|| receiver.try_recv().ok()).collect()
}

pub(super) fn plan(steps: Vec<(Action, Vec<usize>)>) -> Plan {
    let step = |(action, after): (Action, Vec<usize>)| Step {
        action,
        reason: Reason::Absent,
        after: after.into_iter().map(StepId).collect(),
        destroys: None,
        settles: None,
    };
    Plan { steps: steps.into_iter().map(step).collect(), notes: Vec::new() }
}

pub(super) fn start(container: &str) -> Action {
    Action::Start { container: container.to_owned() }
}

pub(super) fn wait(container: &str, condition: Condition, seconds: u64) -> Action {
    let wait = Wait { condition, timeout: Some(Duration::from_secs(seconds)), enabled: Vec::new() };
    Action::Await { container: container.to_owned(), wait }
}

pub(super) fn replace(spec: Box<ContainerSpec>) -> Action {
    let wait =
        Wait { condition: Condition::Running, timeout: Some(Duration::from_secs(90)), enabled: Vec::new() };
    Action::Replace {
        spec,
        wait,
        grace: Duration::from_secs(10),
        keep_anonymous: false,
        hooks: Hooks::default(),
    }
}

pub(super) fn replace_keeping(spec: Box<ContainerSpec>) -> Action {
    let wait =
        Wait { condition: Condition::Started, timeout: Some(Duration::from_secs(90)), enabled: Vec::new() };
    Action::Replace {
        spec,
        wait,
        grace: Duration::from_secs(10),
        keep_anonymous: true,
        hooks: Hooks::default(),
    }
}

pub(super) fn network(name: &str) -> Action {
    Action::CreateNetwork(Box::new(sample::network("shop", name)))
}

pub(super) fn machine(name: &str) -> Box<ContainerSpec> {
    Box::new(sample::machine("shop", name))
}

pub(super) fn plain(name: &str) -> Box<ContainerSpec> {
    Box::new(sample::plain("shop", name))
}

pub(super) fn port(port: u16) -> Port {
    let published = Some(PublishedPort { first: port, last: port });
    Port { published, ..Port::any(80, Protocol::Tcp) }
}

pub(super) fn anonymous(target: &str) -> MountSpec {
    MountSpec {
        target: target.to_owned(),
        source: MountSpecSource::Anonymous(VolumeOptions::default()),
        read_only: false,
    }
}

/// Gives a specification another fingerprint.
pub(super) fn relabel(spec: &mut ContainerSpec, fingerprint: &str) {
    let mut labels = ContainerLabels::decode(&spec.labels).unwrap();
    labels.fingerprint = fingerprint.to_owned();
    spec.labels = labels.encode();
}
