//! The hash chain ties each event to the one before: each carries the SHA-256 of the hash before it and of its own
//! canonical bytes. Each has an id, too, that is derived from those bytes, so that the same bytes sent twice are the
//! same event.

use sha1::Sha1;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::stream::StreamName;

/// This is the namespace of event ids (UUID version 5, RFC 9562 section 5.5).
pub const EVENT_NAMESPACE: Uuid = Uuid::from_u128(0x5d6c_3ec8_1f7b_5a0e_9c1d_6b6f_6f6b_3131);

/// A `Hash` is a SHA-256 in the chain.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Returns what the first event of a journal is chained to. It is made of the journal's own id, so that no other
    /// journal can begin with the same hash.
    #[must_use]
    pub fn genesis(journal_id: Uuid) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"bookonce journal ");
        hash.update(journal_id.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        Self(hash.finalize().into())
    }

    /// Returns what a stream's first event is chained to where every stream has a chain of its own. It is made of the
    /// stream's name, so that no stream can be shown as another's.
    #[must_use]
    pub fn of_stream(stream: &StreamName) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"bookonce stream ");
        stream.with_parts(|parts| parts.into_iter().for_each(|part| hash.update(part)));
        Self(hash.finalize().into())
    }

    /// Returns the running hash of a journal whose events are chained along their streams. It is made of this one,
    /// which stands for all events before, and of the next event's hash. It begins as [`Hash::genesis`].
    #[must_use]
    pub fn and(&self, event: &Self) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(event.0);
        Self(hash.finalize().into())
    }

    /// Returns the hash of the event with these canonical bytes, after this one.
    #[must_use]
    pub fn then(&self, canonical: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(canonical);
        Self(hash.finalize().into())
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok().map(|()| Self(bytes))
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Returns the id of the event with these canonical bytes.
#[must_use]
pub fn event_id(canonical: &[u8]) -> Uuid {
    let mut hash = Sha1::new();
    hash.update(EVENT_NAMESPACE.as_bytes());
    hash.update(canonical);
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_sha1_bytes(bytes).into_uuid()
}
