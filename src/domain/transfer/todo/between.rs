//! Between accounts the account `to` decides: there the credit is booked, declined or ruled out, whichever is first, and every
//! driver reads the same there.
//!
//! The order of a stop is fixed by that: the credit is ruled out first, and only when it is sure never to come is the hold
//! released.

use crate::domain::command::Stopped;
use crate::domain::ids::Step;
use crate::domain::time::Timestamp;
use crate::domain::transfer::Transfer;
use crate::domain::transfer::command::{End, EndCode, StallCode, TransferOperation, Unmoved};
use crate::domain::transfer::stage::Stage;
use crate::domain::transfer::steps::{Ask, Learnt, Steps, Undone};

use super::act::{Todo, capture, end, own, release, stall};

/// Returns what is to be done next of a transfer between accounts.
pub(super) fn between(transfer: &Transfer, steps: &Steps, now: Timestamp) -> Todo {
    match transfer.stage {
        Stage::UnderWay => under_way(transfer, steps, now),
        Stage::Stopping => stopping(transfer, steps),
        Stage::Paying
        | Stage::Asking
        | Stage::Finishing
        | Stage::Releasing
        | Stage::NeedsOperator
        | Stage::Abandoned
        | Stage::Completed
        | Stage::Declined
        | Stage::Compensated
        | Stage::Cancelled => Todo::Nothing,
    }
}

/// Hold, credit, capture. Past the deadline it stops, but where the credit is known already it is too late for that.
fn under_way(transfer: &Transfer, steps: &Steps, now: Timestamp) -> Todo {
    let is_late = now >= transfer.terms.deadline_at;
    match (steps.hold, steps.credit) {
        (_, Learnt::Done) => capture(transfer, steps),
        (_, Learnt::Declined(decline)) => {
            let code = decline.into();
            release(transfer, steps, Unmoved::Compensated { step: Some(Step::Credit), code })
        }
        (Learnt::Declined(decline), _) => {
            end(transfer, End::Unmoved(Unmoved::Declined { step: Some(Step::Hold), code: decline.into() }))
        }
        // Only a stop rules a step out, and it is recorded before.
        (_, Learnt::RuledOut) | (Learnt::RuledOut, _) => Todo::LookAgain,
        (Learnt::Done | Learnt::Unasked | Learnt::Unknown | Learnt::Stuck, _) if is_late => {
            Todo::Record(own(transfer, Step::Timeout, 1), TransferOperation::TimeOut)
        }
        (Learnt::Stuck, _) => stall(transfer, Step::Hold, StallCode::StoreDamaged),
        (Learnt::Unasked | Learnt::Unknown, _) => Todo::Ask(Ask::Hold),
        (Learnt::Done, Learnt::Stuck) => stall(transfer, Step::Credit, StallCode::StoreDamaged),
        (Learnt::Done, Learnt::Unasked | Learnt::Unknown) => Todo::Ask(Ask::Credit),
    }
}

/// The credit is ruled out; where it was booked before, the transfer goes on forward. What the ruling out finds is what
/// counts: a late credit that is declined after it may be declined for another reason.
fn stopping(transfer: &Transfer, steps: &Steps) -> Todo {
    if steps.credit == Learnt::Done {
        return capture(transfer, steps);
    }
    match steps.rule_out {
        Undone::WasBooked => capture(transfer, steps),
        Undone::WasDeclined(decline) => {
            let code = decline.into();
            release(transfer, steps, Unmoved::Compensated { step: Some(Step::Credit), code })
        }
        Undone::First => {
            let unmoved = match transfer.stopped {
                Some(Stopped::Cancelled) => Unmoved::Cancelled,
                Some(Stopped::TimedOut) | None => {
                    Unmoved::Compensated { step: None, code: EndCode::TIMED_OUT }
                }
            };
            release(transfer, steps, unmoved)
        }
        Undone::Stuck => stall(transfer, Step::RuleOut, StallCode::StoreDamaged),
        Undone::Unasked | Undone::Unknown => Todo::Ask(Ask::RuleOut),
    }
}
