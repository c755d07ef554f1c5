//! Named volumes of a project.

use std::collections::BTreeMap;

/// A named volume of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Manifest key.
    pub key: String,
    /// Name in the engine.
    pub name: String,
    /// Whether it belongs to somebody else and is never made or removed.
    pub external: bool,
    /// Driver; `None` leaves the engine's default.
    pub driver: Option<String>,
    /// Options of the driver.
    pub driver_opts: BTreeMap<String, String>,
    /// Labels of the user.
    pub labels: BTreeMap<String, String>,
}
