//! The known ways in which systemd fails to boot in a container, or a unit fails inside one: what is seen,
//! why it is so, and what to do. One table of symptoms; nothing here asks or decides.
//!
//! Where a row names no other source, it was measured on Docker 20.10 and 28.5 and Podman 4.3 and 5.8 with
//! systemd 247, 252, 254, 257 and 262. Exit statuses of units are those of systemd.exec(5), "Process exit
//! codes".

use crate::systemd::show::UnitStatus;

/// What was seen of a machine that failed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence<'a> {
    /// Code that PID 1 exited with, where it did.
    pub exit_code: Option<i64>,
    /// Whether the kernel ended it for want of memory.
    pub oom: bool,
    /// The last lines of the console, and what the engine said when it refused.
    pub text: &'a [String],
    /// Failed units, each with the last lines of its log.
    pub units: Vec<(&'a UnitStatus, &'a [String])>,
}

/// A cause that explains what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// Why it is so, one sentence.
    pub cause: &'static str,
    /// What to do, one sentence.
    pub help: &'static str,
}

/// Something that is seen.
enum Sign {
    /// The console (or the engine's refusal) holds all these texts in one line.
    Text(&'static [&'static str]),
    /// PID 1 exited with this code and its console shows nothing.
    SilentExit(i64),
    /// PID 1 exited with this code.
    Exit(i64),
    /// The kernel's out-of-memory killer ended the container.
    OutOfMemory,
    /// A unit's main process ended with this status, before or instead of its own program.
    UnitStatus(i32),
    /// A unit's log holds this text.
    UnitLog(&'static str),
    /// A unit of this name failed.
    Unit(&'static str),
}

struct Row {
    sign: Sign,
    finding: Finding,
}

/// Says why a machine probably failed: the causes of all symptoms that apply, the most certain first, none
/// twice, at most three.
#[must_use]
pub fn diagnose(evidence: &Evidence) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for row in ROWS {
        if row.sign.shows_in(evidence) && !findings.contains(&row.finding) && findings.len() < 3 {
            // A general sign says nothing beside a special one.
            if findings.is_empty() || !row.sign.is_general() {
                findings.push(row.finding);
            }
        }
    }
    findings
}

impl Sign {
    fn shows_in(&self, evidence: &Evidence) -> bool {
        match self {
            Self::Text(parts) => {
                evidence.text.iter().any(|line| parts.iter().all(|part| line.contains(part)))
            }
            Self::SilentExit(code) => {
                evidence.exit_code == Some(*code) && evidence.text.iter().all(|line| line.trim().is_empty())
            }
            Self::Exit(code) => evidence.exit_code == Some(*code),
            Self::OutOfMemory => evidence.oom,
            Self::UnitStatus(status) => {
                evidence.units.iter().any(|(unit, _)| unit.exec_status == Some(*status))
            }
            Self::UnitLog(text) => {
                evidence.units.iter().any(|(_, log)| log.iter().any(|line| line.contains(text)))
            }
            Self::Unit(name) => evidence.units.iter().any(|(unit, _)| unit.name.as_str() == *name),
        }
    }

    fn is_general(&self) -> bool {
        match self {
            Self::Exit(_) | Self::SilentExit(_) | Self::Unit(_) => true,
            Self::Text(_) | Self::OutOfMemory | Self::UnitStatus(_) | Self::UnitLog(_) => false,
        }
    }
}

const fn row(sign: Sign, cause: &'static str, help: &'static str) -> Row {
    Row { sign, finding: Finding { cause, help } }
}

/// Special symptoms stand before general ones.
const ROWS: &[Row] = &[
    row(
        Sign::OutOfMemory,
        "The kernel ended the machine because its memory limit was reached.",
        "Raise `mem_limit`; an idle machine takes 13 to 27 MB, its services come on top.",
    ),
    row(
        Sign::Text(&["/init.scope control group: Read-only file system"]),
        "PID 1 found no cgroup of its own that it can write to.",
        "Leave `systemd.privilege` at `auto`; `sdcompose config --explain` shows what this engine needs.",
    ),
    row(
        Sign::Text(&["/init.scope", "Permission denied"]),
        "The cgroup exists and may not be written: the daemon remaps users with the cgroupfs driver, or \
         SELinux forbids it.",
        "With `userns-remap` set `native.cgroupdriver=systemd` in daemon.json; with SELinux run \
         `setsebool -P container_manage_cgroup true` or set `security_opt: [label=disable]`.",
    ),
    row(
        // core/mount-setup.c of systemd mounts /run, /run/lock and /tmp itself where they are no mounts yet.
        Sign::Text(&["Failed to mount tmpfs"]),
        "PID 1 had to mount a file system and has not the privilege to.",
        "Do not override the tmpfs mounts on /run, /run/lock and /tmp in `tmpfs:` or `volumes:`.",
    ),
    row(
        // From systemd 253 on; generators run in a sandbox of their own mount namespace.
        Sign::Text(&["Failed to fork off sandboxing environment", "Protocol error"]),
        "CAP_SYS_ADMIN was added while AppArmor denies mounts: systemd then fails where it would otherwise \
         manage without.",
        "Add `security_opt: [apparmor=unconfined]` beside SYS_ADMIN, or drop SYS_ADMIN.",
    ),
    row(
        // github.com/systemd/systemd issue 26474, github.com/moby/moby issue 45042.
        Sign::Text(&["Failed to fork", "Operation not permitted"]),
        "systemd 253.0 cannot start without a sandbox for its generators.",
        "Use an image with systemd 253.1 or later.",
    ),
    row(
        Sign::Text(&["Explicit --user argument required"]),
        "systemd was not started as PID 1: another init stands in front of it.",
        "Remove `init: true`, and let nothing wrap systemd.",
    ),
    row(
        Sign::Text(&["WritableCgroups conflicts with user namespaces"]),
        "The engine is rootless or remaps users and refuses `writable-cgroups`.",
        "Leave `systemd.privilege` at `auto`; there the cgroup is writable anyway.",
    ),
    row(
        Sign::Text(&["writable-cgroups", "nvalid --security-opt"]),
        "The engine does not know `writable-cgroups`, which came with Docker 28.",
        "Leave `systemd.privilege` at `auto`.",
    ),
    row(
        // daemon/daemon_unix.go of moby.
        Sign::Text(&["cgroup-parent for systemd cgroup should be a valid slice"]),
        "The engine uses the systemd cgroup driver, for which the parent must be a slice.",
        "Set `systemd.privilege` back to `auto`, so that the parent gets the driver's form.",
    ),
    row(
        Sign::Text(&["Reached target", "Rescue Mode"]),
        "systemd fell back to rescue mode: the target that it was to boot does not exist or cannot be reached.",
        "Check `systemd.target`, and the units that the target requires.",
    ),
    row(
        Sign::Text(&["Reached target", "Emergency Mode"]),
        "systemd fell back to emergency mode: something that the boot requires (often a mount) failed.",
        "Look at the failed units; remove mounts from the image's /etc/fstab.",
    ),
    row(
        Sign::Text(&["already exists", "task "]),
        "The engine kept debris of an earlier start of this container.",
        "`sdcompose up --force-recreate` makes the container anew; starting it again cannot work.",
    ),
    row(
        Sign::UnitLog("Failed to keep CAP_SYS_ADMIN"),
        "From systemd 255 on, a unit with `User=` and a setting that is made by seccomp cannot start without \
         CAP_SYS_ADMIN.",
        "Give `systemd.features: [sandboxing]` to the service, or leave the drop-in for service units in \
         place that resets these settings.",
    ),
    row(
        Sign::UnitStatus(226),
        "The unit wants a mount namespace of its own (DynamicUser=, BindPaths=, RootDirectory=, …), which \
         takes CAP_SYS_ADMIN (226/NAMESPACE).",
        "Give `systemd.features: [sandboxing]` to the service, or reset the setting in a drop-in under \
         `systemd.units`.",
    ),
    row(
        Sign::UnitStatus(217),
        "The unit's user could not be taken on: it does not exist in the image, or `PrivateUsers=` or a \
         seccomp setting needs CAP_SYS_ADMIN (217/USER).",
        "Make the user in the image, or give `systemd.features: [sandboxing]` to the service.",
    ),
    row(
        Sign::UnitStatus(203),
        "The unit's program does not exist in the image or is not executable (203/EXEC).",
        "Check `ExecStart=` with `systemctl cat`, and the path in the image.",
    ),
    row(
        Sign::UnitStatus(200),
        "The unit's working directory does not exist (200/CHDIR).",
        "Make the directory in the image, or set `WorkingDirectory=` in a drop-in under `systemd.units`.",
    ),
    row(
        Sign::UnitStatus(211),
        "The unit asks for an input/output priority that a container may not set (211/IOPRIO).",
        "Reset `IOSchedulingClass=` in a drop-in under `systemd.units`.",
    ),
    row(
        Sign::UnitStatus(214),
        "The unit asks for a real-time scheduling policy, which takes CAP_SYS_NICE (214/SETSCHEDULER).",
        "Add `cap_add: [SYS_NICE]`, or reset `CPUSchedulingPolicy=` in a drop-in under `systemd.units`.",
    ),
    row(
        Sign::UnitStatus(225),
        "The unit wants a network namespace of its own (225/NETWORK).",
        "Reset `PrivateNetwork=` and `NetworkNamespacePath=` in a drop-in under `systemd.units`.",
    ),
    row(
        Sign::UnitStatus(238),
        "The unit's state directory could not be made (238/STATE_DIRECTORY).",
        "Check that /var is writable in the machine and that its volume belongs to the unit's user.",
    ),
    row(
        Sign::UnitLog("Address already in use"),
        "The address that the unit listens on is taken inside the machine.",
        "Look for a second unit that listens there: `sdcompose exec SERVICE ss -ltnp`.",
    ),
    row(
        Sign::Unit("systemd-networkd-wait-online.service"),
        "Something waits for systemd-networkd, which has nothing to do where the engine sets up the network.",
        "Add `systemd.mask: [systemd-networkd.service, systemd-networkd-wait-online.service]`.",
    ),
    row(
        Sign::Unit("systemd-modules-load.service"),
        "A container cannot load kernel modules.",
        "Add `systemd.mask: [systemd-modules-load.service]`.",
    ),
    row(
        Sign::SilentExit(255),
        "PID 1 gave up before it could say why: usually it found no cgroup that it can write to, or its \
         systemd (258 or later) does not run on cgroup v1.",
        "`sdcompose config --explain` shows how the machine gets its cgroup; with `tty: true` it says why.",
    ),
    row(
        Sign::Exit(137),
        "The machine was killed (SIGKILL): by a person, or after it did not stop in its grace period.",
        "Raise `stop_grace_period` (systemd gives its own units 90 s), or look for who killed it.",
    ),
    row(
        Sign::Exit(126),
        "The image's systemd could not be executed.",
        "Check that the image is made for this processor.",
    ),
    row(
        Sign::Exit(127),
        "There is no systemd at the path that was started.",
        "Install systemd in the image (Debian: packages systemd and systemd-sysv), or set `systemd.init`.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systemd::show;

    fn first_words(findings: &[Finding]) -> Vec<String> {
        let start =
            |finding: &Finding| finding.cause.split_whitespace().take(6).collect::<Vec<_>>().join(" ");
        findings.iter().map(start).collect()
    }

    fn console(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_read_only_cgroup_is_recognised_by_the_console() {
        let text =
            console("systemd 257 running\nFailed to create /init.scope control group: Read-only file system");
        let evidence = Evidence { exit_code: Some(255), text: &text, ..Evidence::default() };
        assert_eq!(first_words(&diagnose(&evidence)), ["PID 1 found no cgroup of"]);
    }

    #[test]
    fn a_read_only_cgroup_in_the_path_of_docker_on_v1_is_the_same_cause() {
        let text = console("Failed to create /docker/0a1b/init.scope control group: Read-only file system");
        let evidence = Evidence { exit_code: Some(255), text: &text, ..Evidence::default() };
        assert_eq!(first_words(&diagnose(&evidence)), ["PID 1 found no cgroup of"]);
    }

    #[test]
    fn an_exit_without_a_word_is_told_apart_from_one_with_words() {
        let evidence = Evidence { exit_code: Some(255), ..Evidence::default() };
        assert_eq!(first_words(&diagnose(&evidence)), ["PID 1 gave up before it"]);
        let text = console("something that nobody knows");
        let evidence = Evidence { exit_code: Some(255), text: &text, ..Evidence::default() };
        assert_eq!(diagnose(&evidence), []);
    }

    #[test]
    fn the_parts_of_a_symptom_must_stand_in_one_line() {
        let text = console("Failed to fork\nmkdir: Operation not permitted");
        let evidence = Evidence { text: &text, ..Evidence::default() };
        assert_eq!(diagnose(&evidence), []);
    }

    #[test]
    fn rescue_mode_is_recognised_in_the_words_of_old_and_new_systemd() {
        for line in ["[  OK  ] Reached target Rescue Mode.", "Reached target rescue.target - Rescue Mode."] {
            let text = console(line);
            let evidence = Evidence { text: &text, ..Evidence::default() };
            assert_eq!(first_words(&diagnose(&evidence)), ["systemd fell back to rescue mode:"]);
        }
    }

    #[test]
    fn a_unit_is_explained_by_its_status_and_its_log() {
        let units = show::units(
            "Id=redis.service\nActiveState=failed\nExecMainExitTimestampMonotonic=9\nExecMainStatus=217\n",
        );
        let log = console("redis.service: Failed to keep CAP_SYS_ADMIN: Operation not permitted");
        let evidence = Evidence { units: vec![(&units[0], &log)], ..Evidence::default() };
        assert_eq!(
            first_words(&diagnose(&evidence)),
            ["From systemd 255 on, a unit", "The unit's user could not be",]
        );
    }

    #[test]
    fn memory_comes_before_the_kill_that_it_led_to() {
        let evidence = Evidence { exit_code: Some(137), oom: true, ..Evidence::default() };
        assert_eq!(first_words(&diagnose(&evidence)), ["The kernel ended the machine because"]);
    }
}
