//! The transfer's own stream, decided by the rule that ships over a past that is remembered as it is.

use std::collections::HashMap;
use std::sync::Arc;

use bookonce::clerk::rule::{Decided, First, Past, Ruling, Seen, rule};
use bookonce::domain::command::{Command, Operation};
use bookonce::domain::currency::Currency;
use bookonce::domain::event::{Event, EvolveError};
use bookonce::domain::ids::{AccountName, Id, TransactionId};
use bookonce::domain::metadata::{Metadata, Origin};
use bookonce::domain::money::WrittenAmount;
use bookonce::domain::payee::Payee;
use bookonce::domain::state::State;
use bookonce::domain::stream::StreamName;
use bookonce::domain::time::Timestamp;
use bookonce::domain::trace::Trace;
use bookonce::domain::transfer::Transfer;
use bookonce::domain::transfer::command::{Requesting, TimeoutSeconds, TransferOperation};

use crate::support::{id, name};

/// This is when the transfer is requested. Its deadline is a minute later.
pub const NOW: Timestamp = Timestamp::from_micros(1_795_226_400_123_456);

/// A `Stream` is the stream of one transfer.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    pub events: Vec<Arc<Event>>,
    state: Option<State>,
    booked: HashMap<Id, Arc<Event>>,
}

impl Past for Stream {
    type Error = EvolveError;

    fn seen(&mut self, id: Id, _stream: &StreamName) -> Result<Seen, EvolveError> {
        let first = self.booked.get(&id).map(|event| First::AtHand(Arc::clone(event)));
        Ok(first.map_or(Seen::Never, Seen::Booked))
    }

    fn trace(&mut self, _id: Id, _stream: &StreamName) -> Result<Trace, EvolveError> {
        Ok(Trace::default())
    }

    fn state(&mut self, _stream: &StreamName) -> Result<Option<&State>, EvolveError> {
        Ok(self.state.as_ref())
    }

    fn currency(&mut self, account: &AccountName) -> Result<Option<Currency>, EvolveError> {
        Ok(match account.as_str() {
            "alice" | "bob" => Currency::parse("EUR"),
            "carol" => Currency::parse("USD"),
            _ => None,
        })
    }

    fn take_in(&mut self, decided: Decided) -> bool {
        self.booked.insert(decided.event.id, Arc::clone(&decided.event));
        self.events.push(decided.event);
        self.state = Some(decided.state);
        true
    }
}

impl Stream {
    /// Rules on a command at a time.
    pub fn rule(&mut self, id: Id, operation: TransferOperation, now: Timestamp) -> Ruling {
        let command = Command {
            id,
            stream: StreamName::Transfer(transfer_id()),
            operation: Operation::Transfer(operation),
            origin: Origin { correlation: None, causation: None, actor: Arc::from("test") },
        };
        rule(self, &command, now).unwrap().unwrap()
    }

    /// Returns the transfer as it stands.
    pub fn transfer(&self) -> Option<&Transfer> {
        self.state.as_ref().and_then(State::transfer)
    }
}

/// Returns a stream with the request for a transfer from alice to bob.
pub fn requested() -> Stream {
    let mut stream = Stream::default();
    let ruling = stream.rule(Id::Client(transfer_id()), request("alice", "bob"), NOW);
    assert!(matches!(ruling, Ruling::Booked(_)), "{ruling:?}");
    stream
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
