//! The judge of holds says what must become of a request on a hold, and of a transfer's step on an account.

use crate::audit::rules::account_before::{
    AccountBefore, Judgement, Status, enough, moved, not_closed, not_prevented,
};
use crate::audit::values::code::Code;

/// An account has at most this many open holds of clients.
const MOST_HOLDS: usize = 1_000;

/// A hold request is what the judge of holds is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldRequest {
    /// A client wants to set money aside.
    Place(i128),
    /// A transfer wants to set money aside.
    PlaceForTransfer(i128),
    /// A hold is to be booked out; the amount is there where the request names one.
    Capture(HoldTarget, Option<i128>),
    /// A hold is to be given back.
    Release(HoldTarget),
    /// A transfer wants to book its credit.
    Credit(i128),
}

/// A hold target is the hold that a request names, as the account knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldTarget {
    /// The ID was never seen on this account, nor ruled out.
    Unseen,
    /// The ID was never seen on this account, and was ruled out.
    RuledOut,
    /// The hold is open, and holds so much.
    Open(i128),
    /// It was captured or released.
    Settled,
    /// It was past its time.
    Expired,
    /// The ID is that of something else.
    Other,
}

/// Judges a request on a hold.
///
/// # Errors
/// Fails with the code of the decline that must be recorded.
pub(super) fn hold(account: &AccountBefore, request: HoldRequest) -> Result<Judgement, Code> {
    match request {
        HoldRequest::Place(amount) => {
            may_hold(account)?;
            if account.holds_of_clients >= MOST_HOLDS {
                return Err(Code::TooManyHolds);
            }
            enough(account, amount)?;
            Ok(Judgement::Accepted(0))
        }
        HoldRequest::PlaceForTransfer(amount) => {
            may_hold(account)?;
            enough(account, amount)?;
            Ok(Judgement::Accepted(0))
        }
        HoldRequest::Capture(target, amount) => match target {
            HoldTarget::Unseen | HoldTarget::Other => {
                Ok(Judgement::Unrecorded("there is no such hold on this account"))
            }
            HoldTarget::Open(_) | HoldTarget::RuledOut | HoldTarget::Settled | HoldTarget::Expired => {
                let held = settleable(account, target)?;
                let amount = amount.unwrap_or(held);
                if amount > held {
                    return Err(Code::CaptureExceedsHold);
                }
                // It looks at the hold alone, and not at funds, limit or freeze.
                Ok(Judgement::Accepted(amount.saturating_neg()))
            }
        },
        HoldRequest::Release(HoldTarget::Unseen) => {
            not_prevented(account)?;
            Ok(Judgement::Prevention)
        }
        HoldRequest::Release(HoldTarget::Other) => {
            Ok(Judgement::Unrecorded("there is no such hold on this account"))
        }
        HoldRequest::Release(target) => {
            settleable(account, target)?;
            Ok(Judgement::Accepted(0))
        }
        HoldRequest::Credit(amount) => {
            not_closed(account)?;
            not_prevented(account)?;
            moved(account, amount, false)
        }
    }
}

fn may_hold(account: &AccountBefore) -> Result<(), Code> {
    not_closed(account)?;
    if account.status == Status::Frozen {
        return Err(Code::AccountFrozen);
    }
    not_prevented(account)
}

/// Checks that a hold can be settled, and gives what it holds.
fn settleable(account: &AccountBefore, target: HoldTarget) -> Result<i128, Code> {
    not_closed(account)?;
    not_prevented(account)?;
    match target {
        HoldTarget::Open(held) => Ok(held),
        HoldTarget::Expired => Err(Code::HoldExpired),
        HoldTarget::Settled | HoldTarget::RuledOut | HoldTarget::Unseen | HoldTarget::Other => {
            Err(Code::HoldAlreadySettled)
        }
    }
}
