//! [`Proposed`] holds events on their way into a stream. They are encoded and chained once, so that every attempt sends the
//! same bytes.

use std::sync::Arc;

use serde_json::value::RawValue;
use uuid::Uuid;

use super::Recorded;
use crate::domain::event::Event;
use crate::domain::stream::StreamName;
use crate::store::chain::{self, Hash};
use crate::store::codec::{Encoder, Parts};

/// This is how many bytes of data, metadata and type names one append may hold. A node takes 1 MiB, counted as it
/// stores them; this leaves room for what it adds to each event.
pub const MOST_BYTES: usize = 960 * 1024;
/// This is how many bytes a node may add to an event.
const FRAME: usize = 64;

/// `Proposed` are events encoded and chained along their stream, ready to be sent any number of times as the same
/// bytes.
#[derive(Debug)]
pub struct Proposed {
    stream: StreamName,
    expected: Option<u64>,
    hash: Hash,
    size: usize,
    events: Vec<Wire>,
    encoder: Encoder,
}

/// A `Wire` is an event as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub id: Uuid,
    pub kind: &'static str,
    /// This is the body. It is raw JSON, because the crate marks an event as JSON only when it is given something to
    /// serialize.
    pub data: Arc<RawValue>,
    pub metadata: bytes::Bytes,
}

impl Proposed {
    /// Makes an empty append that follows the last event of a stream, given by its revision and its hash. With `None` the
    /// stream must not exist.
    #[must_use]
    pub fn after(stream: &StreamName, last: Option<(u64, Hash)>) -> Self {
        let hash = last.map_or_else(|| Hash::of_stream(stream), |(_, hash)| hash);
        Self {
            stream: stream.clone(),
            expected: last.map(|(revision, _)| revision),
            hash,
            size: 0,
            events: Vec::new(),
            encoder: Encoder::default(),
        }
    }

    /// Adds the event, and returns `false` when it does not fit into what a node takes. The event's stream and revision
    /// must be the ones that come next: it could not be read back otherwise.
    pub fn push(&mut self, event: &Event) -> bool {
        debug_assert_eq!(event.stream, self.stream, "another stream's event");
        debug_assert_eq!(
            event.revision,
            self.first_revision() + self.events.len() as u64,
            "another revision"
        );
        let parts = self.encoder.parts(event);
        let hash = self.hash.then(parts.canonical);
        let metadata = metadata(&parts, &hash);
        let kind = event.type_name();
        let size = self.size + parts.data.len() + metadata.len() + 2 * kind.len() + FRAME;
        // The encoder writes UTF-8 and JSON: neither can fail.
        let data = std::str::from_utf8(parts.data).ok().map(str::to_owned);
        let Some(data) = data.and_then(|data| RawValue::from_string(data).ok()) else { return false };
        if size > MOST_BYTES {
            return false;
        }
        let id = chain::event_id(parts.canonical);
        self.events.push(Wire { id, kind, data: data.into(), metadata: metadata.into() });
        (self.hash, self.size) = (hash, size);
        true
    }

    /// Returns the revision that the stream must be at. With `None` the stream must not exist.
    #[must_use]
    pub fn expected(&self) -> Option<u64> {
        self.expected
    }

    /// Returns the revision that the first event gets.
    #[must_use]
    pub fn first_revision(&self) -> u64 {
        self.expected.map_or(0, |expected| expected + 1)
    }

    /// Returns how many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Says whether there are no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Returns the hash of the chain after the last event.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Returns the ids of the events, in their order.
    pub fn ids(&self) -> impl Iterator<Item = Uuid> {
        self.events.iter().map(|event| event.id)
    }

    /// Says whether what was read from the stream, beginning at [`Proposed::first_revision`], begins with these very
    /// events: each at its own revision, and byte for byte.
    #[must_use]
    pub fn is_stored_as(&self, found: &[Recorded]) -> bool {
        let stream = self.stream.to_string();
        found.len() >= self.events.len()
            && (self.first_revision()..).zip(&self.events).zip(found).all(|((revision, event), found)| {
                found.revision == revision
                    && found.event_id == event.id
                    && found.stream == stream
                    && found.kind == event.kind
                    && found.data == event.data.get().as_bytes()
                    && found.metadata == event.metadata
            })
    }

    /// Returns its events as a node would have them, without their positions.
    pub(super) fn unplaced(&self) -> Vec<Recorded> {
        let stream = self.stream.to_string();
        let recorded = |(revision, event): (u64, &Wire)| Recorded {
            position: 0,
            stream: stream.clone(),
            revision,
            event_id: event.id,
            kind: event.kind.to_owned(),
            data: bytes::Bytes::copy_from_slice(event.data.get().as_bytes()),
            metadata: event.metadata.clone(),
        };
        (self.first_revision()..).zip(&self.events).map(recorded).collect()
    }

    pub(super) fn wires(&self) -> &[Wire] {
        &self.events
    }
}

/// Makes the metadata of the event: all that its line has beside `data`. The fields that the store itself knows come
/// first, and the hash comes last.
fn metadata(parts: &Parts<'_>, hash: &Hash) -> Vec<u8> {
    let fields = [parts.origin, parts.transaction, parts.times, parts.answer];
    let mut out = Vec::with_capacity(fields.iter().map(|field| field.len() + 1).sum::<usize>() + 76);
    out.push(b'{');
    for field in fields.into_iter().filter(|field| !field.is_empty()) {
        out.extend_from_slice(field);
        out.push(b',');
    }
    out.extend_from_slice(format!("\"hash\":\"{hash}\"}}").as_bytes());
    out
}
