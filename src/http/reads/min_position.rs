//! A read can wait until the journal has come to a position: to `min_position`, the parameter of every read, which it must
//! have seen before it answers, or to the position after which a reader goes on.

use std::time::Duration;

use crate::http::app::App;
use crate::http::problem::code::Code;
use crate::http::problem::details::Problem;
use crate::http::request::query::Params;
use crate::ledger::Position;

/// This is the parameter's name.
const MIN_POSITION: &str = "min_position";

/// Waits until the ledger has `min_position`.
pub(crate) async fn wait(app: &App, params: &Params) -> Result<(), Problem> {
    let Some(wanted) = params.position(MIN_POSITION)? else { return Ok(()) };
    if reaches(app, wanted, app.config().read_wait).await {
        return Ok(());
    }
    let detail = "The journal has not come to `min_position` in time.";
    Err(Problem::new(Code::PositionNotReached, detail))
}

/// This is how long another instance's event may take to come here.
const LAG: Duration = Duration::from_secs(1);

/// Makes sure that a reader can go on after this position: an event is there, or it is 0. One that the journal has not come to
/// is waited for, but not longer than [`LAG`], because another instance may have told it; then it is refused, so that nobody
/// waits in silence for what a position of another ledger would never bring.
pub(crate) async fn goes_on_after(app: &App, position: Position) -> Result<(), Problem> {
    if reaches(app, position, LAG).await {
        return Ok(app.ledger().known_position(position).await?);
    }
    let detail = "The journal ends before this position; `nearest` is its last one.";
    Err(Problem::new(Code::UnknownPosition, detail).with("nearest", app.ledger().head().position))
}

/// Says whether the journal comes to a position in this time, or while a read may wait for one.
async fn reaches(app: &App, position: Position, within: Duration) -> bool {
    if app.ledger().head().position >= position {
        return true;
    }
    let mut changes = app.ledger().changes();
    let reached = changes.wait_for(|head| head.position >= position);
    matches!(tokio::time::timeout(within.min(app.config().read_wait), reached).await, Ok(Ok(_)))
}
