//! THE table: what a systemd container needs on which engine, with which systemd, and why.
//!
//! [`decide`] takes what is known of the engine and of the image and what the manifest wishes, and returns
//! the least privilege that boots, each choice with its reason and its source; or it refuses, with a way
//! out, before anything is created. All rows are data: a new engine is a new row.
//!
//! Measured: Docker 20.10 and 28.5, Podman 4.3 and 5.8, cgroup v1 (hybrid) and v2, both cgroup drivers,
//! with `AppArmor` and without, against Debian images of systemd 247, 252, 254, 257 and 262.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{EngineKind, Facts, ImageFacts, ImageSystemd};
use crate::refusal::Refusal;
use crate::systemd::UnitName;
use crate::systemd::privilege::{Feature, Privilege, ProfileName};

pub mod boot;
pub mod errors;
pub mod grants;
pub mod masks;
pub mod profiles;
pub mod rows;

#[cfg(test)]
mod tests;

use grants::Grant;
use rows::Outcome;

/// Paths at which images have systemd, in the order in which they are looked for. The first is the merged
/// `/usr` of today's distributions, the last the one that `systemd-sysv` makes.
pub const INIT_CANDIDATES: [&str; 5] =
    ["/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/usr/bin/init", "/usr/sbin/init", "/sbin/init"];

#[expect(clippy::struct_excessive_bools, reason = "each is one independent wish of the manifest")]
/// What a manifest wishes for one machine, as far as it decides how systemd boots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The service, for refusals.
    pub service: String,
    /// The container's name; the parent cgroup is named after it.
    pub container: String,
    /// `systemd.privilege`.
    pub privilege: Privilege,
    /// `systemd.features`.
    pub features: BTreeSet<Feature>,
    /// `systemd.init`.
    pub init: Option<String>,
    /// `cap_add`, without `CAP_`, in upper case.
    pub cap_add: Vec<String>,
    /// `security_opt`, as written.
    pub security_opt: Vec<String>,
    /// `privileged: true`.
    pub privileged: bool,
    /// `userns_mode: host`.
    pub host_users: bool,
    /// `runtime`.
    pub runtime: Option<String>,
    /// Whether a limit on memory, processors or processes is set.
    pub limited: bool,
    /// Whether the list of units that do nothing in a container is masked.
    pub mask_defaults: bool,
    /// Units that the manifest names (enables, or gives files for): never masked by default.
    pub own_units: BTreeSet<UnitName>,
    /// Whether the journal lives in memory only.
    pub volatile_journal: bool,
    /// Mount targets that the manifest fills by itself.
    pub own_targets: BTreeSet<String>,
}

impl Wish {
    /// Tells whether something asks for `CAP_SYS_ADMIN` for the machine's units.
    #[must_use]
    pub fn admin(&self) -> bool {
        self.admin_asked_by().is_some()
    }

    /// Names what asks for `CAP_SYS_ADMIN`, in the manifest's words.
    #[must_use]
    pub fn admin_asked_by(&self) -> Option<String> {
        let features: Vec<&str> = self
            .features
            .iter()
            .filter(|feature| grants::needs_admin(**feature))
            .map(|feature| feature.as_str())
            .collect();
        if !features.is_empty() {
            return Some(format!("systemd.features: [{}]", features.join(", ")));
        }
        let capability = self.cap_add.iter().find(|name| matches!(name.as_str(), "SYS_ADMIN" | "ALL"))?;
        Some(format!("cap_add: [{capability}]"))
    }
}

/// How one machine boots: every default with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Which way PID 1 gets its cgroup.
    pub profile: ProfileName,
    /// Path of systemd.
    pub init: String,
    /// Version of systemd, where it is known.
    pub version: Option<u16>,
    /// What the profile and the features add to the container.
    pub grant: Grant,
    /// Executable and first arguments; systemd's own arguments follow behind.
    pub entrypoint: Vec<String>,
    /// Tmpfs mounts: target and options.
    pub tmpfs: BTreeMap<String, String>,
    /// Environment of PID 1, beside the notify socket and the identity.
    pub environment: BTreeMap<String, String>,
    /// Units masked because they do nothing or harm in a container.
    pub masks: Vec<UnitName>,
    /// Whether the machine gets the drop-in that lets hardened units start without `CAP_SYS_ADMIN`.
    pub relief: bool,
    /// Whether root inside can raise the container's limits.
    pub advisory_limits: bool,
    /// Every choice, explained.
    pub choices: Vec<Choice>,
    /// What the user should know.
    pub remarks: Vec<String>,
}

/// One choice with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What was chosen, in a few words (`cgroup namespace`).
    pub what: String,
    /// The value.
    pub value: String,
    /// Why.
    pub reason: String,
    /// Where the fact can be checked.
    pub source: String,
}

impl Choice {
    /// Makes a choice.
    #[must_use]
    pub fn new(what: &str, value: impl Into<String>, reason: &str, source: &str) -> Self {
        Self {
            what: what.to_owned(),
            value: value.into(),
            reason: reason.to_owned(),
            source: source.to_owned(),
        }
    }
}

/// Decides how a machine boots.
///
/// `image` is `None` where nobody has looked into it yet: then the newest systemd that can run on the host
/// is assumed, and a remark says so.
///
/// # Errors
/// Refuses where no safe way is known, or where the manifest's wish cannot work on this engine.
pub fn decide(facts: &Facts, image: Option<&ImageFacts>, wish: &Wish) -> Result<Decision, Refusal> {
    let (init, version) = systemd_of(image, wish)?;
    let row = choose(facts, version, wish)?;
    profiles::refuse_unsafe(row.profile, facts, wish)?;
    let grant = grants::grant(row.profile, facts, version, wish);
    let relief = !grant.admin && version.is_none_or(|version| version >= boot::RELIEF_SINCE);
    let advisory_limits = wish.limited && profiles::limits_are_advisory(row.profile);
    let mut decision = Decision {
        profile: row.profile,
        entrypoint: boot::entrypoint(&init, facts, &grant),
        tmpfs: boot::tmpfs(&wish.own_targets),
        environment: boot::environment(facts),
        masks: masks::for_machine(wish),
        choices: Vec::new(),
        remarks: row.remarks,
        init,
        version,
        grant,
        relief,
        advisory_limits,
    };
    if image.is_none() {
        decision
            .remarks
            .push("the image was never looked into: its systemd's path and version are assumed".to_owned());
    }
    decision.choices = explain(&decision, facts, wish, row.why, row.source);
    Ok(decision)
}

/// The profile that was found, with its reason.
struct Chosen {
    profile: ProfileName,
    why: String,
    source: &'static str,
    remarks: Vec<String>,
}

/// Finds systemd in the image, or assumes it where nobody has looked.
fn systemd_of(image: Option<&ImageFacts>, wish: &Wish) -> Result<(String, Option<u16>), Refusal> {
    let found = match image {
        Some(ImageFacts { id: _, systemd: Some(ImageSystemd { init, version }) }) => Some((init, *version)),
        Some(ImageFacts { id: _, systemd: None }) if wish.init.is_none() => {
            return Err(errors::no_systemd(wish));
        }
        None | Some(ImageFacts { id: _, systemd: None }) => None,
    };
    let version = found.and_then(|(_, version)| version);
    let init = wish.init.clone().or_else(|| found.map(|(init, _)| init.clone()));
    Ok((init.unwrap_or_else(|| "/sbin/init".to_owned()), version))
}

/// Takes the profile that the manifest names, or the first row that fits.
fn choose(facts: &Facts, version: Option<u16>, wish: &Wish) -> Result<Chosen, Refusal> {
    let fixed = match wish.privilege {
        Privilege::Auto if wish.privileged => Some(ProfileName::Privileged),
        Privilege::Auto => None,
        Privilege::Fixed(profile) => Some(profile),
    };
    if let Some(profile) = fixed {
        profiles::refuse_misfit(profile, facts, version, wish)?;
        let word = if wish.privilege == Privilege::Auto { "privileged: true" } else { "systemd.privilege" };
        return Ok(Chosen {
            profile,
            why: format!("the manifest asks for it by `{word}`; {}", profiles::gist(profile)),
            source: "the manifest",
            remarks: Vec::new(),
        });
    }
    let Some(row) = rows::first_match(facts, version, wish) else {
        return Err(errors::nothing_fits(facts, wish));
    };
    match row.outcome {
        Outcome::Profile(profile) => Ok(Chosen {
            profile,
            why: row.why.to_owned(),
            source: row.source,
            remarks: row.remark.iter().map(|&remark| remark.to_owned()).collect(),
        }),
        Outcome::Refuse(kind) => Err(errors::refusal(kind, facts, version, wish)),
    }
}

/// Lists every choice with its reason.
fn explain(decision: &Decision, facts: &Facts, wish: &Wish, why: String, source: &str) -> Vec<Choice> {
    let mut choices = vec![Choice {
        what: "privilege".to_owned(),
        value: decision.profile.as_str().to_owned(),
        reason: why,
        source: source.to_owned(),
    }];
    choices.extend(grants::explain(&decision.grant));
    choices.extend(boot::explain(decision, facts));
    choices.extend(masks::explain(&decision.masks));
    if decision.advisory_limits {
        choices.push(Choice::new(
            "limits",
            "advisory",
            "the machine sees the host's cgroup namespace, so that its root can raise its own limits",
            "measured on Docker 20.10 and 28.5, cgroup v2",
        ));
    }
    if facts.selinux && !decision.grant.privileged && wish.security_opt.iter().all(|o| o != "label=disable") {
        choices.push(Choice::new(
            "SELinux",
            "enforced",
            "if PID 1 reports \"Permission denied\" on its cgroup: `setsebool -P container_manage_cgroup true`",
            "podman-run(1), --systemd",
        ));
    }
    choices
}

/// Tells the engine's name as systemd's `container=` wants it.
fn engine_word(engine: EngineKind) -> &'static str {
    match engine {
        EngineKind::Docker => "docker",
        EngineKind::Podman => "podman",
    }
}
