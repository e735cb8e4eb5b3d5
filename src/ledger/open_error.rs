//! The reasons why a ledger can't be opened or closed.

use crate::index::IndexError;
use crate::store::{CloseError, embedded};

/// Why a ledger can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder or the journal.
    #[error(transparent)]
    Store(#[from] embedded::Error),
    /// The index. `bookonce rebuild` mends it.
    #[error("the index can't be used; `bookonce rebuild` builds it anew from the journal")]
    Index(#[from] IndexError),
    /// The index and the journal do not belong together.
    #[error("{0}")]
    Mismatch(String),
    /// A line of the journal is not what was written.
    #[error("the journal is damaged at position {position}: {why}")]
    Damaged {
        /// Where.
        position: u64,
        /// What is wrong.
        why: String,
    },
    /// The store can't be left tidy.
    #[error("the store could not be closed")]
    Close(#[source] CloseError),
    /// A thread can't be started.
    #[error("a thread can't be started")]
    Thread(#[from] std::io::Error),
}
