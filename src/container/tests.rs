use super::fingerprint::{self, Fingerprint};
use super::sketch::{facts, image, project};
use super::*;
use crate::facts::Facts;
use crate::project::Project;

fn spec_of(text: &str) -> ContainerSpec {
    let project = project(text);
    let service = &project.services[0];
    spec::spec(&project, service, 1, &facts(), Some(&image("sha256:1", 257)), "sha256:1").unwrap()
}

/// Shows the files of a container: mode, path, content.
fn files(spec: &ContainerSpec) -> String {
    spec.files
        .iter()
        .map(|file| match &file.content {
            Content::Bytes(bytes) => {
                format!("{:04o} {} {:?}\n", file.mode, file.path, String::from_utf8_lossy(bytes))
            }
            Content::Symlink(target) => format!("{:04o} {} -> {target}\n", file.mode, file.path),
            Content::Directory => format!("{:04o} {}/\n", file.mode, file.path),
        })
        .collect()
}

#[test]
fn a_machine_boots_its_target_with_a_console_and_a_notify_socket() {
    let spec = spec_of("web");
    assert_eq!(spec.name, "shop-web-1");
    assert_eq!(spec.hostname.as_deref(), Some("web"));
    assert_eq!(spec.entrypoint.unwrap(), ["/usr/lib/systemd/systemd"]);
    assert_eq!(spec.command.unwrap(), ["--log-color=0", "--show-status=1", "systemd.unit=multi-user.target"]);
    assert_eq!(spec.stop_signal.as_deref(), Some("SIGRTMIN+3"));
    assert_eq!((spec.tty, spec.init, spec.machine), (true, Some(false), true));
    assert_eq!(spec.cgroupns, Some(CgroupNs::Private));
    assert_eq!(spec.security_opt, ["writable-cgroups=true"]);
    assert_eq!(spec.tmpfs.keys().collect::<Vec<_>>(), ["/run", "/run/lock", "/tmp"]);
    assert_eq!(
        spec.environment.keys().collect::<Vec<_>>(),
        ["NOTIFY_SOCKET", "TERM", "container", "container_uuid"]
    );
    let digest = names::hex(b"shop-web-1");
    assert_eq!(spec.notify_dir.unwrap(), format!("/state/notify/{}", &digest[..16]));
}

#[test]
fn units_are_enabled_and_masked_by_the_arguments_of_pid_1() {
    let spec = spec_of("web enable=a.service mask=b.timer file=c.service:x target=basic.target");
    assert_eq!(
        spec.command.unwrap()[2..],
        ["systemd.unit=basic.target", "systemd.wants=a.service", "systemd.mask=b.timer"]
    );
}

#[test]
fn the_files_of_a_machine_are_put_where_systemd_reads_them() {
    let mut project =
        project("web env=A=50% file=c.service:unit dropin=nginx.service:drop cred=tls.key:secret");
    project.services[0].machine.as_mut().unwrap().units[0].enable = true;
    let service = &project.services[0];
    let spec = spec::spec(&project, service, 1, &facts(), Some(&image("sha256:1", 254)), "").unwrap();
    assert_eq!(
        files(&spec),
        "0644 /etc/systemd/system/c.service \"unit\"\n\
         0644 /etc/systemd/system/nginx.service.d/50-sdcompose.conf \"drop\"\n\
         0600 /etc/systemd/system.conf.d/50-sdcompose.conf \"# Written by sdcompose from the service's \
         `environment`.\\n[Manager]\\nDefaultEnvironment=\\\"A=50%%\\\"\\n\"\n\
         0644 /etc/systemd/journald.conf.d/50-sdcompose.conf \"# Written by sdcompose from `systemd.journal`.\\n\
         [Journal]\\nStorage=volatile\\nRuntimeMaxUse=67108864\\n\"\n\
         0700 /etc/sdcompose/credentials/\n\
         0400 /etc/sdcompose/credentials/tls.key \"secret\"\n"
    );
    assert_eq!(spec.environment["CREDENTIALS_DIRECTORY"], "/etc/sdcompose/credentials");
    assert!(spec.command.unwrap().contains(&"systemd.wants=c.service".to_owned()));
}

#[test]
fn hardened_units_are_relieved_where_systemd_cannot_start_them() {
    let relieved = |version| {
        let project = project("web");
        let seen = image("sha256:1", version);
        let spec = spec::spec(&project, &project.services[0], 1, &facts(), Some(&seen), "").unwrap();
        spec.files.iter().any(|file| file.path.ends_with("service.d/zz-sdcompose.conf"))
    };
    assert!(!relieved(254));
    assert!(relieved(255));
}

#[test]
fn no_secret_reaches_the_arguments_the_labels_or_the_debug_text() {
    let spec = spec_of("web env=PASSWORD=canary-1 cred=key:canary-2");
    let words = [spec.entrypoint.clone().unwrap(), spec.command.clone().unwrap()].concat().join(" ");
    assert!(!words.contains("canary"));
    assert!(!spec.labels.values().any(|value| value.contains("canary")));
    assert!(!format!("{:?}", spec.files).contains("canary"));
}

#[test]
fn a_plain_container_gets_nothing_of_systemd() {
    let spec = spec_of("cache plain image=redis:7 cmd=redis-server");
    assert_eq!((spec.machine, spec.tty, spec.cgroupns, spec.hostname), (false, false, None, None));
    assert_eq!(spec.command.unwrap(), ["redis-server"]);
    assert!(spec.tmpfs.is_empty() && spec.files.is_empty() && spec.notify_dir.is_none());
    assert!(!spec.labels.contains_key(crate::labels::KEY_INIT));
}

#[test]
fn a_read_only_machine_is_refused_since_files_are_put_into_its_root() {
    let mut project = project("web");
    project.services[0].read_only = true;
    let made = |project: &Project| spec::spec(project, &project.services[0], 1, &facts(), None, "");
    assert!(made(&project).unwrap_err().to_string().starts_with("`read_only: true` on a machine"));
    project.services[0].machine = None;
    assert!(made(&project).unwrap().read_only);
}

#[test]
fn replicas_have_names_hosts_and_identities_of_their_own() {
    let project = project("web_app x2");
    let made = |index| {
        let service = &project.services[0];
        spec::spec(&project, service, index, &facts(), Some(&image("sha256:1", 257)), "").unwrap()
    };
    let (one, two) = (made(1), made(2));
    assert_eq!((one.hostname.as_deref(), two.hostname.as_deref()), (Some("web-app-1"), Some("web-app-2")));
    assert_ne!(one.environment["container_uuid"], two.environment["container_uuid"]);
    assert_ne!(one.notify_dir, two.notify_dir);
}

#[test]
fn a_container_is_known_on_its_networks_by_service_and_name() {
    let spec = spec_of("web net=front,back");
    let NetworkSpecChoice::Join(joins) = spec.network else { panic!("joined") };
    let shown: Vec<String> =
        joins.iter().map(|join| format!("{}: {}", join.network, join.aliases.join(" "))).collect();
    assert_eq!(shown, ["shop_front: web shop-web-1", "shop_back: web shop-web-1"]);
}

#[test]
fn a_shared_network_namespace_leaves_no_host_name() {
    let project = project("db\nweb share=db");
    let seen = image("sha256:1", 257);
    let spec = spec::spec(&project, &project.services[1], 1, &facts(), Some(&seen), "").unwrap();
    assert_eq!(spec.network, NetworkSpecChoice::Mode("container:shop-db-1".to_owned()));
    assert_eq!(spec.hostname, None);
}

#[test]
fn the_cgroup_binds_come_before_the_manifests_mounts() {
    let project = project("web vol=data:/data tmpfs=/cache");
    let old = Facts {
        version: "20.10.24".to_owned(),
        api: crate::facts::ApiVersion { major: 1, minor: 41 },
        ..facts()
    };
    let seen = image("sha256:1", 252);
    let spec = spec::spec(&project, &project.services[0], 1, &old, Some(&seen), "").unwrap();
    let targets: Vec<&str> = spec.mounts.iter().map(|mount| mount.target.as_str()).collect();
    assert_eq!(targets, ["/sys/fs/cgroup", "/sys/fs/cgroup/sdc/shop_web_1", "/data"]);
    assert_eq!(spec.cgroup_parent.as_deref(), Some("/sdc/shop_web_1"));
    assert_eq!(spec.tmpfs["/cache"], "size=64,mode=700");
}

fn print(project: &Project) -> Fingerprint {
    fingerprint::of(project, &project.services[0], "sha256:1")
}

#[track_caller]
fn differ(old: &str, new: &str, fields: &[&str]) {
    assert_eq!(fingerprint::changed(&print(&project(old)), &print(&project(new))), fields, "{old} → {new}");
}

#[test]
fn a_change_is_named_in_the_manifests_words() {
    differ("web", "web", &[]);
    differ("web", "web port=80:80", &["ports"]);
    differ("web port=80:80", "web port=81:80 env=A=1", &["environment", "ports"]);
    differ("web dropin=nginx.service:a", "web dropin=nginx.service:b", &["systemd.units.nginx.service"]);
    differ("web file=a.service:x", "web", &["systemd.units.a.service"]);
    differ("web cred=key:1", "web cred=key:2", &["systemd.credentials.key"]);
    differ("web secret=db:1", "web secret=db:2", &["secrets.db"]);
    differ("web plain secretfile=db:1", "web plain secretfile=db:2", &["secrets.db"]);
    differ("web secret=db:1", "web secret=db:1:/etc/db", &["secrets.db"]);
    differ(
        "web secret=db:1 config=a:1",
        "web config=a:2 config=b:1",
        &["configs.a", "configs.b", "secrets.db"],
    );
    differ("web", "web plain", &["systemd", "systemd.journal.max", "systemd.mask"]);
    differ("web vol=a:/x", "web vol=b:/x", &["volumes"]);
    differ("web", "web net=front", &["networks"]);
    differ("web", "web share=db", &["network_mode", "networks"]);
    differ("web", "web feature=fuse", &["systemd.features"]);
    differ("web cap=NET_ADMIN", "web", &["cap_add"]);
    differ("web", "web mem=5", &["mem_limit"]);
}

#[test]
fn what_is_no_part_of_a_container_changes_nothing() {
    differ("web", "web x3 needs=db:ready:restart pull=always grace=5 ready=degraded timeout=5", &[]);
    differ("web image=a:1", "web image=b:1", &[]);
    differ("web env=A=1 env=B=2", "web env=B=2 env=A=1", &[]);
    differ("web port=80:80 port=81:81", "web port=81:81 port=80:80", &[]);
    // Where it comes from, as long as it is put into the root.
    differ("web secret=db:1 secret=a:1", "web secret=a:1 secretfile=db:1", &[]);
}

#[test]
fn a_restart_policy_is_noted_and_replaces_nothing() {
    differ("web", "web restart", &[]);
    let (old, new) = (print(&project("web")), print(&project("web restart")));
    assert_eq!(fingerprint::pending(&old, &new), ["restart"]);
}

#[test]
fn a_moved_image_is_a_change() {
    let project = project("web");
    let moved = fingerprint::of(&project, &project.services[0], "sha256:2");
    assert_eq!(fingerprint::changed(&print(&project), &moved), ["image"]);
}

#[test]
fn equal_secrets_have_different_hashes() {
    let label = print(&project("web secret=a:hunter2 secret=b:hunter2")).to_label();
    let hash = |field: &str| label.split(' ').find_map(|word| word.strip_prefix(field)).unwrap().to_owned();
    assert_ne!(hash("secrets.a="), hash("secrets.b="));
    assert!(!label.contains("hunter2"));
}

#[test]
fn a_label_is_read_back_and_one_of_an_older_version_still_counts() {
    let print = print(&project("web port=80:80 env=A=1"));
    assert_eq!(Fingerprint::from_label(&print.to_label()), print);
    assert!(print.to_label().len() < 200, "{}", print.to_label());
    // An older version knew fewer fields; those at their default leave no trace, so nothing differs.
    assert_eq!(fingerprint::changed(&Fingerprint::from_label("garbage"), &Fingerprint::default()), [""; 0]);
}

#[test]
fn texts_cannot_be_moved_between_list_entries_unseen() {
    let mut one = project("web");
    one.services[0].command = Some(vec!["a b".to_owned()]);
    let mut two = project("web");
    two.services[0].command = Some(vec!["a".to_owned(), "b".to_owned()]);
    assert_eq!(fingerprint::changed(&print(&one), &print(&two)), ["command"]);
}
