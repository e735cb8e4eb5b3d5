//! Every transaction ID of a journal, each exactly once, with what a reversal must know of it.
//!
//! One event has one ID, so the IDs stand in a list in the journal's order and a table of 8-byte slots points into it: 24
//! bits of the hash to tell most strangers apart without a look at the list, 40 bits of place. Cost: 32 bytes an ID and 11 to
//! 21 for its slot, about 450 MB for ten million; nothing is approximate.

use std::hash::BuildHasher;

use super::event::Way;

/// What is known of a transaction that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The account in whose stream it is.
    pub account: u32,
    /// The movement of money, when it was an accepted deposit or withdrawal.
    pub moved: Option<Moved>,
}

/// An accepted deposit or withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Which of the two.
    pub way: Way,
    /// How much: at most 10^19 minor units.
    pub amount: u64,
    /// The ledger's own account on the other side.
    pub counter: u32,
}

/// [`Known`] in sixteen bytes: the two highest bits of `counter` tell whether and which way money moved.
#[derive(Debug, Clone, Copy)]
struct Packed {
    amount: u64,
    account: u32,
    counter: u32,
}

const DEPOSIT: u32 = 1 << 31;
const WITHDRAWAL: u32 = 1 << 30;
const COUNTER: u32 = WITHDRAWAL - 1;
const PLACE_BITS: u32 = 40;
const PLACE: u64 = (1 << PLACE_BITS) - 1;

impl Packed {
    fn of(known: Known) -> Self {
        let (amount, counter) = known.moved.map_or((0, 0), |moved| {
            let way = if moved.way == Way::Deposit { DEPOSIT } else { WITHDRAWAL };
            (moved.amount, moved.counter & COUNTER | way)
        });
        Self { amount, account: known.account, counter }
    }

    fn open(self) -> Known {
        let way = match self.counter & (DEPOSIT | WITHDRAWAL) {
            0 => None,
            DEPOSIT => Some(Way::Deposit),
            _ => Some(Way::Withdrawal),
        };
        let moved = way.map(|way| Moved { way, amount: self.amount, counter: self.counter & COUNTER });
        Known { account: self.account, moved }
    }
}

/// The IDs seen so far.
#[derive(Debug, Default)]
pub struct Seen {
    ids: Vec<u128>,
    known: Vec<Packed>,
    /// A place plus one and some bits of the hash, or zero; a power of two of them, at most three quarters full.
    slots: Vec<u64>,
    hasher: foldhash::fast::RandomState,
}

impl Seen {
    /// Makes room for so many, so that nothing need be moved as they come.
    pub fn reserve(&mut self, ids: usize) {
        self.ids.reserve_exact(ids);
        self.known.reserve_exact(ids);
        let size = (ids / 3 * 4).next_power_of_two();
        if self.is_empty() && size > self.slots.len() {
            self.slots = vec![0; size];
        }
    }

    /// Takes an ID that was not seen yet.
    ///
    /// # Errors
    /// The place in the list of the same ID, when it was.
    pub fn insert(&mut self, id: u128, known: Known) -> Result<(), usize> {
        if self.ids.len() * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let hash = self.hasher.hash_one(id);
        let slot = self.probe(id, hash)?;
        let place = self.ids.len() as u64 + 1;
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = hash & !PLACE | place & PLACE;
        }
        self.ids.push(id);
        self.known.push(Packed::of(known));
        Ok(())
    }

    /// What is known of an ID.
    #[must_use]
    pub fn get(&self, id: u128) -> Option<Known> {
        let place = self.probe(id, self.hasher.hash_one(id)).err()?;
        self.known.get(place).map(|packed| packed.open())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The free slot for an ID, or, as the error, its place in the list.
    fn probe(&self, id: u128, hash: u64) -> Result<usize, usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = usize::try_from(hash & PLACE).unwrap_or_default() & mask;
        loop {
            let Some(&slot) = self.slots.get(at) else { return Ok(at) };
            if slot == 0 {
                return Ok(at);
            }
            if slot & !PLACE == hash & !PLACE {
                let place = usize::try_from((slot & PLACE) - 1).unwrap_or(usize::MAX);
                if self.ids.get(place) == Some(&id) {
                    return Err(place);
                }
            }
            at = (at + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(1_024);
        self.slots = Vec::new();
        self.slots.resize(size, 0);
        for (place, id) in self.ids.iter().enumerate() {
            let hash = self.hasher.hash_one(id);
            let mut at = usize::try_from(hash & PLACE).unwrap_or_default() & (size - 1);
            while self.slots.get(at).is_some_and(|slot| *slot != 0) {
                at = (at + 1) & (size - 1);
            }
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = hash & !PLACE | (place as u64 + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_once_and_its_first_place_is_named_ever_after() {
        let mut seen = Seen::default();
        for n in 0..100_000_u128 {
            let known = Known { account: u32::try_from(n).unwrap(), moved: None };
            assert_eq!(seen.insert(n * 7, known), Ok(()));
        }
        for n in 0..100_000_u128 {
            let place = usize::try_from(n).unwrap();
            assert_eq!(seen.insert(n * 7, Known { account: 0, moved: None }), Err(place));
            assert_eq!(seen.get(n * 7 + 1), None);
            assert_eq!(seen.get(n * 7).map(|known| known.account), u32::try_from(n).ok());
        }
        assert_eq!(seen.len(), 100_000);
    }

    #[test]
    fn a_movement_is_kept_whole() {
        let mut seen = Seen::default();
        for (id, way) in [(1, Way::Deposit), (2, Way::Withdrawal)] {
            let known = Known { account: 9, moved: Some(Moved { way, amount: u64::MAX, counter: 77 }) };
            assert_eq!(seen.insert(id, known), Ok(()));
            assert_eq!(seen.get(id), Some(known));
        }
    }
}
