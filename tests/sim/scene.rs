//! A project on a simulated engine: what the commands do, without the command line.

use std::fmt::Write as _;
use std::time::Duration;

use sdcompose::engine::Engine;
use sdcompose::engine::sim::{Fault, Script, ScriptUnit, Sim};
use sdcompose::event::{Event, Failure, Progress};
use sdcompose::execute::{self, Options, Outcome};
use sdcompose::plan::check::check;
use sdcompose::plan::down::{DownOptions, down};
use sdcompose::plan::up::{UpOptions, images, unclear, up};
use sdcompose::plan::{Plan, text};
use sdcompose::project::{DependencyCondition, Project, RestartPolicy};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::project::{Change, machine, plain, project, scope, with_secret};

/// The ways in which a call goes wrong without the caller dying.
pub(crate) const FAULTS: [Fault; 9] = [
    Fault::Refused(sdcompose::engine::RefusalKind::Conflict),
    Fault::Refused(sdcompose::engine::RefusalKind::Internal),
    Fault::FailsAfter,
    Fault::LostRequest,
    Fault::LostReply,
    Fault::Hangs { took: true },
    Fault::Hangs { took: false },
    Fault::Away(Duration::from_secs(60)),
    Fault::Dies(Duration::from_secs(2)),
];

/// A simulated engine with images, and a stranger's container, network and volume.
pub(crate) struct Scene {
    pub(crate) sim: Sim,
}

/// What one command did.
#[derive(Debug)]
pub(crate) struct Did {
    /// Whether every step was done.
    pub(crate) done: bool,
    /// The plan and what failed.
    pub(crate) told: String,
    /// Number of steps.
    pub(crate) steps: usize,
}

impl Scene {
    /// Another client of the same engine.
    pub(crate) fn beside(&self) -> Self {
        Self { sim: self.sim.clone() }
    }

    pub(crate) fn new() -> Self {
        let sim = Sim::default();
        let database = ScriptUnit::named("postgresql.service", 400).after("basic.target");
        let proxy = ScriptUnit::named("nginx.service", 200).after("basic.target");
        let slow = ScriptUnit::named("slow.service", 2000).after("basic.target");
        let hooks = |script: Script| script.command("seed", 150, 0, &[]).command("drain", 150, 0, &[]);
        sim.known_image("plain", hooks(Script::plain()));
        sim.known_image("plain:2", hooks(Script::plain()));
        let machine = Script::machine().unit(database.clone()).unit(proxy.clone()).unit(slow);
        sim.known_image("machine", hooks(machine));
        sim.known_image("machine:2", hooks(Script::machine().unit(database).unit(proxy)));
        sim.known_image("machine:bad", Script::machine().ends(200, 1, &["alas"]));
        sim.registry_image("registry", Script::machine());
        let mut stranger = sdcompose::engine::sim::sample::plain("other", "stranger");
        stranger.labels.clear();
        stranger.restart = RestartPolicy::Always;
        sim.foreign_container("stranger", stranger);
        sim.foreign_network("strange");
        sim.foreign_volume("precious");
        Self { sim }
    }

    /// `up`: images first, then what is missing or differs.
    pub(crate) async fn up(&self, project: &Project) -> Did {
        self.up_with(project, &UpOptions::default()).await
    }

    pub(crate) async fn up_with(&self, project: &Project, options: &UpOptions) -> Did {
        let told = |refusals: Vec<_>| refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let plan = match self.looked(project, options).await {
            Ok((facts, observed)) => images(project, &facts, &observed, options).map_err(told),
            Err(told) => Err(told),
        };
        let plan = match plan {
            Ok(plan) => plan,
            Err(told) => return Did { done: false, told, steps: 0 },
        };
        let brought = self.execute(&plan).await;
        if !brought.done {
            return brought;
        }
        match self.plan(project, options).await {
            Ok(plan) => self.execute(&plan).await,
            Err(told) => Did { done: false, told, steps: 0 },
        }
    }

    /// What `up` would do now.
    pub(crate) async fn plan(&self, project: &Project, options: &UpOptions) -> Result<Plan, String> {
        let (facts, observed) = self.looked(project, options).await?;
        let plan = up(project, &facts, &observed, options)
            .map_err(|refusals| refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
        let faults = check(&plan);
        assert!(faults.is_empty(), "{faults:?}\n{}", text::text(&plan));
        Ok(plan)
    }

    pub(crate) async fn down(&self, project: &Project, volumes: bool) -> Did {
        let observed = match self.observed(project).await {
            Ok(observed) => observed,
            Err(told) => return Did { done: false, told, steps: 0 },
        };
        let options = DownOptions { volumes, ..DownOptions::default() };
        let plan = down(&project.name, Some(project), &observed, &options);
        let faults = check(&plan);
        assert!(faults.is_empty(), "{faults:?}\n{}", text::text(&plan));
        self.execute(&plan).await
    }

    /// Looks as closely as the plan needs.
    async fn looked(
        &self,
        project: &Project,
        options: &UpOptions,
    ) -> Result<(sdcompose::facts::Facts, sdcompose::observed::Observed), String> {
        let facts = self.sim.facts().await.map_err(|error| error.to_string())?;
        let mut observed = self.observed(project).await?;
        let wanted = unclear(project, &facts, &observed, options);
        if !wanted.is_empty() {
            observed.closer = self.sim.closer(&wanted).await.map_err(|error| error.to_string())?;
        }
        Ok((facts, observed))
    }

    async fn observed(&self, project: &Project) -> Result<sdcompose::observed::Observed, String> {
        self.sim.observe(&scope(project)).await.map_err(|error| error.to_string())
    }

    /// `up` that is interrupted after a time.
    pub(crate) async fn up_interrupted(&self, project: &Project, time: Duration) -> Did {
        let plan = self.plan(project, &UpOptions::default()).await.expect("a plan");
        let interrupt = CancellationToken::new();
        let cut = async {
            tokio::time::sleep(time).await;
            interrupt.cancel();
        };
        let (did, ()) = tokio::join!(self.execute_until(&plan, interrupt.clone()), cut);
        did
    }

    async fn execute(&self, plan: &Plan) -> Did {
        self.execute_until(plan, CancellationToken::new()).await
    }

    async fn execute_until(&self, plan: &Plan, interrupt: CancellationToken) -> Did {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let options = Options::of("shop");
        let outcome = execute::run(plan, &self.sim, &options, sender, interrupt).await;
        Did { done: outcome.succeeded(), told: told(plan, &outcome, &mut receiver), steps: plan.steps.len() }
    }

    /// Runs a command until its process dies by the scripted crash.
    pub(crate) async fn until_crash(&self, command: impl Future<Output = Did>) {
        tokio::select! {
            biased;
            () = self.sim.crashed() => {}
            did = command => assert_eq!(self.sim.faults_left(), 0, "no crash happened: {did:?}"),
        }
        self.sim.mend();
    }

    /// Runs a command that a scripted fault may kill.
    pub(crate) async fn may_crash(&self, command: impl Future<Output = Did>) {
        tokio::select! {
            biased;
            () = self.sim.crashed() => {}
            _ = command => {}
        }
        self.sim.mend();
    }

    /// Lets time pass, so that what a dead process began comes to its end.
    pub(crate) async fn rest(&self) {
        self.sim.mend();
        tokio::time::sleep(Duration::from_secs(120)).await;
    }

    /// Brings the project up until nothing is left to do, and says how often that took; at most three times.
    pub(crate) async fn converge(&self, project: &Project, about: &str) -> usize {
        for turn in 1..=3 {
            let did = self.up(project).await;
            if did.done
                && self.plan(project, &UpOptions::default()).await.is_ok_and(|plan| plan.steps.is_empty())
            {
                return turn;
            }
            assert!(turn < 3, "{about}\n{}\n{}", did.told, self.sim.text());
        }
        0
    }

    /// The number of calls so far.
    pub(crate) fn calls(&self) -> usize {
        self.sim.calls().len()
    }

    /// What must hold at any time, and that strangers were left alone.
    pub(crate) fn assert_clean(&self, about: &str) {
        assert_eq!(self.sim.violations(), Vec::<String>::new(), "{about}\n{}", self.sim.text());
        let text = self.sim.text();
        for stranger in ["container stranger r", "network strange", "volume precious"] {
            assert!(text.contains(stranger), "{about}: {stranger} is not there any more\n{text}");
        }
    }
}

/// Three machines of which each needs the one before, and a plain service; one of each is given a secret.
pub(crate) fn shop() -> Project {
    let shop = project(vec![
        machine("db").stores("data").restarts(RestartPolicy::Always),
        machine("app").needs_unit("db", "postgresql.service").needs("cache", DependencyCondition::Started),
        machine("web").needs("app", DependencyCondition::Ready).times(2),
        plain("cache"),
    ]);
    with_secret(shop, "token", "canary", &["app", "cache"])
}

/// The same with other images for two of them.
pub(crate) fn changed_shop() -> Project {
    let mut shop = shop();
    for (name, image) in [("db", "machine:2"), ("cache", "plain:2")] {
        if let Some(service) = shop.services.get_mut(name) {
            *service = service.clone().image(image);
        }
    }
    shop
}

/// The shop with hooks on most of its services.
pub(crate) fn hooked(mut shop: Project) -> Project {
    for name in ["db", "app", "cache"] {
        if let Some(service) = shop.services.get_mut(name) {
            *service = service.clone().hooks();
        }
    }
    shop
}

fn told(plan: &Plan, outcome: &Outcome, receiver: &mut mpsc::UnboundedReceiver<Event>) -> String {
    let mut told = text::text(plan);
    while let Ok(event) = receiver.try_recv() {
        match event {
            Event::Failed { step, failure } => {
                let Failure { what, causes, help, .. } = *failure;
                let number = step.0 + 1;
                writeln!(told, "\nfailed: step {number}: {what} {causes:?} {help:?}")
                    .expect("a string takes it");
            }
            Event::Progress { step, progress: Progress::Warning(text) } => {
                writeln!(told, "\nwarning: step {}: {text}", step.0 + 1).expect("a string takes it");
            }
            Event::Started { .. }
            | Event::Progress { .. }
            | Event::Finished { .. }
            | Event::Skipped { .. } => {}
        }
    }
    told + &format!("\ninterrupted={} timed_out={}", outcome.interrupted, outcome.timed_out)
}
