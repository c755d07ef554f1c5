use super::*;
use crate::container::sketch;
use crate::project::{Link, Provider, Service};

/// Docker 20.10.
fn old() -> Facts {
    Facts { version: "20.10.24".to_owned(), api: ApiVersion { major: 1, minor: 41 }, ..sketch::facts() }
}

fn said(facts: &Facts, change: impl FnOnce(&mut Service)) -> String {
    let mut service = Service::plain("web", "x");
    change(&mut service);
    match refuse(&service, facts) {
        Ok(()) => String::new(),
        Err(refusal) => format!("{}; {}", refusal.what, refusal.help.join("; ")),
    }
}

#[test]
fn nothing_is_refused_of_a_service_that_says_nothing() {
    assert_eq!(said(&old(), |_| {}), "");
}

#[test]
fn annotations_need_an_engine_that_has_them() {
    let with = |service: &mut Service| {
        service.annotations.insert("a".to_owned(), "b".to_owned());
    };
    assert_eq!(said(&sketch::facts(), with), "");
    assert_eq!(
        said(&old(), with),
        "Docker 20.10.24 cannot give a container `annotations`; they need API 1.43 (Docker 24); this engine speaks 1.41; use `labels` where no OCI runtime reads them"
    );
}

#[test]
fn what_belongs_to_other_systems_is_refused() {
    let provider = Provider { kind: "cloud".to_owned(), options: std::collections::BTreeMap::new() };
    assert!(
        said(&old(), |it| it.foreign.provider = Some(provider)).starts_with("`provider: cloud` stands for")
    );
    assert!(
        said(&old(), |it| {
            it.foreign.models.insert("llm".to_owned(), crate::project::ModelVariables::default());
        })
        .starts_with("the language model `llm` needs")
    );
    assert!(said(&old(), |it| it.foreign.isolation = Some("hyperv".to_owned())).contains("is for Windows"));
    assert_eq!(said(&old(), |it| it.foreign.isolation = Some("default".to_owned())), "");
}

#[test]
fn a_cdi_device_needs_an_engine_that_knows_them() {
    let with = |service: &mut Service| {
        service.devices = vec![crate::project::device::parse("vendor.com/gpu=all").unwrap()];
    };
    assert!(
        said(&old(), with).starts_with("Docker 20.10.24 does not know the CDI device vendor.com/gpu=all")
    );
    assert_eq!(said(&sketch::facts(), with), "");
    let mut service = Service::plain("web", "x");
    with(&mut service);
    let [request] = requests(&service).try_into().unwrap();
    assert_eq!((request.driver.as_deref(), request.count), (Some("cdi"), None));
    assert_eq!(request.ids, ["vendor.com/gpu=all"]);
}

#[test]
fn security_options_that_no_engine_would_take_are_refused() {
    let with = |option: &'static str| said(&old(), |it| it.security_opt = vec![option.to_owned()]);
    assert_eq!(with("no-new-privileges"), "");
    assert_eq!(with("label:disable"), "");
    assert_eq!(with("seccomp={}"), "");
    assert!(with("foo").starts_with("`security_opt: foo` is no option"));
    assert!(with("seccomp=missing.json").starts_with("the seccomp profile missing.json cannot be read"));
}

#[test]
fn a_container_without_a_network_of_its_own_has_no_links_and_no_address() {
    let share = |it: &mut Service| it.network = NetworkChoice::Service("db".to_owned());
    assert!(
        said(&old(), |it| {
            share(it);
            it.links.services = vec![Link::parse("db")];
        })
        .starts_with("`links` needs a network of its own, and `network_mode: service:db` gives it none")
    );
    assert!(
        said(&old(), |it| {
            share(it);
            it.mac_address = Some("02:42:ac:11:65:43".to_owned());
        })
        .contains("no MAC address of its own")
    );
    assert!(said(&old(), |it| it.mac_address = Some("zz".to_owned())).contains("is no MAC address"));
    assert_eq!(said(&old(), |it| it.mac_address = Some("02:42:ac:11:65:43".to_owned())), "");
}

#[test]
fn the_hosts_name_space_leaves_no_name_of_its_own() {
    assert!(
        said(&old(), |it| {
            it.namespaces.uts = Some("host".to_owned());
            it.hostname = Some("a".to_owned());
        })
        .starts_with("with `uts: host`")
    );
}

#[test]
fn what_a_newer_kernel_leaves_out_is_remarked() {
    let mut service = Service::plain("web", "x");
    service.limits.swappiness = Some(10);
    service.limits.cpu.rt_runtime = Some(950_000);
    assert_eq!(
        remarks(&service, &sketch::facts()),
        [
            "`mem_swappiness` does nothing on cgroup v2, which the host has",
            "`cpu_rt_runtime` does nothing on cgroup v2, which the host has"
        ]
    );
    let v1 = Facts { cgroup: CgroupVersion::V1, ..sketch::facts() };
    assert_eq!(remarks(&service, &v1), [""; 0]);
}
