//! Derived IDs follow from what they name, so that a second run of the same work asks for the same transactions.

use sha1::{Digest, Sha1};

use crate::domain::ids::TransactionId;

/// This is the namespace of every ID derived here. It must never change: with another one, a repeated import would book
/// again.
const NAMESPACE: [u8; 16] =
    [0x9a, 0x41, 0x7c, 0x0e, 0x53, 0x2b, 0x5d, 0x86, 0x8f, 0x1a, 0x0c, 0x6e, 0x27, 0xd4, 0xb9, 0x35];

/// Derives the UUIDv5 (RFC 9562, 5.5) of a kind of thing and its name. It is the same for the same two texts, on any machine.
#[must_use]
pub fn derive(kind: &str, name: &str) -> TransactionId {
    let digest = Sha1::new().chain_update(NAMESPACE).chain_update(kind).chain_update([0]).chain_update(name);
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(digest.finalize()) {
        *byte = hashed;
    }
    let uuid = uuid::Builder::from_sha1_bytes(bytes).into_uuid();
    match TransactionId::from_uuid(uuid) {
        Some(id) => id,
        None => unreachable!("version 5 has its version's bits set, so it is never nil"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_names_give_the_same_id_for_ever() {
        assert_eq!(derive("bank-csv entry", "1117247"), derive("bank-csv entry", "1117247"));
        assert_eq!(derive("bank-csv entry", "1117247").to_string(), "2971f61e-d709-5b8a-a1ba-8a1e5bfb82e5");
    }

    #[test]
    fn kind_and_name_do_not_run_together() {
        assert_ne!(derive("ab", "c"), derive("a", "bc"));
        assert_ne!(derive("bank-csv entry", "1"), derive("bank-csv account", "1"));
    }
}
