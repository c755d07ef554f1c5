//! Lines of `journalctl -o json` into entries, and the commands that ask for them.
//!
//! Source: journalctl(1) and "Journal JSON Format" of systemd.io: a field is a string, `null` where it was
//! larger than 4096 bytes and `--all` was not given, an array of numbers where it is not UTF-8, and an array
//! of those where the entry has the field several times. Nothing here fails on what it does not know.

use serde_json::Value;

/// The fields that are read; the timestamps and the cursor come in any case.
const FIELDS: &str =
    "--output-fields=MESSAGE,PRIORITY,_SYSTEMD_UNIT,UNIT,OBJECT_SYSTEMD_UNIT,SYSLOG_IDENTIFIER,_COMM,_PID";

/// Waits for the first file of a journal, ten seconds at most. A `journalctl --follow` that begins before
/// there is one never sees those that come: it watches directories, and `/run/log/journal` is made anew by
/// every boot.
const FIRST_FILE: &str = "any() { for f in /run/log/journal/*/*.journal /var/log/journal/*/*.journal; \
    do [ -e \"$f\" ] && return; done; return 1; }; i=0; until any || [ $((i += 1)) -gt 50 ]; do sleep 0.2; done; ";

/// Runs its arguments until they end, until its own input ends, or until it is told to stop.
///
/// A command that an engine runs inside a container outlives the client that asked for it; its input does
/// not. And `journalctl --follow` of systemd 252 outlives the SIGTERM that PID 1 sends to all processes when
/// a machine goes down, which delays every stop by ten seconds (measured), hence SIGKILL.
const LEASH: &str = "exec 3<&0; \"$@\" </dev/null & j=$!; trap : TERM; \
    (trap : TERM; cat <&3 >/dev/null; kill -9 $j) 2>/dev/null & w=$!; \
    wait $j; code=$?; kill -9 $w 2>/dev/null; exit $code";

/// One entry of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When journald received it, nanoseconds since 1970 (its own grain is a microsecond).
    pub at: i128,
    /// The unit it is about: the one that a manager speaks of, else the one that wrote it.
    pub unit: Option<String>,
    /// Who wrote it, as syslog names it (`nginx`).
    pub identifier: Option<String>,
    /// The process that wrote it.
    pub pid: Option<u32>,
    /// How grave it is.
    pub priority: Option<Priority>,
    /// The message; bytes that are not UTF-8 are replaced.
    pub message: String,
    /// Journald's name for the place of this entry, for going on after it.
    pub cursor: Option<String>,
}

/// Priorities of syslog(3), the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// The system is unusable.
    Emerg,
    /// Action must be taken at once.
    Alert,
    /// Critical.
    Crit,
    /// Error.
    Err,
    /// Warning.
    Warning,
    /// Normal but significant.
    Notice,
    /// Informational.
    Info,
    /// Debugging.
    Debug,
}

impl Priority {
    /// All priorities; the place in the list is syslog's number.
    pub const ALL: [Self; 8] = [
        Self::Emerg,
        Self::Alert,
        Self::Crit,
        Self::Err,
        Self::Warning,
        Self::Notice,
        Self::Info,
        Self::Debug,
    ];

    /// Returns syslog's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Emerg => "emerg",
            Self::Alert => "alert",
            Self::Crit => "crit",
            Self::Err => "err",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    /// Reads syslog's word or number.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let by_name = Self::ALL.into_iter().find(|priority| priority.as_str() == word);
        by_name.or_else(|| word.parse::<usize>().ok().and_then(|number| Self::ALL.get(number).copied()))
    }
}

/// Which part of a journal is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only entries of these units.
    pub units: Vec<String>,
    /// Only entries as grave as this, or a range (`err..warning`), as journalctl takes it.
    pub priority: Option<String>,
    /// Only the last entries.
    pub tail: Option<u64>,
    /// Only from this time on, nanoseconds since 1970.
    pub since: Option<i128>,
    /// Only up to this time, nanoseconds since 1970.
    pub until: Option<i128>,
    /// Whether to wait for more.
    pub follow: bool,
    /// Only entries after this one, by its cursor; stronger than `since` and `tail`.
    pub after: Option<String>,
}

impl Query {
    /// Returns the command whose output [`parse`] reads line by line. One that follows must be given an input,
    /// and ends with it.
    #[must_use]
    pub fn command(&self) -> Vec<String> {
        let Self { units, priority, tail, since, until, follow, after } = self;
        let mut command: Vec<String> =
            ["journalctl", "--no-pager", "--quiet", "--all", "--output=json", FIELDS]
                .map(str::to_owned)
                .into();
        command.extend(units.iter().map(|unit| format!("--unit={unit}")));
        command.extend(priority.iter().map(|priority| format!("--priority={priority}")));
        match after {
            Some(cursor) => command.push(format!("--after-cursor={cursor}")),
            None => command.extend(since.map(|since| format!("--since={}", seconds(since)))),
        }
        command.extend(until.map(|until| format!("--until={}", seconds(until))));
        match (tail, after) {
            (Some(lines), None) => command.push(format!("--lines={lines}")),
            // `--follow` alone shows only the last ten lines.
            (None, _) | (_, Some(_)) => command.push("--no-tail".to_owned()),
        }
        if *follow {
            command.push("--follow".to_owned());
            let leash =
                ["/bin/sh".to_owned(), "-c".to_owned(), format!("{FIRST_FILE}{LEASH}"), "sh".to_owned()];
            command.splice(..0, leash);
        }
        command
    }
}

/// Writes a time as systemd reads it back exactly: `@` and seconds since 1970 (systemd.time(7)).
fn seconds(nanoseconds: i128) -> String {
    let micros = nanoseconds.max(0) / 1_000;
    format!("@{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// Reads one line; `None` where it is no entry (a remark of journalctl, a torn line).
#[must_use]
pub fn parse(line: &[u8]) -> Option<Entry> {
    let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(line) else { return None };
    let text = |name: &str| fields.get(name).and_then(text).filter(|text| !text.is_empty());
    let micros: i128 = text("__REALTIME_TIMESTAMP")?.parse::<u64>().ok()?.into();
    Some(Entry {
        at: micros * 1_000,
        unit: text("UNIT").or_else(|| text("OBJECT_SYSTEMD_UNIT")).or_else(|| text("_SYSTEMD_UNIT")),
        identifier: text("SYSLOG_IDENTIFIER").or_else(|| text("_COMM")),
        pid: text("_PID").and_then(|pid| pid.parse().ok()),
        priority: text("PRIORITY").and_then(|word| Priority::parse(&word)),
        message: text("MESSAGE").unwrap_or_default(),
        cursor: text("__CURSOR"),
    })
}

/// Reads a field in any of its forms; of a field that the entry has several times, all values, one a line.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => match bytes(items) {
            Some(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            None => Some(items.iter().filter_map(once).collect::<Vec<_>>().join("\n")),
        },
        Value::Null | Value::Bool(_) | Value::Object(_) => None,
    }
}

/// Reads one value of a field that the entry has several times; values do not nest deeper than that.
fn once(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => bytes(items).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

fn bytes(items: &[Value]) -> Option<Vec<u8>> {
    items.iter().map(|item| item.as_u64().and_then(|number| u8::try_from(number).ok())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(line: &str) -> String {
        match parse(line.as_bytes()) {
            None => "no entry".to_owned(),
            Some(Entry { at, unit, identifier, pid, priority, message, cursor: _ }) => format!(
                "{at} {} {}[{}] {}: {message}",
                unit.unwrap_or_default(),
                identifier.unwrap_or_default(),
                pid.map(|pid| pid.to_string()).unwrap_or_default(),
                priority.map_or("", Priority::as_str),
            ),
        }
    }

    #[test]
    fn an_entry_tells_who_when_and_what() {
        let line = r#"{"__REALTIME_TIMESTAMP":"1700000000000001","_SYSTEMD_UNIT":"nginx.service",
            "SYSLOG_IDENTIFIER":"nginx","_PID":"241","PRIORITY":"3","MESSAGE":"bind() failed"}"#;
        assert_eq!(read(line), "1700000000000001000 nginx.service nginx[241] err: bind() failed");
    }

    #[test]
    fn what_a_manager_says_of_a_unit_counts_as_the_units() {
        let line = r#"{"__REALTIME_TIMESTAMP":"5","_SYSTEMD_UNIT":"init.scope","UNIT":"db.service",
            "SYSLOG_IDENTIFIER":"systemd","_PID":"1","PRIORITY":"6","MESSAGE":"Started db."}"#;
        assert_eq!(read(line), "5000 db.service systemd[1] info: Started db.");
    }

    #[test]
    fn bytes_nulls_and_repeated_fields_are_read() {
        let line = r#"{"__REALTIME_TIMESTAMP":"1","MESSAGE":[104,105,255]}"#;
        assert_eq!(read(line), "1000  [] : hi\u{fffd}");
        assert_eq!(read(r#"{"__REALTIME_TIMESTAMP":"1","MESSAGE":null}"#), "1000  [] : ");
        let line = r#"{"__REALTIME_TIMESTAMP":"1","MESSAGE":["one",[116,119,111]],"PRIORITY":["4","3"]}"#;
        assert_eq!(read(line), "1000  [] : one\ntwo");
    }

    #[test]
    fn what_is_no_entry_is_left_out() {
        for line in ["", "-- No entries --", "{", "[]", r#"{"MESSAGE":"no time"}"#] {
            assert_eq!(read(line), "no entry", "{line}");
        }
    }

    #[test]
    fn a_query_becomes_a_command() {
        let query = Query {
            units: vec!["nginx.service".to_owned()],
            priority: Some("warning".to_owned()),
            tail: Some(20),
            since: Some(1_700_000_000_250_000_000),
            ..Query::default()
        };
        assert_eq!(
            query.command()[5..].join(" "),
            format!("{FIELDS} --unit=nginx.service --priority=warning --since=@1700000000.250000 --lines=20")
        );
    }

    #[test]
    fn following_goes_on_after_a_cursor_and_loses_nothing() {
        let query = Query {
            follow: true,
            tail: Some(3),
            since: Some(7),
            after: Some("s=1;i=2".to_owned()),
            ..Query::default()
        };
        assert_eq!(query.command()[10..].join(" "), "--after-cursor=s=1;i=2 --no-tail --follow");
        assert_eq!(query.command()[..2].join(" "), "/bin/sh -c");
    }

    #[test]
    fn priorities_are_read_by_word_and_number() {
        for (number, priority) in Priority::ALL.into_iter().enumerate() {
            assert_eq!(Priority::parse(priority.as_str()), Some(priority));
            assert_eq!(Priority::parse(&number.to_string()), Some(priority));
        }
        assert_eq!(Priority::parse("8"), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_nothing_panics(raw in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&raw);
        }

        #[test]
        fn any_value_in_any_field_is_survived(value in prop_oneof![
            Just("null".to_owned()), Just("[[[1],2],\"x\",{}]".to_owned()), "[0-9]{1,30}", "\"[a-z]{0,9}\""
        ], field in prop_oneof![
            Just("MESSAGE"), Just("PRIORITY"), Just("_PID"), Just("__REALTIME_TIMESTAMP"), Just("UNIT")
        ]) {
            let _ = parse(format!(r#"{{"__REALTIME_TIMESTAMP":"1","{field}":{value}}}"#).as_bytes());
        }
    }
}
