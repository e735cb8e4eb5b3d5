//! The state digest is a hash of everything that decisions depend on. Two ledgers with the same history have the same digest.

use sha2::{Digest, Sha256};

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
            show(0),
            hex::encode(account.id_history),
        ));
    }
    hex::encode(hash.finalize())
}
