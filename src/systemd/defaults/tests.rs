//! The boot matrix as text: engine × cgroup × driver × users × systemd × wish → profile or refusal.

use super::*;
use crate::facts::{ApiVersion, CgroupDriver, CgroupVersion, Locality, Rootless};

/// Docker 20.10 on cgroup v2 with the cgroupfs driver, changed by the words that follow.
fn facts(words: &str) -> Facts {
    let mut facts = Facts {
        engine: EngineKind::Docker,
        version: "20.10.24+dfsg1".to_owned(),
        api: ApiVersion { major: 1, minor: 41 },
        cgroup: CgroupVersion::V2,
        driver: CgroupDriver::Cgroupfs,
        rootless: None,
        userns_remap: false,
        apparmor: false,
        selinux: false,
        locality: Locality::Local,
        notify_root: Some("/state/notify".to_owned()),
        socket: None,
        memory_limit: true,
        cpu_limit: true,
        pids_limit: true,
    };
    for word in words.split_whitespace() {
        match word {
            "docker20" | "v2" | "cgroupfs" => {}
            "docker24" => (facts.version, facts.api.minor) = ("24.0.9".to_owned(), 43),
            "docker27" => (facts.version, facts.api.minor) = ("27.5.1".to_owned(), 47),
            "docker28" => (facts.version, facts.api.minor) = ("28.5.2".to_owned(), 51),
            "podman4" => {
                facts.engine = EngineKind::Podman;
                facts.version = "4.3.1".to_owned();
            }
            "podman6" => {
                facts.engine = EngineKind::Podman;
                facts.version = "6.0.0".to_owned();
            }
            "v1" => facts.cgroup = CgroupVersion::V1,
            "hybrid" => facts.cgroup = CgroupVersion::Hybrid,
            "v1?" => facts.cgroup = CgroupVersion::V1Unknown,
            "sd" => facts.driver = CgroupDriver::Systemd,
            "rootless" => facts.rootless = Some(Rootless { uid: Some(1000) }),
            "rootless?" => facts.rootless = Some(Rootless { uid: None }),
            "remap" => facts.userns_remap = true,
            "apparmor" => facts.apparmor = true,
            "selinux" => facts.selinux = true,
            "remote" => {
                facts.locality = Locality::Remote;
                facts.notify_root = None;
            }
            other => panic!("unknown word {other}"),
        }
    }
    facts
}

fn wish() -> Wish {
    Wish {
        service: "web".to_owned(),
        container: "shop-web-1".to_owned(),
        privilege: Privilege::Auto,
        features: BTreeSet::new(),
        init: None,
        cap_add: Vec::new(),
        security_opt: Vec::new(),
        privileged: false,
        host_users: false,
        runtime: None,
        limited: false,
        mask_defaults: true,
        own_units: BTreeSet::new(),
        volatile_journal: true,
        own_targets: BTreeSet::new(),
    }
}

fn image(version: u16) -> ImageFacts {
    ImageFacts {
        id: "sha256:0".to_owned(),
        systemd: Some(ImageSystemd { init: "/usr/lib/systemd/systemd".to_owned(), version: Some(version) }),
    }
}

/// Says how a machine would boot, in one line.
fn verdict(words: &str, version: u16, wish: &Wish) -> String {
    match decide(&facts(words), Some(&image(version)), wish) {
        Ok(Decision { profile, grant, relief, .. }) => {
            let mut parts = vec![profile.as_str().to_owned(), grant.cgroupns.as_str().to_owned()];
            parts.extend(grant.cgroup_parent);
            parts.extend(grant.cap_add.iter().map(|name| format!("+{name}")));
            parts.extend(grant.security_opt);
            parts.extend(grant.devices);
            parts.extend(relief.then(|| "relief".to_owned()));
            parts.join(" ")
        }
        Err(refusal) => format!("refused: {refusal}"),
    }
}

#[track_caller]
fn matrix(wish: &Wish, rows: &[(&str, u16, &str)]) {
    let shown: Vec<String> =
        rows.iter().map(|(w, v, _)| format!("{w} {v}: {}", verdict(w, *v, wish))).collect();
    let wanted: Vec<String> = rows.iter().map(|(w, v, want)| format!("{w} {v}: {want}")).collect();
    assert_eq!(shown, wanted);
}

fn with(change: impl FnOnce(&mut Wish)) -> Wish {
    let mut wish = wish();
    change(&mut wish);
    wish
}

const TOO_NEW: &str = "refused: the image has systemd 262, which cannot run on cgroup v1 (258 and newer cannot), \
                       and this host has no unified hierarchy that can be used";
const ROOTLESS_V1: &str = "refused: a rootless engine on cgroup v1 cannot give cgroups to a machine";

#[test]
fn the_least_privilege_that_boots_is_chosen_for_each_engine() {
    matrix(
        &wish(),
        &[
            ("docker20 v1", 247, "own-subtree-v1 host /sdc/shop_web_1"),
            ("docker20 v1", 257, "own-subtree-v1 host /sdc/shop_web_1 relief"),
            ("docker20 v1", 262, TOO_NEW),
            ("docker20 hybrid", 252, "own-subtree-v1 host /sdc/shop_web_1"),
            ("docker20 hybrid", 262, "unified-on-hybrid host /sdc/shop_web_1 relief"),
            ("docker28 hybrid", 262, "unified-on-hybrid host /sdc/shop_web_1 relief"),
            ("docker28 v1", 254, "own-subtree-v1 host /sdc/shop_web_1"),
            ("docker20 v1? remote", 257, "own-subtree-v1 host /sdc/shop_web_1 relief"),
            ("docker20 v1? remote", 262, "unified-on-hybrid host /sdc/shop_web_1 relief"),
            ("docker20", 247, "own-subtree host /sdc/shop_web_1"),
            ("docker20", 262, "own-subtree host /sdc/shop_web_1 relief"),
            ("docker27 sd", 257, "own-subtree host sdc-shop_web_1.slice relief"),
            ("docker28", 254, "writable-cgroups private writable-cgroups=true"),
            ("docker28 sd apparmor", 257, "writable-cgroups private writable-cgroups=true relief"),
            ("docker28 remap sd", 257, "remapped private relief"),
            ("docker28 rootless sd", 257, "own-subtree host sdc-shop_web_1.slice relief"),
            ("docker28 rootless? sd", 257, "remount private +SYS_ADMIN relief"),
            ("docker28 rootless v1", 252, ROOTLESS_V1),
            ("podman4 rootless hybrid", 252, ROOTLESS_V1),
            ("podman4", 252, "podman private"),
            ("podman4 rootless sd", 262, "podman private relief"),
            ("podman6", 262, "podman private relief"),
            ("podman4 v1", 252, "podman host"),
            ("podman4 hybrid", 262, TOO_NEW),
        ],
    );
}

#[test]
fn an_engine_without_a_safe_way_is_refused_with_its_name() {
    matrix(
        &wish(),
        &[
            (
                "docker28 rootless",
                257,
                "refused: no safe way is known to boot systemd on Docker 28.5.2 rootless with cgroup v2, the cgroupfs driver",
            ),
            (
                "docker28 remap",
                257,
                "refused: this daemon remaps users with the cgroupfs driver; a remapped systemd cannot own its cgroup",
            ),
            (
                "docker28 remap v1",
                257,
                "refused: no safe way is known to boot systemd on Docker 28.5.2 with cgroup v1, the cgroupfs driver \
             and userns-remap",
            ),
            (
                "podman6 v1",
                252,
                "refused: no safe way is known to boot systemd on Podman 6.0.0 with cgroup v1, the cgroupfs driver",
            ),
        ],
    );
    matrix(
        &with(|wish| wish.host_users = true),
        &[
            ("docker28 remap", 257, "remapped private relief"),
            ("docker28 remap v1", 252, "own-subtree-v1 host /sdc/shop_web_1"),
        ],
    );
}

#[test]
fn sandboxing_takes_sys_admin_only_into_a_private_namespace() {
    let sandboxing = with(|wish| wish.features = BTreeSet::from([Feature::Sandboxing]));
    let on_v1 = "refused: `systemd.features: [sandboxing]` needs CAP_SYS_ADMIN, which on a cgroup v1 host gives \
                 the container control of every cgroup of the host";
    matrix(
        &sandboxing,
        &[
            ("docker28", 257, "writable-cgroups private +SYS_ADMIN writable-cgroups=true"),
            (
                "docker28 apparmor",
                257,
                "writable-cgroups private +SYS_ADMIN writable-cgroups=true apparmor=unconfined",
            ),
            ("docker20 apparmor", 257, "remount private +SYS_ADMIN apparmor=unconfined"),
            ("podman4 apparmor", 257, "podman private +SYS_ADMIN apparmor=unconfined"),
            ("podman4 apparmor rootless", 257, "podman private +SYS_ADMIN"),
            ("podman4 selinux", 257, "podman private +SYS_ADMIN label=disable"),
            ("docker28 remap sd apparmor", 257, "remapped private +SYS_ADMIN apparmor=unconfined"),
            ("docker28 rootless sd", 257, "remount private +SYS_ADMIN"),
            ("docker20 v1", 252, on_v1),
            ("docker20 hybrid", 262, on_v1),
            ("podman4 v1", 252, on_v1),
        ],
    );
}

#[test]
fn each_feature_adds_just_what_it_needs() {
    let feature = |feature| with(|wish: &mut Wish| wish.features = BTreeSet::from([feature]));
    matrix(&feature(Feature::Time), &[("docker20 v1", 252, "own-subtree-v1 host /sdc/shop_web_1 +SYS_TIME")]);
    matrix(&feature(Feature::Fuse), &[("podman4", 257, "podman private +SYS_ADMIN /dev/fuse")]);
    matrix(&feature(Feature::Nfs), &[("podman4", 257, "podman private +SYS_ADMIN")]);
}

#[test]
fn the_users_own_sys_admin_is_paired_or_refused() {
    let own = with(|wish| wish.cap_add = vec!["SYS_ADMIN".to_owned()]);
    matrix(
        &own,
        &[
            ("docker28 apparmor", 257, "writable-cgroups private writable-cgroups=true apparmor=unconfined"),
            ("docker20", 252, "remount private +SYS_ADMIN"),
            (
                "docker20 v1",
                252,
                "refused: `cap_add: [SYS_ADMIN]` needs CAP_SYS_ADMIN, which on a cgroup v1 host gives the container \
             control of every cgroup of the host",
            ),
        ],
    );
    let fixed = with(|wish| {
        wish.cap_add = vec!["SYS_ADMIN".to_owned()];
        wish.privilege = Privilege::Fixed(ProfileName::OwnSubtree);
    });
    matrix(
        &fixed,
        &[(
            "docker20",
            252,
            "refused: `cap_add: [SYS_ADMIN]` needs CAP_SYS_ADMIN, which with the profile `own-subtree` (the host's \
         cgroup namespace) lets the machine mount and change every cgroup of the host",
        )],
    );
}

#[test]
fn a_profile_asked_for_by_name_is_taken_or_refused() {
    let fixed = |profile| with(|wish: &mut Wish| wish.privilege = Privilege::Fixed(profile));
    matrix(&fixed(ProfileName::Remount), &[("docker20", 257, "remount private +SYS_ADMIN relief")]);
    matrix(
        &fixed(ProfileName::UnifiedOnHybrid),
        &[("docker20 hybrid", 252, "unified-on-hybrid host /sdc/shop_web_1")],
    );
    matrix(
        &fixed(ProfileName::OwnSubtreeV1),
        &[(
            "docker20 hybrid",
            262,
            "refused: `systemd.privilege: own-subtree-v1` does not work on Docker 20.10.24+dfsg1 with cgroup v1 \
             (hybrid), the cgroupfs driver: systemd 258 and newer knows no cgroup v1",
        )],
    );
    matrix(&fixed(ProfileName::Privileged), &[("docker28", 257, "privileged private")]);
    matrix(
        &fixed(ProfileName::Classic),
        &[
            ("docker20 v1", 252, "classic host +SYS_ADMIN"),
            (
                "docker20",
                252,
                "refused: `systemd.privilege: classic` does not work on Docker 20.10.24+dfsg1 with cgroup v2, the \
             cgroupfs driver: it boots only on rootful Docker 24 or older with cgroup v1",
            ),
        ],
    );
    matrix(
        &fixed(ProfileName::WritableCgroups),
        &[(
            "docker27",
            257,
            "refused: `systemd.privilege: writable-cgroups` does not work on Docker 27.5.1 with cgroup v2, the \
         cgroupfs driver: it needs Docker 28 or newer, rootful, without userns-remap, and cgroup v2",
        )],
    );
}

#[test]
fn the_option_writable_cgroups_is_refused_in_the_hosts_namespace() {
    let own = with(|wish| wish.security_opt = vec!["writable-cgroups=true".to_owned()]);
    matrix(
        &own,
        &[(
            "docker27",
            257,
            "refused: `security_opt: [writable-cgroups=true]` with the profile `own-subtree` (the host's cgroup \
         namespace) makes the host's whole cgroup tree writable",
        )],
    );
}

#[test]
fn binds_show_the_tree_read_only_and_the_own_subtree_writable() {
    let binds = |words: &str, version| {
        let decision = decide(&facts(words), Some(&image(version)), &wish()).unwrap();
        let show = |bind: &grants::CgroupBind| {
            format!("{}:{}:{}", bind.source, bind.target, if bind.read_only { "ro" } else { "rw" })
        };
        decision.grant.binds.iter().map(show).collect::<Vec<_>>()
    };
    assert_eq!(
        binds("docker20 v2", 257),
        [
            "/sys/fs/cgroup:/sys/fs/cgroup:ro",
            "/sys/fs/cgroup/sdc/shop_web_1:/sys/fs/cgroup/sdc/shop_web_1:rw",
        ]
    );
    assert_eq!(binds("docker28 rootless sd", 257)[1], {
        let tail = "user.slice/user-1000.slice/user@1000.service/sdc.slice/sdc-shop_web_1.slice";
        format!("/sys/fs/cgroup/{tail}:/sys/fs/cgroup/{tail}:rw")
    });
    assert_eq!(
        binds("docker20 v1", 252),
        [
            "/sys/fs/cgroup/systemd:/sys/fs/cgroup/systemd:ro",
            "/sys/fs/cgroup/systemd/sdc/shop_web_1:/sys/fs/cgroup/systemd/sdc/shop_web_1:rw",
        ]
    );
    assert_eq!(
        binds("docker20 hybrid", 262),
        [
            "/sys/fs/cgroup/unified:/sys/fs/cgroup:ro",
            "/sys/fs/cgroup/unified/sdc/shop_web_1:/sys/fs/cgroup/sdc/shop_web_1:rw",
        ]
    );
    assert!(binds("docker28", 257).is_empty());
}

#[test]
fn a_shim_stands_before_systemd_only_where_it_is_needed() {
    let entrypoint = |words: &str, version, wish: &Wish| {
        decide(&facts(words), Some(&image(version)), wish).unwrap().entrypoint.join(" ")
    };
    let sandboxing = with(|wish| wish.features = BTreeSet::from([Feature::Sandboxing]));
    let remount = with(|wish| wish.privilege = Privilege::Fixed(ProfileName::Remount));
    let odd = with(|wish| wish.init = Some("/opt/init".to_owned()));
    assert_eq!(entrypoint("docker28", 257, &wish()), "/usr/lib/systemd/systemd");
    assert_eq!(
        entrypoint("docker20", 252, &remount),
        "/bin/sh -c mount -o remount,rw,bind /sys/fs/cgroup && exec setpriv --bounding-set -sys_admin --inh-caps \
         -sys_admin \"$0\" \"$@\" # /systemd /usr/lib/systemd/systemd"
    );
    assert_eq!(
        entrypoint("docker20", 252, &sandboxing),
        "/bin/sh -c mount -o remount,rw,bind /sys/fs/cgroup && mount --make-rshared / && exec \"$0\" \"$@\" # \
         /systemd /usr/lib/systemd/systemd"
    );
    assert_eq!(entrypoint("docker28", 262, &sandboxing), "/usr/lib/systemd/systemd");
    assert_eq!(entrypoint("podman4", 252, &odd), "/bin/sh -c exec \"$0\" \"$@\" # /systemd /opt/init");
    assert_eq!(entrypoint("docker20", 252, &odd), "/opt/init");
}

#[test]
fn an_image_without_systemd_is_refused_with_the_way_to_install_it() {
    let plain = ImageFacts { id: "sha256:0".to_owned(), systemd: None };
    let refusal = decide(&facts("docker20"), Some(&plain), &wish()).unwrap_err();
    assert_eq!(refusal.to_string(), "the image has no systemd");
    assert!(refusal.help[0].contains("apt-get install systemd systemd-sysv dbus"));
    let own = with(|wish| wish.init = Some("/opt/systemd".to_owned()));
    assert_eq!(decide(&facts("docker20"), Some(&plain), &own).unwrap().init, "/opt/systemd");
}

#[test]
fn an_image_that_nobody_looked_into_is_assumed_and_said_so() {
    let decision = decide(&facts("docker20 hybrid"), None, &wish()).unwrap();
    assert_eq!(decision.profile, ProfileName::OwnSubtreeV1);
    assert!(decision.relief);
    assert_eq!(
        decision.remarks,
        ["the image was never looked into: its systemd's path and version are assumed"]
    );
}

#[test]
fn limits_are_advisory_where_the_machine_sees_the_hosts_namespace() {
    let limited = with(|wish| wish.limited = true);
    let advisory = |words: &str| decide(&facts(words), Some(&image(252)), &limited).unwrap().advisory_limits;
    assert!(advisory("docker20"));
    assert!(!advisory("docker28"));
    assert!(!advisory("podman4"));
    assert!(!advisory("docker20 v1"));
}

#[test]
fn no_row_gives_away_the_host() {
    for words in ["docker20", "docker28", "docker20 v1", "docker20 hybrid", "podman4", "podman4 v1"] {
        for version in [247, 252, 254, 257, 262] {
            let Ok(decision) = decide(&facts(words), Some(&image(version)), &wish()) else { continue };
            let grant = &decision.grant;
            assert!(!grant.privileged && grant.cap_add.is_empty(), "{words} {version}");
            let host_tree = |bind: &grants::CgroupBind| !bind.read_only && !bind.source.contains("/sdc");
            assert!(!grant.binds.iter().any(host_tree), "{words} {version}");
        }
    }
}

#[test]
fn the_users_own_mounts_and_units_win_over_the_defaults() {
    let getty = UnitName::parse("console-getty.service").unwrap();
    let own = with(|wish| {
        wish.own_targets = BTreeSet::from(["/tmp".to_owned()]);
        wish.own_units = BTreeSet::from([getty.clone()]);
    });
    let decision = decide(&facts("docker20"), Some(&image(252)), &own).unwrap();
    assert_eq!(decision.tmpfs.keys().collect::<Vec<_>>(), ["/run", "/run/lock"]);
    assert!(!decision.masks.contains(&getty));
}

#[test]
fn a_cgroup_mount_of_old_guides_is_refused_unless_asked_for_by_name() {
    let own = with(|wish| wish.own_targets = BTreeSet::from(["/sys/fs/cgroup".to_owned()]));
    let refused =
        "refused: the manifest mounts `/sys/fs/cgroup`, which takes the place of the machine's own cgroup";
    matrix(&own, &[("docker20", 257, refused), ("docker28", 257, refused)]);
    let privileged = Wish { privileged: true, ..own };
    matrix(&privileged, &[("docker20", 257, "privileged private")]);
}

#[test]
fn every_choice_has_a_reason_and_a_source() {
    let sandboxing = with(|wish| wish.features = BTreeSet::from([Feature::Sandboxing, Feature::Time]));
    for words in ["docker20", "docker28 apparmor", "podman4 selinux remote"] {
        let decision = decide(&facts(words), Some(&image(257)), &sandboxing).unwrap();
        for choice in &decision.choices {
            assert!(!choice.reason.is_empty() && !choice.source.is_empty(), "{choice:?}");
        }
        assert_eq!(decision.choices[0].what, "privilege");
    }
}
