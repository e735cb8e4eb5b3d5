//! What a lane knows of its account: how it stands after the last event of its stream, and the events that the index does
//! not know yet. Loaded from the index's checkpoint and the stream behind it; read on when others write.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::domain::account::Account;
use crate::domain::event::Event;
use crate::domain::ids::{AccountName, TransactionId};
use crate::domain::time::Timestamp;
use crate::index::Index;
use crate::store::Position;
use crate::store::chain::Hash;
use crate::store::eventstoredb::{Error, Recorded, Store};

/// Events that are read of a stream at a time.
const PAGE: usize = 1_000;
/// So many events that the index knows too are kept, newest first: most retries come soon.
const KEPT: usize = 256;

/// Why an account's stream can't be gone by.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It can't be read at the moment.
    Unreachable,
    /// It is not what the ledger wrote.
    Damaged(String),
    /// An event that the decision needs can't be read; it may be another account's.
    Unreadable(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Deleted => Self::Damaged("its stream was deleted".into()),
            Error::Damaged(why) => Self::Damaged(why),
            denied @ (Error::Denied | Error::Settings(_) | Error::TooLarge) => {
                tracing::warn!(error = %denied, "the store refuses the ledger");
                Self::Unreachable
            }
            gone @ (Error::Unreachable(_) | Error::Dropped(_)) => {
                tracing::debug!(error = %gone, "the store can't be reached");
                Self::Unreachable
            }
        }
    }
}

/// An event of the stream, and a position at or before which it is.
#[derive(Clone, Debug)]
pub(super) struct Booked {
    pub(super) event: Arc<Event>,
    pub(super) position: Position,
}

#[derive(Debug)]
pub(super) struct Known {
    name: AccountName,
    /// The account; none before its opening.
    pub(super) account: Option<Account>,
    /// The hash of its last event; what the first is chained to when there is none.
    hash: Hash,
    pub(super) recorded_at: Timestamp,
    /// Every event that the index did not know when it was last asked, by its ID; and some that it did.
    newer: HashMap<TransactionId, Booked, RandomState>,
    /// The same, oldest first.
    order: VecDeque<TransactionId>,
    /// Which of them reverse or rule out an ID.
    naming: HashMap<TransactionId, Vec<TransactionId>, RandomState>,
}

impl Known {
    /// Reads what the index has of the account, and the stream from there on.
    pub(super) async fn load(store: &Store, index: &Index, name: &AccountName) -> Result<Self, Trouble> {
        let tracked = index.tracked(name).map_err(|error| {
            tracing::error!(%error, "the index can't be read");
            Trouble::Unreachable
        })?;
        let mut known = Self {
            name: name.clone(),
            account: None,
            hash: Hash::of_stream(name),
            recorded_at: Timestamp::from_micros(0),
            newer: HashMap::default(),
            order: VecDeque::new(),
            naming: HashMap::default(),
        };
        let from = tracked.as_ref().map_or(0, |tracked| tracked.account.revision);
        let (cut, first) = tokio::join!(store.limited(name), store.stream(name, from, PAGE));
        if let Some(why) = cut? {
            return Err(Trouble::Damaged(why));
        }
        let mut page = first?;
        let full = page.len() == PAGE;
        if let Some(tracked) = tracked {
            let witness = page.first().filter(|event| event.revision == from);
            let Some(witness) = witness else {
                return Err(Trouble::Damaged(format!(
                    "revision {from}, which was seen before, is not there"
                )));
            };
            let read = witness.read().map_err(|foreign| Trouble::Damaged(foreign.to_string()))?;
            if tracked.hash != Some(read.line.hash) {
                return Err(Trouble::Damaged(format!(
                    "revision {from} is not the event that was seen there"
                )));
            }
            known.recorded_at = read.line.event.recorded_at;
            known.hash = read.line.hash;
            known.account = Some(tracked.account);
            page.remove(0);
        }
        page.iter().try_for_each(|recorded| known.take_in(recorded))?;
        if full {
            known.read_on(store).await?;
        }
        Ok(known)
    }

    /// Reads the stream to its end; says how many events were new.
    pub(super) async fn read_on(&mut self, store: &Store) -> Result<usize, Trouble> {
        let mut new = 0;
        loop {
            let page = store.stream(&self.name, self.next_revision(), PAGE).await?;
            page.iter().try_for_each(|recorded| self.take_in(recorded))?;
            new += page.len();
            if page.len() < PAGE {
                return Ok(new);
            }
        }
    }

    /// The revision that comes next.
    pub(super) fn next_revision(&self) -> u64 {
        self.account.as_ref().map_or(0, |account| account.revision + 1)
    }

    /// The last event's revision and hash.
    pub(super) fn last(&self) -> Option<(u64, Hash)> {
        self.account.as_ref().map(|account| (account.revision, self.hash))
    }

    fn take_in(&mut self, recorded: &Recorded) -> Result<(), Trouble> {
        let damaged = |why: String| Trouble::Damaged(format!("revision {}: {why}", recorded.revision));
        if recorded.revision != self.next_revision() {
            return Err(Trouble::Damaged(format!(
                "revision {} stands where {} comes next",
                recorded.revision,
                self.next_revision()
            )));
        }
        let read = recorded.read().map_err(|foreign| damaged(foreign.to_string()))?;
        let hash = self.hash.then(&read.canonical);
        if hash != read.line.hash {
            return Err(damaged("its hash does not follow from the event before it".into()));
        }
        let event = read.line.event;
        let account = Account::evolve(self.account.as_ref(), &event);
        self.account = Some(account.map_err(|error| damaged(error.to_string()))?);
        self.hash = hash;
        self.remember(Arc::new(event), recorded.position);
        Ok(())
    }

    /// Takes in events of this lane's own that became durable, at or before a position.
    pub(super) fn adopt(&mut self, account: Account, hash: Hash, events: &[Arc<Event>], position: Position) {
        self.account = Some(account);
        self.hash = hash;
        events.iter().for_each(|event| self.remember(Arc::clone(event), position));
    }

    fn remember(&mut self, event: Arc<Event>, position: Position) {
        self.recorded_at = self.recorded_at.max(event.recorded_at);
        if let Some(named) = event.reverses() {
            self.naming.entry(named).or_default().push(event.transaction_id);
        }
        self.order.push_back(event.transaction_id);
        self.newer.insert(event.transaction_id, Booked { event, position });
    }

    /// Lets go of old events that the index knows.
    pub(super) fn trim(&mut self, indexed: Position) {
        while self.order.len() > KEPT {
            let Some(oldest) = self.order.front() else { return };
            if self.newer.get(oldest).is_some_and(|booked| booked.position > indexed) {
                return;
            }
            if let Some(gone) = self.order.pop_front().and_then(|id| self.newer.remove(&id))
                && let Some(named) = gone.event.reverses()
                && let Some(naming) = self.naming.get_mut(&named)
            {
                naming.retain(|id| *id != gone.event.transaction_id);
                if naming.is_empty() {
                    self.naming.remove(&named);
                }
            }
        }
    }

    /// The event that an ID was recorded with here, if it is one of the newer ones.
    pub(super) fn seen(&self, id: TransactionId) -> Option<&Booked> {
        self.newer.get(&id)
    }

    /// The newer events that reverse or rule out an ID.
    pub(super) fn naming(&self, id: TransactionId) -> impl Iterator<Item = &Arc<Event>> {
        self.naming
            .get(&id)
            .into_iter()
            .flatten()
            .filter_map(|id| self.newer.get(id))
            .map(|booked| &booked.event)
    }
}
