//! Errors of the audit: a file, a folder or a store can't be read or written, so that nothing can be said of the journal.

use std::path::PathBuf;

/// An error says why a journal can't be audited at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file can't be opened.
    #[error("can't open {}", path.display())]
    Open { path: PathBuf, source: std::io::Error },
    /// A file can't be read.
    #[error("can't read {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// A file can't be written.
    #[error("can't write {}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    /// A store that feeds its lines can't be read.
    #[error("can't read the store")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is nothing in a file.
    #[error("{} is empty: it has neither events nor a manifest", .0.display())]
    Empty(PathBuf),
    /// What was named is no data folder.
    #[error("{} is no data folder: its FORMAT file can't be read", path.display())]
    NoFolder { path: PathBuf, source: std::io::Error },
    /// The data folder is of another format.
    #[error("the data folder {} is of a format that is not known here: {says:?}", path.display())]
    Format { path: PathBuf, says: String },
    /// SQLite is too old to be trusted with a WAL.
    #[error("this program was built with SQLite {0}; 3.51.3 or newer is needed")]
    OldSqlite(&'static str),
    /// A database can't be read.
    #[error("can't read the database {}", path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
    /// A database is damaged so that it can't be begun.
    #[error("the database {} is damaged: {why}", path.display())]
    Damaged { path: PathBuf, why: String },
}
