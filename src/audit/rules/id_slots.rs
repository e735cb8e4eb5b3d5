//! A table from an ID to its place in a list: 8 bytes a slot, and the IDs themselves stand in the list alone.
//!
//! A slot has 24 bits of the ID's hash, to tell most strangers apart without a look at the list, and 40 bits of place. At most
//! three quarters of the slots are full. A collision goes to the next slot.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

/// The bits of a slot that hold a place plus one.
const PLACE: u64 = (1 << 40) - 1;
/// How many slots there are at the least.
const FEWEST: usize = 1_024;

/// The slots: a power of two of them, each zero while it is free.
#[derive(Debug, Default)]
pub(crate) struct IdSlots {
    slots: Vec<u64>,
    hasher: RandomState,
}

/// A free slot for an ID.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FreeSlot {
    at: usize,
    hash: u64,
}

impl IdSlots {
    /// Makes room for so many IDs. Does nothing once slots are in use: then [`grow`](Self::grow) does.
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

    /// The free slot for an ID, or, as the error, its place in the list.
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
