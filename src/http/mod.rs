//! The way in and out: requests become commands, events become answers. This page is the whole route table.
//!
//! Knows the ledger's facade and the keys; nothing of stores, threads or files. Up the way: clients. Down the way:
//! [`crate::ledger`]. A withdrawal comes through [`serve`] (the socket), [`guard`] (what holds for all requests),
//! [`auth`], [`writes`], [`body`], [`requests`], and its answer leaves by [`crate::answers`].

mod accept;
mod accounts;
pub mod auth;
pub mod body;
mod cursor;
mod diagnose;
pub mod fields;
mod guard;
mod metrics;
mod openapi;
mod pace;
mod path;
mod problem;
mod query;
mod reads;
mod requests;
pub mod serve;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};

pub use guard::guarded;
pub use problem::Problem;
pub use serve::{Limits, serve};

use crate::keys::Ring;
use crate::ledger::Ledger;

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
}

impl App {
    /// A service over this ledger, for the holders of these keys.
    #[must_use]
    pub fn new(ledger: Ledger, keys: Ring, config: Config) -> Self {
        Self(Arc::new(Inner { ledger, keys, config, metrics: metrics::Metrics::new() }))
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

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }
}

/// All routes.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/v1/accounts", post(writes::open).get(accounts::list))
        .route("/v1/accounts/{account}", get(accounts::one))
        .route("/v1/accounts/{account}/deposits", post(writes::deposit))
        .route("/v1/accounts/{account}/withdrawals", post(writes::withdraw))
        .route("/v1/accounts/{account}/reversals", post(writes::reverse))
        .route("/v1/accounts/{account}/overdraft-limit", post(writes::limit))
        .route("/v1/accounts/{account}/freeze", post(writes::freeze))
        .route("/v1/accounts/{account}/unfreeze", post(writes::unfreeze))
        .route("/v1/accounts/{account}/close", post(writes::close))
        .route("/metrics", get(metrics::metrics))
        .with_state(app.clone());
    guarded(&app, routes)
}
