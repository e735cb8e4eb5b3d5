//! What must hold for each event in a transfer's own stream, beside the table of states, is checked here.

use crate::audit::rules::transfer::{CreditStep, HoldStep, PayoutStep, Stop, To, Transfer};
use crate::audit::rules::transfer_table;
use crate::audit::values::code::Code;
use crate::audit::values::event::Event;
use crate::audit::values::finding::Flaw;
use crate::audit::values::id::Id;
use crate::audit::values::moment::micros;
use crate::audit::values::money;
use crate::audit::values::transfer::{Act, EndCode, Paid, State, TransferFact};

/// Checks an event that the table allows against what is known of the transfer. `to` is the provider that it names.
///
/// # Errors
/// Fails with what is wrong with it.
pub(super) fn check(
    transfer: &Transfer,
    fact: &TransferFact,
    (event, to): (&Event, Option<To>),
    block: &[u8],
) -> Result<(), Flaw> {
    match fact {
        TransferFact::Requested { .. } => Err(Flaw::RequestedTwice),
        TransferFact::CancelRequested => agree(transfer, Act::Cancel, None),
        TransferFact::TimedOut => match micros(&event.recorded_at) {
            Some(now) if now >= transfer.deadline => Ok(()),
            _ => Err(Flaw::TooEarly("its deadline is not yet")),
        },
        TransferFact::PayoutSent { .. } => match to {
            Some(to) if to == transfer.to => sent(transfer),
            Some(_) | None => Err(Flaw::OtherTransfer("provider")),
        },
        TransferFact::PayoutSettled(paid) => {
            if !may_be_settled(transfer) {
                return Err(Flaw::TooEarly("no payout was sent"));
            }
            amount_paid(transfer, paid, block).map(|_| ())
        }
        TransferFact::PayoutContradicted(paid) => contradicted(transfer, paid, event, block),
        TransferFact::Stalled { .. } => next(transfer.stalls, event.id),
        TransferFact::Resumed => agree(transfer, Act::Retry, None),
        TransferFact::Abandoned => agree(transfer, Act::Abandon, None),
        TransferFact::Completed { amount } => completed(transfer, *amount),
        TransferFact::NotHeld(EndCode::Step(code)) if transfer.hold == HoldStep::Declined(*code) => Ok(()),
        TransferFact::NotHeld(_) => Err(Flaw::OtherEnd("its hold was not declined with this code")),
        TransferFact::Compensated(code) => compensated(transfer, *code),
        TransferFact::Cancelled => {
            released(transfer)?;
            let was_declined = matches!(transfer.credit, CreditStep::Declined(_));
            match transfer.stop {
                Some(Stop::Cancelled) if was_declined => Err(Flaw::OtherEnd("its credit was declined")),
                Some(Stop::Cancelled) => Ok(()),
                Some(Stop::TimedOut) | None => Err(Flaw::OtherEnd("no cancel was recorded")),
            }
        }
        TransferFact::Refused { act, code } => agree(transfer, *act, Some(*code)),
    }
}

fn sent(transfer: &Transfer) -> Result<(), Flaw> {
    match (transfer.to, transfer.hold, transfer.payout) {
        (To::Account(_), ..) => Err(Flaw::OtherTransfer("way: it is between accounts")),
        (To::Outside(_), HoldStep::Open, PayoutStep::None) => Ok(()),
        (To::Outside(_), HoldStep::Open, _) => Err(Flaw::StepTwice),
        (To::Outside(_), ..) => Err(Flaw::TooEarly("its hold is not open")),
    }
}

/// Says whether a payout may have been sent, and what became of it is not recorded.
fn may_be_settled(transfer: &Transfer) -> bool {
    let was_sent = match transfer.payout {
        PayoutStep::Sent { .. } => true,
        PayoutStep::None => transfer.restored,
        PayoutStep::Paid(_) | PayoutStep::Declined => false,
    };
    was_sent && matches!(transfer.to, To::Outside(_))
}

/// Gives how much was paid: the amount that the event names, which is less than was asked, or all of it.
pub(super) fn amount_paid(transfer: &Transfer, paid: &Paid, block: &[u8]) -> Result<u64, Flaw> {
    let Some(text) = paid.amount else { return Ok(transfer.amount) };
    let amount = money::read(text.of(block), transfer.currency).and_then(|units| u64::try_from(units).ok());
    amount.filter(|amount| (1..transfer.amount).contains(amount)).ok_or(Flaw::NoSum("the amount paid"))
}

fn contradicted(transfer: &Transfer, paid: &Paid, event: &Event, block: &[u8]) -> Result<(), Flaw> {
    next(transfer.contradictions, event.id)?;
    let amount = amount_paid(transfer, paid, block)?;
    match transfer.payout {
        PayoutStep::None | PayoutStep::Sent { .. } => Err(Flaw::TooEarly("no outcome was recorded")),
        PayoutStep::Paid(before) if paid.done && before == amount => Err(Flaw::StepTwice),
        PayoutStep::Declined if !paid.done => Err(Flaw::StepTwice),
        PayoutStep::Paid(_) | PayoutStep::Declined => Ok(()),
    }
}

/// Checks that an event of which there may be several is the next one.
fn next(before: u32, id: Id) -> Result<(), Flaw> {
    let expected = before.saturating_add(1);
    match id {
        Id::Own(own) if own.attempt == expected => Ok(()),
        Id::Own(own) => Err(Flaw::Attempt { says: own.attempt, expected }),
        Id::Client(_) | Id::Absent => Err(Flaw::OtherId),
    }
}

fn completed(transfer: &Transfer, amount: i128) -> Result<(), Flaw> {
    let moved = match transfer.payout {
        PayoutStep::Paid(paid) => paid,
        PayoutStep::None | PayoutStep::Sent { .. } | PayoutStep::Declined => transfer.amount,
    };
    if transfer.hold != HoldStep::Captured {
        return Err(Flaw::OtherEnd("its hold is not captured"));
    }
    if amount != i128::from(moved) { Err(Flaw::OtherEnd("it moved another amount")) } else { Ok(()) }
}

/// Checks that a transfer holds nothing any more, and that its money was not moved.
fn released(transfer: &Transfer) -> Result<(), Flaw> {
    match transfer.hold {
        HoldStep::Released | HoldStep::RuledOut { .. } => Ok(()),
        HoldStep::Unasked | HoldStep::Open | HoldStep::Declined(_) | HoldStep::Captured => {
            Err(Flaw::OtherEnd("its hold is neither released nor ruled out"))
        }
    }
}

fn compensated(transfer: &Transfer, code: EndCode) -> Result<(), Flaw> {
    released(transfer)?;
    let timed_out = transfer.stop == Some(Stop::TimedOut);
    let fits = match (transfer.to, transfer.credit, transfer.payout) {
        (To::Account(_), CreditStep::Declined(declined), _) => code == EndCode::Step(declined),
        (To::Account(_), _, _) => timed_out && code == EndCode::TimedOut,
        (To::Outside(_), _, PayoutStep::Declined) => {
            code == EndCode::PayoutDeclined || (timed_out && code == EndCode::TimedOut)
        }
        (To::Outside(_), _, _) => timed_out && code == EndCode::TimedOut,
    };
    if fits { Ok(()) } else { Err(Flaw::OtherEnd("why it was not moved is something else")) }
}

/// Checks that an act was accepted or declined as the transfer's state says.
fn agree(transfer: &Transfer, act: Act, says: Option<Code>) -> Result<(), Flaw> {
    let ruled = ruled(transfer, act);
    // When an ended transfer needs an operator, both codes of a decline are true.
    let both = transfer.ended && ruled.is_some() && !transfer_table::is_end(transfer.state);
    let fits = ruled == says
        || (both || act == Act::Outcome && transfer.ended)
            && matches!(says, Some(Code::TransferEnded | Code::WrongState));
    let show = |code: Option<Code>| {
        code.map_or_else(|| "accepted".to_owned(), |code| format!("declined: {}", code.text()))
    };
    if fits { Ok(()) } else { Err(Flaw::Outcome { says: show(says), ruled: show(ruled) }) }
}

/// Says with which code an act must be declined; `None` when it is accepted.
fn ruled(transfer: &Transfer, act: Act) -> Option<Code> {
    let stands_still = matches!(transfer.state, State::NeedsOperator | State::Abandoned);
    let taken = match act {
        Act::Cancel => match (transfer.state, transfer.payout) {
            (State::UnderWay, _) | (State::Paying, PayoutStep::Sent { cancellable: true }) => true,
            (State::Paying, _) => return Some(Code::TooLate),
            _ => false,
        },
        Act::Outcome => {
            let may = matches!(transfer.state, State::Paying | State::Asking) || stands_still;
            may && may_be_settled(transfer)
        }
        Act::Retry => stands_still && !transfer.ended,
        Act::Abandon => transfer.state == State::NeedsOperator,
    };
    match taken {
        true => None,
        false if transfer.ended => Some(Code::TransferEnded),
        false => Some(Code::WrongState),
    }
}
