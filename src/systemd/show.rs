//! What `systemctl` says, as text, into what it means: `show`, `is-system-running`, `list-jobs`; and the
//! commands that ask for it. Anything that is not understood is left out, nothing fails.
//!
//! Source: systemctl(1); the texts were compared on systemd 247 and 257.

use crate::systemd::{ActiveState, LoadState, SystemState, UnitName};

/// State of one unit, from `systemctl show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitStatus {
    /// The unit's name.
    pub name: UnitName,
    /// Its description.
    pub description: String,
    /// Whether it was loaded.
    pub load: LoadState,
    /// Whether it is active.
    pub active: ActiveState,
    /// The state in its kind's own words (`running`, `exited`, `dead`, …).
    pub sub: String,
    /// Why it last ended (`exit-code`, `signal`, …); `success` where nothing went wrong.
    pub result: String,
    /// Exit status of its main process, where one has ended. Of a service that never ran systemd prints
    /// `ExecMainStatus=0` as well, so that the number alone does not tell success (measured on 247 and 257).
    pub exec_status: Option<i32>,
    /// The unit's type of service (`oneshot`, `notify`, …), where it is one.
    pub kind: String,
}

/// One unit, and what of the machine it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitUse {
    /// The unit's name.
    pub name: UnitName,
    /// Whether it is active.
    pub active: ActiveState,
    /// The type of a service (`oneshot`, `notify`, …); empty for other units.
    pub kind: String,
    /// Names and patterns of the credentials that it takes (`LoadCredential=`, `ImportCredential=`).
    pub credentials: Vec<String>,
}

impl UnitUse {
    /// Tells whether it ought to run and does not: a `oneshot` that was done is inactive again.
    #[must_use]
    pub fn is_down(&self) -> bool {
        match &self.active {
            ActiveState::Failed => true,
            ActiveState::Inactive => self.kind != "oneshot",
            ActiveState::Active
            | ActiveState::Reloading
            | ActiveState::Activating
            | ActiveState::Deactivating
            | ActiveState::Maintenance
            | ActiveState::Refreshing
            | ActiveState::Other(_) => false,
        }
    }
}

/// How far the jobs of a boot are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jobs {
    /// Jobs that wait or run now (`NJobs`).
    pub queued: u32,
    /// Jobs that there ever were (`NInstalledJobs`).
    pub installed: u32,
}

/// The properties that [`units`] reads.
const PROPERTIES: &str = "--property=Id,Description,LoadState,ActiveState,SubState,Result,ExecMainStatus,\
                          ExecMainExitTimestampMonotonic,Type";

/// Returns the command that asks for the state of units; [`units`] reads its answer.
#[must_use]
pub fn units_command(names: &[UnitName]) -> Vec<String> {
    let mut command = words(&["systemctl", "show", "--no-pager", PROPERTIES, "--"]);
    command.extend(names.iter().map(|name| name.as_str().to_owned()));
    command
}

/// Returns the command that asks for all services, sockets, timers and paths that are loaded; [`uses`] reads its answer. Properties that a
/// systemd does not know are left out by it (measured on 247).
#[must_use]
pub fn uses_command() -> Vec<String> {
    words(&[
        "systemctl",
        "show",
        "--no-pager",
        "--property=Id,ActiveState,Type,LoadCredential,LoadCredentialEncrypted,ImportCredential",
        "--",
        "*.service",
        "*.socket",
        "*.timer",
        "*.path",
    ])
}

/// Returns the command that asks for the state of all failed units; [`units`] reads its answer.
#[must_use]
pub fn failed_command() -> Vec<String> {
    words(&["systemctl", "show", "--no-pager", PROPERTIES, "--state=failed", "--", "*"])
}

/// Returns the command that asks for the state of the whole system; [`system`] reads its answer. Its exit
/// code says only whether the answer is `running`.
#[must_use]
pub fn system_command() -> Vec<String> {
    words(&["systemctl", "is-system-running"])
}

/// Returns the command that asks how many jobs the boot has; [`jobs`] reads its answer.
#[must_use]
pub fn jobs_command() -> Vec<String> {
    words(&["systemctl", "show", "--no-pager", "--property=NJobs,NInstalledJobs"])
}

/// Returns the command that lists jobs which wait or run; [`job_lines`] reads its answer.
#[must_use]
pub fn list_jobs_command() -> Vec<String> {
    words(&["systemctl", "list-jobs", "--plain", "--no-legend", "--no-pager"])
}

/// Returns the command that says on standard error what is wrong with a unit's file (systemd-analyze(1)).
#[must_use]
pub fn verify_command(unit: &UnitName) -> Vec<String> {
    words(&["systemd-analyze", "verify", "--man=no", unit.as_str()])
}

/// Returns the command that prints the last lines of a unit's log; [`log_lines`] reads its answer.
#[must_use]
pub fn log_command(unit: &UnitName, lines: u32) -> Vec<String> {
    let mut command = words(&["journalctl", "--no-pager", "-o", "cat", "-n"]);
    command.push(lines.to_string());
    command.push("-u".to_owned());
    command.push(unit.as_str().to_owned());
    command
}

/// Reads the blocks that `systemctl show` prints for units, one per unit, in the order of the question.
///
/// A block without a valid `Id=` is left out. Of a unit that does not exist the block says
/// `LoadState=not-found`, so that it appears here as well.
#[must_use]
pub fn units(text: &str) -> Vec<UnitStatus> {
    blocks(text).iter().filter_map(|block| unit(block)).collect()
}

/// Reads the answer to a question for `names`, each with the name that was asked for: an alias
/// (`sshd.service`) is answered under its unit's own name (`ssh.service`).
#[must_use]
pub fn asked_units(names: &[UnitName], text: &str) -> Vec<(UnitName, UnitStatus)> {
    let found: Vec<Option<UnitStatus>> = blocks(text).iter().map(|block| unit(block)).collect();
    if found.len() == names.len() {
        return names.iter().cloned().zip(found).filter_map(|(name, unit)| Some((name, unit?))).collect();
    }
    found.into_iter().flatten().map(|unit| (unit.name.clone(), unit)).collect()
}

/// Reads the answer to [`uses_command`].
#[must_use]
pub fn uses(text: &str) -> Vec<UnitUse> {
    blocks(text)
        .iter()
        .filter_map(|block| {
            let all = |key: &'static str| block.iter().filter_map(move |line| line.strip_prefix(key));
            // `LoadCredential=` is shown as `name:path`, `ImportCredential=` as patterns by blanks.
            let loaded = all("LoadCredential=").chain(all("LoadCredentialEncrypted="));
            let loaded = loaded.filter_map(|value| value.split(':').next());
            let imported = all("ImportCredential=").flat_map(str::split_whitespace);
            Some(UnitUse {
                name: UnitName::parse(all("Id=").next()?).ok()?,
                active: ActiveState::parse(all("ActiveState=").next()?),
                kind: all("Type=").next().unwrap_or_default().to_owned(),
                credentials: loaded
                    .chain(imported)
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned)
                    .collect(),
            })
        })
        .collect()
}

/// Reads the word of `systemctl is-system-running`; `None` where it printed none.
#[must_use]
pub fn system(text: &str) -> Option<SystemState> {
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(SystemState::parse)
}

/// Reads the answer to [`jobs_command`]; `None` where a number is missing.
#[must_use]
pub fn jobs(text: &str) -> Option<Jobs> {
    let number = |key: &str| text.lines().find_map(|line| line.trim_end().strip_prefix(key)?.parse().ok());
    Some(Jobs { queued: number("NJobs=")?, installed: number("NInstalledJobs=")? })
}

/// Reads the lines of `systemctl list-jobs` into `unit: start waiting`, without the jobs' numbers.
#[must_use]
pub fn job_lines(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            [number, unit, kind, state] if number.parse::<u32>().is_ok() => {
                Some(format!("{unit}: {kind} {state}"))
            }
            _ => None,
        })
        .collect()
}

/// Reads from the same answer the units whose job runs now, rather than waiting for others.
#[must_use]
pub fn running_jobs(text: &str) -> Vec<UnitName> {
    text.lines()
        .filter_map(|line| match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            [_, unit, _, "running"] => UnitName::parse(unit).ok(),
            _ => None,
        })
        .collect()
}

/// Reads the lines that `journalctl -o cat` prints, without its remark that there are none.
#[must_use]
pub fn log_lines(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty() && *line != "-- No entries --")
        .map(str::to_owned)
        .collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Splits at blank lines; runs of them count once.
fn blocks(text: &str) -> Vec<Vec<&str>> {
    let mut blocks = Vec::new();
    let mut block = Vec::new();
    for line in text.lines().map(|line| line.trim_end_matches('\r')) {
        if line.is_empty() {
            if !block.is_empty() {
                blocks.push(std::mem::take(&mut block));
            }
        } else {
            block.push(line);
        }
    }
    if !block.is_empty() {
        blocks.push(block);
    }
    blocks
}

fn unit(block: &[&str]) -> Option<UnitStatus> {
    let get = |key: &str| {
        let value = |line: &&str| {
            line.split_once('=').filter(|(name, _)| *name == key).map(|(_, value)| value.to_owned())
        };
        block.iter().find_map(value).unwrap_or_default()
    };
    Some(UnitStatus {
        name: UnitName::parse(&get("Id")).ok()?,
        description: get("Description"),
        load: LoadState::parse(&get("LoadState")),
        active: ActiveState::parse(&get("ActiveState")),
        sub: get("SubState"),
        result: get("Result"),
        exec_status: get("ExecMainStatus")
            .parse()
            .ok()
            .filter(|_| get("ExecMainExitTimestampMonotonic").parse::<u64>().is_ok_and(|at| at > 0)),
        kind: get("Type"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "\
Type=simple\nResult=exit-code\nExecMainExitTimestampMonotonic=4834920574\nExecMainStatus=3\nId=breaks.service\nDescription=Breaks = a lot\n\
LoadState=loaded\nActiveState=failed\nSubState=failed\n\n\
Id=basic.target\nDescription=Basic System\nLoadState=loaded\nActiveState=active\nSubState=active\n";

    fn name(text: &str) -> UnitName {
        UnitName::parse(text).unwrap()
    }

    fn line(unit: &UnitStatus) -> String {
        let UnitStatus { name, description, load, active, sub, result, exec_status, kind } = unit;
        format!("{name} ({description}) {load} {active}/{sub} {result:?} {exec_status:?} {kind:?}")
    }

    #[test]
    fn blocks_become_units_in_their_order() {
        let lines: Vec<String> = units(TWO).iter().map(line).collect();
        assert_eq!(
            lines,
            [
                r#"breaks.service (Breaks = a lot) loaded failed/failed "exit-code" Some(3) "simple""#,
                r#"basic.target (Basic System) loaded active/active "" None """#,
            ]
        );
    }

    #[test]
    fn an_alias_is_found_under_the_name_that_was_asked_for() {
        let text = "Id=ssh.service\nActiveState=active\n\n\nId=cron.service\nActiveState=inactive\n";
        let found = asked_units(&[name("sshd.service"), name("cron.service")], text);
        let pairs: Vec<String> = found.iter().map(|(asked, unit)| format!("{asked}={}", unit.name)).collect();
        assert_eq!(pairs, ["sshd.service=ssh.service", "cron.service=cron.service"]);
    }

    #[test]
    fn an_answer_that_lost_a_block_is_read_by_its_own_names() {
        let found = asked_units(&[name("a.service"), name("b.service")], "Id=b.service\n");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, name("b.service"));
    }

    #[test]
    fn a_oneshot_that_never_ran_has_no_exit_status() {
        let text = "Type=oneshot\nResult=success\nExecMainExitTimestampMonotonic=0\nExecMainStatus=0\nId=a.service\n";
        assert_eq!(units(text)[0].exec_status, None);
    }

    #[test]
    fn garbage_is_left_out() {
        assert_eq!(units("Failed to connect to bus: No such file or directory\n"), []);
        assert_eq!(units("Id=not a unit\nActiveState=active\n\n\0\u{1b}[31m=\n=\n"), []);
        assert_eq!(units(""), []);
        assert_eq!(system("\n \n"), None);
        assert_eq!(jobs("NJobs=\nNInstalledJobs=99999999999\n"), None);
        assert_eq!(job_lines("No jobs running.\n"), Vec::<String>::new());
    }

    #[test]
    fn the_word_of_the_system_is_its_first_line() {
        assert_eq!(system("degraded\n"), Some(SystemState::Degraded));
        assert_eq!(system("later\r\n"), Some(SystemState::Other("later".to_owned())));
    }

    #[test]
    fn jobs_are_counted_and_listed_without_numbers() {
        assert_eq!(jobs("NJobs=2\nNInstalledJobs=88\n"), Some(Jobs { queued: 2, installed: 88 }));
        let text = "264 later.service start waiting\n209 slow.service  start running\n";
        assert_eq!(running_jobs(text), [name("slow.service")]);
        assert_eq!(job_lines(text), ["later.service: start waiting", "slow.service: start running"]);
    }

    #[test]
    fn a_log_without_entries_is_empty() {
        assert_eq!(log_lines("-- No entries --\n"), Vec::<String>::new());
        assert_eq!(log_lines("Started Breaks.\nalas \n\n"), ["Started Breaks.", "alas"]);
    }

    #[test]
    fn commands_are_what_systemctl_expects() {
        assert_eq!(
            units_command(&[name("a.service")]).join(" "),
            "systemctl show --no-pager \
             --property=Id,Description,LoadState,ActiveState,SubState,Result,ExecMainStatus,\
             ExecMainExitTimestampMonotonic,Type -- a.service"
        );
        assert_eq!(
            log_command(&name("a.service"), 10).join(" "),
            "journalctl --no-pager -o cat -n 10 -u a.service"
        );
    }
}
