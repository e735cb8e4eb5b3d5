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
#[utoipa::path(get, path = "/healthz", operation_id = "get_health", tag = "service", security(()),
    responses((status = 200, body = Health, description = "It lives.")))]
pub(crate) async fn healthz() -> Result<Response, Problem> {
    json(&Health { status: "ok" })
}

/// The ledger takes commands.
#[utoipa::path(get, path = "/readyz", operation_id = "get_readiness", tag = "service", security(()),
    responses((status = 200, body = Health, description = "It takes commands."),
        responses::NotReady))]
pub(crate) async fn readyz(State(app): State<App>) -> Result<Response, Problem> {
    match trouble(&app) {
        None => json(&Health { status: "ready" }),
        Some(trouble) => Err(Problem::new(Code::NotReady, trouble)),
    }
}

/// Returns why the ledger takes no commands; nothing when it takes them.
pub(crate) fn trouble(app: &App) -> Option<String> {
    let status = app.ledger().status();
    if status.ready {
        return app.keys().trouble().map(Into::into);
    }
    let reason = status.reason.unwrap_or("The ledger takes no commands.");
    let cause = app.ledger().cause().map(|cause| format!(" {cause}")).unwrap_or_default();
    Some(format!("{reason}{cause}"))
}
