//! The state digest is one hash over everything that decisions depend on. Two ledgers with the same history agree on it,
//! whatever their positions and clocks are.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::account::Account;
use super::transfer::Transfer;

/// A `StateHash` is the digest while it is computed: SHA-256 over one line for each account, in the order of their names,
/// then one for each transfer that has not ended, in the order of their IDs, then one for all that have.
#[derive(Debug, Default)]
pub struct StateHash {
    hash: Sha256,
    line: String,
    has_transfers: bool,
    ended: EndedSum,
}

/// An `EndedSum` is the sum of the hashes of all transfers that have ended, modulo 2^256, and their number. Nothing else is
/// kept of them, and their order does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndedSum {
    count: u64,
    /// This is the sum, its least significant 64 bits first.
    sum: [u64; 4],
}

impl EndedSum {
    /// Adds a transfer that has ended.
    pub fn add(&mut self, transfer: &Transfer) {
        let mut line = String::new();
        write_transfer(transfer, &mut line);
        let hash: [u8; 32] = Sha256::digest(&line).into();
        let mut carry = false;
        for (sum, part) in self.sum.iter_mut().zip(hash.rchunks(8)) {
            let part = part.iter().fold(0_u64, |part, byte| part << 8 | u64::from(*byte));
            let (with, first) = sum.overflowing_add(part);
            let (with, second) = with.overflowing_add(carry.into());
            (*sum, carry) = (with, first || second);
        }
        self.count = self.count.saturating_add(1);
    }
}

fn write_transfer(transfer: &Transfer, line: &mut String) {
    let terms = &transfer.terms;
    // Writing to a string can't fail.
    let _infallible = writeln!(
        line,
        "transfer|{}|{}|{}|{}|{}|{}|{}",
        transfer.id,
        terms.from,
        terms.to,
        terms.currency,
        terms.amount,
        transfer.stage.name(),
        hex::encode(transfer.seen)
    );
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

    /// Takes in one more transfer, after all accounts. The caller adds the transfers in the order of their IDs.
    pub fn add_transfer(&mut self, transfer: &Transfer) {
        self.has_transfers = true;
        if transfer.stage.is_end() {
            return self.ended.add(transfer);
        }
        self.line.clear();
        write_transfer(transfer, &mut self.line);
        self.hash.update(&self.line);
    }

    /// Returns the digest, in hexadecimal.
    #[must_use]
    pub fn finish(mut self) -> String {
        if self.has_transfers {
            let [a, b, c, d] = self.ended.sum;
            self.hash.update(format!("ended|{}|{d:016x}{c:016x}{b:016x}{a:016x}\n", self.ended.count));
        }
        hex::encode(self.hash.finalize())
    }
}
