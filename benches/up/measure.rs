//! Running a command as a whole process: wall time, processor time, peak memory; and the table of medians.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Bench;

/// One measured run.
pub(crate) struct Sample {
    /// What was done: `up`, `down`, `no-op up`, `config`.
    pub(crate) job: &'static str,
    /// Who did it.
    pub(crate) who: &'static str,
    /// Wall time.
    pub(crate) took: Duration,
    /// Peak resident memory in KiB; `None` where no process of its own did it.
    pub(crate) peak: Option<u64>,
    /// Number of engine calls, where they are logged.
    pub(crate) calls: Option<usize>,
}

impl Sample {
    /// Returns one line for the reader who watches.
    pub(crate) fn line(&self) -> String {
        format!("{:<24} {:<16} {:>8.3} s", self.job, self.who, self.took.as_secs_f64())
    }
}

/// Runs a command and measures it; fails with its standard error where it does not end with 0.
pub(crate) fn timed(
    job: &'static str,
    who: &'static str,
    command: &mut Command,
) -> Result<Sample, Box<dyn std::error::Error>> {
    let begin = Instant::now();
    // `/usr/bin/time` would cost a process; the kernel's own account of the child is read after its end.
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let id = child.id();
    let peak_path = format!("/proc/{id}/status");
    let watcher = std::thread::spawn(move || {
        let mut peak = None;
        while let Ok(status) = std::fs::read_to_string(&peak_path) {
            let now = status
                .lines()
                .find_map(|line| line.strip_prefix("VmHWM:"))
                .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
            if now.is_none() && peak.is_some() {
                break;
            }
            peak = peak.max(now);
            std::thread::sleep(Duration::from_millis(5));
        }
        peak
    });
    let output = child.wait_with_output()?;
    let took = begin.elapsed();
    let peak = watcher.join().unwrap_or_default();
    if !output.status.success() {
        return Err(format!("{who}: {job} failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(Sample { job, who, took, peak, calls: None })
}

/// Measures sdcompose: `up`, `up` again, `down`.
pub(crate) fn sdcompose(bench: &Bench, manifest: &Path) -> Result<Vec<Sample>, Box<dyn std::error::Error>> {
    let log = bench.directory.join("calls");
    let command = |words: &[&str]| {
        let mut command = Command::new(&bench.sdcompose);
        command
            .env("DOCKER_HOST", &bench.engine)
            .env("SDCOMPOSE_CALL_LOG", &log)
            .arg("-f")
            .arg(manifest)
            .args(words);
        command
    };
    let up = timed("up", "sdcompose", &mut command(&["up", "-d"]))?;
    let _ = std::fs::remove_file(&log);
    let mut again = timed("up, nothing to do", "sdcompose", &mut command(&["up", "-d"]))?;
    again.calls = std::fs::read_to_string(&log).ok().map(|text| text.lines().count());
    let down = timed("down", "sdcompose", &mut command(&["down"]))?;
    Ok(vec![up, again, down])
}

/// Measures `config` of a large manifest.
pub(crate) fn config(bench: &Bench, manifest: &Path) -> Result<Vec<Sample>, Box<dyn std::error::Error>> {
    let mut ours = Command::new(&bench.sdcompose);
    ours.arg("-f").arg(manifest).args(["config", "--format", "json"]);
    let samples = vec![timed("config, 10,000 services", "sdcompose", &mut ours)?];
    Ok(samples)
}

/// Renders medians (minimum to maximum) as a Markdown table, each job with its ratio to the floor.
pub(crate) fn table(samples: &[Sample]) -> String {
    let mut rows: BTreeMap<(usize, usize), Vec<&Sample>> = BTreeMap::new();
    let mut jobs: Vec<&str> = Vec::new();
    let mut contestants: Vec<&str> = Vec::new();
    for sample in samples {
        let job = place(&mut jobs, sample.job);
        let who = place(&mut contestants, sample.who);
        rows.entry((job, who)).or_default().push(sample);
    }
    let mut text = String::from(
        "| job | who | median (min–max) s | × floor | peak MiB | engine calls |\n|---|---|---|---|---|---|\n",
    );
    for ((job, who), samples) in &rows {
        let floor = contestants
            .iter()
            .position(|name| *name == "floor")
            .and_then(|floor| rows.get(&(*job, floor)))
            .map(|samples| median(samples));
        let own = median(samples);
        let times = samples.iter().map(|sample| sample.took.as_secs_f64());
        let (least, most) =
            times.fold((f64::MAX, 0.0_f64), |(least, most), one| (least.min(one), most.max(one)));
        let peak = samples.iter().filter_map(|sample| sample.peak).max();
        let calls = samples.iter().filter_map(|sample| sample.calls).max();
        let _ = writeln!(
            text,
            "| {} | {} | {own:.3} ({least:.3}–{most:.3}) | {} | {} | {} |",
            jobs[*job],
            contestants[*who],
            floor.map_or_else(|| "–".to_owned(), |floor| format!("{:.2}", own / floor)),
            peak.map_or_else(|| "–".to_owned(), |kib| format!("{}", kib.div_ceil(1024))),
            calls.map_or_else(|| "–".to_owned(), |calls| calls.to_string()),
        );
    }
    text
}

fn place<'a>(names: &mut Vec<&'a str>, name: &'a str) -> usize {
    names.iter().position(|known| *known == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}

fn median(samples: &[&Sample]) -> f64 {
    let mut times: Vec<f64> = samples.iter().map(|sample| sample.took.as_secs_f64()).collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}
