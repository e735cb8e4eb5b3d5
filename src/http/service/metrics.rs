//! This handler shows the figures of the service to Prometheus, at `/metrics`.

use axum::extract::{Request, State};
use axum::response::Response;

use crate::http::app::App;
use crate::http::openapi::responses;
use crate::http::problem::details::Problem;
use crate::http::reply::bytes_of;
use crate::http::request::caller::Caller;
use crate::http::request::negotiate;
use crate::http::request::query::Params;
use crate::http::service::deliveries_now::standings;
use crate::http::service::exposition::{OPEN_METRICS, OPEN_METRICS_SHOWN, PLAIN, PLAIN_SHOWN, plain};
use crate::http::service::transfer_figures::Standing;

/// The figures, as Prometheus reads them.
#[utoipa::path(get, path = "/metrics", operation_id = "get_metrics", tag = "service", security(("key" = [])),
    responses((status = 200, description = "Figures in Prometheus' text form, or as OpenMetrics.",
        content((String = "text/plain"), (String = "application/openmetrics-text"))), responses::ReadProblems))]
pub(crate) async fn metrics(
    State(app): State<App>,
    _caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    Params::none(request.uri().query())?;
    let form = negotiate::choose(request.headers(), &[PLAIN, OPEN_METRICS])?;
    // While the ledger can't be read, the figures of transfers stay as they were.
    if let Ok(open) = app.ledger().open_transfers_that(|transfer| Some(Standing::from(transfer))).await {
        app.figures().transfers().show(&app.sagas().counts(), &open, app.ledger().now());
    }
    app.figures().deliveries().show(&standings(&app).await);
    let text = app.figures().text(app.ledger(), app.keys());
    let text = text.map_err(|error| Problem::internal("the figures could not be written", &error))?;
    if form == OPEN_METRICS {
        return Ok(bytes_of(OPEN_METRICS_SHOWN, text));
    }
    Ok(bytes_of(PLAIN_SHOWN, plain(&text)))
}
