//! A state says how a stream stands, which is the fold of its events. Each kind of stream has a kind of state.

use super::account::Account;
use super::delivery::name::DestinationName;
use super::delivery::{Destination, Wrong};
use super::event::{Body, Event, EvolveError};
use super::ids::Id;
use super::letter::Letter;
use super::stream::StreamName;
use super::time::Timestamp;
use super::transfer::Transfer;

/// A `State` is the state of a stream after its last event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is the state of an account.
    Account(Account),
    /// It is the state of a transfer.
    Transfer(Transfer),
    /// It is the state of the destination with this name. It is boxed, so that an account's state does not become larger.
    Delivery(DestinationName, Box<Destination>),
    /// It is the state of a letter. It is boxed, as a destination's is.
    Letter(Box<Letter>),
}

impl State {
    /// Returns the state after an event. Every event is covered, and its answer is never read.
    ///
    /// # Errors
    /// Fails when the event is not the next of its stream, or when a balance can't be counted any more.
    pub fn evolve(before: Option<&Self>, event: &Event) -> Result<Self, EvolveError> {
        match (&event.stream, &event.body) {
            (StreamName::Account(name), Body::Account(body)) => {
                let before = before.and_then(Self::account);
                Account::evolve(before, name, event, body).map(Self::Account)
            }
            (StreamName::Transfer(id), Body::Transfer(body)) => {
                let before = before.and_then(Self::transfer);
                Transfer::evolve(before, *id, event, body).map(Self::Transfer)
            }
            (StreamName::Delivery(name), Body::Delivery(body)) => {
                let before = before.and_then(Self::destination);
                match Destination::evolve(before, event.revision, body) {
                    Ok(after) => Ok(Self::Delivery(name.clone(), Box::new(after))),
                    Err(Wrong::NotBegun) => Err(EvolveError::not_opened(event)),
                    Err(Wrong::Revision { expected }) => Err(EvolveError::revision(event, expected)),
                    Err(Wrong::Impossible | Wrong::Term | Wrong::Serving | Wrong::Back | Wrong::Messages) => {
                        Err(EvolveError::impossible(event))
                    }
                }
            }
            (StreamName::Letter(id), Body::Letter(body)) => {
                let before = before.and_then(Self::letter);
                let after = Letter::evolve(before, *id, event.revision, body);
                after.map(|after| Self::Letter(Box::new(after))).ok_or_else(|| EvolveError::impossible(event))
            }
            (StreamName::Account(_), Body::Transfer(_) | Body::Delivery(_) | Body::Letter(_))
            | (StreamName::Transfer(_), Body::Account(_) | Body::Delivery(_) | Body::Letter(_))
            | (StreamName::Delivery(_), Body::Account(_) | Body::Transfer(_) | Body::Letter(_))
            | (StreamName::Letter(_), Body::Account(_) | Body::Transfer(_) | Body::Delivery(_)) => {
                Err(EvolveError::impossible(event))
            }
        }
    }

    /// Returns the name of its stream.
    #[must_use]
    pub fn stream(&self) -> StreamName {
        match self {
            Self::Account(account) => StreamName::Account(account.name.clone()),
            Self::Transfer(transfer) => StreamName::Transfer(transfer.id),
            Self::Delivery(name, _) => StreamName::Delivery(name.clone()),
            Self::Letter(letter) => StreamName::Letter(letter.id),
        }
    }

    /// Returns the revision of its last event.
    #[must_use]
    pub fn revision(&self) -> u64 {
        match self {
            Self::Account(account) => account.revision,
            Self::Transfer(transfer) => transfer.revision,
            Self::Delivery(_, destination) => destination.revision,
            Self::Letter(letter) => letter.revision,
        }
    }

    /// Returns when the next of its holds expires; `None` where none ever does.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Timestamp> {
        match self {
            Self::Account(account) => account.holds.next_to_expire().map(|(_, at)| at),
            Self::Transfer(_) | Self::Delivery(..) | Self::Letter(_) => None,
        }
    }

    /// Returns when the service is to book something on the stream of its own accord: the next expiry of an account, the
    /// deadline of a transfer; `None` where it never is.
    #[must_use]
    pub fn timer(&self) -> Option<Timestamp> {
        match self {
            Self::Account(_) => self.next_expiry(),
            Self::Transfer(transfer) => transfer.timer(),
            Self::Delivery(..) | Self::Letter(_) => None,
        }
    }

    /// Says whether the expiry of one of its holds is due at this time.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.next_expiry().is_some_and(|at| at <= now)
    }

    /// Says whether a hold with this ID is open in it.
    #[must_use]
    pub fn has_open(&self, hold: Id) -> bool {
        match self {
            Self::Account(account) => account.holds.get(hold).is_some(),
            Self::Transfer(_) | Self::Delivery(..) | Self::Letter(_) => false,
        }
    }

    /// Returns the account, if it is the state of one.
    #[must_use]
    pub fn account(&self) -> Option<&Account> {
        match self {
            Self::Account(account) => Some(account),
            Self::Transfer(_) | Self::Delivery(..) | Self::Letter(_) => None,
        }
    }

    /// Returns the transfer, if it is the state of one.
    #[must_use]
    pub fn transfer(&self) -> Option<&Transfer> {
        match self {
            Self::Account(_) | Self::Delivery(..) | Self::Letter(_) => None,
            Self::Transfer(transfer) => Some(transfer),
        }
    }

    /// Returns the destination, if it is the state of one.
    #[must_use]
    pub fn destination(&self) -> Option<&Destination> {
        match self {
            Self::Account(_) | Self::Transfer(_) | Self::Letter(_) => None,
            Self::Delivery(_, destination) => Some(destination),
        }
    }

    /// Returns the letter, if it is the state of one.
    #[must_use]
    pub fn letter(&self) -> Option<&Letter> {
        match self {
            Self::Account(_) | Self::Transfer(_) | Self::Delivery(..) => None,
            Self::Letter(letter) => Some(letter),
        }
    }
}
