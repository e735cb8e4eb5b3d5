//! API keys say who may call. They are kept only as keyed hashes, in `keys.json`; changes take effect while the service runs.
//!
//! [`mod@file`] is the file and its changes, made by `bookonce keys`; [`ring`] is the service's live view of it. It must
//! know nothing of HTTP, nor what a role may do. Up the way, `http::request` asks the ring who is calling.

pub mod file;
pub mod ring;

pub use crate::domain::role::Role;
pub use ring::Ring;

use clap::ValueEnum;
use clap::builder::PossibleValue;

/// The roles as the command line has them.
impl ValueEnum for Role {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Teller => {
                "Books deposits, withdrawals and reversals, opens accounts without an overdraft, and reads accounts, \
                 statements and its own transactions"
            }
            Self::Auditor => "Reads everything",
            Self::Operator => "Everything",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

/// An `Error` says why keys could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{what} {path}")]
    Io {
        /// This is what was tried.
        what: &'static str,
        /// This is the file.
        path: std::path::PathBuf,
        /// This is why it failed.
        source: std::io::Error,
    },
    /// The file is not one of keys.
    #[error("{path} is damaged")]
    Damaged {
        /// This is the file.
        path: std::path::PathBuf,
        /// This is what is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The machine gives no random numbers.
    #[error("the machine gives no random numbers")]
    Random(#[source] getrandom::Error),
    /// What was given is no key's id. It is not shown: it may be a secret.
    #[error("no key has such an id: an id is 12 hexadecimal digits, see `bookonce keys list`")]
    NoId,
    /// No key has this id.
    #[error("there is no key {0}")]
    Unknown(String),
}
