//! The `data` of an event, in version 1, is read here: for each type of event it has certain keys in a certain order.
//!
//! What must agree within the event is checked here, too, such as an amount with its entry.

use crate::audit::parse::correction_data;
use crate::audit::parse::cursor::Cursor;
use crate::audit::parse::head::Head;
use crate::audit::parse::hold_data::{self, HoldKind};
use crate::audit::parse::words::{
    amount_of, counter, currency, entries, id, lossy, metadata, reason, transaction,
};
use crate::audit::values::code::Code;
use crate::audit::values::correction::CORRECTIONS;
use crate::audit::values::currency::Currency;
use crate::audit::values::fact::{Asked, Change, Direction, Fact};
use crate::audit::values::finding::Flaw;
use crate::audit::values::id::Id;
use crate::audit::values::money;
use crate::audit::values::span::Span;

/// A kind is a type of event that is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `AccountOpened`
    Opened,
    /// `Deposited`, `Withdrawn`
    Moved(Direction),
    /// `Reversed`
    Reversed,
    /// `Prevented`
    Prevented,
    /// `Corrected`
    Corrected,
    /// `HoldPlaced`, `HoldCaptured` and what else holds and steps of transfers have
    Hold(HoldKind),
    /// `Frozen`, `Unfrozen`, `Closed`
    Changed(Change),
    /// `OverdraftLimitChanged`
    LimitChanged,
    /// `Declined`
    Declined,
}

impl Kind {
    /// Reads a type's name.
    ///
    /// # Errors
    /// Fails when no such type is known.
    pub(crate) fn read(name: &[u8]) -> Result<Self, Flaw> {
        Ok(match name {
            b"AccountOpened" => Self::Opened,
            b"Deposited" => Self::Moved(Direction::Credit),
            b"Withdrawn" => Self::Moved(Direction::Debit),
            b"Reversed" => Self::Reversed,
            b"Prevented" => Self::Prevented,
            b"Corrected" => Self::Corrected,
            b"Frozen" => Self::Changed(Change::Freeze),
            b"Unfrozen" => Self::Changed(Change::Unfreeze),
            b"Closed" => Self::Changed(Change::Close),
            b"OverdraftLimitChanged" => Self::LimitChanged,
            b"Declined" => Self::Declined,
            _ => match HoldKind::read(name) {
                Some(kind) => Self::Hold(kind),
                None => return Err(Flaw::UnknownType(lossy(name))),
            },
        })
    }
}

/// A body is what an event's `data` says.
#[derive(Debug)]
pub(crate) struct Body {
    /// This is the account's currency.
    pub(crate) currency: Currency,
    /// This is what happened.
    pub(crate) fact: Fact,
    /// This says whether the client gave `effective_at`.
    pub(crate) effective_at_given: bool,
}

/// Reads `data` up to, not including, its closing brace.
///
/// # Errors
/// Fails when its layout is another, or its parts do not agree with each other.
pub(crate) fn read(kind: Kind, block: &[u8], head: &Head, cursor: &mut Cursor<'_>) -> Result<Body, Flaw> {
    if let (Id::Own(_), false) = (head.id, matches!(kind, Kind::Hold(_) | Kind::Declined)) {
        return Err(Flaw::OtherId);
    }
    let account = head.name;
    let body = |currency, fact| Body { currency, fact, effective_at_given: false };
    match kind {
        Kind::Opened => {
            let currency = currency(block, cursor, "\"currency\":\"")?;
            cursor.literal(",\"overdraft_limit\":\"")?;
            let limit = limit(block, cursor, currency)?;
            metadata(block, cursor)?;
            Ok(body(currency, Fact::Opened { limit }))
        }
        Kind::Moved(direction) => moved(direction, block, account, cursor),
        Kind::Reversed => reversed(block, account, cursor),
        Kind::Prevented => {
            cursor.literal("\"reverses\":\"")?;
            let reverses = transaction(cursor, "what is reversed")?;
            let currency = currency(block, cursor, ",\"currency\":\"")?;
            reason(cursor)?;
            cursor.maybe(",\"force\":true");
            Ok(body(currency, Fact::Prevented { reverses }))
        }
        Kind::Corrected => corrected(block, account, cursor),
        Kind::Changed(change) => {
            let currency = currency(block, cursor, "\"currency\":\"")?;
            reason(cursor)?;
            Ok(body(currency, Fact::Changed(change)))
        }
        Kind::LimitChanged => {
            cursor.literal("\"overdraft_limit\":\"")?;
            let text = cursor.word()?;
            let currency = currency(block, cursor, ",\"currency\":\"")?;
            reason(cursor)?;
            Ok(body(currency, Fact::LimitChanged { limit: limit_of(text.of(block), currency)? }))
        }
        Kind::Hold(kind) => {
            let (currency, fact) = hold_data::read(kind, block, head, cursor)?;
            Ok(body(currency, fact))
        }
        Kind::Declined => declined(block, head, cursor),
    }
}

fn moved(direction: Direction, block: &[u8], account: Span, cursor: &mut Cursor<'_>) -> Result<Body, Flaw> {
    cursor.literal("\"amount\":\"")?;
    let text = cursor.word()?;
    let currency = currency(block, cursor, ",\"currency\":\"")?;
    let amount = amount_of(text.of(block), currency)?;
    let (signed, counter) = entries(block, account, cursor, currency, |cursor| counter(block, cursor))?;
    if signed != direction.signed(amount) {
        return Err(Flaw::EntryAmount);
    }
    let effective_at_given = cursor.maybe(",\"effective_at_given\":true");
    metadata(block, cursor)?;
    Ok(Body { currency, fact: Fact::Moved { direction, amount, counter }, effective_at_given })
}

fn reversed(block: &[u8], account: Span, cursor: &mut Cursor<'_>) -> Result<Body, Flaw> {
    cursor.literal("\"reverses\":\"")?;
    let reverses = transaction(cursor, "what is reversed")?;
    cursor.literal(",\"amount\":\"")?;
    let text = cursor.word()?;
    let currency = currency(block, cursor, ",\"currency\":\"")?;
    let amount = amount_of(text.of(block), currency)?;
    let (signed, counter) = entries(block, account, cursor, currency, |cursor| counter(block, cursor))?;
    if signed.abs() != amount {
        return Err(Flaw::EntryAmount);
    }
    reason(cursor)?;
    let partial = cursor.maybe(",\"partial\":true");
    let force = cursor.maybe(",\"force\":true");
    let fact = Fact::Reversed { reverses, amount, signed, counter, partial, force };
    Ok(Body { currency, fact, effective_at_given: false })
}

fn corrected(block: &[u8], account: Span, cursor: &mut Cursor<'_>) -> Result<Body, Flaw> {
    cursor.literal("\"amount\":\"")?;
    let text = cursor.word()?;
    let currency = currency(block, cursor, ",\"currency\":\"")?;
    let amount = amount_of(text.of(block), currency)?;
    let (signed, counter) = entries(block, account, cursor, currency, |cursor| counter(block, cursor))?;
    if signed.abs() != amount {
        return Err(Flaw::EntryAmount);
    }
    if counter.of(block) != CORRECTIONS {
        return Err(Flaw::NoName("the other side of the correction"));
    }
    let (asked, effective_at_given) = correction_data::booked(block, cursor, currency, signed)?;
    Ok(Body { currency, fact: Fact::Corrected { asked: Box::new(asked), signed }, effective_at_given })
}

fn declined(block: &[u8], head: &Head, cursor: &mut Cursor<'_>) -> Result<Body, Flaw> {
    cursor.literal("\"operation\":\"")?;
    let operation = cursor.word()?.of(block);
    cursor.literal(",\"code\":\"")?;
    let code = cursor.word()?.of(block);
    let code = Code::read(code).ok_or_else(|| Flaw::UnknownCode(lossy(code)))?;
    let currency = currency(block, cursor, ",\"currency\":\"")?;
    let (asked, effective_at_given) = asked(operation, block, head, cursor, currency)?;
    let prevented_by = match code {
        Code::Prevented => {
            cursor.literal(",\"prevented_by\":\"")?;
            Some(Box::new(id(block, cursor, "prevented_by")?))
        }
        Code::AccountClosed
        | Code::AccountFrozen
        | Code::BalanceTooLarge
        | Code::InsufficientFunds
        | Code::AccountNotEmpty
        | Code::WrongState
        | Code::ReversalExceedsOriginal
        | Code::NotReversible
        | Code::HoldsOpen
        | Code::TooManyHolds
        | Code::HoldExpired
        | Code::HoldAlreadySettled
        | Code::CaptureExceedsHold
        | Code::TransferEnded
        | Code::TooLate => None,
    };
    Ok(Body { currency, fact: Fact::Declined { code, asked, prevented_by }, effective_at_given })
}

fn asked(
    operation: &[u8],
    block: &[u8],
    head: &Head,
    cursor: &mut Cursor<'_>,
    currency: Currency,
) -> Result<(Asked, bool), Flaw> {
    if let Some(asked) = hold_data::asked(operation, block, head.id, cursor, currency)? {
        return Ok((Asked::Hold(Box::new(asked)), false));
    }
    if let Id::Own(_) = head.id {
        return Err(Flaw::OtherId);
    }
    let asked = match operation {
        b"deposit" | b"withdrawal" => {
            let direction = if operation == b"deposit" { Direction::Credit } else { Direction::Debit };
            cursor.literal(",\"amount\":\"")?;
            let amount = amount_of(cursor.word()?.of(block), currency)?;
            cursor.literal(",\"counter_account\":\"")?;
            counter(block, cursor)?;
            let given = cursor.maybe(",\"effective_at_given\":true");
            metadata(block, cursor)?;
            return Ok((Asked::Move { direction, amount }, given));
        }
        b"reversal" => {
            cursor.literal(",\"reverses\":\"")?;
            let reverses = transaction(cursor, "what is reversed")?;
            let amount = match cursor.maybe(",\"amount\":\"") {
                true => Some(amount_of(cursor.word()?.of(block), currency)?),
                false => None,
            };
            reason(cursor)?;
            Asked::Reversal { reverses, amount, force: cursor.maybe(",\"force\":true") }
        }
        b"correction" => {
            let (asked, given) = correction_data::declined(block, cursor, currency)?;
            return Ok((Asked::Correction(Box::new(asked)), given));
        }
        b"overdraft_limit" => {
            cursor.literal(",\"overdraft_limit\":\"")?;
            limit(block, cursor, currency)?;
            reason(cursor)?;
            Asked::Limit
        }
        b"freeze" => change(Change::Freeze, cursor)?,
        b"unfreeze" => change(Change::Unfreeze, cursor)?,
        b"close" => change(Change::Close, cursor)?,
        _ => return Err(Flaw::UnknownOperation(lossy(operation))),
    };
    Ok((asked, false))
}

fn change(change: Change, cursor: &mut Cursor<'_>) -> Result<Asked, Flaw> {
    reason(cursor)?;
    Ok(Asked::Change(change))
}

fn limit(block: &[u8], cursor: &mut Cursor<'_>, currency: Currency) -> Result<i128, Flaw> {
    limit_of(cursor.word()?.of(block), currency)
}

fn limit_of(text: &[u8], currency: Currency) -> Result<i128, Flaw> {
    let fits = |units: &i128| (0..=money::largest(currency)).contains(units);
    money::read(text, currency).filter(fits).ok_or(Flaw::NoSum("the overdraft limit"))
}
