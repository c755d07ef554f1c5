//! Runs a plan: the only place that waits. One loop owns the state of all steps; ready steps run side by
//! side, steps behind a failed one are skipped, everything else goes on.
//!
//! What lives below: `step` turns an action into calls, `call` makes one call and finds out what became of
//! it when its reply is lost, `create` and `replace` are the steps of several calls with their way back,
//! `await_step` waits for a condition, `hook` runs a hook, `failure` collects what explains a failure.

mod await_step;
mod call;
mod change;
mod create;
mod effect;
mod failure;
mod hook;
mod replace;
mod step;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::engine::{Engine, Show};
use crate::event::{Event, Failure};
use crate::facts::ImageFacts;
use crate::plan::{Action, Plan, StepId};

use call::Hands;
use step::Ended;

/// How a plan is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The project, for the look at the engine that decides what became of a lost call.
    pub project: String,
    /// How many steps may run side by side; awaits do not count, since they only listen.
    pub parallel: usize,
    /// Whether it is worth a command in each booting machine to learn how many units it starts (a live
    /// terminal shows it, nothing else does).
    pub want_totals: bool,
    /// How long an engine that does not answer any more (a restarting daemon) is tried again.
    pub patience: Duration,
}

impl Options {
    /// Makes the usual options: 32 steps side by side, no totals, 30 s of patience.
    #[must_use]
    pub fn of(project: impl Into<String>) -> Self {
        Self { project: project.into(), parallel: 32, want_totals: false, patience: Duration::from_secs(30) }
    }
}

/// What became of a plan. Details of failures went out as events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Steps that failed, in the plan's order; those behind them are in `skipped`.
    pub failed: Vec<StepId>,
    /// Steps that were not tried or not brought to an end, in the plan's order.
    pub skipped: Vec<StepId>,
    /// Whether the run was interrupted before its end.
    pub interrupted: bool,
    /// Whether a step failed because its time ran out.
    pub timed_out: bool,
    /// What `Look` steps found, by the image's reference.
    pub looked: BTreeMap<String, ImageFacts>,
    /// Time that the whole plan took.
    pub took: Duration,
}

impl Outcome {
    /// Says whether every step was done.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.failed.is_empty() && self.skipped.is_empty() && !self.interrupted
    }
}

/// Runs all steps of a plan and tells what happens. The plan must have been checked to be acyclic; a step
/// that can never become ready is skipped.
///
/// When `interrupt` is cancelled nothing more is started; waiting, pulling and building end at once; every
/// other step in flight is brought to its end, a replacement to one of its two good ends.
pub async fn run(
    plan: &Plan,
    engine: &dyn Engine,
    options: &Options,
    events: UnboundedSender<Event>,
    interrupt: CancellationToken,
) -> Outcome {
    let began = Instant::now();
    let services = services_of(plan);
    let mut ledger = Ledger::new(plan, events);
    let mut running = FuturesUnordered::new();
    loop {
        if !interrupt.is_cancelled() {
            while let Some(id) = ledger.next_ready(options.parallel) {
                let step = &plan.steps[id.0];
                let hands = Hands::new(engine, options, &interrupt, &services, ledger.show(id));
                running.push(async move {
                    let began = Instant::now();
                    (id, step::perform(&hands, step).await, began.elapsed())
                });
            }
        }
        // The end of a running step is taken before the interruption, so that it is not lost.
        let Some((id, ended, took)) = running.next().await else { break };
        ledger.settle(id, ended, took);
    }
    ledger.close(interrupt.is_cancelled(), began.elapsed())
}

/// The services of the containers that the plan makes: failures name them in the commands to try next.
fn services_of(plan: &Plan) -> BTreeMap<String, String> {
    let mut services = BTreeMap::new();
    for step in &plan.steps {
        if let Action::Create(spec) | Action::Replace { spec, .. } = &step.action {
            services.insert(spec.name.clone(), spec.service.clone());
        }
    }
    services
}

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Waits for so many steps.
    Waits(usize),
    Runs,
    Done,
    Failed,
    Skipped,
}

/// The state of all steps: only the loop of [`run`] writes it.
struct Ledger<'a> {
    plan: &'a Plan,
    events: UnboundedSender<Event>,
    states: Vec<State>,
    /// For each step, those that wait for it.
    dependents: Vec<Vec<usize>>,
    /// Steps that wait for nothing any more, in the plan's order.
    ready: BTreeSet<usize>,
    /// Running steps that count against the limit.
    busy: usize,
    outcome: Outcome,
}

impl<'a> Ledger<'a> {
    fn new(plan: &'a Plan, events: UnboundedSender<Event>) -> Self {
        let mut dependents = vec![Vec::new(); plan.steps.len()];
        let mut states = Vec::with_capacity(plan.steps.len());
        let mut ready = BTreeSet::new();
        for (index, step) in plan.steps.iter().enumerate() {
            for before in &step.after {
                // A number outside of the plan leaves the step waiting for ever, so that it is skipped.
                if let Some(list) = dependents.get_mut(before.0) {
                    list.push(index);
                }
            }
            states.push(State::Waits(step.after.len()));
            if step.after.is_empty() {
                ready.insert(index);
            }
        }
        Self { plan, events, states, dependents, ready, busy: 0, outcome: Outcome::default() }
    }

    /// Takes the first step in the plan's order that may start now and marks it as running.
    fn next_ready(&mut self, parallel: usize) -> Option<StepId> {
        let full = self.busy >= parallel.max(1);
        let index = *self.ready.iter().find(|&&index| !(full && self.counts(index)))?;
        self.ready.remove(&index);
        self.busy += usize::from(self.counts(index));
        self.states[index] = State::Runs;
        self.tell(Event::Started { step: StepId(index) });
        Some(StepId(index))
    }

    fn counts(&self, index: usize) -> bool {
        !matches!(self.plan.steps[index].action, Action::Await { .. })
    }

    fn settle(&mut self, id: StepId, ended: Ended, took: Duration) {
        self.busy -= usize::from(self.counts(id.0));
        match ended {
            Ended::Done => self.done(id, took),
            Ended::Looked { reference, facts } => {
                self.outcome.looked.insert(reference, facts);
                self.done(id, took);
            }
            Ended::Failed(failure) => self.failed(id, failure),
            Ended::Cut => {
                self.states[id.0] = State::Skipped;
                self.tell(Event::Skipped { step: id, because: None });
            }
        }
    }

    fn done(&mut self, id: StepId, took: Duration) {
        self.states[id.0] = State::Done;
        self.tell(Event::Finished { step: id, took });
        for &dependent in &self.dependents[id.0] {
            if let State::Waits(missing) = &mut self.states[dependent] {
                *missing = missing.saturating_sub(1);
                if *missing == 0 {
                    self.ready.insert(dependent);
                }
            }
        }
    }

    /// Skips everything behind a failed step, so that only the root cause is reported.
    fn failed(&mut self, id: StepId, failure: Box<Failure>) {
        self.states[id.0] = State::Failed;
        self.outcome.timed_out |= failure.timed_out;
        self.tell(Event::Failed { step: id, failure });
        let mut behind: BTreeSet<usize> = self.dependents[id.0].iter().copied().collect();
        while let Some(index) = behind.pop_first() {
            if let State::Waits(_) = self.states[index] {
                self.skip(index, Some(id));
                behind.extend(&self.dependents[index]);
            }
        }
    }

    fn skip(&mut self, index: usize, because: Option<StepId>) {
        self.states[index] = State::Skipped;
        let step = StepId(index);
        if let Some(progress) = hook::missed(self.plan, step, |id| self.states[id.0] == State::Done) {
            self.tell(Event::Progress { step, progress });
        }
        self.tell(Event::Skipped { step, because });
    }

    fn close(mut self, interrupted: bool, took: Duration) -> Outcome {
        for index in 0..self.states.len() {
            if let State::Waits(_) = self.states[index] {
                self.skip(index, None);
            }
        }
        let with = |wanted: State| {
            let found = self.states.iter().enumerate().filter(|(_, state)| **state == wanted);
            found.map(|(index, _)| StepId(index)).collect::<Vec<_>>()
        };
        let (failed, skipped) = (with(State::Failed), with(State::Skipped));
        // A signal that came when everything was done anyway interrupted nothing.
        let interrupted = interrupted && !skipped.is_empty();
        Outcome { failed, skipped, interrupted, took, ..self.outcome }
    }

    /// Makes the door through which a step's calls show their progress.
    fn show(&self, step: StepId) -> Show {
        let events = self.events.clone();
        Arc::new(move |progress| drop(events.send(Event::Progress { step, progress })))
    }

    /// Tells an event. Nobody has to listen.
    fn tell(&self, event: Event) {
        drop(self.events.send(event));
    }
}
