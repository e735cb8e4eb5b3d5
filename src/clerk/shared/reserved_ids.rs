//! The IDs that this instance has reserved: being decided, unresolved, or booked and not yet in the index.
//!
//! An ID is reserved for one stream from the moment its command is taken until the index knows its event, so that two
//! streams of one instance never book it both. Bounded by what waits and by how far the index may be behind.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::Mutex;

use crate::domain::event::Event;
use crate::domain::ids::Id;
use crate::domain::stream::StreamName;
use crate::store::Position;

use super::booked::Booked;

#[derive(Debug, Default)]
pub(super) struct ReservedIds(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    ids: HashMap<Id, Holder, RandomState>,
    /// What was booked, by a position at or before which it is, until the index has come so far.
    booked: BTreeMap<Position, Vec<Id>>,
    /// How many IDs are in `booked`.
    not_indexed: usize,
}

#[derive(Debug)]
struct Holder {
    stream: StreamName,
    /// Commands that are being decided.
    users: usize,
    /// Is an append with it on its way, and nobody knows what became of it?
    unresolved: bool,
    booked: Option<Booked>,
}

impl Holder {
    fn of(stream: &StreamName) -> Self {
        Self { stream: stream.clone(), users: 0, unresolved: false, booked: None }
    }

    fn is_idle(&self) -> bool {
        self.users == 0 && !self.unresolved && self.booked.is_none()
    }
}

impl Held {
    fn change(&mut self, id: Id, change: impl FnOnce(&mut Holder)) {
        if let Some(holder) = self.ids.get_mut(&id) {
            change(holder);
            if holder.is_idle() {
                self.ids.remove(&id);
            }
        }
    }
}

impl ReservedIds {
    /// Takes the ID for a command on this account; `false` when another account has it in reserved. One that another account
    /// was booked with may be taken: what was booked is found when it is ruled on, with [`booked_elsewhere`].
    ///
    /// [`booked_elsewhere`]: Self::booked_elsewhere
    pub(super) fn reserve(&self, id: Id, stream: &StreamName) -> bool {
        let mut held = self.0.lock();
        let holder = held.ids.entry(id).or_insert_with(|| Holder::of(stream));
        let free = holder.stream == *stream || holder.booked.is_some();
        holder.users += usize::from(free);
        free
    }

    /// What another stream was booked with, if the index may not know it yet. To be asked before the index is.
    pub(super) fn booked_elsewhere(&self, id: Id, stream: &StreamName) -> Option<Booked> {
        let held = self.0.lock();
        held.ids.get(&id).filter(|holder| holder.stream != *stream)?.booked.clone()
    }

    /// Gives back an ID: a command that had reserved it was answered, or never will be.
    pub(super) fn release(&self, id: Id) {
        self.0.lock().change(id, |holder| holder.users = holder.users.saturating_sub(1));
    }

    /// Says that these became durable, at or before a position. `reached`, how far the index is, is asked under the lock.
    pub(super) fn booked(
        &self,
        events: &[Arc<Event>],
        position: Position,
        reached: impl FnOnce() -> Position,
    ) {
        let mut held = self.0.lock();
        let indexed = reached() >= position;
        let mut news = Vec::new();
        for event in events {
            held.ids.entry(event.id).or_insert_with(|| Holder::of(&event.stream));
            held.change(event.id, |holder| {
                // Otherwise it was recorded twice, in a race: whoever was first here stays the one that is told of.
                if holder.stream != event.stream {
                    return;
                }
                holder.unresolved = false;
                if !indexed && holder.booked.is_none() {
                    holder.booked = Some(Booked { event: Arc::clone(event), position });
                    news.push(event.id);
                }
            });
        }
        if !news.is_empty() {
            held.not_indexed += news.len();
            held.booked.entry(position).or_default().extend(news);
        }
    }

    /// Says that the index has come so far.
    pub(super) fn indexed(&self, reached: Position) {
        let mut held = self.0.lock();
        while let Some(first) = held.booked.first_entry().filter(|first| *first.key() <= reached) {
            let ids = first.remove();
            held.not_indexed = held.not_indexed.saturating_sub(ids.len());
            ids.into_iter().for_each(|id| held.change(id, |holder| holder.booked = None));
        }
    }

    /// Says that nobody knows whether these were booked, or that it is known again.
    pub(super) fn set_unresolved(&self, events: &[Arc<Event>], unresolved: bool) {
        let mut held = self.0.lock();
        events.iter().for_each(|event| {
            held.change(event.id, |holder| {
                if holder.stream == event.stream {
                    holder.unresolved = unresolved;
                }
            });
        });
    }

    /// Is an append with this ID unresolved?
    pub(super) fn is_unresolved(&self, id: Id) -> bool {
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
    use crate::domain::command::{Command, Opening, Operation};
    use crate::domain::currency::Currency;
    use crate::domain::decide::{Standing, decide};
    use crate::domain::ids::{AccountName, TransactionId};
    use crate::domain::metadata::{Metadata, Origin};
    use crate::domain::money::Written;
    use crate::domain::time::Timestamp;

    fn id(n: u128) -> Id {
        TransactionId::from_uuid(uuid::Uuid::from_u128(n)).map(Id::Client).unwrap()
    }

    fn name(text: &str) -> StreamName {
        StreamName::Account(AccountName::parse(text).unwrap())
    }

    #[test]
    fn a_reserved_id_is_one_streams_until_it_is_released() {
        let reserved = ReservedIds::default();
        assert!(reserved.reserve(id(1), &name("alice")));
        assert!(reserved.reserve(id(1), &name("alice")));
        assert!(!reserved.reserve(id(1), &name("bob")));
        reserved.release(id(1));
        assert!(!reserved.reserve(id(1), &name("bob")));
        reserved.release(id(1));
        assert!(reserved.reserve(id(1), &name("bob")));
        reserved.release(id(1));
        assert!(reserved.0.lock().ids.is_empty());
    }
    fn opened(n: u128, account: &str) -> Arc<Event> {
        let opening = Opening {
            currency: Currency::parse("EUR").unwrap(),
            overdraft_limit: Written::parse("0").unwrap(),
            metadata: Metadata::default(),
        };
        let origin = Origin { correlation: None, causation: None, actor: Arc::from("test") };
        let operation = Operation::Open(opening);
        let command = Command { id: id(n), stream: name(account), operation, origin };
        Arc::new(decide(Standing::default(), &command, Timestamp::from_micros(1)).unwrap())
    }

    #[test]
    fn an_id_that_was_booked_stays_that_accounts_until_the_index_knows_it() {
        let reserved = ReservedIds::default();
        assert!(reserved.reserve(id(1), &name("alice")));
        reserved.set_unresolved(&[opened(1, "alice")], true);
        reserved.release(id(1));
        assert!(reserved.is_unresolved(id(1)) && !reserved.reserve(id(1), &name("bob")));
        reserved.booked(&[opened(1, "alice")], 7, || 6);
        assert!(!reserved.is_unresolved(id(1)));
        assert!(reserved.reserve(id(1), &name("bob")), "it is ruled on, on what was booked");
        let booked = reserved.booked_elsewhere(id(1), &name("bob")).unwrap();
        assert_eq!((&booked.event.stream, booked.position), (&name("alice"), 7));
        assert!(reserved.booked_elsewhere(id(1), &name("alice")).is_none());
        // The same ID on the other account, from another instance: it takes nothing away from the first.
        reserved.booked(&[opened(1, "bob")], 6, || 5);
        reserved.indexed(6);
        assert!(reserved.booked_elsewhere(id(1), &name("bob")).is_some());
        reserved.indexed(7);
        assert!(reserved.booked_elsewhere(id(1), &name("bob")).is_none());
        assert!(!reserved.reserve(id(1), &name("carol")), "bob's command is still being ruled on");
        reserved.release(id(1));
        assert_eq!(reserved.not_indexed(), 0);
        assert!(reserved.0.lock().ids.is_empty());
    }

    #[test]
    fn an_event_that_the_index_knows_already_is_not_kept() {
        let reserved = ReservedIds::default();
        reserved.booked(&[opened(1, "alice")], 7, || 7);
        assert_eq!(reserved.not_indexed(), 0);
        assert!(reserved.0.lock().ids.is_empty());
    }
}
