//! What a clerk says of a command, to whoever brought it.

use std::sync::Arc;

use crate::domain::decide::Refusal;
use crate::domain::event::Event;
use crate::store::Position;

/// What became of one command.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It was new: this event was recorded for it, and is durable.
    Booked(Arc<Event>, Position),
    /// Its ID was used before, for this event, which is durable. Whether the request is the same is for the caller to
    /// ask ([`crate::domain::same::differences`]).
    Seen(Arc<Event>, Position),
    /// Nothing was recorded.
    Refused(Refusal),
    /// The machinery could not rule on it; others that came with it may have been.
    Unavailable(Unavailable),
}

/// Why the machinery could not answer. Never recorded: the same ID may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// More commands are waiting than the queue holds, or the service is stopping.
    #[error("the ledger has more work than it can take")]
    Overloaded,
    /// The service is stopping.
    #[error("the service is stopping")]
    Stopping,
    /// The disk is full.
    #[error("the disk is full")]
    StorageFull,
    /// The store does not take anything.
    #[error("the store can't be written")]
    StoreUnavailable,
    /// The store could not say whether it took the event.
    #[error("it is not known whether the store took the event")]
    OutcomeUnknown,
    /// The ID is in hand for another account.
    #[error("the ID is being used for another account")]
    InProgress,
    /// The store's content is not what the ledger wrote.
    #[error("the store is damaged")]
    StoreDamaged,
}
