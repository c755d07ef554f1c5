//! Shows a plan while it runs: a live line for each machine on a terminal, plain lines elsewhere, JSON where
//! a program reads. One display belongs to one plan; whoever runs the plan feeds it with events.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::event::{Event, Progress};
use crate::plan::{Action, Plan, StepId};
use crate::report::human::{self, BAD, FAINT, GOOD, Tally};
use crate::report::{json, words};

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Lines of a terminal that change.
    Live,
    /// Lines that stay.
    Plain,
    /// Failures only.
    Quiet,
    /// One JSON object a line, on standard output.
    Json,
}

/// Shows the events of one plan.
pub struct Display<'a> {
    plan: &'a Plan,
    mode: Mode,
    width: usize,
    tally: Tally,
    live: Option<Live>,
    /// Set once nobody reads any more: nothing is written then, the run goes on.
    closed: bool,
    /// Why standard output could not be written, where that was not its reader's wish.
    broken: Option<io::Error>,
}

impl<'a> Display<'a> {
    /// Makes a display; `rows` is the height of the terminal.
    #[must_use]
    pub fn new(plan: &'a Plan, mode: Mode, rows: u16) -> Self {
        let width = human::width(plan);
        let live = match mode {
            Mode::Live => Some(Live::new(plan, width, rows)),
            Mode::Plain | Mode::Quiet | Mode::Json => None,
        };
        Self { plan, mode, width, tally: Tally::default(), live, closed: false, broken: None }
    }

    /// Shows an event.
    pub fn show(&mut self, event: &Event) {
        self.tally.count(event);
        match self.mode {
            Mode::Live => {
                if let Some(live) = &mut self.live {
                    live.show(self.plan, event);
                }
            }
            Mode::Plain => {
                if let Some(text) = human::event(self.plan, event, self.width) {
                    self.tell(&text);
                }
            }
            Mode::Quiet => {
                if let Event::Failed { .. } = event
                    && let Some(text) = human::event(self.plan, event, self.width)
                {
                    self.tell(&text);
                }
            }
            Mode::Json => {
                let line = json::event(self.plan, event).to_string();
                self.print(&line);
            }
        }
    }

    /// Turns the spinners; called a few times a second.
    pub fn tick(&self) {
        if let Some(live) = &self.live {
            live.bars.values().for_each(ProgressBar::tick);
        }
    }

    /// Ends the display with a summary where one is due.
    ///
    /// # Errors
    /// A line of JSON could not be written, for another reason than that its reader has read enough.
    pub fn finish(mut self, interrupted: bool, exit_code: u8) -> io::Result<()> {
        if let Some(live) = self.live.take() {
            live.finish();
        }
        if self.mode == Mode::Json {
            let line = json::summary(self.tally, interrupted, exit_code).to_string();
            self.print(&line);
        } else if let Some(text) = human::summary(self.tally, interrupted) {
            self.tell(&text);
        }
        self.broken.map_or(Ok(()), Err)
    }

    /// Writes a line for a program; a run goes on where that fails.
    fn print(&mut self, line: &str) {
        if self.closed {
            return;
        }
        if let Err(error) = writeln!(io::stdout(), "{line}") {
            self.closed = true;
            self.broken = Some(error).filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
        }
    }

    fn tell(&mut self, text: &str) {
        if !self.closed {
            self.closed = writeln!(anstream::stderr(), "{text}").is_err();
        }
    }
}

/// The changing lines of a terminal: one for each thing that a plan is about.
struct Live {
    all: MultiProgress,
    bars: BTreeMap<String, ProgressBar>,
    /// Layers of running pulls: of each step, the bytes so far and in all.
    layers: BTreeMap<StepId, BTreeMap<String, (u64, u64)>>,
    width: usize,
    colour: bool,
    /// Whether lines that do not change any more are moved up, because not all fit.
    crowded: bool,
}

impl Live {
    fn new(plan: &Plan, width: usize, rows: u16) -> Self {
        let mut subjects: Vec<String> = plan.steps.iter().map(|step| words::subject(&step.action)).collect();
        subjects.sort();
        subjects.dedup();
        Self {
            all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(12)),
            bars: BTreeMap::new(),
            layers: BTreeMap::new(),
            width,
            colour: AutoStream::choice(&io::stderr()) != ColorChoice::Never,
            crowded: subjects.len() + 2 > usize::from(rows),
        }
    }

    fn show(&mut self, plan: &Plan, event: &Event) {
        match event {
            Event::Started { step } => self.say(plan, *step, words::doing),
            Event::Progress { step, progress: Progress::Layer { id, status: _, current, total } } => {
                let layers = self.layers.entry(*step).or_default();
                let before = layers.get(id).copied().unwrap_or((0, 0));
                let total = total.unwrap_or(before.1);
                layers.insert(id.clone(), (current.unwrap_or(total).min(total), total));
                let sum = layers.values().fold((0, 0), |sum, layer| (sum.0 + layer.0, sum.1 + layer.1));
                self.say(plan, *step, |action| {
                    format!("{}  {} of {}", words::doing(action), words::size(sum.0), words::size(sum.1))
                });
            }
            // What a hook prints is for the user, and would be overwritten by the next line.
            Event::Progress { step, progress: Progress::Line(_) } if is_hook(plan, *step) => {
                if let Some(text) = human::event(plan, event, self.width) {
                    let _ = self.all.println(self.coloured(text));
                }
            }
            Event::Progress { step: _, progress: Progress::Warning(_) } => {
                if let Some(text) = human::event(plan, event, self.width) {
                    let _ = self.all.println(self.coloured(text));
                }
            }
            Event::Progress { step, progress } => {
                let Some(text) = text_of(plan, *step, progress) else { return };
                self.say(plan, *step, |_| text);
            }
            Event::Finished { step, took } => {
                self.layers.remove(step);
                self.rest(plan, *step, "✔", GOOD, |action| words::done(action, *took));
            }
            Event::Failed { step, failure } => {
                self.rest(plan, *step, "✘", BAD, |action| format!("failed: {}", words::doing(action)));
                let subject = plan.steps.get(step.0).map(|step| words::subject(&step.action));
                let text = human::failure(subject.as_deref(), failure);
                // Nobody is left to tell where a terminal cannot be written to.
                let _ = self.all.println(self.coloured(text));
            }
            Event::Skipped { step, because: _ } => {
                self.rest(plan, *step, "·", FAINT, |action| format!("not tried: {}", words::doing(action)));
            }
        }
    }

    /// Shows what a running step does.
    fn say(&mut self, plan: &Plan, id: StepId, text: impl FnOnce(&crate::plan::Action) -> String) {
        let Some(step) = plan.steps.get(id.0) else { return };
        let width = self.width;
        let bar = self.bar(&words::subject(&step.action));
        bar.set_style(style("{spinner} {prefix}  {wide_msg}"));
        bar.set_prefix(format!("{:width$}", words::subject(&step.action)));
        bar.set_message(text(&step.action));
    }

    /// Shows how a step ended. Its line stays, until a later step is about the same thing.
    fn rest(
        &mut self,
        plan: &Plan,
        id: StepId,
        mark: &str,
        colour: anstyle::Style,
        text: impl FnOnce(&crate::plan::Action) -> String,
    ) {
        let Some(step) = plan.steps.get(id.0) else { return };
        let subject = words::subject(&step.action);
        let width = self.width;
        let mark = self.coloured(human::styled(colour, mark));
        let line = format!("{mark} {subject:width$}  {}", text(&step.action));
        if self.crowded && is_last(plan, id, &subject) {
            if let Some(bar) = self.bars.remove(&subject) {
                bar.finish_and_clear();
                self.all.remove(&bar);
            }
            let _ = self.all.println(line);
            return;
        }
        let bar = self.bar(&subject);
        bar.set_style(style("{wide_msg}"));
        bar.set_message(line);
        bar.tick();
    }

    fn bar(&mut self, subject: &str) -> &ProgressBar {
        let all = &self.all;
        self.bars.entry(subject.to_owned()).or_insert_with(|| all.add(ProgressBar::new_spinner()))
    }

    fn finish(self) {
        for bar in self.bars.values() {
            bar.abandon();
        }
    }

    fn coloured(&self, text: String) -> String {
        if self.colour { text } else { anstream::adapter::strip_str(&text).to_string() }
    }
}

/// Whether a step's lines come from the hooks of a service.
fn is_hook(plan: &Plan, id: StepId) -> bool {
    let action = plan.steps.get(id.0).map(|step| &step.action);
    matches!(action, Some(Action::Hook(_) | Action::Replace { .. }))
}

fn text_of(plan: &Plan, id: StepId, progress: &Progress) -> Option<String> {
    words::progress(&plan.steps.get(id.0)?.action, progress)
}

/// Whether no later step of the plan is about the same thing.
fn is_last(plan: &Plan, id: StepId, subject: &str) -> bool {
    !plan.steps.iter().skip(id.0 + 1).any(|step| words::subject(&step.action) == subject)
}

/// Reads a template; a template that indicatif does not understand gives its plain spinner.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_strings(&["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use indicatif::InMemoryTerm;

    use super::*;
    use crate::condition::{Condition, Wait};
    use crate::plan::hooks::HookRun;
    use crate::plan::{Reason, Step};
    use crate::project::{Hook, Stage};

    fn plan() -> Plan {
        let wait = Wait { condition: Condition::Running, timeout: None, enabled: Vec::new() };
        let actions = [
            Action::Pull { reference: "redis:7".to_owned(), platform: None },
            Action::Start { container: "shop-db-1".to_owned() },
            Action::Await { container: "shop-db-1".to_owned(), wait },
        ];
        let step = |action| Step {
            action,
            reason: Reason::Requested,
            after: BTreeSet::new(),
            destroys: None,
            settles: None,
        };
        Plan { steps: actions.into_iter().map(step).collect(), notes: Vec::new() }
    }

    fn screen(rows: u16, events: &[Event]) -> String {
        screen_of(&plan(), rows, events)
    }

    fn screen_of(plan: &Plan, rows: u16, events: &[Event]) -> String {
        let term = InMemoryTerm::new(20, 60);
        let mut live = Live::new(plan, human::width(plan), rows);
        live.colour = false;
        live.all.set_draw_target(ProgressDrawTarget::term_like(Box::new(term.clone())));
        for event in events {
            live.show(plan, event);
        }
        live.bars.values().for_each(ProgressBar::tick);
        let text = term.contents();
        live.finish();
        text.lines()
            .map(|line| line.trim_end().trim_start_matches(['⠋', '⠙', '⠹', '⠸', '⠼']))
            .fold(String::new(), |all, line| all + line + "\n")
    }

    #[test]
    fn each_thing_has_one_line_that_changes() {
        let layer = |id: &str, current, total| Event::Progress {
            step: StepId(0),
            progress: Progress::Layer {
                id: id.to_owned(),
                status: "Downloading".to_owned(),
                current: Some(current),
                total: Some(total),
            },
        };
        let booting =
            Progress::Booting { done: 12, total: Some(31), line: "[  OK  ] Started cron.service".to_owned() };
        let events = [
            Event::Started { step: StepId(0) },
            layer("a", 1_000_000, 4_000_000),
            layer("b", 500_000, 1_000_000),
            Event::Started { step: StepId(1) },
            Event::Finished { step: StepId(1), took: Duration::from_millis(80) },
            Event::Started { step: StepId(2) },
            Event::Progress { step: StepId(2), progress: booting },
        ];
        insta::assert_snapshot!(screen(24, &events), @r"
        image redis:7  pulling  1.5 MB of 5.0 MB
        shop-db-1      booting 12/31 units  Started cron.service
        ");
        let mut events = events.to_vec();
        events.push(Event::Finished { step: StepId(2), took: Duration::from_millis(900) });
        assert!(screen(24, &events).contains("✔ shop-db-1      ready in 0.9 s"));
    }

    #[test]
    fn what_a_hook_prints_stays_above_the_line_that_changes() {
        let run = HookRun {
            service: "db".to_owned(),
            container: "shop-db-1".to_owned(),
            machine: true,
            stage: Stage::PostStart,
            number: 1,
            hook: Hook::default(),
        };
        let action = Action::Hook(Box::new(run));
        let step =
            Step { action, reason: Reason::Started, after: BTreeSet::new(), destroys: None, settles: None };
        let plan = Plan { steps: vec![step], notes: Vec::new() };
        let line =
            |text: &str| Event::Progress { step: StepId(0), progress: Progress::Line(text.to_owned()) };
        let events = [Event::Started { step: StepId(0) }, line("one"), line("two")];
        insta::assert_snapshot!(screen_of(&plan, 24, &events), @r"
        shop-db-1  | one
        shop-db-1  | two
         shop-db-1  running post_start 1
        ");
    }

    #[test]
    fn on_a_small_screen_what_is_over_moves_up() {
        let took = Duration::from_millis(900);
        let events = [
            Event::Started { step: StepId(1) },
            Event::Finished { step: StepId(1), took },
            Event::Started { step: StepId(2) },
            Event::Finished { step: StepId(2), took },
            Event::Started { step: StepId(0) },
        ];
        let text = screen(1, &events);
        assert!(text.starts_with("✔ shop-db-1      ready in 0.9 s\n"), "{text}");
        assert!(text.contains("image redis:7  pulling"), "{text}");
    }
}
