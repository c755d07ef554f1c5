//! Which containers a verb is about: by service, by replica, in an order that stays.

use crate::error::Error;
use crate::observed::{ContainerState, Observed, ObservedContainer};
use crate::project::Project;
use crate::project::name::nearest;

/// Checks, before the engine is asked anything, that a project has these services.
///
/// # Errors
/// It has not, or a profile switched one of them off.
pub(super) fn of_project(project: &Project, services: &[String]) -> Result<(), Error> {
    let Some(service) = services.iter().find(|name| !project.services.contains_key(*name)) else {
        return Ok(());
    };
    if project.disabled.contains(service) {
        return Err(Error::usage(format!("the service `{service}` is switched off by its profiles"))
            .help("switch one of its profiles on by `--profile`"));
    }
    let known: Vec<String> = project.services.keys().cloned().collect();
    Err(unknown(service, &Observed::default(), &known))
}

/// Returns the containers of services (of all, where none is named) by service and replica.
///
/// # Errors
/// A named service has no container and is not among `known`.
pub(super) fn containers<'a>(
    observed: &'a Observed,
    services: &[String],
    known: &[String],
) -> Result<Vec<&'a ObservedContainer>, Error> {
    for service in services {
        let exists = observed.containers.iter().any(|container| container.labels.service == *service);
        if !exists && !known.contains(service) {
            return Err(unknown(service, observed, known));
        }
    }
    let wanted =
        |container: &&ObservedContainer| services.is_empty() || services.contains(&container.labels.service);
    let mut found: Vec<&ObservedContainer> = observed.containers.iter().filter(wanted).collect();
    let place = |container: &ObservedContainer| {
        let place = known.iter().position(|name| *name == container.labels.service);
        (place.unwrap_or(usize::MAX), container.labels.service.clone(), container.labels.index)
    };
    found.sort_by_key(|container| place(container));
    Ok(found)
}

/// Returns the running container of a service: the replica asked for, else the first that runs.
///
/// # Errors
/// There is none, with the command that would start it.
pub(super) fn running<'a>(
    observed: &'a Observed,
    service: &str,
    index: Option<u32>,
    known: &[String],
) -> Result<&'a ObservedContainer, Error> {
    let found = containers(observed, &[service.to_owned()], known)?;
    let of_index =
        |container: &&&ObservedContainer| index.is_none_or(|index| container.labels.index == index);
    let candidates: Vec<_> = found.iter().filter(of_index).copied().collect();
    if let Some(container) = candidates.iter().find(|container| container.state == ContainerState::Running) {
        return Ok(container);
    }
    let what = match (candidates.first(), index) {
        (Some(container), _) => {
            let state = container.state.as_str();
            format!("{} does not run: it is {state}", container.name)
        }
        (None, Some(index)) => format!("`{service}` has no replica {index}"),
        (None, None) => format!("`{service}` has no container"),
    };
    Err(Error::Usage { what, help: vec![format!("sdcompose up -d {service}")] })
}

/// Makes the error for a service that nobody knows.
pub(super) fn unknown(service: &str, observed: &Observed, known: &[String]) -> Error {
    let mut names: Vec<&str> = known.iter().map(String::as_str).collect();
    names.extend(observed.containers.iter().map(|container| container.labels.service.as_str()));
    names.sort_unstable();
    names.dedup();
    let error = Error::usage(format!("no such service: {service}"));
    match nearest(service, names.iter().copied()) {
        Some(name) => error.help(format!("did you mean `{name}`?")),
        None if names.is_empty() => error.help("`sdcompose up` makes containers of this project"),
        None if names.len() <= 20 => error.help(format!("services are: {}", names.join(", "))),
        None => error.help("`sdcompose config --services` lists them"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::labels::ContainerLabels;

    fn container(service: &str, index: u32, state: ContainerState) -> ObservedContainer {
        ObservedContainer {
            id: String::new(),
            name: format!("shop-{service}-{index}"),
            labels: ContainerLabels { service: service.to_owned(), index, ..ContainerLabels::default() },
            state,
            status: String::new(),
            image_id: String::new(),
            image: String::new(),
            created: 0,
            health: None,
            exit_code: None,
            ready_seen: false,

            applied: crate::observed::Applied::AsMade,
            networks: BTreeMap::new(),
            ports: Vec::new(),
            volumes: BTreeMap::new(),
        }
    }

    fn observed() -> Observed {
        let containers = vec![
            container("web", 2, ContainerState::Running),
            container("web", 1, ContainerState::Exited),
            container("db", 1, ContainerState::Created),
        ];
        Observed { containers, ..Observed::default() }
    }

    fn text(error: &Error) -> String {
        anstream::adapter::strip_str(&error.text().unwrap_or_default()).to_string()
    }

    #[test]
    fn containers_come_in_the_manifests_order() {
        let known = ["web".to_owned(), "db".to_owned()];
        let observed = observed();
        let found = containers(&observed, &[], &known).unwrap();
        let names: Vec<&str> = found.iter().map(|container| container.name.as_str()).collect();
        assert_eq!(names, ["shop-web-1", "shop-web-2", "shop-db-1"]);
    }

    #[test]
    fn the_first_replica_that_runs_is_taken() {
        let observed = observed();
        assert_eq!(running(&observed, "web", None, &[]).unwrap().name, "shop-web-2");
        let error = running(&observed, "web", Some(1), &[]).unwrap_err();
        insta::assert_snapshot!(text(&error), @r"
        error: shop-web-1 does not run: it is exited
          help: sdcompose up -d web
        ");
        let error = running(&observed, "web", Some(7), &[]).unwrap_err();
        assert!(text(&error).contains("`web` has no replica 7"));
    }

    #[test]
    fn a_misspelt_service_is_answered_with_the_right_one() {
        let error = containers(&observed(), &["wbe".to_owned()], &[]).unwrap_err();
        insta::assert_snapshot!(text(&error), @r"
        error: no such service: wbe
          help: did you mean `web`?
        ");
        assert_eq!(error.exit_code(), 2);
        let error = containers(&Observed::default(), &["x".to_owned()], &[]).unwrap_err();
        assert!(text(&error).contains("`sdcompose up` makes containers"));
    }
}
