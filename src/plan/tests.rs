//! Plans as text: a project in a few words, a world that earlier plans made, and the plan that follows.

use crate::container::sketch::{facts, image, project};
use crate::facts::Facts;
use crate::observed::{ContainerState, Health, Observed, ObservedImage};
use crate::project::Project;

use super::change::{self, ChangeOptions};
use super::down::{DownOptions, down};
use super::up::{UpOptions, images, unclear, up};
use super::{Plan, Refusal, check, text};

mod changes;
mod downs;
mod fields;
mod hooks;
mod images;
mod in_place;
mod lint;
mod properties;
mod recovery;
mod replacing;
mod settings;
mod ups;
mod world;

use world::World;

/// The plan of `up` as text, linted; its refusals where it is refused.
fn planned(project: &Project, world: &World, options: &UpOptions) -> String {
    match up_in(world, project, options) {
        Ok(plan) => {
            assert_eq!(check::check(&plan), [], "{}", text::text(&plan));
            text::text(&plan)
        }
        Err(refusals) => refused(&refusals),
    }
}

/// The plan of `up` in a world, looked at as closely as the plan needs.
fn up_in(world: &World, project: &Project, options: &UpOptions) -> Result<Plan, Vec<Refusal>> {
    let mut observed = world.observed.clone();
    observed.closer = world.closer(&unclear(project, &world.facts, &observed, options));
    up(project, &world.facts, &observed, options)
}

fn refused(refusals: &[Refusal]) -> String {
    refusals
        .iter()
        .map(|refusal| {
            let service = refusal.service.as_deref().map(|name| format!("{name}: ")).unwrap_or_default();
            format!("refused: {service}{refusal}")
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn plan_of(text: &str, world: &World) -> String {
    planned(&project(text), world, &UpOptions::default())
}

/// Compares a plan with what is wanted, written with the indentation of the test.
#[track_caller]
fn same(shown: &str, wanted: &str) {
    let wanted: Vec<&str> = wanted.lines().map(str::trim_end).skip_while(|line| line.is_empty()).collect();
    let indent = wanted.iter().filter(|line| !line.is_empty()).map(|l| l.len() - l.trim_start().len()).min();
    let cut = |line: &&str| line.get(indent.unwrap_or(0)..).unwrap_or("").to_owned();
    let mut wanted: Vec<String> = wanted.iter().map(cut).collect();
    while wanted.last().is_some_and(String::is_empty) {
        wanted.pop();
    }
    let shown = shown.trim_end();
    assert_eq!(shown, wanted.join("\n"), "\n--- shown:\n{shown}\n---");
}
