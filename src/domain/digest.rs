//! The state digest is one hash over everything that decisions depend on. Two ledgers with the same history agree on it,
//! whatever their positions and clocks are.

use std::fmt::{self, Write};

use sha2::{Digest, Sha256};

use super::account::Account;
use super::state::State;
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

/// An `EndedSum` is the sum of the hashes of transfers that have ended, modulo 2^256, and their number. Their order does not
/// matter, and a change of one changes the sum by itself, so that nothing else is kept of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndedSum {
    /// This is their number, modulo 2^64: of a change it may be below zero.
    count: u64,
    /// This is the sum, its least significant 64 bits first.
    sum: [u64; 4],
}

impl EndedSum {
    /// Takes in that a stream went on from the first state, where it had one, to the second. It costs a hash for each of the
    /// two that is of a transfer that has ended, and nothing for all others.
    pub fn went_on(&mut self, before: Option<&State>, after: &State) {
        let has_ended = |transfer: &&Transfer| transfer.stage.is_end();
        if let Some(before) = before.and_then(State::transfer).filter(has_ended) {
            self.take(before);
        }
        if let Some(after) = after.transfer().filter(has_ended) {
            self.add(after);
        }
    }

    /// Adds a transfer that has ended.
    fn add(&mut self, transfer: &Transfer) {
        *self = self.plus(Self { count: 1, sum: hashed(transfer) });
    }

    /// Takes out a transfer that had ended: it goes on, and stands otherwise now.
    fn take(&mut self, transfer: &Transfer) {
        // In two's complement the negative of a number has all its bits turned, and one added.
        let negated = add(hashed(transfer).map(|part| !part), [1, 0, 0, 0]);
        *self = self.plus(Self { count: u64::MAX, sum: negated });
    }

    /// Returns the sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { count: self.count.wrapping_add(other.count), sum: add(self.sum, other.sum) }
    }

    /// Reads it from the text that `Display` makes of it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (count, sum) = text.split_once('|')?;
        let bytes: [u8; 32] = hex::decode(sum).ok()?.try_into().ok()?;
        Some(Self { count: count.parse().ok()?, sum: parts(bytes) })
    }
}

impl fmt::Display for EndedSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.sum;
        write!(f, "{}|{d:016x}{c:016x}{b:016x}{a:016x}", self.count)
    }
}

/// Adds two numbers of 256 bits, modulo 2^256.
fn add(mut sum: [u64; 4], other: [u64; 4]) -> [u64; 4] {
    let mut carry = false;
    for (sum, part) in sum.iter_mut().zip(other) {
        let (with, first) = sum.overflowing_add(part);
        let (with, second) = with.overflowing_add(carry.into());
        (*sum, carry) = (with, first || second);
    }
    sum
}

/// Returns the parts of a number of 256 bits, the least significant first.
fn parts(bytes: [u8; 32]) -> [u64; 4] {
    let mut parts = [0; 4];
    for (part, bytes) in parts.iter_mut().zip(bytes.rchunks(8)) {
        *part = bytes.iter().fold(0, |part, byte| part << 8 | u64::from(*byte));
    }
    parts
}

/// Returns the hash of a transfer's line.
fn hashed(transfer: &Transfer) -> [u64; 4] {
    let mut line = String::with_capacity(256);
    write_transfer(transfer, &mut line);
    parts(Sha256::digest(&line).into())
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

    /// Takes in one more transfer, after all accounts. The caller adds those that have not ended in the order of their IDs.
    pub fn add_transfer(&mut self, transfer: &Transfer) {
        self.has_transfers = true;
        if transfer.stage.is_end() {
            return self.ended.add(transfer);
        }
        self.line.clear();
        write_transfer(transfer, &mut self.line);
        self.hash.update(&self.line);
    }

    /// Takes in transfers that have ended, of which the sum is known.
    pub fn add_ended(&mut self, ended: EndedSum) {
        self.has_transfers |= ended != EndedSum::default();
        self.ended = self.ended.plus(ended);
    }

    /// Returns the digest, in hexadecimal.
    #[must_use]
    pub fn finish(mut self) -> String {
        if self.has_transfers {
            self.hash.update(format!("ended|{}\n", self.ended));
        }
        hex::encode(self.hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;
    use crate::domain::currency::Currency;
    use crate::domain::ids::{AccountName, TransactionId};
    use crate::domain::money::WrittenAmount;
    use crate::domain::payee::Payee;
    use crate::domain::time::Timestamp;
    use crate::domain::transfer::command::TimeoutSeconds;
    use crate::domain::transfer::event::Terms;
    use crate::domain::transfer::stage::Stage;

    fn transfer(n: u128, stage: Stage) -> State {
        let currency = Currency::parse("EUR").unwrap();
        let terms = Terms {
            from: AccountName::parse("alice").unwrap(),
            to: Payee::parse("bob").unwrap(),
            amount: WrittenAmount::parse("1.00").unwrap().fit(currency).unwrap(),
            currency,
            timeout_seconds: TimeoutSeconds::new(60).unwrap(),
            deadline_at: Timestamp::from_micros(1),
        };
        let id = TransactionId::from_uuid(Uuid::from_u128(n << 8 | 1 << 126)).unwrap();
        State::Transfer(Transfer { stage, ..Transfer::new(id, &Arc::new(terms)) })
    }

    fn of(changes: &[(Option<&State>, &State)]) -> EndedSum {
        let mut sum = EndedSum::default();
        changes.iter().for_each(|(before, after)| sum.went_on(*before, after));
        sum
    }

    /// Guards against: a sum that depends on the way to it, so that an index that was followed has another than one built anew.
    #[test]
    fn the_sum_says_which_have_ended_whatever_happened_before() {
        let [open, done, stuck] =
            [Stage::UnderWay, Stage::Completed, Stage::NeedsOperator].map(|stage| transfer(1, stage));
        let other = transfer(2, Stage::Declined);
        let both = of(&[(None, &done), (None, &other)]);
        assert_eq!(of(&[(None, &other), (None, &open), (Some(&open), &done)]), both);
        let again = [(None, &done), (Some(&done), &stuck), (None, &other), (Some(&stuck), &done)];
        assert_eq!(of(&again), both);
        assert_ne!(of(&again[..3]), both);
        assert_eq!(of(&[(None, &done), (Some(&done), &stuck)]), EndedSum::default());
        // Parts of the way that lie in two transactions, the second of which is below nothing by itself.
        assert_eq!(of(&again[1..]).plus(of(&again[..1])), both);
        for sum in [EndedSum::default(), both, of(&again[1..2])] {
            assert_eq!(EndedSum::parse(&sum.to_string()), Some(sum));
        }
        assert_eq!(EndedSum::parse("1|00"), None);
    }
}
