//! The decoder reads a line, in any version that was ever written. It is strict: what the encoder would not have
//! written is refused.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::account::event::VERSION;
use crate::domain::event::{Body, Event};
use crate::domain::ids::Id;
use crate::domain::letter::DeadLettered;
use crate::domain::metadata::Origin;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::store::chain::Hash;

use super::canonical::has_its_id;
use super::decode_data::{Data, RawAnswer, account};
use super::decode_delivery::read_delivery_data;
use super::decode_transfer::{self, Answer as TransferAnswer, Data as TransferData};
use super::error::DecodeError;
use super::letter_data::read_letter_data;

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

/// A `RawOwnLine` is the line of what the service records of its own deliveries. It has no `effective_at` and no `answer`, and
/// a `transaction_id` only where somebody asked for it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOwnLine<'a> {
    position: Option<u64>,
    #[serde(borrow)]
    stream: &'a str,
    revision: u64,
    event_id: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
    recorded_at: &'a str,
    version: u32,
    transaction_id: Option<&'a str>,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(borrow)]
    metadata: RawOrigin<'a>,
    hash: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOrigin<'a> {
    #[serde(rename = "$correlationId", borrow, default)]
    correlation: Option<Cow<'a, str>>,
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
    match form(line) {
        Form::Unknown => Err(unknown(line)),
        Form::Account => {
            let raw: RawLine<'_, Data<'_>, RawAnswer<'_>> = raw(line)?;
            let (head, data, answer) = raw.apart();
            let StreamName::Account(name) = head.stream_name()? else {
                return Err(DecodeError::Field("stream"));
            };
            let id = head.id()?;
            let body = account(&name, (head.kind, id), head.effective_at, data, &answer)?;
            head.event(StreamName::Account(name), id, Body::Account(body))
        }
        Form::Transfer => {
            let raw: RawLine<'_, TransferData<'_>, TransferAnswer<'_>> = raw(line)?;
            let (head, data, answer) = raw.apart();
            let (stream, id) = (head.stream_name()?, head.id()?);
            if head.effective_at != head.recorded_at {
                return Err(DecodeError::Field("effective_at"));
            }
            let body = Body::Transfer(Box::new(decode_transfer::body(head.kind, data, &answer)?));
            head.event(stream, id, body)
        }
        Form::Own => {
            let raw: RawOwnLine<'_> = raw(line)?;
            let has_id = raw.transaction_id.is_some();
            let (head, data) = raw.apart();
            let stream = head.stream_name()?;
            let body = own_body(&stream, head.kind, data)?;
            let id = if has_id { head.id()? } else { Id::Absent };
            head.event(stream, id, body)
        }
    }
}

/// Reads the body of an event that the service records of its own deliveries.
fn own_body(stream: &StreamName, kind: &str, data: &[u8]) -> Result<Body, DecodeError> {
    match stream {
        StreamName::Delivery(_) => Ok(Body::Delivery(Box::new(read_delivery_data(kind, data)?))),
        StreamName::Letter(id) if kind == DeadLettered::TYPE => {
            let letter = read_letter_data(data)?;
            if letter.letter() != *id {
                return Err(DecodeError::Field("message_id"));
            }
            Ok(Body::Letter(Box::new(letter)))
        }
        StreamName::Letter(_) => Err(DecodeError::Type(kind.to_owned())),
        StreamName::Account(_) | StreamName::Transfer(_) => Err(DecodeError::Field("stream")),
    }
}

/// A `Form` says which fields a line has.
enum Form {
    Account,
    Transfer,
    /// It is of what the service records of its own deliveries.
    Own,
    /// It is of no kind of stream that is known here.
    Unknown,
}

/// Returns the form of a line. The name of its stream stands at its beginning, after the position alone.
fn form(line: &[u8]) -> Form {
    const HEAD: usize = 64;
    const FIELD: &[u8] = b"\"stream\":\"";
    let head = line.get(..line.len().min(HEAD)).unwrap_or_default();
    let name = memchr::memmem::find(head, FIELD).and_then(|at| head.get(at.saturating_add(FIELD.len())..));
    let name = name.unwrap_or_default();
    if name.starts_with(b"transfer-") {
        Form::Transfer
    } else if name.starts_with(b"delivery-") || name.starts_with(b"letter-") {
        Form::Own
    } else if name.starts_with(b"account-") {
        Form::Account
    } else {
        Form::Unknown
    }
}

/// Returns why a line that is of no kind of stream that is known here is no event. A later version may have such a stream where
/// its kind is a word of small letters, alone or with `-` and a name behind it.
fn unknown(line: &[u8]) -> DecodeError {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        stream: Cow<'a, str>,
    }
    let stream = match serde_json::from_slice::<Named<'_>>(line) {
        Ok(named) => named.stream,
        Err(error) => return error.into(),
    };
    let behind = stream.trim_start_matches(|character: char| character.is_ascii_lowercase());
    let is_word = behind.len() < stream.len() && (behind.is_empty() || behind.starts_with('-'));
    if is_word { DecodeError::Stream(stream.into()) } else { DecodeError::Field("stream") }
}

fn raw<'a, L: Deserialize<'a>>(line: &'a [u8]) -> Result<L, DecodeError> {
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

impl<'a> RawOwnLine<'a> {
    /// Takes it apart into what every line has, and its `data`.
    fn apart(self) -> (Head<'a>, &'a [u8]) {
        let head = Head {
            position: self.position,
            stream: self.stream,
            revision: self.revision,
            event_id: self.event_id,
            kind: self.kind,
            recorded_at: self.recorded_at,
            effective_at: self.recorded_at,
            version: self.version,
            transaction_id: self.transaction_id.unwrap_or_default(),
            origin: self.metadata,
            hash: self.hash,
        };
        (head, self.data.get().as_bytes())
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

    fn event(self, stream: StreamName, id: Id, body: Body) -> Result<Placed, DecodeError> {
        let has_own_fields = [self.position.is_some(), self.event_id.is_some(), self.hash.is_some()];
        let hash = self.hash.map(|hash| Hash::parse(hash).ok_or(DecodeError::Field("hash"))).transpose()?;
        if has_own_fields != [true; 3] && has_own_fields != [false; 3] {
            return Err(DecodeError::Foreign);
        }
        let correlation = match self.origin.correlation {
            Some(correlation) if correlation == self.transaction_id && !id.is_absent() => None,
            Some(correlation) => Some(correlation.into()),
            None if id.is_absent() => None,
            None => return Err(DecodeError::Field("$correlationId")),
        };
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
