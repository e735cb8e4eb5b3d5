//! The figures are what the service counts, in a registry of its own, so that several services can live in one process.
//!
//! A request finds its counters by the route's text. The set of labels is made once for each route, method and status.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use parking_lot::RwLock;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::commit_times::CommitTimes;
use super::delivery_figures::DeliveryFigures;
use super::numbers::{count, size};
use super::sign_ins::SignIns;
use super::transfer_figures::TransferFigures;
use crate::domain::account::decline::Decline;
use crate::domain::transfer::decline::TransferDecline;
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
    counters: [Counter; 3],
    lag_seconds: Gauge<f64, AtomicU64>,
    expiry_lag_seconds: Gauge<f64, AtomicU64>,
    commit_times: CommitTimes,
    replays: Counter,
    declines: Vec<(&'static str, Counter)>,
    keys_unreadable: Gauge,
    transfers: TransferFigures,
    deliveries: DeliveryFigures,
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
    ("bookonce_index_not_flushed_events", "Events in the index and not in its files yet", |_, s| {
        size(s.index_not_flushed)
    }),
    ("bookonce_queue_depth", "Commands that wait for the clerk", |_, status| size(status.queue_depth)),
    ("bookonce_index_memory_bytes", "Memory that the index takes", |_, status| size(status.index_bytes)),
    (
        "bookonce_disk_free_bytes",
        "Room that is left on the disk of the data folder; -1 when that can't be learnt",
        |_, s| s.disk_free.map_or(-1, count),
    ),
    (
        "bookonce_store_unresolved_appends",
        "Appends of which nobody knows whether the store took them",
        |_, status| size(status.unresolved_appends),
    ),
    (
        "bookonce_store_accounts_in_use",
        "Accounts that are in memory, where each has a task of its own",
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
    ("bookonce_holds_open", "Holds that are open", |_, status| count(status.open_holds)),
    ("bookonce_transfers_paused", "1 while no transfer is driven, and no new one is taken", |ledger, _| {
        i64::from(ledger.is_paused())
    }),
];

/// A `Count` is a function that reads what a counter has come to.
type Count = fn(&Status) -> u64;

/// These are the counters that the ledger counts, in the order of [`Figures::counters`]: name, help, and what each has come
/// to.
const COUNTERS: [(&str, &str, Count); 3] = [
    ("bookonce_commits", "Durable commits since the start", |status| status.done.commits),
    ("bookonce_events", "Events recorded since the start", |status| status.done.events),
    (
        "bookonce_unreadable_commands",
        "Commands for which something that they rest on could not be read",
        |status| status.unreadable,
    ),
];

impl Figures {
    pub(crate) fn new(sign_ins: &SignIns, transfer_seconds: &Histogram) -> Self {
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
        let counters = COUNTERS.map(|(name, help, _)| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        });
        let lag_seconds = Gauge::default();
        let about =
            "How long the oldest event that the index has not taken in has been in the store at least";
        registry.register("bookonce_index_lag_seconds", about, lag_seconds.clone());
        let expiry_lag_seconds = Gauge::default();
        let about =
            "How long the oldest expiry of a hold or deadline of a transfer has been due that is not booked";
        registry.register("bookonce_expiry_lag_seconds", about, expiry_lag_seconds.clone());
        let commit_times = CommitTimes::default();
        let about = "How long a commit takes until it is durable";
        registry.register("bookonce_commit_seconds", about, commit_times.clone());
        let replays = Counter::default();
        registry.register("bookonce_replays", "First answers that were given again", replays.clone());
        let declined = Family::<Vec<(&str, &str)>, Counter>::default();
        let codes = Decline::CODES.into_iter().chain(TransferDecline::OWN_CODES);
        let declines =
            codes.map(|code| (code, declined.get_or_create(&vec![("code", code)]).clone())).collect();
        registry.register("bookonce_declines", "Declines that were recorded, by their code", declined);
        let build = Family::<Vec<(&str, &str)>, Gauge>::default();
        build.get_or_create(&vec![("version", env!("CARGO_PKG_VERSION"))]).set(1);
        registry.register("bookonce_build_info", "1 for the version that runs", build);
        let about = "Requests that were refused for want of a good key";
        registry.register("bookonce_failed_sign_ins", about, sign_ins.counters());
        let keys_unreadable = Gauge::default();
        let about = "1 while the keys in effect may not be those on disk";
        registry.register("bookonce_keys_unreadable", about, keys_unreadable.clone());
        let transfers = TransferFigures::new(&mut registry, transfer_seconds);
        let deliveries = DeliveryFigures::new(&mut registry);
        Self {
            registry,
            routes: RwLock::default(),
            requests,
            seconds,
            damaged,
            not_ready,
            gauges,
            counters,
            lag_seconds,
            expiry_lag_seconds,
            commit_times,
            replays,
            declines,
            keys_unreadable,
            transfers,
            deliveries,
        }
    }

    /// Returns the figures of transfers.
    pub(crate) fn transfers(&self) -> &TransferFigures {
        &self.transfers
    }

    /// Returns the figures of messages.
    pub(crate) fn deliveries(&self) -> &DeliveryFigures {
        &self.deliveries
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

    /// Counts the answer to a command: whether it was given before, and the code of its decline where it is one.
    pub(crate) fn ruled(&self, replayed: bool, decline: Option<&'static str>) {
        if replayed {
            self.replays.inc();
        } else if let Some((_, counter)) =
            decline.and_then(|code| self.declines.iter().find(|(known, _)| *known == code))
        {
            counter.inc();
        }
    }

    /// Returns all figures in the OpenMetrics text format, with the gauges as the ledger and its keys stand now.
    pub(crate) fn text(&self, ledger: &Ledger, keys: &Ring) -> Result<String, std::fmt::Error> {
        let status = ledger.status();
        self.keys_unreadable.set(i64::from(keys.trouble().is_some()));
        for (gauge, (_, _, look)) in self.gauges.iter().zip(GAUGES) {
            gauge.set(look(ledger, &status));
        }
        for (counter, (_, _, look)) in self.counters.iter().zip(COUNTERS) {
            let now = look(&status);
            counter.inc_by(now.saturating_sub(counter.get()));
        }
        self.lag_seconds.set(status.index_lag.as_secs_f64());
        self.expiry_lag_seconds.set(status.expiry_lag.as_secs_f64());
        self.commit_times.set(status.done);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use crate::domain::delivery::name::DestinationName;
    use crate::http::service::exposition::plain;

    const BEGIN: &str = "<!-- made of the service's figures: a test holds it to them -->\n";
    const END: &str = "<!-- end of the figures -->\n";

    /// The name, the kind and the help of every figure.
    fn described() -> Vec<[String; 3]> {
        let sign_ins = SignIns::default();
        let figures = Figures::new(&sign_ins, &Histogram::new([1.0]));
        // A figure that has labels is shown from the first of them on.
        sign_ins.failed(crate::keys::ring::Refused::Wrong, None, None);
        figures.answered("/", &Method::GET, StatusCode::OK, Duration::ZERO);
        figures.damaged.get_or_create(&vec![("account", "alice".to_owned())]).set(1);
        figures.not_ready.get_or_create(&vec![("cause", "upgrade".to_owned())]).set(1);
        figures.transfers.called_once();
        figures.deliveries.show(&[(DestinationName::parse("crm").unwrap(), None)]);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &figures.registry).unwrap();
        let text = plain(&text);
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("# ")).collect();
        let pairs = lines.chunks(2).map(|pair| {
            let (name, help) = pair[0].strip_prefix("# HELP ").unwrap().split_once(' ').unwrap();
            let (same, kind) = pair[1].strip_prefix("# TYPE ").unwrap().split_once(' ').unwrap();
            assert_eq!(name, same);
            [name.to_owned(), kind.to_owned(), help.to_owned()]
        });
        let mut all: Vec<_> = pairs.collect();
        all.sort();
        all
    }

    fn document(name: &str) -> String {
        std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    #[test]
    fn the_table_for_operators_has_every_figure() {
        let mut table = String::from("| figure | kind | what it is |\n|---|---|---|\n");
        for [name, kind, help] in described() {
            table.push_str(&format!("| `{name}` | {kind} | {help} |\n"));
        }
        let document = document("docs/operations.md");
        let (_, rest) = document.split_once(BEGIN).expect("the table's begin");
        let (shown, _) = rest.split_once(END).expect("the table's end");
        assert_eq!(shown, table, "docs/operations.md is to have this table:\n{table}");
    }

    /// Seen failing with `bookonce_http_requests`.
    #[test]
    fn every_figure_that_a_document_names_exists() {
        let known: BTreeSet<String> = described().into_iter().map(|[name, ..]| name).collect();
        for name in [
            "README.md",
            "docs/operations.md",
            "docs/cluster.md",
            "docs/clients.md",
            "docs/format.md",
            "docs/messages.md",
        ] {
            let text = document(name);
            for rest in text.split("`bookonce_").skip(1) {
                let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap();
                let figure = format!("bookonce_{}", &rest[..end]);
                assert!(known.contains(&figure), "{name} names {figure}");
            }
        }
    }

    /// These are the figures whose names every consumer of messages has, whatever program it is in.
    const OF_CONSUMERS: [&str; 5] = [
        "consumed_messages_total",
        "consumer_lag",
        "expected_consumer",
        "failed_messages_total",
        "last_processed_timestamp_seconds",
    ];

    /// The rules are those of Prometheus for names. Guards against a gauge that only grows, as `bookonce_commits` was, and
    /// against milliseconds.
    #[test]
    fn names_are_as_prometheus_wants_them() {
        for [name, kind, help] in described() {
            let parts: Vec<&str> = name.split('_').collect();
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            let is_own = parts.first() == Some(&"bookonce");
            assert!(is_own || OF_CONSUMERS.contains(&name.as_str()), "{name}");
            assert_eq!(parts.last() == Some(&"total"), kind == "counter", "{name} is a {kind}");
            assert!(
                help.len() > 8 && !help.to_lowercase().contains("since the start") || kind == "counter",
                "{name}"
            );
            for wrong in [
                "milliseconds",
                "microseconds",
                "minutes",
                "kilobytes",
                "ms",
                "us",
                "kb",
                "mb",
                kind.as_str(),
            ] {
                assert!(!parts.contains(&wrong), "{name} has {wrong}");
            }
            for suffix in ["count", "sum", "bucket", "created"] {
                assert_ne!(parts.last(), Some(&suffix), "{name}");
            }
            let has_unit = ["seconds", "bytes"].iter().any(|unit| parts.contains(unit));
            assert!(kind != "histogram" || has_unit, "{name} has no unit");
        }
    }
}
