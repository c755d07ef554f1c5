//! Hooks as steps: what is run inside a container after its start and before its stop.
//!
//! A replacement has the hooks of both its containers within its own step, since it goes back where one fails.
//! Hooks that Docker Compose leaves out are run as well: `post_start` after a restart, `pre_stop` before a
//! replacement (both measured on 2.40).

use std::fmt;

use crate::observed::ObservedContainer;
use crate::project::{Hook, Project, Service, Stage, command_line};

use super::draft::{Draft, lives};
use super::{Action, Reason, StepId};

/// Longest command that is shown whole, in characters.
const SHOWN: usize = 60;

/// A hook to run in one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRun {
    /// The service, which commands to try next name.
    pub service: String,
    /// The container's name.
    pub container: String,
    /// Whether it is a machine, in which nothing may be run before its systemd has set itself up.
    pub machine: bool,
    /// When.
    pub stage: Stage,
    /// Place in the manifest's list, from 1.
    pub number: usize,
    /// What.
    pub hook: Hook,
}

impl HookRun {
    /// Lists the runs of all hooks of one stage, in their order.
    pub fn all(
        service: &str,
        container: &str,
        machine: bool,
        stage: Stage,
        hooks: &[Hook],
    ) -> impl Iterator<Item = Self> {
        (1..).zip(hooks).map(move |(number, hook)| Self {
            service: service.to_owned(),
            container: container.to_owned(),
            machine,
            stage,
            number,
            hook: hook.clone(),
        })
    }
}

/// Which hook it is, by key and place: `post_start 1`.
impl fmt::Display for HookRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.stage, self.number)
    }
}

/// Writes a command on one line as a shell would read it, without control characters, and cut where it is long.
/// Its environment is never shown.
#[must_use]
pub fn shown(command: &[String]) -> String {
    let mut line = String::new();
    for c in command_line::join(command).chars() {
        // What does something to a terminal, or changes the order of what is read, is shown by its number.
        if c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Plans the hooks that come before a container is stopped, one behind the other. Returns the steps that the stop
/// comes behind. A container that does not run has none, nor has one whose service is not known.
pub(super) fn before_stop(
    draft: &mut Draft,
    project: Option<&Project>,
    container: &ObservedContainer,
    name: &str,
    reason: &Reason,
    after: Vec<StepId>,
) -> Vec<StepId> {
    let service = project.and_then(|project| project.services.get(&container.labels.service));
    let Some(service) = service.filter(|_| lives(&container.state)) else { return after };
    let machine = container.labels.machine.is_some();
    let mut after = after;
    for run in HookRun::all(&service.name, name, machine, Stage::PreStop, &service.hooks.pre_stop) {
        after = vec![draft.step(Action::Hook(Box::new(run)), reason.clone(), after)];
    }
    after
}

/// Plans the hooks that follow a container's start, one behind the other. Returns the last of them; `None` where
/// the service has none.
pub(super) fn after_start(draft: &mut Draft, service: &Service, name: &str, after: StepId) -> Option<StepId> {
    let machine = service.machine.is_some();
    let mut last = None;
    for run in HookRun::all(&service.name, name, machine, Stage::PostStart, &service.hooks.post_start) {
        let action = Action::Hook(Box::new(run));
        last = Some(draft.step(action, Reason::Started, [last.unwrap_or(after)]));
    }
    last
}
