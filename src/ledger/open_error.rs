//! [`OpenError`] holds the reasons why a ledger can't be opened or closed.

use crate::index::IndexError;
use crate::store::{CloseError, embedded};

/// An `OpenError` says why a ledger can't be opened or closed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder or the journal can't be used.
    #[error(transparent)]
    Store(#[from] embedded::Error),
    /// The index can't be used. `bookonce rebuild` builds it anew.
    #[error("the index can't be used; `bookonce rebuild` builds it anew from the journal")]
    Index(#[from] IndexError),
    /// The index and the journal do not belong together.
    #[error("{0}")]
    Mismatch(String),
    /// A line of the journal is not what was written.
    #[error("the journal is damaged at position {position}: {why}")]
    Damaged {
        /// This is the position of the line.
        position: u64,
        /// This says what is wrong.
        why: String,
    },
    /// A newer version of this program wrote to the journal.
    #[error(
        "the journal has an event at position {position} that a newer version of bookonce wrote, {what}: nothing is damaged, \
         and this program must be upgraded"
    )]
    Newer {
        /// This is the position of the event.
        position: u64,
        /// This says what is not known of it.
        what: String,
    },
    /// The store can't be closed cleanly.
    #[error("the store could not be closed")]
    Close(#[source] CloseError),
    /// The mark that says whether transfers are paused can't be read or written.
    #[error(
        "transfers.json in the data folder, which says whether transfers are paused, can't be read or written"
    )]
    Pause(#[source] std::io::Error),
    /// A thread can't be started.
    #[error("a thread can't be started")]
    Thread(#[from] std::io::Error),
}
