//! The fold: the store's events, in order, as the index takes them in. Each is checked against its own bytes, its stream's
//! chain and its account.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::domain::account::Account;
use crate::domain::event::Event;
use crate::domain::ids::{AccountName, TransactionId};
use crate::index::record::{Role, StreamKey};
use crate::index::{Index, IndexError, Note, Reached, Tracked};
use crate::store::chain::Hash;
use crate::store::eventstoredb::Recorded;

/// Accounts that are kept at hand.
const MOST_ACCOUNTS: usize = 65_536;

/// How the accounts stand after the last event that was folded.
pub(super) struct Fold {
    index: Index,
    accounts: HashMap<AccountName, Tracked>,
}

impl Fold {
    pub(super) fn new(index: Index) -> Self {
        Self { index, accounts: HashMap::new() }
    }

    fn load(&mut self, account: &AccountName) -> Result<(), IndexError> {
        if !self.accounts.contains_key(account)
            && let Some(tracked) = self.index.tracked(account)?
        {
            self.accounts.insert(account.clone(), tracked);
        }
        Ok(())
    }

    /// The revision that comes next on an account that was just folded.
    pub(super) fn next_revision(&self, account: &AccountName) -> u64 {
        self.accounts.get(account).map_or(0, |tracked| tracked.account.revision + 1)
    }

    /// Lets go of accounts that the index has.
    pub(super) fn bound(&mut self) {
        if self.accounts.len() > MOST_ACCOUNTS {
            self.accounts.clear();
        }
    }

    /// Folds one event; what is wrong with it comes back as text.
    pub(super) fn take(
        &mut self,
        recorded: &Recorded,
        account: &AccountName,
        taken: &mut Taken,
    ) -> Result<Result<(), String>, IndexError> {
        self.load(account)?;
        let before = self.accounts.get(account);
        let wrong = |why: &dyn std::fmt::Display| Ok(Err(format!("position {}: {why}", recorded.position)));
        let read = match recorded.read() {
            Ok(read) => read,
            Err(foreign) => return wrong(&foreign),
        };
        let previous = match before {
            Some(tracked) => tracked.hash.unwrap_or_else(|| Hash::of_stream(account)),
            None => Hash::of_stream(account),
        };
        let hash = previous.then(&read.canonical);
        let event = read.line.event;
        let after = match Account::evolve(before.map(|tracked| &tracked.account), &event) {
            Ok(after) => after,
            Err(error) => return wrong(&error),
        };
        if hash != read.line.hash {
            return wrong(&"its hash does not follow from the event before it");
        }
        let stream = before.map_or_else(|| StreamKey::of(account), |tracked| tracked.stream);
        let id = event.transaction_id;
        let elsewhere =
            taken.ids.contains(&id) || self.index.marks(id)?.iter().any(|mark| mark.role == Role::Booked);
        if elsewhere {
            tracing::warn!(%account, transaction_id = %id, "the ID was recorded on another account, too");
            taken.notes.push(Note::Twice(id));
        }
        taken.ids.insert(id);
        let tracked = Tracked { account: after, stream, hash: Some(hash) };
        self.accounts.insert(account.clone(), tracked.clone());
        taken.accounts.insert(account.clone(), tracked);
        if taken.reached.position == 0 {
            taken.journal = Some(recorded.event_id);
            taken.reached.hash = Hash::genesis(recorded.event_id);
        }
        taken.reached =
            Reached { position: recorded.position, hash: taken.reached.hash.and(&hash), event: hash };
        taken.events.push((stream, recorded.position, event));
        Ok(Ok(()))
    }
}

/// What is taken into the index together.
pub(super) struct Taken {
    pub(super) events: Vec<(StreamKey, u64, Event)>,
    pub(super) accounts: BTreeMap<AccountName, Tracked>,
    pub(super) ids: HashSet<TransactionId>,
    pub(super) notes: Vec<Note>,
    /// The journal's id, when its first event is among them.
    pub(super) journal: Option<uuid::Uuid>,
    pub(super) reached: Reached,
    pub(super) looked_at: u64,
}

impl Taken {
    pub(super) fn after(reached: Reached, looked_at: u64) -> Self {
        Self {
            events: Vec::new(),
            accounts: BTreeMap::new(),
            ids: HashSet::new(),
            notes: Vec::new(),
            journal: None,
            reached,
            looked_at,
        }
    }
}
