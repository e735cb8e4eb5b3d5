//! These handlers say whether the service lives, and whether it takes commands.
//!
//! They are for machines that watch it; no key is needed.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use crate::http::app::App;
use crate::http::openapi::responses;
use crate::http::problem::code::Code;
use crate::http::problem::details::Problem;
use crate::http::reply::json;

/// That it lives.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Health {
    /// `ok`
    status: &'static str,
}

/// The process lives and answers.
#[utoipa::path(get, path = "/healthz", tag = "service", security(()),
    responses((status = 200, body = Health, description = "It lives.")))]
pub(crate) async fn healthz() -> Result<Response, Problem> {
    json(&Health { status: "ok" })
}

/// The ledger takes commands.
#[utoipa::path(get, path = "/readyz", tag = "service", security(()),
    responses((status = 200, body = Health, description = "It takes commands."),
        responses::NotReady))]
pub(crate) async fn readyz(State(app): State<App>) -> Result<Response, Problem> {
    let status = app.ledger().status();
    match (status.ready, app.keys().trouble()) {
        (true, None) => json(&Health { status: "ready" }),
        (true, Some(trouble)) => Err(Problem::new(Code::NotReady, trouble)),
        (false, _) => {
            let reason = status.reason.unwrap_or("The ledger takes no commands.");
            let cause = app.ledger().cause().map(|cause| format!(" {cause}")).unwrap_or_default();
            Err(Problem::new(Code::NotReady, format!("{reason}{cause}")))
        }
    }
}
