//! The desk: the state that the next decision needs, as all decisions before it leave it, durable or not.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::domain::account::Account;
use crate::domain::command::{Command, Operation, Reversal};
use crate::domain::decide::{Original, Standing, decide};
use crate::domain::event::{Event, Fact};
use crate::domain::ids::{AccountName, TransactionId};
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::index::record::{Mark, Role, StreamKey};
use crate::index::{Index, IndexError, Tracked};
use crate::store::{ReadError, Reader};

use super::Ruling;

/// So many accounts are kept in memory; beyond it, those that rest are looked up again when they are needed.
pub const MOST_CACHED: usize = 131_072;

/// So many events are kept after they became durable: most retries come soon, and cost no reading then.
const RECENT: usize = 16_384;

type Map<K, V> = HashMap<K, V, RandomState>;

/// Why the desk can't decide any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum DeskError {
    /// The index can't be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The journal can't be read.
    #[error(transparent)]
    Store(#[from] ReadError),
    /// A decided event does not follow: a fault of this program.
    #[error(transparent)]
    Evolve(#[from] crate::domain::account::EvolveError),
}

struct Slot {
    tracked: Tracked,
    /// The batch that touched it last.
    batch: u64,
}

/// Decisions that will be appended together.
pub(super) struct Batch {
    pub(super) number: u64,
    pub(super) events: Vec<Arc<Event>>,
    pub(super) streams: Vec<StreamKey>,
    /// How each account stood before the batch touched it.
    before: Vec<(AccountName, Option<Tracked>)>,
}

impl Batch {
    pub(super) fn new(number: u64) -> Self {
        Self { number, events: Vec::new(), streams: Vec::new(), before: Vec::new() }
    }
}

pub(super) struct Desk {
    index: Index,
    reader: Reader,
    accounts: Map<AccountName, Slot>,
    /// Events that are not durable yet, or became so not long ago, by their ID.
    booked: Map<TransactionId, Arc<Event>>,
    /// Those of them that are durable, oldest first.
    recent: VecDeque<TransactionId>,
    /// Events that are not durable yet, by the ID that they reverse or rule out.
    naming: Map<TransactionId, Vec<Arc<Event>>>,
    /// How much of an original its durable reversals took back, while others of it are in flight. The index can't be asked
    /// then: it takes in a batch when that lands, and the desk lets go of it when it is told, a moment later.
    reversed: Map<TransactionId, Money>,
}

impl Desk {
    pub(super) fn new(index: Index, reader: Reader) -> Self {
        let (accounts, booked, recent) = (Map::default(), Map::default(), VecDeque::new());
        Self { index, reader, accounts, booked, recent, naming: Map::default(), reversed: Map::default() }
    }

    /// Rules on one command and, if it makes an event, adds it to the batch.
    pub(super) fn rule(
        &mut self,
        command: &Command,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<Ruling, DeskError> {
        let id = command.transaction_id;
        if let Some(event) = self.booked.get(&id) {
            return Ok(Ruling::SeenNow(Arc::clone(event)));
        }
        let marks = self.index.marks(id)?;
        if let Some(mark) = marks.iter().find(|mark| mark.role == Role::Booked) {
            return Ok(Ruling::SeenAt(mark.position));
        }
        let prevented_by = self.prevented_by(command, &marks)?;
        self.load(&command.account)?;
        let original = match &command.operation {
            Operation::Reverse(reversal) => self.original(&command.account, reversal)?,
            _ => None,
        };
        let account = self.accounts.get(&command.account).map(|slot| &slot.tracked.account);
        let standing = Standing { account, prevented_by, original: original.as_ref() };
        match decide(standing, command, now) {
            Err(refusal) => Ok(Ruling::Refused(refusal)),
            Ok(event) => {
                let event = Arc::new(event);
                if let (Fact::Reversed { reverses, .. }, Some(Original::Moved { reversed, .. })) =
                    (&event.fact, &original)
                {
                    self.reversed.entry(*reverses).or_insert(*reversed);
                }
                self.take_in(&event, batch)?;
                Ok(Ruling::Booked(event))
            }
        }
    }

    fn load(&mut self, name: &AccountName) -> Result<(), DeskError> {
        if !self.accounts.contains_key(name)
            && let Some(tracked) = self.index.tracked(name)?
        {
            self.accounts.insert(name.clone(), Slot { tracked, batch: 0 });
        }
        Ok(())
    }

    /// The reversal on the same account that ruled this command's ID out before it came.
    fn prevented_by(&self, command: &Command, marks: &[Mark]) -> Result<Option<TransactionId>, DeskError> {
        let rules_out =
            |event: &Event| event.account == command.account && matches!(event.fact, Fact::Prevented { .. });
        for mark in marks.iter().filter(|mark| mark.role == Role::RuledOut) {
            let event = self.reader.event(mark.position)?.event;
            if rules_out(&event) {
                return Ok(Some(event.transaction_id));
            }
        }
        let in_flight = self.naming.get(&command.transaction_id).into_iter().flatten();
        Ok(in_flight.map(Arc::as_ref).find(|event| rules_out(event)).map(|event| event.transaction_id))
    }

    /// What the account's stream says of the transaction that a reversal names.
    fn original(&self, account: &AccountName, asked: &Reversal) -> Result<Option<Original>, DeskError> {
        let id = asked.reverses;
        let marks = self.index.marks(id)?;
        let first = match self.booked.get(&id) {
            Some(event) => Some(Arc::clone(event)),
            None => match marks.iter().find(|mark| mark.role == Role::Booked) {
                Some(mark) => Some(Arc::new(self.reader.event(mark.position)?.event)),
                None => None,
            },
        };
        let Some(first) = first.filter(|event| event.account == *account) else {
            return Ok(self.ruled_out(account, id, &marks)?.then_some(Original::RuledOut));
        };
        let durable = match self.reversed.get(&id) {
            Some(durable) => *durable,
            None => self.index.reversed(id, first.currency)?,
        };
        let in_flight = self.naming.get(&id).into_iter().flatten();
        Ok(Some(Original::of(&first, durable, in_flight.map(Arc::as_ref))))
    }

    fn ruled_out(&self, account: &AccountName, id: TransactionId, marks: &[Mark]) -> Result<bool, DeskError> {
        for mark in marks.iter().filter(|mark| mark.role == Role::RuledOut) {
            if self.reader.event(mark.position)?.event.account == *account {
                return Ok(true);
            }
        }
        let in_flight = self.naming.get(&id).into_iter().flatten();
        Ok(in_flight
            .filter(|event| event.account == *account)
            .any(|event| matches!(event.fact, Fact::Prevented { .. })))
    }

    fn take_in(&mut self, event: &Arc<Event>, batch: &mut Batch) -> Result<(), DeskError> {
        let before = self.accounts.get(&event.account);
        let account = Account::evolve(before.map(|slot| &slot.tracked.account), event)?;
        let stream = before.map_or_else(|| StreamKey::of(&event.account), |slot| slot.tracked.stream);
        if before.is_none_or(|slot| slot.batch != batch.number) {
            batch.before.push((event.account.clone(), before.map(|slot| slot.tracked.clone())));
        }
        let slot = Slot { tracked: Tracked { account, stream, hash: None }, batch: batch.number };
        match self.accounts.get_mut(&event.account) {
            Some(place) => *place = slot,
            None => {
                self.accounts.insert(event.account.clone(), slot);
            }
        }
        self.booked.insert(event.transaction_id, Arc::clone(event));
        if let Some(reverses) = event.reverses() {
            self.naming.entry(reverses).or_default().push(Arc::clone(event));
        }
        batch.streams.push(stream);
        batch.events.push(Arc::clone(event));
        Ok(())
    }

    /// How the accounts stand that the batch touched. Asked before anything is decided on top of it.
    pub(super) fn touched(&self, batch: &Batch) -> Vec<Tracked> {
        let now = |(name, _): &(AccountName, Option<Tracked>)| {
            self.accounts.get(name).map(|slot| slot.tracked.clone())
        };
        batch.before.iter().filter_map(now).collect()
    }

    /// The batch is durable and in the index: what was kept for it can go.
    pub(super) fn settle(&mut self, batch: &Batch) {
        for event in &batch.events {
            if let (Some(reverses), Some(amount)) = (event.reverses(), event.taken_back())
                && let Some(durable) = self.reversed.get_mut(&reverses)
            {
                *durable = durable.plus(amount).unwrap_or(*durable);
            }
        }
        self.let_go(batch);
        self.recent.extend(batch.events.iter().map(|event| event.transaction_id));
        while self.recent.len() > RECENT {
            if let Some(oldest) = self.recent.pop_front() {
                self.booked.remove(&oldest);
            }
        }
        if self.accounts.len() > MOST_CACHED {
            self.accounts.retain(|_, slot| slot.batch > batch.number);
        }
    }

    /// The batch will never be: everything is again as it was before it. Newest batch first.
    pub(super) fn take_back(&mut self, batch: &Batch) {
        self.let_go(batch);
        for event in &batch.events {
            self.booked.remove(&event.transaction_id);
        }
        for (name, before) in &batch.before {
            match before {
                Some(tracked) => {
                    self.accounts.insert(name.clone(), Slot { tracked: tracked.clone(), batch: 0 });
                }
                None => {
                    self.accounts.remove(name);
                }
            }
        }
    }

    fn let_go(&mut self, batch: &Batch) {
        for event in &batch.events {
            if let Some(reverses) = event.reverses()
                && let Some(naming) = self.naming.get_mut(&reverses)
            {
                naming.retain(|other| !Arc::ptr_eq(other, event));
                if !naming.iter().any(|other| other.taken_back().is_some()) {
                    self.reversed.remove(&reverses);
                }
                if naming.is_empty() {
                    self.naming.remove(&reverses);
                }
            }
        }
    }
}
