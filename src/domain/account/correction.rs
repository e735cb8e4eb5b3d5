//! A correction puts right what an account has, against the ledger's own account `@corrections`. Nothing before it
//! changes.
//!
//! It moves an amount, or it makes the balance what it should be. In the second case the amount is worked out here, at the
//! decision, and only while the account still is as the operator saw it: what was booked since then is never corrected
//! away.

use crate::domain::command::{BalanceChange, Correction};
use crate::domain::money::{Amount, Direction, Money};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

use super::Account;
use super::checks::{Checks, Outcome};
use super::corrected::{AskedChange, Corrected};
use super::decline::Decline;
use super::event::Fact;
use super::movement::not_in_future;

pub(super) fn correct(checks: Checks<'_>, asked: &Correction, now: Timestamp) -> Result<Outcome, Refusal> {
    if checks.standing.corrects_unbooked {
        return Err(Refusal::TransactionNotFound);
    }
    let revision = checks.account.revision;
    if asked.change.expected_revision().is_some_and(|expected| expected != revision) {
        return Err(Refusal::AccountChanged { revision });
    }
    let (amount, direction, change) = moved(checks.account, &asked.change, now)?;
    Ok(allowed(checks, amount.money(), direction, asked.force).map(|()| {
        Fact::Corrected(Box::new(Corrected {
            amount,
            direction,
            asked: change,
            reason: asked.reason.clone(),
            corrects: asked.corrects.clone(),
            force: asked.force,
        }))
    }))
}

/// Works out what is to be moved, and in which direction.
fn moved(
    account: &Account,
    change: &BalanceChange,
    now: Timestamp,
) -> Result<(Amount, Direction, AskedChange), Refusal> {
    match *change {
        BalanceChange::To { balance, expected_revision } => {
            let balance = balance.fit(account.currency).map_err(Refusal::amount("balance"))?;
            let (amount, direction) = offset(account, balance)?;
            Ok((amount, direction, AskedChange::To { balance, expected_revision }))
        }
        BalanceChange::By { amount, direction, expected_revision, effective_at } => {
            not_in_future(effective_at, now)?;
            let amount = amount.fit(account.currency).map_err(Refusal::amount("amount"))?;
            let effective_at_given = effective_at.is_some();
            Ok((amount, direction, AskedChange::By { expected_revision, effective_at_given }))
        }
    }
}

/// Returns what makes the account's balance this one. It is at most the largest amount, like every amount.
fn offset(account: &Account, balance: Money) -> Result<(Amount, Direction), Refusal> {
    let wrong = |problem: &str| Refusal::Invalid { field: "balance", problem: problem.into() };
    if balance == account.balance {
        return Err(wrong("is the account's balance already"));
    }
    let too_far = || wrong("is further from the account's balance than the largest amount");
    let gained = balance.minus(account.balance).ok_or_else(too_far)?;
    let (size, direction) =
        if gained.is_negative() { (gained.negated(), Direction::Debit) } else { (gained, Direction::Credit) };
    let amount = Amount::new(size).filter(|_| size <= Money::largest(account.currency));
    Ok((amount.ok_or_else(too_far)?, direction))
}

/// Checks what a recorded decline says. A correction passes a freeze.
fn allowed(checks: Checks<'_>, amount: Money, direction: Direction, force: bool) -> Result<(), Decline> {
    checks.open()?;
    match direction {
        Direction::Credit => checks.room(amount),
        Direction::Debit if force => Ok(()),
        Direction::Debit => checks.funds(amount),
    }
}
