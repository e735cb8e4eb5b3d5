//! An account's ID history is one hash over all IDs that came to it and what became of each. The state digest is made of it.

use sha2::{Digest, Sha256};

use crate::audit::values::event::{Event, Fact};
use crate::audit::values::money;

/// Computes an account's hash after one more event. It covers the ID, what became of it, and what it reversed, ruled
/// out or corrected.
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
        | Fact::Corrected { .. }
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
        Fact::Corrected { signed, .. } => {
            hash.update(b"|");
            hash.update(money::show(*signed, event.currency));
        }
        Fact::Opened { .. }
        | Fact::Moved { .. }
        | Fact::Changed(_)
        | Fact::LimitChanged { .. }
        | Fact::Declined { .. } => {}
    }
    hash.finalize().into()
}
