//! A draft has events as they will stand in the journal: encoded, chained, and cut into rows. It is made while the append
//! before it is under way, so that an append itself only writes.

use std::sync::Arc;

use crate::domain::event::Event;

use super::chain::Hash;
use super::codec::Encoder;

/// This is about the size that a row gets, in bytes. A commit is cut into rows, so that one event is read without its
/// thousand neighbours.
const ROW_BYTES: usize = 32 * 1024;

/// A `Draft` has the events of one append, and their lines. Each line is chained to the one before.
#[derive(Debug)]
pub struct Draft {
    /// These are the events.
    pub events: Vec<Arc<Event>>,
    /// This is the position of the first event.
    pub first: u64,
    /// This is the hash that the first line is chained to.
    pub previous: Hash,
    /// This is the hash of the last line.
    pub hash: Hash,
    /// These are the lines.
    pub(super) lines: Vec<u8>,
    pub(super) rows: Vec<Row>,
}

/// A `Row` says how many events a row has, where its bytes end in the lines, and when its first event was recorded.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) count: u64,
    pub(super) end: usize,
    pub(super) recorded_at: String,
}

impl Draft {
    /// Begins a draft that goes on after the event at `position` with this hash.
    #[must_use]
    pub fn after(position: u64, hash: Hash) -> Self {
        let (events, lines, rows) = (Vec::new(), Vec::new(), Vec::new());
        Self { events, first: position + 1, previous: hash, hash, lines, rows }
    }

    /// Begins the draft that goes on after this one.
    #[must_use]
    pub fn next(&self) -> Self {
        Self::after(self.last(), self.hash)
    }

    /// Returns the position of its last event, or of the event before its first while it has none.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.first + self.events.len() as u64 - 1
    }

    /// Returns its lines, each with its line feed.
    #[must_use]
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// Adds an event.
    pub fn add(&mut self, event: Arc<Event>, encoder: &mut Encoder) {
        let begun = self.rows.len().checked_sub(2).and_then(|before| self.rows.get(before));
        let start = begun.map_or(0, |row| row.end);
        if self.rows.is_empty() || self.lines.len() - start >= ROW_BYTES {
            let recorded_at = event.recorded_at.to_string();
            self.rows.push(Row { count: 0, end: 0, recorded_at });
        }
        self.hash = encoder.line(&event, self.last() + 1, &self.hash, &mut self.lines);
        if let Some(row) = self.rows.last_mut() {
            row.count += 1;
            row.end = self.lines.len();
        }
        self.events.push(event);
    }
}
