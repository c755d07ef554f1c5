//! In which order services are taken: each behind those that it needs, else as they stand in the manifest.

use std::collections::{BTreeMap, BTreeSet};

use crate::container::spec::needs;
use crate::project::Project;

/// Puts names into an order in which each stands behind those that it needs, and keeps their own order
/// wherever that leaves a choice. Needs that are not among the names do not count.
///
/// # Errors
/// Returns the names that are part of a cycle or stand behind one.
pub fn stable(names: &[String], needs: &BTreeMap<String, Vec<String>>) -> Result<Vec<usize>, Vec<String>> {
    let place: BTreeMap<&str, usize> =
        names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let mut waiting_for = vec![0_usize; names.len()];
    let mut unblocks: Vec<Vec<usize>> = vec![Vec::new(); names.len()];
    for (at, name) in names.iter().enumerate() {
        let own: BTreeSet<usize> = needs
            .get(name)
            .into_iter()
            .flatten()
            .filter_map(|need| place.get(need.as_str()).copied())
            .collect();
        waiting_for[at] = own.len();
        for need in own {
            unblocks[need].push(at);
        }
    }
    let mut ready: BTreeSet<usize> = (0..names.len()).filter(|at| waiting_for[*at] == 0).collect();
    let mut order = Vec::with_capacity(names.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for &next in &unblocks[at] {
            waiting_for[next] -= 1;
            if waiting_for[next] == 0 {
                ready.insert(next);
            }
        }
    }
    if order.len() == names.len() {
        return Ok(order);
    }
    Err(names.iter().zip(&waiting_for).filter(|(_, left)| **left > 0).map(|(name, _)| name.clone()).collect())
}

/// Returns the names of the chosen services and, unless told otherwise, of all that they need, in an order in
/// which each stands behind its needs. No choice means all.
///
/// # Errors
/// Returns the names of a cycle.
pub fn services(project: &Project, chosen: &[String], alone: bool) -> Result<Vec<String>, Vec<String>> {
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&str> = if chosen.is_empty() {
        project.services.keys().map(String::as_str).collect()
    } else {
        chosen.iter().map(String::as_str).collect()
    };
    while let Some(name) = open.pop() {
        let Some(service) = project.services.get(name) else { continue };
        if wanted.insert(name) && !alone {
            open.extend(needs(service));
        }
    }
    let names: Vec<String> =
        project.services.keys().filter(|name| wanted.contains(name.as_str())).cloned().collect();
    let edges = project
        .services
        .iter()
        .map(|(name, service)| (name.clone(), needs(service).map(str::to_owned).collect()))
        .collect();
    let order = stable(&names, &edges)?;
    Ok(order.into_iter().map(|at| names[at].clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(names: &str, edges: &[(&str, &str)]) -> Result<String, String> {
        let names: Vec<String> = names.split(' ').map(str::to_owned).collect();
        let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, need) in edges {
            needs.entry((*name).to_owned()).or_default().push((*need).to_owned());
        }
        match stable(&names, &needs) {
            Ok(order) => Ok(order.into_iter().map(|at| names[at].clone()).collect::<Vec<_>>().join(" ")),
            Err(cycle) => Err(cycle.join(" ")),
        }
    }

    #[test]
    fn needs_come_first_and_the_rest_keeps_its_order() {
        assert_eq!(ordered("web db cache", &[("web", "db")]), Ok("db web cache".to_owned()));
        assert_eq!(ordered("c b a", &[]), Ok("c b a".to_owned()));
        assert_eq!(ordered("a b", &[("a", "elsewhere")]), Ok("a b".to_owned()));
    }

    #[test]
    fn a_cycle_is_named() {
        assert_eq!(ordered("a b c d", &[("a", "b"), ("b", "a"), ("c", "d")]), Err("a b".to_owned()));
    }
}
