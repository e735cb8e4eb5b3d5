//! A reversal offsets an earlier movement, or rules out one that has not come.

use crate::domain::command::Reversal;
use crate::domain::ids::{CounterAccount, Id};
use crate::domain::money::{Amount, Direction, Money};
use crate::domain::refusal::Refusal;
use crate::domain::trace::Trace;

use super::checks::{Checks, Outcome};
use super::decline::Decline;
use super::event::{AccountEvent, Fact};

/// An `Original` is the transaction that a reversal names, as the account's stream knows it.
enum Original<'a> {
    /// The stream has never seen it, nor a step of a transfer with this ID.
    NeverSeen,
    /// It was ruled out and has not come, nor has a step of a transfer with this ID.
    RuledOut,
    /// It was seen and moved nothing, or was itself a reversal.
    Immovable,
    /// It moved this amount in this direction, against this account.
    Moved(Amount, Direction, &'a CounterAccount),
}

impl<'a> Original<'a> {
    fn of(trace: Option<&'a Trace>, step: Option<Id>) -> Self {
        match trace.map(|trace| (trace.first.as_deref(), trace.ruled_out_by)) {
            None | Some((None, _)) if step.is_some() => Self::Immovable,
            None | Some((None, None)) => Self::NeverSeen,
            Some((None, Some(_))) => Self::RuledOut,
            Some((Some(first), _)) => first.account().map_or(Self::Immovable, Self::booked),
        }
    }

    fn booked(body: &'a AccountEvent) -> Self {
        match &body.fact {
            Fact::Deposited(moved) => Self::Moved(moved.amount, Direction::Credit, &moved.counter_account),
            Fact::Withdrawn(moved) => Self::Moved(moved.amount, Direction::Debit, &moved.counter_account),
            Fact::HoldCaptured { amount, counter_account, .. } => {
                Self::Moved(*amount, Direction::Debit, counter_account)
            }
            Fact::AccountOpened { .. }
            | Fact::Reversed { .. }
            | Fact::Prevented { .. }
            | Fact::Corrected(_)
            | Fact::Frozen(_)
            | Fact::Unfrozen(_)
            | Fact::Closed(_)
            | Fact::OverdraftLimitChanged { .. }
            | Fact::HoldPlaced { .. }
            | Fact::HoldReleased { .. }
            | Fact::HoldExpired { .. }
            | Fact::HoldPrevented { .. }
            | Fact::TransferCredited { .. }
            | Fact::CreditPrevented { .. }
            | Fact::Declined { .. } => Self::Immovable,
        }
    }
}

pub(super) fn reverse(checks: Checks<'_>, asked: &Reversal) -> Result<Outcome, Refusal> {
    let trace = checks.standing.named;
    let original = Original::of(trace, checks.standing.follower);
    if asked.amount.is_some() && matches!(original, Original::NeverSeen | Original::RuledOut) {
        return Err(Refusal::TransactionNotFound);
    }
    let amount = asked.amount.map(|written| written.fit(checks.account.currency)).transpose();
    let amount = amount.map_err(Refusal::amount("amount"))?;
    Ok(match original {
        // A prevention is all that a closed account still takes.
        Original::NeverSeen => checks.not_ruled_out().map(|()| Fact::Prevented {
            reverses: asked.reverses,
            reason: asked.reason.clone(),
            force: asked.force,
        }),
        Original::RuledOut => checks.open().and(Err(Decline::ReversalExceedsOriginal)),
        Original::Immovable => checks.open().and(Err(Decline::NotReversible)),
        Original::Moved(moved, direction, counter_account) => checks.open().and_then(|()| {
            let left = left(moved, trace.and_then(|trace| trace.taken_back))?;
            take_back(checks, asked, (direction, counter_account), left, amount)
        }),
    })
}

/// Returns how much of a movement is left after what was taken back before.
fn left(moved: Amount, taken_back: Option<Money>) -> Result<Amount, Decline> {
    let left = taken_back.map_or(Some(moved.money()), |sum| moved.money().minus(sum));
    left.and_then(Amount::new).ok_or(Decline::ReversalExceedsOriginal)
}

fn take_back(
    checks: Checks<'_>,
    asked: &Reversal,
    (direction, counter_account): (Direction, &CounterAccount),
    left: Amount,
    amount: Option<Amount>,
) -> Outcome {
    let taken = amount.unwrap_or(left);
    if taken > left {
        return Err(Decline::ReversalExceedsOriginal);
    }
    match direction.opposite() {
        Direction::Credit => checks.room(taken.money())?,
        Direction::Debit if asked.force => {}
        Direction::Debit => checks.funds(taken.money())?,
    }
    Ok(Fact::Reversed {
        reverses: asked.reverses,
        amount: taken,
        direction: direction.opposite(),
        counter_account: counter_account.clone(),
        reason: asked.reason.clone(),
        partial: amount.is_some(),
        force: asked.force,
    })
}
