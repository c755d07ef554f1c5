//! The order of a project as a drawing: each service with what it waits for below it. Walks with its own
//! stack, so that a chain of thousands of services draws as well.

use std::collections::BTreeSet;

use crate::project::{Dependency, DependencyCondition, Project, Service};

/// Returns what a condition waits for, in a few words.
#[must_use]
pub fn condition(condition: &DependencyCondition) -> String {
    match condition {
        DependencyCondition::Started => "started".to_owned(),
        DependencyCondition::Healthy => "healthy".to_owned(),
        DependencyCondition::CompletedSuccessfully => "completed".to_owned(),
        DependencyCondition::Ready => "ready".to_owned(),
        DependencyCondition::UnitActive(unit) => format!("{unit} active"),
    }
}

/// Draws a project. Services that nothing waits for are the roots; a service that was drawn before is
/// only named again.
#[must_use]
pub fn draw(project: &Project) -> String {
    let waited_for: BTreeSet<&str> =
        project.services.values().flat_map(|service| service.depends_on.keys().map(String::as_str)).collect();
    let mut out = String::new();
    let mut drawn = BTreeSet::new();
    for (name, service) in &project.services {
        if !waited_for.contains(name.as_str()) {
            branch(project, service, &mut drawn, &mut out);
        }
    }
    // A project that was resolved has no cycles; should one come here, it is drawn and not lost.
    for (name, service) in &project.services {
        if !drawn.contains(name.as_str()) {
            branch(project, service, &mut drawn, &mut out);
        }
    }
    out
}

/// One line that is still to be drawn.
struct Twig<'a> {
    name: &'a str,
    wait: Option<&'a Dependency>,
    /// What stands before the branch.
    indent: String,
    last: bool,
}

fn branch<'a>(project: &'a Project, root: &'a Service, drawn: &mut BTreeSet<&'a str>, out: &mut String) {
    let mut stack = vec![Twig { name: &root.name, wait: None, indent: String::new(), last: true }];
    while let Some(Twig { name, wait, indent, last }) = stack.pop() {
        let fork = match (wait, last) {
            (None, _) => "",
            (Some(_), true) => "└─ ",
            (Some(_), false) => "├─ ",
        };
        out.push_str(&indent);
        out.push_str(fork);
        out.push_str(name);
        let service = project.services.get(name);
        out.push_str(&remark(service, wait));
        let children = service.filter(|service| !service.depends_on.is_empty());
        if children.is_some() && drawn.contains(name) {
            out.push_str("  (above)\n");
            continue;
        }
        out.push('\n');
        drawn.insert(name);
        let Some(service) = children else { continue };
        let below = match (wait, last) {
            (None, _) => String::new(),
            (Some(_), true) => format!("{indent}   "),
            (Some(_), false) => format!("{indent}│  "),
        };
        let count = service.depends_on.len();
        for (index, (name, wait)) in service.depends_on.iter().enumerate().rev() {
            stack.push(Twig { name, wait: Some(wait), indent: below.clone(), last: index + 1 == count });
        }
    }
}

fn remark(service: Option<&Service>, wait: Option<&Dependency>) -> String {
    let mut words = Vec::new();
    if let Some(wait) = wait {
        words.push(condition(&wait.condition));
        if !wait.required {
            words.push("optional".to_owned());
        }
    }
    match service {
        None => words.push("not active".to_owned()),
        Some(service) => {
            if service.machine.is_none() {
                words.push("plain container".to_owned());
            }
            if service.replicas != 1 {
                words.push(format!("{} replicas", service.replicas));
            }
        }
    }
    if words.is_empty() { String::new() } else { format!("  ({})", words.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn what_a_service_waits_for_stands_below_it() {
        insta::assert_snapshot!(draw(&sample::shop()), @r"
        web
        ├─ app  (ready)
        │  ├─ db  (postgresql.service active)
        │  └─ cache  (started, plain container)
        └─ db  (postgresql.service active)
        ");
    }

    #[test]
    fn a_branch_is_drawn_once() {
        let mut project = sample::shop();
        let app = project.services["app"].depends_on["db"].clone();
        project.services["db"].depends_on.insert("cache".to_owned(), app);
        assert_eq!(draw(&project).matches("(above)").count(), 1);
        assert_eq!(draw(&project).matches("cache").count(), 2);
    }

    #[test]
    fn a_long_chain_and_a_cycle_end() {
        let mut project = sample::shop();
        let link = project.services["app"].depends_on["db"].clone();
        let service = project.services["db"].clone();
        project.services.clear();
        for n in 0..3_000 {
            let mut service = service.clone();
            service.name = format!("s{n}");
            service.depends_on.insert(format!("s{}", (n + 1) % 3_000), link.clone());
            project.services.insert(service.name.clone(), service);
        }
        assert_eq!(draw(&project).lines().count(), 3_001);
    }
}
