//! [`Todo`] is what a driver does next. The functions here make those that transfers of both kinds share.

use crate::domain::ids::{Id, Step};
use crate::domain::time::Timestamp;
use crate::domain::transfer::Transfer;
use crate::domain::transfer::call::Call;
use crate::domain::transfer::command::{End, Stall, StallCode, TransferOperation, Unmoved};
use crate::domain::transfer::steps::{Ask, Learnt, Steps, Tried};

/// This is how often a release or a capture may be declined before an operator is needed.
const MOST_DECLINES: u32 = 3;

/// A `Todo` is what a driver does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Todo {
    /// It asks for this step.
    Ask(Ask),
    /// It asks this of the provider.
    Call(Call),
    /// It records this in the transfer's stream, with this ID.
    Record(Id, TransferOperation),
    /// It reads the transfer's stream again: what it has learnt of a step shows that more is recorded there than it knows.
    LookAgain,
    /// It does nothing before this time, because nobody can tell more until then.
    Rest(Timestamp),
    /// It does nothing: the transfer has ended, or waits for an operator.
    Nothing,
}

/// The money has moved: the hold is captured, and then the transfer is complete.
pub(super) fn capture(transfer: &Transfer, steps: &Steps) -> Todo {
    match steps.capture.now {
        Learnt::Done => end(transfer, End::Completed),
        Learnt::Unasked | Learnt::Declined(_) | Learnt::RuledOut | Learnt::Unknown | Learnt::Stuck => {
            tried(transfer, steps.capture, Step::Capture, Ask::Capture)
        }
    }
}

/// The money will not move: the hold is released, and then the transfer has ended. A hold that was declined needs no release.
pub(super) fn release(transfer: &Transfer, steps: &Steps, unmoved: Unmoved) -> Todo {
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

pub(super) fn end(transfer: &Transfer, end: End) -> Todo {
    Todo::Record(own(transfer, Step::End, 1), TransferOperation::End { end, seen: transfer.revision })
}

pub(super) fn stall(transfer: &Transfer, step: Step, code: StallCode) -> Todo {
    let id = own(transfer, Step::Stall, transfer.stalls.saturating_add(1));
    Todo::Record(id, TransferOperation::Stall { stall: Stall { step, code }, seen: transfer.revision })
}

pub(super) fn own(transfer: &Transfer, step: Step, attempt: u32) -> Id {
    Id::Step { of: transfer.id, step, attempt }
}
