//! This file says why the outbox can't be used, each in one sentence for the person at the command line.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::order::Wrong;
use crate::client::sender;
use crate::domain::ids::TransactionId;

/// An `Error` says why something could not be done with an outbox. Where it comes from storing a message, nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such file.
    #[error("there is no outbox at {}", .0.display())]
    Missing(PathBuf),
    /// It is a file of something else.
    #[error("{} is not an outbox", .0.display())]
    Foreign(PathBuf),
    /// It was made by a newer version of this program.
    #[error("{} is an outbox of format {found}, and this program knows format {known}", path.display())]
    Newer {
        /// This is the file.
        path: PathBuf,
        /// This is its format.
        found: i64,
        /// This is the newest format known here.
        known: i64,
    },
    /// It is damaged.
    #[error("the outbox {} is damaged: {what}", path.display())]
    Damaged {
        /// This is the file.
        path: PathBuf,
        /// This is what was found.
        what: String,
    },
    /// There is no room for it.
    #[error("the disk of the outbox {} is full", .0.display())]
    Full(PathBuf),
    /// It must not be written.
    #[error("the outbox {} can't be written", .0.display())]
    ReadOnly(PathBuf),
    /// It can't be opened, read or written for another reason.
    #[error("the outbox {} can't be used", path.display())]
    Sqlite {
        /// This is the file.
        path: PathBuf,
        /// This is why.
        source: rusqlite::Error,
    },
    /// A file beside it can't be used.
    #[error("{} can't be used", path.display())]
    Io {
        /// This is the file.
        path: PathBuf,
        /// This is why.
        source: io::Error,
    },
    /// It belongs to another service.
    #[error(
        "the outbox {} belongs to the service at {ours}: a message for {asked} goes into an outbox of its own",
        path.display()
    )]
    OtherService {
        /// This is the file.
        path: PathBuf,
        /// This is the service that it belongs to.
        ours: String,
        /// This is the service that was named.
        asked: String,
    },
    /// A secret would get into the file.
    #[error("{0} has a secret in it, which must not be stored")]
    Secret(&'static str),
    /// Another process sends from it.
    #[error("another sender has the outbox {}: {holder}", path.display())]
    Held {
        /// This is the file.
        path: PathBuf,
        /// This is who has it.
        holder: String,
    },
    /// The ID is in the outbox with another request.
    #[error("{0} is in the outbox with another request: a new message needs a new ID")]
    Reused(TransactionId),
    /// There is no message with this ID.
    #[error("there is no message {0} in the outbox")]
    Unknown(TransactionId),
    /// The message is not in a state for that.
    #[error("{id} {why}")]
    NotNow {
        /// This is the message.
        id: TransactionId,
        /// This is why.
        why: &'static str,
    },
    /// What was asked for is no order.
    #[error(transparent)]
    Wrong(#[from] Wrong),
    /// The service can't be spoken to at all.
    #[error(transparent)]
    Client(#[from] sender::Error),
}

impl Error {
    /// Gives an error of SQLite the words for what it means for this file.
    pub(super) fn of(path: &Path) -> impl Fn(rusqlite::Error) -> Self + '_ {
        move |source| {
            let path = path.to_owned();
            match source.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => Self::Full(path),
                Some(ErrorCode::ReadOnly) => Self::ReadOnly(path),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                    Self::Damaged { path, what: "SQLite can't read it".to_owned() }
                }
                Some(_) | None => Self::Sqlite { path, source },
            }
        }
    }

    /// Says whether it is the person's words that are wrong, and not the file, the disk or the service.
    #[must_use]
    pub const fn is_misuse(&self) -> bool {
        matches!(self, Self::Reused(_) | Self::Wrong(_))
    }
}
