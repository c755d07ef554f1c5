//! What kinds of actions there are, as others tell them apart.

use std::collections::BTreeSet;

use super::{Action, Plan};

/// What an action does to the container that it is about.
enum Touch<'a> {
    /// It starts it.
    Starts(&'a str),
    /// It changes it in place.
    Changes(&'a str),
    /// It waits for it.
    Waits,
    /// Something else, or it is about no container.
    Other,
}

impl Action {
    /// Returns the container that it changes in place.
    #[must_use]
    pub fn changes_in_place(&self) -> Option<&str> {
        if let Touch::Changes(container) = self.touch() { Some(container) } else { None }
    }

    /// Returns the container that runs after it and did not, or was another one, before.
    #[must_use]
    pub fn starts(&self) -> Option<&str> {
        if let Touch::Starts(container) = self.touch() { Some(container) } else { None }
    }

    fn touch(&self) -> Touch<'_> {
        match self {
            Self::Start { container } => Touch::Starts(container),
            Self::Replace { spec, .. } => Touch::Starts(&spec.name),
            Self::Update { container, .. }
            | Self::Connect { container, .. }
            | Self::Disconnect { container, .. }
            | Self::Write { container, .. }
            | Self::Units { container, .. } => Touch::Changes(container),
            Self::Await { .. } => Touch::Waits,
            Self::Pull { .. }
            | Self::Build { .. }
            | Self::Look { .. }
            | Self::CreateNetwork(_)
            | Self::CreateVolume(_)
            | Self::Create(_)
            | Self::Hook(_)
            | Self::Recover { .. }
            | Self::Stop { .. }
            | Self::Kill { .. }
            | Self::Unpause { .. }
            | Self::Rename { .. }
            | Self::Remove { .. }
            | Self::RemoveNetwork { .. }
            | Self::RemoveVolume { .. } => Touch::Other,
        }
    }
}

impl Plan {
    /// Names the containers that it starts. What ends by itself after that is not started again by the same
    /// command.
    #[must_use]
    pub fn begins(&self) -> BTreeSet<String> {
        self.steps.iter().filter_map(|step| step.action.starts()).map(str::to_owned).collect()
    }

    /// Tells whether it leaves all as it is, but for containers that were begun before and have ended, and for
    /// waiting.
    #[must_use]
    pub fn leaves(&self, begun: &BTreeSet<String>) -> bool {
        self.steps.iter().all(|step| match step.action.touch() {
            Touch::Waits => true,
            Touch::Starts(container) => begun.contains(container),
            Touch::Changes(_) | Touch::Other => false,
        })
    }
}
