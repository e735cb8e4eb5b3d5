//! The judge says what must become of a request by the ledger's rules. It is made from the contract's text, and it is pure.
//!
//! The order of the declines is part of the rules: closed, frozen, prevented, then the others, and funds last.

use crate::audit::rules::account_before::{
    AccountBefore, Judgement, Status, moved, not_closed, not_prevented,
};
use crate::audit::rules::judge_holds::{HoldRequest, hold};
use crate::audit::values::code::Code;
use crate::audit::values::correction::Wanted;
use crate::audit::values::fact::{Change, Direction};
use crate::audit::values::money;

/// A target is what a reversal is to reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The ID was never seen on this account, nor ruled out.
    Unseen,
    /// The ID was never seen on this account, and was ruled out.
    RuledOut,
    /// The ID is that of an accepted deposit or withdrawal; beside it is the sum that was reversed of it so far.
    Moved { direction: Direction, amount: i128, reversed: i128 },
    /// The ID is that of an event that moved no money by itself.
    Other,
}

/// A request is what the judge is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// The request is a deposit or a withdrawal.
    Move(Direction, i128),
    /// The request is a reversal.
    Reverse {
        target: Target,
        /// This is the amount, where the request names one.
        amount: Option<i128>,
        /// This says whether the reversal may pass the overdraft limit.
        force: bool,
    },
    /// The request is a correction.
    Correct {
        wanted: Wanted,
        /// This says whether the account's last event is the one that the request expected, where it expected any.
        is_as_expected: bool,
        /// This says whether each transaction that it corrects was booked before.
        were_booked: bool,
        /// This says whether the correction may pass the overdraft limit.
        force: bool,
    },
    /// The request is on a hold, or for a step of a transfer.
    Hold(HoldRequest),
    /// The request is a freeze, an unfreeze or a closing.
    Change(Change),
    /// The request is for another overdraft limit.
    Limit,
}

/// Judges a request on an account that exists.
#[must_use]
pub(crate) fn judge(account: &AccountBefore, request: Request) -> Judgement {
    match judged(account, request) {
        Ok(judgement) => judgement,
        Err(code) => Judgement::Declined(code),
    }
}

fn judged(account: &AccountBefore, request: Request) -> Result<Judgement, Code> {
    match request {
        Request::Move(direction, amount) => {
            not_closed(account)?;
            if direction == Direction::Debit && account.status == Status::Frozen {
                return Err(Code::AccountFrozen);
            }
            not_prevented(account)?;
            moved(account, direction.signed(amount), false)
        }
        Request::Reverse { target: Target::Unseen | Target::RuledOut, amount: Some(_), .. } => {
            Ok(Judgement::Unrecorded("a part can't be taken back of a transaction that was never seen"))
        }
        Request::Reverse { target: Target::Unseen, amount: None, .. } => {
            not_prevented(account)?;
            Ok(Judgement::Prevention)
        }
        Request::Reverse { target, amount, force } => {
            not_closed(account)?;
            not_prevented(account)?;
            reversed(account, target, amount, force)
        }
        Request::Correct { were_booked: false, .. } => {
            Ok(Judgement::Unrecorded("it corrects a transaction that was not booked before it"))
        }
        Request::Correct { is_as_expected: false, .. } => {
            Ok(Judgement::Unrecorded("the account's last event is not the one that was expected"))
        }
        Request::Correct { wanted, force, .. } => corrected(account, wanted, force),
        Request::Hold(request) => hold(account, request),
        Request::Change(change) => {
            not_closed(account)?;
            not_prevented(account)?;
            match change {
                Change::Freeze if account.status == Status::Frozen => Err(Code::WrongState),
                Change::Unfreeze if account.status != Status::Frozen => Err(Code::WrongState),
                Change::Close if account.balance != 0 => Err(Code::AccountNotEmpty),
                Change::Close if account.has_holds => Err(Code::HoldsOpen),
                Change::Freeze | Change::Unfreeze | Change::Close => Ok(Judgement::Accepted(0)),
            }
        }
        Request::Limit => {
            not_closed(account)?;
            not_prevented(account)?;
            Ok(Judgement::Accepted(0))
        }
    }
}

fn corrected(account: &AccountBefore, wanted: Wanted, force: bool) -> Result<Judgement, Code> {
    let signed = match wanted {
        Wanted::Move(signed) => signed,
        Wanted::Balance(balance) => balance.saturating_sub(account.balance),
    };
    if signed == 0 {
        return Ok(Judgement::Unrecorded("the balance is what it is to become"));
    }
    if signed.saturating_abs() > money::largest(account.currency) {
        return Ok(Judgement::Unrecorded("the balance is further away than the largest amount"));
    }
    not_closed(account)?;
    not_prevented(account)?;
    moved(account, signed, force)
}

fn reversed(
    account: &AccountBefore,
    target: Target,
    asked: Option<i128>,
    force: bool,
) -> Result<Judgement, Code> {
    let (direction, left) = match target {
        Target::Other => return Err(Code::NotReversible),
        Target::Unseen | Target::RuledOut => return Err(Code::ReversalExceedsOriginal),
        Target::Moved { direction, amount, reversed } => (direction, amount.saturating_sub(reversed)),
    };
    let amount = asked.unwrap_or(left);
    if left == 0 || amount > left {
        return Err(Code::ReversalExceedsOriginal);
    }
    moved(account, direction.opposite().signed(amount), force)
}
