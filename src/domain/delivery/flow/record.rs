//! The record is what is durable of a flow, and what is not yet.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::delivery::beat::Beat;
use crate::domain::delivery::progress::{End, Progress};

/// A destination that chose nothing records that it has come so far further.
const FAR: u64 = 100_000;

/// A `Record` is what is durable of a flow, and what happened since.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// These positions are recorded as parked.
    pub(super) parked: BTreeSet<u64>,
    pub(super) through: u64,
    /// These are positions whose parked message is another than what is recorded.
    pub(super) touched: BTreeSet<u64>,
    /// These are the ends of messages that are recorded as parked.
    pub(super) ends: BTreeMap<u64, End>,
    /// These are messages that took the place of one that has ended, each by that one.
    pub(super) places: BTreeMap<u64, u64>,
    /// These were settled, and a crash would make them go again.
    pub(super) settled: BTreeSet<u64>,
    pub(super) unconfirmed: BTreeSet<u64>,
    pub(super) delivered: u64,
    /// This is how many were settled since the last record.
    pub(super) fresh: u64,
    /// This is what is being made durable.
    pub(super) taken: Option<Box<Progress>>,
    /// This is when the next record may be made.
    pub(super) next_ms: u64,
}

impl Record {
    pub(super) fn new(parked: impl Iterator<Item = u64>, through: u64, beat: &Beat) -> Self {
        Self {
            parked: parked.collect(),
            through,
            touched: BTreeSet::new(),
            ends: BTreeMap::new(),
            places: BTreeMap::new(),
            settled: BTreeSet::new(),
            unconfirmed: BTreeSet::new(),
            delivered: 0,
            fresh: 0,
            taken: None,
            next_ms: beat.tick_ms,
        }
    }

    pub(super) fn touch(&mut self, position: u64) {
        self.touched.insert(position);
        self.fresh = self.fresh.saturating_add(1);
    }

    /// A parked message has ended, and the next one of its account takes its place.
    pub(super) fn ended(&mut self, position: u64, end: End, next: Option<u64>) {
        self.touch(position);
        self.ends.insert(position, end);
        if let Some(next) = next {
            self.places.insert(position, next);
        }
    }

    pub(super) fn delivered(&mut self) {
        self.delivered = self.delivered.saturating_add(1);
    }

    pub(super) fn settled(&mut self, position: u64) {
        self.settled.insert(position);
        self.fresh = self.fresh.saturating_add(1);
    }

    pub(super) fn unconfirmed(&mut self, position: u64) {
        self.unconfirmed.insert(position);
        self.fresh = self.fresh.saturating_add(1);
    }

    /// Returns how many settled messages would go again after a crash.
    pub(super) fn unrecorded(&self) -> usize {
        self.settled.len()
    }

    /// Returns when the next record is made, where there is something to record.
    pub(super) fn is_due_at(&self, through: u64) -> Option<u64> {
        (self.has_news(through) && self.taken.is_none()).then_some(self.next_ms)
    }

    pub(super) fn has_news(&self, through: u64) -> bool {
        let is_far = through.saturating_sub(self.through) >= FAR;
        self.fresh > 0 || !self.touched.is_empty() || !self.unconfirmed.is_empty() || is_far
    }

    /// Forgets who took the place of whom, where that no longer keeps a row.
    pub(super) fn forget_places(&mut self) {
        let mut kept = BTreeSet::new();
        for ended in self.ends.keys() {
            let mut next = Some(ended);
            while let Some(position) = next.filter(|position| kept.insert(**position)) {
                next = self.places.get(position);
            }
        }
        self.places.retain(|ended, _| kept.contains(ended));
    }
}
