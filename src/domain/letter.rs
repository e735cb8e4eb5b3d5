//! A letter is a message that was given up: it is kept, with why, until a person says what becomes of it.
//!
//! Its id follows from where the message came from, so that a crash between its event and what is recorded of the destination
//! makes no second letter: the second one has the name of a stream that is there already.

use std::fmt;

use sha1::{Digest as _, Sha1};
use uuid::Uuid;

use super::delivery::failure::Failure;
use super::delivery::name::DestinationName;
use super::ids::AccountName;
use super::time::Timestamp;
use super::transfer::payout::Label;

/// This is the version in which new events of letters are written.
pub const VERSION: u32 = 1;

/// This is the namespace of letters' ids (UUID version 5, RFC 9562 section 5.5).
const NAMESPACE: Uuid = Uuid::from_u128(0x5d6c_3ec8_1f7b_5a0e_9c1d_6b6f_6f6b_3132);

/// A `LetterId` is the id of a letter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LetterId(Uuid);

impl LetterId {
    /// Returns the id of the letter that a message to a destination becomes.
    #[must_use]
    pub fn of_message(to: &DestinationName, message_id: &str) -> Self {
        let mut hash = Sha1::new();
        hash.update(NAMESPACE.as_bytes());
        for part in ["out|", to.as_str(), "|", message_id] {
            hash.update(part);
        }
        let digest: [u8; 20] = hash.finalize().into();
        let mut bytes = [0; 16];
        for (byte, hashed) in bytes.iter_mut().zip(digest) {
            *byte = hashed;
        }
        Self(uuid::Builder::from_sha1_bytes(bytes).into_uuid())
    }

    /// Reads an id in its usual spelling; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id = Self(Uuid::try_parse(text).ok()?);
        (id.to_string() == text).then_some(id)
    }

    /// Makes an id of its sixteen bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// Returns its sixteen bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Calls `work` with its hyphenated lower-case form.
    pub fn with_text<T>(&self, work: impl FnOnce(&str) -> T) -> T {
        work(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

impl fmt::Display for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A `DeadLettered` is the first event of a letter, for a message to a destination. The message's bytes are not in it: they
/// follow from the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLettered {
    /// This is the destination.
    pub source: DestinationName,
    /// This is where it sends, as it is shown.
    pub topic: Box<str>,
    /// This is the message's id.
    pub message_id: Label,
    /// This is the account of its event, if it was an account's.
    pub account: Option<AccountName>,
    /// This is the position of its event.
    pub position: u64,
    /// This is why it was given up.
    pub error: Failure,
    /// This is when it failed for the last time.
    pub failed_at: Timestamp,
    /// This is how often it failed.
    pub attempts: u32,
    /// These are the bytes of the message.
    pub payload_bytes: u64,
    /// This is the SHA-256 of the message.
    pub payload_sha256: [u8; 32],
}

impl DeadLettered {
    /// This is the name of its type in the journal.
    pub const TYPE: &'static str = "DeadLettered";

    /// Returns the id of the letter.
    #[must_use]
    pub fn letter(&self) -> LetterId {
        LetterId::of_message(&self.source, self.message_id.as_str())
    }
}

/// A `Letter` is a letter, as it stands after the last event of its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// This is its id.
    pub id: LetterId,
    /// This is the destination whose message it was.
    pub source: DestinationName,
    /// This is the position of the message's event.
    pub position: u64,
    /// This is the revision of its last event.
    pub revision: u64,
}

impl Letter {
    /// Returns the letter after an event of its stream, which is its first and only one; `None` where it can't follow.
    #[must_use]
    pub fn evolve(before: Option<&Self>, id: LetterId, revision: u64, event: &DeadLettered) -> Option<Self> {
        let fits = before.is_none() && revision == 0 && event.letter() == id;
        fits.then(|| Self { id, source: event.source.clone(), position: event.position, revision })
    }
}
