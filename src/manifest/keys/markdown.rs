//! The table as Markdown, for the documentation.

use super::{State, keys};

/// Returns a Markdown table of every key with its state.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from("| key | state | what it does |\n|---|---|---|\n");
    for (path, key) in keys() {
        let (state, note) = match key.state {
            State::Implemented => ("yes", String::new()),
            State::Ignored(why) => ("ignored, with a warning", format!(" ({why})")),
            State::Refused(way_out) => ("refused", format!(" ({way_out})")),
        };
        let doc = key.doc.trim_end_matches(", or").replace('|', "\\|");
        let row = ["| `", &path, "` | ", state, " | ", &doc, &note.replace('|', "\\|"), " |\n"];
        out.extend(row);
    }
    out
}
