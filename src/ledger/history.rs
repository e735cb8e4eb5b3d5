//! These reads say what happened to an account, to an ID, and in the whole ledger.

use crate::domain::account::event::Effect;
use crate::domain::currency::Currency;
use crate::domain::event::Event;
use crate::domain::ids::{AccountName, Id};
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::index::record::Role;
use crate::index::{Index, IndexError};
use crate::store::Reader;

use super::handle::Ledger;
use super::long_reads::Wanted;
use super::scan::{Among, Filter, ORDINARY, Scan};
use super::stream::Stream;
use super::types::{Placed, Position, ReadError, SearchQuery, Statement, StatementQuery, TransactionHistory};

impl Ledger {
    /// Returns a page of an account's statement; `None` for an account that was never opened.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn statement(
        &self,
        name: &AccountName,
        query: StatementQuery,
    ) -> Result<Option<Statement>, ReadError> {
        self.undamaged(name)?;
        let stream = Stream::new(self, name);
        let begun = self.page(move || Begun::begin(stream, query)).await?;
        let Some(begun) = begun else { return Ok(None) };
        if begun.scan_ended {
            return self.page(move || begun.end()).await.map(Some);
        }
        let going_on = move |wanted: &Wanted| {
            let mut begun = begun;
            begun.scan.look_through_all(wanted)?;
            begun.end()
        };
        self.long(going_on).await.map(Some)
    }

    /// Returns what happened to an ID, with the first of the events that took it back; `None` when no event has to do with it.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn transaction(&self, id: impl Into<Id>) -> Result<Option<TransactionHistory>, ReadError> {
        self.transaction_page(id, 0, TransactionHistory::MOST_SHOWN).await
    }

    /// Returns what happened to an ID, with up to `limit` of the events that took it back after a position.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn transaction_page(
        &self,
        id: impl Into<Id>,
        after: Position,
        limit: usize,
    ) -> Result<Option<TransactionHistory>, ReadError> {
        let id = id.into();
        if self.is_unresolved(id) {
            return Err(ReadError::OutcomeUnknown);
        }
        let (index, reader) = (self.0.index.clone(), self.0.reader.clone());
        self.blocking(move || {
            let mut history = TransactionHistory::default();
            let mut marks = index.booked(id)?;
            let mut named = index.named_after(id, after, limit.saturating_add(1))?;
            history.more_reversals = named.len() > limit;
            named.truncate(limit);
            if history.more_reversals || after > 0 {
                // Where an ID was named so often, what settled it need not be on this page.
                named.retain(|mark| mark.role != Role::Settled);
                named.extend(index.marks(id)?.into_iter().find(|mark| mark.role == Role::Settled));
            }
            marks.extend(named);
            let positions: Vec<_> = marks.iter().map(|mark| mark.position).collect();
            for (mark, placed) in marks.iter().zip(placed(&reader, &positions)?) {
                if !has_role(&placed.event, id, mark.role) {
                    return Err(IndexError::damaged("an event has not the part that the index says").into());
                }
                match mark.role {
                    Role::Booked if history.first.is_none() => history.first = Some(placed),
                    Role::Booked => history.elsewhere.push(placed),
                    Role::Reversed | Role::RuledOut => history.reversals.push(placed),
                    Role::Settled => history.settled_by = Some(placed),
                }
            }
            history.take_corrections(id, (&index, &reader))?;
            Ok((history.first.is_some() || !history.reversals.is_empty()).then_some(history))
        })
        .await
    }

    /// Returns up to `limit` events that a search wants, newest first.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn search(&self, query: SearchQuery) -> Result<Vec<Placed>, ReadError> {
        let ledger = self.clone();
        let scan = self.page(move || begin_search(&ledger, query)).await?;
        Ok(self.scanned(scan).await?.found)
    }

    /// Returns the scan when it has looked through all, as a long read where it has not yet.
    async fn scanned(&self, (mut scan, ended): (Scan, bool)) -> Result<Scan, ReadError> {
        if ended {
            return Ok(scan);
        }
        self.long(move |wanted| {
            scan.look_through_all(wanted)?;
            Ok(scan)
        })
        .await
    }
}

impl TransactionHistory {
    /// Adds the first corrections that name the ID. Only a client's ID can be named.
    fn take_corrections(&mut self, id: Id, (index, reader): (&Index, &Reader)) -> Result<(), ReadError> {
        let (Some(id), Some(_)) = (id.client(), &self.first) else { return Ok(()) };
        let among = Among::Corrections(index.clone(), reader.clone(), id);
        let everywhere = (1, index.reached().saturating_add(1));
        let mut scan = Scan::new(among, Filter::default(), everywhere, false, Self::MOST_SHOWN);
        // One record more than is shown is looked at, and tells whether there are more.
        scan.look_through(Self::MOST_SHOWN + 1)?;
        (self.corrections, self.more_corrections) = (scan.found, scan.more);
        Ok(())
    }
}

/// A `Begun` is a page of a statement of which the lines are being looked for.
struct Begun {
    stream: Stream,
    currency: Currency,
    query: StatementQuery,
    /// These are the revisions that the whole statement goes over, the second one exclusive.
    revisions: (u64, u64),
    scan: Scan,
    scan_ended: bool,
}

impl Begun {
    /// Looks for the lines as far as an ordinary read may; `None` for an account that was never opened.
    fn begin(stream: Stream, query: StatementQuery) -> Result<Option<Self>, ReadError> {
        let Some(account) = stream.now()? else { return Ok(None) };
        let bound = |moment: Option<Timestamp>, default: u64| match moment {
            Some(moment) => stream.recorded_before(&account, moment),
            None => Ok(default),
        };
        // The lines wanted are those with start <= revision < end.
        let (start, end) = (bound(query.from, 0)?, bound(query.to, account.revision + 1)?);
        let end = query.end.map_or(end, |first_page| first_page.min(end));
        let (mut low, mut high) = (start, end);
        match (query.beyond, query.newest_first) {
            (Some(beyond), true) => high = high.min(beyond),
            (Some(beyond), false) => low = low.max(beyond.saturating_add(1)),
            (None, _) => {}
        }
        let filter =
            Filter { kind: query.kind, counter_account: query.counter_account.clone(), ..Filter::default() };
        let among = Among::Stream(Box::new(stream.clone()));
        let mut scan = Scan::new(among, filter, (low, high), query.newest_first, query.limit);
        let scan_ended = scan.look_through(ORDINARY)?;
        let currency = account.currency;
        Ok(Some(Self { stream, currency, query, revisions: (start, end), scan, scan_ended }))
    }

    fn end(self) -> Result<Statement, ReadError> {
        let (start, end) = self.revisions;
        let Scan { found: lines, more, .. } = self.scan;
        let balance_before = |revision: u64| match revision.checked_sub(1) {
            Some(last) => Ok::<_, ReadError>(self.stream.account_event(last)?.answer.balance),
            None => Ok(Money::zero(self.currency)),
        };
        let (opens, closes) = page_bounds(&self.query, (start, end.max(start)), &lines, more);
        Ok(Statement {
            currency: self.currency,
            opening_balance: balance_before(opens)?,
            closing_balance: balance_before(closes)?,
            end,
            lines,
            more,
        })
    }
}

/// Begins a search, and looks through as much as an ordinary read may.
fn begin_search(ledger: &Ledger, query: SearchQuery) -> Result<(Scan, bool), ReadError> {
    let (index, reader) = (ledger.0.index.clone(), ledger.0.reader.clone());
    let end = query.before.unwrap_or_else(|| index.reached().saturating_add(1));
    let SearchQuery { kind, accepted, from, to, .. } = query;
    let counter_account = query.counter_account.clone();
    let filter = Filter { kind, accepted, counter_account, account: None, from, to };
    if let Some(corrected) = query.corrects {
        let filter = Filter { account: query.account, ..filter };
        let among = Among::Corrections(index, reader, corrected);
        let mut scan = Scan::new(among, filter, (1, end), true, query.limit);
        let ended = scan.look_through(ORDINARY)?;
        return Ok((scan, ended));
    }
    let (among, places) = match (query.account, query.counter_account) {
        (Some(account), _) => {
            let stream = Stream::new(ledger, &account);
            let places = match stream.now()? {
                Some(account) => {
                    let low = from.map_or(Ok(0), |from| stream.recorded_before(&account, from))?;
                    let high =
                        to.map_or(Ok(account.revision + 1), |to| stream.recorded_before(&account, to))?;
                    let before = query.before.map(|before| stream.before_position(&account, before));
                    (low, before.transpose()?.map_or(high, |before| high.min(before)))
                }
                None => (0, 0),
            };
            (Among::Stream(Box::new(stream)), places)
        }
        (None, Some(own)) => (Among::Own(index, reader, own), (1, end)),
        (None, None) => (Among::All(index, reader), (1, end)),
    };
    let mut scan = Scan::new(among, filter, places, true, query.limit);
    let ended = scan.look_through(ORDINARY)?;
    Ok((scan, ended))
}

/// Says whether the event plays this role for the ID.
fn has_role(event: &Event, id: Id, role: Role) -> bool {
    match role {
        Role::Booked => event.id == id,
        Role::Reversed => matches!(event.names(), Some((named, Effect::TakenBack(_))) if named == id),
        Role::RuledOut => event.names() == Some((id, Effect::RuledOut)),
        Role::Settled => event.names() == Some((id, Effect::Settled)),
    }
}

pub(super) fn placed(reader: &Reader, positions: &[Position]) -> Result<Vec<Placed>, ReadError> {
    Ok(reader.events(positions)?.into_iter().map(Placed::from).collect())
}

/// Returns the revisions that a page covers, the second one exclusive. The ranges of all pages follow each other
/// without a gap, so that one page closes with the balance that the next one opens with, whatever kinds are left out.
fn page_bounds(query: &StatementQuery, (start, end): (u64, u64), lines: &[Placed], more: bool) -> (u64, u64) {
    let last = lines.last().filter(|_| more).map(|line| line.event.revision);
    match (query.newest_first, query.beyond) {
        (true, beyond) => (last.unwrap_or(start), beyond.map_or(end, |beyond| beyond.clamp(start, end))),
        (false, beyond) => {
            let opens = beyond.map_or(start, |beyond| beyond.saturating_add(1).clamp(start, end));
            (opens, last.map_or(end, |last| last.saturating_add(1)))
        }
    }
}
