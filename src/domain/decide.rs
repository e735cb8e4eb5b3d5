//! The decision is a total function of what is asked, what the ledger knows, and the time.
//!
//! The checks have an order, and the first that fails makes the outcome. First come the refusals of what does not
//! exist, then those of fields that only the account or the clock can show to be wrong; then the recorded declines:
//! closed, frozen, prevented, the rest, funds last. Before all of them the clerk (`clerk::rule`) asks whether the ID
//! was seen: [`decide`] gets only an ID that is new to the ledger.

use super::account;
use super::command::{Capturing, Command, Operation, Releasing};
use super::delivery;
use super::event::{Body, Event};
use super::ids::{Id, Step};
use super::metadata::{Origin, SERVICE};
use super::state::State;
use super::stream::StreamName;
use super::time::{Now, Timestamp};
use super::transfer;

pub use super::refusal::Refusal;
pub use super::standing::Standing;

/// Decides one command.
///
/// # Errors
/// Returns a [`Refusal`]: the command is answered, and nothing is recorded.
pub fn decide(standing: Standing<'_>, command: &Command, now: impl Into<Now>) -> Result<Event, Refusal> {
    let now = now.into();
    check_request(command)?;
    let body = match (&command.stream, &command.operation) {
        (StreamName::Account(_), asked) => Body::Account(account::decide::decide(standing, asked, now)?),
        (StreamName::Transfer(_), Operation::Transfer(asked)) => {
            Body::Transfer(Box::new(transfer::decide::decide(standing, asked, now)?))
        }
        (StreamName::Delivery(_), Operation::Delivery(asked)) => {
            let state = standing.state.and_then(State::destination);
            let decided = delivery::decide::decide(state, asked);
            Body::Delivery(Box::new(decided.map_err(Refusal::Destination)?))
        }
        (StreamName::Letter(_), Operation::Letter(asked)) => match standing.state {
            None => Body::Letter(asked.clone()),
            Some(_) => return Err(Refusal::LetterExists),
        },
        (StreamName::Transfer(_) | StreamName::Delivery(_) | StreamName::Letter(_), _) => {
            return Err(Refusal::AccountNotFound);
        }
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

/// Returns the expiry of the hold that is due first in this state, recorded at this time; `None` where none is due. It is
/// booked before anything new is decided on the stream.
#[must_use]
pub fn due(state: &State, now: Timestamp) -> Option<Event> {
    let account = state.account()?;
    let (hold, body) = account::decide::due(account, now)?;
    let cause: Box<str> = hold.to_string().into();
    Some(Event {
        stream: state.stream(),
        revision: state.revision().saturating_add(1),
        id: Id::first_of(hold, Step::Expiry),
        recorded_at: now,
        body: Body::Account(body),
        origin: Origin { correlation: Some(cause.clone()), causation: Some(cause), actor: SERVICE.into() },
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
        Operation::Capture(Capturing { hold, .. }) | Operation::Release(Releasing { hold, .. })
            if command.id == *hold =>
        {
            let problem = "must not be the transaction's own ID".into();
            Err(Refusal::Invalid { field: "hold", problem })
        }
        Operation::Correct(asked) if asked.corrects.iter().any(|id| command.id == *id) => {
            let problem = "must not name the transaction's own ID".into();
            Err(Refusal::Invalid { field: "corrects", problem })
        }
        Operation::Open(opening) => {
            let fitted = opening.overdraft_limit.fit(opening.currency);
            fitted.map(drop).map_err(Refusal::amount("overdraft_limit"))
        }
        Operation::Transfer(asked) => transfer::check::check_request(asked),
        Operation::Letter(asked) if command.stream != StreamName::Letter(asked.letter()) => {
            Err(Refusal::Invalid { field: "message_id", problem: "is not that of the letter".into() })
        }
        Operation::Deposit(_)
        | Operation::Withdraw(_)
        | Operation::Reverse(_)
        | Operation::Capture(_)
        | Operation::Release(_)
        | Operation::Correct(_)
        | Operation::Freeze(_)
        | Operation::Unfreeze(_)
        | Operation::Close(_)
        | Operation::SetOverdraftLimit(_)
        | Operation::Hold(_)
        | Operation::Expire(_)
        | Operation::TransferHold(_)
        | Operation::TransferCredit(_)
        | Operation::RuleOut(_)
        | Operation::Delivery(_)
        | Operation::Letter(_) => Ok(()),
    }
}
