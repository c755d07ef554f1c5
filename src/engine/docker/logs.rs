//! Reading a container's log; of a machine, that is its console.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use hyper::Method;
use serde::Deserialize;

use crate::engine::{EngineError, LogLine, LogQuery};

use super::Docker;
use super::errors::{Purpose, Trouble};
use super::frames::{Demux, Line, Lines};
use super::path::Path;
use super::wire::bare;

const DEADLINE: Duration = Duration::from_secs(30);
const SECOND: i128 = 1_000_000_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    config: Option<InspectedConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedConfig {
    #[serde(default)]
    tty: bool,
}

impl Docker {
    /// Reads a log with its times.
    pub(super) fn read_logs(
        &self,
        container: &str,
        query: &LogQuery,
    ) -> BoxStream<'static, Result<LogLine, EngineError>> {
        let told = {
            let (endpoint, what) = (self.endpoint.clone(), format!("read the log of {container}"));
            move |trouble: Trouble| trouble.of(&endpoint, Purpose::Other, what.clone())
        };
        let (docker, container, query) = (self.clone(), container.to_owned(), query.clone());
        let lines = async move {
            let tty = docker.has_terminal(&container).await?;
            docker.lines(&container, &query, tty, true).await
        };
        futures_util::stream::once(lines)
            .flat_map(|lines| match lines {
                Ok(lines) => lines,
                Err(trouble) => futures_util::stream::iter([Err(trouble)]).boxed(),
            })
            .map(move |line| {
                let Line { at, stderr, text } = line.map_err(&told)?;
                Ok(LogLine { at: at.unwrap_or_default(), stderr, text })
            })
            .boxed()
    }

    /// Tells whether a log is a terminal's: only engines from API 1.42 on say it with the log itself.
    async fn has_terminal(&self, container: &str) -> Result<bool, Trouble> {
        let path = Path::of(&["containers", container, "json"]);
        let found: Inspected = self.wire.json(bare(Method::GET, &path), DEADLINE).await?;
        Ok(found.config.is_some_and(|config| config.tty))
    }

    /// Reads a log's lines, of which it is known whether they are a terminal's.
    pub(super) async fn lines(
        &self,
        container: &str,
        query: &LogQuery,
        tty: bool,
        timed: bool,
    ) -> Result<BoxStream<'static, Result<Line, Trouble>>, Trouble> {
        let chunks = self.wire.stream(bare(Method::GET, &path(container, query, timed)), DEADLINE).await?;
        let reading = Reading {
            chunks,
            demux: Demux::new(tty),
            lines: Lines::new(timed, tty),
            found: VecDeque::new(),
            over: false,
        };
        Ok(futures_util::stream::try_unfold(reading, |mut reading| async {
            Ok(reading.next().await?.map(|line| (line, reading)))
        })
        .boxed())
    }

    /// Reads the last lines of a log, as far as it can be read.
    pub(super) async fn last_lines(&self, container: &str, tty: bool, count: u64) -> Vec<Line> {
        let query = LogQuery { tail: Some(count), ..LogQuery::default() };
        let reading = async {
            let lines = self.lines(container, &query, tty, false).await.ok()?;
            Some(lines.filter_map(|line| async { line.ok() }).collect().await)
        };
        tokio::time::timeout(DEADLINE, reading).await.ok().flatten().unwrap_or_default()
    }
}

/// A log that is read.
struct Reading {
    chunks: BoxStream<'static, Result<Bytes, Trouble>>,
    demux: Demux,
    lines: Lines,
    found: VecDeque<Line>,
    over: bool,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Line>, Trouble> {
        while self.found.is_empty() && !self.over {
            if let Some(bytes) = self.chunks.next().await {
                for chunk in self.demux.feed(bytes?).map_err(Trouble::Garbled)? {
                    self.lines.feed(chunk, &mut self.found);
                }
            } else {
                self.over = true;
                self.lines.finish(&mut self.found);
            }
        }
        Ok(self.found.pop_front())
    }
}

fn path(container: &str, query: &LogQuery, timed: bool) -> Path {
    let LogQuery { follow, tail, since, until } = query;
    let mut path = Path::of(&["containers", container, "logs"])
        .with("stdout", "1")
        .with("stderr", "1")
        .with_if("timestamps", timed)
        .with_if("follow", *follow);
    if let Some(tail) = tail {
        path = path.with("tail", &tail.to_string());
    }
    for (key, time) in [("since", since), ("until", until)] {
        if let Some(time) = time {
            path = path.with(key, &seconds(*time));
        }
    }
    path
}

/// Writes a time as both engines read it: seconds with nine digits behind the point.
pub(super) fn seconds(nanoseconds: i128) -> String {
    format!("{}.{:09}", nanoseconds.div_euclid(SECOND), nanoseconds.rem_euclid(SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_becomes_the_engines_words() {
        let query = LogQuery { follow: true, tail: Some(20), since: Some(1_500_000_000), until: None };
        assert_eq!(
            path("a", &query, true),
            Path::of(&["containers", "a", "logs"])
                .with("stdout", "1")
                .with("stderr", "1")
                .with("timestamps", "1")
                .with("follow", "1")
                .with("tail", "20")
                .with("since", "1.500000000")
        );
    }
}
