//! What waits behind a parked message of its account is held back here.
//!
//! Only the next few messages are kept; the rest is read again from the account's stream. While an account waits, exactly one
//! of its messages is recorded as parked: the first that is not settled. So the checkpoint may pass all of them.

use std::collections::VecDeque;

use super::message::Message;

/// This is the most messages of one account that are kept.
pub(super) const KEPT: usize = 8;

/// `Behind` is what waits behind the parked message of an account.
#[derive(Clone, Debug)]
pub(super) struct Behind {
    /// This is the position of the parked message.
    pub(super) at: u64,
    /// These are the messages that come next.
    next: VecDeque<Message>,
    /// Every held back message up to this position is, or was, in `next`.
    known_to: u64,
    /// No held back message is after this position.
    pub(super) last: u64,
}

/// An `After` says what comes after a parked message that has ended.
pub(super) enum After {
    /// This message takes its place.
    Message(Message),
    /// The stream must be read again, up to this position, to know it.
    Read(u64),
    /// Nothing waits: the account is free.
    Nothing,
}

impl Behind {
    /// Begins to hold back behind the message at a position. Messages up to `last` may have been held back by an earlier
    /// process.
    pub(super) fn new(at: u64, last: u64) -> Self {
        Self { at, next: VecDeque::new(), known_to: at, last: last.max(at) }
    }

    /// Holds back the next message of the account.
    pub(super) fn hold(&mut self, message: &Message) {
        if self.next.len() < KEPT && self.known_to == self.last {
            self.next.push_back(message.clone());
            self.known_to = message.position;
        }
        self.last = self.last.max(message.position);
    }

    /// Says what comes next.
    pub(super) fn after(&mut self) -> After {
        match self.next.pop_front() {
            Some(message) => {
                self.at = message.position;
                After::Message(message)
            }
            None if self.last > self.known_to => After::Read(self.last),
            None => After::Nothing,
        }
    }

    /// Takes what was read of the stream up to a position: the next messages after the one that has ended. They are all of
    /// them, or more than are kept.
    pub(super) fn found(&mut self, messages: Vec<Message>, to: u64) {
        let mut messages = messages.into_iter();
        for message in messages.by_ref().take(KEPT) {
            self.known_to = message.position;
            self.next.push_back(message);
        }
        if messages.next().is_none() {
            self.known_to = self.known_to.max(to);
        }
    }
}
