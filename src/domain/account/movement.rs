//! Movements are deposits and withdrawals.

use crate::domain::command::{Move, Operation};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

use super::checks::{Checks, Outcome};
use super::event::{Fact, Movement};

/// This is how many seconds the time that a client names may be ahead of the ledger's clock.
const FUTURE_ALLOWED_SECONDS: i64 = 300;

pub(super) fn deposit(checks: Checks<'_>, asked: &Move, now: Timestamp) -> Result<Outcome, Refusal> {
    let moved = movement(checks, asked, now)?;
    Ok(checks.open().and_then(|()| checks.room(moved.amount.money())).map(|()| Fact::Deposited(moved)))
}

pub(super) fn withdraw(checks: Checks<'_>, asked: &Move, now: Timestamp) -> Result<Outcome, Refusal> {
    let moved = movement(checks, asked, now)?;
    let allowed = checks.open_and_not_frozen().and_then(|()| checks.funds(moved.amount.money()));
    Ok(allowed.map(|()| Fact::Withdrawn(moved)))
}

/// Returns the time at which the operation happened in the world, if the client named one.
pub(super) fn effective_at(operation: &Operation) -> Option<Timestamp> {
    match operation {
        Operation::Deposit(asked) | Operation::Withdraw(asked) => asked.effective_at,
        Operation::Correct(asked) => asked.change.effective_at(),
        Operation::Open(_)
        | Operation::Reverse(_)
        | Operation::Freeze(_)
        | Operation::Unfreeze(_)
        | Operation::Close(_)
        | Operation::SetOverdraftLimit(_)
        | Operation::Hold(_)
        | Operation::Capture(_)
        | Operation::Release(_)
        | Operation::Expire(_)
        | Operation::TransferHold(_)
        | Operation::TransferCredit(_)
        | Operation::RuleOut(_)
        | Operation::Transfer(_)
        | Operation::Delivery(_)
        | Operation::Letter(_) => None,
    }
}

/// Refuses a time that a client named and that is in the future.
pub(super) fn not_in_future(effective_at: Option<Timestamp>, now: Timestamp) -> Result<(), Refusal> {
    if effective_at.is_some_and(|at| at > now.plus_seconds(FUTURE_ALLOWED_SECONDS)) {
        return Err(Refusal::Invalid { field: "effective_at", problem: "must not be in the future".into() });
    }
    Ok(())
}

fn movement(checks: Checks<'_>, asked: &Move, now: Timestamp) -> Result<Movement, Refusal> {
    not_in_future(asked.effective_at, now)?;
    let amount = asked.amount.fit(checks.account.currency).map_err(Refusal::amount("amount"))?;
    Refusal::reserved(&asked.counter_account)?;
    Ok(Movement {
        amount,
        counter_account: asked.counter_account.clone(),
        effective_at_given: asked.effective_at.is_some(),
        metadata: asked.metadata.clone(),
    })
}
