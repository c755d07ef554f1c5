//! Puts lines of many streams into the order of time: exactly, where all streams end; within a short window,
//! where they are followed.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::{self, BoxStream};
use tokio::time::Instant;

use crate::report::logs::Line;

/// How long a line of a followed stream waits for an older one of another stream.
pub(super) const WINDOW: Duration = Duration::from_millis(200);

/// Merges streams that are in order by themselves; holds one line of each.
pub(super) async fn in_order(mut streams: Vec<BoxStream<'_, Line>>) -> BoxStream<'_, Line> {
    let heads: Vec<Option<Line>> = join_all(streams.iter_mut().map(StreamExt::next)).await;
    let first = |heads: &[Option<Line>]| {
        let with_time = heads.iter().enumerate().filter_map(|(place, head)| Some((head.as_ref()?.at, place)));
        with_time.min().map(|(_, place)| place)
    };
    stream::unfold((streams, heads), move |(mut streams, mut heads)| async move {
        let place = first(&heads)?;
        let next = streams.get_mut(place)?.next().await;
        let line = heads.get_mut(place).and_then(|head| std::mem::replace(head, next))?;
        Some((line, (streams, heads)))
    })
    .boxed()
}

/// Keeps the last lines of a stream that ends.
pub(super) async fn last(mut lines: BoxStream<'_, Line>, count: u64) -> BoxStream<'static, Line> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut kept = VecDeque::new();
    while let Some(line) = lines.next().await {
        kept.push_back(line);
        if kept.len() > count {
            kept.pop_front();
        }
    }
    stream::iter(kept).boxed()
}

/// Lines that wait for older ones.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// By their own time, then in the order of arrival.
    waiting: BTreeMap<(i128, u64), (Instant, Line)>,
    arrived: u64,
}

impl Window {
    /// Takes a line that arrives now.
    pub(super) fn push(&mut self, line: Line, now: Instant) {
        self.arrived += 1;
        self.waiting.insert((line.at, self.arrived), (now, line));
    }

    /// Gives back the lines that waited long enough, and every older one, in the order of time.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Line> {
        let waited = |arrival: Instant| now.saturating_duration_since(arrival) >= WINDOW;
        let Some(newest) =
            self.waiting.iter().rev().find(|(_, (arrival, _))| waited(*arrival)).map(|(key, _)| *key)
        else {
            return Vec::new();
        };
        let later = self.waiting.split_off(&(newest.0, newest.1 + 1));
        std::mem::replace(&mut self.waiting, later).into_values().map(|(_, line)| line).collect()
    }

    /// Gives back everything.
    pub(super) fn drain(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.waiting).into_values().map(|(_, line)| line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::logs::Source;

    fn line(service: &str, at: i128) -> Line {
        Line {
            container: String::new(),
            service: service.to_owned(),
            index: 1,
            at,
            source: Source::Console,
            text: String::new(),
        }
    }

    fn stream_of(service: &str, times: &[i128]) -> BoxStream<'static, Line> {
        stream::iter(times.iter().map(|at| line(service, *at)).collect::<Vec<_>>()).boxed()
    }

    fn shown(lines: &[Line]) -> String {
        lines.iter().map(|line| format!("{}{}", line.service, line.at)).collect::<Vec<_>>().join(" ")
    }

    #[tokio::test]
    async fn streams_are_merged_by_time() {
        let streams = vec![stream_of("a", &[1, 4, 9]), stream_of("b", &[]), stream_of("c", &[2, 3, 4])];
        let lines: Vec<Line> = in_order(streams).await.collect().await;
        assert_eq!(shown(&lines), "a1 c2 c3 a4 c4 a9");
    }

    #[tokio::test]
    async fn the_last_lines_are_kept() {
        let lines: Vec<Line> = last(stream_of("a", &[1, 2, 3, 4]), 2).await.collect().await;
        assert_eq!(shown(&lines), "a3 a4");
        let lines: Vec<Line> = last(stream_of("a", &[1]), 0).await.collect().await;
        assert_eq!(shown(&lines), "");
    }

    #[tokio::test]
    async fn a_late_older_line_still_comes_first() {
        let start = Instant::now();
        let mut window = Window::default();
        window.push(line("a", 5), start);
        window.push(line("b", 3), start + WINDOW / 2);
        assert_eq!(shown(&window.due(start + WINDOW / 2)), "");
        assert_eq!(shown(&window.due(start + WINDOW)), "b3 a5");
        window.push(line("c", 9), start + WINDOW);
        window.push(line("c", 7), start + WINDOW);
        assert_eq!(shown(&window.drain()), "c7 c9");
        assert_eq!(shown(&window.drain()), "");
    }
}
