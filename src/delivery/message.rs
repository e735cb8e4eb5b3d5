//! A message is what a destination gets of an event: a `CloudEvents` envelope in JSON (specification 1.0, structured mode),
//! whose `data` is the event's line as it stands in the journal.
//!
//! Its id and its bytes follow from the line, the journal and the destination's name alone, so that they are the same in
//! every attempt, on every instance, for ever. What differs from attempt to attempt is in headers.

use bytes::Bytes;
use uuid::Uuid;

use crate::domain::delivery::name::DestinationName;
use crate::domain::event::Event;
use crate::domain::ids::Id;
use crate::domain::metadata::Origin;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::store::chain;
use crate::store::codec::json::{number, put, text};
use crate::store::codec::{DecodeError, Line, cut, decode};

/// This is the content type of a message.
pub const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// A position is written with so many digits, so that texts of positions have the order of the positions.
const DIGITS: usize = 20;

/// A `Message` is what is sent to a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// This is its id: that of the event, a dot, and the name of the destination.
    pub id: String,
    /// This is the position of its event; 0 for a trial, which is of none.
    pub position: u64,
    /// This is the stream of its event.
    pub stream: StreamName,
    /// This is the revision of its event there.
    pub revision: u64,
    /// This is the business process that its event belongs to.
    pub correlation: Box<str>,
    /// These are its bytes. Every attempt sends the same ones, so that a copy of them copies nothing.
    pub body: Bytes,
}

impl Message {
    /// Makes the message of a line of the journal, which is without its line feed.
    ///
    /// # Errors
    /// Fails when the line is no event that this program could have written.
    pub fn new(line: &[u8], journal: Uuid, to: &DestinationName) -> Result<Self, DecodeError> {
        Self::of(decode(line)?, line, journal, to)
    }

    /// Makes the message of a line that was decoded already.
    ///
    /// # Errors
    /// Fails when the line has not the layout of one that this program wrote.
    pub(super) fn of(
        decoded: Line,
        line: &[u8],
        journal: Uuid,
        to: &DestinationName,
    ) -> Result<Self, DecodeError> {
        let (canonical, _) = cut(line).ok_or(DecodeError::Field("layout"))?;
        let id = format!("{}.{to}", chain::event_id(&canonical));
        let Line { position, event, .. } = decoded;
        let body = body(&event, position, &id, (journal, line)).into();
        let correlation = event.origin.correlation.unwrap_or_else(|| event.id.to_string().into());
        Ok(Self { id, position, stream: event.stream, revision: event.revision, correlation, body })
    }

    /// Makes the message of a trial, which is of no event: it has no position and no data. The ID under which it is asked for
    /// names it.
    pub(super) fn trial(
        (asked, origin): (Id, &Origin),
        now: Timestamp,
        journal: Uuid,
        to: &DestinationName,
    ) -> Self {
        let (id, asked) = (format!("test.{asked}.{to}"), asked.to_string());
        let correlation = origin.correlation.clone().unwrap_or_else(|| asked.as_str().into());
        let mut out = Vec::with_capacity(512);
        put(&mut out, &["{\"specversion\":\"1.0\",\"id\":\"", &id, "\",\"source\":\"/bookonce/"]);
        out.extend_from_slice(journal.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
        put(&mut out, &["\",\"type\":\"bookonce.test\",\"subject\":\"test\",\"time\":\""]);
        now.write(&mut out);
        put(&mut out, &["\",\"datacontenttype\":\"application/json\",\"transactionid\":\"", &asked]);
        put(&mut out, &["\",\"correlationid\":"]);
        text(&correlation, &mut out);
        out.push(b'}');
        let stream = StreamName::Delivery(to.clone());
        Self { id, position: 0, stream, revision: 0, correlation, body: out.into() }
    }

    /// Returns the id of its event.
    #[must_use]
    pub fn event_id(&self) -> &str {
        self.id.split_once('.').map_or(&self.id, |(event, _)| event)
    }
}

fn body(event: &Event, position: u64, id: &str, (journal, line): (Uuid, &[u8])) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len().saturating_add(640));
    put(&mut out, &["{\"specversion\":\"1.0\",\"id\":\"", id, "\",\"source\":\"/bookonce/"]);
    out.extend_from_slice(journal.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
    put(&mut out, &["\",\"type\":\"bookonce.", event.type_name(), "\",\"subject\":\""]);
    event.stream.with_parts(|parts| put(&mut out, &parts));
    put(&mut out, &["\",\"time\":\""]);
    event.recorded_at.write(&mut out);
    put(&mut out, &["\",\"datacontenttype\":\"application/json\",\"sequence\":\""]);
    put(&mut out, &[&format!("{position:0DIGITS$}"), "\",\"partitionkey\":\""]);
    match &event.stream {
        StreamName::Account(name) => put(&mut out, &[name.as_str()]),
        StreamName::Transfer(id) => id.write(&mut out),
        // No filter chooses these.
        StreamName::Delivery(_) | StreamName::Letter(_) => {}
    }
    put(&mut out, &["\",\"revision\":\""]);
    number(event.revision, &mut out);
    put(&mut out, &["\",\"transactionid\":\""]);
    event.id.write(&mut out);
    put(&mut out, &["\",\"correlationid\":"]);
    match &event.origin.correlation {
        Some(correlation) => text(correlation, &mut out),
        None => text(&event.id.to_string(), &mut out),
    }
    if let Some(causation) = &event.origin.causation {
        put(&mut out, &[",\"causationid\":"]);
        text(causation, &mut out);
    }
    put(&mut out, &[",\"data\":"]);
    out.extend_from_slice(line);
    out.push(b'}');
    out
}
