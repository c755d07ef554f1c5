//! The flags of `docker run`, with what each becomes.

/// One flag.
#[derive(Debug)]
pub(super) struct Flag {
    /// Its name behind two dashes.
    pub(super) long: &'static str,
    /// Its letter, where it has one.
    short: Option<char>,
    /// What it becomes.
    pub(super) effect: Effect,
}

/// What a flag becomes; the word is a key of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// A truth value; takes no value of its own.
    Switch(&'static str),
    /// A text.
    Text(&'static str),
    /// A number.
    Number(&'static str),
    /// One more item of a list.
    List(&'static str),
    /// A time in seconds.
    Seconds(&'static str),
    /// An item of `volumes`.
    Volume,
    /// An item of `volumes` in its long form.
    Mount,
    /// A network or a mode.
    Network,
    /// A part of `healthcheck`.
    Health(&'static str),
    /// `healthcheck` switched off; takes no value.
    NoHealth,
    /// An entry of `ulimits`.
    Ulimit,
    /// A part of `logging`.
    Log(&'static str),
    /// The container's name.
    Name,
    /// Podman's systemd mode.
    Systemd,
    /// How the line itself runs, which says nothing of the container; takes no value.
    Nothing,
    /// Nothing that a manifest could say.
    LeftOut,
}

impl Flag {
    /// Whether a value follows.
    pub(super) fn takes_value(&self) -> bool {
        match self.effect {
            Effect::Switch(_) | Effect::NoHealth | Effect::Nothing => false,
            Effect::Text(_)
            | Effect::Number(_)
            | Effect::List(_)
            | Effect::Seconds(_)
            | Effect::Volume
            | Effect::Mount
            | Effect::Network
            | Effect::Health(_)
            | Effect::Ulimit
            | Effect::Log(_)
            | Effect::Name
            | Effect::Systemd
            | Effect::LeftOut => true,
        }
    }
}

/// Finds a flag by its name.
pub(super) fn long(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.long == name)
}

/// Finds a flag by its letter.
pub(super) fn short(letter: char) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.short == Some(letter))
}

const fn flag(long: &'static str, effect: Effect) -> Flag {
    Flag { long, short: None, effect }
}

const fn lettered(long: &'static str, short: char, effect: Effect) -> Flag {
    Flag { long, short: Some(short), effect }
}

use Effect::{
    Health, LeftOut, List, Log, Mount, Name, Network, NoHealth, Nothing, Number, Seconds, Switch, Systemd,
    Text, Ulimit, Volume,
};

const FLAGS: &[Flag] = &[
    flag("add-host", List("extra_hosts")),
    flag("annotation", List("annotations")),
    lettered("attach", 'a', LeftOut),
    flag("cap-add", List("cap_add")),
    flag("cap-drop", List("cap_drop")),
    flag("cgroup-parent", Text("cgroup_parent")),
    flag("cgroupns", Text("cgroup")),
    flag("cidfile", LeftOut),
    lettered("cpu-shares", 'c', Number("cpu_shares")),
    flag("cpu-period", Number("cpu_period")),
    flag("cpu-quota", Number("cpu_quota")),
    flag("cpus", Text("cpus")),
    flag("cpuset-cpus", Text("cpuset")),
    lettered("detach", 'd', Nothing),
    flag("detach-keys", LeftOut),
    flag("device", List("devices")),
    flag("device-cgroup-rule", List("device_cgroup_rules")),
    flag("disable-content-trust", Nothing),
    flag("dns", List("dns")),
    flag("dns-option", List("dns_opt")),
    flag("dns-opt", List("dns_opt")),
    flag("dns-search", List("dns_search")),
    flag("domainname", Text("domainname")),
    flag("entrypoint", List("entrypoint")),
    lettered("env", 'e', List("environment")),
    flag("env-file", List("env_file")),
    flag("expose", List("expose")),
    flag("gpus", Text("gpus")),
    flag("group-add", List("group_add")),
    flag("health-cmd", Health("test")),
    flag("health-interval", Health("interval")),
    flag("health-retries", Health("retries")),
    flag("health-start-interval", Health("start_interval")),
    flag("health-start-period", Health("start_period")),
    flag("health-timeout", Health("timeout")),
    lettered("hostname", 'h', Text("hostname")),
    flag("init", Switch("init")),
    lettered("interactive", 'i', Switch("stdin_open")),
    flag("ip", LeftOut),
    flag("ip6", LeftOut),
    flag("ipc", Text("ipc")),
    flag("isolation", Text("isolation")),
    lettered("label", 'l', List("labels")),
    flag("label-file", List("label_file")),
    flag("link", LeftOut),
    flag("log-driver", Log("driver")),
    flag("log-opt", Log("options")),
    flag("mac-address", Text("mac_address")),
    lettered("memory", 'm', Text("mem_limit")),
    flag("memory-reservation", Text("mem_reservation")),
    flag("memory-swap", Text("memswap_limit")),
    flag("memory-swappiness", Number("mem_swappiness")),
    flag("mount", Mount),
    flag("name", Name),
    flag("net", Network),
    flag("network", Network),
    flag("net-alias", LeftOut),
    flag("network-alias", LeftOut),
    flag("no-healthcheck", NoHealth),
    flag("oom-kill-disable", Switch("oom_kill_disable")),
    flag("oom-score-adj", Number("oom_score_adj")),
    flag("pid", Text("pid")),
    flag("pids-limit", Number("pids_limit")),
    flag("platform", Text("platform")),
    flag("privileged", Switch("privileged")),
    lettered("publish", 'p', List("ports")),
    lettered("publish-all", 'P', Nothing),
    flag("pull", Text("pull_policy")),
    lettered("quiet", 'q', Nothing),
    flag("read-only", Switch("read_only")),
    flag("replace", Nothing),
    flag("restart", Text("restart")),
    flag("rm", Nothing),
    flag("runtime", Text("runtime")),
    flag("security-opt", List("security_opt")),
    flag("shm-size", Text("shm_size")),
    flag("sig-proxy", Nothing),
    flag("stop-signal", Text("stop_signal")),
    flag("stop-timeout", Seconds("stop_grace_period")),
    flag("storage-opt", LeftOut),
    flag("sysctl", List("sysctls")),
    flag("systemd", Systemd),
    flag("tmpfs", List("tmpfs")),
    lettered("tty", 't', Switch("tty")),
    flag("ulimit", Ulimit),
    lettered("user", 'u', Text("user")),
    flag("userns", Text("userns_mode")),
    flag("uts", Text("uts")),
    lettered("volume", 'v', Volume),
    flag("volume-driver", LeftOut),
    flag("volumes-from", LeftOut),
    lettered("workdir", 'w', Text("working_dir")),
];
