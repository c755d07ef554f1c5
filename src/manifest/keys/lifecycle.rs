//! The keys of a service for what is run inside it beside its own process, and for files that are followed.

use super::Form::{Boolean, Fields, Items, Null, Pairs, Text, Texts, Words};
use super::{Key, key};

/// Below a service.
pub(super) const LIFECYCLE: &[Key] = &[
    key(
        "post_start",
        &[Items],
        "commands that are run inside after each start that sdcompose makes; in a machine after its boot",
    ),
    key("post_start.[]", &[Fields], "one command"),
    key("post_start.[].command", &[Text, Texts, Null], "the command, taken apart as `command` is"),
    key("post_start.[].user", &[Text], "the user; the container's own by default"),
    key("post_start.[].privileged", &[Boolean], "whether it gets all privileges"),
    key("post_start.[].working_dir", &[Text], "the directory; the container's own by default"),
    key("post_start.[].environment", &[Pairs], "further variables; a name alone takes the variable away"),
    key(
        "pre_stop",
        &[Items],
        "commands that are run inside before each stop that sdcompose makes, but not before `kill`",
    ),
    key("pre_stop.[]", &[Fields], "one command"),
    key("pre_stop.[].command", &[Text, Texts, Null], "the command, taken apart as `command` is"),
    key("pre_stop.[].user", &[Text], "the user; the container's own by default"),
    key("pre_stop.[].privileged", &[Boolean], "whether it gets all privileges"),
    key("pre_stop.[].working_dir", &[Text], "the directory; the container's own by default"),
    key("pre_stop.[].environment", &[Pairs], "further variables; a name alone takes the variable away"),
    key("develop", &[Fields, Null], "what follows the files of whoever develops the service"),
    key("develop.watch", &[Items], "rules; they are checked and shown, and nothing follows them yet"),
    key("develop.watch.[]", &[Fields], "one rule"),
    key("develop.watch.[].path", &[Text], "the file or directory of this host that is followed"),
    key(
        "develop.watch.[].action",
        &[Words(&["sync", "rebuild", "restart", "sync+restart", "sync+exec", "sync+unit"])],
        "what a change does; `sync+unit` puts files into a machine and reloads or restarts units of it",
    ),
    key("develop.watch.[].target", &[Text], "the path inside that files are put to; each `sync` needs it"),
    key("develop.watch.[].ignore", &[Text, Texts], "patterns of what below the path is left alone"),
    key("develop.watch.[].include", &[Text, Texts], "patterns of what alone below the path counts"),
    key("develop.watch.[].initial_sync", &[Boolean], "whether all is put into the container once at first"),
    key("develop.watch.[].exec", &[Fields], "the command of `sync+exec`"),
    key("develop.watch.[].exec.command", &[Text, Texts, Null], "the command, taken apart as `command` is"),
    key("develop.watch.[].exec.user", &[Text], "the user; the container's own by default"),
    key("develop.watch.[].exec.privileged", &[Boolean], "whether it gets all privileges"),
    key("develop.watch.[].exec.working_dir", &[Text], "the directory; the container's own by default"),
    key(
        "develop.watch.[].exec.environment",
        &[Pairs],
        "further variables; a name alone takes the variable away",
    ),
    key("develop.watch.[].units", &[Texts], "the units of `sync+unit`, such as `nginx.service`"),
];
