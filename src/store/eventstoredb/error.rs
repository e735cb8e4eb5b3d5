//! [`Error`] says why the store did not do what it was asked. Its variants are told apart by what the caller can do.

/// An `Error` says why the store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The connection string, or a file that it names, can't be used. A person must change it.
    #[error("the event store's connection string can't be used: {0}")]
    Settings(String),
    /// There is no connection, no answer or no leader, or the answer says only that it failed. It may pass by itself.
    #[error("the event store can't be reached: {0}")]
    Unreachable(String),
    /// The stream was deleted for ever (a tombstone): its account can't be known any more.
    #[error("the stream was deleted for ever")]
    Deleted,
    /// The certificate of a node is not one that the connection string says to trust.
    #[error("the event store's certificate is not trusted: {0}")]
    Untrusted(String),
    /// The event store does not accept the user or the password, or the user may not do this.
    #[error("the event store denies access")]
    Denied,
    /// The events do not fit into one append of this node.
    #[error("too large for one append")]
    TooLarge,
    /// What the event store has can't be right.
    #[error("the event store is damaged: {0}")]
    Damaged(String),
    /// A read of `$all` named a position at which no record begins.
    #[error("no event begins at position {0}")]
    NoSuchPosition(u64),
    /// An event was written by a newer version of this program.
    #[error(
        "a newer version of bookonce wrote an event {0}, which this one does not know: upgrade this instance"
    )]
    Newer(String),
    /// A subscription ended. The caller may follow again, after the last position that it saw.
    #[error("the subscription ended: {0}")]
    Dropped(String),
}

impl From<eventstore::Error> for Error {
    /// Translates the error of any call but an append.
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
