use super::*;

fn name(text: &str) -> UnitName {
    UnitName::parse(text).unwrap()
}

fn unit(text: &str, active: &str, sub: &str) -> UnitStatus {
    UnitStatus {
        name: name(text),
        description: String::new(),
        load: LoadState::Loaded,
        active: ActiveState::parse(active),
        sub: sub.to_owned(),
        result: "success".to_owned(),
        exec_status: None,
        kind: "simple".to_owned(),
    }
}

fn running_container() -> Now {
    Now { state: Some(ContainerState::Running), ..Now::default() }
}

fn with_unit(status: UnitStatus, booted: bool) -> Now {
    Now { booted, units: [(status.name.clone(), status)].into(), ..running_container() }
}

fn failed() -> UnitStatus {
    UnitStatus {
        result: "exit-code".to_owned(),
        exec_status: Some(1),
        ..unit("nginx.service", "failed", "failed")
    }
}

/// Shows a verdict as text.
fn judge(condition: &Condition, now: &Now) -> String {
    match condition.judge(now) {
        Verdict::Holds => "holds".to_owned(),
        Verdict::NotYet(why) => format!("not yet: {why}"),
        Verdict::Never(why) => format!("never: {why}"),
    }
}

#[test]
fn a_container_that_ran_counts_as_started() {
    let state = |state| Now { state: Some(state), ..Now::default() };
    assert_eq!(judge(&Condition::Started, &Now::default()), "not yet: not looked at yet");
    assert_eq!(judge(&Condition::Started, &state(ContainerState::Created)), "not yet: not started yet");
    assert_eq!(judge(&Condition::Started, &state(ContainerState::Running)), "holds");
    assert_eq!(judge(&Condition::Started, &state(ContainerState::Exited)), "holds");
    assert_eq!(judge(&Condition::Started, &state(ContainerState::Dead)), "never: it is being removed");
}

#[test]
fn an_exited_container_is_never_healthy_nor_booted() {
    let now = Now { state: Some(ContainerState::Exited), exit_code: Some(255), ..Now::default() };
    for condition in [Condition::Healthy, Condition::Running, Condition::Booted] {
        assert_eq!(judge(&condition, &now), "never: it exited with 255");
    }
    let now = Now { state: Some(ContainerState::Restarting), exit_code: Some(1), ..Now::default() };
    assert_eq!(judge(&Condition::Running, &now), "not yet: it restarts with 1");
}

#[test]
fn health_is_taken_from_the_check() {
    let health = |health| Now { health, ..running_container() };
    assert_eq!(judge(&Condition::Healthy, &health(Some(Health::Healthy))), "holds");
    assert_eq!(
        judge(&Condition::Healthy, &health(Some(Health::Starting))),
        "not yet: its health check has not passed yet"
    );
    assert_eq!(
        judge(&Condition::Healthy, &health(Some(Health::Unhealthy))),
        "never: its health check failed too often"
    );
    assert_eq!(
        judge(&Condition::Healthy, &health(None)),
        "not yet: its health check has not reported (an image without one never will)"
    );
}

#[test]
fn only_an_exit_with_0_is_a_success() {
    let exited = |code| Now { state: Some(ContainerState::Exited), exit_code: code, ..Now::default() };
    assert_eq!(judge(&Condition::CompletedSuccessfully, &exited(Some(0))), "holds");
    assert_eq!(judge(&Condition::CompletedSuccessfully, &exited(Some(3))), "never: it exited with 3");
    assert_eq!(
        judge(&Condition::CompletedSuccessfully, &exited(None)),
        "not yet: it exited, its code is not known yet"
    );
    assert_eq!(judge(&Condition::CompletedSuccessfully, &running_container()), "not yet: it is running");
}

#[test]
fn a_machine_is_running_when_systemd_says_so() {
    let system =
        |word: &str, booted| Now { system: Some(SystemState::parse(word)), booted, ..running_container() };
    assert_eq!(judge(&Condition::Running, &running_container()), "not yet: booting");
    assert_eq!(judge(&Condition::Running, &system("starting", false)), "not yet: systemd is starting");
    assert_eq!(judge(&Condition::Running, &system("running", true)), "holds");
    assert_eq!(
        judge(&Condition::Running, &Now { booted: true, ..running_container() }),
        "not yet: the boot is done, systemd was not asked yet"
    );
    assert_eq!(
        judge(&Condition::Running, &system("maintenance", true)),
        "never: systemd is in rescue or emergency mode"
    );
}

#[test]
fn a_degraded_machine_names_its_failed_units() {
    let now = Now {
        system: Some(SystemState::Degraded),
        booted: true,
        failed: vec![
            failed(),
            UnitStatus {
                exec_status: None,
                result: "timeout".to_owned(),
                ..unit("a.mount", "failed", "failed")
            },
        ],
        ..running_container()
    };
    assert_eq!(
        judge(&Condition::Running, &now),
        "never: the boot is done, and nginx.service failed (exit-code, status 1), a.mount failed (timeout)"
    );
    assert_eq!(judge(&Condition::Booted, &now), "holds");
}

#[test]
fn emergency_mode_is_no_boot_even_where_failed_units_are_accepted() {
    let now = Now { system: Some(SystemState::Maintenance), booted: true, ..running_container() };
    assert_eq!(judge(&Condition::Booted, &now), "never: systemd is in rescue or emergency mode");
    assert_eq!(judge(&Condition::Booted, &Now { booted: true, ..running_container() }), "holds");
}

#[test]
fn a_unit_is_judged_by_systemds_words() {
    let nginx = Condition::UnitsActive(vec![name("nginx.service")]);
    let one = |active: &str, sub: &str, booted| {
        judge(&nginx, &with_unit(unit("nginx.service", active, sub), booted))
    };
    assert_eq!(judge(&nginx, &running_container()), "not yet: nginx.service was not asked for yet");
    assert_eq!(one("active", "running", false), "holds");
    assert_eq!(one("reloading", "reload", true), "holds");
    assert_eq!(
        one("activating", "auto-restart", true),
        "not yet: nginx.service is activating (auto-restart)"
    );
    assert_eq!(one("inactive", "dead", false), "not yet: nginx.service is inactive (dead)");
    assert_eq!(
        one("inactive", "dead", true),
        "not yet: nginx.service is inactive though the boot is done (is it enabled?)"
    );
    assert_eq!(
        judge(&nginx, &with_unit(failed(), false)),
        "never: nginx.service failed (exit-code, status 1)"
    );
}

#[test]
fn a_unit_that_cannot_be_loaded_will_never_be_active() {
    let nginx = Condition::UnitsActive(vec![name("nginx.service")]);
    let load = |word: &str, booted| {
        let status = UnitStatus { load: LoadState::parse(word), ..unit("nginx.service", "inactive", "dead") };
        judge(&nginx, &with_unit(status, booted))
    };
    assert_eq!(load("not-found", false), "not yet: nginx.service does not exist yet");
    assert_eq!(load("not-found", true), "never: nginx.service does not exist in the machine");
    assert_eq!(load("masked", false), "never: nginx.service is masked");
    assert_eq!(load("bad-setting", false), "never: nginx.service has a setting that systemd refuses");
}

#[test]
fn a_oneshot_that_did_its_work_counts_as_active() {
    let setup = Condition::UnitsActive(vec![name("setup.service")]);
    let oneshot = |exec_status| UnitStatus {
        kind: "oneshot".to_owned(),
        exec_status,
        ..unit("setup.service", "inactive", "dead")
    };
    assert_eq!(judge(&setup, &with_unit(oneshot(Some(0)), true)), "holds");
    assert_eq!(
        judge(&setup, &with_unit(oneshot(None), true)),
        "not yet: setup.service is inactive though the boot is done (is it enabled?)"
    );
}

#[test]
fn the_first_unit_that_never_will_be_active_decides() {
    let both = Condition::UnitsActive(vec![name("a.service"), name("nginx.service")]);
    let mut now = with_unit(failed(), false);
    assert_eq!(judge(&both, &now), "never: nginx.service failed (exit-code, status 1)");
    now.units.insert(name("nginx.service"), unit("nginx.service", "activating", "start"));
    now.units.insert(name("a.service"), unit("a.service", "inactive", "dead"));
    assert_eq!(
        judge(&both, &now),
        "not yet: a.service is inactive (dead), nginx.service is activating (start)"
    );
}

#[test]
fn units_that_a_machine_was_to_start_and_cannot_load_are_named_together() {
    let asked = |text: &str, load: &str| {
        (
            name(text),
            UnitStatus { load: LoadState::parse(load), ..unit("own-name.service", "inactive", "dead") },
        )
    };
    let found =
        [asked("a.service", "not-found"), asked("b.service", "loaded"), asked("c.timer", "bad-setting")];
    assert_eq!(
        not_loaded(&found).unwrap(),
        "the boot is done, but a.service does not exist in the machine, c.timer has a setting that systemd refuses"
    );
    assert_eq!(not_loaded(&found[1..2]), None);
}
