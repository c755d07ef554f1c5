//! The fields of `systemd:`, and of `x-systemd:`, which is the same key in a compose file.

use super::Form::{Boolean, Duration, Fields, Names, Size, Text, Texts, Words};
use super::{Key, key};

/// Below `systemd:` of a service or of the whole project.
pub(super) const SYSTEMD: &[Key] = &[
    key("target", &[Text], "the unit that PID 1 boots; `multi-user.target` by default"),
    key("init", &[Text], "path of systemd in the image; found there by default"),
    key("args", &[Texts], "further arguments for PID 1"),
    key(
        "log_level",
        &[Words(&["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"])],
        "how much PID 1 logs; `info` by default",
    ),
    key(
        "log_target",
        &[Words(&["console", "console-prefixed", "kmsg", "journal", "journal-or-kmsg", "auto", "null"])],
        "where PID 1 logs to",
    ),
    key(
        "privilege",
        &[Words(&[
            "auto",
            "podman",
            "writable-cgroups",
            "remapped",
            "own-subtree",
            "remount",
            "own-subtree-v1",
            "unified-on-hybrid",
            "privileged",
            "classic",
        ])],
        "how PID 1 gets its cgroup and capabilities; `auto` is the least that boots on the engine",
    ),
    key("features", &[Texts], "what the machine needs beyond booting: `sandboxing`, `nfs`, `fuse`, `time`"),
    key("enable", &[Texts, Text], "units started at boot in addition"),
    key("mask", &[Texts, Text], "units that cannot be started"),
    key(
        "mask_defaults",
        &[Boolean],
        "whether units that cannot work in a container are masked; true by default",
    ),
    key("units", &[Names], "unit files and drop-ins given to the machine; a change replaces the machine"),
    key("units.*", &[Fields], "one unit, by its whole name such as `nginx.service`"),
    key("units.*.file", &[Text], "path of the unit file"),
    key("units.*.content", &[Text], "text of the unit file"),
    key("units.*.drop_in", &[Text, Fields], "text of a drop-in for the unit, or where it is"),
    key("units.*.drop_in.file", &[Text], "path of the drop-in"),
    key("units.*.enable", &[Boolean], "whether the unit is started at boot"),
    key("units.*.mask", &[Boolean], "whether the unit cannot be started"),
    key("environment_to_units", &[Boolean], "whether `environment` reaches the units; true by default"),
    key(
        "credentials",
        &[Names],
        "what units read by `LoadCredential=` and `ImportCredential=`, besides the service's `secrets`",
    ),
    key("credentials.*", &[Fields], "one credential"),
    key("credentials.*.file", &[Text], "path of the file that holds it"),
    key("credentials.*.environment", &[Text], "name of the variable that holds it"),
    key("credentials.*.content", &[Text], "the credential itself"),
    key(
        "ready",
        &[Words(&["running", "degraded"]), Text, Texts],
        "what `ready` means: `running`, `degraded`, or units",
    ),
    key("boot_timeout", &[Duration], "time after which the boot has failed; `90s` by default"),
    key("journal", &[Fields], "how the journal is kept"),
    key(
        "journal.storage",
        &[Words(&["volatile", "persistent", "auto", "none"])],
        "where; `volatile` by default",
    ),
    key("journal.max", &[Size], "upper bound; `64M` by default"),
    key(
        "journal.forward",
        &[Words(&["console", "none"])],
        "`console` shows entries to the engine's logs too",
    ),
    key("identity", &[Text], "where the machine id comes from: `derived`, `image`, or 32 hexadecimal digits"),
];
