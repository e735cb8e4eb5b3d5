//! A verdict is what a clerk says of a command to the caller that brought it.

use std::sync::Arc;

use crate::domain::decide::Refusal;
use crate::domain::event::Event;
use crate::store::Position;

/// A `Verdict` is the verdict on one command: what became of it.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The ID was new. This event was recorded for the command and is durable, at this position or before it.
    Booked(Arc<Event>, Position),
    /// The ID was used before, for this event, which is durable at this position or before it. The caller must find out
    /// whether the request is the same ([`crate::domain::same::differences`]).
    Seen(Arc<Event>, Position),
    /// The command was refused; nothing was recorded.
    Refused(Refusal),
    /// The clerk could not rule on the command. It may have ruled on others that came with it.
    Unavailable(Unavailable),
}

/// The reason why the clerk could not answer. It is never recorded, and the same ID may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// More commands are waiting than the queue holds.
    #[error("the ledger has more work than it can take")]
    Overloaded,
    /// The service is stopping.
    #[error("the service is stopping")]
    Stopping,
    /// The disk is full.
    #[error("the disk is full")]
    StorageFull,
    /// The store can't be written or read at the moment.
    #[error("the store can't be written")]
    StoreUnavailable,
    /// The store could not say whether it took the event.
    #[error("it is not known whether the store took the event")]
    OutcomeUnknown,
    /// The ID is being used for another account.
    #[error("the ID is being used for another account")]
    InProgress,
    /// The machine's clock is not believed.
    #[error("the machine's clock is not believed")]
    ClockInDoubt,
    /// Another folder stands where the ledger's data folder was.
    #[error("the data folder was moved or exchanged")]
    FolderReplaced,
    /// The store's content is not what the ledger wrote.
    #[error("the store is damaged")]
    StoreDamaged,
}
