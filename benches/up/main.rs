//! `make bench`: how long a project of ten machines takes to come up and go down, side by side in one run:
//! the floor (the same engine calls, raw and in parallel, with READY as the gate), sdcompose, and Docker
//! Compose with health checks where it is installed. Also the no-op `up` and `config` of 10,000 services.
//!
//! `SDCOMPOSE_BENCH_ENGINE=unix:///… SDCOMPOSE_BENCH_IMAGE=… cargo bench --bench up` prints a Markdown table.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads its surroundings, the clock, and prints"
)]

mod compose;
mod floor;
mod measure;
mod project;

use std::path::PathBuf;

use measure::{Sample, table};

/// What a run is measured with.
pub(crate) struct Bench {
    /// The engine's endpoint, `unix:///…`.
    pub(crate) engine: String,
    /// Whether the engine's host has cgroup v2 only.
    pub(crate) cgroup_v2: bool,
    /// A systemd image that the engine has.
    pub(crate) image: String,
    /// The binary under test.
    pub(crate) sdcompose: PathBuf,
    /// Docker Compose, where it is there.
    pub(crate) compose: Option<PathBuf>,
    /// Directory for manifests.
    pub(crate) directory: PathBuf,
    /// Counted rounds; one round before them is not counted.
    pub(crate) rounds: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Ok(engine) = std::env::var("SDCOMPOSE_BENCH_ENGINE") else {
        println!("set SDCOMPOSE_BENCH_ENGINE=unix:///path/of/docker.sock (make bench does)");
        return Ok(());
    };
    let directory = std::env::temp_dir().join(format!("sdcompose-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let bench = Bench {
        engine,
        cgroup_v2: !std::path::Path::new("/sys/fs/cgroup/systemd").exists(),
        image: std::env::var("SDCOMPOSE_BENCH_IMAGE")
            .unwrap_or_else(|_| "sdcompose-test/debian:trixie".into()),
        sdcompose: PathBuf::from(env!("CARGO_BIN_EXE_sdcompose")),
        compose: std::env::var_os("SDCOMPOSE_BENCH_COMPOSE").map(PathBuf::from),
        rounds: std::env::var("SDCOMPOSE_BENCH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5),
        directory,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let samples: Vec<Sample> = runtime.block_on(run(&bench))?;
    println!("{}", table(&samples));
    std::fs::remove_dir_all(&bench.directory)?;
    Ok(())
}

/// Runs every contestant in turn within each round, so that a drift of the machine's speed hits all alike.
async fn run(bench: &Bench) -> Result<Vec<Sample>, Box<dyn std::error::Error>> {
    let tree = project::write_tree(bench)?;
    let plain = project::write_compose(bench)?;
    let large = project::write_large(bench, 10_000)?;
    let mut samples = Vec::new();
    for round in 0..=bench.rounds {
        let counted = round > 0;
        let mut keep = |sample: Sample| {
            println!("{}{}", if counted { "" } else { "warm-up: " }, sample.line());
            if counted {
                samples.push(sample);
            }
        };
        for sample in floor::up_and_down(bench).await? {
            keep(sample);
        }
        for sample in measure::sdcompose(bench, &tree)? {
            keep(sample);
        }
        if let Some(compose) = &bench.compose {
            for sample in compose::up_and_down(bench, compose, &plain)? {
                keep(sample);
            }
        }
        for sample in measure::config(bench, &large)? {
            keep(sample);
        }
    }
    Ok(samples)
}
