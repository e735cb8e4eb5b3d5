//! The [`Ring`] keeps the lines of the journal that were read last, and many followers read them from it.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::store::{Position, codec, lines_of};

use super::wakes::Wakes;

/// This is about how many bytes of lines the ring keeps.
const MOST_BYTES: usize = 4 << 20;
/// `Lines` are lines of the journal that a follower has not seen.
#[derive(Clone, Debug)]
pub struct Lines {
    /// These are the lines, each with its line feed.
    pub bytes: Bytes,
    /// This is the position of the last of them.
    pub last: Position,
    /// These are the lines in the form in which they are sent, made once for all who send them.
    formed: Arc<OnceLock<Bytes>>,
}

/// A `Tail` is the state that the followers of one ledger's journal share.
#[derive(Debug, Default)]
pub(super) struct Tail {
    pub(super) ring: Mutex<Option<Ring>>,
    /// This tells the followers that the ring has grown, or that there is no ring any more.
    pub(super) grown: Wakes,
    /// Each follower holds this, so that the reader knows whether anybody follows.
    pub(super) followers: Mutex<Weak<()>>,
}

/// A `Ring` holds the lines that were read last, without gaps.
#[derive(Debug)]
pub(super) struct Ring {
    /// Everything that is in the ring comes after this position.
    pub(super) start: Position,
    chunks: VecDeque<Lines>,
    bytes: usize,
}

/// A `Found` says what the ring has for a follower.
pub(super) enum Found {
    /// The ring has these lines.
    Lines(Lines),
    /// The ring begins after what the follower must read next.
    Behind,
    /// The ring has nothing new.
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
    /// Returns the lines as `form` writes them. All who got the same lines share what it wrote, so that it must be the same
    /// for all.
    pub fn formed(&self, form: impl FnOnce(&[u8]) -> Bytes) -> Bytes {
        self.formed.get_or_init(|| form(&self.bytes)).clone()
    }

    pub(super) fn of(bytes: Vec<u8>) -> Option<Self> {
        let last = lines_of(&bytes).last().and_then(codec::position_of)?;
        Some(Self { bytes: bytes.into(), last, formed: Arc::default() })
    }

    /// Returns those of the lines that come after a position.
    fn after(&self, position: Position) -> Self {
        let seen = |line: &&[u8]| codec::position_of(line).is_some_and(|at| at <= position);
        let skipped: usize = lines_of(&self.bytes).take_while(seen).map(|line| line.len() + 1).sum();
        if skipped == 0 {
            return self.clone();
        }
        let bytes = self.bytes.slice(skipped.min(self.bytes.len())..);
        Self { bytes, last: self.last, formed: Arc::default() }
    }
}
