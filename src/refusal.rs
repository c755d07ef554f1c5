//! Why something cannot be planned, as plain data. The table of systemd defaults, the container's
//! specification and the planner all refuse in this form, before anything is touched.

/// Why nothing can be planned: found before anything is touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Refusal {
    /// The service that it is about; `None` where it is the project.
    pub service: Option<String>,
    /// What cannot be.
    pub what: String,
    /// The way out, a sentence each.
    pub help: Vec<String>,
}

impl Refusal {
    /// Refuses something about one service.
    #[must_use]
    pub fn of(service: &str, what: impl Into<String>) -> Self {
        Self { service: Some(service.to_owned()), what: what.into(), help: Vec::new() }
    }

    /// Refuses something about the whole project.
    #[must_use]
    pub fn project(what: impl Into<String>) -> Self {
        Self { service: None, what: what.into(), help: Vec::new() }
    }

    /// Adds a way out.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }
}
