//! What an engine takes and its host's kernel leaves out: said before it is tried.

use crate::facts::{CgroupVersion, Facts};
use crate::project::Service;

/// Returns what the kernel leaves out of a service, a sentence each.
#[must_use]
pub fn of_service(service: &Service, facts: &Facts) -> Vec<String> {
    let limits = &service.limits;
    let v1_only = [
        ("mem_swappiness", limits.swappiness.is_some()),
        ("oom_kill_disable", limits.oom_kill_disable),
        ("cpu_rt_period", limits.cpu.rt_period.is_some()),
        ("cpu_rt_runtime", limits.cpu.rt_runtime.is_some()),
    ];
    let mut remarks: Vec<String> = Vec::new();
    if facts.cgroup == CgroupVersion::V2 {
        let lost = v1_only.iter().filter(|(_, set)| *set);
        remarks.extend(lost.map(|(key, _)| format!("`{key}` does nothing on cgroup v2, which the host has")));
    }
    if !facts.memory_limit && limits.memory_swap.is_some() {
        remarks.push("`memswap_limit` does nothing: the host's kernel counts no memory".to_owned());
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::sketch;

    #[test]
    fn what_a_newer_kernel_leaves_out_is_remarked() {
        let mut service = Service::plain("web", "x");
        service.limits.swappiness = Some(10);
        service.limits.cpu.rt_runtime = Some(950_000);
        assert_eq!(
            of_service(&service, &sketch::facts()),
            [
                "`mem_swappiness` does nothing on cgroup v2, which the host has",
                "`cpu_rt_runtime` does nothing on cgroup v2, which the host has"
            ]
        );
        let v1 = Facts { cgroup: CgroupVersion::V1, ..sketch::facts() };
        assert_eq!(of_service(&service, &v1), [""; 0]);
    }
}
