//! The files that a machine is given: unit files and drop-ins, the environment of units, the journal's limits,
//! credentials. They are put into the container's own root between create and start, so that they work on a
//! remote engine and nothing stays behind.

use indexmap::IndexMap;

use crate::project::{Journal, JournalStorage, Machine, Project, Service, UnitFile};
use crate::systemd::assignment::is_assignable;
use crate::systemd::defaults::{Decision, boot};

use super::{Content, FileSpec, file_objects};

/// Where a machine's credentials are. `CREDENTIALS_DIRECTORY` names it to PID 1, which hands them to
/// `LoadCredential=` and `ImportCredential=` by name (measured with systemd 252, 257 and 262). systemd 247
/// has no such import: there `LoadCredential=name:/etc/sdcompose/credentials/name` works (measured).
pub const CREDENTIALS_DIR: &str = "/etc/sdcompose/credentials";

const UNITS: &str = "/etc/systemd/system";
const DROP_IN: &str = "50-sdcompose.conf";

/// The first systemd that expands `%` in `DefaultEnvironment=` (measured: 247 does not, 252 does).
const SPECIFIERS_SINCE: u16 = 250;

/// Lists the files that systemd itself reads in one machine, directories before what is in them.
#[must_use]
pub fn of_machine(
    project: &Project,
    service: &Service,
    machine: &Machine,
    decision: &Decision,
) -> Vec<FileSpec> {
    let mut files = Vec::new();
    for (name, unit) in &machine.units {
        add_unit(&mut files, name.as_str(), unit);
    }
    if machine.environment_to_units
        && let Some(text) = environment(&service.environment, decision.version)
    {
        files.push(file(&format!("/etc/systemd/system.conf.d/{DROP_IN}"), 0o600, text.into_bytes()));
    }
    let journal = journal(&machine.journal);
    files.push(file(&format!("/etc/systemd/journald.conf.d/{DROP_IN}"), 0o644, journal.into_bytes()));
    if decision.relief {
        files.push(file(boot::RELIEF_PATH, 0o644, boot::relief().into_bytes()));
    }
    let own = machine.credentials.iter().map(|(name, it)| (name.as_str(), it.bytes.as_slice()));
    add_credentials(&mut files, own.chain(file_objects::credentials(project, service)).collect());
    files
}

fn add_unit(files: &mut Vec<FileSpec>, name: &str, unit: &UnitFile) {
    // Enabling and masking go by PID 1's arguments.
    let UnitFile { content, drop_in, enable: _, mask: _ } = unit;
    if let Some(content) = content {
        files.push(file(&format!("{UNITS}/{name}"), 0o644, content.clone()));
    }
    if let Some(drop_in) = drop_in {
        files.push(file(&format!("{UNITS}/{name}.d/{DROP_IN}"), 0o644, drop_in.clone()));
    }
}

fn add_credentials(files: &mut Vec<FileSpec>, credentials: Vec<(&str, &[u8])>) {
    if credentials.is_empty() {
        return;
    }
    files.push(FileSpec::of_root(CREDENTIALS_DIR, 0o700, Content::Directory));
    for (name, bytes) in credentials {
        files.push(file(&format!("{CREDENTIALS_DIR}/{name}"), 0o400, bytes.to_vec()));
    }
}

fn file(path: &str, mode: u32, bytes: Vec<u8>) -> FileSpec {
    FileSpec::of_root(path, mode, Content::Bytes(bytes))
}

/// The drop-in of systemd-system.conf(5) that gives a service's environment to all units; `None` where there
/// is nothing to give. One assignment a line, since a line may hold at most a mebibyte. Names that systemd
/// refuses (`env_name_is_valid`) stay with PID 1 alone.
///
/// The file is for root alone, so that PID 1's arguments and world-readable files hold no value; but every
/// service has the values in its environment, and `systemctl show-environment` tells them to every user
/// inside (measured with systemd 257). What must be kept from some services belongs into credentials.
fn environment(environment: &IndexMap<String, String>, version: Option<u16>) -> Option<String> {
    let lines: Vec<String> = environment
        .iter()
        .filter(|(name, value)| is_assignable(name, value))
        .map(|(name, value)| format!("DefaultEnvironment={}\n", quoted(&format!("{name}={value}"), version)))
        .collect();
    if lines.is_empty() {
        return None;
    }
    Some(format!("# Written by sdcompose from the service's `environment`.\n[Manager]\n{}", lines.concat()))
}

/// Quotes one assignment by the rules of systemd.syntax(7): within double quotes a backslash escapes as in C.
fn quoted(text: &str, version: Option<u16>) -> String {
    let specifiers = version.is_none_or(|version| version >= SPECIFIERS_SINCE);
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '%' if specifiers => quoted.push_str("%%"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// The drop-in of journald.conf(5).
fn journal(journal: &Journal) -> String {
    let Journal { storage, max, forward_console } = journal;
    let (word, limits): (&str, &[&str]) = match storage {
        JournalStorage::Volatile => ("volatile", &["RuntimeMaxUse"]),
        JournalStorage::Persistent => ("persistent", &["SystemMaxUse", "RuntimeMaxUse"]),
        JournalStorage::Auto => ("auto", &["SystemMaxUse", "RuntimeMaxUse"]),
        JournalStorage::None => ("none", &[]),
    };
    let mut lines = vec![format!("Storage={word}")];
    lines.extend(limits.iter().map(|key| format!("{key}={max}")));
    lines.extend(forward_console.then(|| "ForwardToConsole=yes".to_owned()));
    format!("# Written by sdcompose from `systemd.journal`.\n[Journal]\n{}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> IndexMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn environment_is_quoted_as_systemd_reads_it() {
        let text = environment(&variables(&[("A", "50% \"x\""), ("B", "l1\nl2\t\\ $HOME 's")]), Some(252));
        assert_eq!(
            text.unwrap(),
            "# Written by sdcompose from the service's `environment`.\n[Manager]\n\
             DefaultEnvironment=\"A=50%% \\\"x\\\"\"\nDefaultEnvironment=\"B=l1\\nl2\\t\\\\ $HOME 's\"\n"
        );
    }

    #[test]
    fn systemd_247_expands_no_specifiers_in_the_default_environment() {
        assert!(environment(&variables(&[("A", "50%")]), Some(247)).unwrap().contains("\"A=50%\""));
        assert!(environment(&variables(&[("A", "50%")]), None).unwrap().contains("\"A=50%%\""));
    }

    #[test]
    fn what_systemd_would_refuse_is_left_out() {
        let refused = variables(&[("a.b", "1"), ("1A", "1"), ("C", "bell\u{7}"), ("", "x")]);
        assert_eq!(environment(&refused, Some(252)), None);
    }

    #[test]
    fn a_journal_has_the_limit_of_where_it_lives() {
        let text = |storage, forward_console| journal(&Journal { storage, max: 64, forward_console });
        let head = "# Written by sdcompose from `systemd.journal`.\n[Journal]\n";
        assert_eq!(
            text(JournalStorage::Volatile, false),
            format!("{head}Storage=volatile\nRuntimeMaxUse=64\n")
        );
        assert_eq!(
            text(JournalStorage::Persistent, true),
            format!("{head}Storage=persistent\nSystemMaxUse=64\nRuntimeMaxUse=64\nForwardToConsole=yes\n")
        );
        assert_eq!(text(JournalStorage::None, false), format!("{head}Storage=none\n"));
    }
}
