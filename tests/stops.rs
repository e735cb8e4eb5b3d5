//! These tests stop the driver of a transfer at every append of every way to an end. An append fails and is tried again; or the
//! process dies before the append, or after it and before the driver is told. Then the same driver goes on, or another, or two.
//!
//! The points have the names of the steps. A stop before a step is sent is a stop after the append before it, so that these are
//! all points there are: between two appends a driver changes nothing. However it went, the journal has every event once, and
//! every step that is asked for again is answered as it was. Seen failing with an attempt that grows after an outcome which
//! nobody could tell.

#[path = "support/faulty.rs"]
mod faulty;
#[path = "support/holds.rs"]
mod holds;
mod support;
#[path = "support/transfers.rs"]
mod transfers;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use bookonce::domain::command::{Command, Stopped};
use bookonce::domain::time::{Clock, Timestamp};
use bookonce::domain::transfer::stage::Stage;
use bookonce::ledger::{At, Ledger, Verdict, Workings};
use bookonce::sagas::{self, Sagas};
use faulty::{Fate, Faults};
use support::*;
use tokio::runtime::Runtime;
use transfers::*;

/// The transfer that is driven.
const T: u128 = 100;
/// It must have ended after this time.
const PATIENCE: Duration = Duration::from_secs(120);

/// A `Way` is a way of a transfer of 40.00 to its end: what was recorded before the driver begins, the driver's appends by
/// name, and where it leads.
struct Way {
    to: &'static str,
    amount: &'static str,
    /// What others record of it before the driver begins.
    before: Vec<Command>,
    /// How many seconds pass before the driver begins.
    later: i64,
    /// The driver's appends: the name of each, and the command that it is.
    steps: Vec<(&'static str, Command)>,
    end: Stage,
    /// What alice and bob have then.
    balances: [&'static str; 2],
}

fn between(to: &'static str, amount: &'static str) -> Between<'static> {
    Between { of: T, from: "alice", to, amount }
}

impl Way {
    fn new(to: &'static str, amount: &'static str, end: Stage) -> Self {
        let balances = ["100.00", "10.00"];
        Self { to, amount, before: Vec::new(), later: 0, steps: Vec::new(), end, balances }
    }

    fn moves() -> Self {
        let it = between("bob", "40.00");
        Self {
            steps: vec![
                ("hold", it.hold()),
                ("credit", it.credit()),
                ("capture", it.capture()),
                ("end", completed(T, 0)),
            ],
            balances: ["60.00", "50.00"],
            ..Self::new("bob", "40.00", Stage::Completed)
        }
    }

    fn is_not_covered() -> Self {
        let it = between("bob", "100.01");
        Self {
            steps: vec![("hold", it.hold()), ("end", declined(T, "insufficient_funds", 0))],
            ..Self::new("bob", "100.01", Stage::Declined)
        }
    }

    fn is_not_taken() -> Self {
        let it = between("carol", "40.00");
        Self {
            steps: vec![
                ("hold", it.hold()),
                ("credit", it.credit()),
                ("release", it.release()),
                ("end", compensated(T, "account_closed", 0)),
            ],
            ..Self::new("carol", "40.00", Stage::Compensated)
        }
    }

    /// It is cancelled before anything is held.
    fn is_cancelled() -> Self {
        let it = between("bob", "40.00");
        Self {
            before: vec![cancel(20, T)],
            steps: vec![
                ("rule-out", it.rule_out(Stopped::Cancelled)),
                ("release", it.release()),
                ("end", cancelled(T, 1)),
            ],
            ..Self::new("bob", "40.00", Stage::Cancelled)
        }
    }

    /// Its driver has gone after the hold, and its deadline has passed.
    fn is_late() -> Self {
        let it = between("bob", "40.00");
        Self {
            before: vec![it.hold()],
            later: 61,
            // The driver asks for the hold first, which is a replay: that is no append.
            steps: vec![
                ("timeout", time_out(T)),
                ("rule-out", it.rule_out(Stopped::TimedOut)),
                ("release", it.release()),
                ("end", too_late(T, 1)),
            ],
            ..Self::new("bob", "40.00", Stage::Compensated)
        }
    }

    /// It is cancelled when the credit is booked: it goes on forward.
    fn is_cancelled_too_late() -> Self {
        let it = between("bob", "40.00");
        Self {
            before: vec![it.hold(), it.credit(), cancel(20, T)],
            steps: vec![("capture", it.capture()), ("end", completed(T, 1))],
            balances: ["60.00", "50.00"],
            ..Self::new("bob", "40.00", Stage::Completed)
        }
    }
}

/// A `Life` is a process: a runtime, a ledger over a store that can fail, and the drivers.
struct Life {
    runtime: Runtime,
    ledger: Ledger,
    sagas: Vec<Sagas>,
}

impl Life {
    fn begin(data: &Path, clock: &Clock, faults: &Faults) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let begun = Instant::now();
        let ledger = loop {
            let around = faults.clone();
            let workings =
                Workings { appends: Box::new(move |inner| around.around(inner)), ..Workings::default() };
            let _inside = runtime.enter();
            match Ledger::open_with(options(data, Arc::clone(clock)), workings) {
                Ok(ledger) => break ledger,
                // The life before may still be letting go of the folder.
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        Self { runtime, ledger, sagas: Vec::new() }
    }

    fn drive(&mut self, drivers: usize) {
        let _inside = self.runtime.enter();
        for _ in 0..drivers {
            let sagas = Sagas::new(self.ledger.clone());
            sagas::start(&sagas);
            self.sagas.push(sagas);
        }
    }

    fn execute(&self, command: Command) -> Verdict {
        self.runtime.block_on(self.ledger.execute(vec![command])).unwrap().remove(0)
    }

    fn book(&self, command: Command) {
        let verdict = self.execute(command);
        assert!(matches!(verdict, Verdict::Booked(..)), "{verdict:?}");
    }

    fn until_the_end(&self) -> Stage {
        let begun = Instant::now();
        loop {
            let state = self.runtime.block_on(self.ledger.transfer_state(id(T))).unwrap().unwrap();
            if state.stage.is_end() {
                return state.stage;
            }
            assert!(begun.elapsed() < PATIENCE, "{state:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The process dies: its tasks are dropped where they are, and its folder is left as a kill leaves it.
    fn die(self) {
        let Self { runtime, ledger, sagas } = self;
        drop(sagas);
        drop(ledger);
        runtime.shutdown_timeout(Duration::from_secs(10));
    }
}

/// A `Stop` says what happens at an append, and how many drivers go on afterwards.
#[derive(Clone, Copy, Debug)]
enum Stop {
    /// The append fails, and the same driver goes on.
    Fails,
    /// The process dies before the append, and others go on.
    Before(usize),
    /// The process dies after the append, and others go on.
    After(usize),
}

const STOPS: [Stop; 5] = [Stop::Fails, Stop::Before(1), Stop::Before(2), Stop::After(1), Stop::After(2)];

impl Stop {
    fn fate(self) -> Fate {
        match self {
            Self::Fails => Fate::Full,
            Self::Before(_) => Fate::LostUnwritten,
            Self::After(_) => Fate::LostWritten,
        }
    }
}

/// Lets the transfer go its way, with a stop at one of the driver's appends.
fn goes_its_way(way: &Way, at: usize, stop: Stop) {
    let dir = tempfile::tempdir().unwrap();
    let time = Arc::new(AtomicI64::new(1_795_226_400_000_000));
    let clock: Clock = {
        let time = Arc::clone(&time);
        Arc::new(move || Timestamp::from_micros(time.fetch_add(1, Ordering::SeqCst)))
    };
    let faults = Faults::default();
    let mut life = Life::begin(dir.path(), &clock, &faults);
    for command in [open(1, "alice"), open(2, "bob"), open(3, "carol"), deposit(4, "alice", "100.00")] {
        life.book(command);
    }
    life.book(deposit(5, "bob", "10.00"));
    life.book(close(6, "carol"));
    life.book(between(way.to, way.amount).request(60));
    way.before.iter().for_each(|command| life.book(command.clone()));
    time.fetch_add(way.later * 1_000_000, Ordering::SeqCst);
    let booked = life.ledger.head().position;

    faults.plan(std::iter::repeat_n(Fate::Lands, at).chain([stop.fate()]));
    let stopped_at = faults.submitted() + at + 1;
    life.drive(1);
    match stop {
        Stop::Fails => {}
        Stop::Before(drivers) | Stop::After(drivers) => {
            faults.wait_submitted(stopped_at);
            life.die();
            faults.plan([]);
            life = Life::begin(dir.path(), &clock, &faults);
            life.drive(drivers);
        }
    }
    let (name, _) = way.steps[at];
    let case = format!("{:?} at {name}: {stop:?}", way.end);
    assert_eq!(life.until_the_end(), way.end, "{case}");
    is_right(&life, way, booked, &case);
    let Life { runtime, ledger, sagas } = life;
    drop(sagas);
    ledger.stop().unwrap();
    drop((ledger, runtime));
    process::verify(dir.path());
}

/// The money is where it must be, the journal has every event once, and each step is answered again.
fn is_right(life: &Life, way: &Way, booked: u64, case: &str) {
    let all = booked + way.steps.len() as u64;
    assert_eq!(life.ledger.head().position, all, "{case}: not every event once");
    for (account, expected) in ["alice", "bob"].into_iter().zip(way.balances) {
        let account = life.runtime.block_on(life.ledger.account(&name(account), At::Now)).unwrap().unwrap();
        let stands = [account.balance.to_string(), account.available.to_string()];
        assert_eq!(stands, [expected, expected], "{case}: {}", account.name);
    }
    let trial = life.runtime.block_on(life.ledger.trial_balance(None)).unwrap();
    assert!(trial.balanced(), "{case}");
    let transit = trial.internal.iter().filter(|((account, _), _)| account == "@transit");
    assert!(transit.clone().all(|(_, sum)| sum.is_zero()), "{case}: something is in transit");
    for (name, command) in &way.steps {
        let again = life.execute(command.clone());
        assert!(matches!(again, Verdict::Replayed(..)), "{case}: {name} again: {again:?}");
    }
    assert_eq!(life.ledger.head().position, all, "{case}: a step was booked again");
}

fn at_every_point(way: &Way) {
    for at in 0..way.steps.len() {
        STOPS.into_iter().for_each(|stop| goes_its_way(way, at, stop));
    }
}

#[test]
fn a_transfer_that_moves_is_stopped_at_every_point() {
    at_every_point(&Way::moves());
}

#[test]
fn a_transfer_that_is_not_covered_is_stopped_at_every_point() {
    at_every_point(&Way::is_not_covered());
}

#[test]
fn a_transfer_that_is_not_taken_is_stopped_at_every_point() {
    at_every_point(&Way::is_not_taken());
}

#[test]
fn a_cancelled_transfer_is_stopped_at_every_point() {
    at_every_point(&Way::is_cancelled());
}

#[test]
fn a_transfer_past_its_deadline_is_stopped_at_every_point() {
    at_every_point(&Way::is_late());
}

#[test]
fn a_transfer_that_was_cancelled_too_late_is_stopped_at_every_point() {
    at_every_point(&Way::is_cancelled_too_late());
}
