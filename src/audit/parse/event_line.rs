//! The line of an event is read byte by byte here, and an event is made of it.
//!
//! Everything that a line shows by itself is checked here, so that several lines can be checked at once: its layout, its
//! canonical bytes, its id, and its hash. What needs the lines before it is checked in the room [`rules`](crate::audit::rules).

use uuid::Uuid;

use crate::audit::parse::cursor::Cursor;
use crate::audit::parse::event_data::{self, Kind};
use crate::audit::parse::words::{is_name, sum, transaction};
use crate::audit::values::chain::{self, Hash, Hasher};
use crate::audit::values::event::{Event, Moment};
use crate::audit::values::finding::Flaw;
use crate::audit::values::span::Span;

/// This is the version of events that is known here.
const VERSION: u64 = 1;
/// `effective_at` may lie at most this far after `recorded_at`.
const FUTURE_ALLOWED_MICROS: i64 = 5 * 60 * 1_000_000;

/// Reads the line from `start` to the end of `block`, which does not have its line feed. `previous` is the hash before the
/// line, where it is known; else the line's own hash is not checked and taken as it stands there.
///
/// # Errors
/// The first thing that is wrong with the line.
pub(crate) fn read(
    block: &[u8],
    start: usize,
    previous: Option<&Hash>,
    hasher: &mut Hasher,
) -> Result<Event, Flaw> {
    let line = block.get(start..).unwrap_or_default();
    if line.is_empty() {
        return Err(Flaw::Empty);
    }
    std::str::from_utf8(line).map_err(|_| Flaw::NotText)?;
    let cursor = &mut Cursor::new(block, start);
    cursor.literal("{\"position\":")?;
    let position = cursor.number()?;
    cursor.literal(",")?;
    let front = cursor.at();
    cursor.literal("\"stream\":\"account-")?;
    let account = cursor.word()?;
    cursor.literal(",\"revision\":")?;
    let revision = cursor.number()?;
    cursor.literal(",")?;
    let middle = cursor.at();
    cursor.literal("\"event_id\":\"")?;
    let event_id = cursor.bytes::<36>("an event's id")?;
    cursor.literal("\",")?;
    let back = cursor.at();
    let content = content(block, account, cursor)?;
    let end = cursor.at();
    cursor.literal(",\"hash\":\"")?;
    let spelled = cursor.bytes::<64>("a hash")?;
    cursor.literal("\"}")?;
    cursor.end()?;
    let part = |from: usize, to: usize| block.get(from..to).unwrap_or_default();
    hasher.take(part(front, middle), part(back, end));
    let hash = match previous {
        Some(previous) => Some(hasher.hash(previous)).filter(|hash| chain::is_spelled(hash, spelled)),
        None => chain::read(spelled),
    };
    let hash = hash.ok_or(Flaw::Chain)?;
    if hasher.event_id() != *event_id {
        return Err(Flaw::EventId);
    }
    let Content { recorded_at, id, body, answer } = content;
    Ok(Event {
        position,
        account,
        revision,
        recorded_at,
        id,
        currency: body.currency,
        fact: body.fact,
        answer,
        hash,
        canonical: (cursor.span(front, middle), cursor.span(back, end)),
    })
}

/// Gives the id of an event that was read from this block, where it is a UUID.
#[must_use]
pub(crate) fn event_id(block: &[u8], event: &Event) -> Option<Uuid> {
    let id = event.canonical.1.before(block)?.strip_suffix(b"\",")?.last_chunk()?;
    chain::read_uuid(id).map(Uuid::from_u128)
}

/// Says whether this line (without its line feed) is the first event of its stream, and chained to that stream alone.
/// The first event of a journal that is chained along its streams is.
#[must_use]
pub(crate) fn begins_its_stream(line: &[u8]) -> bool {
    let mut hasher = Hasher::default();
    let event = read(line, 0, None, &mut hasher);
    event.is_ok_and(|event| hasher.hash(&chain::of_stream(event.account.of(line))) == event.hash)
}

/// Reads the position that the line from `start` says it has.
#[must_use]
pub(crate) fn position(block: &[u8], start: usize) -> Option<u64> {
    let mut cursor = Cursor::new(block, start);
    cursor.literal("{\"position\":").and_then(|()| cursor.number()).ok()
}

/// Reads the account in whose stream the line from `start` says it is, where it is written as an event writes it.
#[must_use]
pub(crate) fn account(block: &[u8], start: usize) -> Option<Span> {
    let mut cursor = Cursor::new(block, start);
    cursor.literal("{\"position\":").ok()?;
    cursor.number().ok()?;
    cursor.literal(",\"stream\":\"account-").ok()?;
    cursor.word().ok()
}

/// The content of an event is what stands between its id and its hash.
struct Content {
    recorded_at: Moment,
    id: u128,
    body: event_data::Body,
    answer: (i128, i128),
}

fn content(block: &[u8], account: Span, cursor: &mut Cursor<'_>) -> Result<Content, Flaw> {
    if !is_name(account.of(block)) {
        return Err(Flaw::NoName("the stream"));
    }
    cursor.literal("\"type\":\"")?;
    let kind = Kind::read(cursor.word()?.of(block))?;
    cursor.literal(",\"recorded_at\":\"")?;
    let recorded_at = *cursor.bytes::<27>("a moment")?;
    cursor.literal("\",\"effective_at\":\"")?;
    let effective_at = *cursor.bytes::<27>("a moment")?;
    cursor.literal("\",\"version\":")?;
    let version = cursor.number()?;
    if version != VERSION {
        return Err(Flaw::UnknownVersion(version));
    }
    cursor.literal(",\"transaction_id\":\"")?;
    let id = transaction(cursor, "the event's own")?;
    cursor.literal(",\"data\":{")?;
    let body = event_data::read(kind, block, account, cursor)?;
    moments(&recorded_at, &effective_at, body.effective_at_given)?;
    cursor.literal("},\"answer\":{\"balance\":\"")?;
    let balance = sum(block, cursor, body.currency, "the answer's balance")?;
    cursor.literal(",\"available\":\"")?;
    let available = sum(block, cursor, body.currency, "the answer's available")?;
    cursor.literal("},\"metadata\":{\"$correlationId\":\"")?;
    cursor.text()?;
    if cursor.maybe(",\"$causationId\":\"") {
        cursor.text()?;
    }
    cursor.literal(",\"actor\":\"")?;
    cursor.text()?;
    cursor.literal("}")?;
    Ok(Content { recorded_at, id, body, answer: (balance, available) })
}

/// Checks an event's two moments against each other.
fn moments(recorded: &Moment, effective: &Moment, given: bool) -> Result<(), Flaw> {
    let recorded_micros = micros(recorded).ok_or(Flaw::NoMoment("recorded_at"))?;
    if recorded == effective {
        return Ok(());
    }
    if !given {
        return Err(Flaw::EffectiveAt);
    }
    let effective_micros = micros(effective).ok_or(Flaw::NoMoment("effective_at"))?;
    if effective_micros.saturating_sub(recorded_micros) > FUTURE_ALLOWED_MICROS {
        Err(Flaw::InFuture)
    } else {
        Ok(())
    }
}

/// Joins two places of a number, as hours and minutes: so many units of so many parts each, and the parts after them. A moment
/// has so few digits that nothing can wrap around.
fn join(units: i64, of: i64, parts: i64) -> i64 {
    units.wrapping_mul(of).wrapping_add(parts)
}

/// Reads a moment as microseconds on a scale of its own, which only serves to subtract; none when the text is no moment.
fn micros(moment: &Moment) -> Option<i64> {
    const SHAPE: &Moment = b"0000-00-00T00:00:00.000000Z";
    let shaped = moment
        .iter()
        .zip(SHAPE)
        .all(|(b, shape)| if *shape == b'0' { b.is_ascii_digit() } else { b == shape });
    let number = |from: usize, to: usize| {
        let digits = moment.get(from..to).unwrap_or_default();
        digits.iter().fold(0, |sum, digit| join(sum, 10, i64::from(digit.wrapping_sub(b'0'))))
    };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let exists = (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60;
    // Days since 0000-03-01, so that a leap day comes last in its year.
    let (years, months) = if month > 2 {
        (year, month.saturating_sub(3))
    } else {
        (year.saturating_sub(1), month.saturating_add(9))
    };
    let leap_days = [years.div_euclid(4), years.div_euclid(100).saturating_neg(), years.div_euclid(400)];
    let days: i64 = leap_days.into_iter().chain([join(months, 153, 2) / 5, day]).sum();
    let seconds = join(join(join(join(years, 365, days), 24, hour), 60, minute), 60, second);
    (shaped && exists).then_some(join(seconds, 1_000_000, number(20, 26)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_exists_and_has_one_spelling() {
        assert!(micros(b"2024-02-29T23:59:59.999999Z").is_some());
        for text in [
            b"2026-02-29T00:00:00.000000Z",
            b"2026-13-01T00:00:00.000000Z",
            b"2026-04-31T00:00:00.000000Z",
            b"2026-01-01T24:00:00.000000Z",
            b"2026-01-01 00:00:00.000000Z",
            b"2026-01-01T00:00:60.000000Z",
            b"2026-01-00T00:00:00.000000Z",
            b"2026-00-01T00:00:00.000000Z",
            b"2026-01-01T00:00:00.00000 Z",
        ] {
            assert_eq!(micros(text), None, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn moments_are_as_far_apart_as_a_calendar_says() {
        let between = |from: &Moment, to: &Moment| (micros(to).unwrap() - micros(from).unwrap()) / 1_000_000;
        assert_eq!(between(b"2026-12-31T23:59:59.000000Z", b"2027-01-01T00:00:00.000000Z"), 1);
        assert_eq!(between(b"2024-02-28T00:00:00.000000Z", b"2024-03-01T00:00:00.000000Z"), 2 * 86_400);
        assert_eq!(between(b"1993-01-01T00:00:00.000000Z", b"2026-01-01T00:00:00.000000Z"), 12_053 * 86_400);
    }

    #[test]
    fn an_effective_time_is_at_most_five_minutes_ahead() {
        let recorded = b"2026-11-21T02:00:00.000000Z";
        assert_eq!(moments(recorded, b"1993-01-01T00:00:00.000000Z", true), Ok(()));
        assert_eq!(moments(recorded, b"2026-11-21T02:05:00.000000Z", true), Ok(()));
        assert_eq!(moments(recorded, b"2026-11-21T02:05:00.000001Z", true), Err(Flaw::InFuture));
        assert_eq!(moments(recorded, b"2026-11-21T02:00:00.000001Z", false), Err(Flaw::EffectiveAt));
    }
}
