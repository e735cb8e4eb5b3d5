//! The streams of a transfer and of its two accounts, decided by the rule that ships over a past that is remembered as it is.

use std::collections::HashMap;
use std::sync::Arc;

use bookonce::clerk::rule::{Decided, First, Past, Ruling, Seen, rule};
use bookonce::domain::account::Account;
use bookonce::domain::command::{Command, Opening, Operation, Reversal};
use bookonce::domain::currency::Currency;
use bookonce::domain::event::{Event, EvolveError};
use bookonce::domain::ids::{AccountName, Id, TransactionId};
use bookonce::domain::metadata::{Metadata, Origin};
use bookonce::domain::money::{Written, WrittenAmount};
use bookonce::domain::payee::Payee;
use bookonce::domain::state::State;
use bookonce::domain::stream::StreamName;
use bookonce::domain::time::Timestamp;
use bookonce::domain::trace::Trace;
use bookonce::domain::transfer::Transfer;
use bookonce::domain::transfer::asking;
use bookonce::domain::transfer::command::{Requesting, TimeoutSeconds, TransferOperation};
use bookonce::domain::transfer::steps::{Ask, Reply};

use crate::support::{command, id, moved, name, reason};

/// This is when the transfer is requested. Its deadline is a minute later.
pub const NOW: Timestamp = Timestamp::from_micros(1_795_226_400_123_456);

/// The `Streams` are all streams, as they are remembered.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    /// These are the events of transfers' streams.
    pub events: Vec<Arc<Event>>,
    states: HashMap<StreamName, State>,
    booked: HashMap<Id, Arc<Event>>,
    traces: HashMap<(Id, StreamName), Trace>,
}

impl Past for Streams {
    type Error = EvolveError;

    fn seen(&mut self, id: Id, stream: &StreamName) -> Result<Seen, EvolveError> {
        if let Some(event) = self.booked.get(&id) {
            return Ok(Seen::Booked(First::AtHand(Arc::clone(event))));
        }
        let ruled_out_by = self.trace(id, stream)?.ruled_out_by;
        Ok(ruled_out_by.map_or(Seen::Never, Seen::RuledOut))
    }

    fn trace(&mut self, id: Id, stream: &StreamName) -> Result<Trace, EvolveError> {
        Ok(self.traces.get(&(id, stream.clone())).cloned().unwrap_or_default())
    }

    fn state(&mut self, stream: &StreamName) -> Result<Option<&State>, EvolveError> {
        Ok(self.states.get(stream))
    }

    fn currency(&mut self, account: &AccountName) -> Result<Option<Currency>, EvolveError> {
        Ok(self.account(account.as_str()).map(|account| account.currency))
    }

    fn take_in(&mut self, decided: Decided) -> bool {
        let Decided { event, state, .. } = decided;
        for id in std::iter::once(event.id).chain(event.names().map(|(id, _)| id)) {
            self.traces.entry((id, event.stream.clone())).or_default().take_in(id, &event);
        }
        self.booked.insert(event.id, Arc::clone(&event));
        self.states.insert(event.stream.clone(), state);
        if event.transfer().is_some() {
            self.events.push(event);
        }
        true
    }
}

impl Streams {
    /// Rules on what is asked of the transfer, at a time.
    pub fn rule(&mut self, id: Id, operation: TransferOperation, now: Timestamp) -> Ruling {
        let command = Command {
            id,
            stream: StreamName::Transfer(transfer_id()),
            operation: Operation::Transfer(operation),
            origin: Origin { correlation: None, causation: None, actor: Arc::from("test") },
        };
        rule(self, &command, now).unwrap().unwrap()
    }

    /// A client's command comes to an account, and is booked.
    pub fn client(&mut self, n: u128, account: &str, operation: Operation) {
        let ruling = rule(self, &command(n, account, operation), NOW).unwrap().unwrap();
        assert!(matches!(ruling, Ruling::Booked(event) if !event.is_declined()));
    }

    /// Asks an account for a step, as a driver does that sees the transfer so.
    pub fn ask(&mut self, view: &Transfer, ask: Ask, now: Timestamp) -> Reply {
        match rule(self, &asking::step(view, ask).unwrap(), now).unwrap().unwrap() {
            Ruling::Booked(event) | Ruling::Seen(First::AtHand(event)) => asking::booked(&event),
            Ruling::Refused(refusal) => asking::refused(&refusal).unwrap(),
            ruling => panic!("{ruling:?}"),
        }
    }

    /// Returns the transfer as it stands.
    pub fn transfer(&self) -> Option<&Transfer> {
        self.states.get(&StreamName::Transfer(transfer_id())).and_then(State::transfer)
    }

    pub fn account(&self, account: &str) -> Option<&Account> {
        self.states.get(&StreamName::Account(name(account))).and_then(State::account)
    }
}

/// Returns the accounts alice and bob in euros and carol in dollars. Alice has 1.00 where she is said to.
pub fn accounts(has_money: bool) -> Streams {
    let mut streams = Streams::default();
    for (n, account, currency) in [(21, "alice", "EUR"), (22, "bob", "EUR"), (23, "carol", "USD")] {
        let currency = Currency::parse(currency).unwrap();
        let opening = Opening { currency, overdraft_limit: Written::ZERO, metadata: Metadata::default() };
        streams.client(n, account, Operation::Open(opening));
    }
    if has_money {
        streams.client(24, "alice", Operation::Deposit(moved("1.00")));
    }
    streams
}

/// A client rules the transfer out on an account before its step comes there.
pub fn prevent(streams: &mut Streams, account: &str) {
    let reversal = Reversal { reverses: transfer_id(), amount: None, reason: reason(), force: false };
    streams.client(77, account, Operation::Reverse(reversal));
}

/// The transfer from alice to bob is requested.
pub fn requested_on(mut streams: Streams) -> Streams {
    let ruling = streams.rule(Id::Client(transfer_id()), request("alice", "bob"), NOW);
    assert!(matches!(ruling, Ruling::Booked(_)), "{ruling:?}");
    streams
}

/// Returns a stream with the request for a transfer from alice to bob.
pub fn requested() -> Streams {
    requested_on(accounts(true))
}

/// Returns the request for a transfer of 1.00.
pub fn request(from: &str, to: &str) -> TransferOperation {
    TransferOperation::Request(Box::new(Requesting {
        from: name(from),
        to: Payee::parse(to).unwrap(),
        amount: WrittenAmount::parse("1.00").unwrap(),
        timeout_seconds: TimeoutSeconds::default(),
        metadata: Metadata::default(),
    }))
}

pub fn transfer_id() -> TransactionId {
    id(40)
}
