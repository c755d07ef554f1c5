//! The fingerprint of a container: for each field of the manifest that is built into it the value, or a short
//! hash of one that is long or may be secret. It is made from what the service means and from the image's id,
//! never from defaults that depend on the engine, so that a newer engine replaces nothing; and it has no entry
//! for a field at its default, so that a newer sdcompose with one more field replaces nothing either.

use std::fmt::Write as _;
use std::time::Duration;

use crate::project::{
    Attachment, Device, HealthTest, Healthcheck, Identity, Journal, JournalStorage, Machine, Mount,
    MountSource, NetworkChoice, Port, Privilege, Project, Protocol, RestartPolicy, Service, Ulimit, UnitFile,
    VolumeOptions,
};

use super::spec;

mod files;
mod objects;
mod print;
mod settings;

pub use objects::{of_network, of_volume};
pub use print::{Difference, Fingerprint, changed, differences};

/// Makes the fingerprint of a service on an image. All its replicas have the same.
#[must_use]
#[expect(clippy::too_many_lines, reason = "every field of a service, once")]
pub fn of(project: &Project, service: &Service, image_id: &str) -> Fingerprint {
    let Service {
        name: _,
        // The id says it all: another name of the same image changes nothing.
        image: _,
        pull_policy: _,
        replicas: _,
        container_name,
        command,
        entrypoint,
        // Of names, these and those below.
        hostname: _,
        domainname: _,
        environment,
        // The container does not get them, so they make no difference to it.
        environment_unset: _,
        ports,
        expose,
        mounts,
        // Each of these is a field of its own.
        secrets: _,
        configs: _,
        network,
        // An order between containers, not a part of one.
        depends_on: _,
        healthcheck,
        restart,
        labels,
        cap_add,
        cap_drop,
        devices,
        sysctls,
        ulimits,
        limits: _,
        hardware: _,
        namespaces: _,
        links: _,
        logging: _,
        // Who shows the output is no part of the container.
        attach: _,
        annotations: _,
        group_add: _,
        storage_opt: _,
        platform: _,
        mac_address: _,
        use_api_socket: _,
        foreign: _,
        // They take effect at the next start or stop and are no part of the container: a changed one replaces nothing.
        hooks: _,
        // Nor is who follows files on the host.
        develop: _,
        security_opt,
        privileged,
        read_only,
        extra_hosts: _,
        dns: _,
        dns_search: _,
        dns_opt: _,
        user,
        working_dir,
        // It is said anew at each stop.
        stop_grace_period: _,
        stop_signal,
        shm_size,
        init,
        tty,
        stdin_open,
        runtime,
        userns_mode,
        profiles: _,
        machine,
    } = service;
    let mut print = Fingerprint::default();
    print.put("image", image_id.trim_start_matches("sha256:"));
    print.plain_some("container_name", container_name.as_ref());
    print.put_some("command", command.as_ref().map(lines).as_ref());
    print.put_some("entrypoint", entrypoint.as_ref().map(lines).as_ref());
    put_names(&mut print, service);
    for (name, value) in environment {
        print.put(format!("environment.{name}"), format!("={value}"));
    }
    print.plain_list("ports", sorted(ports.iter().map(port)));
    print.plain_list("expose", sorted(expose.iter().cloned()));
    for entry in mounts {
        print.plain(format!("volumes.{}", entry.target), &mounted(project, entry));
    }
    files::put(&mut print, project, service);
    put_network(&mut print, project, network);
    print.put("healthcheck", healthcheck.as_ref().map(health).unwrap_or_default());
    print.plain("restart", &policy(restart));
    for (name, value) in labels {
        print.plain(format!("labels.{name}"), if value.is_empty() { "\"\"" } else { value });
    }
    print.plain_list("cap_add", sorted(cap_add.iter().cloned()));
    print.plain_list("cap_drop", sorted(cap_drop.iter().cloned()));
    print.plain_list("devices", devices.iter().map(device));
    for (name, value) in sysctls {
        print.plain(format!("sysctls.{name}"), value);
    }
    for (name, Ulimit { soft, hard }) in ulimits {
        print.plain(format!("ulimits.{name}"), &format!("{soft}:{hard}"));
    }
    settings::put(&mut print, service);
    print.plain_list("security_opt", sorted(security_opt.iter().cloned()));
    print.plain_if("privileged", *privileged);
    print.plain_if("read_only", *read_only);
    print.plain_some("user", user.as_ref());
    print.plain_some("working_dir", working_dir.as_ref());
    print.plain_some("stop_signal", stop_signal.as_ref());
    print.plain_some("shm_size", shm_size.as_ref());
    print.plain_some("init", init.as_ref());
    print.plain_if("tty", *tty && machine.is_none());
    print.plain_if("stdin_open", *stdin_open);
    print.plain_some("runtime", runtime.as_ref());
    print.plain_some("userns_mode", userns_mode.as_ref());
    if let Some(machine) = machine {
        put_machine(&mut print, machine);
    }
    print
}

/// Adds the container's own names, and those by which it knows others.
fn put_names(print: &mut Fingerprint, service: &Service) {
    let hosts = service.extra_hosts.iter();
    print.plain_some("hostname", service.hostname.as_ref());
    print.plain_some("domainname", service.domainname.as_ref());
    print.plain_list("extra_hosts", hosts.map(|(name, address)| format!("{name}={address}")));
    print.plain_list("dns", service.dns.iter().map(ToString::to_string));
    print.plain_list("dns_search", &service.dns_search);
    print.plain_list("dns_opt", &service.dns_opt);
}

fn put_machine(print: &mut Fingerprint, machine: &Machine) {
    let Machine {
        target,
        init,
        args,
        log_level,
        log_target,
        privilege,
        features,
        enable,
        mask,
        mask_defaults,
        units,
        environment_to_units,
        credentials,
        // What is awaited, and how long, is no part of the container.
        ready: _,
        boot_timeout: _,
        journal,
        identity,
    } = machine;
    print.plain("systemd", "true");
    print.plain("systemd.target", unless(target.as_str(), "multi-user.target"));
    print.plain_some("systemd.init", init.as_ref());
    print.put_list("systemd.args", args);
    print.plain("systemd.log_level", unless(log_level, "info"));
    print.plain_some("systemd.log_target", log_target.as_ref());
    print.plain(
        "systemd.privilege",
        match privilege {
            Privilege::Auto => "",
            Privilege::Fixed(profile) => profile.as_str(),
        },
    );
    print.plain_list("systemd.features", features.iter().map(|feature| feature.as_str()));
    for unit in enable {
        print.plain(format!("systemd.enable.{unit}"), "true");
    }
    for unit in mask {
        print.plain(format!("systemd.mask.{unit}"), "true");
    }
    print.plain_if("systemd.mask.defaults-off", !mask_defaults);
    for (name, unit) in units {
        print.put(format!("systemd.units.{name}"), unit_file(unit));
    }
    print.plain("systemd.environment_to_units", if *environment_to_units { "" } else { "false" });
    for (name, value) in credentials {
        print.put(format!("systemd.credentials.{name}"), [b"=", value.bytes.as_slice()].concat());
    }
    put_journal(print, journal);
    print.plain(
        "systemd.identity",
        match identity {
            Identity::Derived => "",
            Identity::Image => "image",
            Identity::Fixed(id) => id,
        },
    );
}

fn put_journal(print: &mut Fingerprint, journal: &Journal) {
    let Journal { storage, max, forward_console } = journal;
    print.plain(
        "systemd.journal.storage",
        match storage {
            JournalStorage::Volatile => "",
            JournalStorage::Persistent => "persistent",
            JournalStorage::Auto => "auto",
            JournalStorage::None => "none",
        },
    );
    print.plain("systemd.journal.max", &max.to_string());
    print.plain_if("systemd.journal.forward", *forward_console);
}

fn put_network(print: &mut Fingerprint, project: &Project, choice: &NetworkChoice) {
    match choice {
        NetworkChoice::Join(networks) => {
            for (key, attachment) in networks {
                let Attachment {
                    aliases,
                    ipv4_address,
                    ipv6_address,
                    mac_address,
                    link_local_ips,
                    driver_opts,
                    interface_name,
                    gw_priority,
                    priority,
                } = attachment;
                let mut text = spec::network_name(project, key);
                let mut word = |name: &str, value: &str| {
                    let _ = write!(text, " {name}={value}");
                };
                if !aliases.is_empty() {
                    word("aliases", &sorted(aliases.iter().cloned()).join(","));
                }
                let given = [
                    ("ipv4_address", ipv4_address),
                    ("ipv6_address", ipv6_address),
                    ("mac_address", mac_address),
                    ("interface_name", interface_name),
                ];
                for (name, value) in given {
                    if let Some(value) = value {
                        word(name, value);
                    }
                }
                if *priority != 0 {
                    word("priority", &priority.to_string());
                }
                if !link_local_ips.is_empty() {
                    word("link_local_ips", &link_local_ips.join(","));
                }
                for (name, value) in driver_opts {
                    word(&format!("driver_opts.{name}"), value);
                }
                if *gw_priority != 0 {
                    word("gw_priority", &gw_priority.to_string());
                }
                print.plain(format!("networks.{key}"), &text);
            }
        }
        NetworkChoice::Mode(mode) => print.plain("network_mode", mode),
        NetworkChoice::Service(service) => print.plain("network_mode", &format!("service:{service}")),
        NetworkChoice::Container(name) => print.plain("network_mode", &format!("container:{name}")),
    }
}

fn unit_file(unit: &UnitFile) -> Vec<u8> {
    let UnitFile { content, drop_in, enable, mask } = unit;
    let mut bytes = Vec::new();
    for (mark, part) in [(b"file ", content), (b"drop ", drop_in)] {
        if let Some(part) = part {
            bytes.extend_from_slice(mark);
            bytes.extend_from_slice(format!("{} ", part.len()).as_bytes());
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(if *enable { b"enable " } else { b"" });
    bytes.extend_from_slice(if *mask { b"mask" } else { b"" });
    bytes
}

fn port(port: &Port) -> String {
    // The rest is for people.
    let Port { target, published, host_ip, protocol, mode: _, name: _, app_protocol: _, spelling: _ } = port;
    let mut text = host_ip.map(|address| format!("{address}:")).unwrap_or_default();
    if let Some(range) = published {
        let _ = write!(text, "{range}:");
    }
    let _ = write!(text, "{target}");
    if *protocol != Protocol::Tcp {
        let _ = write!(text, "/{protocol}");
    }
    text
}

fn mounted(project: &Project, entry: &Mount) -> String {
    let Mount { target: _, source, read_only, consistency: _ } = entry;
    let source = match source {
        MountSource::Volume { key, options } => {
            let name = spec::volume_name(project, key);
            let nocopy = if options.nocopy { " nocopy" } else { "" };
            format!("volume {name}{nocopy}{}", volume_options(options))
        }
        MountSource::Anonymous(options) => {
            let nocopy = if options.nocopy { " nocopy" } else { "" };
            format!("anonymous{nocopy}{}", volume_options(options))
        }
        // Whether a missing source is made is no part of the container.
        MountSource::Bind { path, create: _, propagation, selinux, recursive } => format!(
            "bind {}{}{}{}",
            path.to_string_lossy(),
            propagation.as_deref().map(|word| format!(" {word}")).unwrap_or_default(),
            selinux.map(|label| format!(" {label}")).unwrap_or_default(),
            recursive.map(|word| format!(" recursive {}", word.as_str())).unwrap_or_default()
        ),
        MountSource::Image { reference, subpath } => {
            format!(
                "image {reference}{}",
                subpath.as_deref().map(|path| format!(" {path}")).unwrap_or_default()
            )
        }
        MountSource::NamedPipe(source) => format!("pipe {}", source.as_deref().unwrap_or("-")),
        MountSource::Cluster(source) => format!("cluster {}", source.as_deref().unwrap_or("-")),
        MountSource::Tmpfs { size, mode, options } => {
            let mut text = "tmpfs".to_owned();
            for (name, value) in
                [("size", size.map(|size| size.to_string())), ("mode", mode.map(|mode| format!("{mode:o}")))]
            {
                if let Some(value) = value {
                    let _ = write!(text, " {name}={value}");
                }
            }
            if let Some(options) = options.as_deref().filter(|options| !options.is_empty()) {
                let _ = write!(text, " {options}");
            }
            text
        }
    };
    format!("{source}{}", if *read_only { " ro" } else { "" })
}

/// What an older fingerprint knows nothing of: empty where nothing of it is set.
fn volume_options(options: &VolumeOptions) -> String {
    let VolumeOptions { nocopy: _, subpath, labels, selinux, propagation: _ } = options;
    let mut text = String::new();
    if let Some(subpath) = subpath {
        let _ = write!(text, " subpath {subpath}");
    }
    if let Some(selinux) = selinux {
        let _ = write!(text, " {selinux}");
    }
    for (name, value) in labels {
        let _ = write!(text, " label {} {name}={value}", name.len() + value.len());
    }
    text
}

fn health(check: &Healthcheck) -> String {
    let Healthcheck { test, interval, timeout, retries, start_period, start_interval } = check;
    let test = match test {
        HealthTest::Disabled => "disabled".to_owned(),
        HealthTest::Inherit => "inherit".to_owned(),
        HealthTest::Command(words) => format!("command {}", lines(words)),
        HealthTest::Shell(line) => format!("shell {line}"),
    };
    let time =
        |duration: &Option<Duration>| duration.map(|time| time.as_nanos().to_string()).unwrap_or_default();
    let retries = retries.map(|count| count.to_string()).unwrap_or_default();
    format!(
        "{test}\n{} {} {retries} {} {}",
        time(interval),
        time(timeout),
        time(start_period),
        time(start_interval)
    )
}

fn policy(restart: &RestartPolicy) -> String {
    match restart {
        RestartPolicy::No => String::new(),
        RestartPolicy::Always => "always".to_owned(),
        RestartPolicy::OnFailure { max } => format!("on-failure:{max}"),
        RestartPolicy::UnlessStopped => "unless-stopped".to_owned(),
        RestartPolicy::Unknown(word) => word.clone(),
    }
}

fn device(device: &Device) -> String {
    let Device { source, target, permissions } = device;
    format!("{source}:{target}:{permissions}")
}

fn unless<'a>(text: &'a str, default: &str) -> &'a str {
    if text == default { "" } else { text }
}

/// Joins texts unambiguously: each with its length in front, so that no separator can be forged.
fn lines<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().fold(String::new(), |mut text, value| {
        let _ = writeln!(text, "{} {}", value.as_ref().len(), value.as_ref());
        text
    })
}

fn sorted(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut values: Vec<String> = values.collect();
    values.sort();
    values
}
