//! Every order: two drivers, each with what it has learnt, and everything that the network, the clock and clients can do to
//! them. All orders of up to [`DEPTH`] happenings are tried, and from each place that is reached the drivers finish.
//!
//! What can happen: a driver does what it has to do next, and is told; it is done, and the driver is not told; it is sent,
//! and arrives later, once or twice; a driver forgets all and starts anew; the deadline passes; a client cancels. Places that
//! are the same in every respect are looked at once, since their futures are the same.

use std::collections::HashSet;

use bookonce::clerk::rule::Ruling;
use bookonce::domain::ids::Id;
use bookonce::domain::transfer::Transfer;
use bookonce::domain::transfer::command::TransferOperation;
use bookonce::domain::transfer::stage::Stage;
use bookonce::domain::transfer::steps::{Ask, Reply, Steps};
use bookonce::domain::transfer::todo::{Todo, todo};

use crate::model::Accounts;
use crate::stream::{NOW, Stream, requested, transfer_id};
use crate::support::{id, reason};

/// This is how many things happen before the drivers finish.
const DEPTH: usize = 6;

#[derive(Clone, Debug)]
struct Driver {
    /// This is the transfer as it saw it last.
    view: Transfer,
    steps: Steps,
}

#[derive(Clone)]
struct World {
    stream: Stream,
    accounts: Accounts,
    drivers: [Driver; 2],
    /// These are the steps that were sent and have not arrived for the last time.
    in_flight: Vec<Ask>,
    is_late: bool,
    cancelled: bool,
}

#[derive(Clone, Copy, Debug)]
enum Happening {
    Acts(usize),
    ActsUntold(usize),
    Sends(usize),
    Arrives(usize, bool),
    StartsAnew(usize),
    DeadlinePasses,
    Cancel,
}

impl World {
    fn new(accounts: Accounts) -> Self {
        let stream = requested();
        let view = stream.transfer().unwrap().clone();
        let driver = Driver { view, steps: Steps::default() };
        Self {
            stream,
            accounts,
            drivers: [driver.clone(), driver],
            in_flight: Vec::new(),
            is_late: false,
            cancelled: false,
        }
    }

    fn now(&self) -> bookonce::domain::time::Timestamp {
        NOW.plus_seconds(if self.is_late { 61 } else { 1 })
    }

    /// Returns all that can happen next.
    fn possible(&self) -> Vec<Happening> {
        let mut all = Vec::new();
        for driver in 0..2 {
            let todo = self.todo(driver);
            if todo != Todo::Nothing {
                all.push(Happening::Acts(driver));
            }
            if let Todo::Ask(_) = todo {
                all.extend([Happening::ActsUntold(driver), Happening::Sends(driver)]);
            }
            if self.drivers[driver].steps != Steps::default() {
                all.push(Happening::StartsAnew(driver));
            }
        }
        for place in 0..self.in_flight.len() {
            all.extend([Happening::Arrives(place, false), Happening::Arrives(place, true)]);
        }
        if !self.is_late {
            all.push(Happening::DeadlinePasses);
        }
        if !self.cancelled {
            all.push(Happening::Cancel);
        }
        all
    }

    fn todo(&self, driver: usize) -> Todo {
        let Driver { view, steps } = &self.drivers[driver];
        todo(view, steps, self.now())
    }

    fn look(&mut self, driver: usize) {
        self.drivers[driver].view = self.stream.transfer().unwrap().clone();
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Acts(driver) => match self.todo(driver) {
                Todo::Ask(ask) => {
                    let reply = self.accounts.ask(transfer_id(), ask);
                    self.drivers[driver].steps.learn(ask, reply);
                }
                Todo::Record(id, operation) => {
                    // Whatever the ruling is: recorded, recorded before by the other, or not possible any more.
                    self.record(id, operation);
                    self.look(driver);
                }
                Todo::LookAgain => self.look(driver),
                Todo::Nothing => {}
            },
            Happening::ActsUntold(driver) | Happening::Sends(driver) => {
                let Todo::Ask(ask) = self.todo(driver) else { unreachable!() };
                if matches!(happening, Happening::Sends(_)) {
                    self.in_flight.push(ask);
                } else {
                    self.accounts.ask(transfer_id(), ask);
                }
                self.drivers[driver].steps.learn(ask, Reply::Unknown);
            }
            Happening::Arrives(place, again) => {
                let ask = self.in_flight[place];
                self.accounts.ask(transfer_id(), ask);
                if !again {
                    self.in_flight.remove(place);
                }
            }
            Happening::StartsAnew(driver) => {
                self.drivers[driver].steps = Steps::default();
                self.look(driver);
            }
            Happening::DeadlinePasses => self.is_late = true,
            Happening::Cancel => {
                self.cancelled = true;
                let cancel = TransferOperation::Cancel(reason());
                let ruling = self.stream.rule(Id::Client(id(99)), cancel, self.now());
                assert!(matches!(ruling, Ruling::Booked(_)), "{ruling:?}");
            }
        }
    }

    fn record(&mut self, id: Id, operation: TransferOperation) {
        match self.stream.rule(id, operation, self.now()) {
            Ruling::Booked(_) | Ruling::Seen(_) | Ruling::Refused(_) => {}
            Ruling::Unavailable(why) => panic!("{why}"),
        }
    }

    /// Lets both drivers finish, then lets everything arrive that was sent, and looks whether all is as it must be.
    fn finish(mut self, at_first: Accounts) {
        for turn in 0_usize.. {
            assert!(turn < 100, "it does not end");
            let busy: Vec<usize> = (0..2).filter(|driver| self.todo(*driver) != Todo::Nothing).collect();
            if busy.is_empty() {
                break;
            }
            busy.into_iter().for_each(|driver| self.happen(Happening::Acts(driver)));
        }
        let ended = self.accounts;
        for ask in std::mem::take(&mut self.in_flight) {
            self.accounts.ask(transfer_id(), ask);
        }
        let Accounts { from, to, .. } = self.accounts;
        assert_eq!((from, to), (ended.from, ended.to), "a late step moves money");
        assert!(!self.accounts.is_open(), "a hold is left open: {:?}", self.accounts);
        let ends = self.stream.events.iter().filter(|event| event.kind().name() == "transfer_end").count();
        assert_eq!(ends, 1, "{:?}", self.stream.events);
        let stage = self.stream.transfer().unwrap().stage;
        let moved = i64::from(stage == Stage::Completed);
        assert_eq!((from, to), (at_first.from - moved, moved), "{stage:?}");
        assert!(stage.is_end());
    }

    /// Returns all that the future depends on.
    fn key(&self) -> String {
        let events: Vec<_> = self.stream.events.iter().map(|event| event.type_name()).collect();
        let mut in_flight: Vec<String> = self.in_flight.iter().map(|ask| format!("{ask:?}")).collect();
        in_flight.sort_unstable();
        let driver = |driver: &Driver| format!("{} {:?}", driver.view.revision, driver.steps);
        let [one, two] = [driver(&self.drivers[0]), driver(&self.drivers[1])];
        format!(
            "{events:?} {:?} {one} {two} {in_flight:?} {} {}",
            self.accounts, self.is_late, self.cancelled
        )
    }
}

/// Tries every order from these accounts, and returns the ends and the number of places that were reached.
fn every_order(accounts: Accounts) -> usize {
    let mut reached = HashSet::new();
    let mut edge = vec![World::new(accounts)];
    for _ in 0..=DEPTH {
        let mut next = Vec::new();
        for world in edge {
            if !reached.insert(world.key()) {
                continue;
            }
            world.clone().finish(accounts);
            for happening in world.possible() {
                let mut after = world.clone();
                after.happen(happening);
                next.push(after);
            }
        }
        edge = next;
    }
    reached.len()
}

/// A release before the credit is ruled out, an end before its last step, a step under a random ID, and a timeout after the
/// end are caught here.
#[test]
fn whatever_comes_in_whatever_order_the_money_moves_once_or_not() {
    let free = [false, false];
    assert!(every_order(Accounts::new(1, false, free)) > 1_000);
}

#[test]
fn what_is_declined_moves_nothing_in_whatever_order() {
    let free = [false, false];
    for accounts in [
        Accounts::new(0, false, free),
        Accounts::new(1, true, free),
        Accounts::new(0, true, free),
        Accounts::new(1, false, [true, false]),
        Accounts::new(1, false, [false, true]),
    ] {
        assert!(every_order(accounts) > 500);
    }
}
