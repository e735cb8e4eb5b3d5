//! The scrub reads the index's runs again in the background, block by block, so that damage is found before the
//! damaged part is needed.
//!
//! It runs on the thread that merges, when that thread has nothing to merge. It is bounded: it reads [`BLOCKS`] blocks in
//! [`EVERY`], which is one megabyte a second; the index of ten million events takes twelve minutes. Every block is checked
//! when it is read, so the scrub only needs to read it.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::run::Run;
use super::run_error::RunError;
use crate::index::shared::Shared;

/// This is the number of blocks that are read at a time.
const BLOCKS: usize = 64;
/// This is the time between two readings.
const EVERY: Duration = Duration::from_millis(500);

/// A `Scrub` is the scrub, with the place that it has reached.
#[derive(Debug, Default)]
pub(super) struct Scrub {
    /// The runs of this round that are still to be read. The scrub does not keep them open: a run that was merged into
    /// another is not read.
    left: Vec<Weak<Run>>,
    /// This is the number of the next block to read, in the last run of `left`.
    next: usize,
    last: Option<Instant>,
}

impl Scrub {
    /// Reads the next blocks, if it is time. If one is damaged, the run notes that for the whole index.
    pub(super) fn go_on(&mut self, shared: &Shared) {
        if self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        self.last = Some(Instant::now());
        if self.left.is_empty() {
            let state = shared.state.read();
            self.left = state.trees.iter().flat_map(|tree| tree.runs()).map(Arc::downgrade).collect();
        }
        match self.read(BLOCKS) {
            Ok(()) | Err(RunError::Damaged(_)) => {}
            Err(error @ RunError::Io(..)) => {
                tracing::warn!(%error, "a part of the index can't be read at the moment");
                self.next += 1;
            }
        }
    }

    /// Reads up to this many blocks of what is left of the round.
    fn read(&mut self, blocks: usize) -> Result<(), RunError> {
        for _ in 0..blocks {
            let Some(run) = self.left.last() else { return Ok(()) };
            match run.upgrade().filter(|run| self.next < run.blocks()) {
                Some(run) => {
                    run.block(self.next)?;
                    self.next += 1;
                }
                None => {
                    self.left.pop();
                    self.next = 0;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::failure::Failure;
    use crate::index::lsm::block::{BYTES, RunId};
    use crate::index::record::Record;

    /// Catches: a damage in a part that nobody reads, which is found only when an ID in it is sent again.
    #[test]
    fn a_damage_is_found_that_nobody_came_across() {
        let dir = tempfile::tempdir().unwrap();
        let failure = Arc::new(Failure::none(dir.path()));
        let path = dir.path().join("run");
        let id = RunId { index: 1, number: 2, tree: 3 };
        let records = (0..2_000).map(|n| Ok(Record { key: n, value: 0 }));
        let run = Arc::new(Run::write(&path, id, records, None, &failure).unwrap());
        let round = || Scrub { left: vec![Arc::downgrade(&run)], ..Scrub::default() };
        round().read(100).unwrap();
        assert!(failure.why().is_none());
        let mut bytes = std::fs::read(&path).unwrap();
        let (one, other) = bytes.split_at_mut(4 * BYTES);
        one[3 * BYTES..].swap_with_slice(&mut other[..BYTES]);
        std::fs::write(&path, bytes).unwrap();
        let mut scrub = round();
        scrub.read(3).unwrap();
        assert!(scrub.read(1).is_err() && failure.is_damage());
        assert!(Failure::check_mark(dir.path()).is_err(), "the next start knows, too");
    }
}
