//! These figures tell of messages: for each destination of the settings how it is served by this process, and what is left to
//! send.
//!
//! The names without `bookonce_` are those that every consumer of messages has, whatever program it is in; the label `consumer`
//! says which one. What is counted is counted by this process, since it was started.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::numbers::{count, seconds, size};
use crate::domain::delivery::name::DestinationName;
use crate::domain::time::Timestamp;

/// These are what an attempt can come to, as [`DeliveryStanding::attempts`] names it.
const CAME_TO: [&str; 4] = ["delivered", "http_status", "no_answer", "blocked_address"];

/// A gauge that shows seconds.
type Seconds = Gauge<f64, AtomicU64>;

/// A `Consumer` is the label of figures that every consumer of messages has.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Consumer {
    consumer: String,
}

/// A `To` is the label of figures of a destination.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct To {
    destination: String,
}

/// A `CameTo` has the labels of attempts to deliver to a destination.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CameTo {
    destination: String,
    class: &'static str,
}

/// A `DeliveryStanding` is what the figures need of a destination of the settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeliveryStanding {
    /// This is true where somebody should serve it: it is neither paused nor held.
    pub(crate) is_expected: bool,
    /// This is true where nothing is sent from this folder before an operator says so.
    pub(crate) is_held: bool,
    /// This is true where this process serves it and it fails as a whole.
    pub(crate) is_down: bool,
    /// These are the finished attempts, by what came of them.
    pub(crate) attempts: Vec<(&'static str, u64)>,
    /// This is when the last of them ended.
    pub(crate) last_attempt_at: Option<Timestamp>,
    /// This is how many messages were given up because nobody knows whether they were sent.
    pub(crate) unconfirmed: u64,
    /// This is how many events are after the position up to which everything is settled.
    pub(crate) lag: u64,
    /// This is how many messages are parked.
    pub(crate) parked: usize,
    /// This is how many accounts wait behind one.
    pub(crate) held_accounts: usize,
    /// This is for how many seconds the event of the oldest parked message has been recorded.
    pub(crate) oldest_parked_seconds: f64,
    /// This is the term of who serves it.
    pub(crate) term: u64,
}

/// The `DeliveryFigures` are the figures of messages.
#[derive(Debug, Default)]
pub(crate) struct DeliveryFigures {
    consumed: Family<Consumer, Counter>,
    failed: Family<Consumer, Counter>,
    last_processed: Family<Consumer, Seconds>,
    expected: Family<Consumer, Gauge>,
    lag: Family<Consumer, Gauge>,
    attempts: Family<CameTo, Counter>,
    unconfirmed: Family<To, Counter>,
    parked: Family<To, Gauge>,
    held_accounts: Family<To, Gauge>,
    oldest_parked: Family<To, Seconds>,
    breaker_open: Family<To, Gauge>,
    term: Family<To, Gauge>,
    held: Gauge,
}

impl DeliveryFigures {
    /// Makes them, and registers them.
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let it = Self::default();
        let about = "Attempts to deliver a message that are over, whatever came of them";
        registry.register("consumed_messages", about, it.consumed.clone());
        let about = "Attempts to deliver a message that came to nothing";
        registry.register("failed_messages", about, it.failed.clone());
        let about = "When an attempt to deliver a message was over last, in Unix time; 0 for never";
        registry.register("last_processed_timestamp_seconds", about, it.last_processed.clone());
        let about = "1 for a consumer that should be at work: it is neither paused nor held";
        registry.register("expected_consumer", about, it.expected.clone());
        let about =
            "Events that the consumer has not settled; as many as can be where that takes long to count";
        registry.register("consumer_lag", about, it.lag.clone());
        let about = "Attempts to deliver a message, by what came of them";
        registry.register("bookonce_delivery_attempts", about, it.attempts.clone());
        let about = "Messages given up because nobody knows whether they were sent";
        registry.register("bookonce_delivery_unconfirmed", about, it.unconfirmed.clone());
        let about = "Messages that have failed and wait for their next attempt";
        registry.register("bookonce_delivery_parked", about, it.parked.clone());
        let about = "Accounts of which later messages wait behind a parked one";
        registry.register("bookonce_delivery_held_accounts", about, it.held_accounts.clone());
        let about = "How long the event of the oldest parked message has been recorded";
        registry.register("bookonce_delivery_oldest_parked_seconds", about, it.oldest_parked.clone());
        let about = "1 while the destination fails as a whole: one message at a time is tried";
        registry.register("bookonce_delivery_breaker_open", about, it.breaker_open.clone());
        let about = "The term of who serves the destination";
        registry.register("bookonce_delivery_term", about, it.term.clone());
        let about = "Destinations to which nothing is sent from here until an operator resumes them";
        registry.register("bookonce_messages_held", about, it.held.clone());
        it
    }

    /// Sets them to how the destinations of the settings stand now. One of which that can't be learnt now has no standing: its
    /// figures stay as they were, and are 0 the first time.
    pub(crate) fn show(&self, all: &[(DestinationName, Option<DeliveryStanding>)]) {
        let held = all.iter().filter(|(_, stands)| stands.as_ref().is_some_and(|it| it.is_held)).count();
        self.held.set(size(held));
        for (name, stands) in all {
            self.show_one(name.as_str(), stands.as_ref());
        }
    }

    fn show_one(&self, name: &str, stands: Option<&DeliveryStanding>) {
        let consumer = Consumer { consumer: format!("destination:{name}") };
        let to = To { destination: name.to_owned() };
        let of = |class| {
            let came_to = |(known, count): &(&str, u64)| (*known == class).then_some(*count);
            stands.and_then(|it| it.attempts.iter().find_map(came_to)).unwrap_or_default()
        };
        for class in CAME_TO {
            let labels = CameTo { destination: name.to_owned(), class };
            grow(&self.attempts.get_or_create(&labels), of(class));
        }
        let counts = || stands.into_iter().flat_map(|it| &it.attempts);
        grow(&self.consumed.get_or_create(&consumer), counts().map(|(_, count)| count).sum());
        let failed = counts().filter(|(class, _)| *class != "delivered").map(|(_, count)| count).sum();
        grow(&self.failed.get_or_create(&consumer), failed);
        grow(&self.unconfirmed.get_or_create(&to), stands.map_or(0, |it| it.unconfirmed));
        let last = self.last_processed.get_or_create(&consumer);
        let (expected, lag) = (self.expected.get_or_create(&consumer), self.lag.get_or_create(&consumer));
        let (parked, held) = (self.parked.get_or_create(&to), self.held_accounts.get_or_create(&to));
        let (oldest, open) = (self.oldest_parked.get_or_create(&to), self.breaker_open.get_or_create(&to));
        let term = self.term.get_or_create(&to);
        let Some(it) = stands else { return };
        last.set(it.last_attempt_at.map_or(0.0, |at| seconds(at.micros())));
        expected.set(it.is_expected.into());
        lag.set(count(it.lag));
        parked.set(size(it.parked));
        held.set(size(it.held_accounts));
        oldest.set(it.oldest_parked_seconds);
        open.set(it.is_down.into());
        term.set(count(it.term));
    }
}

/// Lets a counter come to a number. It never goes back.
fn grow(counter: &Counter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}
