//! Faults that are scripted for a simulated engine: at which call, and what happens there.

use std::time::Duration;

use crate::engine::{EngineError, RefusalKind};

/// What goes wrong at one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The engine refuses; nothing is changed.
    Refused(RefusalKind),
    /// The engine does it and then says that it failed (a 500 after the effect).
    FailsAfter,
    /// The request is lost: nothing is changed, and the caller cannot know.
    LostRequest,
    /// The reply is lost: it is done, and the caller cannot know.
    LostReply,
    /// The engine does not answer in time, and has done it or not.
    Hangs {
        /// Whether it was done.
        took: bool,
    },
    /// The caller dies at this call, which was done or not: the call never returns, and
    /// [`Sim::crashed`](super::Sim::crashed) tells.
    Crash {
        /// Whether it was done.
        took: bool,
    },
    /// The engine is gone for so long, from this call on; it then comes back with its containers running.
    Away(Duration),
    /// The engine dies at this call with all its containers, and comes back after so long, when it starts
    /// again what its restart policies tell it to.
    Dies(Duration),
}

impl Fault {
    /// Says whether the call takes effect.
    pub(super) fn takes_effect(self) -> bool {
        match self {
            Self::FailsAfter | Self::LostReply => true,
            Self::Refused(_) | Self::LostRequest | Self::Away(_) | Self::Dies(_) => false,
            Self::Hangs { took } | Self::Crash { took } => took,
        }
    }

    /// Returns what the caller is told; `None` where it never hears of it.
    pub(super) fn error(self, what: &str) -> Option<EngineError> {
        let what = what.to_owned();
        match self {
            Self::Refused(kind) => {
                Some(EngineError::Refused { what, kind, message: "scripted refusal".to_owned() })
            }
            Self::FailsAfter => Some(EngineError::Refused {
                what,
                kind: RefusalKind::Internal,
                message: "scripted failure".to_owned(),
            }),
            Self::LostRequest | Self::LostReply => {
                Some(EngineError::Unknown { what, cause: "connection reset".to_owned() })
            }
            Self::Hangs { took: _ } => Some(EngineError::TimedOut { what, after: HANG }),
            Self::Away(_) | Self::Dies(_) => Some(unreachable()),
            Self::Crash { took: _ } => None,
        }
    }
}

/// After this time a call that hangs is given up.
pub(super) const HANG: Duration = Duration::from_secs(60);

/// What is said while the engine is away.
pub(super) fn unreachable() -> EngineError {
    EngineError::Unreachable {
        endpoint: "sim:".to_owned(),
        cause: "connection refused".to_owned(),
        help: Vec::new(),
    }
}
