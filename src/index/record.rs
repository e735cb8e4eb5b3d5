//! A record is the one form in which the index's trees keep everything. It has 16 bytes of key and 8 bytes of value.

use crate::domain::account::event::AccountEvent;
use crate::domain::event::Event;
use crate::domain::ids::{CounterAccount, Id};
use crate::domain::kind::Kind;
use crate::domain::stream::StreamName;
use sha2::{Digest, Sha256};

/// This is the size of a record on disk.
pub const SIZE: usize = 24;

/// A `Record` is a key and a value; records are ordered by both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// This is the key by which it is found, compared as big-endian bytes.
    pub key: u128,
    /// This is a position, and what a reader needs to know of the event before it reads it.
    pub value: u64,
}

impl Record {
    /// Returns its bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..16].copy_from_slice(&self.key.to_be_bytes());
        bytes[16..].copy_from_slice(&self.value.to_be_bytes());
        bytes
    }

    /// Returns the record with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; SIZE]) -> Self {
        let (mut key, mut value) = ([0; 16], [0; 8]);
        key.copy_from_slice(&bytes[..16]);
        value.copy_from_slice(&bytes[16..]);
        Self { key: u128::from_be_bytes(key), value: u64::from_be_bytes(value) }
    }
}

/// A `Role` is the role that an ID plays in the event at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The event was recorded with it.
    Booked,
    /// The event takes back the transaction with this ID, in whole or in part.
    Reversed,
    /// The event rules it out.
    RuledOut,
    /// The event settles the hold with this ID.
    Settled,
}

/// A `Mark` is a position in the journal at which an ID plays a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// This is the position of the event.
    pub position: u64,
    /// This is the role that the ID plays there.
    pub role: Role,
}

impl Mark {
    /// Packs it into a record's value.
    #[must_use]
    pub fn pack(self) -> u64 {
        self.position << 2
            | match self.role {
                Role::Booked => 0,
                Role::Reversed => 1,
                Role::RuledOut => 2,
                Role::Settled => 3,
            }
    }

    /// Returns the least value that a mark at this position can have.
    #[must_use]
    pub fn first_at(position: u64) -> u64 {
        position << 2
    }

    /// Reads it from a record's value.
    #[must_use]
    pub fn unpack(value: u64) -> Self {
        let role = match value & 3 {
            0 => Role::Booked,
            1 => Role::Reversed,
            2 => Role::RuledOut,
            _ => Role::Settled,
        };
        Self { position: value >> 2, role }
    }
}

/// Returns the key of an ID. Under it stand the positions at which it was booked, and a mark if it was ruled out on
/// some stream. The key of a client's ID is its UUID.
#[must_use]
pub fn id_key(id: Id, seed: u64) -> u128 {
    match id {
        Id::Client(id) => u128::from_be_bytes(*id.as_bytes()),
        Id::Step { .. } | Id::Absent => hashed("", id, None, seed),
    }
}

/// Returns the key under which stand all events that take an ID back, rule it out or settle its hold. There may be any
/// number of them.
#[must_use]
pub fn naming_key(id: Id, seed: u64) -> u128 {
    hashed("names ", id, None, seed)
}

/// Returns the key under which stand the events that rule an ID out on one stream.
#[must_use]
pub fn ruled_out_key(id: Id, stream: &StreamName, seed: u64) -> u128 {
    hashed("rules out ", id, Some(stream), seed)
}

/// Makes a key that is a hash of a text and of the index's random seed, so that no client can choose a UUID that equals
/// it.
fn hashed(what: &str, id: Id, stream: Option<&StreamName>, seed: u64) -> u128 {
    let mut text = what.as_bytes().to_vec();
    id.write(&mut text);
    if let Some(stream) = stream {
        text.push(b' ');
        stream.with_parts(|parts| parts.into_iter().for_each(|part| text.extend_from_slice(part.as_bytes())));
    }
    let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(text).finalize();
    digest.iter().take(16).fold(0, |key, byte| key << 8 | u128::from(*byte))
}

/// A `StreamKey` is a stream as part of a key: 80 bits of the SHA-256 of its name. Among 2^30 streams the chance that
/// any two have the same key is 2^-21, and a reader would notice it, because it compares the event that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamKey(u128);

impl StreamKey {
    /// Returns the key of this stream.
    #[must_use]
    pub fn of(stream: &StreamName) -> Self {
        stream.with_parts(|parts| Self::hashed(parts))
    }

    /// Returns the key of one of the ledger's own accounts. Its events have their positions in the journal in the place of
    /// revisions. No stream's name begins with `@`, so that it is not the key of a stream.
    #[must_use]
    pub fn of_own(account: &CounterAccount) -> Self {
        Self::hashed([account.as_str()])
    }

    /// Returns the key of the corrections that name an ID. Like an own account's they have their positions in the place of
    /// revisions, so that they are read page by page. No stream and no own account has such a name.
    #[must_use]
    pub fn of_corrections(id: Id) -> Self {
        Self::hashed(["corrections of ", &id.to_string()])
    }

    /// Returns the key of the backdated events of a stream that happened in one of the shortest spans of time. They have their
    /// revisions in that stream. No stream and no own account has such a name.
    #[must_use]
    pub fn of_span(stream: &StreamName, number: u64) -> Self {
        stream.with_parts(|parts| {
            let number = number.to_string();
            Self::hashed(["happened in ", &number, " "].into_iter().chain(parts))
        })
    }

    fn hashed<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        parts.into_iter().for_each(|part| hash.update(part));
        let digest = hash.finalize();
        let mut high = [0; 16];
        high[..10].copy_from_slice(&digest[..10]);
        Self(u128::from_be_bytes(high))
    }

    /// Returns the key of one of its revisions.
    #[must_use]
    pub fn revision(self, series: Series, revision: u64) -> u128 {
        self.0 | (series as u128) << REVISION_BITS | u128::from(revision & REVISIONS)
    }

    /// Returns the revision that a key of this stream names.
    #[must_use]
    pub fn revision_in(key: u128) -> u64 {
        u64::try_from(key & u128::from(REVISIONS)).unwrap_or(u64::MAX)
    }
}

/// This is how many bits of a key hold a revision. The two before them hold the series.
const REVISION_BITS: u32 = 46;
const REVISIONS: u64 = (1 << REVISION_BITS) - 1;

/// A `Series` is those events of a stream that a question about its past needs, so that the question does not go over all
/// of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Series {
    /// The series has all events.
    All = 0,
    /// The series has the accepted events that set the account's status, and of a destination those that say whether and by
    /// whom it is served.
    Status = 1,
    /// The series has the accepted events that set the overdraft limit, but for the opening, which is always the first event.
    Limit = 2,
    /// The series has the accepted events of which the client said when they happened.
    Backdated = 3,
}

/// `Facts` are the facts that can be known of an event without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// This is the position of the event.
    pub position: u64,
    /// This is its kind.
    pub kind: Kind,
    /// This is true where it is a decline.
    pub declined: bool,
    /// This is true where the client said when it happened.
    pub backdated: bool,
}

impl Facts {
    /// Returns the facts of this event, which is at this position.
    #[must_use]
    pub fn of(event: &Event, position: u64) -> Self {
        Self {
            position,
            kind: event.kind(),
            declined: event.is_declined(),
            backdated: event.account().is_some_and(AccountEvent::effective_at_given),
        }
    }

    /// Returns the series besides all events that an event with these facts is in.
    #[must_use]
    pub fn series(self) -> Option<Series> {
        if self.declined {
            return None;
        }
        match self.kind {
            Kind::Freeze | Kind::Unfreeze | Kind::Close => Some(Series::Status),
            Kind::DestinationSet
            | Kind::DestinationPause
            | Kind::DestinationResume
            | Kind::DestinationRemove
            | Kind::ServingTake => Some(Series::Status),
            Kind::OverdraftLimit => Some(Series::Limit),
            Kind::Opening
            | Kind::Deposit
            | Kind::Withdrawal
            | Kind::Reversal
            | Kind::Prevention
            | Kind::Correction
            | Kind::Hold
            | Kind::Capture
            | Kind::Release
            | Kind::Expiry
            | Kind::TransferOut
            | Kind::TransferIn => self.backdated.then_some(Series::Backdated),
            Kind::Transfer
            | Kind::TransferCancel
            | Kind::TransferOutcome
            | Kind::TransferRetry
            | Kind::TransferAbandon
            | Kind::TransferEnd
            | Kind::TransferNote
            | Kind::DestinationTest
            | Kind::DeliveryClaim
            | Kind::DeliveryProgress
            | Kind::DeadLetter
            | Kind::ServingChallenge
            | Kind::ServingConfirm
            | Kind::ServingRelease => None,
        }
    }

    /// Packs it into a record's value.
    #[must_use]
    pub fn pack(self) -> u64 {
        self.position << 8
            | u64::from(self.kind as u8) << 2
            | u64::from(self.declined) << 1
            | u64::from(self.backdated)
    }

    /// Reads them from a record's value; `None` for a value that `pack` can't have made.
    #[must_use]
    pub fn unpack(value: u64) -> Option<Self> {
        Some(Self {
            position: value >> 8,
            kind: *Kind::ALL.get(usize::try_from(value >> 2 & 0x3f).ok()?)?,
            declined: value >> 1 & 1 == 1,
            backdated: value & 1 == 1,
        })
    }
}

/// Returns the key under which the facts of the event at a position are kept: its position, then when it was recorded.
#[must_use]
pub fn place_key(position: u64, recorded_at_micros: i64) -> u128 {
    u128::from(position) << 64 | u128::from(recorded_at_micros.cast_unsigned())
}

/// Returns the time at which the event with this key was recorded, in microseconds since 1970.
#[must_use]
pub fn recorded_in(key: u128) -> i64 {
    u64::try_from(key & u128::from(u64::MAX)).unwrap_or(0).cast_signed()
}
