//! Admission checks a command before the ledger is asked: whether its caller may ask for it, and whether its fields go
//! together.

use crate::domain::command::Command;
use crate::domain::decide::check_request;
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
