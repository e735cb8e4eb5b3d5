//! [`Error`] says why the audit can't read or write a file, a folder or a store, so that nothing can be said of the
//! journal.

use std::path::PathBuf;

use crate::audit::source::form::Form;

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
    /// A file is no export, or an export that a copy has changed as a whole.
    #[error("{} {form}", path.display())]
    NotAnExport { path: PathBuf, form: Form },
    /// A part of an export has no manifest that could say where it belongs.
    #[error("{} can't be put behind another part: its manifest (the last line) can't be used: {why}", path.display())]
    PartManifest { path: PathBuf, why: String },
    /// A part of an export does not begin where the one before it ends.
    #[error(
        "{} is not the part that comes next: it begins at position {from}, and the one before it ends at {after}, or they \
         are of different histories",
        path.display()
    )]
    NotNext { path: PathBuf, after: u64, from: u64 },
    /// Several data folders, or a folder and files, can't be read as one.
    #[error("{} is a folder: only files of exports can be put one behind the other", .0.display())]
    FolderInParts(PathBuf),
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
