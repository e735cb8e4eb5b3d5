//! The auditor: replays a journal with an arithmetic of its own, and says where it is first wrong.
//!
//! A journal comes from a [`source`] in blocks; each line is cut and checked by itself ([`mod@line`], [`data`], [`chain`]) on
//! several threads ([`pipeline`]); then the events are folded in order into [`books`], each checked against [`rules`]. Where
//! the chain runs along each stream and not along the journal, [`streams`] follows it in order, too.
//! [`verify`] and [`replay`] say what was found; [`export`] and [`restore`] carry a journal from place to place.
//!
//! It must not know `domain`, `store`, `clerk` or `index`: it shares the contract's text with them and no code, so that one
//! slip is not made twice. Down the way: the journal's files. Up the way: the command line, and tests that compare the two.

pub mod audited;
pub mod block;
pub mod books;
pub mod chain;
pub mod currency;
pub mod cursor;
pub mod data;
pub mod digest;
pub mod event;
pub mod export;
pub mod export_streams;
pub mod flaw;
pub mod line;
pub mod manifest;
pub mod money;
pub mod part;
pub mod pipeline;
pub mod remote;
pub mod replay;
pub mod restore;
pub mod rules;
pub mod run;
pub mod seen;
pub mod source;
pub mod streams;
pub mod verify;

#[cfg(test)]
pub(crate) mod tests;

use std::path::PathBuf;

/// Why a journal can't be audited at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file can't be opened.
    #[error("can't open {}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file can't be read.
    #[error("can't read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file can't be written.
    #[error("can't write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A store that feeds its lines can't be read.
    #[error("can't read the store")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is nothing in a file.
    #[error("{} is empty: it has neither events nor a manifest", .0.display())]
    Empty(PathBuf),
    /// What was named is no data folder.
    #[error("{} is no data folder: its FORMAT file can't be read", path.display())]
    NoFolder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The data folder is of another format.
    #[error("the data folder {} is of a format that is not known here: {says:?}", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// What it says of itself.
        says: String,
    },
    /// SQLite is too old to be trusted with a WAL.
    #[error("this program was built with SQLite {0}; 3.51.3 or newer is needed")]
    OldSqlite(&'static str),
    /// A database can't be read.
    #[error("can't read the database {}", path.display())]
    Database {
        /// Which.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A database is damaged so that it can't be begun.
    #[error("the database {} is damaged: {why}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// How.
        why: String,
    },
}
