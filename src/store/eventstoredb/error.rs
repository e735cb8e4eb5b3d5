//! What can be wrong, told apart by what the caller can do about it.

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The connection string, or a file that it names: a person must change it.
    #[error("the event store's connection string can't be used: {0}")]
    Settings(String),
    /// No connection, no answer, no leader, or an answer that says no more than that it failed: may come back by itself.
    #[error("the event store can't be reached: {0}")]
    Unreachable(String),
    /// The stream was deleted for ever (a tombstone): its account can't be known any more.
    #[error("the stream was deleted for ever")]
    Deleted,
    /// User, password or rights are not what the event store wants.
    #[error("the event store denies access")]
    Denied,
    /// It does not fit into one append of this node.
    #[error("too large for one append")]
    TooLarge,
    /// What is there is not what an event store has.
    #[error("the event store is damaged: {0}")]
    Damaged(String),
    /// A read of `$all` named a position at which no record begins.
    #[error("no event begins at position {0}")]
    NoSuchPosition(u64),
    /// An event was written by a newer version of this program.
    #[error("{0}: upgrade this instance")]
    Newer(String),
    /// A subscription ended. Follow again after the last position seen.
    #[error("the subscription ended: {0}")]
    Dropped(String),
}

impl From<eventstore::Error> for Error {
    /// What a call other than an append came back with.
    fn from(error: eventstore::Error) -> Self {
        use eventstore::Error as E;
        match error {
            E::AccessDenied => Self::Denied,
            E::ResourceDeleted => Self::Deleted,
            E::NotLeaderException(leader) => {
                Self::Unreachable(format!("not the leader, which is {}:{}", leader.host, leader.port))
            }
            E::ServerError(_)
            | E::ConnectionClosed
            | E::Grpc { .. }
            | E::GrpcConnectionError(_)
            | E::InternalParsingError(_)
            | E::ResourceAlreadyExists
            | E::ResourceNotFound
            | E::UnsupportedFeature
            | E::InternalClientError
            | E::DeadlineExceeded
            | E::InitializationError(_)
            | E::IllegalStateError(_)
            | E::WrongExpectedVersion { .. } => Self::Unreachable(error.to_string()),
        }
    }
}
