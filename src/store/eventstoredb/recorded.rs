//! [`Recorded`] is an event as the store has it. The line of the journal is rebuilt from its parts here.

use std::sync::LazyLock;

use bytes::Bytes;
use memchr::memmem::FinderRev;
use uuid::Uuid;

use super::hidden::hides_all;
use super::names::{LAST_REVISION, METADATA};
use crate::domain::stream::StreamName;
use crate::store::chain::{self, Hash};
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
    /// Says what is not known here of an event that a newer version of this program wrote, if it is one. The id is that of the
    /// bytes, so nothing else wrote it.
    #[must_use]
    pub fn newer(&self) -> Option<String> {
        match self {
            Self::Event(error) => error.newer(),
            Self::Stream | Self::Layout | Self::Id => None,
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
}

impl Recorded {
    /// Returns the line of the journal, without line feed, exactly as the codec writes it. The chain is not checked.
    ///
    /// # Errors
    /// Fails when it is not an event that this program could have written there.
    pub fn line(&self) -> Result<Vec<u8>, Foreign> {
        let read = self.read()?;
        // The canonical bytes are the line without these three fields.
        let head = self.head();
        let rest = read.canonical.get(head.len() + 1..).and_then(|rest| rest.strip_suffix(b"}"));
        let rest = rest.ok_or(Foreign::Layout)?;
        let mut line = Vec::with_capacity(read.canonical.len() + 160);
        let begin = format!("{{\"position\":{},{head}\"event_id\":\"{}\",", self.position, self.event_id);
        line.extend_from_slice(begin.as_bytes());
        line.extend_from_slice(rest);
        line.extend_from_slice(format!(",\"hash\":\"{}\"}}", read.line.hash).as_bytes());
        Ok(line)
    }

    /// Decodes the event and checks its id. The hash is left to the caller, who knows the one before.
    ///
    /// # Errors
    /// Fails as [`Recorded::line`].
    pub fn read(&self) -> Result<Read, Foreign> {
        let (canonical, hash) = self.rebuilt()?;
        if chain::event_id(&canonical) != self.event_id {
            return Err(Foreign::Id);
        }
        let event = codec::decode_canonical(&canonical)?;
        // Last, since a newer version may lay it out in another way.
        let hash = hash.ok_or(DecodeError::Field("hash"))?;
        Ok(Read { line: codec::Line { position: self.position, event, hash }, canonical })
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

    /// Returns its canonical bytes and its hash. The id is checked over all parts, so none can be in a wrong place
    /// unseen.
    fn rebuilt(&self) -> Result<(Vec<u8>, Option<Hash>), Foreign> {
        if self.is_metadata() || self.stream_name().is_none() {
            return Err(Foreign::Stream);
        }
        let parts = Parts::of(&self.metadata).ok_or(Foreign::Layout)?;
        if !self.kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Foreign::Layout);
        }
        let hash = parts.hash.strip_prefix(b"\"hash\":\"").and_then(|hash| hash.strip_suffix(b"\""));
        let hash = hash.and_then(|hash| Hash::parse(std::str::from_utf8(hash).ok()?));
        let head = self.head();
        let kind = [b"\"type\":\"", self.kind.as_bytes(), b"\""].concat();
        let data = [b"\"data\":", &*self.data].concat();
        let origin = [b"\"metadata\":{", parts.origin, b"}"].concat();
        let fields = [&*kind, parts.times, parts.transaction, &*data, parts.answer, &*origin];
        let fields = fields.into_iter().filter(|field| !field.is_empty());
        let length = head.len() + 2 + fields.clone().map(|field| field.len() + 1).sum::<usize>();
        let mut canonical = Vec::with_capacity(length);
        canonical.push(b'{');
        canonical.extend_from_slice(head.as_bytes());
        for field in fields {
            canonical.extend_from_slice(field);
            canonical.push(b',');
        }
        canonical.pop();
        canonical.push(b'}');
        Ok((canonical, hash))
    }

    /// Returns the fields with which its canonical bytes begin.
    fn head(&self) -> String {
        format!("\"stream\":\"{}\",\"revision\":{},", self.stream, self.revision)
    }
}

/// `Parts` are the parts of a stored event's metadata. What the service records of its own deliveries has no answer, and most
/// of it no transaction's ID: these are empty then.
struct Parts<'a> {
    origin: &'a [u8],
    transaction: &'a [u8],
    times: &'a [u8],
    answer: &'a [u8],
    hash: &'a [u8],
}

/// The `Cuts` find where the parts of the metadata begin. To make them costs as much as to use them once.
struct Cuts {
    hash: FinderRev<'static>,
    answer: FinderRev<'static>,
    times: FinderRev<'static>,
    transaction: FinderRev<'static>,
}

static CUTS: LazyLock<Cuts> = LazyLock::new(|| Cuts {
    hash: FinderRev::new(",\"hash\":\""),
    answer: FinderRev::new(",\"answer\":{"),
    times: FinderRev::new(",\"recorded_at\":\""),
    transaction: FinderRev::new(",\"transaction_id\":\""),
});

impl<'a> Parts<'a> {
    /// Cuts the metadata into its parts, the last one first. Only the first part, `origin`, has texts that a client chose,
    /// so that no text of a client is taken for the beginning of a later part.
    fn of(metadata: &'a [u8]) -> Option<Self> {
        let rest = metadata.strip_prefix(b"{")?.strip_suffix(b"}")?;
        let (rest, hash) = cut(rest, &CUTS.hash)?;
        let (rest, answer) = cut(rest, &CUTS.answer).unwrap_or((rest, b""));
        let (rest, times) = cut(rest, &CUTS.times)?;
        let (origin, transaction) = cut(rest, &CUTS.transaction).unwrap_or((rest, b""));
        Some(Self { origin, transaction, times, answer, hash })
    }
}

/// Splits the text at the last such mark. It returns what stands before the mark, and what begins with it, without its
/// comma.
fn cut<'a>(text: &'a [u8], mark: &FinderRev<'_>) -> Option<(&'a [u8], &'a [u8])> {
    let at = mark.rfind(text)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}
