//! The embedded store: one folder, one SQLite file, one writer.
//!
//! A row of the table `commits` holds the events that became durable together, as lines of NDJSON; a large commit is cut
//! into several rows of one database transaction, so that one event can be read without its thousand neighbours. There
//! is no index on disk but the rows' first positions. Events are made durable by SQLite's WAL with `synchronous=FULL`.
//!
//! Neighbours: `clerk` appends through [`writer::Writer`], everybody reads through [`reader::Reader`]. Must not know what an
//! event means.

pub mod database;
pub mod folder;
pub mod held;
mod private;
pub mod reader;
pub mod wal;
pub mod writer;

use std::path::PathBuf;

/// What is wrong with a data folder.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder or a file in it can't be used.
    #[error("{path} can't be used")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The journal's database can't be used.
    #[error("the journal's database can't be used")]
    Database(#[from] rusqlite::Error),
    /// Another process has it.
    #[error("{path} is in use by another bookonce ({holder})")]
    Held {
        /// The folder.
        path: PathBuf,
        /// What the holder wrote about itself.
        holder: String,
    },
    /// A later version of the program made it.
    #[error("{path} has data of format {found}; this version of bookonce knows formats up to {known}")]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// It holds something that this program did not put there.
    #[error("{path} is not a bookonce data folder: {why}")]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// How that is known.
        why: String,
    },
    /// It is not what was written.
    #[error("the journal is damaged: {0}")]
    Damaged(String),
    /// A SQLite with a known fault.
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
