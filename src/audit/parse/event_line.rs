//! The line of an event is read byte by byte here, and an event is made of it.
//!
//! Everything that a line shows by itself is checked here, so that several lines can be checked at once: its layout, its
//! canonical bytes, its id, and its hash. What needs the lines before it is checked in the room [`rules`](crate::audit::rules).

use uuid::Uuid;

use crate::audit::parse::cursor::Cursor;
use crate::audit::parse::event_data::{self, Kind};
use crate::audit::parse::head::{Content, Head, VERSION};
use crate::audit::parse::own_line;
use crate::audit::parse::transfer_data;
use crate::audit::parse::words::{id, is_name, sum};
use crate::audit::values::chain::{self, Hash, Hasher};
use crate::audit::values::event::{AccountBody, Body, Event, TransferBody};
use crate::audit::values::finding::Flaw;
use crate::audit::values::id::{Id, OwnId, Step};
use crate::audit::values::moment::{Moment, micros};
use crate::audit::values::span::Span;
use crate::audit::values::transfer::State;

/// The name of an account's stream begins so.
const ACCOUNT: &str = "account-";
/// The name of a transfer's stream begins so.
const TRANSFER: &str = "transfer-";
/// The name of a destination's stream begins so.
const DELIVERY: &str = "delivery-";
/// The name of a letter's stream begins so.
const LETTER: &str = "letter-";
/// This stands before the name of a stream.
const KEY: &str = "\"stream\":\"";
const KEY_ACCOUNT: &str = "\"stream\":\"account-";
const KEY_TRANSFER: &str = "\"stream\":\"transfer-";
const KEY_DELIVERY: &str = "\"stream\":\"delivery-";
const KEY_LETTER: &str = "\"stream\":\"letter-";
/// `effective_at` may lie at most this far after `recorded_at`.
const FUTURE_ALLOWED_MICROS: i64 = 5 * 60 * 1_000_000;

/// Reads the line from `start` to the end of `block`, which does not have its line feed. `previous` is the hash before the
/// line, where it is known; else the line's own hash is not checked and taken as it stands there.
///
/// # Errors
/// Fails with the first thing that is wrong with the line.
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
    let (stream, whose) = stream(block, cursor)?;
    cursor.literal(",\"revision\":")?;
    let revision = cursor.number()?;
    cursor.literal(",")?;
    let middle = cursor.at();
    cursor.literal("\"event_id\":\"")?;
    let event_id = cursor.bytes::<36>("an event's id")?;
    cursor.literal("\",")?;
    let back = cursor.at();
    let content = content(block, whose, cursor)?;
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
    let Content { recorded_at, id, body } = content;
    Ok(Event {
        position,
        stream,
        revision,
        recorded_at,
        id,
        body,
        hash,
        canonical: (cursor.span(front, middle), cursor.span(back, end)),
    })
}

/// Gives the id of an event that was read from this block, where it is a UUID.
#[must_use]
pub(crate) fn event_id(block: &[u8], event: &Event) -> Option<Uuid> {
    event.event_id(block).map(Uuid::from_u128)
}

/// Says whether this line (without its line feed) is the first event of its stream, and chained to that stream alone.
/// The first event of a journal that is chained along its streams is.
#[must_use]
pub(crate) fn begins_its_stream(line: &[u8]) -> bool {
    let mut hasher = Hasher::default();
    let event = read(line, 0, None, &mut hasher);
    event.is_ok_and(|event| hasher.hash(&chain::of_stream(event.stream.of(line))) == event.hash)
}

/// Reads the position that the line from `start` says it has.
#[must_use]
pub(crate) fn position(block: &[u8], start: usize) -> Option<u64> {
    let mut cursor = Cursor::new(block, start);
    cursor.literal("{\"position\":").and_then(|()| cursor.number()).ok()
}

/// Reads the name of the stream that the line from `start` says it is in, where it is written as an event writes it.
#[must_use]
pub(crate) fn stream_of(block: &[u8], start: usize) -> Option<Span> {
    let known = [ACCOUNT, TRANSFER, DELIVERY, LETTER];
    let is_known = |stream: &Span| known.iter().any(|prefix| stream.of(block).starts_with(prefix.as_bytes()));
    named_stream(block, start).filter(is_known)
}

/// Reads the name of the stream that the line from `start` says it is in, whatever it is.
pub(super) fn named_stream(block: &[u8], start: usize) -> Option<Span> {
    let mut cursor = Cursor::new(block, start);
    cursor.literal("{\"position\":").ok()?;
    cursor.number().ok()?;
    cursor.literal(",").ok()?;
    cursor.literal(KEY).ok()?;
    cursor.word().ok()
}

/// This says whose stream an event is in.
#[derive(Debug, Clone, Copy)]
enum Whose {
    /// It is that of the account with this name.
    Account(Span),
    /// It is that of this transfer.
    Transfer(Span, u128),
    /// It is that of the destination with this name.
    Delivery(Span),
    /// It is that of this letter.
    Letter(u128),
}

/// Reads the name of an event's stream and its closing quote. Gives all of it, and whose it is.
fn stream(block: &[u8], cursor: &mut Cursor<'_>) -> Result<(Span, Whose), Flaw> {
    let start = cursor.at().saturating_add(KEY.len());
    let whose = if !cursor.maybe(KEY_ACCOUNT) && cursor.maybe(KEY_TRANSFER) {
        let name = cursor.word()?;
        let id = name.of(block).try_into().ok().and_then(chain::read_uuid).filter(|id| *id != 0);
        Whose::Transfer(name, id.ok_or(Flaw::NoName("the stream"))?)
    } else if cursor.at() > start {
        Whose::Account(cursor.word()?)
    } else if cursor.maybe(KEY_DELIVERY) {
        Whose::Delivery(cursor.word()?)
    } else if cursor.maybe(KEY_LETTER) {
        let id = cursor.word()?.of(block).try_into().ok().and_then(chain::read_uuid);
        Whose::Letter(id.ok_or(Flaw::NoName("the stream"))?)
    } else {
        return Err(cursor.wrong(KEY_ACCOUNT));
    };
    Ok((cursor.span(start, cursor.at().saturating_sub(1)), whose))
}

/// This is the type of an event of an account. Which type it is of a transfer's is read with its `data`.
enum TypeOf {
    Account(Kind),
    Transfer(u128),
}

fn content(block: &[u8], whose: Whose, cursor: &mut Cursor<'_>) -> Result<Content, Flaw> {
    let name = match whose {
        Whose::Account(name) if !is_name(name.of(block)) => return Err(Flaw::NoName("the stream")),
        Whose::Account(name) | Whose::Transfer(name, _) => name,
        Whose::Delivery(name) => return own_line::of_destination(block, name, cursor),
        Whose::Letter(letter) => return own_line::of_letter(block, letter, cursor),
    };
    cursor.literal("\"type\":\"")?;
    let type_name = cursor.word()?.of(block);
    let kind = match whose {
        Whose::Account(_) => TypeOf::Account(Kind::read(type_name)?),
        Whose::Transfer(_, transfer) => TypeOf::Transfer(transfer),
        Whose::Delivery(_) | Whose::Letter(_) => return Err(Flaw::NoName("the stream")),
    };
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
    let id = id(block, cursor, "the event's own")?;
    cursor.literal(",\"data\":{")?;
    let head = Head { name, id, recorded_at };
    let body = match kind {
        TypeOf::Account(kind) => Body::Account(account(kind, block, &head, &effective_at, cursor)?),
        TypeOf::Transfer(id) => Body::Transfer(transfer(type_name, id, block, &head, &effective_at, cursor)?),
    };
    metadata(block, id, cursor)?;
    Ok(Content { recorded_at, id, body })
}

/// Reads the `data` and the answer of an event in the stream of an account.
fn account(
    kind: Kind,
    block: &[u8],
    head: &Head,
    effective_at: &Moment,
    cursor: &mut Cursor<'_>,
) -> Result<AccountBody, Flaw> {
    let data = event_data::read(kind, block, head, cursor)?;
    moments(&head.recorded_at, effective_at, data.effective_at_given)?;
    cursor.literal("},\"answer\":{\"balance\":\"")?;
    let balance = sum(block, cursor, data.currency, "the answer's balance")?;
    cursor.literal(",\"available\":\"")?;
    let available = sum(block, cursor, data.currency, "the answer's available")?;
    let (currency, fact) = (data.currency, data.fact);
    Ok(AccountBody { account: head.name, currency, fact, answer: (balance, available) })
}

/// Reads the `data` and the answer of an event in the stream of a transfer.
fn transfer(
    kind: &[u8],
    transfer: u128,
    block: &[u8],
    head: &Head,
    effective_at: &Moment,
    cursor: &mut Cursor<'_>,
) -> Result<Box<TransferBody>, Flaw> {
    let fact = transfer_data::read(kind, transfer, block, head, cursor)?;
    moments(&head.recorded_at, effective_at, false)?;
    cursor.literal("},\"answer\":{\"state\":\"")?;
    let text = cursor.word()?.of(block);
    let unknown = || Flaw::UnknownState(String::from_utf8_lossy(text).into_owned());
    let state = State::read(text).ok_or_else(unknown)?;
    Ok(Box::new(TransferBody { transfer, fact, state }))
}

/// Reads an event's metadata, up to its closing brace. What the service booked of its own accord says so, and for what.
fn metadata(block: &[u8], id: Id, cursor: &mut Cursor<'_>) -> Result<(), Flaw> {
    cursor.literal("},\"metadata\":{\"$correlationId\":\"")?;
    let correlation = cursor.text()?;
    let causation = match cursor.maybe(",\"$causationId\":\"") {
        true => Some(cursor.text()?),
        false => None,
    };
    cursor.literal(",\"actor\":\"")?;
    let actor = cursor.text()?;
    cursor.literal("}")?;
    match id {
        Id::Client(_) | Id::Absent => Ok(()),
        Id::Own(own) => is_own(own, block, [Some(correlation), causation, Some(actor)]),
    }
}

/// Checks that what the service booked of its own accord has it as its actor, and names what it is for.
fn is_own(own: OwnId, block: &[u8], said: [Option<Span>; 3]) -> Result<(), Flaw> {
    let [correlation, causation, actor] = said.map(|span| span.map_or(&[][..], |span| span.of(block)));
    let of = Id::Client(own.of).to_string();
    let is_correlated = own.step != Step::Expiry || correlation == of.as_bytes();
    let is_right = actor == b"service" && causation == of.as_bytes() && is_correlated;
    if is_right { Ok(()) } else { Err(Flaw::OwnMetadata) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effective_time_is_at_most_five_minutes_ahead() {
        let recorded = b"2026-11-21T02:00:00.000000Z";
        assert_eq!(moments(recorded, b"1993-01-01T00:00:00.000000Z", true), Ok(()));
        assert_eq!(moments(recorded, b"2026-11-21T02:05:00.000000Z", true), Ok(()));
        assert_eq!(moments(recorded, b"2026-11-21T02:05:00.000001Z", true), Err(Flaw::InFuture));
        assert_eq!(moments(recorded, b"2026-11-21T02:00:00.000001Z", false), Err(Flaw::EffectiveAt));
    }
}
