//! A round: commands of one account, decided together on what is known of it. Pure: what it needs was fetched before, and
//! nothing is changed until its append is durable.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::domain::account::{Account, EvolveError};
use crate::domain::command::{Command, Operation, Reversal};
use crate::domain::decide::{Original, Refusal, Standing, decide};
use crate::domain::event::{Event, Fact};
use crate::domain::ids::{AccountName, TransactionId};
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::index::record::Role;
use crate::store::chain::Hash;
use crate::store::eventstoredb::Proposed;

use super::account_view::{Booked, Known};
use super::lookups::Lookups;

/// What became of a command in a round.
#[derive(Debug)]
pub(super) enum Ruling {
    /// Its event is appended with the round.
    Booked(Arc<Event>),
    /// Its ID is that of an event that is appended with the round.
    SeenHere(Arc<Event>),
    /// Its ID is that of an event that is durable.
    Seen(Booked),
    /// Nothing is recorded, if the stream ends where this round began.
    Refused(Refusal),
}

/// Decisions on one account that are appended together.
pub(super) struct Round<'a> {
    known: &'a Known,
    lookups: &'a Lookups,
    now: Timestamp,
    account: Option<Account>,
    events: Vec<Arc<Event>>,
    booked: HashMap<TransactionId, usize, RandomState>,
    proposed: Proposed,
}

/// What a round wants to append, and what comes of it.
pub(super) struct Decided {
    pub(super) account: Option<Account>,
    pub(super) events: Vec<Arc<Event>>,
    pub(super) proposed: Proposed,
}

impl Decided {
    /// The hash of its last event.
    pub(super) fn hash(&self) -> Hash {
        self.proposed.hash()
    }
}

impl<'a> Round<'a> {
    pub(super) fn new(name: &AccountName, known: &'a Known, lookups: &'a Lookups, now: Timestamp) -> Self {
        Self {
            known,
            lookups,
            now: now.max(known.recorded_at),
            account: known.account.clone(),
            events: Vec::new(),
            booked: HashMap::default(),
            proposed: Proposed::after(name, known.last()),
        }
    }

    /// Rules on one more command; `None` when there is no room for its event any more.
    pub(super) fn rule(&mut self, command: &Command) -> Result<Option<Ruling>, EvolveError> {
        let id = command.transaction_id;
        if let Some(event) = self.booked.get(&id).and_then(|place| self.events.get(*place)) {
            return Ok(Some(Ruling::SeenHere(Arc::clone(event))));
        }
        if let Some(booked) = self.seen(command) {
            return Ok(Some(Ruling::Seen(booked.clone())));
        }
        let original = match &command.operation {
            Operation::Reverse(asked) => self.original(&command.account, asked),
            _ => None,
        };
        let standing = Standing {
            account: self.account.as_ref(),
            prevented_by: self.ruling_out(&command.account, id).map(|event| event.transaction_id),
            original: original.as_ref(),
        };
        let event = match decide(standing, command, self.now) {
            Err(refusal) => return Ok(Some(Ruling::Refused(refusal))),
            Ok(event) => event,
        };
        let account = Account::evolve(self.account.as_ref(), &event)?;
        if !self.proposed.push(&event) {
            return Ok(None);
        }
        let event = Arc::new(event);
        self.account = Some(account);
        self.booked.insert(id, self.events.len());
        self.events.push(Arc::clone(&event));
        Ok(Some(Ruling::Booked(event)))
    }

    pub(super) fn decided(self) -> Decided {
        Decided { account: self.account, events: self.events, proposed: self.proposed }
    }

    /// The durable event with this command's ID: the account's own before another's.
    fn seen(&self, command: &Command) -> Option<&Booked> {
        let id = command.transaction_id;
        let booked = |(role, booked)| (role == Role::Booked).then_some(booked);
        self.known.seen(id).or_else(|| {
            let own = |booked: &&Booked| booked.event.account == command.account;
            let mut everywhere = self.lookups.of(id).filter_map(booked);
            self.lookups.of(id).filter_map(booked).find(own).or_else(|| everywhere.next())
        })
    }

    /// Everything that reverses or rules out an ID on this account: of the index, of the stream behind it, of this round.
    fn naming(&self, account: &AccountName, id: TransactionId) -> Vec<&Arc<Event>> {
        let indexed = self.lookups.of(id).filter(|(role, _)| *role != Role::Booked).map(|(_, b)| &b.event);
        let here = self.events.iter().filter(|event| event.reverses() == Some(id));
        let mut naming: Vec<&Arc<Event>> = indexed
            .chain(self.known.naming(id))
            .chain(here)
            .filter(|event| event.account == *account)
            .collect();
        // The index and the stream may both know the same event.
        naming.sort_by_key(|event| event.revision);
        naming.dedup_by_key(|event| event.revision);
        naming
    }

    fn ruling_out(&self, account: &AccountName, id: TransactionId) -> Option<&Arc<Event>> {
        let rules_out = |event: &&Arc<Event>| matches!(event.fact, Fact::Prevented { .. });
        self.naming(account, id).into_iter().find(rules_out)
    }

    /// What the account's stream says of the transaction that a reversal names.
    fn original(&self, account: &AccountName, asked: &Reversal) -> Option<Original> {
        let id = asked.reverses;
        let here = self.booked.get(&id).and_then(|place| self.events.get(*place));
        let known = || self.known.seen(id).map(|booked| &booked.event);
        let indexed = || {
            let of_index = self.lookups.of(id).filter(|(role, _)| *role == Role::Booked);
            of_index.map(|(_, booked)| &booked.event).find(|event| event.account == *account)
        };
        let Some(first) = here.or_else(known).or_else(indexed) else {
            return self.ruling_out(account, id).map(|_| Original::RuledOut);
        };
        let none = Money::zero(first.currency);
        Some(Original::of(first, none, self.naming(account, id).into_iter().map(Arc::as_ref)))
    }
}
