//! How a change of each field of the manifest reaches a container that exists: one table, by the fields of the
//! fingerprint, and what narrows it down for one container.

use crate::container::fingerprint::Difference;
use crate::facts::{EngineKind, Facts};
use crate::project::Service;

/// How a change reaches a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// The engine changes it while the container runs.
    Live,
    /// It is written into the machine, and only the units that it concerns are restarted.
    Inside,
    /// A new container takes the place of the old one.
    Replace,
}

impl Way {
    /// Returns the word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Inside => "inside",
            Self::Replace => "replace",
        }
    }
}

/// What the table says of a field, or of all fields below a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The field; `*` at the end stands for any name.
    pub field: &'static str,
    /// How its change reaches a container.
    pub way: Way,
    /// Why, with its source.
    pub why: &'static str,
}

const fn rule(field: &'static str, way: Way, why: &'static str) -> Rule {
    Rule { field, way, why }
}

const UPDATE: &str = "the engine's update call (moby `container/container_unix.go`, `UpdateContainer`)";
const CREATE: &str = "given to the engine when the container is made, and fixed from then on";
const PROCESS: &str = "the process was started with it";
const NAMESPACE: &str = "a namespace is entered when the container starts";
const ARGUMENTS: &str = "an argument of PID 1, whose arguments are fixed when the container is made";

/// Every field of the fingerprint.
pub const RULES: &[Rule] = &[
    rule("image", Way::Replace, "a container has the image that it was made from"),
    rule("container_name", Way::Replace, "the name says whose the container is"),
    rule("command", Way::Replace, PROCESS),
    rule("entrypoint", Way::Replace, PROCESS),
    rule("hostname", Way::Replace, CREATE),
    rule("domainname", Way::Replace, CREATE),
    rule(
        "environment.*",
        Way::Inside,
        "units take it from `DefaultEnvironment=` (systemd-system.conf(5)), which a reload reads anew; a plain \
         container's process was started with it",
    ),
    rule("ports", Way::Replace, CREATE),
    rule("expose", Way::Replace, CREATE),
    rule("volumes.*", Way::Replace, CREATE),
    rule("secrets.*", Way::Inside, "a file of the machine, and what systemd-tmpfiles copies (tmpfiles.d(5))"),
    rule("configs.*", Way::Inside, "a file of the machine, and what systemd-tmpfiles copies (tmpfiles.d(5))"),
    rule("networks.*", Way::Live, "the engine's connect and disconnect calls"),
    rule("network_mode", Way::Replace, NAMESPACE),
    rule("healthcheck", Way::Replace, CREATE),
    rule("restart", Way::Live, UPDATE),
    rule("labels.*", Way::Replace, "labels are fixed when the container is made"),
    rule("cap_add", Way::Replace, CREATE),
    rule("cap_drop", Way::Replace, CREATE),
    rule("devices", Way::Replace, CREATE),
    rule("sysctls.*", Way::Replace, CREATE),
    rule("ulimits.*", Way::Replace, CREATE),
    rule("mem_limit", Way::Live, UPDATE),
    rule("mem_reservation", Way::Live, UPDATE),
    rule("memswap_limit", Way::Live, UPDATE),
    rule("mem_swappiness", Way::Replace, CREATE),
    rule("oom_kill_disable", Way::Replace, CREATE),
    rule("oom_score_adj", Way::Replace, CREATE),
    rule("cpus", Way::Live, UPDATE),
    rule("cpu_period", Way::Live, UPDATE),
    rule("cpu_quota", Way::Live, UPDATE),
    rule("cpu_rt_period", Way::Live, UPDATE),
    rule("cpu_rt_runtime", Way::Live, UPDATE),
    rule("cpu_shares", Way::Live, UPDATE),
    rule("cpuset", Way::Live, UPDATE),
    rule("pids_limit", Way::Live, UPDATE),
    rule("blkio_config", Way::Replace, "the update call knows the weight of all devices only"),
    rule("cgroup_parent", Way::Replace, CREATE),
    rule("gpus", Way::Replace, CREATE),
    rule("deploy.resources.reservations.devices", Way::Replace, CREATE),
    rule("device_cgroup_rules", Way::Replace, CREATE),
    rule("cgroup", Way::Replace, NAMESPACE),
    rule("ipc", Way::Replace, NAMESPACE),
    rule("pid", Way::Replace, NAMESPACE),
    rule("uts", Way::Replace, NAMESPACE),
    rule("links", Way::Replace, CREATE),
    rule("external_links", Way::Replace, CREATE),
    rule("volumes_from", Way::Replace, CREATE),
    rule("logging", Way::Replace, CREATE),
    rule("annotations", Way::Replace, CREATE),
    rule("group_add", Way::Replace, PROCESS),
    rule("storage_opt", Way::Replace, CREATE),
    rule("platform", Way::Replace, "a container has the image that it was made from"),
    rule("mac_address", Way::Replace, CREATE),
    rule("use_api_socket", Way::Replace, CREATE),
    rule("security_opt", Way::Replace, CREATE),
    rule("privileged", Way::Replace, CREATE),
    rule("read_only", Way::Replace, CREATE),
    rule("extra_hosts", Way::Replace, CREATE),
    rule("dns", Way::Replace, CREATE),
    rule("dns_search", Way::Replace, CREATE),
    rule("dns_opt", Way::Replace, CREATE),
    rule("user", Way::Replace, PROCESS),
    rule("working_dir", Way::Replace, PROCESS),
    rule("stop_signal", Way::Replace, CREATE),
    rule("shm_size", Way::Replace, CREATE),
    rule("init", Way::Replace, CREATE),
    rule("tty", Way::Replace, CREATE),
    rule("stdin_open", Way::Replace, CREATE),
    rule("runtime", Way::Replace, CREATE),
    rule("userns_mode", Way::Replace, NAMESPACE),
    rule("systemd", Way::Replace, "a machine and a plain container are made in different ways"),
    rule("systemd.target", Way::Replace, ARGUMENTS),
    rule("systemd.init", Way::Replace, PROCESS),
    rule("systemd.args", Way::Replace, ARGUMENTS),
    rule("systemd.log_level", Way::Replace, ARGUMENTS),
    rule("systemd.log_target", Way::Replace, ARGUMENTS),
    rule("systemd.privilege", Way::Replace, CREATE),
    rule("systemd.features", Way::Replace, CREATE),
    rule("systemd.enable.*", Way::Inside, "a link in the target's `.wants` directory (systemd.unit(5))"),
    rule("systemd.mask.*", Way::Inside, "a link to /dev/null in /etc/systemd/system (systemd.unit(5))"),
    rule("systemd.mask.defaults-off", Way::Replace, ARGUMENTS),
    rule("systemd.units.*", Way::Inside, "a file below /etc/systemd/system"),
    rule("systemd.environment_to_units", Way::Inside, "a file below /etc/systemd/system.conf.d"),
    rule("systemd.credentials.*", Way::Inside, "a file in the directory that PID 1 takes credentials from"),
    rule("systemd.journal.*", Way::Inside, "a file below /etc/systemd/journald.conf.d"),
    rule("systemd.identity", Way::Replace, "the machine-id is written at the first boot"),
];

/// Returns what the table says of a field: the entry with its whole name, else the one that stands for it.
/// `None` is a field that nobody has put into the table; it is replaced.
#[must_use]
pub fn rule_of(field: &str) -> Option<&'static Rule> {
    let whole = RULES.iter().find(|rule| rule.field == field);
    let below = |rule: &&Rule| {
        rule.field
            .strip_suffix('*')
            .is_some_and(|prefix| field.len() > prefix.len() && field.starts_with(prefix))
    };
    whole.or_else(|| RULES.iter().find(below))
}

/// Says how one difference reaches a container of a service.
#[must_use]
pub fn of(difference: &Difference, service: &Service, facts: &Facts) -> Way {
    let way = rule_of(&difference.field).map_or(Way::Replace, |rule| rule.way);
    match way {
        Way::Live if is_live(difference, facts) => Way::Live,
        Way::Inside if is_inside(difference, service) => Way::Inside,
        Way::Live | Way::Inside | Way::Replace => Way::Replace,
    }
}

/// The update call leaves alone what it is not told (moby, `UpdateContainer`), so that it cannot take a limit
/// away; and Podman before 5 has no such call (measured on 4.3).
fn is_live(difference: &Difference, facts: &Facts) -> bool {
    if difference.field.starts_with("networks.") {
        return true;
    }
    let updates = match facts.engine {
        EngineKind::Docker => true,
        EngineKind::Podman => facts.major().is_some_and(|major| major >= 5),
    };
    updates && (!difference.gone || difference.field == "restart")
}

fn is_inside(difference: &Difference, service: &Service) -> bool {
    let Some(machine) = &service.machine else { return false };
    !difference.field.starts_with("environment.") || machine.environment_to_units
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::sketch::facts;

    fn difference(field: &str) -> Difference {
        Difference { field: field.to_owned(), old: None, new: None, gone: false, fresh: false }
    }

    #[test]
    fn a_field_has_one_rule() {
        for rule in RULES {
            let same = RULES.iter().filter(|other| other.field == rule.field).count();
            assert_eq!(same, 1, "{}", rule.field);
        }
        assert_eq!(rule_of("systemd.mask.defaults-off").map(|rule| rule.way), Some(Way::Replace));
        assert_eq!(rule_of("systemd.mask.a.timer").map(|rule| rule.way), Some(Way::Inside));
        assert_eq!(rule_of("networks."), None);
    }

    #[test]
    fn a_limit_that_is_taken_away_needs_a_new_container() {
        let web = Service::plain("web", "x");
        let limit = difference("mem_limit");
        assert_eq!(of(&limit, &web, &facts()), Way::Live);
        assert_eq!(of(&Difference { gone: true, ..limit }, &web, &facts()), Way::Replace);
        assert_eq!(of(&Difference { gone: true, ..difference("restart") }, &web, &facts()), Way::Live);
    }

    #[test]
    fn a_variable_reaches_units_without_a_new_machine() {
        let variable = difference("environment.A");
        assert_eq!(of(&variable, &Service::machine("web", "x"), &facts()), Way::Inside);
        assert_eq!(of(&variable, &Service::plain("web", "x"), &facts()), Way::Replace);
    }
}
