//! The ring: the lines of the journal that were read last, which many followers read.

use std::collections::VecDeque;
use std::sync::Weak;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::store::{Position, codec, lines_of};

/// How many bytes of lines the ring keeps, about.
const MOST_BYTES: usize = 4 << 20;
/// Lines of the journal that a follower has not seen.
#[derive(Clone, Debug)]
pub struct Lines {
    /// The lines, each with its line feed.
    pub bytes: Bytes,
    /// The position of the last of them.
    pub last: Position,
}

/// The tail of one ledger's journal.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) ring: Mutex<Option<Ring>>,
    /// Told when the ring has grown, or is there no more.
    pub(super) grown: watch::Sender<()>,
    /// Held by each follower.
    pub(super) followers: Mutex<Weak<()>>,
}

impl Default for Tail {
    fn default() -> Self {
        Self { ring: Mutex::new(None), grown: watch::Sender::new(()), followers: Mutex::default() }
    }
}

/// What was read last, without gaps.
#[derive(Debug)]
pub(super) struct Ring {
    /// Everything that is in the ring comes after this position.
    pub(super) start: Position,
    chunks: VecDeque<Lines>,
    bytes: usize,
}

/// What the ring has for a follower.
pub(super) enum Found {
    /// These lines.
    Lines(Lines),
    /// The ring begins further on.
    Behind,
    /// Nothing is new.
    Nothing,
}

impl Ring {
    pub(super) fn new(start: Position) -> Self {
        Self { start, chunks: VecDeque::new(), bytes: 0 }
    }

    pub(super) fn end(&self) -> Position {
        self.chunks.back().map_or(self.start, |chunk| chunk.last)
    }

    pub(super) fn push(&mut self, chunk: Lines) {
        self.bytes += chunk.bytes.len();
        self.chunks.push_back(chunk);
        while self.bytes > MOST_BYTES && self.chunks.len() > 1 {
            if let Some(oldest) = self.chunks.pop_front() {
                self.bytes -= oldest.bytes.len();
                self.start = oldest.last;
            }
        }
    }

    pub(super) fn after(&self, position: Position) -> Found {
        if position < self.start {
            return Found::Behind;
        }
        let next = self.chunks.partition_point(|chunk| chunk.last <= position);
        match self.chunks.get(next) {
            Some(chunk) => Found::Lines(chunk.after(position)),
            None => Found::Nothing,
        }
    }
}

impl Lines {
    pub(super) fn of(bytes: Vec<u8>) -> Option<Self> {
        let last = lines_of(&bytes).last().and_then(codec::position_of)?;
        Some(Self { bytes: bytes.into(), last })
    }

    /// Those of them that come after a position.
    fn after(&self, position: Position) -> Self {
        let seen = |line: &&[u8]| codec::position_of(line).is_some_and(|at| at <= position);
        let skipped: usize = lines_of(&self.bytes).take_while(seen).map(|line| line.len() + 1).sum();
        Self { bytes: self.bytes.slice(skipped.min(self.bytes.len())..), last: self.last }
    }
}
