//! Every field of a service, changed one at a time: the plan is not empty, says no other field, takes the way that
//! the table declares, and nothing is left to do after it. The compiler keeps the list complete.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::container::fingerprint;
use crate::container::sketch::unit;
use crate::plan::way::{self, Way};
use crate::plan::{Action, Reason};
use crate::project::machine::Credential;
use crate::project::*;

/// A change of the service, and the field of the fingerprint that it shows in; none where no container changes.
type Change = (&'static str, fn(&mut Service));

fn machine(service: &mut Service) -> &mut Machine {
    service.machine.as_mut().unwrap()
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn pair<T: FromIterator<(String, String)>>(name: &str, value: &str) -> T {
    [(name.to_owned(), value.to_owned())].into_iter().collect()
}

/// What the tests begin with: what can be taken away is there.
fn base() -> Project {
    let mut project = project("web cred=key:a file=a.service:x env=A=1 mem=5 net=front,default\nother plain");
    let service = &mut project.services["web"];
    machine(service).mask_defaults = true;
    machine(service).enable.push(unit("early.service"));
    machine(service).mask.push(unit("never.timer"));
    project
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn of_containers() -> Vec<Change> {
    vec![
        ("container_name", |s| s.container_name = Some("fixed".into())),
        ("hostname", |s| s.hostname = Some("h".into())),
        ("domainname", |s| s.domainname = Some("d".into())),
        ("environment.A", |s| s.environment = pair("A", "2")),
        ("environment.B", |s| drop(s.environment.insert("B".into(), "1".into()))),
        ("environment.A", |s| s.environment.clear()),
        ("ports", |s| s.ports.push(Port::any(80, Protocol::Tcp))),
        ("expose", |s| s.expose.push("80".into())),
        ("volumes./m", |s| {
            let source = MountSource::Tmpfs { size: None, mode: None, options: None };
            s.mounts.push(Mount { target: "/m".into(), source, read_only: false, consistency: None });
        }),
        ("networks.front", |s| {
            s.network = NetworkChoice::Join([("default".into(), Attachment::default())].into());
        }),
        ("networks.front", |s| {
            let aliases = vec!["x".to_owned()];
            let joins = [
                ("front", Attachment { aliases, ..Attachment::default() }),
                ("default", Attachment::default()),
            ];
            s.network = NetworkChoice::Join(joins.map(|(key, how)| (key.to_owned(), how)).into());
        }),
        ("network_mode", |s| s.network = NetworkChoice::Mode("none".into())),
        ("healthcheck", |s| {
            let test = HealthTest::Shell("x".into());
            let none = None::<Duration>;
            s.healthcheck = Some(Healthcheck {
                test,
                interval: none,
                timeout: none,
                retries: None,
                start_period: none,
                start_interval: none,
            });
        }),
        ("restart", |s| s.restart = RestartPolicy::UnlessStopped),
        ("labels.a", |s| s.labels = pair("a", "b")),
        ("cap_add", |s| s.cap_add = texts(&["CHOWN"])),
        ("cap_drop", |s| s.cap_drop = texts(&["CHOWN"])),
        ("devices", |s| {
            let (source, target) = ("/dev/a".to_owned(), "/dev/b".to_owned());
            s.devices = vec![Device { source, target, permissions: "r".into() }];
        }),
        ("sysctls.a", |s| s.sysctls = pair("a", "1")),
        ("ulimits.nofile", |s| s.ulimits = [("nofile".to_owned(), Ulimit { soft: 1, hard: 2 })].into()),
        ("mem_limit", |s| s.limits.memory = Some(6)),
        ("mem_limit", |s| s.limits.memory = None),
        ("mem_reservation", |s| s.limits.memory_reservation = Some(1)),
        ("memswap_limit", |s| s.limits.memory_swap = Some(7)),
        ("mem_swappiness", |s| s.limits.swappiness = Some(1)),
        ("oom_kill_disable", |s| s.limits.oom_kill_disable = true),
        ("oom_score_adj", |s| s.limits.oom_score_adj = Some(1)),
        ("cpus", |s| s.limits.nano_cpus = Some(1)),
        ("cpu_period", |s| s.limits.cpu.period = Some(1)),
        ("cpu_quota", |s| s.limits.cpu.quota = Some(1)),
        ("cpu_rt_period", |s| s.limits.cpu.rt_period = Some(1)),
        ("cpu_rt_runtime", |s| s.limits.cpu.rt_runtime = Some(1)),
        ("cpu_shares", |s| s.limits.cpu.shares = Some(1)),
        ("cpuset", |s| s.limits.cpu.set = Some("0".into())),
        ("pids_limit", |s| s.limits.pids = Some(1)),
        ("blkio_config", |s| s.limits.blkio = Some(Blkio { weight: Some(10), ..Blkio::default() })),
        ("cgroup_parent", |s| s.limits.parent = Some("/x".into())),
        ("gpus", |s| s.hardware.gpus.push(DeviceRequest::default())),
        ("deploy.resources.reservations.devices", |s| s.hardware.reserved.push(DeviceRequest::default())),
        ("device_cgroup_rules", |s| s.hardware.cgroup_rules = texts(&["c 1:3 rwm"])),
        ("cgroup", |s| s.namespaces.cgroup = Some(CgroupNs::Host)),
        ("ipc", |s| s.namespaces.ipc = Some(Sharing::Mode("host".into()))),
        ("pid", |s| s.namespaces.pid = Some(Sharing::Mode("host".into()))),
        ("uts", |s| s.namespaces.uts = Some("host".into())),
        ("links", |s| s.links.services.push(Link::parse("other"))),
        ("external_links", |s| s.links.external.push(Link::parse("strange"))),
        ("volumes_from", |s| {
            s.links
                .volumes_from
                .push(VolumesFrom { source: VolumesSource::Service("other".into()), mode: None });
        }),
        ("logging", |s| s.logging = Some(Logging { driver: Some("none".into()), ..Logging::default() })),
        ("annotations", |s| s.annotations = pair("a", "b")),
        ("group_add", |s| s.group_add = texts(&["g"])),
        ("storage_opt", |s| s.storage_opt = pair("size", "1g")),
        ("platform", |s| s.platform = Some("linux/arm64".into())),
        ("mac_address", |s| s.mac_address = Some("02:00:00:00:00:01".into())),
        ("use_api_socket", |s| s.use_api_socket = true),
        ("security_opt", |s| s.security_opt = texts(&["no-new-privileges"])),
        ("privileged", |s| s.privileged = true),
        ("extra_hosts", |s| s.extra_hosts = vec![("a".into(), "1.2.3.4".into())]),
        ("dns", |s| s.dns = vec![[1, 1, 1, 1].into()]),
        ("dns_search", |s| s.dns_search = texts(&["a"])),
        ("dns_opt", |s| s.dns_opt = texts(&["a"])),
        ("stop_signal", |s| s.stop_signal = Some("SIGRTMIN+4".into())),
        ("shm_size", |s| s.shm_size = Some(1)),
        ("stdin_open", |s| s.stdin_open = true),
        ("runtime", |s| s.runtime = Some("crun".into())),
        ("userns_mode", |s| s.userns_mode = Some("host".into())),
        ("systemd.target", |s| machine(s).target = unit("graphical.target")),
        ("systemd.init", |s| machine(s).init = Some("/sbin/init".into())),
        ("systemd.args", |s| machine(s).args = texts(&["--x"])),
        ("systemd.log_level", |s| machine(s).log_level = "debug".into()),
        ("systemd.log_target", |s| machine(s).log_target = Some("console".into())),
        ("systemd.privilege", |s| machine(s).privilege = Privilege::Fixed(ProfileName::WritableCgroups)),
        ("systemd.features", |s| machine(s).features = [Feature::Fuse].into()),
        ("systemd.enable.late.service", |s| machine(s).enable.push(unit("late.service"))),
        ("systemd.mask.late.service", |s| machine(s).mask.push(unit("late.service"))),
        ("systemd.mask.defaults-off", |s| machine(s).mask_defaults = false),
        ("systemd.units.a.service", |s| machine(s).units[0].content = Some(b"y".to_vec())),
        ("systemd.units.a.service", |s| machine(s).units[0].drop_in = Some(b"y".to_vec())),
        ("systemd.units.a.service", |s| machine(s).units[0].enable = true),
        ("systemd.units.a.service", |s| machine(s).units[0].mask = true),
        ("systemd.units.a.service", |s| machine(s).units.clear()),
        ("systemd.units.b.socket", |s| {
            let file = UnitFile { content: Some(b"z".to_vec()), enable: true, ..UnitFile::default() };
            machine(s).units.insert(unit("b.socket"), file);
        }),
        ("systemd.environment_to_units", |s| machine(s).environment_to_units = false),
        ("systemd.credentials.key", |s| machine(s).credentials[0].bytes = b"b".to_vec()),
        ("systemd.credentials.more", |s| {
            let credential = Credential { source: FileSource::Content, bytes: b"c".to_vec() };
            machine(s).credentials.insert("more".into(), credential);
        }),
        ("systemd.journal.storage", |s| machine(s).journal.storage = JournalStorage::Auto),
        ("systemd.journal.max", |s| machine(s).journal.max = 1),
        ("systemd.journal.forward", |s| machine(s).journal.forward_console = true),
        ("systemd.identity", |s| machine(s).identity = Identity::Image),
        ("systemd", |s| s.machine = None),
    ]
}

/// Fields that are kept beside the services, at the top of the project.
fn of_files() -> Vec<(&'static str, &'static str)> {
    vec![("secrets.db", "web secret=db:1\nweb secret=db:2"), ("configs.a", "web config=a:1\nweb config=a:2")]
}

/// Fields that only a plain container has.
fn of_plain_containers() -> Vec<Change> {
    vec![
        ("command", |s| s.command = Some(texts(&["x"]))),
        ("entrypoint", |s| s.entrypoint = Some(texts(&["x"]))),
        ("user", |s| s.user = Some("nobody".into())),
        ("working_dir", |s| s.working_dir = Some("/srv".into())),
        ("init", |s| s.init = Some(true)),
        ("tty", |s| s.tty = true),
        ("read_only", |s| s.read_only = true),
        ("environment.A", |s| s.environment = pair("A", "2")),
        ("mem_limit", |s| s.limits.memory = Some(7)),
        ("restart", |s| s.restart = RestartPolicy::Always),
    ]
}

/// Fields whose change changes no container.
fn of_nothing() -> Vec<fn(&mut Service)> {
    vec![
        |s| s.pull_policy = PullPolicy::Never,
        |s| s.environment_unset = texts(&["X"]),
        |s| s.stop_grace_period = Duration::from_secs(1),
        |s| s.attach = false,
        |s| s.profiles = texts(&["p"]),
        |s| s.foreign.isolation = Some("default".into()),
        |s| machine(s).ready = Ready::Degraded,
        |s| machine(s).boot_timeout = Duration::from_secs(1),
        |s| {
            let dependency =
                Dependency { condition: DependencyCondition::Started, restart: false, required: true };
            s.depends_on.insert("other".into(), dependency);
        },
        |s| {
            let build = Build::of(BuildContext::Directory(PathBuf::from("/srv/shop")));
            s.image = ImageSource::Build { tag: s.image.reference().to_owned(), build: Box::new(build) };
        },
    ]
}

/// The fields that the steps of a plan give as their reason.
fn reasons(plan: &Plan) -> BTreeSet<String> {
    let changes = plan
        .steps
        .iter()
        .filter_map(|step| if let Reason::Changed { changes } = &step.reason { Some(changes) } else { None });
    changes.flatten().map(|change| change.field.clone()).collect()
}

/// The ways that the steps of a plan take.
fn ways(plan: &Plan) -> BTreeSet<Way> {
    let way = |action: &Action| {
        if let Action::Write { .. } | Action::Units { .. } = action {
            return Some(Way::Inside);
        }
        let live = action.changes_in_place().map(|_| Way::Live);
        live.or_else(|| action.starts().map(|_| Way::Replace))
    };
    plan.steps.iter().filter_map(|step| way(&step.action)).collect()
}

/// Changes a field there and back.
fn goes_its_way(base: &Project, service: &str, field: &str, change: fn(&mut Service)) -> Way {
    let mut target = base.clone();
    change(&mut target.services[service]);
    // What it needs is there in both.
    let mut world = World::with_images(base);
    world.apply(&up_in(&world, base, &UpOptions::default()).unwrap());
    let plan = up_in(&world, &target, &UpOptions::default()).unwrap();
    let told = text::text(&plan);
    assert_eq!(check::check(&plan), [], "{field}\n{told}");
    let ways = ways(&plan);
    let mut fields = reasons(&plan);
    if field == "network_mode" || field == "systemd" {
        // Leaving out a key is a change of all that is below it.
        fields.retain(|other| other == field);
    }
    assert_eq!(fields, BTreeSet::from([field.to_owned()]), "\n{told}");
    assert_eq!(ways.len(), 1, "{field}\n{told}");
    world.apply(&plan);
    let rest = up_in(&world, &target, &UpOptions::default()).unwrap();
    assert!(rest.steps.is_empty(), "{field}\n{told}---\n{}", text::text(&rest));
    world.apply(&up_in(&world, base, &UpOptions::default()).unwrap());
    let back = up_in(&world, base, &UpOptions::default()).unwrap();
    assert!(back.steps.is_empty(), "{field}, back\n{}", text::text(&back));
    ways.into_iter().next().unwrap()
}

#[test]
fn every_field_takes_the_way_that_the_table_declares() {
    let base = base();
    let mut rules = BTreeSet::new();
    for (field, change) in of_containers() {
        let way = goes_its_way(&base, "web", field, change);
        let rule = way::rule_of(field).unwrap_or_else(|| panic!("`{field}` is not in the table"));
        // A limit is not taken away while a container runs; what was changed otherwise goes as declared.
        let gone = field == "mem_limit" && way == Way::Replace;
        assert!(way == rule.way || gone, "{field}: {way:?}, declared {:?}", rule.way);
        rules.insert(rule.field);
    }
    for (field, change) in of_plain_containers() {
        let way = goes_its_way(&base, "other", field, change);
        let rule = way::rule_of(field).unwrap_or_else(|| panic!("`{field}` is not in the table"));
        // A plain container has no inside.
        let wanted = if rule.way == Way::Inside { Way::Replace } else { rule.way };
        assert_eq!(way, wanted, "{field}");
        rules.insert(rule.field);
    }
    for (field, text) in of_files() {
        let (one, two) = text.split_once('\n').unwrap();
        let mut world = World::after_up(one);
        let plan = up_in(&world, &project(two), &UpOptions::default()).unwrap();
        assert_eq!(ways(&plan), BTreeSet::from([way::rule_of(field).unwrap().way]), "{}", text::text(&plan));
        world.apply(&plan);
        assert_eq!(plan_of(two, &world), "");
        rules.insert(way::rule_of(field).unwrap().field);
    }
    rules.insert("image");
    let declared: BTreeSet<&str> = way::RULES.iter().map(|rule| rule.field).collect();
    assert_eq!(declared.difference(&rules).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn what_is_no_part_of_a_container_leaves_it_alone() {
    let base = base();
    let mut world = World::with_images(&base);
    world.apply(&up_in(&world, &base, &UpOptions::default()).unwrap());
    for (number, change) in of_nothing().into_iter().enumerate() {
        let mut target = base.clone();
        change(&mut target.services["web"]);
        let plan = up_in(&world, &target, &UpOptions::default()).unwrap();
        assert_eq!(text::text(&plan), "", "{number}");
    }
}

#[test]
fn a_fingerprint_has_only_fields_of_the_table() {
    let base = base();
    for (_, change) in of_containers().into_iter().chain(of_plain_containers()) {
        let mut changed = base.clone();
        change(&mut changed.services["web"]);
        for field in fingerprint::of(&changed, &changed.services["web"], "sha256:1").fields() {
            assert!(way::rule_of(field).is_some(), "`{field}` is not in the table");
        }
    }
}
