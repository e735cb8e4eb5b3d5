//! A first answer is the answer that a client got, rendered from its event. Rendering is a pure function of that one
//! event, so that a replayed answer is the first answer, byte for byte, whoever renders it and whenever.
//!
//! The renderer of a version is frozen; a new shape is a new version beside it. Its neighbours are `http`, which sends what
//! is rendered here, and `domain`, which makes the events.

mod answer;
mod destination;
mod holds;
mod transfer;
mod v1;

use crate::domain::event::{Body, Event};
use crate::domain::stream::StreamName;

pub use answer::Answer;

/// Renders the answer to the command that made this event.
#[must_use]
pub fn render(event: &Event) -> Answer {
    match (&event.stream, &event.body) {
        (StreamName::Account(name), Body::Account(body)) => v1::account(event, name, body),
        (StreamName::Transfer(id), Body::Transfer(body)) => transfer::transfer(event, *id, body),
        (StreamName::Delivery(name), Body::Delivery(body)) => destination::destination(event, name, body),
        // No such event can be decided or read, or nobody can ask for it.
        (StreamName::Account(_), Body::Transfer(_) | Body::Delivery(_) | Body::Letter(_))
        | (StreamName::Transfer(_), Body::Account(_) | Body::Delivery(_) | Body::Letter(_))
        | (StreamName::Delivery(_), Body::Account(_) | Body::Transfer(_) | Body::Letter(_))
        | (StreamName::Letter(_), _) => Answer { status: 500, body: b"{}".to_vec() },
    }
}
