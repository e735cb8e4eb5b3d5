//! The `data` of events on holds, and of a transfer's steps on accounts, is read here.
//!
//! Each must agree with the event's own ID: what a client asked for has a client's ID, a step has one that names its transfer.

use crate::audit::parse::cursor::Cursor;
use crate::audit::parse::head::Head;
use crate::audit::parse::words::{
    amount_of, counter, currency, entries, id, is_name, maybe_reason, metadata, party, transaction,
};
use crate::audit::values::currency::Currency;
use crate::audit::values::fact::Fact;
use crate::audit::values::finding::Flaw;
use crate::audit::values::hold::{AskedHold, Captured, CreditFact, HoldFact, Placed, Side};
use crate::audit::values::id::{Id, Step};
use crate::audit::values::moment::is_after;
use crate::audit::values::span::Span;

/// A client's hold is open for at most this many seconds.
const LONGEST_SECONDS: u64 = 2_592_000;

/// A hold kind is a type of event on holds, or of a transfer's step on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldKind {
    /// `HoldPlaced`
    Placed,
    /// `HoldCaptured`
    Captured,
    /// `HoldReleased`
    Released,
    /// `HoldExpired`
    Expired,
    /// `HoldPrevented`
    Prevented,
    /// `TransferCredited`
    Credited,
    /// `CreditPrevented`
    CreditPrevented,
}

impl HoldKind {
    /// Reads a type's name; `None` when it is none of these.
    #[must_use]
    pub(crate) fn read(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"HoldPlaced" => Self::Placed,
            b"HoldCaptured" => Self::Captured,
            b"HoldReleased" => Self::Released,
            b"HoldExpired" => Self::Expired,
            b"HoldPrevented" => Self::Prevented,
            b"TransferCredited" => Self::Credited,
            b"CreditPrevented" => Self::CreditPrevented,
            _ => return None,
        })
    }
}

/// Reads `data` up to, not including, its closing brace.
///
/// # Errors
/// Fails when its layout is another, or its parts do not agree with each other or with the event's ID.
pub(crate) fn read(
    kind: HoldKind,
    block: &[u8],
    head: &Head,
    cursor: &mut Cursor<'_>,
) -> Result<(Currency, Fact), Flaw> {
    let hold = |(currency, fact)| (currency, Fact::Hold(Box::new(fact)));
    let credit = |(currency, fact)| (currency, Fact::Credit(Box::new(fact)));
    match kind {
        HoldKind::Placed => placed(block, head, cursor).map(hold),
        HoldKind::Captured => captured(block, head, cursor).map(hold),
        HoldKind::Released => released(block, head, cursor).map(hold),
        HoldKind::Expired => expired(block, head, cursor).map(hold),
        HoldKind::Prevented => prevented(block, head, cursor).map(hold),
        HoldKind::Credited => credited(block, head, cursor).map(credit),
        HoldKind::CreditPrevented => credit_prevented(block, head, cursor).map(credit),
    }
}

/// Reads `"amount"` and `"currency"`, which follow each other in every event that has both.
fn money(block: &[u8], cursor: &mut Cursor<'_>, key: &'static str) -> Result<(i128, Currency), Flaw> {
    cursor.literal(key)?;
    let text = cursor.word()?;
    let currency = currency(block, cursor, ",\"currency\":\"")?;
    Ok((amount_of(text.of(block), currency)?, currency))
}

fn placed(block: &[u8], head: &Head, cursor: &mut Cursor<'_>) -> Result<(Currency, HoldFact), Flaw> {
    let (amount, currency) = money(block, cursor, "\"amount\":\"")?;
    let placed = if cursor.maybe(",\"expires_in_seconds\":") {
        let seconds = cursor.number()?;
        cursor.literal(",\"expires_at\":\"")?;
        let at = *cursor.bytes::<27>("a moment")?;
        cursor.literal("\"")?;
        metadata(block, cursor)?;
        of_client(head.id)?;
        if !(1..=LONGEST_SECONDS).contains(&seconds) {
            return Err(Flaw::NoSeconds("expires_in_seconds"));
        }
        if !is_after(&at, seconds, &head.recorded_at) {
            return Err(Flaw::NotAfter { what: "expires_at", seconds });
        }
        Placed::Until { seconds, at }
    } else {
        let side = side(block, cursor, ",\"to\":\"", true)?;
        first_step(head.id, side.transfer, Step::Hold)?;
        Placed::For(side)
    };
    Ok((currency, HoldFact::Placed { amount, placed }))
}

fn captured(block: &[u8], head: &Head, cursor: &mut Cursor<'_>) -> Result<(Currency, HoldFact), Flaw> {
    cursor.literal("\"hold\":\"")?;
    let hold = id(block, cursor, "the hold")?;
    let (amount, currency) = money(block, cursor, ",\"amount\":\"")?;
    let (signed, counter) = entries(block, head.name, cursor, currency, |cursor| any_counter(block, cursor))?;
    if signed.checked_neg() != Some(amount) {
        return Err(Flaw::EntryAmount);
    }
    let released = match cursor.maybe(",\"released\":\"") {
        true => amount_of(cursor.word()?.of(block), currency)?,
        false => 0,
    };
    let partial = cursor.maybe(",\"partial\":true");
    metadata(block, cursor)?;
    let side = match head.id {
        Id::Client(_) | Id::Absent => None,
        Id::Own(_) => Some(side(block, cursor, ",\"to\":\"", true)?),
    };
    whose(head.id, hold, side.map(|side| side.transfer), Step::Capture)?;
    let other = counter.of(block);
    let fits = match side.map(|side| side.other.of(block)) {
        None => is_free(other),
        Some(to) if to.starts_with(b"@") => other == to,
        Some(_) => other == b"@transit",
    };
    if !fits {
        return Err(Flaw::NoName("the other side of the entry"));
    }
    Ok((currency, HoldFact::Captured(Captured { hold, amount, counter, released, partial, side })))
}

fn released(block: &[u8], head: &Head, cursor: &mut Cursor<'_>) -> Result<(Currency, HoldFact), Flaw> {
    cursor.literal("\"hold\":\"")?;
    let hold = id(block, cursor, "the hold")?;
    let (amount, currency) = money(block, cursor, ",\"amount\":\"")?;
    maybe_reason(cursor)?;
    let transfer = maybe_transfer(cursor)?;
    whose(head.id, hold, transfer, Step::Release)?;
    Ok((currency, HoldFact::Released { hold, amount }))
}

fn expired(block: &[u8], head: &Head, cursor: &mut Cursor<'_>) -> Result<(Currency, HoldFact), Flaw> {
    cursor.literal("\"hold\":\"")?;
    let hold = transaction(cursor, "the hold")?;
    let (amount, currency) = money(block, cursor, ",\"amount\":\"")?;
    first_step(head.id, hold, Step::Expiry)?;
    Ok((currency, HoldFact::Expired { hold: Id::Client(hold), amount }))
}

fn prevented(block: &[u8], head: &Head, cursor: &mut Cursor<'_>) -> Result<(Currency, HoldFact), Flaw> {
    cursor.literal("\"hold\":\"")?;
    let hold = id(block, cursor, "the hold")?;
    let currency = currency(block, cursor, ",\"currency\":\"")?;
    maybe_reason(cursor)?;
    let transfer = maybe_transfer(cursor)?;
    whose(head.id, hold, transfer, Step::Release)?;
    Ok((currency, HoldFact::Prevented { hold }))
}

fn credited(block: &[u8], head: &Head, cursor: &mut Cursor<'_>) -> Result<(Currency, CreditFact), Flaw> {
    let (amount, currency) = money(block, cursor, "\"amount\":\"")?;
    let (signed, counter) = entries(block, head.name, cursor, currency, |cursor| any_counter(block, cursor))?;
    if signed != amount {
        return Err(Flaw::EntryAmount);
    }
    if counter.of(block) != b"@transit" {
        return Err(Flaw::NoName("the other side of the entry"));
    }
    let side = side(block, cursor, ",\"from\":\"", false)?;
    first_step(head.id, side.transfer, Step::Credit)?;
    Ok((currency, CreditFact::Booked { amount, side }))
}

fn credit_prevented(
    block: &[u8],
    head: &Head,
    cursor: &mut Cursor<'_>,
) -> Result<(Currency, CreditFact), Flaw> {
    cursor.literal("\"transfer\":\"")?;
    let transfer = transaction(cursor, "the transfer")?;
    let currency = currency(block, cursor, ",\"currency\":\"")?;
    cursor.literal(",\"code\":\"")?;
    let timed_out = match cursor.word()?.of(block) {
        b"timed_out" => true,
        b"cancelled" => false,
        other => return Err(Flaw::UnknownCode(String::from_utf8_lossy(other).into_owned())),
    };
    first_step(head.id, transfer, Step::RuleOut)?;
    Ok((currency, CreditFact::RuledOut { transfer, timed_out }))
}

/// Reads the fields of a declined request on a hold or for a step of a transfer; `None` when the operation is another one.
///
/// # Errors
/// Fails when the layout is another, or the parts do not agree with each other or with the event's ID.
pub(crate) fn asked(
    operation: &[u8],
    block: &[u8],
    own: Id,
    cursor: &mut Cursor<'_>,
    currency: Currency,
) -> Result<Option<AskedHold>, Flaw> {
    let amount = |cursor: &mut Cursor<'_>| amount_of(cursor.word()?.of(block), currency);
    Ok(Some(match operation {
        b"hold" => {
            cursor.literal(",\"amount\":\"")?;
            let amount = amount(cursor)?;
            cursor.literal(",\"expires_in_seconds\":")?;
            if !(1..=LONGEST_SECONDS).contains(&cursor.number()?) {
                return Err(Flaw::NoSeconds("expires_in_seconds"));
            }
            metadata(block, cursor)?;
            of_client(own)?;
            AskedHold::Place { amount }
        }
        b"capture" => {
            cursor.literal(",\"hold\":\"")?;
            let hold = id(block, cursor, "the hold")?;
            let amount = if cursor.maybe(",\"amount\":\"") { Some(amount(cursor)?) } else { None };
            cursor.literal(",\"counter_account\":\"")?;
            let other = any_counter(block, cursor)?;
            metadata(block, cursor)?;
            whose(own, hold, transfer_of(own), Step::Capture)?;
            if own.client().is_some() && !is_free(other.of(block)) {
                return Err(Flaw::NoName("the other side of the entry"));
            }
            AskedHold::Capture { hold, amount }
        }
        b"release" => {
            cursor.literal(",\"hold\":\"")?;
            let hold = id(block, cursor, "the hold")?;
            maybe_reason(cursor)?;
            whose(own, hold, transfer_of(own), Step::Release)?;
            AskedHold::Release { hold }
        }
        b"transfer_hold" | b"transfer_credit" => {
            let is_hold = operation == b"transfer_hold";
            cursor.literal(",\"transfer\":\"")?;
            let transfer = transaction(cursor, "the transfer")?;
            cursor.literal(",\"amount\":\"")?;
            let amount = amount(cursor)?;
            cursor.literal(if is_hold { ",\"to\":\"" } else { ",\"from\":\"" })?;
            let side = Side { transfer, other: party(block, cursor, is_hold)? };
            first_step(own, transfer, if is_hold { Step::Hold } else { Step::Credit })?;
            if is_hold {
                AskedHold::TransferHold { amount, side }
            } else {
                AskedHold::TransferCredit { amount, side }
            }
        }
        _ => return Ok(None),
    }))
}

/// Reads a step's transfer, and the account on its other side.
fn side(
    block: &[u8],
    cursor: &mut Cursor<'_>,
    key: &'static str,
    may_be_outside: bool,
) -> Result<Side, Flaw> {
    cursor.literal(",\"transfer\":\"")?;
    let transfer = transaction(cursor, "the transfer")?;
    cursor.literal(key)?;
    Ok(Side { transfer, other: party(block, cursor, may_be_outside)? })
}

fn maybe_transfer(cursor: &mut Cursor<'_>) -> Result<Option<u128>, Flaw> {
    match cursor.maybe(",\"transfer\":\"") {
        true => transaction(cursor, "the transfer").map(Some),
        false => Ok(None),
    }
}

/// Reads the name of any of the ledger's own accounts, `@transit` too.
fn any_counter(block: &[u8], cursor: &mut Cursor<'_>) -> Result<Span, Flaw> {
    if cursor.maybe("@transit\"") {
        let end = cursor.at().saturating_sub(1);
        return Ok(cursor.span(end.saturating_sub(b"@transit".len()), end));
    }
    counter(block, cursor)
}

/// Says whether a client may name this one of the ledger's own accounts.
fn is_free(counter: &[u8]) -> bool {
    let reserved = matches!(counter, b"@transit" | b"@corrections") || counter.starts_with(b"@external:");
    !reserved && counter.strip_prefix(b"@").is_some_and(is_name)
}

/// Gives the transfer that an ID of the service's own may be a step of.
fn transfer_of(id: Id) -> Option<u128> {
    match id {
        Id::Client(_) | Id::Absent => None,
        Id::Own(own) => Some(own.of),
    }
}

fn of_client(id: Id) -> Result<(), Flaw> {
    id.client().map(|_| ()).ok_or(Flaw::OtherId)
}

/// Checks that an event has the ID of the first attempt at this step.
fn first_step(id: Id, of: u128, step: Step) -> Result<(), Flaw> {
    if id.attempt(of, step) == Some(1) { Ok(()) } else { Err(Flaw::OtherId) }
}

/// Checks that a client's event is on a client's hold, and a step on the hold of its own transfer.
fn whose(id: Id, hold: Id, transfer: Option<u128>, step: Step) -> Result<(), Flaw> {
    let fits = match transfer {
        None => id.client().is_some() && hold.client().is_some(),
        Some(transfer) => id.attempt(transfer, step).is_some() && hold == Id::own(transfer, Step::Hold, 1),
    };
    if fits { Ok(()) } else { Err(Flaw::OtherId) }
}
