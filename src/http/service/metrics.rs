//! What is counted, in a registry of the service's own, so that several services can live in one process.
//!
//! A request finds its counters by the route's text, without making a label set: that is done once a route and status.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use parking_lot::RwLock;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::http::App;
use crate::http::openapi::document;
use crate::http::problem::details::Problem;
use crate::http::request::caller::Caller;
use crate::http::request::query::Params;

type Labels = Vec<(&'static str, String)>;

/// The service's figures.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    routes: RwLock<HashMap<String, Arc<Route>>>,
    requests: Family<Labels, Counter>,
    seconds: Family<Labels, Histogram, fn() -> Histogram>,
    damaged: Family<Labels, Gauge>,
    gauges: [Gauge; 11],
}

/// The figures of one route.
#[derive(Debug)]
struct Route {
    answers: RwLock<Vec<(Method, StatusCode, Counter)>>,
    seconds: Histogram,
}

/// So many damaged accounts are named. Their number is always told.
const MOST_NAMED: usize = 100;

/// The gauges, in the order of [`Metrics::gauges`].
const GAUGES: [(&str, &str); 11] = [
    ("bookonce_ready", "1 while commands are taken"),
    ("bookonce_position", "The position of the last durable event"),
    ("bookonce_index_lag_events", "Events that the index has not taken in"),
    ("bookonce_queue_depth", "Commands that wait for the clerk"),
    ("bookonce_index_memory_bytes", "Memory that the index takes"),
    ("bookonce_commits", "Durable commits since the start"),
    ("bookonce_events", "Events recorded since the start"),
    ("bookonce_store_unresolved_appends", "Appends of which nobody knows whether the store took them"),
    ("bookonce_store_accounts_in_use", "Accounts that are in memory, where each has a clerk of its own"),
    ("bookonce_store_damaged_accounts", "Accounts whose stream is damaged"),
    ("bookonce_transaction_ids_on_two_accounts", "IDs that two instances recorded on two accounts at once"),
];

impl Metrics {
    pub(crate) fn new() -> Self {
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
        let gauges = GAUGES.map(|(name, help)| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        });
        Self { registry, routes: RwLock::default(), requests, seconds, damaged, gauges }
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
}

/// Is it one of the methods that a route may have? Others are made up by clients, and would fill the memory.
fn is_usual(method: &Method) -> bool {
    [Method::GET, Method::POST, Method::HEAD, Method::OPTIONS].contains(method)
}

/// The figures, as Prometheus reads them.
#[utoipa::path(get, path = "/metrics", tag = "service", security(("key" = [])),
    responses((status = 200, description = "Figures in the OpenMetrics text format.", body = String,
        content_type = "application/openmetrics-text"), document::ReadProblems))]
pub(crate) async fn metrics(
    State(app): State<App>,
    _caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    Params::none(request.uri().query())?;
    let metrics = app.metrics();
    let status = app.ledger().status();
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let size = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
    let now = [
        i64::from(status.ready),
        number(app.ledger().head().position),
        size(status.index_lag_events),
        size(status.queue_depth),
        size(status.index_bytes),
        number(status.commits),
        number(status.events),
        size(status.unresolved_appends),
        size(status.accounts_in_use),
        size(status.damaged_accounts),
        size(status.ids_on_two_accounts),
    ];
    for (gauge, value) in metrics.gauges.iter().zip(now) {
        gauge.set(value);
    }
    metrics.damaged.clear();
    for account in app.ledger().damaged_accounts(MOST_NAMED) {
        metrics.damaged.get_or_create(&vec![("account", account.to_string())]).set(1);
    }
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &metrics.registry)
        .map_err(|error| Problem::internal("the figures could not be written", &error))?;
    let mut response = Response::new(Body::from(text));
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    Ok(response)
}
