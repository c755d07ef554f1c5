//! Lines of logs as text and as JSON: who said what and when, in columns, harmless for a terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::report::human::{BAD, CARE};
use crate::report::{json, sanitize};
use crate::systemd::journal::Priority;

/// One line (or entry of several lines) of a container's logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The container's name.
    pub container: String,
    /// The service.
    pub service: String,
    /// The replica.
    pub index: u32,
    /// When, nanoseconds since 1970.
    pub at: i128,
    /// What it was read from.
    pub source: Source,
    /// The text as it came.
    pub text: String,
}

/// What a line was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The console of a machine, or the output of a plain container.
    Console,
    /// The journal of a machine.
    Journal {
        /// The unit it is about.
        unit: Option<String>,
        /// Who wrote it.
        identifier: Option<String>,
        /// The process that wrote it.
        pid: Option<u32>,
        /// How grave it is.
        priority: Option<Priority>,
    },
}

/// How lines are shown.
#[derive(Debug, Clone)]
pub struct Look {
    /// Whether the container is named before each line.
    pub prefix: bool,
    /// Width of the names.
    pub width: usize,
    /// Whether the time is shown, and in which zone.
    pub times: Option<TimeZone>,
    /// Whether colours are used.
    pub colour: bool,
    /// Whether text is made harmless for a terminal.
    pub harmless: bool,
}

/// Colours of containers, in turn.
const COLOURS: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Yellow,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::BrightCyan,
];

/// Returns the colour of the n-th container.
#[must_use]
pub fn colour(place: usize) -> Style {
    COLOURS.get(place % COLOURS.len()).map_or_else(Style::new, |colour| colour.on_default())
}

/// Returns the name before a line: service and replica, as Docker Compose has it.
#[must_use]
pub fn label(service: &str, index: u32) -> String {
    format!("{service}-{index}")
}

impl Look {
    /// Writes a line, with its end; each line of an entry of several lines gets the prefix.
    #[must_use]
    pub fn text(&self, line: &Line, style: Style) -> String {
        let mut head = String::new();
        if self.prefix {
            let width = self.width;
            let label = format!("{:width$}  |", label(&line.service, line.index));
            head.push_str(&self.paint(style, &label));
            head.push(' ');
        }
        if let Some(zone) = &self.times {
            head.push_str(&time(line.at, zone));
            head.push(' ');
        }
        head.push_str(&self.speaker(&line.source));
        let body = line.text.strip_suffix('\n').unwrap_or(&line.text);
        let mut out = String::with_capacity(body.len() + head.len() + 1);
        for text in body.split('\n') {
            out.push_str(&head);
            let text = text.strip_suffix('\r').unwrap_or(text);
            if self.harmless {
                out.push_str(&sanitize::line(text));
            } else {
                out.push_str(text);
            }
            out.push('\n');
        }
        out
    }

    /// Names who wrote an entry, with its gravity from warnings on.
    fn speaker(&self, source: &Source) -> String {
        let Source::Journal { unit, identifier, pid, priority } = source else { return String::new() };
        let mut name = match identifier.as_deref().or(unit.as_deref()) {
            Some(name) => sanitize::line(name).into_owned(),
            None => return String::new(),
        };
        if let Some(pid) = pid {
            let _ = write!(name, "[{pid}]");
        }
        let grave = match priority {
            Some(
                priority @ (Priority::Emerg
                | Priority::Alert
                | Priority::Crit
                | Priority::Err
                | Priority::Warning),
            ) => {
                let style = if *priority == Priority::Warning { CARE } else { BAD };
                format!(" {}", self.paint(style, priority.as_str()))
            }
            Some(Priority::Notice | Priority::Info | Priority::Debug) | None => String::new(),
        };
        format!("{name}{grave}: ")
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Writes a time to the microsecond, with its zone: every line has the same length, and sorts.
fn time(at: i128, zone: &TimeZone) -> String {
    match Timestamp::from_nanosecond(at) {
        Ok(time) => time.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string(),
        Err(_) => at.to_string(),
    }
}

/// Returns a line as an event.
#[must_use]
pub fn event(line: &Line) -> Value {
    let Line { container, service, index, at, source, text } = line;
    let mut fields = json!({
        "container": container,
        "service": service,
        "index": index,
        "at": time(*at, &TimeZone::UTC),
        "source": "console",
        "text": text,
    });
    if let (Source::Journal { unit, identifier, pid, priority }, Value::Object(fields)) =
        (source, &mut fields)
    {
        fields.insert("source".to_owned(), json!("journal"));
        fields.insert("unit".to_owned(), json!(unit));
        fields.insert("identifier".to_owned(), json!(identifier));
        fields.insert("pid".to_owned(), json!(pid));
        fields.insert("priority".to_owned(), json!(priority.map(Priority::as_str)));
    }
    json::line("log", fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(source: Source, text: &str) -> Line {
        Line {
            container: "shop-web-1".to_owned(),
            service: "web".to_owned(),
            index: 1,
            at: 1_700_000_000_123_456_789,
            source,
            text: text.to_owned(),
        }
    }

    fn journal(priority: Priority) -> Source {
        Source::Journal {
            unit: Some("nginx.service".to_owned()),
            identifier: Some("nginx".to_owned()),
            pid: Some(241),
            priority: Some(priority),
        }
    }

    fn look() -> Look {
        Look { prefix: true, width: 8, times: None, colour: false, harmless: true }
    }

    #[test]
    fn a_line_names_its_machine_and_its_writer() {
        let text = look().text(&line(journal(Priority::Info), "started"), colour(0));
        assert_eq!(text, "web-1     | nginx[241]: started\n");
        let text = look().text(&line(Source::Console, "[  OK  ] Reached\r\n"), colour(0));
        assert_eq!(text, "web-1     | [  OK  ] Reached\n");
    }

    #[test]
    fn what_is_grave_is_said_in_a_word() {
        let text = look().text(&line(journal(Priority::Err), "no"), colour(0));
        assert_eq!(text, "web-1     | nginx[241] err: no\n");
        let coloured =
            Look { colour: true, ..look() }.text(&line(journal(Priority::Warning), "hm"), colour(0));
        assert!(coloured.contains("\u{1b}["), "{coloured}");
        assert_eq!(
            anstream::adapter::strip_str(&coloured).to_string(),
            "web-1     | nginx[241] warning: hm\n"
        );
    }

    #[test]
    fn every_line_of_an_entry_has_its_prefix_and_its_time() {
        let look = Look { times: Some(TimeZone::UTC), ..look() };
        insta::assert_snapshot!(look.text(&line(Source::Console, "one\ntwo"), colour(1)), @r"
        web-1     | 2023-11-14T22:13:20.123456+00:00 one
        web-1     | 2023-11-14T22:13:20.123456+00:00 two
        ");
    }

    #[test]
    fn a_terminal_is_protected_and_a_file_gets_what_came() {
        let evil = line(Source::Console, "\u{1b}]0;x\u{7}hi");
        assert_eq!(look().text(&evil, colour(0)), "web-1     | hi\n");
        let raw = Look { harmless: false, prefix: false, ..look() };
        assert_eq!(raw.text(&evil, colour(0)), "\u{1b}]0;x\u{7}hi\n");
    }

    #[test]
    fn json_has_the_fields_of_the_journal() {
        let value = event(&line(journal(Priority::Err), "no"));
        assert_eq!(value["event"], "log");
        assert_eq!(value["unit"], "nginx.service");
        assert_eq!(value["priority"], "err");
        assert_eq!(event(&line(Source::Console, "x"))["source"], "console");
    }
}
