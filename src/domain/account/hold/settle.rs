//! A hold is captured and released here, by a client or by a transfer. Both look at the hold alone: not at the funds, the
//! limit or a freeze.

use crate::domain::account::checks::{Checks, Outcome};
use crate::domain::account::decline::Decline;
use crate::domain::account::event::{AccountEvent, Fact};
use crate::domain::command::{Capturing, Releasing};
use crate::domain::ids::{Id, Step};
use crate::domain::money::Amount;
use crate::domain::refusal::Refusal;

/// A `Named` is the hold that a request names, as the account's stream knows it.
enum Named {
    /// It is open, and sets this amount aside.
    Open(Amount),
    /// It sets nothing aside any more, for this reason.
    Settled(Decline),
    /// It was ruled out, and has not come or was declined when it came.
    RuledOut,
    /// The stream has never seen the ID.
    NeverSeen,
    /// The ID is that of something else: no hold, a hold that was declined, or a transfer.
    NoHold,
}

impl Named {
    fn of(checks: Checks<'_>, id: Id) -> Self {
        if let Some(open) = checks.account.holds.get(id) {
            return Self::Open(open.amount);
        }
        let follower = checks.standing.follower;
        let Some(trace) = checks.standing.named else { return Self::NeverSeen };
        match (trace.first.as_deref(), trace.ruled_out_by, follower) {
            (Some(first), ..) => first.account().map_or(Self::NoHold, |first| Self::booked(first, follower)),
            (None, Some(_), _) => Self::RuledOut,
            (None, None, Some(_)) => Self::NoHold,
            (None, None, None) => Self::NeverSeen,
        }
    }

    /// Says what an ID that is not open is, of which this is the first event.
    fn booked(first: &AccountEvent, follower: Option<Id>) -> Self {
        match &first.fact {
            Fact::HoldPlaced { .. } if matches!(follower, Some(Id::Step { step: Step::Expiry, .. })) => {
                Self::Settled(Decline::HoldExpired)
            }
            Fact::HoldPlaced { .. } => Self::Settled(Decline::HoldAlreadySettled),
            Fact::Declined { decline: Decline::Prevented(_), operation } if operation.is_hold() => {
                Self::RuledOut
            }
            Fact::AccountOpened { .. }
            | Fact::Deposited(_)
            | Fact::Withdrawn(_)
            | Fact::Reversed { .. }
            | Fact::Prevented { .. }
            | Fact::Corrected(_)
            | Fact::Frozen(_)
            | Fact::Unfrozen(_)
            | Fact::Closed(_)
            | Fact::OverdraftLimitChanged { .. }
            | Fact::HoldCaptured { .. }
            | Fact::HoldReleased { .. }
            | Fact::HoldExpired { .. }
            | Fact::HoldPrevented { .. }
            | Fact::TransferCredited { .. }
            | Fact::CreditPrevented { .. }
            | Fact::Declined { .. } => Self::NoHold,
        }
    }
}

/// Decides on a capture: the part of the hold that is named, or all of it. What is left of the hold is free again.
pub(in crate::domain::account) fn capture(checks: Checks<'_>, asked: &Capturing) -> Result<Outcome, Refusal> {
    let named = Named::of(checks, asked.hold);
    if matches!(named, Named::NeverSeen | Named::NoHold) {
        return Err(Refusal::HoldNotFound);
    }
    let amount = asked.amount.map(|written| written.fit(checks.account.currency)).transpose();
    let amount = amount.map_err(Refusal::amount("amount"))?;
    if asked.to.is_none() && asked.hold.client().is_some() {
        Refusal::reserved(&asked.counter_account)?;
    }
    Ok(checks.open().and_then(|()| match named {
        Named::Open(held) => captured(asked, held, amount),
        Named::Settled(why) => Err(why),
        Named::RuledOut | Named::NeverSeen | Named::NoHold => Err(Decline::HoldAlreadySettled),
    }))
}

/// Returns why the hold of a transfer was declined, where it was. There is nothing to release then, and the transfer learns
/// why.
fn declined_step(checks: Checks<'_>, hold: Id) -> Option<Decline> {
    let first = checks.standing.named?.first.as_deref().filter(|_| hold.client().is_none())?;
    first.decline()
}

fn captured(asked: &Capturing, held: Amount, amount: Option<Amount>) -> Outcome {
    let taken = amount.unwrap_or(held);
    if taken > held {
        return Err(Decline::CaptureExceedsHold);
    }
    Ok(Fact::HoldCaptured {
        hold: asked.hold,
        amount: taken,
        released: held.money().minus(taken.money()).and_then(Amount::new),
        counter_account: asked.counter_account.clone(),
        partial: amount.is_some() && asked.to.is_none(),
        metadata: asked.metadata.clone(),
        to: asked.to.clone(),
    })
}

/// Decides on a release. One of a hold that was never seen here rules the hold out, even on a closed account: so a release
/// that overtakes its hold does what the two in order do.
pub(in crate::domain::account) fn release(checks: Checks<'_>, asked: &Releasing) -> Result<Outcome, Refusal> {
    let (hold, reason) = (asked.hold, asked.reason.clone());
    if let Some(decline) = declined_step(checks, hold) {
        return Err(Refusal::HoldDeclined(decline));
    }
    Ok(match Named::of(checks, hold) {
        Named::NoHold => return Err(Refusal::HoldNotFound),
        Named::NeverSeen => checks.not_ruled_out().map(|()| Fact::HoldPrevented { hold, reason }),
        Named::Open(amount) => checks.open().map(|()| Fact::HoldReleased { hold, amount, reason }),
        Named::Settled(why) => checks.open().and(Err(why)),
        Named::RuledOut => checks.open().and(Err(Decline::HoldAlreadySettled)),
    })
}
