//! Everything that happens while a plan runs, as one enum: the only thing that passes from the executor to
//! what the user sees.

use std::time::Duration;

use crate::observed::UnitStatus;
use crate::plan::StepId;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A step began.
    Started {
        /// Which.
        step: StepId,
    },
    /// A step has something to show before its end.
    Progress {
        /// Which.
        step: StepId,
        /// What.
        progress: Progress,
    },
    /// A step succeeded.
    Finished {
        /// Which.
        step: StepId,
        /// Time it took.
        took: Duration,
    },
    /// A step failed.
    Failed {
        /// Which.
        step: StepId,
        /// Why, with all that helps.
        failure: Box<Failure>,
    },
    /// A step was not tried.
    Skipped {
        /// Which.
        step: StepId,
        /// The failed step that it waited for; `None` where the run was interrupted.
        because: Option<StepId>,
    },
}

/// What a running step shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A line of a pull or build.
    Line(String),
    /// A part of a pull: how much of how much, in bytes.
    Layer {
        /// The layer's short id.
        id: String,
        /// What is done with it.
        status: String,
        /// Bytes so far.
        current: Option<u64>,
        /// Bytes in all.
        total: Option<u64>,
    },
    /// A boot goes on.
    Booting {
        /// Units that are up.
        done: u32,
        /// Units in all, where systemd told.
        total: Option<u32>,
        /// The last line of the console.
        line: String,
    },
    /// What is still missing for a condition.
    Waiting(String),
    /// What the engine does otherwise than it was asked to.
    Warning(String),
    /// One of the calls that make up a replacement.
    Replacing(&'static str),
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What failed, one line.
    pub what: String,
    /// The causes below it, outermost first.
    pub causes: Vec<String>,
    /// Failed units, each with the last lines of its log.
    pub units: Vec<FailedUnit>,
    /// Jobs that were still waiting (`systemctl list-jobs`).
    pub jobs: Vec<String>,
    /// The last lines of the console.
    pub console: Vec<String>,
    /// The last lines that a command printed, where a command is what failed.
    pub output: Vec<String>,
    /// What to do, a sentence each.
    pub help: Vec<String>,
    /// Commands that look at the container, each with what they show; none where it is gone by then.
    pub next: Vec<String>,
    /// Whether it was the time that ran out (exit code 4).
    pub timed_out: bool,
}

/// A unit that failed, or that a boot which ran out of time still waits for.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedUnit {
    /// Its state.
    pub status: UnitStatus,
    /// The last lines of its log.
    pub log: Vec<String>,
}
