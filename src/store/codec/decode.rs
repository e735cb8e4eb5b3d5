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
use crate::store::chain::{self, Hash};

use super::canonical::{cut, event_id_of};
use super::decode_data::{Data, RawAnswer, account};
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLine<'a> {
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
    data: Data<'a>,
    answer: RawAnswer<'a>,
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
    let raw = raw(line)?;
    let position = raw.position.ok_or(DecodeError::Field("position"))?;
    raw.event_id.ok_or(DecodeError::Field("event_id"))?;
    let hash = raw.hash.and_then(Hash::parse).ok_or(DecodeError::Field("hash"))?;
    Ok(Line { position, hash, event: event(raw)? })
}

/// Reads the canonical bytes of an event, which have neither its position nor its id nor its hash.
///
/// # Errors
/// Fails as [`decode`] does.
pub fn decode_canonical(canonical: &[u8]) -> Result<Event, DecodeError> {
    let raw = raw(canonical)?;
    if raw.position.is_some() || raw.event_id.is_some() || raw.hash.is_some() {
        return Err(DecodeError::Foreign);
    }
    event(raw)
}

fn raw(line: &[u8]) -> Result<RawLine<'_>, DecodeError> {
    serde_json::from_slice(line)
        .map_err(|error| newer(line).map_or_else(|| error.into(), DecodeError::Version))
}

fn event(raw: RawLine<'_>) -> Result<Event, DecodeError> {
    let stream = StreamName::parse(raw.stream).ok_or(DecodeError::Field("stream"))?;
    let id = Id::parse(raw.transaction_id).ok_or(DecodeError::Field("transaction_id"))?;
    let body = match &stream {
        StreamName::Account(name) if raw.version == VERSION => {
            Body::Account(account(name, (raw.kind, id), raw.effective_at, raw.data, &raw.answer)?)
        }
        StreamName::Account(_) => return Err(DecodeError::Version(raw.version)),
    };
    let correlation =
        (raw.metadata.correlation != raw.transaction_id).then(|| raw.metadata.correlation.into());
    Ok(Event {
        stream,
        revision: raw.revision,
        id,
        recorded_at: Timestamp::read(raw.recorded_at).ok_or(DecodeError::Field("recorded_at"))?,
        body,
        origin: Origin {
            correlation,
            causation: raw.metadata.causation.map(Into::into),
            actor: raw.metadata.actor.into(),
        },
    })
}

/// Reads one line, and proves that its bytes are those that its id was made of. It is for a line whose hash is not
/// compared with the chain. The proof costs a microsecond.
///
/// # Errors
/// Fails as [`decode`] does, and with [`DecodeError::Id`].
pub fn decode_proven(line: &[u8]) -> Result<Line, DecodeError> {
    let decoded = decode(line)?;
    let (canonical, _) = cut(line).ok_or(DecodeError::Field("layout"))?;
    let written = event_id_of(line).ok_or(DecodeError::Field("event_id"))?;
    if chain::event_id(&canonical) == written { Ok(decoded) } else { Err(DecodeError::Id) }
}
