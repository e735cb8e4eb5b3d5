//! Progress is all that happened to a destination since the last time that it was recorded, in one event.
//!
//! It is batched, because an event for each message would double the journal. A parked message stands in it with what the next
//! process needs; its body is read again from the journal.

use std::collections::BTreeMap;

use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;

use super::failure::Failure;

/// This is the most bytes that the rows of one event may need, so that its line stays under 65,535.
const MOST_BYTES: usize = 60_000;
/// These are the bytes of a row's names, numbers and times.
const ROW_BYTES: usize = 260;
/// These are the bytes of a short row: a position, and how its message ended.
const SHORT_ROW_BYTES: usize = 64;

/// A `Parked` is a message that waits beside the checkpoint for its next attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// This is the stream of its event.
    pub stream: StreamName,
    /// This is the revision of its event there.
    pub revision: u64,
    /// This is how often it has failed. One that waits behind another message has not: 0.
    pub attempts: u32,
    /// This is when it is tried next.
    pub next_at: Timestamp,
    /// This is why it is parked.
    pub error: Failure,
}

impl Parked {
    /// Returns the most bytes that it needs in an event. Every character of its texts may need an escape.
    #[must_use]
    pub(super) fn bytes(&self) -> usize {
        let code = self.error.code.as_ref().map_or(0, |code| code.as_str().len());
        let texts = code.saturating_add(self.error.message.as_str().len()).saturating_mul(2);
        self.stream
            .with_parts(|parts| parts.map(str::len).iter().sum::<usize>())
            .saturating_add(texts)
            .saturating_add(ROW_BYTES)
    }
}

/// An `End` says how a parked message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// The receiver has it.
    Delivered,
    /// It is a dead letter.
    Dead,
}

impl End {
    /// Returns its name in events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// Returns the end with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Delivered, Self::Dead].into_iter().find(|known| known.name() == name)
    }
}

/// A `Progress` is what is recorded of all that happened since the last one. Its rows are by the positions of their messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// This is the term of who records it.
    pub term: u64,
    /// Everything up to this position is settled, or parked.
    pub through: u64,
    /// This is how many messages were delivered.
    pub delivered: u64,
    /// These are claimed messages of which nobody knows whether they were sent. Each is a dead letter.
    pub unconfirmed: Vec<u64>,
    /// These were parked.
    pub parked: BTreeMap<u64, Parked>,
    /// These were parked before, and were tried again in vain.
    pub attempted: BTreeMap<u64, Parked>,
    /// These were parked before, and are no longer.
    pub settled: BTreeMap<u64, End>,
}

/// A `Room` is what is left of the bytes that the rows of one event may need.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(MOST_BYTES)
    }
}

impl Room {
    /// Takes the bytes of a row of a parked message; false where there is no room for it.
    pub(super) fn take(&mut self, parked: &Parked) -> bool {
        self.take_bytes(parked.bytes())
    }

    /// Takes the bytes of a short row; false where there is no room for it.
    pub(super) fn take_short(&mut self) -> bool {
        self.take_bytes(SHORT_ROW_BYTES)
    }

    fn take_bytes(&mut self, bytes: usize) -> bool {
        match self.0.checked_sub(bytes) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }
}
