//! These reads say what happened to an account, to an ID, and in the whole ledger.

use std::sync::Arc;

use crate::domain::account::event::Effect;
use crate::domain::event::{Body, Event};
use crate::domain::ids::{AccountName, Id};
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::index::record::{Facts, Role};
use crate::index::{Index, IndexError};
use crate::store::Reader;
use crate::store::codec::Line;

use super::accounts::Stream;
use super::handle::Ledger;
use super::types::{Placed, Position, ReadError, SearchQuery, Statement, StatementQuery, TransactionHistory};

/// This is the number of records that are looked through at a time.
const PAGE: usize = 4_096;
/// This is the most that the clocks of instances which share a store may differ: 10 minutes. Up to that difference a
/// search by time finds everything.
const MOST_SKEW_MICROS: i64 = 600_000_000;

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
        self.page(move || {
            let Some(account) = stream.now()? else { return Ok(None) };
            let bound = |moment: Option<Timestamp>, default: u64| match moment {
                Some(moment) => stream.recorded_before(&account, moment),
                None => Ok(default),
            };
            // The lines wanted are those with start <= revision < end.
            let (start, end) = (bound(query.from, 0)?, bound(query.to, account.revision + 1)?);
            let end = query.end.map_or(end, |first_page| first_page.min(end));
            let balance_before = |revision: u64| match revision.checked_sub(1) {
                Some(last) => {
                    let Body::Account(event) = stream.event(last)?.1.body;
                    Ok::<_, ReadError>(event.answer.balance)
                }
                None => Ok(Money::zero(account.currency)),
            };
            let (lines, more) = lines(&stream, query, start, end)?;
            let (opens, closes) = page_bounds(&query, (start, end.max(start)), &lines, more);
            Ok(Some(Statement {
                currency: account.currency,
                opening_balance: balance_before(opens)?,
                closing_balance: balance_before(closes)?,
                end,
                lines,
                more,
            }))
        })
        .await
    }

    /// Returns what happened to an ID; `None` when no event has to do with it.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn transaction(&self, id: impl Into<Id>) -> Result<Option<TransactionHistory>, ReadError> {
        let id = id.into();
        if self.is_unresolved(id) {
            return Err(ReadError::OutcomeUnknown);
        }
        let (index, reader) = (self.0.index.clone(), self.0.reader.clone());
        self.blocking(move || {
            let mut history = TransactionHistory::default();
            let marks = index.marks(id)?;
            let positions: Vec<_> = marks.iter().map(|mark| mark.position).collect();
            for (mark, placed) in marks.iter().zip(placed(&reader, &positions)?) {
                if !has_role(&placed.event, id, mark.role) {
                    return Err(IndexError::damaged("an event has not the part that the index says").into());
                }
                match mark.role {
                    Role::Booked if history.first.is_none() => history.first = Some(placed),
                    Role::Booked => history.elsewhere.push(placed),
                    Role::Reversed | Role::RuledOut => history.reversals.push(placed),
                }
            }
            Ok((history.first.is_some() || !history.reversals.is_empty()).then_some(history))
        })
        .await
    }

    /// Returns up to `limit` events that a search wants, newest first.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn search(&self, query: SearchQuery) -> Result<Vec<Placed>, ReadError> {
        let stream = query.account.as_ref().map(|name| Stream::new(self, name));
        let (index, reader) = (self.0.index.clone(), self.0.reader.clone());
        self.page(move || match stream {
            Some(stream) => search_account(&stream, &query),
            None => search_all(&index, &reader, &query),
        })
        .await
    }
}

/// Says whether the event plays this role for the ID.
fn has_role(event: &Event, id: Id, role: Role) -> bool {
    match role {
        Role::Booked => event.id == id,
        Role::Reversed => matches!(event.names(), Some((named, Effect::TakenBack(_))) if named == id),
        Role::RuledOut => event.names() == Some((id, Effect::RuledOut)),
    }
}

fn placed(reader: &Reader, positions: &[Position]) -> Result<Vec<Placed>, ReadError> {
    Ok(as_placed(reader.events(positions)?))
}

fn as_placed(lines: Vec<Line>) -> Vec<Placed> {
    let placed = |line: Line| Placed { position: line.position, event: Arc::new(line.event) };
    lines.into_iter().map(placed).collect()
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

/// Returns the lines of a statement between two revisions, and whether there are more.
fn lines(
    stream: &Stream,
    query: StatementQuery,
    start: u64,
    end: u64,
) -> Result<(Vec<Placed>, bool), ReadError> {
    let (mut low, mut high) = (start, end);
    match (query.beyond, query.newest_first) {
        (Some(beyond), true) => high = high.min(beyond),
        (Some(beyond), false) => low = low.max(beyond + 1),
        (None, _) => {}
    }
    let mut found = Vec::new();
    let mut more = false;
    'pages: while low < high {
        let page = stream.facts(low..=high - 1, query.newest_first, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        if query.newest_first {
            high = *last;
        } else {
            low = last + 1;
        }
        let wanted = |(_, facts): &&(u64, Facts)| query.kind.is_none_or(|kind| facts.kind == kind);
        for named in page.iter().filter(wanted) {
            if found.len() == query.limit {
                more = true;
                break 'pages;
            }
            found.push(*named);
        }
    }
    Ok((as_placed(stream.events(&found)?), more))
}

fn wanted(query: &SearchQuery, facts: Facts) -> bool {
    query.kind.is_none_or(|kind| facts.kind == kind)
        && query.accepted.is_none_or(|accepted| accepted != facts.declined)
        && query.before.is_none_or(|before| facts.position < before)
}

fn search_account(stream: &Stream, query: &SearchQuery) -> Result<Vec<Placed>, ReadError> {
    let Some(account) = stream.now()? else { return Ok(Vec::new()) };
    let start = match query.from {
        Some(from) => stream.recorded_before(&account, from)?,
        None => 0,
    };
    let mut end = match query.to {
        Some(to) => stream.recorded_before(&account, to)?,
        None => account.revision + 1,
    };
    let mut found = Vec::new();
    'pages: while start < end {
        let page = stream.facts(start..=end - 1, true, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        end = *last;
        for named in page.iter().filter(|(_, facts)| wanted(query, *facts)) {
            if found.len() == query.limit {
                break 'pages;
            }
            found.push(*named);
        }
    }
    Ok(as_placed(stream.events(&found)?))
}

fn search_all(index: &Index, reader: &Reader, query: &SearchQuery) -> Result<Vec<Placed>, ReadError> {
    let mut found = Vec::new();
    let mut high = query.before.map_or_else(|| index.reached(), |before| before.saturating_sub(1));
    'pages: while high > 0 {
        let page = index.places(1..=high, true, PAGE)?;
        let Some((_, last)) = page.last() else { break };
        high = last.position.saturating_sub(1);
        for (recorded_at, facts) in &page {
            if query.from.is_some_and(|from| recorded_at.saturating_add(MOST_SKEW_MICROS) < from.micros()) {
                break 'pages;
            }
            if query.from.is_some_and(|from| *recorded_at < from.micros()) {
                continue;
            }
            if query.to.is_some_and(|to| *recorded_at >= to.micros()) || !wanted(query, *facts) {
                continue;
            }
            if found.len() == query.limit {
                break 'pages;
            }
            found.push((*recorded_at, *facts));
        }
    }
    let positions: Vec<_> = found.iter().map(|(_, facts)| facts.position).collect();
    let lines = reader.events(&positions)?;
    for (line, (recorded_at, facts)) in lines.iter().zip(found) {
        if Facts::of(&line.event, line.position) != facts || line.event.recorded_at.micros() != recorded_at {
            tracing::error!(position = line.position, "another event than the index says stands there");
            return Err(ReadError::Damaged);
        }
    }
    Ok(as_placed(lines))
}
