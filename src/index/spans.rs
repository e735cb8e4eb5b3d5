//! The sums by time say how much the backdated events of a stream moved, by when it happened and by when it was recorded. With
//! them a balance as of some moment is found without going over all backdated events of the account.
//!
//! Time is cut into spans of four lengths, each 64 times the next: 36 years, 204 days, 3 days, 72 minutes. What lies before a
//! moment is then at most 63 spans of each of the three shorter lengths and a few of the longest. A backdated event counts in
//! the span of each length in which it happened, and in the one in which it was recorded. Where those are the same span the
//! two cancel each other, and only the shortest span is kept.

use std::ops::Range;

use crate::domain::currency::Currency;
use crate::domain::money::Money;
use crate::domain::time::Timestamp;

use super::error::IndexError;

/// These are the lengths of the spans, as powers of two in microseconds, the longest first.
pub(super) const LENGTHS: [u32; 4] = [50, 44, 38, SHORTEST];
/// This is the length of the shortest: 72 minutes.
const SHORTEST: u32 = 32;

/// A `Span` is a span of time: its length, by its place among all lengths, and its number.
pub(super) type Span = (u8, u64);

/// Returns the spans in which a moment lies, the longest first.
fn spans(at: Timestamp) -> impl Iterator<Item = Span> {
    (0..).zip(LENGTHS).map(move |(length, bits)| (length, since_ever(at) >> bits))
}

/// Returns a moment as a number that is never negative.
fn since_ever(at: Timestamp) -> u64 {
    at.micros().cast_unsigned() ^ 1 << 63
}

/// Returns the number of the shortest span in which a moment lies.
#[must_use]
pub fn shortest_span(at: Timestamp) -> u64 {
    since_ever(at) >> SHORTEST
}

/// Returns the first moment of the shortest span in which a moment lies, and the first one after it, in microseconds since
/// 1970.
#[must_use]
pub fn bounds_of_span(at: Timestamp) -> Range<i64> {
    let start = at.micros() >> SHORTEST << SHORTEST;
    start..start.saturating_add(1 << SHORTEST)
}

/// A `Moved` says what the backdated events of a span moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// This is the sum of those that happened in it.
    pub happened: Money,
    /// This is the sum of those that were recorded in it.
    pub recorded: Money,
    /// This is the last revision of those that happened in it.
    pub last: Option<u64>,
}

impl Moved {
    pub(super) fn nothing(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self { happened: zero, recorded: zero, last: None }
    }

    /// Returns what both moved.
    pub(super) fn with(self, other: Self) -> Result<Self, IndexError> {
        let sum =
            |one: Money, other| one.plus(other).ok_or_else(|| IndexError::damaged("a sum can't be counted"));
        Ok(Self {
            happened: sum(self.happened, other.happened)?,
            recorded: sum(self.recorded, other.recorded)?,
            last: self.last.max(other.last),
        })
    }
}

/// Returns the spans in which a backdated event counts, and as what.
pub(super) fn counts(
    currency: Currency,
    moved: Money,
    revision: u64,
    (happened, recorded): (Timestamp, Timestamp),
) -> impl Iterator<Item = (Span, Moved)> {
    let nothing = Moved::nothing(currency);
    let one = Moved { happened: moved, last: Some(revision), ..nothing };
    let other = Moved { recorded: moved, ..nothing };
    let is_kept = |one: &Span, other: &Span| one != other || usize::from(one.0) + 1 == LENGTHS.len();
    spans(happened)
        .zip(spans(recorded))
        .filter(move |(one, other)| is_kept(one, other))
        .flat_map(move |(in_one, in_other)| [(in_one, one), (in_other, other)])
}

/// Returns the spans that lie before a moment, by their lengths, and last the shortest one in which it lies.
pub(super) fn spans_before(moment: Timestamp) -> Vec<Range<Span>> {
    let mut first = 0;
    let mut wanted = Vec::with_capacity(LENGTHS.len() + 1);
    for (length, number) in spans(moment) {
        wanted.push((length, first)..(length, number));
        first = number << 6;
    }
    let around = wanted.last().map_or((0, 0), |last| last.end);
    wanted.push(around..(around.0, around.1 + 1));
    wanted
}
