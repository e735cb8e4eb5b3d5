//! The changes of an account's state are freezing, unfreezing, closing, and changing the overdraft limit.

use crate::domain::command::{LimitChange, Reason};
use crate::domain::refusal::Refusal;

use super::Status;
use super::checks::{Checks, Outcome};
use super::decline::Decline;
use super::event::Fact;

pub(super) fn freeze(checks: Checks<'_>, reason: &Reason) -> Outcome {
    checks.open()?;
    match checks.account.status {
        Status::Frozen => Err(Decline::WrongState),
        Status::Open | Status::Closed => Ok(Fact::Frozen(reason.clone())),
    }
}

pub(super) fn unfreeze(checks: Checks<'_>, reason: &Reason) -> Outcome {
    checks.open()?;
    match checks.account.status {
        Status::Frozen => Ok(Fact::Unfrozen(reason.clone())),
        Status::Open | Status::Closed => Err(Decline::WrongState),
    }
}

pub(super) fn close(checks: Checks<'_>, reason: &Reason) -> Outcome {
    checks.open()?;
    if !checks.account.balance.is_zero() {
        return Err(Decline::AccountNotEmpty);
    }
    if !checks.account.holds.is_empty() {
        return Err(Decline::HoldsOpen);
    }
    Ok(Fact::Closed(reason.clone()))
}

pub(super) fn set_overdraft_limit(checks: Checks<'_>, change: &LimitChange) -> Result<Outcome, Refusal> {
    let limit = change.overdraft_limit.fit(checks.account.currency);
    let overdraft_limit = limit.map_err(Refusal::amount("overdraft_limit"))?;
    let reason = change.reason.clone();
    Ok(checks.open().map(|()| Fact::OverdraftLimitChanged { overdraft_limit, reason }))
}
