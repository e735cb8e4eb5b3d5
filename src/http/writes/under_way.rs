//! A request for a transfer needs a place among those under way, and its answer says where the end is read.

use axum::http::HeaderValue;
use axum::http::header::LOCATION;
use axum::response::Response;

use crate::domain::command::{Command, Operation};
use crate::domain::ids::Id;
use crate::domain::transfer::command::TransferOperation;
use crate::http::app::App;
use crate::http::problem::code::Code;
use crate::http::problem::details::Problem;
use crate::sagas::Admitted;

/// Says whether a command asks for a transfer between accounts, of which only so many are driven at once.
fn is_between_accounts(command: &Command) -> bool {
    matches!(&command.operation, Operation::Transfer(TransferOperation::Request(asked)) if asked.to.account().is_some())
}

/// Says whether a command asks for a transfer.
pub(crate) fn is_request(command: &Command) -> bool {
    matches!(command.operation, Operation::Transfer(TransferOperation::Request(_)))
}

/// Takes a place among the transfers under way for a command that asks for one; none for any other command, nor for one whose
/// ID was booked before.
///
/// # Errors
/// Fails with a 503 when transfers are paused, too many are under way, or the ledger can't say whether the ID was booked.
pub(crate) async fn place_for(
    is_request: bool,
    command: &Command,
    app: &App,
) -> Result<Option<Admitted>, Problem> {
    if !is_request {
        return Ok(None);
    }
    let is_paused = app.ledger().is_paused();
    if !is_paused && !is_between_accounts(command) {
        return Ok(None);
    }
    if !is_paused && let Some(place) = app.sagas().admit().await {
        return Ok(Some(place));
    }
    let booked = app.ledger().transaction(command.id).await?;
    if booked.is_some_and(|history| history.first.is_some()) {
        return Ok(None);
    }
    if is_paused {
        let detail = "Transfers are paused: an operator lets the service go on with them.";
        return Err(Problem::new(Code::TransfersPaused, detail));
    }
    Err(Problem::new(Code::Overloaded, "As many transfers are under way as can be driven at once."))
}

/// Says in the answer to the request for a transfer where its end is read.
pub(crate) fn locate(id: Id, response: &mut Response) {
    if let Ok(location) = HeaderValue::try_from(format!("/v1/transfers/{id}")) {
        response.headers_mut().insert(LOCATION, location);
    }
}
