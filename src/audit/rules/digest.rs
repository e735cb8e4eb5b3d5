//! The state digest: a hash of everything that decisions depend on, equal on any two ledgers with the same history.

use sha2::{Digest, Sha256};

use crate::audit::rules::books::Books;
use crate::audit::values::event::{Event, Fact};
use crate::audit::values::money;

/// An account's running hash, one event further: which ID came, what became of it, what it took back or ruled out.
#[must_use]
pub fn saw(before: &[u8; 32], event: &Event) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(event.id.to_be_bytes());
    match &event.fact {
        Fact::Declined { code, .. } => {
            hash.update(b"declined:");
            hash.update(code.text());
        }
        fact => {
            hash.update(b"accepted:");
            hash.update(fact.type_name());
        }
    }
    match &event.fact {
        Fact::Reversed { reverses, amount, .. } => {
            hash.update(b"|");
            hash.update(reverses.to_be_bytes());
            hash.update(money::show(*amount, event.currency));
        }
        Fact::Prevented { reverses } => {
            hash.update(b"|");
            hash.update(reverses.to_be_bytes());
        }
        _ => {}
    }
    hash.finalize().into()
}

/// The digest of the books, as lower-case hexadecimal digits.
#[must_use]
pub fn of(books: &Books) -> String {
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
