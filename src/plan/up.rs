//! `up`: the plan that makes a project run as its manifest says, and the plan that brings its images first.

use std::time::Duration;

use crate::container::{file_objects, names, requirements};
use crate::facts::Facts;
use crate::observed::{Observed, ObservedContainer};
use crate::project::{ImageSource, Project, PullPolicy};
use crate::refusal::Refusal;

use super::draft::Draft;
use super::{Note, Plan, down, fate, order};

mod images;
mod objects;
mod replica;
mod run;
pub(super) mod waits;

pub use images::images;

#[expect(clippy::struct_excessive_bools, reason = "each is one switch of the command")]
/// What the command asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpOptions {
    /// The services; none means all. What they need comes along.
    pub services: Vec<String>,
    /// Whether what they need stays out.
    pub no_deps: bool,
    /// Whether the chosen services' containers are replaced in any case.
    pub force_recreate: bool,
    /// Whether nothing is replaced, also where it differs.
    pub no_recreate: bool,
    /// Whether containers of services that are not in the manifest any more go.
    pub remove_orphans: bool,
    /// Whether images are built in any case.
    pub build: bool,
    /// Whether images are pulled in any case.
    pub pull: bool,
    /// Whether plain containers are awaited as well, and machines that ran before.
    pub wait: bool,
    /// Whether containers are started, not only made.
    pub start: bool,
    /// Whether a replacement gets new anonymous volumes.
    pub renew_anonymous: bool,
    /// Time between stop signal and kill, in place of the manifest's.
    pub stop_timeout: Option<Duration>,
    /// Whether containers that were started from another directory are taken over.
    pub any_directory: bool,
    /// The time, in seconds since 1970, by which images are too old.
    pub now: i64,
}

impl Default for UpOptions {
    fn default() -> Self {
        Self {
            services: Vec::new(),
            no_deps: false,
            force_recreate: false,
            no_recreate: false,
            remove_orphans: false,
            build: false,
            pull: false,
            wait: false,
            start: true,
            renew_anonymous: false,
            stop_timeout: None,
            any_directory: false,
            now: 0,
        }
    }
}

/// Plans what makes the project run as its manifest says. Nothing is in it for what already is so.
///
/// # Errors
/// All that stands in the way, at once, before anything is touched: machines that cannot boot, names held by
/// strangers, external networks and volumes that are not there, a project of the same name from elsewhere.
pub fn up(
    project: &Project,
    facts: &Facts,
    observed: &Observed,
    options: &UpOptions,
) -> Result<Plan, Vec<Refusal>> {
    let mut refusals = unknown_services(project, &options.services);
    refusals.extend(elsewhere(project, observed, options));
    let order = match order::services(project, &options.services, options.no_deps) {
        Ok(order) => order,
        Err(cycle) => {
            refusals.push(cycle_refusal(&cycle));
            return Err(refusals);
        }
    };
    let groups = fate::survey(project, observed, options, &order);
    refusals.extend(foreign_names(observed, &groups));
    refusals.extend(missing_images(observed, &groups));
    refusals.extend(beyond_engine(project, facts, &groups));
    refusals.extend(without_containers(project, &groups));

    let mut run = run::Run::new(project, facts, observed, options, &groups);
    run.objects(&mut refusals);
    run.orphans(&orphans(project, observed));
    run.surplus();
    for group in &groups {
        run.group(group, &mut refusals);
    }
    if refusals.is_empty() { Ok(run.finish()) } else { Err(refusals) }
}

/// Refuses names of services that the project does not have.
pub(super) fn unknown_services(project: &Project, chosen: &[String]) -> Vec<Refusal> {
    chosen
        .iter()
        .filter(|name| !project.services.contains_key(*name))
        .map(|name| {
            if project.disabled.contains(name) {
                return Refusal::project(format!("the service `{name}` is switched off by its profiles"))
                    .help("switch one of its profiles on by `--profile`");
            }
            let refusal = Refusal::project(format!("the project has no service `{name}`"));
            let near = project
                .services
                .keys()
                .map(|known| (strsim::damerau_levenshtein(known, name), known))
                .filter(|(distance, known)| *distance <= 2 && *distance < known.len())
                .min();
            match near {
                Some((_, known)) => refusal.help(format!("did you mean `{known}`?")),
                None => refusal.help("`config --services` lists the services"),
            }
        })
        .collect()
}

pub(super) fn cycle_refusal(cycle: &[String]) -> Refusal {
    Refusal::project(format!("services wait for each other in a circle: {}", cycle.join(", ")))
        .help("remove one of the `depends_on` entries among them")
}

/// Refuses a project whose containers were started from another directory under the same name.
fn elsewhere(project: &Project, observed: &Observed, options: &UpOptions) -> Option<Refusal> {
    let here = project.directory.to_string_lossy();
    let other = |container: &&ObservedContainer| {
        !container.labels.directory.is_empty() && container.labels.directory != here
    };
    let found = observed.containers.iter().find(other).filter(|_| !options.any_directory)?;
    Some(
        Refusal::project(format!(
            "a project named `{}` runs already, started from {} (container {})",
            project.name, found.labels.directory, found.name
        ))
        .help("give this one another name: `-p NAME`, or `name:` in the manifest")
        .help(format!("or take the other one down first: `sdcompose -p {} down`", project.name)),
    )
}

/// Refuses wanted names that containers of others hold.
fn foreign_names(observed: &Observed, groups: &[fate::Group<'_>]) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for group in groups {
        for replica in &group.replicas {
            let takes_name = replica.fate.makes() || !replica.mends.is_empty();
            if let Some(holder) = observed.foreign_names.get(&replica.name).filter(|_| takes_name) {
                refusals.push(
                    Refusal::of(
                        &group.service.name,
                        format!(
                            "the name `{}` is held by a container that is not of this project ({holder})",
                            replica.name
                        ),
                    )
                    .help(
                        "rename or remove that container, or choose another name by `container_name` or `-p`",
                    ),
                );
            }
        }
    }
    refusals
}

/// Refuses what containers that are made would need of a newer engine, or of another one.
fn beyond_engine(project: &Project, facts: &Facts, groups: &[fate::Group<'_>]) -> Vec<Refusal> {
    let makes = |group: &&fate::Group<'_>| group.replicas.iter().any(|replica| replica.fate.makes());
    let refused = |group: &fate::Group<'_>| {
        let mut refusals = requirements::of_service(group.service, facts);
        refusals.extend(file_objects::refusals(project, group.service, facts));
        refusals
    };
    groups.iter().filter(makes).flat_map(refused).collect()
}

/// Refuses images that are not there and may not be pulled.
fn missing_images(observed: &Observed, groups: &[fate::Group<'_>]) -> Vec<Refusal> {
    let never = |group: &&fate::Group<'_>| group.service.pull_policy == PullPolicy::Never;
    let makes = |group: &&fate::Group<'_>| group.replicas.iter().any(|replica| replica.fate.makes());
    groups
        .iter()
        .filter(never)
        .filter(makes)
        .filter_map(|group| match &group.service.image {
            ImageSource::Reference(reference) if !observed.images.contains_key(reference) => {
                let what = format!(
                    "the image `{reference}` is not there, and `pull_policy: never` forbids to pull it"
                );
                let refusal = Refusal::of(&group.service.name, what);
                Some(refusal.help("bring the image to the engine, or leave `pull_policy` out"))
            }
            ImageSource::Reference(_) | ImageSource::Build { .. } => None,
        })
        .collect()
}

/// Refuses to wait for services that have no containers, as Docker Compose does ("is missing dependency").
fn without_containers(project: &Project, groups: &[fate::Group<'_>]) -> Vec<Refusal> {
    let is_empty = |name: &str| project.services.get(name).is_some_and(|service| service.replicas == 0);
    groups
        .iter()
        .filter(|group| group.service.replicas > 0)
        .flat_map(|group| group.service.depends_on.iter().map(|(name, how)| (group.service, name, how)))
        .filter(|(_, name, how)| how.required && is_empty(name))
        .map(|(service, name, _)| {
            let what = format!("`{}` depends on `{name}`, which has 0 replicas", service.name);
            Refusal::of(&service.name, what)
                .help(format!("give it one (`--scale {name}=1`), or write `required: false`"))
        })
        .collect()
}

/// Containers of services that the manifest does not have (any more). Services that a profile switched off
/// are in the manifest.
pub(super) fn orphans<'a>(project: &Project, observed: &'a Observed) -> Vec<&'a ObservedContainer> {
    observed
        .containers
        .iter()
        .filter(|container| {
            let service = &container.labels.service;
            !project.services.contains_key(service) && !project.disabled.contains(service)
        })
        .collect()
}

/// Adds the remark on orphans that stay.
pub(super) fn note_orphans(draft: &mut Draft, orphans: &[&ObservedContainer]) {
    if !orphans.is_empty() {
        let mut containers: Vec<String> = orphans.iter().map(|container| container.name.clone()).collect();
        containers.sort();
        draft.note(Note::Orphans { containers });
    }
}

/// Returns the name under which a container is at the end of its recovery.
fn settled_name(name: &str) -> &str {
    names::set_aside(name).unwrap_or(name)
}
