//! Given these events, when this command comes, then that is decided. Knows the rules of no check: it only folds.

#![allow(dead_code, reason = "each test binary uses its own part")]

use bookonce::domain::account::Account;
use bookonce::domain::command::Command;
use bookonce::domain::currency::Currency;
use bookonce::domain::decide::{Original, Refusal, Standing, decide};
use bookonce::domain::decline::Decline;
use bookonce::domain::event::{Answer, Event, Fact, Movement};
use bookonce::domain::ids::CounterAccount;
use bookonce::domain::metadata::Metadata;
use bookonce::domain::money::{Money, Written};
use bookonce::domain::time::Timestamp;

use crate::support::{command, id, moved, name, reason};

/// The time at which the command comes.
pub const NOW: Timestamp = Timestamp::from_micros(1_795_226_400_123_456);

/// Something that happened to alice, in few words.
pub struct Past(u128, Box<dyn Fn(Currency) -> Fact>);

fn past(n: u128, fact: impl Fn(Currency) -> Fact + 'static) -> Past {
    Past(n, Box::new(fact))
}

pub fn money(text: &str, currency: Currency) -> Money {
    Written::parse(text).unwrap().fit(currency).unwrap()
}

pub fn eur(text: &str) -> Money {
    money(text, Currency::parse("EUR").unwrap())
}

/// A movement as an event keeps it.
pub fn movement(amount: Money) -> Movement {
    let counter_account = CounterAccount::default();
    Movement { amount, counter_account, effective_at_given: false, metadata: Metadata::default() }
}

pub fn opened() -> Past {
    opened_with("0")
}

pub fn opened_with(limit: &'static str) -> Past {
    past(1, move |c| Fact::AccountOpened { overdraft_limit: money(limit, c), metadata: Metadata::default() })
}

pub fn deposited(n: u128, amount: &'static str) -> Past {
    past(n, move |c| Fact::Deposited(movement(money(amount, c))))
}

pub fn withdrawn(n: u128, amount: &'static str) -> Past {
    past(n, move |c| Fact::Withdrawn(movement(money(amount, c))))
}

/// A withdrawal (`credits`) or a deposit was taken back, in whole or in part.
pub fn reversed(n: u128, original: u128, amount: &'static str, credits: bool) -> Past {
    past(n, move |c| Fact::Reversed {
        reverses: id(original),
        amount: money(amount, c),
        credits,
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

/// A withdrawal that was declined.
pub fn declined(n: u128, decline: Decline) -> Past {
    past(n, move |_| {
        let operation = bookonce::domain::command::Operation::Withdraw(moved("1.00"));
        Fact::Declined { operation, decline }
    })
}

/// What has happened before.
pub struct Given {
    events: Vec<Event>,
    account: Option<Account>,
}

/// An account of euros with this past; none at all when nothing has happened.
pub fn given<const N: usize>(pasts: [Past; N]) -> Given {
    given_in("EUR", pasts)
}

pub fn given_in<const N: usize>(currency: &str, pasts: [Past; N]) -> Given {
    let currency = Currency::parse(currency).unwrap();
    let zero = Money::zero(currency);
    let mut given = Given { events: Vec::new(), account: None };
    for (revision, Past(n, fact)) in (0..).zip(pasts) {
        let event = Event {
            account: name("alice"),
            revision,
            recorded_at: NOW.plus_seconds(-3_600),
            effective_at: NOW.plus_seconds(-3_600),
            transaction_id: id(n),
            currency,
            fact: fact(currency),
            answer: Answer { balance: zero, available: zero },
            origin: command(n, "alice", bookonce::domain::command::Operation::Freeze(reason())).origin,
        };
        given.account = Some(Account::evolve(given.account.as_ref(), &event).unwrap());
        given.events.push(event);
    }
    given
}

impl Given {
    /// What is known of a transaction that somebody wants to reverse.
    fn original(&self, of: bookonce::domain::ids::TransactionId) -> Option<Original> {
        let Some(first) = self.events.iter().find(|event| event.transaction_id == of) else {
            let ruled_out = |event: &Event| event.reverses() == Some(of);
            return self.events.iter().any(ruled_out).then_some(Original::RuledOut);
        };
        let (moved, withdrawn) = match &first.fact {
            Fact::Deposited(moved) => (moved, false),
            Fact::Withdrawn(moved) => (moved, true),
            _ => return Some(Original::Immovable),
        };
        let sum = |sum: Money, event: &Event| match &event.fact {
            Fact::Reversed { reverses, amount, .. } if *reverses == of => sum.plus(*amount).unwrap(),
            _ => sum,
        };
        let reversed = self.events.iter().fold(Money::zero(first.currency), sum);
        let counter_account = moved.counter_account.clone();
        Some(Original::Moved { amount: moved.amount, withdrawn, counter_account, reversed })
    }

    /// A command comes.
    pub fn when(&self, command: Command) -> Decided {
        let ruled_out = |event: &&Event| {
            matches!(event.fact, Fact::Prevented { .. }) && event.reverses() == Some(command.transaction_id)
        };
        let prevented_by = self.events.iter().find(ruled_out).map(|event| event.transaction_id);
        let original = match &command.operation {
            bookonce::domain::command::Operation::Reverse(asked) => self.original(asked.reverses),
            _ => None,
        };
        let account = self.account.as_ref();
        let standing = Standing { account, prevented_by, original: original.as_ref() };
        let result = decide(standing, &command, NOW);
        if let Ok(event) = &result {
            // Whatever is decided can be folded, and the fold agrees with the answer in it.
            let after = Account::evolve(account, event).unwrap();
            assert_eq!(after.answer(), event.answer);
            assert_eq!(event.recorded_at, NOW);
        }
        Decided { result }
    }
}

/// What was decided.
pub struct Decided {
    pub result: Result<Event, Refusal>,
}

impl Decided {
    #[track_caller]
    pub fn event(self) -> Event {
        self.result.expect("a recorded event")
    }

    /// This fact is recorded.
    #[track_caller]
    pub fn then(self, fact: Fact) -> Event {
        let event = self.event();
        assert_eq!(event.fact, fact);
        event
    }

    /// It is accepted, and the account then has so much.
    #[track_caller]
    pub fn accepted_with(self, balance: &str, available: &str) -> Event {
        let event = self.event();
        assert_eq!(event.decline(), None);
        let told = (event.answer.balance.to_string(), event.answer.available.to_string());
        assert_eq!(told, (balance.to_owned(), available.to_owned()));
        event
    }

    /// It is declined, that is recorded, and nothing moves.
    #[track_caller]
    pub fn declined_as(self, decline: Decline) -> Event {
        let event = self.event();
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
