//! Trouble: the reason why nothing can be decided on a stream at the moment.

use crate::store::eventstoredb::Error;

/// The reason why nothing can be decided on a stream at the moment.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The stream or the index can't be read at the moment.
    Unreachable,
    /// The stream is not what the ledger wrote.
    Damaged(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Deleted => Self::Damaged("its stream was deleted".into()),
            Error::Damaged(why) => Self::Damaged(why),
            denied @ (Error::Denied | Error::Settings(_) | Error::TooLarge) => {
                tracing::warn!(error = %denied, "the store refuses the ledger");
                Self::Unreachable
            }
            gone @ (Error::Unreachable(_) | Error::Dropped(_)) => {
                tracing::debug!(error = %gone, "the store can't be reached");
                Self::Unreachable
            }
        }
    }
}
