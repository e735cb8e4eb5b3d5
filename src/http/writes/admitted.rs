//! Admission checks a command before the ledger is asked: whether its caller may ask for it, and whether its fields go
//! together.

use crate::domain::command::{Command, Operation};
use crate::domain::decide::check_request;
use crate::domain::ids::AccountName;
use crate::domain::money::WrittenAmount;
use crate::domain::payee::Payee;
use crate::domain::transfer::command::TransferOperation;
use crate::http::app::App;
use crate::http::problem::details::Problem;
use crate::http::request::caller::Caller;
use crate::ledger::At;
use crate::ledger::permission::Act;

/// Lets a command through when its caller may ask for it and its fields go together.
///
/// # Errors
/// Answers 403 for what its route does not show and the caller may not do (a limit, a force), and 400 for fields that
/// do not go together.
pub(crate) fn admitted(command: Command, caller: &Caller) -> Result<Command, Problem> {
    caller.may(Act::of(&command.operation))?;
    check_request(&command)?;
    Ok(command)
}

/// Lets a command through when the own account of the ledger or the provider that it names may be named, or when its ID was
/// booked before: a retry gets its first answer, whatever has been set since.
///
/// # Errors
/// Answers 400 for an account that is not in the list or a provider that is not set up, 404 where such a transfer is out of
/// an account that does not exist, and 503 when the ledger can't say whether the ID was booked.
pub(crate) async fn well_named(command: Command, app: &App) -> Result<Command, Problem> {
    let named = match &command.operation {
        Operation::Deposit(moved) | Operation::Withdraw(moved) => &moved.counter_account,
        Operation::Capture(asked) => &asked.counter_account,
        Operation::Open(_)
        | Operation::Reverse(_)
        | Operation::Correct(_)
        | Operation::Freeze(_)
        | Operation::Unfreeze(_)
        | Operation::Close(_)
        | Operation::SetOverdraftLimit(_)
        | Operation::Hold(_)
        | Operation::Release(_)
        | Operation::Expire(_)
        | Operation::TransferHold(_)
        | Operation::TransferCredit(_)
        | Operation::RuleOut(_) => return Ok(command),
        // No request of a client's is one of these.
        Operation::Delivery(_) | Operation::Letter(_) => return Ok(command),
        Operation::Transfer(_) => return of_transfer(command, app).await,
    };
    if app.may_be_named(named) || is_booked(&command, app).await? {
        return Ok(command);
    }
    Err(Problem::field("counter_account", "is not one of the accounts that this service is set up with"))
}

async fn is_booked(command: &Command, app: &App) -> Result<bool, Problem> {
    let booked = app.ledger().transaction(command.id).await?;
    Ok(booked.is_some_and(|history| history.first.is_some()))
}

/// Lets through what is asked of a transfer. One to a provider that this service is not set up with is refused, but for one
/// that was requested before; and the amount of an operator's word is left out where it is the whole, since it says nothing
/// then. Neither the account's existence nor what the transfer is to do ever changes, so that both may be read beforehand.
async fn of_transfer(mut command: Command, app: &App) -> Result<Command, Problem> {
    let Operation::Transfer(asked) = &mut command.operation else { return Ok(command) };
    match asked {
        TransferOperation::Request(request) => match &request.to {
            Payee::External(name) if !app.sagas().knows(name) => {
                let from = request.from.clone();
                not_set_up(command, &from, app).await
            }
            Payee::External(_) | Payee::Account(_) => Ok(command),
        },
        TransferOperation::Outcome(reported) if reported.amount.is_some() => {
            if let Some(id) = command.stream.transfer()
                && let Some(transfer) = app.ledger().transfer_state(id).await?
            {
                let terms = &transfer.terms;
                let is_whole = |said: &WrittenAmount| said.fit(terms.currency) == Ok(terms.amount);
                reported.amount = reported.amount.filter(|said| !is_whole(said));
            }
            Ok(command)
        }
        TransferOperation::Outcome(_)
        | TransferOperation::Cancel(_)
        | TransferOperation::Retry(_)
        | TransferOperation::Abandon(_)
        | TransferOperation::TimeOut
        | TransferOperation::Stall { .. }
        | TransferOperation::End { .. }
        | TransferOperation::Send(_)
        | TransferOperation::Settle(_)
        | TransferOperation::Contradict { .. }
        | TransferOperation::Confirm { .. } => Ok(command),
    }
}

async fn not_set_up(command: Command, from: &AccountName, app: &App) -> Result<Command, Problem> {
    if is_booked(&command, app).await? {
        return Ok(command);
    }
    if app.ledger().account(from, At::Now).await?.is_none() {
        return Err(Problem::account_not_found());
    }
    Err(Problem::field("to", "names a payout provider that this service is not set up with"))
}
