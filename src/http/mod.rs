//! HTTP is the way in and out: requests become commands, events become answers. This page is the whole route table.
//!
//! It knows the ledger's handle and the keys; it must not know stores, threads or files. Up the way are clients. Down the
//! way is [`crate::ledger`]. A withdrawal comes through [`server`] (the socket, and what holds for all requests),
//! [`request`] (who calls, the body) and [`crate::wire`] (its fields), is passed on by [`writes`], and its answer is
//! rendered by [`crate::answers`].

mod access;
mod app;
mod byte_budget;
mod long_answer;
mod openapi;
mod problem;
mod reads;
mod reply;
mod request;
mod server;
mod service;
mod writes;

use axum::Router;
use axum::routing::{get, post};
use utoipa::OpenApi;

pub use app::{App, Config};
pub use server::limits::Limits;
pub use server::outer_layer::guarded;
pub use server::serve::serve;
pub use server::tls;

use openapi::{document, page};
use reads::transfers as read_transfers;
use reads::{accounts, destinations, holds, journal, live, reports, statement, transactions};
use service::{front, health, metrics};
use writes::destinations as act_on_destinations;
use writes::{batch, single, transfers};

/// Makes the service of all routes.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/v1/accounts", post(single::open).get(accounts::list))
        .route("/v1/accounts/{account}", get(accounts::one))
        .route("/v1/accounts/{account}/entries", get(statement::statement))
        .route("/v1/accounts/{account}/deposits", post(single::deposit))
        .route("/v1/accounts/{account}/withdrawals", post(single::withdraw))
        .route("/v1/accounts/{account}/reversals", post(single::reverse))
        .route("/v1/accounts/{account}/holds", post(single::hold).get(holds::list))
        .route("/v1/accounts/{account}/holds/{hold}", get(holds::one))
        .route("/v1/accounts/{account}/holds/{hold}/capture", post(single::capture))
        .route("/v1/accounts/{account}/holds/{hold}/release", post(single::release))
        .route("/v1/accounts/{account}/corrections", post(single::correct))
        .route("/v1/accounts/{account}/overdraft-limit", post(single::limit))
        .route("/v1/accounts/{account}/freeze", post(single::freeze))
        .route("/v1/accounts/{account}/unfreeze", post(single::unfreeze))
        .route("/v1/accounts/{account}/close", post(single::close))
        .route("/v1/transfers", post(transfers::request).get(read_transfers::list))
        .route("/v1/transfers/{transfer}", get(read_transfers::one))
        .route("/v1/transfers/{transfer}/cancel", post(transfers::cancel))
        .route("/v1/transfers/{transfer}/outcome", post(transfers::outcome))
        .route("/v1/transfers/{transfer}/retry", post(transfers::retry))
        .route("/v1/transfers/{transfer}/abandon", post(transfers::abandon))
        .route("/v1/destinations", get(destinations::list))
        .route("/v1/destinations/{name}", get(destinations::one))
        .route("/v1/destinations/{name}/parked", get(destinations::parked))
        .route("/v1/destinations/{name}/pause", post(act_on_destinations::pause))
        .route("/v1/destinations/{name}/resume", post(act_on_destinations::resume))
        .route("/v1/destinations/{name}/test", post(act_on_destinations::test))
        .route("/v1/batch", post(batch::batch))
        .route("/v1/transactions", get(transactions::search))
        .route("/v1/transactions/{id}", get(transactions::one))
        .route("/v1/journal", get(journal::journal))
        .route("/v1/journal/head", get(journal::head))
        .route("/v1/journal/live", get(live::live))
        .route("/v1/trial-balance", get(reports::trial_balance))
        .route("/v1/digest", get(reports::digest))
        .route("/", get(front::front))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .with_state(app.clone())
        .merge(page::routes(document::Document::openapi()));
    guarded(&app, routes)
}
