//! The IDs that this instance has in hand: being decided, unresolved, or booked and not yet in the index.
//!
//! An ID is reserved for one account from the moment its command is taken until the index knows its event, so that two
//! accounts of one instance never book it both. Bounded by what waits and by how far the index may be behind.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::Mutex;

use crate::domain::event::Event;
use crate::domain::ids::{AccountName, TransactionId};
use crate::ledger::Position;

/// What came of the wish to have an ID.
pub(super) enum Reserved {
    /// It is this account's, until it is released.
    Yours,
    /// Another account has it in hand.
    Elsewhere,
    /// Another account was booked with it.
    Seen(Arc<Event>, Position),
}

#[derive(Debug, Default)]
pub(super) struct Hand(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    ids: HashMap<TransactionId, Holder, RandomState>,
    /// What was booked, by a position at or before which it is, until the index has come so far.
    booked: BTreeMap<Position, Vec<TransactionId>>,
    /// How many IDs are in `booked`.
    not_indexed: usize,
}

#[derive(Debug)]
struct Holder {
    account: AccountName,
    /// Commands that are being decided.
    users: usize,
    /// Is an append with it on its way, and nobody knows what became of it?
    unresolved: bool,
    booked: Option<(Arc<Event>, Position)>,
}

impl Holder {
    fn of(account: &AccountName) -> Self {
        Self { account: account.clone(), users: 0, unresolved: false, booked: None }
    }

    fn is_idle(&self) -> bool {
        self.users == 0 && !self.unresolved && self.booked.is_none()
    }
}

impl Held {
    fn change(&mut self, id: TransactionId, change: impl FnOnce(&mut Holder)) {
        if let Some(holder) = self.ids.get_mut(&id) {
            change(holder);
            if holder.is_idle() {
                self.ids.remove(&id);
            }
        }
    }
}

impl Hand {
    /// Takes the ID for a command on this account.
    pub(super) fn reserve(&self, id: TransactionId, account: &AccountName) -> Reserved {
        let mut held = self.0.lock();
        let holder = held.ids.entry(id).or_insert_with(|| Holder::of(account));
        if holder.account == *account {
            holder.users += 1;
            return Reserved::Yours;
        }
        match &holder.booked {
            Some((event, position)) => Reserved::Seen(Arc::clone(event), *position),
            None => Reserved::Elsewhere,
        }
    }

    /// A command that had reserved it was answered.
    pub(super) fn release(&self, id: TransactionId) {
        self.0.lock().change(id, |holder| holder.users = holder.users.saturating_sub(1));
    }

    /// These became durable, at or before a position. `reached`, how far the index is, is asked under the lock.
    pub(super) fn booked(
        &self,
        events: &[Arc<Event>],
        position: Position,
        reached: impl FnOnce() -> Position,
    ) {
        let mut held = self.0.lock();
        let indexed = reached() >= position;
        for event in events {
            held.ids.entry(event.transaction_id).or_insert_with(|| Holder::of(&event.account));
            held.change(event.transaction_id, |holder| {
                holder.unresolved = false;
                holder.booked = (!indexed).then(|| (Arc::clone(event), position));
            });
        }
        if !indexed {
            held.booked.entry(position).or_default().extend(events.iter().map(|event| event.transaction_id));
            held.not_indexed += events.len();
        }
    }

    /// The index has come so far.
    pub(super) fn indexed(&self, reached: Position) {
        let mut held = self.0.lock();
        while let Some(first) = held.booked.first_entry().filter(|first| *first.key() <= reached) {
            let ids = first.remove();
            held.not_indexed = held.not_indexed.saturating_sub(ids.len());
            ids.into_iter().for_each(|id| held.change(id, |holder| holder.booked = None));
        }
    }

    /// Nobody knows whether these were booked; or it is known again that they were not.
    pub(super) fn set_unresolved(&self, events: &[Arc<Event>], unresolved: bool) {
        let mut held = self.0.lock();
        events.iter().for_each(|event| {
            held.change(event.transaction_id, |holder| holder.unresolved = unresolved);
        });
    }

    /// Is an append with this ID unresolved?
    pub(super) fn is_unresolved(&self, id: TransactionId) -> bool {
        self.0.lock().ids.get(&id).is_some_and(|holder| holder.unresolved)
    }

    /// How many booked IDs the index does not know yet.
    pub(super) fn not_indexed(&self) -> usize {
        self.0.lock().not_indexed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> TransactionId {
        TransactionId::from_uuid(uuid::Uuid::from_u128(n)).unwrap()
    }

    fn name(text: &str) -> AccountName {
        AccountName::parse(text).unwrap()
    }

    #[test]
    fn an_id_in_hand_is_one_accounts_until_it_is_released() {
        let hand = Hand::default();
        assert!(matches!(hand.reserve(id(1), &name("alice")), Reserved::Yours));
        assert!(matches!(hand.reserve(id(1), &name("alice")), Reserved::Yours));
        assert!(matches!(hand.reserve(id(1), &name("bob")), Reserved::Elsewhere));
        hand.release(id(1));
        assert!(matches!(hand.reserve(id(1), &name("bob")), Reserved::Elsewhere));
        hand.release(id(1));
        assert!(matches!(hand.reserve(id(1), &name("bob")), Reserved::Yours));
        hand.release(id(1));
        assert!(hand.0.lock().ids.is_empty());
    }
}
