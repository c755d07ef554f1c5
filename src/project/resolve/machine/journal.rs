//! `systemd.journal`.

use crate::project::{Journal, JournalStorage, quantity};
use crate::yaml::{Node, Value};

use super::super::reader::Reader;
use super::{Layers, unknown_word};

/// Least bytes: journald's own smallest file (`JOURNAL_FILE_SIZE_MIN`, 512 KiB).
const LEAST: u64 = 512 * 1024;

/// The storages by name (`Storage=` of journald.conf(5)).
pub(in crate::project) const STORAGES: [(&str, JournalStorage); 4] = [
    ("volatile", JournalStorage::Volatile),
    ("persistent", JournalStorage::Persistent),
    ("auto", JournalStorage::Auto),
    ("none", JournalStorage::None),
];

/// Reads how the journal is kept; a later layer decides field by field.
pub(super) fn read(r: &mut Reader<'_>, layers: &Layers<'_>) -> Journal {
    let mut journal = Journal::default();
    for node in layers.all("journal") {
        for entry in r.entries_or_none(node, "systemd.journal") {
            match &*entry.key {
                "storage" => storage(r, &entry.value, &mut journal),
                "max" => max(r, &entry.value, &mut journal),
                "forward" => forward(r, &entry.value, &mut journal),
                // The table of keys has named it.
                _ => {}
            }
        }
    }
    journal
}

fn storage(r: &mut Reader<'_>, node: &Node, journal: &mut Journal) {
    let Some(text) = r.some_text(node, "systemd.journal.storage") else { return };
    match STORAGES.iter().find(|(name, _)| *name == text) {
        Some((_, storage)) => journal.storage = *storage,
        None => unknown_word(r, node, "systemd.journal.storage", &text, &STORAGES.map(|(name, _)| name)),
    }
}

fn max(r: &mut Reader<'_>, node: &Node, journal: &mut Journal) {
    let Some(text) = r.word(node, "systemd.journal.max") else { return };
    match quantity::bytes(text) {
        Ok(bytes) if bytes >= LEAST => journal.max = bytes,
        Ok(_) => r.error("`systemd.journal.max` must be at least 512k", node.span),
        Err(why) => r.error(format!("`systemd.journal.max` is not a size: {why}"), node.span),
    }
}

fn forward(r: &mut Reader<'_>, node: &Node, journal: &mut Journal) {
    if node.value == Value::Null {
        journal.forward_console = false;
        return;
    }
    match r.some_text(node, "systemd.journal.forward").as_deref() {
        Some("console") => journal.forward_console = true,
        Some("none") => journal.forward_console = false,
        Some(other) => unknown_word(r, node, "systemd.journal.forward", other, &["console", "none"]),
        None => {}
    }
}
