//! The decision on a transfer is made here: each operation ends in a fact, a recorded decline, or a refusal.
//!
//! What clients and operators ask and can't have is declined and recorded. What the service does of its own accord and that
//! is not possible any more is refused, and nothing is recorded of it: another driver was first.

use std::sync::Arc;

use crate::domain::command::Stopped;
use crate::domain::currency::Currency;
use crate::domain::money::WrittenAmount;
use crate::domain::payee::Payee;
use crate::domain::refusal::Refusal;
use crate::domain::standing::Standing;
use crate::domain::time::Now;

use super::Transfer;
use super::command::{End, Reported, Requesting, TransferOperation, Unmoved};
use super::decline::TransferDecline;
use super::event::{Fact, Terms, TransferEvent};
use super::payout::{LearntBy, Payout, Settlement};
use super::stage::{Stage, Target, Trigger};

type Outcome = Result<Fact, TransferDecline>;

/// Decides one operation on a transfer, and works out the state that follows.
///
/// # Errors
/// Returns a [`Refusal`]; then nothing is recorded.
pub fn decide(
    standing: Standing<'_>,
    operation: &TransferOperation,
    now: Now,
) -> Result<TransferEvent, Refusal> {
    let transfer = standing.state.and_then(|state| state.transfer());
    let Some(transfer) = transfer else {
        return match operation {
            TransferOperation::Request(asked) => {
                Ok(TransferEvent { fact: request(standing, asked, now)?, state: Stage::UnderWay })
            }
            TransferOperation::Cancel(_)
            | TransferOperation::Outcome(_)
            | TransferOperation::Retry(_)
            | TransferOperation::Abandon(_)
            | TransferOperation::TimeOut
            | TransferOperation::Stall { .. }
            | TransferOperation::End { .. }
            | TransferOperation::Send(_)
            | TransferOperation::Settle(_)
            | TransferOperation::Contradict { .. }
            | TransferOperation::Confirm { .. } => Err(Refusal::TransferNotFound),
        };
    };
    let outcome = match operation {
        TransferOperation::Request(_) => {
            let problem = "names a transfer that was requested with this ID before".into();
            return Err(Refusal::Invalid { field: "transaction_id", problem });
        }
        TransferOperation::Cancel(reason) => cancel(transfer).map(|()| Fact::CancelRequested(reason.clone())),
        TransferOperation::Outcome(asked) => report(transfer, asked)?,
        TransferOperation::Retry(reason) => retry(transfer).map(|()| Fact::Resumed(reason.clone())),
        TransferOperation::Abandon(reason) => {
            able(transfer, Trigger::Abandoned).map(|()| Fact::Abandoned(reason.clone()))
        }
        TransferOperation::TimeOut
        | TransferOperation::Stall { .. }
        | TransferOperation::End { .. }
        | TransferOperation::Send(_)
        | TransferOperation::Settle(_)
        | TransferOperation::Contradict { .. }
        | TransferOperation::Confirm { .. } => Ok(own(transfer, operation, now)?),
    };
    let fact =
        outcome.unwrap_or_else(|decline| Fact::Declined { operation: fitted(operation, transfer), decline });
    let mut event = TransferEvent { fact, state: transfer.stage };
    event.state = state_after(transfer, &event);
    Ok(event)
}

/// Decides the request for a transfer. Both accounts were looked up before; whether the money is there is found by the first
/// step.
fn request(standing: Standing<'_>, asked: &Requesting, now: Now) -> Result<Fact, Refusal> {
    let parties = standing.parties;
    let currency = parties.from.ok_or(Refusal::AccountNotFound)?;
    match &asked.to {
        Payee::Account(_) => {
            let other = parties.to.ok_or(Refusal::AccountNotFound)?;
            same_currency(currency, other)?;
        }
        // Whether the provider is set up is the service's to know: it is looked up before.
        Payee::External(_) => {}
    }
    let amount = asked.amount.fit(currency).map_err(Refusal::amount("amount"))?;
    let deadline_at = now.recorded_at.plus_seconds(asked.timeout_seconds.get().into());
    let terms = Terms {
        from: asked.from.clone(),
        to: asked.to.clone(),
        amount,
        currency,
        timeout_seconds: asked.timeout_seconds,
        deadline_at,
    };
    Ok(Fact::Requested { terms: Arc::new(terms), metadata: asked.metadata.clone() })
}

fn same_currency(from: Currency, to: Currency) -> Result<(), Refusal> {
    if from == to {
        return Ok(());
    }
    let problem = format!("is an account in {to}, and the other account is in {from}");
    Err(Refusal::Invalid { field: "to", problem })
}

/// Says whether a cancel comes in time to matter.
fn cancel(transfer: &Transfer) -> Result<(), TransferDecline> {
    if transfer.stage == Stage::Paying && !transfer.payout.cancellable {
        return Err(TransferDecline::TooLate);
    }
    able(transfer, Trigger::CancelRequested)
}

fn retry(transfer: &Transfer) -> Result<(), TransferDecline> {
    able(transfer, Trigger::Resumed)?;
    match transfer.stalled_in {
        Some(stage) if stage.is_end() => Err(TransferDecline::WrongState),
        Some(_) | None => Ok(()),
    }
}

/// Decides an operator's word on what became of a payout. An amount that is the whole says nothing, and is not recorded.
fn report(transfer: &Transfer, asked: &Reported) -> Result<Outcome, Refusal> {
    let fit = |amount: WrittenAmount| amount.fit(transfer.terms.currency).map_err(Refusal::amount("amount"));
    let amount = asked.amount.map(fit).transpose()?;
    if amount.is_some_and(|amount| amount > transfer.terms.amount) {
        let problem = "is more than was asked for".into();
        return Err(Refusal::Invalid { field: "amount", problem });
    }
    let amount = amount.filter(|amount| *amount < transfer.terms.amount).map(Into::into);
    let trigger = settling(asked.outcome);
    Ok(able(transfer, trigger).and_then(|()| {
        if !transfer.payout.sent || transfer.payout.later().settled.is_some() {
            return Err(TransferDecline::WrongState);
        }
        Ok(Fact::PayoutSettled(Settlement {
            outcome: asked.outcome,
            learnt_by: LearntBy::Operator,
            amount,
            reference: asked.reference.clone(),
            code: None,
            reason: Some(asked.reason.clone()),
        }))
    }))
}

fn settling(outcome: Payout) -> Trigger {
    match outcome {
        Payout::Done => Trigger::Paid,
        Payout::Declined => Trigger::NotPaid,
    }
}

/// Says whether the table has this event in the transfer's state.
fn able(transfer: &Transfer, trigger: Trigger) -> Result<(), TransferDecline> {
    match transfer.stage.after(trigger) {
        Some(_) => Ok(()),
        None if transfer.stage.is_end() => Err(TransferDecline::TransferEnded),
        None => Err(TransferDecline::WrongState),
    }
}

/// Decides what the service does of its own accord.
fn own(transfer: &Transfer, operation: &TransferOperation, now: Now) -> Result<Fact, Refusal> {
    let (trigger, fact) = match operation {
        TransferOperation::TimeOut if now.recorded_at >= transfer.terms.deadline_at => {
            (Trigger::TimedOut, Fact::TimedOut)
        }
        TransferOperation::Stall { seen, .. }
        | TransferOperation::End { seen, .. }
        | TransferOperation::Contradict { seen, .. }
        | TransferOperation::Confirm { seen }
            if *seen != transfer.revision =>
        {
            return Err(Refusal::Stale);
        }
        TransferOperation::Confirm { .. } => return Err(Refusal::NothingNew),
        TransferOperation::Stall { stall, .. } => (Trigger::Stalled, Fact::Stalled(*stall)),
        TransferOperation::End { end, .. } => end_of(transfer, *end)?,
        TransferOperation::Send(sending) if matches!(transfer.terms.to, Payee::External(_)) => {
            (Trigger::PayoutSent, Fact::PayoutSent((**sending).clone()))
        }
        TransferOperation::Settle(said)
            if transfer.payout.sent && transfer.payout.later().settled.is_none() =>
        {
            (settling(said.outcome), Fact::PayoutSettled((**said).clone()))
        }
        TransferOperation::Contradict { said, .. }
            if transfer.payout.later().settled.is_some_and(|known| Some(known) != transfer.settled(said)) =>
        {
            (Trigger::Contradicted, Fact::PayoutContradicted((**said).clone()))
        }
        TransferOperation::TimeOut
        | TransferOperation::Send(_)
        | TransferOperation::Settle(_)
        | TransferOperation::Contradict { .. }
        | TransferOperation::Request(_)
        | TransferOperation::Cancel(_)
        | TransferOperation::Outcome(_)
        | TransferOperation::Retry(_)
        | TransferOperation::Abandon(_) => return Err(Refusal::Stale),
    };
    able(transfer, trigger).map_err(|_ended| Refusal::Stale)?;
    Ok(fact)
}

fn end_of(transfer: &Transfer, end: End) -> Result<(Trigger, Fact), Refusal> {
    Ok(match end {
        End::Completed => {
            let (amount, currency) = (transfer.moves(), transfer.terms.currency);
            (Trigger::Completed, Fact::Completed { amount, currency })
        }
        End::Unmoved(unmoved) => {
            let trigger = match unmoved {
                Unmoved::Declined { .. } => Trigger::Declined,
                Unmoved::Compensated { .. } => Trigger::Compensated,
                // Of a cancel and a timeout the first counts.
                Unmoved::Cancelled if transfer.stopped == Some(Stopped::Cancelled) => Trigger::Cancelled,
                Unmoved::Cancelled => return Err(Refusal::Stale),
            };
            (trigger, Fact::Unmoved(unmoved))
        }
    })
}

/// Returns the operation with its amount written as the transfer's currency has it, as a declined event keeps it.
fn fitted(operation: &TransferOperation, transfer: &Transfer) -> TransferOperation {
    let mut operation = operation.clone();
    if let TransferOperation::Outcome(asked) = &mut operation
        && let Some(amount) = asked.amount
    {
        let fitted = amount.fit(transfer.terms.currency);
        asked.amount = Some(fitted.map_or(amount, Into::into));
    }
    operation
}

/// Returns the state after the event.
fn state_after(before: &Transfer, event: &TransferEvent) -> Stage {
    let after = event.trigger().and_then(|trigger| before.stage.after(trigger));
    match after {
        Some(Target::To(stage)) => stage,
        Some(Target::Back) => before.stalled_in.unwrap_or(before.stage),
        None => before.stage,
    }
}
