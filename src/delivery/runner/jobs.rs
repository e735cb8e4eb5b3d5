//! A job is one thing that the flow wants done and that takes time: an attempt, an append, or a read. Jobs run beside each
//! other; what came of each goes back to the flow.

use std::sync::Arc;
use std::time::Instant;

use crate::delivery::message::Message;
use crate::delivery::port::Unreadable;
use crate::delivery::webhook::{Attempt, Webhook};
use crate::domain::delivery::Destination;
use crate::domain::delivery::decide::DeliveryOperation;
use crate::domain::delivery::failure::{Attempted, Blame, Failure, FailureClass};
use crate::domain::delivery::flow::{Dead, MOST_READ, Message as FlowMessage};
use crate::domain::stream::StreamName;

use super::books::Books;
use super::chosen::for_flow;
use super::contender::Lease;

/// The `Tools` are what every job of one destination works with.
pub(super) struct Tools {
    pub(super) books: Books,
    pub(super) webhook: Webhook,
    pub(super) lease: Lease,
}

/// A `Done` says what came of a job.
pub(super) enum Done {
    /// A message was sent once.
    Attempted(u64, Attempted),
    /// A claim is durable.
    Claimed(Vec<u64>),
    /// The dead letter of the message at a position is durable. This is why it was given up.
    Buried(u64, FailureClass),
    /// A stream was read up to a position.
    Found(StreamName, Vec<FlowMessage>, u64),
    /// Progress is durable.
    Recorded,
    /// The destination is paused, or another has changed it: how it stands must be read again.
    Changed,
    /// This instance has looked how the destination stands, and everything was known that was in the journal at this time;
    /// `None` where that can't be known now.
    Looked(Option<(Box<Destination>, Instant)>),
    /// This instance was asked whether it lives: its answer is durable, or it is not.
    Answered {
        /// This says which.
        is_durable: bool,
    },
}

impl Tools {
    /// Sends a message once. One whose body is not in hand is read first; where that fails, nothing was sent, and no other
    /// message could be.
    pub(super) async fn attempt(
        self: Arc<Self>,
        position: u64,
        message: Option<Arc<Message>>,
        (number, term, is_late): (u32, u64, bool),
    ) -> Done {
        let port = &*self.books.port;
        let message = match message {
            Some(message) => message,
            None => match self.books.chooser.again(port, position).await {
                Ok(message) => Arc::new(message),
                Err(error) => return Done::Attempted(position, unreadable(&error)),
            },
        };
        // A process that was stopped meanwhile may have lost the destination.
        if !self.lease.holds() {
            return Done::Attempted(position, not_begun());
        }
        let attempt = Attempt { number, term, is_late, at: port.now() };
        Done::Attempted(position, self.webhook.send(&message, attempt).await)
    }

    /// Makes a claim durable.
    pub(super) async fn claim(self: Arc<Self>, term: u64, positions: Vec<u64>) -> Done {
        let asked = DeliveryOperation::Claim { term, positions: positions.clone() };
        if self.books.record(&asked).await { Done::Claimed(positions) } else { Done::Changed }
    }

    /// Makes progress, or a pause, durable.
    pub(super) async fn put(self: Arc<Self>, asked: DeliveryOperation, done: Done) -> Done {
        if self.books.record(&asked).await { done } else { Done::Changed }
    }

    /// Looks how the destination stands.
    pub(super) async fn look(self: Arc<Self>) -> Done {
        let (port, seen_at) = (&self.books.port, self.books.port.seen_at());
        match (port.destination(&self.books.chooser.name).await, seen_at) {
            (Ok(Some(state)), Some(seen_at)) => Done::Looked(Some((Box::new(state), seen_at))),
            (Ok(_) | Err(_), _) => Done::Looked(None),
        }
    }

    /// Answers that this instance lives. It is tried once: how the destination stands is looked at before it is again.
    pub(super) async fn answer(self: Arc<Self>, asked: DeliveryOperation) -> Done {
        let is_durable = self.books.port.record(&self.books.chooser.name, &asked).await.is_ok();
        Done::Answered { is_durable }
    }

    /// Makes a dead letter durable.
    pub(super) async fn bury(self: Arc<Self>, dead: Dead) -> Done {
        if self.books.bury(&dead).await {
            Done::Buried(dead.position, dead.failure.class)
        } else {
            Done::Changed
        }
    }

    /// Reads the next messages of a stream after a revision, up to a position.
    pub(super) async fn find(self: Arc<Self>, stream: StreamName, after: u64, to: u64) -> Done {
        let found = self.books.find(&stream, after, to, MOST_READ).await;
        let found = found.iter().map(for_flow).collect();
        Done::Found(stream, found, to)
    }
}

/// What was not begun is the fault of no message.
fn not_begun() -> Attempted {
    let why = "this instance has not seen the journal's end lately";
    let failure = Failure::new(FailureClass::NoAnswer, why);
    Attempted::Failed { blame: Blame::Destination { is_unsent: true }, failure, retry_after_seconds: None }
}

/// An event that can't be read is the fault of no message: no other could be read either.
fn unreadable(error: &Unreadable) -> Attempted {
    let failure = Failure::new(FailureClass::NoAnswer, &format!("its event can't be read: {}", error.0));
    Attempted::Failed { blame: Blame::Destination { is_unsent: true }, failure, retry_after_seconds: None }
}
