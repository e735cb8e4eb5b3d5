//! Every order: two drivers, each with what it has learnt, and everything that the network, the clock and clients can do to
//! them. All orders of up to [`DEPTH`] happenings are tried, and from each place that is reached the drivers finish.
//!
//! What can happen: a driver does what it has to do next, and is told; it is done, and the driver is not told; it is sent,
//! and arrives later, once or twice; a driver forgets all and starts anew; the deadline passes; a client cancels. Places that
//! are the same in every respect are looked at once, since their futures are the same.

use std::collections::HashSet;

use bookonce::clerk::rule::{First, Ruling, rule};
use bookonce::domain::command::Operation;
use bookonce::domain::decide::Refusal;
use bookonce::domain::ids::Id;
use bookonce::domain::same;
use bookonce::domain::transfer::Transfer;
use bookonce::domain::transfer::asking;
use bookonce::domain::transfer::command::TransferOperation;
use bookonce::domain::transfer::stage::Stage;
use bookonce::domain::transfer::steps::{Ask, Reply, Steps};
use bookonce::domain::transfer::todo::{Todo, todo};

use crate::model::Accounts;
use crate::stream::{NOW, Streams, accounts, prevent, requested_on, transfer_id};
use crate::support::{command, id, reason};

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
    stream: Streams,
    /// This is the model of the two accounts.
    model: Accounts,
    drivers: [Driver; 2],
    /// These are the steps that were sent and have not arrived for the last time.
    in_flight: Vec<(usize, Ask)>,
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
    Expiry,
}

impl World {
    fn new(model: Accounts) -> Self {
        let mut stream = accounts(model.from > 0);
        if model.closed {
            stream.client(25, "bob", Operation::Close(reason()));
        }
        for (account, is_prevented) in ["alice", "bob"].into_iter().zip(model.prevented) {
            if is_prevented {
                prevent(&mut stream, account);
            }
        }
        let stream = requested_on(stream);
        let view = stream.transfer().unwrap().clone();
        let driver = Driver { view, steps: Steps::default() };
        Self {
            stream,
            model,
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
        let mut all = vec![Happening::Expiry];
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
                    let reply = self.ask(driver, ask);
                    self.drivers[driver].steps.learn(ask, reply);
                }
                Todo::Record(id, operation) => {
                    // Whatever the ruling is: recorded, recorded before by the other, or not possible any more.
                    self.record(driver, id, operation);
                    self.look(driver);
                }
                Todo::LookAgain => self.look(driver),
                Todo::Call(_) | Todo::Rest(_) | Todo::Nothing => {}
            },
            Happening::ActsUntold(driver) | Happening::Sends(driver) => {
                let Todo::Ask(ask) = self.todo(driver) else { unreachable!() };
                if matches!(happening, Happening::Sends(_)) {
                    self.in_flight.push((driver, ask));
                } else {
                    self.ask(driver, ask);
                }
                self.drivers[driver].steps.learn(ask, Reply::Unknown);
            }
            Happening::Arrives(place, again) => {
                let (driver, ask) = self.in_flight[place];
                self.ask(driver, ask);
                if !again {
                    self.in_flight.remove(place);
                }
            }
            Happening::StartsAnew(driver) => {
                self.drivers[driver].steps = Steps::default();
                self.look(driver);
            }
            Happening::DeadlinePasses => self.is_late = true,
            Happening::Expiry => self.expire(),
            Happening::Cancel => {
                self.cancelled = true;
                let cancel = TransferOperation::Cancel(reason());
                let ruling = self.stream.rule(Id::Client(id(99)), cancel, self.now());
                assert!(matches!(ruling, Ruling::Booked(_)), "{ruling:?}");
            }
        }
    }

    /// A step comes to its account. What the account says is what the model says, and their balances are the same.
    fn ask(&mut self, driver: usize, ask: Ask) -> Reply {
        let view = self.drivers[driver].view.clone();
        let reply = self.stream.ask(&view, ask, self.now());
        assert_eq!(reply, self.model.ask(transfer_id(), ask), "{ask:?}");
        for (account, units) in [("alice", self.model.from), ("bob", self.model.to)] {
            let account = self.stream.account(account).unwrap();
            assert_eq!(account.balance.to_string(), format!("{units}.00"), "{}", account.name);
        }
        let alice = self.stream.account("alice").unwrap();
        assert_eq!(alice.held().is_zero(), !self.model.is_open());
        reply
    }

    /// An expiry comes that nobody should have sent: the hold of a transfer never expires.
    fn expire(&mut self) {
        let expiry = command(98, "alice", Operation::Expire(transfer_id()));
        let now = self.now();
        let ruling = rule(&mut self.stream, &expiry, now).unwrap().unwrap();
        assert!(matches!(ruling, Ruling::Refused(Refusal::NotDue)), "{ruling:?}");
    }

    fn record(&mut self, driver: usize, id: Id, operation: TransferOperation) {
        let view = self.drivers[driver].view.clone();
        let command = TransferOperation::clone(&operation);
        match self.stream.rule(id, operation, self.now()) {
            Ruling::Seen(First::AtHand(first)) => {
                let same = same::differences(&first, &asking::record(&view, id, command));
                // Who has not seen what was recorded before the end may want another one; it looks again.
                let saw_all = view.revision + 1 == first.revision;
                assert!(!saw_all || same.is_empty(), "two drivers want another end: {same:?}");
            }
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
        let ended = self.model;
        for (driver, ask) in std::mem::take(&mut self.in_flight) {
            self.ask(driver, ask);
        }
        let Accounts { from, to, .. } = self.model;
        assert_eq!((from, to), (ended.from, ended.to), "a late step moves money");
        assert!(!self.model.is_open(), "a hold is left open: {:?}", self.model);
        self.expire();
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
        format!("{events:?} {:?} {one} {two} {in_flight:?} {} {}", self.model, self.is_late, self.cancelled)
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

/// Seen failing with a stop that released the hold before the credit was ruled out. Guards against: an end before its last
/// step, and a second end.
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
