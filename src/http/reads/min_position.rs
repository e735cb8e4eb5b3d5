//! `min_position` is the parameter of every read that names the position which the read must have seen before it
//! answers.

use crate::http::app::App;
use crate::http::problem::code::Code;
use crate::http::problem::details::Problem;
use crate::http::request::query::Params;

/// This is the parameter's name.
const MIN_POSITION: &str = "min_position";

/// Waits until the ledger has `min_position`.
pub(crate) async fn wait(app: &App, params: &Params) -> Result<(), Problem> {
    let Some(wanted) = params.position(MIN_POSITION)? else { return Ok(()) };
    if app.ledger().head().position >= wanted {
        return Ok(());
    }
    let mut changes = app.ledger().changes();
    let reached = changes.wait_for(|head| head.position >= wanted);
    match tokio::time::timeout(app.config().read_wait, reached).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => {
            let detail = "The journal has not come to `min_position` in time.";
            Err(Problem::new(Code::PositionNotReached, detail))
        }
    }
}
