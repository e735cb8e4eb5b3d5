//! The way in and out: requests become commands, events become answers. This page is the whole route table.
//!
//! Knows the ledger's facade and the keys; nothing of stores, threads or files. Up the way: clients. Down the way:
//! [`crate::ledger`]. A withdrawal comes through [`server`] (the socket, and what holds for all requests), [`writes`],
//! [`request`] (who calls, the body, its fields), and its answer leaves by [`crate::answers`].

mod openapi;
mod problem;
mod reads;
mod request;
mod response_budget;
mod server;
mod service;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use utoipa::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

pub use problem::details::Problem;
pub use server::outer_layer::guarded;
pub use server::serve::{Limits, serve};
pub use server::tls;

use crate::keys::Ring;
use crate::ledger::Ledger;

use openapi::document;
use reads::{accounts, journal, live, reports, statement, transactions};
use request::caller;
use service::{health, metrics};
use writes::{batch, single};

/// What the service may be told about its answers. Its sockets have [`Limits`].
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// So long a write waits for its answer before it is told 409 `in_progress`.
    pub write_wait: Duration,
    /// So long a read waits for the position that it asked for.
    pub read_wait: Duration,
    /// So long a body may take to come.
    pub body_within: Duration,
    /// So often the live feed says that it is still there.
    pub heartbeat: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            write_wait: Duration::from_secs(10),
            read_wait: Duration::from_secs(5),
            body_within: Duration::from_secs(9),
            heartbeat: Duration::from_secs(15),
        }
    }
}

/// What every handler knows. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    ledger: Ledger,
    keys: Ring,
    config: Config,
    metrics: metrics::Metrics,
    scale: response_budget::Scale,
}

impl App {
    /// A service over this ledger, for the holders of these keys.
    #[must_use]
    pub fn new(ledger: Ledger, keys: Ring, config: Config) -> Self {
        let (metrics, scale) = (metrics::Metrics::new(), response_budget::Scale::default());
        Self(Arc::new(Inner { ledger, keys, config, metrics, scale }))
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &Ring {
        &self.0.keys
    }

    fn metrics(&self) -> &metrics::Metrics {
        &self.0.metrics
    }

    fn scale(&self) -> &response_budget::Scale {
        &self.0.scale
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }
}

/// All routes.
pub fn router(app: App) -> Router {
    let docs = Router::from(SwaggerUi::new("/docs").url("/openapi.json", document::Document::openapi()))
        .layer(from_fn_with_state(app.clone(), caller::required));
    let routes = Router::new()
        .route("/v1/accounts", post(single::open).get(accounts::list))
        .route("/v1/accounts/{account}", get(accounts::one))
        .route("/v1/accounts/{account}/entries", get(statement::statement))
        .route("/v1/accounts/{account}/deposits", post(single::deposit))
        .route("/v1/accounts/{account}/withdrawals", post(single::withdraw))
        .route("/v1/accounts/{account}/reversals", post(single::reverse))
        .route("/v1/accounts/{account}/overdraft-limit", post(single::limit))
        .route("/v1/accounts/{account}/freeze", post(single::freeze))
        .route("/v1/accounts/{account}/unfreeze", post(single::unfreeze))
        .route("/v1/accounts/{account}/close", post(single::close))
        .route("/v1/batch", post(batch::batch))
        .route("/v1/transactions", get(transactions::search))
        .route("/v1/transactions/{id}", get(transactions::one))
        .route("/v1/journal", get(journal::journal))
        .route("/v1/journal/head", get(journal::head))
        .route("/v1/journal/live", get(live::live))
        .route("/v1/trial-balance", get(reports::trial_balance))
        .route("/v1/digest", get(reports::digest))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .with_state(app.clone())
        .merge(docs);
    guarded(&app, routes)
}
