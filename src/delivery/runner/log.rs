//! The log of a destination says what an operator must know of it: that messages fail, that it is down, that it is there again,
//! and which messages were given up.
//!
//! What can come often is told at once, and then once a minute with the number of times.

use crate::domain::delivery::failure::Failure;
use crate::domain::delivery::flow::Dead;
use crate::domain::delivery::name::DestinationName;
use crate::domain::transfer::payout::Label;
use crate::seldom::Seldom;

/// A `Log` is the log of one destination.
pub(super) struct Log {
    destination: DestinationName,
    unrecorded: Seldom,
    failed: Seldom,
    given_up: Seldom,
}

impl Log {
    pub(super) fn of(destination: &DestinationName) -> Self {
        let destination = destination.clone();
        Self { destination, unrecorded: Seldom::new(), failed: Seldom::new(), given_up: Seldom::new() }
    }

    /// Tells that something could not be read or recorded.
    pub(super) fn could_not(&self, error: &(dyn std::error::Error + 'static)) {
        if let Some(times) = self.unrecorded.due() {
            let destination = &self.destination;
            tracing::warn!(%destination, times, error, "something of a destination could not be read or recorded yet");
        }
    }

    /// Tells that a message was not delivered by an attempt.
    pub(super) fn failed(&self, position: u64, failure: &Failure) {
        if let Some(times) = self.failed.due() {
            let (destination, class) = (&self.destination, failure.class.name());
            let (code, why) = (failure.code.as_ref().map(Label::as_str), failure.message.as_str());
            tracing::warn!(%destination, times, position, class, code, why, "a message could not be delivered yet");
        }
    }

    /// Tells that a message was given up.
    pub(super) fn given_up(&self, dead: &Dead) {
        if let Some(times) = self.given_up.due() {
            let (destination, position, attempts) = (&self.destination, dead.position, dead.attempts);
            let (class, why) = (dead.failure.class.name(), dead.failure.message.as_str());
            tracing::warn!(%destination, times, position, attempts, class, why, "a message was given up: it is a dead letter");
        }
    }

    /// Tells that the destination has been down for long.
    pub(super) fn is_still_down(&self) {
        let destination = &self.destination;
        tracing::warn!(%destination, "the destination has been down for 5 minutes: somebody should look at it");
    }

    /// Tells that the destination as a whole is down, or that it is there again.
    pub(super) fn turned(&self, is_down: bool) {
        let destination = &self.destination;
        if is_down {
            tracing::warn!(%destination, "the destination is down: one message at a time is tried");
        } else {
            self.failed.over();
            tracing::info!(%destination, "the destination is there again");
        }
    }
}
