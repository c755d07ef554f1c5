//! Units that a machine does not have: their log is empty, which alone says nothing.

use crate::cli::logs::Marks;
use crate::cli::logs::source::{Origin, Wish, warn};
use crate::engine::{Engine, ExecSpec};
use crate::systemd::show::{asked_units, units_command};
use crate::systemd::{LoadState, UnitName};

/// Warns of wanted units that machines without a line do not know, all of them by one name each.
pub(super) async fn warn_of_units(engine: &dyn Engine, origins: &[Origin], wish: &Wish, marks: &Marks) {
    let units: Vec<UnitName> = wish.units.iter().filter_map(|text| named(text)).collect();
    if units.is_empty() {
        return;
    }
    for origin in origins.iter().filter(|origin| wish.journal(origin)) {
        if marks.get(&origin.name).is_some_and(|mark| mark.lock().is_ok_and(|mark| mark.has_entries())) {
            continue;
        }
        let ask = ExecSpec { command: units_command(&units), ..ExecSpec::default() };
        // Who cannot answer has been told of before, by its journal.
        let Ok(answer) = engine.exec(&origin.name, &ask).await else { continue };
        for (name, status) in asked_units(&units, &String::from_utf8_lossy(&answer.stdout)) {
            if status.load == LoadState::NotFound {
                warn(&format!(
                    "{} has no unit {name}; see: sdcompose systemctl {} list-units --all",
                    origin.name, origin.service
                ));
            }
        }
    }
}

/// Reads the name of one unit, as journalctl(1) does: without a suffix it is a service. A pattern is none.
fn named(text: &str) -> Option<UnitName> {
    UnitName::parse(text).or_else(|_| UnitName::parse(&format!("{text}.service"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_suffix_is_a_service_and_a_pattern_is_no_name() {
        assert_eq!(named("nginx").unwrap().as_str(), "nginx.service");
        assert_eq!(named("cron.timer").unwrap().as_str(), "cron.timer");
        assert_eq!(named("nginx*"), None);
    }
}
