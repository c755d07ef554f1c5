//! What a test costs: hostile texts must be refused at once, on a busy machine too.

use std::time::{Duration, Instant};

/// Runs `work` and returns what it gives, where it used less than two seconds of processor time; these are
/// builds without optimisation.
pub(super) fn at_once<T>(work: impl FnOnce() -> T) -> T {
    let before = used();
    let done = work();
    let cost = used().saturating_sub(before);
    assert!(cost < Duration::from_secs(2), "took {cost:?} of processor time");
    done
}

/// Returns the processor time of this thread (proc(5), `schedstat`), so that other work does not count.
#[expect(clippy::disallowed_methods, reason = "the tests are about time")]
fn used() -> Duration {
    let first = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok());
    first.map_or_else(
        || {
            static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
            START.elapsed()
        },
        Duration::from_nanos,
    )
}
