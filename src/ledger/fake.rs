//! A ledger in memory, for trying what stands on the facade: one lock, one list of events, nothing durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;
use uuid::Uuid;

use super::*;
use crate::domain::account::Account;
use crate::domain::command::{Command, Operation};
use crate::domain::currency::Currency;
use crate::domain::decide::{Original, Standing, decide};
use crate::domain::event::{Event, Fact};
use crate::domain::ids::{AccountName, CounterAccount, TransactionId};
use crate::domain::money::Money;
use crate::domain::time::{Clock, Timestamp};
use crate::store::chain::Hash;
use crate::store::codec::Encoder;

/// How the ledger is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Does it take commands?
    pub ready: bool,
    /// Why not?
    pub reason: Option<&'static str>,
    /// Commands that wait.
    pub queue_depth: u64,
    /// Events that the index has not taken in.
    pub index_lag_events: u64,
    /// Commits since the start.
    pub commits: u64,
    /// Events since the start.
    pub events: u64,
}

struct Book {
    events: Vec<Arc<Event>>,
    lines: Vec<Vec<u8>>,
    head: Hash,
    encoder: Encoder,
}

/// The handle.
#[derive(Clone)]
pub struct Ledger {
    book: Arc<Mutex<Book>>,
    clock: Clock,
    journal_id: Uuid,
    position: watch::Sender<Position>,
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub fn fake(clock: Clock) -> Self {
        let journal_id = Uuid::from_u128(7);
        let head = Hash::genesis(journal_id);
        let book = Book { events: Vec::new(), lines: Vec::new(), head, encoder: Encoder::default() };
        Self { book: Arc::new(Mutex::new(book)), clock, journal_id, position: watch::Sender::new(0) }
    }

    /// Decides and keeps.
    ///
    /// # Errors
    /// Never.
    pub async fn execute(&self, commands: Vec<Command>) -> Result<Vec<Verdict>, Unavailable> {
        let mut book = self.book.lock();
        let verdicts = commands.iter().map(|command| self.one(&mut book, command)).collect();
        let position = book.events.len() as u64;
        self.position.send_if_modified(|last| std::mem::replace(last, position) != position);
        Ok(verdicts)
    }

    fn one(&self, book: &mut Book, command: &Command) -> Verdict {
        if let Some(at) = book.events.iter().position(|e| e.transaction_id == command.transaction_id) {
            return Verdict::Seen(Arc::clone(&book.events[at]), at as u64 + 1);
        }
        let account = fold(&book.events, &command.account);
        let prevented_by = book
            .events
            .iter()
            .filter(|e| e.account == command.account && matches!(e.fact, Fact::Prevented { .. }))
            .find(|e| e.reverses() == Some(command.transaction_id))
            .map(|e| e.transaction_id);
        let original = match &command.operation {
            Operation::Reverse(asked) => original(&book.events, &command.account, asked.reverses),
            _ => None,
        };
        let standing = Standing { account: account.as_ref(), prevented_by, original: original.as_ref() };
        match decide(standing, command, (self.clock)()) {
            Err(refusal) => Verdict::Refused(refusal),
            Ok(event) => {
                let position = book.events.len() as u64 + 1;
                let mut line = Vec::new();
                book.head = book.encoder.line(&event, position, &book.head.clone(), &mut line);
                book.lines.push(line);
                let event = Arc::new(event);
                book.events.push(Arc::clone(&event));
                Verdict::Booked(event, position)
            }
        }
    }

    /// The end.
    #[must_use]
    pub fn head(&self) -> Head {
        let book = self.book.lock();
        Head { journal_id: self.journal_id, position: book.events.len() as u64, hash: book.head }
    }

    /// The end, as it moves.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Position> {
        self.position.subscribe()
    }

    fn at(&self, at: At) -> Vec<Arc<Event>> {
        let book = self.book.lock();
        let events = book.events.iter().cloned();
        match at {
            At::Now => events.collect(),
            At::Effective(moment) => events.filter(|e| e.effective_at <= moment).collect(),
            At::Known(moment) => events.filter(|e| e.recorded_at <= moment).collect(),
            At::Position(position) => events.take(position as usize).collect(),
        }
    }

    /// An account.
    ///
    /// # Errors
    /// Never.
    pub async fn account(&self, name: &AccountName, at: At) -> Result<Option<AccountReading>, ReadError> {
        Ok(fold(&self.at(at), name).map(|account| reading(&account)))
    }

    /// One of the ledger's own.
    ///
    /// # Errors
    /// Never.
    pub async fn internal_account(
        &self,
        name: &CounterAccount,
        at: At,
    ) -> Result<Option<BTreeMap<Currency, Money>>, ReadError> {
        let mut sums = BTreeMap::new();
        for event in self.at(at) {
            if let Some(entries) = event.entries().filter(|entries| entries.counter_account == name) {
                let sum = sums.entry(event.currency).or_insert_with(|| Money::zero(event.currency));
                *sum = sum.minus(entries.guarded).unwrap_or(*sum);
            }
        }
        Ok((!sums.is_empty()).then_some(sums))
    }

    /// Accounts by name.
    ///
    /// # Errors
    /// Never.
    pub async fn accounts(
        &self,
        after: Option<AccountName>,
        limit: usize,
    ) -> Result<Vec<AccountReading>, ReadError> {
        let events = self.at(At::Now);
        let names: std::collections::BTreeSet<_> = events.iter().map(|e| e.account.clone()).collect();
        let later = names.into_iter().filter(|name| after.as_ref().is_none_or(|after| name > after));
        Ok(later.filter_map(|name| fold(&events, &name)).map(|a| reading(&a)).take(limit).collect())
    }

    fn placed(&self) -> Vec<Placed> {
        let book = self.book.lock();
        let placed =
            |(at, event): (usize, &Arc<Event>)| Placed { position: at as u64 + 1, event: event.clone() };
        book.events.iter().enumerate().map(placed).collect()
    }

    /// A statement.
    ///
    /// # Errors
    /// Never.
    pub async fn statement(
        &self,
        name: &AccountName,
        query: StatementQuery,
    ) -> Result<Option<Statement>, ReadError> {
        let all: Vec<_> = self.placed().into_iter().filter(|p| p.event.account == *name).collect();
        let Some(first) = all.first() else { return Ok(None) };
        let currency = first.event.currency;
        let before = |moment: Timestamp| {
            all.iter().rev().find(|p| p.event.recorded_at < moment).map(|p| p.event.answer.balance)
        };
        let opening = query.from.and_then(before).unwrap_or(Money::zero(currency));
        let last = all.last().map(|p| p.event.answer.balance);
        let closing = match query.to {
            Some(to) => before(to),
            None => last,
        };
        let mut lines: Vec<_> = all
            .iter()
            .filter(|p| query.kind.is_none_or(|kind| p.event.kind() == kind))
            .filter(|p| query.from.is_none_or(|from| p.event.recorded_at >= from))
            .filter(|p| query.to.is_none_or(|to| p.event.recorded_at < to))
            .filter(|p| match (query.beyond, query.newest_first) {
                (None, _) => true,
                (Some(revision), true) => p.event.revision < revision,
                (Some(revision), false) => p.event.revision > revision,
            })
            .cloned()
            .collect();
        if query.newest_first {
            lines.reverse();
        }
        let more = lines.len() > query.limit;
        lines.truncate(query.limit);
        let closing_balance = closing.unwrap_or(Money::zero(currency));
        Ok(Some(Statement { currency, opening_balance: opening, closing_balance, lines, more }))
    }

    /// What happened to an ID.
    ///
    /// # Errors
    /// Never.
    pub async fn transaction(&self, id: TransactionId) -> Result<Option<TransactionHistory>, ReadError> {
        let all = self.placed();
        let first = all.iter().find(|p| p.event.transaction_id == id).cloned();
        let reversals: Vec<_> = all.into_iter().filter(|p| p.event.reverses() == Some(id)).collect();
        Ok((first.is_some() || !reversals.is_empty()).then_some(TransactionHistory { first, reversals }))
    }

    /// Events, newest first.
    ///
    /// # Errors
    /// Never.
    pub async fn search(&self, query: SearchQuery) -> Result<Vec<Placed>, ReadError> {
        let found = self.placed().into_iter().rev().filter(|p| {
            query.account.as_ref().is_none_or(|name| p.event.account == *name)
                && query.kind.is_none_or(|kind| p.event.kind() == kind)
                && query.accepted.is_none_or(|accepted| p.event.decline().is_none() == accepted)
                && query.from.is_none_or(|from| p.event.recorded_at >= from)
                && query.to.is_none_or(|to| p.event.recorded_at < to)
                && query.before.is_none_or(|before| p.position < before)
        });
        Ok(found.take(query.limit).collect())
    }

    /// Lines of the journal.
    ///
    /// # Errors
    /// Never.
    pub async fn lines(&self, after: Position, limit: usize) -> Result<Vec<u8>, ReadError> {
        Ok(self.book.lock().lines.iter().skip(after as usize).take(limit).flatten().copied().collect())
    }

    /// Sums.
    ///
    /// # Errors
    /// Never.
    pub async fn trial_balance(&self, at: Option<Position>) -> Result<TrialBalance, ReadError> {
        let events = self.at(at.map_or(At::Now, At::Position));
        let (mut guarded, mut internal) = (BTreeMap::new(), BTreeMap::new());
        for event in &events {
            let Some(entries) = event.entries() else { continue };
            let zero = Money::zero(event.currency);
            let sum = guarded.entry(event.currency).or_insert(zero);
            *sum = sum.plus(entries.guarded).unwrap_or(*sum);
            let key = (entries.counter_account.to_string(), event.currency);
            let sum = internal.entry(key).or_insert(zero);
            *sum = sum.minus(entries.guarded).unwrap_or(*sum);
        }
        Ok(TrialBalance { position: events.len() as u64, guarded, internal })
    }

    /// A digest.
    ///
    /// # Errors
    /// Never.
    pub async fn digest(&self, at: Option<Position>) -> Result<(Position, String), ReadError> {
        let position = at.unwrap_or(u64::MAX).min(self.head().position);
        Ok((position, format!("{position:064x}")))
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        let events = self.head().position;
        Status { ready: true, reason: None, queue_depth: 0, index_lag_events: 0, commits: events, events }
    }

    /// Ends it.
    pub async fn stop(self) {}
}

fn fold(events: &[Arc<Event>], name: &AccountName) -> Option<Account> {
    events.iter().filter(|e| e.account == *name).fold(None, |account, event| {
        let renumbered = account.as_ref().map_or(0, |a: &Account| a.revision + 1);
        Account::evolve(account.as_ref(), &Event { revision: renumbered, ..(**event).clone() }).ok()
    })
}

fn original(events: &[Arc<Event>], account: &AccountName, id: TransactionId) -> Option<Original> {
    let mine: Vec<_> = events.iter().filter(|e| e.account == *account).collect();
    let reversed = mine.iter().filter(|e| e.reverses() == Some(id)).filter_map(|e| match e.fact {
        Fact::Reversed { amount, .. } => Some(amount),
        _ => None,
    });
    match mine.iter().find(|e| e.transaction_id == id).map(|e| &e.fact) {
        Some(Fact::Deposited(moved) | Fact::Withdrawn(moved)) => Some(Original::Moved {
            amount: moved.amount,
            withdrawn: mine.iter().any(|e| e.transaction_id == id && matches!(e.fact, Fact::Withdrawn(_))),
            counter_account: moved.counter_account.clone(),
            reversed: reversed.fold(moved.amount.minus(moved.amount).unwrap_or(moved.amount), |a, b| {
                a.plus(b).unwrap_or(a)
            }),
        }),
        Some(_) => Some(Original::Immovable),
        None => mine.iter().any(|e| e.reverses() == Some(id)).then_some(Original::RuledOut),
    }
}

fn reading(account: &Account) -> AccountReading {
    AccountReading {
        name: account.name.clone(),
        currency: account.currency,
        balance: account.balance,
        held: account.held(),
        available: account.available(),
        overdraft_limit: account.overdraft_limit,
        status: account.status,
        revision: account.revision,
    }
}
