//! These tests ask how an account stood by when things happened in the world, and hold the answer to a sum over all its
//! events, and its cost to a bound.

#[path = "support/counting.rs"]
mod counting;
mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use bookonce::domain::time::{Clock, Timestamp};
use bookonce::index::Tuning;
use bookonce::ledger::{At, Ledger, ReadLimits, Workings};
use bookonce::store::Reader;
use counting::Counting;
use proptest::prelude::*;
use support::*;

/// A small index: a few events make several files and many rows.
const SMALL: Tuning = Tuning {
    flush_at: 16,
    flush_after: Duration::from_secs(3_600),
    most_behind: 64,
    lowest: 16,
    fan_in: 2,
    rows_together: 8,
    parts_at_start: 2,
};

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 1_440 * MINUTE;
/// The moment of the first event: 2026-01-01.
const START: i64 = 20_454 * DAY;

/// A clock that stands where it is put.
#[derive(Clone)]
struct Hand(Arc<AtomicI64>);

impl Hand {
    fn at(micros: i64) -> Self {
        Self(Arc::new(AtomicI64::new(micros)))
    }

    fn clock(&self) -> Clock {
        let there = Arc::clone(&self.0);
        Arc::new(move || Timestamp::from_micros(there.load(Ordering::SeqCst)))
    }

    fn go_on(&self, micros: i64) -> i64 {
        self.0.fetch_add(micros, Ordering::SeqCst) + micros
    }
}

fn opened(data: &Path, hand: &Hand, events: &Arc<AtomicUsize>) -> Ledger {
    let events = Arc::clone(events);
    let journal = Box::new(move |inner| -> Reader { Arc::new(Counting { inner, events }) });
    // No long read is let in, so that a read that is one fails.
    let reads = ReadLimits { long_at_once: 0, long_wait: Duration::ZERO, ..ReadLimits::default() };
    let options = bookonce::ledger::Options { reads, ..options(data, hand.clock()) };
    Ledger::open_with(options, Workings { index: SMALL, journal, ..Workings::default() }).unwrap()
}

/// An event as the test knows it: when it happened, when it was recorded, and by how many cents it changed the balance.
#[derive(Clone, Copy, Debug)]
struct Known {
    happened: i64,
    recorded: i64,
    cents: i64,
}

/// Returns the balance in cents and the last revision that counts, by a sum over all events.
fn summed(events: &[Known], moment: i64, known: i64) -> Option<(i64, u64)> {
    let counts = |event: &&Known| event.happened <= moment && event.recorded <= known;
    let cents = events.iter().filter(counts).map(|event| event.cents).sum();
    let in_view = |event: &Known| event.recorded <= known && event.happened.min(event.recorded) <= moment;
    let last = events.iter().rposition(in_view)?;
    let any = events.iter().any(|event| counts(&event) || (event.recorded <= moment.min(known)));
    any.then_some((cents, last as u64))
}

async fn told(ledger: &Ledger, at: At) -> Option<(i64, u64)> {
    let found = ledger.account(&name("alice"), at).await.unwrap()?;
    let cents: i64 = found.balance.to_string().replace('.', "").parse().unwrap();
    Some((cents, found.revision))
}

/// By how much an event is dated back: not at all, or by minutes up to years.
fn lag() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![
        1 => Just(None),
        2 => (0..90 * MINUTE).prop_map(Some),
        2 => (0..40 * DAY).prop_map(Some),
        1 => (0..20_000 * DAY).prop_map(Some),
        1 => Just(Some(DAY)),
    ]
}

fn events() -> impl Strategy<Value = Vec<(i64, Option<i64>, i64, bool)>> {
    let step = prop_oneof![Just(0), 0..50 * MINUTE, 0..9 * DAY];
    proptest::collection::vec((step, lag(), 1..5_000_i64, any::<bool>()), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 8,
        max_shrink_iters: 20,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Catches: an event that counts twice or not at all where what is in memory, what is in the files and what is read of the
    /// journal meet. Seen failing with a span that is left out of a sum.
    #[test]
    fn it_is_the_sum_of_what_had_happened(events in events(), restart in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let (dir, hand, read) = (tempfile::tempdir().unwrap(), Hand::at(START), Arc::default());
            let mut ledger = opened(dir.path(), &hand, &read);
            ledger.execute(vec![open_with(1, "alice", "EUR", "1000000")]).await.unwrap();
            let mut known = vec![Known { happened: START, recorded: START, cents: 0 }];
            for (n, (step, lag, cents, into)) in (2..).zip(events) {
                let recorded = hand.go_on(step);
                let happened = lag.map_or(recorded, |lag| recorded - lag);
                let amount = format!("{}.{:02}", cents / 100, cents % 100);
                let command = if into { deposit(n, "alice", &amount) } else { withdraw(n, "alice", &amount) };
                let command = match lag {
                    Some(_) => dated(command, Timestamp::from_micros(happened)),
                    None => command,
                };
                ledger.execute(vec![command]).await.unwrap();
                known.push(Known { happened, recorded, cents: if into { cents } else { -cents } });
                if restart && n % 25 == 0 {
                    ledger.stop().unwrap();
                    drop(ledger);
                    ledger = opened(dir.path(), &hand, &read);
                }
            }
            let edges = known.iter().flat_map(|event| [event.happened, event.recorded, event.happened >> 32 << 32]);
            let end = hand.go_on(0);
            let edges: Vec<i64> = edges.flat_map(|at| [at - 1, at, at + 1]).chain([end + DAY]).collect();
            for (nth, at) in edges.iter().enumerate() {
                let moment = Timestamp::from_micros(*at);
                let there = told(&ledger, At::Effective(moment)).await;
                assert_eq!(there, summed(&known, *at, i64::MAX), "as of {moment}");
                if nth % 4 != 0 {
                    continue;
                }
                let also = edges[nth * 7 % edges.len()];
                let both = At::Both { effective: moment, known: Timestamp::from_micros(also) };
                assert_eq!(told(&ledger, both).await, summed(&known, *at, also), "as of {moment}, known at {also}");
            }
            ledger.stop().unwrap();
        });
    }
}

/// Seen failing while each backdated event of the account was read.
#[tokio::test]
async fn it_reads_a_page_of_events_however_many_were_dated_back() {
    let (dir, hand, read) = (tempfile::tempdir().unwrap(), Hand::at(START), Arc::<AtomicUsize>::default());
    let ledger = opened(dir.path(), &hand, &read);
    ledger.execute(vec![open(1, "alice")]).await.unwrap();
    const DAYS: u128 = 60;
    // A bank's file comes each night: 50 lines of the day before.
    for day in 0..DAYS {
        hand.go_on(DAY);
        let lines = (0..50).map(|n| {
            let at = START + i64::try_from(day).unwrap() * DAY + i64::try_from(n).unwrap() * 20 * MINUTE;
            dated(deposit(2 + day * 50 + n, "alice", "1"), Timestamp::from_micros(at))
        });
        ledger.execute(lines.collect::<Vec<_>>()).await.unwrap();
    }
    for (moment, balance) in
        [(START + 30 * DAY - 1, 150_000), (START + 30 * DAY, 150_100), (START + 61 * DAY, 300_000)]
    {
        let before = read.load(Ordering::SeqCst);
        let there = told(&ledger, At::Effective(Timestamp::from_micros(moment))).await;
        assert_eq!(there.map(|(cents, _)| cents), Some(balance));
        let events = read.load(Ordering::SeqCst) - before;
        assert!(events < 70, "{events} events of 3,000 were read");
    }
    ledger.stop().unwrap();
}
