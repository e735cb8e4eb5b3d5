//! The decoder reads a line, in any version that was ever written. It is strict: what the encoder would not have
//! written is refused.

use std::borrow::Cow;

use serde::Deserialize;

use crate::domain::account::event::VERSION;
use crate::domain::event::{Body, Event};
use crate::domain::ids::Id;
use crate::domain::metadata::Origin;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::store::chain::Hash;

use super::canonical::has_its_id;
use super::decode_data::{Data, RawAnswer, account};
use super::decode_transfer::{self, Answer as TransferAnswer, Data as TransferData};
use super::error::DecodeError;

/// A `Line` is a line of the journal after it was read.
#[derive(Clone, Debug)]
pub struct Line {
    /// This is its place in the journal.
    pub position: u64,
    /// This is the event that it holds.
    pub event: Event,
    /// This is its hash, as it is written there. It is not checked.
    pub hash: Hash,
}

/// A `RawLine` is a line as it is read in one pass. Each kind of stream has a form of `data` and of `answer` of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "D: Deserialize<'de>, A: Deserialize<'de>"))]
struct RawLine<'a, D, A> {
    position: Option<u64>,
    #[serde(borrow)]
    stream: &'a str,
    revision: u64,
    event_id: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
    recorded_at: &'a str,
    effective_at: &'a str,
    version: u32,
    transaction_id: &'a str,
    data: D,
    answer: A,
    #[serde(borrow)]
    metadata: RawOrigin<'a>,
    hash: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOrigin<'a> {
    #[serde(rename = "$correlationId", borrow)]
    correlation: Cow<'a, str>,
    #[serde(rename = "$causationId", borrow, default)]
    causation: Option<Cow<'a, str>>,
    #[serde(borrow)]
    actor: Cow<'a, str>,
}

/// Returns the version of a line that has fields which version 1 does not know, when it is a newer one.
fn newer(line: &[u8]) -> Option<u32> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let versioned: Versioned = serde_json::from_slice(line).ok()?;
    (versioned.version > VERSION).then_some(versioned.version)
}

/// Reads one line.
///
/// # Errors
/// Fails when it is not an event that this program could have written.
pub fn decode(line: &[u8]) -> Result<Line, DecodeError> {
    let (position, hash, event) = whole(line)?;
    let position = position.ok_or(DecodeError::Field("position"))?;
    let hash = hash.ok_or(DecodeError::Field("hash"))?;
    Ok(Line { position, event, hash })
}

/// Reads the canonical bytes of an event, which have neither its position nor its id nor its hash.
///
/// # Errors
/// Fails as [`decode`] does.
pub fn decode_canonical(canonical: &[u8]) -> Result<Event, DecodeError> {
    let (position, hash, event) = whole(canonical)?;
    if position.is_some() || hash.is_some() {
        return Err(DecodeError::Foreign);
    }
    Ok(event)
}

/// A `Placed` is an event with the position and the hash that its line has; canonical bytes have neither.
type Placed = (Option<u64>, Option<Hash>, Event);

/// Reads a line, or canonical bytes.
fn whole(line: &[u8]) -> Result<Placed, DecodeError> {
    if is_of_transfer(line) {
        let raw: RawLine<'_, TransferData<'_>, TransferAnswer<'_>> = raw(line)?;
        let (head, data, answer) = raw.apart();
        let stream = head.stream_name()?;
        if head.effective_at != head.recorded_at {
            return Err(DecodeError::Field("effective_at"));
        }
        let body = Body::Transfer(Box::new(decode_transfer::body(head.kind, data, &answer)?));
        return head.event(stream, body);
    }
    let raw: RawLine<'_, Data<'_>, RawAnswer<'_>> = raw(line)?;
    let (head, data, answer) = raw.apart();
    let stream = head.stream_name()?;
    let body = match &stream {
        StreamName::Account(name) => {
            account(name, (head.kind, head.id()?), head.effective_at, data, &answer)?
        }
        StreamName::Transfer(_) => return Err(DecodeError::Field("stream")),
    };
    head.event(stream, Body::Account(body))
}

/// Says whether a line names the stream of a transfer. The name stands at its beginning, after the position alone.
fn is_of_transfer(line: &[u8]) -> bool {
    const HEAD: usize = 64;
    let head = line.get(..line.len().min(HEAD)).unwrap_or_default();
    memchr::memmem::find(head, b"\"stream\":\"transfer-").is_some()
}

fn raw<'a, D: Deserialize<'a>, A: Deserialize<'a>>(line: &'a [u8]) -> Result<RawLine<'a, D, A>, DecodeError> {
    serde_json::from_slice(line)
        .map_err(|error| newer(line).map_or_else(|| error.into(), DecodeError::Version))
}

impl<'a, D, A> RawLine<'a, D, A> {
    /// Takes it apart into what every line has, its `data` and its `answer`.
    fn apart(self) -> (Head<'a>, D, A) {
        let head = Head {
            position: self.position,
            stream: self.stream,
            revision: self.revision,
            event_id: self.event_id,
            kind: self.kind,
            recorded_at: self.recorded_at,
            effective_at: self.effective_at,
            version: self.version,
            transaction_id: self.transaction_id,
            origin: self.metadata,
            hash: self.hash,
        };
        (head, self.data, self.answer)
    }
}

/// A `Head` is what every line has beside its `data` and its `answer`.
struct Head<'a> {
    position: Option<u64>,
    stream: &'a str,
    revision: u64,
    event_id: Option<&'a str>,
    kind: &'a str,
    recorded_at: &'a str,
    effective_at: &'a str,
    version: u32,
    transaction_id: &'a str,
    origin: RawOrigin<'a>,
    hash: Option<&'a str>,
}

impl Head<'_> {
    fn stream_name(&self) -> Result<StreamName, DecodeError> {
        let stream = StreamName::parse(self.stream).ok_or(DecodeError::Field("stream"))?;
        if self.version == VERSION { Ok(stream) } else { Err(DecodeError::Version(self.version)) }
    }

    fn id(&self) -> Result<Id, DecodeError> {
        Id::parse(self.transaction_id).ok_or(DecodeError::Field("transaction_id"))
    }

    fn event(self, stream: StreamName, body: Body) -> Result<Placed, DecodeError> {
        let has_own_fields = [self.position.is_some(), self.event_id.is_some(), self.hash.is_some()];
        let hash = self.hash.map(|hash| Hash::parse(hash).ok_or(DecodeError::Field("hash"))).transpose()?;
        if has_own_fields != [true; 3] && has_own_fields != [false; 3] {
            return Err(DecodeError::Foreign);
        }
        let id = self.id()?;
        let correlation =
            (self.origin.correlation != self.transaction_id).then(|| self.origin.correlation.into());
        let event = Event {
            stream,
            revision: self.revision,
            id,
            recorded_at: Timestamp::read(self.recorded_at).ok_or(DecodeError::Field("recorded_at"))?,
            body,
            origin: Origin {
                correlation,
                causation: self.origin.causation.map(Into::into),
                actor: self.origin.actor.into(),
            },
        };
        Ok((self.position, hash, event))
    }
}

/// Reads one line, and proves that its bytes are those that its id was made of. It is for a line whose hash is not
/// compared with the chain. The proof costs a microsecond.
///
/// # Errors
/// Fails as [`decode`] does, and with [`DecodeError::Id`].
pub fn decode_proven(line: &[u8]) -> Result<Line, DecodeError> {
    let decoded = decode(line)?;
    if has_its_id(line) { Ok(decoded) } else { Err(DecodeError::Id) }
}
