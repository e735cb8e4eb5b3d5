//! API keys: who may call, kept only as keyed hashes in `keys.json`, in effect while the service runs.
//!
//! [`mod@file`] is the file and its changes, made by `bookonce keys`; [`ring`] is the service's live view of it. Knows
//! nothing of HTTP. Up the way: `http::auth` asks the ring who is calling.

pub mod file;
pub mod ring;

pub use ring::Ring;

use serde::{Deserialize, Serialize};

/// What a key's holder may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Books deposits, withdrawals and reversals, opens accounts, and reads.
    Teller,
    /// Only reads.
    Auditor,
    /// Everything.
    Operator,
}

impl Role {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Teller => "teller",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }
}

/// Why keys could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{what} {path}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: std::path::PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The file is not one of keys.
    #[error("{path} is damaged")]
    Damaged {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No random numbers.
    #[error("the machine gives no random numbers")]
    Random(#[source] getrandom::Error),
    /// No key has this id.
    #[error("there is no key {0}")]
    Unknown(String),
}
