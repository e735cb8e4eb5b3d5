//! How a stream stands: the fold of its events, by kind of stream.

use super::account::Account;
use super::event::{Body, Event, EvolveError};
use super::stream::StreamName;

/// How a stream stands after its last event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// An account.
    Account(Account),
}

impl State {
    /// The state after an event: total over all events, and blind to their answers.
    ///
    /// # Errors
    /// When the event is not the next of its stream.
    pub fn evolve(before: Option<&Self>, event: &Event) -> Result<Self, EvolveError> {
        match (&event.stream, &event.body) {
            (StreamName::Account(name), Body::Account(body)) => {
                let before = before.and_then(Self::account);
                Account::evolve(before, name, event, body).map(Self::Account)
            }
        }
    }

    /// The name of its stream.
    #[must_use]
    pub fn stream(&self) -> StreamName {
        match self {
            Self::Account(account) => StreamName::Account(account.name.clone()),
        }
    }

    /// The revision of its last event.
    #[must_use]
    pub fn revision(&self) -> u64 {
        match self {
            Self::Account(account) => account.revision,
        }
    }

    /// The account, if it is one.
    #[must_use]
    pub fn account(&self) -> Option<&Account> {
        match self {
            Self::Account(account) => Some(account),
        }
    }
}
