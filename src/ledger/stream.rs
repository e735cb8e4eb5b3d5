//! This file reads one account's stream, as the index and the journal have it. Each event is compared with what it was
//! looked up for.

use std::ops::RangeInclusive;

use crate::domain::account::event::AccountEvent;
use crate::domain::account::{Account, Status};
use crate::domain::event::{Body, Event};
use crate::domain::ids::AccountName;
use crate::domain::kind::Kind;
use crate::domain::money::Money;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::index::record::{Facts, Series, StreamKey};
use crate::index::{Index, IndexError};
use crate::store::Reader;
use crate::store::codec::Line;

use super::handle::Ledger;
use super::types::{AccountReading, Position, ReadError};

/// A `Stream` is one account's stream.
#[derive(Clone)]
pub(super) struct Stream {
    account: AccountName,
    pub(super) name: StreamName,
    pub(super) key: StreamKey,
    pub(super) index: Index,
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

    /// Returns up to a page of its events between two revisions, from one end.
    pub(super) fn facts(
        &self,
        revisions: RangeInclusive<u64>,
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(u64, Facts)>, ReadError> {
        Ok(self.index.revisions(self.key, revisions, backwards, limit)?)
    }

    /// Returns what the index says of the event at a revision, which must be there.
    fn facts_at(&self, revision: u64) -> Result<Facts, ReadError> {
        let found = self.facts(revision..=revision, false, 1)?;
        let missing = || IndexError::damaged("a revision of an account is missing");
        Ok(found.first().ok_or_else(missing)?.1)
    }

    /// Returns the event at a revision, which must be there.
    pub(super) fn event(&self, revision: u64) -> Result<(Position, Event), ReadError> {
        let facts = self.facts_at(revision)?;
        let line = self.reader.event(facts.position)?;
        self.check(&line, revision, facts)?;
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

    /// Returns how many of the stream's first events are `before`. It halves the range at each step, so it looks up about
    /// as many events as the number of revisions has binary digits.
    fn partition(
        &self,
        account: &Account,
        before: impl Fn(Facts) -> Result<bool, ReadError>,
    ) -> Result<u64, ReadError> {
        let (mut low, mut high) = (0, account.revision + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if before(self.facts_at(middle)?)? {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// Returns when an event was recorded, in microseconds since 1970, as the index knows it.
    fn recorded_at(&self, facts: Facts) -> Result<i64, ReadError> {
        let found = self.index.places(facts.position..=facts.position, false, 1)?;
        let missing = || IndexError::damaged("a position is missing");
        Ok(found.first().ok_or_else(missing)?.0)
    }

    /// Returns how many of its events were recorded before a moment.
    pub(super) fn recorded_before(&self, account: &Account, moment: Timestamp) -> Result<u64, ReadError> {
        self.partition(account, |facts| Ok(self.recorded_at(facts)? < moment.micros()))
    }

    pub(super) fn last_known(&self, account: &Account, moment: Timestamp) -> Result<Option<u64>, ReadError> {
        let known = self.partition(account, |facts| Ok(self.recorded_at(facts)? <= moment.micros()))?;
        Ok(known.checked_sub(1))
    }

    pub(super) fn last_at(&self, account: &Account, position: Position) -> Result<Option<u64>, ReadError> {
        Ok(self.before_position(account, position.saturating_add(1))?.checked_sub(1))
    }

    /// Returns how many of its events are before a position.
    pub(super) fn before_position(&self, account: &Account, position: Position) -> Result<u64, ReadError> {
        self.partition(account, |facts| Ok(facts.position < position))
    }

    /// Returns the body of one of its events.
    pub(super) fn account_event(&self, revision: u64) -> Result<AccountEvent, ReadError> {
        body_of(self.event(revision)?.1)
    }

    /// Returns the account as it stood after one of its events.
    pub(super) fn after(&self, revision: Option<u64>) -> Result<Option<AccountReading>, ReadError> {
        let Some(revision) = revision else { return Ok(None) };
        let event = self.account_event(revision)?;
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

    /// Returns the last event of a series up to a revision.
    fn last_of(&self, series: Series, revision: u64) -> Result<Option<(Kind, Event)>, ReadError> {
        let found = self.index.series(self.key, series, 0..=revision, true, 1)?;
        let kind = found.first().map(|(_, facts)| facts.kind);
        Ok(kind.zip(self.events(&found)?.pop().map(|line| line.event)))
    }

    /// Returns the status and the overdraft limit after a revision. They are those of the last events up to it that set
    /// them.
    pub(super) fn terms(&self, revision: u64) -> Result<(Status, Money), ReadError> {
        let last = self.last_of(Series::Status, revision)?.map(|(kind, _)| kind);
        let status = if last == Some(Kind::Freeze) {
            Status::Frozen
        } else if last == Some(Kind::Close) {
            Status::Closed
        } else {
            Status::Open
        };
        let set = match self.last_of(Series::Limit, revision)? {
            Some((_, event)) => event,
            None => self.event(0)?.1,
        };
        let limit = set
            .account()
            .and_then(AccountEvent::overdraft_limit_set)
            .ok_or_else(|| IndexError::damaged("an account's limit is not where the index says"))?;
        Ok((status, limit))
    }
}

/// Returns what an event of an account's stream says.
pub(super) fn body_of(event: Event) -> Result<AccountEvent, ReadError> {
    match event.body {
        Body::Account(body) => Ok(body),
        Body::Transfer(_) | Body::Delivery(_) | Body::Letter(_) => {
            Err(IndexError::damaged("an account's stream has the event of something else").into())
        }
    }
}

/// Returns the account as it is now.
pub(super) fn reading(account: &Account) -> AccountReading {
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
