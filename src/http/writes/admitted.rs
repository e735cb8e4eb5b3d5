//! Admission checks a command before the ledger is asked: may its caller ask for it, and do its fields go together?

use crate::domain::command::Command;
use crate::domain::decide::check_request;
use crate::http::problem::details::Problem;
use crate::http::request::caller::Caller;
use crate::ledger::permission::Act;
use crate::wire::op::Op;

/// The act that a request to do `op` asks permission for, before its body is read.
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

/// Lets a command through when its caller may ask for it and its fields go together.
///
/// # Errors
/// 403 for a force that is not the caller's, 400 for fields that do not go together.
pub(crate) fn admitted(command: Command, caller: &Caller) -> Result<Command, Problem> {
    caller.may(Act::of(&command.operation))?;
    check_request(&command)?;
    Ok(command)
}
