//! The idle handler parses the same JSON as the service and does nothing with it, on plain `axum::serve`. It is the limit that
//! the ledger is compared with.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use tokio::net::TcpListener;

use crate::cli::out;
use crate::cli::outcome::{Error, Exit, Outcome};

/// A `Withdrawal` has the fields that a withdrawal may have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "they are parsed, and that is all")]
struct Withdrawal {
    transaction_id: String,
    amount: String,
    #[serde(default)]
    counter_account: Option<String>,
    #[serde(default)]
    effective_at: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

async fn withdraw(Json(_withdrawal): Json<Withdrawal>) -> impl IntoResponse {
    (StatusCode::CREATED, [(header::CONTENT_TYPE, "application/json")], r#"{"outcome":"accepted"}"#)
}

/// Serves the idle handler until the process is killed.
///
/// # Errors
/// Fails when no port can be had.
pub(crate) fn run() -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let app = Router::new().route("/v1/accounts/{account}/withdrawals", post(withdraw));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        out::line(format_args!("listening on http://{}", listener.local_addr()?))?;
        axum::serve(listener, app).await?;
        Ok::<_, Error>(Exit::Ok)
    })
}
