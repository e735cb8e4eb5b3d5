//! These reads say how accounts stand: now, by when things were recorded, by when they happened, or after a position.

use crate::domain::account::{Account, Status};
use crate::domain::event::{Body, Event};
use crate::domain::ids::AccountName;
use crate::domain::kind::Kind;
use crate::domain::money::Money;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::index::record::{Facts, StreamKey};
use crate::index::{Index, IndexError};
use crate::store::Reader;
use crate::store::codec::Line;

use super::handle::Ledger;
use super::types::{AccountReading, At, Position, ReadError};

/// This is the number of revisions that are looked through at a time.
const PAGE: usize = 4_096;

impl Ledger {
    /// Returns how an account stands at a time or a position; `None` when it was not open there.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn account(&self, name: &AccountName, at: At) -> Result<Option<AccountReading>, ReadError> {
        self.undamaged(name)?;
        let stream = Stream::new(self, name);
        self.blocking(move || {
            let Some(account) = stream.now()? else { return Ok(None) };
            match at {
                At::Now => Ok(Some(reading(&account))),
                At::Position(position) => stream.after(stream.last_at(&account, position)?),
                At::Known(moment) => stream.after(stream.last_known(&account, moment)?),
                At::Effective(moment) => stream.effective(&account, moment),
            }
        })
        .await
    }

    /// Returns up to `limit` accounts in the order of their names, from after `after`.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn accounts(
        &self,
        after: Option<AccountName>,
        limit: usize,
    ) -> Result<Vec<AccountReading>, ReadError> {
        let index = self.0.index.clone();
        self.page(move || {
            let accounts = index.overlay(|overlay| overlay.accounts(after.as_ref(), limit))?;
            Ok(accounts.iter().map(reading).collect())
        })
        .await
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

/// A `Stream` is one account's stream, as the index and the journal have it.
pub(super) struct Stream {
    account: AccountName,
    name: StreamName,
    key: StreamKey,
    index: Index,
    reader: Reader,
}

impl Stream {
    pub(super) fn new(ledger: &Ledger, name: &AccountName) -> Self {
        let (index, reader) = (ledger.0.index.clone(), ledger.0.reader.clone());
        let (account, name) = (name.clone(), StreamName::Account(name.clone()));
        Self { account, key: StreamKey::of(&name), name, index, reader }
    }

    pub(super) fn now(&self) -> Result<Option<Account>, ReadError> {
        Ok(self.index.tracked(&self.name)?.and_then(|tracked| tracked.state.account().cloned()))
    }

    /// Returns up to `limit` entries of the index for the events between two revisions, from one end of them.
    pub(super) fn facts(
        &self,
        revisions: std::ops::RangeInclusive<u64>,
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(u64, Facts)>, ReadError> {
        Ok(self.index.revisions(self.key, revisions, backwards, limit)?)
    }

    /// Returns the event at a revision. The event must be there, else the index is damaged.
    pub(super) fn event(&self, revision: u64) -> Result<(Position, Event), ReadError> {
        let found = self.facts(revision..=revision, false, 1)?;
        let missing = || IndexError::damaged("a revision of an account is missing");
        let (_, facts) = found.first().ok_or_else(missing)?;
        let line = self.reader.event(facts.position)?;
        self.check(&line, revision, *facts)?;
        Ok((facts.position, line.event))
    }

    /// Returns the events that the index names at these revisions.
    pub(super) fn events(&self, named: &[(u64, Facts)]) -> Result<Vec<Line>, ReadError> {
        let positions: Vec<_> = named.iter().map(|(_, facts)| facts.position).collect();
        let lines = self.reader.events(&positions)?;
        for (line, (revision, facts)) in lines.iter().zip(named) {
            self.check(line, *revision, *facts)?;
        }
        Ok(lines)
    }

    /// Compares an event with what it was looked up for. A stream's key is 80 bits of a hash, and two streams can have
    /// the same one: then the index names events of both, and neither account is told what the other did.
    fn check(&self, line: &Line, revision: u64, facts: Facts) -> Result<(), ReadError> {
        let event = &line.event;
        if event.stream == self.name && event.revision == revision && Facts::of(event, line.position) == facts
        {
            return Ok(());
        }
        let (position, found) = (line.position, (&event.stream, event.revision));
        tracing::error!(position, stream = %self.name, revision, ?found, "another event than the index says stands there");
        Err(ReadError::Damaged)
    }

    /// Returns how many of the stream's first events are `before`. It halves the range at each step, so it reads about
    /// as many events as the number of revisions has binary digits.
    fn partition(
        &self,
        account: &Account,
        before: impl Fn(&Self, u64) -> Result<bool, ReadError>,
    ) -> Result<u64, ReadError> {
        let (mut low, mut high) = (0, account.revision + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if before(self, middle)? {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// Returns how many of the stream's events were recorded before a moment.
    pub(super) fn recorded_before(&self, account: &Account, moment: Timestamp) -> Result<u64, ReadError> {
        self.partition(account, |stream, revision| Ok(stream.event(revision)?.1.recorded_at < moment))
    }

    fn last_known(&self, account: &Account, moment: Timestamp) -> Result<Option<u64>, ReadError> {
        let known =
            self.partition(account, |stream, revision| Ok(stream.event(revision)?.1.recorded_at <= moment))?;
        Ok(known.checked_sub(1))
    }

    fn last_at(&self, account: &Account, position: Position) -> Result<Option<u64>, ReadError> {
        let inside = self.partition(account, |stream, revision| {
            Ok(stream
                .facts(revision..=revision, false, 1)?
                .first()
                .is_some_and(|(_, f)| f.position <= position))
        })?;
        Ok(inside.checked_sub(1))
    }

    /// Returns the account as it stood after one of its events.
    fn after(&self, revision: Option<u64>) -> Result<Option<AccountReading>, ReadError> {
        let Some(revision) = revision else { return Ok(None) };
        let Body::Account(event) = self.event(revision)?.1.body;
        let (status, overdraft_limit) = self.terms(revision)?;
        let answer = event.answer;
        let held = answer.balance.plus(overdraft_limit).and_then(|sum| sum.minus(answer.available));
        Ok(Some(AccountReading {
            name: self.account.clone(),
            currency: event.currency,
            balance: answer.balance,
            held: held.unwrap_or_else(|| Money::zero(event.currency)),
            available: answer.available,
            overdraft_limit,
            status,
            revision,
        }))
    }

    /// Returns the status and the overdraft limit after a revision. They are those of the last events up to it that set
    /// them.
    fn terms(&self, revision: u64) -> Result<(Status, Money), ReadError> {
        let (mut status, mut limit) = (None, None);
        let mut high = revision;
        loop {
            let page = self.facts(0..=high, true, PAGE)?;
            for (revision, facts) in page.iter().filter(|(_, facts)| !facts.declined) {
                match facts.kind {
                    Kind::Freeze => status = status.or(Some(Status::Frozen)),
                    Kind::Unfreeze => status = status.or(Some(Status::Open)),
                    Kind::Close => status = status.or(Some(Status::Closed)),
                    Kind::Opening | Kind::OverdraftLimit if limit.is_none() => limit = Some(*revision),
                    Kind::Opening
                    | Kind::OverdraftLimit
                    | Kind::Deposit
                    | Kind::Withdrawal
                    | Kind::Reversal
                    | Kind::Prevention => {}
                }
            }
            match page.last() {
                Some((lowest, _)) if *lowest > 0 && (status.is_none() || limit.is_none()) => {
                    high = lowest - 1
                }
                _ => break,
            }
        }
        let limit = limit.ok_or_else(|| IndexError::damaged("an account's opening is missing"))?;
        let Body::Account(event) = self.event(limit)?.1.body;
        let limit = event
            .overdraft_limit_set()
            .ok_or_else(|| IndexError::damaged("an account's limit is not where the index says"))?;
        Ok((status.unwrap_or(Status::Open), limit))
    }

    /// Returns the account by when things happened in the world: what was known at the moment, less what had been
    /// recorded before it happened, and with what was recorded afterwards. Only events whose client named a time can be
    /// either.
    fn effective(&self, account: &Account, moment: Timestamp) -> Result<Option<AccountReading>, ReadError> {
        let known = self.last_known(account, moment)?;
        let mut reading = match self.after(known)? {
            Some(reading) => reading,
            None => AccountReading {
                balance: Money::zero(account.currency),
                held: Money::zero(account.currency),
                status: Status::Open,
                revision: 0,
                overdraft_limit: self.terms(0)?.1,
                available: Money::zero(account.currency),
                ..self::reading(account)
            },
        };
        let mut counted = known.is_some();
        let mut low = 0;
        while low <= account.revision {
            let page = self.facts(low..=account.revision, false, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            low = last + 1;
            let backdated: Vec<_> =
                page.iter().filter(|(_, facts)| facts.backdated && !facts.declined).copied().collect();
            for ((revision, _), line) in backdated.iter().zip(self.events(&backdated)?) {
                let Body::Account(event) = line.event.body;
                let in_view = known.is_some_and(|known| *revision <= known);
                let moved =
                    event.entries().map_or_else(|| Money::zero(account.currency), |entries| entries.guarded);
                let sum = match (in_view, event.effective_at <= moment) {
                    (true, false) => reading.balance.minus(moved),
                    (false, true) => {
                        counted = true;
                        reading.revision = reading.revision.max(*revision);
                        reading.balance.plus(moved)
                    }
                    _ => continue,
                };
                reading.balance = sum.ok_or_else(|| IndexError::damaged("a sum can't be counted"))?;
            }
        }
        let available = reading.balance.plus(reading.overdraft_limit).and_then(|sum| sum.minus(reading.held));
        reading.available = available.unwrap_or(reading.balance);
        Ok(counted.then_some(reading))
    }
}
