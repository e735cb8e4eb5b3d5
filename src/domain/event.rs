//! An event says what happened in a stream. One command makes one event; an event is never changed and never deleted.

use super::account::decline::Decline;
use super::account::event::{self as account, AccountEvent, Effect};
use super::command::Operation;
use super::delivery::decide::DeliveryOperation;
use super::delivery::event::{self as delivery, DeliveryEvent};
use super::ids::Id;
use super::kind::Kind;
use super::letter::{self, DeadLettered};
use super::metadata::Origin;
use super::stream::StreamName;
use super::time::Timestamp;
use super::transfer::decline::TransferDecline;
use super::transfer::event::{self as transfer, TransferEvent};

/// An `Event` is what happened in a stream, with its place, the ID that it was booked with, and what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// This is the stream that it is in.
    pub stream: StreamName,
    /// This is its place in that stream, from 0.
    pub revision: u64,
    /// This is the ID that it was booked with.
    pub id: Id,
    /// This is the time at which the ledger recorded it.
    pub recorded_at: Timestamp,
    /// This is what happened; each kind of stream has a kind of body.
    pub body: Body,
    /// This is the origin: who asked, and why.
    pub origin: Origin,
}

/// A `Body` says what happened: one kind of body for each kind of stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// It happened to an account.
    Account(AccountEvent),
    /// It happened to a transfer. It is boxed, so that an account's event does not become larger.
    Transfer(Box<TransferEvent>),
    /// It happened to a destination. It is boxed, as a transfer's is.
    Delivery(Box<DeliveryEvent>),
    /// It happened to a letter. It is boxed, as a transfer's is.
    Letter(Box<DeadLettered>),
}

impl Event {
    /// Returns the version in which the events of this kind are written. Each kind has versions of its own.
    #[must_use]
    pub fn version(&self) -> u32 {
        match self.body {
            Body::Account(_) => account::VERSION,
            Body::Transfer(_) => transfer::VERSION,
            Body::Delivery(_) => delivery::VERSION,
            Body::Letter(_) => letter::VERSION,
        }
    }

    /// Returns the name of its type in the journal.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match &self.body {
            Body::Account(body) => body.type_name(),
            Body::Transfer(body) => body.type_name(),
            Body::Delivery(body) => body.type_name(),
            Body::Letter(_) => DeadLettered::TYPE,
        }
    }

    /// Returns its kind, as answers and searches name it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.body {
            Body::Account(body) => body.kind(),
            Body::Transfer(body) => body.kind(),
            Body::Delivery(body) => body.kind(),
            Body::Letter(_) => Kind::DeadLetter,
        }
    }

    /// Returns the body, if it is the event of an account.
    #[must_use]
    pub fn account(&self) -> Option<&AccountEvent> {
        match &self.body {
            Body::Account(body) => Some(body),
            Body::Transfer(_) | Body::Delivery(_) | Body::Letter(_) => None,
        }
    }

    /// Returns the body, if it is the event of a transfer.
    #[must_use]
    pub fn transfer(&self) -> Option<&TransferEvent> {
        match &self.body {
            Body::Account(_) | Body::Delivery(_) | Body::Letter(_) => None,
            Body::Transfer(body) => Some(body),
        }
    }

    /// Returns the body, if it is the event of a destination.
    #[must_use]
    pub fn delivery(&self) -> Option<&DeliveryEvent> {
        match &self.body {
            Body::Account(_) | Body::Transfer(_) | Body::Letter(_) => None,
            Body::Delivery(body) => Some(body),
        }
    }

    /// Returns the time at which it happened in the world; what happens to anything but an account happens when it is recorded.
    #[must_use]
    pub fn effective_at(&self) -> Timestamp {
        match &self.body {
            Body::Account(body) => body.effective_at,
            Body::Transfer(_) | Body::Delivery(_) | Body::Letter(_) => self.recorded_at,
        }
    }

    /// Says whether it is a decline.
    #[must_use]
    pub fn is_declined(&self) -> bool {
        self.decline_code().is_some()
    }

    /// Returns the code of the decline that it records, if it is one.
    #[must_use]
    pub fn decline_code(&self) -> Option<&'static str> {
        match &self.body {
            Body::Account(body) => body.decline().map(Decline::code),
            Body::Transfer(body) => body.decline().map(TransferDecline::code),
            Body::Delivery(_) | Body::Letter(_) => None,
        }
    }

    /// Returns the decline of an account that it records, if it is one.
    #[must_use]
    pub fn decline(&self) -> Option<Decline> {
        match &self.body {
            Body::Account(body) => body.decline(),
            Body::Transfer(_) | Body::Delivery(_) | Body::Letter(_) => None,
        }
    }

    /// Returns the ID that it names beside its own, and what it does to the transaction with that ID.
    #[must_use]
    pub fn names(&self) -> Option<(Id, Effect)> {
        match &self.body {
            Body::Account(body) => body.names(),
            Body::Transfer(_) | Body::Delivery(_) | Body::Letter(_) => None,
        }
    }

    /// Returns the request that it answered, in canonical form. A later request with its ID is compared with this.
    #[must_use]
    pub fn request(&self) -> Operation {
        match &self.body {
            Body::Account(body) => body.request(),
            Body::Transfer(body) => body.request(),
            Body::Delivery(body) => Operation::Delivery(Box::new(DeliveryOperation::of(body))),
            Body::Letter(body) => Operation::Letter(body.clone()),
        }
    }
}

/// The reason why an event can't follow the events before it: the journal is damaged, or this program is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvolveError {
    /// The stream has not begun: the account was never opened.
    #[error("{stream} has an event at revision {revision} before its opening")]
    NotOpened {
        /// This is the stream.
        stream: StreamName,
        /// This is the event's revision.
        revision: u64,
    },
    /// The event's revision is not the next of its stream.
    #[error("{stream} has an event at revision {found} where {expected} comes next")]
    Revision {
        /// This is the stream.
        stream: StreamName,
        /// This is the revision that comes next.
        expected: u64,
        /// This is the revision that the event has.
        found: u64,
    },
    /// The event is impossible in the state that the stream is in.
    #[error("{stream} has an event at revision {revision} that is impossible in its state")]
    Impossible {
        /// This is the stream.
        stream: StreamName,
        /// This is the event's revision.
        revision: u64,
    },
    /// The event places a hold that is open already, or settles one that is not open or is of another sum.
    #[error("{stream} has an event at revision {revision} that does not fit its open holds")]
    Hold {
        /// This is the stream.
        stream: StreamName,
        /// This is the event's revision.
        revision: u64,
    },
    /// The balance would be too large to be counted.
    #[error("{stream} passes what can be counted")]
    Overflow {
        /// This is the stream.
        stream: StreamName,
    },
}

impl EvolveError {
    pub(super) fn not_opened(event: &Event) -> Self {
        Self::NotOpened { stream: event.stream.clone(), revision: event.revision }
    }

    pub(super) fn revision(event: &Event, expected: u64) -> Self {
        Self::Revision { stream: event.stream.clone(), expected, found: event.revision }
    }

    pub(super) fn impossible(event: &Event) -> Self {
        Self::Impossible { stream: event.stream.clone(), revision: event.revision }
    }

    pub(super) fn hold(event: &Event) -> Self {
        Self::Hold { stream: event.stream.clone(), revision: event.revision }
    }

    pub(super) fn overflow(event: &Event) -> Self {
        Self::Overflow { stream: event.stream.clone() }
    }
}
