//! Given these events, when this command comes, then that is decided. It knows the rules of no check: it only remembers,
//! and asks the same rule as the clerks do.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::HashMap;
use std::sync::Arc;

use bookonce::clerk::rule::{Decided as Decision, First, Past as Memory, Ruling, Seen, rule};
use bookonce::domain::account::Account;
use bookonce::domain::account::corrected::{AskedChange, Corrected};
use bookonce::domain::account::decline::Decline;
use bookonce::domain::account::event::{AccountEvent, Answer, Fact, Movement};
use bookonce::domain::command::Command;
use bookonce::domain::currency::Currency;
use bookonce::domain::decide::Refusal;
use bookonce::domain::event::{Body, Event, EvolveError};
use bookonce::domain::ids::{AccountName, CounterAccount, Id, Step};
use bookonce::domain::kind::Kind;
use bookonce::domain::metadata::Metadata;
use bookonce::domain::money::{Amount, Direction, Money, Written};
use bookonce::domain::state::State;
use bookonce::domain::stream::StreamName;
use bookonce::domain::time::Timestamp;
use bookonce::domain::trace::Trace;

use crate::support::{command, id, moved, name, reason};

/// This is the time at which the command comes.
pub const NOW: Timestamp = Timestamp::from_micros(1_795_226_400_123_456);

/// A `Past` is something that happened to alice, in few words.
pub struct Past(Id, Box<dyn Fn(Currency) -> Fact>);

fn past(n: u128, fact: impl Fn(Currency) -> Fact + 'static) -> Past {
    past_as(Id::Client(id(n)), fact)
}

/// Returns something that happened under any ID, a step's of the service's own too.
pub fn past_as(id: Id, fact: impl Fn(Currency) -> Fact + 'static) -> Past {
    Past(id, Box::new(fact))
}

pub fn money(text: &str, currency: Currency) -> Money {
    Written::parse(text).unwrap().fit(currency).unwrap()
}

pub fn eur(text: &str) -> Amount {
    amount(text, Currency::parse("EUR").unwrap())
}

pub fn amount(text: &str, currency: Currency) -> Amount {
    Amount::new(money(text, currency)).unwrap()
}

/// Returns a movement as an event keeps it.
pub fn movement(amount: Amount) -> Movement {
    let counter_account = CounterAccount::default();
    Movement { amount, counter_account, effective_at_given: false, metadata: Metadata::default() }
}

pub fn opened() -> Past {
    opened_with("0")
}

pub fn opened_with(limit: &'static str) -> Past {
    past(1, move |c| Fact::AccountOpened { overdraft_limit: money(limit, c), metadata: Metadata::default() })
}

pub fn deposited(n: u128, sum: &'static str) -> Past {
    past(n, move |c| Fact::Deposited(movement(amount(sum, c))))
}

pub fn withdrawn(n: u128, sum: &'static str) -> Past {
    past(n, move |c| Fact::Withdrawn(movement(amount(sum, c))))
}

/// Returns the event that took back a withdrawal (which credits) or a deposit (which debits), in whole or in part.
pub fn reversed(n: u128, original: u128, sum: &'static str, direction: Direction) -> Past {
    past(n, move |c| Fact::Reversed {
        reverses: id(original),
        amount: amount(sum, c),
        direction,
        counter_account: CounterAccount::default(),
        reason: reason(),
        partial: true,
        force: false,
    })
}

pub fn prevented(n: u128, original: u128) -> Past {
    past(n, move |_| Fact::Prevented { reverses: id(original), reason: reason(), force: false })
}

pub fn frozen(n: u128) -> Past {
    past(n, |_| Fact::Frozen(reason()))
}

pub fn unfrozen(n: u128) -> Past {
    past(n, |_| Fact::Unfrozen(reason()))
}

pub fn closed(n: u128) -> Past {
    past(n, |_| Fact::Closed(reason()))
}

pub fn past_limit(n: u128, limit: &'static str) -> Past {
    past(n, move |c| Fact::OverdraftLimitChanged { overdraft_limit: money(limit, c), reason: reason() })
}

/// Returns a correction that moved this amount in.
pub fn corrected(n: u128, sum: &'static str) -> Past {
    past(n, move |c| {
        Fact::Corrected(Box::new(Corrected {
            amount: amount(sum, c),
            direction: Direction::Credit,
            asked: AskedChange::By { expected_revision: None, effective_at_given: false },
            reason: reason(),
            corrects: Vec::new(),
            force: false,
        }))
    })
}

/// Returns a withdrawal that was declined.
pub fn declined(n: u128, decline: Decline) -> Past {
    past(n, move |_| {
        let operation = bookonce::domain::command::Operation::Withdraw(moved("1.00"));
        Fact::Declined { operation, decline }
    })
}

/// A `Given` is what has happened before, remembered as it is: no index, no store.
#[derive(Clone, Default)]
pub struct Given {
    state: Option<State>,
    first: HashMap<Id, Arc<Event>>,
    traces: HashMap<Id, Trace>,
    /// These are all events, in their order.
    taken: Vec<Arc<Event>>,
}

/// Returns an account of euros with this past; none at all when nothing has happened.
pub fn given<const N: usize>(pasts: [Past; N]) -> Given {
    given_in("EUR", pasts)
}

pub fn given_in<const N: usize>(currency: &str, pasts: [Past; N]) -> Given {
    let currency = Currency::parse(currency).unwrap();
    let zero = Money::zero(currency);
    let mut given = Given::default();
    for (revision, Past(id, fact)) in (0..).zip(pasts) {
        let body = AccountEvent {
            effective_at: NOW.plus_seconds(-3_600),
            currency,
            fact: fact(currency),
            answer: Answer { balance: zero, available: zero },
        };
        let event = Arc::new(Event {
            stream: StreamName::Account(name("alice")),
            revision,
            id,
            recorded_at: NOW.plus_seconds(-3_600),
            body: Body::Account(body),
            origin: command(1, "alice", bookonce::domain::command::Operation::Freeze(reason())).origin,
        });
        let state = State::evolve(given.state.as_ref(), &event).unwrap();
        given.take_in(Decision { event, state, named: None });
    }
    given
}

impl Memory for Given {
    type Error = EvolveError;

    fn seen(&mut self, id: Id, _stream: &StreamName) -> Result<Seen, EvolveError> {
        let ruled_out_by = self.traces.get(&id).and_then(|trace| trace.ruled_out_by);
        Ok(match (self.first.get(&id), ruled_out_by) {
            (Some(first), _) => Seen::Booked(First::AtHand(Arc::clone(first))),
            (None, Some(by)) => Seen::RuledOut(by),
            (None, None) => Seen::Never,
        })
    }

    fn trace(&mut self, id: Id, _stream: &StreamName) -> Result<Trace, EvolveError> {
        Ok(self.traces.get(&id).cloned().unwrap_or_default())
    }

    fn state(&mut self, _stream: &StreamName) -> Result<Option<&State>, EvolveError> {
        Ok(self.state.as_ref())
    }

    fn currency(&mut self, _account: &AccountName) -> Result<Option<Currency>, EvolveError> {
        Ok(None)
    }

    fn take_in(&mut self, decided: Decision) -> bool {
        let Decision { event, state, .. } = decided;
        for id in std::iter::once(event.id).chain(event.names().map(|(id, _)| id)) {
            self.traces.entry(id).or_default().take_in(id, &event);
        }
        self.taken.push(Arc::clone(&event));
        self.first.insert(event.id, event);
        self.state = Some(state);
        true
    }
}

impl Given {
    /// A command comes, whose ID is new.
    pub fn when(&self, command: Command) -> Decided {
        let mut past = self.clone();
        let result = match rule(&mut past, &command, NOW).unwrap().unwrap() {
            Ruling::Booked(event) => Ok(Arc::unwrap_or_clone(event)),
            Ruling::Refused(refusal) => Err(refusal),
            Ruling::Seen(first) => panic!("seen before: {first:?}"),
            Ruling::Unavailable(why) => panic!("{why}"),
        };
        if let Ok(event) = &result {
            // Whatever is decided can be folded, and the fold agrees with the answer in it.
            let after = past.state.as_ref().and_then(State::account).unwrap();
            assert_eq!(Some(after.answer()), event.account().map(|body| body.answer));
            assert_eq!(event.recorded_at, NOW);
        }
        let due = past.taken[self.taken.len()..].iter().filter(|event| event.kind() == Kind::Expiry);
        Decided { result, due: due.cloned().collect() }
    }

    /// A command comes, and what becomes of it counts from now on.
    #[track_caller]
    pub fn then(&mut self, command: Command) {
        rule(self, &command, NOW).unwrap().unwrap();
    }

    /// Returns how the account stands.
    pub fn account(&self) -> &Account {
        self.state.as_ref().and_then(State::account).unwrap()
    }
}

/// A `Decided` says what was decided.
pub struct Decided {
    pub result: Result<Event, Refusal>,
    /// These are the expiries that were booked before it.
    pub due: Vec<Arc<Event>>,
}

impl Decided {
    /// These holds expired before it was decided, in this order.
    #[track_caller]
    pub fn after_expiry_of<const N: usize>(self, holds: [u128; N]) -> Self {
        let expiry = |n: &u128| Id::first_of(id(*n), Step::Expiry);
        let expected: Vec<Id> = holds.iter().map(expiry).collect();
        assert_eq!(self.due.iter().map(|event| event.id).collect::<Vec<_>>(), expected);
        self
    }

    #[track_caller]
    pub fn event(self) -> Event {
        self.result.expect("a recorded event")
    }

    /// Returns the body of the event that is recorded.
    #[track_caller]
    pub fn body(self) -> AccountEvent {
        match self.event().body {
            Body::Account(body) => body,
            Body::Transfer(body) => panic!("{body:?}"),
            other @ (Body::Delivery(_) | Body::Letter(_)) => panic!("{other:?}"),
        }
    }

    /// This fact is recorded.
    #[track_caller]
    pub fn then(self, fact: Fact) -> AccountEvent {
        let body = self.body();
        assert_eq!(body.fact, fact);
        body
    }

    /// It is accepted, and the account then has so much.
    #[track_caller]
    pub fn accepted_with(self, balance: &str, available: &str) -> AccountEvent {
        let event = self.body();
        assert_eq!(event.decline(), None);
        let told = (event.answer.balance.to_string(), event.answer.available.to_string());
        assert_eq!(told, (balance.to_owned(), available.to_owned()));
        event
    }

    /// It is declined, that is recorded, and nothing moves.
    #[track_caller]
    pub fn declined_as(self, decline: Decline) -> AccountEvent {
        let event = self.body();
        assert_eq!(event.decline(), Some(decline));
        assert_eq!(event.entries(), None);
        event
    }

    /// Nothing is recorded.
    #[track_caller]
    pub fn refused_as(self, refusal: Refusal) {
        assert_eq!(self.result.expect_err("a refusal"), refusal);
    }

    /// Nothing is recorded, because of this field.
    #[track_caller]
    pub fn refused_for(self, field: &str) {
        match self.result {
            Err(Refusal::Invalid { field: found, .. }) => assert_eq!(found, field),
            other => panic!("{other:?}"),
        }
    }
}
