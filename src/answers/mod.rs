//! First answers: an event, rendered as what its client was told. A pure function of the one event, so that a replayed
//! answer is the first answer, byte for byte, whoever renders it and whenever.
//!
//! The renderer of a version is frozen; a new shape is a new version beside it. Neighbours: `http` sends what is
//! rendered here; `domain` makes the events.

mod v1;

use crate::domain::event::{Body, Event};
use crate::domain::stream::StreamName;

/// An answer, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status: 201, or 402 for a recorded decline.
    pub status: u16,
    /// The JSON body; problem+json when the status is 402.
    pub body: Vec<u8>,
}

/// Renders the answer that this event is.
#[must_use]
pub fn render(event: &Event) -> Answer {
    match (&event.stream, &event.body) {
        (StreamName::Account(name), Body::Account(body)) => v1::account(event, name, body),
    }
}
