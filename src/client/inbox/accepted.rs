//! What comes of a message that is taken into an inbox: it is fresh, it is a duplicate, or that can't be told.

/// `Accepted` says whether the effect of a message is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It has not come before: its effect belongs into the same transaction.
    Fresh,
    /// It has come before, and its effect is there: it is answered as if it were new, and nothing else is done.
    Duplicate,
}

/// The reason why an inbox can't say whether a message has come before. The transaction is to be rolled back, and the message
/// refused with a status that lets it come again (503).
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The database has an inbox that keeps something else: what it has seen can't be found by what is asked for now.
    #[error("the inbox of this database keeps {0}")]
    KeepsOther(String),
    /// The ledger does not go on from where it was: another event has the place of one that had come before.
    #[error(
        "the ledger was put back: {subject} has another event at revision {revision} than before, or an older one"
    )]
    WentBack {
        /// This is the stream.
        subject: String,
        /// This is the revision of the message.
        revision: u64,
    },
    /// The message has a revision that a database can't hold.
    #[error("revision {0} is larger than any that a stream has")]
    Revision(u64),
    /// The database can't be read or written.
    #[error("the inbox can't be used")]
    Sqlite(#[from] rusqlite::Error),
}

/// Says what comes of a message that is fresh or not.
pub(super) const fn fresh_if(is_fresh: bool) -> Accepted {
    if is_fresh { Accepted::Fresh } else { Accepted::Duplicate }
}
