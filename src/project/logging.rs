//! `logging:`, what the engine does with a container's output.

use std::collections::BTreeMap;

/// What the engine does with a container's output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Logging {
    /// The engine's driver, such as `json-file`; `None` leaves the engine's default.
    pub driver: Option<String>,
    /// Options of the driver.
    pub options: BTreeMap<String, String>,
}
