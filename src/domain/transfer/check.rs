//! This check compares the fields of a request about a transfer with each other, which needs neither the transfer nor the
//! clock.

use crate::domain::payee::Payee;
use crate::domain::refusal::Refusal;

use super::command::TransferOperation;
use super::payout::Payout;

/// Checks the fields of an operation against each other.
///
/// # Errors
/// Fails with the field that does not fit the others.
pub fn check_request(operation: &TransferOperation) -> Result<(), Refusal> {
    match operation {
        TransferOperation::Request(asked) => match &asked.to {
            Payee::Account(to) if *to == asked.from => {
                let problem = "must be another account than `from`".into();
                Err(Refusal::Invalid { field: "to", problem })
            }
            Payee::Account(_) | Payee::External(_) => Ok(()),
        },
        TransferOperation::Outcome(asked) if asked.outcome == Payout::Declined && asked.amount.is_some() => {
            let problem = "has no meaning where nothing was paid".into();
            Err(Refusal::Invalid { field: "amount", problem })
        }
        TransferOperation::Cancel(_)
        | TransferOperation::Outcome(_)
        | TransferOperation::Retry(_)
        | TransferOperation::Abandon(_)
        | TransferOperation::TimeOut
        | TransferOperation::Stall { .. }
        | TransferOperation::End { .. }
        | TransferOperation::Send(_)
        | TransferOperation::Settle(_)
        | TransferOperation::Contradict { .. }
        | TransferOperation::Confirm { .. } => Ok(()),
    }
}
