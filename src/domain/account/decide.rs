//! The decision on an account is made here: each operation ends in a fact, a decline, or a refusal.

use crate::domain::command::{BalanceChange, Operation};
use crate::domain::currency::Currency;
use crate::domain::delivery::decide::Refused;
use crate::domain::ids::TransactionId;
use crate::domain::money::{Money, Written, WrittenAmount};
use crate::domain::refusal::Refusal;
use crate::domain::standing::Standing;
use crate::domain::time::{Now, Timestamp};

use super::checks::{Checks, Outcome};
use super::event::{AccountEvent, Answer, Fact};
use super::{Account, available, correction, hold, movement, open, reversal, state_change};

/// Decides one operation on an account, and works out the answer that follows.
///
/// # Errors
/// Returns a [`Refusal`]; then nothing is recorded.
pub fn decide(standing: Standing<'_>, operation: &Operation, now: Now) -> Result<AccountEvent, Refusal> {
    let account = standing.state.and_then(|state| state.account());
    let (fact, currency) = match (operation, account) {
        (Operation::Open(_), Some(_)) => return Err(Refusal::AccountExists),
        (Operation::Open(opening), None) => (open::open(opening)?, opening.currency),
        (_, None) => return Err(Refusal::AccountNotFound),
        (operation, Some(account)) => {
            let fact = match outcome(standing, account, operation, now)? {
                Ok(fact) => fact,
                Err(decline) => Fact::Declined { operation: fitted(operation, account.currency)?, decline },
            };
            (fact, account.currency)
        }
    };
    let effective_at = movement::effective_at(operation).unwrap_or(now.recorded_at);
    Ok(answered(account, currency, fact, effective_at))
}

/// Decides an operation on an account that exists: what is recorded, or the refusal of a field that does not fit it.
fn outcome(
    standing: Standing<'_>,
    account: &Account,
    operation: &Operation,
    now: Now,
) -> Result<Outcome, Refusal> {
    let checks = Checks { standing, account };
    match operation {
        Operation::Open(_) => Err(Refusal::AccountExists),
        Operation::Deposit(asked) => movement::deposit(checks, asked, now.clock),
        Operation::Withdraw(asked) => movement::withdraw(checks, asked, now.clock),
        Operation::Reverse(asked) => reversal::reverse(checks, asked),
        Operation::Correct(asked) => correction::correct(checks, asked, now.clock),
        Operation::Freeze(reason) => Ok(state_change::freeze(checks, reason)),
        Operation::Unfreeze(reason) => Ok(state_change::unfreeze(checks, reason)),
        Operation::Close(reason) => Ok(state_change::close(checks, reason)),
        Operation::SetOverdraftLimit(change) => state_change::set_overdraft_limit(checks, change),
        Operation::Hold(asked) => hold::place(checks, asked, now),
        Operation::Capture(asked) => hold::capture(checks, asked),
        Operation::Release(asked) => hold::release(checks, asked),
        // What is due was booked before this is asked (`clerk::rule`).
        Operation::Expire(_) => Err(Refusal::NotDue),
        Operation::TransferHold(asked) => hold::hold(checks, asked),
        Operation::TransferCredit(asked) => hold::credit(checks, asked),
        Operation::RuleOut(asked) => hold::rule_out(checks, *asked),
        // It is asked of a transfer's stream, never of an account's.
        Operation::Transfer(_) => Err(Refusal::TransferNotFound),
        Operation::Delivery(_) | Operation::Letter(_) => Err(Refusal::Destination(Refused::NotFound)),
    }
}

/// Returns the operation with its amounts written as the account's currency has them, as a declined event keeps it.
fn fitted(operation: &Operation, currency: Currency) -> Result<Operation, Refusal> {
    let limit = |written: Written| {
        written.fit(currency).map(Written::from).map_err(Refusal::amount("overdraft_limit"))
    };
    let amount = |written: WrittenAmount| {
        written.fit(currency).map(WrittenAmount::from).map_err(Refusal::amount("amount"))
    };
    let mut operation = operation.clone();
    match &mut operation {
        Operation::Open(opening) => opening.overdraft_limit = limit(opening.overdraft_limit)?,
        Operation::Deposit(asked) | Operation::Withdraw(asked) => asked.amount = amount(asked.amount)?,
        Operation::Reverse(asked) => asked.amount = asked.amount.map(amount).transpose()?,
        Operation::Correct(asked) => match &mut asked.change {
            BalanceChange::To { balance, .. } => {
                *balance = balance.fit(currency).map_err(Refusal::amount("balance"))?.into();
            }
            BalanceChange::By { amount: by, .. } => *by = amount(*by)?,
        },
        Operation::SetOverdraftLimit(change) => change.overdraft_limit = limit(change.overdraft_limit)?,
        Operation::Hold(asked) => asked.amount = amount(asked.amount)?,
        Operation::Capture(asked) => asked.amount = asked.amount.map(amount).transpose()?,
        Operation::TransferHold(asked) => asked.amount = amount(asked.amount)?,
        Operation::TransferCredit(asked) => asked.amount = amount(asked.amount)?,
        Operation::Freeze(_)
        | Operation::Unfreeze(_)
        | Operation::Close(_)
        | Operation::Release(_)
        | Operation::Expire(_)
        | Operation::RuleOut(_)
        | Operation::Transfer(_)
        | Operation::Delivery(_)
        | Operation::Letter(_) => {}
    }
    Ok(operation)
}

/// Returns the body of the expiry that is due first at this time, and the hold that expires; `None` where none is due.
pub(in crate::domain) fn due(account: &Account, now: Timestamp) -> Option<(TransactionId, AccountEvent)> {
    let (hold, fact) = hold::due(account, now)?;
    Some((hold, answered(Some(account), account.currency, fact, now)))
}

fn answered(
    before: Option<&Account>,
    currency: Currency,
    fact: Fact,
    effective_at: Timestamp,
) -> AccountEvent {
    let unanswered = Answer { balance: Money::zero(currency), available: Money::zero(currency) };
    let mut event = AccountEvent { effective_at, currency, fact, answer: unanswered };
    event.answer = answer_after(before, &event);
    event
}

/// Works out how the account stands after the event, from the account before and the event's fact. It does not fold the
/// event, so that the running hash is not computed twice.
fn answer_after(before: Option<&Account>, event: &AccountEvent) -> Answer {
    let zero = Money::zero(event.currency);
    let (balance, limit) = before.map_or((zero, zero), |account| (account.balance, account.overdraft_limit));
    let limit = event.overdraft_limit_set().unwrap_or(limit);
    let moved = event.entries().map_or(zero, |entries| entries.guarded);
    let balance = balance.plus(moved).unwrap_or(balance);
    let held = before.and_then(|account| account.holds.sum());
    let held = match event.sets_aside() {
        Some(change) => held.map_or(Some(change), |held| held.plus(change)),
        None => held,
    };
    Answer { balance, available: available(balance, limit, held) }
}
