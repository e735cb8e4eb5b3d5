//! These tests hold long reads to their bounds: they have a pool of their own, their place is the work's and not the
//! request's, and work that nobody waits for ends.

mod support;

use std::sync::Arc;
use std::time::Duration;

use bookonce::domain::time::system_clock;
use bookonce::ledger::{At, Ledger, Options, ReadError as LedgerError, ReadLimits, Workings};
use bookonce::store::codec::Line;
use bookonce::store::{Journal, ReadError, Reader};
use parking_lot::{Condvar, Mutex};
use support::*;

/// A time after which something that should end at once hangs.
const HANGS: Duration = Duration::from_secs(120);

/// A gate that the reading of lines passes. Dropped, it stands open.
#[derive(Default)]
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    shut: bool,
    /// How many reads wait.
    waiting: usize,
    /// How many reads there were.
    reads: usize,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock();
        state.reads += 1;
        state.waiting += 1;
        self.changed.notify_all();
        while state.shut {
            self.changed.wait(&mut state);
        }
        state.waiting -= 1;
        self.changed.notify_all();
    }

    fn open(&self) {
        self.state.lock().shut = false;
        self.changed.notify_all();
    }
}

struct Gated {
    inner: Reader,
    gate: Arc<Gate>,
}

impl Journal for Gated {
    fn lines(&self, after: u64, limit: usize) -> Result<Vec<u8>, ReadError> {
        self.gate.pass();
        // A page has few lines, so that a journal of a few events has many pages.
        self.inner.lines(after, limit.min(2))
    }

    fn event(&self, position: u64) -> Result<Line, ReadError> {
        self.inner.event(position)
    }

    fn close(&self) {
        self.inner.close();
    }
}

/// The test's end of the gate, which is opened when the test ends, however it ends.
struct Keeper(Arc<Gate>);

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// A ledger with forty events, of which the reading of lines is behind a gate that is shut.
async fn gated(data: &std::path::Path) -> (Ledger, Keeper) {
    let gate = Arc::new(Gate::default());
    let there = Arc::clone(&gate);
    let journal = Box::new(move |inner| -> Reader { Arc::new(Gated { inner, gate: there }) });
    let workings = Workings { journal, ..Workings::default() };
    let ledger = Ledger::open_with(options(data, system_clock()), workings).unwrap();
    let deposits = (2..=40).map(|n| deposit(n, "alice", "1"));
    ledger.execute(std::iter::once(open(1, "alice")).chain(deposits).collect::<Vec<_>>()).await.unwrap();
    gate.state.lock().shut = true;
    (ledger, Keeper(gate))
}

/// Catches: long reads that are given up by their clients and hold, all together, every place of the ordinary ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_long_reads_that_were_given_up_are_in_nobodys_way() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, gate) = gated(dir.path()).await;
    for _ in 0..40 {
        let _given_up = tokio::time::timeout(Duration::from_millis(20), ledger.digest(Some(39))).await;
    }
    let ordinary = tokio::time::timeout(HANGS, ledger.account(&name("alice"), At::Now)).await;
    assert!(ordinary.expect("an ordinary read waits for long ones").unwrap().is_some());
    let reads = {
        let mut state = gate.0.state.lock();
        state.shut = false;
        gate.0.changed.notify_all();
        while state.waiting > 0 {
            gate.0.changed.wait(&mut state);
        }
        state.reads
    };
    assert!(reads <= 2, "{reads} reads were begun, and two may run at once");
}

/// Guards against: a third long read that runs beside two others, and one that waits for ever for a place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_finds_two_long_reads_running_is_told_that_the_ledger_is_busy() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, gate) = gated(dir.path()).await;
    let read = |ledger: Ledger| tokio::spawn(async move { ledger.digest(Some(39)).await });
    let running = [read(ledger.clone()), read(ledger.clone())];
    let both = Arc::clone(&gate.0);
    let begun = move || {
        let mut state = both.state.lock();
        while state.waiting < 2 {
            both.changed.wait(&mut state);
        }
    };
    tokio::task::spawn_blocking(begun).await.unwrap();
    let third = tokio::time::timeout(HANGS, ledger.digest(Some(39))).await.expect("it waits for ever");
    assert!(matches!(third, Err(LedgerError::Busy)), "{third:?}");
    gate.0.open();
    for read in running {
        assert_eq!(read.await.unwrap().unwrap().0, 39);
    }
}

/// Guards against: a long read that has no end.
#[tokio::test]
async fn a_long_read_ends_when_its_time_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let none = ReadLimits { long_within: Duration::ZERO, ..ReadLimits::default() };
    let ledger = Ledger::open(Options { reads: none, ..options(dir.path(), system_clock()) }).unwrap();
    ledger.execute(vec![open(1, "alice"), deposit(2, "alice", "1")]).await.unwrap();
    assert!(matches!(ledger.digest(Some(1)).await, Err(LedgerError::TooLong)));
    assert!(matches!(ledger.trial_balance(None).await, Err(LedgerError::TooLong)));
    let then = ledger.accounts(None, 9, At::Position(1)).await;
    assert!(matches!(then, Err(LedgerError::TooLong)));
    assert!(
        ledger.account(&name("alice"), At::Position(1)).await.unwrap().is_some(),
        "this is an ordinary read"
    );
    ledger.stop().unwrap();
}

/// Catches: sums that have an event in them which came after the position that was asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_for_a_position_never_has_a_later_event_in_it() {
    const EVENTS: u128 = 1_500;
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(options(dir.path(), system_clock())).unwrap();
    ledger.execute(vec![open(1, "alice")]).await.unwrap();
    let writer = ledger.clone();
    let writing = tokio::spawn(async move {
        for n in 2..=EVENTS {
            writer.execute(vec![deposit(n, "alice", "1")]).await.unwrap();
        }
    });
    while !writing.is_finished() {
        let asked = ledger.head().position;
        let (digest, trial) = tokio::join!(ledger.digest(Some(asked)), ledger.trial_balance(Some(asked)));
        assert_eq!((digest.unwrap().0, trial.unwrap().position), (asked, asked));
    }
    writing.await.unwrap();
    let head = ledger.head().position;
    let beyond = ledger.digest(Some(head + 1)).await;
    assert!(matches!(beyond, Err(LedgerError::BeyondHead { head: told }) if told == head), "{beyond:?}");
    ledger.stop().unwrap();
}
