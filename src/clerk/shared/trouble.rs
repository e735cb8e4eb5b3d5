//! [`Trouble`] is the reason why nothing can be decided on a stream at the moment.

use crate::seldom::Seldom;
use crate::store::eventstoredb::{Error, Foreign};

/// The reason why nothing can be decided on a stream at the moment.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The stream or the index can't be read at the moment.
    Unreachable,
    /// The stream is not what the ledger wrote.
    Damaged(String),
    /// A newer version of this program wrote an event of the stream. The follower meets it, too, and says so.
    Newer,
}

impl Trouble {
    /// Makes the trouble that follows from an event of the stream that can't be read.
    pub(super) fn foreign(foreign: &Foreign, revision: u64) -> Self {
        let why = format!("revision {revision}: {foreign}");
        if foreign.newer().is_some() { Self::Newer } else { Self::Damaged(why) }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Deleted => Self::Damaged("its stream was deleted".into()),
            Error::Newer(_) => Self::Newer,
            Error::Damaged(why) => Self::Damaged(why),
            denied @ (Error::Denied | Error::Settings(_) | Error::TooLarge) => {
                static REFUSED: Seldom = Seldom::new();
                if let Some(times) = REFUSED.due() {
                    tracing::warn!(error = %denied, times, "the store refuses the ledger");
                }
                Self::Unreachable
            }
            gone @ (Error::Unreachable(_)
            | Error::Untrusted(_)
            | Error::Dropped(_)
            | Error::NoSuchPosition(_)) => {
                tracing::debug!(error = %gone, "the store can't be reached");
                Self::Unreachable
            }
        }
    }
}
