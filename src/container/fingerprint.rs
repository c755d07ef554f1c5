//! The fingerprint of a container: one short hash for each field of the manifest that is built into it. It is
//! made from what the service means and from the image's id, never from defaults that depend on the engine,
//! so that a newer engine replaces nothing; and it has no entry for a field at its default, so that a newer
//! sdcompose with one more field replaces nothing either.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use crate::project::{
    Attachment, Device, HealthTest, Healthcheck, Identity, Ipam, IpamPool, Journal, JournalStorage, Machine,
    Mount, MountSource, Network, NetworkChoice, Port, Privilege, Project, RestartPolicy, Service, Ulimit,
    UnitFile, Volume, VolumeOptions,
};

use super::{names, spec};

mod files;
mod settings;

/// Hashes by field, in the manifest's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprint {
    fields: BTreeMap<String, String>,
}

/// Fields that are noted, but whose change alone replaces nothing.
const LIVE: [&str; 1] = ["restart"];

impl Fingerprint {
    /// Writes the value of a label: `field=hash` by spaces.
    #[must_use]
    pub fn to_label(&self) -> String {
        let pairs: Vec<String> = self.fields.iter().map(|(field, hash)| format!("{field}={hash}")).collect();
        pairs.join(" ")
    }

    /// Reads the value of a label; what it cannot read counts as not there.
    #[must_use]
    pub fn from_label(label: &str) -> Self {
        let pair = |word: &str| word.split_once('=').map(|(field, hash)| (field.to_owned(), hash.to_owned()));
        Self { fields: label.split_whitespace().filter_map(pair).collect() }
    }

    /// Takes over one field of another fingerprint.
    #[must_use]
    pub fn with_field_of(mut self, other: &Self, field: &str) -> Self {
        match other.fields.get(field) {
            Some(hash) => self.fields.insert(field.to_owned(), hash.clone()),
            None => self.fields.remove(field),
        };
        self
    }

    /// Adds a field; an empty text stands for the default and leaves no trace.
    fn put(&mut self, field: impl Into<String>, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        if !text.is_empty() {
            self.fields.insert(field.into(), names::hex(text).chars().take(12).collect());
        }
    }

    fn put_if(&mut self, field: &str, set: bool) {
        self.put(field, if set { "true" } else { "" });
    }

    fn put_some<T: ToString>(&mut self, field: &str, value: Option<&T>) {
        // The mark tells an empty text from none.
        self.put(field, value.map(|value| format!("={}", value.to_string())).unwrap_or_default());
    }

    fn put_list<T: AsRef<str>>(&mut self, field: &str, values: impl IntoIterator<Item = T>) {
        self.put(field, lines(values));
    }
}

/// Names the fields that differ and make a replacement necessary, in the manifest's words.
#[must_use]
pub fn changed(old: &Fingerprint, new: &Fingerprint) -> Vec<String> {
    different(old, new).filter(|field| !LIVE.contains(field)).map(str::to_owned).collect()
}

/// Names the fields that differ and take effect with the next replacement only.
#[must_use]
pub fn pending(old: &Fingerprint, new: &Fingerprint) -> Vec<String> {
    different(old, new).filter(|field| LIVE.contains(field)).map(str::to_owned).collect()
}

fn different<'a>(old: &'a Fingerprint, new: &'a Fingerprint) -> impl Iterator<Item = &'a str> {
    let fields: BTreeSet<&String> = old.fields.keys().chain(new.fields.keys()).collect();
    fields.into_iter().filter(|field| old.fields.get(*field) != new.fields.get(*field)).map(String::as_str)
}

/// Makes the fingerprint of a service on an image. All its replicas have the same.
#[must_use]
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
    print.put_some("container_name", container_name.as_ref());
    print.put_some("command", command.as_ref().map(lines).as_ref());
    print.put_some("entrypoint", entrypoint.as_ref().map(lines).as_ref());
    put_names(&mut print, service);
    print.put_list("environment", pairs(environment));
    print.put_list("ports", sorted(ports.iter().map(port)));
    print.put_list("expose", sorted(expose.iter().cloned()));
    print.put_list("volumes", sorted(mounts.iter().map(|entry| mounted(project, entry))));
    files::put(&mut print, project, service);
    put_network(&mut print, project, network);
    print.put("healthcheck", healthcheck.as_ref().map(health).unwrap_or_default());
    print.put("restart", policy(restart));
    print.put_list("labels", pairs(labels));
    print.put_list("cap_add", sorted(cap_add.iter().cloned()));
    print.put_list("cap_drop", sorted(cap_drop.iter().cloned()));
    print.put_list("devices", devices.iter().map(device));
    print.put_list("sysctls", sysctls.iter().map(|(key, value)| format!("{key}={value}")));
    print.put_list("ulimits", ulimits.iter().map(ulimit));
    settings::put(&mut print, service);
    print.put_list("security_opt", sorted(security_opt.iter().cloned()));
    print.put_if("privileged", *privileged);
    print.put_if("read_only", *read_only);
    print.put_some("user", user.as_ref());
    print.put_some("working_dir", working_dir.as_ref());
    print.put_some("stop_signal", stop_signal.as_ref());
    print.put_some("shm_size", shm_size.as_ref());
    print.put_some("init", init.as_ref());
    print.put_if("tty", *tty && machine.is_none());
    print.put_if("stdin_open", *stdin_open);
    print.put_some("runtime", runtime.as_ref());
    print.put_some("userns_mode", userns_mode.as_ref());
    if let Some(machine) = machine {
        put_machine(&mut print, machine);
    }
    print
}

/// Adds the container's own names, and those by which it knows others.
fn put_names(print: &mut Fingerprint, service: &Service) {
    let hosts = service.extra_hosts.iter();
    print.put_some("hostname", service.hostname.as_ref());
    print.put_some("domainname", service.domainname.as_ref());
    print.put_list("extra_hosts", hosts.map(|(name, address)| format!("{name}={address}")));
    print.put_list("dns", service.dns.iter().map(ToString::to_string));
    print.put_list("dns_search", &service.dns_search);
    print.put_list("dns_opt", &service.dns_opt);
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
    print.put("systemd", "true");
    print.put("systemd.target", unless(target.as_str(), "multi-user.target"));
    print.put_some("systemd.init", init.as_ref());
    print.put_list("systemd.args", args);
    print.put("systemd.log_level", unless(log_level, "info"));
    print.put_some("systemd.log_target", log_target.as_ref());
    print.put(
        "systemd.privilege",
        match privilege {
            Privilege::Auto => "",
            Privilege::Fixed(profile) => profile.as_str(),
        },
    );
    print.put_list("systemd.features", features.iter().map(|feature| feature.as_str()));
    print.put_list("systemd.enable", sorted(enable.iter().map(ToString::to_string)));
    let no_defaults = (!mask_defaults).then(|| "no defaults".to_owned());
    print.put_list("systemd.mask", sorted(mask.iter().map(ToString::to_string).chain(no_defaults)));
    for (name, unit) in units {
        print.put(format!("systemd.units.{name}"), unit_file(unit));
    }
    print.put_if("systemd.environment_to_units", !environment_to_units);
    for (name, value) in credentials {
        print.put(format!("systemd.credentials.{name}"), [b"=", value.bytes.as_slice()].concat());
    }
    put_journal(print, journal);
    print.put(
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
    print.put(
        "systemd.journal.storage",
        match storage {
            JournalStorage::Volatile => "",
            JournalStorage::Persistent => "persistent",
            JournalStorage::Auto => "auto",
            JournalStorage::None => "none",
        },
    );
    print.put("systemd.journal.max", max.to_string());
    print.put_if("systemd.journal.forward", *forward_console);
}

fn put_network(print: &mut Fingerprint, project: &Project, choice: &NetworkChoice) {
    match choice {
        NetworkChoice::Join(networks) => {
            let joined = networks.iter().map(|(key, attachment)| {
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
                let name = spec::network_name(project, key);
                let mut text = format!("{name} {}", sorted(aliases.iter().cloned()).join(","));
                for part in [ipv4_address, ipv6_address, mac_address] {
                    let _ = write!(text, " {}", part.as_deref().unwrap_or("-"));
                }
                let _ = write!(text, " {priority}");
                // A join that says nothing of these has the text that it had before they were known.
                if !link_local_ips.is_empty() {
                    let _ = write!(text, " link-local {}", link_local_ips.join(","));
                }
                for (name, value) in driver_opts {
                    let _ = write!(text, " option {} {name}={value}", name.len() + value.len());
                }
                if let Some(interface) = interface_name {
                    let _ = write!(text, " interface {interface}");
                }
                if *gw_priority != 0 {
                    let _ = write!(text, " gateway {gw_priority}");
                }
                text
            });
            print.put_list("networks", sorted(joined));
        }
        NetworkChoice::Mode(mode) => print.put("network_mode", mode),
        NetworkChoice::Service(service) => print.put("network_mode", format!("service:{service}")),
        NetworkChoice::Container(name) => print.put("network_mode", format!("container:{name}")),
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
    let published = published.map(|range| format!("{}-{}", range.first, range.last)).unwrap_or_default();
    let host_ip = host_ip.map(|address| address.to_string()).unwrap_or_default();
    format!("{host_ip}:{published}:{target}/{protocol}")
}

fn mounted(project: &Project, entry: &Mount) -> String {
    let Mount { target, source, read_only, consistency: _ } = entry;
    let source = match source {
        MountSource::Volume { key, options } => {
            let name = spec::volume_name(project, key);
            format!("volume {name} {}{}", options.nocopy, volume_options(options))
        }
        MountSource::Anonymous(options) => {
            let nocopy = if options.nocopy { " nocopy" } else { "" };
            format!("anonymous{nocopy}{}", volume_options(options))
        }
        // Whether a missing source is made is no part of the container.
        MountSource::Bind { path, create: _, propagation, selinux, recursive } => format!(
            "bind {} {} {}{}",
            path.to_string_lossy(),
            propagation.as_deref().unwrap_or("-"),
            selinux.unwrap_or('-'),
            recursive.map(|word| format!(" recursive {}", word.as_str())).unwrap_or_default()
        ),
        MountSource::Image { reference, subpath } => {
            format!("image {reference} {}", subpath.as_deref().unwrap_or("-"))
        }
        MountSource::NamedPipe(source) => format!("pipe {}", source.as_deref().unwrap_or("-")),
        MountSource::Cluster(source) => format!("cluster {}", source.as_deref().unwrap_or("-")),
        MountSource::Tmpfs { size, mode, options } => {
            format!("tmpfs {size:?} {mode:?} {}", options.as_deref().unwrap_or("-"))
        }
    };
    format!("{target} {source}{}", if *read_only { " ro" } else { "" })
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

fn ulimit((name, limit): (&String, &Ulimit)) -> String {
    let Ulimit { soft, hard } = limit;
    format!("{name}={soft}:{hard}")
}

/// Makes the fingerprint of a network's definition.
#[must_use]
pub fn of_network(network: &Network) -> Fingerprint {
    let Network {
        key: _,
        name: _,
        external: _,
        driver,
        driver_opts,
        internal,
        attachable,
        enable_ipv4,
        enable_ipv6,
        ipam,
        labels,
    } = network;
    let mut print = Fingerprint::default();
    print.put_some("driver", driver.as_ref());
    print.put_list("driver_opts", driver_opts.iter().map(|(key, value)| format!("{key}={value}")));
    print.put_if("internal", *internal);
    print.put_if("attachable", *attachable);
    // What the engine does by itself leaves no trace.
    print.put("enable_ipv4", if *enable_ipv4 == Some(false) { "false" } else { "" });
    print.put_if("enable_ipv6", *enable_ipv6 == Some(true));
    let Ipam { driver, options, pools } = ipam;
    print.put_list("ipam", pools.iter().map(pool));
    print.put_some("ipam.driver", driver.as_ref());
    print.put_list("ipam.options", options.iter().map(|(key, value)| format!("{key}={value}")));
    print.put_list("labels", labels.iter().map(|(key, value)| format!("{key}={value}")));
    print
}

fn pool(pool: &IpamPool) -> String {
    let IpamPool { subnet, ip_range, gateway, aux_addresses } = pool;
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut text = format!("{} {} {}", part(subnet), part(ip_range), part(gateway));
    for (name, address) in aux_addresses {
        let _ = write!(text, " {name}={address}");
    }
    text
}

/// Makes the fingerprint of a volume's definition.
#[must_use]
pub fn of_volume(volume: &Volume) -> Fingerprint {
    let Volume { key: _, name: _, external: _, driver, driver_opts, labels } = volume;
    let mut print = Fingerprint::default();
    print.put_some("driver", driver.as_ref());
    print.put_list("driver_opts", driver_opts.iter().map(|(key, value)| format!("{key}={value}")));
    print.put_list("labels", labels.iter().map(|(key, value)| format!("{key}={value}")));
    print
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

fn pairs(map: &indexmap::IndexMap<String, String>) -> Vec<String> {
    sorted(map.iter().map(|(key, value)| format!("{key}={value}")))
}
