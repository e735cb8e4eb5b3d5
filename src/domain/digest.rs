//! The state digest: everything that decisions depend on, in one hash. Two ledgers with the same history agree on it,
//! whatever their positions and clocks.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::account::Account;

/// The digest: SHA-256 over a line for each account, by name.
#[derive(Debug, Default)]
pub struct StateHash {
    hash: Sha256,
    line: String,
}

impl StateHash {
    /// Takes in the next account by name.
    pub fn add(&mut self, account: &Account) {
        self.line.clear();
        // Writing to a string can't fail.
        let _infallible = writeln!(
            self.line,
            "{}|{}|{}|{}|{}|{}|{}",
            account.name,
            account.currency,
            account.balance,
            account.overdraft_limit,
            account.status.name(),
            account.held(),
            hex::encode(account.seen)
        );
        self.hash.update(&self.line);
    }

    /// The digest, in hexadecimal.
    #[must_use]
    pub fn finish(self) -> String {
        hex::encode(self.hash.finalize())
    }
}
