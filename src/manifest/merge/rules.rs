//! The table of paths at which merging differs from "mappings merge, lists append, scalars replace".

use std::sync::LazyLock;

/// How two values at one place become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// The later one stands, even where it is null.
    Replace,
    /// The later one stands, unless it is null.
    Switch,
    /// Mappings merge; any other pair of forms replaces.
    SwitchOrFields,
    /// Mapping or list of `KEY=VALUE`, unique by key; a null is a value.
    Pairs,
    /// Text or list of texts, appended.
    Texts,
    /// Mapping or list of hosts; equal entries once.
    Hosts,
    /// List or mapping of names.
    Names,
    /// List or mapping of services.
    Dependencies,
    /// Directory or mapping.
    Build,
    /// Options merge only under one driver.
    Logging,
    /// Address pools merge by their subnet.
    Pools,
    /// The word `all` is a list of one, behind which a list is appended; nothing merges with a later word.
    Requests,
}

/// By what the entries of a list are told apart; of equal ones the last counts, at the place of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// The whole text, and that there are equal ones is an error (`uniqueItems` of `compose-spec.json`).
    Distinct,
    /// The text before the first `=`, or the whole.
    Name,
    /// The path inside.
    Target,
    /// The path inside of a device.
    Device,
    /// Address, ports and protocol.
    Port,
    /// The path of the file.
    Path,
    /// The path of a secret or config inside, under this directory.
    Mounted(&'static str),
}

/// The rules, each at its path; `*` is any name.
const RULES: &[(&str, Option<Rule>, Option<Key>)] = &[
    ("networks.*.ipam.config", Some(Rule::Pools), None),
    ("networks.*.labels", Some(Rule::Pairs), Some(Key::Name)),
    ("volumes.*.labels", Some(Rule::Pairs), Some(Key::Name)),
    ("services.*.annotations", Some(Rule::Pairs), Some(Key::Name)),
    ("services.*.build", Some(Rule::Build), None),
    ("services.*.build.additional_contexts", Some(Rule::Pairs), Some(Key::Name)),
    ("services.*.build.args", Some(Rule::Pairs), Some(Key::Name)),
    ("services.*.build.extra_hosts", Some(Rule::Hosts), None),
    ("services.*.build.labels", Some(Rule::Pairs), Some(Key::Name)),
    ("services.*.build.tags", None, Some(Key::Name)),
    ("services.*.cap_add", None, Some(Key::Name)),
    ("services.*.cap_drop", None, Some(Key::Name)),
    ("services.*.command", Some(Rule::Replace), None),
    ("services.*.configs", None, Some(Key::Mounted(""))),
    ("services.*.depends_on", Some(Rule::Dependencies), Some(Key::Distinct)),
    ("services.*.deploy.labels", Some(Rule::Pairs), Some(Key::Name)),
    ("services.*.device_cgroup_rules", None, Some(Key::Distinct)),
    ("services.*.devices", None, Some(Key::Device)),
    ("services.*.dns", Some(Rule::Texts), Some(Key::Name)),
    ("services.*.dns_opt", Some(Rule::Texts), Some(Key::Name)),
    ("services.*.dns_search", Some(Rule::Texts), Some(Key::Name)),
    ("services.*.entrypoint", Some(Rule::Replace), None),
    ("services.*.env_file", Some(Rule::Texts), Some(Key::Path)),
    ("services.*.environment", Some(Rule::Pairs), Some(Key::Name)),
    ("services.*.expose", None, Some(Key::Name)),
    ("services.*.external_links", None, Some(Key::Distinct)),
    ("services.*.extra_hosts", Some(Rule::Hosts), Some(Key::Distinct)),
    ("services.*.group_add", None, Some(Key::Distinct)),
    ("services.*.healthcheck.test", Some(Rule::Replace), None),
    ("services.*.gpus", Some(Rule::Requests), None),
    ("services.*.label_file", Some(Rule::Texts), None),
    ("services.*.labels", Some(Rule::Pairs), Some(Key::Name)),
    ("services.*.links", None, Some(Key::Name)),
    ("services.*.logging", Some(Rule::Logging), None),
    ("services.*.models", Some(Rule::Names), None),
    ("services.*.networks", Some(Rule::Names), Some(Key::Distinct)),
    ("services.*.networks.*.aliases", None, Some(Key::Name)),
    ("services.*.networks.*.link_local_ips", None, Some(Key::Name)),
    ("services.*.ports", None, Some(Key::Port)),
    ("services.*.profiles", None, Some(Key::Name)),
    ("services.*.secrets", None, Some(Key::Mounted("/run/secrets"))),
    ("services.*.security_opt", None, Some(Key::Distinct)),
    ("services.*.sysctls", Some(Rule::Pairs), Some(Key::Name)),
    ("services.*.tmpfs", Some(Rule::Texts), Some(Key::Name)),
    ("services.*.ulimits.*", Some(Rule::Switch), None),
    ("services.*.volumes", None, Some(Key::Target)),
    ("services.*.volumes_from", None, Some(Key::Distinct)),
];

/// Rules below each `systemd:`, of a service or of the whole project, under either of its names.
const SYSTEMD: &[(&str, Option<Rule>, Option<Key>)] = &[
    ("", Some(Rule::SwitchOrFields), None),
    (".args", Some(Rule::Replace), None),
    (".credentials.*", Some(Rule::Switch), None),
    (".enable", None, Some(Key::Name)),
    (".features", None, Some(Key::Name)),
    (".mask", None, Some(Key::Name)),
    (".ready", Some(Rule::Switch), None),
];

const SYSTEMD_AT: &[&str] = &["systemd", "x-systemd", "services.*.systemd", "services.*.x-systemd"];

/// One place of the tree that has rules, or has places with rules below it.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// How values merge here.
    pub(super) rule: Option<Rule>,
    /// By what entries of a list here are unique.
    pub(super) unique: Option<Key>,
    any: Option<Box<Place>>,
    named: Vec<(&'static str, Place)>,
}

impl Place {
    /// Returns the place of an entry of a mapping here.
    pub(super) fn below(&self, key: &str) -> Option<&Self> {
        self.named.iter().find(|(name, _)| *name == key).map(|(_, place)| place).or(self.any.as_deref())
    }

    fn at(&mut self, path: &mut dyn Iterator<Item = &'static str>) -> &mut Self {
        match path.next() {
            None => self,
            Some("*") => self.any.get_or_insert_default().at(path),
            Some(name) => {
                let found = self.named.iter().position(|(other, _)| *other == name);
                let index = found.unwrap_or_else(|| {
                    self.named.push((name, Self::default()));
                    self.named.len() - 1
                });
                self.named[index].1.at(path)
            }
        }
    }

    fn set(&mut self, path: &mut dyn Iterator<Item = &'static str>, rule: Option<Rule>, unique: Option<Key>) {
        let place = self.at(path);
        place.rule = rule;
        place.unique = unique;
    }
}

/// Returns the place of the root.
pub(super) fn root() -> &'static Place {
    static ROOT: LazyLock<Place> = LazyLock::new(|| {
        let mut root = Place::default();
        for (path, rule, unique) in RULES {
            root.set(&mut path.split('.'), *rule, *unique);
        }
        for at in SYSTEMD_AT {
            for (path, rule, unique) in SYSTEMD {
                let below = path.split('.').filter(|name| !name.is_empty());
                root.set(&mut at.split('.').chain(below), *rule, *unique);
            }
        }
        root
    });
    &ROOT
}

/// Returns a place whose entries are replaced, even by null.
pub(super) fn replaced_entries() -> &'static Place {
    static PLACE: LazyLock<Place> = LazyLock::new(|| {
        let mut place = Place::default();
        place.set(&mut ["*"].into_iter(), Some(Rule::Replace), None);
        place
    });
    &PLACE
}
