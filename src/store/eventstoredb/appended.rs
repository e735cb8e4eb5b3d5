//! [`Appended`] is what is known of an append after one attempt.

use super::error::Error;

/// An `Appended` says what became of an append, as far as one attempt can know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The events are in the stream: the node acknowledged them, as new or as a repeat.
    Stored {
        /// This is the revision of its last event, as the node says.
        last_revision: u64,
        /// This is the position of its last event, when the node says one.
        position: Option<u64>,
    },
    /// The expected revision was refused, because another event is there: this attempt stored nothing. The other event may
    /// not be readable yet, and may even vanish with the leader that took it.
    Conflict,
    /// Nobody can know whether the events were stored: there was a deadline, a lost connection, an error, or no answer.
    Unknown(String),
    /// This attempt certainly stored nothing: it was never sent, or was refused by a rule before anything was done.
    NotSent(Error),
    /// The stream was deleted for ever.
    Deleted,
}
