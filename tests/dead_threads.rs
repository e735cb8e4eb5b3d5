//! These tests let a thread panic. Nobody waits for ever, nobody is told that all is well, and a new process has
//! everything.

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bookonce::clerk::single::Alone;
use bookonce::domain::time::{Clock, system_clock};
use bookonce::ledger::{At, Ledger, Unavailable, Verdict, Workings};
use bookonce::store::draft::Draft;
use bookonce::store::{AppendError, Appends, CloseError};
use support::*;

/// A store that panics in the middle of an append when it is told to.
struct Mortal {
    inner: Box<dyn Appends>,
    dies: Arc<AtomicBool>,
}

impl Appends for Mortal {
    fn append(&mut self, draft: &Draft) -> Result<(), AppendError> {
        assert!(!self.dies.load(Ordering::SeqCst), "the store fell over");
        self.inner.append(draft)
    }

    fn close(self: Box<Self>) -> Result<(), CloseError> {
        self.inner.close()
    }
}

fn mortal_ledger(data: &Path, dies: &Arc<AtomicBool>, alone: Alone) -> Ledger {
    let dies = Arc::clone(dies);
    let appends = Box::new(move |inner| -> Box<dyn Appends> { Box::new(Mortal { inner, dies }) });
    Ledger::open_with(options(data, system_clock()), Workings { appends, alone, ..Workings::default() })
        .unwrap()
}

/// What the ledger says, which it must say at all.
async fn outcome(ledger: &Ledger, n: u128) -> Result<Vec<Verdict>, Unavailable> {
    let asked = ledger.execute(vec![deposit(n, "alice", "1.00")]);
    tokio::time::timeout(Duration::from_secs(120), asked).await.expect("it waits for ever")
}

async fn balance(data: &Path) -> String {
    let ledger = open_ledger(data).unwrap();
    let balance = ledger.account(&name("alice"), At::Now).await.unwrap().unwrap().balance.to_string();
    ledger.stop().unwrap();
    balance
}

/// Catches a clerk that dies with its store, and callers that wait for ever, whichever thread appends.
async fn a_store_that_dies_leaves_nobody_waiting() {
    for alone in [Alone::Appends, Alone::HandsOver] {
        let dir = tempfile::tempdir().unwrap();
        let dies = Arc::new(AtomicBool::new(false));
        let ledger = mortal_ledger(dir.path(), &dies, alone);
        ledger.execute(vec![open(1, "alice")]).await.unwrap();
        dies.store(true, Ordering::SeqCst);
        assert_eq!(outcome(&ledger, 2).await.unwrap_err(), Unavailable::OutcomeUnknown);
        assert_eq!(outcome(&ledger, 3).await.unwrap_err(), Unavailable::StoreUnavailable);
        assert!(!ledger.status().ready);
        ledger.stop().unwrap();
        drop(ledger);
        assert_eq!(balance(dir.path()).await, "0.00");
    }
}

#[tokio::test]
async fn a_store_that_dies_under_the_clerk_leaves_nobody_waiting() {
    a_store_that_dies_leaves_nobody_waiting().await;
}

/// On a runtime with several threads the caller's own thread appends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_dies_under_a_caller_leaves_nobody_waiting() {
    a_store_that_dies_leaves_nobody_waiting().await;
}

/// Catches a service that says that it is ready while nobody decides.
async fn a_desk_without_a_clerk_is_not_one_that_stops() {
    let dir = tempfile::tempdir().unwrap();
    let dies = Arc::new(AtomicBool::new(false));
    let (clock, there) = (system_clock(), Arc::clone(&dies));
    let mortal: Clock = Arc::new(move || {
        assert!(!there.load(Ordering::SeqCst), "the clock fell off the wall");
        clock()
    });
    let ledger = open_ledger_at(dir.path(), mortal).unwrap();
    ledger.execute(vec![open(1, "alice")]).await.unwrap();
    assert!(ledger.status().ready);
    dies.store(true, Ordering::SeqCst);
    assert_eq!(outcome(&ledger, 2).await.unwrap_err(), Unavailable::OutcomeUnknown);
    // The thread takes a moment to unwind; whoever comes in that moment hears the same.
    let mut again = Unavailable::OutcomeUnknown;
    while again == Unavailable::OutcomeUnknown {
        again = outcome(&ledger, 3).await.unwrap_err();
    }
    assert_eq!(again, Unavailable::StoreUnavailable);
    assert!(!ledger.status().ready);
    assert!(ledger.account(&name("alice"), At::Now).await.unwrap().is_some(), "reads go on");
    assert!(ledger.stop().is_err(), "an end like this is no clean one");
    drop(ledger);
    assert_eq!(balance(dir.path()).await, "0.00");
}

#[tokio::test]
async fn a_clerk_that_dies_is_no_clerk_that_stops() {
    a_desk_without_a_clerk_is_not_one_that_stops().await;
}

/// On a runtime with several threads the caller's own thread decides, and is what panics.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_panics_at_the_desk_ends_all_ruling() {
    a_desk_without_a_clerk_is_not_one_that_stops().await;
}
