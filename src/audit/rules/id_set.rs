//! The ID set has every transaction ID of a journal, with what a reversal must know of it.
//!
//! An ID is in it once. Where the chain runs along each stream, it may be there once for each account: two instances may have
//! taken the same ID at the same time, and neither knew of the other.
//!
//! The IDs stand in a list in the journal's order, and a table of slots ([`IdSlots`]) points into it. It costs 32 bytes an ID
//! and 11 to 21 for its slot, about 450 MB for ten million; nothing is approximate. Along streams 8 bytes more, for its
//! position. IDs of the service's own are not in it: that each comes once follows from the state of what it is for.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::audit::rules::double_use::DoubleUse;
use crate::audit::rules::id_slots::IdSlots;
use crate::audit::values::chain::Chain;
use crate::audit::values::fact::Direction;
use crate::audit::values::finding::Flaw;

/// A known ID is one that was seen, with what is known of its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownId {
    /// This is the account in whose stream it is, or the number of a transfer's stream.
    pub(crate) account: u32,
    /// This is what it was.
    pub(crate) role: Role,
}

/// The role of an ID is what a later event that names it must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It was an accepted movement of money that can be taken back.
    Moved(Movement),
    /// It was a client's hold that was accepted, or ruled out.
    Hold(HoldRole),
    /// It was something else.
    Other,
}

/// A hold's role is what has become of a client's hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldRole {
    /// It is open.
    Open,
    /// It was captured or released.
    Settled,
    /// It was past its time.
    Expired,
    /// It was ruled out, and was declined for that when it came.
    RuledOut,
}

/// A movement is an accepted deposit or withdrawal, or a client's capture of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Movement {
    pub(crate) direction: Direction,
    /// This is the amount in minor units, at most 10^19.
    pub(crate) amount: u64,
    /// This is the ledger's own account on the other side.
    pub(crate) counter: u32,
}

/// A packed [`KnownId`] has sixteen bytes: the two highest bits of `counter` say whether money moved, and in which direction,
/// or that it is a hold.
#[derive(Debug, Clone, Copy)]
struct Packed {
    amount: u64,
    account: u32,
    counter: u32,
}

const DEPOSIT: u32 = 1 << 31;
const WITHDRAWAL: u32 = 1 << 30;
const HOLD: u32 = DEPOSIT | WITHDRAWAL;
const COUNTER: u32 = WITHDRAWAL - 1;

impl Packed {
    fn of(known: KnownId) -> Self {
        let (amount, counter) = match known.role {
            Role::Moved(Movement { direction: Direction::Credit, amount, counter }) => {
                (amount, counter & COUNTER | DEPOSIT)
            }
            Role::Moved(Movement { direction: Direction::Debit, amount, counter }) => {
                (amount, counter & COUNTER | WITHDRAWAL)
            }
            Role::Hold(HoldRole::Open) => (0, HOLD),
            Role::Hold(HoldRole::Settled) => (0, HOLD | 1),
            Role::Hold(HoldRole::Expired) => (0, HOLD | 2),
            Role::Hold(HoldRole::RuledOut) => (0, HOLD | 3),
            Role::Other => (0, 0),
        };
        Self { amount, account: known.account, counter }
    }

    fn open(self) -> KnownId {
        let counter = self.counter & COUNTER;
        let moved = |direction| Role::Moved(Movement { direction, amount: self.amount, counter });
        let role = match self.counter & HOLD {
            0 => Role::Other,
            DEPOSIT => moved(Direction::Credit),
            WITHDRAWAL => moved(Direction::Debit),
            _ => Role::Hold(match counter {
                0 => HoldRole::Open,
                1 => HoldRole::Settled,
                2 => HoldRole::Expired,
                _ => HoldRole::RuledOut,
            }),
        };
        KnownId { account: self.account, role }
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

    /// Takes the client's ID of the event at this position.
    ///
    /// # Errors
    /// Fails when the ID was seen before; along streams: when it was seen on the same account.
    pub(crate) fn take(&mut self, id: u128, at: u64, known: KnownId) -> Result<(), Flaw> {
        let Err(place) = self.insert(id, known) else {
            let place = self.ids.len().saturating_sub(1);
            if let Some(per_stream) = &mut self.per_stream {
                per_stream.positions.push(at);
            } else if self.position_of(place) != at {
                self.left_out.push((place, at));
            }
            return Ok(());
        };
        let Some(per_stream) = &mut self.per_stream else {
            return Err(Flaw::SeenBefore(self.position_of(place)));
        };
        let position = |place: usize| per_stream.positions.get(place).copied().unwrap_or_default();
        let here = (id, known.account);
        let account = self.known.get(place).map_or(0, |packed| packed.account);
        if account == known.account {
            return Err(Flaw::SeenBefore(position(place)));
        }
        if let Some(place) = per_stream.places.get(&here) {
            return Err(Flaw::SeenBefore(position(*place)));
        }
        let first = (account, position(place));
        per_stream.double_uses.push(DoubleUse { id, first, again: (known.account, at) });
        per_stream.places.insert(here, self.ids.len());
        per_stream.positions.push(at);
        self.ids.push(id);
        self.known.push(Packed::of(known));
        Ok(())
    }

    /// Lists the IDs that were seen on two accounts, in the order of their second positions.
    #[must_use]
    pub(crate) fn double_uses(&self) -> &[DoubleUse] {
        self.per_stream.as_ref().map_or(&[], |per_stream| &per_stream.double_uses)
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
        self.known.get(self.place(id, account)?).map(|packed| packed.open())
    }

    /// Says whether an ID was seen, on whatever account.
    #[must_use]
    pub(crate) fn has(&self, id: u128) -> bool {
        self.slots.find(&self.ids, id).is_err()
    }

    /// Sets what has become of a client's hold on this account.
    pub(crate) fn settle(&mut self, hold: u128, account: u32, role: HoldRole) {
        if let Some(packed) = self.place(hold, account).and_then(|place| self.known.get_mut(place)) {
            *packed = Packed::of(KnownId { account, role: Role::Hold(role) });
        }
    }

    /// Finds the place in the list of an ID on this account.
    fn place(&self, id: u128, account: u32) -> Option<usize> {
        let first = self.slots.find(&self.ids, id).err()?;
        if self.known.get(first).is_some_and(|packed| packed.account == account) {
            return Some(first);
        }
        self.per_stream.as_ref()?.places.get(&(id, account)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_once_and_its_first_place_is_named_ever_after() {
        let mut seen = IdSet::new(Chain::Journal, 1);
        for n in 0..100_000_u128 {
            let known = KnownId { account: u32::try_from(n).unwrap(), role: Role::Other };
            assert_eq!(seen.insert(n * 7, known), Ok(()));
        }
        for n in 0..100_000_u128 {
            let place = usize::try_from(n).unwrap();
            assert_eq!(seen.insert(n * 7, KnownId { account: 0, role: Role::Other }), Err(place));
            let account = u32::try_from(n).unwrap();
            assert_eq!(seen.get(n * 7 + 1, account), None);
            assert_eq!(seen.get(n * 7, account).map(|known| known.account), Some(account));
            assert_eq!(seen.get(n * 7, account + 1), None);
        }
        assert_eq!(seen.ids.len(), 100_000);
    }

    #[test]
    fn a_movement_is_kept_whole() {
        let mut seen = IdSet::new(Chain::Journal, 1);
        for (id, direction) in [(1, Direction::Credit), (2, Direction::Debit)] {
            let known = KnownId {
                account: 9,
                role: Role::Moved(Movement { direction, amount: u64::MAX, counter: 77 }),
            };
            assert_eq!(seen.insert(id, known), Ok(()));
            assert_eq!(seen.get(id, 9), Some(known));
        }
    }
}
