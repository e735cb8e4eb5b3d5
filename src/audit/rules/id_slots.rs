//! ID slots are a table from an ID to its place in a list. A slot has 8 bytes; the IDs themselves stand only in the list.
//!
//! 24 bits of a slot are from the ID's hash, so that most other IDs are told apart without a look at the list; 40 bits are the
//! place. At most three quarters of the slots are full. When a slot is taken by another ID, the next one is used.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

/// These bits of a slot hold a place plus one.
const PLACE: u64 = (1 << 40) - 1;
/// There are at least this many slots.
const FEWEST: usize = 1_024;

/// The slots are a power of two in number. Each is zero while it is free.
#[derive(Debug, Default)]
pub(crate) struct IdSlots {
    slots: Vec<u64>,
    hasher: RandomState,
}

/// A free slot is where an ID can be put that is not in the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FreeSlot {
    at: usize,
    hash: u64,
}

impl IdSlots {
    /// Makes room for this many IDs, if there is none in the list yet. Later room is made as IDs come.
    pub(crate) fn reserve(&mut self, ids: &[u128], more: usize) {
        let size = (more / 3).saturating_mul(4).checked_next_power_of_two().unwrap_or_default();
        if ids.is_empty() && size > self.slots.len() {
            self.slots = vec![0; size];
        }
    }

    /// Makes more slots when three quarters of them are full with these IDs.
    #[inline]
    pub(crate) fn keep_room(&mut self, ids: &[u128]) {
        if ids.len().saturating_mul(4) >= self.slots.len().saturating_mul(3) {
            self.grow(ids);
        }
    }

    /// Finds the free slot for an ID. The error is its place in the list, when it is there.
    #[inline]
    pub(crate) fn find(&self, ids: &[u128], id: u128) -> Result<FreeSlot, usize> {
        let hash = self.hasher.hash_one(id);
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = usize::try_from(hash & PLACE).unwrap_or_default() & mask;
        while let Some(slot) = self.slots.get(at).filter(|slot| **slot != 0) {
            if slot & !PLACE == hash & !PLACE {
                let place = usize::try_from((slot & PLACE).wrapping_sub(1)).unwrap_or(usize::MAX);
                if ids.get(place) == Some(&id) {
                    return Err(place);
                }
            }
            at = at.wrapping_add(1) & mask;
        }
        Ok(FreeSlot { at, hash })
    }

    /// Fills a slot with the ID at this place of the list.
    #[inline]
    pub(crate) fn fill(&mut self, free: FreeSlot, place: usize) {
        if let Some(slot) = self.slots.get_mut(free.at) {
            *slot = free.hash & !PLACE | (place as u64).wrapping_add(1) & PLACE;
        }
    }

    fn grow(&mut self, ids: &[u128]) {
        let size = self.slots.len().saturating_mul(2).max(FEWEST);
        self.slots = Vec::new();
        self.slots.resize(size, 0);
        for (place, id) in ids.iter().enumerate() {
            // An ID that is in the list twice is found at its first place.
            if let Ok(free) = self.find(ids, *id) {
                self.fill(free, place);
            }
        }
    }
}
