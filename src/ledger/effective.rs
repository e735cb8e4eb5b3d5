//! This file reads how an account stood: after a position, by when things were recorded, by when they happened in the world.
//!
//! The first two take a number of look-ups that grows with the logarithm of the account's events. For the last the sums by
//! time of the index ([`MovedBy`]) say what its backdated events moved before the 72 minutes in which the moment lies. Only
//! the events that happened or were recorded in those 72 minutes are read, whatever the number of all. Where also what was
//! known at another moment counts, there are no such sums, and every backdated event is read.

use std::ops::Range;

use crate::domain::account::event::AccountEvent;
use crate::domain::account::{Account, Status};
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::index::record::{Series, StreamKey};
use crate::index::{IndexError, MovedBy, bounds_of_span, shortest_span};

use super::long_reads::Wanted;
use super::stream::{Stream, body_of, reading};
use super::types::{AccountReading, At, ReadError};

/// This is how many backdated events are read at a time, and the most of each kind that an ordinary read looks at.
const PAGE: usize = 256;

/// A `Standing` is what a read of how an account stood comes to.
pub(super) enum Standing {
    /// The account stood so; `None` where it was not open.
    Found(Option<AccountReading>),
    /// It would take more than an ordinary read.
    IsLong,
}

impl Stream {
    /// Returns the account as of some time, where there was one. Without `wanted` it does not read more than an ordinary read
    /// may; with it, that is asked between two pages of backdated events, and no read is too long.
    pub(super) fn at(&self, at: At, wanted: Option<&Wanted>) -> Result<Standing, ReadError> {
        if let At::Effective(moment) = at {
            return self.happened_by(moment, wanted);
        }
        let Some(account) = self.now()? else { return Ok(Standing::Found(None)) };
        let found = match at {
            At::Now | At::Effective(_) => Some(reading(&account)),
            At::Position(position) => self.after(self.last_at(&account, position)?)?,
            At::Known(moment) => self.after(self.last_known(&account, moment)?)?,
            At::Both { .. } if wanted.is_none() && self.has_many_backdated()? => return Ok(Standing::IsLong),
            At::Both { effective, known } => match self.last_known(&account, known)? {
                Some(last) => self.known_and_happened(&account, effective, last, wanted)?,
                None => None,
            },
        };
        Ok(Standing::Found(found))
    }

    /// Says whether it has more backdated events than an ordinary read looks at.
    fn has_many_backdated(&self) -> Result<bool, ReadError> {
        let found = self.index.series(self.key, Series::Backdated, 0..=u64::MAX, false, PAGE + 1)?;
        Ok(found.len() > PAGE)
    }

    /// Returns the account by when things happened in the world, going by all its events. Without `wanted` it does not read
    /// more than an ordinary read may.
    fn happened_by(&self, moment: Timestamp, wanted: Option<&Wanted>) -> Result<Standing, ReadError> {
        let nothing = || Ok(Standing::Found(None));
        let Some(MovedBy { now, before, around }) = self.index.moved_by(&self.name, moment)? else {
            return nothing();
        };
        let Some(account) = now.state.account() else { return nothing() };
        let known = self.last_known(account, moment)?;
        let mut found = self.known(account, known)?;
        let mut sum = Sum(found.balance);
        sum.add(before.happened)?;
        sum.add(before.recorded.negated())?;
        let mut last = before.last;
        let span = StreamKey::of_span(&self.name, shortest_span(moment));
        let happened =
            self.gone_over((span, Series::All), 0..account.revision + 1, wanted, |revision, event| {
                if event.effective_at > moment {
                    return Ok(());
                }
                last = last.max(Some(revision));
                sum.add(moved(event))
            })?;
        if !happened || !self.take_recorded(account, (known, moment), around.recorded, &mut sum, wanted)? {
            return Ok(Standing::IsLong);
        }
        found.balance = sum.0;
        found.revision = found.revision.max(last.unwrap_or_default());
        found.available = available(&found);
        Ok(Standing::Found((known.is_some() || last.is_some()).then_some(found)))
    }

    /// Takes from a sum what was recorded in the span of a moment up to that moment. It reads the events before the moment or
    /// those after it, whichever are few. Says whether that could be done.
    fn take_recorded(
        &self,
        account: &Account,
        (known, moment): (Option<u64>, Timestamp),
        in_span: Money,
        sum: &mut Sum,
        wanted: Option<&Wanted>,
    ) -> Result<bool, ReadError> {
        let span = bounds_of_span(moment);
        let until = |micros: i64| self.recorded_before(account, Timestamp::from_micros(micros));
        let (start, end) = (until(span.start)?, until(span.end)?);
        let middle = known.map_or(0, |known| known + 1).clamp(start, end);
        let backdated = (self.key, Series::Backdated);
        let mut before = Sum(Money::zero(account.currency));
        if self.gone_over(backdated, start..middle, None, |_, event| before.add(moved(event)))? {
            return sum.add(before.0.negated()).map(|()| true);
        }
        let mut after = Sum(Money::zero(account.currency));
        if self.gone_over(backdated, middle..end, None, |_, event| after.add(moved(event)))? {
            sum.add(in_span.negated())?;
            return sum.add(after.0).map(|()| true);
        }
        if wanted.is_none() {
            return Ok(false);
        }
        self.gone_over(backdated, start..middle, wanted, |_, event| sum.add(moved(event).negated()))
    }

    /// Visits the events of a series between two revisions, the second one exclusive. Without `wanted` it visits none and says
    /// so where there are more than a page.
    fn gone_over(
        &self,
        (key, series): (StreamKey, Series),
        revisions: Range<u64>,
        wanted: Option<&Wanted>,
        mut visit: impl FnMut(u64, &AccountEvent) -> Result<(), ReadError>,
    ) -> Result<bool, ReadError> {
        let mut low = revisions.start;
        while low < revisions.end {
            wanted.map_or(Ok(()), Wanted::check)?;
            let mut page = self.index.series(key, series, low..=revisions.end - 1, false, PAGE + 1)?;
            if page.len() > PAGE && wanted.is_none() {
                return Ok(false);
            }
            page.truncate(PAGE);
            let Some((last, _)) = page.last() else { break };
            low = last + 1;
            for ((revision, _), line) in page.iter().zip(self.events(&page)?) {
                visit(*revision, &body_of(line.event)?)?;
            }
        }
        Ok(true)
    }

    /// Returns the account after a revision; without one as it was before it was opened.
    fn known(&self, account: &Account, revision: Option<u64>) -> Result<AccountReading, ReadError> {
        if let Some(found) = self.after(revision)? {
            return Ok(found);
        }
        let zero = Money::zero(account.currency);
        Ok(AccountReading {
            balance: zero,
            held: zero,
            status: Status::Open,
            revision: 0,
            overdraft_limit: self.terms(0)?.1,
            available: zero,
            ..reading(account)
        })
    }

    /// Returns the account by when things happened in the world, going by its events up to revision `last`: what was known
    /// at the moment, less what had been recorded before it happened, and with what was recorded afterwards. Only events
    /// whose client named a time can be either, and it goes over all of those.
    fn known_and_happened(
        &self,
        account: &Account,
        moment: Timestamp,
        last: u64,
        wanted: Option<&Wanted>,
    ) -> Result<Option<AccountReading>, ReadError> {
        let known = self.last_known(account, moment)?.map(|known| known.min(last));
        let mut found = self.known(account, known)?;
        let mut counted = known.is_some();
        let mut sum = Sum(found.balance);
        let (mut revision, backdated) = (found.revision, (self.key, Series::Backdated));
        self.gone_over(backdated, 0..last + 1, wanted, |place, event| {
            let in_view = known.is_some_and(|known| place <= known);
            match (in_view, event.effective_at <= moment) {
                (true, false) => sum.add(moved(event).negated()),
                (false, true) => {
                    counted = true;
                    revision = revision.max(place);
                    sum.add(moved(event))
                }
                (true, true) | (false, false) => Ok(()),
            }
        })?;
        (found.balance, found.revision) = (sum.0, revision);
        found.available = available(&found);
        Ok(counted.then_some(found))
    }
}

/// A `Sum` is a sum that is being counted.
struct Sum(Money);

impl Sum {
    fn add(&mut self, more: Money) -> Result<(), ReadError> {
        self.0 = self.0.plus(more).ok_or_else(|| IndexError::damaged("a sum can't be counted"))?;
        Ok(())
    }
}

/// Returns what an event moved.
fn moved(event: &AccountEvent) -> Money {
    event.entries().map_or_else(|| Money::zero(event.currency), |entries| entries.guarded)
}

/// Returns what may go out of an account that stood so.
fn available(found: &AccountReading) -> Money {
    let sum = found.balance.plus(found.overdraft_limit).and_then(|sum| sum.minus(found.held));
    sum.unwrap_or(found.balance)
}
