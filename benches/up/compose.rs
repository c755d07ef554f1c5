//! Docker Compose on the same tree, gated by health checks as its users do it.

use std::path::Path;
use std::process::Command;

use crate::Bench;
use crate::measure::{Sample, timed};

/// Measures `up -d --wait`, `up -d` again and `down`.
pub(crate) fn up_and_down(
    bench: &Bench,
    compose: &Path,
    manifest: &Path,
) -> Result<Vec<Sample>, Box<dyn std::error::Error>> {
    let command = |words: &[&str]| {
        let mut command = Command::new(compose);
        command.env("DOCKER_HOST", &bench.engine).arg("-f").arg(manifest).args(words);
        command
    };
    Ok(vec![
        timed("up", "Docker Compose", &mut command(&["up", "-d", "--wait"]))?,
        timed("up, nothing to do", "Docker Compose", &mut command(&["up", "-d"]))?,
        timed("down", "Docker Compose", &mut command(&["down"]))?,
    ])
}
