//! In which order services are taken: each behind those that it needs, else as they stand in the manifest.

use std::collections::{BTreeMap, BTreeSet};

use crate::container::spec::needs;
use crate::graph::Graph;
use crate::project::Project;

/// Returns the names of the chosen services and, unless told otherwise, of all that they need, in an order in
/// which each stands behind its needs. No choice means all.
///
/// # Errors
/// Returns the names of a cycle.
pub fn services(project: &Project, chosen: &[String], alone: bool) -> Result<Vec<String>, Vec<String>> {
    let all = Graph::new(project.services.iter().map(|(name, service)| (name.as_str(), needs(service))));
    let picked: Vec<usize> = if chosen.is_empty() {
        (0..project.services.len()).collect()
    } else {
        chosen.iter().filter_map(|name| all.number(name)).collect()
    };
    let wanted = if alone { picked.into_iter().collect::<BTreeSet<_>>() } else { all.with_needs(picked) };
    // Among the wanted alone, so that a cycle elsewhere is not in the way.
    let part = project
        .services
        .iter()
        .filter(|(name, _)| all.number(name).is_some_and(|number| wanted.contains(&number)));
    let graph = Graph::new(part.map(|(name, service)| (name.as_str(), needs(service))));
    match graph.cycles().first() {
        Some(cycle) => Err(cycle.iter().map(|number| graph.name(*number).to_owned()).collect()),
        None => Ok(graph.order().into_iter().map(|number| graph.name(number).to_owned()).collect()),
    }
}

/// Gives each service a rank by the needs that labels tell: a service has a higher rank than what it needs. A
/// cycle (two versions of a manifest, say) leaves its members' order open.
#[must_use]
pub fn ranks(needs: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, usize> {
    let graph = Graph::new(needs.iter().map(|(name, own)| (name.as_str(), own.iter().map(String::as_str))));
    graph
        .order()
        .into_iter()
        .enumerate()
        .map(|(rank, number)| (graph.name(number).to_owned(), rank))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::sketch::project;

    fn ordered(text: &str, chosen: &str, alone: bool) -> String {
        let chosen: Vec<String> = chosen.split_whitespace().map(str::to_owned).collect();
        match services(&project(text), &chosen, alone) {
            Ok(names) => names.join(" "),
            Err(cycle) => format!("cycle: {}", cycle.join(" ")),
        }
    }

    #[test]
    fn needs_come_first_and_the_rest_keeps_its_order() {
        assert_eq!(ordered("web needs=db\ndb\ncache", "", false), "db web cache");
        assert_eq!(ordered("c\nb\na", "", false), "c b a");
        assert_eq!(ordered("a share=b\nb", "", false), "b a");
    }

    #[test]
    fn the_chosen_bring_what_they_need_unless_alone() {
        assert_eq!(ordered("web needs=db\ndb\ncache", "web", false), "db web");
        assert_eq!(ordered("web needs=db\ndb\ncache", "web", true), "web");
    }

    #[test]
    fn a_cycle_is_named_where_it_is_in_the_way() {
        assert_eq!(ordered("c\na needs=b\nb needs=a", "", false), "cycle: a b");
        assert_eq!(ordered("c\na needs=b\nb needs=a", "c", false), "c");
    }
}
