//! One call to the engine, brought to a known end: a lost reply is settled by a look at the world, an
//! engine that is gone for a moment is waited for.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Options;
use super::effect::{self, Effect};
use crate::engine::{Call, Done, Engine, EngineError, ExecOutput, ExecSpec, RefusalKind, Show};
use crate::event::Progress;
use crate::observed::{ContainerState, Observed, Scope};

/// How often a call is made whose reply is lost each time.
const TRIES: u32 = 3;
/// Pause before the engine is asked again; doubled up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Pause between two looks at a container that is being removed, and how long that may take.
const REMOVAL_PAUSE: Duration = Duration::from_millis(200);
const REMOVAL_TIME: Duration = Duration::from_secs(30);
/// Time that a question to a machine may take; systemctl answers in 0.1 s where systemd is well.
const QUESTION_TIME: Duration = Duration::from_secs(10);

/// What a step works with.
pub(super) struct Hands<'a> {
    /// The engine, for what is not a call.
    pub(super) engine: &'a dyn Engine,
    /// How the plan is run.
    pub(super) options: &'a Options,
    /// Cancelled when nothing more is to be started.
    pub(super) interrupt: &'a CancellationToken,
    services: &'a BTreeMap<String, String>,
    show: Show,
}

/// What an error leaves open about its call.
enum Doubt {
    /// Nothing was changed.
    Refused,
    /// The request did not arrive.
    Unsent,
    /// It may have taken effect; it may be made so many times in all.
    Open { tries: u32 },
}

impl<'a> Hands<'a> {
    /// Puts together what a step works with.
    pub(super) fn new(
        engine: &'a dyn Engine,
        options: &'a Options,
        interrupt: &'a CancellationToken,
        services: &'a BTreeMap<String, String>,
        show: Show,
    ) -> Self {
        Self { engine, options, interrupt, services, show }
    }

    /// Shows progress of this step.
    pub(super) fn show(&self, progress: Progress) {
        (self.show)(progress);
    }

    /// Returns the service of a container that this plan makes.
    pub(super) fn service(&self, container: &str) -> Option<&str> {
        self.services.get(container).map(String::as_str)
    }

    /// Makes a call and returns only when its outcome is known, or cannot be found out.
    pub(super) async fn call(&self, call: &Call) -> Result<Done, EngineError> {
        let mut made = 0;
        let mut lost = false;
        let mut patience = Patience::new(self.options.patience);
        loop {
            made += 1;
            let error = match self.engine.perform(call, self.show.clone()).await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let tries = match doubt(&error) {
                Doubt::Unsent => {
                    if !patience.pause(self.interrupt).await {
                        return Err(error);
                    }
                    made -= 1;
                    continue;
                }
                Doubt::Refused if is_removal_under_way(call, &error) => {
                    return self.await_removal(call, error).await;
                }
                // A refusal of the second try may come from the first one's late effect (a name that is
                // taken, say, by the very container that was to be made).
                Doubt::Refused if !lost => return Err(error),
                Doubt::Refused => 0,
                Doubt::Open { tries } => tries,
            };
            lost = true;
            let seen = match self.observe(&effect::scope(&self.options.project, call)).await {
                Ok(observed) => effect::of(call, &observed, self.is_fresh(call)),
                Err(_) => return Err(error),
            };
            match seen {
                Effect::Took(done) => return Ok(done),
                Effect::Untold => return Err(error),
                Effect::Not | Effect::Unseen if made >= tries => return Err(error),
                Effect::Not | Effect::Unseen => {}
            }
        }
    }

    fn is_fresh(&self, call: &Call) -> bool {
        matches!(call, Call::Start { container } if self.services.contains_key(container))
    }

    /// Takes a snapshot; tries again while the engine is gone for a moment or the answer gets lost.
    pub(super) async fn observe(&self, scope: &Scope) -> Result<Observed, EngineError> {
        let mut patience = Patience::new(self.options.patience);
        loop {
            match self.engine.observe(scope).await {
                Ok(observed) => return Ok(observed),
                Err(error) => {
                    let settled = matches!(doubt(&error), Doubt::Refused);
                    if settled || !patience.pause(self.interrupt).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Takes a snapshot of the project with the names of some containers.
    pub(super) async fn observe_containers(&self, names: &[&str]) -> Result<Observed, EngineError> {
        let containers = names.iter().map(|&name| name.to_owned()).collect();
        let scope = Scope { project: self.options.project.clone(), containers, ..Scope::default() };
        self.observe(&scope).await
    }

    /// Runs a command that only asks, inside a machine.
    pub(super) async fn ask(&self, container: &str, command: Vec<String>) -> Result<ExecOutput, EngineError> {
        let spec = ExecSpec { command, timeout: Some(QUESTION_TIME), ..ExecSpec::default() };
        self.engine.exec(container, &spec).await
    }

    /// Waits for a removal that somebody else (or an earlier try) has begun.
    async fn await_removal(&self, call: &Call, error: EngineError) -> Result<Done, EngineError> {
        let Call::Remove { container, volumes: _, force: _ } = call else { return Err(error) };
        let until = Instant::now() + REMOVAL_TIME;
        loop {
            let observed = self.observe_containers(&[container]).await?;
            match effect::find(&observed, container).map(|found| &found.state) {
                None => return Ok(Done::Already),
                Some(ContainerState::Removing) if Instant::now() < until => sleep(REMOVAL_PAUSE).await,
                Some(_) => return Err(error),
            }
        }
    }
}

/// Pauses that grow, for an engine that is gone for a moment.
pub(super) struct Patience {
    until: Instant,
    pause: Duration,
}

impl Patience {
    /// Starts to be patient, for so long in all.
    pub(super) fn new(time: Duration) -> Self {
        Self { until: Instant::now() + time, pause: FIRST_PAUSE }
    }

    /// Waits a little; says whether it is worth another try.
    pub(super) async fn pause(&mut self, interrupt: &CancellationToken) -> bool {
        if interrupt.is_cancelled() || Instant::now() + self.pause > self.until {
            return false;
        }
        tokio::select! {
            () = sleep(self.pause) => {}
            () = interrupt.cancelled() => return false,
        }
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}

fn doubt(error: &EngineError) -> Doubt {
    match error {
        EngineError::Unreachable { .. } => Doubt::Unsent,
        // An engine that fails by itself (500) may have done it, and would fail again.
        EngineError::Refused { kind: RefusalKind::Internal, .. } => Doubt::Open { tries: 1 },
        EngineError::Refused { .. } | EngineError::Local { .. } => Doubt::Refused,
        EngineError::Unknown { .. } | EngineError::Garbled { .. } => Doubt::Open { tries: TRIES },
        // Its time was long; a second one is enough.
        EngineError::TimedOut { .. } => Doubt::Open { tries: 2 },
    }
}

fn is_removal_under_way(call: &Call, error: &EngineError) -> bool {
    matches!(call, Call::Remove { .. })
        && matches!(error, EngineError::Refused { kind: RefusalKind::Conflict, .. })
}
