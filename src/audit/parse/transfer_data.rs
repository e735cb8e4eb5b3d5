//! The `data` of the events in a transfer's own stream is read here.
//!
//! What an operator or a client did has a client's ID; what the service noted has one that names the transfer and the step.

use crate::audit::parse::cursor::{Cursor, unescaped};
use crate::audit::parse::head::Head;
use crate::audit::parse::words::{amount_of, currency, is_provider, lossy, metadata, party, reason};
use crate::audit::values::code::Code;
use crate::audit::values::finding::Flaw;
use crate::audit::values::id::{Id, Step};
use crate::audit::values::moment::is_after;
use crate::audit::values::transfer::{Act, EndCode, Paid, TransferFact};

/// A transfer has at most this many seconds.
const LONGEST_SECONDS: u64 = 604_800;
/// What a provider says is cut to this many characters.
const LONGEST_WORDS: usize = 128;

/// Reads `data` up to, not including, its closing brace.
///
/// # Errors
/// Fails when the type is none of a transfer's, its layout is another, or its parts do not agree with each other or with
/// the event's ID.
pub(crate) fn read(
    kind: &[u8],
    transfer: u128,
    block: &[u8],
    head: &Head,
    cursor: &mut Cursor<'_>,
) -> Result<TransferFact, Flaw> {
    let step = |step| numbered(head.id, transfer, step);
    Ok(match kind {
        b"TransferRequested" => {
            if head.id != Id::Client(transfer) {
                return Err(Flaw::OtherId);
            }
            requested(block, head, cursor)?
        }
        b"TransferCancelRequested" => {
            by_client(head.id, cursor)?;
            TransferFact::CancelRequested
        }
        b"TransferResumed" => {
            by_client(head.id, cursor)?;
            TransferFact::Resumed
        }
        b"TransferAbandoned" => {
            by_client(head.id, cursor)?;
            TransferFact::Abandoned
        }
        b"TransferTimedOut" => {
            step(Step::Timeout)?;
            TransferFact::TimedOut
        }
        b"PayoutSent" => {
            step(Step::Payout)?;
            sent(block, cursor)?
        }
        b"PayoutSettled" => {
            let paid = paid(block, cursor, true)?;
            match paid.by_operator {
                true => head.id.client().map(|_| ()).ok_or(Flaw::OtherId)?,
                false => step(Step::Settle)?,
            }
            TransferFact::PayoutSettled(paid)
        }
        b"PayoutContradicted" => {
            step(Step::Contradiction)?;
            TransferFact::PayoutContradicted(paid(block, cursor, false)?)
        }
        b"TransferStalled" => {
            step(Step::Stall)?;
            stalled(block, cursor)?
        }
        b"TransferCompleted" => {
            step(Step::End)?;
            cursor.literal("\"amount\":\"")?;
            let text = cursor.word()?;
            let currency = currency(block, cursor, ",\"currency\":\"")?;
            TransferFact::Completed { amount: amount_of(text.of(block), currency)? }
        }
        b"TransferDeclined" | b"TransferCompensated" => {
            step(Step::End)?;
            let code = end_code(block, cursor)?;
            if kind == b"TransferDeclined" {
                TransferFact::NotHeld(code)
            } else {
                TransferFact::Compensated(code)
            }
        }
        b"TransferCancelled" => {
            step(Step::End)?;
            TransferFact::Cancelled
        }
        b"Declined" => refused(block, head, cursor)?,
        _ => return Err(Flaw::UnknownType(lossy(kind))),
    })
}

/// Checks that an event has an ID of its transfer's own for this step. How often a step comes is known only from the events
/// before.
fn numbered(id: Id, transfer: u128, step: Step) -> Result<(), Flaw> {
    let attempt = id.attempt(transfer, step).ok_or(Flaw::OtherId)?;
    let may_repeat = matches!(step, Step::Stall | Step::Contradiction);
    if may_repeat || attempt == 1 { Ok(()) } else { Err(Flaw::OtherId) }
}

/// Reads what a client's act has: its reason alone.
fn by_client(id: Id, cursor: &mut Cursor<'_>) -> Result<(), Flaw> {
    cursor.literal("\"reason\":\"")?;
    cursor.text()?;
    id.client().map(|_| ()).ok_or(Flaw::OtherId)
}

fn requested(block: &[u8], head: &Head, cursor: &mut Cursor<'_>) -> Result<TransferFact, Flaw> {
    cursor.literal("\"from\":\"")?;
    let from = party(block, cursor, false)?;
    cursor.literal(",\"to\":\"")?;
    let to = party(block, cursor, true)?;
    cursor.literal(",\"amount\":\"")?;
    let text = cursor.word()?;
    let currency = currency(block, cursor, ",\"currency\":\"")?;
    let amount = amount_of(text.of(block), currency)?;
    cursor.literal(",\"timeout_seconds\":")?;
    let seconds = cursor.number()?;
    cursor.literal(",\"deadline_at\":\"")?;
    let deadline = *cursor.bytes::<27>("a moment")?;
    cursor.literal("\"")?;
    metadata(block, cursor)?;
    if !(1..=LONGEST_SECONDS).contains(&seconds) {
        return Err(Flaw::NoSeconds("timeout_seconds"));
    }
    if !is_after(&deadline, seconds, &head.recorded_at) {
        return Err(Flaw::NotAfter { what: "deadline_at", seconds });
    }
    if from.of(block) == to.of(block) {
        return Err(Flaw::NoName("a side of the transfer"));
    }
    Ok(TransferFact::Requested { from, to, amount, currency, deadline })
}

fn sent(block: &[u8], cursor: &mut Cursor<'_>) -> Result<TransferFact, Flaw> {
    cursor.literal("\"provider\":\"")?;
    let provider = cursor.word()?;
    if !is_provider(provider.of(block)) {
        return Err(Flaw::NoName("the provider"));
    }
    cursor.literal(",\"repeat\":\"")?;
    if !cursor.maybe("same_key\"") {
        cursor.literal("never\"")?;
    }
    let cancellable = cursor.maybe(",\"cancellable\":true");
    cursor.literal(",\"claim\":\"")?;
    if cursor.word()?.of(block).is_empty() {
        return Err(cursor.wrong("a claim"));
    }
    Ok(TransferFact::PayoutSent { provider, cancellable })
}

fn paid(block: &[u8], cursor: &mut Cursor<'_>, may_be_operators: bool) -> Result<Paid, Flaw> {
    cursor.literal("\"outcome\":\"")?;
    let done = cursor.maybe("done\"");
    if !done {
        cursor.literal("declined\"")?;
    }
    cursor.literal(",\"learnt_by\":\"")?;
    let by_operator = match cursor.word()?.of(block) {
        b"operator" if may_be_operators => true,
        b"reply" | b"status" | b"cancel" => false,
        _ => return Err(Flaw::UnknownCode("learnt_by".into())),
    };
    let amount = if done && cursor.maybe(",\"amount\":\"") { Some(cursor.word()?) } else { None };
    for key in [",\"reference\":\"", ",\"code\":\""] {
        if cursor.maybe(key) && !is_short(cursor.text()?.of(block)) {
            return Err(Flaw::LongWords);
        }
    }
    if by_operator {
        reason(cursor)?;
    }
    Ok(Paid { done, amount, by_operator })
}

/// Says whether a provider's words are as short as the ledger cuts them, and have no control characters.
fn is_short(raw: &[u8]) -> bool {
    let text = unescaped(raw);
    let text = String::from_utf8_lossy(&text);
    text.chars().count() <= LONGEST_WORDS && !text.chars().any(char::is_control)
}

fn stalled(block: &[u8], cursor: &mut Cursor<'_>) -> Result<TransferFact, Flaw> {
    cursor.literal("\"step\":\"")?;
    let step = cursor.word()?.of(block);
    Step::read(step).ok_or_else(|| Flaw::UnknownStep(lossy(step)))?;
    cursor.literal(",\"code\":\"")?;
    match cursor.word()?.of(block) {
        b"restored" => Ok(TransferFact::Stalled { restored: true }),
        b"store_damaged" | b"outcome_unknown" | b"declined" => Ok(TransferFact::Stalled { restored: false }),
        other => Err(Flaw::UnknownCode(lossy(other))),
    }
}

/// Reads why a transfer was not moved, and the step that shows it where there is one.
fn end_code(block: &[u8], cursor: &mut Cursor<'_>) -> Result<EndCode, Flaw> {
    cursor.literal("\"")?;
    if cursor.maybe("step\":\"") {
        let step = cursor.word()?.of(block);
        Step::read(step).ok_or_else(|| Flaw::UnknownStep(lossy(step)))?;
        cursor.literal(",\"")?;
    }
    cursor.literal("code\":\"")?;
    let code = cursor.word()?.of(block);
    EndCode::read(code).ok_or_else(|| Flaw::UnknownCode(lossy(code)))
}

fn refused(block: &[u8], head: &Head, cursor: &mut Cursor<'_>) -> Result<TransferFact, Flaw> {
    cursor.literal("\"operation\":\"")?;
    let operation = cursor.word()?.of(block);
    let act = match operation {
        b"cancel" => Act::Cancel,
        b"outcome" => Act::Outcome,
        b"retry" => Act::Retry,
        b"abandon" => Act::Abandon,
        _ => return Err(Flaw::UnknownOperation(lossy(operation))),
    };
    cursor.literal(",\"code\":\"")?;
    let code = cursor.word()?.of(block);
    let code = Code::read(code).ok_or_else(|| Flaw::UnknownCode(lossy(code)))?;
    if act == Act::Outcome {
        asked_outcome(cursor)?;
    }
    reason(cursor)?;
    head.id.client().ok_or(Flaw::OtherId)?;
    Ok(TransferFact::Refused { act, code })
}

/// Reads what an operator said of a payout, in a request that was declined.
fn asked_outcome(cursor: &mut Cursor<'_>) -> Result<(), Flaw> {
    cursor.literal(",\"outcome\":\"")?;
    if !cursor.maybe("done\"") {
        cursor.literal("declined\"")?;
    } else if cursor.maybe(",\"amount\":\"") {
        cursor.word()?;
    }
    if cursor.maybe(",\"reference\":\"") {
        cursor.text()?;
    }
    Ok(())
}
