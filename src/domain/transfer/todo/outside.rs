//! To the outside the provider decides, and the service can only ask it: hold, `PayoutSent`, call, `PayoutSettled`, then the
//! capture or the release.
//!
//! What is not plainly done or declined is unknown, and nothing is captured or released on it. A payout that the provider
//! pays once for a key is sent again under it; any other is sent once, by the driver whose claim is recorded, and whoever
//! comes later only asks. A stop and a payout exclude each other, because both are recorded in the state `under_way`.

use crate::domain::command::Stopped;
use crate::domain::ids::{CounterAccount, Step};
use crate::domain::payee::Payee;
use crate::domain::time::Timestamp;
use crate::domain::transfer::Transfer;
use crate::domain::transfer::call::{Call, Calls, Means};
use crate::domain::transfer::command::{End, EndCode, Label, StallCode, TransferOperation, Unmoved};
use crate::domain::transfer::payout::{LearntBy, Payout, Repeat, Sending};
use crate::domain::transfer::stage::{Stage, Trigger};
use crate::domain::transfer::steps::{Ask, Learnt, Steps};

use super::act::{Todo, capture, end, own, release, stall};

/// Returns what is to be done next of a transfer to a provider.
pub(super) fn outside(transfer: &Transfer, steps: &Steps, now: Timestamp) -> Todo {
    let calls = &steps.calls;
    if let Some(todo) = tell(transfer, calls) {
        return todo;
    }
    match transfer.stage {
        Stage::UnderWay => setting_out(transfer, steps, now),
        Stage::Stopping if may_be_sent(transfer, calls) => stopping(transfer, calls),
        Stage::Stopping => release(transfer, steps, unmoved(transfer)),
        Stage::Paying => paying(transfer, calls, now),
        Stage::Asking => asking(transfer, calls, now),
        Stage::Finishing => finishing(transfer, steps),
        // The end of one whose hold was declined can't be that it was not paid.
        Stage::Releasing if steps.hold_was_declined.is_some() => {
            stall(transfer, Step::Hold, StallCode::Declined)
        }
        Stage::Releasing => release(transfer, steps, unmoved(transfer)),
        Stage::NeedsOperator
        | Stage::Abandoned
        | Stage::Completed
        | Stage::Declined
        | Stage::Compensated
        | Stage::Cancelled => Todo::Nothing,
    }
}

/// What a provider has said is recorded before anything else: as what became of the payout, or as a contradiction of what is
/// recorded of it.
fn tell(transfer: &Transfer, calls: &Calls) -> Option<Todo> {
    let said = calls.told.as_ref()?;
    let trigger = match said.outcome {
        Payout::Done => Trigger::Paid,
        Payout::Declined => Trigger::NotPaid,
    };
    match transfer.payout.later().settled {
        None if transfer.payout.sent && transfer.stage.after(trigger).is_some() => Some(Todo::Record(
            own(transfer, Step::Settle, 1),
            TransferOperation::Settle(Box::new(said.clone())),
        )),
        Some(known) if Some(known) != transfer.settled(said) => Some(Todo::Record(
            own(transfer, Step::Contradiction, transfer.payout.later().contradictions.saturating_add(1)),
            TransferOperation::Contradict { said: Box::new(said.clone()), seen: transfer.revision },
        )),
        Some(_) | None => None,
    }
}

/// Hold, then `PayoutSent`. Past the deadline it stops, but where another copy of the ledger may have sent the payout that
/// would release what may have been paid: then a provider that pays a key once is sent it all the same, and of any other it
/// is asked once, before an operator is called.
fn setting_out(transfer: &Transfer, steps: &Steps, now: Timestamp) -> Todo {
    let calls = &steps.calls;
    let deadline = transfer.terms.deadline_at;
    let is_late = now >= deadline;
    let may_be_sent = may_be_sent(transfer, calls);
    if may_be_sent {
        match calls.means {
            Some(Means { repeat: Repeat::SameKey, .. }) => {}
            Some(Means { can_ask: true, .. }) if calls.asks == 0 => return Todo::Call(Call::Ask),
            None if !is_late => return Todo::Rest(deadline),
            Some(_) | None => return stall(transfer, Step::Payout, StallCode::Restored),
        }
    }
    match steps.hold {
        // That this copy of the ledger has not the money says nothing of whether the other one has paid it.
        Learnt::Declined(_) if may_be_sent => stall(transfer, Step::Hold, StallCode::Restored),
        Learnt::Declined(decline) => {
            end(transfer, End::Unmoved(Unmoved::Declined { step: Some(Step::Hold), code: decline.into() }))
        }
        // Only a stop rules a step out, and it is recorded before.
        Learnt::RuledOut => Todo::LookAgain,
        Learnt::Done | Learnt::Unasked | Learnt::Unknown | Learnt::Stuck if is_late && !may_be_sent => {
            Todo::Record(own(transfer, Step::Timeout, 1), TransferOperation::TimeOut)
        }
        Learnt::Stuck => stall(transfer, Step::Hold, StallCode::StoreDamaged),
        Learnt::Done | Learnt::Unasked | Learnt::Unknown => match calls.means {
            None => Todo::Rest(deadline),
            Some(means) if steps.hold == Learnt::Done => send(transfer, calls, means),
            Some(_) => Todo::Ask(Ask::Hold),
        },
    }
}

/// Says whether the payout may have been sent, though nothing of it is recorded here: by another copy of the ledger.
fn may_be_sent(transfer: &Transfer, calls: &Calls) -> bool {
    transfer.payout.sent || calls.is_sent_elsewhere
}

/// It was stopped here, and another copy of the ledger may have sent the payout before. Nothing is released before it is known
/// that it was not paid: it is cancelled or asked about once, before an operator is called.
fn stopping(transfer: &Transfer, calls: &Calls) -> Todo {
    match calls.means {
        Some(Means { can_cancel: true, .. }) if calls.cancels == 0 => Todo::Call(Call::Cancel),
        Some(Means { can_ask: true, .. }) if calls.asks == 0 => Todo::Call(Call::Ask),
        Some(_) | None => stall(transfer, Step::Payout, StallCode::Restored),
    }
}

/// Records that the payout is about to be sent.
fn send(transfer: &Transfer, calls: &Calls, means: Means) -> Todo {
    let (Some(provider), Some(claim)) = (provider(transfer), calls.claim.clone()) else {
        return Todo::Nothing;
    };
    let sending = Sending { provider, repeat: means.repeat, cancellable: means.can_cancel, claim };
    Todo::Record(own(transfer, Step::Payout, 1), TransferOperation::Send(Box::new(sending)))
}

/// Returns the name of the transfer's provider.
fn provider(transfer: &Transfer) -> Option<Label> {
    match &transfer.terms.to {
        Payee::Account(_) => None,
        Payee::External(name) => Label::parse(name.as_str().strip_prefix(CounterAccount::EXTERNAL)?),
    }
}

/// The driver whose claim is recorded calls once, whatever the time is. Then a provider that pays a key once is called again,
/// and any other is asked.
fn paying(transfer: &Transfer, calls: &Calls, now: Timestamp) -> Todo {
    if calls.is_mine && calls.pays == 0 {
        return Todo::Call(Call::Pay);
    }
    let deadline = transfer.terms.deadline_at;
    if now >= deadline {
        return Todo::Record(own(transfer, Step::Timeout, 1), TransferOperation::TimeOut);
    }
    match calls.means {
        Some(Means { can_ask: true, .. }) if calls.is_working || !may_be_sent_again(transfer) => {
            Todo::Call(Call::Ask)
        }
        Some(_) if may_be_sent_again(transfer) => Todo::Call(Call::Pay),
        Some(_) | None => Todo::Rest(deadline),
    }
}

/// Says whether the payout may be sent again. What was recorded when it was sent counts, whatever the settings say now.
fn may_be_sent_again(transfer: &Transfer) -> bool {
    transfer.payout.repeat == Some(Repeat::SameKey)
}

/// The payout is cancelled where the provider can do that, else asked about; one that can't be asked is sent again where it
/// may be. Nobody could tell for a long time: an operator is needed. A driver that comes after that time calls once first.
fn asking(transfer: &Transfer, calls: &Calls, now: Timestamp) -> Todo {
    let most = calls.means.map_or(Means::ASK_FOR_SECONDS, |means| means.ask_for_seconds);
    let deadline = transfer.terms.deadline_at;
    let since = transfer.payout.later().resumed_at.map_or(deadline, |at| at.max(deadline));
    let until = since.plus_seconds(most.into());
    let (call, made) = match calls.means {
        // One that is not answered is asked the other question next.
        Some(Means { can_cancel: true, can_ask: true, .. }) if calls.cancels > calls.asks => {
            (Call::Ask, calls.cancels)
        }
        Some(Means { can_cancel: true, .. }) => (Call::Cancel, calls.cancels),
        Some(Means { can_ask: true, .. }) => (Call::Ask, calls.asks),
        Some(_) if may_be_sent_again(transfer) => (Call::Pay, calls.pays),
        Some(_) | None if now >= until => return stall(transfer, Step::Payout, StallCode::OutcomeUnknown),
        Some(_) | None => return Todo::Rest(until),
    };
    if now >= until && made > 0 {
        stall(transfer, Step::Payout, StallCode::OutcomeUnknown)
    } else {
        Todo::Call(call)
    }
}

/// The payout is paid: what was paid is captured. In a restored ledger the hold may never have been placed.
fn finishing(transfer: &Transfer, steps: &Steps) -> Todo {
    if transfer.payout.repeat.is_some() {
        return capture(transfer, steps);
    }
    match steps.hold {
        Learnt::Done => capture(transfer, steps),
        Learnt::Declined(_) | Learnt::RuledOut => stall(transfer, Step::Hold, StallCode::Declined),
        Learnt::Stuck => stall(transfer, Step::Hold, StallCode::StoreDamaged),
        Learnt::Unasked | Learnt::Unknown => Todo::Ask(Ask::Hold),
    }
}

/// Returns the end of a transfer that is not paid and never will be.
fn unmoved(transfer: &Transfer) -> Unmoved {
    let by = transfer.payout.later().settled.map(|settled| settled.learnt_by);
    let code = match (transfer.stopped, by) {
        (Some(Stopped::Cancelled), _) => return Unmoved::Cancelled,
        (Some(Stopped::TimedOut), None | Some(LearntBy::Cancel)) => EndCode::TIMED_OUT,
        (Some(Stopped::TimedOut) | None, _) => EndCode::PAYOUT_DECLINED,
    };
    Unmoved::Compensated { step: None, code }
}
