//! The ID set has every transaction ID of a journal, with what a reversal must know of it.
//!
//! An ID is in it once. Where the chain runs along each stream, it may be there once for each account: two instances may have
//! taken the same ID at the same time, and neither knew of the other.
//!
//! One event has one ID, so the IDs stand in a list in the journal's order and a table of slots ([`IdSlots`]) points into
//! it. It costs 32 bytes an ID and 11 to 21 for its slot, about 450 MB for ten million; nothing is approximate. Along
//! streams 8 bytes more, for its position.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::audit::rules::double_use::DoubleUse;
use crate::audit::rules::id_slots::IdSlots;
use crate::audit::values::chain::Chain;
use crate::audit::values::event::{Direction, Event};
use crate::audit::values::finding::Flaw;

/// A known ID is one that was seen, with what is known of its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownId {
    /// This is the account in whose stream it is.
    pub(crate) account: u32,
    /// This is the movement of money, when it was an accepted deposit or withdrawal.
    pub(crate) moved: Option<Movement>,
}

/// A movement is an accepted deposit or withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Movement {
    pub(crate) direction: Direction,
    /// This is the amount in minor units, at most 10^19.
    pub(crate) amount: u64,
    /// This is the ledger's own account on the other side.
    pub(crate) counter: u32,
}

/// A packed [`KnownId`] has sixteen bytes: the two highest bits of `counter` say whether money moved, and in which direction.
#[derive(Debug, Clone, Copy)]
struct Packed {
    amount: u64,
    account: u32,
    counter: u32,
}

const DEPOSIT: u32 = 1 << 31;
const WITHDRAWAL: u32 = 1 << 30;
const COUNTER: u32 = WITHDRAWAL - 1;

impl Packed {
    fn of(known: KnownId) -> Self {
        let (amount, counter) = known.moved.map_or((0, 0), |moved| {
            let direction = if moved.direction == Direction::Credit { DEPOSIT } else { WITHDRAWAL };
            (moved.amount, moved.counter & COUNTER | direction)
        });
        Self { amount, account: known.account, counter }
    }

    fn open(self) -> KnownId {
        let direction = match self.counter & (DEPOSIT | WITHDRAWAL) {
            0 => None,
            DEPOSIT => Some(Direction::Credit),
            _ => Some(Direction::Debit),
        };
        let moved = direction.map(|direction| Movement {
            direction,
            amount: self.amount,
            counter: self.counter & COUNTER,
        });
        KnownId { account: self.account, moved }
    }
}

/// A `PerStream` has what is kept in addition where the chain runs along each stream.
#[derive(Debug, Default)]
struct PerStream {
    /// This is the position of each ID in the list.
    positions: Vec<u64>,
    /// This is the place in the list of an ID that was on another account before.
    places: HashMap<(u128, u32), usize, RandomState>,
    double_uses: Vec<DoubleUse>,
}

/// An `IdSet` is the set of the IDs that were seen so far.
#[derive(Debug)]
pub(crate) struct IdSet {
    /// This is the position of the first event that can come.
    from: u64,
    ids: Vec<u128>,
    known: Vec<Packed>,
    slots: IdSlots,
    /// Positions are left out where the auditor has set an event aside. For each such place this has the place in the list
    /// from which on the positions are others, and the position there.
    left_out: Vec<(usize, u64)>,
    per_stream: Option<Box<PerStream>>,
}

impl IdSet {
    /// Begins the set of a journal that is chained so and is read from this position on.
    #[must_use]
    pub(crate) fn new(chain: Chain, from: u64) -> Self {
        let per_stream = match chain {
            Chain::Journal => None,
            Chain::Streams => Some(Box::default()),
        };
        Self {
            from,
            ids: Vec::new(),
            known: Vec::new(),
            slots: IdSlots::default(),
            left_out: Vec::new(),
            per_stream,
        }
    }

    /// Takes an event's ID.
    ///
    /// # Errors
    /// Fails when the ID was seen before; along streams: when it was seen on the same account.
    pub(crate) fn take(&mut self, event: &Event, known: KnownId) -> Result<(), Flaw> {
        let Err(place) = self.insert(event.id, known) else {
            let place = self.ids.len().saturating_sub(1);
            if let Some(per_stream) = &mut self.per_stream {
                per_stream.positions.push(event.position);
            } else if self.position_of(place) != event.position {
                self.left_out.push((place, event.position));
            }
            return Ok(());
        };
        let Some(per_stream) = &mut self.per_stream else {
            return Err(Flaw::SeenBefore(self.position_of(place)));
        };
        let position = |place: usize| per_stream.positions.get(place).copied().unwrap_or_default();
        let here = (event.id, known.account);
        let account = self.known.get(place).map_or(0, |packed| packed.account);
        if account == known.account {
            return Err(Flaw::SeenBefore(position(place)));
        }
        if let Some(place) = per_stream.places.get(&here) {
            return Err(Flaw::SeenBefore(position(*place)));
        }
        let first = (account, position(place));
        per_stream.double_uses.push(DoubleUse {
            id: event.id,
            first,
            again: (known.account, event.position),
        });
        per_stream.places.insert(here, self.ids.len());
        per_stream.positions.push(event.position);
        self.ids.push(event.id);
        self.known.push(Packed::of(known));
        Ok(())
    }

    /// Lists the IDs that were seen on two accounts, in the order of their second positions.
    #[must_use]
    pub(crate) fn double_uses(&self) -> &[DoubleUse] {
        self.per_stream.as_ref().map_or(&[], |per_stream| &per_stream.double_uses)
    }

    /// Gives the position of the last ID. Without any it is one less than the first position that can come.
    #[must_use]
    pub(crate) fn position(&self) -> u64 {
        let last = self.per_stream.as_ref().and_then(|per_stream| per_stream.positions.last().copied());
        last.unwrap_or(self.position_of(self.len()).saturating_sub(1))
    }

    /// Gives the position of the ID at this place of the list, where the chain runs along the journal.
    fn position_of(&self, place: usize) -> u64 {
        let behind = self.left_out.partition_point(|(first, _)| *first <= place);
        let before = behind.checked_sub(1).and_then(|last| self.left_out.get(last));
        let (first, position) = before.copied().unwrap_or((0, self.from));
        position.saturating_add(place.saturating_sub(first) as u64)
    }

    /// Makes room for this many IDs, so that nothing need be moved when they come.
    pub(crate) fn reserve(&mut self, ids: usize) {
        self.ids.reserve_exact(ids);
        self.known.reserve_exact(ids);
        if let Some(per_stream) = &mut self.per_stream {
            per_stream.positions.reserve_exact(ids);
        }
        self.slots.reserve(&self.ids, ids);
    }

    /// Adds an ID that was not seen yet. The error is the place of the same ID in the list, when it was seen.
    fn insert(&mut self, id: u128, known: KnownId) -> Result<(), usize> {
        self.slots.keep_room(&self.ids);
        let free = self.slots.find(&self.ids, id)?;
        self.slots.fill(free, self.ids.len());
        self.ids.push(id);
        self.known.push(Packed::of(known));
        Ok(())
    }

    /// Says what is known of an ID on this account.
    #[must_use]
    pub(crate) fn get(&self, id: u128, account: u32) -> Option<KnownId> {
        let first = self.slots.find(&self.ids, id).err()?;
        let known = |place: usize| self.known.get(place).map(|packed| packed.open());
        known(first).filter(|known| known.account == account).or_else(|| {
            let place = self.per_stream.as_ref()?.places.get(&(id, account))?;
            known(*place)
        })
    }

    /// Says whether an ID was seen, on whatever account.
    #[must_use]
    pub(crate) fn has(&self, id: u128) -> bool {
        self.slots.find(&self.ids, id).is_err()
    }

    /// Says how many IDs there are.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_once_and_its_first_place_is_named_ever_after() {
        let mut seen = IdSet::new(Chain::Journal, 1);
        for n in 0..100_000_u128 {
            let known = KnownId { account: u32::try_from(n).unwrap(), moved: None };
            assert_eq!(seen.insert(n * 7, known), Ok(()));
        }
        for n in 0..100_000_u128 {
            let place = usize::try_from(n).unwrap();
            assert_eq!(seen.insert(n * 7, KnownId { account: 0, moved: None }), Err(place));
            let account = u32::try_from(n).unwrap();
            assert_eq!(seen.get(n * 7 + 1, account), None);
            assert_eq!(seen.get(n * 7, account).map(|known| known.account), Some(account));
            assert_eq!(seen.get(n * 7, account + 1), None);
        }
        assert_eq!(seen.len(), 100_000);
    }

    #[test]
    fn a_movement_is_kept_whole() {
        let mut seen = IdSet::new(Chain::Journal, 1);
        for (id, direction) in [(1, Direction::Credit), (2, Direction::Debit)] {
            let known =
                KnownId { account: 9, moved: Some(Movement { direction, amount: u64::MAX, counter: 77 }) };
            assert_eq!(seen.insert(id, known), Ok(()));
            assert_eq!(seen.get(id, 9), Some(known));
        }
    }
}
