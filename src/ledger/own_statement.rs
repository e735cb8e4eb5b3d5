//! The statement of one of the ledger's own accounts has the movements from and to it, by their place in the journal, and
//! what the account had after each.
//!
//! Such an account has no stream and no event of its own that could say its balance. So a page goes from a place at which it
//! is known (the beginning, where it is nothing; the end, where the index knows it; the end of the page before) over every
//! movement up to its last line, and adds or takes away. That costs an event read for each movement, also for those that the
//! page leaves out. [`ORDINARY`] of them are an ordinary read; what is not found by then is found by a long one.

use crate::domain::ids::CounterAccount;
use crate::domain::money::Money;
use crate::index::{Index, IndexError};
use crate::store::Reader;
use crate::store::codec::Line;

use super::handle::Ledger;
use super::long_reads::Wanted;
use super::scan::{Among, MOST_SKEW_MICROS};
use super::types::{At, OwnBalances, OwnLine, OwnStatement, Placed, Position, ReadError, StatementQuery};

/// This is how many events an ordinary read goes over: twice as many as a page may have lines.
const ORDINARY: usize = 2_048;
/// This is the most events that are read at a time.
const CHUNK: usize = 256;

impl Ledger {
    /// Returns a page of the statement of one of the ledger's own accounts; `None` for one that was never used. A page after
    /// the first is given what the account had where the one before it ended ([`OwnStatement::far`]). Where that is not known
    /// any more, it takes a long read.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn own_statement(
        &self,
        name: &CounterAccount,
        query: StatementQuery,
        had: Option<OwnBalances>,
    ) -> Result<Option<OwnStatement>, ReadError> {
        let had = match (had, query.beyond) {
            (None, Some(beyond)) => {
                let at = if query.newest_first { beyond.saturating_sub(1) } else { beyond };
                let known = self.internal_account(name, &[At::Position(at)]).await?.pop().flatten();
                Some(known.unwrap_or_default())
            }
            (had, _) => had,
        };
        let (index, reader, name) = (self.0.index.clone(), self.0.reader.clone(), name.clone());
        let begun = self.page(move || Walk::begin(&index, reader, name, query, had)).await?;
        let Some((mut walk, ended)) = begun else { return Ok(None) };
        if ended {
            return Ok(Some(walk.page()));
        }
        let going_on = move |wanted: &Wanted| {
            while !walk.go_on(CHUNK)? {
                wanted.check()?;
            }
            Ok(Some(walk.page()))
        };
        self.long(going_on).await
    }
}

/// A `Walk` is a page that is being made.
struct Walk {
    among: Among,
    query: StatementQuery,
    /// This is what the account has now.
    now: OwnBalances,
    /// The whole statement ends before this position.
    end: Position,
    /// The positions that are left are those with `low <= position < high`.
    low: Position,
    high: Position,
    /// This is what the account had where the walk has come to.
    here: OwnBalances,
    /// This is what it had where the period begins in which the lines are, seen from where the walk began.
    near: Option<OwnBalances>,
    /// This is what it had behind the last movement of the period that was met.
    far: Option<OwnBalances>,
    lines: Vec<OwnLine>,
    /// This is what it had behind the last line.
    at_line: OwnBalances,
    more: bool,
    ended: bool,
}

impl Walk {
    /// Goes as far as an ordinary read may, and says whether that is all; `None` for an account that was never used.
    fn begin(
        index: &Index,
        reader: Reader,
        name: CounterAccount,
        query: StatementQuery,
        had: Option<OwnBalances>,
    ) -> Result<Option<(Self, bool)>, ReadError> {
        let (reached, now) = index.own_account(&name)?;
        if now.is_empty() {
            return Ok(None);
        }
        let end = query.end.unwrap_or_else(|| reached.saturating_add(1));
        let (low, high) = match (query.beyond, query.newest_first) {
            (Some(beyond), true) => (1, end.min(beyond)),
            (Some(beyond), false) => (beyond.saturating_add(1), end),
            (None, _) => (1, end),
        };
        let nothing = || now.keys().map(|currency| (*currency, Money::zero(*currency))).collect();
        let here = match (had, query.newest_first) {
            (Some(had), _) => had,
            (None, true) => now.clone(),
            (None, false) => nothing(),
        };
        // A page after the first begins where the one before it has ended, whatever lies between two lines.
        let near = query.beyond.map(|_| here.clone());
        let mut walk = Self {
            among: Among::Own(index.clone(), reader, name),
            query,
            now,
            end,
            low,
            high,
            far: near.clone(),
            near,
            at_line: here.clone(),
            here,
            lines: Vec::new(),
            more: false,
            ended: false,
        };
        let ended = walk.go_on(ORDINARY)?;
        Ok(Some((walk, ended)))
    }

    /// Goes over up to so many events. Says whether the page is done.
    fn go_on(&mut self, events: usize) -> Result<bool, ReadError> {
        let mut left = events;
        while !self.ended && left > 0 {
            if self.low >= self.high {
                self.ended = true;
                break;
            }
            let size = self.next_size().min(left);
            let found = self.among.page(self.low, self.high, self.query.newest_first, size)?;
            let Some(last) = found.last() else {
                self.ended = true;
                break;
            };
            if self.query.newest_first {
                self.high = last.place;
            } else {
                self.low = last.place.saturating_add(1);
            }
            left = left.saturating_sub(found.len());
            for line in self.among.read(&found)? {
                if self.ended {
                    break;
                }
                self.take(line)?;
            }
        }
        Ok(self.ended)
    }

    /// Says how many events are read next: as many as there may still be lines and one more, where each event is a line.
    fn next_size(&self) -> usize {
        let StatementQuery { kind, from, to, limit, .. } = &self.query;
        match (kind, from, to) {
            (None, None, None) => CHUNK.min(limit.saturating_sub(self.lines.len()).saturating_add(1)),
            (Some(_), _, _) | (_, Some(_), _) | (_, _, Some(_)) => CHUNK,
        }
    }

    /// Takes the next event in the walk's direction.
    fn take(&mut self, line: Line) -> Result<(), ReadError> {
        let Some((body, entries)) = line.event.account().and_then(|body| Some((body, body.entries()?)))
        else {
            return Ok(());
        };
        let recorded_at = line.event.recorded_at.micros();
        if self.is_past(recorded_at) {
            self.ended = true;
            return Ok(());
        }
        let is_in = self.query.from.is_none_or(|from| recorded_at >= from.micros())
            && self.query.to.is_none_or(|to| recorded_at < to.micros());
        let is_wanted = is_in && self.query.kind.is_none_or(|kind| line.event.kind() == kind);
        if is_wanted && self.lines.len() == self.query.limit {
            (self.more, self.ended) = (true, true);
            return Ok(());
        }
        if is_in && self.near.is_none() {
            self.near = Some(self.here.clone());
        }
        let currency = body.currency;
        let before = self.here.get(&currency).copied().unwrap_or_else(|| Money::zero(currency));
        let moved = entries.guarded.negated();
        let (after, here) = match self.query.newest_first {
            true => (Some(before), before.minus(moved)),
            false => (before.plus(moved), before.plus(moved)),
        };
        let (Some(balance), Some(here)) = (after, here) else {
            return Err(IndexError::damaged("a sum can't be counted").into());
        };
        self.here.insert(currency, here);
        if is_in {
            self.far = Some(self.here.clone());
        }
        if is_wanted {
            self.at_line = self.here.clone();
            self.lines.push(OwnLine { placed: Placed::from(line), balance });
        }
        Ok(())
    }

    /// Says whether nothing more of the period can come, though the clocks of instances that share a store differ.
    fn is_past(&self, recorded_at: i64) -> bool {
        match self.query.newest_first {
            true => self
                .query
                .from
                .is_some_and(|from| recorded_at < from.micros().saturating_sub(MOST_SKEW_MICROS)),
            false => {
                self.query.to.is_some_and(|to| recorded_at >= to.micros().saturating_add(MOST_SKEW_MICROS))
            }
        }
    }

    fn page(self) -> OwnStatement {
        let here = self.here;
        let near = self.near.unwrap_or_else(|| here.clone());
        let far = if self.more { self.at_line } else { self.far.unwrap_or(here) };
        let newest_first = self.query.newest_first;
        let (now, end, lines, more) = (self.now, self.end, self.lines, self.more);
        OwnStatement { now, near, far, newest_first, end, lines, more }
    }
}
