//! The plan that comes before `up`: images are built, pulled and looked into, so that `up` knows their ids and
//! their systemd.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::facts::Facts;
use crate::observed::Observed;
use crate::project::{ImageSource, MountSource, Project, PullPolicy, Service};
use crate::refusal::Refusal;

use super::super::draft::Draft;
use super::super::{Action, Plan, Reason, StepId, buildable, fate, order};
use super::UpOptions;

/// Plans what brings the images: builds, pulls, and looks into those whose systemd is not known and that a
/// machine will be made from. Empty where all is there.
///
/// # Errors
/// What keeps images that are to be built from being built.
pub fn images(
    project: &Project,
    facts: &Facts,
    observed: &Observed,
    options: &UpOptions,
) -> Result<Plan, Vec<Refusal>> {
    // A cycle is refused by `up`; images do not depend on each other.
    let order = order::services(project, &options.services, options.no_deps)
        .unwrap_or_else(|_| project.services.keys().cloned().collect());
    let groups = fate::survey(project, facts, observed, options, &order);
    let mut draft = Draft::default();
    let mut refusals = Vec::new();
    let mut brought: BTreeMap<&str, StepId> = BTreeMap::new();
    for group in &groups {
        let reference = group.service.image.reference();
        if brought.contains_key(reference) {
            continue;
        }
        if let Some((action, reason)) = bring(group.service, observed, options) {
            if let Action::Build { service, tag: _, build } = &action {
                refusals.extend(buildable::refusals(service, build));
            }
            brought.insert(reference, draft.step(action, reason, None));
        }
    }
    for (service, reference) in mounted(&groups) {
        let absent = !observed.images.contains_key(reference) && !reference.is_empty();
        if absent && service.pull_policy != PullPolicy::Never && !brought.contains_key(reference) {
            let action = Action::Pull { reference: reference.to_owned(), platform: service.platform.clone() };
            brought.insert(reference, draft.step(action, Reason::Absent, None));
        }
    }
    let mut looked: BTreeSet<&str> = BTreeSet::new();
    for group in groups.iter().filter(|group| group.service.machine.is_some()) {
        let reference = group.service.image.reference();
        let made = brought.get(reference).copied();
        let image = observed.images.get(reference);
        let unseen = image.is_none_or(|image| image.facts.is_none());
        let wanted = group.replicas.iter().any(|replica| replica.fate.makes());
        let there = image.is_some() || made.is_some();
        if there && (made.is_some() || (unseen && wanted)) && looked.insert(reference) {
            let action = Action::Look { reference: reference.to_owned() };
            draft.step(action, Reason::Unseen, made);
        }
    }
    if refusals.is_empty() { Ok(draft.finish()) } else { Err(refusals) }
}

/// The images that containers which are made mount, with the service of each.
fn mounted<'a>(groups: &[fate::Group<'a>]) -> Vec<(&'a Service, &'a str)> {
    let makes = |group: &&fate::Group<'_>| group.replicas.iter().any(|replica| replica.fate.makes());
    let services = groups.iter().filter(makes).map(|group| group.service);
    services
        .flat_map(|service| service.mounts.iter().map(move |mount| (service, &mount.source)))
        .filter_map(|(service, source)| match source {
            MountSource::Image { reference, subpath: _ } => Some((service, reference.as_str())),
            MountSource::Volume { .. }
            | MountSource::Anonymous(_)
            | MountSource::Bind { .. }
            | MountSource::Tmpfs { .. }
            | MountSource::NamedPipe(_)
            | MountSource::Cluster(_) => None,
        })
        .collect()
}

/// Tells whether an image was given its name so long ago; also where the engine does not say when.
fn is_old(observed: &Observed, reference: &str, age: Duration, now: i64) -> bool {
    let tagged = observed.images.get(reference).and_then(|image| image.tagged);
    let age = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
    tagged.is_none_or(|tagged| tagged.saturating_add(age) < now)
}

/// Says how an image is brought, and why; `None` where it is there, or may not be.
fn bring(service: &Service, observed: &Observed, options: &UpOptions) -> Option<(Action, Reason)> {
    let absent = !observed.images.contains_key(service.image.reference());
    match &service.image {
        ImageSource::Build { tag, build } => {
            let asked = options.build || service.pull_policy == PullPolicy::Build;
            let reason = if asked { Reason::BuildRequested } else { Reason::Absent };
            let build = buildable::of(service, build);
            let action = Action::Build { service: service.name.clone(), tag: tag.clone(), build };
            (asked || absent).then_some((action, reason))
        }
        ImageSource::Reference(reference) => {
            let platform = service.platform.clone();
            let pull = |reason| {
                Some((Action::Pull { reference: reference.clone(), platform: platform.clone() }, reason))
            };
            match service.pull_policy {
                PullPolicy::Never => None,
                PullPolicy::Always => pull(Reason::PullPolicy),
                PullPolicy::Missing | PullPolicy::Build | PullPolicy::Every(_) if options.pull => {
                    pull(Reason::PullPolicy)
                }
                PullPolicy::Missing | PullPolicy::Build => absent.then(|| pull(Reason::Absent)).flatten(),
                PullPolicy::Every(_) if absent => pull(Reason::Absent),
                PullPolicy::Every(age) => {
                    is_old(observed, reference, age, options.now).then(|| pull(Reason::PullPolicy)).flatten()
                }
            }
        }
    }
}
