//! A scan looks through a part of the index for the events that a statement or a search wants, from one end.
//!
//! It can stop after some records and go on later. So an ordinary read looks through some, and what is not found by then is
//! found by a long read: a kind of which there are few may take the whole ledger.

use crate::domain::account::event::AccountEvent;
use crate::domain::event::Event;
use crate::domain::ids::{AccountName, CounterAccount, Id, TransactionId};
use crate::domain::kind::Kind;
use crate::domain::time::Timestamp;
use crate::index::Index;
use crate::index::record::{Facts, Series, StreamKey};
use crate::store::Reader;
use crate::store::codec::Line;

use super::long_reads::Wanted;
use super::stream::Stream;
use super::types::{Placed, ReadError};

/// This is how many records an ordinary read looks through.
pub(super) const ORDINARY: usize = 16_384;
/// This is the most records that are looked through at a time.
const PAGE: usize = 4_096;
/// This is the most events that are read at a time where it takes the event to know whether it is wanted.
const CHUNK: usize = 256;
/// This is the most that the clocks of instances which share a store may differ: 10 minutes. Up to that difference a
/// search by time finds everything.
pub(super) const MOST_SKEW_MICROS: i64 = 600_000_000;

/// An `Among` is the set of events among which a scan looks.
pub(super) enum Among {
    /// It looks among the events of one account, by revision.
    Stream(Box<Stream>),
    /// It looks among the events that moved money from or to one of the ledger's own accounts, by position.
    Own(Index, Reader, CounterAccount),
    /// It looks among the corrections that name a transaction, by position.
    Corrections(Index, Reader, TransactionId),
    /// It looks among all events, by position.
    All(Index, Reader),
}

/// A `Filter` says what the wanted events are.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    pub(super) kind: Option<Kind>,
    pub(super) accepted: Option<bool>,
    pub(super) counter_account: Option<CounterAccount>,
    /// This is the account of the events, where they are looked for among those of many accounts.
    pub(super) account: Option<AccountName>,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
}

/// A `Found` is a record of the index.
#[derive(Clone, Copy)]
pub(super) struct Found {
    /// This is its revision or its position.
    pub(super) place: u64,
    /// This is when it was recorded, in microseconds, where the record says so.
    recorded_at: Option<i64>,
    facts: Facts,
}

/// A `Scan` is a scan that is under way.
pub(super) struct Scan {
    among: Among,
    filter: Filter,
    /// The places that are left are those with `low <= place < high`.
    low: u64,
    high: u64,
    backwards: bool,
    limit: usize,
    /// This is how many records are looked through next. It begins with what is enough where every record is wanted, since each
    /// run of the index reads so many, and is doubled where they are not.
    size: usize,
    /// These events were found.
    pub(super) found: Vec<Placed>,
    /// This is true where there is more than the limit.
    pub(super) more: bool,
    ended: bool,
}

impl Among {
    /// Returns the records of the next events.
    pub(super) fn page(
        &self,
        low: u64,
        high: u64,
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<Found>, ReadError> {
        let untimed = |(place, facts)| Found { place, recorded_at: None, facts };
        let range = low..=high.saturating_sub(1);
        Ok(match self {
            Self::Stream(stream) => stream.facts(range, backwards, limit)?.into_iter().map(untimed).collect(),
            Self::Own(index, _, own) => {
                let found = index.series(StreamKey::of_own(own), Series::All, range, backwards, limit)?;
                found.into_iter().map(untimed).collect()
            }
            Self::Corrections(index, _, id) => {
                let key = StreamKey::of_corrections(Id::Client(*id));
                let found = index.series(key, Series::All, range, backwards, limit)?;
                found.into_iter().map(untimed).collect()
            }
            Self::All(index, _) => {
                let timed = |(recorded_at, facts): (i64, Facts)| Found {
                    place: facts.position,
                    recorded_at: Some(recorded_at),
                    facts,
                };
                index.places(range, backwards, limit)?.into_iter().map(timed).collect()
            }
        })
    }

    /// Reads events, and compares them with what the index says of them.
    pub(super) fn read(&self, found: &[Found]) -> Result<Vec<Line>, ReadError> {
        let (reader, own, corrected) = match self {
            Self::Stream(stream) => {
                let named: Vec<_> = found.iter().map(|found| (found.place, found.facts)).collect();
                return stream.events(&named);
            }
            Self::Own(_, reader, own) => (reader, Some(own), None),
            Self::Corrections(_, reader, id) => (reader, None, Some(id)),
            Self::All(_, reader) => (reader, None, None),
        };
        let positions: Vec<_> = found.iter().map(|found| found.facts.position).collect();
        let lines = reader.events(&positions)?;
        for (line, found) in lines.iter().zip(found) {
            let recorded_at = line.event.recorded_at.micros();
            let is_it = Facts::of(&line.event, line.position) == found.facts
                && found.recorded_at.is_none_or(|known| known == recorded_at)
                && own.is_none_or(|own| moves(&line.event, own))
                && corrected.is_none_or(|id| corrects(&line.event, id));
            if !is_it {
                tracing::error!(position = line.position, "another event than the index says stands there");
                return Err(ReadError::Damaged);
            }
        }
        Ok(lines)
    }
}

/// Says whether an event moved money from or to one of the ledger's own accounts.
fn moves(event: &Event, own: &CounterAccount) -> bool {
    let entries = event.account().and_then(AccountEvent::entries);
    entries.is_some_and(|entries| entries.counter_account == own)
}

/// Says whether an event corrects a transaction.
fn corrects(event: &Event, id: &TransactionId) -> bool {
    event.account().is_some_and(|body| body.corrects().contains(id))
}

impl Scan {
    /// Makes a scan of what is between two places, the second one exclusive.
    pub(super) fn new(
        among: Among,
        filter: Filter,
        (low, high): (u64, u64),
        backwards: bool,
        limit: usize,
    ) -> Self {
        let size = limit.saturating_add(1);
        let found = Vec::new();
        Self { among, filter, low, high, backwards, limit, size, found, more: false, ended: false }
    }

    /// Looks through up to so many records. Says whether all is found.
    pub(super) fn look_through(&mut self, records: usize) -> Result<bool, ReadError> {
        let mut left = records;
        while !self.ended && left > 0 {
            if self.low >= self.high {
                self.ended = true;
                break;
            }
            let size = self.size.min(if self.reads_to_know() { CHUNK } else { PAGE });
            self.size = self.size.saturating_mul(2);
            let page = self.among.page(self.low, self.high, self.backwards, size.min(left))?;
            let Some(last) = page.last() else {
                self.ended = true;
                break;
            };
            left = left.saturating_sub(page.len());
            if self.backwards {
                self.high = last.place;
            } else {
                self.low = last.place.saturating_add(1);
            }
            self.take(&page)?;
        }
        Ok(self.ended)
    }

    /// Looks through all that is left, while that is wanted.
    pub(super) fn look_through_all(&mut self, wanted: &Wanted) -> Result<(), ReadError> {
        while !self.look_through(PAGE)? {
            wanted.check()?;
        }
        Ok(())
    }

    /// Says whether the records do not say enough, so that events are read to know which are wanted.
    fn reads_to_know(&self) -> bool {
        let timed = self.filter.from.is_some() || self.filter.to.is_some();
        match &self.among {
            Among::Stream(_) => self.filter.counter_account.is_some(),
            Among::Own(..) => timed,
            Among::Corrections(..) => {
                timed || self.filter.account.is_some() || self.filter.counter_account.is_some()
            }
            Among::All(..) => false,
        }
    }

    /// Takes what is wanted of a page.
    fn take(&mut self, page: &[Found]) -> Result<(), ReadError> {
        let early = self.filter.from.map(|from| from.micros().saturating_sub(MOST_SKEW_MICROS));
        let is_early = |at: i64| self.backwards && early.is_some_and(|early| at < early);
        let mut ends = page.iter().filter_map(|found| found.recorded_at).any(is_early);
        let candidates: Vec<_> = page.iter().filter(|found| self.filter.admits(found)).copied().collect();
        let mut rest = &candidates[..];
        while !rest.is_empty() {
            let room = self.limit.saturating_sub(self.found.len());
            if room == 0 && !self.reads_to_know() {
                self.more = true;
                self.ended = true;
                return Ok(());
            }
            let (chunk, after) = rest.split_at(rest.len().min(room.max(1)).min(CHUNK));
            rest = after;
            for line in self.among.read(chunk)? {
                ends |= is_early(line.event.recorded_at.micros());
                if !self.filter.wants(&line.event) {
                    continue;
                }
                if self.found.len() == self.limit {
                    self.more = true;
                    self.ended = true;
                    return Ok(());
                }
                self.found.push(Placed::from(line));
            }
        }
        self.ended |= ends;
        Ok(())
    }
}

impl Filter {
    /// Says whether an event with this record may be wanted.
    fn admits(&self, found: &Found) -> bool {
        found.facts.kind.is_searched()
            && self.kind.is_none_or(|kind| found.facts.kind == kind)
            && self.accepted.is_none_or(|accepted| accepted != found.facts.declined)
            && found.recorded_at.is_none_or(|at| self.is_in_time(at))
    }

    /// Says whether the event is wanted, as far as its record does not say it.
    fn wants(&self, event: &Event) -> bool {
        self.is_in_time(event.recorded_at.micros())
            && self.counter_account.as_ref().is_none_or(|own| moves(event, own))
            && self.account.as_ref().is_none_or(|account| event.stream.account() == Some(account))
    }

    fn is_in_time(&self, at: i64) -> bool {
        self.from.is_none_or(|from| at >= from.micros()) && self.to.is_none_or(|to| at < to.micros())
    }
}
