//! The state digest is a hash of everything that decisions depend on. Two ledgers with the same history have the same digest.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::audit::rules::books::Books;
use crate::audit::values::money;

/// Computes the digest of the books, as hexadecimal digits in lower case.
#[must_use]
pub(crate) fn of(books: &Books) -> String {
    let mut hash = Sha256::new();
    for (name, account) in books.accounts() {
        let show = |units| money::show(units, account.currency);
        hash.update(format!(
            "{name}|{}|{}|{}|{}|{}|{}\n",
            account.currency,
            show(account.balance),
            show(account.limit),
            account.status.text(),
            show(account.held()),
            hex::encode(account.id_history),
        ));
    }
    transfers(books, &mut hash);
    hex::encode(hash.finalize())
}

/// Adds a line for each transfer that has not ended, and one for all that have. A ledger without transfers has neither.
fn transfers(books: &Books, hash: &mut Sha256) {
    let mut transfers = books.transfers();
    if transfers.is_empty() {
        return;
    }
    transfers.sort_unstable_by_key(|(id, ..)| *id);
    let (mut count, mut sum) = (0_u64, [0; 32]);
    for (id, transfer, [from, to]) in transfers {
        let line = format!(
            "transfer|{}|{from}|{to}|{}|{}|{}|{}\n",
            Uuid::from_u128(id).hyphenated(),
            transfer.currency,
            money::show(transfer.amount.into(), transfer.currency),
            transfer.state.text(),
            hex::encode(transfer.id_history),
        );
        if transfer.is_at_end() {
            count = count.saturating_add(1);
            sum = plus(sum, Sha256::digest(line).into());
        } else {
            hash.update(line);
        }
    }
    hash.update(format!("ended|{count}|{}\n", hex::encode(sum)));
}

/// Adds two numbers of 256 bits, the highest byte first, and leaves out what does not fit.
fn plus(mut one: [u8; 32], other: [u8; 32]) -> [u8; 32] {
    let mut carry = 0_u16;
    for (byte, more) in one.iter_mut().zip(other).rev() {
        let sum = u16::from(*byte).wrapping_add(u16::from(more)).wrapping_add(carry);
        let [high, low] = sum.to_be_bytes();
        (*byte, carry) = (low, u16::from(high));
    }
    one
}
