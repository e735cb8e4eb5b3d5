//! [`Recorded`] is an event as the store has it. The line of the journal is rebuilt from its parts here.

use bytes::Bytes;
use uuid::Uuid;

use super::read::hides_all;
use super::{LAST_REVISION, METADATA};
use crate::domain::stream::StreamName;
use crate::store::chain;
use crate::store::codec::{self, DecodeError};

/// A `Recorded` is an event as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// This is the position of the event in `$all`. It is the same on every node; positions grow, and have gaps.
    pub position: u64,
    /// This is the name of the stream that it is in.
    pub stream: String,
    /// This is its revision in that stream, counted from 0.
    pub revision: u64,
    /// This is its id, which the writer chose.
    pub event_id: Uuid,
    /// This is its type.
    pub kind: String,
    /// This is its body, in JSON.
    pub data: Bytes,
    /// This is its metadata, in JSON.
    pub metadata: Bytes,
}

/// A `Foreign` says why an event is not one that this program wrote.
#[derive(Debug, thiserror::Error)]
pub enum Foreign {
    /// The event is in no stream of the ledger.
    #[error("not in the stream of an account")]
    Stream,
    /// The event's parts are not laid out as this program lays them out.
    #[error("not laid out as an event of this program")]
    Layout,
    /// It is not an event of a version that this program knows.
    #[error("not an event of this program")]
    Event(#[from] DecodeError),
    /// The event's id does not follow from its bytes.
    #[error("its id is not that of its bytes")]
    Id,
}

impl Foreign {
    /// Returns what a newer version of this program wrote, if this is such an event. The id is that of the bytes, so
    /// nothing else wrote it.
    #[must_use]
    pub fn newer(&self) -> Option<String> {
        match self {
            Self::Event(newer @ (DecodeError::Version(_) | DecodeError::Type(_))) => Some(newer.to_string()),
            Self::Event(
                DecodeError::Shape(_) | DecodeError::Foreign | DecodeError::Field(_) | DecodeError::Id,
            )
            | Self::Stream
            | Self::Layout
            | Self::Id => None,
        }
    }
}

/// A `Read` is an event of this program, decoded.
#[derive(Clone, Debug)]
pub struct Read {
    /// This is the decoded line.
    pub line: codec::Line,
    /// These are the bytes that its id and its hash are made of.
    pub canonical: Vec<u8>,
    /// This is the line of the journal, without line feed.
    pub written: Vec<u8>,
}

impl Recorded {
    /// Returns the line of the journal, without line feed, exactly as the codec writes it. The chain is not checked.
    ///
    /// # Errors
    /// Fails when it is not an event that this program could have written there.
    pub fn line(&self) -> Result<Vec<u8>, Foreign> {
        self.read().map(|read| read.written)
    }

    /// Decodes the event and checks its id. The hash is left to the caller, who knows the one before.
    ///
    /// # Errors
    /// Fails as [`Recorded::line`] does.
    pub fn read(&self) -> Result<Read, Foreign> {
        let (canonical, written) = self.rebuilt()?;
        if chain::event_id(&canonical) != self.event_id {
            return Err(Foreign::Id);
        }
        let line = codec::decode(&written)?;
        Ok(Read { line, canonical, written })
    }

    /// Returns the ledger's stream that this event is in, or whose metadata it is.
    #[must_use]
    pub fn stream_name(&self) -> Option<StreamName> {
        StreamName::parse(self.stream.strip_prefix(METADATA).unwrap_or(&self.stream))
    }

    /// Says whether this event tells that its stream was deleted for ever. Such an event has no revision of the stream.
    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        self.revision >= LAST_REVISION
    }

    /// Says whether this is what a deletion of the stream leaves behind: a tombstone, or metadata that hides the whole stream.
    #[must_use]
    pub fn is_deletion(&self) -> bool {
        self.is_tombstone() || (self.is_metadata() && hides_all(&self.data))
    }

    /// Says whether this is metadata about a stream, and not an event in it.
    #[must_use]
    pub fn is_metadata(&self) -> bool {
        self.stream.starts_with(METADATA)
    }

    /// Returns its canonical bytes and its line. The id is checked over all parts, so none can be in a wrong place unseen.
    fn rebuilt(&self) -> Result<(Vec<u8>, Vec<u8>), Foreign> {
        if self.is_metadata() || self.stream_name().is_none() {
            return Err(Foreign::Stream);
        }
        let parts = Parts::of(&self.metadata).ok_or(Foreign::Layout)?;
        if !self.kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Foreign::Layout);
        }
        let head = format!("\"stream\":\"{}\",\"revision\":{},", self.stream, self.revision);
        let kind = format!("\"type\":\"{}\",", self.kind);
        let body: [&[u8]; 11] = [
            kind.as_bytes(),
            parts.times,
            b",",
            parts.transaction,
            b",\"data\":",
            &self.data,
            b",",
            parts.answer,
            b",\"metadata\":{",
            parts.origin,
            b"}",
        ];
        let length: usize = head.len() + body.iter().map(|part| part.len()).sum::<usize>();
        let mut canonical = Vec::with_capacity(length + 2);
        canonical.push(b'{');
        canonical.extend_from_slice(head.as_bytes());
        body.iter().for_each(|part| canonical.extend_from_slice(part));
        canonical.push(b'}');
        let mut written = Vec::with_capacity(length + 160);
        let position = format!("{{\"position\":{},{head}\"event_id\":\"{}\",", self.position, self.event_id);
        written.extend_from_slice(position.as_bytes());
        body.iter().for_each(|part| written.extend_from_slice(part));
        written.push(b',');
        written.extend_from_slice(parts.hash);
        written.push(b'}');
        Ok((canonical, written))
    }
}

/// `Parts` are the parts of a stored event's metadata.
struct Parts<'a> {
    origin: &'a [u8],
    transaction: &'a [u8],
    times: &'a [u8],
    answer: &'a [u8],
    hash: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Cuts the metadata into its parts, the last one first. Only the first part, `origin`, has texts that a client chose,
    /// so that no text of a client is taken for the beginning of a later part.
    fn of(metadata: &'a [u8]) -> Option<Self> {
        let rest = metadata.strip_prefix(b"{")?.strip_suffix(b"}")?;
        let (rest, hash) = cut(rest, b",\"hash\":\"")?;
        let (rest, answer) = cut(rest, b",\"answer\":{")?;
        let (rest, times) = cut(rest, b",\"recorded_at\":\"")?;
        let (origin, transaction) = cut(rest, b",\"transaction_id\":\"")?;
        Some(Self { origin, transaction, times, answer, hash })
    }
}

/// Splits the text at the last such mark. It returns what stands before the mark, and what begins with it, without its
/// comma.
fn cut<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::rfind(text, mark)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}
