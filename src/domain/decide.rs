//! The decision: a total function of what is asked, what the ledger knows, and the time.
//!
//! Order of checks, first hit wins: 404, then 400 for what only the account or the clock can show, then the recorded
//! declines: closed, frozen, prevented, the rest, funds last. The seen-ID check comes before all of them and is the
//! caller's, who holds the seen IDs: [`decide`] is only asked about an ID that is new to the ledger.

use super::account::{Account, Status};
use super::command::{Command, Move, Opening, Operation, Reversal};
use super::currency::Currency;
use super::decline::Decline;
use super::event::{Answer, Event, Fact, Movement};
use super::ids::{CounterAccount, TransactionId};
use super::money::{AmountError, Money, Written};
use super::time::Timestamp;

/// How far the world's clock may be ahead of the ledger's.
const FUTURE_ALLOWED_SECONDS: i64 = 300;

/// What the ledger knows that bears on one command.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing<'a> {
    /// The account, if it was ever opened.
    pub account: Option<&'a Account>,
    /// The reversal that ruled this command's ID out on this account before it came.
    pub prevented_by: Option<TransactionId>,
    /// What is known of the transaction that a reversal names; ignored for other commands.
    pub original: Option<&'a Original>,
}

/// What an account's stream says of a transaction that somebody wants to reverse. None of it: never seen there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Original {
    /// It moved money.
    Moved {
        /// How much.
        amount: Money,
        /// Did the account lose by it, so that a reversal gives?
        withdrawn: bool,
        /// The other side.
        counter_account: CounterAccount,
        /// How much of it has been taken back.
        reversed: Money,
    },
    /// It has been ruled out and has not come.
    RuledOut,
    /// It was seen and moved nothing, or was itself a reversal.
    Immovable,
}

impl Original {
    /// What `first` is to somebody who wants to reverse it. `before`: what was taken back of it by reversals that are not
    /// among `reversals`.
    pub fn of<'a>(first: &Event, before: Money, reversals: impl IntoIterator<Item = &'a Event>) -> Self {
        let (moved, withdrawn) = match &first.fact {
            Fact::Deposited(moved) => (moved, false),
            Fact::Withdrawn(moved) => (moved, true),
            Fact::AccountOpened { .. }
            | Fact::Reversed { .. }
            | Fact::Prevented { .. }
            | Fact::Frozen(_)
            | Fact::Unfrozen(_)
            | Fact::Closed(_)
            | Fact::OverdraftLimitChanged { .. }
            | Fact::Declined { .. } => return Self::Immovable,
        };
        let reversed = reversals
            .into_iter()
            .fold(before, |sum, event| event.taken_back().and_then(|amount| sum.plus(amount)).unwrap_or(sum));
        Self::Moved {
            amount: moved.amount,
            withdrawn,
            counter_account: moved.counter_account.clone(),
            reversed,
        }
    }
}

/// Why nothing is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such account.
    AccountNotFound,
    /// There is one already.
    AccountExists,
    /// A partial reversal of what was never seen.
    TransactionNotFound,
    /// A field that the account or the clock shows to be wrong.
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl Refusal {
    fn amount(field: &'static str) -> impl FnOnce(AmountError) -> Self {
        move |error| Self::Invalid { field, problem: error.to_string() }
    }
}

/// Decides one command.
///
/// # Errors
/// A [`Refusal`]: the command is answered, and nothing is recorded.
pub fn decide(standing: Standing<'_>, command: &Command, now: Timestamp) -> Result<Event, Refusal> {
    check_request(command)?;
    let fact = match (&command.operation, standing.account) {
        (Operation::Open(_), Some(_)) => return Err(Refusal::AccountExists),
        (Operation::Open(opening), None) => open(opening)?,
        (_, None) => return Err(Refusal::AccountNotFound),
        (operation, Some(account)) => {
            check_clock(operation, now)?;
            match outcome(standing, account, operation)? {
                Ok(fact) => fact,
                Err(decline) => Fact::Declined { operation: fitted(operation, account.currency)?, decline },
            }
        }
    };
    event(standing.account, command, fact, now)
}

/// Checks what the command shows by itself, and no single field of it does.
///
/// # Errors
/// The field that does not go with the others.
pub fn check_request(command: &Command) -> Result<(), Refusal> {
    match &command.operation {
        Operation::Reverse(asked) if asked.reverses == command.transaction_id => {
            let problem = "must not be the transaction's own ID".into();
            Err(Refusal::Invalid { field: "reverses", problem })
        }
        Operation::Open(opening) => {
            let fitted = opening.overdraft_limit.fit(opening.currency);
            fitted.map(drop).map_err(Refusal::amount("overdraft_limit"))
        }
        Operation::Deposit(_)
        | Operation::Withdraw(_)
        | Operation::Reverse(_)
        | Operation::Freeze(_)
        | Operation::Unfreeze(_)
        | Operation::Close(_)
        | Operation::SetOverdraftLimit(_) => Ok(()),
    }
}

fn open(opening: &Opening) -> Result<Fact, Refusal> {
    let overdraft_limit =
        opening.overdraft_limit.fit(opening.currency).map_err(Refusal::amount("overdraft_limit"))?;
    Ok(Fact::AccountOpened { overdraft_limit, metadata: opening.metadata.clone() })
}

fn check_clock(operation: &Operation, now: Timestamp) -> Result<(), Refusal> {
    match operation {
        Operation::Deposit(Move { effective_at: Some(at), .. })
        | Operation::Withdraw(Move { effective_at: Some(at), .. })
            if *at > now.plus_seconds(FUTURE_ALLOWED_SECONDS) =>
        {
            Err(Refusal::Invalid { field: "effective_at", problem: "must not be in the future".into() })
        }
        _ => Ok(()),
    }
}

/// What happens to an account that exists: a fact or a decline, after every check of the request itself.
fn outcome(
    standing: Standing<'_>,
    account: &Account,
    operation: &Operation,
) -> Result<Result<Fact, Decline>, Refusal> {
    let prevented = || match standing.prevented_by {
        Some(by) => Err(Decline::Prevented(by)),
        None => Ok(()),
    };
    let open = || if account.status == Status::Closed { Err(Decline::AccountClosed) } else { Ok(()) };
    let thawed = || if account.status == Status::Frozen { Err(Decline::AccountFrozen) } else { Ok(()) };
    Ok(match operation {
        Operation::Open(_) => return Err(Refusal::AccountExists),
        Operation::Deposit(asked) => {
            let moved = movement(asked, account.currency)?;
            open().and_then(|()| prevented()).and_then(|()| {
                room(account, moved.amount)?;
                Ok(Fact::Deposited(moved))
            })
        }
        Operation::Withdraw(asked) => {
            let moved = movement(asked, account.currency)?;
            open().and_then(|()| thawed()).and_then(|()| prevented()).and_then(|()| {
                funds(account, moved.amount)?;
                Ok(Fact::Withdrawn(moved))
            })
        }
        Operation::Reverse(asked) => {
            if asked.amount.is_some() && matches!(standing.original, None | Some(Original::RuledOut)) {
                return Err(Refusal::TransactionNotFound);
            }
            let amount = asked.amount.map(|written| written.fit(account.currency)).transpose();
            let amount = amount.map_err(Refusal::amount("amount"))?;
            match (standing.original, amount) {
                (None, _) => prevented().map(|()| Fact::Prevented {
                    reverses: asked.reverses,
                    reason: asked.reason.clone(),
                    force: asked.force,
                }),
                (Some(original), amount) => {
                    open().and_then(|()| prevented()).and_then(|()| reverse(account, asked, amount, original))
                }
            }
        }
        Operation::Freeze(reason) => open().and_then(|()| prevented()).and_then(|()| match account.status {
            Status::Frozen => Err(Decline::WrongState),
            Status::Open | Status::Closed => Ok(Fact::Frozen(reason.clone())),
        }),
        Operation::Unfreeze(reason) => {
            open().and_then(|()| prevented()).and_then(|()| match account.status {
                Status::Frozen => Ok(Fact::Unfrozen(reason.clone())),
                Status::Open | Status::Closed => Err(Decline::WrongState),
            })
        }
        Operation::Close(reason) => open().and_then(|()| prevented()).and_then(|()| {
            if account.balance.is_zero() {
                Ok(Fact::Closed(reason.clone()))
            } else {
                Err(Decline::AccountNotEmpty)
            }
        }),
        Operation::SetOverdraftLimit(change) => {
            let limit = change.overdraft_limit.fit(account.currency);
            let overdraft_limit = limit.map_err(Refusal::amount("overdraft_limit"))?;
            open()
                .and_then(|()| prevented())
                .map(|()| Fact::OverdraftLimitChanged { overdraft_limit, reason: change.reason.clone() })
        }
    })
}

fn movement(asked: &Move, currency: Currency) -> Result<Movement, Refusal> {
    Ok(Movement {
        amount: asked.amount.fit(currency).map_err(Refusal::amount("amount"))?,
        counter_account: asked.counter_account.clone(),
        effective_at_given: asked.effective_at.is_some(),
        metadata: asked.metadata.clone(),
    })
}

fn reverse(
    account: &Account,
    asked: &Reversal,
    amount: Option<Money>,
    original: &Original,
) -> Result<Fact, Decline> {
    let Original::Moved { amount: moved, withdrawn, counter_account, reversed } = original else {
        return Err(match original {
            Original::RuledOut => Decline::ReversalExceedsOriginal,
            Original::Immovable | Original::Moved { .. } => Decline::NotReversible,
        });
    };
    let left = moved.minus(*reversed).ok_or(Decline::ReversalExceedsOriginal)?;
    let taken = amount.unwrap_or(left);
    if left.is_zero() || taken > left {
        return Err(Decline::ReversalExceedsOriginal);
    }
    if *withdrawn {
        room(account, taken)?;
    } else if !asked.force {
        funds(account, taken)?;
    }
    Ok(Fact::Reversed {
        reverses: asked.reverses,
        amount: taken,
        credits: *withdrawn,
        counter_account: counter_account.clone(),
        reason: asked.reason.clone(),
        partial: amount.is_some(),
        force: asked.force,
    })
}

/// May so much come in?
fn room(account: &Account, amount: Money) -> Result<(), Decline> {
    match account.balance.plus(amount) {
        Some(after) if after <= Money::largest(account.currency) => Ok(()),
        _ => Err(Decline::BalanceTooLarge),
    }
}

/// May so much go out?
fn funds(account: &Account, amount: Money) -> Result<(), Decline> {
    match account.available().minus(amount) {
        Some(after) if !after.is_negative() => Ok(()),
        _ => Err(Decline::InsufficientFunds),
    }
}

/// The operation with its amounts written as the account's currency has them, as a declined event keeps it.
fn fitted(operation: &Operation, currency: Currency) -> Result<Operation, Refusal> {
    let fit =
        |written: Written, field| written.fit(currency).map(Written::from).map_err(Refusal::amount(field));
    let mut operation = operation.clone();
    match &mut operation {
        Operation::Open(opening) => {
            opening.overdraft_limit = fit(opening.overdraft_limit, "overdraft_limit")?
        }
        Operation::Deposit(asked) | Operation::Withdraw(asked) => asked.amount = fit(asked.amount, "amount")?,
        Operation::Reverse(asked) => {
            asked.amount = asked.amount.map(|written| fit(written, "amount")).transpose()?;
        }
        Operation::SetOverdraftLimit(change) => {
            change.overdraft_limit = fit(change.overdraft_limit, "overdraft_limit")?;
        }
        Operation::Freeze(_) | Operation::Unfreeze(_) | Operation::Close(_) => {}
    }
    Ok(operation)
}

/// The event around the fact, with the answer that follows from it.
fn event(before: Option<&Account>, command: &Command, fact: Fact, now: Timestamp) -> Result<Event, Refusal> {
    let currency = match (&command.operation, before) {
        (_, Some(account)) => account.currency,
        (Operation::Open(opening), None) => opening.currency,
        (_, None) => return Err(Refusal::AccountNotFound),
    };
    let effective_at = match &command.operation {
        Operation::Deposit(asked) | Operation::Withdraw(asked) => asked.effective_at.unwrap_or(now),
        _ => now,
    };
    let unanswered = Answer { balance: Money::zero(currency), available: Money::zero(currency) };
    let mut event = Event {
        account: command.account.clone(),
        revision: before.map_or(0, |account| account.revision + 1),
        recorded_at: now,
        effective_at,
        transaction_id: command.transaction_id,
        currency,
        fact,
        answer: unanswered,
        origin: command.origin.clone(),
    };
    event.answer = after(before, &event);
    Ok(event)
}

/// How the account stands after the event: worked out from the fact alone, without its running hash.
fn after(before: Option<&Account>, event: &Event) -> Answer {
    let limit = match (&event.fact, before) {
        (
            Fact::AccountOpened { overdraft_limit, .. } | Fact::OverdraftLimitChanged { overdraft_limit, .. },
            _,
        ) => *overdraft_limit,
        (_, Some(account)) => account.overdraft_limit,
        (_, None) => Money::zero(event.currency),
    };
    let balance = before.map_or_else(|| Money::zero(event.currency), |account| account.balance);
    let moved = event.entries().map_or_else(|| Money::zero(event.currency), |entries| entries.guarded);
    let balance = balance.plus(moved).unwrap_or(balance);
    Answer { balance, available: balance.plus(limit).unwrap_or(balance) }
}
