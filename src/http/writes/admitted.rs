//! Admission checks a command before the ledger is asked: whether its caller may ask for it, and whether its fields go
//! together.

use crate::domain::command::{Command, Operation};
use crate::domain::decide::check_request;
use crate::http::app::App;
use crate::http::problem::details::Problem;
use crate::http::request::caller::Caller;
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

/// Lets a command through when the own account of the ledger that it names may be named, or when its ID was booked before: a
/// retry gets its first answer, whatever has been set since.
///
/// # Errors
/// Answers 400 for an account that is not in the list, and 503 when the ledger can't say whether the ID was booked.
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
        | Operation::RuleOut(_)
        | Operation::Transfer(_) => return Ok(command),
    };
    if app.may_be_named(named) {
        return Ok(command);
    }
    let booked = app.ledger().transaction(command.id).await?;
    if booked.is_some_and(|history| history.first.is_some()) {
        return Ok(command);
    }
    Err(Problem::field("counter_account", "is not one of the accounts that this service is set up with"))
}
