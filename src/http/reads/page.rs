//! What all reads have in common: they wait for a position, and answer in JSON.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use crate::http::App;
use crate::http::problem::details::Problem;
use crate::http::request::query::Params;

/// Every read's parameter: the position that it must have seen.
pub(crate) const MIN_POSITION: &str = "min_position";

/// A page of a list.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Page<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// What `cursor` takes to go on; null at the end.
    pub(crate) next: Option<String>,
}

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
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Err(Problem::new(status, "position_not_reached", "Position not reached", detail))
        }
    }
}

/// 200 with this as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<Response, Problem> {
    let bytes = serde_json::to_vec(value)
        .map_err(|error| Problem::internal("an answer could not be written", &error))?;
    Ok(bytes_of(crate::http::request::negotiate::JSON, bytes))
}

/// 200 with these bytes.
pub(crate) fn bytes_of(media_type: &'static str, bytes: impl Into<Body>) -> Response {
    let mut response = Response::new(bytes.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
