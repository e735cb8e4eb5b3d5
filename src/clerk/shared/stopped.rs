//! [`Stopped`] says why the follower stops reading, for a while or for good.

use crate::index::IndexError;
use crate::store::eventstoredb::Error;

/// A `Stopped` says why the follower stops reading, for a while or for good.
pub(super) enum Stopped {
    /// The store can't be reached, or ended the subscription.
    Store(Error),
    /// The index can't go on.
    Index(IndexError),
    /// An event did not follow on what was read, so it is read again from there.
    Doubt,
    /// The index does not show what is in the store, so it is read again from the last event.
    Again,
    /// The store is not the one that the index was made of.
    Whole(String),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<IndexError> for Stopped {
    fn from(error: IndexError) -> Self {
        Self::Index(error)
    }
}
