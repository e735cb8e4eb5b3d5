//! The decision is a total function of what is asked, what the ledger knows, and the time.
//!
//! The checks have an order, and the first that fails makes the outcome. First come the refusals of what does not
//! exist, then those of fields that only the account or the clock can show to be wrong; then the recorded declines:
//! closed, frozen, prevented, the rest, funds last. Before all of them the clerk (`clerk::rule`) asks whether the ID
//! was seen: [`decide`] gets only an ID that is new to the ledger.

use super::account;
use super::command::{Command, Operation};
use super::event::{Body, Event};
use super::stream::StreamName;
use super::time::Now;

pub use super::refusal::Refusal;
pub use super::standing::Standing;

/// Decides one command.
///
/// # Errors
/// Returns a [`Refusal`]: the command is answered, and nothing is recorded.
pub fn decide(standing: Standing<'_>, command: &Command, now: impl Into<Now>) -> Result<Event, Refusal> {
    let now = now.into();
    check_request(command)?;
    let body = match &command.stream {
        StreamName::Account(_) => Body::Account(account::decide::decide(standing, &command.operation, now)?),
    };
    Ok(Event {
        stream: command.stream.clone(),
        revision: standing.state.map_or(0, |state| state.revision().saturating_add(1)),
        id: command.id,
        recorded_at: now.recorded_at,
        body,
        origin: command.origin.clone(),
    })
}

/// Checks the fields of a command against each other, which needs neither the account nor the clock.
///
/// # Errors
/// Names the field that does not fit the others.
pub fn check_request(command: &Command) -> Result<(), Refusal> {
    match &command.operation {
        Operation::Reverse(asked) if command.id == asked.reverses => {
            let problem = "must not be the transaction's own ID".into();
            Err(Refusal::Invalid { field: "reverses", problem })
        }
        Operation::Correct(asked) if asked.corrects.iter().any(|id| command.id == *id) => {
            let problem = "must not name the transaction's own ID".into();
            Err(Refusal::Invalid { field: "corrects", problem })
        }
        Operation::Open(opening) => {
            let fitted = opening.overdraft_limit.fit(opening.currency);
            fitted.map(drop).map_err(Refusal::amount("overdraft_limit"))
        }
        Operation::Deposit(_)
        | Operation::Withdraw(_)
        | Operation::Reverse(_)
        | Operation::Correct(_)
        | Operation::Freeze(_)
        | Operation::Unfreeze(_)
        | Operation::Close(_)
        | Operation::SetOverdraftLimit(_) => Ok(()),
    }
}
