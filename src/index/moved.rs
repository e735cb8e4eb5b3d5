//! This question to the index is how much the backdated events of a stream moved, as of some moment.

use std::ops::Range;

use rusqlite::Connection;

use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;

use super::error::IndexError;
use super::handle::Index;
use super::layers::Tracked;
use super::rows::{self, Kind};
use super::spans::{LENGTHS, Moved, Span, spans_before};

/// A `MovedBy` says what backdated events moved, as of a moment.
#[derive(Clone, Debug)]
pub struct MovedBy {
    /// This is how the stream stands; the sums are of its events up to this state.
    pub now: Tracked,
    /// This is the sum of the spans that end before the moment.
    pub before: Moved,
    /// This is the sum of the shortest span, in which the moment lies.
    pub around: Moved,
}

impl Index {
    /// Returns what the backdated events of a stream moved, as of a moment; `None` for a stream that has not begun.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn moved_by(&self, stream: &StreamName, moment: Timestamp) -> Result<Option<MovedBy>, IndexError> {
        let wanted = spans_before(moment);
        let (row_kind, row_key) = rows::stream_row(stream);
        self.with_reader(|catalog| {
            let (transaction, (newer, tracked)) = self.view(catalog, |checkpoint| {
                let state = self.0.state.read();
                let memories = state.beyond(checkpoint)?;
                let of = |wanted: &Range<Span>| {
                    memories.iter().flat_map(|memory| memory.moved(stream, wanted.clone())).collect()
                };
                let newer: Vec<Vec<Moved>> = wanted.iter().map(of).collect();
                let tracked = memories.iter().rev().find_map(|memory| memory.tracked(stream).cloned());
                Some((newer, tracked))
            })?;
            let tracked = match tracked {
                Some(tracked) => Some(tracked),
                None => {
                    let row = self.0.proven.state(&transaction, row_kind, row_key)?;
                    row.map(|value| rows::read_state(stream, &value)).transpose()?
                }
            };
            let Some(now) = tracked else { return Ok(None) };
            let Some(account) = now.state.account() else { return Ok(None) };
            let nothing = Moved::nothing(account.currency);
            let (mut before, mut around) = (nothing, nothing);
            for (nth, (wanted, newer)) in wanted.iter().zip(newer).enumerate() {
                let sum = if nth < LENGTHS.len() { &mut before } else { &mut around };
                for moved in self.rows_of_moved(&transaction, stream, wanted)?.into_iter().chain(newer) {
                    *sum = sum.with(moved)?;
                }
            }
            Ok(Some(MovedBy { now, before, around }))
        })
    }

    /// Returns the rows of some spans of one length.
    fn rows_of_moved(
        &self,
        catalog: &Connection,
        stream: &StreamName,
        wanted: &Range<Span>,
    ) -> Result<Vec<Moved>, IndexError> {
        const PAGE: usize = 64;
        if wanted.start >= wanted.end {
            return Ok(Vec::new());
        }
        let end = rows::moved_key(stream, wanted.end);
        // The first key itself is wanted, too: what comes after the key that ends one byte earlier begins with it.
        let mut after = rows::moved_key(stream, wanted.start);
        after.pop();
        let mut found = Vec::new();
        loop {
            let page = self.0.proven.states(catalog, Kind::Moved, &after, PAGE)?;
            let is_full = page.len() == PAGE;
            for (key, value) in page {
                if key >= end {
                    return Ok(found);
                }
                if key >= rows::moved_key(stream, wanted.start) {
                    found.push(rows::read_moved(&value)?.1);
                }
                after = key;
            }
            if !is_full {
                return Ok(found);
            }
        }
    }
}
