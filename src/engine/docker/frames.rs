//! Taking apart what the engine streams: frames of standard output and error, lines, and times in front of
//! lines. Pure. A terminal's stream has no frames and must never be read for any: a NUL byte at its start
//! would look like a frame's header.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use crate::engine::Chunk;

/// A longer frame is no frame but lost step. Docker's are at most 16 KiB and 31 bytes of time for logs
/// (moby `daemon/logger/copier.go`) and 32 KiB for commands.
const LONGEST_FRAME: usize = 1 << 20;
/// A longer line is handed over in pieces, so that one without an end costs no memory without end.
const LONGEST_LINE: usize = 1 << 20;
/// Long lines are cut into entries of these sizes, each with a time of its own: by Podman (measured on 4.3)
/// and by dockerd (moby `daemon/logger/copier.go`). On a terminal, Podman cuts wherever a read ended, which
/// cannot be told from text.
const ENTRIES: [usize; 2] = [8 << 10, 16 << 10];

/// Splits a stream into pieces of standard output and error.
#[derive(Debug)]
pub(super) enum Demux {
    /// A terminal: everything is output.
    Raw,
    /// Frames of 8 bytes of header (stream, three zeros, length) and their payload.
    Framed(BytesMut),
}

impl Demux {
    pub(super) fn new(tty: bool) -> Self {
        if tty { Self::Raw } else { Self::Framed(BytesMut::new()) }
    }

    /// Takes in bytes and gives out whole pieces.
    ///
    /// # Errors
    /// Says why the bytes are no frames.
    pub(super) fn feed(&mut self, bytes: Bytes) -> Result<Vec<Chunk>, String> {
        let Self::Framed(held) = self else { return Ok(vec![Chunk::Out(bytes)]) };
        held.extend_from_slice(&bytes);
        let mut chunks = Vec::new();
        while held.len() >= 8 {
            let stream = held[0];
            let length = u32::from_be_bytes([held[4], held[5], held[6], held[7]]) as usize;
            if stream > 3 || held[1..4] != [0, 0, 0] || length > LONGEST_FRAME {
                return Err(format!("{:02x?} is no header of a frame", &held[..8]));
            }
            if held.len() < 8 + length {
                break;
            }
            held.advance(8);
            let payload = held.split_to(length).freeze();
            // 3 is an error of the engine itself within the stream (moby `pkg/stdcopy`).
            chunks.push(if stream >= 2 { Chunk::Err(payload) } else { Chunk::Out(payload) });
        }
        Ok(chunks)
    }
}

/// A line of a log, as far as it is known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Nanoseconds since 1970; `None` where no time stood in front.
    pub(super) at: Option<i128>,
    pub(super) stderr: bool,
    pub(super) text: Bytes,
}

/// Puts lines together from pieces, for each of the two streams by itself.
#[derive(Debug)]
pub(super) struct Lines {
    times: Times,
    out: Half,
    err: Half,
}

/// Where times stand in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Times {
    Nowhere,
    /// In front of each frame.
    Framed,
    /// In front of each entry of a terminal, whose ends are not marked within a line.
    Raw,
}

#[derive(Debug, Default)]
struct Half {
    held: BytesMut,
    /// How much of `held` was searched already.
    seen: usize,
    /// The line so far, of entries before the one in `held`.
    line: BytesMut,
    at: Option<i128>,
}

impl Lines {
    /// `timed` says whether each entry has its time in front, `tty` whether it is a terminal's.
    pub(super) fn new(timed: bool, tty: bool) -> Self {
        let place = match (timed, tty) {
            (false, _) => Times::Nowhere,
            (true, false) => Times::Framed,
            (true, true) => Times::Raw,
        };
        Self { times: place, out: Half::default(), err: Half::default() }
    }

    /// Takes in a piece and gives out whole lines.
    pub(super) fn feed(&mut self, chunk: Chunk, lines: &mut VecDeque<Line>) {
        match chunk {
            Chunk::Out(bytes) => self.out.feed(&bytes, self.times, false, lines),
            Chunk::Err(bytes) => self.err.feed(&bytes, self.times, true, lines),
        }
    }

    /// Gives out what is left at the end of the stream.
    pub(super) fn finish(&mut self, lines: &mut VecDeque<Line>) {
        self.out.finish(self.times, false, lines);
        self.err.finish(self.times, true, lines);
    }
}

impl Half {
    fn feed(&mut self, mut bytes: &[u8], times: Times, stderr: bool, lines: &mut VecDeque<Line>) {
        if times == Times::Framed
            && let Some((at, text)) = split_time(bytes)
        {
            // Of a line in several frames, the first one's time counts.
            self.at.get_or_insert(at);
            bytes = text;
        }
        self.held.extend_from_slice(bytes);
        while let Some(end) = self.held[self.seen..].iter().position(|&byte| byte == b'\n') {
            let entry = self.held.split_to(self.seen + end + 1);
            self.seen = 0;
            self.take(&entry, times);
            self.emit(stderr, lines);
        }
        self.seen = self.held.len();
        if self.held.len() > LONGEST_LINE {
            let entry = self.held.split();
            self.seen = 0;
            self.take(&entry, times);
            self.emit(stderr, lines);
        }
    }

    fn finish(&mut self, times: Times, stderr: bool, lines: &mut VecDeque<Line>) {
        if !self.held.is_empty() {
            let entry = self.held.split();
            self.seen = 0;
            self.take(&entry, times);
            self.emit(stderr, lines);
        }
    }

    /// Takes the times out of what lies between two ends of line: one in front, and one behind each full
    /// entry.
    fn take(&mut self, mut entry: &[u8], times: Times) {
        if times != Times::Raw {
            self.line.extend_from_slice(entry);
            return;
        }
        loop {
            let Some((at, text)) = split_time(entry) else {
                self.line.extend_from_slice(entry);
                return;
            };
            self.at = self.at.or(Some(at));
            let full = |size: &usize| text.get(*size..).is_some_and(|rest| split_time(rest).is_some());
            let Some(size) = ENTRIES.into_iter().find(full) else {
                self.line.extend_from_slice(text);
                return;
            };
            self.line.extend_from_slice(&text[..size]);
            entry = &text[size..];
        }
    }

    fn emit(&mut self, stderr: bool, lines: &mut VecDeque<Line>) {
        let mut text = self.line.split().freeze();
        // A terminal ends its lines by both, and systemd's status lines bring a return of their own.
        let end = text.iter().rposition(|&byte| byte != b'\n' && byte != b'\r').map_or(0, |last| last + 1);
        text.truncate(end);
        lines.push_back(Line { at: self.at.take(), stderr, text });
    }
}

/// Splits an entry into its time (RFC 3339, any precision and offset) and its text.
fn split_time(entry: &[u8]) -> Option<(i128, &[u8])> {
    let space = entry.iter().take(40).position(|&byte| byte == b' ')?;
    let time: jiff::Timestamp = std::str::from_utf8(&entry[..space]).ok()?.parse().ok()?;
    Some((time.as_nanosecond(), &entry[space + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(stream: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![stream, 0, 0, 0];
        frame.extend_from_slice(&u32::try_from(payload.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(payload);
        frame
    }

    fn lines((timed, tty): (bool, bool), chunks: Vec<Chunk>) -> Vec<(Option<i128>, bool, String)> {
        let mut found = VecDeque::new();
        let mut lines = Lines::new(timed, tty);
        for chunk in chunks {
            lines.feed(chunk, &mut found);
        }
        lines.finish(&mut found);
        found
            .into_iter()
            .map(|line| (line.at, line.stderr, String::from_utf8_lossy(&line.text).into_owned()))
            .collect()
    }

    #[test]
    fn frames_come_out_whole_however_they_are_cut() {
        let stream = [frame(1, b"hello "), frame(2, b"oops"), frame(1, b""), frame(3, b"engine")].concat();
        for size in 1..stream.len() {
            let mut demux = Demux::new(false);
            let mut chunks = Vec::new();
            for piece in stream.chunks(size) {
                chunks.extend(demux.feed(Bytes::copy_from_slice(piece)).unwrap());
            }
            assert_eq!(
                chunks,
                [
                    Chunk::Out("hello ".into()),
                    Chunk::Err("oops".into()),
                    Chunk::Out("".into()),
                    Chunk::Err("engine".into())
                ]
            );
        }
    }

    #[test]
    fn what_is_no_frame_is_said_and_not_waited_for() {
        let mut demux = Demux::new(false);
        assert!(demux.feed(Bytes::from_static(b"\x01\0\0\0\xff\xff\xff\xff")).is_err());
        assert!(Demux::new(false).feed(Bytes::from_static(b"plain text")).is_err());
    }

    #[test]
    fn a_nul_on_a_terminal_holds_nothing_back() {
        let mut demux = Demux::new(true);
        assert_eq!(demux.feed(Bytes::from_static(b"\0x")).unwrap(), [Chunk::Out(Bytes::from_static(b"\0x"))]);
    }

    #[test]
    fn lines_of_both_streams_do_not_mix() {
        assert_eq!(
            lines(
                (false, false),
                vec![Chunk::Out("a".into()), Chunk::Err("E\n".into()), Chunk::Out("b\r\r\nrest".into()),]
            ),
            [(None, true, "E".into()), (None, false, "ab".into()), (None, false, "rest".into())]
        );
    }

    #[test]
    fn times_are_taken_from_the_front_and_from_between_pieces_of_a_long_line() {
        let time = "1970-01-01T00:00:01.000000002Z ";
        for size in ENTRIES {
            let long = "x".repeat(size);
            let text = format!("{time}{long}{time}y\n{time}z\n");
            assert_eq!(
                lines((true, true), vec![Chunk::Out(text.into())]),
                [(Some(1_000_000_002), false, format!("{long}y")), (Some(1_000_000_002), false, "z".into())]
            );
        }
    }

    #[test]
    fn each_frame_has_its_time_and_a_line_the_first_one() {
        let frame = |text: &str| Chunk::Out(text.to_owned().into());
        assert_eq!(
            lines(
                (true, false),
                vec![
                    frame("1970-01-01T00:00:01Z a"),
                    frame("1970-01-01T00:00:02Z b\n"),
                    frame("1970-01-01T00:00:03Z \n")
                ]
            ),
            [(Some(1_000_000_000), false, "ab".into()), (Some(3_000_000_000), false, String::new())]
        );
    }

    #[test]
    fn podmans_times_have_an_offset() {
        assert_eq!(
            lines((true, true), vec![Chunk::Out("1970-01-01T01:00:00.5+01:00 hi\n".into())]),
            [(Some(500_000_000), false, "hi".into())]
        );
    }

    #[test]
    fn bytes_that_are_no_text_stay_as_they_came() {
        let mut found = VecDeque::new();
        Lines::new(false, false).feed(Chunk::Out(Bytes::from_static(b"\xff\xfe\n")), &mut found);
        assert_eq!(found[0].text, Bytes::from_static(b"\xff\xfe"));
    }

    #[test]
    fn a_line_without_end_is_handed_over_in_pieces() {
        let piece = Bytes::from(vec![b'x'; LONGEST_LINE / 2 + 1]);
        let found = lines(
            (false, false),
            vec![Chunk::Out(piece.clone()), Chunk::Out(piece.clone()), Chunk::Out(piece)],
        );
        assert_eq!(
            found.iter().map(|line| line.2.len()).collect::<Vec<_>>(),
            [LONGEST_LINE + 2, LONGEST_LINE / 2 + 1]
        );
    }
}
