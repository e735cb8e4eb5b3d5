//! [`ReservedIds`] are the IDs that this instance has reserved: those that are being decided, are unresolved, or are
//! booked and not yet in the index.
//!
//! An ID is reserved for one stream from the moment its command is taken until the index knows its event, so that two
//! streams of one instance never both book it. The number of IDs is bounded by the commands that may wait and by how
//! far the index may be behind.

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
    /// These are the IDs that were booked and are not indexed yet. The key is a position at or after each of their
    /// events; they are removed when the index has reached it.
    booked: BTreeMap<Position, Vec<Id>>,
    /// This is the number of IDs in `booked`.
    not_indexed: usize,
}

#[derive(Debug)]
struct Holder {
    stream: StreamName,
    /// This is the number of commands with this ID that are being decided.
    users: usize,
    /// This is true while an append with this ID was sent and it is not known whether the store took it.
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
    /// Reserves the ID for a command on this stream; `false` when it is reserved for another stream. An ID that was
    /// booked on another stream may be taken: [`booked_elsewhere`] finds that event when the command is ruled on.
    ///
    /// [`booked_elsewhere`]: Self::booked_elsewhere
    pub(super) fn reserve(&self, id: Id, stream: &StreamName) -> bool {
        if id.is_absent() {
            return true;
        }
        let mut held = self.0.lock();
        let holder = held.ids.entry(id).or_insert_with(|| Holder::of(stream));
        let free = holder.stream == *stream || holder.booked.is_some();
        holder.users += usize::from(free);
        free
    }

    /// Returns the event that another stream booked with this ID, if the index may not know it yet. It must be asked
    /// before the index is asked.
    pub(super) fn booked_elsewhere(&self, id: Id, stream: &StreamName) -> Option<Booked> {
        let held = self.0.lock();
        held.ids.get(&id).filter(|holder| holder.stream != *stream)?.booked.clone()
    }

    /// Gives back an ID, because a command that had reserved it was answered or never will be.
    pub(super) fn release(&self, id: Id) {
        self.0.lock().change(id, |holder| holder.users = holder.users.saturating_sub(1));
    }

    /// Notes that these events became durable, at or before a position. `reached` says how far the index is; it is
    /// called under the lock, so that [`indexed`](Self::indexed) can't come between.
    pub(super) fn booked(
        &self,
        events: &[Arc<Event>],
        position: Position,
        reached: impl FnOnce() -> Position,
    ) {
        let mut held = self.0.lock();
        let indexed = reached() >= position;
        let mut news = Vec::new();
        for event in events.iter().filter(|event| !event.id.is_absent()) {
            held.ids.entry(event.id).or_insert_with(|| Holder::of(&event.stream));
            held.change(event.id, |holder| {
                // Another stream holds the ID: it was recorded twice, in a race. The event that was first here is kept.
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

    /// Notes that the index has reached a position, and removes the IDs that were booked up to it.
    pub(super) fn indexed(&self, reached: Position) {
        let mut held = self.0.lock();
        while let Some(first) = held.booked.first_entry().filter(|first| *first.key() <= reached) {
            let ids = first.remove();
            held.not_indexed = held.not_indexed.saturating_sub(ids.len());
            ids.into_iter().for_each(|id| held.change(id, |holder| holder.booked = None));
        }
    }

    /// Notes whether it is unknown if these events were booked.
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

    /// Says whether an append with this ID is unresolved.
    pub(super) fn is_unresolved(&self, id: Id) -> bool {
        self.0.lock().ids.get(&id).is_some_and(|holder| holder.unresolved)
    }

    /// Returns the number of booked IDs that the index does not know yet.
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
