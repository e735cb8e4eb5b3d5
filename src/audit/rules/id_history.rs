//! An account's ID history: one hash over everything that became of every ID on it, which the state digest is made of.

use sha2::{Digest, Sha256};

use crate::audit::values::event::{Event, Fact};
use crate::audit::values::money;

/// An account's running hash, one event further: which ID came, what became of it, what it took back or ruled out.
#[must_use]
pub(crate) fn after(before: &[u8; 32], event: &Event) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(event.id.to_be_bytes());
    match &event.fact {
        Fact::Declined { code, .. } => {
            hash.update(b"declined:");
            hash.update(code.text());
        }
        Fact::Opened { .. }
        | Fact::Moved { .. }
        | Fact::Reversed { .. }
        | Fact::Prevented { .. }
        | Fact::Changed(_)
        | Fact::LimitChanged { .. } => {
            hash.update(b"accepted:");
            hash.update(event.fact.type_name());
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
        Fact::Opened { .. }
        | Fact::Moved { .. }
        | Fact::Changed(_)
        | Fact::LimitChanged { .. }
        | Fact::Declined { .. } => {}
    }
    hash.finalize().into()
}
