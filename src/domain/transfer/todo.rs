//! What is to be done next of a transfer follows from its state, from what its driver has learnt of the steps, and from the
//! time.
//!
//! The account `to` decides: there the credit is booked, declined or ruled out, whichever is first, and every driver reads
//! the same there. So the order of a stop is fixed: the credit is ruled out first, and only when it is sure never to come is
//! the hold released.

use crate::domain::command::Stopped;
use crate::domain::ids::{Id, Step};
use crate::domain::payee::Payee;
use crate::domain::time::Timestamp;

use super::Transfer;
use super::command::{End, EndCode, Stall, StallCode, TransferOperation, Unmoved};
use super::stage::Stage;
use super::steps::{Ask, Learnt, Steps, Tried, Undone};

/// This is how often a release or a capture may be declined before an operator is needed.
const MOST_DECLINES: u32 = 3;

/// A `Todo` is what a driver does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Todo {
    /// It asks for this step.
    Ask(Ask),
    /// It records this in the transfer's stream, with this ID.
    Record(Id, TransferOperation),
    /// It reads the transfer's stream again: what it has learnt of a step shows that more is recorded there than it knows.
    LookAgain,
    /// It does nothing: the transfer has ended, or waits for an operator or for a provider that this service has not.
    Nothing,
}

/// Returns what is to be done next.
#[must_use]
pub fn todo(transfer: &Transfer, steps: &Steps, now: Timestamp) -> Todo {
    if matches!(transfer.terms.to, Payee::External(_)) {
        return Todo::Nothing;
    }
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

/// The credit is booked: the hold is captured, and then the transfer is complete.
fn capture(transfer: &Transfer, steps: &Steps) -> Todo {
    match steps.capture.now {
        Learnt::Done => end(transfer, End::Completed),
        Learnt::Unasked | Learnt::Declined(_) | Learnt::RuledOut | Learnt::Unknown | Learnt::Stuck => {
            tried(transfer, steps.capture, Step::Capture, Ask::Capture)
        }
    }
}

/// The credit never comes: the hold is released, and then the transfer has ended. A hold that was declined needs no release.
fn release(transfer: &Transfer, steps: &Steps, unmoved: Unmoved) -> Todo {
    if let Some(decline) = steps.hold_was_declined {
        let unmoved = Unmoved::Declined { step: Some(Step::Hold), code: decline.into() };
        return end(transfer, End::Unmoved(unmoved));
    }
    match steps.release.now {
        Learnt::Done => end(transfer, End::Unmoved(unmoved)),
        Learnt::Unasked | Learnt::Declined(_) | Learnt::RuledOut | Learnt::Unknown | Learnt::Stuck => {
            tried(transfer, steps.release, Step::Release, Ask::Release)
        }
    }
}

/// Tries a step again that its account may have declined. An operator's retry allows as many attempts again.
fn tried(transfer: &Transfer, tried: Tried, step: Step, ask: impl Fn(u32) -> Ask) -> Todo {
    let most = MOST_DECLINES.saturating_mul(transfer.resumes.saturating_add(1));
    if tried.now == Learnt::Stuck {
        stall(transfer, step, StallCode::StoreDamaged)
    } else if tried.declined >= most {
        stall(transfer, step, StallCode::Declined)
    } else {
        Todo::Ask(ask(tried.declined.saturating_add(1)))
    }
}

fn end(transfer: &Transfer, end: End) -> Todo {
    Todo::Record(own(transfer, Step::End, 1), TransferOperation::End { end, seen: transfer.revision })
}

fn stall(transfer: &Transfer, step: Step, code: StallCode) -> Todo {
    let id = own(transfer, Step::Stall, transfer.stalls.saturating_add(1));
    Todo::Record(id, TransferOperation::Stall { stall: Stall { step, code }, seen: transfer.revision })
}

fn own(transfer: &Transfer, step: Step, attempt: u32) -> Id {
    Id::Step { of: transfer.id, step, attempt }
}
