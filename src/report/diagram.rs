//! The order of a project for other programs: DOT (Graphviz), Mermaid, JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::project::Project;
use crate::report::tree::condition;

/// Returns the project as a DOT graph; an edge runs from a service to what it waits for.
#[must_use]
pub fn dot(project: &Project) -> String {
    let mut out = format!("digraph {} {{\n  rankdir=LR;\n", quoted(&project.name));
    for (name, service) in &project.services {
        let shape = if service.machine.is_some() { "box" } else { "ellipse" };
        let _ = writeln!(out, "  {} [shape={shape}];", quoted(name));
    }
    for (name, service) in &project.services {
        for (other, dependency) in &service.depends_on {
            let style = if dependency.required { "" } else { ", style=dashed" };
            let label = quoted(&condition(&dependency.condition));
            let _ = writeln!(out, "  {} -> {} [label={label}{style}];", quoted(name), quoted(other));
        }
    }
    out.push_str("}\n");
    out
}

/// Quotes an identifier of the DOT language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Returns the project as a Mermaid flowchart. Its words must not be node names (`end`), so nodes are
/// numbered and named by their label.
#[must_use]
pub fn mermaid(project: &Project) -> String {
    let mut out = "flowchart LR\n".to_owned();
    for (index, (name, service)) in project.services.iter().enumerate() {
        let name = label(name);
        let _ = match service.machine {
            Some(_) => writeln!(out, "  s{index}[\"{name}\"]"),
            None => writeln!(out, "  s{index}([\"{name}\"])"),
        };
    }
    for (index, service) in project.services.values().enumerate() {
        for (other, dependency) in &service.depends_on {
            // What a profile switches off is no node.
            let Some(target) = project.services.get_index_of(other) else { continue };
            let arrow = if dependency.required { "-->" } else { "-.->" };
            let label = label(&condition(&dependency.condition));
            let _ = writeln!(out, "  s{index} {arrow}|\"{label}\"| s{target}");
        }
    }
    out
}

fn label(text: &str) -> String {
    text.replace('"', "#quot;")
}

/// Returns the project as nodes and edges.
#[must_use]
pub fn json(project: &Project) -> Value {
    let services: Vec<Value> = project
        .services
        .values()
        .map(|service| {
            json!({
                "name": service.name,
                "machine": service.machine.is_some(),
                "replicas": service.replicas,
                "image": service.image.reference(),
            })
        })
        .collect();
    let edges: Vec<Value> = project
        .services
        .values()
        .flat_map(|service| {
            service.depends_on.iter().map(|(other, dependency)| {
                json!({
                    "from": service.name,
                    "to": other,
                    "condition": condition(&dependency.condition),
                    "required": dependency.required,
                    "restart": dependency.restart,
                })
            })
        })
        .collect();
    json!({ "version": 1, "project": project.name, "services": services, "edges": edges })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn dot_names_what_is_waited_for() {
        insta::assert_snapshot!(dot(&sample::shop()), @r#"
        digraph "shop" {
          rankdir=LR;
          "web" [shape=box];
          "app" [shape=box];
          "db" [shape=box];
          "cache" [shape=ellipse];
          "web" -> "app" [label="ready"];
          "web" -> "db" [label="postgresql.service active"];
          "app" -> "db" [label="postgresql.service active"];
          "app" -> "cache" [label="started"];
        }
        "#);
    }

    #[test]
    fn mermaid_numbers_its_nodes() {
        insta::assert_snapshot!(mermaid(&sample::shop()), @r#"
        flowchart LR
          s0["web"]
          s1["app"]
          s2["db"]
          s3(["cache"])
          s0 -->|"ready"| s1
          s0 -->|"postgresql.service active"| s2
          s1 -->|"postgresql.service active"| s2
          s1 -->|"started"| s3
        "#);
    }

    #[test]
    fn json_has_services_and_edges() {
        let value = json(&sample::shop());
        assert_eq!(value["services"][3]["machine"], false);
        assert_eq!(value["edges"][0]["condition"], "ready");
    }
}
