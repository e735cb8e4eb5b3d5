//! The embedded store is one folder with one SQLite file and one writer.
//!
//! A row of the table `commits` holds events that became durable together, as lines of NDJSON. A large commit is cut
//! into several rows of one database transaction, so that one event can be read without all the others of its commit.
//! The only index on disk is that of the rows' first positions. SQLite's WAL with `synchronous=FULL` makes events
//! durable.
//!
//! Its neighbours are `clerk`, which appends through [`writer::Writer`], and everybody who reads, through
//! [`reader::Reader`]. It must not know what an event means.

pub mod database;
pub mod folder;
pub mod held;
pub mod holder;
mod private;
pub mod reader;
pub mod wal;
pub mod writer;

use std::path::PathBuf;

/// An `Error` says what is wrong with a data folder.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder or a file in it can't be used.
    #[error("{path} can't be used")]
    Io {
        /// This is the path of it.
        path: PathBuf,
        /// This is the cause.
        #[source]
        source: std::io::Error,
    },
    /// The journal's database can't be used.
    #[error("the journal's database can't be used")]
    Database(#[from] rusqlite::Error),
    /// Another process holds the folder.
    #[error("{path} is in use by another bookonce ({holder})")]
    Held {
        /// This is the folder.
        path: PathBuf,
        /// This is what the holder wrote about itself.
        holder: String,
    },
    /// A later version of the program made the folder.
    #[error("{path} has data of format {found}; this version of bookonce knows formats up to {known}")]
    Newer {
        /// This is the folder.
        path: PathBuf,
        /// This is its format.
        found: u32,
        /// This is the newest format that this program knows.
        known: u32,
    },
    /// The folder holds something that this program did not put there.
    #[error("{path} is not a bookonce data folder: {why}")]
    Foreign {
        /// This is the folder.
        path: PathBuf,
        /// This says how that is known.
        why: String,
    },
    /// The journal is not what was written.
    #[error("the journal is damaged: {0}")]
    Damaged(String),
    /// The SQLite library has a known fault.
    #[error("SQLite {0} has a fault in its WAL; 3.51.3 or later is needed")]
    OldSqlite(&'static str),
}

impl From<Error> for super::ReadError {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
