//! Admission: who may write what, and whether a command's fields go together, before the ledger is asked.

use crate::domain::command::Command;
use crate::domain::decide::check_request;
use crate::http::problem::details::Problem;
use crate::http::request::caller::Caller;
use crate::ledger::permission::Act;
use crate::wire::op::Op;

/// What a request to do `op` asks for, before its body is read.
pub(crate) fn act(op: Op) -> Act {
    match op {
        Op::OverdraftLimit => Act::SetOverdraftLimit,
        Op::OpenAccount
        | Op::Deposit
        | Op::Withdraw
        | Op::Reverse
        | Op::Freeze
        | Op::Unfreeze
        | Op::Close => Act::Book,
    }
}

/// The command, when its caller may ask for it and its fields go together.
///
/// # Errors
/// 403 for a force that is not the caller's, 400 for fields that do not go together.
pub(crate) fn admitted(command: Command, caller: &Caller) -> Result<Command, Problem> {
    caller.may(Act::of(&command.operation))?;
    check_request(&command)?;
    Ok(command)
}
