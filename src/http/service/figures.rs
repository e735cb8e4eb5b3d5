//! The figures are what the service counts, in a registry of its own, so that several services can live in one process.
//!
//! A request finds its counters by the route's text. The set of labels is made once for each route, method and status.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use parking_lot::RwLock;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::sign_ins::SignIns;
use crate::keys::Ring;
use crate::ledger::{Ledger, Status};

type Labels = Vec<(&'static str, String)>;

/// `Figures` are the service's figures.
#[derive(Debug)]
pub(crate) struct Figures {
    registry: Registry,
    routes: RwLock<HashMap<String, Arc<Route>>>,
    requests: Family<Labels, Counter>,
    seconds: Family<Labels, Histogram, fn() -> Histogram>,
    damaged: Family<Labels, Gauge>,
    not_ready: Family<Labels, Gauge>,
    gauges: [Gauge; 14],
    keys_unreadable: Gauge,
}

/// A `Route` has the figures of one route.
#[derive(Debug)]
struct Route {
    answers: RwLock<Vec<(Method, StatusCode, Counter)>>,
    seconds: Histogram,
}

/// This is how many damaged accounts are named at most. Their number is always told.
const MOST_NAMED: usize = 100;

/// A `Look` is a function that reads what a gauge shows.
type Look = fn(&Ledger, &Status) -> i64;

/// These are the gauges, in the order of [`Figures::gauges`]: name, help, and what each shows.
const GAUGES: [(&str, &str, Look); 14] = [
    ("bookonce_ready", "1 while commands are taken", |_, status| i64::from(status.ready)),
    ("bookonce_position", "The position of the last durable event", |ledger, _| {
        count(ledger.head().position)
    }),
    ("bookonce_index_lag_events", "Events in the store that the index has not taken in, about", |_, s| {
        size(s.index_lag_events)
    }),
    (
        "bookonce_index_lag_milliseconds",
        "How long the oldest of them has been in the store at least",
        |_, s| i64::try_from(s.index_lag.as_millis()).unwrap_or(i64::MAX),
    ),
    ("bookonce_index_not_flushed_events", "Events in the index and not in its files yet", |_, s| {
        size(s.index_not_flushed)
    }),
    ("bookonce_queue_depth", "Commands that wait for the clerk", |_, status| size(status.queue_depth)),
    ("bookonce_index_memory_bytes", "Memory that the index takes", |_, status| size(status.index_bytes)),
    ("bookonce_commits", "Durable commits since the start", |_, status| count(status.commits)),
    ("bookonce_events", "Events recorded since the start", |_, status| count(status.events)),
    (
        "bookonce_store_unresolved_appends",
        "Appends of which nobody knows whether the store took them",
        |_, status| size(status.unresolved_appends),
    ),
    (
        "bookonce_store_accounts_in_use",
        "Accounts that are in memory, where each has a clerk of its own",
        |_, status| size(status.accounts_in_use),
    ),
    ("bookonce_store_damaged_accounts", "Accounts whose stream is damaged", |_, s| size(s.damaged_accounts)),
    ("bookonce_store_missing_events", "Events that the store lacks and the index never had", |_, s| {
        count(s.missing_events)
    }),
    (
        "bookonce_transaction_ids_on_two_accounts",
        "IDs that two instances recorded on two accounts at once",
        |_, status| size(status.ids_on_two_accounts),
    ),
];

fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn size(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Figures {
    pub(crate) fn new(sign_ins: &SignIns) -> Self {
        let mut registry = Registry::default();
        let requests = Family::default();
        registry.register("bookonce_http_requests", "Requests answered", requests.clone());
        let histogram: fn() -> Histogram = || Histogram::new(exponential_buckets(0.000_1, 2.0, 18));
        let seconds = Family::new_with_constructor(histogram);
        registry.register("bookonce_http_seconds", "From head to answer", seconds.clone());
        let damaged = Family::default();
        registry.register(
            "bookonce_store_damaged",
            "1 for an account whose stream is damaged",
            damaged.clone(),
        );
        let not_ready = Family::default();
        registry.register(
            "bookonce_not_ready",
            "1 for the cause for which it is not ready",
            not_ready.clone(),
        );
        let gauges = GAUGES.map(|(name, help, _)| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        });
        let about = "Requests that were refused for want of a good key";
        registry.register("bookonce_failed_sign_ins", about, sign_ins.counters());
        let keys_unreadable = Gauge::default();
        let about = "1 while the keys in effect may not be those on disk";
        registry.register("bookonce_keys_unreadable", about, keys_unreadable.clone());
        Self {
            registry,
            routes: RwLock::default(),
            requests,
            seconds,
            damaged,
            not_ready,
            gauges,
            keys_unreadable,
        }
    }

    /// Counts one answer.
    pub(crate) fn answered(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let known = self.routes.read().get(route).cloned();
        let figures = known.unwrap_or_else(|| {
            let seconds = self.seconds.get_or_create(&vec![("route", route.to_owned())]).clone();
            let fresh = || Arc::new(Route { answers: RwLock::default(), seconds });
            Arc::clone(self.routes.write().entry(route.to_owned()).or_insert_with(fresh))
        });
        figures.seconds.observe(took.as_secs_f64());
        let same = |(m, s, _): &&(Method, StatusCode, Counter)| *s == status && m == method;
        if let Some((_, _, counter)) = figures.answers.read().iter().find(same) {
            counter.inc();
            return;
        }
        let shown = if is_usual(method) { method.as_str() } else { "other" };
        let labels = vec![
            ("route", route.to_owned()),
            ("method", shown.to_owned()),
            ("status", status.as_u16().to_string()),
        ];
        let counter = self.requests.get_or_create(&labels).clone();
        counter.inc();
        if is_usual(method) {
            figures.answers.write().push((method.clone(), status, counter));
        }
    }

    /// Returns all figures in the OpenMetrics text format, with the gauges as the ledger and its keys stand now.
    pub(crate) fn text(&self, ledger: &Ledger, keys: &Ring) -> Result<String, std::fmt::Error> {
        let status = ledger.status();
        self.keys_unreadable.set(i64::from(keys.trouble().is_some()));
        for (gauge, (_, _, look)) in self.gauges.iter().zip(GAUGES) {
            gauge.set(look(ledger, &status));
        }
        self.damaged.clear();
        for account in ledger.damaged_accounts(MOST_NAMED) {
            self.damaged.get_or_create(&vec![("account", account.to_string())]).set(1);
        }
        self.not_ready.clear();
        if let Some(kind) = status.kind {
            self.not_ready.get_or_create(&vec![("cause", kind.to_owned())]).set(1);
        }
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Says whether a route may have this method. Others are made up by clients, and a counter for each would fill the
/// memory.
fn is_usual(method: &Method) -> bool {
    [Method::GET, Method::POST, Method::HEAD, Method::OPTIONS].contains(method)
}
