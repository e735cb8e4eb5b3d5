//! These tests hold what is certain of holds in a whole ledger, over either store: what expires while nobody looks, what is
//! left after a stop, a kill or a new index, and that an account has its thousand holds again.

#[path = "support/holds.rs"]
mod holds;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bookonce::domain::account::decline::Decline;
use bookonce::domain::account::event::AccountEvent;
use bookonce::domain::command::Command;
use bookonce::domain::decide::Refusal;
use bookonce::domain::event::Event;
use bookonce::domain::ids::{Id, Step};
use bookonce::domain::kind::Kind;
use bookonce::domain::time::{Clock, Timestamp};
use bookonce::ledger::{At, Ledger, OpenError, SearchQuery, Verdict};
use holds::*;
use support::*;

/// This is how long a test waits for what the service does of its own accord.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

/// A clock that a test sets.
#[derive(Clone)]
struct Time(Arc<AtomicI64>);

impl Time {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_795_226_400_000_000)))
    }

    fn clock(&self) -> Clock {
        let micros = Arc::clone(&self.0);
        Arc::new(move || Timestamp::from_micros(micros.load(Ordering::SeqCst)))
    }

    fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

async fn booked(ledger: &Ledger, command: Command) -> Arc<Event> {
    match ledger.execute(vec![command]).await.unwrap().remove(0) {
        Verdict::Booked(event, _) | Verdict::Replayed(event, _) => event,
        other => panic!("{other:?}"),
    }
}

async fn told(ledger: &Ledger, command: Command) -> Option<Decline> {
    booked(ledger, command).await.account().and_then(AccountEvent::decline)
}

async fn held(ledger: &Ledger) -> String {
    ledger.account(&name("alice"), At::Now).await.unwrap().unwrap().held.to_string()
}

/// Waits until the service has booked so many expiries of its own accord.
async fn expired(ledger: &Ledger, count: usize) -> Vec<Arc<Event>> {
    let query = SearchQuery { kind: Some(Kind::Expiry), limit: 1_000, ..SearchQuery::default() };
    let begun = std::time::Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "waited too long for {count} expiries");
        let found = ledger.search(query.clone()).await.unwrap();
        if found.len() >= count {
            assert_eq!(found.len(), count, "more expired than was due");
            return found.into_iter().rev().map(|placed| placed.event).collect();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn rich(ledger: &Ledger, amount: &str) {
    booked(ledger, open(1, "alice")).await;
    booked(ledger, deposit(2, "alice", amount)).await;
}

/// Seen failing with an index that kept no timer in its files: the holds stayed open for ever. Guards against: one that
/// expires twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_expires_while_the_service_is_stopped_is_booked_after_its_start() {
    let (dir, time) = (tempfile::tempdir().unwrap(), Time::new());
    let ledger = open_ledger_at(dir.path(), time.clock()).unwrap();
    rich(&ledger, "100").await;
    for (n, seconds) in [(10, 3_600), (11, 60), (12, 120)] {
        booked(&ledger, hold_for(n, "alice", "10", seconds)).await;
    }
    assert_eq!(held(&ledger).await, "30.00");
    store::stop(&ledger);
    drop(ledger);
    time.pass(600);
    let ledger = open_ledger_at(dir.path(), time.clock()).unwrap();
    let expiries = expired(&ledger, 2).await;
    let ids: Vec<Id> = expiries.iter().map(|event| event.id).collect();
    assert_eq!(ids, [step(11, Step::Expiry), step(12, Step::Expiry)], "oldest first");
    assert_eq!(held(&ledger).await, "10.00");
    assert_eq!(ledger.status().open_holds, 1);
    assert_eq!(told(&ledger, capture(20, "alice", 11, None)).await, Some(Decline::HoldExpired));
    assert_eq!(told(&ledger, capture(21, "alice", 10, None)).await, None);
    store::stop(&ledger);
}

/// Guards against: a decision on a hold that is past its time, whoever is first.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_expires_before_a_command_and_before_a_refusal_and_not_before_a_retry() {
    let (dir, time) = (tempfile::tempdir().unwrap(), Time::new());
    let ledger = open_ledger_at(dir.path(), time.clock()).unwrap();
    rich(&ledger, "100").await;
    booked(&ledger, hold_for(10, "alice", "40", 60)).await;
    let before = ledger.head().position;
    time.pass(60);
    // A retry books nothing itself, though the service may book the expiry at any time by now.
    let again = ledger.execute(vec![deposit(2, "alice", "100")]).await.unwrap().remove(0);
    assert!(matches!(again, Verdict::Replayed(..)), "{again:?}");
    let refused = ledger.execute(vec![capture(20, "alice", 99, None)]).await.unwrap().remove(0);
    assert!(matches!(refused, Verdict::Refused(Refusal::HoldNotFound)), "{refused:?}");
    let expiry = expired(&ledger, 1).await.remove(0);
    assert!(expiry.revision == 3 && ledger.head().position > before);
    let withdrawn = booked(&ledger, withdraw(21, "alice", "100")).await;
    assert_eq!((withdrawn.revision, withdrawn.is_declined()), (4, false));
    store::stop(&ledger);
}

/// Seen failing with an account's row that kept 999 of its holds.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_open_holds_are_there_after_a_stop_a_kill_and_a_new_index() {
    let (dir, time) = (tempfile::tempdir().unwrap(), Time::new());
    let mut ledger = open_ledger_at(dir.path(), time.clock()).unwrap();
    rich(&ledger, "2000").await;
    let holds: Vec<Command> =
        (0..1_000).map(|n| hold_for(1_000 + n, "alice", "1", 600 + u64::try_from(n).unwrap())).collect();
    let verdicts = ledger.execute(holds).await.unwrap();
    assert!(
        verdicts.iter().all(|verdict| matches!(verdict, Verdict::Booked(event, _) if !event.is_declined()))
    );
    for (restart, n) in [(0, 20), (1, 21), (2, 22)] {
        assert_eq!(told(&ledger, hold(n, "alice", "1")).await, Some(Decline::TooManyHolds));
        let digest = ledger.digest(None).await.unwrap();
        if restart != 1 {
            store::stop(&ledger);
        }
        drop(ledger);
        if restart == 2 {
            Ledger::forget_index(dir.path(), false).unwrap();
        }
        ledger = reopened(&dir, &time).await;
        assert_eq!(ledger.digest(None).await.unwrap(), digest);
        assert_eq!((held(&ledger).await.as_str(), ledger.status().open_holds), ("1000.00", 1_000));
    }
    let page = ledger.open_holds(&name("alice"), None, 1_000).await.unwrap().unwrap();
    assert_eq!((page.holds.len(), page.more), (1_000, false));
    // The service books them all by itself, one after the other.
    time.pass(599 + 1_000);
    let expiries = expired(&ledger, 1_000).await;
    let revisions: Vec<u64> = expiries.iter().map(|event| event.revision).collect();
    assert!(revisions.is_sorted());
    assert_eq!((held(&ledger).await.as_str(), ledger.status().open_holds), ("0.00", 0));
    store::stop(&ledger);
}

/// Guards against: an expiry that is told as booked and is not, where a ledger is lost in the middle of many.
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_lost_while_it_books_expiries_goes_on_with_them() {
    let (dir, time) = (tempfile::tempdir().unwrap(), Time::new());
    let ledger = open_ledger_at(dir.path(), time.clock()).unwrap();
    let accounts: Vec<String> = (0..200).map(|n| format!("account-{n}")).collect();
    let mut commands = Vec::new();
    for (n, account) in (0..).zip(&accounts) {
        commands.push(open_with(10_000 + n, account, "EUR", "10"));
        commands.push(hold_for(20_000 + n, account, "5", 60));
    }
    ledger.execute(commands).await.unwrap();
    time.pass(61);
    expired_some(&ledger).await;
    drop(ledger);
    let ledger = reopened(&dir, &time).await;
    expired(&ledger, 200).await;
    assert_eq!(ledger.status().open_holds, 0);
    store::stop(&ledger);
}

/// Opens a ledger again that was dropped, when the thread that books expiries has let go of it, too.
async fn reopened(dir: &tempfile::TempDir, time: &Time) -> Ledger {
    loop {
        match open_ledger_at(dir.path(), time.clock()) {
            Ok(ledger) => return ledger,
            Err(OpenError::Store(_)) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Waits until at least one expiry is booked.
async fn expired_some(ledger: &Ledger) {
    let query = SearchQuery { kind: Some(Kind::Expiry), limit: 1, ..SearchQuery::default() };
    loop {
        match ledger.search(query.clone()).await {
            Ok(found) if !found.is_empty() => return,
            Ok(_) => tokio::time::sleep(std::time::Duration::from_millis(1)).await,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Guards against: one ID for a hold and for something else.
#[tokio::test(flavor = "multi_thread")]
async fn a_holds_id_is_used_once_in_the_ledger() {
    let (dir, time) = (tempfile::tempdir().unwrap(), Time::new());
    let ledger = open_ledger_at(dir.path(), time.clock()).unwrap();
    rich(&ledger, "100").await;
    booked(&ledger, open(3, "bob")).await;
    booked(&ledger, hold(10, "alice", "40")).await;
    for command in [
        deposit(10, "alice", "40"),
        hold(10, "bob", "40"),
        hold_for(10, "alice", "40", 61),
        hold(10, "alice", "41"),
    ] {
        let verdict = ledger.execute(vec![command]).await.unwrap().remove(0);
        assert!(
            matches!(&verdict, Verdict::Reused { differences, .. } if !differences.is_empty()),
            "{verdict:?}"
        );
    }
    let again = ledger.execute(vec![hold(10, "alice", "40.00")]).await.unwrap().remove(0);
    assert!(matches!(again, Verdict::Replayed(..)));
    // The service's own IDs are answered as any other, and a second expiry of one hold is the first.
    time.pass(60);
    let expiry = expired(&ledger, 1).await.remove(0);
    let verdict = ledger.execute(vec![expire(10, "alice")]).await.unwrap().remove(0);
    assert!(matches!(&verdict, Verdict::Replayed(event, _) if event.id == expiry.id), "{verdict:?}");
    let none = ledger.execute(vec![expire(77, "alice")]).await;
    assert!(matches!(none.as_deref(), Ok([Verdict::Refused(Refusal::NotDue)])), "{none:?}");
    store::stop(&ledger);
}
