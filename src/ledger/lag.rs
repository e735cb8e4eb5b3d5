//! [`Lag`] is what the ledger has beyond a position for somebody who follows accounts and transfers: how many events, and since
//! when.
//!
//! It is counted in the index. Whole blocks of positions never change, so that each is counted once in the life of the process,
//! and costs 16 bytes then. After that a count looks at two blocks at most. The first count of a long lag is a long read.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::domain::time::Timestamp;
use crate::index::Index;

use super::types::{Position, ReadError};

/// This is how many positions a block has.
const BLOCK: u64 = 16_384;
/// This is how many events an ordinary read looks at.
pub(super) const ORDINARY: usize = 16_384;
/// This is the most events that are looked at together.
pub(super) const PAGE: usize = 4_096;

/// A `Lag` is what the ledger has of accounts and transfers beyond a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// This is how many events there are.
    pub events: u64,
    /// This is when the first of them was recorded; `None` where there is none.
    pub since: Option<Timestamp>,
}

/// `Blocks` have the counts of the blocks that were counted, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Blocks(Mutex<BTreeMap<u64, u32>>);

/// A `Counting` is a count that is under way.
pub(super) struct Counting {
    /// This is the first position that is not looked at yet.
    pub(super) next: Position,
    /// This is the last one that counts.
    pub(super) end: Position,
    pub(super) lag: Lag,
}

impl Counting {
    /// Goes on until so many events were looked at, or all. Says whether it is done.
    pub(super) fn go_on(&mut self, index: &Index, blocks: &Blocks, most: usize) -> Result<bool, ReadError> {
        let mut left = most;
        while self.next <= self.end && left > 0 {
            let block = self.next.checked_div(BLOCK).unwrap_or_default();
            let (first, last) =
                (block.saturating_mul(BLOCK), block.saturating_mul(BLOCK).saturating_add(BLOCK - 1));
            let is_whole = first == self.next && last <= self.end;
            let known = blocks.0.lock().get(&block).copied().filter(|_| is_whole);
            match known {
                Some(count) if count == 0 || self.lag.since.is_some() => {
                    self.lag.events = self.lag.events.saturating_add(count.into());
                    left = left.saturating_sub(1);
                }
                Some(_) | None => {
                    let before = self.lag.events;
                    left = left.saturating_sub(self.look(index, last.min(self.end))?);
                    let count = u32::try_from(self.lag.events.saturating_sub(before)).unwrap_or(u32::MAX);
                    if is_whole {
                        blocks.0.lock().insert(block, count);
                    }
                }
            }
            self.next = last.saturating_add(1);
        }
        Ok(self.next > self.end)
    }

    /// Looks at every event from the next position to the last one of a block. Returns how many that were, and one at least.
    fn look(&mut self, index: &Index, last: Position) -> Result<usize, ReadError> {
        let (mut from, mut looked) = (self.next, 1_usize);
        loop {
            let page = index.places(from..=last, false, PAGE)?;
            for (micros, _) in page.iter().filter(|(_, facts)| facts.kind.is_searched()) {
                self.lag.events = self.lag.events.saturating_add(1);
                self.lag.since.get_or_insert(Timestamp::from_micros(*micros));
            }
            looked = looked.saturating_add(page.len());
            match page.last() {
                Some((_, facts)) if page.len() == PAGE => from = facts.position.saturating_add(1),
                Some(_) | None => return Ok(looked),
            }
        }
    }
}
