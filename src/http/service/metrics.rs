//! This handler shows the figures of the service to Prometheus, at `/metrics`.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;

use crate::http::app::App;
use crate::http::openapi::responses;
use crate::http::problem::details::Problem;
use crate::http::request::caller::Caller;
use crate::http::request::query::Params;

/// The figures, as Prometheus reads them.
#[utoipa::path(get, path = "/metrics", operation_id = "get_metrics", tag = "service", security(("key" = [])),
    responses((status = 200, description = "Figures in the OpenMetrics text format.", body = String,
        content_type = "application/openmetrics-text"), responses::ReadProblems))]
pub(crate) async fn metrics(
    State(app): State<App>,
    _caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    Params::none(request.uri().query())?;
    let text = app.figures().text(app.ledger(), app.keys());
    let text = text.map_err(|error| Problem::internal("the figures could not be written", &error))?;
    let mut response = Response::new(Body::from(text));
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    Ok(response)
}
