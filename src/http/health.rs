//! Is it alive, and does it take commands? For machines that watch; no key is needed.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::App;
use super::problem::Problem;
use super::reads::json;

/// That it lives.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Health {
    /// `ok`
    status: &'static str,
}

/// The process lives and answers.
#[utoipa::path(get, path = "/healthz", tag = "service", security(()),
    responses((status = 200, body = Health, description = "It lives.")))]
pub(super) async fn healthz() -> Result<Response, Problem> {
    json(&Health { status: "ok" })
}

/// The ledger takes commands.
#[utoipa::path(get, path = "/readyz", tag = "service", security(()),
    responses((status = 200, body = Health, description = "It takes commands."),
        (status = 503, body = super::schema::Problem, content_type = "application/problem+json",
            description = "`not_ready`: it does not, and why.")))]
pub(super) async fn readyz(State(app): State<App>) -> Result<Response, Problem> {
    let status = app.ledger().status();
    if status.ready {
        return json(&Health { status: "ready" });
    }
    let detail = status.reason.unwrap_or("The ledger takes no commands.").to_owned();
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", "Not ready", detail))
}
