//! What is checked of a command between its reading and the ledger.

use crate::domain::command::{Command, Operation};
use crate::domain::decide::check_request;
use crate::http::problem::details::Problem;
use crate::http::request::caller::Caller;

/// The command, when its caller may ask for it and its fields go together.
///
/// # Errors
/// 403 for a force that is not the caller's, 400 for fields that do not go together.
pub(crate) fn admitted(command: Command, caller: &Caller) -> Result<Command, Problem> {
    if let Operation::Reverse(asked) = &command.operation
        && asked.force
        && !caller.is_operator()
    {
        return Err(Problem::forbidden("Only operators may force a reversal."));
    }
    check_request(&command)?;
    Ok(command)
}
