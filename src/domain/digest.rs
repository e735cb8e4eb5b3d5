//! The state digest is one hash over everything that decisions depend on. Two ledgers with the same history agree on it,
//! whatever their positions and clocks are.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::account::Account;

/// A `StateHash` is the digest while it is computed: SHA-256 over one line for each account, in the order of their
/// names.
#[derive(Debug, Default)]
pub struct StateHash {
    hash: Sha256,
    line: String,
}

impl StateHash {
    /// Takes in one more account. The caller adds the accounts in the order of their names.
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

    /// Returns the digest, in hexadecimal.
    #[must_use]
    pub fn finish(self) -> String {
        hex::encode(self.hash.finalize())
    }
}
